//! Arabic names in Latin letters: how alike an Arabic and an English name sound, and how to write an unknown name.
//!
//! In: an Arabic word or name, an English word. Out: a likeness from 0 to 1, or a spelling. The likeness is an edit
//! distance over spellings: each Arabic letter costs nothing where it is written as one of its usual Latin spellings
//! (English, French of the Maghreb, and foreign names written in Arabic), short vowels that Arabic leaves out cost
//! little, any other letter one (the weighted alignment of Freeman, Condon and Ackerman 2006, "Cross linguistic name
//! matching in English and Arabic"). Measured in `tests/it/glossary.rs` on names from Wikidata and `GeoNames`.

use crate::arabic::clitics::normalise;

/// The likeness from which two words are taken for the same name: at least 95 % of true pairs reach it, at most 2 % of
/// random ones (measured in `tests/it/glossary.rs`).
pub const SAME_NAME: f32 = 0.70;

/// Usual spellings of a letter cost nothing, rarer ones this.
const RARE: f32 = 0.3;

/// Returns the usual and the rarer Latin spellings of an Arabic letter.
fn spellings(letter: char) -> (&'static [&'static str], &'static [&'static str]) {
    match letter {
        'ا' => (&["a", "e", "i", "o", "u", "aa", "ai", "au", "ea", "oa"], &["ei", "eu", "ou", "y", "h"]),
        'ب' => (&["b", "p"], &["v"]),
        'ت' => (&["t"], &["th", "d"]),
        'ث' => (&["th", "t", "s"], &["c", "z"]),
        'ج' => (&["j", "g", "dj", "dg"], &["gh", "zh", "ch", "gu", "y", "di"]),
        'ح' => (&["h"], &["ch", "kh"]),
        'خ' => (&["kh", "h"], &["ch", "k", "j", "x", "gh"]),
        'د' => (&["d"], &["dh", "t"]),
        'ذ' => (&["dh", "d", "th", "z"], &["t"]),
        'ر' => (&["r"], &["gh"]),
        'ز' => (&["z", "s"], &["ts", "j", "c"]),
        'س' => (&["s", "c", "ss"], &["z", "sc", "x", "ts", "ce"]),
        'ش' => (&["sh", "ch", "sch"], &["s", "sz", "sj", "x", "ti", "ci", "c"]),
        'ص' => (&["s", "c", "ss"], &["z"]),
        'ض' => (&["d", "dh"], &["z", "t", "th"]),
        'ط' => (&["t"], &["d", "th"]),
        'ظ' => (&["z", "dh", "th", "d"], &[]),
        'ع' => (&["a", "aa", "e", "o", "i", "u", ""], &["ou"]),
        'غ' => (&["gh", "g"], &["r", "rh", "gu"]),
        'ف' => (&["f", "v", "ph"], &["w", "ff"]),
        'ق' => (&["q", "k", "g", "c", "ck"], &["gh", "gu", "kh", "qu"]),
        'ك' => (&["k", "c", "ck", "q", "qu", "ch"], &["g", "x", "cc"]),
        'ل' => (&["l"], &[]),
        'م' => (&["m"], &[]),
        'ن' => (&["n"], &["m"]),
        'ه' => (&["h", "a", "ah", "e", "eh"], &["ha", "i", ""]),
        'و' => (&["w", "v", "ou", "u", "o", "oo", "au", "ow", "ew", "eu"], &["a", "e", "wh", "ue", ""]),
        'ي' => (&["y", "i", "ee", "e", "ei", "ai", "ie", "ey", "ay", "ea"], &["j", "a", "ae", "ll", "u", "ü", ""]),
        'ء' => (&["", "a", "e", "i"], &[]),
        _ => (&[], &[]),
    }
}

/// Returns the spellings of two letters that stand for one sound of another language.
fn pair_spellings(first: char, second: char) -> &'static [&'static str] {
    match (first, second) {
        ('ت', 'ش') => &["ch", "c", "cz", "tsch", "tch", "cs"],
        ('ك', 'س') => &["x", "xs"],
        ('د', 'ج') => &["j", "g"],
        ('ت', 'س') | ('ت', 'ز') => &["z", "ts", "tz", "tzs"],
        ('و', 'ي') => &["wi", "oui", "we", "wei"],
        ('ي', 'و') => &["u", "yu", "ew", "io", "iu", "you"],
        ('ا', 'و') => &["o", "aw", "ao", "ow", "ou"],
        ('ا', 'ي') => &["i", "y", "ai", "ay", "ei", "aj"],
        _ => &[],
    }
}

