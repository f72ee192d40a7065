//! Encodings: the fixtures of both articles in old and wrong encodings give the article, damage is repaired where that is
//! certain and told where not, and sound text of any language is left alone.

use std::path::PathBuf;

use encoding_rs::{ISO_8859_6, WINDOWS_1252, WINDOWS_1256};
use mujaz::source::encoding::{Error, by_label, decode, repair};
use proptest::prelude::*;
use serde_json::Value;

use crate::common;

fn forms() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/forms")
}

fn gold() -> Value {
    serde_json::from_slice(&fs_err::read(forms().join("gold.json")).unwrap()).unwrap()
}

/// Returns the words of a text as they are compared: without signs on letters, forms folded.
fn words(text: &str) -> Vec<String> {
    use mujaz::arabic::letters::{CLEANING, apply};
    apply(text, CLEANING)
        .split_whitespace()
        .map(|word| word.trim_start_matches(['-', '\u{feff}']).to_owned())
        .filter(|w| !w.is_empty())
        .collect()
}

fn plain(article: &str) -> String {
    let path = match article {
        "trade" => forms().join("trade.txt"),
        _ => forms().join("desal.txt"),
    };
    let text = fs_err::read_to_string(path).unwrap();
    if article == "desal-western" { western(&text) } else { text }
}

/// Puts Western figures for Arabic-Indic ones, as the fixture was made.
fn western(text: &str) -> String {
    let digit = |c: char| char::from_digit(u32::from(c) - 0x660, 10).unwrap();
    text.chars()
        .map(|c| match c {
            '٠'..='٩' => digit(c),
            '٫' => '.',
            '٬' => ',',
            '٪' => '%',
            c => c,
        })
        .collect()
}

#[test]
fn every_form_of_a_text_file_gives_the_article() {
    let gold = gold();
    let mut seen = 0;
    for (name, facts) in gold["files"].as_object().unwrap() {
        if !name.ends_with(".txt")
            || name.ends_with("docx.txt")
            || facts["expect"] != "read"
            || facts["mojibake"]["certain"] == false
        {
            continue;
        }
        let bytes = fs_err::read(forms().join(name)).unwrap();
        let decoded = decode(&bytes, None, None).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut text = plain(facts["articles"][0].as_str().unwrap());
        for (from, to) in facts["text_map"].as_object().into_iter().flatten() {
            text = text.replace(from, to.as_str().unwrap());
        }
        assert_eq!(words(&decoded.text), words(&text), "{name}");
        assert_eq!(Some(decoded.encoding), facts["encoding"].as_str(), "{name}");
        assert_eq!(decoded.undecodable, 0, "{name}");
        let damage = &facts["mojibake"];
        assert_eq!(decoded.repaired.is_some(), damage.is_object(), "{name}: {:?}", decoded.warnings);
        if let Some(repair) = decoded.repaired {
            let was = damage["was"].as_str().unwrap_or("UTF-8");
            let read_as = damage["read_as"].as_str().unwrap().replace("ISO-8859-1", "windows-1252");
            assert_eq!((repair.was, repair.read_as), (was, read_as.as_str()), "{name}");
            assert_eq!(repair.times as u64, damage["times"].as_u64().unwrap_or(1), "{name}");
            assert_eq!(repair.lost, 0, "{name}");
        }
        assert_eq!(decoded.warnings.len(), usize::from(damage.is_object()), "{name}: {:?}", decoded.warnings);
        seen += 1;
    }
    assert!(seen >= 16, "{seen}");
}

