//! What a site adds around an article, told line by line.
//!
//! In: a [`Line`]. Out: its [`Mark`], or none where the line may be the author's. The vocabulary is data
//! (`furniture.txt` beside this file); the rules of position (what ends an article, how far a list of links goes) are
//! [`super::page`]'s.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::line::{Hint, Line, key, without_figures};
use super::outlet::data;
use super::stated;
use crate::arabic::calendar::dates;
use crate::arabic::letters::digit;

/// What a line of furniture says about the lines after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Nothing: a button, a counter, an advertisement.
    Widget,
    /// Links to other articles follow, or stand on this line.
    Related,
    /// The article is over: the form for comments.
    End,
    /// The article is over where hardly any running text follows: tags, contributors, rights.
    Tail,
    /// A sentence of the site about the article or about itself.
    Notice,
    /// The publisher's own summary follows.
    Summary,
    /// Facts that stand beside the article in a box of their own follow: the life of the guest.
    Box,
}

struct Vocabulary {
    whole: BTreeMap<String, Mark>,
    /// Phrases that a line may start with, by their first word.
    /// with whether a colon has to follow.
    starts: BTreeMap<String, Vec<(String, Mark, bool)>>,
    notices: Vec<String>,
}

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| {
    let mut vocabulary = Vocabulary { whole: BTreeMap::new(), starts: BTreeMap::new(), notices: Vec::new() };
    let mut mark = Mark::Widget;
    for line in data(include_str!("furniture.txt")) {
        if let Some(section) = line.strip_prefix('[') {
            mark = match section.trim_end_matches(']') {
                "related" => Mark::Related,
                "end" => Mark::End,
                "tail" => Mark::Tail,
                "notice" => Mark::Notice,
                "summary" => Mark::Summary,
                "box" => Mark::Box,
                _ => Mark::Widget,
            };
            continue;
        }
        let phrase = without_figures(&key(line));
        if mark == Mark::Notice {
            vocabulary.notices.push(phrase);
        } else if line.ends_with('*') {
            let first = phrase.split(' ').next().unwrap_or_default().to_owned();
            let colon = line.ends_with(":*");
            vocabulary.starts.entry(first).or_default().push((phrase.clone(), mark, colon));
            if !colon {
                vocabulary.whole.insert(phrase, mark);
            }
        } else {
            vocabulary.whole.insert(phrase, mark);
        }
    }
    vocabulary
});

/// Returns the mark of a line that a site adds, `None` where the line may be the author's.
pub(super) fn mark(line: &Line) -> Option<Mark> {
    // The name of such a box is the author's heading where nothing is a box.
    label(line).filter(|&mark| mark != Mark::Box)
}

/// Returns the mark of a line that may be the label of a box.
pub(super) fn label(line: &Line) -> Option<Mark> {
    if line.words <= MAX_NOTICE && (is_policy(&line.text) || is_about_summary(line)) {
        return Some(Mark::Notice);
    }
    if line.key.is_empty() && line.words > 3 {
        return None;
    }
    if !line.has_letter() && !dates(&line.text).is_empty() {
        return None;
    }
    if !line.has_letter() || is_address(&line.text) || line.key.is_empty() || is_staff(line) {
        // Page numbers, times, rows of stars, addresses.
        return Some(Mark::Widget);
    }
    let vocabulary = &*VOCABULARY;
    let phrase = without_figures(&line.key);
    if let Some(&mark) = vocabulary.whole.get(&phrase) {
        return Some(mark);
    }
    if vocabulary.notices.iter().any(|notice| starts_or_says(&phrase, notice, line)) {
        return Some(Mark::Notice);
    }
    if line.has_stop() && !line.is_cut_off() && line.words > 6 {
        return None;
    }
    // "نشر في 5 يونيو 2023" is read for its date; "نشر في: أخبار" names sections.
    if line.words <= MAX_DATED && line.text.contains(|c| digit(c).is_some()) && stated::first(&line.text).is_some() {
        return None;
    }
    if is_buttons(&line.text, vocabulary) || is_breadcrumb(line) || line.text.starts_with('#') && is_tags(&line.text) {
        return Some(Mark::Widget);
    }
    let first = phrase.split(' ').next().unwrap_or_default();
    let lead = line.text.split([':', '|', '：']).next().filter(|lead| lead.len() < line.text.len());
    vocabulary.starts.get(first)?.iter().find_map(|(start, mark, colon)| {
        let rest = phrase.strip_prefix(start.as_str())?;
        if !rest.is_empty() && !rest.starts_with(' ') {
            return None;
        }
        // "اقرأ أيضا: …" may go on for long; without the colon only a few words can be a label.
        let labelled = lead.is_some_and(|lead| without_figures(&key(lead)) == *start);
        let most = if start.contains(' ') { 4 } else { 2 };
        (labelled || !colon && rest.split_whitespace().count() <= most).then_some(*mark)
    })
}

