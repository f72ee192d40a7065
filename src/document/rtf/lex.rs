//! RTF as tokens.
//!
//! In: bytes. Out: [`Token`]s, one after another, until the bytes end: every input has tokens, whatever is broken in it.
//! Source: Rich Text Format Specification 1.9.1, "Conventions of an RTF reader".

/// The longest control word that is read; the specification allows 32 letters.
const MAX_WORD: usize = 40;

/// A piece of RTF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'b> {
    /// `{`.
    Open,
    /// `}`.
    Close,
    /// A control word and its number.
    Word(&'b str, Option<i32>),
    /// A control symbol: `\~`.
    Symbol(u8),
    /// A byte in hexadecimal: `\'e3`.
    Hex(u8),
    /// Bytes of text.
    Text(&'b [u8]),
}

/// Reads tokens.
pub(super) struct Lexer<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Lexer<'b> {
    /// Makes a reader of bytes.
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn run(&mut self, mut is: impl FnMut(u8) -> bool) -> &'b [u8] {
        let start = self.at;
        while self.peek().is_some_and(&mut is) {
            self.at += 1;
        }
        &self.bytes[start..self.at]
    }

    fn control(&mut self) -> Option<Token<'b>> {
        let first = self.peek()?;
        if first == b'\'' {
            self.at += 1;
            let digit = |at: usize| self.bytes.get(at).and_then(|&b| char::from(b).to_digit(16));
            let (high, low) = (digit(self.at), digit(self.at + 1));
            return Some(match (high, low) {
                (Some(high), Some(low)) => {
                    self.at += 2;
                    Token::Hex(u8::try_from(high * 16 + low).unwrap_or(b'?'))
                }
                // Not hexadecimal: what follows is text.
                _ => Token::Symbol(b'\''),
            });
        }
        if !first.is_ascii_alphabetic() {
            self.at += 1;
            return Some(Token::Symbol(first));
        }
        let word = self.run(|b| b.is_ascii_alphabetic());
        let word = std::str::from_utf8(&word[..word.len().min(MAX_WORD)]).unwrap_or_default();
        let negative = self.peek() == Some(b'-') && self.bytes.get(self.at + 1).is_some_and(u8::is_ascii_digit);
        self.at += usize::from(negative);
        let digits = self.run(|b| b.is_ascii_digit());
        let number = (!digits.is_empty()).then(|| {
            let value = digits.iter().fold(0i32, |n, b| n.saturating_mul(10).saturating_add(i32::from(b - b'0')));
            if negative { -value } else { value }
        });
        if self.peek() == Some(b' ') {
            self.at += 1;
        }
        if word == "bin" {
            // Raw bytes: as many as it says, and no more than there are.
            let length = usize::try_from(number.unwrap_or(0)).unwrap_or(0);
            self.at = self.bytes.len().min(self.at.saturating_add(length));
        }
        Some(Token::Word(word, number))
    }
}

impl<'b> Iterator for Lexer<'b> {
    type Item = Token<'b>;

    fn next(&mut self) -> Option<Token<'b>> {
        loop {
            return match self.peek()? {
                b'{' => {
                    self.at += 1;
                    Some(Token::Open)
                }
                b'}' => {
                    self.at += 1;
                    Some(Token::Close)
                }
                b'\\' => {
                    self.at += 1;
                    self.control()
                }
                // Line ends are the writer's, not the text's.
                b'\r' | b'\n' | 0 => {
                    self.at += 1;
                    continue;
                }
                _ => Some(Token::Text(self.run(|b| !matches!(b, b'{' | b'}' | b'\\' | b'\r' | b'\n' | 0)))),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_numbers_symbols_and_raw_bytes() {
        let tokens: Vec<Token<'_>> = Lexer::new(b"{\\b0 x\\u-10 ?\\'e3\\'zz\\~\\bin3 }}}y}").collect();
        assert_eq!(
            tokens,
            [
                Token::Open,
                Token::Word("b", Some(0)),
                Token::Text(b"x"),
                Token::Word("u", Some(-10)),
                Token::Text(b"?"),
                Token::Hex(0xe3),
                Token::Symbol(b'\''),
                Token::Text(b"zz"),
                Token::Symbol(b'~'),
                Token::Word("bin", Some(3)),
                Token::Text(b"y"),
                Token::Close,
            ]
        );
        assert_eq!(Lexer::new(b"\\bin99 ab").count(), 1);
        assert_eq!(Lexer::new(b"\\u99999999999999999999").next(), Some(Token::Word("u", Some(i32::MAX))));
        assert_eq!(Lexer::new(b"\\").next(), None);
    }
}
