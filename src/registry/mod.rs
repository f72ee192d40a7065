//! The models that mujaz knows: `models.toml`, compiled in, and what `--registry FILE` adds to it.
//!
//! In: TOML. Out: validated [`ModelEntry`]s; an error points at the line. Getting the files is [`crate::hub`]'s.
//! The form of an entry is described at the top of `models.toml`.

mod check;
mod entry;
mod error;
mod lock;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

pub(crate) use check::is_sha256;
pub(crate) use entry::is_weights;
pub use entry::{
    Choose, GenerationSettings, HubSource, Licence, ModelEntry, ModelFile, ModelId, Score, Task, WheelSource,
};
pub use error::Error;
pub use lock::{Lock, LockError, LockedFile, LockedModel};

const BUILT_IN: &str = include_str!("../../models.toml");

/// Longest registry that is read, in bytes: a thousand models.
const MAX_FILE: u64 = 1 << 20;

/// All models that can be named.
#[derive(Debug, Clone, PartialEq)]
pub struct Registry {
    models: Vec<ModelEntry>,
    /// Models that may not be used, by which lock file, and why.
    refused: Vec<(ModelId, PathBuf, String)>,
}

/// The document as it is written; ids with their place, for errors that need two entries.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    model: Vec<Spanned<ModelEntry>>,
}

impl Registry {
    /// Returns the models compiled in.
    pub fn built_in() -> Self {
        Self::parse(BUILT_IN, Path::new("models.toml")).expect("models.toml is parsed by a unit test")
    }

    /// Reads a registry file.
    ///
    /// # Errors
    /// Where the file cannot be read or is not a registry; the message shows the line.
    pub fn open(path: &Path) -> Result<Self, Error> {
        // Devices and pipes do not say their length.
        let mut text = String::new();
        let read = fs_err::File::open(path)?.take(MAX_FILE + 1).read_to_string(&mut text)? as u64;
        if read > MAX_FILE {
            let bytes = fs_err::metadata(path)?.len().max(read);
            return Err(Error::TooLong { path: path.to_owned(), bytes });
        }
        Self::parse(&text, path)
    }

