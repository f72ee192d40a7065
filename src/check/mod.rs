//! Verdicts on a translation: what it lost, changed or invented, judged from the two texts alone.
//!
//! In: a source text and its target, from mujaz or from anywhere. Out: [`Verdict`]s, none where nothing was found wrong,
//! and [`Facts`] (how many names and figures were kept) by which hypotheses are ranked. No model is needed. What to do
//! about a verdict (retry, mark) is [`crate::translation`]'s.

mod facts;
mod names;
mod negation;
mod numbers;
mod omission;
mod pair;
mod repetition;
mod sound;
mod strangers;
mod unrelated;
mod untranslated;

use serde::{Deserialize, Serialize};

use crate::glossary::Glossary;
use pair::Pair;

/// Says what is wrong with a pair, in a few words; none where nothing is.
type Judge = fn(&Pair<'_>) -> Option<String>;

/// The checks, in the order of their verdicts. A new check is a file with a [`Judge`] and a row here.
const JUDGES: &[(Check, Judge)] = &[
    (Check::Untranslated, untranslated::judge),
    (Check::Repetition, repetition::judge),
    (Check::Omission, omission::judge),
    (Check::Unrelated, unrelated::judge),
    (Check::Numbers, numbers::judge),
    (Check::Names, names::judge),
    (Check::Negation, negation::judge),
];

/// What a verdict is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Check {
    /// A figure, date or amount of the source is missing or another one is there.
    Numbers,
    /// A known name is missing, replaced or invented.
    Names,
    /// The source denies what the target affirms, or the reverse.
    Negation,
    /// The target is too short (or too long) for the source.
    Omission,
    /// The target says the same words over and over.
    Repetition,
    /// Arabic is left in the target.
    Untranslated,
    /// The target shares nothing that the source's names, figures and words would lead one to expect.
    Unrelated,
    /// There is no target.
    Empty,
}

/// One thing found wrong with a translation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// What it is about.
    pub check: Check,
    /// The facts, in a few English words: `source has 2011, target has 2012`.
    pub detail: String,
}

/// How much of what can be counted a target kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Known names and terms in the source that a translation should keep.
    pub names: usize,
    /// How many of them the target has.
    pub names_kept: usize,
    /// Figures in the source.
    pub numbers: usize,
    /// How many of them the target has.
    pub numbers_kept: usize,
    /// Known names in the target that the source lacks.
    pub names_invented: Vec<String>,
    /// Figures in the target that the source lacks.
    pub numbers_invented: Vec<String>,
    /// Capitalised words in the target that nothing in the source accounts for.
    pub strangers: Vec<String>,
}

/// Judges translations against one glossary.
#[derive(Debug, Clone, Copy)]
pub struct Checker<'g> {
    /// The names that are known.
    pub glossary: &'g Glossary,
    strict: bool,
}

impl<'g> Checker<'g> {
    /// Makes a checker over a glossary.
    pub fn new(glossary: &'g Glossary) -> Self {
        Self { glossary, strict: false }
    }

    /// Judges as machine output is to be judged: a person may leave a name out or add one that readers need, a model may
    /// not. On top of the other verdicts, every known name that is lost and every name that is made up is one, and so is a
    /// sentence that breaks off.
    #[must_use]
    pub fn strict(self) -> Self {
        Self { strict: true, ..self }
    }

    /// Judges one translation; an empty list means that nothing was found wrong.
    pub fn verdicts(&self, source: &str, target: &str) -> Vec<Verdict> {
        if is_blank(target) && !is_blank(source) {
            return vec![Verdict { check: Check::Empty, detail: "the target is empty".into() }];
        }
        self.judge(&Pair::read(self.glossary, source, target))
    }

    /// Counts the names and figures that a translation kept and invented.
    pub fn facts(&self, source: &str, target: &str) -> Facts {
        facts::count(&Pair::read(self.glossary, source, target))
    }

    /// As [`Checker::verdicts`] and [`Checker::facts`], with the texts read once.
    pub fn verdicts_and_facts(&self, source: &str, target: &str) -> (Vec<Verdict>, Facts) {
        let pair = Pair::read(self.glossary, source, target);
        let verdicts = if is_blank(target) { self.verdicts(source, target) } else { self.judge(&pair) };
        (verdicts, facts::count(&pair))
    }
}

