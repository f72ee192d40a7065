//! One row of a table or one entry of a feed, as the article that it holds.
//!
//! In: fields by name. Out: a [`Record`], whose JSON is the bytes of a [`super::SourceFile`] of kind `Record`: the same
//! row gives the same bytes. Which names stand for what is decided here; reading the article is
//! [`crate::document`]'s.

use serde::{Deserialize, Serialize};

use super::Why;
use crate::arabic::letters;

/// An article with its fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The headline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The text, plain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The text as a piece of a web page; then there is no plain one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// When it was published, in the words of the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub byline: Option<String>,
    /// Who published it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The part of the site or paper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// The language that the field names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The encoding that the table or feed was read in, as its WHATWG name.
    #[serde(default)]
    pub encoding: String,
}

/// What a field of an article can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Text,
    Html,
    Title,
    Date,
    Byline,
    Publisher,
    Link,
    Section,
    Language,
}

/// Names of fields, the likeliest of each role first, as [`folded`] gives them.
const NAMES: &[(Role, &[&str])] = &[
    (
        Role::Text,
        &[
            "text",
            "body",
            "content",
            "article",
            "article_text",
            "article_body",
            "articlebody",
            "full_text",
            "fulltext",
            "maintext",
            "main_text",
            "body_text",
            "story",
            "النص",
            "نص",
            "نص المقال",
            "نص الخبر",
            "المتن",
            "متن",
            "المحتوى",
            "محتوى",
            "محتوى المقال",
            "محتوى الخبر",
            "المقال",
            "مقال",
            "texte",
            "contenu",
        ],
    ),
    (Role::Html, &["html", "content_html", "body_html", "article_html", "content_encoded"]),
    (
        Role::Title,
        &[
            "title",
            "headline",
            "article_title",
            "العنوان",
            "عنوان",
            "عنوان المقال",
            "عنوان الخبر",
            "الترويسة",
            "titre",
            "heading",
        ],
    ),
    (
        Role::Date,
        &[
            "date",
            "published",
            "publication_date",
            "published_at",
            "date_published",
            "datepublished",
            "publish_date",
            "published_date",
            "pubdate",
            "pub_date",
            "datetime",
            "التاريخ",
            "تاريخ",
            "تاريخ النشر",
            "تاريخ المقال",
            "تاريخ الخبر",
            "نشر في",
            "created_at",
            "timestamp",
            "time",
        ],
    ),
    (
        Role::Byline,
        &[
            "author",
            "byline",
            "authors",
            "creator",
            "writer",
            "الكاتب",
            "كاتب",
            "المؤلف",
            "مؤلف",
            "المحرر",
            "بقلم",
            "auteur",
        ],
    ),
    (
        Role::Publisher,
        &[
            "source",
            "publisher",
            "outlet",
            "newspaper",
            "site_name",
            "site",
            "agency",
            "المصدر",
            "مصدر",
            "الناشر",
            "ناشر",
            "الصحيفه",
            "الجريده",
            "الموقع",
            "الوكاله",
        ],
    ),
    (
        Role::Link,
        &["url", "link", "canonical", "permalink", "href", "الرابط", "رابط", "العنوان الالكتروني", "source_url"],
    ),
    (Role::Section, &["section", "category", "القسم", "قسم", "التصنيف", "تصنيف", "الفئه", "الباب"]),
    (Role::Language, &["language", "lang", "اللغه", "لغه"]),
];

/// Returns a field's name as it is compared: in lower case, Arabic letters folded, without marks and blanks at its ends.
pub(super) fn folded(name: &str) -> String {
    let name = name.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '"' | ':'));
    let lower = name.to_lowercase().replace([' ', '-'], "_");
    if lower.is_ascii() { lower } else { letters::key(&name.split_whitespace().collect::<Vec<_>>().join(" ")) }
}

/// Returns what a field stands for by its name, and how likely that is: the smaller, the likelier.
pub(super) fn role(name: &str) -> Option<(Role, usize)> {
    let name = folded(name);
    NAMES
        .iter()
        .find_map(|(role, names)| names.iter().position(|known| folded(known) == name).map(|place| (*role, place)))
}

/// The names that the user gave for fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// The field that holds the text.
    pub text: Option<String>,
    /// The field that holds the headline.
    pub title: Option<String>,
    /// The field that holds the date.
    pub date: Option<String>,
}

/// Which field of a table stands for what: places in its list of names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Plan {
    places: Vec<(Role, usize)>,
}

