//! One file a command: its arguments in, its status out.

pub mod bench;
pub mod brief;
pub mod check;
pub mod completions;
pub mod doctor;
pub mod eval;
pub mod extract;
pub mod lines;
pub mod models;
pub mod summarize;
pub mod translate;
