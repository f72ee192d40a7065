//! Which encoding bytes are in that say nothing of it, or nothing true.
//!
//! In: bytes without a byte order mark. Out: a [`Charset`]. UTF-16 and UTF-32 are told by where their zero bytes stand,
//! UTF-8 by itself, the Arabic 8-bit encodings by the letters they would make: Arabic is full of the article ال. The rest
//! is chardetng's.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{ISO_8859_6, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1256};

use super::charset::Charset;
use crate::arabic::letters;

/// How many bytes of a file are looked at to guess its encoding.
const SAMPLE: usize = 64 * 1024;

/// Below this, text in an 8-bit encoding is hardly Arabic: NTREX news in the right encoding scores above 0.9.
pub(super) const PLAUSIBLE: f64 = 0.5;

/// Returns the encoding that bytes without a byte order mark seem to be in.
pub(super) fn detect(bytes: &[u8]) -> Charset {
    if let Some(wide) = wide(&bytes[..bytes.len().min(SAMPLE)]) {
        return wide;
    }
    if is_nearly_utf8(bytes) {
        return Charset::Web(UTF_8);
    }
    let sample = telling(bytes);
    arabic(&sample).unwrap_or_else(|| {
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(&sample, true);
        let guess = detector.guess(None, Utf8Detection::Deny);
        // Arabic bytes pair to Chinese as well as anything: what was meant so says it.
        Charset::Web(if guess.is_single_byte() { guess } else { UTF_8 })
    })
}

/// Returns the Arabic 8-bit encoding in which a sample reads as Arabic.
fn arabic(sample: &[u8]) -> Option<Charset> {
    let mac_lines = sample.contains(&b'\r') && !sample.contains(&b'\n');
    // ISO-8859-6 and MacArabic have their letters in the same places: the first that scores best is taken.
    let iso = Charset::Web(ISO_8859_6);
    let twins = if mac_lines { [Charset::MacArabic, iso] } else { [iso, Charset::MacArabic] };
    let mut best = (PLAUSIBLE, None);
    for charset in [Charset::Web(WINDOWS_1256), twins[0], twins[1], Charset::Ibm720] {
        let score = plausibility(&charset.decode(sample));
        if score > best.0 {
            best = (score, Some(charset));
        }
    }
    best.1
}

/// Tells UTF-16 by its zero bytes (ASCII) and 0x06 bytes (the Arabic block), which all stand on one side of the pairs, and
/// UTF-32 by two zero bytes at one end of every four.
pub(super) fn wide(sample: &[u8]) -> Option<Charset> {
    let (fours, _) = sample.as_chunks::<4>();
    if !fours.is_empty() {
        let most = |test: fn(&[u8; 4]) -> bool| fours.iter().filter(|four| test(four)).count() * 10 > fours.len() * 9;
        // The third byte is at most 10 hexadecimal; real text is not all NUL.
        if most(|four| four[3] == 0 && four[2] == 0 && four[..2] != [0, 0]) {
            return Some(Charset::Utf32Le);
        }
        if most(|four| four[0] == 0 && four[1] == 0 && four[2..] != [0, 0]) {
            return Some(Charset::Utf32Be);
        }
    }
    let (mut even, mut odd) = (0usize, 0usize);
    for pair in sample.chunks_exact(2) {
        even += usize::from(matches!(pair[0], 0 | 6));
        odd += usize::from(matches!(pair[1], 0 | 6));
    }
    let pairs = sample.len() / 2;
    if pairs == 0 {
        return None;
    }
    let share = |count: usize| count as f64 / pairs as f64;
    let (high, low, encoding) =
        if odd > even { (share(odd), share(even), UTF_16LE) } else { (share(even), share(odd), UTF_16BE) };
    (high > 0.8 && low < 0.3).then_some(Charset::Web(encoding))
}

/// Returns whether bytes are UTF-8 but for broken places: a cut-off end, a stray byte, more of them where the rest is Arabic.
pub(super) fn is_nearly_utf8(bytes: &[u8]) -> bool {
    let (mut broken, mut multibyte, mut arabic) = (0usize, 0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars().filter(|c| !c.is_ascii()) {
            multibyte += 1;
            arabic += usize::from(letters::is_arabic_letter(c));
        }
        broken += usize::from(!chunk.invalid().is_empty());
    }
    // Pairs of bytes that make Arabic letters do so by chance in no other encoding, row upon row.
    broken == 0 || broken * 50 < multibyte || (broken * 4 < arabic && arabic * 2 > multibyte)
}

/// Returns the lines that tell 8-bit encodings apart, those with a byte beyond ASCII, up to [`SAMPLE`] bytes: the head of a
/// saved page may be longer than any sample.
pub(super) fn telling(bytes: &[u8]) -> Vec<u8> {
    let mut sample = Vec::new();
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        if !line.is_ascii() {
            let start = line.iter().position(|byte| !byte.is_ascii()).unwrap_or(0).saturating_sub(64);
            let room = SAMPLE - sample.len();
            sample.extend_from_slice(&line[start..line.len().min(start + room)]);
        }
        if sample.len() >= SAMPLE {
            break;
        }
    }
    sample
}

/// Returns how much of a text reads as Arabic: the share of Arabic letters among all that is no ASCII, less for words with a
/// letter where none can stand, more where the article ال is as frequent as it always is.
pub(super) fn plausibility(text: &str) -> f64 {
    let (mut letters, mut other, mut words, mut article, mut odd) = (0usize, 0usize, 0usize, 0usize, 0usize);
    for word in text.split(|c: char| c.is_ascii() || c.is_whitespace()) {
        let (mut arabic, mut all) = (0, 0);
        for c in word.chars() {
            all += 1;
            // Signs on letters are as Arabic as the letters.
            arabic += usize::from(letters::is_arabic_letter(c) || letters::is_diacritic(c));
        }
        letters += arabic;
        other += all - arabic;
        if arabic > 0 {
            words += 1;
            article += usize::from(["ال", "وال", "بال", "لل"].iter().any(|lead| word.starts_with(lead)));
            // Ta marbuta and alif maqsura end a word.
            let bare = word.trim_end_matches(|c| !letters::is_arabic_letter(c));
            odd += usize::from(bare.chars().rev().skip(1).any(|c| matches!(c, 'ة' | 'ى')));
        }
    }
    if letters == 0 {
        return 0.0;
    }
    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    // Signs between words (quotation marks, dashes) are not ASCII either: they weigh little.
    let base = letters as f64 / (letters as f64 + 0.5 * other as f64);
    (base - share(odd, words)).max(0.0) * (share(article, words) * 10.0).clamp(0.3, 1.0)
}
