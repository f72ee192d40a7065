//! What a page declares, weighed against what it shows: who, when, where on the site, for whom.
//!
//! In: the [`Page`] with its runs and its [`Facts`](super::facts::Facts). Out: [`Declared`]. Reading dates is
//! [`stated`]'s.

use super::class::Says;
use super::facts;
use super::headline::Found;
use super::runs::Run;
use super::sheet::{MAX_CREDIT, Page, Place};
use crate::arabic::letters;
use crate::document::credit;
use crate::document::line::key;
use crate::document::{Declared, StatedDate, stated};

impl Page<'_> {
    /// Weighs what the page declares against what it shows.
    pub(super) fn declared(&self, places: &[Place], found: &Found, first: usize) -> Declared {
        let facts = self.facts;
        let publisher = self.publisher(found);
        let from = found.runs.as_ref().map_or(0, |runs| runs.start.saturating_sub(12));
        let near: Vec<usize> = (from..self.runs.len())
            .take_while(|&at| at < first + 4000)
            .filter(|&at| {
                !places[at].furniture && self.runs[at].words <= MAX_CREDIT && (at < first || self.runs[at].prose() == 0)
            })
            .collect();
        let shown = |flag: Says| {
            near.iter().copied().filter(move |&at| places[at].says.any(flag)).flat_map(|at| {
                let run = &self.runs[at];
                if run.pieces.is_empty() { vec![run.text.clone()] } else { run.pieces.clone() }
            })
        };
        let publisher_key = publisher.as_deref().map(key).unwrap_or_default();
        let linked = near.iter().copied().filter(|&at| at < first).filter_map(|at| self.author_link(&self.runs[at]));
        let bylines = facts.bylines.iter().cloned().chain(shown(Says::BYLINE)).chain(linked);
        let person = |name: &String| {
            let folded = key(name);
            let arabic = name.chars().any(letters::is_arabic_letter);
            !folded.is_empty()
                && folded != publisher_key
                && !name.contains(['@', '/'])
                && !matches!(
                    folded.as_str(),
                    "admin"
                        | "administrator"
                        | "editor"
                        | "webmaster"
                        | "root"
                        | "super user"
                        | "by"
                        | "author"
                        | "user"
                )
                && (arabic || name.split_whitespace().count() >= 2)
        };
        let mut people: Vec<String> = bylines.filter_map(|name| byline(&name)).filter(person).collect();
        people.sort_by_key(|name| !name.chars().any(letters::is_arabic_letter));
        let home = ["الرئيسية", "الرئيسيه", "الصفحة الرئيسية", "Home", "home"];
        let title = key(&found.text);
        let section = facts
            .sections
            .iter()
            .cloned()
            .chain(self.crumb(found))
            .chain(shown(Says::SECTION))
            .chain(self.over_headline(found))
            .chain(found.section.clone())
            .chain(self.current(found))
            .filter(|section| {
                !["نشر في", "القسم", "التصنيف", "الفئة", "في"].contains(&section.trim_end_matches(':').trim())
            })
            .map(|section| section.strip_prefix("نشر في ").map(str::to_owned).unwrap_or(section))
            .find(|section| {
                let folded = key(section);
                crate::arabic::calendar::dates(section).is_empty()
                    && !section.ends_with(':')
                    && !home.contains(&section.as_str())
                    && !folded.is_empty()
                    && folded != title
                    && folded != publisher_key
                    && section.split_whitespace().count() <= 6
            });
        Declared {
            title: None,
            byline: people.into_iter().next(),
            publisher,
            date: self.date(),
            section,
            canonical: facts.canonical.clone(),
            summary: Vec::new(),
            description: facts.descriptions.first().cloned(),
        }
    }

    /// Returns the date that is trusted most; where the same moment stands there in local time, that.
    fn date(&self) -> Option<String> {
        let dates: Vec<(&String, StatedDate)> =
            self.facts.dates.iter().filter_map(|date| Some((date, stated::read(date)?))).collect();
        let (first, read) = dates.first()?;
        let moment = |date: &StatedDate| date.at.as_deref().and_then(|at| at.parse::<jiff::Timestamp>().ok());
        let local = |date: &StatedDate| date.at.as_deref().is_some_and(|at| !at.ends_with("+00:00"));
        // A day alone gives way to a moment of that day.
        let better = dates.iter().find(|(_, date)| match (moment(read), moment(date)) {
            (Some(one), Some(other)) => one == other && local(date),
            (None, Some(_)) => date.iso == read.iso,
            _ => false,
        });
        better.map(|(words, _)| (*words).clone()).or_else(|| Some((*first).clone()))
    }

    /// Returns the name in a run that links to the page of an author.
    fn author_link(&self, run: &Run) -> Option<String> {
        let around = self.dom.ancestors(run.first).take(6);
        let inside = self.dom.all(run.block).take(40);
        around.chain(inside).filter(|&id| self.dom.name(id) == "a").take(6).find_map(|id| {
            let path = self.dom.attribute(id, "href")?.to_ascii_lowercase();
            let words = ["author", "authors", "writer", "writers", "journalist", "reporter", "columnist", "profile"];
            let leads = path.split(['/', '?', '&', '=', '-', '_']).any(|part| words.contains(&part));
            let name = facts::spaced(&self.dom.text(id));
            (leads && credit::is_name(&name)).then_some(name)
        })
    }

    /// Returns who publishes the page: what it declares, or what stands beside the headline in the window's title.
    fn publisher(&self, found: &Found) -> Option<String> {
        let arabic = |name: &&String| name.chars().any(letters::is_arabic_letter);
        let declared = &self.facts.publishers;
        let short = |name: &&String| name.split_whitespace().count() <= 6 && !name.contains(['©', '|', ':']);
        declared
            .iter()
            .find(|name| arabic(name) && short(name))
            .or(found.site.as_ref())
            .or_else(|| declared.iter().find(short))
            .cloned()
    }
}

/// Takes the label off a byline; `None` where nothing is left.
fn byline(text: &str) -> Option<String> {
    let labels = ["بواسطة", "بقلم", "كتب", "كتبت", "كتبه", "إعداد", "الكاتب", "المحرر", "By", "by", "BY"];
    let mut text = text.trim();
    if text.starts_with("http") {
        return None;
    }
    for label in labels {
        if let Some(rest) = text.strip_prefix(label)
            && rest.starts_with([':', ' ', '-', '/', '\u{a0}'])
        {
            text = rest.trim_start_matches([':', ' ', '-', '/']);
        } else if text == label || text.strip_suffix(':').map(str::trim) == Some(label) {
            return None;
        }
    }
    let text = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '-' | '|' | ':' | '،' | ',' | '–' | '/'));
    let named = text.chars().any(char::is_alphabetic) && text.split_whitespace().count() <= 8;
    named.then(|| text.to_owned())
}
