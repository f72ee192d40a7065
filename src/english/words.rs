//! Words of English text, and the classes of function words that checks and summaries need.
//!
//! In: English text. Out: [`Word`]s with their spans; whether a word is a function word, denies, or denies softly. Nothing
//! here knows of Arabic. Source: the closed classes of English and its negative affixes as grammars list them (Huddleston
//! and Pullum, The Cambridge Grammar of the English Language, ch. 9 on negation).

use crate::span::Span;

/// A word of letters, with apostrophes within it: `Algeria's`, `don't`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Its bytes in the text.
    pub span: Span,
    /// Its letters in lower case, every apostrophe as `'`.
    pub lower: String,
    /// Whether its first letter is a capital.
    pub capital: bool,
    /// Whether it opens a sentence or a quotation, so that its capital says nothing.
    pub opens: bool,
}

impl Word {
    /// Returns the lower-case word without a possessive ending.
    pub fn stem(&self) -> &str {
        self.lower.strip_suffix("'s").unwrap_or_else(|| self.lower.trim_end_matches('\''))
    }
}

/// Splits a text into its words, in order. Digits, hyphens and signs stand between words.
pub fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut open: Option<Word> = None;
    let mut sentence_starts = true;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let inner_apostrophe = matches!(c, '\'' | '’' | '`')
            && open.is_some()
            && chars.peek().is_some_and(|&(_, next)| next.is_alphabetic());
        if c.is_alphabetic() || inner_apostrophe {
            let opens = sentence_starts;
            let word = open.get_or_insert_with(|| Word {
                span: Span::new(at, at),
                lower: String::new(),
                capital: c.is_uppercase(),
                opens,
            });
            word.span.end = at + c.len_utf8();
            if inner_apostrophe {
                word.lower.push('\'');
            } else {
                word.lower.extend(c.to_lowercase());
            }
            sentence_starts = false;
            continue;
        }
        words.extend(open.take());
        sentence_starts = match c {
            '.' | '!' | '?' | '"' | '“' | '”' | '‘' | ':' | '…' | '\n' => true,
            c if c.is_whitespace() || c == '\'' || c == '(' => sentence_starts,
            _ => false,
        };
    }
    words.extend(open);
    words
}

/// Returns whether a lower-case word is a function word: article, pronoun, preposition, conjunction, auxiliary.
pub fn is_function_word(lower: &str) -> bool {
    matches!(
        lower,
        "a" | "an"
            | "the"
            | "this"
            | "that"
            | "these"
            | "those"
            | "i"
            | "me"
            | "my"
            | "we"
            | "us"
            | "our"
            | "you"
            | "your"
            | "he"
            | "him"
            | "his"
            | "she"
            | "her"
            | "it"
            | "its"
            | "they"
            | "them"
            | "their"
            | "who"
            | "whom"
            | "whose"
            | "which"
            | "what"
            | "when"
            | "where"
            | "why"
            | "how"
            | "there"
            | "here"
            | "of"
            | "in"
            | "on"
            | "at"
            | "by"
            | "to"
            | "for"
            | "from"
            | "with"
            | "about"
            | "into"
            | "over"
            | "under"
            | "after"
            | "before"
            | "between"
            | "during"
            | "through"
            | "against"
            | "as"
            | "and"
            | "or"
            | "but"
            | "if"
            | "so"
            | "than"
            | "then"
            | "because"
            | "while"
            | "although"
            | "though"
            | "until"
            | "since"
            | "is"
            | "are"
            | "was"
            | "were"
            | "be"
            | "been"
            | "being"
            | "am"
            | "has"
            | "have"
            | "had"
            | "do"
            | "does"
            | "did"
            | "will"
            | "would"
            | "shall"
            | "should"
            | "can"
            | "could"
            | "may"
            | "might"
            | "must"
            | "also"
            | "just"
            | "very"
            | "more"
            | "most"
            | "some"
            | "any"
            | "all"
            | "both"
            | "each"
            | "every"
            | "other"
            | "such"
            | "up"
            | "down"
            | "out"
            | "off"
            | "now"
            | "still"
            | "yet"
            | "it's"
            | "he's"
            | "she's"
            | "they're"
            | "we're"
            | "i'm"
            | "that's"
            | "there's"
    )
}

/// Returns whether a lower-case word denies outright: not, never, no one, without, and every contraction in n't.
pub fn is_negation(lower: &str) -> bool {
    lower.ends_with("n't")
        || matches!(
            lower,
            "not"
                | "never"
                | "no"
                | "none"
                | "nobody"
                | "nothing"
                | "nowhere"
                | "nor"
                | "neither"
                | "cannot"
                | "without"
                | "dont"
                | "cant"
                | "wont"
                | "non"
        )
}

