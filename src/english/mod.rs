//! Facts of written English that checks and summaries need: number words, negation, function words, capitalised names.
//!
//! In: English text. Out: values with spans into the text given. Nothing here knows of Arabic.

mod number_words;
pub mod numbers;
pub mod words;
