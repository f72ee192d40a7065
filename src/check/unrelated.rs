//! Check: a target that shares nothing with its source.

use super::pair::Pair;

/// Judges whether a target is about its source at all.
pub(super) fn judge(_pair: &Pair<'_>) -> Option<String> {
    None
}
