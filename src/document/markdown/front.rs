//! The head of a Markdown file: facts in YAML between `---`, or in TOML between `+++`.
//!
//! In: the text. Out: what the head declares, and the text after it. Of YAML only what heads are made of is read: `key:
//! value`, quoted or not, lists and blocks; nothing refers to anything else, so nothing can expand. Sources: the heads that
//! Jekyll, Hugo and Pandoc read.

use super::super::Declared;

/// The most bytes of a head.
const MAX_HEAD: usize = 64 * 1024;

/// The most brackets in a row that TOML is asked to read: no head of facts nests at all.
const MAX_BRACKETS: usize = 32;

/// A text without its head.
pub(super) struct Front<'t> {
    pub declared: Declared,
    pub body: &'t str,
    pub warning: Option<&'static str>,
}

/// Takes the head off a text.
pub(super) fn split(text: &str) -> Front<'_> {
    let text = text.trim_start_matches('\u{feff}');
    let none = Front { declared: Declared::default(), body: text, warning: None };
    let Some(first) = text.lines().next() else { return none };
    let fence = first.trim_end();
    if !matches!(fence, "---" | "+++") {
        return none;
    }
    let mut at = text.find('\n').map_or(text.len(), |end| end + 1);
    let start = at;
    for line in text[start..].split_inclusive('\n') {
        let ends = line.trim_end() == fence || (fence == "---" && line.trim_end() == "...");
        if ends {
            let (head, body) = (&text[start..at], &text[at + line.len()..]);
            let facts = if fence == "---" { Some(yaml(head)) } else { toml(head) };
            // A rule over the text is no head.
            if fence == "---" && facts.as_ref().is_none_or(Vec::is_empty) && !head.trim().is_empty() {
                return none;
            }
            let warning = facts.is_none().then_some("the head of facts (TOML) is broken and was not read");
            return Front { declared: declared(facts.unwrap_or_default()), body, warning };
        }
        at += line.len();
        if at - start > MAX_HEAD {
            break;
        }
    }
    none
}

fn declared(facts: Vec<(String, String)>) -> Declared {
    let mut declared = Declared::default();
    for (key, value) in facts {
        let field = match key.to_lowercase().as_str() {
            "title" | "headline" | "العنوان" => &mut declared.title,
            "author" | "authors" | "byline" | "creator" | "by" | "الكاتب" => &mut declared.byline,
            "source" | "publisher" | "publication" | "site" | "site_name" | "المصدر" => &mut declared.publisher,
            "date" | "published" | "publishdate" | "pubdate" | "date_published" | "published_time" | "التاريخ" => {
                &mut declared.date
            }
            "category" | "categories" | "section" | "القسم" => &mut declared.section,
            "url" | "canonical" | "canonical_url" | "link" | "source_url" => &mut declared.canonical,
            "description" | "excerpt" | "summary" | "subtitle" => &mut declared.description,
            _ => continue,
        };
        let value = value.trim();
        if field.is_none() && !value.is_empty() && !value.starts_with(['*', '&', '{']) {
            // "source: https://…" is where it stands, not who published it.
            if value.starts_with("http") && key.to_lowercase() == "source" {
                declared.canonical.get_or_insert(value.to_owned());
            } else {
                *field = Some(value.to_owned());
            }
        }
    }
    declared
}

/// Reads the keys of the first level, and those in tables of them.
fn toml(head: &str) -> Option<Vec<(String, String)>> {
    if head.contains(&"[".repeat(MAX_BRACKETS)) || head.contains(&"{".repeat(MAX_BRACKETS)) {
        return None;
    }
    let table: toml::Table = head.parse().ok()?;
    let mut facts = Vec::new();
    for (key, value) in &table {
        match value {
            toml::Value::Table(inner) => {
                facts.extend(inner.iter().filter_map(|(key, value)| Some((key.clone(), plain(value)?))));
            }
            value => facts.extend(plain(value).map(|value| (key.clone(), value))),
        }
    }
    Some(facts)
}

fn plain(value: &toml::Value) -> Option<String> {
    Some(match value {
        toml::Value::String(words) => words.clone(),
        toml::Value::Datetime(at) => at.to_string(),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Array(values) => {
            let values: Vec<&str> = values.iter().filter_map(toml::Value::as_str).collect();
            values.join("، ")
        }
        _ => return None,
    })
}

