//! Counts what a translation kept and invented, by which hypotheses of one source are ranked.
//!
//! In: a read [`Pair`]. Out: [`Facts`]. No verdict: a hypothesis that keeps three names of four is better than one that
//! keeps two, whatever the checks say of either.

use std::collections::BTreeMap;

use super::pair::Pair;
use super::strangers::strangers;
use super::{Facts, names, numbers};
use crate::glossary::{Category, Strength};
use crate::number::{Certainty, Kind, Number};

/// Counts names by what they name, so that one said three times counts once, and numbers but for months, which are names.
pub(super) fn count(pair: &Pair<'_>) -> Facts {
    let mut kept_by_concept: BTreeMap<&str, bool> = BTreeMap::new();
    for name in &pair.source_names {
        let category = name.entry.category;
        if name.strength == Strength::Certain && (category.is_name() || category == Category::Calendar) {
            kept_by_concept.entry(&name.entry.concept).or_insert_with(|| names::kept(pair, name));
        }
    }
    let is_counted = |n: &&Number| n.certainty >= Certainty::Words && n.kind != Kind::Month;
    let figures = numbers::unmatched(pair, Certainty::Words);
    let all_figures = pair.source_numbers.iter().filter(is_counted).count();
    let lost_figures = figures.missing.iter().copied().filter(is_counted).count();
    let invented = figures.invented.iter().copied().filter(is_counted);
    Facts {
        names: kept_by_concept.len(),
        names_kept: kept_by_concept.values().filter(|kept| **kept).count(),
        numbers: all_figures,
        numbers_kept: all_figures - lost_figures,
        names_invented: names::unmatched(pair).invented.iter().map(|m| m.text.clone()).collect(),
        numbers_invented: invented.map(|n| n.span.of(pair.target).to_owned()).collect(),
        strangers: strangers(pair),
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Checker;
    use crate::glossary::Glossary;

    #[test]
    fn names_and_figures_are_counted() {
        let checker = Checker::new(Glossary::builtin());
        let source = "زار وزير الخارجية التونسي ليبيا يوم 12 أبريل مع ثلاثة وعشرين رجل أعمال";
        let good =
            checker.facts(source, "Tunisia's foreign minister visited Libya on 12 April with twenty-three businessmen");
        assert_eq!((good.names, good.names_kept), (3, 3), "{good:?}");
        assert_eq!((good.numbers, good.numbers_kept), (2, 2), "{good:?}");
        assert!(good.names_invented.is_empty() && good.numbers_invented.is_empty(), "{good:?}");
        let bad = checker.facts(source, "The Egyptian foreign minister visited Libya on 13 May with businessmen");
        assert_eq!((bad.names_kept, bad.numbers_kept), (1, 0), "{bad:?}");
        assert_eq!(bad.names_invented, ["Egyptian"]);
        assert_eq!(bad.numbers_invented, ["13"]);
    }
}
