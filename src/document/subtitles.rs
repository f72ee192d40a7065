//! The reader of subtitles: SubRip (`.srt`) and WebVTT (`.vtt`).
//!
//! In: the bytes, in any encoding that [`encoding`] knows. Out: a [`Document`] of paragraphs. The lines of the cues are joined
//! into running text; a pause after a sentence ends a paragraph. Times, numbers, tags, names of voices, notes and styles stay
//! out; lines that a cue repeats from the one before (rolling captions) come once. Sources: WebVTT (W3C), and what SubRip
//! writes, which has no specification.

use super::flow::clean;
use super::package::foreign;
use super::{BlockKind, Document, Error, Fault, ReadOptions, Reader, page};
use crate::source::{Kind, SourceFile, encoding};

/// The pause after a sentence that ends a paragraph, and one that ends it in any case, in milliseconds.
const PAUSE: u64 = 1900;
const LONG_PAUSE: u64 = 6000;

/// The most cues that are read: a day of broadcasting has some 40,000.
const MAX_CUES: usize = 200_000;

/// The longest tag, in bytes.
const MAX_TAG: usize = 1000;

/// The most lines that a cue can repeat: no screen has more.
const MAX_SHOWN: usize = 8;

/// Reads subtitles.
#[derive(Debug, Clone, Copy, Default)]
pub struct SubtitleReader;

impl Reader for SubtitleReader {
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Subtitles]
    }

    fn read(&self, file: &SourceFile, options: &ReadOptions<'_>) -> Result<Document, Error> {
        let faulty = |fault| Error::faulty(file, "subtitles (.srt, .vtt)", fault);
        if let Some(fault) = foreign(&file.bytes) {
            return Err(faulty(fault));
        }
        let decoded = encoding::decode(&file.bytes, options.encoding, None)
            .map_err(|source| Error::NotText { path: file.path.clone(), source })?;
        let (cues, cut) = cues(&decoded.text);
        if cues.is_empty() {
            return Err(faulty(Fault::damaged("there is no line with two times and --> in it")));
        }
        let blocks = paragraphs(&cues, options).into_iter().map(|text| (BlockKind::Paragraph, text)).collect();
        // Speech has no headline, no furniture and no credits: there is nothing to tell apart.
        let page = page::Page { blocks, ..page::Page::default() };
        let mut document =
            Document::assemble(page, &options.segments).ok_or_else(|| Error::NoArticle { path: file.path.clone() })?;
        document.encoding = decoded.encoding.to_owned();
        document.warnings.extend(decoded.warnings);
        let voices = voices(&decoded.text);
        if voices.len() > 1 {
            document.warnings.push(format!("who speaks is not in the text: {}", voices.join("، ")));
        }
        if cut {
            document.warnings.push(format!("more than {MAX_CUES} cues; those after them were not read"));
        }
        Ok(document)
    }
}

/// Lines that are shown at once.
#[derive(Debug, PartialEq, Eq)]
struct Cue {
    start: u64,
    end: u64,
    lines: Vec<String>,
}

/// Reads the cues, and returns whether there were more than are read.
fn cues(text: &str) -> (Vec<Cue>, bool) {
    let mut cues: Vec<Cue> = Vec::new();
    let mut open: Option<Cue> = None;
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    // In WebVTT a blank line ends a cue, and notes and styles follow; SubRip's writers leave blank lines within cues too:
    // what stands there is the cue's, but for the number of the next one.
    let is_loose = !text.starts_with("WEBVTT");
    let mut loose: Vec<String> = Vec::new();
    for line in text.split(['\n', '\r']) {
        if let Some((start, end)) = line.split_once("-->") {
            cues.extend(open.take());
            loose.pop();
            if let Some(cue) = cues.last_mut() {
                cue.lines.append(&mut loose);
            }
            loose.clear();
            if cues.len() >= MAX_CUES {
                return (cues, true);
            }
            let (start, end) = (time(start), time(end.split_whitespace().next().unwrap_or_default()));
            open = Some(Cue { start, end: end.max(start), lines: Vec::new() });
        } else if line.trim().is_empty() {
            cues.extend(open.take());
        } else if let Some(cue) = &mut open {
            cue.lines.push(without_tags(line));
        } else if is_loose && !cues.is_empty() {
            loose.push(without_tags(line));
        }
    }
    cues.extend(open);
    if let Some(cue) = cues.last_mut() {
        cue.lines.extend(loose.into_iter().filter(|line| line.chars().any(char::is_alphabetic)));
    }
    (cues, false)
}

