//! Languages of blocks and documents: a table of texts by themselves, mixed articles, refusals, dialect.

use std::path::Path;

use mujaz::check::Checker;
use mujaz::document::language::{self, Language};
use mujaz::document::{self, Document, Error, ReadOptions};
use mujaz::engine::fake::FakeEngine;
use mujaz::glossary::Glossary;
use mujaz::options::Effort;
use mujaz::progress::Silent;
use mujaz::source::{Kind, SourceFile};
use mujaz::translation::rounds;

use crate::common;

fn read_as(text: &str, force_language: bool) -> Result<Document, Error> {
    let file = SourceFile::from_bytes(Path::new("a.txt"), Kind::Text, text.as_bytes().to_vec()).unwrap();
    document::read(&file, &ReadOptions { force_language, ..ReadOptions::default() })
}

/// Makes an article of paragraphs.
fn article(paragraphs: &[&str]) -> String {
    paragraphs.join("\n\n")
}

const ARABIC: &str = "أعلن وزير الخارجية التونسي في مؤتمر صحفي أن بلاده ستواصل دعم الحوار بين جميع الأطراف حتى الوصول إلى حل سياسي دائم للأزمة.";
const MORE: &str = "وأضاف الوزير أن الاجتماع المقبل سيعقد في العاصمة تونس بمشاركة ثلاث دول من المنطقة لبحث أمن الحدود المشتركة بين البلدان.";
const ENGLISH: &str = "\"We will continue to support the dialogue between all the parties until a lasting solution is reached,\" the minister said.";
const PERSIAN: &str = "وزیر امور خارجه ایران روز دوشنبه گفت که مذاکرات با کشورهای منطقه برای حل بحران ادامه خواهد یافت و نتیجه آن اعلام می‌شود.";
const FRENCH: &str = "Le ministre a déclaré lundi que les négociations avec les pays de la région se poursuivraient à Genève le mois prochain.";
const HEBREW: &str = "שר החוץ אמר היום כי המשא ומתן עם מדינות האזור יימשך גם בחודש הבא בעיר ז'נבה שבשווייץ.";
const URDU: &str =
    "وزیر خارجہ نے پیر کو کہا کہ خطے کے ممالک کے ساتھ مذاکرات جاری رہیں گے اور اس کا نتیجہ جلد سامنے آئے گا۔";
const KURDISH: &str =
    "وەزیری دەرەوە ڕایگەیاند کە گفتوگۆکان لەگەڵ وڵاتانی ناوچەکە بەردەوام دەبن بۆ چارەسەرکردنی قەیرانەکە.";

#[test]
fn texts_by_themselves() {
    let table = fs_err::read_to_string(common::fixture("languages.tsv")).unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for row in table.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        let (wanted, text) = row.split_once('\t').unwrap();
        let got = serde_json::to_value(language::of(text)).unwrap();
        count += 1;
        if got != wanted {
            wrong.push(format!("{text}: got {got}, wanted {wanted}"));
        }
    }
    println!("{} of {count} texts are right", count - wrong.len());
    assert!(count >= 60 && wrong.is_empty(), "{count} texts\n{}", wrong.join("\n"));
}

#[test]
fn every_block_of_a_mixed_article_has_its_language() {
    use Language::{Arabic, English, French, Hebrew, Kurdish, Persian, Urdu};
    for (foreign, wanted) in
        [(ENGLISH, English), (PERSIAN, Persian), (FRENCH, French), (HEBREW, Hebrew), (URDU, Urdu), (KURDISH, Kurdish)]
    {
        let document = read_as(&article(&["وزير الخارجية: سنواصل دعم الحوار", ARABIC, foreign, MORE]), false).unwrap();
        let languages: Vec<Language> = document.blocks.iter().map(|block| block.language).collect();
        assert_eq!(languages, [Arabic, Arabic, wanted, Arabic], "{foreign}");
        assert_eq!(document.language, Arabic);
        let told = document.warnings.iter().any(|w| w.contains(wanted.name()) && w.contains("not translated"));
        assert_eq!(told, wanted != English, "{:?}", document.warnings);
    }
}

