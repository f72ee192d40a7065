//! Very long sentences are cut at clauses, because small models lose the end of what is long.
//!
//! In: one sentence, the most tokens a piece may have, and a count of tokens. Out: the spans of its pieces, one where
//! the sentence fits. The cuts are those of least cost over all: a semicolon is better than a comma with a conjunction,
//! that than a comma alone, outside a quotation better than within, and pieces of like length better than a long and a
//! short one. Only a clause that is itself too long is cut between words. Time and memory are linear in the sentence
//! for a given budget.

use super::segment::{depth, trim};
use crate::span::Span;

/// Words that open a clause after a comma. Sources: the usual conjunctions of Modern Standard Arabic.
const CONJUNCTIONS: &[&str] = &[
    "ثم",
    "لكن",
    "ولكن",
    "بل",
    "حيث",
    "إذ",
    "فيما",
    "بينما",
    "كما",
    "مما",
    "إلا",
    "غير",
    "بعدما",
    "عندما",
    "لأن",
    "حتى",
    "وذلك",
    "وهو",
    "وهي",
    "والذي",
    "والتي",
    "أو",
    "أما",
    "مشيرا",
    "مشيراً",
    "مضيفا",
    "مضيفاً",
    "مؤكدا",
    "مؤكداً",
    "موضحا",
    "موضحاً",
    "معتبرا",
    "معتبراً",
    "مبينا",
    "مبيناً",
    "داعيا",
    "داعياً",
    "إضافة",
    "فضلا",
    "فضلاً",
    "رغم",
];

/// Where a cut can be, best first, with its cost beside that of uneven lengths.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cut {
    /// Byte offset: the piece before ends here.
    at: usize,
    cost: f64,
}

/// Cuts a sentence into pieces of at most `budget` tokens, as far as its clauses and words allow.
pub fn split(sentence: &str, budget: usize, count: &dyn Fn(&str) -> usize) -> Vec<Span> {
    let whole = trim(sentence, Span::new(0, sentence.len()));
    if whole.is_empty() {
        return Vec::new();
    }
    // The count of a tokenizer is not asked for the whole of an endless line more than once.
    let total = count(whole.of(sentence));
    if total <= budget {
        return vec![whole];
    }
    let mut atoms: Vec<(Span, usize, f64)> = Vec::new();
    let mut start = 0;
    for cut in clause_cuts(sentence).into_iter().chain([Cut { at: sentence.len(), cost: 0.0 }]) {
        let span = trim(sentence, Span::new(start, cut.at));
        if !span.is_empty() {
            let tokens = count(span.of(sentence)).max(1);
            if tokens <= budget {
                atoms.push((span, tokens, cut.cost));
            } else {
                for word_group in by_words(sentence, span, tokens, budget, count) {
                    atoms.push((word_group.0, word_group.1, 2.0));
                }
                if let Some(last) = atoms.last_mut() {
                    last.2 = cut.cost;
                }
            }
        }
        start = cut.at;
    }
    join(&atoms, total, budget)
}

/// Returns the places where a clause ends, in order.
fn clause_cuts(sentence: &str) -> Vec<Cut> {
    let chars: Vec<(usize, char)> = sentence.char_indices().collect();
    let mut cuts = Vec::new();
    let mut open = 0;
    for (i, &(offset, c)) in chars.iter().enumerate() {
        open = depth(&chars, 0, i, open);
        let at = offset + c.len_utf8();
        // Dots of suspension that ended no sentence part its halves.
        let halves = c == '…' || (c == '.' && sentence[..offset].ends_with('.'));
        if !halves && !matches!(c, '؛' | ';' | '،' | ',' | ':') {
            continue;
        }
        // Within figures (7,000) and times (07:50) there is no space.
        let rest = &sentence[at..];
        if !rest.starts_with(char::is_whitespace) {
            continue;
        }
        let next: &str = rest.split_whitespace().next().unwrap_or_default();
        let joins = CONJUNCTIONS.contains(&next) || (next.starts_with('و') && next.chars().count() > 3);
        let quotes = next.starts_with(['"', '“', '«', '(']);
        let cost = match c {
            '؛' | ';' | '.' | '…' => 0.0,
            ':' if quotes => 0.25,
            ':' => continue,
            _ if joins => 0.15,
            _ => 0.5,
        };
        cuts.push(Cut { at, cost: cost + if open > 0 { 1.0 } else { 0.0 } });
    }
    cuts
}

