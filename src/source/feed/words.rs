//! The words of a feed's fields, which are pieces of pages: without tags, without what a site adds, and whether they are cut.
//!
//! In: a field as it stands. Out: words. Which field is what is [`super`]'s. Sources: the entities of HTML 4 that feeds use
//! without declaring them; the last lines that `WordPress` writes.

use crate::arabic::letters;

/// The entities of XML, and those of HTML that feeds use without declaring them.
pub(super) fn entity(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "laquo" => '«',
        "raquo" => '»',
        "ldquo" => '“',
        "rdquo" => '”',
        "lsquo" => '‘',
        "rsquo" => '’',
        "hellip" => '…',
        "ndash" => '–',
        "mdash" => '—',
        "bull" => '•',
        "zwnj" => '\u{200c}',
        "zwj" => '\u{200d}',
        "rlm" => '\u{200f}',
        "lrm" => '\u{200e}',
        _ => return None,
    })
}

/// Returns whether a text breaks off, or ends by sending the reader on.
pub(super) fn is_cut(words: &str) -> bool {
    const MORE: &[&str] =
        &["اقرا المزيد", "المزيد", "اكمل القراءه", "تابع القراءه", "للمزيد", "read more", "continue reading"];
    let end: Vec<&str> = words.split_whitespace().rev().take(3).collect();
    let end = letters::key(&end.into_iter().rev().collect::<Vec<_>>().join(" ")).to_lowercase();
    let end = end.trim_end_matches(|c: char| !c.is_alphanumeric());
    words.trim_end_matches(['.', ' ']).ends_with(['…', ']'])
        || words.ends_with("..")
        || MORE.iter().any(|more| end.ends_with(more))
}

/// Takes the paragraph off that `WordPress` puts under each entry: which site the article appeared on first.
pub(super) fn without_sign_off(page: &str) -> &str {
    let Some(at) = page.rfind("<p") else { return page };
    let last = plain(&page[at..]);
    let arabic = (last.starts_with("ظهرت المقالة") || last.starts_with("ظهر المقال")) && last.contains("أولاً على");
    let english = last.starts_with("The post ") && last.contains(" appeared first on ");
    if arabic || english { page[..at].trim_end() } else { page }
}

/// Returns the words of a piece of a page: its tags taken out, its references to characters resolved.
pub(super) fn plain(page: &str) -> String {
    let mut words = String::with_capacity(page.len());
    let mut rest = page;
    while let Some(c) = rest.chars().next() {
        if c == '<'
            && rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!'))
            && let Some(end) = rest.find('>')
        {
            words.push(' ');
            rest = &rest[end + 1..];
            continue;
        }
        if c == '&'
            && let Some((name, after)) =
                rest[1..].split_at_checked(rest[1..].bytes().take(12).position(|b| b == b';').unwrap_or(usize::MAX))
            && let Some(found) = reference(name)
        {
            words.push(found);
            rest = &after[1..];
            continue;
        }
        words.push(c);
        rest = &rest[c.len_utf8()..];
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn reference(name: &str) -> Option<char> {
    let Some(number) = name.strip_prefix('#') else { return entity(name) };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => number.parse().ok()?,
    };
    char::from_u32(code).filter(|&c| c != '\0')
}

/// Writes words so that they stand for themselves in a page.
pub(super) fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
