//! What text is, told by how it begins: markup, subtitles, mails, JSON, Markdown with a head of facts.
//!
//! In: the first words of a file. Out: a kind, or whether it is one. Bytes that are no text are [`super`]'s. Sources: RFC 5322
//! 2.2 (fields), RFC 4155 (mailboxes), WebVTT 4.1, HTML and XML for first elements, RFC 8259 and <https://jsonlines.org>.

use super::super::kind::{Container, Content, Kind};
use super::super::{Why, printable, record};

/// Tells HTML, feeds and property lists by their first element; `None` where there is none.
pub(super) fn markup(text: &str, extension: &str) -> Option<Result<Content, Why>> {
    let (element, xml) = first_element(text)?;
    let element = element.to_ascii_lowercase();
    let local = element.rsplit(':').next().unwrap_or_default();
    let html = Some(Ok(Content::Article(Kind::Html)));
    match local {
        "rss" | "feed" | "rdf" => Some(Ok(Content::Container(Container::Feed))),
        "plist" if extension == "webarchive" || text.contains("WebMainResource") => {
            Some(Ok(Content::Article(Kind::Webarchive)))
        }
        "html" | "!doctype html" => html,
        _ if matches!(extension, "html" | "htm" | "xhtml" | "shtml") => html,
        _ if xml => Some(Err(Why::NotRead {
            what: format!("an XML file of another kind (<{}>)", printable(&element)),
            advice: None,
        })),
        // A piece of a page, as a clipboard or a database has it.
        "head" | "body" | "title" | "meta" | "link" | "script" | "style" | "article" | "main" | "section"
        | "header" | "div" | "p" | "table" | "h1" | "h2" | "h3" | "ul" | "ol" | "span" | "center" | "blockquote"
        | "figure" => html,
        _ => None,
    }
}

/// Returns the name of the first element, and whether an XML declaration stands before it.
fn first_element(text: &str) -> Option<(&str, bool)> {
    let mut rest = text;
    let mut xml = false;
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("<!--") {
            rest = after.split_once("-->")?.1;
        } else if let Some(after) = rest.strip_prefix("<?") {
            xml |= after.starts_with("xml");
            rest = after.split_once('>')?.1;
        } else if rest.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("<!doctype")) {
            let kind = rest[9..].trim_start();
            if kind.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("html")) {
                return Some(("!doctype html", xml));
            }
            xml = true;
            // Declarations of its own stand in brackets, and may hold the sign that ends it.
            let (subset, end) = (rest.find('['), rest.find('>')?);
            rest = match subset.filter(|&at| at < end) {
                Some(at) => rest[at..].split_once("]")?.1.split_once('>')?.1,
                None => &rest[end + 1..],
            };
        } else {
            let name = rest.strip_prefix('<')?;
            let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_' | '.')));
            let name = &name[..end.unwrap_or(name.len())];
            return name.starts_with(|c: char| c.is_ascii_alphabetic()).then_some((name, xml));
        }
    }
}

/// Returns whether text begins with a cue of SubRip: its number, its times.
pub(super) fn is_subrip(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let number = lines.next().is_some_and(|line| line.len() < 12 && line.bytes().all(|b| b.is_ascii_digit()));
    let times = lines.next().and_then(|line| line.split_once("-->"));
    let time = |text: &str| text.contains(':') && text.trim().starts_with(|c: char| c.is_ascii_digit() || c == '-');
    number && times.is_some_and(|(from, to)| time(from) && time(to))
}

/// Fields that a message begins with; others stand among them.
const FIELDS: &[&str] = &[
    "from",
    "to",
    "subject",
    "date",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "message-id",
    "received",
    "return-path",
    "delivered-to",
    "reply-to",
    "cc",
    "sender",
    "x-mailer",
    "dkim-signature",
    "snapshot-content-location",
    "content-location",
];

/// Fields that a message has when it is sent.
const SENT: &[&str] =
    &["to", "cc", "received", "return-path", "delivered-to", "message-id", "reply-to", "dkim-signature"];

/// Tells a mail, and a web page saved as one, by the fields at its head.
pub(super) fn message(text: &str, extension: &str) -> Option<Kind> {
    let mut known = 0;
    let (mut related, mut page) = (false, matches!(extension, "mht" | "mhtml"));
    // A saved page is a message that nobody sent.
    let (mut of_html, mut sent) = (false, false);
    let mut sound = true;
    for line in text.lines().take(200) {
        if line.trim().is_empty() {
            break;
        }
        let lower = line.to_ascii_lowercase();
        related |= lower.contains("multipart/related");
        of_html |=
            ["type=\"text/html\"", "type=text/html", "content-type: text/html"].iter().any(|it| lower.contains(it));
        if line.starts_with([' ', '\t']) {
            continue;
        }
        let Some((name, value)) = lower.split_once(':') else {
            sound = false;
            break;
        };
        known += usize::from(FIELDS.contains(&name));
        sent |= SENT.contains(&name);
        page |= name == "snapshot-content-location" || (name == "from" && value.contains("<saved by"));
        sound &= !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    }
    let named = matches!(extension, "eml" | "mht" | "mhtml");
    if !sound || known < if named { 1 } else { 2 } {
        return None;
    }
    // Mail may be HTML too; but then somebody got it.
    let page = page && (related || of_html) || related && of_html && !sent;
    Some(if page { Kind::Mhtml } else { Kind::Email })
}

/// Returns whether text begins as a mailbox does: with the line that stands before each mail (RFC 4155), and a field.
pub(super) fn is_mailbox(text: &str) -> bool {
    let mut lines = text.lines();
    let Some(line) = lines.next().and_then(|line| line.strip_prefix("From ")) else { return false };
    let time = line.split_whitespace().any(|word| word.len() >= 5 && word.as_bytes()[2] == b':');
    let field = lines.next().and_then(|line| line.split_once(':')).is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    });
    time && field
}

/// Returns whether text begins as a list of objects, or as an object that is written over several lines.
pub(super) fn is_json(text: &str) -> bool {
    let opens = |rest: &str, c: char| rest.trim_start().starts_with(c);
    if let Some(rest) = text.strip_prefix('[') {
        return opens(rest, '{') && opens(&rest.trim_start()[1..], '"');
    }
    let Some(rest) = text.strip_prefix('{') else { return false };
    let (line, more) = text.split_once('\n').unwrap_or_default();
    opens(rest, '"') && line.trim_end().ends_with(['{', '[', ',', ':']) && opens(more, '"')
}

/// Returns whether text is JSON, one object a line.
pub(super) fn is_json_lines(text: &str, whole: bool, extension: &str) -> bool {
    let line = text.lines().next().unwrap_or_default();
    let complete = whole || text.len() > line.len();
    // A line that is longer than what was looked at: its name decides, or the look of a first field.
    if !complete {
        return matches!(extension, "jsonl" | "ndjson") || line[1..].trim_start().starts_with('"');
    }
    matches!(extension, "jsonl" | "ndjson") || record::is_object(line)
}

/// Returns whether text begins with a head of facts, as Markdown of static sites does.
pub(super) fn front_matter(text: &str) -> bool {
    for (fence, sign) in [("---", ':'), ("+++", '=')] {
        let mut lines = text.lines();
        if lines.next().is_some_and(|line| line.trim_end() == fence) {
            let head: Vec<&str> = lines.by_ref().take(60).take_while(|line| line.trim_end() != fence).collect();
            return head.len() < 60
                && head.first().is_some_and(|line| {
                    line.split_once(sign).is_some_and(|(key, _)| {
                        let key = key.trim();
                        !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
                    })
                });
        }
    }
    false
}
