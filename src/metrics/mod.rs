//! How near a translation comes to a reference: BLEU and chrF by the definitions of sacrebleu 2.6.
//!
//! In: pairs of a hypothesis and its reference. Out: corpus scores from 0 to 100, with what they were computed from. What
//! is translated, and by what, is the caller's. Source: Post, "A Call for Clarity in Reporting BLEU Scores" (2018), and
//! the program of that paper, whose numbers these are (`tests/fixtures/metrics/make.py` asks it).

pub mod bleu;
pub mod chrf;
pub mod corpus;
pub mod tokenizer_13a;

/// Returns whether Python's `str.split` splits at a character; Rust's own set lacks the four separators of ASCII.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}
