//! Texts at which a hypothesis ends.
//!
//! In: the text so far. Out: where it must be cut.

/// Stop strings.
#[derive(Debug, Clone, Default)]
pub struct StopStrings {
    strings: Vec<String>,
    longest: usize,
}

impl StopStrings {
    /// Takes the strings; empty ones count for nothing.
    pub fn new(strings: &[&str]) -> Self {
        let strings: Vec<String> = strings.iter().filter(|s| !s.is_empty()).map(|&s| s.to_owned()).collect();
        let longest = strings.iter().map(String::len).max().unwrap_or(0);
        Self { strings, longest }
    }

    /// Returns where the first stop string begins in a text whose first `seen` bytes were searched before.
    pub fn find(&self, text: &str, seen: usize) -> Option<usize> {
        let mut from = seen.saturating_sub(self.longest).min(text.len());
        while !text.is_char_boundary(from) {
            from -= 1;
        }
        self.strings.iter().filter_map(|stop| text[from..].find(stop.as_str())).min().map(|at| from + at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_string_is_found_across_pieces() {
        let stop = StopStrings::new(&["\nArabic", "", "##"]);
        assert_eq!(stop.find("one\nAra", 4), None);
        assert_eq!(stop.find("one\nArabic", 7), Some(3));
        assert_eq!(stop.find("قال ## \nArabic", 3), Some("قال ".len()));
        assert_eq!(StopStrings::new(&[]).find("one", 0), None);
    }
}
