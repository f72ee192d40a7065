//! Which letters the codes of a font stand for: its `ToUnicode` table.
//!
//! In: the bytes of a `CMap`. Out: a [`CMap`] that gives text for a code, and how many bytes a code has. Ranges are kept as
//! ranges: a file of a few bytes may state one of four thousand million codes. Source: ISO 32000-1, 9.10.3; Adobe Technical
//! Note 5014.

/// The most entries that are kept of one table: a font has 65,536 glyphs.
const MAX_ENTRIES: usize = 200_000;

/// The most characters that one code stands for; ligatures have a handful.
const MAX_LETTERS: usize = 64;

/// A run of codes.
#[derive(Debug, Clone)]
struct Range {
    low: u32,
    high: u32,
    /// What the first stands for; the last character counts up.
    text: Vec<char>,
}

/// A table from codes to text.
#[derive(Debug, Clone, Default)]
pub(super) struct CMap {
    ranges: Vec<Range>,
    /// Lengths of codes in bytes: 1 or 2, where the table says.
    pub code_bytes: Option<usize>,
}

enum Token<'b> {
    Bytes(Vec<u8>),
    Word(&'b [u8]),
    Open,
    Close,
}

impl CMap {
    /// Reads a table; what makes no sense is passed over.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut map = Self::default();
        let mut rest = bytes;
        let mut section: &[u8] = b"";
        let mut pending: Vec<Vec<u8>> = Vec::new();
        let mut array: Option<Vec<Vec<u8>>> = None;
        while let Some(token) = next(&mut rest) {
            match token {
                Token::Open => array = Some(Vec::new()),
                Token::Close => {
                    if let (Some(texts), [low, _]) = (array.take(), &pending[..]) {
                        for (step, text) in texts.iter().enumerate() {
                            let code = number(low).saturating_add(u32::try_from(step).unwrap_or(u32::MAX));
                            map.add(code, code, letters(text));
                        }
                    }
                    pending.clear();
                }
                Token::Bytes(bytes) => match &mut array {
                    Some(texts) if texts.len() < MAX_ENTRIES => texts.push(bytes),
                    Some(_) => {}
                    None => {
                        pending.push(bytes);
                        map.entry(section, &mut pending);
                    }
                },
                Token::Word(word) => {
                    if word.starts_with(b"begin") || word.starts_with(b"end") {
                        section = if word.starts_with(b"begin") { word } else { b"" };
                        pending.clear();
                        array = None;
                    }
                }
            }
        }
        // Of two entries for a code the later one counts: the sort is stable, and the search looks from the end.
        map.ranges.sort_by_key(|range| range.low);
        map
    }

    fn entry(&mut self, section: &[u8], pending: &mut Vec<Vec<u8>>) {
        match (section, &pending[..]) {
            (b"begincodespacerange", [low, high]) => {
                let length = low.len().max(high.len()).clamp(1, 4);
                self.code_bytes = Some(self.code_bytes.map_or(length, |known| known.max(length)));
                pending.clear();
            }
            (b"beginbfchar", [code, text]) => {
                let code = number(code);
                self.add(code, code, letters(text));
                pending.clear();
            }
            (b"beginbfrange", [low, high, text]) => {
                self.add(number(low), number(high), letters(text));
                pending.clear();
            }
            (b"begincodespacerange" | b"beginbfchar" | b"beginbfrange", _) if pending.len() < 3 => {}
            _ => pending.clear(),
        }
    }

    fn add(&mut self, low: u32, high: u32, text: Vec<char>) {
        if !text.is_empty() && low <= high && self.ranges.len() < MAX_ENTRIES {
            self.ranges.push(Range { low, high, text });
        }
    }

    /// Returns whether the table says anything.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Returns what a code stands for.
    pub fn text(&self, code: u32) -> Option<String> {
        let end = self.ranges.partition_point(|range| range.low <= code);
        // Ranges may overlap; those that do are few, and lie near.
        let range = self.ranges[..end].iter().rev().take(16).find(|range| range.high >= code)?;
        let mut text: String = range.text.iter().collect();
        let step = code - range.low;
        if step > 0 {
            let last = text.pop()?;
            text.push(char::from_u32(u32::from(last).checked_add(step)?)?);
        }
        Some(text)
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |sum, &byte| sum << 8 | u32::from(byte))
}

/// Decodes UTF-16BE; a single byte stands for itself.
fn letters(bytes: &[u8]) -> Vec<char> {
    if let [byte] = bytes {
        return vec![char::from(*byte)];
    }
    let units = bytes.as_chunks::<2>().0.iter().map(|&two| u16::from_be_bytes(two));
    char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).take(MAX_LETTERS).collect()
}

/// Returns the next token that matters.
fn next<'b>(rest: &mut &'b [u8]) -> Option<Token<'b>> {
    loop {
        let (&first, behind) = rest.split_first()?;
        match first {
            b'%' => {
                let end = behind.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(behind.len());
                *rest = &behind[end..];
            }
            b'<' if behind.first() == Some(&b'<') => *rest = &behind[1..],
            b'<' => {
                let end = behind.iter().position(|&byte| byte == b'>').unwrap_or(behind.len());
                let digits: Vec<u8> = behind[..end]
                    .iter()
                    .filter_map(|&b| char::from(b).to_digit(16))
                    .map(|d| d as u8)
                    .take(2 * 2 * MAX_LETTERS)
                    .collect();
                *rest = behind.get(end + 1..).unwrap_or_default();
                return Some(Token::Bytes(
                    digits.chunks(2).map(|d| d[0] << 4 | d.get(1).copied().unwrap_or(0)).collect(),
                ));
            }
            b'[' => {
                *rest = behind;
                return Some(Token::Open);
            }
            b']' => {
                *rest = behind;
                return Some(Token::Close);
            }
            byte if byte.is_ascii_whitespace() || matches!(byte, b'>' | b'(' | b')' | b'{' | b'}' | 0) => {
                *rest = behind;
            }
            _ => {
                let stop = |byte: &u8| {
                    byte.is_ascii_whitespace() || matches!(byte, b'<' | b'[' | b']' | b'>' | b'/' | b'%' | 0)
                };
                let end = behind.iter().position(stop).unwrap_or(behind.len());
                let (word, after) = rest.split_at(end + 1);
                *rest = after;
                return Some(Token::Word(word));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_ranges_and_lists_are_read() {
        let map = CMap::parse(
            b"/CMapName /X def 1 begincodespacerange <0000> <FFFF> endcodespacerange\n\
              2 beginbfchar <0003> <0020> <0005><06440627> endbfchar\n\
              2 beginbfrange <0010> <0012> <0627> <0020> <0021> [<0041> <00420043>] endbfrange",
        );
        let text = |code| map.text(code).unwrap_or_default();
        assert_eq!(map.code_bytes, Some(2));
        assert_eq!(
            [text(3), text(5), text(0x12), text(0x20), text(0x21), text(0x22)],
            [" ", "لا", "ة", "A", "BC", ""].map(str::to_owned).map(|s| if s == "ة" { "\u{629}".to_owned() } else { s })
        );
    }

    #[test]
    fn a_range_of_all_codes_costs_no_more_than_one() {
        let map = CMap::parse(b"begincodespacerange <00000000> <FFFFFFFF> endcodespacerange 1 beginbfrange <00000000> <FFFFFFFF> <0041> endbfrange");
        assert_eq!(map.ranges.len(), 1);
        assert_eq!(map.text(1).as_deref(), Some("B"));
        assert_eq!(map.text(u32::MAX), None);
    }
}
