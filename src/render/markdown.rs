//! Notes as Markdown, for people.
//!
//! In: a [`Note`]. Out: title, source line, summary with links to paragraphs, the publisher's summary, the full
//! translation with flagged segments marked where they stand, and how all of it was made. Rendered by any `CommonMark`
//! reader that lets inline HTML through (anchors and the direction of Arabic need it).

use super::escape::{line_start, markdown, right_to_left};
use super::{Error, Renderer};
use crate::briefing::{Bilingual, Note, NoteBlock};
use crate::check::Check;
use crate::document::BlockKind;
use crate::summary::Origin;
use crate::summary::words::Language;
use crate::translation::SegmentTranslation;

/// Renders notes as Markdown.
#[derive(Debug, Clone, Copy, Default)]
pub struct Markdown;

impl Renderer for Markdown {
    fn name(&self) -> &'static str {
        "md"
    }

    fn render(&self, note: &Note) -> Result<Vec<u8>, Error> {
        let mut page = Page::default();
        heading(note, &mut page);
        summary(note, &mut page);
        publisher_summary(note, &mut page);
        translation(note, &mut page);
        footer(note, &mut page);
        Ok(page.finish())
    }
}

/// Blocks of Markdown, an empty line between two.
#[derive(Debug, Default)]
pub(super) struct Page {
    blocks: Vec<String>,
}