/// What lines about rights say, folded, and the most words that they have where they do not open so.
const RIGHTS: &str = "جميع الحقوق محفوظه";
const MAX_RIGHTS: usize = 8;

/// Returns whether a line says what a notice says: at its start, or anywhere in a short line.
fn starts_or_says(phrase: &str, notice: &str, line: &Line) -> bool {
    // A sentence may speak of rights as well.
    if notice == RIGHTS && line.words > MAX_RIGHTS && !phrase.starts_with(notice) {
        return false;
    }
    line.words <= 45
        && (phrase.starts_with(notice)
            || (line.words <= 30 && notice.split(' ').count() >= 3 && phrase.contains(notice)))
}

/// The most words of a line that says when an article was published.
const MAX_DATED: usize = 12;

/// The most words of a site's notice about its papers.
const MAX_NOTICE: usize = 100;

/// Returns whether a line speaks of two of the papers that sites make readers agree to.
fn is_policy(text: &str) -> bool {
    let papers = ["سياسة الخصوصية", "شروط الاستخدام", "شروط استخدام الموقع", "إرشادات الاستخدام", "ملفات تعريف الارتباط"];
    papers.iter().filter(|paper| text.contains(**paper)).count() >= 2
}

/// Returns whether a line says who or what made the publisher's summary.
fn is_about_summary(line: &Line) -> bool {
    let summary = ["الملخص", "هذا الموجز", "التلخيص"].iter().any(|word| line.text.contains(word));
    let maker =
        ["الذكاء الاصطناعي", "ذكاء اصطناعي", "آليا", "آلياً", "أوتوماتيكيا"].iter().any(|word| line.text.contains(word));
    summary && maker && line.words <= 20 && line.hint != Some(Hint::Title)
}

/// Returns whether a line that was marked as a button or a counter is one wherever it stands: not what a phrase that opens
/// so may also say ("انضم إلى الحملة آلاف المتطوعين"), nor a time or a number by itself.
pub(super) fn is_sure(line: &Line) -> bool {
    const MAX_BUTTON: usize = 4;
    if !line.has_letter() {
        let figures = line.text.chars().filter(|&c| digit(c).is_some()).count();
        let time = line.text.contains(':') && (3..=4).contains(&figures);
        return !time && figures < 6;
    }
    line.words <= MAX_BUTTON || is_address(&line.text) || is_staff(line) || is_breadcrumb(line) || is_tags(&line.text)
}

/// Returns whether a few words are what a button or a counter says: "3 دقائق قراءة".
pub(super) fn is_button(words: &str) -> bool {
    VOCABULARY.whole.get(&without_figures(&key(words))) == Some(&Mark::Widget)
}

fn is_address(text: &str) -> bool {
    !text.contains(char::is_whitespace)
        && (text.starts_with("http") || text.starts_with("www.") || (text.contains('@') && text.is_ascii()))
}

