//! The glossary and the name matcher, measured on other people's data: names (Wikidata, `GeoNames`) and human
//! translations (NTREX). The data are for measuring, never for fitting entries.

use std::collections::{BTreeMap, BTreeSet};

use mujaz::glossary::transliterate::SAME_NAME;
use mujaz::glossary::{Category, Glossary, Strength, sounds_like};

use crate::common::shared;

/// Returns word pairs of names that have as many words in Arabic as in English.
fn name_pairs() -> Option<Vec<(String, String)>> {
    let people =
        std::fs::read_to_string(shared("names/wikidata_people_ar_en_north_africa.tsv")?).expect("readable shared data");
    let mut pairs = Vec::new();
    for line in people.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let arabic: Vec<&str> = columns[1].split(' ').collect();
        let latin: Vec<&str> =
            columns[2].split([' ', '-']).filter(|w| !matches!(w.to_lowercase().as_str(), "al" | "el")).collect();
        if arabic.len() == latin.len() && columns[5] == "wikidata" {
            pairs.extend(arabic.iter().zip(latin).map(|(a, l)| ((*a).to_owned(), l.to_owned())));
        }
    }
    Some(pairs)
}

#[test]
fn names_that_are_the_same_sound_alike() {
    let Some(pairs) = name_pairs() else { return };
    assert!(pairs.len() > 10_000, "{} pairs", pairs.len());
    let same = pairs.iter().filter(|(a, l)| sounds_like(a, l) >= SAME_NAME).count();
    // Every pair against the Latin of another name, far enough away in the file to be another person.
    let others: Vec<(&str, &str)> =
        (0..pairs.len()).map(|n| (pairs[n].0.as_str(), pairs[(n * 7919 + 4099) % pairs.len()].1.as_str())).collect();
    let wrong = others.iter().filter(|(a, l)| sounds_like(a, l) >= SAME_NAME).count();
    let (recall, false_rate) = (same as f64 / pairs.len() as f64, wrong as f64 / others.len() as f64);
    println!("{} pairs: accepted {recall:.4}; {} random pairs: accepted {false_rate:.4}", pairs.len(), others.len());
    assert!(recall >= 0.95 && false_rate <= 0.02);
}

/// Returns what the glossary finds in a text, as `words=English`, hints with a question mark.
fn found(text: &str) -> Vec<String> {
    let mark = |s| if s == Strength::Hint { "?" } else { "" };
    let show = |m: &mujaz::glossary::Match<'_>| format!("{}={}{}", m.span.of(text), m.entry.english, mark(m.strength));
    Glossary::builtin().matches(text).iter().map(show).collect()
}

#[test]
fn arabic_names_are_found_under_clitics() {
    for (text, expected) in [
        ("ليبيا", vec!["ليبيا=Libya"]),
        ("وبليبيا وللجزائر", vec!["ليبيا=Libya", "جزائر=Algeria"]),
        ("للبنان", vec!["لبنان=Lebanon"]),
        ("لـ«تونس»", vec!["تونس=Tunisia"]),
        ("والجزائريين", vec!["الجزائريين=Algerians"]),
        ("لليبيين", vec!["ليبيين=Libyans"]),
        ("فالقاهرة", vec!["القاهرة=Cairo"]),
        ("بألمانيا وألمانيا", vec!["ألمانيا=Germany", "ألمانيا=Germany"]),
        ("الأمم المتحدة", vec!["الأمم المتحدة=United Nations"]),
        ("وبالأمم المتحدة", vec!["الأمم المتحدة=United Nations"]),
        ("جنوب السودان", vec!["جنوب السودان=South Sudan"]),
        ("غينيا الاستوائية", vec!["غينيا الاستوائية=Equatorial Guinea"]),
        ("معمّر القذّافي", vec!["معمّر القذّافي=Muammar Gaddafi"]),
        ("وقف إطلاق النار", vec!["وقف إطلاق النار=ceasefire"]),
        ("ديسمبر/كانون الأول", vec!["ديسمبر/كانون الأول=December"]),
    ] {
        assert_eq!(found(text), expected, "{text}");
    }
}

#[test]
fn ordinary_words_are_hints_until_context_speaks() {
    for (text, expected) in [
        ("دعم مالي كبير", vec!["دعم=support", "مالي=Mali?"]),
        ("شمال مالي", vec!["مالي=Mali"]),
        ("النيجر ومالي", vec!["النيجر=Niger", "مالي=Mali"]),
        ("في قطر", vec!["قطر=Qatar"]),
        ("قطر الدائرة", vec!["قطر=Qatar?"]),
        ("مارس الرياضة", vec!["مارس=March?"]),
        ("سلطنة عمان", vec!["سلطنة عمان=Oman"]),
    ] {
        assert_eq!(found(text).into_iter().take(expected.len()).collect::<Vec<_>>(), expected, "{text}");
    }
}

