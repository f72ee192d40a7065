//! Where results are written: names that do not collide, and files that are whole or not there.
//!
//! In: the paths that were read, a folder, bytes. Out: a name for each path, and the file under its final name, written
//! beside it first so that a crash or a full disk leaves no half of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use mujaz::source::Content;

use super::report::{CommandError, Kind};

/// Returns a name for each path, in order: its stem; where stems collide (also in case alone), the parent folder's name
/// before it; where these collide too, its extension after it (a page saved in several forms), or a number. Standard input is called `stdin`. `reserved` are stems (in lower
/// case) that the command itself writes, so that no path may have them.
pub fn names(paths: &[&Path], reserved: &[&str]) -> Vec<String> {
    let stems: Vec<String> = paths.iter().map(|path| stem(path)).collect();
    let with_parent: Vec<String> = paths
        .iter()
        .zip(&stems)
        .map(|(path, stem)| match path.parent().and_then(Path::file_name) {
            Some(parent) => format!("{}-{stem}", parent.to_string_lossy()),
            None => stem.clone(),
        })
        .collect();
    let longer_counts = counted(&with_parent);
    let with_parent: Vec<String> = paths
        .iter()
        .zip(with_parent)
        .map(|(path, longer)| match path.extension() {
            Some(extension) if longer_counts[&longer.to_lowercase()] > 1 => {
                format!("{longer}-{}", extension.to_string_lossy().to_lowercase())
            }
            _ => longer,
        })
        .collect();
    let mut counts = counted(&stems);
    for name in reserved {
        // As if another path had it: whoever comes with that stem has to take a longer name.
        *counts.entry((*name).to_owned()).or_insert(0) += 1;
    }
    let mut names: Vec<String> = Vec::new();
    let mut taken: BTreeSet<String> = reserved.iter().map(|&name| name.to_owned()).collect();
    for (stem, longer) in stems.iter().zip(&with_parent) {
        let wanted = if counts[&stem.to_lowercase()] > 1 { longer } else { stem };
        let mut name = wanted.clone();
        let mut number = 1;
        // A longer name may be another's stem.
        while taken.contains(&name.to_lowercase()) || (name != *stem && counts.contains_key(&name.to_lowercase())) {
            number += 1;
            name = format!("{wanted}-{number}");
        }
        taken.insert(name.to_lowercase());
        names.push(name);
    }
    names
}

fn stem(path: &Path) -> String {
    if path.as_os_str() == "-" {
        return "stdin".to_owned();
    }
    let stem = path.file_stem().map_or_else(|| "article".to_owned(), |stem| stem.to_string_lossy().into_owned());
    // `page.txt.gz` and `archive.tar.gz` have two extensions.
    let packed = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    match stem.rsplit_once('.') {
        Some((inner, extension)) if packed && !inner.is_empty() && Content::of_extension(extension).is_some() => {
            inner.to_owned()
        }
        _ => stem,
    }
}

/// The most bytes of a name for a part of a file; file systems take 255, and an extension comes behind it.
const MAX_NAME: usize = 160;

/// Gives names to the parts of files: the file's own name and that of the part. The same parts in the same order get the
/// same names, so that a run can be taken up again.
#[derive(Debug)]
pub struct PartNames {
    /// Names that are given, in lower case.
    taken: BTreeSet<String>,
    /// Names of files whose one part has the file's name.
    own: BTreeSet<String>,
}

impl PartNames {
    /// Starts with the names of all files, and what the command itself writes.
    pub fn new<'n>(files: impl Iterator<Item = &'n str>) -> Self {
        Self { taken: files.map(str::to_lowercase).collect(), own: BTreeSet::new() }
    }

    /// Returns a name for a part of the file that is called `file`: with the part's own stem, where that is taken with its
    /// whole path, and where that is taken too with a number.
    pub fn name(&mut self, file: &str, part: &str) -> String {
        let short = slug(&part_stem(part));
        if short == file && self.own.insert(file.to_owned()) {
            // What `page.txt.gz` holds is `page`.
            return file.to_owned();
        }
        let long = slug(part);
        let bounded = |name: String| if name.len() <= MAX_NAME { name } else { shortened(&name) };
        let candidates = [format!("{file}-{short}"), format!("{file}-{long}")].map(bounded);
        let mut name = candidates[0].clone();
        if self.taken.contains(&name.to_lowercase()) {
            name.clone_from(&candidates[1]);
        }
        let mut number = 1;
        while !self.taken.insert(name.to_lowercase()) {
            number += 1;
            name = format!("{}-{number}", candidates[1]);
        }
        name
    }
}

