//! Heads of forwarded messages, as mail programs write them into the text.
//!
//! In: lines. Out: where a head stands and what it says: subject and date of the message that was forwarded. Sources: what
//! Outlook, Gmail and Apple Mail write in Arabic, English and French.

use super::super::line::{Line, key};

/// The most messages in each other that are unwrapped.
pub(super) const MAX_FORWARDED: usize = 12;

/// What a forwarded message says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Forwarded {
    pub found: bool,
    pub subject: Option<String>,
    pub date: Option<String>,
}

/// The head of a forwarded message: its lines, and what it says.
pub(super) struct Head {
    pub start: usize,
    pub end: usize,
    pub says: Forwarded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Label {
    From,
    Date,
    Subject,
    Other,
}

fn label(line: &str) -> Option<(Label, &str)> {
    let line = line.trim().trim_start_matches(['*', '>', ' ']);
    let (name, value) = line.split_once(':')?;
    if name.len() > 40 {
        return None;
    }
    let value = value.trim().trim_start_matches('*').trim();
    let label = match key(name).as_str() {
        "from" | "de" | "من" | "المرسل" => Label::From,
        "sent" | "date" | "envoyé" | "envoyé le" | "تاريخ الارسال" | "ارسلت" | "التاريخ" | "تاريخ" | "تم الارسال" => {
            Label::Date
        }
        "subject" | "objet" | "sujet" | "الموضوع" | "موضوع" => Label::Subject,
        "to" | "cc" | "bcc" | "à" | "a" | "reply to" | "répondre à" | "الي" | "نسخه" | "نسخه الي" | "attachments" => {
            Label::Other
        }
        _ => return None,
    };
    Some((label, value))
}

/// Returns whether a line says that a forwarded message follows.
fn is_marker(line: &str) -> bool {
    let folded = key(line);
    let short = folded.split(' ').count() <= 6;
    short
        && [
            "original message",
            "forwarded message",
            "begin forwarded message",
            "message d origine",
            "message original",
            "message transféré",
            "début du message réexpédié",
            "message réexpédié",
            "الرساله الاصليه",
            "رساله معاد توجيهها",
            "الرساله المعاد توجيهها",
            "رساله محوله",
        ]
        .contains(&folded.as_str())
}

/// Finds the first head of a forwarded message.
pub(super) fn head<T: AsRef<str>>(lines: &[T]) -> Option<Head> {
    let line = |at: usize| lines.get(at).map_or("", |line| line.as_ref());
    let mut at = 0;
    while at < lines.len() {
        let marked = is_marker(line(at));
        let opens = matches!(label(line(at)), Some((Label::From, value)) if !value.is_empty());
        if !marked && !opens {
            at += 1;
            continue;
        }
        let start = at;
        let mut end = if marked { at + 1 } else { at };
        while marked && end < lines.len() && line(end).trim().is_empty() {
            end += 1;
        }
        let mut says = Forwarded::default();
        let mut kinds = Vec::new();
        while let Some((kind, value)) = label(line(end)) {
            let some = (!value.is_empty()).then(|| value.to_owned());
            match kind {
                Label::Date => says.date = some.map(|value| dated(&value)),
                Label::Subject => says.subject = some,
                Label::From | Label::Other => {}
            }
            kinds.push(kind);
            end += 1;
        }
        // Three labels are no accident; "من: …" alone is a line of a text.
        if (marked && !kinds.is_empty()) || (kinds.len() >= 3 && kinds.contains(&Label::From)) {
            return Some(Head { start, end, says });
        }
        at = end.max(start + 1);
    }
    None
}

/// Takes the head of a forwarded message, and what stands before it, off the lines of a page.
pub(super) fn of_page(lines: &mut Vec<Line>) -> (Forwarded, Vec<String>) {
    let mut left_out = Vec::new();
    let mut forwarded = Forwarded::default();
    for _ in 0..MAX_FORWARDED {
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        let Some(head) = head(&texts) else { break };
        let count = |lines: &[Line]| lines.iter().map(|line| line.words).sum::<usize>();
        if count(&lines[head.end..]) >= count(&lines[..head.start]) {
            left_out.extend(lines.drain(..head.end).map(|line| line.text));
            forwarded = Forwarded { found: true, ..head.says };
        } else {
            left_out.extend(lines.drain(head.start..).map(|line| line.text));
        }
    }
    (forwarded, left_out)
}

/// Writes a date with the name of an English or French month as ISO 8601; others are left as they are.
fn dated(value: &str) -> String {
    const MONTHS: [[&str; 3]; 12] = [
        ["jan", "january", "janvier"],
        ["feb", "february", "février"],
        ["mar", "march", "mars"],
        ["apr", "april", "avril"],
        ["may", "may", "mai"],
        ["jun", "june", "juin"],
        ["jul", "july", "juillet"],
        ["aug", "august", "août"],
        ["sep", "september", "septembre"],
        ["oct", "october", "octobre"],
        ["nov", "november", "novembre"],
        ["dec", "december", "décembre"],
    ];
    let lower = value.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric() && c != ':').filter(|word| !word.is_empty()).collect();
    let month = words.iter().find_map(|word| MONTHS.iter().position(|names| names.contains(word)));
    let number = |word: &&str| word.parse::<u32>().ok();
    let year = words.iter().filter_map(number).find(|n| (1970..2200).contains(n));
    let day = words.iter().filter_map(number).find(|n| (1..=31).contains(n));
    match (year, month, day) {
        (Some(year), Some(month), Some(day)) => format!("{year:04}-{:02}-{day:02}", month + 1),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_told_from_lines_with_a_colon() {
        let outlook =
            ["نص", "-----الرسالة الأصلية-----", "من: أ", "تاريخ الإرسال: 12 مارس 2024", "الموضوع: خبر", "", "نص"];
        let found = head(&outlook).unwrap();
        assert_eq!((found.start, found.end, found.says.subject.as_deref()), (1, 5, Some("خبر")));
        assert_eq!(found.says.date.as_deref(), Some("12 مارس 2024"));
        assert!(head(&["De : a", "Envoyé : b", "À : c", "Objet : d"]).is_some());
        assert!(head(&["من: الجزائر", "إلى: تونس", "نص"]).is_none());
        assert!(head(&["Original message", "نص"]).is_none());
    }

    #[test]
    fn dates_in_english_and_french_become_iso() {
        assert_eq!(dated("Tuesday, March 12, 2024 9:15 AM"), "2024-03-12");
        assert_eq!(dated("mardi 12 mars 2024 09:15"), "2024-03-12");
        assert_eq!(dated("12 مارس 2024"), "12 مارس 2024");
    }
}
