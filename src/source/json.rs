//! Articles in JSON: an object a line, a list of objects, or one object alone. One article an object.
//!
//! In: a stream of UTF-8. Out: a [`Record`] or a reason for each object, in order, with one in memory at a time. Which field is
//! what, is [`super::record`]'s. Sources: RFC 8259, <https://jsonlines.org>.

use std::io::BufRead;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::record::{Fields, Record, folded, of_object};
use super::table::{MAX_ROW, Row, broken};
use super::{MAX_BYTES, Why, printable};

/// Reads JSON lines; `each` returns whether to go on.
///
/// # Errors
/// Where a field that the user named is in no line, or the stream cannot be read.
pub(super) fn lines(mut input: impl BufRead, fields: &Fields, mut each: impl FnMut(Row) -> bool) -> Result<(), Why> {
    let mut number = 0usize;
    // The field that held the text of the lines before: a line without it is told by its name.
    let mut text_field: Option<String> = fields.text.clone();
    loop {
        let Some(line) = bounded_line(&mut input)? else { return Ok(()) };
        number += 1;
        let name = format!("line {number}");
        let parsed = match line {
            None => Err(Why::Row {
                what: format!("more than {} MiB, the most that a line may have", MAX_ROW / 1024 / 1024),
            }),
            Some(line) if line.trim_ascii().is_empty() => continue,
            // serde_json stops at 128 levels, so that no line can use up the stack.
            Some(line) => {
                serde_json::from_slice::<Value>(&line).map_err(|error| Why::Row { what: format!("not JSON: {error}") })
            }
        };
        let more = match parsed {
            Err(why) => each(Row { name, record: Err(why) }),
            Ok(value) => {
                let record = article(&value, fields, &mut text_field);
                // A service's answer, or an export, is a whole file on one line.
                match inner_list(&value).filter(|_| record.is_err()) {
                    Some(list) => list.iter().enumerate().all(|(at, object)| {
                        let record = article(object, fields, &mut text_field);
                        each(Row { name: format!("{name}, object {}", at + 1), record })
                    }),
                    None => each(Row { name, record }),
                }
            }
        };
        if !more {
            return Ok(());
        }
    }
}

/// Returns the list of objects that an object holds, where it holds one.
fn inner_list(value: &Value) -> Option<&Vec<Value>> {
    let lists = value.as_object()?.values().filter_map(Value::as_array);
    lists.filter(|list| !list.is_empty() && list.iter().all(Value::is_object)).max_by_key(|list| list.len())
}

fn article(value: &Value, fields: &Fields, text_field: &mut Option<String>) -> Result<Record, Why> {
    let row = |what: String| Why::Row { what };
    let Some(object) = value.as_object() else { return Err(row("not an object".to_owned())) };
    let missing = |name: &str| row(format!("no field \"{}\" with text", printable(name)));
    match of_object(object, fields) {
        Ok((record, name)) if record.has_text() => {
            *text_field = Some(name);
            Ok(record)
        }
        Ok((_, name)) => Err(missing(&name)),
        Err(why) => match text_field {
            Some(name) if !object.keys().any(|key| folded(key) == folded(name)) => Err(missing(name)),
            _ => Err(why),
        },
    }
}

/// Reads a line; the inner `None` is one that is too long, which is read over.
fn bounded_line(input: &mut impl BufRead) -> Result<Option<Option<Vec<u8>>>, Why> {
    let mut line = Vec::new();
    let (mut long, mut any) = (false, false);
    loop {
        let buffer = input.fill_buf().map_err(broken)?;
        if buffer.is_empty() {
            return Ok(any.then(|| (!long).then_some(line)));
        }
        any = true;
        let end = buffer.iter().position(|&byte| byte == b'\n');
        let taken = end.map_or(buffer.len(), |end| end + 1);
        if !long {
            line.extend_from_slice(&buffer[..end.unwrap_or(buffer.len())]);
        }
        input.consume(taken);
        if line.len() > MAX_ROW {
            (long, line) = (true, Vec::new());
        }
        if end.is_some() {
            return Ok(Some((!long).then_some(line)));
        }
    }
}

/// Reads a file that is one piece of JSON: a list of articles, an object that holds such a list (`{"articles": [...]}`), or
/// one article. `each` returns whether to go on.
///
/// # Errors
/// Where it is not JSON, or holds no list of objects.
pub(super) fn whole(input: impl BufRead, fields: &Fields, each: impl FnMut(Row) -> bool) -> Result<(), Why> {
    let mut reader = serde_json::Deserializer::from_reader(input.take(MAX_BYTES));
    let mut list = List { fields, each, text_field: fields.text.clone(), number: 0, stopped: false };
    let told = reader.deserialize_any(&mut list);
    if list.stopped {
        return Ok(());
    }
    told.and_then(|()| reader.end()).map_err(|error| Why::Damaged { what: format!("not JSON: {error}") })
}

