//! Writing a bundle.
//!
//! In: registry entries whose files are here. Out: the bundle's bytes, always the same for the same models. Every file is
//! hashed while it is written: one that is no longer what was verified ends the work. The form is in [`super`].

use std::io::Write;
use std::path::{Path, PathBuf};

use super::archive::{self, Ended, padding};
use super::{Error, FORMAT, LICENCE_TEXT, LONGEST_LICENCE, LONGEST_MANIFEST, MANIFEST, Manifest, Member, SUMS};
use crate::hub::error::Mismatch;
use crate::hub::verify::hex;
use crate::hub::{HubOptions, ModelFiles, resolve, space};
use crate::progress::Progress;
use crate::registry::ModelEntry;

/// Names under which a licence's text lies beside a model, in the order in which they are looked for.
const LICENCE_FILES: [&str; 6] = ["LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "LICENCE.txt", "COPYING"];
/// The longest text of a licence that is taken along, in bytes.
const LONGEST_TEXT: u64 = LONGEST_LICENCE / 2;

/// Where a member's bytes come from.
enum Content {
    Text(Vec<u8>),
    File(PathBuf),
}

/// A bundle that is yet to be written.
pub struct Plan {
    manifest: Manifest,
    /// The manifest as it is written.
    text: Vec<u8>,
    sums: Vec<u8>,
    /// Of each member of the manifest, in its order.
    contents: Vec<Content>,
}

impl Plan {
    /// Finds the files of the models that a bundle is to hold; the same model twice counts once.
    ///
    /// # Errors
    /// Where a model is not here, its files are damaged, or a name cannot be written into an archive.
    pub fn new(entries: &[&ModelEntry], options: &HubOptions) -> Result<Self, Error> {
        let mut entries = entries.to_vec();
        entries.sort_by(|a, b| a.id.cmp(&b.id));
        entries.dedup_by(|a, b| a.id == b.id);
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for &entry in &entries {
            match resolve(entry, options)? {
                Some(files) => found.push((entry, files)),
                None => missing.push(entry.id.clone()),
            }
        }
        if !missing.is_empty() {
            return Err(Error::NotHere(missing));
        }
        let (mut member, mut contents) = (Vec::new(), Vec::new());
        for (entry, files) in &found {
            let text = licence(entry, licence_text(files).as_deref());
            member.push(member_of(super::licence_name(&entry.id), &text));
            contents.push(Content::Text(text));
        }
        for (entry, files) in &found {
            for file in &files.files {
                let bytes = fs_err::metadata(&file.path)?.len();
                let name = super::file_name(&entry.id, &file.name);
                member.push(Member { name, bytes, sha256: file.sha256.clone() });
                contents.push(Content::File(file.path.clone()));
            }
        }
        let model = found.iter().map(|(entry, _)| (*entry).clone()).collect();
        let manifest = Manifest { format: FORMAT, mujaz: env!("CARGO_PKG_VERSION").to_owned(), member, model };
        manifest.check()?;
        let text = toml::to_string(&manifest).map_err(|error| Error::manifest(error.to_string()))?.into_bytes();
        if text.len() as u64 > LONGEST_MANIFEST {
            let reason = format!("it would have {} bytes, expected {LONGEST_MANIFEST} at most", text.len());
            return Err(Error::manifest(reason));
        }
        for member in &manifest.member {
            archive::header(&member.name, member.bytes)?;
        }
        let sums = manifest.sums(&sha256(&text)).into_bytes();
        Ok(Self { manifest, text, sums, contents })
    }

    /// Returns the models, in the order in which they are written.
    pub fn models(&self) -> &[ModelEntry] {
        &self.manifest.model
    }

    /// Returns the size of the bundle, in bytes.
    pub fn bytes(&self) -> u64 {
        let fixed = [self.text.len() as u64, self.sums.len() as u64];
        let sizes = self.manifest.member.iter().map(|member| member.bytes).chain(fixed);
        let blocks = sizes.map(|bytes| archive::BLOCK.saturating_add(bytes).saturating_add(padding(bytes)));
        blocks.fold(2 * archive::BLOCK, u64::saturating_add)
    }

    /// Writes the bundle; `place` names in messages where to.
    ///
    /// # Errors
    /// Where a file changed since it was verified, it cannot be read, `out` cannot be written, or the user asks to stop.
    pub fn write(&self, out: &mut dyn Write, place: &str, progress: &dyn Progress) -> Result<(), Error> {
        progress.started("writing the bundle", self.bytes(), "bytes");
        let written = self.write_members(out, place, progress);
        progress.finished();
        written
    }

    fn write_members(&self, out: &mut dyn Write, place: &str, progress: &dyn Progress) -> Result<(), Error> {
        let mut done = 0;
        let mut one = |name: &str, bytes: u64, sha256: Option<&str>, content: &Content, out: &mut dyn Write| {
            let unwritable = |source| Error::Output { place: place.to_owned(), source };
            out.write_all(archive::header(name, bytes)?.as_bytes()).map_err(unwritable)?;
            let mut passed = |more| {
                done += more;
                progress.advanced(done);
            };
            let got = match content {
                Content::Text(text) => archive::copy(&mut text.as_slice(), out, bytes, progress, &mut passed),
                Content::File(path) => {
                    let mut file = fs_err::File::open(path)?;
                    let now = file.metadata()?.len();
                    if now != bytes {
                        let mismatch = Mismatch::Size { expected: bytes, got: now };
                        return Err(Error::Changed { path: path.clone(), mismatch });
                    }
                    archive::copy(&mut file, out, bytes, progress, &mut passed)
                }
            };
            let changed = |mismatch| {
                let path = match content {
                    Content::File(path) => path.clone(),
                    Content::Text(_) => PathBuf::from(name),
                };
                Error::Changed { path, mismatch }
            };
            let got = got.map_err(|ended| match ended {
                Ended::Reading(error) => Error::Io(error),
                Ended::Writing(source) => unwritable(source),
                Ended::Short(got) => changed(Mismatch::Size { expected: bytes, got }),
                Ended::Cancelled => Error::CANCELLED,
            })?;
            if let Some(expected) = sha256.filter(|expected| *expected != got) {
                return Err(changed(Mismatch::Hash { expected: expected.to_owned(), got }));
            }
            let rest = vec![0; usize::try_from(padding(bytes)).unwrap_or(0)];
            out.write_all(&rest).map_err(unwritable)
        };
        one(MANIFEST, self.text.len() as u64, None, &Content::Text(self.text.clone()), out)?;
        for (member, content) in self.manifest.member.iter().zip(&self.contents) {
            one(&member.name, member.bytes, Some(&member.sha256), content, out)?;
        }
        one(SUMS, self.sums.len() as u64, None, &Content::Text(self.sums.clone()), out)?;
        let unwritable = |source| Error::Output { place: place.to_owned(), source };
        out.write_all(&[0; 2 * archive::BLOCK as usize]).and_then(|()| out.flush()).map_err(unwritable)
    }

    /// Writes the bundle into a file that is whole or not there. `begin` makes the file under a passing name in a folder.
    ///
    /// # Errors
    /// As [`Plan::write`]; where the disk has too little space, before the first byte.
    pub fn write_file(
        &self,
        path: &Path,
        begin: impl FnOnce(&Path) -> std::io::Result<tempfile::NamedTempFile>,
        progress: &dyn Progress,
    ) -> Result<(), Error> {
        let place = path.display().to_string();
        let unwritable = |source| Error::Output { place: place.clone(), source };
        if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(unwritable(std::io::Error::other("it is there, and no regular file")));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let needed = self.bytes();
        if let Some(free) = space::free(folder).filter(|free| *free < needed) {
            return Err(Error::NoSpace { folder: folder.to_owned(), needed, free });
        }
        let mut file = begin(folder).map_err(unwritable)?;
        self.write(file.as_file_mut(), &place, progress)?;
        file.as_file().sync_all().map_err(unwritable)?;
        file.persist(path).map_err(|error| unwritable(error.error))?;
        Ok(())
    }
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    hex(&sha2::Sha256::digest(bytes))
}

fn member_of(name: String, text: &[u8]) -> Member {
    Member { name, bytes: text.len() as u64, sha256: sha256(text) }
}

/// Writes what is known of a licence.
fn licence(entry: &ModelEntry, text: Option<&[u8]>) -> Vec<u8> {
    let licence = &entry.licence;
    let mut said = format!(
        "{id}: {title}\n\nLicence: {name}\nText:    {link}\nAsks:    {asks}\n",
        id = entry.id,
        title = entry.title,
        name = licence.name,
        link = licence.link,
        asks = licence.asks
    )
    .into_bytes();
    if let Some(text) = text {
        said.extend_from_slice(LICENCE_TEXT.as_bytes());
        said.extend_from_slice(text);
    }
    said
}

/// Returns the licence's own text where it lies beside a model's files.
pub fn licence_text(files: &ModelFiles) -> Option<Vec<u8>> {
    let folders = files.files.iter().filter_map(|file| file.path.parent());
    let mut places = folders.flat_map(|folder| LICENCE_FILES.iter().map(|name| folder.join(name)));
    let path = places.find(|path| {
        std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= LONGEST_TEXT)
    })?;
    std::fs::read(path).ok()
}
