//! Tables of articles: CSV and TSV with named columns. One article a row.
//!
//! In: a stream of bytes in any encoding. Out: a [`Record`] or a reason for each row, in order, with one row in memory at a
//! time. Which column is what, is [`super::record`]'s. Sources: RFC 4180, what spreadsheets write (semicolons where the
//! comma is the decimal sign, `sep=`, a byte order mark).

use std::io::{BufRead, BufReader, Cursor, Read};

use csv_core::ReadRecordResult;
use encoding_rs_io::DecodeReaderBytesBuilder;

use super::encoding::{self, Charset};
use super::record::{Fields, Plan, Record, role};
use super::{Why, printable};

/// The most bytes of a row: a long article has fewer than a hundred thousand.
pub(super) const MAX_ROW: usize = 16 * 1024 * 1024;
/// The most bytes of a table in an encoding that is read in one piece.
const MAX_OLD: usize = 64 * 1024 * 1024;
/// The most cells of a row: tables of articles have tens of columns.
const MAX_CELLS: usize = 4096;
/// Separators, the likeliest first.
const SEPARATORS: [u8; 4] = *b",;\t|";

/// A row with its name, `row 12` or `line 3`.
pub(super) struct Row {
    pub name: String,
    pub record: Result<Record, Why>,
}

/// Returns a stream as UTF-8, and the name of the encoding that it is in; `head` are its first bytes.
pub(super) fn as_utf8<'r, R: Read + 'r>(
    head: &[u8],
    input: R,
    wanted: Option<Charset>,
) -> Result<(Box<dyn BufRead + 'r>, String), Why> {
    let told = encoding::decode(head, wanted, None).map_err(|error| Why::Damaged { what: error.to_string() })?;
    let name = told.encoding.to_owned();
    let Ok(Charset::Web(encoding)) = encoding::by_label(told.encoding) else {
        // Encodings of old computers are tables without a stream: such files are as small as their disks were.
        let mut bytes = Vec::new();
        input.take(MAX_OLD as u64 + 1).read_to_end(&mut bytes).map_err(broken)?;
        if bytes.len() > MAX_OLD {
            return Err(Why::Damaged { what: format!("{name} text of more than {} MB", MAX_OLD / 1_000_000) });
        }
        let charset = encoding::by_label(told.encoding).map_err(|error| Why::Damaged { what: error.to_string() })?;
        return Ok((Box::new(Cursor::new(charset.decode(&bytes).into_owned().into_bytes())), name));
    };
    let decoder =
        DecodeReaderBytesBuilder::new().encoding(Some(encoding)).bom_override(true).strip_bom(true).build(input);
    Ok((Box::new(BufReader::with_capacity(64 * 1024, decoder)), name))
}

/// Returns whether text is the beginning of a table: a head that names columns, and rows under it. A name that says so
/// (`by_name`) needs no columns of which we know what they are.
pub(super) fn looks_like_table(text: &str, whole: bool, by_name: bool) -> bool {
    let text = text.strip_prefix("sep=").and_then(|rest| rest.split_once('\n')).map_or(text, |(_, rest)| rest);
    let line = text.lines().next().unwrap_or_default();
    if line.len() == text.len() && !(whole && by_name) {
        return false;
    }
    let separator = separator(line.as_bytes());
    let cells = cells(line, separator);
    let known: Vec<_> = cells.iter().filter_map(|cell| role(cell)).collect();
    let text_column =
        known.iter().any(|(role, _)| matches!(role, super::record::Role::Text | super::record::Role::Html));
    if by_name {
        // Words with a comma are no head: columns have short names.
        return text_column || (cells.len() > 1 && cells.iter().all(|cell| cell.split_whitespace().count() <= 5));
    }
    text_column && known.len() >= 2 && cells.len() <= MAX_CELLS && text.lines().nth(1).is_some()
}

/// Returns the separator of a head: the one that stands in it most often, outside of quotation marks.
fn separator(line: &[u8]) -> u8 {
    let count = |separator: u8| {
        let mut quoted = false;
        line.iter()
            .filter(|&&byte| {
                quoted ^= byte == b'"';
                byte == separator && !quoted
            })
            .count()
    };
    let best = SEPARATORS.iter().rev().max_by_key(|&&separator| count(separator));
    best.copied().unwrap_or(b',')
}

fn cells(line: &str, separator: u8) -> Vec<&str> {
    line.split(char::from(separator)).map(|cell| cell.trim().trim_matches('"')).collect()
}

