//! Feeds: RSS 0.9 to 2.0 and Atom. One article an entry, where the feed holds the articles and not their leads alone.
//!
//! In: the bytes of a feed. Out: a [`Record`] or a reason for each entry, in order. No entity is expanded but those of XML
//! and HTML; a feed that declares its own is refused. Sources: RSS 2.0 and its `content`
//! and `dc` modules, RFC 4287; the events are quick-xml's.

mod words;

use quick_xml::Reader;
use quick_xml::escape::resolve_html5_entity;
use quick_xml::events::{BytesStart, Event};

use super::record::{Record, Role};
use super::{Why, encoding};
use words::{escaped, is_cut, plain, without_sign_off};

/// How deep elements may lie in each other: the pages within entries are shallow.
const MAX_DEPTH: usize = 256;
/// Words from which the description of an entry without content is an article and not its lead.
const MIN_WORDS: usize = 80;
/// Words from which it is one where it is whole sentences: agencies put their short items there.
const MIN_ITEM: usize = 40;

/// Decodes a feed: by its mark, by what the user says, by what it declares, else as text.
///
/// # Errors
/// Where it is no text.
pub(super) fn decode(bytes: &[u8], wanted: Option<encoding::Charset>) -> Result<(String, String), Why> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]);
    let declared = || {
        let declaration = head.split_once("<?xml")?.1.split_once("?>")?.0;
        let value = declaration.split_once("encoding")?.1.trim_start_matches([' ', '=']);
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        value[1..].split(quote).next()
    };
    let decoded = encoding::decode(bytes, wanted, declared());
    let decoded = decoded.map_err(|error| Why::Damaged { what: error.to_string() })?;
    Ok((decoded.text, decoded.encoding.to_owned()))
}

/// Reads a feed entry by entry; `each` gets its number, from 1, and returns whether to go on.
///
/// # Errors
/// Where it is not XML, declares entities or nests too deep.
pub(super) fn read(text: &str, mut each: impl FnMut(usize, Result<Record, Why>) -> bool) -> Result<(), Why> {
    let damaged = |what: String| Why::Damaged { what };
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    reader.config_mut().check_end_names = false;
    // "&" that stands for itself is a common fault of those who write addresses by hand: it is that sign.
    reader.config_mut().allow_dangling_amp = true;
    let mut state = State::default();
    loop {
        let event = reader.read_event().map_err(|error| damaged(format!("not XML: {error}")))?;
        match event {
            Event::DocType(declaration) if declaration.contains("<!ENTITY") || declaration.contains('[') => {
                return Err(damaged("the feed declares entities of its own, which are not expanded".to_owned()));
            }
            Event::Start(start) => {
                state.open(&start);
                if state.path.len() > MAX_DEPTH {
                    return Err(damaged(format!("elements more than {MAX_DEPTH} deep")));
                }
            }
            Event::Empty(start) => {
                state.open(&start);
                if let Some(done) = state.close()
                    && !each(state.number, done)
                {
                    return Ok(());
                }
            }
            Event::End(_) => {
                if let Some(done) = state.close()
                    && !each(state.number, done)
                {
                    return Ok(());
                }
            }
            Event::Text(words) => state.text(&words),
            Event::CData(words) => state.text(&words),
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().ok().flatten();
                match (character, resolve_html5_entity(&reference)) {
                    (Some(c), _) => state.text(c.encode_utf8(&mut [0; 4])),
                    (None, Some(words)) => state.text(words),
                    (None, None) => state.text(&format!("&{};", &*reference)),
                }
            }
            Event::Eof => {
                return if state.path.is_empty() { Ok(()) } else { Err(damaged("the feed is cut off".to_owned())) };
            }
            _ => {}
        }
    }
}

/// An entry being read.
#[derive(Debug, Default)]
struct Entry {
    record: Record,
    content: String,
    description: String,
    /// Whether the date is the first publication's: an update's date is taken only where there is no other.
    published: bool,
}

