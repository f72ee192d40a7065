//! Where a sentence ends, and which stops end none.
//!
//! In: the characters of a block, where the sentence starts, a stop. Out: where it ends, if it does. The rules are told in
//! [`super`]; decisions look back no further than the sentence's own start.

use crate::arabic::letters::{digit, is_arabic_letter};

/// Latin abbreviations after which a sentence goes on, in lower case without the stop.
const LATIN_ABBREVIATIONS: &[&str] = &[
    "mr", "mrs", "ms", "dr", "prof", "st", "no", "vs", "inc", "ltd", "co", "corp", "gen", "col", "lt", "sen", "rep",
    "gov", "jr", "sr", "fig", "vol", "pp", "ed", "eg", "ie", "cf", "al", "jan", "feb", "mar", "apr", "jun", "jul",
    "aug", "sep", "sept", "oct", "nov", "dec", "mme", "mlle",
];

/// Arabic abbreviations of more than one letter after which a sentence goes on, without the stop.
const ARABIC_ABBREVIATIONS: &[&str] = &["تحـ", "تح", "مج", "ط", "هاتف", "ت"];

/// Words that go on with a sentence rather than open one: after "إلخ." or a closing mark the sentence has not ended.
const GOING_ON: &[&str] =
    &["من", "في", "على", "عن", "إلى", "الى", "مع", "التي", "الذي", "الذين", "بين", "عند", "خلال", "ضمن", "داخل"];

/// Verbs that name the speaker behind a quotation: «هل انتهى؟» سأل أحدهم.
const SPEAKING: &[&str] = &[
    "قال",
    "قالت",
    "يقول",
    "تقول",
    "سأل",
    "سألت",
    "يسأل",
    "تساءل",
    "تساءلت",
    "هتف",
    "هتفت",
    "صاح",
    "صاحت",
    "صرخ",
    "صرخت",
    "رد",
    "ردت",
    "أجاب",
    "أجابت",
];

/// A stop within brackets or a quotation is looked past for so many characters at most: longer ones are texts of their own.
const INNER_REACH: usize = 160;
/// A line without a stop is a headline or a verse up to so many characters.
const LINE_REACH: usize = 160;

pub(super) fn is_terminal(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '؟' | '…' | '۔')
}

fn is_closer(c: char) -> bool {
    matches!(c, '"' | '”' | '“' | '’' | '\'' | '»' | '›' | ')' | ']' | '}')
}

/// Returns how many quotations and brackets are open after the character at `at`. Straight marks open where a word
/// follows them directly and none, or a one-letter prefix with tatweel, stands before.
pub(in crate::document) fn depth(chars: &[(usize, char)], start: usize, at: usize, open: usize) -> usize {
    let before = if at > start { Some(chars[at - 1].1) } else { None };
    let after = chars.get(at + 1).map(|&(_, c)| c);
    match chars[at].1 {
        '«' | '“' | '(' | '[' if after.is_some_and(|c| !c.is_whitespace()) => open + 1,
        '»' | '”' | ')' | ']' => open.saturating_sub(1),
        '"' => {
            let opens = before.is_none_or(|c| c.is_whitespace() || matches!(c, 'ـ' | '(' | ':' | '[' | '،'))
                && after.is_some_and(|c| !c.is_whitespace());
            if opens { open + 1 } else { open.saturating_sub(1) }
        }
        _ => open,
    }
}

