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

/// How a word denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// A particle that negates the sentence or the word behind it; English says "not", "no", "never", "un-".
    Outright,
    /// A word that denies by its meaning, which English answers with one like it: رفض refuse, منع prevent, عدم non-.
    Meaning,
    /// A word or phrase that English words either way: ما زال still, إلا only, دون below, صعب hard.
    Soft,
}

/// Says whether the word at `at` denies, judged with its neighbours.
pub fn denial(words: &[Word], at: usize) -> Option<Denial> {
    let bare = without_conjunction(&words.get(at)?.folded);
    let next = words.get(at + 1).map_or("", |w| w.folded.as_str());
    match bare {
        // لم شمله: he brought them together.
        "لم" if next.starts_with("شمل") => None,
        "لم" | "لن" | "ليس" | "ليست" | "ليسوا" | "لسنا" | "لست" | "لستم" | "لسن" | "ليسا" | "لا" => {
            Some(if in_positive_phrase(words, at, next) { Denial::Soft } else { Denial::Outright })
        }
        // غير أن is "but", and a negated غير (لا غير, ليس غير) is "only".
        "غير" if matches!(next, "ان" | "انه" | "انها" | "انهم" | "اني") => Some(Denial::Soft),
        // "غير معروف وغير واضح" is answered by one "unclear".
        "غير" if (1..=3).any(|back| at >= back && without_conjunction(&words[at - back].folded) == "غير") => {
            Some(Denial::Soft)
        }
        "غير" if ALWAYS_DENIED.iter().any(|stem| next.starts_with(stem)) => Some(Denial::Outright),
        // Other adjectives may have an English word of their own: غير متوقع sudden, غير مباشر oblique.
        "غير" => Some(Denial::Meaning),
        "دون" | "بدون" | "الا" | "ما" | "بلا" | "كلا" | "لو" | "سوي" | "قط" | "ابدا" | "لات" => {
            Some(Denial::Soft)
        }
        _ => word_of_denial(bare),
    }
}

/// Adjectives that English, too, denies after غير: illegal, impossible, unable, unclear, unknown, not guilty.
const ALWAYS_DENIED: &[&str] = &[
    "قانون",
    "شرعي",
    "دستوري",
    "ممكن",
    "قادر",
    "صحيح",
    "مقبول",
    "مسبوق",
    "كاف",
    "مذنب",
    "معروف",
    "واضح",
    "مستقر",
    "رسمي",
    "محتمل",
    "مرجح",
    "راض",
    "سعيد",
    "صادق",
    "ضروري",
    "مستعد",
    "مهتم",
    "متاح",
    "موجود",
    "حقيقي",
    "عادل",
    "امن",
    "متساو",
];

/// Returns whether a particle is part of a phrase that English words without a negation: لا يزال still, لا بد must,
/// لا شك surely, ليس فقط not only, لم ... إلا only, لم ... بعد yet to.
fn in_positive_phrase(words: &[Word], at: usize, next: &str) -> bool {
    const STILL: &[&str] = &[
        "زال",
        "زالت",
        "زالوا",
        "يزال",
        "يزالون",
        "يزالان",
        "يزل",
        "تزال",
        "تزل",
        "ازال",
        "نزال",
        "نزل",
        "ينفك",
        "يبرح",
    ];
    const IDIOMS: &[&str] = &["سيما", "بد", "شك", "ريب", "محاله", "فقط", "مجرد", "سوي", "يقتصر", "تقتصر", "يقل", "تقل"];
    let excepted = |w: &Word| matches!(w.folded.as_str(), "الا" | "سوي" | "بعد");
    STILL.contains(&next) || IDIOMS.contains(&next) || words[at + 1..].iter().take(9).any(excepted)
}

