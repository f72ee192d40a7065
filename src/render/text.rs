//! The translation as plain text, and the summary as bullets alone.
//!
//! In: a [`Note`]. Out: lines without markup, a blank line between two blocks. A flagged segment keeps its mark: plain
//! text is no reason to be silent.

use super::markdown::{bullet, reasons};
use super::{Error, Renderer};
use crate::briefing::Note;
use crate::document::BlockKind;
use crate::summary::Origin;

/// Renders the English of an article as plain text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Text;

impl Renderer for Text {
    fn name(&self) -> &'static str {
        "txt"
    }

    fn render(&self, note: &Note) -> Result<Vec<u8>, Error> {
        let mut blocks: Vec<String> = Vec::new();
        if let Some(draft) = &note.draft {
            blocks.push(format!("Draft quality: {}", line(draft)));
        }
        for block in &note.document.blocks {
            let segments = note.segments_of(block.id).map(|segment| {
                let target = line(&segment.target);
                if !segment.is_flagged() {
                    return target;
                }
                let target = if target.is_empty() { "(no translation)".to_owned() } else { target };
                format!("{target} [⚠ {}: {}]", line(&reasons(segment)), line(&segment.source))
            });
            let words = segments.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(block.kind.separator());
            let dash = if matches!(block.kind, BlockKind::PublisherSummary | BlockKind::ListItem) { "- " } else { "" };
            blocks.extend(block.shown_time().map(|time| line(&time)));
            if !words.is_empty() {
                blocks.push(format!("{dash}{words}"));
            }
        }
        Ok(format!("{}\n", blocks.join("\n\n")).into_bytes())
    }
}

fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Renders the bullets of a summary and nothing else, as Markdown list items.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bullets;

impl Renderer for Bullets {
    fn name(&self) -> &'static str {
        "md"
    }

    fn render(&self, note: &Note) -> Result<Vec<u8>, Error> {
        let mut lines: Vec<String> = Vec::new();
        if let Some(draft) = &note.draft {
            lines.push(format!("**Draft quality:** {}\n", super::escape::markdown(draft)));
        }
        if let Some(summary) = &note.summary {
            lines.extend(summary.bullets.iter().map(|b| bullet(Some(&b.label), &b.statement, b.flagged)));
            let fallback = summary.bullets.iter().find_map(|bullet| match &bullet.origin {
                Origin::FallbackExtractive(reason) => Some(format!("what the model wrote broke the rules: {reason}")),
                _ => None,
            });
            let remarks = fallback.iter().chain(&summary.remark);
            lines.extend(remarks.map(|remark| format!("\n*{}.*", super::escape::markdown(remark))));
            lines.extend(summary.shortfall.iter().map(|reason| format!("\n*{}.*", super::escape::markdown(reason))));
        }
        Ok(format!("{}\n", lines.join("\n")).into_bytes())
    }
}