impl Plan {
    /// Finds the fields of an article among names.
    ///
    /// # Errors
    /// Where there is no text among them, a field that the user named is not there, or one that is needed is there twice.
    pub(super) fn of(names: &[String], fields: &Fields) -> Result<Self, Why> {
        let mut best: Vec<(Role, usize, usize)> = Vec::new();
        for (place, name) in names.iter().enumerate() {
            let Some((role, rank)) = role(name) else { continue };
            match best.iter_mut().find(|(known, ..)| *known == role) {
                Some(known) if known.1 > rank => *known = (role, rank, place),
                Some(_) => {}
                None => best.push((role, rank, place)),
            }
        }
        let mut places: Vec<(Role, usize)> = best.into_iter().map(|(role, _, place)| (role, place)).collect();
        for (role, wanted) in [(Role::Text, &fields.text), (Role::Title, &fields.title), (Role::Date, &fields.date)] {
            let Some(wanted) = wanted else { continue };
            let exact = names.iter().position(|name| name == wanted);
            let place = exact.or_else(|| names.iter().position(|name| folded(name) == folded(wanted)));
            let Some(place) = place else {
                return Err(Why::Column { problem: "no column", column: wanted.clone(), columns: listed(names) });
            };
            // A field has one role: the one that the user gave it.
            places.retain(|&(known, at)| known != role && at != place);
            places.push((role, place));
            if role == Role::Text {
                places.retain(|&(known, _)| known != Role::Html);
            }
        }
        if !places.iter().any(|(role, _)| matches!(role, Role::Text | Role::Html)) {
            return Err(Why::NoTextColumn { columns: listed(names) });
        }
        let twice = places.iter().find(|&&(_, place)| {
            names.iter().enumerate().any(|(other, name)| other != place && folded(name) == folded(&names[place]))
        });
        if let Some(&(_, place)) = twice {
            let (problem, column) = ("two columns are called", names[place].clone());
            return Err(Why::Column { problem, column, columns: listed(names) });
        }
        Ok(Self { places })
    }

    /// Returns the name of the field that holds the text.
    pub(super) fn text_name<'n>(&self, names: &'n [String]) -> &'n str {
        let place = self.places.iter().find(|(role, _)| matches!(role, Role::Text | Role::Html));
        place.and_then(|&(_, place)| names.get(place)).map_or("", String::as_str)
    }

    /// Makes the article of a row; `value` gives the value of a field by its place.
    pub(super) fn record<'v>(&self, value: impl Fn(usize) -> Option<&'v str>) -> Record {
        let mut record = Record::default();
        for &(role, place) in &self.places {
            if let Some(value) = value(place).map(str::trim).filter(|value| !value.is_empty()) {
                record.set(role, value);
            }
        }
        record
    }
}

impl Record {
    /// Fills a field.
    pub(super) fn set(&mut self, role: Role, value: &str) {
        let field = match role {
            Role::Text if is_html(value) => &mut self.html,
            Role::Text => &mut self.text,
            Role::Html => &mut self.html,
            Role::Title => &mut self.title,
            Role::Date => &mut self.date,
            Role::Byline => &mut self.byline,
            Role::Publisher => &mut self.publisher,
            Role::Link => &mut self.link,
            Role::Section => &mut self.section,
            Role::Language => &mut self.language,
        };
        *field = Some(value.to_owned());
    }

    /// Returns whether it holds an article's text.
    pub(super) fn has_text(&self) -> bool {
        self.text.is_some() || self.html.is_some()
    }

    /// Returns the bytes that stand for it.
    pub(super) fn bytes(mut self, encoding: &str) -> Vec<u8> {
        self.encoding = encoding.to_owned();
        if self.text.is_some() {
            self.html = None;
        }
        serde_json::to_vec(&self).expect("strings are always JSON")
    }
}

/// Returns whether the text of a field is a piece of a web page.
fn is_html(value: &str) -> bool {
    let start = value.trim_start();
    start.starts_with('<')
        && ["</p>", "</div>", "<br", "</h2>", "</P>", "</article>", "</html>"].iter().any(|tag| start.contains(tag))
}

/// Returns the names of columns for a message: as many as can be read at a glance.
fn listed(names: &[String]) -> String {
    const MOST: usize = 12;
    let mut shown: Vec<String> =
        names.iter().take(MOST).map(|name| super::printable(&name.chars().take(60).collect::<String>())).collect();
    if names.len() > MOST {
        shown.push(format!("and {} more", names.len() - MOST));
    }
    if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }
}

/// Returns whether a line is a JSON object.
pub(super) fn is_object(line: &str) -> bool {
    serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(line).is_ok()
}

