//! Check: a target that shares nothing with its source, as when lines have slipped against each other.
//!
//! In: a read [`Pair`]. Out: a verdict where the evidence of several weak signs adds up. Each sign gives the logarithm of
//! a likelihood ratio, how much more often it is seen in a pair of strangers than in a translation, measured on the even
//! documents of NTREX (497 pairs, and 283 pairs with a sentence of another document); the sum is compared with
//! [`THRESHOLD`]. A new sign, such as the similarity that a cross-lingual embedding model gives, is a row in [`SIGNS`].

use super::pair::Pair;
use super::sound::heard;
use super::{names, numbers, omission};
use crate::arabic::words::run_together;
use crate::english::words::{Word, is_function_word};
use crate::glossary::transliterate::SAME_NAME;
use crate::glossary::{Category, Strength};
use crate::number::Certainty;

/// The sum from which a pair is called unrelated: one translation in a few hundred reaches it.
const THRESHOLD: f64 = 3.0;

/// A sign's log-likelihood ratio for "unrelated"; 0 where it says nothing.
type Sign = fn(&Pair<'_>) -> f64;

/// The signs, each on evidence of its own.
const SIGNS: &[Sign] = &[sounds, known_names, figures, terms, calendar, latin_words, punctuation, length];

/// Judges whether a target is about its source at all.
pub(super) fn judge(pair: &Pair<'_>) -> Option<String> {
    if run_together(&pair.source_words) {
        return None;
    }
    let sum: f64 = SIGNS.iter().map(|sign| sign(pair)).sum();
    (sum >= THRESHOLD).then(|| "names, figures and signs of the two texts have little in common".to_owned())
}

/// Capitalised words within a sentence of the target: does any word of the source sound like one of them?
fn sounds(pair: &Pair<'_>) -> f64 {
    let known = |w: &Word| pair.target_names.iter().any(|m| m.span.start <= w.span.start && w.span.end <= m.span.end);
    let name =
        |w: &&Word| w.capital && !w.opens && w.stem().chars().count() >= 4 && !is_function_word(&w.lower) && !known(w);
    let names: Vec<&Word> = pair.target_words.iter().filter(name).take(12).collect();
    let heard = names.iter().filter(|w| heard(&pair.source_words, w.stem(), SAME_NAME)).take(2).count();
    match (heard, names.len()) {
        (_, 0) => 0.0,
        (0, 1) => 1.0,
        (0, 2) => 1.5,
        (0, 3) => 1.7,
        (0, _) => 2.0,
        (1, 1) => -2.1,
        (1, _) => -0.8,
        _ => -3.0,
    }
}

/// Names that the glossary knows on either side.
fn known_names(pair: &Pair<'_>) -> f64 {
    let names::Unmatched { missing, invented } = names::unmatched(pair);
    let certain = pair.source_names.iter().filter(|m| m.strength == Strength::Certain && m.entry.category.is_name());
    let kept = certain.count().saturating_sub(missing.len());
    let lost = match (missing.len(), kept) {
        (0, 0) => 0.0,
        (_, 1..) => -4.0,
        (1, 0) => 1.7,
        _ => 4.0,
    };
    let backed = pair.target_names.len().saturating_sub(invented.len());
    let new = match (invented.len(), backed) {
        (0, 0) => 0.0,
        (_, 1..) => -2.5,
        (1, 0) => 3.0,
        _ => 4.0,
    };
    // The two are the same evidence when a name was kept.
    if lost < 0.0 && new < 0.0 { lost } else { lost + new }
}

/// Figures and number words.
fn figures(pair: &Pair<'_>) -> f64 {
    let numbers::Unmatched { missing, invented } = numbers::unmatched(pair, Certainty::Words);
    let sure = pair.source_numbers.iter().filter(|n| n.certainty >= Certainty::Words).count();
    let kept = sure.saturating_sub(missing.len());
    match (kept, missing.len() + invented.len()) {
        (0, 0) => 0.0,
        (1.., _) => -3.5,
        (0, 1) => 3.2,
        _ => 4.5,
    }
}

/// Words of politics, security, law and economy, and offices: one may be paraphrased, several hardly.
fn terms(pair: &Pair<'_>) -> f64 {
    match kept_and_lost(pair, |c| matches!(c, Category::Term | Category::Office)) {
        (0, 0) => 0.0,
        (0, 1) => 0.5,
        (0, 2) => 2.0,
        (0, _) => 3.5,
        (1, 0 | 1) => -2.6,
        (1, 2) => -0.7,
        (1, _) => 0.5,
        _ => -3.5,
    }
}

/// Months and days, which have one translation.
fn calendar(pair: &Pair<'_>) -> f64 {
    match kept_and_lost(pair, |c| c == Category::Calendar) {
        (0, 0) => 0.0,
        (0, _) => 3.0,
        _ => -3.0,
    }
}

/// Counts the entries of some categories in the source that the target has and lacks.
fn kept_and_lost(pair: &Pair<'_>, wanted: fn(Category) -> bool) -> (usize, usize) {
    let entries = pair.source_names.iter().filter(|m| wanted(m.entry.category));
    let (kept, lost): (Vec<_>, Vec<_>) = entries.partition(|m| names::kept(pair, m));
    (kept.len(), lost.len())
}

/// Latin words in the source, which a translation copies.
fn latin_words(pair: &Pair<'_>) -> f64 {
    let latin = pair.source.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| w.len() >= 2);
    let latin: Vec<&str> = latin.filter(|w| w.starts_with(|c: char| c.is_ascii_alphabetic())).collect();
    let copied = latin.iter().any(|w| pair.target.contains(w));
    match (latin.len(), copied) {
        (0, _) => 0.0,
        (_, true) => -4.0,
        _ => 2.0,
    }
}

