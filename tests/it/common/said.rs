//! What a run of the binary said, and that it said the right things; and how the bytes of its files are named.

use std::process::Output;

use assert_cmd::assert::Assert;
use sha2::{Digest, Sha256};

/// Returns the SHA-256 of some bytes, in lower-case hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns what was said for people, which is always Unicode.
pub fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Returns what was printed for programs.
pub fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Returns what was said for people.
pub fn stderr(assert: &Assert) -> String {
    said(assert.get_output())
}

/// Returns what was printed for programs.
pub fn stdout(assert: &Assert) -> String {
    printed(assert.get_output())
}

/// Makes sure that a run ended with a code, and that some words stand in what it said.
#[track_caller]
pub fn says(output: &Output, code: i32, words: &[&str]) {
    let text = said(output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    has(&text, words);
}

/// Makes sure that some words stand in a text.
#[track_caller]
pub fn has(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in:\n{text}");
    }
}
