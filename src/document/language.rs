//! What language a block is in, and the document.
//!
//! In: texts. Out: a [`Language`] each, told by script, by the letters that only one language of the Arabic script writes
//! (پ چ ژ گ, ٹ ڈ ں ے, ۆ ێ ە, ښ ځ), by function words, and for other Latin text by whatlang. A block too short to tell leans
//! on the document. Sources: the alphabets in Unicode CLDR exemplar sets (ar, fa, ur, ckb, ps); closed word classes of
//! Arabic, Persian, Urdu, Sorani Kurdish and French.

use serde::{Deserialize, Serialize};

use crate::arabic::words::{fold, is_letter};
use crate::english::words::is_function_word;

/// A language that mujaz can name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Language {
    /// Arabic, formal or dialect.
    #[default]
    Arabic,
    /// English.
    English,
    /// French.
    French,
    /// Hebrew.
    Hebrew,
    /// Persian (Farsi, Dari).
    Persian,
    /// Urdu.
    Urdu,
    /// Kurdish in Arabic script (Sorani).
    Kurdish,
    /// Pashto.
    Pashto,
    /// Turkish.
    Turkish,
    /// Spanish.
    Spanish,
    /// Portuguese.
    Portuguese,
    /// Italian.
    Italian,
    /// German.
    German,
    /// Russian.
    Russian,
    /// None of these, and none that mujaz reads.
    Other,
    /// Not enough words to tell.
    Unknown,
}

impl Language {
    /// Returns its English name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Arabic => "Arabic",
            Self::English => "English",
            Self::French => "French",
            Self::Hebrew => "Hebrew",
            Self::Persian => "Persian",
            Self::Urdu => "Urdu",
            Self::Kurdish => "Kurdish",
            Self::Pashto => "Pashto",
            Self::Turkish => "Turkish",
            Self::Spanish => "Spanish",
            Self::Portuguese => "Portuguese",
            Self::Italian => "Italian",
            Self::German => "German",
            Self::Russian => "Russian",
            Self::Other => "no language that mujaz knows",
            Self::Unknown => "an unknown language",
        }
    }

    /// Returns whether text of it is neither translated nor English already.
    pub fn is_foreign(self) -> bool {
        !matches!(self, Self::Arabic | Self::English | Self::Unknown)
    }

    /// Returns whether it is written from right to left.
    pub fn is_right_to_left(self) -> bool {
        self.is_in_arabic_script() || matches!(self, Self::Hebrew | Self::Unknown)
    }

    /// Returns whether it is written in the Arabic script.
    fn is_in_arabic_script(self) -> bool {
        matches!(self, Self::Arabic | Self::Persian | Self::Urdu | Self::Kurdish | Self::Pashto)
    }
}

/// A text longer than this is judged by its beginning: a language does not change after that much of it.
const REACH: usize = 4000;
/// Fewer words of Latin letters are names and credits more often than sentences.
const SHORT: usize = 4;
/// So many letters are a text, and its language can be told or is none that is known.
const TEXT: usize = 20;
/// No word is longer; keys and files that are packed in letters are.
const LONGEST: usize = 40;
/// A document with this share of Arabic is one, whatever else is in it.
const LEAST_ARABIC: f64 = 0.3;

/// A judgement on one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Guess {
    language: Language,
    /// Whether the text alone says so.
    sure: bool,
    letters: usize,
}

/// Tells the language of a text by itself.
pub fn of(text: &str) -> Language {
    guess(text).language
}

/// Tells the language of a document and of each of its blocks.
pub(super) fn of_blocks<'t>(texts: impl Iterator<Item = &'t str>) -> (Language, Vec<Language>) {
    let guesses: Vec<Guess> = texts.map(guess).collect();
    let mut letters: std::collections::BTreeMap<Language, usize> = std::collections::BTreeMap::new();
    for guess in &guesses {
        // What is not sure counts little, so that ten captions do not outvote an article.
        *letters.entry(guess.language).or_default() += if guess.sure { guess.letters } else { guess.letters / 4 };
    }
    let unknown = letters.remove(&Language::Unknown).unwrap_or(0);
    let all: usize = letters.values().sum::<usize>() + unknown;
    let arabic = letters.get(&Language::Arabic).copied().unwrap_or(0);
    let most = letters.into_iter().max_by_key(|&(_, count)| count).filter(|&(_, count)| count >= unknown);
    let document = match most {
        _ if all > 0 && arabic as f64 >= LEAST_ARABIC * all as f64 && arabic > 0 => Language::Arabic,
        Some((language, _)) => language,
        None if guesses.iter().map(|guess| guess.letters).sum::<usize>() >= TEXT => Language::Other,
        None => Language::Unknown,
    };
    let blocks = guesses.into_iter().map(|guess| leaning(guess, document)).collect();
    (document, blocks)
}