/// Returns where the sentence ends if the terminal at `at` ends it: one past its last character.
pub(super) fn boundary(chars: &[(usize, char)], start: usize, at: usize, quotes: usize) -> Option<usize> {
    let char_at = |i: usize| chars.get(i).map(|&(_, c)| c);
    let mut end = at + 1;
    while char_at(end).is_some_and(is_terminal) {
        end += 1;
    }
    let run = end - at;
    let plain = chars[at].1 == '.' && run == 1;
    let suspension = chars[at].1 == '…' || (chars[at].1 == '.' && run > 1);
    // A run is judged once, at its first character.
    if at > start && is_terminal(chars[at - 1].1) {
        return None;
    }
    let mut closed = 0;
    while char_at(end).is_some_and(is_closer) {
        // A quotation mark that opens the next word belongs to that word.
        if matches!(char_at(end), Some('"' | '“' | '\'')) && char_at(end + 1).is_some_and(char::is_alphanumeric) {
            break;
        }
        end += 1;
        closed += 1;
    }
    if char_at(end).is_none() {
        return Some(end);
    }
    let mut next = end;
    while char_at(next).is_some_and(|c| c.is_whitespace() && c != '\n') {
        next += 1;
    }
    let spaced = next > end || char_at(end) == Some('\n');
    let Some(after) = char_at(next) else { return Some(end) };
    // "(؟)" is a remark on the word before, "[...]" stands for words left out: no ends.
    if closed > 0 && at > start && matches!(chars[at - 1].1, '(' | '[') {
        return None;
    }
    // What goes on with a comma, a closing mark or a small letter has not ended.
    if matches!(after, '،' | ',' | '؛' | ';' | ':' | ')' | ']' | '»') || after.is_lowercase() {
        return None;
    }
    if suspension && quotes > 0 && closed == 0 {
        return None;
    }
    // Two dots join two halves of a sentence as a dash does; three end a sentence unless the line has no other stop.
    if suspension && closed == 0 && (run == 2 || is_line_without_stop(chars, start, end)) {
        return None;
    }
    let word = next_word(chars, next);
    if closed > 0 && (goes_on(&word) || (!plain && SPEAKING.contains(&word.as_str()))) {
        return None;
    }
    let joined = after == 'و' || after == 'ف';
    if closed > 0 && !joined && is_named_by_its_words(chars, start, at, plain) {
        return None;
    }
    if quotes > 0 && closed == 0 && ends_within(chars, start, end) {
        return None;
    }
    if plain && closed == 0 && is_abbreviation(chars, start, at, next) {
        return None;
    }
    if !spaced {
        return glued(chars, start, at, end, closed).then_some(end);
    }
    Some(end)
}

/// Returns whether the quotation or bracket that closes behind the terminal at `at` is a part of the sentence around it: the
/// name of a film («أين الطريق؟»), a word that is judged ("خطأ فادح!"), how something was said (ضاحكا...), initials (أ. ب.). It
/// is short, does not open the sentence, and no colon announces it as words that were said.
fn is_named_by_its_words(chars: &[(usize, char)], start: usize, at: usize, plain: bool) -> bool {
    const MOST_WORDS: usize = 5;
    const REACH: usize = 60;
    let from = start.max(at.saturating_sub(REACH));
    let Some(opener) = (from..at).rev().find(|&i| matches!(chars[i].1, '(' | '[' | '«' | '“' | '"')) else {
        return false;
    };
    let inside: String = chars[opener + 1..at].iter().map(|&(_, c)| c).collect();
    let before = chars[start..opener].iter().rev().map(|&(_, c)| c).find(|c| !c.is_whitespace());
    let within = before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '،' | ','));
    let initials = inside.split(['.', ' ']).all(|piece| piece.chars().count() <= 1);
    within && inside.split_whitespace().count() <= MOST_WORDS && (!plain || initials)
}

/// Returns the letters of the word at a place.
fn next_word(chars: &[(usize, char)], at: usize) -> String {
    chars[at..].iter().take(12).map(|&(_, c)| c).take_while(|&c| is_arabic_letter(c)).collect()
}

/// Returns whether a word goes on with the sentence before it.
fn goes_on(word: &str) -> bool {
    GOING_ON.contains(&word) || (word.starts_with('ب') && word.chars().count() >= 5)
}

/// Returns whether a short line has no stop behind a place but dots of suspension: a headline, a verse.
fn is_line_without_stop(chars: &[(usize, char)], start: usize, at: usize) -> bool {
    for i in at..=start + LINE_REACH {
        let Some(&(_, c)) = chars.get(i).filter(|(_, c)| *c != '\n') else { return true };
        let after = chars.get(i + 1).map(|&(_, c)| c);
        let single = c == '.' && !matches!(chars[i - 1].1, '.' | '…') && after != Some('.');
        if matches!(c, '!' | '?' | '؟' | '۔') || (single && after.is_none_or(|c| c.is_whitespace() || is_closer(c))) {
            return false;
        }
    }
    false
}

