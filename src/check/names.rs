//! Check: a known name that the target lost, replaced or invented.
//!
//! In: a read [`Pair`]. Out: [`Unmatched`] names of both sides, and a verdict on them. Names are compared by what they
//! name (الجزائر, an Algerian and the Algerians are one concept), and a name of the target that any word of the source
//! sounds like is not invented, whether the glossary knows the Arabic or not.

use super::pair::Pair;
use super::sound::{heard, sounds};
use super::strangers::strangers;
use crate::arabic::words::{fold, run_together, words};
use crate::english::words::Word;
use crate::glossary::transliterate::SAME_NAME;
use crate::glossary::{Category, Match, Mention, Strength};

/// How much a word must sound like a name that the glossary knows, whose Arabic it would know too, to pass for it: more
/// than for any name, for Syria is not to be heard in بسرعة.
const SURELY_HEARD: f32 = 0.9;

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
    let likeness = if is_nation(mention.entry.category) { SURELY_HEARD } else { SAME_NAME };
    pair.source_names.iter().any(|m| mention.concepts.contains(&m.entry.concept.as_str()))
        || heard(&pair.source_words, &mention.text, likeness)
        || within_words(pair, mention)
        // Arabic texts cite titles in Latin letters.
        || pair.source.contains(&mention.text)
}

/// Returns whether the Arabic of a name stands in the source with words run together: within a longer word, or, where the
/// whole source is run together, once all spaces are taken out.
fn within_words(pair: &Pair<'_>, mention: &Mention<'_>) -> bool {
    let together = run_together(&pair.source_words);
    let squeezed: String = pair.source_words.iter().map(|w| w.folded.as_str()).collect();
    let entries = mention.concepts.iter().flat_map(|c| pair.glossary.concept(c));
    entries.into_iter().any(|e| {
        let name: String = words(&e.arabic).iter().map(|w| w.folded.as_str()).collect();
        let letters = name.chars().count();
        let holds =
            |w: &crate::arabic::words::Word| w.folded.chars().count() >= letters + 3 && w.folded.contains(&name);
        together && letters >= 4 && squeezed.contains(&name) || letters >= 5 && pair.source_words.iter().any(holds)
    })
}

/// Returns whether a known name of the source is rather a word that the target writes by its sound: كيني, Kenyan or
/// Kenny.
fn is_another_name(pair: &Pair<'_>, name: &Match<'_>) -> bool {
    let known = |w: &Word| pair.target_names.iter().any(|m| m.span.start <= w.span.start && w.span.end <= m.span.end);
    let capital = pair.target_words.iter().filter(|w| w.capital && w.lower.len() >= 4 && !known(w));
    let own: Vec<&str> = name.span.of(pair.source).split_whitespace().collect();
    capital.into_iter().any(|w| own.iter().any(|o| sounds(&fold(o), w.stem(), SAME_NAME)))
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

/// Returns whether a category holds countries and their people.
fn is_nation(category: Category) -> bool {
    matches!(category, Category::Country | Category::Nationality)
}

/// Judges the names of a machine's translation: all that are lost, and all that are made up.
pub(super) fn judge_strictly(pair: &Pair<'_>) -> Option<String> {
    let Unmatched { missing, invented } = unmatched(pair);
    let mut invented: Vec<String> = invented.iter().map(|mention| mention.text.clone()).collect();
    invented.extend(strangers(pair));
    let lost: Vec<&str> = missing.iter().map(|name| name.entry.english.as_str()).collect();
    match (lost.is_empty(), invented.is_empty()) {
        (true, true) => None,
        (false, true) => Some(format!("source has {}, target does not", list(&lost))),
        (true, false) => Some(format!("target has {}, source does not", invented.join(", "))),
        (false, false) => Some(format!("source has {}, target has {}", list(&lost), invented.join(", "))),
    }
}

/// Joins names, each once, in order.
fn list(names: &[&str]) -> String {
    let mut distinct: Vec<&str> = Vec::new();
    for name in names {
        if !distinct.contains(name) {
            distinct.push(name);
        }
    }
    distinct.join(", ")
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
    let placed = |c| is_nation(c) || c == Category::Place;
    if let Some(name) = invented.iter().find(|i| placed(i.entry.category)) {
        return Some(format!("target has {}, source does not", name.text));
    }
    // A surname alone may be another person's, whose name the target spells in its own way.
    let telling = |m: &&&Match<'_>| match m.entry.category {
        Category::Country | Category::Place => true,
        Category::Person => m.span.of(pair.source).contains(' '),
        _ => false,
    };
    let lost = missing.iter().find(telling)?;
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
