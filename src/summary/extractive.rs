//! A statement phrased from the translation of its evidence, by leaving words out.
//!
//! In: the targets of one or two segments. Out: phrasings, best first; the caller takes the first that keeps the
//! contract. Nothing is added but a capital letter, a closing quotation mark and a full stop (or an ellipsis where there
//! was no good place to cut).

use std::sync::LazyLock;

use regex::Regex;
use unicode_segmentation::UnicodeSegmentation;

/// Most words of a statement.
pub const MOST_WORDS: usize = 45;
/// A sentence with fewer words takes the next one along, where both fit.
const SHORT_WORDS: usize = 14;
/// A cut leaves at least this many words.
const LEAST_CUT: usize = 10;

/// Phrases a statement, best first: one or two sentences, then shorter cuts of the first at its clauses.
pub fn phrasings(targets: &[&str]) -> Vec<String> {
    let sentences: Vec<String> = targets.iter().flat_map(|target| sentences(target)).collect();
    let Some(first) = sentences.first() else { return Vec::new() };
    let mut found: Vec<String> = Vec::new();
    if let Some(second) = sentences.get(1) {
        let short = words_in(first) < SHORT_WORDS || targets.len() > 1;
        if short && words_in(first) + words_in(second) <= MOST_WORDS {
            found.push(format!("{first} {second}"));
        }
    }
    found.push(capped(first, MOST_WORDS));
    let mut limit = words_in(found.last().map_or("", String::as_str));
    while limit > LEAST_CUT {
        let Some(shorter) = cut_at_clause(first, LEAST_CUT, limit - 1) else { break };
        limit = words_in(&shorter);
        found.push(shorter);
    }
    // Where a first sentence breaks the contract, a later one may keep it.
    found.extend(sentences[1..].iter().map(|sentence| capped(sentence, MOST_WORDS)));
    found.dedup();
    found.retain(|statement| statement.chars().any(char::is_alphanumeric));
    // Words in quotation marks with nobody who says them are no statement, where there is anything else.
    if found.iter().any(|statement| !is_bare_quotation(statement)) {
        found.retain(|statement| !is_bare_quotation(statement));
    }
    found
}

/// Returns whether nearly all of a statement stands in quotation marks.
fn is_bare_quotation(statement: &str) -> bool {
    /// "he said" alone is still no statement.
    const LEAST_OUTSIDE: usize = 3;
    let opens = statement.starts_with(['"', '“', '«']);
    let outside = statement.split(['"', '“', '”', '«', '»']).skip(2).map(words_in).sum::<usize>();
    opens && outside < LEAST_OUTSIDE
}

fn words_in(text: &str) -> usize {
    text.split_whitespace().count()
}

/// Cuts a target into sentences and cleans each: connectives that lean on an earlier sentence go, quotation marks are
/// made to match, a full stop ends it.
fn sentences(target: &str) -> Vec<String> {
    let flat: String = target.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut whole: Vec<String> = Vec::new();
    for piece in flat.unicode_sentences() {
        // A piece that goes on in lower case, or that follows an abbreviation or an initial, is no new sentence.
        let goes_on = whole.last().is_some_and(|last: &String| {
            piece.trim_start().starts_with(|c: char| c.is_lowercase() || c.is_ascii_digit())
                || ends_in_abbreviation(last)
        });
        match whole.last_mut().filter(|_| goes_on) {
            Some(last) => last.push_str(piece),
            None => whole.push(piece.to_owned()),
        }
    }
    whole.iter().map(|sentence| finished(&without_lean(sentence))).filter(|sentence| !sentence.is_empty()).collect()
}

fn ends_in_abbreviation(text: &str) -> bool {
    const KNOWN: &[&str] =
        &["Mr.", "Mrs.", "Ms.", "Dr.", "Gen.", "Col.", "Lt.", "St.", "No.", "vs.", "Prof.", "Sen.", "Rep."];
    text.split_whitespace().next_back().is_some_and(|word| {
        let word = word.trim_start_matches(['"', '“', '(', '\'']);
        KNOWN.contains(&word)
            || (word.len() == 2 && word.ends_with('.') && word.starts_with(|c: char| c.is_uppercase()))
    })
}

