//! What a page declares of its article outside its text: JSON-LD, `OpenGraph`, Dublin Core, meta tags, microdata.
//!
//! In: the tree of a page. Out: [`Facts`]: for each question all answers, the most trusted first. Which answer holds, with
//! the page's text as the check, is [`super`]'s. Sources: schema.org (`NewsArticle`, `LiveBlogPosting`), ogp.me, DCMI terms.

use super::class::{self, Says};
use super::dom::{Dom, Id};
use super::json;
use super::runs::is_hidden;
use crate::document::stated;

/// What a page declares.
#[derive(Debug, Default, Clone)]
pub(super) struct Facts {
    pub titles: Vec<String>,
    pub bylines: Vec<String>,
    pub publishers: Vec<String>,
    /// Dates of publication, then those of changes.
    pub dates: Vec<String>,
    pub sections: Vec<String>,
    pub canonical: Option<String>,
    pub descriptions: Vec<String>,
    /// The window's title.
    pub window: String,
    /// The text of the article, where a script holds it.
    pub body: Option<String>,
    /// Whether the page is a running report of many posts.
    pub live: bool,
    /// Whether only a part of the article can be read without paying.
    pub cut: bool,
    /// `lang` and `dir` of the page.
    pub language: Option<String>,
    pub direction: Option<String>,
}

impl Facts {
    /// Cleans all words.
    pub fn clean(&mut self, clean: impl Fn(&str) -> String) {
        for list in
            [&mut self.titles, &mut self.bylines, &mut self.publishers, &mut self.sections, &mut self.descriptions]
        {
            list.iter_mut().for_each(|words| *words = clean(words));
        }
        self.window = clean(&self.window);
    }
}

/// How many elements of a page are asked for facts, and how many bytes of JSON.
const MAX_SCRIPTS: usize = 60;

/// Reads what a page declares.
pub(super) fn facts(dom: &Dom) -> Facts {
    let mut facts = Facts::default();
    let mut later = Facts::default();
    let mut scripts = 0;
    // The article that the headline stands in, where a page has several: the others are of other articles.
    // The only entry of a page by the hAtom microformat: its author and date may stand in its own footer.
    let mut entries = dom.all(0).filter(|&id| has_word(dom.attribute(id, "class"), "hentry"));
    let entry = entries.next().filter(|_| entries.next().is_none());
    let own = dom.all(0).find(|&id| dom.name(id) == "h1").and_then(|id| article_of(dom, id));
    for id in dom.all(0) {
        match dom.name(id) {
            "html" => {
                facts.language = dom.attribute(id, "lang").map(str::to_owned);
                facts.direction = dom.attribute(id, "dir").map(str::to_owned);
            }
            "title" if facts.window.is_empty() => facts.window = inner_text(dom, id),
            "script" if scripts < MAX_SCRIPTS => {
                let kind = dom.attribute(id, "type").unwrap_or_default().trim();
                if kind.eq_ignore_ascii_case("application/ld+json") {
                    scripts += 1;
                    json::linked_data(&raw_text(dom, id), &mut facts);
                }
            }
            "meta" => meta(dom, id, &mut facts, &mut later),
            "link" if facts.canonical.is_none() && has_word(dom.attribute(id, "rel"), "canonical") => {
                facts.canonical = dom.attribute(id, "href").map(str::trim).filter(|h| !h.is_empty()).map(str::to_owned);
            }
            "" => {}
            name => {
                element(dom, id, name, own, &mut later);
                entry_facts(dom, id, entry, &mut later);
            }
        }
    }
    for (first, second) in [
        (&mut facts.titles, later.titles),
        (&mut facts.bylines, later.bylines),
        (&mut facts.publishers, later.publishers),
        (&mut facts.dates, later.dates),
        (&mut facts.sections, later.sections),
        (&mut facts.descriptions, later.descriptions),
    ] {
        first.extend(second);
        first.iter_mut().for_each(|words| *words = spaced(words));
        first.retain(|words| !words.is_empty());
        first.truncate(40);
    }
    facts.canonical = facts.canonical.or(later.canonical);
    facts
}

fn meta(dom: &Dom, id: Id, facts: &mut Facts, later: &mut Facts) {
    let Some(content) = dom.attribute(id, "content").filter(|content| !content.trim().is_empty()) else { return };
    let name = ["property", "name", "itemprop"].iter().find_map(|key| dom.attribute(id, key)).unwrap_or_default();
    for name in name.split_ascii_whitespace() {
        let name = name.to_ascii_lowercase();
        let list = match name.as_str() {
            "og:title" | "headline" | "schema:name" | "rnews:name" => &mut facts.titles,
            "twitter:title" | "dc.title" | "dcterms.title" | "title" | "parsely-title" | "sailthru.title" => {
                &mut later.titles
            }
            "author" | "dc.creator" | "dcterms.creator" | "article:author" | "og:article:author" | "parsely-author"
            | "sailthru.author" | "twitter:data1" | "byl" | "dc:creator" => {
                // A second label says what the first datum of a card is.
                if name != "twitter:data1" {
                    facts.bylines.push(content.to_owned());
                }
                continue;
            }
            "og:site_name" => &mut facts.publishers,
            "application-name" | "publisher" | "dc.publisher" | "dcterms.publisher" | "apple-mobile-web-app-title" => {
                &mut later.publishers
            }
            "article:published_time" | "og:article:published_time" | "datepublished" | "og:pubdate" => &mut facts.dates,
            "dc.date" | "dc.date.issued" | "dcterms.issued" | "dcterms.created" | "dcterms.date" | "date"
            | "pubdate" | "publishdate" | "publish-date" | "publication_date" | "parsely-pub-date"
            | "sailthru.date" | "dc:date" => &mut later.dates,
            "article:section" | "og:article:section" | "articlesection" | "parsely-section" | "section" => {
                &mut facts.sections
            }
            "og:url" => {
                later.canonical.get_or_insert_with(|| content.trim().to_owned());
                continue;
            }
            "description" | "og:description" | "twitter:description" | "dc.description" => &mut facts.descriptions,
            _ => continue,
        };
        list.push(content.to_owned());
    }
}

