//! Which line of a page is the headline.
//!
//! In: the lines of a page with their marks and credits. Out: the headline's place, its words without the site's name, and
//! that name where it stood there. A headline that the page repeats (in the window's title, in the path through the site)
//! is told by that; where a site's menus stand over the text, the lines before it are weighed by length, place and what
//! follows them; where nothing does, the first line is the headline, however short it is and whatever stands under it.

use super::caption;
use super::credit::Credit;
use super::furniture::{Mark, is_breadcrumb};
use super::line::{Hint, Line, key};
use super::names;
use super::outlet::{Outlet, outlet};
use crate::arabic::letters::is_arabic_letter;

/// How far down a page a headline can stand.
const REACH: usize = 400;

/// A headline found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Headline {
    /// Index of its line.
    pub at: usize,
    /// Its words.
    pub text: String,
    /// The outlet whose name stood after it: "… - الصباح".
    pub site: Option<String>,
}

/// Finds the headline.
pub(super) fn find(lines: &[Line], marks: &[Option<Mark>], credits: &[Option<Credit>]) -> Option<Headline> {
    let reach = lines.len().min(REACH);
    let first_prose =
        (0..reach).find(|&i| marks[i].is_none() && lines[i].is_prose() && lines[i].words > 8).unwrap_or(reach);
    let candidates: Vec<usize> =
        (0..first_prose).filter(|&i| marks[i].is_none() && credits[i].is_none() && is_possible(&lines[i])).collect();
    if let Some(at) = (0..reach).find(|&at| lines[at].hint == Some(Hint::Title)) {
        // The largest line of a page may be a heading or another story, and the headline a smaller one over the text.
        let over = candidates.iter().copied().find(|&i| lines[i].hint == Some(Hint::Heading));
        let named = matches!(outlet(&lines[at].text), Some(Outlet::Publisher | Outlet::Agency));
        let at = over.filter(|_| at > first_prose || named).unwrap_or(at);
        let (text, site) = without_site(&lines[at].text);
        return Some(Headline { at, text, site });
    }
    let mut best: Option<(i32, usize)> = None;
    for &i in &candidates {
        let score = score(i, lines, credits, first_prose);
        // Of the places where it is repeated, the last one stands over the article.
        let again = best.is_some_and(|(_, before)| lines[before].key == lines[i].key);
        if best.is_none_or(|(most, _)| score > most || (again && score >= most)) {
            best = Some((score, i));
        }
    }
    if let Some((most, at)) = best {
        let first = first(lines, marks, &candidates).filter(|_| most < REPEATED);
        let at = first.unwrap_or(at);
        let (text, mut site) = without_site(&lines[at].text);
        site = site.or_else(|| lines[..at].iter().find_map(|line| site_after(&line.text, &text)));
        let text = text.strip_prefix("العنوان:").map_or(text.as_str(), str::trim).to_owned();
        return Some(Headline { at, text, site });
    }
    // A headline with a full stop: the first line, where it is short and running text follows.
    let first = (0..reach).find(|&i| marks[i].is_none() && credits[i].is_none())?;
    let more = (first + 1..reach).any(|i| marks[i].is_none() && lines[i].is_prose());
    let short = lines[first].words <= 14 && lines[first].words >= 3 && lines[first].bullet().is_none();
    (short && more).then(|| Headline { at: first, text: lines[first].text.clone(), site: None })
}

/// What a headline is worth that the page says again.
const REPEATED: i32 = 18;

/// Returns the first line that can be a headline, where no menus or letterhead stand over it.
fn first(lines: &[Line], marks: &[Option<Mark>], candidates: &[usize]) -> Option<usize> {
    let told =
        |&&at: &&usize| !caption::is_caption(&lines[at]) && lines[at].bullet().is_none() && !is_motto(&lines[at].text);
    // A code of an agency stands in front of its dispatches.
    let arabic = |at: &usize| lines[*at].text.chars().any(is_arabic_letter);
    let some_arabic = candidates.iter().any(arabic);
    let mut possible = candidates.iter().filter(told).copied().filter(|at| !some_arabic || arabic(at));
    let mut at = possible.next()?;
    if let Some(next) = possible.next()
        && lines[next].words > lines[at].words
        && (lines[at].words == 2 || is_kicker(&lines[at]))
    {
        // The name of a section, or what stands over a headline and leads to it.
        at = next;
    }
    // An office and its department, a paper and its page, who wrote it: lines of a letterhead over a longer one.
    let heads: Vec<usize> = candidates.iter().filter(told).copied().filter(|at| !some_arabic || arabic(at)).collect();
    let over = heads.iter().take_while(|&&at| is_letterhead(&lines[at])).count();
    // Two lines that are shorter than the one under them; a name under a headline is its author's.
    let two = matches!(heads[..], [one, two, headline, ..]
        if lines[one].words.max(lines[two].words) < lines[headline].words.min(5) && !names::is_person(&lines[two].text));
    let skipped = over.max(if two { 2 } else { 0 });
    if let Some(&headline) = heads.get(skipped).filter(|&&headline| skipped > 0 && lines[headline].words >= 4) {
        at = headline;
    }
    (!is_headed(lines, marks, at)).then_some(at)
}

/// Returns whether a site's lines or a letterhead open a text: lines that sites add, or several short ones.
fn is_headed(lines: &[Line], marks: &[Option<Mark>], at: usize) -> bool {
    let added = (0..at).filter(|&i| marks[i].is_some() && lines[i].has_letter()).count();
    let path = lines[..at].iter().any(is_breadcrumb);
    // A headline may be short itself.
    let short = (0..lines.len()).take_while(|&i| lines[i].words <= 4 && !lines[i].has_stop()).count();
    added >= 2 || path || short >= 4
}

