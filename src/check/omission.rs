//! Check: a target too short or too long for its source, or one that breaks off.
//!
//! In: a read [`Pair`]. Out: a verdict with the lengths. See [`judge`] for the statistics.

use super::pair::Pair;

/// Mean of ln(target length / source length) in letters and digits, measured on the even documents of NTREX (497 pairs,
/// Arabic to English): 0.06, of texts of all lengths alike.
const MEAN: f64 = 0.06;

/// Returns by how many standard deviations a target is longer than its source lets one expect; negative if shorter.
pub(super) fn surprise(pair: &Pair<'_>) -> f64 {
    let (source, target) = (pair.source_length() as f64, pair.target_length() as f64);
    if source < 1.0 {
        return 0.0;
    }
    let ratio = (target.max(1.0) / source).ln();
    // The deviation measured falls from 0.24 under 25 letters to 0.14 above 150: a fixed part and one that averages out.
    let deviation = (0.13f64.powi(2) + 1.2 / source.max(1.0)).sqrt();
    (ratio - MEAN) / deviation
}

/// Judges the length of a target.
pub(super) fn judge(pair: &Pair<'_>) -> Option<String> {
    let surprise = surprise(pair);
    let (source, target) = (pair.source_length(), pair.target_length());
    if surprise < -3.0 {
        return Some(format!("target has {target} letters for {source} of the source"));
    }
    if surprise > 4.0 {
        return Some(format!("target has {target} letters for only {source} of the source"));
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
            (
                "أكد المتحدث باسم الحكومة في مؤتمر صحفي عقده صباح اليوم في العاصمة أن السلطات اتخذت كل الإجراءات اللازمة لمواجهة موجة الحر",
                "The spokesman confirmed that.",
            ),
            (
                "وصل الوزير",
                "The minister arrived in the early hours of the morning with a large delegation of businessmen, journalists and advisers who had come to sign several agreements",
            ),
        ];
        for (source, target) in pairs {
            assert!(flags(source, target).contains(&Check::Omission), "{source} | {target}");
        }
    }

    #[test]
    fn what_only_differs_in_wording_is_not() {
        let pairs = [
            (
                "أكد المتحدث باسم الحكومة أن السلطات اتخذت كل الإجراءات اللازمة",
                "The government's spokesman confirmed that the authorities had taken all necessary measures",
            ),
            ("وصل الوزير", "The minister has arrived"),
            ("نعم", "Yes, he did"),
        ];
        for (source, target) in pairs {
            assert!(!flags(source, target).contains(&Check::Omission), "{source} | {target}");
        }
    }
}