    /// Reads a registry from text; `path` is for messages.
    ///
    /// # Errors
    /// Where the text is not a registry; the message shows the line.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        // What the reader makes of a text has many times its size.
        if text.len() as u64 > MAX_FILE {
            return Err(Error::TooLong { path: path.to_owned(), bytes: text.len() as u64 });
        }
        let document: Document =
            toml::from_str(text).map_err(|source| Error::Syntax { path: path.to_owned(), source: Box::new(source) })?;
        let mut seen: BTreeMap<ModelId, usize> = BTreeMap::new();
        let mut models = Vec::with_capacity(document.model.len());
        for spanned in document.model {
            let line = 1 + text.get(..spanned.span().start).map_or(0, |before| before.matches('\n').count());
            let entry = spanned.into_inner();
            if let Some(&first) = seen.get(&entry.id) {
                return Err(Error::Duplicate { path: path.to_owned(), id: entry.id, first, second: line });
            }
            seen.insert(entry.id.clone(), line);
            models.push(entry);
        }
        Ok(Self { models, refused: Vec::new() })
    }

    /// Makes a registry of entries that were read before; the same id replaces.
    pub fn of(entries: impl IntoIterator<Item = ModelEntry>) -> Self {
        let mut registry = Self { models: Vec::new(), refused: Vec::new() };
        for entry in entries {
            registry.extend(Self { models: vec![entry], refused: Vec::new() });
        }
        registry
    }

    /// Writes the registry in the form that [`Registry::parse`] reads.
    ///
    /// # Errors
    /// Where a number does not fit into TOML's (sizes above 2^63).
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        #[derive(serde::Serialize)]
        struct Written<'a> {
            model: &'a [ModelEntry],
        }
        toml::to_string(&Written { model: &self.models })
    }

    /// Adds the models of another registry; the same id replaces. Returns the ids that were replaced.
    pub fn extend(&mut self, other: Self) -> Vec<ModelId> {
        let mut replaced = Vec::new();
        for entry in other.models {
            match self.models.iter_mut().find(|known| known.id == entry.id) {
                Some(known) => {
                    replaced.push(entry.id.clone());
                    *known = entry;
                }
                None => self.models.push(entry),
            }
        }
        replaced
    }

    /// Returns all models, in the order of the files they were read from.
    pub fn models(&self) -> &[ModelEntry] {
        &self.models
    }

    /// Returns the models that may be chosen for a task where none is named, best first: in the order of the files they
    /// were read from, those that only write drafts last. Models whose licence forbids some uses are not among them.
    pub fn candidates(&self, task: Task) -> Vec<&ModelEntry> {
        let mut found: Vec<&ModelEntry> =
            self.models.iter().filter(|entry| entry.does(task) && entry.choose == Choose::Automatically).collect();
        found.sort_by_key(|entry| entry.draft);
        found
    }

    /// Finds a model by its id.
    ///
    /// # Errors
    /// Where no model has that id (the error names the one that was probably meant), or a lock file does not let it be used.
    pub fn find(&self, id: &str) -> Result<&ModelEntry, Error> {
        if let Some((id, lock, reason)) = self.refused.iter().find(|(refused, ..)| refused.0 == id) {
            return Err(Error::NotLocked { id: id.clone(), lock: lock.clone(), reason: reason.clone() });
        }
        self.models.iter().find(|entry| entry.id.0 == id).ok_or_else(|| Error::Unknown {
            id: id.to_owned(),
            closest: self.closest(id).cloned(),
            known: self.models.iter().map(|entry| entry.id.clone()).collect(),
        })
    }

    /// Finds the model whose weights, all of them, are among files of which `is_there` knows the SHA-256: the same bytes are the
    /// same model, wherever they lie. A model whose weights the registry does not pin is not found.
    pub fn of_weights(&self, is_there: impl Fn(&str) -> bool) -> Option<&ModelEntry> {
        let is_known = |entry: &&ModelEntry| {
            let mut weights = entry.files.iter().filter(|file| file.is_weights()).peekable();
            weights.peek().is_some() && weights.all(|file| file.sha256.as_deref().is_some_and(&is_there))
        };
        self.models.iter().find(is_known)
    }

    /// Returns the id most like a mistyped one: at most a third of it differs, or it is the start of just one id.
    fn closest(&self, typed: &str) -> Option<&ModelId> {
        let typed = typed.to_lowercase();
        let allowed = (typed.chars().count() / 3).max(1);
        let near = self
            .models
            .iter()
            .map(|entry| (edit_distance(&typed, &entry.id.0), &entry.id))
            .min()
            .filter(|(distance, _)| *distance <= allowed)
            .map(|(_, id)| id);
        near.or_else(|| {
            let mut starting = self.models.iter().filter(|entry| typed.len() > 2 && entry.id.0.starts_with(&typed));
            starting.next().filter(|_| starting.next().is_none()).map(|entry| &entry.id)
        })
    }
}