impl Checker<'_> {
    fn judge(&self, pair: &Pair<'_>) -> Vec<Verdict> {
        let judged = JUDGES.iter().filter_map(|(check, judge)| Some((*check, judge(pair)?)));
        let mut verdicts: Vec<Verdict> = judged.map(|(check, detail)| Verdict { check, detail }).collect();
        if self.strict && !verdicts.iter().any(|verdict| verdict.check == Check::Names) {
            let detail = names::judge_strictly(pair);
            verdicts.extend(detail.map(|detail| Verdict { check: Check::Names, detail }));
        }
        if self.strict && !verdicts.iter().any(|verdict| verdict.check == Check::Omission) {
            let detail = omission::judge_strictly(pair);
            verdicts.extend(detail.map(|detail| Verdict { check: Check::Omission, detail }));
        }
        verdicts
    }
}

/// Returns whether a text has no letter and no digit: white space, or a lone dash.
fn is_blank(text: &str) -> bool {
    !text.chars().any(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns the checks that flag a pair.
    pub(super) fn flags(source: &str, target: &str) -> Vec<Check> {
        Checker::new(Glossary::builtin()).verdicts(source, target).into_iter().map(|v| v.check).collect()
    }

    #[test]
    fn good_translations_pass() {
        let pairs = [
            (
                "بحث رئيس الحكومة التونسية مع نظيره الجزائري ملف الطاقة",
                "The Tunisian prime minister discussed energy with his Algerian counterpart",
            ),
            ("فاز المنتخب المغربي على نظيره المصري بهدفين مقابل هدف واحد", "Morocco beat Egypt by two goals to one"),
            (
                "توقعت الأرصاد الجوية هطول أمطار غزيرة يوم الثلاثاء في شرق ليبيا",
                "Forecasters expect heavy rain in eastern Libya on Tuesday",
            ),
            (
                "ارتفعت صادرات موريتانيا بنسبة 12 في المئة لتبلغ 3.5 مليار دولار",
                "Mauritania's exports rose 12% to $3.5bn",
            ),
            ("لم يعلق الوزير على الخبر", "The minister did not comment on the report"),
            ("رفضت الوزارة التعليق", "The ministry declined to comment"),
            ("لا تزال المفاوضات مستمرة", "The talks are still going on"),
            ("نعم", "Yes"),
            ("...", "..."),
        ];
        for (source, target) in pairs {
            assert_eq!(flags(source, target), [], "{target}");
        }
    }

    #[test]
    fn a_target_without_words_is_empty() {
        for target in ["", "  \n", "…", "\"\" -"] {
            assert_eq!(flags("وصل الوزير إلى طرابلس", target), [Check::Empty], "{target:?}");
        }
    }

    #[test]
    fn both_ways_to_ask_agree() {
        let checker = Checker::new(Glossary::builtin());
        for target in ["", "Tunisia has 12 million people", "Libya has 13 million people"] {
            let source = "يبلغ عدد سكان تونس 12 مليون نسمة";
            let both = checker.verdicts_and_facts(source, target);
            assert_eq!(both, (checker.verdicts(source, target), checker.facts(source, target)));
        }
    }

    proptest! {
        #[test]
        fn no_pair_makes_it_panic(source in "\\PC{0,60}", target in "\\PC{0,60}") {
            Checker::new(Glossary::builtin()).verdicts_and_facts(&source, &target);
        }

        #[test]
        fn no_arabic_and_english_makes_it_panic(
            source in "[ ء-ي٠-٩0-9.,،٪%:\"«»()-]{0,80}",
            target in "[ A-Za-z0-9.,%:'\"()-]{0,80}",
        ) {
            let (verdicts, facts) = Checker::new(Glossary::builtin()).verdicts_and_facts(&source, &target);
            prop_assert!(verdicts.len() <= JUDGES.len());
            prop_assert!(facts.names_kept <= facts.names && facts.numbers_kept <= facts.numbers);
        }
    }
}
