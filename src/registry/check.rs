//! Checks of single fields of a registry.
//!
//! In: values as they are written. Out: values that are safe to use (as parts of paths and addresses, as arguments of pip)
//! and sensible. What concerns several fields is [`super::entry`]'s.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::entry::{ModelId, Task};

fn checked<'de, D: Deserializer<'de>>(
    deserializer: D,
    holds: impl Fn(&str) -> bool,
    wanted: &str,
) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if holds(&text) { Ok(text) } else { Err(D::Error::custom(format!("{text:?} is not {wanted}"))) }
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Returns whether a text is a SHA-256: 64 lower-case hex digits.
pub(crate) fn is_sha256(text: &str) -> bool {
    is_hex(text, 64)
}

/// Names that are safe as one component of a path on every system.
fn is_component(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('.')
        && !text.ends_with('.')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+'))
}

fn is_repo(text: &str) -> bool {
    text.split('/').count() == 2 && text.split('/').all(is_component)
}

/// Names that are devices on some systems, whatever follows a dot.
const DEVICES: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2",
    "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

pub(super) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ModelId, D::Error> {
    let holds = |text: &str| {
        is_component(text)
            && text.len() <= 64
            && !text.contains("..")
            && !DEVICES.contains(&text.split('.').next().unwrap_or_default())
            && !text.starts_with('-')
            && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'))
    };
    checked(deserializer, holds, "a model id (lower-case letters, digits, dots, hyphens)").map(ModelId)
}

pub(super) fn repo<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked(deserializer, is_repo, "a repository (owner/name)")
}

pub(super) fn repos<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let repos = Vec::<String>::deserialize(deserializer)?;
    match repos.iter().find(|repo| !is_repo(repo)) {
        Some(bad) => Err(D::Error::custom(format!("{bad:?} is not a repository (owner/name)"))),
        None => Ok(repos),
    }
}

pub(super) fn revision<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked(deserializer, |text| is_hex(text, 40), "a commit (40 lower-case hex digits; branches and tags can move)")
}

pub(super) fn sha256<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    checked(deserializer, is_sha256, "a SHA-256 (64 lower-case hex digits)").map(Some)
}

pub(super) fn file_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked(deserializer, is_component, "a file name (letters, digits, . _ - +; no folders, no leading dot)")
}

pub(super) fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked(deserializer, |text| text.split('/').all(is_component), "a relative path (a/b.c, no leading dots)")
}

pub(super) fn package<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    // A leading hyphen would be an option to pip.
    let holds = |text: &str| is_component(text) && !text.starts_with('-');
    checked(deserializer, holds, "a package name or version (letters, digits, . _ - +)")
}

pub(super) fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    match u64::deserialize(deserializer)? {
        0 => Err(D::Error::custom("an empty file is no model file")),
        bytes => Ok(Some(bytes)),
    }
}

pub(super) fn tasks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Task>, D::Error> {
    let tasks = Vec::<Task>::deserialize(deserializer)?;
    if tasks.is_empty() { Err(D::Error::custom("a model needs a task: translate, summarize")) } else { Ok(tasks) }
}

pub(super) fn prefix<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let holds = |text: &str| text.len() <= 64 && !text.trim().is_empty() && !text.chars().any(char::is_control);
    checked(deserializer, holds, "a prefix (at most 64 bytes on one line, not blank)")
}

pub(super) fn language<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let holds = |text: &str| {
        !text.is_empty()
            && text.len() <= 32
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
    };
    checked(deserializer, holds, "a language code (letters, digits, _ -)").map(Some)
}

fn within<'de, D: Deserializer<'de>>(
    deserializer: D,
    name: &str,
    range: std::ops::RangeInclusive<usize>,
) -> Result<Option<usize>, D::Error> {
    let value = usize::deserialize(deserializer)?;
    if range.contains(&value) {
        return Ok(Some(value));
    }
    Err(D::Error::custom(format!("{name} must be {} to {}, got {value}", range.start(), range.end())))
}

pub(super) fn num_beams<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    within(deserializer, "num_beams", 1..=64)
}

pub(super) fn no_repeat_ngram_size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    within(deserializer, "no_repeat_ngram_size", 0..=100)
}

pub(super) fn max_length<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    within(deserializer, "max_length", 2..=100_000)
}

pub(super) fn length_penalty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f32>, D::Error> {
    let value = f32::deserialize(deserializer)?;
    if (-5.0..=5.0).contains(&value) {
        return Ok(Some(value));
    }
    Err(D::Error::custom(format!("length_penalty must be -5 to 5, got {value}")))
}