/// Counts the insertions, deletions and replacements between two strings (Levenshtein).
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const REVISION: &str = "0123456789abcdef0123456789abcdef01234567";

    fn entry(id: &str, extra: &str) -> String {
        format!(
            "[[model]]\nid = \"{id}\"\ntitle = \"t\"\ntask = [\"translate\"]\narchitecture = \"gemma3\"\n\
             languages = [\"ar\"]\nmemory_bytes = 1\nlicence = {{ name = \"MIT\", link = \"l\", asks = \"a\" }}\n\
             files = [{{ name = \"m.gguf\", bytes = 1, sha256 = \"{}\", hub = {{ repo = \"o/n\", revision = \
             \"{REVISION}\", path = \"m.gguf\" }} }}]\n{extra}",
            "a".repeat(64)
        )
    }

    fn message(text: &str) -> String {
        Registry::parse(text, Path::new("my.toml")).unwrap_err().to_string()
    }

    #[test]
    fn the_built_in_registry_is_valid_and_names_the_small_models() {
        let registry = Registry::built_in();
        let gemma = registry.find("gemma-3-270m").unwrap();
        assert!(gemma.does(Task::Translate) && gemma.draft && gemma.files[0].wheels.len() == 4);
        let smol = registry.find("smollm2-135m-instruct").unwrap();
        assert!(smol.does(Task::Summarize) && !smol.draft && smol.files[0].hub.is_some());
        for entry in registry.models() {
            assert!(!entry.title.is_empty() && !entry.licence.asks.is_empty());
            assert!(entry.bytes().is_none_or(|bytes| entry.memory_bytes > bytes), "{}", entry.id);
            assert!(entry.licence.link.starts_with("https://"), "{}", entry.id);
            assert!(entry.licence.name.contains("-NC") <= (entry.choose == Choose::WhenNamed), "{}", entry.id);
        }
    }

    #[test]
    fn the_default_translator_is_the_best_free_one_and_drafts_come_last() {
        let registry = Registry::built_in();
        let order: Vec<&str> = registry.candidates(Task::Translate).iter().map(|entry| entry.id.0.as_str()).collect();
        assert_eq!(order, ["opus-mt-tc-big-ar-en", "opus-mt-ar-en", "opus-mt-tc-bible-big-sem-en", "gemma-3-270m"]);
        let big = registry.find("opus-mt-tc-big-ar-en").unwrap();
        assert!(!big.draft && !big.is_pinned() && big.bytes().is_none());
        let sources: Vec<HubSource> = big.files[2].hub.as_ref().unwrap().with_mirrors().collect();
        let repos: Vec<&str> = sources.iter().map(|hub| hub.repo.as_str()).collect();
        assert_eq!(repos, ["Helsinki-NLP/opus-mt-tc-big-ar-en", "aghorbani/opus-mt-tc-big-ar-en"]);
        assert!(sources.iter().all(|hub| hub.path == "model.safetensors" && hub.mirrors.is_empty()));
        assert_eq!(registry.find("opus-mt-tc-bible-big-sem-en").unwrap().prefix, ">>eng<< ");
        let nllb = registry.find("nllb-200-distilled-600m").unwrap();
        assert_eq!(
            (nllb.source_language.as_deref(), nllb.target_language.as_deref()),
            (Some("arb_Arab"), Some("eng_Latn"))
        );
        let summaries = &registry.find("mt5-m2o-english-crosssum").unwrap().generation;
        assert_eq!(
            (summaries.num_beams, summaries.max_length, summaries.no_repeat_ngram_size),
            (Some(4), Some(84), Some(2))
        );
    }

    #[test]
    fn what_is_written_is_read_again_as_it_was() {
        let registry = Registry::built_in();
        let text = registry.to_toml().unwrap();
        assert_eq!(Registry::parse(&text, Path::new("written.toml")).unwrap(), registry);
        let hub = format!("hub = {{ repo = \"o/n\", revision = \"{REVISION}\", path = \"m.gguf\" }}");
        let by_hand = entry("a", "scores = [{ set = \"s\", metric = \"BLEU\", value = 1.5, link = \"l\" }]\n")
            .replace(&hub, "by_hand = true");
        let registry = Registry::parse(&by_hand, Path::new("m")).unwrap();
        assert!(registry.models()[0].files[0].by_hand && registry.models()[0].scores[0].value > 1.0);
        assert_eq!(Registry::parse(&registry.to_toml().unwrap(), Path::new("w")).unwrap(), registry);
        assert!(message(&by_hand.replace("by_hand = true", &format!("by_hand = true, {hub}"))).contains("by hand"));
    }

    #[test]
    fn what_is_not_known_of_a_file_must_be_said() {
        let without = |part: &str| entry("a", "").replace(part, "");
        let (no_bytes, no_hash) = (without(" bytes = 1,"), without(&format!(" sha256 = \"{}\",", "a".repeat(64))));
        for text in [&no_bytes, &no_hash] {
            let said = message(text);
            assert!(said.contains("unverified = true") && said.contains('^'), "{said}");
            for (from, to) in [
                ("name = \"m.gguf\"", "name = \"m.gguf\", unverified = true"),
                ("title =", "unverified = true\ntitle ="),
            ] {
                let registry = Registry::parse(&text.replace(from, to), Path::new("m")).unwrap();
                assert!(!registry.models()[0].is_pinned() && !registry.models()[0].files[0].is_pinned());
            }
        }
        assert!(message(&entry("a", "unverified = true\n")).contains("not unverified"));
        let said = message(&entry("a", "").replace("name = \"m.gguf\"", "name = \"m.gguf\", unverified = true"));
        assert!(said.contains("so it is not unverified"), "{said}");
    }

    #[test]
    fn a_repository_of_the_model_is_that_of_its_files() {
        let hub = format!(", hub = {{ repo = \"o/n\", revision = \"{REVISION}\", path = \"m.gguf\" }}");
        let of_model =
            format!("hub = {{ repo = \"o/all\", revision = \"{REVISION}\", mirrors = [\"p/all\"] }}\ntitle =");
        let text = entry("a", "").replace(&hub, "").replace("title =", &of_model);
        let registry = Registry::parse(&text, Path::new("m")).unwrap();
        let hub = registry.models()[0].files[0].hub.clone().unwrap();
        assert_eq!(
            (hub.repo.as_str(), hub.path.as_str(), hub.mirrors.as_slice()),
            ("o/all", "m.gguf", &["p/all".to_owned()][..])
        );
        assert!(message(&text.replace("p/all", "p")).contains("is not a repository"));
        let own = entry("a", "").replace("title =", &of_model);
        assert_eq!(
            Registry::parse(&own, Path::new("m")).unwrap().models()[0].files[0].hub.as_ref().unwrap().repo,
            "o/n"
        );
    }

    #[test]
    fn settings_are_typed_and_within_range() {
        let good = "prefix = \">>eng<< \"\nsource_language = \"arb_Arab\"\ntarget_language = \"eng_Latn\"\nchoose = \"when-named\"\n\
                    generation = { num_beams = 4, length_penalty = 0.6, no_repeat_ngram_size = 2, max_length = 84 }\n";
        let registry = Registry::parse(&entry("a", good), Path::new("m")).unwrap();
        let read = &registry.models()[0];
        assert_eq!(
            (read.prefix.as_str(), read.generation.length_penalty, read.choose),
            (">>eng<< ", Some(0.6), Choose::WhenNamed)
        );
        assert!(registry.candidates(Task::Translate).is_empty(), "it must be named");
        for bad in [
            "prefix = \"\"\n",
            "prefix = \"a\\nb\"\n",
            "target_language = \"eng Latn\"\n",
            "choose = \"never\"\n",
            "generation = { num_beams = 0 }\n",
            "generation = { num_beams = 65 }\n",
            "generation = { length_penalty = nan }\n",
            "generation = { max_length = 1 }\n",
            "generation = { no_repeat_ngram_size = 101 }\n",
            "generation = { beams = 4 }\n",
        ] {
            assert!(message(&entry("a", bad)).contains('^'), "{bad}");
        }
    }

    #[test]
    fn errors_point_at_the_line() {
        let text = entry("a", "").replace(REVISION, "main");
        let said = message(&text);
        assert!(said.contains("my.toml") && said.contains("line 9") && said.contains('^'), "{said}");
        assert!(said.contains("\"main\" is not a commit"), "{said}");
        let said = message(&entry("a", "colour = 1\n"));
        assert!(said.contains("line 10") && said.contains("unknown field `colour`"), "{said}");
    }

    #[test]
    fn bad_values_are_refused() {
        for (good, bad) in [
            ("id = \"a\"", "id = \"A b\""),
            ("id = \"a\"", "id = \"../a\""),
            ("name = \"m.gguf\"", "name = \"../m.gguf\""),
            ("name = \"m.gguf\"", "name = \"a/m.gguf\""),
            ("name = \"m.gguf\"", "name = \"..\""),
            ("path = \"m.gguf\"", "path = \"a/../../m.gguf\""),
            ("path = \"m.gguf\"", "path = \"/m.gguf\""),
            ("repo = \"o/n\"", "repo = \"o\""),
            ("repo = \"o/n\"", "repo = \"o/../n\""),
            ("aaaaaaaa\", hub", "aaaaaaa\", hub"),
            ("aaaaaaaa\", hub", "aaaaaaaA\", hub"),
            ("bytes = 1,", "bytes = 0,"),
            ("bytes = 1,", "bytes = -1,"),
            ("task = [\"translate\"]", "task = []"),
            ("task = [\"translate\"]", "task = [\"sing\"]"),
        ] {
            let text = entry("a", "").replace(good, bad);
            assert_ne!(text, entry("a", ""), "{good} stands in the entry");
            assert!(message(&text).contains('^'), "{bad}");
        }
    }

    #[test]
    fn a_file_needs_a_source_and_a_package_is_no_option() {
        let start = entry("a", "").split(", hub").next().unwrap().to_owned();
        assert!(message(&format!("{start} }}]\n")).contains("has no source"));
        let wheel = |package: &str| {
            format!("{start}, wheels = [{{ package = \"{package}\", version = \"1\", member = \"a/b\" }}] }}]\n")
        };
        assert!(Registry::parse(&wheel("p"), Path::new("m")).is_ok());
        assert!(message(&wheel("--index-url")).contains("is not a package"));
    }

    #[test]
    fn the_same_id_twice_in_one_file_is_an_error_and_in_another_file_replaces() {
        let twice = format!("{}\n{}", entry("a", ""), entry("a", ""));
        let said = message(&twice);
        assert!(said.contains("lines 1 and 11"), "{said}");
        let mut registry = Registry::built_in();
        let count = registry.models().len();
        let other = format!("{}\n{}", entry("gemma-3-270m", ""), entry("mine", ""));
        let replaced = registry.extend(Registry::parse(&other, Path::new("m")).unwrap());
        assert_eq!(replaced, [ModelId("gemma-3-270m".into())]);
        assert_eq!(registry.models().len(), count + 1);
        assert_eq!(registry.find("gemma-3-270m").unwrap().title, "t");
    }

    #[test]
    fn a_mistyped_id_finds_the_one_meant() {
        let registry = Registry::built_in();
        let meant = |typed: &str| match registry.find(typed) {
            Err(Error::Unknown { closest, .. }) => closest.map(|id| id.0),
            other => panic!("{other:?}"),
        };
        assert_eq!(meant("gema-3-270m").as_deref(), Some("gemma-3-270m"));
        assert_eq!(meant("Gemma-3-270M").as_deref(), Some("gemma-3-270m"));
        assert_eq!(meant("smollm2").as_deref(), Some("smollm2-135m-instruct"));
        assert_eq!(meant("something-else-entirely"), None);
        assert_eq!(meant(""), None);
    }

    #[test]
    fn a_model_is_known_by_all_of_its_weights_and_by_nothing_else() {
        let (weights, second, tokenizer) = ("a".repeat(64), "b".repeat(64), "c".repeat(64));
        let more = |id: &str, files: &[(&str, &str)]| {
            let hub = format!("hub = {{ repo = \"o/n\", revision = \"{REVISION}\", path = \"x\" }}");
            let file = |(name, sha256): &(&str, &str)| {
                format!(", {{ name = \"{name}\", bytes = 1, sha256 = \"{sha256}\", {hub} }}")
            };
            let files: String = files.iter().map(file).collect();
            entry(id, "").replace(" }]", &format!(" }}{files}]"))
        };
        let of = |text: &str, here: &[&str]| {
            let registry = Registry::parse(text, Path::new("m")).unwrap();
            registry.of_weights(|sha256| here.contains(&sha256)).map(|entry| entry.id.0.clone())
        };
        let shared = more("a", &[("tokenizer.json", &tokenizer), ("spm.model", &second)]);
        assert_eq!(of(&shared, &[&tokenizer, &second]), None, "others have this tokenizer too");
        assert_eq!(of(&shared, &[&weights]).as_deref(), Some("a"));
        let parts = more("a", &[("model-00002-of-00002.safetensors", &second)]);
        assert_eq!(of(&parts, &[&weights]), None, "only one part is here");
        assert_eq!(of(&parts, &[&weights, &second]).as_deref(), Some("a"));
        let without = shared.replace("m.gguf", "vocab.bin");
        assert_eq!(of(&without, &[&weights, &second, &tokenizer]), None, "no file of it is known to hold weights");
        let unpinned = entry("a", "").replace(&format!("bytes = 1, sha256 = \"{weights}\""), "unverified = true");
        assert_eq!(of(&unpinned, &[&weights]), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "\\PC{0,200}") {
            let _ = Registry::parse(&text, Path::new("any.toml"));
            let _ = Registry::parse(&format!("[[model]]\nid = {text}"), Path::new("any.toml"));
        }
    }
}
