//! mujaz (موجز, "news brief") turns Arabic news articles into English briefing notes on the user's own machine.
//!
//! The work is a pipeline, and each stage is a noun of the next one's input:
//!
//! 1. [`source`] finds files and reads their bytes: [`source::SourceFile`].
//! 2. [`document`] reads a file's text, strips the page's furniture and cuts it up: [`document::Document`] with its
//!    [`document::Block`]s and [`document::Segment`]s, each with its byte span into the extracted text.
//! 3. [`batch`] groups segments under a token budget and puts results back in order: [`batch::Batch`].
//! 4. [`engine`] runs an open model over a batch: [`engine::Hypothesis`].
//! 5. [`translation`] chooses among hypotheses, checks, retries: [`translation::Translation`].
//! 6. [`summary`] picks evidence and phrases bullets: [`summary::Summary`].
//! 7. [`briefing`] is the document model of a note; every line knows where it comes from: [`briefing::Note`].
//! 8. [`render`] turns a note into bytes.
//!
//! [`pipeline`] is the table of contents that calls across these stages. At the side, imported by stages and importing
//! none of them: [`arabic`] and [`english`] (facts of the two languages, with [`number`] for what both count), [`glossary`] (names and terms), [`check`]
//! (verdicts on a translation), [`metrics`] (scores against a reference), [`registry`] and [`hub`] (models),
//! [`options`] and [`progress`].
//!
//! The library never prints and never reads the environment beyond what [`hub`] states; the binary does both.

#![warn(missing_docs)]

pub mod arabic;
pub mod batch;
pub mod briefing;
pub mod check;
pub mod document;
pub mod engine;
pub mod english;
pub mod glossary;
pub mod hub;
pub mod metrics;
pub mod number;
pub mod options;
pub mod pipeline;
pub mod progress;
pub mod registry;
pub mod render;
pub mod source;
pub mod span;
mod stamp;
pub mod summary;
pub mod translation;
