//! What is lifted out of a text, and what stays in it: headlines, bylines, datelines, dates, lists and closing lines of files
//! to which no site added anything, and of web pages where the rule is the same.

use std::path::Path;

use mujaz::document::{self, BlockKind, Document, ReadOptions};
use mujaz::source::{Kind, SourceFile};

use crate::common;

const TITLE: &str = "خطة جديدة لتطوير المستشفيات";
const FIRST: &str =
    "أعلنت وزارة الصحة يوم الاثنين عن خطة جديدة لتطوير المستشفيات الحكومية في جميع المحافظات خلال السنوات الخمس المقبلة.";
const SECOND: &str =
    "وقال الوزير إن الخطة تشمل بناء عشرين مستشفى وتدريب آلاف الأطباء والممرضين في مختلف التخصصات الطبية.";
const THIRD: &str = "وأضاف أن التمويل سيأتي من الموازنة العامة ومن قروض ميسرة تقدمها مؤسسات دولية شريكة للحكومة.";

fn read(name: &str, kind: Kind, bytes: &[u8]) -> Document {
    let file = SourceFile::from_bytes(Path::new(name), kind, bytes.to_vec()).unwrap();
    document::read(&file, &ReadOptions::default()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn text(lines: &[&str]) -> Document {
    read("test.txt", Kind::Text, lines.join("\n\n").as_bytes())
}

fn page(inside: &str) -> Document {
    let page =
        format!("<!DOCTYPE html><html lang=\"ar\"><head><title>{TITLE}</title></head><body>{inside}</body></html>");
    read("test.html", Kind::Html, page.as_bytes())
}

fn pdf(name: &str) -> Document {
    read(name, Kind::Pdf, &fs_err::read(common::fixture("pdf").join(name)).unwrap())
}

/// Returns whether words stand in a block of a kind.
fn has(document: &Document, kind: BlockKind, words: &str) -> bool {
    document.texts_of(kind).any(|text| text == words)
}

/// Returns whether words stand in any block.
fn stands(document: &Document, words: &str) -> bool {
    document.blocks.iter().any(|block| document.block_text(block) == words)
}

fn day(document: &Document) -> Option<String> {
    document.meta.date.as_ref().map(|date| date.iso.to_string())
}

#[test]
fn the_first_line_is_the_headline_whatever_stands_under_it() {
    let deck = "الوزير يعد بإنجازها قبل نهاية العام الحالي";
    for under in [deck, "من مراسلنا في القاهرة أحمد سالم", "The Ministry of Health announces a new plan"]
    {
        let document = text(&[TITLE, under, FIRST, SECOND]);
        assert_eq!(document.title(), Some(TITLE), "{under}");
        assert!(has(&document, BlockKind::Standfirst, under), "{under}");
        assert_eq!(document.furniture, Vec::<String>::new(), "{under}");
    }
    let document = text(&[TITLE, "صورة: الوزير خلال المؤتمر الصحفي", FIRST, SECOND]);
    assert_eq!(document.title(), Some(TITLE));
    assert!(has(&document, BlockKind::Caption, "الوزير خلال المؤتمر الصحفي"));
    // What leads to the headline is none, and neither is the name of a section.
    for over in ["رغم الأزمة الخانقة", "رأي القدس"] {
        let document = text(&[over, "خطة جديدة لتطوير المستشفيات في البلاد", FIRST, SECOND]);
        assert_eq!(document.title(), Some("خطة جديدة لتطوير المستشفيات في البلاد"), "{over}");
        assert!(stands(&document, over), "{over}");
    }
}

#[test]
fn facts_over_the_headline_are_read() {
    for (over, date, byline, publisher) in [
        ("الاثنين 5 يونيو 2023", Some("2023-06-05"), None, None),
        ("أحمد سالم", None, Some("أحمد سالم"), None),
        ("المصدر: الصباح", None, None, Some("الصباح")),
        ("القاهرة (رويترز)", None, None, Some("رويترز")),
    ] {
        let document = text(&[over, TITLE, FIRST, SECOND]);
        assert_eq!(document.title(), Some(TITLE), "{over}");
        let meta = &document.meta;
        assert_eq!(
            (day(&document).as_deref(), meta.byline.as_deref(), meta.publisher.as_deref()),
            (date, byline, publisher),
            "{over}"
        );
    }
}

#[test]
fn only_names_of_persons_leave_the_text() {
    for words in ["مقتل ثلاثة إرهابيين", "ارتفاع كبير", "قصة نجاح مصرية", "بيان صحفي", "أمل جديد"]
    {
        let document = text(&[TITLE, words, FIRST, SECOND]);
        assert_eq!(document.meta.byline, None, "{words}");
        assert!(stands(&document, words), "{words}");
    }
    for words in ["تحيا مصر", "ارتفعت الأسعار مجددا", "والله المستعان", "وفقكم الله", "كاتب سعودي", "حاشية طنطا"]
    {
        let document = text(&[TITLE, FIRST, SECOND, words]);
        assert_eq!(document.meta.byline, None, "{words}");
        assert!(stands(&document, words), "{words}");
        let document = page(&format!("<article><h1>{TITLE}</h1><p>{FIRST}</p><p>{SECOND}</p><p>{words}</p></article>"));
        assert_eq!(document.meta.byline, None, "{words}");
        assert!(stands(&document, words), "{words}");
    }
    let document = text(&[TITLE, "د. أحمد سالم", "أستاذ الاقتصاد بجامعة القاهرة", FIRST, SECOND]);
    assert_eq!(document.meta.byline.as_deref(), Some("د. أحمد سالم"));
    assert!(stands(&document, "أستاذ الاقتصاد بجامعة القاهرة"));
}

#[test]
fn who_translated_or_edited_is_no_author_and_is_not_lost() {
    for line in ["ترجمة: سعاد حسن", "تحرير: علي محمود", "تصوير: علي محمود"] {
        let document = text(&[TITLE, FIRST, SECOND, line, "إعداد: منى فؤاد"]);
        assert_eq!(document.meta.byline.as_deref(), Some("منى فؤاد"), "{line}");
        assert!(stands(&document, line), "{line}");
    }
}

#[test]
fn all_words_of_a_dateline_are_kept_in_facts() {
    let lead = |lead: &str| text(&["وزير الصحة يعلن خطة لتطوير المستشفيات", &format!("{lead}{FIRST}"), SECOND]);
    for (words, dateline, publisher) in [
        ("القاهرة (رويترز) - ", "القاهرة", "رويترز"),
        ("القاهرة (أ ف ب، رويترز) - ", "القاهرة (أ ف ب، رويترز)", "أ ف ب"),
        ("أبوظبي في 5 مايو/ وام / ", "أبوظبي في 5 مايو/ وام", "وام"),
        ("مسقط في 5 مايو 2023 /العُمانية/ ", "مسقط", "العُمانية"),
    ] {
        let document = lead(words);
        assert_eq!(document.meta.dateline.as_deref(), Some(dateline), "{words}");
        assert_eq!(document.meta.publisher.as_deref(), Some(publisher), "{words}");
        assert!(has(&document, BlockKind::Paragraph, FIRST), "{words}");
    }
    // The page's publisher is another than the agency.
    let document = page(&format!(
        "<article><h1>{TITLE}</h1><p>القاهرة (رويترز) - {FIRST}</p><p>{SECOND}</p></article><footer>x</footer>\
         <meta property=\"og:site_name\" content=\"موقع الأخبار\">"
    ));
    assert!(document.meta.dateline.as_deref().is_some_and(|words| words.starts_with("القاهرة")));
    if document.meta.publisher.as_deref() != Some("رويترز") {
        assert_eq!(document.meta.dateline.as_deref(), Some("القاهرة (رويترز)"));
    }
}

#[test]
fn lines_of_one_shape_are_no_datelines() {
    let document = text(&[TITLE, FIRST, "درجات الحرارة المتوقعة:", "القاهرة: 32", "بيروت: 28", "قنا: 7"]);
    assert_eq!((document.meta.dateline.as_deref(), document.meta.publisher.as_deref()), (None, None));
    for line in ["القاهرة: 32", "بيروت: 28", "قنا: 7"] {
        assert!(has(&document, BlockKind::Paragraph, line), "{line}");
    }
    let cairo = format!("القاهرة: {FIRST}");
    let document = text(&[TITLE, &cairo, &format!("بيروت: {SECOND}")]);
    assert_eq!(document.meta.dateline, None);
    assert!(stands(&document, &cairo));
}

#[test]
fn closing_lines_without_stops_and_lists_are_the_authors() {
    let open = "وأشار إلى أن العمل سيبدأ مطلع العام المقبل في بنها";
    let other = "وختم بأن الخطة ستنجح بفضل جهود الجميع في أسوان";
    let document = text(&[TITLE, FIRST, SECOND, open, other, "الأهلي 2 - 1 الزمالك", "اقرأ أيضا: خبر آخر عن الصحة"]);
    for line in [open, other, "الأهلي 2 - 1 الزمالك"] {
        assert!(has(&document, BlockKind::Paragraph, line), "{line}");
    }
    let towns = ["القاهرة", "أسوان", "المنيا", "سوهاج", "قنا", "بنها"];
    let lines = [&[TITLE, FIRST, "والمحافظات هي:"][..], &towns, &[SECOND, THIRD]].concat();
    let document = text(&lines);
    for town in towns {
        assert!(has(&document, BlockKind::Paragraph, town), "{town}");
    }
    assert_eq!(document.texts_of(BlockKind::Standfirst).count(), 0);
    let document = text(&[TITLE, FIRST, SECOND, "| المحافظة | العدد |\n|---|---|\n| القاهرة | 12 |\n| أسوان | 3 |"]);
    assert!(has(&document, BlockKind::TableRow, "القاهرة | 12"));
}

#[test]
fn sentences_that_open_like_buttons_are_the_authors() {
    for line in [
        "شاهد الوزير بنفسه سير العمل",
        "انضم إلى الحملة آلاف المتطوعين",
        "وقال المؤلف إن جميع الحقوق محفوظة له في العقد الجديد.",
    ] {
        let document = text(&[TITLE, FIRST, line, SECOND]);
        assert!(stands(&document, line), "{line}");
    }
}

#[test]
fn dates_under_the_headline() {
    for (line, wanted) in [
        ("نشر في 5 يونيو 2023", "2023-06-05"),
        ("نُشر في: 5 يونيو 2023", "2023-06-05"),
        ("نشر في 05/06/2023", "2023-06-05"),
        ("نشر في يوم 5 يونيو 2023", "2023-06-05"),
        ("كتب في 5 يونيو 2023", "2023-06-05"),
        ("أُضيف بتاريخ: 5 يونيو 2023", "2023-06-05"),
        ("كُتب بواسطة أحمد سالم في 5 يونيو 2023", "2023-06-05"),
        ("5 يونيو 2023 | 3 دقائق قراءة", "2023-06-05"),
        ("الإثنين ١٦ ذو القعدة ١٤٤٤ هـ", "2023-06-05"),
        ("الرياض 15 شوال 1444 هـ الموافق 05 مايو 2023 م واس", "2023-05-05"),
    ] {
        let document = text(&[TITLE, line, FIRST, SECOND]);
        assert_eq!(document.title(), Some(TITLE), "{line}");
        assert_eq!(day(&document).as_deref(), Some(wanted), "{line}");
        let document = page(&format!("<article><h1>{TITLE}</h1><p>{line}</p><p>{FIRST}</p><p>{SECOND}</p></article>"));
        assert_eq!(day(&document).as_deref(), Some(wanted), "{line} on a page");
    }
}

#[test]
fn days_of_a_chronology_stay_in_the_text() {
    let document = page(&format!(
        "<article><h1>{TITLE}</h1><p>{FIRST}</p><h2>التسلسل الزمني</h2><p class=\"date\">5 مايو 2015</p><p>إطلاق البرنامج الوطني للصحة \
         في العاصمة.</p><p class=\"date\">7 يونيو 2018</p><p>توسيع البرنامج ليشمل المحافظات كلها.</p><p>{SECOND}</p></article>"
    ));
    assert_eq!(day(&document), None);
    assert!(stands(&document, "5 مايو 2015") && stands(&document, "7 يونيو 2018"));
}

#[test]
fn the_lead_of_a_page_is_not_its_headline() {
    let lead = "خطة جديدة لتطوير المستشفيات الحكومية في جميع المحافظات أعلنتها وزارة الصحة مساء أمس الأربعاء، وفق ما ذكرته مصادر.";
    for headline in [format!("<h1>{TITLE}</h1>"), String::new(), "<h1>الصحة: مستشفيات أفضل</h1>".to_owned()]
    {
        let document = page(&format!("<div>{headline}<div><p>{lead}</p><p>{SECOND}</p><p>{THIRD}</p></div></div>"));
        assert_ne!(document.title(), Some(lead), "{headline}");
        assert!(has(&document, BlockKind::Paragraph, lead), "{headline}");
    }
}

#[test]
fn a_page_of_lines_without_stops_keeps_them() {
    let document = page(
        "<article><h1>فوز الأهلي على الزمالك بهدفين</h1><p>فاز الأهلي على الزمالك 2-0 مساء اليوم في القاهرة</p></article>",
    );
    assert!(has(&document, BlockKind::Paragraph, "فاز الأهلي على الزمالك 2-0 مساء اليوم في القاهرة"));
    let document = page(&format!(
        "<article><h1>{TITLE}</h1><p>{FIRST}</p><p>{SECOND}</p><h3>المكونات</h3><ul><li>كوب أرز</li><li>كوب عدس</li></ul></article>"
    ));
    assert!(has(&document, BlockKind::Subheading, "المكونات"));
    let quote = "لن نتوقف حتى يعود كل مهجر إلى بيته، هذا وعد قطعناه على أنفسنا.";
    let document = page(&format!(
        "<article><h1>{TITLE}</h1><p>{FIRST}</p><blockquote><p>{quote}</p><footer>— الوزير أحمد طنطاوي</footer></blockquote><p>{SECOND}</p></article>"
    ));
    assert!(document.text.contains("الوزير أحمد طنطاوي"));
}

#[test]
fn what_stands_over_the_largest_line_of_a_pdf_is_kept() {
    let document = pdf("larger-heading.pdf");
    assert_eq!(document.title(), Some(TITLE));
    assert!(has(&document, BlockKind::Subheading, "الفصل الثاني من التقرير"));
    assert_eq!(document.furniture, Vec::<String>::new());
    // A word across every page is no headline, and no heading either.
    let document = pdf("stamped.pdf");
    assert_eq!(document.title(), Some(TITLE));
    assert!(!document.text.contains("نسخة للمراجعة"));
    let document = pdf("footnote.pdf");
    assert!(document.text.contains("حاشية عن طنطا"));
}

#[test]
fn a_letterhead_is_no_headline_and_stays() {
    for head in [
        &["وزارة الصحة والسكان", "بيان صحفي رقم 12"][..],
        &["الأمم المتحدة", "مجلس الأمن"],
        &["جمهورية مصر العربية", "وزارة النقل", "بيان صحفي"],
        &["بسم الله الرحمن الرحيم"],
        &["صحيفة النيل اليومية المستقلة"],
    ] {
        let document = text(&[head, &[TITLE, FIRST, SECOND, THIRD]].concat());
        assert_eq!(document.title(), Some(TITLE), "{head:?}");
        assert!(head.iter().all(|line| stands(&document, line)), "{head:?}: {document:?}");
    }
    let document = text(&["سمير عطا الله", TITLE, FIRST, SECOND, THIRD]);
    assert_eq!((document.title(), document.meta.byline.as_deref()), (Some(TITLE), Some("سمير عطا الله")));
    // A short headline that an office opens is one.
    let document = text(&["وزارة الصحة تعلن الطوارئ", "الوزير يعد بزيادة عدد الأسرة قبل نهاية العام", FIRST, SECOND]);
    assert_eq!(document.title(), Some("وزارة الصحة تعلن الطوارئ"));
}
