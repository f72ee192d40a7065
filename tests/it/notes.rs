//! Summary, note, briefing and their renderers over a small hand-made article (Arabic and English of our own writing).

use mujaz::briefing::{Article, Briefing, Failure, ModelLine, Note, NoteSource, Provenance, Skipped, note};
use mujaz::check::{Check, Verdict};
use mujaz::document::language::Language;
use mujaz::document::{self, Block, BlockId, BlockKind, Document, Meta, Segment, SegmentId, StatedDate};
use mujaz::engine::{DecodeParams, Error, Fingerprint, Finish, Generator, Hypothesis, Rewriter};
use mujaz::glossary::Glossary;
use mujaz::progress::{Progress, Silent};
use mujaz::render::{Renderer, escape, json, markdown::Markdown, overview, text};
use mujaz::source::{Kind, SourceFile};
use mujaz::span::Span;
use mujaz::summary::label;
use mujaz::summary::select::Candidates;
use mujaz::summary::{Origin, Summary, SummaryOptions, Writer, summarize};
use mujaz::translation::{SegmentTranslation, Status, Translation};
use proptest::prelude::*;

type Blocks<'a> = &'a [(BlockKind, &'a [(&'a str, &'a str)])];

/// Builds a document and its translation, all of it clean.
fn article(blocks: Blocks) -> (Document, Translation) {
    let mut text = String::new();
    let (mut kept, mut segments, mut translations) = (Vec::new(), Vec::new(), Vec::new());
    for (number, (kind, pairs)) in blocks.iter().enumerate() {
        if number > 0 {
            text.push_str("\n\n");
        }
        let (id, start) = (BlockId(number as u32), text.len());
        for (at, (source, target)) in pairs.iter().enumerate() {
            if at > 0 {
                text.push(' ');
            }
            let span = Span::new(text.len(), text.len() + source.len());
            text.push_str(source);
            let segment = SegmentId(segments.len() as u32);
            segments.push(Segment { id: segment, block: id, span });
            translations.push(translated(segment, id, span, source, target));
        }
        let span = Span::new(start, text.len());
        kept.push(Block { id, kind: *kind, span, language: Language::Arabic, time: None });
    }
    let document = Document {
        text,
        meta: Meta::default(),
        blocks: kept,
        segments,
        furniture: Vec::new(),
        warnings: Vec::new(),
        encoding: "UTF-8".into(),
        dates: Vec::new(),
        language: Language::Arabic,
    };
    let engine = Fingerprint { model: "fake".into(), revision: "0".into(), decoding: "0".into() };
    (document, Translation { segments: translations, engine })
}

fn translated(segment: SegmentId, block: BlockId, span: Span, source: &str, target: &str) -> SegmentTranslation {
    SegmentTranslation {
        segment,
        block,
        span,
        source: source.to_owned(),
        target: target.to_owned(),
        status: Status::Clean,
        verdicts: Vec::new(),
        attempts: 1,
        origin: "greedy".into(),
    }
}

fn flag(translation: &mut Translation, at: usize, check: Check, detail: &str) {
    let segment = &mut translation.segments[at];
    segment.status = Status::Flagged;
    segment.verdicts.push(Verdict { check, detail: detail.into() });
    segment.attempts = 4;
}

use BlockKind::{Caption, Paragraph, PublisherSummary, PullQuote, Standfirst, Subheading, Title};

/// A harbour town decides on a ferry, its schools and a drought plan: three themes in five paragraphs.
const HARBOUR: Blocks = &[
    (
        Title,
        &[("مجلس المدينة يقر خطة للميناء والمدارس والمياه", "City council approves plan for port, schools and water")],
    ),
    (Standfirst, &[("جلسة طويلة انتهت بثلاثة قرارات.", "A long session ended with three decisions.")]),
    (Caption, &[("قاعة المجلس صباح الأحد", "The council hall on Sunday morning")]),
    (PublisherSummary, &[("الميناء: يبدأ العمل في الربيع.", "The port: work starts in spring.")]),
    (
        Paragraph,
        &[
            (
                "صوت مجلس المدينة يوم الأحد لصالح قرض بقيمة 40 مليون دينار من البنك المركزي لتوسيع الميناء.",
                "The city council voted on Sunday for a loan of 40 million dinars from the central bank to widen the port.",
            ),
            ("وأضاف أن العمل سيبدأ في الربيع.", "He added that work would begin in spring."),
        ],
    ),
    (
        Paragraph,
        &[(
            "وقال رئيس البلدية سالم القاسم إن المدارس الجديدة ستستقبل 1,200 تلميذ وإن وزارة التعليم ستعين المعلمين قبل الخريف.",
            "Mayor Salem al-Qasim said the new schools would take in 1,200 pupils, and that the education ministry would appoint the teachers before autumn.",
        )],
    ),
    (Subheading, &[("خطة لمواجهة الجفاف", "A plan against drought")]),
    (
        Paragraph,
        &[
            (
                "وقرر المجلس بناء سد صغير ومحطة لتحلية مياه البحر بعد ثلاث سنوات من الجفاف في المنطقة.",
                "The council decided to build a small dam and a plant to desalinate sea water after three years of drought in the region.",
            ),
            ("ولم تحدد كلفة المحطة.", "The cost of the plant was [not] set_down."),
        ],
    ),
    (PullQuote, &[("\"الماء قبل كل شيء\"", "\"Water comes first\"")]),
    (
        Paragraph,
        &[(
            "كما شكر الأعضاء سكان الحي القديم على صبرهم الطويل.",
            "Members thanked the people of the old quarter for their long patience.",
        )],
    ),
];

fn harbour() -> (Document, Translation) {
    let (mut document, mut translation) = article(HARBOUR);
    document.meta.publisher = Some("صحيفة الساحل".into());
    document.meta.byline = Some("ليلى حسن".into());
    document.meta.date =
        Some(StatedDate { iso: jiff::civil::date(2025, 1, 3), at: None, words: "03 يناير 2025".into() });
    let cost = translation.segments.iter().position(|s| s.target.contains("set_down")).expect("it is there");
    flag(&mut translation, cost, Check::Negation, "source denies, target affirms");
    let thanks = translation.segments.len() - 1;
    translation.segments[thanks].target.clear();
    flag(&mut translation, thanks, Check::Empty, "the target is empty");
    (document, translation)
}

fn provenance(path: &str) -> Provenance {
    Provenance {
        source: NoteSource { path: path.into(), part: None, sha256: "0".repeat(64), encoding: "UTF-8".into() },
        models: vec![ModelLine {
            id: "tiny".into(),
            revision: "abc".into(),
            role: "translation".into(),
            licence: "Apache-2.0".into(),
            decoding: String::new(),
            unverified: None,
        }],
        draft: Some("translated by a small model; check names and figures against the Arabic.".into()),
        options: "bullets=3 translator=tiny".into(),
        version: "0.0.0".into(),
    }
}

fn harbour_note() -> Note {
    let (document, translation) = harbour();
    let summary = summarize(&document, &translation, &SummaryOptions::default(), None, &Silent);
    // An empty glossary, so that the snapshots do not change with the built-in one.
    note(&document, &translation, Some(summary), provenance("articles/harbour.txt"), &Glossary::default())
}

fn rendered(renderer: &dyn Renderer, note: &Note) -> String {
    String::from_utf8(renderer.render(note).expect("it renders")).expect("it is UTF-8")
}

#[test]
fn a_note_reads_well_in_markdown() {
    insta::assert_snapshot!("harbour.md", rendered(&Markdown, &harbour_note()));
}

#[test]
fn a_note_has_its_schema_in_json() {
    let bytes = rendered(&json::Json, &harbour_note());
    insta::assert_snapshot!("harbour.json", bytes);
    assert_eq!(json::parse(bytes.as_bytes()).expect("it is read back"), harbour_note());
}

#[test]
fn a_translation_reads_well_as_plain_text() {
    insta::assert_snapshot!("harbour.txt", rendered(&text::Text, &harbour_note()));
}

#[test]
fn a_note_of_another_schema_is_refused() {
    let bytes = rendered(&json::Json, &harbour_note()).replace("\"schema\": 1", "\"schema\": 7");
    assert_eq!(
        json::parse(bytes.as_bytes()).expect_err("it is refused").to_string(),
        "the note has schema 7, this version of mujaz reads 1"
    );
    assert!(json::parse(b"{}").is_err());
}

#[test]
fn a_briefing_puts_the_newest_first_and_names_what_failed() {
    let newest = harbour_note();
    let mut older = newest.clone();
    older.document.date =
        Some(StatedDate { iso: jiff::civil::date(2024, 12, 31), at: None, words: "31/12/2024".into() });
    older.document.title.as_mut().expect("it has one").english = Some("Older news".into());
    older.segments.iter_mut().for_each(|segment| segment.status = Status::Clean);
    older.checks.flagged = 0;
    let mut undated = older.clone();
    undated.document.date = None;
    undated.document.title = None;
    let briefing = Briefing::new(
        vec![Article::of(&undated, "undated.md"), Article::of(&older, "older.md"), Article::of(&newest, "خبر 1.md")],
        vec![Failure { path: "broken.txt".into(), reason: "no text was found in it".into() }],
        vec![Skipped { path: "photo.jpg".into(), reason: "not a kind of file that is read".into() }],
        "0.0.0".into(),
    );
    let order: Vec<&str> = briefing.articles.iter().map(|article| article.link.as_str()).collect();
    assert_eq!(order, ["خبر 1.md", "older.md", "undated.md"]);
    insta::assert_snapshot!("briefing.md", String::from_utf8(overview::briefing(&briefing)).expect("it is UTF-8"));
}

#[test]
fn three_themes_give_three_bullets_under_the_contract() {
    let (document, translation) = harbour();
    let summary = summarize(&document, &translation, &SummaryOptions::default(), None, &Silent);
    assert_eq!(summary.shortfall, None);
    let labels: Vec<&str> = summary.bullets.iter().map(|bullet| bullet.label.as_str()).collect();
    assert_eq!(labels, ["Banking and finance", "Schools and universities", "Water and drought"]);
    for bullet in &summary.bullets {
        let words = bullet.label.split_whitespace().count();
        assert!((2..=5).contains(&words), "{}", bullet.label);
        assert!(bullet.statement.split_whitespace().count() <= 45 && bullet.statement.ends_with('.'), "{bullet:?}");
        assert!(!bullet.evidence.is_empty() && !bullet.flagged && bullet.origin == Origin::Extractive, "{bullet:?}");
    }
}

#[test]
fn the_choice_does_not_depend_on_the_translator() {
    let (document, translation) = harbour();
    let mut poor = translation.clone();
    for segment in poor.segments.iter_mut().filter(|segment| !segment.target.is_empty()) {
        segment.target = "Some words that a weak model wrote for the sentence in question.".to_owned()
            + &segment.segment.0.to_string();
    }
    let evidence = |translation: &Translation| {
        let checker = mujaz::summary::select::Candidates::of(&document, translation);
        checker.choose(3, &Default::default())
    };
    assert_eq!(evidence(&translation), evidence(&poor));
}

#[test]
fn english_articles_are_summarized_too() {
    let english: Vec<(BlockKind, Vec<(&str, &str)>)> = HARBOUR
        .iter()
        .map(|(kind, pairs)| (*kind, pairs.iter().map(|(_, english)| (*english, *english)).collect()))
        .collect();
    let blocks: Vec<(BlockKind, &[(&str, &str)])> =
        english.iter().map(|(kind, pairs)| (*kind, pairs.as_slice())).collect();
    let (document, translation) = article(&blocks);
    let summary = summarize(&document, &translation, &SummaryOptions::default(), None, &Silent);
    let labels: Vec<&str> = summary.bullets.iter().map(|bullet| bullet.label.as_str()).collect();
    assert_eq!(labels, ["Banking and finance", "Schools and universities", "A plan against drought"]);
}

#[test]
fn too_few_sentences_are_said_so() {
    let (document, translation) = article(&[(Paragraph, &[(HARBOUR[4].1[0].0, HARBOUR[4].1[0].1), ("نعم.", "Yes.")])]);
    let summary = summarize(&document, &translation, &SummaryOptions::default(), None, &Silent);
    assert_eq!(summary.bullets.len(), 1);
    assert!(summary.shortfall.expect("a reason is given").starts_with("1 of 3 bullets"));
    let (document, translation) = article(&[]);
    assert_eq!(summarize(&document, &translation, &SummaryOptions::default(), None, &Silent).bullets, Vec::new());
}

#[test]
fn real_articles_give_three_themes_each() {
    let Some(folder) = crate::common::shared("articles") else { return };
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect("it is a folder").map(|e| e.expect("it is read").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    assert_eq!(paths.len(), 5);
    for path in paths {
        let file =
            SourceFile::from_bytes(&path, Kind::Text, std::fs::read(&path).expect("it is read")).expect("it has bytes");
        let document = document::read(&file, &document::ReadOptions::default()).expect("it holds an article");
        // Choosing looks at the source only, so the source may stand for the translation.
        let segments = document.segments.iter().map(|segment| {
            let words = document.segment_text(segment);
            translated(segment.id, segment.block, segment.span, words, words)
        });
        let engine = Fingerprint { model: "none".into(), revision: "0".into(), decoding: "0".into() };
        let translation = Translation { segments: segments.collect(), engine };
        let candidates = Candidates::of(&document, &translation);
        let chosen = candidates.choose(3, &Default::default());
        let labels = label::labels(&document, &translation, &candidates, &chosen, Glossary::builtin());
        let distinct: std::collections::BTreeSet<&String> = labels.iter().collect();
        assert_eq!((chosen.len(), distinct.len()), (3, 3), "{}: {labels:?}", path.display());
        let words = |at: usize| translation.segment(chosen[at].main).expect("it is there").source.as_str();
        if path.to_string_lossy().contains("004_") {
            // The three points of the publisher's own summary: training together, the border, the way out of the crisis.
            assert!(words(0).contains("تدريبات") && words(1).contains("مراقبة الحدود"), "{labels:?}");
            assert!(["العملية السياسية", "المجتمع الدولي"].iter().any(|theme| words(2).contains(theme)), "{labels:?}");
        }
    }
}

#[test]
fn names_beside_the_article_are_shown_in_english_where_known() {
    let (mut document, translation) = harbour();
    document.meta.publisher = Some("الأناضول".into());
    document.meta.dateline = Some("الجزائر".into());
    document.warnings = vec!["2 characters could not be decoded".into()];
    let note = note(&document, &translation, None, provenance("x.txt"), Glossary::builtin());
    let page = rendered(&Markdown, &note);
    assert!(page.contains("*Source:* Anadolu"), "{page}");
    assert!(page.contains("from Algeria") && page.contains("2 characters could not be decoded"), "{page}");
    assert!(page.contains("ليلى حسن"), "a name that is not known stays as it is");
}

/// Answers prompts in order from a list.
struct Answers(Vec<&'static str>);

impl Generator for Answers {
    fn generate(
        &mut self,
        shared: &str,
        items: &[String],
        _stop: &[&str],
        _params: &DecodeParams,
    ) -> Result<Vec<Hypothesis>, Error> {
        if self.0.is_empty() {
            return Err(Error::Cancelled);
        }
        assert!(items.iter().all(|item| format!("{shared}{item}").contains("Evidence: ")));
        let hypothesis = |text: &&str| Hypothesis {
            text: (*text).to_owned(),
            log_probability: -0.1,
            tokens: 10,
            finish: Finish::Stop,
            origin: "fake".into(),
        };
        Ok(self.0.iter().map(hypothesis).collect())
    }

    fn chat_prompt(&self, system: &str, user: &str) -> String {
        format!("<system>\n{system}\n<user>\n{user}\n<answer>\n")
    }

    fn count_tokens(&self, text: &str) -> usize {
        text.len()
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint { model: "answers".into(), revision: "0".into(), decoding: "0".into() }
    }
}

#[test]
fn a_model_words_the_bullets_and_what_breaks_the_contract_falls_back() {
    let (document, translation) = harbour();
    let plain = summarize(&document, &translation, &SummaryOptions::default(), None, &Silent);
    let mut model = Answers(vec![
        "Port loan: The council voted for a loan of 40 million dinars to widen the port.",
        "New schools: The schools will take in 1,500 pupils, Mayor Salem al-Qasim said.",
        "The council decided to build a small dam.",
    ]);
    let summary =
        summarize(&document, &translation, &SummaryOptions::default(), Some(Writer::Bullets(&mut model)), &Silent);
    assert_eq!(summary.bullets[0].origin, Origin::Model);
    assert_eq!(summary.bullets[0].label, "Port loan");
    for (at, reason) in [(1, "the evidence has no 1,500"), (2, "not one line of label, colon, statement")] {
        let bullet = &summary.bullets[at];
        assert!(matches!(&bullet.origin, Origin::FallbackExtractive(said) if said.contains(reason)), "{bullet:?}");
        assert_eq!(bullet.statement, plain.bullets[at].statement);
    }
    let mut silent = Answers(Vec::new());
    let failed =
        summarize(&document, &translation, &SummaryOptions::default(), Some(Writer::Bullets(&mut silent)), &Silent);
    assert!(failed.bullets.iter().all(|b| b.origin == Origin::FallbackExtractive("stopped on request".into())));
}

/// Writes the same about every text, and reads so many words.
struct Summariser {
    answer: &'static str,
    finish: Finish,
    words: usize,
    asked: Vec<String>,
}

impl Summariser {
    fn new(answer: &'static str) -> Self {
        Self { answer, finish: Finish::Stop, words: 512, asked: Vec::new() }
    }

    fn summary(&mut self, bullets: usize) -> Summary {
        let (document, translation) = harbour();
        summarize(&document, &translation, &SummaryOptions { bullets }, Some(Writer::Whole(self)), &Silent)
    }
}

impl Rewriter for Summariser {
    fn rewrite(&mut self, text: &str, _progress: &dyn Progress) -> Result<Hypothesis, Error> {
        assert!(Rewriter::source_tokens(self, text) <= self.words);
        self.asked.push(text.to_owned());
        let (text, finish) = (self.answer.to_owned(), self.finish);
        Ok(Hypothesis { text, log_probability: -0.1, tokens: 10, finish, origin: "beam:0".into() })
    }

    fn source_tokens(&self, text: &str) -> usize {
        text.split_whitespace().count()
    }

    fn longest(&self) -> usize {
        self.words
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint { model: "summariser".into(), revision: "0".into(), decoding: "0".into() }
    }
}

const OF_THE_DAM: &str = "the council will build a small dam and a desalination plant after three years of drought";

#[test]
fn what_a_summariser_writes_of_the_article_is_the_first_bullet() {
    let (document, translation) = harbour();
    let plain = summarize(&document, &translation, &SummaryOptions::default(), None, &Silent);
    let mut model = Summariser::new(OF_THE_DAM);
    let summary = model.summary(3);
    let first = &summary.bullets[0];
    assert_eq!(first.origin, Origin::Model, "{summary:?}");
    assert!(first.statement.starts_with("The council will") && first.statement.ends_with("drought."), "{first:?}");
    assert_eq!(first.label, "Water and drought", "made as that of the bullet it replaces");
    let dam = translation.segments.iter().find(|s| s.target.contains("small dam")).unwrap().segment;
    assert!(first.evidence.contains(&dam), "{first:?}");
    // The bullet that said the same is gone, the others are as they were.
    assert_eq!(summary.bullets[1..], plain.bullets[..2]);
    assert_eq!((summary.bullets.len(), &summary.remark), (3, &None));
    assert_eq!(model.summary(1).bullets, std::slice::from_ref(first));
    // It reads the paragraphs, in Arabic.
    let text = &model.asked[0];
    assert!(text.starts_with("صوت مجلس المدينة") && text.ends_with("صبرهم الطويل."), "{text}");
    assert!(!text.contains("قاعة المجلس") && !text.contains("جلسة طويلة"), "{text}");
}

#[test]
fn what_a_summariser_makes_up_is_refused() {
    let (document, translation) = harbour();
    let plain = summarize(&document, &translation, &SummaryOptions::default(), None, &Silent);
    for (answer, finish, reason) in [
        ("The council decided to build a small dam with Morocco.", Finish::Stop, "does not name Morocco"),
        (
            "The council voted for a loan of 45 million dinars to widen the port.",
            Finish::Stop,
            "the evidence has no 45",
        ),
        ("Wasolol elsosol.", Finish::Stop, "shares too few words"),
        ("The council voted for a loan of 40 million", Finish::Length, "did not end its text"),
        ("", Finish::Stop, "wrote nothing"),
        (
            "The council voted for a loan. The schools will take in 1,200 pupils. A dam will be built.",
            Finish::Stop,
            "3 sentences",
        ),
    ] {
        let summary = Summariser { finish, ..Summariser::new(answer) }.summary(3);
        let origin = &summary.bullets[0].origin;
        assert!(matches!(origin, Origin::FallbackExtractive(said) if said.contains(reason)), "{answer}: {origin:?}");
        for (bullet, plain) in summary.bullets.iter().zip(&plain.bullets) {
            assert_eq!((&bullet.label, &bullet.statement), (&plain.label, &plain.statement), "{answer}");
        }
        assert_eq!(summary.bullets[1..], plain.bullets[1..]);
    }
}

#[test]
fn a_summariser_reads_as_much_as_it_takes_and_the_note_says_so() {
    let mut model = Summariser { words: 40, ..Summariser::new(OF_THE_DAM) };
    let summary = model.summary(3);
    let remark = summary.remark.clone().unwrap();
    assert_eq!(remark, "the model read the first 3 of 6 sentences, as many as its 40 tokens hold");
    let origin = &summary.bullets[0].origin;
    assert!(matches!(origin, Origin::FallbackExtractive(_)), "the dam is not in what it read: {origin:?}");
    let (document, translation) = harbour();
    let note = note(&document, &translation, Some(summary), provenance("x.txt"), &Glossary::default());
    let page = rendered(&Markdown, &note);
    assert!(page.contains(&format!("- Summary: {remark}")), "{page}");
    assert!(page.contains("- Summary: 1 of 3 bullets taken from the translation"), "{page}");
    assert!(rendered(&text::Bullets, &note).contains(&remark));
    assert_eq!(json::parse(rendered(&json::Json, &note).as_bytes()).unwrap(), note);
    // A first sentence that is too long is read to where it fits.
    let mut small = Summariser { words: 6, ..Summariser::new("") };
    let remark = small.summary(3).remark.unwrap();
    assert!(remark.starts_with("the model read the first 1 of 6 sentences"), "{remark}");
    assert!(small.asked[0].starts_with("صوت مجلس المدينة"));
}

prop_compose! {
    fn arbitrary_article()(
        blocks in prop::collection::vec(
            (0usize..7, prop::collection::vec(("\\PC{1,60}", "\\PC{0,80}", any::<bool>()), 1..4)),
            0..9,
        ),
        meta in prop::option::of("\\PC{0,20}"),
    ) -> (Document, Translation) {
        const KINDS: [BlockKind; 7] = [Title, Standfirst, Caption, PullQuote, PublisherSummary, Subheading, Paragraph];
        let owned: Vec<(BlockKind, Vec<(&str, &str)>)> = blocks
            .iter()
            .map(|(kind, pairs)| (KINDS[*kind], pairs.iter().map(|(s, t, _)| (s.as_str(), t.as_str())).collect()))
            .collect();
        let borrowed: Vec<(BlockKind, &[(&str, &str)])> = owned.iter().map(|(k, p)| (*k, p.as_slice())).collect();
        let (mut document, mut translation) = article(&borrowed);
        document.meta = Meta { byline: meta.clone(), publisher: meta.clone(), dateline: meta, ..Meta::default() };
        let flags: Vec<bool> = blocks.iter().flat_map(|(_, pairs)| pairs.iter().map(|(_, _, flagged)| *flagged)).collect();
        for (at, _) in flags.iter().enumerate().filter(|(_, flagged)| **flagged) {
            flag(&mut translation, at, Check::Names, "source has *x*, target lacks it");
        }
        (document, translation)
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_in_a_note((document, translation) in arbitrary_article()) {
        let summary = summarize(&document, &translation, &SummaryOptions::default(), None, &Silent);
        for bullet in &summary.bullets {
            prop_assert!(bullet.statement.split_whitespace().count() <= 45);
            prop_assert!((2..=5).contains(&bullet.label.split_whitespace().count()));
        }
        prop_assert!(summary.bullets.len() == 3 || summary.shortfall.is_some());
        let note = note(&document, &translation, Some(summary), provenance("x.txt"), Glossary::builtin());

        let bytes = rendered(&json::Json, &note);
        let value: serde_json::Value = serde_json::from_str(&bytes).expect("it is JSON");
        let ids: Vec<u64> =
            value["segments"].as_array().expect("a list").iter().map(|s| s["id"].as_u64().expect("a number")).collect();
        prop_assert_eq!(ids, (0..translation.segments.len() as u64).collect::<Vec<_>>());
        prop_assert_eq!(&json::parse(bytes.as_bytes()).expect("it is read back"), &note);

        let page = rendered(&Markdown, &note);
        let plain = rendered(&text::Text, &note);
        let titles = document.blocks.iter().filter(|block| block.kind == Title).count();
        for segment in &translation.segments {
            let kind = document.blocks[segment.block.0 as usize].kind;
            // A publisher's point is split at its colon, and a page has one headline: see the unit tests.
            if kind != PublisherSummary && (kind != Title || titles == 1) {
                let inline = escape::markdown(&segment.target);
                let opening = escape::line_start(&inline);
                prop_assert!(page.contains(&inline) || page.contains(&opening), "{} is not in {}", inline, page);
            }
            let words = segment.target.split_whitespace().collect::<Vec<_>>().join(" ");
            prop_assert!(plain.contains(&words));
        }
        prop_assert!(translation.flagged().count() == 0 || page.contains('⚠'));
        rendered(&text::Bullets, &note);
        overview::briefing(&Briefing::new(vec![Article::of(&note, "x.md")], Vec::new(), Vec::new(), "0".into()));
    }
}
