//! The tokenizer of BLEU: what the script `mteval-v13a.pl` of NIST did, and all published scores with it.
//!
//! In: a line. Out: its tokens. The four substitutions run one after the other, each over the whole line from left to
//! right, and each consumes what it matched: `..` is not the same as `.` twice. Source: sacrebleu 2.6,
//! `tokenizers/tokenizer_13a.py` and `tokenizer_re.py`, which transcribe the script.

use super::is_space;

/// Returns the tokens of a line.
///
/// # Examples
/// ```
/// use mujaz::metrics::tokenizer_13a::tokens;
///
/// assert_eq!(tokens("It cost 1,000.5 dollars."), ["It", "cost", "1,000.5", "dollars", "."]);
/// ```
pub fn tokens(line: &str) -> Vec<String> {
    let mut line = line.trim_end_matches(is_space).replace("<skipped>", "").replace("-\n", "").replace('\n', " ");
    if line.contains('&') {
        // In this order: `&amp;quot;` ends as `&quot;`.
        for (entity, character) in [("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")] {
            line = line.replace(entity, character);
        }
    }
    let mut text: Vec<char> = Vec::with_capacity(2 * line.len() + 2);
    for c in format!(" {line} ").chars() {
        if is_symbol(c) { text.extend([' ', c, ' ']) } else { text.push(c) }
    }
    let text =
        replace_pairs(&text, |a, b| !a.is_ascii_digit() && is_point(b), |a, b, out| out.extend([a, ' ', b, ' ']));
    let text =
        replace_pairs(&text, |a, b| is_point(a) && !b.is_ascii_digit(), |a, b, out| out.extend([' ', a, ' ', b]));
    let text = replace_pairs(&text, |a, b| a.is_ascii_digit() && b == '-', |a, b, out| out.extend([a, ' ', b, ' ']));
    text.split(|&c| is_space(c)).filter(|token| !token.is_empty()).map(|token| token.iter().collect()).collect()
}

/// ASCII punctuation that is always a token of its own: all but `'`, `,`, `-` and `.`.
fn is_symbol(c: char) -> bool {
    // A space is in the set too; spaces around a space change nothing.
    matches!(c, ' '..='&' | '('..='+' | '/' | ':'..='@' | '['..='`' | '{'..='~')
}

fn is_point(c: char) -> bool {
    matches!(c, '.' | ',')
}

/// Replaces pairs of neighbours from left to right; a character belongs to one pair at most.
fn replace_pairs(
    text: &[char],
    matches: impl Fn(char, char) -> bool,
    replace: impl Fn(char, char, &mut Vec<char>),
) -> Vec<char> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 4);
    let mut place = 0;
    while place < text.len() {
        match text[place..] {
            [a, b, ..] if matches(a, b) => {
                replace(a, b, &mut out);
                place += 2;
            }
            [a, ..] => {
                out.push(a);
                place += 1;
            }
            [] => break,
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::tokens;

    #[test]
    fn lines_are_cut_as_the_script_cuts_them() {
        for (line, expected) in [
            ("", ""),
            ("Hello, world!", "Hello , world !"),
            ("1,000.5 and 3.", "1,000.5 and 3 ."),
            ("2019-2020 well-known", "2019 - 2020 well-known"),
            ("&amp;quot;x&quot; &lt;b&gt;", "& quot ; x \" < b >"),
            ("It's (about) 50%...", "It's ( about ) 50 % . . ."),
            ("a-\nb\nc<skipped>d", "ab cd"),
            ("قال، نعم.", "قال، نعم ."),
        ] {
            assert_eq!(tokens(line).join(" "), expected, "{line}");
        }
    }
}
