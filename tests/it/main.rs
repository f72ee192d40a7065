//! The integration tests, one binary: each file runs the real command or the library over files in `tests/fixtures`.

mod brief;
mod check;
mod common;
mod engine;
mod extract;
mod glossary;
mod layers;
mod models;
mod notes;
