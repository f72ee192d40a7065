//! Running text with marks becomes lines: what the readers of office documents, RTF and Markdown have in common.
//!
//! In: words, ends of paragraphs with what the format says of them, and tables as they open and close. Out: cleaned
//! [`Line`]s with hints. A table of data becomes a line a row, a table that holds a layout (paragraphs or tables in its
//! cells: whole pages are pasted so) is passed through. The first heading above the text is the title where none is marked.

mod table;

use super::line::{Hint, Line, key};
use crate::arabic::letters::{Rule, apply};
use table::{Cell, Table};

/// Tables deeper than this are passed through: their words come out, their rows do not.
const MAX_TABLES: usize = 16;

/// How far down a title can stand, in paragraphs.
const REACH: usize = 20;

/// What a format says of a paragraph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// The title of the document.
    Title,
    /// A heading and its level, from 1.
    Heading(u8),
    /// Nothing that tells it from others.
    Plain,
    /// A point of a list.
    ListItem,
    /// Words of somebody else.
    Quote,
    /// The words under a picture.
    Caption,
    /// A row of a table.
    Row,
}

#[derive(Debug, Clone)]
struct Item {
    text: String,
    mark: Mark,
}

/// Text as it is put together.
#[derive(Debug)]
pub(super) struct Flow<'r> {
    rules: &'r [Rule],
    items: Vec<Item>,
    /// The paragraph that is open; `\n` stands for a break within it.
    open: String,
    tables: Vec<Table>,
    /// How many tables are open beyond [`MAX_TABLES`].
    deeper: usize,
    notes: Vec<Item>,
}

impl<'r> Flow<'r> {
    /// Makes an empty one; `rules` clean its letters.
    pub fn new(rules: &'r [Rule]) -> Self {
        Self { rules, items: Vec::new(), open: String::new(), tables: Vec::new(), deeper: 0, notes: Vec::new() }
    }