/// Reads a table row by row; `each` returns whether to go on.
///
/// # Errors
/// Where its head names no column of text, or it cannot be read.
pub(super) fn csv(mut input: impl BufRead, fields: &Fields, mut each: impl FnMut(Row) -> bool) -> Result<(), Why> {
    let first = first_line(&mut input)?;
    let mut head = first.as_slice();
    let mut given = None;
    if let Some(rest) = head.strip_prefix(b"sep=") {
        given = rest.first().copied();
        head = &[];
    }
    let separator = given.unwrap_or_else(|| separator(head));
    let mut reader = Csv::new(separator, head.chain(input));
    let Some(names) = reader.next()? else { return Err(Why::Empty) };
    let names = names.map_err(|what| Why::Damaged { what: format!("the head of the table has {what}") })?;
    let plan = Plan::of(&names, fields)?;
    let mut number = 0usize;
    while let Some(row) = reader.next()? {
        number += 1;
        let record = row.map_err(|what| Why::Row { what }).and_then(|cells| {
            let words = |count: usize| format!("{count} {}", if count == 1 { "cell" } else { "cells" });
            if cells.len() > names.len() && cells[names.len()..].iter().any(|cell| !cell.trim().is_empty()) {
                return Err(Why::Row { what: format!("{} where the head has {}", words(cells.len()), names.len()) });
            }
            let record = plan.record(|place| cells.get(place).map(String::as_str));
            if record.has_text() {
                Ok(record)
            } else if cells.len() < names.len() {
                Err(Why::Row { what: format!("{} where the head has {}", words(cells.len()), names.len()) })
            } else {
                Err(Why::Row { what: format!("nothing in the column \"{}\"", printable(plan.text_name(&names))) })
            }
        });
        if !each(Row { name: format!("row {number}"), record }) {
            break;
        }
    }
    Ok(())
}

/// Reads the bytes up to and with the first line feed, at most [`MAX_ROW`].
fn first_line(input: &mut impl BufRead) -> Result<Vec<u8>, Why> {
    let mut line = Vec::new();
    input.by_ref().take(MAX_ROW as u64).read_until(b'\n', &mut line).map_err(broken)?;
    Ok(line)
}

pub(super) fn broken(error: std::io::Error) -> Why {
    Why::Damaged { what: error.to_string() }
}

/// Cuts a stream into records.
struct Csv<R> {
    machine: csv_core::Reader,
    input: R,
    out: Vec<u8>,
    ends: Vec<usize>,
    done: bool,
}

impl<R: BufRead> Csv<R> {
    fn new(separator: u8, input: R) -> Self {
        let machine = csv_core::ReaderBuilder::new().delimiter(separator).build();
        Self { machine, input, out: vec![0; 8192], ends: vec![0; 64], done: false }
    }

    /// Returns the cells of the next record that is not blank, or what is wrong with it.
    fn next(&mut self) -> Result<Option<Result<Vec<String>, String>>, Why> {
        if self.done {
            return Ok(None);
        }
        let (mut written, mut ended) = (0usize, 0usize);
        let (mut long, mut wide) = (false, false);
        let mut quotes = 0usize;
        let mut at_end = false;
        loop {
            let buffer = self.input.fill_buf().map_err(broken)?;
            at_end |= buffer.is_empty();
            let (result, taken, out, ends) =
                self.machine.read_record(buffer, &mut self.out[written..], &mut self.ends[ended..]);
            quotes += buffer[..taken].iter().filter(|&&byte| byte == b'"').count();
            self.input.consume(taken);
            written += out;
            ended += ends;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.out.len() < MAX_ROW => {
                    self.out.resize((self.out.len() * 2).min(MAX_ROW), 0);
                }
                // The rest of the row is read over; what is written there is not looked at.
                ReadRecordResult::OutputFull => (long, written) = (true, 0),
                ReadRecordResult::OutputEndsFull if self.ends.len() < MAX_CELLS => {
                    self.ends.resize(self.ends.len() * 2, 0);
                }
                ReadRecordResult::OutputEndsFull => (wide, ended) = (true, 0),
                ReadRecordResult::Record => break,
                ReadRecordResult::End => {
                    self.done = true;
                    if ended == 0 && !long && !wide {
                        return Ok(None);
                    }
                    break;
                }
            }
        }
        if at_end && quotes % 2 == 1 {
            return Ok(Some(Err("a quotation mark that is opened and never closed".to_owned())));
        }
        if long {
            return Ok(Some(Err(format!("more than {} MiB, the most that a row may have", MAX_ROW / 1024 / 1024))));
        }
        if wide {
            return Ok(Some(Err(format!("more than {MAX_CELLS} cells"))));
        }
        let mut start = 0;
        let cells = self.ends[..ended].iter().map(|&end| {
            let cell = String::from_utf8_lossy(&self.out[start..end]).into_owned();
            start = end;
            cell
        });
        Ok(Some(Ok(cells.collect())))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(text: &str) -> Vec<(String, Result<String, String>)> {
        let mut rows = Vec::new();
        let told = csv(text.as_bytes(), &Fields::default(), |row| {
            let record = row.record.map(|record| record.text.unwrap_or_default()).map_err(|why| why.to_string());
            rows.push((row.name, record));
            true
        });
        told.unwrap();
        rows
    }

