//! Cuts English text into words that names can be compared by.
//!
//! In: English text. Out: words folded to plain lower-case letters, possessives taken off, the Arabic article of names
//! (al-, el-) dropped, each with its bytes in the text and how it was capitalised.

use unicode_normalization::UnicodeNormalization;

use crate::span::Span;

/// A word of an English text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// Its bytes, an article al- included, a possessive 's left out.
    pub span: Span,
    /// Lower-case letters and digits without diacritics.
    pub text: String,
    /// Whether it begins with a capital.
    pub capital: bool,
    /// Whether it has two letters or more, all capital.
    pub caps: bool,
    /// Whether nothing but white space or a hyphen stands between the word before and it.
    pub joined: bool,
    /// Whether a sentence may begin with it.
    pub opens: bool,
}

/// Folds a word: lower-case, no diacritics, no apostrophes, no full stops.
pub(super) fn fold(word: &str) -> String {
    let mut folded = String::with_capacity(word.len());
    for c in word.nfd() {
        match c {
            '\u{0300}'..='\u{036F}' | '\'' | '’' | '‘' | 'ʿ' | 'ʾ' | 'ʼ' | '`' | '.' => {}
            'ø' | 'Ø' => folded.push('o'),
            'ł' | 'Ł' => folded.push('l'),
            'ı' => folded.push('i'),
            'đ' | 'Đ' => folded.push('d'),
            'ß' => folded.push_str("ss"),
            'æ' | 'Æ' => folded.push_str("ae"),
            'œ' | 'Œ' => folded.push_str("oe"),
            c => folded.extend(c.to_lowercase()),
        }
    }
    folded
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | 'ʿ' | 'ʾ' | 'ʼ' | '`')
}

/// Cuts a text into words.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    let mut chars = text.char_indices().peekable();
    let mut previous_end = 0;
    while let Some((start, c)) = chars.next() {
        if !c.is_alphanumeric() {
            continue;
        }
        let mut end = start + c.len_utf8();
        let mut single_letters = true;
        let mut run = 1;
        while let Some(&(at, c)) = chars.peek() {
            let next = text[at + c.len_utf8()..].chars().next();
            let goes_on = c.is_alphanumeric()
                || ('\u{0300}'..='\u{036F}').contains(&c)
                || (is_apostrophe(c) && next.is_some_and(char::is_alphanumeric))
                // "U.S.": a full stop inside single capitals.
                || (c == '.' && single_letters && run == 1 && next.is_some_and(char::is_uppercase))
                || (c == '.' && single_letters && run == 1 && text[start..at].contains('.'));
            if !goes_on {
                break;
            }
            if c == '.' {
                run = 0;
            } else {
                run += 1;
                single_letters &= run <= 1 && c.is_uppercase() || is_apostrophe(c);
            }
            end = at + c.len_utf8();
            chars.next();
        }
        let whole = &text[start..end];
        let possessive = ["'s", "’s", "'S", "’S"].iter().find(|p| whole.len() > p.len() && whole.ends_with(**p));
        let body = &whole[..whole.len() - possessive.map_or(0, |p| p.len())];
        let between = &text[previous_end..start];
        let letters = body.chars().filter(|c| c.is_alphabetic()).count();
        found.push(Token {
            span: Span::new(start, start + body.len()),
            text: fold(body),
            capital: body.starts_with(char::is_uppercase),
            caps: letters >= 2 && body.chars().all(|c| !c.is_lowercase()),
            joined: !found.is_empty() && between.chars().all(|c| c.is_whitespace() || matches!(c, '-' | '–' | '‑')),
            opens: found.is_empty() || between.contains(['.', '!', '?', ':', '"', '“', '\n', '•']),
        });
        previous_end = end;
    }
    drop_articles(text, found)
}

/// Drops the article of Arabic names: `al-Sarraj`, `El-Sisi`, `Al Jazeera` become their noun, the span kept whole.
fn drop_articles(text: &str, tokens: Vec<Token>) -> Vec<Token> {
    let mut kept: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut article: Option<Token> = None;
    for token in tokens {
        let mut token = token;
        if let Some(before) = article.take() {
            let hyphen = text[before.span.end..token.span.start].starts_with(['-', '‑']);
            let plain = before.text == "al" && !before.caps && token.capital;
            if token.joined && (hyphen || plain) {
                token.span.start = before.span.start;
                token.joined = before.joined;
                token.opens = before.opens;
                token.capital |= before.capital;
            } else {
                kept.push(before);
            }
        }
        let may_be = matches!(token.text.as_str(), "al" | "el" | "as" | "ash" | "ad" | "an" | "ar" | "at" | "az");
        if may_be && !token.caps {
            article = Some(token);
        } else {
            kept.push(token);
        }
    }
    kept.extend(article);
    kept
}

/// Cuts off the endings by which English inflects, so that two forms of a word compare equal: `embargoes` and
/// `embargo`, `militias` and `militia`, `illegal` and `illegally`.
pub(super) fn stem(word: &str) -> String {
    let mut word = word.to_owned();
    if word.chars().count() > 3 {
        if word.ends_with("ies") {
            word.truncate(word.len() - 3);
            word.push('y');
            return word;
        }
        for ending in ["ing", "ed", "es", "s", "ly", "e"] {
            if word.len() > ending.len() + 2 && word.ends_with(ending) && !word.ends_with("ss") {
                word.truncate(word.len() - ending.len());
                break;
            }
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        tokens(text).into_iter().map(|t| t.text).collect()
    }

    #[test]
    fn words_are_folded() {
        assert_eq!(
            texts("Libya's army, the U.S. and Côte d'Ivoire."),
            ["libya", "army", "the", "us", "and", "cote", "divoire"]
        );
        assert_eq!(texts("al-Sarraj met El-Sisi at Al Jazeera"), ["sarraj", "met", "sisi", "at", "jazeera"]);
        assert_eq!(texts("El Salvador, San’a N'Djamena"), ["el", "salvador", "sana", "ndjamena"]);
        assert_eq!(texts("Guinea-Bissau U.N.-backed J. Smith."), ["guinea", "bissau", "un", "backed", "j", "smith"]);
    }

    #[test]
    fn spans_leave_the_possessive_out() {
        let text = "al-Sarraj’s Libya's";
        let spans: Vec<&str> = tokens(text).iter().map(|t| t.span.of(text)).collect();
        assert_eq!(spans, ["al-Sarraj", "Libya"]);
    }

    #[test]
    fn inflections_compare_equal() {
        for (a, b) in [
            ("embargoes", "embargo"),
            ("militias", "militia"),
            ("countries", "country"),
            ("forces", "force"),
            ("clashes", "clash"),
        ] {
            assert_eq!(stem(a), stem(b), "{a} {b}");
        }
        assert_ne!(stem("army"), stem("arm"));
    }
}