    /// Adds words to the open paragraph; line ends within them are blanks.
    pub fn words(&mut self, words: &str) {
        self.open.extend(words.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c }));
    }

    /// Breaks the line within the open paragraph.
    pub fn line_break(&mut self) {
        self.open.push('\n');
    }

    /// Takes the open paragraph away, to go on with it later.
    pub fn set_aside(&mut self) -> String {
        std::mem::take(&mut self.open)
    }

    /// Goes on with a paragraph that was set aside, behind what is open.
    pub fn resume(&mut self, aside: String) {
        self.open = aside;
    }

    /// Ends the paragraph.
    pub fn end(&mut self, mark: Mark) {
        let open = std::mem::take(&mut self.open);
        for text in pieces(&open, self.rules, mark) {
            self.put(Item { text, mark });
        }
    }

    /// Ends the paragraph as one of a note: it comes after the body.
    pub fn end_note(&mut self) {
        let open = std::mem::take(&mut self.open);
        self.notes
            .extend(pieces(&open, self.rules, Mark::Plain).into_iter().map(|text| Item { text, mark: Mark::Plain }));
    }

    fn put(&mut self, item: Item) {
        match self.tables.last_mut() {
            Some(table) => {
                if table.rows.is_empty() {
                    table.rows.push(Vec::new());
                }
                let Some(row) = table.rows.last_mut() else { return };
                if row.is_empty() {
                    row.push(Cell::default());
                }
                if let Some(cell) = row.last_mut() {
                    cell.items.push(item);
                }
            }
            None => self.items.push(item),
        }
    }

    /// Opens a table.
    pub fn open_table(&mut self) {
        self.end(Mark::Plain);
        if self.tables.len() >= MAX_TABLES {
            self.deeper += 1;
        } else {
            self.tables.push(Table::default());
        }
    }

    /// Opens a row.
    pub fn open_row(&mut self) {
        self.end(Mark::Plain);
        if let (0, Some(table)) = (self.deeper, self.tables.last_mut()) {
            table.rows.push(Vec::new());
        }
    }

    /// Opens a cell.
    pub fn open_cell(&mut self) {
        self.end(Mark::Plain);
        if let (0, Some(table)) = (self.deeper, self.tables.last_mut()) {
            if table.rows.is_empty() {
                table.rows.push(Vec::new());
            }
            if let Some(row) = table.rows.last_mut() {
                row.push(Cell::default());
            }
        }
    }

    /// Closes the table: its rows, or what stands in its cells, go where the table stood.
    pub fn close_table(&mut self) {
        self.end(Mark::Plain);
        if self.deeper > 0 {
            self.deeper -= 1;
            return;
        }
        let Some(table) = self.tables.pop() else { return };
        let items = table.items();
        if let Some(cell) = self.tables.last_mut().and_then(|above| above.rows.last_mut()?.last_mut()) {
            cell.nested = true;
        }
        for item in items {
            self.put(item);
        }
    }

    /// Returns how many tables are open.
    pub fn tables(&self) -> usize {
        self.tables.len() + self.deeper
    }

    /// Returns the lines. `title` is what the document calls itself, believed where a line says so too; or, where `sure`,
    /// without one.
    pub fn lines(mut self, title: Option<&str>, sure: bool) -> Vec<Line> {
        self.end(Mark::Plain);
        while self.tables() > 0 {
            self.close_table();
        }
        let mut items = self.items;
        let title = title.map(|title| apply(title, self.rules));
        let title = title.as_deref().map(str::trim).filter(|title| !title.is_empty());
        if let Some(at) = titled(&items, title) {
            items[at].mark = Mark::Title;
        } else if let (Some(title), true) = (title, sure) {
            items.insert(0, Item { text: title.to_owned(), mark: Mark::Title });
        }
        let mut found = false;
        items.extend(self.notes);
        items.iter().map(|item| line(item, &mut found)).collect()
    }

    /// Returns the words of short lines, as they are compared.
    pub fn says(&self, words: &str) -> bool {
        let words = key(words);
        !words.is_empty()
            && self
                .items
                .iter()
                .take(REACH)
                .chain(self.items.iter().rev().take(3))
                .any(|item| item.text.len() < 200 && format!(" {} ", key(&item.text)).contains(&format!(" {words} ")))
    }
}

fn line(item: &Item, titled: &mut bool) -> Line {
    let hint = match item.mark {
        Mark::Title if !*titled => {
            *titled = true;
            Hint::Title
        }
        Mark::Title | Mark::Heading(_) => Hint::Heading,
        Mark::ListItem => Hint::ListItem,
        Mark::Quote => Hint::Quote,
        Mark::Caption => Hint::Caption,
        Mark::Row => Hint::TableRow,
        Mark::Plain => return Line::new(&item.text, true),
    };
    Line::hinted(&item.text, hint)
}

/// Returns which paragraph is the title: one that is marked, one that says what the document is called, or a heading above
/// the text that no other outranks.
fn titled(items: &[Item], title: Option<&str>) -> Option<usize> {
    if let Some(at) = items.iter().position(|item| item.mark == Mark::Title) {
        return Some(at);
    }
    let plain = |item: &Item| matches!(item.mark, Mark::Plain | Mark::Heading(_));
    if let Some(title) = title.map(key).filter(|title| !title.is_empty())
        && let Some(at) = items.iter().take(REACH).position(|item| plain(item) && key(&item.text) == title)
    {
        return Some(at);
    }
    let level = |item: &Item| if let Mark::Heading(level) = item.mark { Some(level) } else { None };
    let highest = items.iter().filter_map(level).min()?;
    let at = items.iter().position(|item| level(item).is_some())?;
    let above = items[..at].iter().any(|item| Line::new(&item.text, true).is_prose());
    (at < REACH && !above && level(&items[at]) == Some(highest)).then_some(at)
}

