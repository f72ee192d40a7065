//! The words of a feed's fields, which are pieces of pages: without tags, without what a site adds, and whether they are cut.
//!
//! In: a field as it stands. Out: words. Which field is what is [`super`]'s. Sources: the entities of HTML, which feeds use
//! without declaring them; the last lines that `WordPress` writes.

use quick_xml::escape::resolve_html5_entity;

use crate::arabic::letters;

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
            words.push_str(&found);
            rest = &after[1..];
            continue;
        }
        words.push(c);
        rest = &rest[c.len_utf8()..];
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn reference(name: &str) -> Option<String> {
    let Some(number) = name.strip_prefix('#') else { return resolve_html5_entity(name).map(str::to_owned) };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => number.parse().ok()?,
    };
    char::from_u32(code).filter(|&c| c != '\0').map(String::from)
}

/// Writes words so that they stand for themselves in a page.
pub(super) fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
