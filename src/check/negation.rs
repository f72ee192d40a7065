//! Check: a source that denies where the target affirms, or the reverse.
//!
//! In: a read [`Pair`]. Out: a verdict naming the particle. The source side counts particles that deny the sentence
//! ([`arabic::words`](crate::arabic::words)); the target side takes any word with a negative meaning for an answer, so that
//! "failed to", "unable" and "unlike" pass.

use super::pair::Pair;
use super::sound::sounds;
use crate::arabic::words::{Denial, denial, run_together};
use crate::english::words::{is_negation, is_negative};
use crate::glossary::transliterate::SAME_NAME;

/// Judges the negation of a pair.
pub(super) fn judge(pair: &Pair<'_>) -> Option<String> {
    if run_together(&pair.source_words) {
        return None;
    }
    let words = &pair.source_words;
    let denials: Vec<(usize, Denial)> = (0..words.len())
        .filter(|&i| !is_name(pair, &words[i].folded))
        .filter_map(|i| Some((i, denial(words, i)?)))
        .collect();
    let count = |kind: Denial| denials.iter().filter(|(_, d)| *d == kind).count();
    let negations: Vec<_> = pair.target_words.iter().filter(|w| is_negation(&w.lower)).collect();
    let negative = pair.target_words.iter().filter(|w| !is_negation(&w.lower) && is_negative(&w.lower)).count();
    let phrases = pair.target_words.windows(2).filter(|w| denies_together(&w[0].lower, &w[1].lower)).count();
    // A negative word of the target answers a word like "refused" of the source before it answers a particle.
    let answers = negations.len() + phrases + negative.saturating_sub(count(Denial::Meaning));
    if count(Denial::Outright) > answers {
        let (at, _) = denials.iter().find(|(_, d)| *d == Denial::Outright)?;
        return Some(format!("source denies ({}), target affirms", words[*at].span.of(pair.source)));
    }
    // "No." is a number, and a denial in a text of quotations may answer a rhetorical question.
    let first = negations.iter().find(|w| !is_number_sign(pair.target, w.span.end))?;
    denials.is_empty().then(|| format!("target denies ({}), source affirms", first.lower))
}

/// Returns whether a word of the source is a part of a name in the target: فليس Fleiss, لا ريفييرا La Riviera.
fn is_name(pair: &Pair<'_>, folded: &str) -> bool {
    let mut capital = pair.target_words.iter().filter(|w| w.capital);
    match folded {
        "لا" => capital.any(|w| matches!(w.lower.as_str(), "la" | "las")),
        "فليس" | "وليس" | "لسن" | "ولن" | "فلا" | "ولا" => {
            capital.any(|w| w.lower.len() >= 4 && sounds(folded, w.stem(), SAME_NAME))
        }
        _ => false,
    }
}

/// Returns whether two words deny that do not by themselves: yet to, far from, free of, rule out.
fn denies_together(first: &str, second: &str) -> bool {
    matches!(
        (first, second),
        ("yet" | "still" | "remain" | "remains", "to")
            | ("far" | "keep" | "kept" | "refrain" | "refrained", "from")
            | ("short" | "free" | "rid" | "devoid", "of")
            | ("ruled" | "rule" | "rules" | "ruling", "out")
    )
}

/// Returns whether "No" is followed by the figure it abbreviates: No.1, No 10.
fn is_number_sign(target: &str, end: usize) -> bool {
    let rest = target.get(end..).unwrap_or_default();
    rest.trim_start_matches(['.', ' ']).starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use crate::check::Check;
    use crate::check::tests::flags;

    #[test]
    fn faults_are_flagged() {
        let pairs = [
            ("لم يحضر رئيس الوزراء الجلسة", "The prime minister attended the session"),
            ("لن ترفع الشركة الأسعار", "The company will raise prices"),
            ("ليس هناك خطر على السكان", "There is a danger to residents"),
            ("وافق البرلمان على القانون", "Parliament did not approve the law"),
            ("القرار غير قانوني", "The decision is lawful"),
        ];
        for (source, target) in pairs {
            assert!(flags(source, target).contains(&Check::Negation), "{source} | {target}");
        }
    }

    #[test]
    fn what_only_differs_in_wording_is_not() {
        let pairs = [
            ("لم يحضر رئيس الوزراء الجلسة", "The prime minister failed to attend the session"),
            ("القرار غير قانوني", "The decision is illegal"),
            ("لا شك أن الفريق سيفوز", "The team will surely win"),
            ("لا تزال الأمطار تهطل على الساحل", "It is still raining on the coast"),
            ("رفض النادي بيع اللاعب", "The club would not sell the player"),
            ("انعدام الأمن في الجنوب", "There is no security in the south"),
            ("احتل الفريق المركز الأول", "The team ranks No. 1"),
        ];
        for (source, target) in pairs {
            assert!(!flags(source, target).contains(&Check::Negation), "{source} | {target}");
        }
    }
}
