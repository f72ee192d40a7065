//! Numbers in Arabic text: digits of three kinds, number words in every gender and case, ordinals, fractions, months.
//!
//! In: Arabic text. Out: [`Number`]s in order, with spans. `ثلاثة وعشرون`, `500 ألف`, `3.5 مليون`, `مليون ونصف المليون`,
//! `مئتان`, `الثاني والعشرين`, `50 في المئة`, `الثمانينات` are one number each. What single words say is
//! `number_words`', what a translation made of the numbers [`crate::check`]'s. Source: the numeral system of Modern
//! Standard Arabic (Ryding, A Reference Grammar of MSA, ch. 15).

use super::number_words::{Atom, decade, month, unit, word_atom};
use super::words::{Word, without_prefixes, words};
use crate::number::{Certainty, Kind, Literal, Number, digit, literal, share_scale_of_range};
use crate::span::Span;

/// A piece of the text that can be part of a number, or stands between two.
#[derive(Debug)]
struct Token<'t> {
    span: Span,
    atom: Option<Atom>,
    conjunction: bool,
    word: Option<&'t Word>,
}

/// Finds the numbers of an Arabic text, in order.
pub fn numbers(text: &str) -> Vec<Number> {
    numbers_among(text, &words(text))
}

/// Finds the numbers of an Arabic text whose [`words`] are known.
pub fn numbers_among(text: &str, words: &[Word]) -> Vec<Number> {
    let tokens = tokens(text, words);
    let mut numbers = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let (number, next) = read(text, &tokens, at);
        numbers.extend(number);
        at = next.max(at + 1);
    }
    share_scale_of_range(text, &mut numbers, &["و", "إلى", "الى", "-", "–", "أو", "او", "حتى"]);
    numbers
}

fn tokens<'t>(text: &str, words: &'t [Word]) -> Vec<Token<'t>> {
    let mut tokens: Vec<Token> = Vec::with_capacity(words.len() + 4);
    let mut next_word = words.iter().peekable();
    let mut resume = 0;
    for (at, c) in text.char_indices() {
        if at < resume {
            continue;
        }
        if let Some(word) = next_word.next_if(|w| w.span.start <= at) {
            resume = word.span.end;
            let (atom, conjunction) = word_atom(&word.folded).map_or((None, false), |(a, c)| (Some(a), c));
            tokens.push(Token { span: word.span, atom, conjunction, word: Some(word) });
        } else if digit(c).is_some()
            && let Some(digits) = literal(text, at)
        {
            resume = digits.span.end;
            // "و200": the conjunction is a word of one letter that touches the digits.
            let before = tokens.last().filter(|t| t.span.end == at).and_then(|t| t.word);
            let conjunction = before.is_some_and(|w| w.folded == "و");
            if conjunction {
                tokens.pop();
            }
            tokens.push(Token { span: digits.span, atom: Some(Atom::Digits(digits)), conjunction, word: None });
        }
    }
    tokens
}

/// Reads the number that starts at a token, and says at which token to go on.
fn read(text: &str, tokens: &[Token], start: usize) -> (Option<Number>, usize) {
    let token = &tokens[start];
    let Some(first) = token.atom else { return read_other(text, tokens, start) };
    let mut sum = Sum::default();
    if !sum.open(first) {
        return (None, start + 1);
    }
    let mut next = start + 1;
    while let Some(token) = tokens.get(next)
        && adjacent(text, &tokens[next - 1], token)
        && let Some(atom) = token.atom
        && sum.add(atom, token.conjunction, tokens.get(next + 1).and_then(|t| t.atom))
    {
        next += 1;
    }
    let mut number =
        Number::new(Span::new(token.span.start, tokens[next - 1].span.end), sum.value(), sum.kind(), sum.certainty());
    number.also = sum.also;
    if let Atom::Digits(digits) = first
        && next == start + 1
    {
        as_clock(&mut number, digits, tokens, start);
        number.also = number.also.or(digits.also);
    }
    if let Some(fraction) = tokens.get(next)
        && fraction.conjunction
        && let Some(Atom::Fraction(part)) = fraction.atom
        && adjacent(text, &tokens[next - 1], fraction)
    {
        number.also = Some(number.value);
        number.value += part * sum.scale_of_last();
        number.span.end = fraction.span.end;
        next += 1;
        // مليون ونصف المليون: the scale is said again.
        if let Some(Atom::Scale(scale)) = tokens.get(next).and_then(|t| t.atom)
            && scale == sum.scale_of_last()
        {
            next += 1;
        }
    }
    next = read_percent(text, tokens, next, &mut number);
    if let Some(word) = tokens.get(next).and_then(|t| t.word) {
        number.unit = unit(&word.folded, tokens.get(next + 1).and_then(|t| t.word));
    }
    (Some(number), next)
}