/// Takes away openings and endings that point at another sentence: "He added that", "Also,", ", he said".
fn without_lean(sentence: &str) -> String {
    static OPENINGS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        [
            r"(?i)^(?:and|but|also|yet|nor|or)\b,?\s+",
            r"(?i)^(?:so|then|moreover|furthermore|in addition|additionally|however|meanwhile|besides|likewise|similarly|nevertheless|on the other hand|in turn|for (?:his|her|its|their) part|in (?:this|that|the same) (?:regard|context|respect|connection|vein)),\s+",
            r"(?i)^(?:he|she|they|it)\s+(?:also\s+|further\s+)?(?:added|said|stated|noted|pointed out|explained|stressed|continued|clarified|confirmed|indicated|emphasi[sz]ed|affirmed|mentioned|went on to say)(?:\s+also)?,?\s+that\s+",
            r"(?i)^it (?:is|was|should be) (?:worth (?:noting|mentioning)|noted|noteworthy|mentioned|recalled) that\s+",
        ]
        .iter()
        .map(|pattern| Regex::new(pattern).expect("the pattern is a constant and a test compiles it"))
        .collect()
    });
    static ENDING: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i),?\s+(?:he|she|they)\s+(?:added|said|continued|stated|noted)\.?$")
            .expect("the pattern is a constant and a test compiles it")
    });
    let mut rest = sentence.trim().to_owned();
    loop {
        let shorter = OPENINGS.iter().fold(rest.clone(), |text, opening| opening.replace(&text, "").into_owned());
        if shorter == rest {
            break;
        }
        rest = shorter;
    }
    ENDING.replace(&rest, "").into_owned()
}

/// Caps a statement. Finishing a cut can part a word at a stray quotation mark, so that a shorter cut is needed.
fn capped(sentence: &str, limit: usize) -> String {
    let mut tried = limit;
    loop {
        let made = cut_to(sentence, tried);
        if words_in(&made) <= limit || tried <= 1 {
            return made;
        }
        tried -= 1;
    }
}

/// Cuts a sentence: whole where it fits, else cut at a clause, else at a word with an ellipsis.
fn cut_to(sentence: &str, limit: usize) -> String {
    if words_in(sentence) <= limit {
        return sentence.to_owned();
    }
    // A cut that keeps most of the sentence, even at a lesser place, before one that keeps only its opening.
    if let Some(cut) = cut_at_clause(sentence, limit / 2, limit).or_else(|| cut_at_clause(sentence, LEAST_CUT, limit)) {
        return cut;
    }
    let words: Vec<&str> = sentence.split_whitespace().collect();
    let mut end = limit.min(words.len());
    while end > 1 && (is_bound(words[end - 1]) || has_digit(words[end - 1])) {
        end -= 1;
    }
    let cut = words[..end].join(" ");
    let cut = finished(cut.trim_end_matches([',', ';', ':', '—', '–', '-']));
    format!("{}…", cut.trim_end_matches('.'))
}

/// How good a place between two words is for a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// Before a conjunction, without a comma.
    Conjunction,
    /// After a comma that may stand in a list.
    Comma,
    /// Between clauses.
    Clause,
}

/// Cuts a sentence at the last of its best places that leaves `least` to `limit` words.
fn cut_at_clause(sentence: &str, least: usize, limit: usize) -> Option<String> {
    let words: Vec<&str> = sentence.split_whitespace().collect();
    let mut best: Option<(Place, usize)> = None;
    for at in least..words.len().min(limit + 1) {
        let Some(place) = place_before(&words, at) else { continue };
        if is_open(&words[..at]) {
            continue;
        }
        if best.is_none_or(|(held, _)| place >= held) {
            best = Some((place, at));
        }
    }
    best.map(|(_, at)| finished(words[..at].join(" ").trim_end_matches([',', ';', ':', '—', '–', '-', ' '])))
}

