//! Choosing tokens: what models of all kinds share once they have logits.
//!
//! In: logits of one hypothesis at a time. Out: the next token, and when to stop. Running the model is left to
//! [`super::llm`] and its like.

pub mod beam;
pub mod constraints;
pub mod generation;
pub mod repetition;
pub mod rules;
pub mod sampler;
pub mod search;
pub mod steering;
pub mod step;
pub mod stop;
pub mod vocabulary;

pub use beam::Found;
pub use constraints::LogitsHook;
pub use generation::Generation;
pub use repetition::loop_length;
pub use rules::{Lengths, Rules};
pub use sampler::{Sampler, Sampling};
pub use search::{Room, Source, search};
pub use stop::StopStrings;
pub use vocabulary::OutputVocabulary;