/// Where in the feed the reader is.
#[derive(Debug, Default)]
struct State {
    /// The elements that are open: their names, with the prefix where it tells something.
    path: Vec<String>,
    language: Option<String>,
    /// The number of the entry that was opened last.
    number: usize,
    /// The entry, and how deep it lies.
    entry: Option<(Entry, usize)>,
    /// The words of the field of the entry that is open.
    words: String,
    /// How deep the element lies whose inside is kept as a page.
    page: Option<usize>,
    /// Whether what is in that element is markup written out as elements.
    xhtml: bool,
}

impl State {
    fn open(&mut self, start: &BytesStart<'_>) {
        let name = start.local_name().as_ref().to_ascii_lowercase();
        if self.page.is_some() {
            if self.xhtml {
                self.words.push('<');
                self.words.push_str(&name);
                for key in ["href", "src", "alt", "class", "dir", "lang"] {
                    if let Some(value) = attribute(start, key) {
                        self.words.push_str(&format!(" {key}=\"{}\"", escaped(&value)));
                    }
                }
                self.words.push('>');
            }
            self.path.push(name);
            return;
        }
        let depth = self.path.len();
        if matches!(name.as_str(), "item" | "entry") && self.entry.is_none() {
            self.number += 1;
            let mut entry = Entry::default();
            entry.record.language = attribute(start, "lang").or_else(|| self.language.clone());
            self.entry = Some((entry, depth));
        } else if name == "feed" {
            self.language = attribute(start, "lang");
        }
        if let Some((entry, at)) = &mut self.entry
            && depth == *at + 1
        {
            self.words.clear();
            match name.as_str() {
                "link" => {
                    let relation = attribute(start, "rel");
                    if let Some(href) =
                        attribute(start, "href").filter(|_| relation.as_deref().is_none_or(|r| r == "alternate"))
                    {
                        entry.record.link.get_or_insert(href);
                    }
                }
                "category" => {
                    if let Some(term) = attribute(start, "term") {
                        entry.record.section.get_or_insert(term);
                    }
                }
                "content" | "encoded" | "description" | "summary" => {
                    self.page = Some(depth);
                    self.xhtml = attribute(start, "type").as_deref() == Some("xhtml");
                    if attribute(start, "type").as_deref() == Some("text") {
                        // Plain words: they are escaped again below, so that all content is a page.
                        self.xhtml = true;
                    }
                }
                _ => {}
            }
        }
        self.path.push(name);
    }

    fn text(&mut self, words: &str) {
        if self.page.is_some() && self.xhtml {
            self.words.push_str(&escaped(words));
        } else {
            self.words.push_str(words);
        }
    }

    /// Closes the element that is open; returns the entry where it is that.
    fn close(&mut self) -> Option<Result<Record, Why>> {
        let name = self.path.pop()?;
        let depth = self.path.len();
        if let Some(page) = self.page {
            if depth > page {
                if self.xhtml && !matches!(name.as_str(), "br" | "img" | "hr") {
                    self.words.push_str(&format!("</{name}>"));
                }
                return None;
            }
            self.page = None;
        }
        let Some((entry, at)) = &mut self.entry else {
            if name == "language" && !self.words.trim().is_empty() {
                self.language = Some(self.words.trim().to_owned());
            }
            self.words.clear();
            return None;
        };
        if depth == *at {
            let (entry, _) = self.entry.take()?;
            return Some(entry.finish());
        }
        // An Atom author's name lies one deeper.
        if depth == *at + 1 || (name == "name" && depth == *at + 2 && self.path.last().is_some_and(|p| p == "author")) {
            entry.field(&name, std::mem::take(&mut self.words).trim());
        }
        None
    }
}

