//! The integration tests, one binary: each file runs the real command or the library over files in `tests/fixtures`.

// Clippy knows tests by their attribute, and what they share has none.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod adopt;
mod archives;
mod brief;
mod bundle;
mod check;
mod checkpoint;
mod choosing;
mod command_line;
mod common;
mod dates;
mod encodings;
mod engine;
mod eval;
mod extract;
mod facts;
mod forms;
mod glossary;
mod intake;
mod language;
mod layers;
mod lock;
mod models;
mod models_info;
mod nmt;
mod notes;
mod office;
mod offline;
mod pdf;
mod python_client;
mod registry_models;
mod search;
mod segments;
mod store;
mod trust;
mod unverified;
mod web;
mod web_text;
