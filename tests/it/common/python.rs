//! Pythons with packages that tests compare with, each in a virtual environment under the target folder.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns a Python that can import `module`, installing `packages` where it is not there yet.
///
/// # Errors
/// What Python or pip says where it cannot be had.
pub fn with(environment: &str, module: &str, packages: &[&str]) -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(environment);
    let python = folder.join("bin/python");
    let run = |command: &mut Command| match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        Err(error) => Err(error.to_string()),
    };
    let knows = || run(Command::new(&python).args(["-c", &format!("import {module}")]));
    if python.exists() && knows().is_ok() {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(packages))?;
    knows().map(|()| python)
}
