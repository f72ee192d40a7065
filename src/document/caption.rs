//! The words under a picture, and the credits in brackets at the end of a line.
//!
//! In: a line. Out: whether it is a caption, its words without the label, the name in its brackets.

use super::line::{Line, key};
use super::outlet::{Outlet, outlet};

/// Labels before a caption, as they stand.
const LABELS: &[&str] =
    &["التعليق على الصورة", "تعليق الصورة", "صورة أرشيفية", "صورة من الأرشيف", "الصورة", "صورة", "تصوير", "عدسة"];

/// Words in brackets that tell a picture, as keys.
const PICTURE_WORDS: &[&str] = &[
    "ارشيف",
    "ارشيفيه",
    "الارشيف",
    "من الارشيف",
    "صوره ارشيفيه",
    "الانترنت",
    "مواقع التواصل",
    "مواقع التواصل الاجتماعي",
    "فيسبوك",
    "تويتر",
    "getty",
    "getty images",
    "غيتي",
    "جيتي",
    "متداوله",
    "ناشطون",
    "ا ف ب",
    "epa",
    "afp",
    "ap",
    "reuters",
    "الاوروبيه",
];

/// Returns whether a line is a caption: it has a picture's credit in brackets at its end, or a label.
pub(super) fn is_caption(line: &Line) -> bool {
    if line.words > 45 || line.text.len() > 600 {
        return false;
    }
    if labelled(&line.text).is_some() || line.text.starts_with('©') {
        return true;
    }
    let Some((before, inside)) = brackets(&line.text) else { return false };
    // "… المشروع. (رويترز)" closes an article.
    if before.ends_with(['.', '!', '؟', '"', '”', '»']) && !before.is_empty() || before.split_whitespace().count() < 2
    {
        return false;
    }
    is_credit(inside)
}

fn is_credit(inside: &str) -> bool {
    let whole = key(inside);
    let mut parts = inside.split(['/', '-', '–', '،', '|', '\\']).map(str::trim).filter(|p| !p.is_empty());
    PICTURE_WORDS.contains(&whole.as_str())
        || parts.any(|part| outlet(part).is_some() || PICTURE_WORDS.contains(&key(part).as_str()))
}

/// Returns whether words only say whose picture it is: "Reuters", "تصوير: …", "© …".
pub(super) fn is_source(words: &str) -> bool {
    let words = words.trim();
    let few = words.split_whitespace().count() <= 6;
    let labelled = ["تصوير", "عدسة", "المصدر", "مصدر الصورة", "حقوق الصورة", "Photo", "Credit"]
        .iter()
        .any(|label| words.strip_prefix(label).is_some_and(|rest| rest.trim_start().starts_with([':', '/', '-'])));
    few && (labelled || words.starts_with('©') || is_credit(words))
}

/// Returns what stands before the brackets that end a text, and what is in them.
fn brackets(text: &str) -> Option<(&str, &str)> {
    let text = text.trim().trim_end_matches('.');
    let inner = text.strip_suffix(')').or_else(|| text.strip_suffix(']'))?;
    let open = inner.rfind(['(', '['])?;
    Some((inner[..open].trim_end(), inner[open + 1..].trim()))
}

fn labelled(text: &str) -> Option<&str> {
    LABELS.iter().find_map(|label| {
        let rest = text.strip_prefix(label)?.trim_start().strip_prefix([':', '،', ','])?;
        Some(rest.trim_start()).filter(|rest| !rest.is_empty())
    })
}

/// Returns the words of a caption without its label.
pub(super) fn words(caption: &str) -> &str {
    labelled(caption).unwrap_or(caption)
}

/// Returns the outlet, no agency, that the brackets at the end of a caption name.
pub(super) fn outlet_in_credit(caption: &str) -> Option<&str> {
    let (_, inside) = brackets(caption)?;
    inside.split(['/', '-', '–', '،', '|']).map(str::trim).find(|part| outlet(part) == Some(Outlet::Publisher))
}

/// Returns a paragraph without the "(رويترز)" that ends it, and the name.
pub(super) fn closing_credit(paragraph: &str) -> Option<(&str, String)> {
    let (before, inside) = brackets(paragraph)?;
    let closed = before.ends_with(['.', '!', '؟', '"', '”', '»']);
    let known = matches!(outlet(inside), Some(Outlet::Agency | Outlet::Publisher));
    (closed && known).then(|| (before, inside.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caption(text: &str) -> bool {
        is_caption(&Line::new(text, false))
    }

    #[test]
    fn captions_are_told_by_credit_or_label() {
        for text in [
            "عرض عسكري في العاصمة 9 أغسطس 2022 (محمد علي/فرانس برس)",
            "وزير الخارجية خلال المؤتمر الصحفي (رويترز)",
            "جانب من الاحتجاجات (أرشيف)",
            "التعليق على الصورة، متظاهرون أمام البرلمان",
            "صورة: ميناء المدينة",
        ] {
            assert!(caption(text), "{text}");
        }
        for text in [
            "أعلنت الوزارة عن المشروع. (رويترز)",
            "قال رئيس اللجنة (المنتهية ولايتها)",
            "اللجنة العسكرية المشتركة (5+5)",
        ] {
            assert!(!caption(text), "{text}");
        }
        assert_eq!(words("التعليق على الصورة، متظاهرون"), "متظاهرون");
        assert_eq!(closing_credit("انتهى الأمر. (رويترز)"), Some(("انتهى الأمر.", "رويترز".to_owned())));
    }
}