/// The parts of a number read so far.
#[derive(Debug, Default)]
struct Sum {
    total: f64,
    group: Option<f64>,
    last: Option<Atom>,
    smallest_scale: Option<f64>,
    ordinal: bool,
    digits: bool,
    also: Option<f64>,
}

impl Sum {
    /// Takes the first part; false where it is no number by itself.
    fn open(&mut self, atom: Atom) -> bool {
        match atom {
            Atom::Scales(_) | Atom::Fractions(_) => return false,
            Atom::Scale(scale) => {
                self.total = scale;
                self.smallest_scale = Some(scale);
            }
            Atom::Unit(v) | Atom::Tens(v) | Atom::Hundred(v) | Atom::Fraction(v) => self.group = Some(v),
            Atom::Ten => self.group = Some(10.0),
            Atom::Ordinal(v) => {
                self.group = Some(v);
                self.ordinal = true;
            }
            Atom::Digits(literal) => {
                self.group = Some(literal.value);
                self.digits = true;
            }
        }
        self.last = Some(atom);
        true
    }

    /// Takes a further part; false where it starts another number. `after` is the part behind it.
    fn add(&mut self, atom: Atom, conjunction: bool, after: Option<Atom>) -> bool {
        let Some(last) = self.last else { return false };
        let group = self.group;
        let smaller = |scale: f64| self.smallest_scale.is_none_or(|least| scale < least);
        match (last, atom, group) {
            (Atom::Unit(_) | Atom::Ordinal(_), Atom::Ten, Some(sum)) if !conjunction => self.group = Some(sum + 10.0),
            (Atom::Unit(_), Atom::Hundred(100.0), Some(sum)) if !conjunction => self.group = Some(sum * 100.0),
            (Atom::Unit(_), Atom::Fractions(part), Some(sum)) if !conjunction => {
                self.group = Some(sum * part);
                self.last = Some(Atom::Fraction(part));
                return true;
            }
            (Atom::Unit(_) | Atom::Ordinal(_), Atom::Tens(tens), Some(sum)) if conjunction => {
                self.group = Some(sum + tens);
            }
            (Atom::Hundred(_), Atom::Unit(v) | Atom::Tens(v), Some(sum)) if conjunction => self.group = Some(sum + v),
            (Atom::Hundred(_), Atom::Ten, Some(sum)) if conjunction => self.group = Some(sum + 10.0),
            (_, Atom::Scale(scale) | Atom::Scales(scale), Some(sum)) if !conjunction && smaller(scale) => {
                if let Atom::Digits(Literal { also: Some(other), .. }) = last {
                    self.also = Some(self.total + other * scale);
                }
                self.total += sum * scale;
                self.group = None;
                self.smallest_scale = Some(scale);
            }
            // ألف مليون: a thousand millions.
            (Atom::Scale(_), Atom::Scale(scale), None) if !conjunction && !smaller(scale) && self.total < scale => {
                self.total *= scale;
            }
            (Atom::Scale(_) | Atom::Scales(_), Atom::Scale(scale), None) if conjunction && smaller(scale) => {
                self.total += scale;
                self.smallest_scale = Some(scale);
            }
            (Atom::Scale(_) | Atom::Scales(_), Atom::Unit(v) | Atom::Tens(v) | Atom::Hundred(v), None)
                if conjunction =>
            {
                self.group = Some(v);
            }
            (Atom::Scale(_) | Atom::Scales(_), Atom::Ten, None) if conjunction => self.group = Some(10.0),
            // مليون و200 ألف is one number, "5 ملايين و20 لاعبا" are two.
            (Atom::Scale(_) | Atom::Scales(_), Atom::Digits(literal), None) if conjunction => match after {
                Some(Atom::Scale(scale) | Atom::Scales(scale)) if smaller(scale) => {
                    self.group = Some(literal.value);
                    self.digits = true;
                }
                _ => return false,
            },
            _ => return false,
        }
        self.last = Some(atom);
        true
    }

    fn value(&self) -> f64 {
        self.total + self.group.unwrap_or(0.0)
    }

    fn kind(&self) -> Kind {
        if self.ordinal { Kind::Ordinal } else { Kind::Cardinal }
    }