/// Reads what microdata and `RDFa` say on the elements of the page itself.
fn element(dom: &Dom, id: Id, name: &str, own: Option<Id>, later: &mut Facts) {
    let said = ["itemprop", "property"].iter().find_map(|key| dom.attribute(id, key)).unwrap_or_default();
    for word in said.split_ascii_whitespace() {
        let word = word.rsplit(':').next().unwrap_or(word);
        let value = || {
            let value = dom.attribute(id, "datetime").or_else(|| dom.attribute(id, "content"));
            value.map_or_else(|| dom.text(id), str::to_owned)
        };
        match word {
            "headline" if !is_listed(dom, id) => later.titles.push(dom.text(id)),
            "datePublished" | "dateCreated" => later.dates.insert(0, value()),
            "date" => later.dates.push(value()),
            "author" | "creator" if !is_listed(dom, id) => later.bylines.push(value()),
            "articleSection" => later.sections.push(value()),
            _ => {}
        }
    }
    if name == "time"
        && let Some(moment) = dom.attribute(id, "datetime")
        && !is_listed(dom, id)
        && !is_change(class::of(dom, id))
        && !of_another(dom, id, own)
    {
        later.dates.push(moment.to_owned());
    }
    // Old microformats and exports: the words show the hour, the title says the moment.
    if let Some(title) = dom.attribute(id, "title")
        && title.contains(|c: char| c.is_ascii_digit())
        && (name == "abbr" || class::of(dom, id).any(Says::DATE))
        && !is_listed(dom, id)
        && !of_another(dom, id, own)
        && stated::read(title).is_some_and(|date| date.at.is_some())
    {
        later.dates.push(title.to_owned());
    }
    if name == "a" && !is_listed(dom, id) {
        let rel = dom.attribute(id, "rel");
        if has_word(rel, "author") {
            later.bylines.push(dom.text(id));
        }
        if has_word(rel, "category") && !of_another(dom, id, own) {
            later.sections.push(dom.text(id));
        }
    }
}

/// Reads what the hAtom microformat says of an entry: `published` with the moment in its title, `fn` in a `vcard`.
fn entry_facts(dom: &Dom, id: Id, entry: Option<Id>, later: &mut Facts) {
    let Some(class) = dom.attribute(id, "class") else { return };
    let published = has_word(Some(class), "published");
    let name = has_word(Some(class), "fn");
    if !(published || name) || !entry.is_some_and(|entry| dom.is_under(id, entry)) {
        return;
    }
    if published && let Some(title) = dom.attribute(id, "title") {
        later.dates.push(title.to_owned());
    }
    let card = || dom.ancestors(id).take(3).any(|at| has_word(dom.attribute(at, "class"), "vcard"));
    let comment = || {
        let comment =
            |at| ["class", "id"].iter().any(|key| dom.attribute(at, key).is_some_and(|v| v.contains("comment")));
        dom.ancestors(id).take_while(|&at| Some(at) != entry).any(comment)
    };
    if name && card() && !comment() {
        later.bylines.push(dom.text(id));
    }
}

/// Returns the nearest article that a node stands in.
fn article_of(dom: &Dom, id: Id) -> Option<Id> {
    dom.ancestors(id).find(|&at| dom.name(at) == "article")
}

/// Returns whether a node stands in an article beside the one with the headline.
fn of_another(dom: &Dom, id: Id, own: Option<Id>) -> bool {
    own.is_some_and(|own| {
        article_of(dom, id).is_some_and(|article| !dom.is_under(own, article) && !dom.is_under(id, own))
    })
}

/// Returns whether names speak of the date of a change and not of that of publication.
pub(super) fn is_change(says: Says) -> bool {
    says.any(Says::CHANGED) && !says.any(Says::DATE)
}

/// Returns whether an element stands in what the site adds: a list of other articles has headlines and authors too.
fn is_listed(dom: &Dom, id: Id) -> bool {
    dom.ancestors(id).any(|above| {
        matches!(dom.name(above), "aside" | "nav")
            || is_hidden(dom, above, dom.name(above))
            || (class::of(dom, above).any(Says::FURNITURE)
                && !matches!(dom.name(above), "body" | "main" | "article" | "html"))
    })
}

fn has_word(value: Option<&str>, word: &str) -> bool {
    value.is_some_and(|value| value.split_ascii_whitespace().any(|part| part.eq_ignore_ascii_case(word)))
}

/// Returns words with single spaces.
pub(super) fn spaced(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn inner_text(dom: &Dom, id: Id) -> String {
    spaced(&raw_text(dom, id))
}

/// Returns the words of a script as they stand there.
pub(super) fn raw_text(dom: &Dom, id: Id) -> String {
    dom.all(id).filter_map(|id| dom.own_text(id)).collect()
}