/// Returns the last step of a part's name, without folders and extension; a row keeps the table's.
fn part_stem(part: &str) -> String {
    let mut steps: Vec<&str> = part.rsplitn(3, ": ").collect();
    steps.reverse();
    let stem = |step: &str| {
        let file = step.rsplit(['/', '\\']).next().unwrap_or(step);
        Path::new(file).file_stem().map_or_else(|| file.to_owned(), |stem| stem.to_string_lossy().into_owned())
    };
    let is_row = |step: &str| {
        step.split_once(' ').is_some_and(|(word, number)| {
            matches!(word, "row" | "line" | "entry") && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
        })
    };
    match steps.as_slice() {
        [.., table, row] if is_row(row) => format!("{}-{row}", stem(table)),
        [row] if is_row(row) => (*row).to_owned(),
        [.., last] => stem(last),
        [] => String::new(),
    }
}

/// Writes a part's name so that any file system takes it as the name of one file.
fn slug(part: &str) -> String {
    let mut out = String::with_capacity(part.len());
    for c in part.chars() {
        let direction = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let bad = c.is_control() || c.is_whitespace() || direction || "/\\:*?\"<>|".contains(c);
        if !bad {
            out.push(c);
        } else if !out.ends_with('-') {
            out.push('-');
        }
    }
    let trimmed = out.trim_matches(['-', '.']);
    if trimmed.is_empty() { "part".to_owned() } else { trimmed.to_owned() }
}

/// Cuts a name that is too long; what is cut off is told apart by its hash.
fn shortened(name: &str) -> String {
    let mut end = MAX_NAME - 9;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    // FNV-1a: small, and the same in every build.
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{}-{hash:08x}", name[..end].trim_end_matches('-'))
}

fn counted(names: &[String]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name.to_lowercase()).or_insert(0) += 1;
    }
    counts
}

/// Makes the folder that results are to go into and writes into it, so that a folder that takes no files is told
/// before the work and not after it.
///
/// # Errors
/// As the file system: a file in its place, no permission, no space left.
pub fn prepare(folder: &Path) -> std::io::Result<()> {
    fs_err::create_dir_all(folder)?;
    let probe =
        tempfile::Builder::new().prefix(".mujaz-").tempfile_in(folder).and_then(|mut file| file.write_all(b" "));
    probe.map_err(|error| {
        std::io::Error::new(error.kind(), format!("{}: no file can be written there: {error}", folder.display()))
    })
}

/// Makes a file under a passing name, with the permissions of any new file: the umask takes its part of them.
///
/// # Errors
/// As the file system: no such folder, no permission.
pub fn new_file(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".mujaz-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Writes a file so that it is whole or not there, and makes its folder where that is missing. Returns its path. A pipe or a
/// device in its place is written to, a link followed.
///
/// # Errors
/// As the file system: no permission, no space left.
pub fn write(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<PathBuf> {
    write_to(folder, name, bytes, true)
}

/// Writes a file as [`write`] does, but does not wait until it is on the disk: for what is made again in a moment.
///
/// # Errors
/// As [`write`].
pub fn write_soon(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<PathBuf> {
    write_to(folder, name, bytes, false)
}

fn write_to(folder: &Path, name: &str, bytes: &[u8], wait: bool) -> std::io::Result<PathBuf> {
    fs_err::create_dir_all(folder)?;
    let path = folder.join(name);
    let named = |error: std::io::Error| {
        std::io::Error::new(error.kind(), format!("{}: cannot be written: {error}", path.display()))
    };
    // A link stays a link: what it leads to is written.
    let place = fs_err::canonicalize(&path).unwrap_or_else(|_| path.clone());
    if fs_err::metadata(&place).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
        // A pipe or a device takes bytes and is never replaced: as root that would take `/dev/null` from all programs.
        let mut file = std::fs::OpenOptions::new().write(true).open(&place).map_err(named)?;
        file.write_all(bytes).and_then(|()| file.flush()).map_err(named)?;
        return Ok(path);
    }
    let mut file = new_file(place.parent().unwrap_or(folder)).map_err(named)?;
    file.write_all(bytes).map_err(named)?;
    if wait {
        file.as_file().sync_all().map_err(named)?;
    }
    // A file that is replaced keeps who may read it.
    if let Ok(old) = fs_err::metadata(&place) {
        file.as_file().set_permissions(old.permissions()).map_err(named)?;
    }
    file.persist(&place).map_err(|error| named(error.error))?;
    Ok(path)
}

/// The inputs of a run, over which no result is written.
#[derive(Debug)]
pub struct Spared<'o> {
    read: BTreeSet<PathBuf>,
    folder: &'o Path,
    extensions: &'o [&'o str],
}

impl<'o> Spared<'o> {
    /// Takes note of the inputs; results are to have these extensions in `folder`.
    pub fn new<'p>(inputs: impl Iterator<Item = &'p Path>, folder: &'o Path, extensions: &'o [&'o str]) -> Self {
        Self { read: inputs.filter_map(|path| std::fs::canonicalize(path).ok()).collect(), folder, extensions }
    }

