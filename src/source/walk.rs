//! The paths of the command line become a list of files in a stable order.
//!
//! In: files, folders and `-`. Out: what is to be read, what was passed over and why, and what is wrong; nothing is read
//! yet, so that a folder of thousands costs no memory. Within a folder the order is that of the names' bytes; the order of
//! the paths given is kept.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Content, Error, named, sniff};

/// An input to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its path; `-` for standard input.
    pub path: PathBuf,
    /// Whether the user named it; what a folder holds was not.
    pub named: bool,
}

/// Why a file was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Its name starts with a dot.
    Hidden,
    /// No reader takes its extension.
    UnknownKind,
    /// JSON, which may be anything: it is read where it is named.
    NotNamed,
    /// A spreadsheet, slides, a picture of a page: text may be in it, and no reader takes it.
    Unread,
    /// What an office program leaves beside a document that it has open.
    Lock,
    /// It was found before under the same or another name.
    Twice,
    /// A folder that links back to one it lies in.
    Loop,
    /// What a browser saved beside a page: pictures, scripts, frames.
    PageFolder,
    /// A link in an archive, which is never followed.
    Link,
    /// A device or the like in an archive.
    Device,
    /// A note or briefing that mujaz wrote.
    OwnNote,
    /// Markdown without Arabic: a read-me, notes of the user's.
    NoArabic,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Hidden => "hidden",
            Self::UnknownKind => "no reader for this kind of file",
            Self::NotNamed => "JSON, which is read where it is named",
            Self::Unread => "no reader for this kind of file; save what is in it as .docx, .csv, .pdf or text",
            Self::Lock => "left by an office program that has a document open",
            Self::Twice => "named twice",
            Self::Loop => "a link back to a folder it lies in",
            Self::PageFolder => "saved with the web page beside it",
            Self::Link => "a link in an archive, which is not followed",
            Self::Device => "neither a file nor a folder",
            Self::OwnNote => "a note that mujaz wrote",
            Self::NoArabic => "Markdown without Arabic, no article; name it to have it read",
        })
    }
}

impl Reason {
    /// Returns whether an article may be in what was passed over, so that a user should hear of it.
    pub fn is_doubtful(self) -> bool {
        matches!(self, Self::NotNamed | Self::Unread)
    }

    /// Returns why a file that nobody named is passed over by its extension; `None` where it is looked into.
    pub(super) fn of_extension(extension: &str) -> Option<Self> {
        match extension {
            _ if is_looked_into(extension) => None,
            "json" => Some(Self::NotNamed),
            "xls" | "xlsx" | "xlsm" | "ods" | "ppt" | "pptx" | "odp" | "wpd" | "wps" | "pages" | "numbers" | "key"
            | "djvu" | "xps" | "mobi" | "azw3" | "pst" | "7z" | "rar" => Some(Self::Unread),
            _ => Some(Self::UnknownKind),
        }
    }
}

/// A file or folder, or a part of a file, that was passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its path.
    pub path: PathBuf,
    /// Which part of it; none where it is the file itself.
    pub part: Option<String>,
    /// Why.
    pub reason: Reason,
}

impl Skipped {
    /// Returns how it is called in messages.
    pub fn name(&self) -> String {
        named(&self.path, self.part.as_deref())
    }
}

/// What a walk brings back.
#[derive(Debug, Default)]
pub struct Walk {
    /// Inputs to read, in order.
    pub found: Vec<Found>,
    /// What was passed over, in order.
    pub skipped: Vec<Skipped>,
    /// What is wrong, in order; the other paths are not affected.
    pub failed: Vec<Error>,
}

/// Walks over paths. Folders are searched through; links are followed, each folder once on the way down.
pub fn walk(paths: &[PathBuf]) -> Walk {
    let mut walker = Walker { walk: Walk::default(), seen: BTreeSet::new(), above: Vec::new() };
    for path in paths {
        walker.named(path);
    }
    walker.walk
}

struct Walker {
    walk: Walk,
    /// Real paths of the files found.
    seen: BTreeSet<PathBuf>,
    /// Real paths of the folders that the walk is in, outermost first.
    above: Vec<PathBuf>,
}

impl Walker {
    /// Takes a path that the user typed.
    fn named(&mut self, path: &Path) {
        if path.as_os_str() == "-" {
            self.add(path, true, PathBuf::from("-"));
            return;
        }
        let Some(metadata) = self.look(path) else { return };
        if metadata.is_dir() {
            self.folder(path);
        } else if metadata.is_file() {
            // The user says that it is an article; whether it is one, its bytes will tell.
            self.file(path, true);
        } else {
            self.walk.failed.push(Error::NotAFile { path: path.to_owned() });
        }
    }

    /// Returns what lies at a path, links followed, or notes what is wrong with it.
    fn look(&mut self, path: &Path) -> Option<std::fs::Metadata> {
        let error = match std::fs::metadata(path) {
            Ok(metadata) => return Some(metadata),
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => match std::fs::read_link(path) {
                Ok(target) => Error::BrokenLink { path: path.to_owned(), target },
                Err(_) => Error::Missing { path: path.to_owned() },
            },
            Err(source) => Error::Unreadable { path: path.to_owned(), source },
        };
        self.walk.failed.push(error);
        None
    }

