//! Whether a few words are the name of a person, by the words themselves.
//!
//! In: a phrase that has the shape of a name ([`super::credit::is_name`]). Out: whether it is one. A line that no label calls
//! a byline leaves the text only for this reason: "ارتفاع كبير" and "تحيا مصر" have the shape of a name as well. Source: given
//! names in `names.txt` beside this file, and the words of names that the glossary holds (Wikidata, see there).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::line::key;
use super::outlet::data;

/// What a word of names is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// Names open with it.
    Given,
    /// Names open with it, and sentences do as well.
    Both,
    /// Names go on with it.
    Other,
    /// Names go on with it, and sentences do as well.
    OtherBoth,
}

static NAMES: LazyLock<BTreeMap<String, Word>> = LazyLock::new(|| {
    let mut names = BTreeMap::new();
    for line in data(include_str!("../glossary/data/names.tsv")) {
        let mut fields = line.split('\t');
        let (Some(word), flags) = (fields.next(), fields.next_back().unwrap_or_default()) else { continue };
        let kind = match (flags.contains("given"), flags.contains("ambiguous")) {
            (true, false) => Word::Given,
            (true, true) => Word::Both,
            (false, false) => Word::Other,
            (false, true) => Word::OtherBoth,
        };
        names.insert(key(word), kind);
    }
    names.extend(section("given").map(|name| (name, Word::Given)));
    names.extend(section("too").map(|name| (name, Word::Both)));
    names
});

static STYLES: LazyLock<Vec<String>> = LazyLock::new(|| section("style").collect());

/// Returns the entries of a section of `names.txt` as keys.
fn section(wanted: &'static str) -> impl Iterator<Item = String> {
    let mut inside = false;
    data(include_str!("names.txt")).filter_map(move |line| {
        if line.starts_with('[') {
            inside = line.trim_matches(['[', ']']) == wanted;
            return None;
        }
        inside.then(|| key(line))
    })
}

/// Returns how many words of a phrase are the given name that opens it, and what that is.
fn opening(words: &[&str]) -> Option<(usize, Word)> {
    let two = words.get(..2).map(|two| two.join(" "));
    if let Some(&kind) = two.and_then(|two| NAMES.get(&two)) {
        return Some((2, kind));
    }
    match words {
        ["عبد", second, ..] if second.starts_with("ال") => Some((2, Word::Given)),
        ["ابو" | "ام" | "ابن" | "بن", _, ..] => Some((2, Word::Both)),
        [first, ..] => NAMES.get(*first).map(|&kind| (1, kind)),
        [] => None,
    }
}

/// Returns whether a word goes on with a name, whatever comes before it.
fn goes_on(word: &str) -> bool {
    matches!(word, "بن" | "بنت" | "ولد" | "ابو" | "ايت" | "منت" | "ابن" | "ال" | "عبد" | "الله")
        || matches!(NAMES.get(word), Some(Word::Given | Word::Other))
        || word
            .strip_prefix("ال")
            .is_some_and(|bare| matches!(NAMES.get(bare), Some(Word::Given | Word::Other)) || is_of_a_place(bare))
}

/// Returns whether a word without its article has the ending of those that tell a family's place or trade.
fn is_of_a_place(bare: &str) -> bool {
    bare.ends_with('ي') && bare.chars().count() >= 4
}

/// Returns whether a word, as a key, is one of the adjectives of news that end as the names of families do.
fn is_adjective(word: &str) -> bool {
    const ADJECTIVES: &[&str] = &[
        "عسكري",
        "سياسي",
        "اقتصادي",
        "اجتماعي",
        "تجاري",
        "رياضي",
        "صحافي",
        "اعلامي",
        "قانوني",
        "قضايي",
        "حكومي",
        "رياسي",
        "برلماني",
        "تاريخي",
        "ثقافي",
        "دبلوماسي",
        "انساني",
        "اضافي",
        "نهايي",
        "جزيي",
        "سنوي",
        "شهري",
        "يومي",
        "اسبوعي",
        "استثنايي",
        "اساسي",
        "رييسي",
        "عالمي",
        "دولي",
        "اقليمي",
        "محلي",
        "وطني",
        "تاريخي",
        "تقليدي",
        "طبيعي",
        "روسي",
        "امريكي",
        "اميركي",
        "اسراييلي",
        "فلسطيني",
        "مصري",
        "لبناني",
        "سعودي",
    ];
    ADJECTIVES.contains(&word)
}

/// Returns whether a word after a given name may be the verb of a sentence, or holds a preposition.
fn speaks(word: &str) -> bool {
    let long = word.chars().count() >= 4;
    let joined = ["بال", "لل", "كال", "فال", "وال"].iter().any(|lead| word.starts_with(lead));
    long && (joined || word.starts_with(['ي', 'ت'])) && !NAMES.contains_key(word)
}