/// Takes objects as they are read.
struct List<'f, E> {
    fields: &'f Fields,
    each: E,
    text_field: Option<String>,
    number: usize,
    stopped: bool,
}

impl<E: FnMut(Row) -> bool> List<'_, E> {
    /// Takes an object; returns whether to go on.
    fn take(&mut self, value: &Value) -> bool {
        self.number += 1;
        let record = article(value, self.fields, &mut self.text_field);
        self.stopped = !(self.each)(Row { name: format!("object {}", self.number), record });
        !self.stopped
    }
}

impl<'de, E: FnMut(Row) -> bool> Visitor<'de> for &mut List<'_, E> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of objects or an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(value) = list.next_element::<Value>()? {
            if !self.take(&value) {
                return Err(serde::de::Error::custom("stopped"));
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        // A list of objects within it is read as it comes; what else it says is kept, should it be an article itself.
        let mut rest = serde_json::Map::new();
        let before = self.number;
        while let Some(key) = object.next_key::<String>()? {
            if let Some(value) = object.next_value_seed(Inner(self))? {
                rest.insert(key, value);
            }
        }
        if self.number == before {
            self.take(&Value::Object(rest));
        }
        Ok(())
    }
}

/// Reads a value of an object: the objects of a list are taken, anything else is returned.
struct Inner<'l, L>(&'l mut L);

impl<'de, E: FnMut(Row) -> bool> DeserializeSeed<'de> for Inner<'_, List<'_, E>> {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Value>, D::Error> {
        let value = <Value as serde::Deserialize>::deserialize(deserializer)?;
        match value.as_array() {
            Some(list) if !list.is_empty() && list.iter().all(Value::is_object) => {
                for object in list {
                    if !self.0.take(object) {
                        return Err(serde::de::Error::custom("stopped"));
                    }
                }
                Ok(None)
            }
            _ => Ok(Some(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row's name, and its text or why there is none.
    type Told = (String, Result<Option<String>, String>);

    fn rows(text: &str) -> Result<Vec<Told>, String> {
        let mut rows = Vec::new();
        let told = whole(text.as_bytes(), &Fields::default(), |row| {
            rows.push((row.name, row.record.map(|record| record.text).map_err(|why| why.to_string())));
            rows.len() < 10
        });
        told.map(|()| rows).map_err(|why| why.to_string())
    }

    #[test]
    fn answers_of_services_and_exports_are_lists_of_articles() {
        let read = |text: &str| {
            let mut texts = Vec::new();
            lines(text.as_bytes(), &Fields::default(), |row| {
                texts.push((row.name, row.record.map(|r| (r.title, r.text)).map_err(|why| why.to_string())));
                true
            })
            .unwrap();
            texts
        };
        let some = |text: &str| Some(text.to_owned());
        let answer =
            "{\"status\": \"ok\", \"articles\": [{\"title\": \"أ\", \"content\": \"نص\"}, {\"title\": \"ب\"}]}";
        let found = read(answer);
        assert_eq!(found[0], ("line 1, object 1".to_owned(), Ok((some("أ"), some("نص")))));
        assert!(found[1].1.is_err());
        let telegram = "{\"messages\": [{\"text\": [\"قال \", {\"type\": \"link\", \"text\": \"الوزير\"}, \" ذلك\"]}]}";
        assert_eq!(read(telegram)[0].1, Ok((None, some("قال الوزير ذلك"))));
        let wordpress = "{\"title\": {\"rendered\": \"أ\"}, \"content\": {\"rendered\": \"نص\"}}";
        assert_eq!(read(wordpress)[0].1, Ok((some("أ"), some("نص"))));
        assert!(read("{\"a\": [1, 2]}")[0].1.as_ref().is_err_and(|why| why.contains("--text-field")));
    }

    #[test]
    fn a_list_of_objects_is_a_list_of_articles() {
        let list = "[{\"title\": \"أ\",\n\"text\": \"نص أول\"},\n 3, {\"title\": \"ب\", \"text\": \"نص ثان\"}]";
        let found = rows(list).unwrap();
        assert_eq!(found[0], ("object 1".to_owned(), Ok(Some("نص أول".to_owned()))));
        assert_eq!(found[1].1, Err("not an object".to_owned()));
        assert_eq!(found[2].1, Ok(Some("نص ثان".to_owned())));
        let inside = format!("{{\"status\": \"ok\", \"articles\": {}}}", list.replace("3, ", ""));
        assert_eq!(rows(&inside).unwrap().len(), 2);
        let one = "{\n  \"title\": \"أ\",\n  \"text\": \"نص\"\n}\n";
        assert_eq!(rows(one).unwrap(), [("object 1".to_owned(), Ok(Some("نص".to_owned())))]);
        assert!(rows("[{\"text\": \"نص\"}, {\"te").unwrap_err().contains("not JSON"));
        assert!(rows(&"[".repeat(100_000)).is_err());
        assert_eq!(rows(&format!("[{}]", vec!["{\"text\": \"نص\"}"; 30].join(","))).unwrap().len(), 10, "stopped");
    }
}
