//! The publisher's own summary: a box with points under a label such as "ملخص".
//!
//! In: the lines after a label. Out: how many of them are the box, and the words of each point without its bullet.

use super::furniture::Mark;
use super::line::Line;

/// The most words that the label of a point has: "التعاون العسكري والأمني: …".
const MAX_LABEL: usize = 8;

/// The most points that a box has.
const MAX_POINTS: usize = 12;

/// Returns the points that follow the label at `label`: the index of each line and its words. Empty where none follow.
pub(super) fn points(lines: &[Line], marks: &[Option<Mark>], label: usize, end: usize) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut bulleted = None;
    for at in label + 1..end {
        // A second label ("استمع إلى الملخص", "اظهر الملخص") and buttons stand before the points.
        if marks[at].is_some() {
            if found.is_empty() && at <= label + 4 {
                continue;
            }
            break;
        }
        let line = &lines[at];
        let words = match (line.bullet(), bulleted) {
            (Some(words), None | Some(true)) => {
                bulleted = Some(true);
                words
            }
            (None, None | Some(false)) if has_label(&line.text) => {
                bulleted = Some(false);
                line.text.as_str()
            }
            _ => break,
        };
        found.push((at, words.to_owned()));
        if found.len() == MAX_POINTS {
            break;
        }
    }
    // One line with a colon may be any sentence; a box without bullets has two at least.
    if bulleted == Some(false) && found.len() < 2 {
        return Vec::new();
    }
    found
}

/// Returns whether a line is a label, a colon and more words.
fn has_label(text: &str) -> bool {
    text.split_once(':').is_some_and(|(label, rest)| {
        let words = label.split_whitespace().count();
        (1..=MAX_LABEL).contains(&words)
            && rest.split_whitespace().count() >= 3
            && !label.contains(['"', '“', '«', '،', '.'])
    })
}