/// Keys that an object keeps the value of a field under: `{"rendered": ...}` in `WordPress`, `{"name": ...}` for who it is.
const VALUES: [&str; 5] = ["rendered", "text", "name", "value", "plain"];

/// Returns the value of a JSON field as the text of a field: lists of strings are paragraphs, strings among objects with a
/// text (links in Telegram's exports) one text, whole numbers stay.
pub(super) fn shown(value: &serde_json::Value, role: Role) -> Option<String> {
    use serde_json::Value;
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if role == Role::Date => number.as_i64().and_then(moment),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(object) => VALUES.iter().find_map(|key| object.get(*key)?.as_str()).map(str::to_owned),
        Value::Array(list) if list.iter().any(Value::is_string) && list.iter().any(Value::is_object) => {
            list.iter().map(|part| part.as_str().or_else(|| part.get("text")?.as_str())).collect()
        }
        Value::Array(list) => {
            let parts: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
            let between = if role == Role::Text { "\n\n" } else { "، " };
            (!parts.is_empty() && parts.len() == list.len()).then(|| parts.join(between))
        }
        _ => None,
    }
}

/// Reads a number as seconds or milliseconds since 1970, where that is a day of the web's time.
fn moment(number: i64) -> Option<String> {
    let seconds = if number > 100_000_000_000 { number / 1000 } else { number };
    // 1990 to 2100.
    (631_152_000..4_102_444_800)
        .contains(&seconds)
        .then(|| jiff::Timestamp::from_second(seconds).ok())?
        .map(|at| at.to_string())
}

/// Finds the fields of an article in a JSON object.
///
/// # Errors
/// As [`Plan::of`].
pub(super) fn of_object(
    object: &serde_json::Map<String, serde_json::Value>,
    fields: &Fields,
) -> Result<(Record, String), Why> {
    let names: Vec<String> = object.keys().cloned().collect();
    let plan = Plan::of(&names, fields)?;
    let values: Vec<&serde_json::Value> = object.values().collect();
    let mut record = Record::default();
    for &(role, place) in &plan.places {
        let value = values.get(place).and_then(|value| shown(value, role));
        if let Some(value) = value.as_deref().map(str::trim).filter(|value| !value.is_empty()) {
            record.set(role, value);
        }
    }
    Ok((record, plan.text_name(&names).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn columns_are_known_in_arabic_and_english() {
        for list in
            [["id", "Title", "Body", "pubDate", "Source"], ["الرقم", "العنوان", "النص", "تاريخ النشر", "المصدر"]]
        {
            let plan = Plan::of(&names(&list), &Fields::default()).unwrap();
            let record = plan.record(|place| Some(["1", "ع", "ن", "2024-03-12", "م"][place]));
            assert_eq!((record.title.as_deref(), record.text.as_deref()), (Some("ع"), Some("ن")), "{list:?}");
            assert_eq!((record.date.as_deref(), record.publisher.as_deref()), (Some("2024-03-12"), Some("م")));
        }
    }

    #[test]
    fn what_the_user_names_goes_first_and_what_is_not_there_is_said() {
        let fields = Fields { text: Some("lead".to_owned()), ..Fields::default() };
        let list = names(&["title", "body", "lead"]);
        let record = Plan::of(&list, &fields).unwrap().record(|place| Some(["t", "b", "l"][place]));
        assert_eq!(record.text.as_deref(), Some("l"));
        let missing = Fields { date: Some("when".to_owned()), ..Fields::default() };
        let error = Plan::of(&list, &missing).unwrap_err().to_string();
        assert_eq!(error, "no column \"when\": it has title, body, lead");
        let error = Plan::of(&names(&["a", "b"]), &Fields::default()).unwrap_err().to_string();
        assert_eq!(error, "no column that holds an article's text: it has a, b; name one with --text-field");
        assert!(Plan::of(&names(&["body", "Body", "title"]), &Fields::default()).is_err(), "which of the two?");
    }

    #[test]
    fn values_of_json_become_text() {
        let object =
            serde_json::json!({"content": ["فقرة أولى.", "فقرة ثانية."], "published": 1_710_234_900, "n": null});
        let (record, name) = of_object(object.as_object().unwrap(), &Fields::default()).unwrap();
        assert_eq!((record.text.as_deref(), name.as_str()), (Some("فقرة أولى.\n\nفقرة ثانية."), "content"));
        assert_eq!(record.date.as_deref(), Some("2024-03-12T09:15:00Z"));
        let page = serde_json::json!({"body": "<p>فقرة.</p>"});
        let (record, _) = of_object(page.as_object().unwrap(), &Fields::default()).unwrap();
        assert!(record.text.is_none() && record.html.is_some());
    }
}