/// Returns the names of the voices that WebVTT marks (`<v name>`), each once.
fn voices(text: &str) -> Vec<&str> {
    /// More are a fault of the file, or are not needed in a message.
    const MOST: usize = 10;
    let mut found: Vec<&str> = Vec::new();
    for after in text.split("<v").skip(1) {
        let Some((tag, _)) = after.split_once('>') else { continue };
        // "<v.loud name>": classes stand before the name.
        let Some((_, name)) = tag.split_once(char::is_whitespace) else { continue };
        let name = name.trim();
        if !name.is_empty() && tag.len() <= MAX_TAG && !found.contains(&name) && found.len() < MOST {
            found.push(name);
        }
    }
    found
}

/// Returns a time in milliseconds: `01:02:03,400`, `02:03.400`; what cannot be read is 0.
fn time(text: &str) -> u64 {
    let (whole, part) = text.trim().split_once([',', '.']).unwrap_or((text.trim(), ""));
    let number = |text: &str| text.trim().parse::<u64>().unwrap_or(0);
    let seconds = whole.split(':').fold(0u64, |sum, part| sum.saturating_mul(60).saturating_add(number(part)));
    let milliseconds = number(part.get(..3).unwrap_or(part));
    seconds.saturating_mul(1000).saturating_add(milliseconds)
}

