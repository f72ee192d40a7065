//! Text that was decoded in the wrong encoding and saved so: found, and put right where that is certain.
//!
//! In: decoded text. Out: the text repaired and a [`Repair`] that says how, or a doubt, or nothing. The unit is an island:
//! characters beyond ASCII without one of ASCII between them, since ASCII is the same in all encodings at play. An island
//! is repaired only where its bytes are wholly UTF-8 and give Arabic (or the marks of Arabic print in a text that is
//! otherwise so damaged): sound text does not pair its letters so. Windows-1256 read as windows-1252 has no such proof; there
//! the words of the whole text must read as Arabic. Source: UTF-8 is RFC 3629; the tables are `encoding_rs`'s.

use encoding_rs::{ISO_8859_6, MACINTOSH, WINDOWS_1252, WINDOWS_1256};

use super::charset::Charset;
use super::detect;
use crate::arabic::letters;

/// How often text may have been misread over and over.
const MAX_TIMES: usize = 8;

/// So many Arabic letters must come out of whole islands before anything is repaired.
const CERTAIN: usize = 4;

/// So many words must be made of letters of windows-1252 that no language puts side by side, before they are taken for
/// windows-1256.
const CERTAIN_WORDS: usize = 5;

/// What was wrong with a text and is now right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repair {
    /// The encoding it had been in.
    pub was: &'static str,
    /// The encoding it had been taken for.
    pub read_as: &'static str,
    /// How many times over.
    pub times: usize,
    /// How many lines were repaired.
    pub lines: usize,
    /// Letters whose bytes are gone, each stands as U+FFFD; and words that stay damaged.
    pub lost: usize,
}

impl std::fmt::Display for Repair {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { was, read_as, lines, .. } = self;
        let times = match self.times {
            0 | 1 => "",
            2 => " twice over",
            _ => " several times over",
        };
        let noun = if *lines == 1 { "line" } else { "lines" };
        write!(out, "{was} text had been read as {read_as}{times} and saved so: {lines} {noun} repaired")?;
        match self.lost {
            0 => Ok(()),
            1 => write!(out, ", not with certainty: 1 letter is lost and stands as U+FFFD or as it was found"),
            lost => {
                write!(out, ", not with certainty: {lost} letters are lost and stand as U+FFFD or as they were found")
            }
        }
    }
}

/// What came of looking at a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finding {
    /// Nothing to repair.
    Sound,
    /// The repaired text.
    Repaired(String, Repair),
    /// It may be damaged, but that is not certain: left as it is.
    Doubtful(String),
}

/// An encoding that UTF-8 was taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Misread {
    /// Windows-1252, or ISO-8859-1: bytes without a character became C1 controls.
    Western,
    /// Windows-1256.
    Arabic,
    /// Mac Roman.
    Mac,
}

impl Misread {
    fn name(self) -> &'static str {
        match self {
            Self::Western => "windows-1252",
            Self::Arabic => "windows-1256",
            Self::Mac => "Mac Roman",
        }
    }

    /// Returns the byte that a character beyond ASCII was read from.
    fn byte(self, c: char) -> Option<u8> {
        let upper = match self {
            Self::Western if matches!(c, '\u{80}'..='\u{ff}') => return u8::try_from(u32::from(c)).ok(),
            Self::Western => &TABLES.western,
            Self::Arabic => &TABLES.arabic,
            Self::Mac => &TABLES.mac,
        };
        upper.binary_search_by_key(&c, |&(c, _)| c).ok().map(|place| upper[place].1)
    }
}

/// The upper halves of the encodings, by character.
struct Tables {
    western: Vec<(char, u8)>,
    arabic: Vec<(char, u8)>,
    mac: Vec<(char, u8)>,
}

static TABLES: std::sync::LazyLock<Tables> = std::sync::LazyLock::new(|| {
    let sorted = |encoding: &'static encoding_rs::Encoding| {
        let mut pairs: Vec<(char, u8)> = (0x80..=0xffu8)
            .filter_map(|byte| encoding.decode_without_bom_handling(&[byte]).0.chars().next().map(|c| (c, byte)))
            .collect();
        pairs.sort_unstable();
        pairs
    };
    Tables { western: sorted(WINDOWS_1252), arabic: sorted(WINDOWS_1256), mac: sorted(MACINTOSH) }
});

/// What an island gives when it is read aright.
struct Island {
    text: String,
    /// How many characters it has.
    characters: usize,
    /// How many of them are Arabic.
    arabic: usize,
    times: usize,
    misread: Misread,
}