/// Returns whether a short line is of those that stand over a headline and are none: an office, a paper, a name, an invocation.
fn is_letterhead(line: &Line) -> bool {
    const OFFICES: &[&str] = &[
        "وزاره",
        "جمهوريه",
        "المملكه",
        "مملكه",
        "دوله",
        "صحيفه",
        "جريده",
        "مجله",
        "وكاله",
        "موقع",
        "سلسله",
        "مكتب",
        "المكتب",
        "اداره",
        "قسم",
        "بيان",
        "امانه",
        "رئاسه",
        "رياسه",
        "هييه",
        "مديريه",
    ];
    let mut words = line.key.split(' ');
    let office = words.next().is_some_and(|first| OFFICES.contains(&first));
    // "وزارة الصحة تعلن الطوارئ" is a sentence.
    let speaks = words.any(|word| word.chars().count() >= 3 && word.starts_with(['ت', 'ي']));
    line.words <= 4 && ((office && !speaks) || line.key.starts_with("بسم الله") || names::is_person(&line.text))
}

/// Returns whether a line is a phrase that leads to the headline under it: "رغم الهدنة المعلنة".
fn is_kicker(line: &Line) -> bool {
    const LEADS: &[&str] = &[
        "رغم",
        "بعد",
        "قبل",
        "في",
        "خلال",
        "وسط",
        "بسبب",
        "مع",
        "منذ",
        "علي",
        "عشيه",
        "بحضور",
        "برعايه",
        "اثر",
        "بعيدا",
    ];
    line.words <= 5 && line.key.split(' ').next().is_some_and(|lead| LEADS.contains(&lead))
}

fn is_possible(line: &Line) -> bool {
    line.words >= 2
        && line.words <= 40
        && line.text.len() <= 400
        && !line.has_stop()
        && !line.is_cut_off()
        && !is_breadcrumb(line)
        && outlet(&line.text).is_none()
        && line.text.chars().filter(|c| c.is_alphabetic()).count() >= 8
}

fn score(at: usize, lines: &[Line], credits: &[Option<Credit>], first_prose: usize) -> i32 {
    let line = &lines[at];
    let mut score = 0;
    let top = &lines[..first_prose.min(lines.len())];
    let repeated = top.iter().enumerate().any(|(i, other)| {
        i != at
            && !line.key.is_empty()
            && (other.key == line.key
                || (is_breadcrumb(other) && other.key.ends_with(&line.key))
                || site_after(&other.text, &line.text).is_some()
                // The window's title: the headline, a separator, the site.
                || (i < at && line.words >= 4 && starts_with_separator(&other.text, &line.text)))
    });
    if repeated {
        score += if line.words >= 4 { 20 } else { 4 };
    }
    score += match line.words {
        5..=24 => 4,
        4 | 25..=30 => 2,
        3 => 1,
        _ => 0,
    };
    if line.text.starts_with("العنوان:") {
        score += 20;
    }
    // A menu: short lines above and below.
    let short = |i: usize| lines.get(i).is_some_and(|l| l.words <= 4);
    if line.words <= 4 && ((at > 0 && short(at - 1)) as u8 + short(at + 1) as u8) == 2 {
        score -= 4;
    }
    if line.bullet().is_some() {
        score -= 6;
    }
    let near = (at + 1..lines.len().min(at + 4))
        .any(|i| credits[i].as_ref().is_some_and(|c| c.date.is_some() || c.byline.is_some()));
    if near {
        score += 3;
    }
    if is_motto(&line.text) && !repeated {
        score -= 4;
    }
    score
}

/// Returns whether a line is a site's own name with a motto.
fn is_motto(text: &str) -> bool {
    let lead = text.split(['-', '–', '|', ':', '،']).next().unwrap_or_default();
    lead.len() < text.len() && matches!(outlet(lead), Some(Outlet::Publisher | Outlet::Agency))
}

/// Returns whether a line is a headline followed by a separator and more.
fn starts_with_separator(line: &str, headline: &str) -> bool {
    line.strip_prefix(headline).is_some_and(|rest| rest.trim_start().starts_with(['-', '–', '—', '|', '»', ':', '·']))
}

/// Returns the outlet named after a headline in another line: `HEADLINE - الصباح | Assabah`.
fn site_after(line: &str, headline: &str) -> Option<String> {
    let rest = line.strip_prefix(headline)?;
    rest.split(['-', '–', '—', '|', '»', '·'])
        .map(str::trim)
        .find(|part| matches!(outlet(part), Some(Outlet::Publisher | Outlet::Agency)))
        .map(str::to_owned)
}

/// Cuts the site's name off the end of a headline.
fn without_site(text: &str) -> (String, Option<String>) {
    for separator in [" | ", " - ", " – ", " — ", " :: ", " » "] {
        if let Some((headline, site)) = text.rsplit_once(separator) {
            let known = matches!(outlet(site), Some(Outlet::Publisher | Outlet::Agency));
            if known && key(headline).split(' ').count() >= 3 {
                // "… - الصباح | Assabah" has two.
                let (inner, first) = without_site(headline);
                return (inner, first.or_else(|| Some(site.trim().to_owned())));
            }
        }
    }
    (text.to_owned(), None)
}
