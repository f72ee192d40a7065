//! The briefing of a run as Markdown: at a glance, each article's bullets, what was flagged, what failed.
//!
//! In: a [`Briefing`]. Out: `briefing.md`, whose links point at the notes beside it.

use super::escape::{link, markdown};
use super::markdown::{Page, bullet, check_name, code, directed, long_date, reasons};
use crate::briefing::similar::Likeness;
use crate::briefing::{Article, Briefing, Similar};

/// Most flagged segments of one article that are spelled out; the note has all of them.
const MOST_FLAGGED: usize = 5;

/// Renders the briefing of a run.
pub fn briefing(briefing: &Briefing) -> Vec<u8> {
    let mut page = Page::default();
    page.push("# Briefing");
    page.push(counts(briefing));
    let mut drafts: Vec<&str> = briefing.articles.iter().filter_map(|article| article.draft.as_deref()).collect();
    drafts.sort_unstable();
    drafts.dedup();
    for draft in drafts {
        page.push(format!("**Draft quality:** {}", markdown(draft)));
    }
    if !briefing.articles.is_empty() {
        page.push("## At a glance");
        page.push(briefing.articles.iter().map(glance).collect::<Vec<_>>().join("\n"));
        page.push("## Articles");
        for article in &briefing.articles {
            in_full(article, &mut page);
        }
    }
    flagged(briefing, &mut page);
    let failures = briefing.failures.iter().map(|failure| (&failure.path, &failure.reason));
    list("## Failed", failures, &mut page);
    let skipped = briefing.skipped.iter().map(|skipped| (&skipped.path, &skipped.reason));
    list("## Passed over", skipped, &mut page);
    page.push("---");
    page.push(format!("Made by mujaz {}", markdown(&briefing.version)));
    page.finish()
}

fn counts(briefing: &Briefing) -> String {
    let flagged: usize = briefing.articles.iter().map(|article| article.checks.flagged).sum();
    let segments: usize = briefing.articles.iter().map(|article| article.checks.segments).sum();
    format!(
        "{} · {flagged} of {segments} segments flagged · {} failed · {} passed over",
        counted(briefing.articles.len(), "article", "articles"),
        briefing.failures.len(),
        counted(briefing.skipped.len(), "file", "files"),
    )
}

fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn glance(article: &Article) -> String {
    let date = article.date.as_ref().map_or_else(|| "undated".to_owned(), |date| date.iso.to_string());
    let publisher = article.publisher.as_ref().map_or_else(String::new, |name| format!(" · {}", directed(name)));
    let flags = match article.checks.flagged {
        0 => String::new(),
        flagged => format!(" · ⚠ {flagged} of {} flagged", article.checks.segments),
    };
    let copy = article.similar.as_ref().map_or("", |similar| match similar.likeness {
        Likeness::Same => " · the same text as another",
        Likeness::Largely(_) => " · largely the same as another",
    });
    format!("- {date} · [{}]({}){publisher}{flags}{copy}", directed(&article.title), link(&article.link))
}

/// Says which article another is like: a reader need not read the story twice.
fn like(similar: &Similar) -> String {
    let share = match similar.likeness {
        Likeness::Same => String::new(),
        Likeness::Largely(share) => format!(" ({share} %)"),
    };
    let likeness = similar.likeness.to_string();
    let likeness = format!("{}{}", likeness[..1].to_uppercase(), &likeness[1..]);
    format!("*{likeness} [{}]({}){share}.*", directed(&similar.title), link(&similar.link))
}

fn in_full(article: &Article, page: &mut Page) {
    page.push(format!("### {}", directed(&article.title)));
    let mut facts: Vec<String> = Vec::new();
    facts.extend(article.publisher.as_ref().map(|name| directed(name)));
    facts.extend(article.date.as_ref().map(|date| long_date(date.iso)));
    facts.push(format!("[full note]({})", link(&article.link)));
    page.push(facts.join(" · "));
    page.push(article.similar.as_ref().map(like).unwrap_or_default());
    let bullets = article.bullets.iter().map(|(point, paragraph)| {
        let line = bullet(Some(&point.label), &point.statement, point.flagged);
        match paragraph {
            Some(number) => format!("{line} [¶{number}]({}#p{number})", link(&article.link)),
            None => line,
        }
    });
    page.push(bullets.collect::<Vec<_>>().join("\n"));
    if let Some(shortfall) = &article.shortfall {
        page.push(format!("*{}.*", markdown(shortfall)));
    }
}

fn flagged(briefing: &Briefing, page: &mut Page) {
    let mut lines: Vec<String> = Vec::new();
    for article in briefing.articles.iter().filter(|article| article.checks.flagged > 0) {
        let kinds = article.checks.by_check.iter().map(|(check, count)| format!("{} {count}", check_name(*check)));
        lines.push(format!(
            "- [{}]({}): {} of {} segments ({})",
            directed(&article.title),
            link(&article.link),
            article.checks.flagged,
            article.checks.segments,
            kinds.collect::<Vec<_>>().join(", ")
        ));
        let shown = article.flagged.iter().take(MOST_FLAGGED);
        lines.extend(shown.map(|segment| format!("  - {}", markdown(&reasons(segment)))));
        if article.flagged.len() > MOST_FLAGGED {
            lines.push(format!("  - and {} more, in the note", article.flagged.len() - MOST_FLAGGED));
        }
    }
    if !lines.is_empty() {
        page.push("## Flagged");
        page.push(lines.join("\n"));
    }
}

fn list<'a>(heading: &str, items: impl Iterator<Item = (&'a String, &'a String)>, page: &mut Page) {
    let lines: Vec<String> = items.map(|(path, reason)| format!("- {}: {}", code(path), markdown(reason))).collect();
    if !lines.is_empty() {
        page.push(heading);
        page.push(lines.join("\n"));
    }
}
