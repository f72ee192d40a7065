//! Facts of written Arabic, shared by extraction, glossary and checks: letters, clitics, numbers, months.
//!
//! In: Arabic text. Out: normal forms and values, with spans into the text given. Nothing here knows of English.

pub mod calendar;
pub mod clitics;
pub mod dialect;
pub mod letters;
mod number_words;
pub mod numbers;
pub mod words;
