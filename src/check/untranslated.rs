//! Check: a target that is not English: Arabic left in it, another script, or no English words at all.
//!
//! In: a read [`Pair`]. Out: a verdict naming what was left. A word or two of Arabic in quotation marks or brackets is
//! how English texts cite Arabic and passes.

use super::pair::Pair;
use crate::arabic::words::{is_letter, words};
use crate::english::words::is_function_word;

/// Judges what of a target is not English.
pub(super) fn judge(pair: &Pair<'_>) -> Option<String> {
    let arabic = words(pair.target);
    let cited = |start: usize, end: usize| {
        let before = pair.target.get(..start).and_then(|t| t.chars().next_back());
        let after = pair.target.get(end..).and_then(|t| t.chars().next());
        before.is_some_and(|c| "\"'“‘«([".contains(c)) && after.is_some_and(|c| "\"'”’»)],.".contains(c))
    };
    if let (Some(first), Some(last)) = (arabic.first(), arabic.last())
        && !(arabic.len() <= 2 && cited(first.span.start, last.span.end))
    {
        let shown: Vec<&str> = arabic.iter().take(3).map(|w| w.span.of(pair.target)).collect();
        return Some(format!("{} Arabic words are left: {}", arabic.len(), shown.join(" ")));
    }
    let letters = pair.target.chars().filter(|c| c.is_alphabetic()).count();
    let foreign = pair.target.chars().filter(|&c| c.is_alphabetic() && !is_latin(c) && !is_letter(c)).count();
    if foreign > 3 && foreign * 8 > letters {
        return Some(format!("{foreign} of {letters} letters are of no Latin script"));
    }
    // Headlines go without function words, sentences of this length do not.
    let telling = pair.target_words.iter().filter(|w| w.lower.chars().count() > 1);
    let (mut all, mut english) = (0, 0);
    for word in telling {
        all += 1;
        english +=
            usize::from(is_function_word(&word.lower) && !matches!(word.lower.as_str(), "me" | "he" | "on" | "as"));
    }
    if all >= 18 && english * 20 < all {
        return Some(format!("{english} of {all} words are English function words"));
    }
    None
}

/// Returns whether a letter is Latin, accents and all.
fn is_latin(c: char) -> bool {
    matches!(c, 'A'..='Z' | 'a'..='z' | '\u{aa}' | '\u{ba}' | '\u{c0}'..='\u{24f}' | '\u{250}'..='\u{2ff}' | '\u{1e00}'..='\u{1eff}' | '\u{fb00}'..='\u{fb06}')
}

#[cfg(test)]
mod tests {
    use crate::check::Check;
    use crate::check::tests::flags;

    #[test]
    fn faults_are_flagged() {
        let pairs = [
            ("أعلن البنك المركزي رفع الفائدة", "The central bank announced رفع الفائدة"),
            ("أعلن البنك المركزي رفع الفائدة", "أعلن البنك المركزي رفع الفائدة"),
            ("أعلن البنك المركزي رفع الفائدة", "Центральный банк объявил о повышении ставки"),
            (
                "أعلن البنك المركزي يوم الخميس رفع نسبة الفائدة المديرية للمرة الثانية في هذا العام بسبب ارتفاع الأسعار في الأسواق",
                "La banque centrale a annoncé jeudi une hausse de son taux directeur pour la deuxième fois cette année à cause de la hausse des prix sur les marchés",
            ),
        ];
        for (source, target) in pairs {
            assert!(flags(source, target).contains(&Check::Untranslated), "{source} | {target}");
        }
    }

    #[test]
    fn what_only_differs_in_wording_is_not() {
        let pairs = [
            ("الكلمة هي سلام", "The word is \"سلام\"."),
            ("أعلن البنك المركزي رفع الفائدة", "The central bank announced a rise in interest rates"),
            ("سافر إلى ساو باولو", "He travelled to São Paulo"),
        ];
        for (source, target) in pairs {
            assert!(!flags(source, target).contains(&Check::Untranslated), "{source} | {target}");
        }
    }
}
