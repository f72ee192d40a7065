//! Lines that a program broke at a width become paragraphs again.
//!
//! In: the lines of a text as they stand, with the blanks that they begin with. Out: the same with broken lines joined, where
//! the text itself is the evidence: a line goes on in the next where the next one's first word had no room on it, and nearly
//! all lines that do not end a sentence are so. Lists of headlines and poems have lines of any length below the longest.
//! Who writes such text: mail programs (RFC 5322 2.1.1 asks for it), editors, `fold` and `fmt`, web pages saved by Lynx.

use std::borrow::Cow;

use super::Line;

/// The widths that programs break lines at lie between these.
const WIDTHS: std::ops::RangeInclusive<usize> = 50..=120;

/// Broken lines from which the width is no accident.
const LEAST: usize = 3;

/// Of lines that could go on in the next, so many in five do where a text is broken.
const OF_FIVE: usize = 4;

/// Returns the text with broken lines joined, where there are any.
pub(in super::super) fn mended(text: &str) -> Cow<'_, str> {
    let lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    unwrapped(&lines).map_or(Cow::Borrowed(text), |lines| Cow::Owned(lines.join("\n")))
}

/// Returns the lines with broken ones joined; `None` where they are not broken at a width.
pub(in super::super) fn unwrapped(lines: &[String]) -> Option<Vec<String>> {
    let width = lines.iter().map(|line| length(line)).max().unwrap_or(0);
    if !WIDTHS.contains(&width) {
        return None;
    }
    let (mut broken, mut all) = (0usize, 0usize);
    for pair in lines.windows(2) {
        let Some(full) = goes_on(&pair[0], &pair[1], width) else { continue };
        // The last line of a paragraph is as long as it happens to be.
        if full || !Line::new(&pair[0], false).is_closed() {
            all += 1;
            broken += usize::from(full);
        }
    }
    if broken < LEAST || broken * 5 < all * OF_FIVE {
        return None;
    }
    let mut found: Vec<String> = Vec::new();
    let mut before: Option<&str> = None;
    for line in lines {
        match (before.and_then(|before| goes_on(before, line, width)), found.last_mut()) {
            (Some(true), Some(last)) => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ => found.push(line.clone()),
        }
        before = Some(line);
    }
    Some(found)
}

fn length(line: &str) -> usize {
    line.trim_end().chars().count()
}

/// Returns whether a line was broken off before the next one's first word; `None` where the two cannot be one paragraph: one
/// is blank, quoted where the other is not, or opens with a bullet or more blanks than the line before.
fn goes_on(line: &str, next: &str, width: usize) -> Option<bool> {
    let first = next.split_whitespace().next()?;
    let indent = |line: &str| line.chars().take_while(|c| c.is_whitespace()).count();
    let apart = line.trim().is_empty()
        || next.starts_with('>') != line.starts_with('>')
        || indent(next) > indent(line) + 1
        || (indent(next) >= 2 && Line::new(line, false).is_closed())
        || Line::new(next.trim_start_matches(['>', ' ']), false).bullet().is_some();
    (!apart).then(|| length(line) + 1 + first.chars().count() > width)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = "أعلنت الوزارة اليوم عن بدء أشغال المشروع الجديد في المدينة القديمة بكلفة كبيرة تبلغ عشرين مليون دينار \
        وقالت إن العمل سيبدأ في الأسبوع المقبل في ثلاث مدن وسوف ينتهي قبل نهاية السنة المقبلة في كل المدن الكبيرة.";

    /// Breaks a text as `fold -s` does; the first line begins with blanks.
    fn broken(text: &str, width: usize, indent: &str) -> String {
        let mut lines = vec![indent.to_owned()];
        for word in text.split(' ') {
            let last = lines.last_mut().unwrap();
            if last.chars().count() + 1 + word.chars().count() > width {
                lines.push(word.to_owned());
            } else {
                if !last.trim().is_empty() {
                    last.push(' ');
                }
                last.push_str(word);
            }
        }
        lines.join("\n")
    }

    #[test]
    fn broken_paragraphs_are_whole_again() {
        for width in [60, 72, 80] {
            let blank = [broken(WORDS, width, ""), broken(WORDS, width, "")].join("\n\n");
            assert_eq!(mended(&format!("عنوان\n\n{blank}")), format!("عنوان\n\n{WORDS}\n\n{WORDS}"), "{width}");
            let indented = [broken(WORDS, width, "    "), broken(WORDS, width, "    ")].join("\n");
            assert_eq!(mended(&indented), format!("    {WORDS}\n    {WORDS}"), "{width}");
        }
    }

    #[test]
    fn lists_of_headlines_and_lines_of_poems_stay() {
        let headlines: Vec<String> =
            (0..12).map(|at| WORDS.split(' ').skip(at).take(9 + at % 4).collect::<Vec<_>>().join(" ")).collect();
        let text = headlines.join("\n");
        assert_eq!(mended(&text), text);
        let long = format!("{WORDS}\n{WORDS}\n");
        assert_eq!(mended(&long), long);
    }
}