/// Returns whether the bracket or quotation that a stop is within closes soon and the sentence around it goes on.
fn ends_within(chars: &[(usize, char)], start: usize, at: usize) -> bool {
    let opener = chars[start.max(at.saturating_sub(INNER_REACH))..at].iter().rev().map(|&(_, c)| c);
    let bracket = matches!(opener.into_iter().find(|c| matches!(c, '(' | '[' | '«' | '“' | '"')), Some('(' | '['));
    let mut open = 1usize;
    for i in at..chars.len().min(at + INNER_REACH) {
        if chars[i].1 == '\n' {
            return false;
        }
        open = depth(chars, start, i, open);
        if open > 0 {
            continue;
        }
        let mut rest = chars[i + 1..].iter().map(|&(_, c)| c).skip_while(|&c| c.is_whitespace() && c != '\n');
        let Some(after) = rest.next().filter(|&c| c != '\n') else { return false };
        let goes_on = if bracket { !is_terminal(after) } else { after.is_alphabetic() || matches!(after, '،' | ',') };
        return goes_on && !is_terminal(chars[i - 1].1);
    }
    false
}

/// Returns whether a terminal without a space after it ends a sentence: "انتهى.وقال", but not "ت.غ" or "3.5".
fn glued(chars: &[(usize, char)], start: usize, at: usize, end: usize, closed: usize) -> bool {
    let letters = |mut i: usize, back: bool| {
        let mut count = 0;
        while let Some(&(_, c)) = chars.get(i) {
            if !is_arabic_letter(c) || count > 2 || (back && i < start) {
                break;
            }
            count += 1;
            if back {
                let Some(previous) = i.checked_sub(1) else { break };
                i = previous;
            } else {
                i += 1;
            }
        }
        count
    };
    let before = at > start && letters(at - 1, true) > 2;
    (before || closed > 0) && letters(end, false) > 1
}

/// Returns whether the stop at `at` is part of an abbreviation, a figure or a list number, `next` being the place of the
/// next character that is not white space.
fn is_abbreviation(chars: &[(usize, char)], start: usize, at: usize, next: usize) -> bool {
    let after = chars.get(next).map_or(' ', |&(_, c)| c);
    let mut first = at;
    while first > start {
        let c = chars[first - 1].1;
        if !(c.is_alphanumeric() || c == '.' || c == 'ـ' || crate::arabic::letters::is_diacritic(c)) {
            break;
        }
        first -= 1;
    }
    if first == at {
        return false;
    }
    let word: String = chars[first..at].iter().map(|&(_, c)| c).collect();
    let opens_sentence = chars[start..first].iter().all(|&(_, c)| c.is_whitespace());
    if word.chars().all(|c| digit(c).is_some()) {
        // "1. " numbers a point where the sentence starts with it; "3.5" is a figure.
        let glued = chars.get(at + 1).is_some_and(|&(_, c)| digit(c).is_some());
        return glued || (opens_sentence && word.chars().count() <= 2);
    }
    let last: Vec<char> = word.rsplit('.').next().unwrap_or_default().chars().filter(|&c| c != 'ـ').collect();
    let initials = word.contains('.');
    match last.as_slice() {
        [] => false,
        // "عام 2011 م." closes a year; "أحمد ز. أمين" goes on.
        [one] if is_arabic_letter(*one) => {
            let after_figure = chars[start..first].iter().rev().map(|&(_, c)| c).find(|c| !c.is_whitespace());
            if after_figure.is_some_and(|c| digit(c).is_some()) && !initials {
                return goes_on(&next_word(chars, next));
            }
            // "نقلته د ب أ. ونفت": an agency's name in single letters ends a sentence as any word does.
            if after == 'و' && is_spelled(chars, start, first) {
                return false;
            }
            // "07:50 ت.غ. وقال": the next sentence starts with its conjunction; titles come before names.
            let title = word.starts_with('أ') || word.starts_with('م') || word.starts_with('د');
            !initials || title || after != 'و'
        }
        [one] if one.is_alphabetic() => one.is_uppercase() || initials,
        // A title with its conjunction: "وم. سعاد".
        ['و', 'د' | 'م' | 'أ'] => true,
        ['إ' | 'ا', 'ل', 'خ'] => goes_on(&next_word(chars, next)),
        _ => {
            let word = word.to_lowercase();
            LATIN_ABBREVIATIONS.contains(&word.as_str()) || ARABIC_ABBREVIATIONS.contains(&word.as_str())
        }
    }
}

/// Returns whether two single letters stand before a third one at `at`: "د ب أ".
fn is_spelled(chars: &[(usize, char)], start: usize, at: usize) -> bool {
    let before: String = chars[start..at].iter().map(|&(_, c)| c).collect();
    let mut words = before.split_whitespace().rev();
    let mut single = || words.next().is_some_and(|word| word.trim_start_matches('(').chars().count() == 1);
    single() && single()
}
