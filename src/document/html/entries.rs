//! When the entries of a running report were written.
//!
//! In: the runs of a page and what stands around each. Out: for the runs that open an entry, its time: what the page states
//! (`datetime`), else its words. A time belongs to the smallest element that it stands in with a text, whether above or below
//! it; where entries have no elements of their own, to the text under it. Times stay out of the text: they are nobody's
//! sentence.

use std::collections::{BTreeMap, BTreeSet};

use super::class::Says;
use super::dom::Id;
use super::runs::Run;
use super::sheet::{Page, Place};
use crate::arabic::{calendar, letters};
use crate::document::stated;

/// The most words of a line with a time.
const MAX_WORDS: usize = 8;

/// How many levels up an entry may be from its time, and how many runs it has on either side.
const MAX_LEVELS: usize = 6;
const MAX_RUNS: usize = 120;

/// The most times that are looked at.
const MAX_TIMES: usize = 2000;

/// The fewest times that are those of entries, in elements of their own and without.
const ENTRIES: usize = 2;
const BARE: usize = 3;

/// A time, the element that it stands in with a text, and the runs of that.
struct Found {
    at: usize,
    time: String,
    clock: bool,
    element: Id,
    runs: std::ops::Range<usize>,
}

impl Page<'_> {
    /// Returns the times of entries by the run that opens each, each with the run that says it.
    pub(super) fn times(&self, places: &[Place], first: usize) -> BTreeMap<usize, (String, usize)> {
        let text = |at: usize| places[at].body && !places[at].furniture;
        let speaks = |at: usize| text(at) && self.runs[at].prose() > 0;
        let mut found: Vec<Found> = Vec::new();
        let open = self.runs.iter().enumerate().filter(|&(at, _)| !places[at].furniture);
        let times = open.filter_map(|(at, run)| Some((at, run, self.time(run, &places[at])?)));
        for (at, run, (time, clock)) in times.take(MAX_TIMES) {
            let levels = std::iter::once(run.block).chain(self.dom.ancestors(run.block)).take(MAX_LEVELS);
            let around = levels.map(|element| (element, self.under(element, at)));
            found.extend(
                around
                    .take_while(|(_, runs)| runs.len() < 2 * MAX_RUNS)
                    .find(|(_, runs)| runs.clone().any(|other| other != at && speaks(other)))
                    .map(|(element, runs)| Found { at, time, clock, element, runs }),
            );
        }
        let marked: BTreeSet<usize> = found.iter().map(|time| time.at).collect();
        let mut shared: BTreeMap<Id, Vec<&Found>> = BTreeMap::new();
        for time in &found {
            shared.entry(time.element).or_default().push(time);
        }
        // What holds entries is none: its time is the report's.
        let outer: BTreeSet<Id> = shared.keys().flat_map(|&element| self.dom.ancestors(element)).collect();
        let mut out = BTreeMap::new();
        for times in shared.iter().filter(|(element, _)| !outer.contains(element)).map(|(_, times)| times) {
            if let [only] = times[..] {
                let opens = only.runs.clone().find(|&at| text(at) && !marked.contains(&at));
                out.extend(opens.map(|at| (at, (only.time.clone(), only.at))));
            } else if times.len() >= BARE && times.iter().all(|time| time.clock) {
                // One after the other in one element: each over its text.
                let ends = times.iter().skip(1).map(|next| next.at).chain([self.runs.len().min(times[0].at + 10_000)]);
                let opens = times.iter().zip(ends).map(|(time, end)| (time, (time.at + 1..end).find(|&at| text(at))));
                out.extend(opens.filter_map(|(time, at)| Some((at?, (time.time.clone(), time.at)))));
            }
        }
        // The only time of an article is its own.
        if out.len() < ENTRIES || out.keys().all(|&at| at <= first) { BTreeMap::new() } else { out }
    }

    /// Returns the time that a run says and hardly anything else, and whether that is a time of day only.
    fn time(&self, run: &Run, place: &Place) -> Option<(String, bool)> {
        if run.words > MAX_WORDS || run.prose() > 0 || place.row.is_some() {
            return None;
        }
        let element = self.dom.ancestors(run.first).take(4).take_while(|&at| at != run.block).chain([run.block]);
        let moment = element
            .filter_map(|at| self.dom.attribute(at, "datetime").or_else(|| self.dom.attribute(at, "title")))
            .find_map(|value| stated::read(value).and_then(|date| date.at));
        let piece = std::iter::once(&run.text).chain(&run.pieces).find(|text| is_clock(text));
        let clock = piece.is_some();
        let stamped = is_stamp(&run.text);
        let dated =
            (place.time || place.says.any(Says::DATE)) && (moment.is_some() || stated::read(&run.text).is_some());
        (clock || dated || stamped).then(|| (moment.unwrap_or_else(|| piece.unwrap_or(&run.text).clone()), clock))
    }

    /// Returns the runs beside one that stand under an element with it.
    fn under(&self, element: Id, at: usize) -> std::ops::Range<usize> {
        let inside = |at: &usize| self.dom.is_under(self.runs[*at].block, element);
        let start = (0..at).rev().take(MAX_RUNS).take_while(inside).last().unwrap_or(at);
        let end = (at + 1..self.runs.len()).take(MAX_RUNS).take_while(inside).last().unwrap_or(at);
        start..end + 1
    }
}

/// Returns whether words are a time and nothing more.
pub(super) fn is_time(text: &str) -> bool {
    is_clock(text) || is_stamp(text)
}