/// Returns what the glossary finds in an English text, as `words=concept`, hints with a question mark.
fn mentioned(text: &str) -> Vec<String> {
    let mark = |s| if s == Strength::Hint { "?" } else { "" };
    Glossary::builtin()
        .mentions(text)
        .iter()
        .map(|m| format!("{}={}{}", m.text, m.entry.concept, mark(m.strength)))
        .collect()
}

#[test]
fn english_names_are_found_whole() {
    for (text, expected) in [
        ("South Sudan's army", vec!["South Sudan=country/ss"]),
        ("in New Mexico", vec!["New Mexico=place/new-mexico"]),
        ("the Niger Delta", vec!["Niger Delta=place/niger-delta"]),
        ("Guinea-Bissau", vec!["Guinea-Bissau=country/gw"]),
        ("roast turkey", vec![]),
        ("Turkey’s president", vec!["Turkey=country/tr"]),
        ("a US-led force", vec!["US=country/us"]),
        ("give us time", vec![]),
        ("Michael Jordan", vec![]),
        ("in Jordan", vec!["Jordan=country/jo"]),
        ("Chad Smith plays", vec!["Chad=country/td?"]),
        ("Kadhafi and al-Sarraj", vec!["Kadhafi=person/gaddafi", "al-Sarraj=person/sarraj"]),
        ("polish the table", vec![]),
        ("Algerians and Libyans", vec!["Algerians=country/dz", "Libyans=country/ly"]),
    ] {
        assert_eq!(mentioned(text), expected, "{text}");
    }
}

#[test]
fn every_right_form_renders_an_entry() {
    let glossary = Glossary::builtin();
    for (arabic, english, expected) in [
        ("الجزائر", "the Algerian army", true),
        ("الليبية", "Libya's army", true),
        ("الليبية", "Liberia's army", false),
        ("السودان", "South Sudan", false),
        ("القذافي", "Qaddafi fell", true),
        ("معمر القذافي", "Gaddafi fell", true),
        ("فرنسا", "Paris said", false),
        ("فرانس برس", "told AFP", true),
        ("حظر الأسلحة", "arms embargoes", true),
        ("حظر الأسلحة", "a travel ban", false),
    ] {
        let matches = glossary.matches(arabic);
        assert_eq!(matches.len(), 1, "{arabic}");
        assert_eq!(glossary.renders(matches[0].entry, english), expected, "{arabic}: {english}");
    }
}

#[test]
fn long_texts_are_matched_in_milliseconds() {
    let Some(pairs) = sentence_pairs() else { return };
    let glossary = Glossary::builtin();
    let arabic: Vec<&str> = pairs.iter().flat_map(|(a, _)| a.split_whitespace()).take(5000).collect();
    let english: Vec<&str> = pairs.iter().flat_map(|(_, e)| e.split_whitespace()).take(5000).collect();
    let (arabic, english) = (arabic.join(" "), english.join(" "));
    let started = std::time::Instant::now();
    let matches = glossary.matches(&arabic).len();
    let matching = started.elapsed();
    let started = std::time::Instant::now();
    let mentions = glossary.mentions(&english).len();
    let mentioning = started.elapsed();
    println!("5,000 words: {matches} matches in {matching:?}, {mentions} mentions in {mentioning:?}");
    // A wide margin for a busy machine; what is measured is in the report.
    assert!(matching.as_millis() < 250 && mentioning.as_millis() < 250);
}

/// Returns the sentence pairs of NTREX.
fn sentence_pairs() -> Option<Vec<(String, String)>> {
    #[derive(serde::Deserialize)]
    struct Pages {
        ar: Vec<String>,
        en: Vec<String>,
    }
    let text = std::fs::read_to_string(shared("eval/ntrex-dev.jsonl")?).expect("readable shared data");
    let mut pairs = Vec::new();
    for line in text.lines() {
        let page: Pages = serde_json::from_str(line).expect("readable shared data");
        pairs.extend(page.ar.into_iter().zip(page.en));
    }
    Some(pairs)
}

/// How often something held, with a few places where it did not.
#[derive(Default)]
struct Tally {
    held: usize,
    of: usize,
    misses: Vec<String>,
}

impl Tally {
    fn count(&mut self, holds: bool, miss: impl FnOnce() -> String) {
        self.of += 1;
        self.held += usize::from(holds);
        if !holds {
            self.misses.push(miss());
        }
    }
}

fn rate(tallies: &BTreeMap<Category, Tally>, categories: &[Category]) -> f64 {
    let (held, of) = categories.iter().filter_map(|c| tallies.get(c)).fold((0, 0), |(h, o), t| (h + t.held, o + t.of));
    held as f64 / of as f64
}

fn show(title: &str, tallies: &BTreeMap<Category, Tally>) {
    for (category, tally) in tallies {
        println!("{title} {category:?}: {} of {} = {:.4}", tally.held, tally.of, tally.held as f64 / tally.of as f64);
        for miss in tally.misses.iter().take(if std::env::var_os("MUJAZ_MISSES").is_some() { 1000 } else { 0 }) {
            println!("    {miss}");
        }
    }
}