#[test]
fn english_blocks_stand_as_they_are_and_others_are_flagged() {
    let with_name = "The talks between the two sides (الجزائر وليبيا) will resume in Geneva next month, the minister said on Monday.";
    let text = article(&["وزير الخارجية: سنواصل دعم الحوار", ARABIC, with_name, ENGLISH, PERSIAN, MORE]);
    let document = read_as(&text, false).unwrap();
    let checker = Checker::new(Glossary::builtin());
    let translation =
        rounds::translate(&document, &mut FakeEngine::default(), &checker, Effort::Plain, &Silent).unwrap();
    assert_eq!(translation.segments.len(), document.segments.len());
    for (segment, made) in document.segments.iter().zip(&translation.segments) {
        match document.language_of(segment) {
            Language::English => {
                assert_eq!((made.origin.as_str(), made.is_flagged(), made.attempts), ("copied", false, 0));
                assert_eq!(made.target, made.source);
            }
            Language::Persian => {
                assert!(made.origin == "copied" && made.is_flagged());
                assert!(made.verdicts[0].detail.contains("Persian"), "{:?}", made.verdicts);
            }
            language => assert!(language == Language::Arabic && made.origin != "copied", "{language:?}"),
        }
    }
}

#[test]
fn an_article_in_another_language_is_refused_by_name_unless_forced() {
    for (text, name) in
        [(PERSIAN, "Persian"), (FRENCH, "French"), (HEBREW, "Hebrew"), (URDU, "Urdu"), (KURDISH, "Kurdish")]
    {
        let page = article(&[text, text]);
        let error = read_as(&page, false).unwrap_err();
        assert!(matches!(error, Error::OtherLanguage { .. }));
        assert_eq!(error.to_string(), format!("a.txt: seems to be in {name}, not in Arabic"));
        let forced = read_as(&page, true).unwrap();
        assert!(forced.blocks.iter().all(|block| block.language == Language::Arabic));
    }
    assert_eq!(read_as(&article(&[ENGLISH, ENGLISH]), false).unwrap().language, Language::English);
}

#[test]
fn a_text_in_a_language_that_has_no_name_here_is_refused() {
    for text in [
        "中国国家主席星期一在北京会见了外国客人，双方就共同关心的问题交换了意见。",
        "首相は月曜日に東京で会見し、新しい経済政策について説明した。",
        "대통령은 월요일 정부가 새로운 법을 통과시킬 것이라고 말했다.",
        "Ο πρωθυπουργός δήλωσε σήμερα ότι η κυβέρνηση θα συνεχίσει τις μεταρρυθμίσεις.",
        "प्रधानमंत्री ने सोमवार को कहा कि सरकार नया कानून पारित करेगी।",
        "ጠቅላይ ሚኒስትሩ ሰኞ ዕለት በሰጡት መግለጫ መንግሥት አዲስ ሕግ እንደሚያወጣ ተናገሩ።",
        "ܫܠܡܐ ܠܟܘܢ ܟܠܟܘܢ ܐܚܝ̈ܐ ܘܚܬܐ ܕܝܠܢ",
        "Президентът заяви в понеделник, че страната е готова за преговори със съседите си.",
        "el ra2ees 2al enno el 7okoma mesh hat3adel el 2anoon w ennas lazem testanna shwaya",
        "Presiden mengatakan pada hari Senin bahwa pemerintah tidak akan mengubah undang-undang itu.",
        "De minister-president zei maandag dat de regering de wet niet zal veranderen.",
        "دۆلەت رەئىسى دۈشەنبە كۈنى يېڭى قانۇن ھەققىدە سۆزلىدى.",
        "صدر چيو ته حڪومت نئون قانون منظور ڪندي ۽ عوام کي سھولتون ڏيندي.",
        "2YfYsNinINmG2LUg2LnYsdio2Yog2YXZg9iq2YjYqCDZhNmE2KfYrtiq2KjYp9ix2YjZg9iq2KfYqA==",
        "-----BEGIN PGP MESSAGE-----\n\nhQEMA5vJxkq\n-----END PGP MESSAGE-----",
        "xkjd qwpo zmxn vbal skdj fhgq poiu ztre wlkj",
    ] {
        let error = read_as(text, false).unwrap_err();
        assert!(matches!(error, Error::OtherLanguage { .. }), "{text}: {error}");
        assert_eq!(error.to_string(), "a.txt: seems to be in no language that mujaz knows, not in Arabic", "{text}");
        assert!(!language::of(text).is_right_to_left() || language::of(text) == Language::Unknown, "{text}");
    }
}

