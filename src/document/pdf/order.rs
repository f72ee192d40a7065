//! Glyphs from left to right become words in the order of reading.
//!
//! In: the glyphs of a line as they stand on paper. Out: its text. Most producers' Arabic stands on paper as one sees it and
//! has to be turned, glyph by glyph: a lam-alef is one glyph and two letters. A few draw it in the order of reading. Which it
//! is, words tell: the article, the letters that only end a word, the forms that letters take in a word, and a few dozen
//! words of which Arabic is full. Source: the Unicode Bidirectional Algorithm (UAX 9), read backwards.

use crate::arabic::letters::{CLEANING, apply, is_arabic_letter, is_diacritic};

/// Words that Arabic is full of.
const FREQUENT: &[&str] = &[
    "في", "من", "على", "إلى", "الى", "أن", "إن", "ان", "عن", "مع", "هذا", "هذه", "التي", "الذي", "ما", "لا", "بعد",
    "قبل", "كان", "كانت", "بين", "لم", "قد", "كل", "أو", "ثم", "حتى", "عام", "أي", "ذلك", "غير", "خلال", "يوم", "وقال",
    "قال", "منذ", "عند", "كما", "وفق", "نحو", "أكثر",
];

/// What a glyph is to the order of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Right,
    Left,
    Figure,
    Neutral,
}

fn class(text: &str) -> Class {
    let mut found = Class::Neutral;
    for c in text.chars() {
        if is_right(c) {
            return Class::Right;
        }
        if c.is_numeric() && found == Class::Neutral {
            found = Class::Figure;
        } else if c.is_alphabetic() {
            found = Class::Left;
        }
    }
    found
}

/// Returns whether a character is of a script that runs to the left.
pub(super) fn is_right(c: char) -> bool {
    is_arabic_letter(c) || is_diacritic(c) || matches!(c, '\u{590}'..='\u{5f4}' | '\u{640}' | '\u{fb1d}'..='\u{fb4f}')
}

/// A line in both orders that it may have.
#[derive(Debug, Clone)]
pub(super) struct Ordered {
    /// As one reads what stands on paper.
    pub turned: String,
    /// From left to right.
    pub straight: String,
    /// How much more the turned one reads as Arabic.
    pub evidence: i32,
    /// How many more of its brackets pair when they are mirrored.
    pub mirror: i32,
    /// As a paragraph that was set from left to right has it, with its brackets as they are and mirrored.
    pub set_left: Option<[String; 2]>,
    /// Where its stop stands: 1 on the right, as in a paragraph set from left to right; -1 on the left.
    pub stop: i32,
}

/// Orders the glyphs of a line; blanks are glyphs of their own.
pub(super) fn ordered(glyphs: &[&str]) -> Ordered {
    let straight = glyphs.concat();
    let classes: Vec<Class> = glyphs.iter().map(|glyph| class(glyph)).collect();
    let (right, left) = straight.chars().fold((0usize, 0usize), |(right, left), c| {
        (right + usize::from(is_arabic_letter(c) || is_right(c)), left + usize::from(c.is_alphabetic() && !is_right(c)))
    });
    if right == 0 {
        // The last line of an Arabic paragraph may be but a Latin word: its stop then stands to the left.
        let mut signs = straight.chars();
        let stop_first = signs.next().is_some_and(|c| ".:,;!?،؛؟".contains(c))
            && !signs.next().is_none_or(|c| c.is_numeric() || c == '.');
        if stop_first {
            let (turned, mirror) = from_right(glyphs, &classes);
            return Ordered { turned, straight, evidence: 0, mirror, set_left: None, stop: 0 };
        }
        let straight = percent_behind(straight);
        return Ordered { turned: straight.clone(), straight, evidence: 0, mirror: 0, set_left: None, stop: 0 };
    }
    // A line of mostly Latin words is still Arabic where it begins so, on the right of the paper.
    let begins = classes.iter().rfind(|class| **class != Class::Neutral) == Some(&Class::Right);
    let arabic = right * 3 >= left || (begins && right * 8 >= left);
    let (turned, mirror) = if arabic {
        from_right(glyphs, &classes)
    } else {
        let [turned, _] = from_left(glyphs, &classes, 0, false);
        (turned, 0)
    };
    let evidence = evidence(&turned) - evidence(&straight);
    let stop = if arabic { stop(&turned) } else { 0 };
    let set_left = arabic.then(|| set_left(glyphs, &classes));
    Ordered { turned, straight, evidence, mirror, set_left, stop }
}

