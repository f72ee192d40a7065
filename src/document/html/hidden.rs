//! Running text that a page holds and does not show.
//!
//! In: a [`Dom`], the [`Run`]s it shows, the elements it hides. Out: [`Hidden`]: which of these go on with the text that is
//! shown, and how many words of running text the others hold. Most of what pages hide is not theirs to say (menus, forms,
//! questions of consent, the same text for a narrow screen); paragraphs that follow the shown ones as their siblings are
//! the rest of the text, folded up until the reader asks for more.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::class::{self, Says};
use super::dom::{Dom, Id, is_block};
use super::parse;
use super::runs::{self, Run, runs};
use super::trust;
use crate::arabic::letters::is_arabic_letter;
use crate::document::furniture;
use crate::document::line::{Line, key};

/// The share of a page's running text, one in so many, above which hidden text is told of.
const TOLD: usize = 5;

/// The fewest words of hidden paragraphs that are taken for more of the text; with a button that opens them, of one.
const MANY: usize = 40;
const FEW: usize = 12;

/// The fewest paragraphs before it, and of it.
const PARAGRAPHS: usize = 2;

/// How many hidden elements are asked whether they go on with the text, and how many siblings of one.
const MAX_ASKED: usize = 200;
const MAX_SIBLINGS: usize = 60;

/// How many nodes of a sibling are looked through.
const MAX_NODES: usize = 400;

/// What a page hides.
#[derive(Debug, Default)]
pub(super) struct Hidden {
    /// The elements that go on with the text.
    pub unfolded: BTreeSet<Id>,
    /// How many words of running text these hold, and the others.
    pub kept: usize,
    pub left: usize,
}

impl Hidden {
    /// Returns what a user should know, where it is much of what the page holds.
    pub fn warnings(&self, shown: &[Run]) -> Vec<String> {
        // What was unfolded is among what is shown now.
        let all = shown.iter().map(Run::prose).sum::<usize>() + self.left;
        let mut said = Vec::new();
        if self.kept * TOLD > all {
            said.push(format!(
                "{} words of running text that the page does not show at first were kept as its text",
                self.kept
            ));
        }
        if self.left * TOLD > all {
            said.push(format!(
                "the page holds {} words of running text that it does not show; they were left out",
                self.left
            ));
        }
        said
    }
}

/// A hidden element with running text of its own.
struct Part {
    id: Id,
    words: usize,
    paragraphs: usize,
    /// Whether it may be more of the text, by itself.
    text: bool,
    /// Whether a script may show it as it is.
    element: bool,
}

/// Finds out what a page hides.
pub(super) fn hidden(dom: &Dom, shown: &[Run], ids: &[Id]) -> Hidden {
    let said: HashSet<String> = shown.iter().filter(|run| run.prose() > 0).map(|run| key(&run.text)).collect();
    let mut known = BTreeMap::new();
    let parts: Vec<Part> = ids.iter().filter_map(|&id| part(dom, id, &said, &mut known)).collect();
    let mut groups: BTreeMap<Id, Vec<&Part>> = BTreeMap::new();
    for part in parts.iter().filter(|part| part.text).take(MAX_ASKED) {
        groups.entry(dom.parent(part.id).unwrap_or(0)).or_default().push(part);
    }
    let mut prose: BTreeMap<Id, usize> = BTreeMap::new();
    for run in shown.iter().filter(|run| run.prose() > 0) {
        *prose.entry(run.block).or_default() += 1;
    }
    // Where a page says which element is its article, what is hidden elsewhere is not the article's.
    let is_article = |id: Id| dom.name(id) == "article";
    let told = dom.all(0).any(is_article);
    let in_article = |id: Id| !told || std::iter::once(id).chain(dom.ancestors(id)).any(is_article);
    let mut hidden = Hidden::default();
    for (parent, group) in groups {
        let words: usize = group.iter().map(|part| part.words).sum();
        let paragraphs: usize = group.iter().map(|part| part.paragraphs).sum();
        let many = words >= MANY && paragraphs >= PARAGRAPHS;
        let follows = |part: &&&Part| before(dom, part.id, &prose) >= PARAGRAPHS;
        if (many || (words >= FEW && opens_more(dom, parent)))
            && in_article(parent)
            && group.first().is_some_and(|part| follows(&part))
        {
            hidden.unfolded.extend(group.iter().map(|part| part.id));
            hidden.kept += words;
        }
    }
    // A page that shows nothing hides its text until a script shows it.
    if said.len() < PARAGRAPHS {
        let most = parts.iter().filter(|part| part.element && part.words >= MANY && part.paragraphs >= PARAGRAPHS);
        if let Some(part) = most.max_by_key(|part| part.words).filter(|part| !hidden.unfolded.contains(&part.id)) {
            hidden.unfolded.insert(part.id);
            hidden.kept += part.words;
        }
    }
    let left = parts.iter().filter(|part| !hidden.unfolded.contains(&part.id));
    hidden.left = left.map(|part| part.words).sum();
    hidden
}