/// Cleans a paragraph and cuts it at its breaks: a line that ends or is short stands for itself, one that breaks off in a
/// sentence goes on in the next.
fn pieces(text: &str, rules: &[Rule], mark: Mark) -> Vec<String> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    let mut found: Vec<String> = Vec::new();
    let mut goes_on = false;
    for raw in text.split('\n') {
        let words = clean(raw, rules);
        if words.is_empty() {
            goes_on = false;
            continue;
        }
        let line = Line::new(&words, false);
        let joins = goes_on || (!found.is_empty() && matches!(mark, Mark::Title | Mark::Heading(_)));
        goes_on = line.words >= 6 && !line.is_closed() && !words.ends_with([':', '؛']);
        match found.last_mut() {
            Some(last) if joins => {
                last.push(' ');
                last.push_str(&words);
            }
            _ => found.push(words),
        }
    }
    found
}

/// Cleans words: letters by the rules, no controls, one blank between two words.
pub(super) fn clean(text: &str, rules: &[Rule]) -> String {
    let text = apply(text, rules);
    let mut out = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arabic::letters::CLEANING;

    fn shown(flow: Flow<'_>) -> Vec<(String, Option<Hint>)> {
        flow.lines(None, false).into_iter().map(|line| (line.text, line.hint)).collect()
    }

    fn cell(flow: &mut Flow<'_>, words: &str) {
        flow.open_cell();
        flow.words(words);
        flow.end(Mark::Plain);
    }

    #[test]
    fn a_table_of_data_becomes_rows_and_a_layout_is_passed_through() {
        let mut flow = Flow::new(CLEANING);
        flow.open_table();
        for (a, b) in [("أ", "ب"), ("ج", "د")] {
            flow.open_row();
            cell(&mut flow, a);
            cell(&mut flow, b);
        }
        flow.close_table();
        flow.open_table();
        flow.open_row();
        flow.open_cell();
        flow.words("نص ");
        flow.end(Mark::Heading(1));
        flow.words("كلام");
        flow.end(Mark::Plain);
        flow.close_table();
        assert_eq!(
            shown(flow),
            [
                ("أ | ب".to_owned(), Some(Hint::TableRow)),
                ("ج | د".to_owned(), Some(Hint::TableRow)),
                ("نص".to_owned(), Some(Hint::Title)),
                ("كلام".to_owned(), None),
            ]
        );
    }

    #[test]
    fn tables_nest_without_bound_and_lose_no_word() {
        let mut flow = Flow::new(CLEANING);
        for _ in 0..1000 {
            flow.open_table();
            flow.open_row();
            flow.open_cell();
        }
        flow.words("خبر");
        for _ in 0..1000 {
            flow.close_table();
        }
        assert_eq!(shown(flow), [("خبر".to_owned(), None)]);
    }

    #[test]
    fn a_break_in_a_sentence_joins_and_one_after_it_parts() {
        let mut flow = Flow::new(CLEANING);
        flow.words("بقلم: فلان");
        flow.line_break();
        flow.words("قالت الوزارة إن العمل بدأ اليوم في");
        flow.line_break();
        flow.words("المدينة.");
        flow.line_break();
        flow.words("وأضافت.");
        assert_eq!(
            flow.lines(None, false).iter().map(|l| l.text.as_str()).collect::<Vec<_>>(),
            ["بقلم: فلان", "قالت الوزارة إن العمل بدأ اليوم في المدينة.", "وأضافت."]
        );
    }

    #[test]
    fn the_title_is_the_line_that_says_what_the_document_is_called() {
        let text = |title, sure| {
            let mut flow = Flow::new(CLEANING);
            for words in ["تاريخ", "عنوان المقال"] {
                flow.words(words);
                flow.end(Mark::Plain);
            }
            let lines = flow.lines(title, sure);
            lines.iter().position(|line| line.hint == Some(Hint::Title)).map(|at| lines[at].text.clone())
        };
        assert_eq!(text(Some("عُنوان المقال"), false).as_deref(), Some("عنوان المقال"));
        assert_eq!(text(Some("Document1"), false), None);
        assert_eq!(text(Some("خبر آخر"), true).as_deref(), Some("خبر آخر"));
    }
}
