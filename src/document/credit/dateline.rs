//! Datelines: where, and from whom, at the start of the first paragraph.
//!
//! In: the paragraph and the page's own names. Out: what the dateline says and where the text starts. Lines that are credits
//! as a whole are [`super`]'s.

use super::pieces::separated;
use super::{Credit, is, is_own, parts, unquoted};
use crate::arabic::letters::is_arabic_letter;
use crate::document::line::key;

/// Cuts the dateline off a first paragraph: "الجزائر– ", "القاهرة (رويترز) - ". Returns what it says and where the text
/// starts (bytes).
pub(in crate::document) fn dateline(paragraph: &str, own: &[String]) -> Option<(Credit, usize)> {
    const REACH: usize = 110;
    let mut found = None;
    let chars: Vec<(usize, char)> = paragraph.char_indices().take(REACH).collect();
    for (i, &(at, c)) in chars.iter().enumerate() {
        let before = i.checked_sub(1).map(|b| chars[b].1);
        let after = chars.get(i + 1).map(|&(_, c)| c);
        let dash = matches!(c, '-' | '–' | '—') || (c == 'ـ' && before.is_some_and(char::is_whitespace));
        let spaced = after.is_some_and(char::is_whitespace);
        let closes = match c {
            _ if dash => spaced || before.is_some_and(char::is_whitespace),
            ':' | '/' => spaced,
            '.' => break,
            _ => false,
        };
        if !closes {
            continue;
        }
        let lead = &paragraph[..at];
        let end = paragraph[at..]
            .find(|c: char| !(c.is_whitespace() || matches!(c, '-' | '–' | '—' | 'ـ' | ':' | '/')))
            .map(|o| at + o);
        let Some(end) = end else { break };
        if lead.split_whitespace().count() > 14 {
            break;
        }
        let credit = parts(lead, own).filter(|credit| credit.place.is_some() || credit.publisher.is_some());
        if let Some(credit) = credit.or_else(|| unlisted(lead, own)) {
            found = Some((credit, end));
        } else if found.is_none() && dash && before.is_some_and(|c| !c.is_whitespace()) && spaced {
            // "الجزائر– وضع": a dash glued to one or two words at the very start is a dateline whatever the town.
            let words: Vec<&str> = lead.split_whitespace().collect();
            if matches!(words.len(), 1 | 2)
                && lead.chars().all(|c| is_arabic_letter(c) || c == ' ')
                && !is("no name", &key(words[0]))
            {
                found = Some((Credit { place: Some(lead.trim().to_owned()), ..Credit::default() }, end));
            }
        }
    }
    // "القاهرة: 32" counts something.
    found.filter(|(_, start)| paragraph[*start..].contains(char::is_alphabetic))
}

/// Reads "القضارف – منبر النيلين": a town that no list has, and the page's own outlet.
fn unlisted(lead: &str, own: &[String]) -> Option<Credit> {
    let mut pieces = separated(lead);
    let (place, outlet) = (pieces.next()?, pieces.next()?);
    let town = place.split_whitespace().count() <= 2 && place.chars().all(|c| is_arabic_letter(c) || c == ' ');
    (town && pieces.next().is_none() && is_own(outlet, own)).then(|| Credit {
        place: Some(place.to_owned()),
        publisher: Some(unquoted(outlet)),
        ..Credit::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn datelines_are_cut_off() {
        for (text, rest, place, publisher) in [
            ("الأناضول – اتفقت الجزائر", "اتفقت الجزائر", None, some("الأناضول")),
            ("الجزائر– وضع مسؤولو الدولة", "وضع مسؤولو الدولة", some("الجزائر"), None),
            ("بلدتنا- أعلنت السلطات", "أعلنت السلطات", some("بلدتنا"), None),
            ("القاهرة (رويترز) - قال الوزير", "قال الوزير", some("القاهرة"), some("رويترز")),
            ("دمشق، سوريا (CNN) -- أكدت جهات", "أكدت جهات", some("دمشق"), some("CNN")),
            ("الرباط ـ أعلنت الوزارة", "أعلنت الوزارة", some("الرباط"), None),
            ("واشنطن 5 مايو 2023 (رويترز) - قال", "قال", some("واشنطن"), some("رويترز")),
            ("نواكشوط – و م أ – قال", "قال", some("نواكشوط"), some("و م أ")),
        ] {
            let (credit, start) = dateline(text, &[]).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((&text[start..], credit.place, credit.publisher), (rest, place, publisher), "{text}");
        }
        for text in [
            "قال الوزير – وهو من تونس – إن الأمر انتهى",
            "وأضاف - دون تفاصيل - أن",
            "ليبيا تدعو إلى تحالف",
            "“حفاظا على السلم",
        ] {
            assert_eq!(dateline(text, &[]), None, "{text}");
        }
    }
}
