//! The models that mujaz knows: `models.toml`, compiled in, and what `--registry FILE` adds to it.
//!
//! In: TOML. Out: validated [`ModelEntry`]s; an error points at the line. Getting the files is [`crate::hub`]'s.

use serde::{Deserialize, Serialize};

/// Names a model on the command line: lower-case letters, digits, dots and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ModelId(pub String);

impl std::fmt::Display for ModelId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
