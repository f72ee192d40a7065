//! What came at the first sight of files whose size or SHA-256 the registry does not know.
//!
//! In: a file that was checked as far as can be. Out: a record in `<own cache>/first_seen/<id>.toml`, which the file must
//! match from then on (trust on first use, as ssh keeps its `known_hosts`). The records outlive the removal of a model: who
//! wants to accept other bytes removes the record, by hand. They are TOML for people to read.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::options::HubOptions;
use super::verify::{Expected, Facts, Record};
use crate::registry::{HubSource, ModelEntry, ModelFile, ModelId};

const HEAD: &str = "\
# What mujaz got when it first saw these files, whose size or SHA-256 its registry does not know. Whenever they are used or
# fetched again they must be just that. Remove a [[file]] (or this whole file) only to accept other bytes.

";

/// The sight of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sight {
    name: String,
    /// The repository that gave it, or the one in whose cache it lay; none for a copy by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repo: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    bytes: u64,
    sha256: String,
    first_seen: jiff::Timestamp,
}

impl Sight {
    /// Whether this is a sight of a file of the registry: the same file of the same commit, whichever repository gave it.
    fn is_of(&self, file: &ModelFile) -> bool {
        let hub = file.hub.as_ref();
        self.name == file.name
            && self.revision.as_ref() == hub.map(|hub| &hub.revision)
            && self.path.as_ref() == hub.map(|hub| &hub.path)
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Records {
    #[serde(default)]
    file: Vec<Sight>,
}

/// Returns where a model's records are. No id has an underscore, so this folder is no model's.
pub(super) fn place(options: &HubOptions, id: &ModelId) -> PathBuf {
    options.own_cache.join("first_seen").join(format!("{id}.toml"))
}

fn read(path: &Path) -> std::io::Result<Records> {
    let text = match fs_err::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Records::default()),
        Err(error) => return Err(error),
    };
    toml::from_str(&text).map_err(|error| {
        // Going on without the records would accept any bytes.
        let said = format!("{} cannot be read as the record of what was first seen: {error}", path.display());
        std::io::Error::new(std::io::ErrorKind::InvalidData, said)
    })
}

/// Returns what a file must be: what the registry says, and where it is silent, what was recorded.
pub(super) fn expected(options: &HubOptions, entry: &ModelEntry, file: &ModelFile) -> std::io::Result<Expected> {
    let mut expected = Expected::by_registry(file);
    if !expected.is_settled() {
        let path = place(options, &entry.id);
        if let Some(sight) = read(&path)?.file.into_iter().find(|sight| sight.is_of(file)) {
            expected.bytes = expected.bytes.or(Some(sight.bytes));
            expected.sha256 = expected.sha256.or(Some(sight.sha256));
            expected.record = Some(Record { path, first_seen: sight.first_seen });
        }
    }
    Ok(expected)
}

/// Returns when each of a model's recorded files was first seen, in the registry's order.
pub(super) fn dates(options: &HubOptions, entry: &ModelEntry) -> std::io::Result<Vec<(String, jiff::Timestamp)>> {
    if entry.is_pinned() {
        return Ok(Vec::new());
    }
    let records = read(&place(options, &entry.id))?.file;
    let unpinned = entry.files.iter().filter(|file| !file.is_pinned());
    Ok(unpinned
        .filter_map(|file| {
            records.iter().find(|sight| sight.is_of(file)).map(|sight| (file.name.clone(), sight.first_seen))
        })
        .collect())
}

/// Records what a file is at its first sight. Files that the registry pins, or that were seen before, are passed over.
pub(super) fn record(
    options: &HubOptions,
    entry: &ModelEntry,
    file: &ModelFile,
    source: Option<&HubSource>,
    facts: &Facts,
) -> std::io::Result<()> {
    if file.is_pinned() {
        return Ok(());
    }
    let path = place(options, &entry.id);
    let folder = path.parent().unwrap_or(&path);
    fs_err::create_dir_all(folder)?;
    // Two processes may see two files at the same time; a file system without locks is no reason to stop.
    let lock = fs_err::File::create(folder.join(".lock"))?.into_file();
    let _ = lock.lock();
    let mut records = read(&path)?;
    if records.file.iter().any(|sight| sight.is_of(file)) {
        return Ok(());
    }
    records.file.push(Sight {
        name: file.name.clone(),
        repo: source.map(|hub| hub.repo.clone()),
        revision: file.hub.as_ref().map(|hub| hub.revision.clone()),
        path: file.hub.as_ref().map(|hub| hub.path.clone()),
        bytes: facts.bytes,
        sha256: facts.sha256.clone(),
        first_seen: jiff::Timestamp::now().round(jiff::Unit::Second).unwrap_or_else(|_| jiff::Timestamp::now()),
    });
    let body = toml::to_string(&records).map_err(std::io::Error::other)?;
    let mut temporary = super::install::new_file(folder)?;
    temporary.write_all(HEAD.as_bytes())?;
    temporary.write_all(body.as_bytes())?;
    temporary.as_file().sync_all()?;
    temporary.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;

    fn facts(byte: char) -> Facts {
        Facts { bytes: 3, sha256: byte.to_string().repeat(64) }
    }

    #[test]
    fn the_first_sight_is_kept_and_readable() {
        let folder = tempfile::tempdir().unwrap();
        let options = HubOptions::new(folder.path().join("hub"), folder.path().join("mujaz"));
        let registry = Registry::built_in();
        let entry = registry.find("opus-mt-tc-big-ar-en").unwrap();
        let file = &entry.files[0];
        assert!(!expected(&options, entry, file).unwrap().is_settled());
        record(&options, entry, file, file.hub.as_ref(), &facts('a')).unwrap();
        record(&options, entry, file, None, &facts('b')).unwrap();
        let must = expected(&options, entry, file).unwrap();
        assert_eq!((must.bytes, must.sha256), (Some(3), Some("a".repeat(64))), "the first one counts");
        assert!(!expected(&options, entry, &entry.files[1]).unwrap().is_settled(), "of another file nothing is known");
        assert_eq!(dates(&options, entry).unwrap().len(), 1);
        let text = std::fs::read_to_string(place(&options, &entry.id)).unwrap();
        for part in
            ["# What mujaz got", "name = \"config.json\"", "repo = \"Helsinki-NLP/", "revision = \"b59ec62", "Z\""]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn another_revision_is_another_file_and_a_broken_record_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let options = HubOptions::new(folder.path().join("hub"), folder.path().join("mujaz"));
        let registry = Registry::built_in();
        let mut entry = registry.find("opus-mt-tc-big-ar-en").unwrap().clone();
        record(&options, &entry, &entry.files[0], None, &facts('a')).unwrap();
        entry.files[0].hub.as_mut().unwrap().revision = "0".repeat(40);
        assert!(!expected(&options, &entry, &entry.files[0]).unwrap().is_settled());
        std::fs::write(place(&options, &entry.id), "[[file]]\nname = 1").unwrap();
        let error = expected(&options, &entry, &entry.files[0]).unwrap_err();
        assert!(error.to_string().contains("first_seen"), "{error}");
    }
}