/// Reads `key: value` lines, lists and blocks under a key.
fn yaml(head: &str) -> Vec<(String, String)> {
    let mut facts: Vec<(String, String)> = Vec::new();
    // Whether lines that are indented belong to the last key, and what joins them.
    let mut joint: Option<&str> = None;
    for line in head.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let indented = line.starts_with([' ', '\t']) || trimmed.starts_with("- ");
        if indented {
            if let (Some(joint), Some((_, value))) = (joint, facts.last_mut()) {
                let (more, joint) = match trimmed.strip_prefix("- ") {
                    Some(item) => (item.strip_prefix("name:").unwrap_or(item).trim(), "، "),
                    None => (trimmed, joint),
                };
                if !value.is_empty() {
                    value.push_str(joint);
                }
                value.push_str(&unquoted(more));
            }
            continue;
        }
        let Some((key, value)) = line.split_once(':') else {
            joint = None;
            continue;
        };
        if key.split_whitespace().count() > 2 || !(value.is_empty() || value.starts_with([' ', '\t'])) {
            joint = None;
            continue;
        }
        let value = value.trim();
        joint = matches!(value, "" | ">" | "|" | ">-" | "|-" | ">+" | "|+").then_some(" ");
        let value = if joint.is_some() { String::new() } else { scalar(value) };
        facts.push((unquoted(key.trim()), value));
    }
    facts
}

/// Returns a value on its key's line: quoted, plain with a comment, or a list in brackets.
fn scalar(value: &str) -> String {
    if let Some(list) = value.strip_prefix('[').and_then(|list| list.strip_suffix(']')) {
        let items: Vec<String> =
            list.split(',').map(|item| unquoted(item.trim())).filter(|item| !item.is_empty()).collect();
        return items.join("، ");
    }
    let value = if value.starts_with(['"', '\'']) { value } else { value.split(" #").next().unwrap_or(value) };
    unquoted(value.trim())
}

fn unquoted(value: &str) -> String {
    if let Some(inner) = value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')) {
        return inner.replace("\\\"", "\"").replace("\\\\", "\\");
    }
    if let Some(inner) = value.strip_prefix('\'').and_then(|inner| inner.strip_suffix('\'')) {
        return inner.replace("''", "'");
    }
    value.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_heads() {
        let front = split(
            "---\ntitle: \"خبر: \\\"نعم\\\"\" \nauthors:\n  - فلان\n  - name: علان\ndate: 2025-02-16 # day\nsource: https://a.example/x\n\
             description: >\n  سطر\n  ثان\ncategory: [اقتصاد, ماء]\n---\nنص\n",
        );
        let declared = front.declared;
        assert_eq!(declared.title.as_deref(), Some("خبر: \"نعم\""));
        assert_eq!(declared.byline.as_deref(), Some("فلان، علان"));
        assert_eq!(declared.date.as_deref(), Some("2025-02-16"));
        assert_eq!(declared.canonical.as_deref(), Some("https://a.example/x"));
        assert_eq!(declared.description.as_deref(), Some("سطر ثان"));
        assert_eq!(declared.section.as_deref(), Some("اقتصاد، ماء"));
        assert_eq!(front.body, "نص\n");
    }

    #[test]
    fn toml_heads_and_tables_in_them() {
        let front = split("+++\ntitle = \"خبر\"\ndate = 2024-03-12\n[extra]\nsource = \"صحيفة\"\n+++\nنص\n");
        assert_eq!(
            (front.declared.title.as_deref(), front.declared.publisher.as_deref()),
            (Some("خبر"), Some("صحيفة"))
        );
        assert_eq!(front.declared.date.as_deref(), Some("2024-03-12"));
        let broken = split("+++\ntitle = [[[\n+++\nنص\n");
        assert!(broken.warning.is_some() && broken.body == "نص\n");
    }

    #[test]
    fn a_rule_or_an_open_head_is_text() {
        for text in ["---\nكلام بين خطين لا رأس\n---\nنص\n", "---\ntitle: x\nنص\n", "نص\n---\n", ""]
        {
            let front = split(text);
            assert_eq!((front.body, front.declared == Declared::default()), (text, true), "{text:?}");
        }
    }
}