#[test]
fn blocks_in_a_script_that_nobody_reads_are_told() {
    let chinese = "中国国家主席星期一在北京会见了外国客人，双方就共同关心的问题交换了意见。";
    let document = read_as(&article(&["وزير الخارجية: سنواصل دعم الحوار", ARABIC, chinese, MORE]), false).unwrap();
    assert_eq!(document.language, Language::Arabic);
    assert!(
        document.warnings.contains(&"1 block is in no language that mujaz knows and not translated".to_owned()),
        "{:?}",
        document.warnings
    );
}

#[test]
fn short_blocks_lean_on_the_document() {
    let page = article(&["ياسر عرفات", ARABIC, "محمد علي", MORE, "Reuters", "2024"]);
    let document = read_as(&page, false).unwrap();
    for block in &document.blocks {
        let words = document.block_text(block);
        let wanted = if words == "Reuters" { Language::English } else { Language::Arabic };
        assert_eq!(block.language, wanted, "{words}");
    }
}

#[test]
fn dialect_is_noted_and_a_quoted_sentence_of_it_is_not() {
    let noted = |text: &str| read_as(text, false).unwrap().warnings.into_iter().find(|w| w.contains("dialect"));
    for (variety, sentences) in [
        (
            "Egyptian",
            "احنا مش عايزين حاجة غير إن الناس تعيش كويس. ليه الحكومة بتعمل كده دلوقتي؟ أنا عايز أفهم إزاي ده حصل.",
        ),
        ("Levantine", "شو بدنا نعمل هلق بهالوضع؟ نحنا هون من زمان وما حدا سأل عنا. ليش هيك عم بيصير؟"),
        ("Gulf or Iraqi", "شلون نقدر نعيش بهالوضع؟ ماكو ماي ولا كهرباء هسه. شنو ذنب الناس؟ وايد تعبنا."),
        ("Maghrebi", "واش كاين شي حل لهاد المشكل؟ بزاف ديال الناس كيعانيو دابا. علاش الحكومة ما دارت والو؟"),
    ] {
        let warning = noted(&article(&["رسالة من قارئ إلى الجريدة", sentences])).unwrap_or_else(|| panic!("{variety}"));
        assert!(warning.starts_with(variety) && warning.contains('%'), "{warning}");
    }
    let quoted =
        "وقال أحد السكان \"إحنا مش عايزين غير نعيش بسلام\"، في إشارة إلى الأوضاع في المدينة منذ بداية الأزمة قبل أشهر.";
    assert_eq!(noted(&article(&["سكان المدينة يطالبون بالسلام", ARABIC, quoted, MORE, ARABIC])), None);
    let Some(folder) = common::shared("articles") else { return };
    for entry in fs_err::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "txt"))
    {
        assert_eq!(noted(&fs_err::read_to_string(&entry).unwrap()), None, "{}", entry.display());
    }
}

#[test]
fn an_arabic_sentence_around_a_longer_latin_one_is_arabic_and_an_address_is_of_no_language() {
    for (block, wanted) in [
        (
            "وغرد ترامب: \"MAKE AMERICA GREAT AGAIN! We will win the election and bring back our jobs.\"",
            Language::Arabic,
        ),
        ("أعلنت شركة Apple Inc. عن iPhone 15 Pro Max مع USB-C Thunderbolt Port و A17 Pro Chip.", Language::Arabic),
        ("قال بالفرنسية: \"Nous ne céderons jamais face à la violence dans notre pays\" ثم غادر.", Language::Arabic),
        ("The plan is very ambitious, he said (كما قال الوزير في المؤتمر), and will start soon.", Language::Arabic),
        ("The Ennahda movement (حركة النهضة) said that the talks with the government would go on.", Language::English),
        ("Email: a@b.c", Language::English),
    ] {
        let document = read_as(&article(&["خطة جديدة لتطوير المستشفيات", ARABIC, block, MORE]), false).unwrap();
        let found = document.blocks.iter().find(|b| b.span.of(&document.text) == block);
        let found = found.unwrap_or_else(|| panic!("{block}: {document:?}"));
        assert_eq!(found.language, wanted, "{block}");
    }
}