const NAMES: [Category; 5] =
    [Category::Country, Category::Nationality, Category::Place, Category::Person, Category::Organization];

#[test]
fn human_translations_keep_what_the_arabic_names() {
    let Some(pairs) = sentence_pairs() else { return };
    let glossary = Glossary::builtin();
    let mut tallies: BTreeMap<Category, Tally> = BTreeMap::new();
    for (arabic, english) in &pairs {
        for found in glossary.matches(arabic) {
            if found.entry.category.is_name() && found.strength == Strength::Certain {
                tallies.entry(found.entry.category).or_default().count(glossary.renders(found.entry, english), || {
                    format!(
                        "{} = {} ({}) | {english} | {arabic}",
                        found.span.of(arabic),
                        found.entry.english,
                        found.entry.arabic
                    )
                });
            }
        }
    }
    show("rendered", &tallies);
    assert!(rate(&tallies, &[Category::Country, Category::Nationality]) >= 0.95);
    assert!(rate(&tallies, &NAMES) >= 0.93);
}

#[test]
fn the_arabic_has_what_human_translations_name() {
    let Some(pairs) = sentence_pairs() else { return };
    let glossary = Glossary::builtin();
    let mut tallies: BTreeMap<Category, Tally> = BTreeMap::new();
    let (mut by_concept, mut all) = (0, 0);
    for (arabic, english) in &pairs {
        let concepts: BTreeSet<&str> = glossary.matches(arabic).iter().map(|m| m.entry.concept.as_str()).collect();
        for mention in glossary.mentions(english) {
            if mention.strength == Strength::Certain {
                let holds = glossary.backs(&mention, arabic);
                by_concept += usize::from(mention.concepts.iter().any(|c| concepts.contains(c)));
                all += 1;
                tallies
                    .entry(mention.entry.category)
                    .or_default()
                    .count(holds, || format!("{} = {} | {arabic} | {english}", mention.text, mention.entry.concept));
            }
        }
    }
    show("has a source", &tallies);
    println!("of {all} mentions, {by_concept} have their concept among the matches themselves");
    assert!(rate(&tallies, &NAMES) >= 0.93);
}

proptest::proptest! {
    #[test]
    fn matches_lie_in_the_text(picks in proptest::collection::vec((0usize..100_000, 0usize..6), 0..8), noise in "\\PC{0,20}") {
        let glossary = Glossary::builtin();
        let clitics = ["", "و", "ب", "ل", "وال", "لل"];
        let mut text = noise;
        for (pick, clitic) in picks {
            text.push(' ');
            text.push_str(clitics[clitic]);
            text.push_str(&glossary.entries[pick % glossary.entries.len()].arabic);
        }
        let mut last = 0;
        for found in glossary.matches(&text) {
            proptest::prop_assert!(found.span.start >= last && found.span.end <= text.len());
            proptest::prop_assert!(text.is_char_boundary(found.span.start) && text.is_char_boundary(found.span.end));
            last = found.span.end;
            // The article may come and go, word by word.
            let inside = mujaz::arabic::clitics::normalise(found.span.of(&text));
            let entry = mujaz::arabic::clitics::normalise(&found.entry.arabic);
            let bare = |w: &str| w.strip_prefix("ال").unwrap_or(w).to_owned();
            let same = |(a, b): (&str, &str)| a == b || bare(a) == b || a == bare(b) || bare(a) == bare(b);
            proptest::prop_assert_eq!(inside.split(' ').count(), entry.split(' ').count());
            proptest::prop_assert!(inside.split(' ').zip(entry.split(' ')).all(same), "{inside} {entry}");
        }
    }

    #[test]
    fn mentions_lie_in_the_text(picks in proptest::collection::vec(0usize..100_000, 0..8), noise in "\\PC{0,20}") {
        let glossary = Glossary::builtin();
        let mut text = noise;
        for pick in picks {
            text.push(' ');
            text.push_str(&glossary.entries[pick % glossary.entries.len()].english);
        }
        let mut last = 0;
        for mention in glossary.mentions(&text) {
            proptest::prop_assert!(mention.span.start >= last && mention.span.end <= text.len());
            last = mention.span.end;
            proptest::prop_assert_eq!(mention.span.of(&text), mention.text.as_str());
            proptest::prop_assert!(mention.entry.category.is_name());
            proptest::prop_assert!(mention.concepts.contains(&mention.entry.concept.as_str()));
        }
    }

    #[test]
    fn an_entry_is_found_and_renders_itself(pick in 0usize..100_000) {
        let glossary = Glossary::builtin();
        let entry = &glossary.entries[pick % glossary.entries.len()];
        let found = glossary.matches(&entry.arabic);
        proptest::prop_assert!(!found.is_empty(), "{}", entry.arabic);
        proptest::prop_assert!(glossary.renders(entry, &entry.english), "{} {}", entry.arabic, entry.english);
    }
}
