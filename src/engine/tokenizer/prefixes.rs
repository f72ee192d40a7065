//! All pieces of a vocabulary that a text begins with.
//!
//! In: pieces with their numbers, then texts. Out: lengths and numbers. Which of them are the best is left to
//! [`super::pieces`].

/// Finds all pieces that a text begins with: a sorted list whose range narrows byte by byte.
pub struct PrefixIndex {
    /// All pieces in one text, sorted.
    text: Vec<u8>,
    /// Of each piece its start in the text and its number; one more start at the end.
    starts: Vec<(u32, u32)>,
    /// Of each first byte, where its pieces start in the list; one more at the end.
    first: Vec<u32>,
}

impl PrefixIndex {
    /// Builds the index from pieces with their numbers.
    pub fn new(pieces: &[(u32, &str)]) -> Self {
        let mut sorted: Vec<(&[u8], u32)> = pieces.iter().map(|&(number, piece)| (piece.as_bytes(), number)).collect();
        sorted.sort_unstable();
        let mut text = Vec::new();
        let mut starts = Vec::with_capacity(sorted.len() + 1);
        let mut first = vec![0u32; 257];
        for &(piece, number) in &sorted {
            starts.push((text.len() as u32, number));
            text.extend_from_slice(piece);
            if let Some(&byte) = piece.first() {
                first[usize::from(byte) + 1] += 1;
            }
        }
        starts.push((text.len() as u32, u32::MAX));
        for byte in 1..first.len() {
            first[byte] += first[byte - 1];
        }
        Self { text, starts, first }
    }

    fn bytes(&self, place: usize) -> &[u8] {
        &self.text[self.starts[place].0 as usize..self.starts[place + 1].0 as usize]
    }

    /// Hands on the length and number of every piece that `text` begins with, the shortest first.
    pub fn prefixes(&self, text: &[u8], mut found: impl FnMut(usize, u32)) {
        let Some(&byte) = text.first() else { return };
        let (mut low, mut high) = (self.first[usize::from(byte)] as usize, self.first[usize::from(byte) + 1] as usize);
        let mut depth = 1;
        while low < high {
            if self.bytes(low).len() == depth {
                found(depth, self.starts[low].1);
                low += 1;
            }
            let Some(&byte) = text.get(depth) else { return };
            // All in the range are longer than `depth` now.
            low = self.narrow(low, high, |place| self.bytes(place)[depth] < byte);
            high = self.narrow(low, high, |place| self.bytes(place)[depth] == byte);
            depth += 1;
        }
    }

    /// Returns the first place of the range for which `before` does not hold.
    fn narrow(&self, mut low: usize, mut high: usize, before: impl Fn(usize) -> bool) -> usize {
        while low < high {
            let middle = low + (high - low) / 2;
            if before(middle) { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Returns the number of the piece that is this text.
    pub fn find(&self, text: &[u8]) -> Option<u32> {
        let count = self.starts.len() - 1;
        let place = self.narrow(0, count, |place| self.bytes(place) < text);
        (place < count && self.bytes(place) == text).then(|| self.starts[place].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_beginnings_are_found_shortest_first() {
        let pieces = [(7, "ab"), (3, "a"), (5, "abcd"), (1, "b"), (9, "abd"), (2, "é")];
        let index = PrefixIndex::new(&pieces);
        let all = |text: &str| {
            let mut found = Vec::new();
            index.prefixes(text.as_bytes(), |length, number| found.push((length, number)));
            found
        };
        assert_eq!(all("abcde"), [(1, 3), (2, 7), (4, 5)]);
        assert_eq!(all("abd"), [(1, 3), (2, 7), (3, 9)]);
        assert_eq!(all("éa"), [(2, 2)]);
        assert_eq!((all(""), all("cab")), (Vec::new(), Vec::new()));
        for (number, piece) in pieces {
            assert_eq!(index.find(piece.as_bytes()), Some(number));
        }
        assert_eq!((index.find(b"abc"), index.find(b""), index.find(b"zz")), (None, None, None));
        assert_eq!(PrefixIndex::new(&[]).find(b"a"), None);
    }
}