/// Looks for damage in a text, and repairs it.
pub(super) fn repair(text: &str) -> Finding {
    if text.is_ascii() {
        return Finding::Sound;
    }
    let (mut arabic, mut single) = (0, 0);
    let mut counted = [0usize; 3];
    for piece in islands(text) {
        if let Some(island) = whole(piece) {
            // One pair alone may be chance: the ط before an Arabic comma is one, the Ø of a Dane before » another.
            let letters = if island.characters > 1 { island.arabic } else { 0 };
            single += usize::from(island.characters == 1 && island.arabic > 0);
            arabic += letters;
            counted[island.misread as usize] += letters;
        }
    }
    if arabic >= CERTAIN {
        let misread = [Misread::Arabic, Misread::Mac].into_iter().fold(Misread::Western, |most, next| {
            if counted[next as usize] > counted[most as usize] { next } else { most }
        });
        return rebuilt(text, misread);
    }
    if arabic > 1 && single == 0 {
        return Finding::Doubtful(
            "some letters look like UTF-8 that was read in another encoding; too few to be sure".into(),
        );
    }
    wrong_code_page(text)
}

/// Cuts a text into its islands.
fn islands(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_ascii()).filter(|piece| !piece.is_empty())
}

/// Reads an island aright where that is possible to the last byte.
fn whole(piece: &str) -> Option<Island> {
    let mut best = None;
    for misread in [Misread::Western, Misread::Arabic, Misread::Mac] {
        let mut text = piece.to_owned();
        for times in 1..=MAX_TIMES {
            let Some(next) = once(&text, misread) else { break };
            text = next;
            let characters = text.chars().count();
            let arabic = text.chars().filter(|&c| is_arabic(c)).count();
            let fits = text.chars().all(|c| is_arabic(c) || is_print(c) || letters::is_diacritic(c));
            if fits {
                best = Some(Island { text: text.clone(), characters, arabic, times, misread });
            }
        }
        if best.is_some() {
            return best;
        }
    }
    best
}

/// Undoes one misreading of an island.
fn once(text: &str, misread: Misread) -> Option<String> {
    let bytes: Option<Vec<u8>> = text.chars().map(|c| misread.byte(c)).collect();
    String::from_utf8(bytes?).ok()
}

fn is_arabic(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}' | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}')
}

/// Marks and letters that stand in Arabic print beside Arabic letters.
fn is_print(c: char) -> bool {
    matches!(c, '\u{a0}'..='\u{17f}' | '\u{2000}'..='\u{206f}' | '\u{20a0}'..='\u{20bf}' | '\u{2100}'..='\u{22ff}'
        | '\u{25a0}'..='\u{27bf}' | '\u{feff}' | '\u{fffd}' | '\u{1f300}'..='\u{1faff}')
}

/// Repairs all islands of a text that is known to be damaged.
fn rebuilt(text: &str, misread: Misread) -> Finding {
    let mut out = String::with_capacity(text.len());
    let mut repair = Repair { was: "UTF-8", read_as: misread.name(), times: 1, lines: 0, lost: 0 };
    for line in text.split_inclusive(['\n', '\r']) {
        let before = out.len();
        let sound = islands(line).any(|piece| whole(piece).is_none() && piece.chars().any(is_arabic));
        let mut rest = line;
        let mut changed = false;
        while let Some(start) = rest.find(|c: char| !c.is_ascii()) {
            out.push_str(&rest[..start]);
            rest = &rest[start..];
            let end = rest.find(|c: char| c.is_ascii()).unwrap_or(rest.len());
            let (piece, behind) = rest.split_at(end);
            rest = behind;
            let beside_latin = out.ends_with(|c: char| c.is_ascii_alphabetic());
            match whole(piece) {
                // Two letters that happen to pair are left alone in a line with sound Arabic or in a Latin word.
                Some(island) if island.characters > least(&island, sound, beside_latin) => {
                    repair.times = repair.times.max(island.times);
                    changed = true;
                    out.push_str(&island.text);
                }
                None if misread == Misread::Western => {
                    let (mended, lost, taken) = gaps(piece, behind);
                    changed |= mended.is_some();
                    repair.lost += if mended.is_some() { lost } else { damaged(piece) };
                    out.push_str(mended.as_deref().unwrap_or(piece));
                    rest = &behind[taken..];
                }
                None if misread == Misread::Mac => {
                    repair.lost += damaged(piece);
                    out.push_str(piece);
                }
                _ => out.push_str(piece),
            }
        }
        out.push_str(rest);
        repair.lines += usize::from(changed && out[before..] != *line);
    }
    if repair.lines == 0 { Finding::Sound } else { Finding::Repaired(out, repair) }
}

