//! Finds people in Arabic text whom no entry knows, and spells their names.
//!
//! In: a text and the lexicon of name words. Out: [`PersonMention`]s: two adjacent words or more that open with a given
//! name and go on with words of names. Made for precision: a given name that is an ordinary word too (كريم "generous")
//! opens a name only after a title or before a word that is nothing but a name; words that a certain entry covers are
//! left to it.

use super::transliterate::transliterate;
use super::{Glossary, Strength};
use crate::arabic::clitics::{Word, normalise, readings, words};
use crate::span::Span;

/// A word of people's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NameWord {
    /// Latin spellings, the commonest first; never empty.
    pub spellings: Vec<String>,
    /// Whether names open with it.
    pub given: bool,
    /// Whether it is an ordinary word too.
    pub ambiguous: bool,
}

/// A person named in an Arabic text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonMention {
    /// The name's bytes in the text, clitics left out.
    pub span: Span,
    /// The words of the name in normal form.
    pub words: Vec<String>,
    /// The name in English letters.
    pub english: String,
}

/// Words that join the word after them to a name: "son of", "father of", "servant of", "family of".
const JOINERS: &[&str] = &["بن", "ابن", "ابو", "ابي", "ولد", "ايت", "ال", "عبد", "بو"];

/// Openings of family names of the Maghreb, which are nothing but names: بوقادوم, بلعيد, بنكيران.
const FAMILY_OPENINGS: &[&str] = &["بو", "بل", "بن"];

/// Words after which a person is named even with a given name that is an ordinary word.
const TITLES: &[&str] = &[
    "السيد",
    "السيده",
    "الدكتور",
    "الدكتوره",
    "الشيخ",
    "الجنرال",
    "العقيد",
    "اللواء",
    "العميد",
    "الفريق",
    "المشير",
    "الوزير",
    "النايب",
    "الصحفي",
    "الصحافي",
    "المحامي",
    "الاستاذ",
    "الناشط",
    "المخرج",
    "الكاتب",
    "الملازم",
    "النقيب",
    "الرايد",
    "المدعو",
    "المهندس",
];

/// What a word can be in a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// A word that is nothing but a name.
    Sure,
    /// A word of names that is an ordinary word too.
    Soft,
    /// A word that needs the one after it: بن, أبو, عبد.
    Joiner,
}

impl Glossary {
    /// Finds people by the words of their names, in order; none overlap each other or a certain match of a name.
    pub fn people(&self, arabic: &str) -> Vec<PersonMention> {
        let words = words(arabic);
        let known: Vec<Span> = self
            .matches(arabic)
            .into_iter()
            .filter(|m| m.entry.category.is_name() && m.strength == Strength::Certain)
            .map(|m| m.span)
            .collect();
        let is_free = |word: &Word| known.iter().all(|k| k.end <= word.span.start || word.span.end <= k.start);
        let mut found = Vec::new();
        let mut at = 0;
        while at < words.len() {
            match self.person_at(arabic, &words, at, &is_free) {
                Some((person, length)) => {
                    found.push(person);
                    at += length;
                }
                None => at += 1,
            }
        }
        found
    }

    fn person_at(
        &self,
        text: &str,
        words: &[Word],
        at: usize,
        is_free: &dyn Fn(&Word) -> bool,
    ) -> Option<(PersonMention, usize)> {
        let opening = &words[at];
        if !is_free(opening) {
            return None;
        }
        let (noun, first) = readings(opening).into_iter().find_map(|r| {
            let whole = opening.normal_from(r.noun);
            (!is_preposition(text, opening)).then(|| self.opens_name(&whole)).flatten().map(|part| (r.noun, part))
        })?;
        let mut parts = vec![first];
        while let Some(next) = words.get(at + parts.len()) {
            let before = &words[at + parts.len() - 1];
            let gap = &text[before.span.end..next.span.start];
            if parts.len() == LONGEST
                || is_preposition(text, next)
                || !is_free(next)
                || gap.is_empty()
                || !gap.chars().all(char::is_whitespace)
            {
                break;
            }
            let after_joiner = parts.last() == Some(&Part::Joiner);
            match self.continues_name(&next.normal_from(0), after_joiner) {
                Some(part) => parts.push(part),
                None => break,
            }
        }
        while parts.last() == Some(&Part::Joiner) {
            parts.pop();
        }
        if parts.len() < 2 {
            return None;
        }
        let titled = at > 0 && TITLES.contains(&words[at - 1].normal_from(0).as_str());
        let sure = parts.iter().filter(|p| **p == Part::Sure).count();
        let opens_surely = parts[0] == Part::Sure;
        // A name that opens with عبد or أبو needs a word after the noun of that phrase too.
        let whole = parts.len() >= if parts[0] == Part::Joiner { 3 } else { 2 };
        if !whole || !(titled || (opens_surely && sure >= 1) || sure >= 2) {
            return None;
        }
        let last = &words[at + parts.len() - 1];
        let span = Span::new(opening.span_from(noun).start, last.span.end);
        let mut normal = vec![opening.normal_from(noun)];
        normal.extend(words[at + 1..at + parts.len()].iter().map(|w| w.normal_from(0)));
        let english = self.spell(&normal.join(" "));
        Some((PersonMention { span, words: normal, english }, parts.len()))
    }

    fn opens_name(&self, word: &str) -> Option<Part> {
        if matches!(word, "عبد" | "ابو") {
            return Some(Part::Joiner);
        }
        if is_servant_name(word) {
            return Some(Part::Sure);
        }
        self.names.get(word).filter(|w| w.given).map(|w| if w.ambiguous { Part::Soft } else { Part::Sure })
    }