/// Puts the sign of percent behind a figure that stands alone: on paper it is on the left.
fn percent_behind(line: String) -> String {
    let trimmed = line.trim();
    match trimmed.strip_prefix(['%', '٪']) {
        Some(figure) if figure.chars().any(char::is_numeric) && figure.chars().all(is_of_figure) => {
            format!("{figure}{}", &trimmed[..trimmed.len() - figure.len()])
        }
        _ => line,
    }
}

fn is_of_figure(c: char) -> bool {
    c.is_numeric() || ".,٫٬:".contains(c)
}

/// Tells where the stop of a line stands that is read from the right.
fn stop(turned: &str) -> i32 {
    const CLOSING: &[char] = &['"', '”', '“', '»', '«', ')', '(', ']', '[', '\'', '’', ' '];
    const STOPS: &[char] = &['.', '؟', '!', ':'];
    let line = turned.trim();
    let behind = line.trim_start_matches(CLOSING);
    let before = behind.trim_start_matches(STOPS);
    let first = before.trim_start_matches(CLOSING).chars().next();
    // One sign and then a letter: three are words left out, before a figure it is of that.
    if behind.len() - before.len() == 1 && first.is_some_and(is_right) {
        return 1;
    }
    if behind.len() > before.len() && behind.starts_with('؟') && first.is_some_and(is_right) {
        return 1;
    }
    -i32::from(line.trim_end_matches(CLOSING).ends_with(STOPS))
}

/// Reads a line of a paragraph that was set from left to right: its Arabic runs from the right, and what ends the paragraph
/// stands behind that on the right.
fn set_left(glyphs: &[&str], classes: &[Class]) -> [String; 2] {
    // What ends a line on the left within a paragraph is of its Arabic, and so is what begins one on the right.
    let ends = |glyph: &str| glyph.chars().all(|c| c.is_whitespace() || ".،؛:!؟,;…".contains(c) || c.is_numeric());
    let lead = glyphs.iter().take_while(|glyph| ends(glyph)).count();
    let lead = if classes.get(lead) == Some(&Class::Right) { lead } else { 0 };
    // Of figures on the right as well: those that end a paragraph stand within its Arabic.
    let begins = glyphs.last().is_some_and(|glyph| matches!(*glyph, "“" | "‘"));
    if begins || classes.last() == Some(&Class::Figure) {
        let last = classes.iter().rposition(|class| matches!(class, Class::Left | Class::Right)).unwrap_or(0);
        if classes.get(last) == Some(&Class::Right) {
            return from_left(glyphs, classes, lead, true);
        }
    }
    from_left(glyphs, classes, lead, false)
}

/// Turns a line that runs to the left.
fn from_right(glyphs: &[&str], classes: &[Class]) -> (String, i32) {
    let mut parts: Vec<(bool, String)> = Vec::new();
    let mut at = 0;
    while at < glyphs.len() {
        let end =
            if matches!(classes[at], Class::Left | Class::Figure) { left_run(glyphs, classes, at) } else { at + 1 };
        parts.push((end - at > 1, glyphs[at..end].concat()));
        at = end;
    }
    parts.reverse();
    // A sign of percent stands behind its figure, on whichever side it is drawn.
    for at in 1..parts.len() {
        let figure = parts[at].1.chars().all(is_of_figure);
        if matches!(parts[at - 1].1.as_str(), "%" | "٪") && figure && (at < 2 || parts[at - 2].1.ends_with(' ')) {
            parts.swap(at - 1, at);
        }
    }
    let (plain, flipped) = (pairs(&parts, false), pairs(&parts, true));
    (parts.into_iter().map(|(_, text)| text).collect(), flipped - plain)
}

