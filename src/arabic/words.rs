//! Words of Arabic text in a form that can be compared, and the function words that checks need.
//!
//! In: Arabic text. Out: [`Word`]s with their spans, letters folded (hamza, alif maqsura, ta marbuta, vowel signs), and
//! word classes: particles of negation, words that deny without a particle. Clitics of names are left to the glossary.
//! Source: the closed classes of Modern Standard Arabic as grammars list them (Ryding, A Reference Grammar of MSA, ch. 37).

use crate::span::Span;

/// A word of Arabic letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Its bytes in the text.
    pub span: Span,
    /// Its letters, folded by [`fold`].
    pub folded: String,
}

/// Returns whether a character is part of an Arabic word: a letter or a sign on a letter.
pub fn is_letter(c: char) -> bool {
    matches!(c, '\u{620}'..='\u{65f}' | '\u{66e}'..='\u{6d3}' | '\u{6d5}' | '\u{6ee}' | '\u{6ef}' | '\u{6fa}'..='\u{6fc}'
        | '\u{750}'..='\u{77f}' | '\u{8a0}'..='\u{8c9}' | '\u{fb50}'..='\u{fdc7}' | '\u{fdf0}'..='\u{fdfb}' | '\u{fe70}'..='\u{fefc}')
}

/// Adds a character to a folded word; signs that carry no letter add nothing.
fn fold_into(c: char, folded: &mut String) {
    match c {
        'أ' | 'إ' | 'آ' | 'ٱ' => folded.push('ا'),
        'ى' => folded.push('ي'),
        'ة' => folded.push('ه'),
        '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}' => {}
        'ک' => folded.push('ك'),
        'ی' => folded.push('ي'),
        c => folded.push(c),
    }
}

/// Folds the letters of a word that writers interchange: hamza on alif, final ya, ta marbuta; drops vowel signs.
pub fn fold(word: &str) -> String {
    let mut folded = String::with_capacity(word.len());
    for c in word.chars() {
        fold_into(c, &mut folded);
    }
    folded
}

/// Splits a text into its Arabic words, in order.
pub fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut open: Option<Word> = None;
    for (at, c) in text.char_indices() {
        if is_letter(c) {
            let word = open.get_or_insert_with(|| Word { span: Span::new(at, at), folded: String::new() });
            word.span.end = at + c.len_utf8();
            fold_into(c, &mut word.folded);
        } else if let Some(word) = open.take() {
            words.push(word);
        }
    }
    words.extend(open);
    words.retain(|w| !w.folded.is_empty());
    words
}

/// Returns the word without a conjunction (و or ف) before it, where at least two letters remain.
pub fn without_conjunction(folded: &str) -> &str {
    match folded.strip_prefix(['و', 'ف']) {
        Some(rest) if rest.chars().count() >= 2 => rest,
        _ => folded,
    }
}

/// Returns the forms that a folded word may have once prefixed particles are taken off, itself first.
pub fn without_prefixes(folded: &str) -> impl Iterator<Item = &str> {
    let bare = without_conjunction(folded);
    let conjunction = (bare.len() != folded.len()).then_some(bare);
    let particle = |word: &'_ str| -> Option<usize> {
        for prefix in ["بال", "كال", "وال", "فال", "ال", "لل", "ب", "ل", "ك"] {
            if let Some(rest) = word.strip_prefix(prefix)
                && rest.chars().count() >= 2
            {
                return Some(word.len() - rest.len());
            }
        }
        None
    };
    let a = particle(folded).map(|cut| &folded[cut..]);
    let b = conjunction.and_then(|word| particle(word).map(|cut| &word[cut..]));
    std::iter::once(folded).chain(conjunction).chain(a).chain(b)
}

/// How strongly a word denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// A particle that negates the sentence or the word behind it; English says "not", "no", "never", "without".
    Outright,
    /// A word with a negative meaning, or a particle in a phrase that English words positively: ما زال, إلا, رفض, عدم.
    Soft,
}