fn is_vowel(c: u8) -> bool {
    matches!(c, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
}

/// What it costs that a Latin letter answers to no Arabic one.
fn unwritten(latin: &[u8], at: usize) -> f32 {
    let c = latin[at];
    if at > 0 && latin[at - 1] == c {
        0.0
    } else if is_vowel(c) {
        0.08
    } else if c == b'h' || (c == b'w' && at + 1 == latin.len()) {
        0.25
    } else {
        1.0
    }
}

/// What it costs that an Arabic letter is not written in Latin.
fn dropped(letters: &[char], at: usize) -> f32 {
    match letters[at] {
        'ع' | 'ء' => 0.05,
        'ا' => 0.25,
        'ه' if at + 1 == letters.len() => 0.1,
        'و' | 'ي' => 0.45,
        _ => 1.0,
    }
}

/// Returns the least cost of reading `latin` as `letters`.
fn distance(letters: &[char], latin: &[u8]) -> f32 {
    let (rows, columns) = (letters.len() + 1, latin.len() + 1);
    let mut cost = vec![f32::INFINITY; rows * columns];
    cost[0] = 0.0;
    let relax = |cost: &mut Vec<f32>, row: usize, column: usize, value: f32| {
        let cell = &mut cost[row * columns + column];
        *cell = cell.min(value);
    };
    for row in 0..rows {
        for column in 0..columns {
            let here = cost[row * columns + column];
            if here.is_infinite() {
                continue;
            }
            if column < latin.len() {
                relax(&mut cost, row, column + 1, here + unwritten(latin, column));
            }
            if row == letters.len() {
                continue;
            }
            relax(&mut cost, row + 1, column, here + dropped(letters, row));
            let rest = &latin[column..];
            let (usual, rare) = spellings(letters[row]);
            // A ta marbuta is sounded t in some names: نجاة "Najat".
            let closing: &[&str] =
                if letters[row] == 'ه' && row + 1 == letters.len() { &["t", "at", "et"] } else { &[] };
            for (set, price) in [(usual, 0.0), (rare, RARE), (closing, RARE)] {
                for spelling in set.iter().filter(|s| rest.starts_with(s.as_bytes())) {
                    relax(&mut cost, row + 1, column + spelling.len(), here + price);
                }
            }
            if let Some(&next) = letters.get(row + 1) {
                for spelling in pair_spellings(letters[row], next).iter().filter(|s| rest.starts_with(s.as_bytes())) {
                    relax(&mut cost, row + 2, column + spelling.len(), here + 0.05);
                }
            }
        }
    }
    cost[rows * columns - 1]
}

/// How many sounds the likeness is measured against: consonants, or half of all letters for names of vowels.
fn weight(letters: &[char], latin: &[u8]) -> f32 {
    let hard = letters.iter().filter(|c| !matches!(c, 'ا' | 'و' | 'ي' | 'ع' | 'ء' | 'ه')).count();
    let consonants = latin
        .iter()
        .enumerate()
        .filter(|&(n, c)| !is_vowel(*c) && *c != b'h' && (n == 0 || latin[n - 1] != *c))
        .count();
    let mean = (hard + consonants) as f32 / 2.0;
    mean.max(letters.len().max(latin.len()) as f32 / 3.0).max(1.5)
}

/// Tells how alike an Arabic word and an English word sound, from 0 (nothing in common) to 1 (a usual spelling).
///
/// The article of either side (ال, al-, el-) may be missing on the other. Case, hyphens and diacritics do not count;
/// where one text has no letters the answer is 0. [`SAME_NAME`] is the line between names that may be the same and
/// names that are not.
pub fn sounds_like(arabic: &str, english: &str) -> f32 {
    let letters: Vec<char> = normalise(arabic).chars().filter(|c| *c != ' ').collect();
    let latin: Vec<u8> = super::latin::fold(english).bytes().filter(u8::is_ascii_lowercase).collect();
    if letters.is_empty() || latin.is_empty() {
        return 0.0;
    }
    let mut best = likeness(&letters, &latin);
    // "Abdel", "Abdul": Latin writes the next word's article here.
    if letters == ['ع', 'ب', 'د'] && latin.starts_with(b"abd") && latin.len() <= 6 {
        best = best.max(likeness(&letters, &latin[..3]));
    }
    let bare_letters = letters.strip_prefix(&['ا', 'ل']).filter(|b| b.len() >= 2);
    let bare_latin = (latin.len() > 4 && (latin.starts_with(b"al") || latin.starts_with(b"el"))).then(|| &latin[2..]);
    if let Some(bare) = bare_letters {
        best = best.max(likeness(bare, &latin));
        if let Some(latin) = bare_latin {
            best = best.max(likeness(bare, latin));
        }
    }
    best
}

fn likeness(letters: &[char], latin: &[u8]) -> f32 {
    (1.0 - distance(letters, latin) / weight(letters, latin)).clamp(0.0, 1.0)
}

/// Writes an Arabic name in English letters by letter rules, each word capitalised and the article as `al-`.
///
/// Short vowels, which Arabic does not write, are guessed as `a` where two consonants would otherwise begin a syllable;
/// for names whose words are known use [`Glossary::spell`](super::Glossary::spell).
pub fn transliterate(arabic: &str) -> String {
    let normal = normalise(arabic);
    let words: Vec<String> = normal.split(' ').filter(|w| !w.is_empty()).map(spell_word).collect();
    words.join(" ")
}

fn spell_word(word: &str) -> String {
    let letters: Vec<char> = word.chars().collect();
    match letters.strip_prefix(&['ا', 'ل']) {
        Some(bare) if bare.len() >= 2 && word != "الله" => format!("al-{}", capitalised(&spell_letters(bare))),
        _ => capitalised(&spell_letters(&letters)),
    }
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

fn consonant(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ب' => "b",
        'ت' | 'ط' => "t",
        'ث' => "th",
        'ج' => "j",
        'ح' | 'ه' => "h",
        'خ' => "kh",
        'د' | 'ض' => "d",
        'ذ' => "dh",
        'ر' => "r",
        'ز' | 'ظ' => "z",
        'س' | 'ص' => "s",
        'ش' => "sh",
        'غ' => "gh",
        'ف' => "f",
        'ق' => "q",
        'ك' => "k",
        'ل' => "l",
        'م' => "m",
        'ن' => "n",
        _ => return None,
    })
}