/// Reads a hidden element; none where it holds no running text that is not shown too, or is the site's own.
fn part(page: &Dom, id: Id, said: &HashSet<String>, known: &mut BTreeMap<Id, bool>) -> Option<Part> {
    let own;
    let (dom, root, name) = match (page.name(id), page.nodes[id as usize].first) {
        // The parser, which would run scripts, reads what stands here as words.
        ("noscript", first) if page.nodes.get(first as usize).is_some() => {
            own = parse::parse(page.own_text(first).filter(|text| text.contains('<'))?).dom;
            (&own, 0, "noscript")
        }
        (name, _) => (page, id, name),
    };
    let found = runs(dom, root, &BTreeSet::new()).runs;
    let prose =
        |run: &&Run| run.prose() > 0 && is_arabic(&run.text) && furniture::mark(&Line::new(&run.text, false)).is_none();
    let new: Vec<&Run> = found.iter().filter(prose).filter(|run| !said.contains(&key(&run.text))).collect();
    let words: usize = new.iter().map(|run| run.prose()).sum();
    if words == 0 || is_own(page, id, known) || new.iter().any(|run| is_consent(&run.text)) {
        return None;
    }
    let whole: usize = found.iter().map(|run| run.words).sum();
    let text = is_block(name)
        && words * 10 >= whole * 7
        && !new.iter().any(|run| trust::asks(&run.text))
        && !dom.all(root).any(|at| matches!(dom.name(at), "input" | "h1" | "article" | "textarea"));
    let element = !matches!(name, "noscript" | "template");
    Some(Part { id, words, paragraphs: new.len(), text, element })
}

/// Returns how many paragraphs of running text stand before an element under its parent.
fn before(dom: &Dom, id: Id, prose: &BTreeMap<Id, usize>) -> usize {
    let sibling = |&id: &Id| dom.nodes.get(dom.nodes[id as usize].prev as usize).map(|_| dom.nodes[id as usize].prev);
    std::iter::successors(sibling(&id), sibling)
        .take(MAX_SIBLINGS)
        .map(|at| dom.all(at).take(MAX_NODES).filter_map(|at| prose.get(&at)).sum::<usize>())
        .sum()
}

/// Returns whether a button or a link beside an element opens the rest of a text.
fn opens_more(dom: &Dom, parent: Id) -> bool {
    const LABELS: &[&str] = &[
        "اقرا المزيد",
        "اقرا اكثر",
        "المزيد",
        "عرض المزيد",
        "اعرض المزيد",
        "تابع القراءه",
        "متابعه القراءه",
        "اكمل القراءه",
        "اكمال القراءه",
        "مواصله القراءه",
        "عرض النص كاملا",
        "عرض المقال كاملا",
        "النص الكامل",
        "read more",
        "show more",
    ];
    let around = std::iter::once(parent).chain(dom.parent(parent));
    around.flat_map(|at| dom.all(at).take(MAX_NODES)).any(|at| {
        matches!(dom.name(at), "button" | "a" | "span" | "label" | "summary")
            && LABELS.contains(&key(&dom.text(at)).as_str())
    })
}

/// Returns whether an element, by its kind or its names or those of what it stands in, is the site's; `known` is what was
/// found out of others before.
fn is_own(dom: &Dom, id: Id, known: &mut BTreeMap<Id, bool>) -> bool {
    let mut asked = Vec::new();
    let mut own = false;
    for at in std::iter::once(id).chain(dom.ancestors(id)) {
        if let Some(&before) = known.get(&at) {
            own = before;
            break;
        }
        asked.push(at);
        let name = dom.name(at);
        own = matches!(name, "nav" | "aside" | "footer" | "dialog" | "menu" | "form")
            || matches!(dom.attribute(at, "role"), Some("dialog" | "alertdialog" | "navigation" | "menu" | "search"))
            || (!matches!(name, "" | "html" | "body" | "main" | "article")
                && class::of(dom, at).any(Says::FURNITURE.and(Says::CAPTION).and(Says::SUMMARY)));
        if own {
            break;
        }
    }
    known.extend(asked.into_iter().map(|at| (at, own)));
    own
}

/// Returns whether a paragraph is of the question whether a reader consents.
fn is_consent(text: &str) -> bool {
    let folded = key(text);
    ["ملفات تعريف الارتباط", "الكوكيز", "سياسه الخصوصيه", "cookie"].iter().any(|word| folded.contains(word))
}

fn is_arabic(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    text.chars().filter(|&c| is_arabic_letter(c)).count() * 2 > letters
}