/// Says whether the word at `at` denies, judged with its neighbours.
pub fn denial(words: &[Word], at: usize) -> Option<Denial> {
    let folded = words.get(at)?.folded.as_str();
    let bare = without_conjunction(folded);
    let next = |ahead: usize| words.get(at + ahead).map_or("", |w| w.folded.as_str());
    let soft_phrase = || {
        // لا يزال, لم يعد, لا سيما, لا بد, لا شك, لا ... إلا, ليس فقط: English says still, no longer, must, only.
        let verb = next(1);
        let continues =
            ["زال", "يزال", "تزال", "يزالون", "تزل", "يزل", "ازال", "نزال", "زالت", "زالوا", "يزالان"].contains(&verb);
        let idiom = matches!(verb, "سيما" | "بد" | "شك" | "ريب" | "محاله" | "باس" | "فقط" | "مجرد");
        let excepted = words[at + 1..].iter().take(8).any(|w| matches!(w.folded.as_str(), "الا" | "سوي" | "غير"));
        continues || idiom || excepted
    };
    match bare {
        "لم" | "لن" | "ليس" | "ليست" | "ليسوا" | "لسنا" | "لست" | "لسن" | "لا" => {
            Some(if soft_phrase() { Denial::Soft } else { Denial::Outright })
        }
        "غير" => Some(Denial::Outright),
        "دون" | "بدون" | "عدم" | "الا" | "ما" | "بلا" | "كلا" | "لو" | "سوي" | "قط" | "ابدا" => {
            Some(Denial::Soft)
        }
        _ => soft_word(bare).then_some(Denial::Soft),
    }
}

/// Returns whether a word denies by its meaning: refuse, lack, prevent, fail, deny, absence, ban, except.
fn soft_word(bare: &str) -> bool {
    const STEMS: &[&str] = &[
        "رفض",
        "يرفض",
        "ترفض",
        "رافض",
        "منع",
        "يمنع",
        "تمنع",
        "ممنوع",
        "حظر",
        "يحظر",
        "تحظر",
        "محظور",
        "فشل",
        "يفشل",
        "تفشل",
        "نفي",
        "ينفي",
        "تنفي",
        "ينف",
        "انكر",
        "ينكر",
        "تنكر",
        "نقص",
        "تنقص",
        "افتقر",
        "يفتقر",
        "تفتقر",
        "افتقار",
        "غياب",
        "غاب",
        "انعدام",
        "بعدم",
        "لعدم",
        "وعدم",
        "امتنع",
        "يمتنع",
        "امتناع",
        "استحال",
        "مستحيل",
        "عجز",
        "يعجز",
        "عاجز",
        "خال",
        "خالي",
        "بغير",
        "ودون",
        "بلا",
        "نادر",
        "قليل",
        "اقل",
        "باستثناء",
        "استثن",
        "عدا",
        "ماعدا",
        "تجنب",
        "يتجنب",
        "تتجنب",
        "توقف",
        "تراجع",
        "حال",
        "كاد",
        "بالكاد",
        "فقد",
        "لولا",
        "لولم",
        "مجهول",
        "كذب",
        "خاطئ",
        "فقط",
        "وحد",
        "مجرد",
        "الغ",
        "كف",
        "استبعد",
        "يستبعد",
        "مستبعد",
        "شك",
        "يشك",
        "تشك",
        "صعب",
        "يتعذر",
        "تعذر",
        "ضد",
        "لاا",
        "نهائي",
        "مطلقا",
        "بعيد",
        "ابدا",
        "لاي",
        "اي",
        "ايا",
        "ايه",
        "احد",
        "سوي",
        "انتهاء",
        "مناهض",
        "معارض",
        "بعد",
        "بلغ",
        "ندر",
        "قلما",
        "ناهي",
    ];
    without_prefixes(bare)
        .any(|form| STEMS.iter().any(|s| form.strip_prefix(s).is_some_and(|r| r.chars().count() <= 4)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_know_their_place() {
        let text = "وقالَ أحمدُ: «مئةٌ» 3";
        let words = words(text);
        let folded: Vec<_> = words.iter().map(|w| w.folded.as_str()).collect();
        assert_eq!(folded, ["وقال", "احمد", "مئه"]);
        assert_eq!(words[1].span.of(text), "أحمدُ");
    }

    #[test]
    fn prefixes_come_off_one_way_at_a_time() {
        let forms: Vec<_> = without_prefixes("وبالعشرين").collect();
        assert_eq!(forms, ["وبالعشرين", "بالعشرين", "عشرين"]);
        assert_eq!(without_prefixes("ولد").collect::<Vec<_>>(), ["ولد", "لد"]);
    }
}
