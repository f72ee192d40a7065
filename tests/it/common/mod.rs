//! What several tests need: the shared data beside the checkout, where it is there, and a clean environment to run in.

pub mod fake_hub;
pub mod fake_proxy;
pub mod fake_tls;
pub mod python;
pub mod said;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

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

/// Returns the GGUF of a real model of the registry, fetched once per checkout into `target/test-models` (or into the
/// folder that `MUJAZ_TEST_MODELS` names) by the real binary; or says that the test is skipped.
///
/// # Panics
/// In CI (`CI=true`), where it must be possible to fetch it: a test that CI skips proves nothing.
pub fn model(id: &str) -> Option<PathBuf> {
    // One try a model and run: tests that need the same one wait here, and a failure is not repeated by each of them.
    static FETCHED: Mutex<BTreeMap<String, Option<PathBuf>>> = Mutex::new(BTreeMap::new());
    let mut fetched = FETCHED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let path = fetched.entry(id.to_owned()).or_insert_with(|| match pull(&models_folder(), id) {
        Ok(path) => Some(path),
        Err(said) => {
            assert!(std::env::var_os("CI").is_none(), "model {id} cannot be had, and CI must not skip: {said}");
            println!("skipped: model {id} cannot be had: {said}");
            None
        }
    });
    if path.is_none() {
        println!("skipped: model {id} is not there");
    }
    path.clone()
}

/// Returns the folder (`HF_HOME`) that [`model`] fetches into.
pub fn models_folder() -> PathBuf {
    std::env::var_os("MUJAZ_TEST_MODELS")
        .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("test-models"), PathBuf::from)
}

/// Returns the caller's variables that say how this network is got through: mirrors, proxies, certificates.
pub fn network_variables() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| {
        name.to_str().is_some_and(|name| {
            let name = name.to_ascii_uppercase();
            name.starts_with("PIP_")
                || name.ends_with("_PROXY")
                || name.contains("CA_BUNDLE")
                || name == "SSL_CERT_FILE"
        })
    })
}

/// Pulls a model with the real binary into a folder of its own (`HF_HOME`), and returns the path it prints.
///
/// # Errors
/// What the binary said.
pub fn pull(folder: &Path, id: &str) -> Result<PathBuf, String> {
    std::fs::create_dir_all(folder).unwrap();
    let run = |command: &str| {
        let mut mujaz = mujaz(folder);
        mujaz.env("HF_HOME", folder);
        for (name, value) in network_variables() {
            mujaz.env(name, value);
        }
        let output = mujaz.args(["models", command, id]).output().unwrap();
        if output.status.success() {
            Ok(String::from_utf8(output.stdout).unwrap())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    };
    run("pull")?;
    run("path").map(|path| PathBuf::from(path.trim_end()))
}
