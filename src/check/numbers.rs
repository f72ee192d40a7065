//! Check: figures of the source that the target lacks, and figures of the target that the source lacks.
//!
//! In: a read [`Pair`]. Out: the numbers without a counterpart, and a verdict on them. Digits must have a counterpart on
//! the other side, in digits or in words; numbers in words are held against a target only where both sides have one too
//! many, since languages differ in what they count in words ("a couple", duals, "one of").

use super::pair::Pair;
use crate::number::{Certainty, Number};

/// The numbers of both sides that have no counterpart.
#[derive(Debug, Default)]
pub(super) struct Unmatched<'p> {
    /// Numbers of the source.
    pub missing: Vec<&'p Number>,
    /// Numbers of the target.
    pub invented: Vec<&'p Number>,
}

/// Finds the numbers of at least a certainty that have no counterpart of any certainty.
pub(super) fn unmatched<'p>(pair: &'p Pair<'_>, certainty: Certainty) -> Unmatched<'p> {
    let lacks = |these: &'p [Number], those: &'p [Number]| {
        let alone = |n: &&Number| n.certainty >= certainty && !those.iter().any(|m| n.agrees(m)) && !is_sum(n, those);
        these.iter().filter(alone).collect()
    };
    Unmatched {
        missing: lacks(&pair.source_numbers, &pair.target_numbers),
        invented: lacks(&pair.target_numbers, &pair.source_numbers),
    }
}

/// "a hundred and twenty thousand" may be read as two numbers on one side: their sum or product counts as both.
fn is_sum(number: &Number, others: &[Number]) -> bool {
    others.windows(2).any(|two| {
        let adjoining = two[1].span.start.saturating_sub(two[0].span.end) <= 4;
        let [a, b] = [two[0].value, two[1].value];
        adjoining && a >= 100.0 && (number.value == a + b || number.value == a * b)
    })
}

/// Judges the numbers of a pair.
pub(super) fn judge(pair: &Pair<'_>) -> Option<String> {
    let figures = unmatched(pair, Certainty::Figure);
    let words = unmatched(pair, Certainty::Words);
    let show = |numbers: &[&Number], text: &str| {
        let shown: Vec<&str> = numbers.iter().filter_map(|n| text.get(n.span.start..n.span.end)).collect();
        shown.join(", ")
    };
    let replaced = !words.missing.is_empty() && !words.invented.is_empty();
    let (missing, invented) = match (figures.missing.as_slice(), figures.invented.as_slice()) {
        _ if replaced => (words.missing.as_slice(), words.invented.as_slice()),
        ([], []) => return None,
        (missing, invented) => (missing, invented),
    };
    let mut detail = String::new();
    if !missing.is_empty() {
        detail = format!("source has {}", show(missing, pair.source));
    }
    if !invented.is_empty() {
        let lead = if detail.is_empty() { "" } else { ", " };
        detail = format!("{detail}{lead}target has {}", show(invented, pair.target));
    } else {
        detail.push_str(", target has none of it");
    }
    Some(detail)
}

#[cfg(test)]
mod tests {
    use crate::check::Check;
    use crate::check::tests::flags;

    #[test]
    fn faults_are_flagged() {
        let pairs = [
            ("أصيب 23 شخصا في حادث سير قرب صفاقس", "32 people were hurt in a road accident near Sfax"),
            ("يمتد المشروع حتى عام 2027", "The project runs until 2026"),
            ("بلغ العجز 4,2 مليار دينار", "The deficit came to 4.2 million dinars"),
            ("سجل الميناء ارتفاعا بنسبة ١٥٪", "The port recorded a rise of 50%"),
            ("تنطلق المباراة على الساعة 19:30", "The match kicks off at 18:30"),
            ("بقي خمسة عشر نائبا في القاعة", "Fifty deputies stayed in the hall"),
            ("عقد الاجتماع في 9 سبتمبر", "The meeting was held on 8 September"),
            ("تبعد المدينة 50 كيلومترا عن الحدود", "The town is 60 miles from the border"),
        ];
        for (source, target) in pairs {
            assert!(flags(source, target).contains(&Check::Numbers), "{source} | {target}");
        }
    }

    #[test]
    fn what_only_differs_in_wording_is_not() {
        let pairs = [
            ("تنطلق المباراة على الساعة 19:30", "The match kicks off at 7.30pm"),
            ("بلغ العجز 4,2 مليار دينار", "The deficit came to 4.2bn dinars"),
            ("حصل على خمسين في المئة من الأصوات", "He won half of the vote: 50 percent"),
            ("بعد عامين من الثورة", "Two years after the revolution"),
            ("يبلغ عدد السكان 3.5 مليون نسمة", "The population is 3,500,000"),
            ("تبعد المدينة 50 كيلومترا عن الحدود", "The town is 31 miles from the border"),
            ("فاز الفريق بنتيجة 2-1", "The team won 1-2 away"),
            ("في ثمانينيات القرن الماضي", "In the 1980s"),
            ("ما بين 3 و5 ملايين دينار", "Between 3 and 5 million dinars"),
            ("بلغت الحرارة 40 درجة مئوية", "It reached 104 degrees Fahrenheit"),
            ("الدورة الحادية والعشرون للمهرجان", "The festival's 21st edition"),
        ];
        for (source, target) in pairs {
            assert!(!flags(source, target).contains(&Check::Numbers), "{source} | {target}");
        }
    }
}