    fn continues_name(&self, word: &str, after_joiner: bool) -> Option<Part> {
        if JOINERS.contains(&word) {
            return Some(Part::Joiner);
        }
        if let Some(known) = self.names.get(word) {
            return Some(if known.ambiguous { Part::Soft } else { Part::Sure });
        }
        if is_servant_name(word) {
            return Some(Part::Sure);
        }
        let letters = word.chars().count();
        let family = letters >= 5 && FAMILY_OPENINGS.iter().any(|o| word.starts_with(o)) && !word.starts_with("بال");
        (family || after_joiner && letters >= 3).then_some(Part::Soft)
    }

    /// Writes an Arabic name in English letters: word by word in the commonest spelling where the word is known, by
    /// letter rules ([`transliterate`]) where it is not.
    pub fn spell(&self, arabic: &str) -> String {
        let normal = normalise(arabic);
        let words: Vec<&str> = normal.split(' ').filter(|w| !w.is_empty()).collect();
        let mut spelt: Vec<String> = Vec::new();
        let mut at = 0;
        while at < words.len() {
            let pair = words.get(at + 1).map(|next| format!("{} {next}", words[at]));
            if let Some(known) = pair.as_ref().and_then(|p| self.names.get(p)) {
                spelt.push(known.spellings[0].clone());
                at += 2;
                continue;
            }
            let word = words[at];
            let joiner = match word {
                "بن" => Some("Ben"),
                "ابن" => Some("Ibn"),
                "ابو" | "ابي" => Some("Abu"),
                "ولد" => Some("Ould"),
                "ايت" => Some("Ait"),
                "ال" => Some("Al"),
                "ام" => Some("Umm"),
                "بو" => Some("Bou"),
                _ => None,
            };
            if let Some(joiner) = joiner {
                spelt.push(joiner.to_owned());
            } else if word == "عبد" && at + 1 < words.len() {
                // "Abdel" takes in the article of the next word.
                let next = words[at + 1].strip_prefix("ال").unwrap_or(words[at + 1]);
                spelt.push(format!("Abdel {}", self.spell_word(next)));
                at += 1;
            } else if let Some(noun) = word.strip_prefix("عبدال").filter(|n| n.chars().count() >= 3) {
                let apart = self.names.get(&format!("عبد ال{noun}"));
                spelt
                    .push(apart.map_or_else(|| format!("Abdel {}", self.spell_word(noun)), |w| w.spellings[0].clone()));
            } else {
                spelt.push(self.spell_word(word));
            }
            at += 1;
        }
        spelt.join(" ")
    }

    fn spell_word(&self, word: &str) -> String {
        if let Some(known) = self.names.get(word) {
            return known.spellings[0].clone();
        }
        let bare = word.strip_prefix("ال").filter(|b| b.chars().count() >= 3);
        match bare.and_then(|b| self.names.get(b)) {
            Some(known) => format!("al-{}", known.spellings[0]),
            None => transliterate(word),
        }
    }
}

/// Most words of one name; a longer run is a list.
const LONGEST: usize = 6;

/// Returns whether a word is على "on", which folds to علي "Ali": only the first has the alef maqsura.
fn is_preposition(text: &str, word: &Word) -> bool {
    word.span.of(text).ends_with('ى') && word.normal_from(0).ends_with("علي") && word.letters.len() <= 4
}

/// Returns whether a word is a joined "servant of" name: عبدالحميد.
fn is_servant_name(word: &str) -> bool {
    word.starts_with("عبدال") && word.chars().count() >= 8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(text: &str) -> Vec<String> {
        Glossary::builtin().people(text).into_iter().map(|p| p.span.of(text).to_owned()).collect()
    }

    #[test]
    fn people_are_found() {
        for (text, expected) in [
            ("قال الناطق محمد بوعزة إن اللجنة اجتمعت", vec!["محمد بوعزة"]),
            ("التقى الوزير بأحمد عبد الكريم منصوري أمس", vec!["أحمد عبد الكريم منصوري"]),
            ("وأوضح مصطفى بن إبراهيم، رئيس اللجنة", vec!["مصطفى بن إبراهيم"]),
            ("حضر عبدالحميد مصطفاوي ويوسف حمدان الحفل", vec!["يوسف حمدان"]),
        ] {
            assert_eq!(names(text), expected, "{text}");
        }
    }

    #[test]
    fn ordinary_words_are_no_people() {
        for text in [
            "كان سعيدا كريما في بيته",
            "على كل حال هذا أمر جميل",
            "قال رئيس الحكومة إن الوضع الأمني جيد",
            "القرآن الكريم كتاب مبين",
            "شهر رمضان المبارك",
        ] {
            assert!(names(text).is_empty(), "{text}: {:?}", names(text));
        }
    }

    #[test]
    fn names_are_spelt_as_is_usual() {
        let glossary = Glossary::builtin();
        for (arabic, english) in [
            ("محمد", "Mohamed"),
            ("عبد القادر يوسف", "Abdelkader Youssef"),
            ("عبدالعزيز", "Abdelaziz"),
            ("أحمد حفتر", "Ahmed Haftar"),
        ] {
            assert_eq!(glossary.spell(arabic), english);
        }
    }

    proptest! {
        #[test]
        fn spans_hold_the_words(parts in proptest::collection::vec("(محمد|أحمد|علي|على|بن|أبو|عبد|الله|،|وقال|كريم|عبدالله|[ابتثجح]{1,5})", 0..12)) {
            let text = parts.join(" ");
            let mut last = 0;
            for person in Glossary::builtin().people(&text) {
                prop_assert!(person.span.start >= last);
                last = person.span.end;
                prop_assert_eq!(normalise(person.span.of(&text)), person.words.join(" "));
                prop_assert!(person.words.len() >= 2);
                prop_assert!(!person.english.is_empty());
            }
        }
    }
}
