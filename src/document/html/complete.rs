//! The text that a script of the page holds, where the page shows less of it.
//!
//! In: the [`Sheet`] of a page and the `articleBody` of its JSON-LD (schema.org). Out: the same sheet with the rest of the text
//! after what is shown, or with the whole in place of it where the page shows hardly any. Where the two are not one text, the
//! page's stays, and a warning says so.

use std::collections::HashSet;

use super::parse;
use super::runs::runs;
use super::sheet::{Page, clean};
use crate::document::Sheet;
use crate::document::furniture::{self, Mark};
use crate::document::line::{Hint, Line, key};

/// The fewest words of a text in a script that is looked at.
const FEWEST: usize = 40;

/// The fewest words that are added to what is shown, and the share of what is shown, one in so many, that they must be.
const MORE: usize = 25;
const SHARE: usize = 5;

/// The share of what is shown that stands in the script too where both are one text.
const SAME: f64 = 0.8;

/// How many words at the end of a line find it in the script's text.
const TAIL: usize = 6;

/// Words that are compared three by three.
const RUN: usize = 3;

/// Words as they are compared, each with its paragraph and its place among the words of it.
struct Words {
    keys: Vec<String>,
    places: Vec<(usize, usize)>,
}

impl Words {
    fn of<'t>(paragraphs: impl Iterator<Item = &'t str>) -> Self {
        let mut words = Self { keys: Vec::new(), places: Vec::new() };
        for (paragraph, text) in paragraphs.enumerate() {
            for (place, word) in text.split_whitespace().enumerate() {
                let word = key(word).replace(' ', "");
                if !word.is_empty() {
                    words.keys.push(word);
                    words.places.push((paragraph, place));
                }
            }
        }
        words
    }

    /// Returns the share of these words that stand in others, three in a row.
    fn share_in(&self, others: &Self) -> f64 {
        let known: HashSet<&[String]> = others.keys.windows(RUN).collect();
        let runs = self.keys.windows(RUN);
        let all = runs.len();
        if all == 0 { 0.0 } else { runs.filter(|run| known.contains(run)).count() as f64 / all as f64 }
    }

    /// Returns one past the place where a line ends among these words.
    fn end_of(&self, line: &str) -> Option<usize> {
        let line = Self::of(std::iter::once(line)).keys;
        let tail = &line[line.len().saturating_sub(TAIL)..];
        let at = (tail.len() >= RUN).then(|| self.keys.windows(tail.len()).position(|words| words == tail))?;
        at.map(|at| at + tail.len())
    }
}

impl Page<'_> {
    /// Completes what a page shows, `words` words, from what its script holds.
    pub(super) fn complete(&self, sheet: &mut Sheet, words: usize) {
        let Some(body) = &self.facts.body else { return };
        let theirs = self.paragraphs(body);
        let count: usize = theirs.iter().map(|text| text.split_whitespace().count()).sum();
        if count < FEWEST || count < words + MORE {
            return;
        }
        let found = Words::of(theirs.iter().map(String::as_str));
        let shown = sheet.lines.iter().filter(|line| line.body).map(|line| line.text.as_str());
        let same = Words::of(shown).share_in(&found) >= SAME;
        if same && self.continued(sheet, words, &theirs, &found) {
            return;
        }
        let much = (count - words) * SHARE > count;
        if words * 2 < count || (same && much) {
            replace(sheet, &theirs);
        } else if much && !same {
            sheet.warnings.push(format!(
                "the page's data hold another, longer text ({count} words) than the page shows ({words} words); what it shows \
                 was read"
            ));
        }
    }

    /// Adds what the script's text says after the last line that is shown; returns whether it goes on for long there.
    fn continued(&self, sheet: &mut Sheet, words: usize, theirs: &[String], found: &Words) -> bool {
        let lines = sheet.lines.iter().enumerate().rev().filter(|(_, line)| line.body);
        let last = lines.take(MORE).find_map(|(at, line)| Some((at, found.end_of(&line.text)?)));
        let Some((at, end)) = last else { return false };
        let rest = found.keys.len() - end;
        if rest < MORE || rest * SHARE < words {
            return false;
        }
        let (paragraph, place) = found.places[end - 1];
        let open = theirs[paragraph].split_whitespace().skip(place + 1).collect::<Vec<_>>().join(" ");
        let mut more: Vec<String> = theirs[paragraph + 1..].to_vec();
        let line = &sheet.lines[at];
        if line.is_cut_off() && !open.is_empty() {
            let text = format!("{} {open}", line.text.trim_end_matches(['…', '.', '[', ']', ' ']));
            let hint = line.hint.unwrap_or(Hint::Paragraph);
            sheet.lines[at] = Line { body: true, ..Line::hinted(&text, hint) };
        } else if open.chars().any(char::is_alphabetic) {
            more.insert(0, open);
        }
        let after = sheet.lines.iter().rposition(|line| line.body).map_or(at, |last| last) + 1;
        sheet.lines.splice(after..after, more.iter().map(|text| paragraph_of(text)));
        sheet.warnings.push(format!(
            "the end of the text ({rest} words) was taken from the page's data: the page itself shows less of it"
        ));
        true
    }

    /// Returns the paragraphs of a text in a script: some write it with the marks of a page.
    fn paragraphs(&self, body: &str) -> Vec<String> {
        let marked = ["<p", "<br", "<div", "</"].iter().any(|mark| body.contains(mark));
        let texts: Vec<String> = if marked {
            runs(&parse::parse(body).dom, 0, &Default::default()).runs.into_iter().map(|run| run.text).collect()
        } else {
            let lines = body.split(['\n', '\r']);
            lines.map(|line| if line.contains('&') { plain(line) } else { line.to_owned() }).collect()
        };
        texts.iter().map(|text| clean(text, self.rules)).filter(|text| !text.is_empty() && !leads_away(text)).collect()
    }
}