fn spell_letters(letters: &[char]) -> String {
    let mut spelt = String::new();
    // Consonants since the last vowel; a syllable takes one before its vowel and one after it.
    let mut run = 0;
    let ends_in_vowel = |s: &str| s.ends_with(['a', 'e', 'i', 'o', 'u']);
    for (at, &letter) in letters.iter().enumerate() {
        let next = letters.get(at + 1).copied();
        let vowel_next = matches!(next, Some('ا' | 'و' | 'ي'));
        let last = next.is_none();
        match letter {
            'ا' | 'ع' | 'ء' => {
                if !ends_in_vowel(&spelt) && (letter == 'ا' || !vowel_next) {
                    spelt.push('a');
                }
                run = 0;
            }
            'و' | 'ي' => {
                let glide = at == 0 || next == Some('ا') || ends_in_vowel(&spelt) && !last;
                spelt.push_str(match (letter, glide) {
                    ('و', true) => "w",
                    ('و', false) => "ou",
                    (_, true) => "y",
                    (_, false) => "i",
                });
                run = usize::from(glide);
            }
            'ه' if last => {
                if !ends_in_vowel(&spelt) {
                    spelt.push('a');
                }
            }
            _ => {
                let Some(sound) = consonant(letter) else { continue };
                // The second consonant in a row opens a new syllable unless a vowel follows it.
                if run >= 1 && (at == 1 || !vowel_next && (last || run >= 2)) {
                    spelt.push('a');
                    run = 0;
                }
                spelt.push_str(sound);
                run += 1;
            }
        }
    }
    spelt
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn usual_spellings_sound_alike() {
        for (arabic, english) in [
            ("القذافي", "Gaddafi"),
            ("القذافي", "al-Qaddafi"),
            ("السراج", "Sarraj"),
            ("عبدالله", "Abdullah"),
            ("محمد", "Mohammed"),
            ("محمد", "Muhammad"),
            ("بوتفليقة", "Bouteflika"),
            ("تشرشل", "Churchill"),
            ("باريس", "Paris"),
            ("ستيفاني", "Stephanie"),
            ("جونسون", "Johnson"),
            ("ماكرون", "Macron"),
            ("القاهرة", "Kahira"),
            ("وجدة", "Oujda"),
        ] {
            let likeness = sounds_like(arabic, english);
            assert!(likeness >= SAME_NAME, "{arabic} {english}: {likeness}");
        }
    }

    #[test]
    fn other_names_do_not() {
        for (arabic, english) in [
            ("القذافي", "Sarraj"),
            ("محمد", "Ahmed"),
            ("باريس", "London"),
            ("تونس", "Tehran"),
            ("حفتر", "Hassan"),
            ("علي", "Omar"),
        ] {
            let likeness = sounds_like(arabic, english);
            assert!(likeness < SAME_NAME, "{arabic} {english}: {likeness}");
        }
    }

    #[test]
    fn unknown_names_are_spelt() {
        for (arabic, english) in [
            ("حفتر", "Haftar"),
            ("بوقادوم", "Bouqadoum"),
            ("المنفوش", "al-Manfoush"),
            ("كرمان", "Karman"),
            ("زيدان", "Zidan"),
        ] {
            assert_eq!(transliterate(arabic), english);
        }
    }

    proptest! {
        #[test]
        fn likeness_is_a_share(arabic in "[\\u0600-\\u06FF]{0,12}", english in "\\PC{0,12}") {
            let likeness = sounds_like(&arabic, &english);
            prop_assert!((0.0..=1.0).contains(&likeness));
        }

        #[test]
        fn spelling_sounds_like_its_source(arabic in "[بتجدرسشفقكلمنوي]{3,8}") {
            prop_assert!(sounds_like(&arabic, &transliterate(&arabic)) >= SAME_NAME);
        }
    }
}
