//! Texts that are too long to be translated at once are cut into pieces, and nothing of them is lost.
//!
//! In: a text, the most tokens a piece may have, and a count of tokens. Out: the pieces in order: sentences, of long ones
//! their clauses, of long clauses groups of words, of endless words parts. Translating and joining them is
//! [`super::translator`]'s. Where sentences and clauses end is [`crate::document`]'s.

use crate::arabic::letters::{self, Rule};
use crate::document::{clause, segment};

/// Cuts a text into pieces of at most `most` tokens each; a text that fits stays whole, one without words has none. Together
/// the pieces hold every character that is not white space, in order. Only a single character may have more tokens.
pub fn pieces<'t>(text: &'t str, most: usize, count: &dyn Fn(&str) -> usize) -> Vec<&'t str> {
    let text = text.trim();
    if text.is_empty() {
        return Vec::new();
    }
    if count(text) <= most {
        return vec![text];
    }
    let mut found = Vec::new();
    for sentence in segment::sentences(text) {
        let sentence = sentence.of(text);
        for part in clause::split(sentence, most.max(1), count) {
            halve(part.of(sentence), most, count, &mut found);
        }
    }
    found
}

/// Returns whether there is something to read in a text: more than white space, control characters and marks that are not
/// seen. Some of these are unknown tokens to a model, not none, and it makes words up for them.
pub fn has_ink(text: &str) -> bool {
    letters::apply(text, &[Rule::Invisible]).chars().any(|c| !c.is_whitespace() && !c.is_control())
}

/// Adds a part whole where it fits, else its halves: characters differ in how many tokens they take, and a cut by their
/// number can miss.
fn halve<'t>(part: &'t str, most: usize, count: &dyn Fn(&str) -> usize, found: &mut Vec<&'t str>) {
    let part = part.trim();
    if part.is_empty() {
        return;
    }
    let places: Vec<usize> = part.char_indices().map(|(place, _)| place).skip(1).collect();
    if places.is_empty() || count(part) <= most {
        found.push(part);
        return;
    }
    let middle = places[places.len() / 2];
    let space = |&&place: &&usize| part[place..].starts_with(char::is_whitespace);
    let cut = places.iter().filter(space).min_by_key(|place| place.abs_diff(middle)).copied().unwrap_or(middle);
    halve(&part[..cut], most, count, found);
    halve(&part[cut..], most, count, found);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Letters are a token each three, symbols four each.
    fn tokens(text: &str) -> usize {
        let (letters, others): (Vec<char>, Vec<char>) = text.chars().partition(|c| c.is_alphanumeric());
        letters.len().div_ceil(3) + others.iter().filter(|c| !c.is_whitespace()).count() * 4
    }

    #[test]
    fn what_fits_stays_whole_and_sentences_come_before_clauses() {
        assert_eq!(pieces(" قال الوزير. ثم غادر ", 20, &tokens), ["قال الوزير. ثم غادر"]);
        assert_eq!(
            pieces("قال الوزير إنه باق. ثم غادر القاعة مسرعا.", 14, &tokens),
            ["قال الوزير إنه باق.", "ثم غادر القاعة مسرعا."]
        );
        assert!(pieces(" \n ", 5, &tokens).is_empty());
    }

    #[test]
    fn marks_and_controls_are_nothing_to_read() {
        for text in ["", " \u{a0}\t", "\u{200f}\u{202b} \u{2067}\u{2069}\u{61c}\u{feff}", "\0\u{1}\u{7f}\u{85}"] {
            assert!(!has_ink(text), "{text:?}");
        }
        for text in ["\u{202b}نعم\u{202c}", ".", "\0 1", "😀", "\u{fffd}"] {
            assert!(has_ink(text), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_every_piece_fits(text in "[ا-ي،؛.😀a\\- \u{200f}\n]{0,300}", most in 4usize..40) {
            let found = pieces(&text, most, &tokens);
            let letters = |text: &str| -> String { text.chars().filter(|c| !c.is_whitespace()).collect() };
            prop_assert_eq!(letters(&found.concat()), letters(&text));
            prop_assert!(found.iter().all(|piece| !piece.trim().is_empty() && tokens(piece) <= most), "{:?}", found);
        }
    }
}