/// Returns the language of a block in a document.
fn leaning(guess: Guess, document: Language) -> Language {
    if guess.sure {
        return guess.language;
    }
    match guess.language {
        // No letters at all: figures are the same in all.
        Language::Unknown if guess.letters == 0 => document,
        // A language that nobody knows does not rub off.
        language if document == Language::Other => language,
        language if language.is_in_arabic_script() && document.is_in_arabic_script() => document,
        Language::Unknown | Language::English if !document.is_in_arabic_script() && document != Language::Hebrew => {
            document
        }
        // A few Latin words among Arabic ones are names; they stand in English as they are.
        Language::Unknown if guess.letters > 0 => Language::English,
        language => language,
    }
}

fn guess(text: &str) -> Guess {
    let reach = text.char_indices().nth(REACH).map_or(text.len(), |(at, _)| at);
    let text = &text[..reach];
    let (mut arabic, mut hebrew, mut latin, mut cyrillic, mut other) = (0, 0, 0, 0, 0);
    for c in text.chars() {
        match c {
            '\u{640}' | '\u{64b}'..='\u{65f}' => {}
            c if is_letter(c) => arabic += 1,
            '\u{590}'..='\u{5ff}' | '\u{fb1d}'..='\u{fb4f}' => hebrew += 1,
            c if c.is_alphabetic() && c < '\u{250}' => latin += 1,
            '\u{400}'..='\u{52f}' => cyrillic += 1,
            c if c.is_alphabetic() => other += 1,
            _ => {}
        }
    }
    let letters = arabic + hebrew + latin + cyrillic + other;
    let most = [arabic, hebrew, latin, cyrillic, other].into_iter().max().unwrap_or(0);
    let (language, sure) = match most {
        0 => (Language::Unknown, false),
        // Arabic words count double: Latin names and addresses are longer than what is said of them.
        _ if arabic > 0 && arabic * 2 >= most => in_arabic_script(text),
        // A sentence that quotes a longer one in Latin letters is to be translated all the same.
        most if most == latin && quotes_latin(text) => in_arabic_script(text),
        most if most == hebrew => (Language::Hebrew, hebrew >= 8),
        most if most == latin => in_latin_script(text),
        most if most == cyrillic => {
            let russian = whatlang::detect(text).is_none_or(|told| told.lang() == whatlang::Lang::Rus);
            (if russian { Language::Russian } else { Language::Other }, cyrillic >= TEXT)
        }
        _ => (Language::Other, other >= 4),
    };
    Guess { language, sure, letters }
}

/// Function words of Persian, folded, without those that Arabic has as well.
const PERSIAN: &[&str] = &[
    "در",
    "از",
    "كه",
    "اين",
    "است",
    "را",
    "با",
    "براي",
    "شود",
    "كرد",
    "خود",
    "تا",
    "يك",
    "نيز",
    "شد",
    "شده",
    "مي",
    "نمي",
    "كرده",
    "كند",
    "دارد",
    "بود",
    "هاي",
    "ها",
    "اند",
    "گفت",
    "كشور",
    "هستند",
    "همين",
    "چه",
    "داد",
    "وي",
    "بايد",
    "پس",
    "پيش",
    "هر",
    "ايا",
    "ما",
    "نيست",
    "چرا",
    "كجا",
    "شما",
    "خواهد",
    "باشد",
];
/// Function words of Urdu, folded.
const URDU: &[&str] = &[
    "كے", "كي", "كا", "ميں", "ہے", "نے", "سے", "كو", "اور", "پر", "يہ", "كہ", "ہيں", "تھا", "بهي", "بھي", "تھي", "تھے",
    "گيا", "كيا", "جو", "وہ", "ايك", "اس", "ہو", "كر", "نہيں", "ليے", "ساتھ", "رہا", "ہوا",
];
/// Function words of Sorani Kurdish, folded.
const KURDISH: &[&str] = &[
    "له",
    "لە",
    "بە",
    "بۆ",
    "كە",
    "ئەم",
    "ئەو",
    "لەگەڵ",
    "هەر",
    "دوای",
    "كرد",
    "دەكات",
    "نييە",
    "ناو",
    "يان",
    "بوو",
    "سەر",
];
/// Function words of Arabic, folded.
const ARABIC: &[&str] = &[
    "من",
    "في",
    "علي",
    "الي",
    "ان",
    "عن",
    "التي",
    "الذي",
    "الذين",
    "هذا",
    "هذه",
    "مع",
    "كان",
    "كانت",
    "قال",
    "وقال",
    "لا",
    "لم",
    "لن",
    "بعد",
    "قبل",
    "بين",
    "كما",
    "حيث",
    "انه",
    "انها",
    "او",
    "ذلك",
    "تلك",
    "هو",
    "هي",
    "ثم",
    "قد",
    "كل",
    "غير",
    "عند",
    "حتي",
    "وفي",
    "ومن",
    "وهو",
    "وهي",
    "وان",
    "ولا",
    "اللي",
    "مش",
    "شو",
    "فيه",
    "له",
    "بها",
    "لها",
    "عليه",
    "اليه",
    "هل",
    "ماذا",
    "كيف",
    "لماذا",
    "متي",
    "اين",
    "نحن",
    "انت",
    "انا",
    "هم",
    "منذ",
    "خلال",
    "اذا",
    "لكن",
    "ولكن",
    "ليس",
    "سوف",
    "وقد",
    "يوم",
    "مش",
    "هاد",
    "هيك",
    "واش",
    "وين",
];

