//! Who published an article, from all that the page says about it.
//!
//! In: names found in signatures, datelines, credits, the window's title, and the article's own words. Out: the best
//! supported one. An outlet that people talk to in the article by its bare name ("قال لـ"العربي الجديد"") is the one
//! that publishes it: others are named with their kind ("لصحيفة …"). Agencies are quoted by everyone and do not count.

use std::sync::LazyLock;

use regex::Regex;

use super::caption;
use super::outlet::{Outlet, outlet};

/// What speaks for a publisher; the best is listed first.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Evidence {
    /// Named as the source, or signed with, at the end of the article.
    pub signature: Option<String>,
    /// Opens the first paragraph.
    pub dateline: Option<String>,
    /// Named beside date and byline.
    pub credit: Option<String>,
    /// Stands after the headline.
    pub site: Option<String>,
    /// Holds the rights.
    pub rights: Option<String>,
    /// Took a picture.
    pub picture: Option<String>,
}

static TOLD: LazyLock<Regex> = LazyLock::new(|| {
    let lead = "(?:لـ ?|ل|مراسل |مراسلة |مراسلو |علمت |حصلت |حصل |اطلعت |اطلع |رصدت |رصد |وعلمت |التقت |التقى |حاورت |سألت |تحدثت إلى |مع )";
    Regex::new(&format!("(?:^|[\\s(،]){lead}[\"“”«](?P<name>[^\"“”«»]{{2,40}})[\"“”»]")).expect("the pattern is fixed")
});

impl Evidence {
    /// Looks for an outlet in a line about rights: "جميع الحقوق محفوظة لـ…".
    pub fn rights(&mut self, line: &str) {
        if self.rights.is_some() {
            return;
        }
        let name = line.rsplit(['©', ':', '-', '|']).map(|part| part.trim_start_matches("جميع الحقوق محفوظة").trim());
        let named = name.map(|n| n.trim_start_matches("لـ").trim()).find(|n| outlet(n) == Some(Outlet::Publisher));
        self.rights = named.map(str::to_owned);
    }

    /// Looks for an outlet in the credit of a picture.
    pub fn picture(&mut self, caption: &str) {
        if self.picture.is_none() {
            self.picture = caption::outlet_in_credit(caption).map(str::to_owned);
        }
    }

    /// Returns the publisher, the article's own words considered.
    pub fn publisher<'t>(self, texts: impl Iterator<Item = &'t str>) -> Option<String> {
        let told = told(texts);
        [self.signature, self.dateline, self.credit, self.site, told, self.rights, self.picture]
            .into_iter()
            .flatten()
            .next()
    }
}

/// Returns the one outlet that the article says it was told to; none where there are two.
fn told<'t>(texts: impl Iterator<Item = &'t str>) -> Option<String> {
    let mut found: Option<&str> = None;
    for text in texts {
        for captures in TOLD.captures_iter(text) {
            let name = captures.name("name").map_or("", |m| m.as_str()).trim();
            if outlet(name) != Some(Outlet::Publisher) {
                continue;
            }
            match found {
                Some(before) if super::line::key(before) != super::line::key(name) => return None,
                _ => found = Some(name),
            }
        }
    }
    found.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outlet_that_was_told_is_the_publisher() {
        let one = |text: &'static str| told([text].into_iter());
        assert_eq!(one("قال المسؤول لـ\"العربي الجديد\" إن الأمر انتهى").as_deref(), Some("العربي الجديد"));
        assert_eq!(one("وأكدت مصادر لـ«الشرق الأوسط» ذلك").as_deref(), Some("الشرق الأوسط"));
        assert_eq!(one("قال لصحيفة \"القدس العربي\" إن"), None, "quoted from another outlet");
        assert_eq!(one("قال لـ\"رويترز\" إن"), None, "agencies are quoted by everyone");
        assert_eq!(one("قال لـ\"العربي الجديد\" ثم لـ\"القدس العربي\""), None, "two outlets");
    }
}