/// Returns a line without tags, `{\an8}` and the like, and with its references resolved.
fn without_tags(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(['<', '{', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let skipped = match rest.as_bytes()[0] {
            b'<' if is_tag(&rest[1..]) => closing(rest, b'>'),
            b'{' if rest.starts_with("{\\") => closing(rest, b'}'),
            b'&' => named(rest).map(|(length, c)| {
                out.push_str(c);
                length
            }),
            _ => None,
        };
        match skipped {
            Some(length) => rest = &rest[length..],
            None => {
                out.push_str(&rest[..1]);
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// Returns one past the sign that closes a tag; tags are short, and an open one must not be looked for to the end of the file
/// again and again.
fn closing(rest: &str, sign: u8) -> Option<usize> {
    rest.bytes().take(MAX_TAG).position(|b| b == sign).map(|end| end + 1)
}

/// Returns whether what follows `<` can be a tag: a name, a slash, a time.
fn is_tag(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/')
}

fn named(rest: &str) -> Option<(usize, &'static str)> {
    const NAMES: &[(&str, &str)] = &[
        ("&amp;", "&"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&nbsp;", " "),
        ("&lrm;", ""),
        ("&rlm;", ""),
        ("&quot;", "\""),
        ("&#39;", "'"),
    ];
    NAMES.iter().find(|(name, _)| rest.starts_with(name)).map(|&(name, c)| (name.len(), c))
}

/// Joins the cues into paragraphs.
fn paragraphs(cues: &[Cue], options: &ReadOptions<'_>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut open = String::new();
    let (mut before, mut shown): (Option<&Cue>, Vec<String>) = (None, Vec::new());
    for cue in cues {
        let lines: Vec<String> = cue
            .lines
            .iter()
            .map(|line| clean(line, options.rules()))
            .filter(|line| line.chars().any(char::is_alphanumeric) || is_mark(line))
            .filter(|line| !is_sound(line))
            .collect();
        let pause = before.map_or(0, |before| cue.start.saturating_sub(before.end));
        let is_new = (pause >= PAUSE && is_closed(&open)) || pause >= LONG_PAUSE;
        if is_new && !open.is_empty() {
            found.push(std::mem::take(&mut open));
        }
        // What the cue before showed is not said again: whole lines, or a line that grows word by word.
        let repeated = if pause < PAUSE { overlap(&shown, &lines) } else { 0 };
        for (at, line) in lines.iter().enumerate().skip(repeated) {
            let grown =
                shown.last().filter(|_| at == 0 && pause < PAUSE).and_then(|last| line.strip_prefix(last.as_str()));
            let words = match grown {
                Some(rest) if rest.starts_with(' ') || rest.is_empty() => rest.trim(),
                _ => line.as_str(),
            };
            // A dash opens what another person says.
            let (words, turn) = match words.strip_prefix(['-', '–', '—']) {
                Some(rest) if rest.trim_start().starts_with(char::is_alphabetic) => (rest.trim_start(), true),
                _ => (words, false),
            };
            if turn && !open.is_empty() && (at > 0 || is_closed(&open)) {
                found.push(std::mem::take(&mut open));
            }
            if !open.is_empty() && !words.is_empty() {
                open.push(' ');
            }
            open.push_str(words);
        }
        if !lines.is_empty() {
            shown = lines;
            before = Some(cue);
        }
    }
    if !open.is_empty() {
        found.push(open);
    }
    found
}

/// Returns how many lines at the start of a cue are those at the end of the one before.
fn overlap(before: &[String], lines: &[String]) -> usize {
    (1..=before.len().min(lines.len()).min(MAX_SHOWN))
        .rev()
        .find(|&n| before[before.len() - n..] == lines[..n])
        .unwrap_or(0)
}

fn is_closed(text: &str) -> bool {
    let end = text.trim_end_matches(['"', '”', '“', '»', '\'', '’', ')', ']', ' ']);
    end.ends_with(['.', '!', '?', '؟', '۔', ':', '…'])
}

fn is_mark(line: &str) -> bool {
    line.chars().all(|c| matches!(c, '.' | '!' | '?' | '؟' | '…' | '"' | '»' | '«'))
}

/// Returns whether a line says what is heard and not said: "`[موسيقى]`", "(تصفيق)", "♪ … ♪".
fn is_sound(line: &str) -> bool {
    let words = line.split_whitespace().count();
    (line.starts_with('[') && line.ends_with(']') && words <= 6)
        || (line.starts_with('(') && line.ends_with(')') && words <= 2)
        || line.starts_with('♪')
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn voices_are_named_once() {
        let text = "<v المذيع>نعم.</v>\n<v.loud أحمد سالم>لا.\n<v المذيع>نعم.\n<video>";
        assert_eq!(voices(text), ["المذيع", "أحمد سالم"]);
    }

    fn read(text: &str) -> Result<Vec<String>, Error> {
        let file = SourceFile::from_bytes(Path::new("a.srt"), Kind::Subtitles, text.as_bytes().to_vec()).unwrap();
        let document = SubtitleReader.read(&file, &ReadOptions::default())?;
        Ok(document.blocks.iter().map(|block| document.block_text(block).to_owned()).collect())
    }

    #[test]
    fn cues_are_joined_and_pauses_after_sentences_part_them() {
        let text = "1\n00:00:01,000 --> 00:00:02,000\n{\\an8}<i>أعلنت الوزارة</i>\nاليوم عن\n\n2\n00:00:05,000 --> 00:00:06,000\n\
            بدء العمل.\n\n3\n00:00:06,100 --> 00:00:07,000\n[موسيقى]\n\n4\n00:00:08,500 --> 00:00:09,000\n3 < 5 &amp; نعم\n";
        assert_eq!(read(text).unwrap(), ["أعلنت الوزارة اليوم عن بدء العمل.", "3 < 5 & نعم"]);
    }

    #[test]
    fn rolling_captions_come_once() {
        let text = "WEBVTT\n\n00:01.000 --> 00:02.000\nأعلنت الوزارة\n\n00:02.000 --> 00:03.000\nأعلنت الوزارة\nاليوم عن\n\n\
            00:03.000 --> 00:04.000\nاليوم عن\nبدء العمل\n\n00:04.000 --> 00:05.000\nبدء العمل في المدينة.\n";
        assert_eq!(read(text).unwrap(), ["أعلنت الوزارة اليوم عن بدء العمل في المدينة."]);
    }

    #[test]
    fn notes_styles_voices_and_numbers_stay_out() {
        let text = "WEBVTT - نشرة\nKind: captions\n\nSTYLE\n::cue {}\n\nNOTE\nملاحظة\n\nname\n00:01.000 --> 00:02.000 align:right\n<v المذيع>نعم.</v>\n\n\
            2\n00:02.000 --> 00:03.000\n- هل بدأ العمل اليوم\n- بدأ أمس.\n";
        assert_eq!(read(text).unwrap(), ["نعم.", "هل بدأ العمل اليوم", "بدأ أمس."]);
        assert!(read("no cues here").is_err());
    }

    #[test]
    fn times_beyond_any_type_are_read_as_something() {
        assert_eq!(time("01:02:03,400"), 3_723_400);
        assert_eq!(time("02:03.4"), 123_004);
        assert_eq!(time("-1:x"), 0);
        assert_eq!(time("99999999999999999999:99:99"), 6_039_000);
    }
}