/// Returns whether a lower-case word carries a negative meaning: unless, hardly, refuse, lack, unable, impossible.
///
/// It is wide on purpose: a translation that says "failed to" for "did not" is right.
pub fn is_negative(lower: &str) -> bool {
    #[rustfmt::skip]
    const STEMS: &[&str] = &[
        "refus", "den", "fail", "lack", "prevent", "ban", "avoid", "stop", "reject", "prohibit", "forb", "exclud",
        "miss", "absen", "ceas", "halt", "abandon", "abstain", "declin", "doubt", "oppos", "cancel", "bar", "block",
        "disput", "contrar", "nonsens", "empt", "withh", "avert", "overlook", "ignor", "neglect", "elud", "insuffic",
        "shortage", "exempt",
    ];
    #[rustfmt::skip]
    const WORDS: &[&str] = &[
        "unless", "hardly", "barely", "scarcely", "rarely", "seldom", "few", "only", "deny", "denies", "denied",
        "false", "least", "less", "fewer", "lest", "nil", "zero", "otherwise", "unlike", "merely", "forget", "forgot",
        "different", "instead", "rather", "beyond", "until", "except", "minus", "innocent",
    ];
    if WORDS.contains(&lower) {
        return true;
    }
    let affixed = ["un", "in", "im", "il", "ir", "dis", "non", "mis"].iter().any(|p| negative_prefix(lower, p));
    affixed || lower.ends_with("less") || STEMS.iter().any(|s| inflects(lower, s))
}

/// Returns whether a word is a stem with at most an inflection behind it.
fn inflects(word: &str, stem: &str) -> bool {
    word.strip_prefix(stem).is_some_and(|rest| {
        matches!(
            rest,
            "" | "e"
                | "es"
                | "ed"
                | "s"
                | "ing"
                | "er"
                | "al"
                | "als"
                | "ure"
                | "ures"
                | "y"
                | "ying"
                | "ies"
                | "ied"
                | "t"
                | "ce"
                | "ion"
                | "ned"
                | "ning"
                | "ped"
                | "ping"
                | "red"
                | "ring"
                | "ts"
                | "ting"
                | "en"
                | "led"
                | "ful"
                | "bid"
                | "bids"
                | "idden"
                | "bade"
                | "ted"
                | "ial"
                | "ient"
                | "olds"
                | "old"
                | "olding"
                | "ored"
                | "ance"
        )
    })
}

/// Returns whether a word has a negative prefix, and is not one of the many words that merely begin with its letters.
fn negative_prefix(word: &str, prefix: &str) -> bool {
    #[rustfmt::skip]
    const LOOKALIKES: &[&str] = &[
        "under", "unit", "uni", "until", "unto", "into", "inter", "inside", "insid", "indi", "indu", "indeed", "infl",
        "info", "inform", "init", "inj", "inn", "inp", "inq", "insp", "inst", "insu", "inte", "intr", "intro", "inv",
        "inc", "ind", "inf", "ing", "inh", "ins", "int", "image", "imag", "imm", "imp", "iron", "iraq", "iran",
        "iris", "irish", "ill", "distr", "disc", "disp", "dist", "dish", "disk", "disn", "dise", "miss", "mist",
        "mise", "uncles",
    ];
    #[rustfmt::skip]
    const TRUE_OF_LOOKALIKES: &[&str] = &[
        "inaccur", "inadequa", "incap", "incomplet", "incorrect", "indefin", "independ", "indirect", "ineff",
        "inelig", "infrequ", "inhuman", "innocen", "insecur", "instab", "insuffic", "intoler", "invalid", "invisib",
        "involunt", "immor", "immob", "impart", "impenetr", "imperf", "imposs", "improb", "impun", "disagree",
        "disapp", "discontin", "discourag", "disconn", "dishon", "dispar", "displac", "disproport", "disproved",
        "disprov", "disqual", "distrust", "disturb", "incons", "inconv", "indiff", "inept", "inescap", "inexp",
        "inop", "insign", "illeg", "illog",
    ];
    if !word.starts_with(prefix) || word.len() < prefix.len() + 4 {
        return false;
    }
    TRUE_OF_LOOKALIKES.iter().any(|w| word.starts_with(w)) || !LOOKALIKES.iter().any(|w| word.starts_with(w))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_know_their_place_and_their_capital() {
        let text = "Algeria's army said: \"Tunis won’t wait.\" The U.S. agreed";
        let words = words(text);
        let seen: Vec<_> = words.iter().map(|w| (w.lower.as_str(), w.capital, w.opens)).collect();
        assert_eq!(seen[0], ("algeria's", true, true));
        assert_eq!(seen[3], ("tunis", true, true));
        assert_eq!(seen[4], ("won't", false, false));
        assert_eq!(words[0].stem(), "algeria");
        assert_eq!(words[4].span.of(text), "won’t");
    }

    #[test]
    fn negation_is_told_from_lookalikes() {
        for word in ["not", "won't", "without", "cannot"] {
            assert!(is_negation(word), "{word}");
        }
        for word in
            ["unable", "impossible", "refused", "failed", "denied", "undocumented", "irregular", "homeless", "banned"]
        {
            assert!(is_negative(word), "{word}");
        }
        for word in
            ["union", "under", "industry", "minister", "important", "iran", "university", "information", "district"]
        {
            assert!(!is_negative(word), "{word}");
        }
    }
}
