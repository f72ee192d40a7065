//! Whether any word of the source sounds like an English name: evidence that the name was not invented.
//!
//! In: folded Arabic words and an English word. Out: yes or no. The comparing itself is
//! [`sounds_like`]'s; here the few pairs worth it are picked by the classes of their consonants, since every capitalised
//! word of a target meets every word of its source.

use crate::arabic::words::{Word, without_prefixes};
use crate::glossary::sounds_like;

/// Returns whether a word of the source sounds like a word of an English name, at least as much as `likeness`.
pub(super) fn heard(source: &[Word], name: &str, likeness: f32) -> bool {
    let words = name.split(|c: char| !c.is_alphabetic() && c != '\'' && c != '’').filter(|w| w.chars().count() >= 3);
    let words: Vec<&str> = words.into_iter().collect();
    // Arabic may write a long name in two words: بيونغ يانج.
    let joined = |word: &str, two: &[Word]| {
        let classes = arabic_classes(&two[0].folded) | arabic_classes(&two[1].folded);
        word.len() >= 7
            && classes == english_classes(word) & (LIP | TOOTH | R | L | M | N) | classes & (THROAT | HISS)
            && sounds(&format!("{}{}", two[0].folded, two[1].folded), word, likeness)
    };
    words.into_iter().any(|word| {
        source.iter().any(|w| sounds(&w.folded, word, likeness)) || source.windows(2).any(|two| joined(word, two))
    })
}

/// Returns whether an Arabic word, with or without prefixed particles, sounds like an English one.
pub(super) fn sounds(folded: &str, english: &str, likeness: f32) -> bool {
    let latin = english_classes(english);
    without_prefixes(folded).any(|form| {
        form.chars().count() >= 2 && may_match(arabic_classes(form), latin) && sounds_like(form, english) >= likeness
    })
}

/// Half of the consonants of either side must have a class in common with the other's.
fn may_match(arabic: u8, latin: u8) -> bool {
    let common = (arabic & latin).count_ones();
    common * 2 >= arabic.count_ones() && common * 2 >= latin.count_ones()
}

const LIP: u8 = 1;
const TOOTH: u8 = 2;
const THROAT: u8 = 4;
const HISS: u8 = 8;
const R: u8 = 16;
const L: u8 = 32;
const M: u8 = 64;
const N: u8 = 128;

/// Returns the classes of an Arabic word's consonants; letters that Latin may leave out have none.
fn arabic_classes(folded: &str) -> u8 {
    folded.chars().fold(0, |classes, c| {
        classes
            | match c {
                'ب' | 'ف' | 'پ' | 'ڤ' => LIP,
                'ت' | 'ط' | 'د' | 'ض' | 'ث' | 'ذ' | 'ظ' => TOOTH,
                'ج' | 'ق' | 'ك' | 'غ' | 'خ' | 'چ' | 'گ' => THROAT,
                'س' | 'ص' | 'ز' | 'ش' => HISS,
                'ر' => R,
                'ل' => L,
                'م' => M,
                'ن' => N,
                _ => 0,
            }
    })
}

/// Returns the classes of an English word's consonants; h, w and y, which may stand for vowels, have none.
fn english_classes(word: &str) -> u8 {
    word.chars().fold(0, |classes, c| {
        classes
            | match c.to_ascii_lowercase() {
                'b' | 'p' | 'f' | 'v' => LIP,
                't' | 'd' => TOOTH,
                'g' | 'j' | 'k' | 'q' => THROAT,
                'c' | 'x' => THROAT | HISS,
                's' | 'z' => HISS,
                'r' => R,
                'l' => L,
                'm' => M,
                'n' => N,
                _ => 0,
            }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arabic::words::words;
    use crate::glossary::transliterate::SAME_NAME;

    #[test]
    fn names_are_heard_behind_particles() {
        let source = words("وأكد بوقادوم للصحفيين ولمحرز أن وهران وبسكرة تستعدان");
        for name in ["Boukadoum", "Mahrez", "Oran", "Biskra"] {
            assert!(heard(&source, name, SAME_NAME), "{name}");
        }
        assert!(heard(&words("في بيونغ يانج"), "Pyongyang", SAME_NAME));
        for name in ["Pittman", "Lithgow", "Kavanaugh", "Singapore"] {
            assert!(!heard(&source, name, SAME_NAME), "{name}");
        }
    }
}