    fn certainty(&self) -> Certainty {
        let value = self.value();
        // One and two are more often the article, the dual or a pronoun; six is also a lady.
        if self.digits {
            Certainty::Figure
        } else if self.ordinal || value < 3.0 || matches!(self.last, Some(Atom::Fraction(_))) {
            Certainty::Weak
        } else {
            Certainty::Words
        }
    }

    /// Returns what "and a half" after the number is a half of.
    fn scale_of_last(&self) -> f64 {
        match self.last {
            Some(Atom::Scale(scale) | Atom::Scales(scale)) => round_scale(scale),
            _ => 1.0,
        }
    }
}

/// Two thousand and a half is 2,500: the dual counts by its singular.
fn round_scale(scale: f64) -> f64 {
    if scale.log10().fract() == 0.0 { scale } else { scale / 2.0 }
}

/// Returns whether nothing but white space stands between two tokens.
fn adjacent(text: &str, before: &Token, after: &Token) -> bool {
    text.get(before.span.end..after.span.start).is_some_and(|gap| gap.chars().all(|c| c.is_whitespace() || c == 'و'))
}

/// Turns `7:50`, and `7.50` beside a word for the time of day, into a time.
fn as_clock(number: &mut Number, digits: Literal, tokens: &[Token], at: usize) {
    let Some((hours, minutes)) = digits.clock else { return };
    let near = |token: Option<&Token>| {
        token.and_then(|t| t.word).is_some_and(|w| {
            matches!(w.folded.as_str(), "الساعه" | "صباحا" | "مساء" | "ظهرا" | "فجرا" | "ليلا" | "بتوقيت" | "عصرا")
        })
    };
    if digits.colon || near(at.checked_sub(1).and_then(|i| tokens.get(i))) || near(tokens.get(at + 1)) {
        number.kind = Kind::Time;
        number.value = f64::from(hours * 60 + minutes);
        number.also = None;
    }
}

/// Reads `%`, `٪`, `بالمئة`, `في المائة` behind a number; returns the token to go on at.
fn read_percent(text: &str, tokens: &[Token], next: usize, number: &mut Number) -> usize {
    let tail = text.get(number.span.end..).unwrap_or_default();
    if let Some(sign) = tail.trim_start().chars().next()
        && matches!(sign, '%' | '٪' | '﹪' | '％')
    {
        number.kind = Kind::Percent;
        return next;
    }
    // Some writers put the sign before the digits.
    let head = text.get(..number.span.start).unwrap_or_default();
    if head.ends_with(['%', '٪']) && !head.trim_end_matches(['%', '٪']).ends_with(|c| digit(c).is_some()) {
        number.kind = Kind::Percent;
        return next;
    }
    let folded = |i: usize| tokens.get(i).and_then(|t| t.word).map_or("", |w| w.folded.as_str());
    let is_hundred = |word: &str| matches!(word, "المئه" | "المائه" | "المايه" | "الميه");
    if folded(next).strip_prefix('ب').is_some_and(is_hundred) {
        number.kind = Kind::Percent;
        return next + 1;
    }
    if folded(next) == "في" && is_hundred(folded(next + 1)) {
        number.kind = Kind::Percent;
        return next + 2;
    }
    next
}

