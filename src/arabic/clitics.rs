//! Arabic words with the clitics taken off: conjunctions و ف, prepositions ب ك ل, the article ال and the fused لل.
//!
//! In: Arabic text. Out: its words in normal form, each letter with its byte offset, and the ways a word can be read as
//! clitics and a stem. Which reading is right is the caller's to decide (a glossary knows which stems are names). The
//! future particle س is left on: it stands before verbs only, and so never before a name.
//!
//! The normal form follows what Arabic search engines fold (Larkey, Ballesteros and Connell 2002, "light stemming"):
//! hamza seats, alef maqsura, ta marbuta, tatweel and diacritics.

use crate::span::Span;

/// Returns whether a character adds nothing to the letters of a word: diacritics, tatweel, joiners, direction marks.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{0610}'..='\u{061A}' | '\u{0640}' | '\u{064B}'..='\u{065F}' | '\u{0670}' | '\u{06D6}'..='\u{06ED}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Returns whether a character is a letter of the Arabic script.
fn is_letter(c: char) -> bool {
    matches!(c, '\u{0620}'..='\u{063F}' | '\u{0641}'..='\u{064A}' | '\u{066E}' | '\u{066F}' | '\u{0671}'..='\u{06D3}' | '\u{06D5}')
}

/// Folds one letter: hamza seats to their bare letter, alef maqsura to ya, ta marbuta to ha, Persian letters to the
/// nearest Arabic one.
fn fold(c: char) -> char {
    match c {
        'أ' | 'إ' | 'آ' | 'ٱ' => 'ا',
        'ى' | 'ی' | 'ئ' => 'ي',
        'ؤ' => 'و',
        'ة' | 'ھ' | 'ہ' | 'ە' | 'ۀ' => 'ه',
        'ک' | 'گ' => 'ك',
        'پ' => 'ب',
        'چ' => 'ج',
        'ڤ' => 'ف',
        other => other,
    }
}

/// Returns the normal form of a text: letters folded, marks dropped, every run of anything else one space.
pub fn normalise(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    for word in words(text) {
        if !normal.is_empty() {
            normal.push(' ');
        }
        normal.extend(word.letters.iter().map(|l| l.folded));
    }
    normal
}

/// A letter of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Letter {
    /// Its first byte in the text.
    pub offset: usize,
    /// The letter, folded.
    pub folded: char,
}

/// A word of an Arabic text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Its bytes in the text, marks included.
    pub span: Span,
    /// Its letters, marks left out; never empty.
    pub letters: Vec<Letter>,
}

impl Word {
    /// Returns the folded letters from the letter numbered `from` on.
    pub fn normal_from(&self, from: usize) -> String {
        self.letters.iter().skip(from).map(|l| l.folded).collect()
    }

    /// Returns the bytes from the letter numbered `from` to the word's end.
    pub fn span_from(&self, from: usize) -> Span {
        let start = self.letters.get(from).map_or(self.span.end, |l| l.offset);
        Span::new(start, self.span.end)
    }

    fn folded(&self, at: usize) -> Option<char> {
        self.letters.get(at).map(|l| l.folded)
    }
}

/// Cuts a text into Arabic words, in order; digits, Latin letters and punctuation part them.
pub fn words(text: &str) -> Vec<Word> {
    let mut found = Vec::new();
    let mut letters: Vec<Letter> = Vec::new();
    let mut end = 0;
    let mut close = |letters: &mut Vec<Letter>, end: usize| {
        if let Some(first) = letters.first() {
            found.push(Word { span: Span::new(first.offset, end), letters: std::mem::take(letters) });
        }
    };
    for (offset, c) in text.char_indices() {
        if is_letter(c) {
            letters.push(Letter { offset, folded: fold(c) });
            end = offset + c.len_utf8();
        } else if is_mark(c) {
            // A mark belongs to the letter before it; one that opens a word (a tatweel after a quotation mark) to none.
            if !letters.is_empty() {
                end = offset + c.len_utf8();
            }
        } else {
            close(&mut letters, end);
        }
    }
    close(&mut letters, end);
    found
}

/// One way to read a word as clitics, article and stem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// How many letters the clitics before the noun take, the article not counted.
    pub clitics: usize,
    /// Whether the noun has the article; `None` where the spelling hides it (ل before a noun that begins with ل).
    pub article: Option<bool>,
    /// The number of the letter at which the noun begins: the article's, where it is written out.
    pub noun: usize,
    /// The noun in normal form without the article.
    pub stem: String,
}

/// Shortest stem, in letters, that is read after a clitic: below it nearly every reading is an accident (ولد, بلد).
const SHORTEST_STEM: usize = 3;