fn place_before(words: &[&str], at: usize) -> Option<Place> {
    const CLAUSE: &[&str] = &[
        "which",
        "who",
        "whose",
        "where",
        "while",
        "as",
        "after",
        "before",
        "because",
        "but",
        "adding",
        "saying",
        "stressing",
        "noting",
        "pointing",
        "explaining",
        "according",
        "in",
        "with",
        "and",
        "so",
        "although",
        "though",
        "including",
        "following",
        "amid",
        "since",
        "when",
        "especially",
        "particularly",
        "despite",
        "considering",
    ];
    const CONJUNCTION: &[&str] =
        &["and", "but", "which", "while", "because", "although", "whereas", "after", "before", "amid", "despite"];
    let (before, next) = (words[at - 1], words[at].trim_start_matches(['"', '“', '(', '‘']).to_lowercase());
    if before.ends_with([';', '—', '–']) {
        return Some(Place::Clause);
    }
    if before.ends_with(',') {
        return Some(if CLAUSE.contains(&next.as_str()) { Place::Clause } else { Place::Comma });
    }
    // "between Algeria and Libya", "3 and 4": a conjunction between two names or figures joins no clauses.
    let joins_names =
        words.get(at + 1).is_some_and(|w| w.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit()));
    let free = CONJUNCTION.contains(&next.as_str()) && !is_bound(before) && !has_digit(before) && !joins_names;
    free.then_some(Place::Conjunction)
}

/// Returns whether a quotation or bracket is open at the end of the words.
fn is_open(words: &[&str]) -> bool {
    let count = |c: char| words.iter().map(|word| word.matches(c).count()).sum::<usize>();
    count('"') % 2 == 1 || count('“') > count('”') || count('(') > count(')') || count('«') > count('»')
}

fn has_digit(word: &str) -> bool {
    word.contains(|c: char| c.is_ascii_digit())
}

/// Returns whether a word leans on the next one, so that nothing may end with it.
fn is_bound(word: &str) -> bool {
    const BOUND: &[&str] = &[
        "a", "an", "the", "of", "to", "in", "on", "at", "by", "for", "from", "with", "and", "or", "but", "that",
        "which", "who", "whose", "as", "between", "into", "its", "his", "her", "their", "is", "are", "was", "were",
        "be", "been", "has", "have", "had", "will", "would", "not", "no", "said", "than", "this", "these", "those",
        "within", "under", "about", "against", "towards", "toward", "through", "during", "after", "before", "while",
        "because", "if",
    ];
    BOUND.contains(&word.to_lowercase().trim_matches(|c: char| !c.is_alphanumeric()))
}

/// Makes a stretch of words a sentence: quotation marks matched, words that lean on what was cut away dropped from the
/// end, a capital in front and a mark at the end.
fn finished(text: &str) -> String {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    while words.last().is_some_and(|word| is_bound(word) && !word.ends_with(['.', '!', '?', '"', '”'])) {
        words.pop();
    }
    let mut text = matched_quotes(&words.join(" "));
    // A quotation whose speaker was cut off ends with the comma that led to him.
    for (comma, stop) in [(",”", ".”"), (",\"", ".\"")] {
        if let Some(rest) = text.strip_suffix(comma) {
            text = format!("{rest}{stop}");
        }
    }
    let bare = text.trim_end_matches(['"', '”', '»', ')', '’']);
    if bare.is_empty() {
        return String::new();
    }
    if !bare.ends_with(['.', '!', '?', '…']) {
        let end = text.trim_end_matches([',', ';', ':', ' ', '—', '–', '-']).len();
        text.truncate(end);
        text.push('.');
    }
    let mut chars = text.chars();
    match chars.next() {
        Some(first) if first.is_lowercase() => first.to_uppercase().chain(chars).collect(),
        _ => text,
    }
}

