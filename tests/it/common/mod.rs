//! What several tests need: the shared data beside the checkout, where it is there, and a clean environment to run in.

use std::path::PathBuf;

/// Returns a file or folder of `../shared`, or says that the test is skipped because it is not there.
///
/// # Panics
/// In CI (`CI=true`), where it must be there: a test that CI skips proves nothing.
pub fn shared(path: &str) -> Option<PathBuf> {
    let full = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    if full.exists() {
        return Some(full);
    }
    assert!(std::env::var_os("CI").is_none(), "{} is missing, and CI must not skip", full.display());
    println!("skipped: {} is not there (a clone without the shared data)", full.display());
    None
}

/// Returns a file or folder of `tests/fixtures`.
pub fn fixture(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path)
}

/// Returns the real binary as a command with nothing of the caller's environment but the path, and a home of its own.
pub fn mujaz(home: &std::path::Path) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_mujaz"));
    command.env_clear().env("HOME", home).env("NO_COLOR", "1").env("COLUMNS", "100");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}