    #[test]
    fn cells_hold_lines_quotes_and_separators() {
        let text = "title,body\r\nأ,\"سطر\n\nثان، \"\"قال\"\", نعم\"\r\n\r\nب,نص\r\n";
        let rows = rows(text);
        assert_eq!(rows[0], ("row 1".to_owned(), Ok("سطر\n\nثان، \"قال\", نعم".to_owned())));
        assert_eq!(rows[1], ("row 2".to_owned(), Ok("نص".to_owned())), "a blank line is no row");
        assert_eq!(rows.len(), 2);
    }

    #[test]
    fn separators_are_found() {
        for separator in [",", ";", "\t", "|"] {
            let text = ["title,body,date", "ع,نص المقال,2024-01-02", ""].join("\n").replace(',', separator);
            assert_eq!(rows(&text)[0].1, Ok("نص المقال".to_owned()), "{separator:?}");
        }
        assert_eq!(rows("sep=;\ntitle;body\nع;\"نص, مقال\"\n")[0].1, Ok("نص, مقال".to_owned()));
    }

    #[test]
    fn rows_of_another_width_are_told_and_the_others_read() {
        let text = format!("title,body\nأ,نص\n{}\nب\nج,نص ثان\n", vec!["x"; 10_000].join(","));
        let rows = rows(&text);
        assert_eq!(rows[0].1, Ok("نص".to_owned()));
        assert_eq!(rows[1].1, Err("more than 4096 cells".to_owned()));
        assert_eq!(rows[2].1, Err("1 cell where the head has 2".to_owned()));
        assert_eq!(rows[3], ("row 4".to_owned(), Ok("نص ثان".to_owned())));
    }

    #[test]
    fn a_quotation_mark_that_never_closes_is_told() {
        let rows = rows("title,body\nأ,نص\nب,\"نص لا ينتهي\nج,نص\n");
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1].1, Err("a quotation mark that is opened and never closed".to_owned()));
    }

    #[test]
    fn a_row_beyond_the_limit_is_told_and_the_next_read() {
        let long = "a".repeat(MAX_ROW + 10);
        let rows = rows(&format!("title,body\nخبر,\"{long}\"\nخبر ثان,نص\n"));
        assert_eq!(rows[0].1, Err("more than 16 MiB, the most that a row may have".to_owned()));
        assert_eq!(rows[1].1, Ok("نص".to_owned()));
        let mut lines = Vec::new();
        let text = format!("{{\"body\":\"{long}\"}}\n{{\"body\":\"نص\"}}\n");
        super::super::json::lines(text.as_bytes(), &Fields::default(), |row| {
            lines.push((row.name, row.record.map(|record| record.text)));
            true
        })
        .unwrap();
        assert!(lines[0].1.is_err());
        assert_eq!(lines[1], ("line 2".to_owned(), Ok(Some("نص".to_owned()))));
    }

    #[test]
    fn lines_that_are_no_articles_are_told_by_their_number() {
        let text = "{\"body\":\"نص\"}\n\n{\"title\": \"مقطوع\n{\"title\":\"بلا\"}\n[1]\n{\"body\":null}\n";
        let mut told = Vec::new();
        super::super::json::lines(text.as_bytes(), &Fields::default(), |row| {
            told.push((row.name, row.record.err().map(|why| why.to_string()).unwrap_or_default()));
            true
        })
        .unwrap();
        assert_eq!(told[0], ("line 1".to_owned(), String::new()));
        assert!(told[1].0 == "line 3" && told[1].1.starts_with("not JSON"), "{told:?}");
        assert_eq!(told[2], ("line 4".to_owned(), "no field \"body\" with text".to_owned()));
        assert_eq!(told[3], ("line 5".to_owned(), "not an object".to_owned()));
        assert_eq!(told[4], ("line 6".to_owned(), "no field \"body\" with text".to_owned()));
    }

    #[test]
    fn a_table_is_told_by_its_head() {
        assert!(looks_like_table("title,body\nأ,ب\n", true, false));
        assert!(!looks_like_table("قال الوزير، أمس، إن النص\nسطر", true, false));
        assert!(looks_like_table("a,b,c\n1,2,3\n", true, true));
        assert!(!looks_like_table("خبر عن السوق. خبر عن السوق. ", false, true), "words, whatever the name says");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_their_end(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let mut table = b"title,body\n".to_vec();
            table.extend(&bytes);
            let mut count = 0usize;
            let _ = csv(table.as_slice(), &Fields::default(), |_| { count += 1; true });
            prop_assert!(count <= bytes.len() + 1);
            let _ = super::super::json::lines(bytes.as_slice(), &Fields::default(), |_| true);
        }

        #[test]
        fn what_is_written_by_the_rules_is_read_back(cells in prop::collection::vec("[a-zء-ي\",;\n ]{1,20}", 1..8)) {
            let text: String = cells.iter().map(|cell| format!("t,\"{}\"\n", cell.replace('"', "\"\""))).collect();
            let read: Vec<String> =
                rows(&format!("title,body\n{text}")).into_iter().map(|(_, text)| text.unwrap_or_default()).collect();
            let wanted: Vec<String> = cells.iter().map(|cell| cell.trim().to_owned()).collect();
            prop_assert_eq!(read, wanted);
        }
    }
}