/// Returns what stands after a style such as "د.", where there is one.
fn without_style<'k>(words: &'k [&'k str]) -> Option<&'k [&'k str]> {
    (1..=2).rev().find_map(|length| {
        let style = words.get(..length)?.join(" ");
        STYLES.contains(&style).then(|| &words[length..])
    })
}

/// Returns whether a phrase in the shape of a name is a person's: it opens with a given name and goes on as names do, or a
/// style stands before it.
pub(super) fn is_person(phrase: &str) -> bool {
    // Folded, the preposition is the name علي.
    if phrase.split_whitespace().any(|word| word == "على") {
        return false;
    }
    let folded = key(phrase);
    let words: Vec<&str> = folded.split(' ').filter(|word| !word.is_empty()).collect();
    if let Some(rest) = without_style(&words) {
        return !rest.is_empty() && (is_full(rest) || words[0] == "د" || words[0] == "ا");
    }
    is_full(&words) || STAFF.contains(&folded.as_str()) || is_descent(&words)
}

/// Those who sign for a paper, as keys.
const STAFF: &[&str] = &["هييه التحرير", "هيئه التحرير", "فريق التحرير", "اسره التحرير", "قسم التحرير", "غرفه التحرير"];

/// Returns whether a phrase is somebody and whose child that is, in words that mean nothing else.
fn is_descent(words: &[&str]) -> bool {
    matches!(words, [_, "منت" | "بن" | "ايت", _] | [_, _, "منت" | "بن" | "ايت", _])
}

fn is_full(words: &[&str]) -> bool {
    let Some((length, kind)) = opening(words) else { return false };
    let rest = &words[length..];
    // "خاشقجي", "الذايدي": families are called by places and trades.
    let family =
        rest.last().is_some_and(|word| is_of_a_place(word) && word.chars().count() >= 5 && !is_adjective(word));
    let sure = family || rest.iter().any(|word| goes_on(word));
    !rest.is_empty()
        // Two words are no sentence as a rule: "سمر يزبك".
        && (words.len() == 2 || !rest.iter().any(|word| speaks(word)))
        && match kind {
            Word::Given => sure || rest.len() == 1,
            Word::Both => sure,
            Word::Other | Word::OtherBoth => false,
        }
}

/// Returns whether a phrase in the shape of a name, beside a date, a town or an outlet, may be a person's: one of its words
/// is known from names.
pub(super) fn may_be_person(phrase: &str) -> bool {
    let folded = key(phrase);
    let words: Vec<&str> = folded.split(' ').filter(|word| !word.is_empty()).collect();
    let rest = without_style(&words).unwrap_or(&words);
    let known = |word: &&str| matches!(NAMES.get(*word), Some(Word::Given | Word::Other)) || goes_on(word);
    let family = rest.iter().skip(1).any(|word| word.strip_prefix("ال").is_some_and(is_of_a_place));
    is_person(phrase)
        || opening(rest).is_some_and(|(_, kind)| kind == Word::Given || (kind == Word::Both && rest.len() == 2))
        || (rest.len() == 2 && family)
        || rest.iter().filter(|word| known(word)).count() * 2 >= rest.len().max(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn persons_are_told_from_what_has_their_shape() {
        for name in [
            "أحمد سالم",
            "منى علي",
            "علي حسن",
            "د. أحمد سالم",
            "الدكتور رامي حداد",
            "عبد الله المنصوري",
            "لؤي العجارمة",
            "هدى مصطفى",
            "عهود الشنفري",
            "آمنة بنت الطالب",
            "محمد عبد الله",
            "السالمة منت الداه",
            "هيئة التحرير",
            "ليلى بن عمار",
            "صلاح الدين القاسمي",
            "جمال خاشقجي",
            "سمير عطا الله",
            "مشاري الذايدي",
            "عزمي بشارة",
            "سمر يزبك",
            "لميس الحديدي",
            "نجوى بركات",
        ] {
            assert!(is_person(name), "{name}");
        }
        for words in [
            "مقتل ثلاثة إرهابيين",
            "ارتفاع كبير",
            "حرب بلا نهاية",
            "قصة نجاح مصرية",
            "بيان صحفي",
            "تحيا مصر",
            "ارتفعت الأسعار مجددا",
            "والله المستعان",
            "حق الرد مكفول",
            "وفقكم الله",
            "شكرا لكم",
            "كاتب سعودي",
            "لإلغاء الاشتراك اضغط هنا",
            "قائمة البريد",
            "نتائج المباريات",
            "حاشية طنطا",
            "خطة جديدة لتطوير المستشفيات",
            "أستاذ الاقتصاد بجامعة القاهرة",
            "نجاح كبير",
            "أمل جديد",
            "خالد يفوز بالجائزة",
            "صباح الخير",
            "جمال الطبيعة",
            "سطر ثالث",
            "نور على نور",
            "نجاح عسكري",
            "جمال طبيعي",
            "سلام نهائي",
        ] {
            assert!(!is_person(words), "{words}");
        }
        assert!(may_be_person("وسن الربيعي") && !may_be_person("بيان صحفي"));
    }
}