/// Returns whether a line in brackets says who worked on a dispatch: "(إعداد … للنشرة العربية - تحرير …)".
fn is_staff(line: &Line) -> bool {
    let leads = ["تغطيه", "اعداد", "تحرير", "شارك في التغطيه", "شارك في", "ساهم في", "اسهم في", "كتابه", "ترجمه"];
    line.text.starts_with('(')
        && line.text.ends_with([')', '.'])
        && line.words <= 40
        && leads.iter().any(|lead| line.key.strip_prefix(lead).is_some_and(|rest| rest.starts_with(' ')))
}

/// Returns whether a line is a row of buttons: "فيسبوك | تويتر | واتساب".
fn is_buttons(text: &str, vocabulary: &Vocabulary) -> bool {
    let mut parts = 0;
    for part in text.split(['|', '/', '·', '•', '»', '،', ',', '-']).map(key).filter(|part| !part.is_empty()) {
        parts += 1;
        if vocabulary.whole.get(&without_figures(&part)) != Some(&Mark::Widget) {
            return false;
        }
    }
    parts > 1
}

/// Returns whether a line is a path through the site: it starts at the home page and has separators or no spaces.
pub(super) fn is_breadcrumb(line: &Line) -> bool {
    let home = ["الرئيسية", "الصفحة الرئيسية", "الصفحه الرئيسيه", "الرئيسيه", "Home", "أنت هنا", "انت هنا"];
    home.iter().any(|home| {
        line.text.strip_prefix(home).is_some_and(|rest| {
            let next = rest.trim_start();
            // Glued to the next word, or followed by a separator.
            next.starts_with(['/', '>', '»', '›', '|', '-', '–', ':', '\\', '«', '<', '→', '←', '٫'])
                || (rest.starts_with(char::is_alphabetic) && line.words > 1)
        })
    })
}

fn is_tags(text: &str) -> bool {
    text.split_whitespace().all(|word| word.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str) -> Option<Mark> {
        mark(&Line::new(text, false))
    }

    #[test]
    fn what_sites_add_is_told() {
        for (text, wanted) in [
            ("مشاركة", Mark::Widget),
            ("+ الخط -", Mark::Widget),
            ("1,234 مشاهدة", Mark::Widget),
            ("مدة القراءة: 3 دقائق", Mark::Widget),
            ("4", Mark::Widget),
            ("14:30", Mark::Widget),
            ("فيسبوك | تويتر | واتساب", Mark::Widget),
            ("الرئيسية / Normal / عنوان المقال", Mark::Widget),
            ("الرئيسيةأخبارعربية ودوليةعنوان", Mark::Widget),
            ("#ليبيا #تونس", Mark::Widget),
            ("https://example.com/a", Mark::Widget),
            ("اقرأ أيضاً: الحكومة تعلن عن برنامج جديد لدعم الفلاحين في المناطق الجبلية", Mark::Related),
            ("شاهد أيضاً", Mark::Related),
            ("إقرأ أيضا :", Mark::Related),
            ("ترك الرد", Mark::End),
            ("المساهمون", Mark::Tail),
            ("اظهر الملخص", Mark::Summary),
            ("هذا الموقع يستخدم Akismet للحدّ من التعليقات المزعجة.", Mark::Notice),
        ] {
            assert_eq!(marked(text), Some(wanted), "{text}");
        }
    }

    #[test]
    fn what_the_author_wrote_is_left_alone() {
        for text in [
            "شاهد عيان يروي ما جرى",
            "شاهد: لحظة وصول القافلة",
            "سيرة ذاتية",
            "شارك الوزير في أعمال القمة التي انعقدت أمس.",
            "تويتر يعلن خفض عدد موظفيه في المنطقة العربية",
            "مشاركة واسعة للشباب في الانتخابات البلدية الجزئية",
            "الرئيسية في هذا الملف هي مسألة الحدود",
            "المزيد من الضغوط على الحكومة بعد تعثر المفاوضات الأخيرة مع صندوق النقد",
            "تابع المصدر أن اللجنة ستجتمع قريبا في العاصمة",
            "إعلان حالة الطوارئ",
        ] {
            assert_eq!(marked(text), None, "{text}");
        }
    }
}
