//! Check: a known name that the target lost, replaced or invented.
//!
//! In: a read [`Pair`]. Out: [`Unmatched`] names of both sides, and a verdict on them. Names are compared by what they
//! name (الجزائر, an Algerian and the Algerians are one concept), and a name of the target that any word of the source
//! sounds like is not invented, whether the glossary knows the Arabic or not.

use super::pair::Pair;
use crate::arabic::words::without_prefixes;
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
    pair.source_names.iter().any(|m| mention.concepts.contains(&m.entry.concept.as_str())) || heard(pair, &mention.text)
}

/// Returns whether a word of the source sounds like a word of an English name.
pub(super) fn heard(pair: &Pair<'_>, name: &str) -> bool {
    let words = name.split(|c: char| !c.is_alphabetic() && c != '\'' && c != '’').filter(|w| w.chars().count() >= 3);
    words.into_iter().any(|word| {
        pair.source_words
            .iter()
            .flat_map(|w| without_prefixes(&w.folded))
            .any(|form| form.chars().count() >= 2 && sounds_like(form, word) >= SAME_NAME)
    })
}

/// Judges the names of a pair.
pub(super) fn judge(pair: &Pair<'_>) -> Option<String> {
    let Unmatched { missing, invented } = unmatched(pair);
    let mut detail = String::new();
    for m in &missing {
        detail.push_str(&format!("missing {:?} {}; ", m.entry.category, m.entry.english));
    }
    for m in &invented {
        detail.push_str(&format!("invented {:?} {}; ", m.entry.category, m.text));
    }
    let _ = Category::Country;
    (!detail.is_empty()).then_some(detail)
}