impl Page {
    /// Adds a block; an empty one is left out.
    pub(super) fn push(&mut self, block: impl Into<String>) {
        let block = block.into();
        if !block.is_empty() {
            self.blocks.push(block);
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        format!("{}\n", self.blocks.join("\n\n")).into_bytes()
    }
}

/// Writes words of the page in the direction of their language.
pub(super) fn directed(text: &str) -> String {
    let escaped = markdown(text);
    if Language::of(text) == Language::Arabic { right_to_left(&escaped) } else { escaped }
}

fn shown(words: &Bilingual) -> String {
    directed(words.shown())
}

fn heading(note: &Note, page: &mut Page) {
    let titles: Vec<&NoteBlock> = note.document.blocks.iter().filter(|b| b.kind == BlockKind::Title).collect();
    match &note.document.title {
        Some(title) => {
            page.push(format!("# {}", shown(title)));
            if Language::of(&title.original) == Language::Arabic && title.english.is_some() {
                page.push(right_to_left(&markdown(&title.original)));
            }
        }
        None => page.push(format!("# {}", markdown(&note.source.name()))),
    }
    // The headline is read first: a fault in it is said at once.
    for segment in titles.iter().flat_map(|block| note.segments_of(block.id)).filter(|s| s.is_flagged()) {
        page.push(format!("> ⚠ **Check the headline** ({})", markdown(&reasons(segment))));
    }
    if let Some(draft) = &note.draft {
        page.push(format!("**Draft quality:** {}", markdown(draft)));
    }
    let mut facts: Vec<String> = Vec::new();
    facts.extend(note.document.publisher.as_ref().map(shown));
    facts.extend(note.document.byline.as_ref().map(|byline| format!("by {}", shown(byline))));
    // An agency's dateline says once more who published the article.
    let dateline =
        note.document.dateline.as_ref().filter(|dateline| Some(*dateline) != note.document.publisher.as_ref());
    facts.extend(dateline.map(|dateline| format!("from {}", shown(dateline))));
    facts.push(note.document.date.as_ref().map_or_else(|| "date not stated".to_owned(), |date| long_date(date.iso)));
    facts.push(format!("file {}", code(&note.source.name())));
    page.push(format!("*Source:* {}", facts.join(" · ")));
    for warning in &note.document.warnings {
        page.push(format!("⚠ *{}*", markdown(warning)));
    }
}

/// Writes a day as `3 January 2025`.
pub(super) fn long_date(date: jiff::civil::Date) -> String {
    date.strftime("%-d %B %Y").to_string()
}

/// Writes words that are to be shown as they are, such as a path.
pub(super) fn code(text: &str) -> String {
    let flat: String = text.chars().map(|c| if c.is_control() || c == '`' { ' ' } else { c }).collect();
    if flat.trim().is_empty() { String::new() } else { format!("`{}`", flat.trim()) }
}

fn summary(note: &Note, page: &mut Page) {
    let Some(summary) = &note.summary else { return };
    page.push("## Summary");
    let bullets = summary.bullets.iter().map(|bullet_of| {
        let mut numbers: Vec<usize> =
            bullet_of.evidence.iter().filter_map(|&segment| note.paragraph_of(Some(segment))).collect();
        numbers.dedup();
        let links: Vec<String> = numbers.iter().map(|number| format!("[¶{number}](#p{number})")).collect();
        format!("{} {}", bullet(Some(&bullet_of.label), &bullet_of.statement, bullet_of.flagged), links.join(" "))
    });
    page.push(bullets.map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n"));
    if let Some(shortfall) = &summary.shortfall {
        page.push(format!("*{}.*", markdown(shortfall)));
    }
}

/// Writes one bullet: `- **Label:** statement.`, with a mark where its evidence is flagged.
pub(super) fn bullet(label: Option<&str>, statement: &str, flagged: bool) -> String {
    let mark = if flagged { " ⚠" } else { "" };
    match label {
        Some(label) => format!("- **{}:** {}{mark}", markdown(label), markdown(statement)),
        None => format!("- {}{mark}", line_start(&markdown(statement))),
    }
}

fn publisher_summary(note: &Note, page: &mut Page) {
    if note.publisher_summary.is_empty() {
        return;
    }
    page.push("## Publisher's summary");
    let mut lines: Vec<String> = Vec::new();
    for point in &note.publisher_summary {
        lines.push(bullet(point.label.as_deref(), &point.statement, point.flagged));
        let flagged = note.segments_of(point.block).filter(|segment| segment.is_flagged());
        lines.extend(
            flagged.map(|segment| format!("  - Check: {} — {}", markdown(&reasons(segment)), original(segment))),
        );
    }
    page.push(lines.join("\n"));
}

fn translation(note: &Note, page: &mut Page) {
    page.push("## Translation");
    let mut number = 0;
    for block in &note.document.blocks {
        let anchor = if block.kind.is_body() {
            number += 1;
            format!("<a id=\"p{number}\"></a>")
        } else {
            String::new()
        };
        if let Some(time) = block.shown_time() {
            page.push(directed(&time));
        }
        match block.kind {
            BlockKind::Title | BlockKind::PublisherSummary => {}
            kind => body_block(note, block, kind, anchor, page),
        }
    }
}

/// Writes a block of the body: clean segments run on, a flagged one stands by itself with its mark.
fn body_block(note: &Note, block: &NoteBlock, kind: BlockKind, mut anchor: String, page: &mut Page) {
    let mut running: Vec<String> = Vec::new();
    for segment in note.segments_of(block.id) {
        if segment.is_flagged() {
            flush(kind, &mut anchor, &mut running, page);
            let lead = if anchor.is_empty() { String::new() } else { std::mem::take(&mut anchor) };
            page.push(format!("> {lead}{}", flagged(segment)));
        } else if !segment.target.trim().is_empty() {
            running.push(markdown(&segment.target));
        }
    }
    flush(kind, &mut anchor, &mut running, page);
}

fn flush(kind: BlockKind, anchor: &mut String, running: &mut Vec<String>, page: &mut Page) {
    if running.is_empty() {
        return;
    }
    let words = line_start(&running.join(kind.separator()));
    running.clear();
    let anchor = std::mem::take(anchor);
    page.push(match kind {
        BlockKind::Subheading => format!("### {words}"),
        BlockKind::Standfirst => format!("**{words}**"),
        BlockKind::Caption => format!("*{words}*"),
        BlockKind::PullQuote => format!("> {words}"),
        BlockKind::Quote => format!("> {anchor}{words}"),
        BlockKind::ListItem => format!("- {anchor}{words}"),
        _ => format!("{anchor}{words}"),
    });
}

/// Writes a flagged segment: the mark, what is wrong, the English and the Arabic.
fn flagged(segment: &SegmentTranslation) -> String {
    let target =
        if segment.target.trim().is_empty() { "(no translation)".to_owned() } else { markdown(&segment.target) };
    format!("⚠ **Check this sentence** ({}): {target} — {}", markdown(&reasons(segment)), original(segment))
}

fn original(segment: &SegmentTranslation) -> String {
    match Language::of(&segment.source) {
        Language::Arabic => format!("Arabic: {}", directed(&segment.source)),
        Language::English => format!("Original: {}", markdown(&segment.source)),
    }
}

/// Says what the checks found in a segment: `numbers: source has 2011, target lacks it`.
pub(super) fn reasons(segment: &SegmentTranslation) -> String {
    if segment.verdicts.is_empty() {
        return "no check passed it".to_owned();
    }
    let reasons = segment.verdicts.iter().map(|verdict| format!("{}: {}", check_name(verdict.check), verdict.detail));
    reasons.collect::<Vec<_>>().join("; ")
}

/// Returns a check's name as the JSON has it.
pub(super) fn check_name(check: Check) -> String {
    match serde_json::to_value(check) {
        Ok(serde_json::Value::String(name)) => name,
        _ => "check".to_owned(),
    }
}

fn footer(note: &Note, page: &mut Page) {
    page.push("---");
    let mut lines = vec![format!("- Checks: {}", checks_line(note))];
    for model in &note.models {
        let mut facts = vec![markdown(&model.licence)];
        if !model.decoding.is_empty() {
            facts.push(format!("decoding: {}", markdown(&model.decoding)));
        }
        facts.extend(model.unverified.as_deref().map(markdown));
        lines.push(format!(
            "- Model for {}: {} at {} ({})",
            markdown(&model.role),
            code(&model.id),
            code(&model.revision),
            facts.join("; ")
        ));
    }
    if let Some(summary) = &note.summary {
        let reasons = summary.bullets.iter().filter_map(|bullet| match &bullet.origin {
            Origin::FallbackExtractive(reason) => Some(reason.as_str()),
            _ => None,
        });
        let reasons: Vec<&str> = reasons.collect();
        if let Some(first) = reasons.first() {
            lines.push(format!(
                "- Summary: {} of {} bullets taken from the translation, because what the model wrote broke the rules ({})",
                reasons.len(),
                summary.bullets.len(),
                markdown(&shortened(first))
            ));
        }
        lines.extend(summary.remark.as_deref().map(|remark| format!("- Summary: {}", markdown(remark))));
    }
    lines.push(format!("- Source: SHA-256 {}, read as {}", code(&note.source.sha256), markdown(&note.source.encoding)));
    let options = if note.options.is_empty() { String::new() } else { format!(", options {}", code(&note.options)) };
    lines.push(format!("- Made by mujaz {}{options}", markdown(&note.mujaz.version)));
    page.push(lines.join("\n"));
}

/// Cuts a reason, which may hold words of a model, to what fits on a line or two.
fn shortened(reason: &str) -> String {
    const MOST: usize = 160;
    match reason.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", reason[..end].trim_end()),
        None => reason.to_owned(),
    }
}

fn checks_line(note: &Note) -> String {
    let checks = &note.checks;
    let mut line = format!("{} segments, {} clean, {} flagged", checks.segments, checks.clean, checks.flagged);
    if !checks.by_check.is_empty() {
        let kinds: Vec<String> =
            checks.by_check.iter().map(|(check, count)| format!("{} {count}", check_name(*check))).collect();
        line.push_str(&format!(" ({})", kinds.join(", ")));
    }
    line
}