impl Entry {
    fn field(&mut self, name: &str, words: &str) {
        if words.is_empty() {
            return;
        }
        let fill = |field: &mut Option<String>| {
            field.get_or_insert_with(|| words.to_owned());
        };
        match name {
            "title" => self.record.title = Some(plain(words)),
            "link" => fill(&mut self.record.link),
            "guid" if words.starts_with("http") => fill(&mut self.record.link),
            "pubdate" | "published" | "date" | "issued" => {
                self.record.date = Some(words.to_owned());
                self.published = true;
            }
            "updated" | "modified" if !self.published => fill(&mut self.record.date),
            // RSS has a mail address here, often with the name in brackets.
            "author" => {
                let name = words.split_once('(').map_or(words, |(_, name)| name.trim_end_matches(')'));
                if !name.contains('@') {
                    self.record.byline.get_or_insert_with(|| plain(name));
                }
            }
            "creator" | "name" => {
                self.record.byline.get_or_insert_with(|| plain(words));
            }
            "source" | "publisher" => {
                self.record.publisher.get_or_insert_with(|| plain(words));
            }
            "category" => {
                self.record.section.get_or_insert_with(|| plain(words));
            }
            "language" => self.record.language = Some(words.to_owned()),
            "encoded" | "content" => words.clone_into(&mut self.content),
            "description" | "summary" => words.clone_into(&mut self.description),
            _ => {}
        }
    }

    /// Returns the article, or why the entry holds none.
    fn finish(mut self) -> Result<Record, Why> {
        let content = without_sign_off(&self.content);
        let words = plain(&self.description);
        let count = words.split_whitespace().count();
        let cut = is_cut(&words);
        let in_content = plain(content).split_whitespace().count();
        // Some put the lead into the content and the article into the description: the longer one is the article.
        if in_content > 0 && (cut || count <= in_content) {
            self.record.set(Role::Html, content);
            return Ok(self.record);
        }
        if count == 0 {
            return Err(Why::Row { what: "an entry without text".to_owned() });
        }
        let sentences = words.split(['.', '؟', '!']).filter(|words| words.split_whitespace().count() >= 4).count();
        let whole = words.trim_end_matches(['"', '”', '»', ')', ' ']).ends_with('.') && sentences >= 2;
        if cut || (in_content == 0 && count < if whole { MIN_ITEM } else { MIN_WORDS }) {
            let how = if cut { "a cut lead" } else { "a lead" };
            let what = format!(
                "leads only: the entry holds {how} of {count} words and no article; save the page that it links to and give that"
            );
            return Err(Why::Row { what });
        }
        let description = without_sign_off(&self.description).to_owned();
        self.record.set(Role::Html, &description);
        Ok(self.record)
    }
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    /// Elements of feeds have a handful.
    const MOST: usize = 32;
    let mut found = start.attributes();
    found.with_checks(false);
    let attribute = found.take(MOST).filter_map(Result::ok).find(|a| a.key.local_name().as_ref() == name)?;
    Some(plain(&attribute.value)).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entries(text: &str) -> Result<Vec<Result<Record, String>>, String> {
        let mut all = Vec::new();
        let told = read(text, |_, record| {
            all.push(record.map_err(|why| why.to_string()));
            true
        });
        told.map(|()| all).map_err(|why| why.to_string())
    }

    const WORDPRESS: &str = "<rss xmlns:content='c' xmlns:dc='d'><channel><title>موقع</title><language>ar</language><item>\
        <title>عنوان &amp; خبر</title><link>https://a.example/1</link><dc:creator><![CDATA[كاتب]]></dc:creator>\
        <pubDate>Tue, 12 Mar 2024 09:15:00 +0300</pubDate><category>اقتصاد</category><description>مقدمة [&#8230;]</description>\
        <content:encoded><![CDATA[<p>فقرة أولى.</p><p>ظهرت المقالة <a>عنوان</a> أولاً على <a>موقع</a>.</p>]]></content:encoded>\
        </item></channel></rss>";

    #[test]
    fn an_entry_of_rss_is_an_article() {
        let all = entries(WORDPRESS).unwrap();
        let record = all[0].as_ref().unwrap();
        assert_eq!(record.title.as_deref(), Some("عنوان & خبر"));
        assert_eq!(record.html.as_deref(), Some("<p>فقرة أولى.</p>"), "without the site's last line");
        assert_eq!((record.byline.as_deref(), record.section.as_deref()), (Some("كاتب"), Some("اقتصاد")));
        assert_eq!((record.language.as_deref(), record.publisher.as_deref()), (Some("ar"), None));
    }