/// Cuts a clause that is too long between words, and a word that is too long (an endless line) between characters.
fn by_words(
    text: &str,
    clause: Span,
    tokens: usize,
    budget: usize,
    count: &dyn Fn(&str) -> usize,
) -> Vec<(Span, usize)> {
    let characters = clause.of(text).chars().count();
    // As many characters as half a budget takes, so that joining can even the pieces out.
    let most = (characters * budget / tokens.max(1) / 2).max(1);
    let mut groups: Vec<(Span, usize)> = Vec::new();
    let mut start = clause.start;
    let (mut length, mut last_space) = (0, None);
    let mut close = |start: usize, end: usize| {
        let span = trim(text, Span::new(start, end));
        if !span.is_empty() {
            groups.push((span, count(span.of(text)).max(1)));
        }
    };
    for (offset, c) in clause.of(text).char_indices() {
        let at = clause.start + offset;
        if length >= most {
            let end = last_space.take().unwrap_or(at);
            close(start, end);
            start = end;
            length = text[end..at].chars().count();
        }
        if c.is_whitespace() {
            last_space = Some(at);
        }
        length += 1;
    }
    close(start, clause.end);
    groups
}

/// Joins neighbouring atoms into pieces within the budget at the least cost.
fn join(atoms: &[(Span, usize, f64)], total: usize, budget: usize) -> Vec<Span> {
    let pieces = total.div_ceil(budget).max(1);
    let target = total as f64 / pieces as f64;
    // best[i]: the least cost of the first i atoms, and where the last of its pieces starts.
    let mut best: Vec<(f64, usize)> = vec![(0.0, 0)];
    for end in 1..=atoms.len() {
        let mut least = (f64::INFINITY, end - 1);
        let mut tokens = 0;
        for start in (0..end).rev() {
            tokens += atoms[start].1;
            if tokens > budget && start + 1 < end {
                break;
            }
            let uneven = (tokens as f64 - target) / target;
            let cut = if end < atoms.len() { atoms[end - 1].2 } else { 0.0 };
            // Each piece costs a little, so that fewer are better.
            let cost = best[start].0 + uneven * uneven + cut + 0.2;
            if cost < least.0 {
                least = (cost, start);
            }
        }
        best.push(least);
    }
    let mut spans = Vec::new();
    let mut end = atoms.len();
    while end > 0 {
        let start = best[end].1;
        spans.push(Span::new(atoms[start].0.start, atoms[end - 1].0.end));
        end = start;
    }
    spans.reverse();
    spans
}

#[cfg(test)]
mod tests {
    use super::super::segment::about_tokens;
    use super::*;

    fn cut(text: &str, budget: usize) -> Vec<&str> {
        split(text, budget, &about_tokens).iter().map(|s| s.of(text)).collect()
    }

    #[test]
    fn what_fits_stays_whole() {
        assert_eq!(cut("قال الوزير، ثم غادر؛ وانتهى الأمر", 110).len(), 1);
    }

    #[test]
    fn a_semicolon_is_better_than_a_comma() {
        let text = "اتفق الوزيران على فتح المعبر، وتشكيل لجنة مشتركة؛ ويبدأ العمل بالاتفاق الشهر المقبل، بعد التوقيع";
        assert_eq!(
            cut(text, 18),
            ["اتفق الوزيران على فتح المعبر، وتشكيل لجنة مشتركة؛", "ويبدأ العمل بالاتفاق الشهر المقبل، بعد التوقيع"]
        );
    }

    #[test]
    fn figures_times_and_short_quotations_are_not_cut() {
        let text = "بلغ عدد المستفيدين 7,000 شخص عند الساعة 07:50 من \"المرحلة الأولى، والثانية\" من المشروع، وأعلنت الوزارة ذلك";
        for piece in cut(text, 28) {
            assert!(!piece.ends_with("7,") && !piece.ends_with("07:") && !piece.ends_with("الأولى،"), "{piece}");
        }
    }

    #[test]
    fn an_endless_line_is_cut_in_linear_time() {
        let started = std::time::Instant::now();
        for unit in ["كلمة ", "كلمة، ", "ك"] {
            let line = unit.repeat(5_000_000 / unit.len());
            let pieces = split(&line, 110, &about_tokens);
            assert!(pieces.iter().all(|p| about_tokens(p.of(&line)) <= 110));
            assert_eq!(
                pieces.iter().map(|p| p.of(&line).split_whitespace().map(str::len).sum::<usize>()).sum::<usize>(),
                line.split_whitespace().map(str::len).sum::<usize>()
            );
        }
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    }
}