/// Returns where a run ends that keeps its order from left to right: a number, or words of Latin letters.
fn left_run(glyphs: &[&str], classes: &[Class], start: usize) -> usize {
    let mut end = start + 1;
    let mut latin = classes[start] == Class::Left;
    let mut at = end;
    while at < glyphs.len() {
        match classes[at] {
            Class::Right => break,
            Class::Left => {
                let joined = at == end || latin || !glyphs[end..at].iter().any(|glyph| glyph.trim().is_empty());
                if !joined {
                    break;
                }
                latin = true;
                end = at + 1;
            }
            Class::Figure => {
                let between = &glyphs[end..at];
                let arabic_figure = !glyphs[at].is_ascii();
                let separator = between.len() <= 1
                    && between.iter().all(|sign| matches!(*sign, "." | "," | ":" | "/" | "٫" | "٬" | "،"));
                if !(between.is_empty() || separator || (latin && !arabic_figure)) {
                    break;
                }
                end = at + 1;
            }
            Class::Neutral => {}
        }
        at += 1;
    }
    // A bracket that was opened within the run closes it.
    let open = glyphs[start..end].iter().filter(|glyph| **glyph == "(").count();
    let closed = glyphs[start..end].iter().filter(|glyph| **glyph == ")").count();
    if open > closed && glyphs.get(end) == Some(&")") { end + 1 } else { end }
}

/// Turns the Arabic words within a line that runs to the right, with their brackets as they are and mirrored. The first
/// `lead` glyphs are of the Arabic behind them, and with `tail` the last ones are of the Arabic before them.
fn from_left(glyphs: &[&str], classes: &[Class], lead: usize, tail: bool) -> [String; 2] {
    let mut out = [String::new(), String::new()];
    let mut at = 0;
    while at < glyphs.len() {
        if classes[at] == Class::Right || at < lead {
            let mut end = (at + 1).max(lead);
            for (place, class) in classes.iter().enumerate().skip(end) {
                match class {
                    Class::Right => end = place + 1,
                    Class::Left => break,
                    Class::Figure | Class::Neutral => {}
                }
            }
            if tail && !classes[end..].iter().any(|class| matches!(class, Class::Left | Class::Right)) {
                end = glyphs.len();
            }
            let run = from_right(&glyphs[at..end], &classes[at..end]).0;
            out[1].push_str(&mirror(&run));
            out[0].push_str(&run);
            at = end;
        } else {
            out.iter_mut().for_each(|out| out.push_str(glyphs[at]));
            at += 1;
        }
    }
    out
}

/// Returns the mirror image of a bracket.
pub(super) fn mirrored(c: char) -> char {
    match c {
        '(' => ')',
        ')' => '(',
        '[' => ']',
        ']' => '[',
        '{' => '}',
        '}' => '{',
        '«' => '»',
        '»' => '«',
        '‹' => '›',
        '›' => '‹',
        '<' => '>',
        '>' => '<',
        '﴾' => '﴿',
        '﴿' => '﴾',
        c => c,
    }
}

/// Returns a line with the brackets among its Arabic words mirrored.
pub(super) fn mirror(line: &str) -> String {
    line.chars().map(mirrored).collect()
}

/// Returns how many brackets pair, less those that do not.
fn pairs(parts: &[(bool, String)], flip: bool) -> i32 {
    let mut open = Vec::new();
    let mut score = 0;
    for c in parts.iter().filter(|(run, _)| !run).flat_map(|(_, text)| text.chars()) {
        let c = if flip { mirrored(c) } else { c };
        match c {
            '(' | '[' | '{' | '«' | '‹' => open.push(c),
            ')' | ']' | '}' | '»' | '›' => match open.pop() {
                Some(opener) if mirrored(opener) == c => score += 1,
                _ => score -= 1,
            },
            _ => {}
        }
    }
    score - i32::try_from(open.len()).unwrap_or(0)
}

/// Returns how much a text reads as Arabic in its order.
pub(super) fn evidence(text: &str) -> i32 {
    let mut score = 0;
    let mut before = None;
    for c in text.chars().filter(|&c| !is_diacritic(c)) {
        let form = form(c);
        if let (Some(first), Some(second)) = (before, form) {
            // A form that reaches on is followed by one that reaches back.
            let (on, back) =
                (matches!(first, Form::Initial | Form::Medial), matches!(second, Form::Medial | Form::Final));
            score += if on == back { i32::from(on) } else { -1 };
        }
        before = form;
    }
    let plain = apply(text, CLEANING);
    for word in plain.split(|c: char| !is_arabic_letter(c) && !is_diacritic(c)) {
        let word: String = word.chars().filter(|&c| !is_diacritic(c)).collect();
        let count = word.chars().count();
        if FREQUENT.contains(&word.as_str()) {
            score += 2;
        }
        if count >= 4 && ["ال", "وال", "بال", "لل"].iter().any(|lead| word.starts_with(lead)) {
            score += 2;
        }
        if count >= 3 && word.ends_with(['ة', 'ى']) {
            score += 1;
        }
        if count >= 2 && word.starts_with(['ة', 'ى']) {
            score -= 3;
        }
    }
    score
}