/// Tells the languages of the Arabic script apart.
fn in_arabic_script(text: &str) -> (Language, bool) {
    let (mut letters, mut kurdish, mut urdu, mut pashto, mut other) = (0usize, 0usize, 0usize, 0usize, 0usize);
    for c in text.chars().filter(|&c| is_letter(c)) {
        letters += 1;
        match c {
            'ۆ' | 'ێ' | 'ڕ' | 'ڵ' | 'ە' => kurdish += 1,
            'ٹ' | 'ڈ' | 'ڑ' | 'ں' | 'ے' | 'ہ' | 'ۓ' | 'ھ' => urdu += 1,
            'ښ' | 'ځ' | 'څ' | 'ې' | 'ۍ' | 'ړ' | 'ټ' | 'ډ' | 'ګ' | 'ڼ' => pashto += 1,
            // Of Uyghur and its neighbours, and of Sindhi.
            'ۇ' | 'ۈ' | 'ۋ' | 'ڭ' | 'ٿ' | 'ڻ' | 'ڄ' | 'ڃ' | 'ڀ' | 'ٺ' | 'ڍ' | 'ڌ' | 'ڏ' | 'ڳ' | 'ڱ' | 'ڦ' | 'ڪ' =>
            {
                other += 1;
            }
            _ => {}
        }
    }
    let (mut words, mut arabic, mut persian, mut keyboard) = (0usize, 0usize, 0usize, 0usize);
    let (mut urdu_words, mut kurdish_words) = (0usize, 0usize);
    for raw in text.split(|c: char| !is_letter(c)).filter(|w| !w.is_empty()) {
        words += 1;
        let word = fold(raw);
        let word = word.as_str();
        let bare = word.strip_prefix(['و', 'ف']).filter(|rest| rest.chars().count() >= 2).unwrap_or(word);
        let article =
            ["ال", "بال", "لل", "كال"].iter().any(|a| bare.strip_prefix(a).is_some_and(|r| r.chars().count() >= 2));
        let own = raw.contains(['پ', 'چ', 'ژ', 'گ']);
        arabic += usize::from(
            (article && !own) || ARABIC.contains(&word) || ARABIC.contains(&bare) || raw.ends_with(['ة', 'ى']),
        );
        persian += usize::from(own || PERSIAN.contains(&word) || word.ends_with("هاي") || word.ends_with("يم"));
        keyboard += usize::from(raw.contains(['ی', 'ک']));
        urdu_words += usize::from(URDU.contains(&word));
        kurdish_words += usize::from(KURDISH.contains(&word));
    }
    let share = |count: usize, of: usize| count as f64 / of.max(1) as f64;
    let enough = words >= SHORT;
    if other >= 2 && share(other, letters) >= 0.03 && other >= pashto && other >= urdu && other * 3 >= kurdish {
        return (Language::Other, enough);
    }
    if pashto >= 2 && share(pashto, letters) >= 0.02 && pashto >= kurdish && pashto * 2 >= urdu {
        return (Language::Pashto, enough);
    }
    if kurdish >= 2 && share(kurdish, letters) >= 0.04 && kurdish >= urdu || kurdish_words * 3 > words && kurdish > 0 {
        return (Language::Kurdish, enough || kurdish >= 4);
    }
    if urdu >= 2 && share(urdu, letters) >= 0.04 || urdu_words * 3 > words && urdu > 0 {
        return (Language::Urdu, enough || urdu >= 3);
    }
    // Arabic words may be typed with the letters ی and ک of Persian keyboards: these say half as much as a word.
    if persian * 2 + keyboard > arabic * 2 {
        return (Language::Persian, enough && persian >= 2);
    }
    // Names in Arabic letters are names of any of these languages.
    (Language::Arabic, enough && arabic > 0)
}

