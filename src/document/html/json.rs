//! What scripts of a page say of its article: JSON-LD, and the data that single-page sites are drawn from.
//!
//! In: the text of a script. Out: [`Facts`]. Broken JSON is mended where that is certain (line breaks in strings, commas
//! before a bracket, comment marks around it); serde's own limit of depth holds. Source: schema.org.

use serde_json::Value;

use super::facts::Facts;

/// The most bytes of a script that are parsed, and the most values that are visited in it.
const MAX_BYTES: usize = 4 * 1024 * 1024;
const MAX_VALUES: usize = 200_000;

/// Types of things that are an article.
const ARTICLES: &[&str] = &[
    "NewsArticle",
    "Article",
    "ReportageNewsArticle",
    "AnalysisNewsArticle",
    "OpinionNewsArticle",
    "BackgroundNewsArticle",
    "ReviewNewsArticle",
    "AskPublicNewsArticle",
    "LiveBlogPosting",
    "BlogPosting",
    "SocialMediaPosting",
    "Report",
];

/// Reads a block of JSON-LD.
pub(super) fn linked_data(script: &str, facts: &mut Facts) {
    let Some(value) = parse(script) else { return };
    let mut things = Vec::new();
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
                things.push(value);
                // Only what says that it is this page: an article's parts are read where it is read.
                for key in ["mainEntity", "mainEntityOfPage", "@graph"] {
                    if let Some(inner) = fields.get(key) {
                        open.push(inner);
                    }
                }
            }
            _ => {}
        }
    }
    for thing in &things {
        if is_a(thing, ARTICLES) {
            article(thing, facts, &things);
        }
    }
    for thing in &things {
        if is_a(thing, &["BreadcrumbList"]) {
            breadcrumbs(thing, facts);
        }
        if is_a(thing, &["WebSite", "Organization", "NewsMediaOrganization"]) {
            facts.publishers.extend(name(thing, &things));
        }
    }
}

fn is_a(thing: &Value, wanted: &[&str]) -> bool {
    let is = |kind: &Value| {
        kind.as_str().is_some_and(|kind| {
            let kind = kind.rsplit(['/', ':', '#']).next().unwrap_or(kind);
            wanted.contains(&kind)
        })
    };
    match &thing["@type"] {
        Value::Array(kinds) => kinds.iter().any(is),
        kind => is(kind),
    }
}

fn article(thing: &Value, facts: &mut Facts, things: &[&Value]) {
    let text = |key: &str| thing[key].as_str().map(str::to_owned);
    facts.titles.extend(text("headline").or_else(|| text("name")));
    facts.bylines.extend(names(&thing["author"], things));
    facts.publishers.extend(names(&thing["publisher"], things));
    facts.dates.extend(text("datePublished"));
    facts.dates.extend(text("dateCreated"));
    facts.live |= is_a(thing, &["LiveBlogPosting"]);
    if facts.dates.is_empty() {
        facts.dates.extend(text("coverageEndTime").or_else(|| text("dateModified")));
    }
    match &thing["articleSection"] {
        Value::Array(sections) => facts.sections.extend(sections.iter().filter_map(Value::as_str).map(str::to_owned)),
        section => facts.sections.extend(section.as_str().map(str::to_owned)),
    }
    facts.descriptions.extend(text("description"));
    if facts.body.is_none() {
        facts.body = text("articleBody").filter(|body| !body.trim().is_empty());
    }
    let free = &thing["isAccessibleForFree"];
    facts.cut |= free == &Value::Bool(false) || free.as_str().is_some_and(|free| free.eq_ignore_ascii_case("false"));
}