/// Says whether a word denies by its meaning.
fn word_of_denial(bare: &str) -> Option<Denial> {
    const MEANING: &[&str] = &[
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
        "نفت",
        "ينفي",
        "تنفي",
        "انكر",
        "ينكر",
        "تنكر",
        "افتقر",
        "يفتقر",
        "تفتقر",
        "افتقار",
        "انعدام",
        "عدم",
        "امتنع",
        "يمتنع",
        "امتناع",
        "استحال",
        "مستحيل",
        "عجز",
        "يعجز",
        "عاجز",
        "تجنب",
        "يتجنب",
        "تتجنب",
        "استبعد",
        "يستبعد",
        "مستبعد",
        "اخفق",
        "يخفق",
        "تخفق",
        "اخفاق",
        "تجاهل",
        "يتجاهل",
        "تتجاهل",
        "جهل",
        "يجهل",
        "تجهل",
        "يخلو",
        "تخلو",
        "خلت",
        "احجم",
    ];
    const SOFT: &[&str] = &[
        "نقص",
        "غياب",
        "غاب",
        "خال",
        "خالي",
        "نادر",
        "ندر",
        "قليل",
        "اقل",
        "باستثناء",
        "استثن",
        "عدا",
        "ماعدا",
        "توقف",
        "تراجع",
        "حال",
        "كاد",
        "بالكاد",
        "فقد",
        "لولا",
        "مجهول",
        "كذب",
        "خاطئ",
        "فقط",
        "وحد",
        "مجرد",
        "الغ",
        "كف",
        "شك",
        "يشك",
        "تشك",
        "صعب",
        "يتعذر",
        "تعذر",
        "ضد",
        "نهائي",
        "مطلقا",
        "بعيد",
        "اي",
        "ايا",
        "ايه",
        "سوي",
        "مناهض",
        "معارض",
        "قلما",
        "ناهي",
        "بغير",
        "حرم",
        "محروم",
        "قبل",
        "كلما",
        "بدل",
        "خلاف",
        "بالرغم",
        "رغم",
        "سلب",
        "انته",
        "اوقف",
        "وقف",
        "ازال",
        "تخل",
        "ظل",
        "يظل",
        "تظل",
        "بقي",
        "يبق",
        "تبق",
        "مازال",
        "لازال",
        "لاي",
        "لات",
        "اليس",
        "الم",
        "افلا",
        "لئلا",
        "كيلا",
        "لكيلا",
        "مش",
        "مو",
        "مفقود",
        "خسر",
        "خسار",
        "صمت",
        "ترك",
        "استغن",
        "انقطع",
        "قطع",
        "تردد",
        "يصعب",
        "عكس",
        "نقيض",
        "غامض",
        "خطا",
        "باطل",
        "ينقص",
        "تنقص",
        "سلبي",
        "لابد",
        "لاسيما",
        "ممتنع",
        "غنى",
        "اعف",
        "معف",
        "محال",
        "نهاي",
        "اخر",
    ];
    let begins = |stems: &[&str], longest: usize| {
        let fits = |form: &str, s: &&str| form.strip_prefix(*s).is_some_and(|rest| rest.chars().count() <= longest);
        without_prefixes(bare).any(|form| stems.iter().any(|s| fits(form, s)))
    };
    if begins(MEANING, 3) { Some(Denial::Meaning) } else { begins(SOFT, 4).then_some(Denial::Soft) }
}

/// Returns whether words of a text seem to be run together, as text taken from some pages is: then no word is sure.
pub fn run_together(words: &[Word]) -> bool {
    // The longest words that Arabic inflects (وبالاستراتيجيات, فسيستخدمونها) have fifteen letters.
    words.iter().any(|w| w.folded.chars().count() >= 16)
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

    #[test]
    fn denials_are_told_from_idioms() {
        let kinds = |text: &str| {
            let words = words(text);
            (0..words.len()).filter_map(|i| denial(&words, i)).collect::<Vec<_>>()
        };
        for text in ["لم يحضر الوزير", "ولن نقبل", "ليست هناك أزمة", "قرار غير قانوني", "لا توجد أمطار"]
        {
            assert_eq!(kinds(text), [Denial::Outright], "{text}");
        }
        for text in ["لا يزال الطقس باردا", "لا بد من الحوار", "غير أنه وافق", "لا سيما في الجنوب"]
        {
            assert_eq!(kinds(text), [Denial::Soft], "{text}");
        }
        assert_eq!(kinds("رفضت الحكومة"), [Denial::Meaning]);
        assert!(kinds("حضر الوزير إلى العاصمة").is_empty());
    }
}