#[test]
fn letters_that_are_gone_are_marked_and_told_and_none_is_made_up() {
    let bytes = fs_err::read(forms().join("desal-moji-lossy.txt")).unwrap();
    let decoded = decode(&bytes, None, None).unwrap();
    let repair = decoded.repaired.unwrap();
    assert!(repair.lost > 20, "{}", repair.lost);
    assert!(decoded.warnings[0].contains("not with certainty"), "{:?}", decoded.warnings);
    let (got, wanted) = (words(&decoded.text), words(&plain("desal")));
    let sound: Vec<String> = gold()["files"]["desal-moji-lossy.txt"]["mojibake"]["sound_words"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(got[..sound.len()], sound);
    // Every word is the right one, or says by U+FFFD where letters are missing.
    let mut whole = 0;
    for word in &got {
        if word.contains('\u{fffd}') {
            continue;
        }
        whole += 1;
        assert!(wanted.contains(word), "{word}");
    }
    assert!(whole * 10 > wanted.len() * 7, "{whole} of {}", wanted.len());
}

#[test]
fn a_text_whose_letters_were_thrown_away_is_refused_in_plain_words() {
    let bytes = fs_err::read(forms().join("desal-moji-fffd.txt")).unwrap();
    let error = decode(&bytes, None, None).unwrap_err();
    assert!(matches!(error, Error::Lost { .. }), "{error}");
    assert!(error.to_string().contains("U+FFFD"));
}

#[test]
fn web_pages_that_say_the_wrong_encoding_or_were_encoded_twice_are_read() {
    let web = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/web");
    for (name, label, encoding) in [
        ("joomla-misdeclared", "windows-1256", "UTF-8"),
        ("wp-mojibake", "UTF-8", "UTF-8"),
        ("frontpage-1256", "windows-1256", "windows-1256"),
        ("joomla15-1256", "windows-1256", "windows-1256"),
        ("oldcms-undeclared-1256", "", "windows-1256"),
        ("wire-1256", "", "windows-1256"),
    ] {
        let bytes = fs_err::read(web.join(format!("{name}.html"))).unwrap();
        let gold: Value =
            serde_json::from_slice(&fs_err::read(web.join(format!("{name}.gold.json"))).unwrap()).unwrap();
        let decoded = decode(&bytes, None, (!label.is_empty()).then_some(label)).unwrap();
        assert_eq!(decoded.encoding, encoding, "{name}");
        assert_eq!(decoded.repaired.is_some(), name == "wp-mojibake", "{name}");
        let body = words(gold["body"].as_str().unwrap());
        let found = body.iter().filter(|word| decoded.text.contains(word.as_str())).count();
        assert!(found * 20 > body.len() * 19, "{name}: {found} of {}", body.len());
    }
}

/// Sound text in five languages, with the letters and marks that damaged text is made of.
const SOUND: &[&str] = &[
    "قال وزير النفط، أمس، إن ضغط الأسواق «لن يُحفظ»؛ وأضاف: هل الشرط فقط؟ نعم… والخط واضح، والوعاظ غاضبون.",
    "L'été où l'âge d'or s'achève, à Nîmes : « ça, c'est déjà vu », a dit Zoë – 25 €, n° 3, ½ œuf.",
    "The naïve café owner’s “résumé” cost £5 — that’s 10 °C below ±3 µm…",
    "وزیر نفت گفت که چک و سگ و عکس در تک‌تک ظرف‌ها، غکغک؛ پژوهشگران می‌گویند: «طپش قلب».",
    "SÃO PAULO – a União não é só isso; coração, mãe, ações. ÂNGELA: «Ø» är ett hål. Größe ÄÖÜ ß §5.",
    "Øl på Ærø: «SØ», Ås og Ø; Øystein, Ørsted § 4, Å, ÆØÅ!",
    "وزیرِ اعظم نے کہا کہ یہ بات ٹھیک ہے، ڑ اور ں بھی۔",
    "שר החוץ אמר כי ההסכם ייחתם מחר; «כן», הוסיף.",
];

#[test]
fn sound_text_of_any_language_is_left_alone() {
    for text in SOUND {
        assert_eq!(repair(text), None, "{text}");
        let decoded = decode(text.as_bytes(), None, None).unwrap();
        assert_eq!((decoded.text.as_str(), decoded.warnings.len()), (*text, 0), "{text}");
        let long = text.repeat(40);
        assert_eq!(repair(&long), None, "{text} many times");
    }
    let all = SOUND.join("\n");
    assert_eq!(repair(&all), None);
}

/// Collects all strings of a JSON value.
fn strings(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| strings(value, into)),
        Value::Object(fields) => fields.values().for_each(|value| strings(value, into)),
        _ => {}
    }
}