/// Returns whether words are a day and a time of it and nothing more, as sites stamp what they list: "8 مايو 2023, 10:11 GMT".
pub(super) fn is_stamp(text: &str) -> bool {
    let [date] = calendar::dates(text)[..] else { return false };
    let rest = format!("{} {}", &text[..date.span.start], &text[date.span.end..]);
    is_clock(&rest.replace([',', '،', '|', '-', '–', '/', '(', ')'], " "))
}

/// Returns whether words are a time of day: "22:05", "10:30 مساءً", "الساعة 9:15 بتوقيت غرينتش".
fn is_clock(text: &str) -> bool {
    const BESIDE: &[&str] = &[
        "الساعه",
        "ص",
        "م",
        "صباحا",
        "مساء",
        "ظهرا",
        "بعد",
        "الظهر",
        "بتوقيت",
        "غرينتش",
        "جرينتش",
        "مكه",
        "القاهره",
        "بيروت",
        "القدس",
        "المكرمه",
        "المحلي",
        "am",
        "pm",
        "gmt",
    ];
    let is_time = |word: &str| {
        let digits: Option<Vec<u32>> = word
            .split(':')
            .map(|part| {
                // Two digits at most: a longer row of them may be beyond any number.
                let short = (1..=2).contains(&part.chars().take(3).count());
                short.then(|| part.chars().try_fold(0u32, |sum, c| Some(sum * 10 + u32::from(letters::digit(c)?))))?
            })
            .collect();
        digits.is_some_and(|parts| matches!(parts[..], [hour, minute] | [hour, minute, _] if hour < 25 && minute < 60))
    };
    let words: Vec<String> = text.split_whitespace().map(|word| letters::key(word).to_lowercase()).collect();
    let times = words.iter().filter(|word| is_time(word)).count();
    times == 1
        && words
            .iter()
            .all(|word| is_time(word) || word.chars().all(|c| !c.is_alphanumeric()) || BESIDE.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::super::{TEXT, of_text};
    use super::{is_clock, is_stamp};
    use crate::document::ReadOptions;

    fn read(entries: &str) -> Vec<(Option<String>, String)> {
        let page = format!("<article><h1>افتتاح الجسر لحظة بلحظة</h1>{entries}</article>");
        let lines = of_text(&page, &ReadOptions::default()).lines.into_iter().filter(|line| line.body);
        lines.map(|line| (line.time, line.text)).collect()
    }

    #[test]
    fn an_entry_has_its_time_whether_it_stands_over_or_under_it() {
        let hours = ["22:05", "20:40", "18:12"];
        let entry = |n: usize| (hours[n], format!("<h3>الخبر رقم {n}</h3>"), format!("<p>{}</p>", TEXT[n]));
        for (form, shape) in ["over", "under", "in words", "flat"].iter().enumerate() {
            let entries: String = (0..3)
                .map(|n| {
                    let (hour, head, text) = entry(n);
                    let moment = format!("<time datetime='2024-03-05T{hour}:00+03:00'>{hour}</time>");
                    match form {
                        0 => format!("<li><div>{moment}</div><div>{head}{text}</div></li>"),
                        1 => format!("<div class=e>{head}{text}<span>{moment}</span></div>"),
                        2 => format!("<div class=e><p>{hour} بتوقيت غرينتش</p>{head}{text}</div>"),
                        _ => format!("<p><b>{hour}</b></p>{head}{text}"),
                    }
                })
                .collect();
            let found = read(&entries);
            for n in 0..3 {
                let wanted = match form {
                    0 | 1 => format!("2024-03-05T{}:00+03:00", hours[n]),
                    2 => format!("{} بتوقيت غرينتش", hours[n]),
                    _ => hours[n].to_owned(),
                };
                let head = found.iter().find(|(_, text)| *text == format!("الخبر رقم {n}"));
                assert_eq!(head.and_then(|(time, _)| time.clone()), Some(wanted), "{shape} {found:?}");
                assert!(!found.iter().any(|(_, text)| text.starts_with(hours[n])), "{shape} {found:?}");
                assert!(found.iter().any(|(time, text)| time.is_none() && text == TEXT[n]), "{shape}");
            }
        }
    }

    #[test]
    fn the_time_of_an_article_is_not_that_of_an_entry() {
        let text: String = TEXT.iter().map(|text| format!("<p>{text}</p>")).collect();
        let page = format!(
            "<div><time datetime='2024-03-05T22:05:00+03:00'>22:05</time> <span>آخر تحديث 23:10</span></div>{text}"
        );
        assert!(read(&page).iter().all(|(time, _)| time.is_none()));
    }

    #[test]
    fn clocks() {
        for text in ["22:05", "٢٢:٠٥", "10:30 مساءً", "الساعة 9:15 بتوقيت غرينتش", "22:05 | ", "9:05 ص"]
        {
            assert!(is_clock(text), "{text}");
        }
        assert!(is_stamp("8 مايو 2023, 10:11 GMT") && is_stamp("10:11 | 8 مايو 2023"));
        assert!(!is_stamp("8 مايو 2023") && !is_stamp("عند 10:11 يوم 8 مايو 2023 وقع الحادث"));
        for text in
            ["99999999999999999999:00", "2:1 فاز الأهلي", "سورة البقرة 2:255", "31:99", "10", "الساعة", "22:05 و23:10"]
        {
            assert!(!is_clock(text), "{text}");
        }
    }
}
