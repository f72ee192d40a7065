//! What a run need not do again: whether a note on disk was made from the same bytes, models and options.
//!
//! In: the key of a note to be made, and the JSON note that may be there. Out: made already, or not. Deciding what to do
//! is [`crate::pipeline`]'s.