/// Returns whether a line of a script's text is a label of other articles with their headlines behind it.
fn leads_away(text: &str) -> bool {
    let lead = text.split(':').next().unwrap_or_default();
    lead.split_whitespace().count() <= 4 && furniture::label(&Line::new(lead, false)) == Some(Mark::Related)
}

/// Reads a line with the entities of a page.
fn plain(line: &str) -> String {
    let dom = parse::parse(line).dom;
    dom.text(0)
}

fn paragraph_of(text: &str) -> Line {
    Line { body: true, ..Line::hinted(text, Hint::Paragraph) }
}

/// Puts the script's text in place of what the page shows.
fn replace(sheet: &mut Sheet, theirs: &[String]) {
    for line in sheet.lines.iter_mut().filter(|line| line.body) {
        *line = Line::hinted(&line.text, Hint::Furniture);
    }
    let at = sheet.lines.iter().position(|line| line.hint == Some(Hint::Title)).map_or(0, |at| at + 1);
    sheet.lines.splice(at..at, theirs.iter().map(|text| paragraph_of(text)));
    sheet.warnings.push("the text was taken from the page's data: the page itself shows less of it".to_owned());
}

#[cfg(test)]
mod tests {
    use super::super::{TEXT, of_text};
    use crate::document::{ReadOptions, Sheet};

    fn read(shown: &str, body: &str) -> (Vec<String>, Sheet) {
        let data =
            serde_json::json!({"@type": "NewsArticle", "headline": "جسر جديد يربط ضفتي المدينة", "articleBody": body});
        let page = format!(
            "<script type='application/ld+json'>{data}</script><article><h1>جسر جديد يربط ضفتي المدينة</h1>{shown}</article>"
        );
        let sheet = of_text(&page, &ReadOptions::default());
        (sheet.lines.iter().filter(|line| line.body).map(|line| line.text.clone()).collect(), sheet)
    }

    #[test]
    fn a_text_that_breaks_off_goes_on_in_the_data() {
        let start = format!("<p>{}</p><h2>زحام</h2><p>{}</p><p>{}</p><p>{}</p>", TEXT[0], TEXT[1], TEXT[2], TEXT[3]);
        let mut wanted: Vec<&str> = TEXT.to_vec();
        wanted.insert(1, "زحام");
        for body in [TEXT.join("\n"), TEXT.join("\r\n\r\n"), format!("<p>{}</p>", TEXT.join("</p><p>"))] {
            let (lines, sheet) = read(&start, &body);
            assert_eq!(lines, wanted, "{body}");
            assert!(sheet.warnings[0].starts_with("the end of the text (34 words)"), "{:?}", sheet.warnings);
        }
        // All in one, and a line that is cut in the middle.
        let (lines, _) = read(&start, &TEXT.join(" "));
        assert_eq!(lines.last().unwrap(), &TEXT[4..].join(" "));
        let cut = "وكان الجسر القديم قد أغلق قبل ثلاثة أعوام بعد أن ظهرت في…";
        let (lines, _) = read(&start.replace(TEXT[3], cut), &TEXT.join("\n"));
        assert_eq!(lines, wanted);
    }

    #[test]
    fn what_the_page_shows_in_full_stays_and_another_text_is_only_told_of() {
        let all: String = TEXT.iter().map(|text| format!("<p>{text}</p>")).collect();
        let (lines, sheet) = read(&all, &(TEXT.join("\n") + "\nالمصدر: وكالات"));
        assert_eq!((lines.len(), sheet.warnings.len()), (6, 0));
        let other =
            "قال رئيس الاتحاد إن المنتخب سيخوض مباراتين وديتين في الشهر المقبل قبل البطولة التي تقام في الخريف. ";
        let (lines, sheet) = read(&all, &other.repeat(8));
        assert_eq!(lines.len(), 6);
        assert!(sheet.warnings[0].starts_with("the page's data hold another, longer text"), "{:?}", sheet.warnings);
        // Headlines of others behind a label are no text of this one.
        let others = "اقرأ أيضا: افتتاح سوق السمك الجديد في المرفأ موعد مباراة الكأس بين الفريقين أسعار الخضار في الأسواق هذا الأسبوع رئيس البلدية يلتقي سكان الحي الغربي صور من مهرجان الزهور في الحديقة العامة";
        let (lines, _) = read(&all, &format!("{}\n{others}", TEXT.join("\n")));
        assert!(!lines.iter().any(|line| line.contains("اقرأ أيضا")), "{lines:?}");
        // A page that shows nothing.
        let (lines, sheet) = read("<div id=app></div>", &TEXT.join("\n"));
        assert_eq!((lines.len(), sheet.warnings.len()), (6, 1));
    }
}