/// Closes a quotation that was left open and drops a closing mark without an opening one.
fn matched_quotes(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut curly = 0usize;
    let mut straight = false;
    let last_straight = text.rfind('"').filter(|_| text.matches('"').count() % 2 == 1);
    for (at, c) in text.char_indices() {
        match c {
            '“' => curly += 1,
            '”' if curly == 0 => {
                // A mark within a word or figure parts it.
                kept.push(' ');
                continue;
            }
            '”' => curly -= 1,
            '"' if Some(at) == last_straight => {
                let opens = text[..at].chars().next_back().is_none_or(|before| before.is_whitespace() || before == '(');
                if !opens {
                    kept.push(' ');
                    continue;
                }
                straight = true;
            }
            _ => {}
        }
        kept.push(c);
    }
    if curly > 0 || straight {
        let end = kept.trim_end_matches([',', ';', ':', ' ']).len();
        kept.truncate(end);
        kept.push_str(if straight { "\"" } else { "”" });
    }
    if !kept.contains("  ") && !kept.contains(" ,") && !kept.contains(" .") && !kept.ends_with(' ') {
        return kept;
    }
    kept.split_whitespace().collect::<Vec<_>>().join(" ").replace(" ,", ",").replace(" .", ".")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn first(target: &str) -> String {
        phrasings(&[target]).into_iter().next().unwrap_or_default()
    }

    #[test]
    fn a_long_sentence_is_cut_late_and_a_bare_quotation_is_no_statement() {
        let long = "The meeting was held after a week of raids by the army, which had announced on Monday that it was \
            striking positions of the group near the town of Derna, and officials of the three countries discussed \
            the situation on the ground, the borders, the movements of armed groups and a joint plan for the months ahead.";
        assert!(words_in(&first(long)) > MOST_WORDS / 2, "{}", first(long));
        let quotation = "“Keeping the peace and stability of the country is the aim of this request”, the prime minister of \
            the national government told the heads of five states in letters that his office published on Friday evening, \
            and he asked them for help against the forces that are marching on the capital of the country.";
        assert!(
            phrasings(&[quotation]).iter().all(|statement| !is_bare_quotation(statement)),
            "{:?}",
            phrasings(&[quotation])
        );
    }

    #[test]
    fn words_that_lean_on_another_sentence_go() {
        for (target, statement) in [
            ("He added that security is a shared task.", "Security is a shared task."),
            ("And in addition, the two sides agreed on patrols", "The two sides agreed on patrols."),
            (
                "In addition to patrols, the two sides agreed on training.",
                "In addition to patrols, the two sides agreed on training.",
            ),
            ("“We will sign the accord this week,” he said.", "“We will sign the accord this week.”"),
            ("It is worth noting that parliament voted on the bill.", "Parliament voted on the bill."),
            ("the border is 900 km long", "The border is 900 km long."),
        ] {
            assert_eq!(first(target), statement);
        }
    }

    #[test]
    fn a_long_sentence_is_cut_between_clauses_and_never_in_a_number() {
        let long = format!(
            "The two countries agreed to hold joint exercises on the border, which is 1,000 kilometres long, {}and more.",
            "and to train officers of the army in the academies of the neighbour ".repeat(4)
        );
        let statement = first(&long);
        assert!(words_in(&statement) <= MOST_WORDS, "{statement}");
        assert!(statement.ends_with("kilometres long.") || statement.ends_with("neighbour."), "{statement}");
        let endless = format!("They paid {}in all", "1,000 2,000 3,000 ".repeat(30));
        let statement = first(&endless);
        assert!(words_in(&statement) <= MOST_WORDS && statement.ends_with('…'), "{statement}");
    }

    #[test]
    fn a_short_sentence_takes_the_next_one_along() {
        assert_eq!(
            phrasings(&["Talks ended on Monday.", "Both sides will meet again in May."])[0],
            "Talks ended on Monday. Both sides will meet again in May."
        );
    }

    #[test]
    fn abbreviations_end_no_sentence() {
        assert_eq!(first("Dr. A. Salem spoke to the press."), "Dr. A. Salem spoke to the press.");
    }

    #[test]
    fn a_stray_mark_within_a_word_makes_no_statement_too_long() {
        // Found by the property below.
        let target = ", A”A A ( a A “ \" “ A ” \" \" a a A \" 0 \"\" 0 a 0 A A A ( a \" 0 , A A \"\" \" “ A a \" ” ”\" 0\"a a A ( B \" \"";
        assert!(phrasings(&[target]).iter().all(|statement| words_in(statement) <= MOST_WORDS));
    }

    proptest! {
        #[test]
        fn statements_add_no_word_and_stay_short(target in "([A-Za-z0-9,\"“”().]{1,9} ){1,120}") {
            let known: std::collections::BTreeSet<String> = bare_words(&target).collect();
            for statement in phrasings(&[&target]) {
                prop_assert!(words_in(&statement) <= MOST_WORDS, "{}", statement);
                for word in bare_words(&statement) {
                    prop_assert!(known.contains(&word), "{} is not in the target", word);
                }
            }
        }

        #[test]
        fn nothing_panics(target in "\\PC{0,300}") {
            phrasings(&[&target, &target]);
        }
    }

    fn bare_words(text: &str) -> impl Iterator<Item = String> + '_ {
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
    }
}