/// Function words of French, without those that English has as well.
const FRENCH: &[&str] = &[
    "le", "la", "les", "de", "des", "du", "et", "est", "un", "une", "que", "qui", "dans", "pour", "sur", "par", "avec",
    "ce", "cette", "ces", "il", "elle", "ils", "au", "aux", "ne", "pas", "se", "sa", "son", "ses", "leur", "leurs",
    "sont", "été", "a", "ont", "était", "plus", "mais", "ou", "où", "nous", "vous", "en", "à", "l", "d", "s", "qu",
    "n", "c", "j", "je",
];

/// Tells English, French and the others apart.
/// Returns whether a text is an Arabic sentence around Latin words: it opens with one of its Arabic words, or has several
/// and a function word among them. English text has an Arabic name in brackets at most.
fn quotes_latin(text: &str) -> bool {
    const SEVERAL: usize = 4;
    let words: Vec<String> = text
        .split(|c: char| !(is_letter(c) || matches!(c, '\u{640}' | '\u{64b}'..='\u{65f}')))
        .filter(|word| word.chars().filter(|&c| is_letter(c)).count() > 1)
        .map(fold)
        .collect();
    let opens = text.chars().find(|c| c.is_alphabetic()).is_some_and(is_letter);
    let joined = words.iter().any(|word| ARABIC.contains(&word.as_str()));
    (opens && words.len() > 1) || (joined && words.len() >= SEVERAL)
}

fn in_latin_script(text: &str) -> (Language, bool) {
    // Addresses are of no language.
    let is_address = |token: &&str| token.contains('@') || token.contains("://") || token.starts_with("www.");
    let tokens = text.split_whitespace().filter(|token| !is_address(token));
    let words: Vec<String> = tokens
        .flat_map(|token| token.split(|c: char| !c.is_alphabetic()))
        .filter(|w| !w.is_empty())
        .map(str::to_lowercase)
        .collect();
    let english = words.iter().filter(|word| is_function_word(word)).count();
    let french = words.iter().filter(|word| FRENCH.contains(&word.as_str())).count();
    let accents =
        text.chars().filter(|c| matches!(c, 'é' | 'è' | 'ê' | 'à' | 'ç' | 'ù' | 'î' | 'ô' | 'û' | 'œ')).count();
    let most = english.max(french);
    let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).count();
    let is_packed = |word: &&str| word.chars().count() >= LONGEST && !word.contains(['.', ':', '@']);
    let packed: usize = text.split_whitespace().filter(is_packed).map(letters).sum();
    let armoured = ["-----BEGIN PGP ", "-----END PGP "].iter().any(|mark| text.contains(mark));
    if armoured || packed * 2 > letters(text) {
        return (Language::Other, true);
    }
    if words.len() < SHORT && most == 0 {
        return (if accents > 0 { Language::Unknown } else { Language::English }, false);
    }
    let told = whatlang::detect(text);
    let other = told.filter(|info| words.len() >= 6 && info.is_reliable()).and_then(|info| match info.lang() {
        whatlang::Lang::Eng => Some(Language::English),
        whatlang::Lang::Fra => Some(Language::French),
        whatlang::Lang::Spa => Some(Language::Spanish),
        whatlang::Lang::Por => Some(Language::Portuguese),
        whatlang::Lang::Ita => Some(Language::Italian),
        whatlang::Lang::Deu => Some(Language::German),
        whatlang::Lang::Tur => Some(Language::Turkish),
        // Names and credits look like any small language; sentences are longer.
        _ => (words.len() >= 8).then_some(Language::Other),
    });
    // In news three words in ten are function words; the other language has one in twenty by chance.
    if english * 5 >= words.len() && english > french {
        return (Language::English, words.len() >= SHORT);
    }
    if let Some(language) = other {
        return (language, true);
    }
    // One word over and over may be another language's: Dutch is full of "de".
    let mut distinct: Vec<&str> = words.iter().map(String::as_str).filter(|word| FRENCH.contains(word)).collect();
    distinct.sort_unstable();
    distinct.dedup();
    if french * 5 >= words.len() && french > english && distinct.len() > 1 {
        return (Language::French, words.len() >= SHORT);
    }
    if english * 8 >= words.len() && english >= french && accents == 0 {
        return (Language::English, false);
    }
    (if accents == 0 && words.len() < 8 { Language::English } else { Language::Unknown }, false)
}