/// The shape that a letter takes by its place in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Isolated,
    Final,
    Initial,
    Medial,
}

/// Returns the shape of a presentation form of the block U+FE70: four a letter, or two where it does not join on.
fn form(c: char) -> Option<Form> {
    const TWO: &[u32] = &[
        0xfe81, 0xfe83, 0xfe85, 0xfe87, 0xfe8d, 0xfe93, 0xfea9, 0xfeab, 0xfead, 0xfeaf, 0xfeed, 0xfeef, 0xfef5, 0xfef7,
        0xfef9, 0xfefb,
    ];
    let code = u32::from(c);
    if !(0xfe80..=0xfefc).contains(&code) {
        return None;
    }
    if let Some(start) = TWO.iter().find(|&&start| code == start || code == start + 1) {
        return Some(if code == *start { Form::Isolated } else { Form::Final });
    }
    let start = match code {
        0xfe80 => return Some(Form::Isolated),
        0xfe89..=0xfe8c => 0xfe89,
        0xfe8f..=0xfe92 => 0xfe8f,
        0xfe95..=0xfea8 => 0xfe95,
        0xfeb1..=0xfeec => 0xfeb1,
        _ => 0xfef1,
    };
    Some([Form::Isolated, Form::Final, Form::Initial, Form::Medial][((code - start) % 4) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Splits what stands on paper into glyphs; `لا` between bars is one.
    fn turn(paper: &str) -> String {
        let glyphs: Vec<String> =
            paper.chars().map(|c| if c == 'ﻻ' { "لا".to_owned() } else { c.to_string() }).collect();
        let refs: Vec<&str> = glyphs.iter().map(String::as_str).collect();
        let ordered = ordered(&refs);
        if ordered.mirror > 0 { mirror(&ordered.turned) } else { ordered.turned }
    }

    #[test]
    fn lines_are_turned_and_figures_and_latin_words_kept() {
        for (paper, wanted) in [
            ("دﻻبلا يف", "في البلاد"),
            ("14:35 - 2025 يرفيف 16 دحألا", "الأحد 16 فيفري 2025 - 14:35"),
            ("Water & Sun عم", "مع Water & Sun"),
            (")FAO( ةعارزلا", "الزراعة (FAO)"),
            ("(FAO) ةعارزلا", "الزراعة (FAO)"),
            ("٪٤٠ ةبسن", "نسبة ٤٠٪"),
            ("30% ةبسن", "نسبة 30%"),
            ("رتم 12,500.5 نم", "من 12,500.5 متر"),
            (":)ADE(", "(ADE):"),
            ("3.5", "3.5"),
            ("٪٣٫٢", "٣٫٢٪"),
        ] {
            assert_eq!(turn(paper), wanted, "{paper}");
        }
    }

    #[test]
    fn paragraphs_set_from_left_to_right_are_read_too() {
        for (paper, wanted, stop) in [
            (".دودحلا نم دحلاو", "والحد من الحدود.", -1),
            ("دودحلا نم دحلاو.", "والحد من الحدود.", 1),
            ("ةكرتشملا تاوقلا”.", "القوات المشتركة”.", 1),
            ("؟باوجلا وه ام", "ما هو الجواب؟", -1),
            ("،ديدج نم", "من جديد،", 0),
            ("12 يف", "في 12", 0),
            ("لباقم ،2030", "2030، مقابل", 0),
            ("نإ لاق“", "“قال إن", 0),
            ("نع Microsoft لاق", "عن Microsoft قال", 0),
        ] {
            let glyphs: Vec<String> = paper.chars().map(|c| c.to_string()).collect();
            let refs: Vec<&str> = glyphs.iter().map(String::as_str).collect();
            let ordered = ordered(&refs);
            assert_eq!(ordered.stop, stop, "{paper}");
            let read = if stop < 0 { ordered.turned } else { ordered.set_left.unwrap()[0].clone() };
            assert_eq!(read, wanted, "{paper}");
        }
    }

    #[test]
    fn words_tell_the_order() {
        for text in ["أعلنت وزارة الموارد المائية", "ﻣﺤﻄﺔ ﺗﺤﻠﻴﺔ", "قال في البلاد"]
        {
            let reversed: String = text.chars().rev().collect();
            assert!(evidence(text) > evidence(&reversed), "{text}");
        }
    }
}
