//! Check: a target that says the same words over and over, as a model caught in a loop does.
//!
//! In: a read [`Pair`]. Out: a verdict naming what is repeated. A few words repeated at once, one phrase many times,
//! a whole sentence twice, and syllables within a word count; what the source itself repeats does not.

use std::collections::BTreeMap;

use super::pair::Pair;

/// Judges the repetition in a target.
pub(super) fn judge(pair: &Pair<'_>) -> Option<String> {
    let words: Vec<String> = tokens(pair.target);
    let (phrase, times) = loops(&words)
        .or_else(|| returning_phrase(&words))
        .or_else(|| doubled_sentence(pair.target))
        .or_else(|| stutter(pair.target))?;
    // A source with the same rhythm is a chant or a refrain that the translation keeps.
    let source: Vec<String> = tokens(pair.source);
    let own = loops(&source).or_else(|| returning_phrase(&source)).or_else(|| doubled_sentence(pair.source));
    if own.or_else(|| stutter(pair.source)).is_some_and(|(_, own_times)| own_times + 1 >= times) {
        return None;
    }
    Some(format!("{phrase:?} is said {times} times"))
}

fn tokens(text: &str) -> Vec<String> {
    text.split_whitespace()
        .map(|w| w.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase())
        .filter(|w| !w.is_empty())
        .collect()
}

/// Finds a run of words said three times or more in a row (four times for one word).
fn loops(words: &[String]) -> Option<(String, usize)> {
    for size in 1..=12.min(words.len() / 2) {
        let least = if size == 1 { 4 } else { 3 };
        let mut equal = 0;
        for at in size..words.len() {
            equal = if words[at] == words[at - size] { equal + 1 } else { 0 };
            if equal >= size * (least - 1) {
                let times =
                    1 + (at..words.len()).take_while(|&i| words[i] == words[i - size]).count() / size + equal / size;
                return Some((words[at + 1 - size..=at].join(" "), times));
            }
        }
    }
    None
}

/// Finds four words that come back four times or more anywhere in the text.
fn returning_phrase(words: &[String]) -> Option<(String, usize)> {
    if words.len() < 16 {
        return None;
    }
    let mut counts: BTreeMap<&[String], usize> = BTreeMap::new();
    for phrase in words.windows(4) {
        *counts.entry(phrase).or_default() += 1;
    }
    let (phrase, times) = counts.into_iter().max_by_key(|(_, times)| *times)?;
    // Long texts may come back to a phrase: one in twenty words is no prose.
    (times >= 4 && times * 20 >= words.len()).then(|| (phrase.join(" "), times))
}

/// Finds a sentence of five words or more that stands there twice.
fn doubled_sentence(text: &str) -> Option<(String, usize)> {
    let mut counts: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    for sentence in text.split(['.', '!', '?', '؟', '\n']) {
        let words = tokens(sentence);
        if words.len() >= 5 {
            *counts.entry(words).or_default() += 1;
        }
    }
    let (sentence, times) = counts.into_iter().max_by_key(|(_, times)| *times)?;
    (times >= 2).then(|| (sentence.join(" "), times))
}

/// Finds a few letters said six times or more in a row within words: "anananananan", "AAAAAAAA".
fn stutter(text: &str) -> Option<(String, usize)> {
    for word in text.split(|c: char| !c.is_alphabetic()) {
        let letters: Vec<char> = word.chars().collect();
        for size in 1..=8.min(letters.len() / 6) {
            let mut equal = 0;
            for at in size..letters.len() {
                equal = if letters[at] == letters[at - size] { equal + 1 } else { 0 };
                // A drawn-out "nooooo" is a word; ten letters of one kind are none.
                if equal >= (size * 5).max(9) {
                    return Some((letters[at + 1 - size..=at].iter().collect(), equal / size + 1));
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::check::Check;
    use crate::check::tests::flags;

    #[test]
    fn faults_are_flagged() {
        let pairs = [
            ("ناقش المجلس الميزانية", "The council discussed the budget of the budget of the budget of the budget"),
            ("سقطت أمطار غزيرة", "Heavy heavy heavy heavy rain fell"),
            ("فاز الفريق في المباراة الأخيرة", "The team won its last match today. The team won its last match today."),
            ("اسم المدينة", "Ananananananananan"),
        ];
        for (source, target) in pairs {
            assert!(flags(source, target).contains(&Check::Repetition), "{source} | {target}");
        }
    }

    #[test]
    fn what_only_differs_in_wording_is_not() {
        let pairs = [
            ("قال لا لا لا", "He said no, no, no"),
            ("ناقش المجلس الميزانية", "The council discussed the budget, the council's own budget among others"),
            ("يوما بعد يوم", "Day after day after day"),
        ];
        for (source, target) in pairs {
            assert!(!flags(source, target).contains(&Check::Repetition), "{source} | {target}");
        }
    }
}
