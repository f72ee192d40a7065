//! Web pages whose text stands where it is easily lost: through the reader, as documents. What each step does is tested beside
//! its code.

use std::path::Path;

use mujaz::document::{self, BlockKind, Document, ReadOptions};
use mujaz::source::{Kind, SourceFile};

const TEXT: [&str; 6] = [
    "أعلنت وزارة الأشغال يوم الاثنين عن بدء العمل في جسر جديد فوق النهر يربط ضفتي المدينة القديمة.",
    "وقال المهندس المشرف إن الأشغال ستستمر عامين، وإن الكلفة تبلغ عشرين مليون دينار من موازنة البلدية.",
    "ويشكو سكان الحي الغربي من الزحام الذي يمتد كل صباح من الساحة حتى محطة القطار وما بعدها.",
    "وكان الجسر القديم قد أغلق قبل ثلاثة أعوام بعد أن ظهرت في أعمدته شقوق لم يعرف سببها حتى اليوم.",
    "وتنتظر لجنة من الجامعة نتائج الفحص لتقرر إن كان يصلح للمشاة أم يهدم مع نهاية الصيف المقبل.",
    "وختم المهندس بأن الضفتين ستعودان ضفة واحدة، على حد تعبيره، قبل أن ينتهي العقد الحالي من القرن.",
];

fn read(body: &str) -> Document {
    let page = format!("<html lang=ar><title>جسر جديد يربط ضفتي المدينة</title><body>{body}</body></html>");
    let file = SourceFile::from_bytes(Path::new("a.html"), Kind::Html, page.into_bytes()).unwrap();
    document::read(&file, &ReadOptions::default()).unwrap()
}

fn article(inside: &str) -> Document {
    read(&format!("<article><h1>جسر جديد يربط ضفتي المدينة</h1>{inside}</article>"))
}

#[test]
fn the_card_of_another_article_leaves_no_date_in_the_text() {
    let card = "<div><a href=/2>خبر آخر من الموقع عن الجسور</a><div>8 مايو 2023, 10:11 GMT</div></div>";
    let page = TEXT.iter().enumerate().map(|(n, text)| format!("<div>{text}</div>{}", if n == 2 { card } else { "" }));
    let document = article(&page.collect::<String>());
    assert_eq!(blocks(&document, BlockKind::Paragraph), TEXT);
    assert_eq!(document.meta.date, None);
}

#[test]
fn a_page_for_printing_is_not_published_by_a_printer() {
    let text = TEXT.join("<br><br>");
    let title = "جسر جديد يربط ضفتي المدينة القديمة";
    let page =
        format!("<title>طباعة: {title}</title><b>{title}</b><br><br>{text}<hr>رابط الخبر: http://www.a.example/n/1");
    let file = SourceFile::from_bytes(Path::new("a.html"), Kind::Html, page.into_bytes()).unwrap();
    let document = document::read(&file, &ReadOptions::default()).unwrap();
    assert_eq!((document.title(), document.meta.publisher.as_deref()), (Some(title), None));
    assert_eq!(blocks(&document, BlockKind::Paragraph), TEXT);
}

fn blocks(document: &Document, kind: BlockKind) -> Vec<&str> {
    document.blocks.iter().filter(|block| block.kind == kind).map(|block| document.block_text(block)).collect()
}

#[test]
fn who_speaks_in_an_interview_is_part_of_it() {
    for (asks, answers) in [("العربي الجديد:", "الوزير:"), ("<b>الجزيرة نت:</b>", "<b>سعاد العلي:</b>"), ("س:", "ج:")]
    {
        let plain = |words: &str| words.replace("<b>", "").replace("</b>", "");
        let mut wanted = Vec::new();
        let mut page = String::new();
        for (n, text) in TEXT.iter().enumerate() {
            let question = format!("ماذا تقولون لمن يسأل عن المرحلة رقم {n} من المشروع؟");
            page += &format!("<p>{asks}</p><p>{question}</p><p>{answers}</p><p>{text}</p>");
            wanted.extend([plain(asks), question, plain(answers), (*text).to_owned()]);
        }
        assert_eq!(blocks(&article(&page), BlockKind::Paragraph), wanted, "{asks}");
    }
}

#[test]
fn labels_said_again_and_again_are_no_speakers() {
    let page: String = TEXT
        .iter()
        .map(|text| format!("<p>اقرأ أيضا:</p><p><a href=/x>خبر آخر من الموقع</a></p><p>{text}</p>"))
        .collect();
    assert_eq!(blocks(&article(&page), BlockKind::Paragraph), TEXT);
}

#[test]
fn entries_of_a_running_report_keep_their_times_beside_the_text() {
    let entries: String = TEXT
        .iter()
        .enumerate()
        .map(|(n, text)| {
            let time = format!("<time datetime='2024-03-05T1{n}:30:00+03:00'>1{n}:30</time>");
            format!("<li>{time}<h3>الخبر رقم {n} من مكان العمل</h3><p>{text}</p></li>")
        })
        .collect();
    let document = article(&format!("<ul>{entries}</ul>"));
    assert_eq!(blocks(&document, BlockKind::Paragraph), TEXT);
    let times: Vec<(BlockKind, &str)> =
        document.blocks.iter().filter_map(|block| Some((block.kind, block.time.as_deref()?))).collect();
    let wanted: Vec<String> = (0..6).map(|n| format!("2024-03-05T1{n}:30:00+03:00")).collect();
    assert_eq!(times, wanted.iter().map(|time| (BlockKind::Subheading, time.as_str())).collect::<Vec<_>>());
    assert!(!document.text.contains(":30"), "{}", document.text);
}

#[test]
fn an_article_that_stands_twice_in_a_page_is_read_once() {
    let text: String = TEXT.iter().map(|text| format!("<p>{text}</p>")).collect();
    let whole = format!("<article><h1>جسر جديد يربط ضفتي المدينة</h1>{text}</article>");
    for page in [
        format!("{whole}{whole}"),
        format!("<div>{whole}</div><div class=print>{whole}</div>"),
        format!("<div><h1>جسر جديد يربط ضفتي المدينة</h1>{text}{text}</div>"),
        format!(
            "<div><h1>جسر جديد يربط ضفتي المدينة</h1>{}</div>",
            TEXT.map(|text| format!("<div>{text}</div>")).concat().repeat(2)
        ),
    ] {
        let document = read(&page);
        assert_eq!(blocks(&document, BlockKind::Paragraph), TEXT, "{page}");
        assert!(blocks(&document, BlockKind::PullQuote).is_empty(), "{page}");
    }
}