    /// Refuses a file of the user's naming that is an input.
    ///
    /// # Errors
    /// Where it is.
    pub fn check_file(&self, file: &Path) -> Result<(), CommandError> {
        if !std::fs::canonicalize(file).is_ok_and(|path| self.read.contains(&path)) {
            return Ok(());
        }
        let message = format!("{}: is read by this command, and would be written over", file.display());
        Err(CommandError::message(Kind::Usage, message).hint("name another file"))
    }

    /// Refuses a name whose result would have the path of an input.
    ///
    /// # Errors
    /// Where it has.
    pub fn check(&self, name: &str) -> Result<(), CommandError> {
        for extension in self.extensions {
            let result = self.folder.join(format!("{name}.{extension}"));
            if std::fs::canonicalize(&result).is_ok_and(|path| self.read.contains(&path)) {
                let message = format!("{}: the result would be written over this article", result.display());
                return Err(CommandError::message(Kind::Usage, message).hint("name another folder with -o"));
            }
        }
        Ok(())
    }
}

/// Refuses to write results over the inputs that they are made from. `inputs` are paths with the names of their results.
///
/// # Errors
/// Where a result with one of these extensions in `folder` would have the path of an input.
pub fn spare<'p>(
    mut inputs: impl Iterator<Item = (&'p Path, &'p str)> + Clone,
    folder: &Path,
    extensions: &[&str],
) -> Result<(), CommandError> {
    let spared = Spared::new(inputs.clone().map(|(path, _)| path), folder, extensions);
    inputs.try_for_each(|(_, name)| spared.check(name))
}

/// Writes a file as [`write`] does, unless just these bytes are there already.
///
/// # Errors
/// As [`write`].
pub fn write_changed(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<PathBuf> {
    let path = folder.join(name);
    if fs_err::read(&path).is_ok_and(|there| there == bytes) { Ok(path) } else { write(folder, name, bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_never_collide() {
        let paths = ["a/x.txt", "b/x.txt", "y.txt", "c/d/x.txt", "e/d/X.txt", "-", "a-x.txt"].map(Path::new);
        let names = names(&paths, &[]);
        assert_eq!(&names[..3], ["a-x-txt", "b-x", "y"]);
        assert_eq!((names[5].as_str(), names[6].as_str()), ("stdin", "a-x"));
        let distinct: std::collections::BTreeSet<String> = names.iter().map(|n| n.to_lowercase()).collect();
        assert_eq!(distinct.len(), paths.len(), "{names:?}");
    }

    #[test]
    fn an_article_in_several_forms_is_named_by_its_form() {
        let paths = ["a/x.txt", "a/x.html", "a/y.txt.gz", "b.tar.gz"].map(Path::new);
        assert_eq!(names(&paths, &[]), ["a-x-txt", "a-x-html", "y", "b"]);
    }

    #[test]
    fn parts_are_named_by_their_file_and_themselves() {
        let mut names = PartNames::new(["mixed", "both", "y"].into_iter());
        assert_eq!(names.name("mixed", "a/desal.docx"), "mixed-desal");
        assert_eq!(names.name("mixed", "b/desal.docx"), "mixed-b-desal.docx");
        assert_eq!(names.name("mixed", "b/desal.docx"), "mixed-b-desal.docx-2");
        assert_eq!(names.name("mixed", "both.jsonl: line 2"), "mixed-both-line-2");
        assert_eq!(names.name("mixed", "in/inner.zip: مقالات/خبر.txt"), "mixed-خبر");
        assert_eq!(names.name("both", "row 12"), "both-row-12");
        assert_eq!(names.name("y", "y.txt"), "y");
        let bad = names.name("mixed", "../../etc/pass\u{0}wd\u{202e}..");
        assert!(!bad.contains(['/', '\u{0}', '\u{202e}']) && !bad.contains(".."), "{bad}");
        let long = names.name("mixed", &format!("{}.txt", "أرشيف ".repeat(60)));
        assert!(long.len() <= MAX_NAME, "{}", long.len());
    }

    #[test]
    fn a_reserved_name_is_left_to_the_command() {
        let paths = ["x/Briefing.txt", "x/other.txt"].map(Path::new);
        assert_eq!(names(&paths, &["briefing"]), ["x-Briefing", "other"]);
        assert_eq!(names(&[Path::new("briefing.txt")], &["briefing"]), ["briefing-2"]);
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("new/inner");
        for bytes in [b"one".as_slice(), b"two"] {
            let path = write(&inner, "a.json", bytes).unwrap();
            assert_eq!(fs_err::read(path).unwrap(), bytes);
        }
        assert_eq!(fs_err::read_dir(&inner).unwrap().count(), 1);
        fs_err::write(folder.path().join("file"), "x").unwrap();
        assert!(write(&folder.path().join("file"), "a.json", b"x").is_err());
    }
}