/// Quotation marks, question marks and brackets on one side only.
fn punctuation(pair: &Pair<'_>) -> f64 {
    let both = |marks: &[char]| (pair.source.contains(marks), pair.target.contains(marks));
    let quotation = match both(&['"', '“', '”', '«', '»', '‘', '\'']) {
        (true, false) => 1.9,
        (false, true) => 0.5,
        (true, true) => -0.8,
        (false, false) => -0.1,
    };
    let question = match both(&['?', '؟']) {
        (true, true) => -1.4,
        (false, false) => 0.0,
        _ => 1.7,
    };
    let brackets = match both(&['(']) {
        (true, true) => -1.6,
        (false, false) => 0.0,
        _ => 1.5,
    };
    quotation + question + brackets
}

/// A length that is unusual without being proof of anything by itself.
fn length(pair: &Pair<'_>) -> f64 {
    match omission::surprise(pair) {
        z if z >= 2.5 => 2.5,
        z if z >= 1.5 => 0.9,
        z if z <= -2.5 => 1.3,
        z if z <= -1.5 => 0.4,
        _ => -0.2,
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Check;
    use crate::check::tests::flags;

    #[test]
    fn faults_are_flagged() {
        let pairs = [
            (
                "وقعت شركة سوناطراك عقدا مع توتال بقيمة 40 مليون يورو",
                "The coach praised Mahrez and Bennacer after the 3-0 win in Blida",
            ),
            ("هل تعود مصر إلى السوق الأفريقية؟", "Heavy snow closed roads near Ifrane, Azrou and Khenifra for 3 days."),
        ];
        for (source, target) in pairs {
            assert!(flags(source, target).contains(&Check::Unrelated), "{source} | {target}");
        }
    }

    #[test]
    fn what_only_differs_in_wording_is_not() {
        let pairs = [
            (
                "وقعت شركة سوناطراك عقدا مع توتال بقيمة 40 مليون يورو",
                "Sonatrach signed a 40 million euro contract with Total",
            ),
            ("تساقطت الثلوج على المرتفعات", "Snow fell on the highlands"),
            ("أشاد المدرب بمحرز وبن ناصر", "The coach praised Mahrez and Bennacer"),
        ];
        for (source, target) in pairs {
            assert!(!flags(source, target).contains(&Check::Unrelated), "{source} | {target}");
        }
    }
}