/// Returns every way to read a word, fewest clitics first; the first reading is the word as it stands.
pub fn readings(word: &Word) -> Vec<Reading> {
    let mut found = Vec::with_capacity(4);
    let conjunction = usize::from(matches!(word.folded(0), Some('و' | 'ف')));
    read_noun(word, 0, false, &mut found);
    if let Some(c @ ('ب' | 'ك' | 'ل')) = word.folded(0) {
        read_noun(word, 1, c == 'ل', &mut found);
    }
    if conjunction == 1 {
        read_noun(word, 1, false, &mut found);
        if let Some(c @ ('ب' | 'ك' | 'ل')) = word.folded(1) {
            read_noun(word, 2, c == 'ل', &mut found);
        }
    }
    found
}

/// Adds the readings of the noun that begins at letter `at`; `after_lam` says that the preposition ل stands before it.
fn read_noun(word: &Word, at: usize, after_lam: bool, found: &mut Vec<Reading>) {
    let length = word.letters.len() - at;
    if at > 0 && length < SHORTEST_STEM {
        return;
    }
    let stem = word.normal_from(at);
    // After ل the article loses its alef: للجزائر; and a noun in ل hides it: للبنان is "to Lebanon", never "to the".
    let lam_noun = after_lam && stem.starts_with('ل');
    let article = if lam_noun { None } else { Some(false) };
    if !after_lam && length >= 4 && stem.starts_with("ال") && stem != "الله" {
        let bare = word.normal_from(at + 2);
        found.push(Reading { clitics: at, article: Some(true), noun: at, stem: bare });
    }
    found.push(Reading { clitics: at, article, noun: at, stem });
    if lam_noun && length > 2 {
        found.push(Reading { clitics: at + 1, article: Some(true), noun: at + 1, stem: word.normal_from(at + 1) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn has_stem(text: &str, stem: &str, article: Option<bool>) -> bool {
        let words = words(text);
        assert_eq!(words.len(), 1, "{text} is one word");
        readings(&words[0]).iter().any(|r| r.stem == stem && r.article == article)
    }

    #[test]
    fn clitics_come_off() {
        let table = [
            ("ليبيا", "ليبيا", Some(false)),
            ("وليبيا", "ليبيا", Some(false)),
            ("فليبيا", "ليبيا", Some(false)),
            ("بليبيا", "ليبيا", Some(false)),
            ("كليبيا", "ليبيا", Some(false)),
            ("لليبيا", "ليبيا", None),
            ("ولليبيا", "ليبيا", None),
            ("لـليبيا", "ليبيا", None),
            ("الجزائر", "جزاير", Some(true)),
            ("والجزائر", "جزاير", Some(true)),
            ("بالجزائر", "جزاير", Some(true)),
            ("فالجزائر", "جزاير", Some(true)),
            ("كالجزائر", "جزاير", Some(true)),
            ("للجزائر", "جزاير", Some(true)),
            ("وللجزائر", "جزاير", Some(true)),
            ("وبالجزائر", "جزاير", Some(true)),
            ("لتونس", "تونس", Some(false)),
            ("ولتونس", "تونس", Some(false)),
            ("للبنان", "لبنان", None),
            ("الجَزائِـــر", "جزاير", Some(true)),
            ("القاهرة", "قاهره", Some(true)),
            ("مصطفى", "مصطفي", Some(false)),
            ("الله", "الله", Some(false)),
        ];
        for (text, stem, article) in table {
            assert!(has_stem(text, stem, article), "{text}: {stem} {article:?}: {:?}", readings(&words(text)[0]));
        }
    }

    #[test]
    fn short_words_keep_their_letters() {
        for (text, stem) in [("ولد", "لد"), ("بلد", "لد"), ("فم", "م"), ("كل", "ل"), ("وال", "ال")]
        {
            assert!(!has_stem(text, stem, Some(false)), "{text}");
        }
    }

    #[test]
    fn normal_form_folds_spelling() {
        assert_eq!(normalise("أُمَّة، إيران؛ آسيا – مُؤَسَّسة مستشفى"), "امه ايران اسيا موسسه مستشفي");
    }

    proptest! {
        #[test]
        fn words_lie_in_the_text(text in "[\\u0600-\\u06FF a-z«»،]{0,60}") {
            let mut last = 0;
            for word in words(&text) {
                prop_assert!(word.span.start >= last && word.span.end <= text.len());
                prop_assert!(text.is_char_boundary(word.span.start) && text.is_char_boundary(word.span.end));
                prop_assert!(!word.letters.is_empty());
                last = word.span.end;
                for reading in readings(&word) {
                    let noun = word.normal_from(reading.noun);
                    prop_assert!(noun.ends_with(&reading.stem));
                }
            }
        }

        #[test]
        fn normal_form_is_idempotent(text in "\\PC{0,60}") {
            let once = normalise(&text);
            prop_assert_eq!(&normalise(&once), &once);
        }
    }
}