    fn folder(&mut self, path: &Path) {
        let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
        let real = match std::fs::canonicalize(path) {
            Ok(real) => real,
            Err(source) => return self.walk.failed.push(unreadable(source)),
        };
        if self.above.contains(&real) {
            return self.skip(path, Reason::Loop);
        }
        let entries = match std::fs::read_dir(path) {
            Ok(entries) => entries,
            Err(source) => return self.walk.failed.push(unreadable(source)),
        };
        let mut children = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => children.push(entry.path()),
                Err(source) => self.walk.failed.push(unreadable(source)),
            }
        }
        children.sort();
        self.above.push(real);
        for child in &children {
            self.child(child, &children);
        }
        self.above.pop();
    }

    /// Takes a path that a folder holds, with all that it holds.
    fn child(&mut self, path: &Path, beside: &[PathBuf]) {
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if hidden {
            return self.skip(path, Reason::Hidden);
        }
        if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"~$")) {
            return self.skip(path, Reason::Lock);
        }
        let Some(metadata) = self.look(path) else { return };
        if metadata.is_dir() {
            if saved_with_page(path, beside) {
                return self.skip(path, Reason::PageFolder);
            }
            self.folder(path);
        } else if !metadata.is_file() {
            self.skip(path, Reason::Device);
        } else {
            match Reason::of_extension(&sniff::extension(&path.to_string_lossy())) {
                None => self.file(path, false),
                Some(reason) => self.skip(path, reason),
            }
        }
    }

    fn file(&mut self, path: &Path, named: bool) {
        let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        self.add(path, named, real);
    }

    fn add(&mut self, path: &Path, named: bool, real: PathBuf) {
        if self.seen.insert(real) {
            self.walk.found.push(Found { path: path.to_owned(), named });
        } else {
            self.skip(path, Reason::Twice);
        }
    }

    fn skip(&mut self, path: &Path, reason: Reason) {
        self.walk.skipped.push(Skipped { path: path.to_owned(), part: None, reason });
    }
}

/// Returns whether files with an extension are opened where nobody named them: those that a reader takes, and those that hold
/// articles which no reader takes; these are refused with advice, and not passed over among pictures and programs.
fn is_looked_into(extension: &str) -> bool {
    Content::of_extension(extension).is_some()
        || matches!(extension, "doc" | "dot" | "mbox" | "msg")
        || says_nothing(extension)
}

/// Returns whether an extension says nothing of what is in a file: there is none, a program's that made a page of it, the
/// number that a download was given. Such a file is read where its bytes say that it holds an article.
pub(super) fn says_nothing(extension: &str) -> bool {
    matches!(extension, "php" | "phtml" | "asp" | "aspx" | "jsp" | "cfm" | "do")
        || extension.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns whether a folder holds what a browser saved beside a page: `page_files` beside `page.html`.
fn saved_with_page(folder: &Path, beside: &[PathBuf]) -> bool {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let Some(stem) = ["_files", "-files", "_fichiers", "_ملفات"].iter().find_map(|end| name.strip_suffix(end))
    else {
        return false;
    };
    beside.iter().any(|path| {
        path.file_stem().is_some_and(|other| other.to_string_lossy() == stem)
            && matches!(sniff::extension(&path.to_string_lossy()).as_str(), "html" | "htm")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(paths: impl Iterator<Item = PathBuf>, root: &Path) -> Vec<String> {
        paths.map(|p| p.strip_prefix(root).unwrap_or(&p).to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_folder_is_searched_in_order_and_what_is_passed_over_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs_err::create_dir_all(root.join("b/c")).unwrap();
        for name in
            ["b/c/2.txt", "b/1.TXT", "a.txt", "z.png", ".hidden.txt", "b/.git", "b/old.doc", "b/~$a.docx", "b/t.xlsx"]
        {
            fs_err::write(root.join(name), "x").unwrap();
        }
        let walk = walk(&[root.to_owned(), root.join("a.txt")]);
        assert_eq!(names(walk.found.into_iter().map(|f| f.path), root), ["a.txt", "b/1.TXT", "b/c/2.txt", "b/old.doc"]);
        let reasons: Vec<Reason> = walk.skipped.iter().map(|s| s.reason).collect();
        assert_eq!(
            reasons,
            [Reason::Hidden, Reason::Hidden, Reason::Unread, Reason::Lock, Reason::UnknownKind, Reason::Twice]
        );
        assert!(walk.failed.is_empty());
    }

    #[test]
    fn what_is_wrong_is_named_and_the_others_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs_err::write(root.join("a"), "x").unwrap();
        let walk = walk(&[root.join("none.txt"), root.join("a/below"), root.join("a")]);
        assert_eq!(walk.found.len(), 1, "a file that is named needs no extension");
        assert!(walk.found[0].named);
        assert!(matches!(&walk.failed[0], Error::Missing { path } if path.ends_with("none.txt")));
        assert!(walk.failed[1].to_string().contains("below"));
    }

    #[test]
    fn what_a_browser_saved_beside_a_page_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in ["خبر_files/frame.html", "other_files/a.html", "خبر.html"] {
            fs_err::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs_err::write(root.join(name), "x").unwrap();
        }
        let walk = walk(&[root.to_owned()]);
        assert_eq!(names(walk.found.into_iter().map(|f| f.path), root), ["other_files/a.html", "خبر.html"]);
        assert_eq!(walk.skipped[0].reason, Reason::PageFolder);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_but_not_in_circles() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs_err::create_dir(root.join("inner")).unwrap();
        fs_err::write(root.join("inner/a.txt"), "x").unwrap();
        std::os::unix::fs::symlink(root, root.join("inner/back")).unwrap();
        std::os::unix::fs::symlink("nowhere.txt", root.join("broken.txt")).unwrap();
        let walk = walk(&[root.to_owned()]);
        assert_eq!(walk.found.len(), 1);
        assert_eq!(walk.skipped[0].reason, Reason::Loop);
        assert!(matches!(&walk.failed[0], Error::BrokenLink { target, .. } if target == Path::new("nowhere.txt")));
    }
}