/// Returns the runs of a page with what it hides of its text, and what a user should know of that.
pub(super) fn all(dom: &Dom) -> (Vec<Run>, Vec<String>) {
    let runs::Found { runs: shown, hidden: ids } = runs(dom, 0, &BTreeSet::new());
    if ids.is_empty() {
        return (shown, Vec::new());
    }
    let hidden = hidden(dom, &shown, &ids);
    let shown = if hidden.unfolded.is_empty() { shown } else { runs(dom, 0, &hidden.unfolded).runs };
    let warnings = hidden.warnings(&shown);
    (shown, warnings)
}

#[cfg(test)]
mod tests {
    use super::super::{TEXT, of_text};
    use crate::document::{ReadOptions, Sheet};

    fn paragraphs(texts: &[&str], attributes: &str) -> String {
        texts.iter().map(|text| format!("<p {attributes}>{text}</p>")).collect()
    }

    fn read(rest: &str) -> (usize, Sheet) {
        let shown = paragraphs(&TEXT[..3], "");
        let page = format!("<article><h1>جسر جديد يربط ضفتي المدينة</h1>{shown}{rest}</article>");
        let sheet = of_text(&page, &ReadOptions::default());
        let body = TEXT.iter().filter(|text| sheet.lines.iter().any(|line| line.body && line.text == **text)).count();
        (body, sheet)
    }

    #[test]
    fn folded_paragraphs_after_the_shown_ones_are_the_text() {
        for attributes in ["style='display:none'", "hidden", "aria-hidden=true", "class=hidden"] {
            for rest in [
                format!("<div {attributes}>{}</div>", paragraphs(&TEXT[3..], "")),
                paragraphs(&TEXT[3..], attributes),
                format!("<p {attributes}>{}</p><a href='#'>اقرأ المزيد</a>{}", TEXT[3], paragraphs(&TEXT[4..], "")),
            ] {
                let (body, sheet) = read(&rest);
                assert_eq!(body, 6, "{rest}");
                let much = !rest.contains("href");
                assert_eq!(sheet.warnings.iter().any(|said| said.contains("does not show at first")), much, "{rest}");
            }
        }
    }

    #[test]
    fn a_page_that_shows_nothing_hides_its_text() {
        let text = format!("<h1>جسر جديد يربط ضفتي المدينة</h1>{}", paragraphs(&TEXT, ""));
        for page in [
            format!("<div class=loader>تحميل</div><div id=app style='display:none'>{text}</div>"),
            format!("<main style='visibility: hidden'><article>{text}</article></main>"),
        ] {
            let sheet = of_text(&page, &ReadOptions::default());
            let body: Vec<&str> = sheet.lines.iter().filter(|line| line.body).map(|line| line.text.as_str()).collect();
            assert_eq!(body, TEXT);
            assert!(sheet.warnings[0].contains("does not show at first"), "{:?}", sheet.warnings);
        }
    }

    #[test]
    fn hidden_text_that_may_be_anything_is_told_of_and_not_read() {
        for rest in [
            format!("<noscript>{}</noscript>", paragraphs(&TEXT[3..], "")),
            format!("<template>{}</template>", paragraphs(&TEXT[3..], "")),
            format!("<h3>سؤال</h3><section style='display: none'><h1>آخر</h1>{}</section>", paragraphs(&TEXT[3..], "")),
        ] {
            let (body, sheet) = read(&rest);
            assert_eq!(body, 3, "{rest}");
            let words: usize = TEXT[3..].iter().map(|text| text.split(' ').count()).sum();
            let told =
                format!("the page holds {words} words of running text that it does not show; they were left out");
            assert_eq!(sheet.warnings, [told], "{rest}");
        }
    }

    #[test]
    fn what_sites_hide_stays_hidden_and_unsaid() {
        let consent = "نستخدم ملفات تعريف الارتباط لتحسين تجربتك في الموقع، ويمكنك أن تغير اختيارك في أي وقت تشاء.";
        for rest in [
            format!("<div style='display:none'>{}<p>{consent}</p></div>", paragraphs(&[consent; 3], "")),
            format!("<div class=newsletter hidden>{}</div>", paragraphs(&TEXT[3..], "")),
            format!("<div role=dialog aria-hidden=true>{}</div>", paragraphs(&TEXT[3..], "")),
            // The same text for a narrow screen.
            format!("<div class=d-none>{}</div>", paragraphs(&TEXT[..3], "")),
            "<ul style='display:none'><li><a href=/>الرئيسية</a></li><li><a href=/s>الرياضة</a></li></ul>".to_owned(),
        ] {
            let (body, sheet) = read(&rest);
            assert_eq!((body, sheet.warnings.len()), (3, 0), "{rest} {:?}", sheet.warnings);
            assert!(!sheet.lines.iter().any(|line| line.body && line.text == consent));
        }
    }

    #[test]
    fn a_shadow_that_a_saved_page_declares_is_shown() {
        let (body, sheet) =
            read(&format!("<x-text><template shadowrootmode=open>{}</template></x-text>", paragraphs(&TEXT[3..], "")));
        assert_eq!((body, sheet.warnings.len()), (6, 0));
    }
}
