//! The article in the data that a single-page site draws itself from (`__NEXT_DATA__`, `__NUXT_DATA__` and the like).
//!
//! In: the scripts of a page that hold plain JSON, or give it a name. Out: [`State`]: the longest running text in them, with what stands beside it
//! in the same object: its headline, its author, its date. Only pages that show no text of their own are read so; which of
//! the texts is shown where, no standard says.

use serde_json::{Map, Value};

use super::dom::Dom;
use super::facts::raw_text;
use crate::arabic::letters::is_arabic_letter;
use crate::document::line::key;

/// The most bytes of scripts that are parsed, and the most values that are visited in them.
const MAX_BYTES: usize = 4 * 1024 * 1024;
const MAX_VALUES: usize = 200_000;

/// The fewest words of a text.
const FEWEST: usize = 60;

/// Fields that hold a text, whole or in pieces.
const TEXTS: &[&str] = &[
    "body",
    "content",
    "text",
    "html",
    "articlebody",
    "fulltext",
    "bodytext",
    "contenthtml",
    "bodyhtml",
    "details",
    "paragraphs",
];
const TITLES: &[&str] = &["title", "headline", "name"];
const AUTHORS: &[&str] = &["author", "authors", "byline", "authorname", "writer"];
const DATES: &[&str] =
    &["publishedat", "datepublished", "publishdate", "publisheddate", "pubdate", "createdat", "date"];

/// An article in a script.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    pub body: String,
    pub title: Option<String>,
    pub byline: Option<String>,
    pub date: Option<String>,
}

/// Finds the article in the scripts of a page; `titles` are the headlines that the page declares, as keys.
pub(super) fn state(dom: &Dom, titles: &[String]) -> Option<State> {
    let mut best: Option<(bool, usize, State)> = None;
    let mut left = MAX_BYTES;
    for id in dom.all(0).filter(|&id| dom.name(id) == "script") {
        let script = raw_text(dom, id);
        let plain = dom.attribute(id, "type").is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
        let Some(json) = (if plain { Some(script.as_str()) } else { assigned(&script) }) else { continue };
        let Some(rest) = left.checked_sub(json.len()) else { break };
        left = rest;
        let Ok(value) = serde_json::from_str::<Value>(json) else { continue };
        let mut open = vec![&value];
        let mut visited = 0;
        while let Some(value) = open.pop() {
            visited += 1;
            if visited > MAX_VALUES {
                break;
            }
            match value {
                Value::Array(items) => open.extend(items.iter().rev()),
                Value::Object(fields) => {
                    open.extend(fields.values().rev());
                    let Some((words, state)) = read(fields) else { continue };
                    // The article that the page's own headline is of goes before a longer one.
                    let own = state.title.as_deref().is_some_and(|title| titles.contains(&key(title)));
                    if best.as_ref().is_none_or(|(mine, most, _)| (own, words) > (*mine, *most)) {
                        best = Some((own, words, state));
                    }
                }
                _ => {}
            }
        }
    }
    best.map(|(_, _, state)| state)
}

/// Returns the object that a script gives a name and nothing more: `window.__STATE__ = {…};`.
fn assigned(script: &str) -> Option<&str> {
    let script = script.trim();
    let (name, value) = script.split_once('=')?;
    let named =
        ["window.", "self.", "globalThis.", "var ", "let ", "const "].iter().any(|start| name.starts_with(start));
    let value = value.trim().trim_end_matches(';').trim_end();
    (named && name.len() < 100 && value.starts_with('{') && value.ends_with('}')).then_some(value)
}

