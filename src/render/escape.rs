//! Text of an article within Markdown: what would be read as a mark is escaped.
//!
//! In: any text. Out: one line of Markdown that shows that text. Rules: `CommonMark` 0.31 (backslash escapes, entities),
//! GFM (tables, strikethrough).

/// Escapes text for a line of Markdown: runs of white space (line breaks with them) become one space, control characters
/// and marks that switch the direction of what follows are left out.
pub fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for word in text.split_whitespace() {
        if !escaped.is_empty() {
            escaped.push(' ');
        }
        for c in word.chars() {
            match c {
                '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' => {
                    escaped.push('\\');
                    escaped.push(c);
                }
                '<' => escaped.push_str("&lt;"),
                '>' => escaped.push_str("&gt;"),
                '&' => escaped.push_str("&amp;"),
                // Left in, these could turn the rest of the page around: embeddings, overrides, isolates.
                '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {}
                c if c.is_control() => {}
                c => escaped.push(c),
            }
        }
    }
    escaped
}

/// Escapes, in text that [`markdown`] gave and that is to open a line, what makes a list, a rule or a heading's underline
/// of a whole line: `-`, `+`, `=` and `1.` at its start.
pub fn line_start(line: &str) -> String {
    if line.starts_with(['-', '+', '=']) {
        return format!("\\{line}");
    }
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    match line[digits..].chars().next() {
        Some('.' | ')') if digits > 0 => format!("{}\\{}", &line[..digits], &line[digits..]),
        _ => line.to_owned(),
    }
}

/// Wraps Arabic (escaped already) so that it is shown from right to left wherever it stands.
pub fn right_to_left(escaped: &str) -> String {
    format!("<span dir=\"rtl\" lang=\"ar\">{escaped}</span>")
}

/// Escapes the path of a link: what is not plain in a URL path is percent-encoded as UTF-8.
pub fn link(path: &str) -> String {
    let mut escaped = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'/' => escaped.push(char::from(byte)),
            byte => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn marks_are_shown_not_read() {
        for (text, expected) in [
            ("a *b* _c_ `d`", r"a \*b\* \_c\_ \`d\`"),
            ("[x](y) <b> & |", r"\[x\](y) &lt;b&gt; &amp; \|"),
            ("# no heading", r"\# no heading"),
            ("one\n\ntwo", "one two"),
            ("\u{202E}turned", "turned"),
        ] {
            assert_eq!(markdown(text), expected);
        }
        for (text, expected) in [
            ("- no list", r"\- no list"),
            ("2011. no list", r"2011\. no list"),
            ("in 2011.", "in 2011."),
            ("---", r"\---"),
        ] {
            assert_eq!(line_start(&markdown(text)), expected);
        }
        assert_eq!(link("خبر (1).md"), "%D8%AE%D8%A8%D8%B1%20%281%29.md");
    }

    proptest! {
        #[test]
        fn escaped_text_is_one_line_and_opens_no_tag(text in "\\PC{0,200}") {
            let escaped = markdown(&text);
            prop_assert!(!escaped.contains('\n') && !escaped.contains('<'));
        }
    }
}