/// Returns how many letters of an island that cannot be read aright are damaged all the same: the first bytes of Arabic
/// letters as Western characters, in a row. A word of French has one accent, and no Arabic is damaged.
fn damaged(piece: &str) -> usize {
    let leads = piece.chars().filter(|c| matches!(c, 'Ø' | 'Ù' | 'Ú' | 'Û' | '\u{178}' | '¿' | '€')).count();
    let arabic = piece.chars().any(is_arabic);
    if arabic || piece.chars().count() < 2 { 0 } else { leads }
}

/// Returns how many characters an island must give more than, to be repaired in a text that is known to be damaged.
fn least(island: &Island, sound: bool, beside_latin: bool) -> usize {
    match island.misread {
        Misread::Arabic if sound => 2,
        Misread::Western if beside_latin && island.arabic > 0 => 1,
        _ => 0,
    }
}

/// Reads an island whose pairs are Arabic but for letters that lost their second byte: the program that misread it had no
/// character for it, and put `?` or dropped it, or made a blank of a no-break space. Returns the text, the letters lost, and
/// how many bytes of what follows stood for them.
fn gaps(piece: &str, behind: &str) -> (Option<String>, usize, usize) {
    let bytes: Option<Vec<u8>> = piece.chars().map(|c| Misread::Western.byte(c)).collect();
    let Some(bytes) = bytes else { return (None, 0, 0) };
    let arabic_lead = |byte: u8| matches!(byte, 0xd8..=0xdb);
    let mut out = String::new();
    let mut lost = 0;
    let mut open = false;
    for chunk in bytes.utf8_chunks() {
        if chunk.valid().chars().any(|c| !is_arabic(c) && !is_print(c)) {
            return (None, 0, 0);
        }
        open = false;
        out.push_str(chunk.valid());
        match chunk.invalid() {
            [] => {}
            &[lead] if arabic_lead(lead) => {
                lost += 1;
                open = true;
                out.push('\u{fffd}');
            }
            _ => return (None, 0, 0),
        }
    }
    let taken = usize::from(open && behind.starts_with(['?', ' ']));
    (Some(out), lost, taken)
}

/// Repairs windows-1256 or ISO-8859-6 that was read as windows-1252: words made of nothing but `ÊæäÓ`.
fn wrong_code_page(text: &str) -> Finding {
    let letter = |c: char| !c.is_ascii() && Misread::Western.byte(c).is_some_and(|byte| byte >= 0xc0);
    let (mut high, mut mixed) = (0usize, 0usize);
    let of_lines = |line: &str, high: &mut usize, mixed: &mut usize| {
        for word in line.split(|c: char| !c.is_ascii_alphabetic() && !letter(c)) {
            let upper = word.chars().filter(|c| !c.is_ascii()).count();
            if upper == word.chars().count() {
                *high += usize::from(upper > 1);
            } else {
                *mixed += usize::from(upper > 0);
            }
        }
    };
    of_lines(text, &mut high, &mut mixed);
    // A text in a Western language has a few such words at most ("été" is mixed, "où" too).
    if high < CERTAIN_WORDS || mixed * 10 > high {
        return Finding::Sound;
    }
    let bytes = |line: &str| -> Option<Vec<u8>> {
        let damaged = |c: char| if c.is_ascii() { u8::try_from(u32::from(c)).ok() } else { Misread::Western.byte(c) };
        line.chars().map(damaged).collect()
    };
    let lines: Vec<(&str, Option<Vec<u8>>)> =
        text.split_inclusive(['\n', '\r']).map(|line| (line, bytes(line))).collect();
    let sample: Vec<u8> = lines.iter().filter_map(|(_, bytes)| bytes.as_deref()).flatten().copied().collect();
    let sample = detect::telling(&sample);
    let [(as_1256, arabic), (as_iso, iso)] = [WINDOWS_1256, ISO_8859_6]
        .map(|encoding| (detect::plausibility(&Charset::Web(encoding).decode(&sample)), encoding));
    let (score, encoding) = if as_iso > as_1256 { (as_iso, iso) } else { (as_1256, arabic) };
    if score <= detect::PLAUSIBLE {
        let doubt =
            "words of odd Latin letters that may be Arabic read in another encoding; not certain, left as they are";
        return if score > detect::PLAUSIBLE / 2.0 { Finding::Doubtful(doubt.into()) } else { Finding::Sound };
    }
    let mut out = String::with_capacity(text.len() * 2);
    let mut repair = Repair { was: encoding.name(), read_as: "windows-1252", times: 1, lines: 0, lost: 0 };
    for (line, bytes) in &lines {
        let (mut high, mut mixed) = (0, 0);
        of_lines(line, &mut high, &mut mixed);
        match bytes {
            Some(bytes) if high > 0 && mixed <= high => {
                out.push_str(&Charset::Web(encoding).decode(bytes));
                repair.lines += 1;
            }
            _ => out.push_str(line),
        }
    }
    Finding::Repaired(out, repair)
}