/// Reads what is a number but no sum: months, decades, duals.
fn read_other(text: &str, tokens: &[Token], at: usize) -> (Option<Number>, usize) {
    let token = &tokens[at];
    let Some(word) = token.word else { return (None, at + 1) };
    for form in without_prefixes(&word.folded) {
        if let Some((month, certainty)) = month(form) {
            return (Some(Number::new(token.span, month, Kind::Month, certainty)), at + 1);
        }
        if let Some(decade) = decade(form) {
            return (Some(Number::new(token.span, decade, Kind::Decade, Certainty::Weak)), at + 1);
        }
        if let ("كانون" | "تشرين", Some(next)) = (form, tokens.get(at + 1))
            && let Some(Atom::Ordinal(which)) = next.atom
            && adjacent(text, token, next)
        {
            let month = if form == "تشرين" {
                9.0 + which
            } else if which == 1.0 {
                12.0
            } else {
                1.0
            };
            let span = Span::new(token.span.start, next.span.end);
            return (Some(Number::new(span, month, Kind::Month, Certainty::Words)), at + 2);
        }
    }
    // A dual may be a plural too, so it only ever supports a "two".
    let letters = word.folded.chars().count();
    if letters >= 5 && (word.folded.ends_with("ين") || word.folded.ends_with("ان")) {
        return (Some(Number::new(token.span, 2.0, Kind::Cardinal, Certainty::Weak)), at + 1);
    }
    (None, at + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The numbers that a translation must show, without weak ones.
    fn strong(text: &str) -> Vec<f64> {
        numbers(text).into_iter().filter(|n| n.certainty > Certainty::Weak).map(|n| n.value).collect()
    }

    fn all(text: &str) -> Vec<(f64, Kind)> {
        numbers(text).into_iter().map(|n| (n.value, n.kind)).collect()
    }

    #[test]
    fn digits_of_every_script_are_read() {
        for text in ["قتل 23 شخصا", "قتل ٢٣ شخصا", "قتل ۲۳ شخصا"] {
            assert_eq!(strong(text), [23.0], "{text}");
        }
        assert_eq!(strong("بلغت 1,200 طن"), [1200.0]);
        assert_eq!(strong("بلغت ١٬٢٠٠٬٥٠٠ دينار"), [1_200_500.0]);
        assert_eq!(strong("بلغت ٣٫٥ مليون دينار"), [3_500_000.0]);
        assert_eq!(strong("اليومين 22 و21 من الشهر"), [22.0, 21.0]);
        assert_eq!(strong("عامي 2010 و2011"), [2010.0, 2011.0]);
        assert_eq!(strong("الـ14 من يناير"), [14.0, 1.0]);
    }

    #[test]
    fn words_make_one_number() {
        let cases: &[(&str, f64)] = &[
            ("ثلاثة وعشرون وزيرا", 23.0),
            ("خمسة عشر نائبا", 15.0),
            ("أحد عشر لاعبا", 11.0),
            ("مئتان وخمسون مترا", 250.0),
            ("خمسمائة ألف لاجئ", 500_000.0),
            ("ثلاث مئة ألف", 300_000.0),
            ("ألفان وثلاثمئة دينار", 2_300.0),
            ("مليون و200 ألف ناخب", 1_200_000.0),
            ("3.5 مليون", 3_500_000.0),
            ("خمسة ملايين", 5_000_000.0),
            ("نحو ألف مليون", 1e9),
            ("مئة وخمسة وعشرين", 125.0),
            ("ملياري دولار", 2e9),
        ];
        for (text, value) in cases {
            assert_eq!(strong(text), [*value], "{text}");
        }
        let halves = numbers("مليون ونصف المليون دولار");
        assert_eq!((halves[0].value, halves[0].also), (1_500_000.0, Some(1e6)));
        assert_eq!(all("ثلاثة أرباع الناس"), [(0.75, Kind::Cardinal)]);
        assert_eq!(all("نصف مليون"), [(500_000.0, Kind::Cardinal)]);
    }

    #[test]
    fn kinds_are_told_apart() {
        assert_eq!(all("الثاني والعشرين"), [(22.0, Kind::Ordinal)]);
        assert_eq!(all("القرن التاسع عشر"), [(19.0, Kind::Ordinal)]);
        for text in ["50%", "50 ٪", "50 بالمئة", "50 في المائة", "خمسون في المئة"] {
            assert_eq!(all(text), [(50.0, Kind::Percent)], "{text}");
        }
        assert_eq!(all("على الساعة 07:50"), [(470.0, Kind::Time)]);
        assert_eq!(all("الساعة 7.30 مساء"), [(450.0, Kind::Time)]);
        assert_eq!(all("في كانون الثاني"), [(1.0, Kind::Month)]);
        assert_eq!(all("21 جويلية"), [(21.0, Kind::Cardinal), (7.0, Kind::Month)]);
        assert_eq!(all("في الثمانينيات"), [(80.0, Kind::Decade)]);
    }

    #[test]
    fn what_only_looks_like_a_number_is_weak_or_nothing() {
        assert!(strong("يوم الأحد، وهو أحد أبرز اللاعبين").is_empty());
        assert!(strong("آلاف المتظاهرين وملايين الدنانير").is_empty());
        assert!(strong("اللاعب الأول والثاني").is_empty());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}") {
            for number in numbers(&text) {
                prop_assert!(text.get(number.span.start..number.span.end).is_some());
            }
        }

        #[test]
        fn no_row_of_number_words_makes_it_panic(
            parts in prop::collection::vec(prop::sample::select(vec![
                "ألف", "وألف", "مليون", "ومئة", "ثلاثة", "عشر", "وعشرون", "و", "5", "1,200", "٪", "ونصف", "أرباع", "كانون",
                "الثاني", "في", "المئة", "ملايين", "07:50", "و20",
            ]), 0..12),
        ) {
            let text = parts.join(" ");
            for number in numbers(&text) {
                prop_assert!(text.get(number.span.start..number.span.end).is_some());
                prop_assert!(number.value.is_finite());
            }
        }
    }
}
