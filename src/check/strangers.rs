//! Capitalised words of a target that no word of its source accounts for: names that a model made up.
//!
//! In: a read [`Pair`]. Out: the words, in order. Human translators add names that a reader needs, so these are facts, and
//! a verdict only where machine output is judged ([`super::Checker::strict`]). Accounted for is a word that the source's
//! known names or terms may be written with, that any word of the source sounds like, or that is an ordinary word of
//! politics and offices with a capital (Parliament, General).

use super::pair::Pair;
use super::sound::heard;
use crate::english::words::{Word, is_function_word};
use crate::glossary::transliterate::SAME_NAME;

/// Finds the words; adjacent ones make one name.
pub(super) fn strangers(pair: &Pair<'_>) -> Vec<String> {
    let mut names: Vec<(usize, usize)> = Vec::new();
    for word in pair.target_words.iter().filter(|word| is_strange(pair, word)) {
        match names.last_mut() {
            Some((_, end)) if pair.target[*end..word.span.start].chars().all(|c| c == ' ' || c == '-') => {
                *end = word.span.end;
            }
            _ => names.push((word.span.start, word.span.end)),
        }
    }
    names.into_iter().map(|(start, end)| pair.target[start..end].to_owned()).collect()
}

fn is_strange(pair: &Pair<'_>, word: &Word) -> bool {
    let stem = word.stem();
    if !word.capital || word.opens || stem.chars().count() < 3 || is_function_word(&word.lower) {
        return false;
    }
    let text = word.span.of(pair.target);
    let known_name = pair
        .target_names
        .iter()
        .filter(|mention| mention.span.start <= word.span.start && word.span.end <= mention.span.end)
        // An invented one is counted as such already.
        .any(|mention| mention.strength == crate::glossary::Strength::Certain);
    let in_form = |form: &str| form.split(|c: char| !c.is_alphanumeric()).any(|part| part.to_lowercase() == stem);
    !known_name
        && !pair.source.contains(text)
        && !pair.glossary.is_ordinary(stem)
        && !pair.source_names.iter().any(|name| {
            pair.glossary
                .concept(&name.entry.concept)
                .chain([name.entry])
                .any(|entry| in_form(&entry.english) || entry.alternatives.iter().any(|form| in_form(form)))
        })
        && !heard(&pair.source_words, stem, SAME_NAME)
}

#[cfg(test)]
mod tests {
    use crate::check::Checker;
    use crate::glossary::Glossary;

    #[test]
    fn made_up_names_are_strangers_and_others_are_not() {
        let checker = Checker::new(Glossary::builtin());
        let source = "أكد وزير الخارجية التونسي كمال الزغلامي يوم الاثنين أن مجلس النواب سيصوت على القانون";
        let good =
            "Tunisian Foreign Minister Kamel Zoghlami said on Monday that the House of Representatives would vote.";
        assert!(checker.facts(source, good).strangers.is_empty(), "{:?}", checker.facts(source, good).strangers);
        let bad = "Foreign Minister Yong Jong Cha of Hellenica said on Monday that the House would vote.";
        assert_eq!(checker.facts(source, bad).strangers, ["Yong Jong Cha", "Hellenica"]);
        assert!(checker.verdicts(source, bad).iter().all(|verdict| !verdict.detail.contains("Hellenica")));
        let strict = checker.strict().verdicts(source, bad);
        assert!(strict.iter().any(|verdict| verdict.detail.contains("Yong Jong Cha")), "{strict:?}");
    }
}