    #[test]
    fn an_entry_of_atom_keeps_its_markup_without_prefixes() {
        let text = "<feed xml:lang='ar'><author><name>هيئة</name></author><entry><title type='html'>ع</title>\
            <link rel='alternate' href='https://a.example/2'/><published>2024-03-12T09:15:00+03:00</published>\
            <updated>2025-01-01T00:00:00Z</updated><author><name>كاتبة</name></author><content type='xhtml'>\
            <x:div><x:h2>فرع</x:h2><x:p>أ &lt; ب<x:br/>ج</x:p></x:div></content></entry></feed>";
        let all = entries(text).unwrap();
        let record = all[0].as_ref().unwrap();
        assert_eq!(record.html.as_deref(), Some("<div><h2>فرع</h2><p>أ &lt; ب<br>ج</p></div>"));
        assert_eq!(record.date.as_deref(), Some("2024-03-12T09:15:00+03:00"));
        assert_eq!((record.byline.as_deref(), record.link.as_deref()), (Some("كاتبة"), Some("https://a.example/2")));
    }

    #[test]
    fn leads_are_no_articles_and_bombs_are_refused() {
        let lead = WORDPRESS.replace("content:encoded", "other");
        assert!(
            entries(&lead).unwrap()[0].as_ref().unwrap_err().starts_with("leads only: the entry holds a cut lead of 2")
        );
        let bomb = format!("<!DOCTYPE a [<!ENTITY b 'ha'>]>{WORDPRESS}");
        assert!(entries(&bomb).unwrap_err().contains("declares entities"));
        let deep = format!("<rss>{}", "<a>".repeat(100_000));
        assert!(entries(&deep).unwrap_err().contains("deep"));
        assert!(entries("<rss><channel>").unwrap_err().contains("cut off"));
    }

    #[test]
    fn a_short_item_is_read_and_the_longer_of_two_texts_taken() {
        let sentence = "أعلنت الوزارة اليوم عن بدء أشغال المشروع الجديد في المدينة القديمة بكلفة كبيرة.";
        let item = [sentence; 4].join(" ");
        let with = |description: &str, content: &str| {
            let text = format!(
                "<rss><item><title>ع</title><link>https://a.example/?a=1&b=2</link><description>{description}</description>\
                 <encoded>{content}</encoded></item></rss>"
            );
            entries(&text).unwrap().remove(0)
        };
        let read = with(&item, "").unwrap();
        assert_eq!(read.html.as_deref(), Some(item.as_str()));
        assert_eq!(read.link.as_deref(), Some("https://a.example/?a=1&b=2"), "a bare sign is no fault");
        let error = with(&format!("{item} اقرأ المزيد"), "").unwrap_err();
        assert!(
            error.starts_with("leads only: the entry holds a cut lead") && error.contains("save the page"),
            "{error}"
        );
        assert!(with(sentence, "").unwrap_err().contains("a lead of 13 words"));
        assert_eq!(with(&item, sentence).unwrap().html.as_deref(), Some(item.as_str()));
        assert_eq!(with(sentence, &item).unwrap().html.as_deref(), Some(item.as_str()));
    }

    proptest! {
        #[test]
        fn a_damaged_feed_is_read_to_its_end(at in 0usize..700, byte in any::<u8>(), cut in 0usize..900) {
            let mut bytes = WORDPRESS.as_bytes().to_vec();
            let place = at % bytes.len();
            bytes[place] = byte;
            bytes.truncate(cut.max(1));
            if let Ok((text, _)) = decode(&bytes, None) {
                let mut count = 0;
                let _ = read(&text, |_, _| { count += 1; true });
                prop_assert!(count <= 2);
            }
        }
    }
}