/// Returns the names of persons or organisations: strings, objects, lists of these, references to other things.
fn names(value: &Value, things: &[&Value]) -> Vec<String> {
    match value {
        Value::String(name) => vec![name.clone()],
        Value::Array(all) => {
            let all: Vec<String> = all.iter().filter(|v| !v.is_array()).flat_map(|v| names(v, things)).collect();
            if all.is_empty() { all } else { vec![all.join("، ")] }
        }
        Value::Object(_) => name(value, things).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn name(thing: &Value, things: &[&Value]) -> Option<String> {
    let own = thing["name"].as_str().or_else(|| thing["name"][0].as_str());
    own.map(str::to_owned).or_else(|| {
        let id = thing["@id"].as_str()?;
        things.iter().find(|other| other["@id"] == *id).and_then(|other| other["name"].as_str()).map(str::to_owned)
    })
}

/// Takes the last but one step of a path as the section: the last is the article.
fn breadcrumbs(thing: &Value, facts: &mut Facts) {
    let Some(items) = thing["itemListElement"].as_array() else { return };
    let names: Vec<&str> =
        items.iter().filter_map(|item| item["name"].as_str().or_else(|| item["item"]["name"].as_str())).collect();
    if names.len() >= 3 {
        facts.sections.push(names[names.len() - 2].to_owned());
    }
}

/// Parses JSON, mended where it must be.
fn parse(script: &str) -> Option<Value> {
    if script.len() > MAX_BYTES {
        return None;
    }
    let script = script.trim().trim_start_matches("<!--").trim_end_matches("-->").trim();
    let script = script.trim_start_matches("//").trim_start_matches("<![CDATA[").trim_end_matches("]]>");
    let script = script.trim().trim_end_matches("//").trim_end().trim_end_matches(';');
    serde_json::from_str(script).ok().or_else(|| serde_json::from_str(&mended(script)).ok())
}

/// Takes raw control characters out of strings, and commas before a closing bracket.
fn mended(script: &str) -> String {
    let mut out = String::with_capacity(script.len());
    let (mut inside, mut escaped) = (false, false);
    for c in script.chars() {
        if inside {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => inside = false,
                _ => {}
            }
            out.push(if c.is_control() { ' ' } else { c });
            continue;
        }
        match c {
            '"' => inside = true,
            '}' | ']' => {
                let end = out.trim_end().len();
                if out[..end].ends_with(',') {
                    out.truncate(end - 1);
                }
            }
            _ => {}
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(script: &str) -> Facts {
        let mut facts = Facts::default();
        linked_data(script, &mut facts);
        facts
    }

    #[test]
    fn articles_are_found_in_all_shapes() {
        for script in [
            r#"{"@type":"NewsArticle","headline":"ع","author":{"@type":"Person","name":"ك"},"publisher":{"name":"ن"},"datePublished":"2024-01-02"}"#,
            r#"[{"@type":"WebSite"},{"@type":["Article","NewsArticle"],"headline":"ع","author":[{"name":"ك"}],"publisher":"ن","datePublished":"2024-01-02"}]"#,
            r##"{"@graph":[{"@type":"Person","@id":"#p","name":"ك"},{"@type":"http://schema.org/Article","headline":"ع","author":{"@id":"#p"},"publisher":{"name":"ن"},"datePublished":"2024-01-02"}]}"##,
            "<!-- {\"@type\":\"Article\",\"headline\":\"ع\",\"author\":\"ك\",\"publisher\":{\"name\":\"ن\",},\"datePublished\":\"2024-01-02\",\"x\":\"a\nb\"}; -->",
        ] {
            let facts = read(script);
            assert_eq!(
                (facts.titles, facts.bylines, facts.publishers, facts.dates),
                (vec!["ع".to_owned()], vec!["ك".to_owned()], vec!["ن".to_owned()], vec!["2024-01-02".to_owned()]),
                "{script}"
            );
        }
    }

    #[test]
    fn what_cannot_be_mended_says_nothing() {
        assert!(read("{\"@type\":\"Article\",\"headline\":").titles.is_empty());
        assert!(read(&"[".repeat(100_000)).titles.is_empty());
    }
}
