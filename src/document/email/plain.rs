//! The text of a message without what mail programs put around an article: marks of quotation, heads of forwarded messages,
//! signatures, broken lines.
//!
//! In: a decoded text, or the lines of a web page in a message. Out: its lines, what a forwarded message says of itself, and
//! the lines that were left out. Who forwards an article writes less than the article: of the text before and after the head
//! of a forwarded message the longer one is it. Sources: RFC 3676 (flowed text, `-- ` before signatures); the heads that
//! Outlook, Gmail and Apple Mail write in Arabic, English and French.

use super::super::line::wrap::unwrapped;
use super::super::line::{Hint, Line, key};
use super::forward::{Forwarded, MAX_FORWARDED, head};

/// The most lines of a signature.
const MAX_SIGNATURE: usize = 20;

/// A text without what is around it.
#[derive(Debug, Default)]
pub(super) struct Plain {
    pub lines: Vec<Line>,
    pub forwarded: Forwarded,
    pub left_out: Vec<String>,
}

/// Reads a text whose letters are cleaned.
pub(super) fn read(text: &str, flowed: bool) -> Plain {
    let text = text.replace("\r\n", "\n");
    let mut lines: Vec<String> = text.split(['\n', '\r']).map(str::to_owned).collect();
    let mut left_out = Vec::new();
    for _ in 0..MAX_FORWARDED {
        if !unquote(&mut lines, &mut left_out) {
            break;
        }
    }
    if flowed {
        lines = joined(&lines);
    }
    let mut forwarded = Forwarded::default();
    for _ in 0..MAX_FORWARDED {
        let Some(head) = head(&lines) else { break };
        if words(&lines[head.end..]) >= words(&lines[..head.start]) {
            left_out.extend(lines.drain(..head.end));
            forwarded = head.says;
            forwarded.found = true;
        } else {
            left_out.extend(lines.drain(head.start..));
        }
        // What was forwarded may be quoted within.
        unquote(&mut lines, &mut left_out);
    }
    signature(&mut lines, &mut left_out);
    let lines = if flowed { lines } else { unwrapped(&lines).unwrap_or(lines) };
    let left_out = left_out.into_iter().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
    Plain { lines: hinted(&lines), forwarded, left_out }
}

fn words(lines: &[String]) -> usize {
    lines.iter().map(|line| line.split_whitespace().count()).sum()
}

/// Makes lines; those that are still quoted are somebody else's words.
fn hinted(lines: &[String]) -> Vec<Line> {
    let mut found = Vec::new();
    let mut blank = true;
    for line in lines {
        let text: String = line.chars().map(|c| if c.is_control() && c != '\t' { ' ' } else { c }).collect();
        if text.trim().is_empty() {
            blank = true;
            continue;
        }
        match quoted(&text) {
            Some(words) if !words.trim().is_empty() => found.push(Line::hinted(words, Hint::Quote)),
            Some(_) => {}
            None => found.push(Line::new(&text, blank)),
        }
        blank = false;
    }
    found
}

fn quoted(line: &str) -> Option<&str> {
    let rest = line.strip_prefix('>')?;
    Some(rest.strip_prefix(' ').unwrap_or(rest))
}

/// Takes one mark of quotation off the lines where the text is quoted, and returns whether it did: what is not quoted then
/// is the answer to it, or the words over it. Where only the end is quoted, that is the message that was answered.
fn unquote(lines: &mut Vec<String>, left_out: &mut Vec<String>) -> bool {
    let of = |marked: bool| -> usize {
        lines
            .iter()
            .filter(|line| line.trim_start().starts_with('>') == marked)
            .map(|line| line.trim_start_matches(['>', ' ']).split_whitespace().count())
            .sum()
    };
    let (inside, outside) = (of(true), of(false));
    if inside == 0 {
        return false;
    }
    if inside > outside {
        let all = std::mem::take(lines);
        for line in all {
            match quoted(line.trim_start()) {
                Some(rest) => lines.push(rest.to_owned()),
                None if line.trim().is_empty() => lines.push(String::new()),
                None => left_out.push(line),
            }
        }
        return true;
    }
    // "… wrote:" and what was answered, at the end.
    if let Some(at) = lines.iter().position(|line| is_answered(line))
        && lines[at + 1..].iter().any(|line| line.starts_with('>'))
    {
        left_out.extend(lines.drain(at..));
    }
    false
}

/// Returns whether a line says who wrote what follows: "On … wrote:", "كتب …:", "Le … a écrit :".
fn is_answered(line: &str) -> bool {
    let line = line.trim();
    if !line.ends_with(':') || line.len() > 300 {
        return false;
    }
    let folded = key(line);
    (folded.starts_with("on ") && folded.ends_with(" wrote"))
        || (folded.starts_with("le ") && folded.ends_with("a écrit"))
        || ((folded.starts_with("في ") || folded.starts_with("بتاريخ "))
            && folded.split(' ').any(|word| matches!(word, "كتب" | "كتبت" | "كتبه")))
}

