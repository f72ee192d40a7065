//! Check: a known name that the target lost, replaced or invented.
//!
//! In: a read [`Pair`]. Out: [`Unmatched`] names of both sides, and a verdict on them. Names are compared by what they
//! name (الجزائر, an Algerian and the Algerians are one concept), and a name of the target that any word of the source
//! sounds like is not invented, whether the glossary knows the Arabic or not.

use super::pair::Pair;
use crate::arabic::words::{fold, run_together, without_prefixes, words};
use crate::english::words::Word;
use crate::glossary::transliterate::SAME_NAME;
use crate::glossary::{Category, Match, Mention, Strength, sounds_like};

/// The known names of both sides that have no counterpart.
#[derive(Debug, Default)]
pub(super) struct Unmatched<'p, 'g> {
    /// Names of the source that the target lacks.
    pub missing: Vec<&'p Match<'g>>,
    /// Names of the target that the source lacks.
    pub invented: Vec<&'p Mention<'g>>,
}

/// Finds the names without a counterpart.
pub(super) fn unmatched<'p, 'g>(pair: &'p Pair<'g>) -> Unmatched<'p, 'g> {
    let missing = pair.source_names.iter().filter(|m| m.strength == Strength::Certain && m.entry.category.is_name());
    let invented = pair.target_names.iter().filter(|m| m.strength == Strength::Certain);
    Unmatched {
        missing: missing.filter(|m| !kept(pair, m)).collect(),
        invented: invented.filter(|m| !known_from(pair, m)).collect(),
    }
}

/// Returns whether the target has a name of the source.
pub(super) fn kept(pair: &Pair<'_>, name: &Match<'_>) -> bool {
    pair.target_names.iter().any(|m| m.concepts.contains(&name.entry.concept.as_str()))
        || pair.glossary.renders(name.entry, pair.target)
}

/// Returns whether the source has, or may have, a name of the target.
fn known_from(pair: &Pair<'_>, mention: &Mention<'_>) -> bool {
    pair.source_names.iter().any(|m| mention.concepts.contains(&m.entry.concept.as_str()))
        || heard(pair, &mention.text)
        || run_together(&pair.source_words) && within_words(pair, mention)
}

/// Returns whether the Arabic of a name stands in the source once all spaces are taken out, in words run together.
fn within_words(pair: &Pair<'_>, mention: &Mention<'_>) -> bool {
    let squeezed: String = pair.source_words.iter().map(|w| w.folded.as_str()).collect();
    let entries = mention.concepts.iter().flat_map(|c| pair.glossary.concept(c));
    entries.into_iter().any(|e| {
        let name: String = words(&e.arabic).iter().map(|w| w.folded.as_str()).collect();
        name.chars().count() >= 4 && squeezed.contains(&name)
    })
}

/// Returns whether a word of the source sounds like a word of an English name.
pub(super) fn heard(pair: &Pair<'_>, name: &str) -> bool {
    let words = name.split(|c: char| !c.is_alphabetic() && c != '\'' && c != '’').filter(|w| w.chars().count() >= 3);
    words.into_iter().any(|word| pair.source_words.iter().any(|w| sounds(&w.folded, word)))
}

/// Returns whether an Arabic word, with or without prefixed particles, sounds like an English one.
fn sounds(folded: &str, english: &str) -> bool {
    without_prefixes(folded).any(|form| form.chars().count() >= 2 && sounds_like(form, english) >= SAME_NAME)
}

/// Returns whether a known name of the source is rather a word that the target writes by its sound: كيني, Kenyan or
/// Kenny.
fn is_another_name(pair: &Pair<'_>, name: &Match<'_>) -> bool {
    let known = |w: &Word| pair.target_names.iter().any(|m| m.span.start <= w.span.start && w.span.end <= m.span.end);
    let capital = pair.target_words.iter().filter(|w| w.capital && w.lower.len() >= 4 && !known(w));
    let own: Vec<&str> = name.span.of(pair.source).split_whitespace().collect();
    capital.into_iter().any(|w| own.iter().any(|o| sounds(&fold(o), w.stem())))
}

/// Returns whether the target may hold a name in another form: an acronym that the source lacks (PNG, NHS), or words
/// that point back to it ("the country", "the North").
fn may_be_implied(pair: &Pair<'_>) -> bool {
    pair.target_words.iter().any(|w| {
        let text = w.span.of(pair.target);
        let acronym = text.chars().take_while(|c| c.is_uppercase()).count() >= 2 && !pair.source.contains(text);
        let known = pair.target_names.iter().any(|m| m.span.start <= w.span.start && w.span.end <= m.span.end);
        let points_back =
            matches!(w.stem(), "country" | "countries" | "nation" | "north" | "south" | "kingdom" | "island");
        acronym && !known || points_back
    })
}

/// Returns whether two names can stand in for each other by mistake: a country for a country, a person for a person.
fn alike(a: Category, b: Category) -> bool {
    let family = |c| match c {
        Category::Country | Category::Nationality => 0,
        Category::Place => 1,
        Category::Person => 2,
        Category::Organization => 3,
        _ => 4,
    };
    family(a) == family(b)
}

/// Judges the names of a pair.
pub(super) fn judge(pair: &Pair<'_>) -> Option<String> {
    let Unmatched { mut missing, invented } = unmatched(pair);
    missing.retain(|m| !is_another_name(pair, m));
    let replaced = missing.iter().find_map(|m| {
        let by = invented.iter().find(|i| alike(i.entry.category, m.entry.category))?;
        Some(format!("source has {}, target has {}", m.entry.english, by.text))
    });
    if replaced.is_some() {
        return replaced;
    }
    let nation = |c| matches!(c, Category::Country | Category::Nationality);
    if let Some(name) = invented.iter().find(|i| nation(i.entry.category)) {
        return Some(format!("target has {}, source does not", name.text));
    }
    let lost = missing.iter().find(|m| m.entry.category == Category::Country)?;
    (!may_be_implied(pair)).then(|| format!("source has {}, target does not", lost.entry.english))
}

#[cfg(test)]
mod tests {
    use crate::check::Check;
    use crate::check::tests::flags;

    #[test]
    fn faults_are_flagged() {
        let pairs = [
            ("وقعت الجزائر اتفاقا مع إيطاليا", "Algeria signed an agreement with Spain"),
            ("أعلنت السلطات الليبية إغلاق الحدود", "The Egyptian authorities announced that the border is closed"),
            ("استقبل الملك سفير اليابان في القصر", "The king received the ambassador of China at the palace"),
            ("سافر الرئيس إلى موريتانيا في زيارة رسمية", "The president travelled on an official visit"),
        ];
        for (source, target) in pairs {
            assert!(flags(source, target).contains(&Check::Names), "{source} | {target}");
        }
    }

    #[test]
    fn what_only_differs_in_wording_is_not() {
        let pairs = [
            ("وقعت الجزائر اتفاقا مع إيطاليا", "The Algerians signed an agreement with the Italian side"),
            ("أعلنت السلطات الليبية إغلاق الحدود", "Libya's authorities announced that the border is closed"),
            ("قال المدرب كيني ميلر إن الفريق مستعد", "Coach Kenny Miller said the team was ready"),
        ];
        for (source, target) in pairs {
            assert!(!flags(source, target).contains(&Check::Names), "{source} | {target}");
        }
    }
}
