//! Data flows one way: reads the sources and fails where a layer imports a later one, or the library the binary.

use std::path::Path;

/// The stages in order; a module may import from its own and from earlier ones.
const STAGES: &[&str] =
    &["source", "document", "batch", "engine", "translation", "summary", "briefing", "render", "pipeline"];

/// The modules at the side, with the other side modules each may import.
const SIDE: &[(&str, &[&str])] = &[
    ("span", &[]),
    ("number", &["span"]),
    ("arabic", &["span", "number"]),
    ("english", &["span", "number"]),
    ("glossary", &["span", "arabic", "english"]),
    ("check", &["span", "number", "arabic", "english", "glossary"]),
    ("metrics", &[]),
    ("progress", &[]),
    ("stamp", &[]),
    ("registry", &[]),
    ("hub", &["registry", "progress", "stamp"]),
    ("options", &["arabic", "registry"]),
];

fn rust_files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Returns the modules that a source file names after `crate::`, without those in comments.
fn imports(text: &str) -> Vec<String> {
    let mut named = Vec::new();
    for line in text.lines() {
        let code = line.split("//").next().unwrap_or_default();
        for part in code.split("crate::").skip(1) {
            let names = match part.strip_prefix('{') {
                Some(list) => list.split(',').collect::<Vec<_>>(),
                None => vec![part],
            };
            for name in names {
                let name: String = name.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                named.push(name);
            }
        }
    }
    named
}

#[test]
fn no_layer_imports_a_later_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&root, &mut files);
    assert!(files.len() > 20, "the sources are read");
    let mut wrong = Vec::new();
    for file in &files {
        let relative = file.strip_prefix(&root).unwrap();
        let first = relative.components().next().unwrap().as_os_str().to_str().unwrap();
        let module = first.strip_suffix(".rs").unwrap_or(first);
        if matches!(module, "lib" | "main" | "cli") {
            continue;
        }
        let stage = STAGES.iter().position(|&s| s == module);
        let side = SIDE.iter().find(|(name, _)| *name == module);
        assert!(stage.is_some() || side.is_some(), "{module} has no place in the order: add it to this test");
        for import in imports(&std::fs::read_to_string(file).unwrap()) {
            if import == module {
                continue;
            }
            let imported_stage = STAGES.iter().position(|&s| s == import);
            let imported_side = SIDE.iter().any(|(name, _)| *name == import);
            if imported_stage.is_none() && !imported_side {
                wrong.push(format!("{}: crate::{import} is no module with a place", relative.display()));
            } else if let Some((_, allowed)) = side {
                if !allowed.contains(&import.as_str()) {
                    wrong.push(format!("{}: {module} (at the side) imports {import}", relative.display()));
                }
            } else if imported_stage > stage {
                wrong.push(format!("{}: {module} imports the later {import}", relative.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