/// Reads an object that holds a text; returns how many words that has.
fn read(fields: &Map<String, Value>) -> Option<(usize, State)> {
    let called = |name: &str, names: &[&str]| {
        let plain: String = name.chars().filter(char::is_ascii_alphabetic).collect();
        names.contains(&plain.to_ascii_lowercase().as_str())
    };
    let field =
        |names: &[&str]| fields.iter().find(|(name, value)| called(name, names) && !value.is_null()).map(|(_, v)| v);
    let texts = fields.iter().filter(|(name, _)| called(name, TEXTS)).filter_map(|(_, value)| text(value));
    let (words, body) = texts.map(|text| (arabic_words(&text), text)).max_by_key(|&(words, _)| words)?;
    if words < FEWEST {
        return None;
    }
    let plain = |names: &[&str]| field(names).and_then(Value::as_str).map(str::to_owned);
    let byline = field(AUTHORS).and_then(|author| {
        let first = author.get(0).unwrap_or(author);
        first.as_str().or_else(|| first.get("name").and_then(Value::as_str)).map(str::to_owned)
    });
    Some((words, State { body, title: plain(TITLES), byline, date: plain(DATES) }))
}

/// Returns a text: a string, or the strings of a list, alone or each in an object of its own.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let piece = |item: &Value| -> Option<String> {
                let fields = ["content", "text", "html", "value", "body"];
                let inner = || fields.iter().find_map(|field| item.get(field).and_then(Value::as_str));
                item.as_str().or_else(inner).map(str::to_owned)
            };
            let pieces: Vec<String> = items.iter().filter_map(piece).collect();
            (!pieces.is_empty()).then(|| pieces.join("\n"))
        }
        _ => None,
    }
}

fn arabic_words(text: &str) -> usize {
    text.split_whitespace().filter(|word| word.chars().any(is_arabic_letter)).count()
}

#[cfg(test)]
mod tests {
    use super::super::of_text;
    use crate::document::ReadOptions;

    #[test]
    fn a_page_that_only_its_data_draw_has_a_text() {
        let text: Vec<String> = (1..=5)
            .map(|n| {
                format!("أعلنت وزارة الأشغال يوم الاثنين عن بدء العمل في الجسر رقم {n} فوق النهر الذي يقسم المدينة.")
            })
            .collect();
        let marked: String = text.iter().map(|text| format!("<p>{text}</p>")).collect();
        let pieces: Vec<_> = text.iter().map(|text| serde_json::json!({"type": "text", "content": text})).collect();
        let title = "جسور جديدة فوق النهر الكبير";
        for body in [
            serde_json::json!(marked),
            serde_json::json!(text),
            serde_json::json!(pieces),
            serde_json::json!(text.join("\n")),
        ] {
            let other = serde_json::json!({"title": "خبر آخر", "body": marked.repeat(3)});
            let own = serde_json::json!({"title": title, "author": {"name": "سناء الخطيب"}, "published_at": "2024-03-05", "content": body});
            let data =
                serde_json::json!({"props": {"list": [other], "article": own}}).to_string().replace('<', "\\u003c");
            let script = if body.is_string() {
                format!("<script>window.__DATA__ = {data};</script>")
            } else {
                format!("<script id=__NEXT_DATA__ type='application/json'>{data}</script>")
            };
            let page = format!("<title>{title} | المرفأ</title><div id=__next>تحميل</div>{script}");
            let sheet = of_text(&page, &ReadOptions::default());
            let lines: Vec<&str> = sheet.lines.iter().filter(|line| line.body).map(|line| line.text.as_str()).collect();
            assert_eq!(lines, text, "{data}");
            assert_eq!(sheet.declared.title.as_deref(), Some(title));
            assert_eq!(sheet.declared.byline.as_deref(), Some("سناء الخطيب"));
            assert_eq!(sheet.declared.date.as_deref(), Some("2024-03-05"));
            assert!(sheet.warnings[0].starts_with("the text was taken from the page's data"));
            // Where the page shows a text, its data are not asked.
            let shown: String =
                (1..=4).map(|n| format!("<p>{} في الفقرة {n}.</p>", text[0].trim_end_matches('.'))).collect();
            let sheet = of_text(&format!("{page}<article><h1>{title}</h1>{shown}</article>"), &ReadOptions::default());
            assert_eq!(sheet.lines.iter().filter(|line| line.body).count(), 4);
        }
    }
}