#[test]
fn nothing_in_the_shared_corpora_is_touched() {
    let Some(eval) = common::shared("eval/ntrex-dev.jsonl") else { return };
    let text = fs_err::read_to_string(&eval).unwrap();
    let mut sentences = Vec::new();
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        strings(&row, &mut sentences);
    }
    assert!(sentences.len() > 500, "{}", sentences.len());
    for sentence in &sentences {
        assert_eq!(repair(sentence), None, "{sentence}");
    }
    assert_eq!(repair(&sentences.join("\n")), None);
    for name in fs_err::read_dir(common::shared("articles").unwrap()).unwrap() {
        let path = name.unwrap().path();
        if path.extension().is_some_and(|e| e == "txt") {
            let bytes = fs_err::read(&path).unwrap();
            let decoded = decode(&bytes, None, None).unwrap();
            assert_eq!((decoded.encoding, decoded.repaired), ("UTF-8", None), "{}", path.display());
            assert_eq!(decoded.text.as_bytes(), &bytes[..], "{}", path.display());
        }
    }
}

/// Reads bytes as windows-1252 with C1 controls for the bytes that have no character.
fn misread(bytes: &[u8], encoding: &'static encoding_rs::Encoding) -> String {
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

const NEWS: &str = "قال وزير الخارجية في مؤتمر صحفي إن البلدين اتفقا على فتح المعبر الحدودي يوم الاثنين المقبل، \
                    وأضاف أن اللجنة المشتركة ستجتمع في العاصمة لمتابعة تنفيذ الاتفاق.";

#[test]
fn the_rest_of_a_damaged_text_stays_as_it_is() {
    let damaged = format!(
        "{}\n{NEWS}\nDéjà vu – «Ærø»\n{}",
        misread(NEWS.as_bytes(), WINDOWS_1252),
        misread("٣".as_bytes(), WINDOWS_1252)
    );
    let (text, repaired) = repair(&damaged).unwrap();
    assert_eq!(text, format!("{NEWS}\n{NEWS}\nDéjà vu – «Ærø»\n٣"));
    assert_eq!((repaired.lines, repaired.lost), (2, 0));
    // One short damaged word is no proof: the text stays, and the doubt is told.
    let short = format!(
        "one word of an otherwise sound text is {} and nothing else is wrong",
        misread("في".as_bytes(), WINDOWS_1252)
    );
    let decoded = decode(short.as_bytes(), None, None).unwrap();
    assert_eq!(decoded.text, short);
    assert!(decoded.repaired.is_none() && decoded.warnings.len() == 1, "{:?}", decoded.warnings);
}

#[test]
fn text_that_was_misread_by_a_mac_or_over_and_over_is_repaired() {
    let mac = misread(NEWS.as_bytes(), encoding_rs::MACINTOSH);
    let decoded = decode(mac.as_bytes(), None, None).unwrap();
    assert_eq!(decoded.text, NEWS);
    assert!(decoded.warnings[0].contains("Mac Roman"), "{:?}", decoded.warnings);
    let mut text = NEWS.to_owned();
    for times in 1..=6 {
        text = misread(text.as_bytes(), encoding_rs::WINDOWS_1252);
        let decoded = decode(text.as_bytes(), None, None).unwrap();
        assert_eq!(decoded.text, NEWS, "{times}");
        assert_eq!(decoded.repaired.unwrap().times, times);
    }
}

#[test]
fn broken_utf_8_is_never_taken_for_chinese() {
    let overlong = common::fixture("hostile_docs").join("overlong.txt");
    let decoded = decode(&fs_err::read(overlong).unwrap(), None, None).unwrap();
    assert_eq!(decoded.encoding, "UTF-8");
    assert!(decoded.text.contains("أعلنت البلدية") && decoded.undecodable > 0);
    assert!(decoded.warnings.iter().any(|warning| warning.contains("cannot be decoded as UTF-8")));
    // One byte in forty is lost.
    let mut bytes = NEWS.repeat(4).into_bytes();
    for at in (0..bytes.len()).step_by(40) {
        bytes[at] = 0xf5;
    }
    let decoded = decode(&bytes, None, None).unwrap();
    assert_eq!((decoded.encoding, decoded.repaired), ("UTF-8", None));
    for (text, encoding) in [
        ("中国国家主席星期一在北京会见了外国客人。", encoding_rs::GBK),
        ("首相は月曜日に東京で会見した。", encoding_rs::SHIFT_JIS),
    ] {
        let read = decode(&encoding.encode(text).0, None, None);
        assert!(read.is_err(), "{read:?}");
    }
}

#[test]
fn words_that_stay_damaged_make_a_repair_uncertain() {
    let text = misread(NEWS.repeat(3).as_bytes(), encoding_rs::WINDOWS_1252);
    let broken = format!("{text} Ø¥ÙéÙ‰");
    let decoded = decode(broken.as_bytes(), None, None).unwrap();
    let repair = decoded.repaired.unwrap();
    assert!(repair.lost > 0 && repair.to_string().contains("not with certainty"), "{repair}");
}

#[test]
fn utf_32_and_dos_are_read() {
    let wide: Vec<u8> = NEWS.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    assert_eq!(decode(&wide, None, None).unwrap().text, NEWS);
    let big: Vec<u8> =
        [0, 0, 0xfe, 0xff].into_iter().chain(NEWS.chars().flat_map(|c| u32::from(c).to_be_bytes())).collect();
    let read = decode(&big, None, None).unwrap();
    assert_eq!((read.text.as_str(), read.encoding), (NEWS, "UTF-32BE"));
    let upper: Vec<char> = by_label("ibm720").unwrap().decode(&(0x80..=0xffu8).collect::<Vec<u8>>()).chars().collect();
    let byte = |c: char| {
        upper
            .iter()
            .position(|&u| u == c)
            .map_or_else(|| u8::try_from(u32::from(c)).unwrap_or(b','), |at| at as u8 + 0x80)
    };
    let dos: Vec<u8> = NEWS.chars().map(byte).collect();
    let read = decode(&dos, None, None).unwrap();
    assert_eq!((read.text, read.encoding), (NEWS.replace('،', ","), "IBM720"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn words_of_sound_text_in_any_order_and_encoding_come_out_as_they_went_in(
        picks in proptest::collection::vec((0..SOUND.len(), 0usize..12), 1..60),
        lines in any::<bool>(),
    ) {
        let separator = if lines { "\n" } else { " " };
        let words: Vec<&str> = picks
            .iter()
            .filter_map(|&(text, word)| SOUND[text].split_whitespace().nth(word))
            .collect();
        let text = words.join(separator);
        prop_assert_eq!(repair(&text), None);
        if text.is_empty() { return Ok(()); }
        prop_assert_eq!(&decode(text.as_bytes(), None, None).unwrap().text, &text);
        for encoding in [WINDOWS_1256, ISO_8859_6, WINDOWS_1252] {
            let (bytes, _, lossy) = encoding.encode(&text);
            if !lossy {
                let read = decode(&bytes, Some(encoding.into()), None).unwrap();
                prop_assert_eq!(&read.text, &text);
                prop_assert!(read.repaired.is_none());
            }
        }
    }

    #[test]
    fn what_was_misread_comes_back_exactly(
        picks in proptest::collection::vec((0usize..2, 0usize..20), 8..60),
        times in 1usize..3,
        arabic in any::<bool>(),
    ) {
        let sources = [NEWS, SOUND[0]];
        let words: Vec<&str> = picks.iter().filter_map(|&(text, word)| sources[text].split_whitespace().nth(word)).collect();
        prop_assume!(words.len() > 3);
        let text = words.join(" ");
        let encoding = if arabic { WINDOWS_1256 } else { WINDOWS_1252 };
        let mut damaged = text.clone();
        for _ in 0..times {
            damaged = misread(damaged.as_bytes(), encoding);
        }
        let (repaired, facts) = repair(&damaged).unwrap();
        prop_assert_eq!(repaired, text);
        prop_assert_eq!(facts.times, times);
    }

    #[test]
    fn no_bytes_break_it(bytes in proptest::collection::vec(any::<u8>(), 0..400), label in "[a-z0-9-]{0,12}") {
        if let Ok(decoded) = decode(&bytes, None, Some(&label)) {
            prop_assert!(decoded.text.len() <= bytes.len() * 3 + 3);
        }
    }
}