/// Cuts the signature off: what follows `-- ` on a line of its own, where hardly anything does.
fn signature(lines: &mut Vec<String>, left_out: &mut Vec<String>) {
    let Some(at) = lines.iter().rposition(|line| line.trim_end() == "--") else { return };
    let after = &lines[at + 1..];
    if after.iter().filter(|line| !line.trim().is_empty()).count() <= MAX_SIGNATURE
        && words(after) < words(&lines[..at])
    {
        left_out.extend(lines.drain(at..).skip(1));
    }
}

/// Joins the lines of flowed text: one that ends with a blank goes on in the next.
fn joined(lines: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in lines {
        // A blank is put before lines that begin with "From" or ">".
        let line = line.strip_prefix(' ').unwrap_or(line);
        match found.last_mut() {
            Some(last) if goes_on => last.push_str(line),
            _ => found.push(line.to_owned()),
        }
        goes_on = line.ends_with(' ') && line != "-- ";
    }
    found
}

/// Returns a subject without "Re:", "Fwd:", "رد:" and the like.
pub(super) fn without_prefixes(subject: &str) -> &str {
    let mut rest = subject.trim();
    while let Some((prefix, more)) = rest.split_once(':') {
        let known = matches!(
            key(prefix).as_str(),
            "re" | "fw"
                | "fwd"
                | "tr"
                | "réf"
                | "rép"
                | "wg"
                | "rv"
                | "رد"
                | "اعاده توجيه"
                | "معاد توجيهها"
                | "توجيه"
                | "تحويل"
        );
        if !known {
            break;
        }
        rest = more.trim();
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str, flowed: bool) -> Vec<String> {
        read(text, flowed).lines.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn of_note_and_forwarded_message_the_longer_is_the_article() {
        let head = "---------- Forwarded message ---------\nمن: أ <a@example.org>\nDate: Tue, Mar 12, 2024 at 9:15\nSubject: خبر\nTo: b\n\n";
        let plain = read(&format!("للعلم\n\n{head}نص طويل من كلمات كثيرة.\n-- \nفلان\n"), false);
        assert_eq!(plain.lines.iter().map(|l| l.text.as_str()).collect::<Vec<_>>(), ["نص طويل من كلمات كثيرة."]);
        assert_eq!(
            plain.forwarded,
            Forwarded { found: true, subject: Some("خبر".to_owned()), date: Some("2024-03-12".to_owned()) }
        );
        assert!(plain.left_out.contains(&"للعلم".to_owned()) && plain.left_out.contains(&"فلان".to_owned()));
        let plain = read(&format!("نص طويل من كلمات كثيرة هنا.\n\n{head}شكرا\n"), false);
        assert_eq!(plain.lines.len(), 1);
        assert!(!plain.forwarded.found);
        assert_eq!(texts("من: الجزائر\nنص\n", false), ["من: الجزائر", "نص"]);
    }

    #[test]
    fn quoted_and_broken_lines_are_whole_again() {
        let text = "أعلنت الوزارة اليوم عن بدء أشغال المشروع الجديد في المدينة القديمة بكلفة كبيرة تبلغ عشرين مليون دينار \
                    وقالت إن العمل سيبدأ في الأسبوع المقبل في ثلاث مدن وسوف ينتهي قبل نهاية السنة المقبلة في كل المدن الكبيرة";
        let mut broken = String::from("> عنوان\n>\n");
        let mut line = String::from(">");
        for word in text.split(' ') {
            if line.chars().count() + 1 + word.chars().count() > 60 {
                broken.push_str(&line);
                broken.push('\n');
                line = String::from(">");
            }
            line.push(' ');
            line.push_str(word);
        }
        broken.push_str(&line);
        broken.push_str("\n> - نقطة\n");
        assert_eq!(texts(&broken, false), ["عنوان", text, "- نقطة"]);
        assert_eq!(texts("أ ب \nج\nد", true), ["أ ب ج", "د"]);
    }

    #[test]
    fn what_was_answered_stays_out() {
        let plain = read("شكرا على المقال الطويل المهم\n\nOn Tue, a@b wrote:\n> نعم\n", false);
        assert_eq!(plain.lines.len(), 1);
        assert_eq!(plain.left_out, ["On Tue, a@b wrote:", "> نعم"]);
    }

    #[test]
    fn prefixes_of_subjects() {
        assert_eq!(without_prefixes("Fwd: RE: رد: خبر: نعم"), "خبر: نعم");
    }
}
