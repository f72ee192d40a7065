//! What a file holds, told by its bytes first and by its name second.
//!
//! In: a name, the first bytes, for zips the directory. Out: a [`Content`] with a warning where name and bytes disagree, or
//! why it is not read. Sources: the magic numbers of each format's own specification (PDF 32000-1 7.5.2, RTF 1.9.1, RFC
//! 1952, POSIX ustar, APPNOTE 4.3.7, OPF 3.3 and ODF 1.3 part 2 `mimetype`, [MS-CFB] 2.2, RFC 5322 2.2, WebVTT 4.1).

use std::io::{Read, Seek};

use super::kind::{Container, Content, Kind};
use super::{Why, encoding, record, table};

/// How many bytes of a file are looked at.
pub(super) const HEAD: usize = 64 * 1024;

/// A zip with more members than this is an archive: no document has so many, and they need not be listed to know it.
const MAX_DOCUMENT_MEMBERS: usize = 20_000;

/// What a file holds, and what a user should know about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    /// What it holds.
    pub content: Content,
    /// That its name says something else.
    pub warning: Option<String>,
}

/// Tells what a file holds that is no zip.
///
/// # Errors
/// Where it is plainly nothing that mujaz reads.
pub(super) fn tell(name: &str, head: &[u8], whole: bool) -> Result<Told, Why> {
    let extension = extension(name);
    let by_name = Content::of_extension(&extension);
    if let Some(why) = refused(head, &extension) {
        return Err(why);
    }
    let found = by_bytes(head, whole, by_name, &extension)?;
    Ok(judged(found, by_name, &extension))
}

/// Tells what a zip holds: a document in parts, or files.
///
/// # Errors
/// Where it is a document of a kind that is not read.
pub(super) fn tell_zip<R: Read + Seek>(name: &str, head: &[u8], input: R) -> Result<Told, Why> {
    let extension = extension(name);
    let by_name = Content::of_extension(&extension);
    let found = match zip::ZipArchive::new(input) {
        Ok(mut archive) if archive.len() <= MAX_DOCUMENT_MEMBERS => by_members(&mut archive)?,
        Ok(_) => Content::Container(Container::Zip),
        // Its directory is broken: its first member says which reader is to say so.
        Err(_) => match first_member(head).as_deref() {
            Some("[Content_Types].xml" | "_rels/.rels" | "word/document.xml") => Content::Article(Kind::Docx),
            Some("mimetype") => mimetype(first_words(head)).unwrap_or(Ok(Content::Container(Container::Zip)))?,
            _ => Content::Container(Container::Zip),
        },
    };
    Ok(judged(found, by_name, &extension))
}

/// Returns whether bytes begin as a zip does: with a member, or with the end of an empty directory.
pub(super) fn is_zip(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
}

/// Returns whether bytes begin as a tar archive does: with a header whose sum is right.
pub(super) fn is_tar(head: &[u8]) -> bool {
    let Some(header) = head.get(..512) else { return false };
    let stated = std::str::from_utf8(&header[148..156]).unwrap_or_default();
    let stated = u32::from_str_radix(stated.trim_matches([' ', '\0']), 8);
    let sum: u32 =
        header.iter().enumerate().map(|(at, &b)| if (148..156).contains(&at) { 32 } else { u32::from(b) }).sum();
    header[0] != 0 && stated == Ok(sum)
}

/// Returns the extension of a name, in lower case; the name may be a path in an archive.
pub(super) fn extension(name: &str) -> String {
    let file = name.rsplit(['/', '\\']).next().unwrap_or_default();
    match file.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => extension.to_ascii_lowercase(),
        _ => String::new(),
    }
}

/// Says where the name disagrees.
fn judged(found: Content, by_name: Option<Content>, extension: &str) -> Told {
    let alike = |named: Content| {
        let text = |content| matches!(content, Content::Article(Kind::Text | Kind::Markdown));
        let mail = |content| matches!(content, Content::Article(Kind::Email | Kind::Mhtml));
        let packed = |content| matches!(content, Content::Container(Container::Tar | Container::Gzip));
        named == found
            || (text(named) && text(found))
            || (mail(named) && mail(found))
            || (packed(named) && packed(found))
            // Any XML may be called .xml.
            || extension == "xml"
    };
    // An extension that stands for nothing else is no claim (.php, .asp), but .doc is.
    let other = matches!(extension, "doc" | "dot" | "wps" | "xls")
        || (extension == "json" && found != Content::Container(Container::JsonLines));
    let disagrees = by_name.map_or(other, |named| !alike(named));
    let warning =
        disagrees.then(|| format!("named .{extension}, but it is {}, and is read as that", found.described()));
    Told { content: found, warning }
}

/// Returns why a file is not read whose first bytes are known to be those of something else.
fn refused(head: &[u8], extension: &str) -> Option<Why> {
    let not_read = |what: &str, advice| Some(Why::NotRead { what: what.to_owned(), advice });
    if head.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        let says = |name: &str| {
            let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
            head.windows(wide.len()).any(|here| here == wide)
        };
        // Office puts a document that is locked into such a container, with its new name.
        let new = matches!(extension, "docx" | "docm" | "dotx" | "xlsx" | "pptx");
        if says("EncryptedPackage") || (new && !says("WordDocument")) {
            return Some(Why::Encrypted);
        }
        return match extension {
            "xls" | "xlt" => not_read("an old binary Excel file (.xls, OLE2)", Some("save it as .csv")),
            "ppt" | "pps" => not_read("an old binary PowerPoint file (.ppt, OLE2)", Some("save it as .pdf")),
            "msg" => not_read("an Outlook message (.msg, OLE2)", Some("save it as .eml or .html")),
            _ => not_read("an old binary Word file (.doc, OLE2)", Some("save it as .docx")),
        };
    }
    const UNPACK: Option<&str> = Some("unpack it first");
    const KNOWN: &[(&[u8], &str, Option<&str>)] = &[
        (b"\x89PNG", "an image (PNG)", None),
        (b"\xff\xd8\xff", "an image (JPEG)", None),
        (b"GIF8", "an image (GIF)", None),
        (b"BZh", "packed with bzip2", UNPACK),
        (b"\xfd7zXZ", "packed with xz", UNPACK),
        (b"\x28\xb5\x2f\xfd", "packed with zstd", UNPACK),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
        (b"Rar!\x1a\x07", "a RAR archive", UNPACK),
        (b"\x7fELF", "a program", None),
        (b"MZ\x90\0", "a program", None),
        (b"GGUF", "a model", None),
        (b"OggS", "sound", None),
        (b"ID3", "sound", None),
        (b"SQLite format 3\0", "a database", None),
    ];
    let known = KNOWN.iter().find(|(start, ..)| head.starts_with(start));
    if let Some(&(_, what, advice)) = known {
        return not_read(what, advice);
    }
    if head.get(4..8) == Some(b"ftyp") {
        return not_read("a film or an image (MP4, HEIF)", None);
    }
    if head.starts_with(b"RIFF") && head.len() > 12 {
        return not_read(if &head[8..12] == b"WEBP" { "an image (WebP)" } else { "sound or film" }, None);
    }
    None
}

fn by_bytes(head: &[u8], whole: bool, by_name: Option<Content>, extension: &str) -> Result<Content, Why> {
    let article = |kind| Ok(Content::Article(kind));
    if head.starts_with(b"\x1f\x8b") {
        let tar = extension == "tgz";
        return Ok(Content::Container(if tar { Container::Tar } else { Container::Gzip }));
    }
    // Readers of PDF take what stands before the mark, within the first KiB.
    let start = &head[..head.len().min(1024)];
    if start.windows(5).any(|five| five == b"%PDF-") {
        return article(Kind::Pdf);
    }
    if is_tar(head) {
        return Ok(Content::Container(Container::Tar));
    }
    if head.starts_with(b"bplist0") {
        let page = extension == "webarchive" || head.windows(15).any(|part| part == b"WebMainResource");
        return if page {
            article(Kind::Webarchive)
        } else {
            Err(Why::NotRead { what: "a property list".to_owned(), advice: None })
        };
    }
    let text = probe(head);
    let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    if text.starts_with("{\\rtf") {
        return article(Kind::Rtf);
    }
    if let Some(told) = markup(text, extension) {
        return told;
    }
    if text.starts_with("WEBVTT") || is_subrip(text) {
        return article(Kind::Subtitles);
    }
    if let Some(kind) = message(text, extension) {
        return article(kind);
    }
    if is_mailbox(text) {
        let (what, advice) = ("a mailbox of several mails (mbox)".to_owned(), Some("save its mails as .eml"));
        return Err(Why::NotRead { what, advice });
    }
    if is_json(text) || (text.starts_with('{') && is_json_lines(text, whole, extension)) {
        return Ok(Content::Container(Container::JsonLines));
    }
    if table::looks_like_table(text, whole, matches!(by_name, Some(Content::Container(Container::Csv)))) {
        return Ok(Content::Container(Container::Csv));
    }
    match by_name {
        // What follows has a mark of its own, and it is not there.
        Some(Content::Article(
            kind @ (Kind::Pdf | Kind::Docx | Kind::Odt | Kind::Epub | Kind::Rtf | Kind::Webarchive),
        )) if !is_text(head) => {
            Err(Why::Damaged { what: format!("named .{extension}, but its bytes are not {}", kind.described()) })
        }
        Some(Content::Container(container)) if !is_text(head) => {
            Err(Why::Damaged { what: format!("named .{extension}, but its bytes are not {}", container.described()) })
        }
        Some(Content::Article(kind @ (Kind::Text | Kind::Markdown | Kind::Html | Kind::Email | Kind::Mhtml))) => {
            article(kind)
        }
        Some(Content::Article(Kind::Subtitles)) => article(Kind::Subtitles),
        Some(Content::Container(Container::Feed)) if text.starts_with('<') => Ok(Content::Container(Container::Feed)),
        Some(Content::Container(Container::JsonLines))
            if text.lines().any(|line| line.trim_start().starts_with('{')) =>
        {
            Ok(Content::Container(Container::JsonLines))
        }
        None if front_matter(text) => article(Kind::Markdown),
        _ => article(Kind::Text),
    }
}

/// Returns the first bytes as text, well enough to see ASCII in them.
fn probe(head: &[u8]) -> String {
    let wide = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") || head.iter().take(64).any(|&b| b == 0);
    let decoded = if wide { encoding::decode(head, None, None).ok() } else { None };
    decoded.map_or_else(|| String::from_utf8_lossy(head).into_owned(), |decoded| decoded.text)
}

fn is_text(head: &[u8]) -> bool {
    encoding::decode(head, None, None).is_ok()
}

/// Tells HTML, feeds and property lists by their first element; `None` where there is none.
fn markup(text: &str, extension: &str) -> Option<Result<Content, Why>> {
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
            what: format!("an XML file of another kind (<{}>)", super::printable(&element)),
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
fn is_subrip(text: &str) -> bool {
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
fn message(text: &str, extension: &str) -> Option<Kind> {
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
fn is_mailbox(text: &str) -> bool {
    let mut lines = text.lines();
    let Some(line) = lines.next().and_then(|line| line.strip_prefix("From ")) else { return false };
    let time = line.split_whitespace().any(|word| word.len() >= 5 && word.as_bytes()[2] == b':');
    let field = lines.next().and_then(|line| line.split_once(':')).is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    });
    time && field
}

/// Returns whether the first bytes are those of one piece of JSON, and not of one object a line.
pub(super) fn is_one_json(head: &[u8]) -> bool {
    is_json(probe(head).trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']))
}

/// Returns whether text begins as a list of objects, or as an object that is written over several lines.
fn is_json(text: &str) -> bool {
    let opens = |rest: &str, c: char| rest.trim_start().starts_with(c);
    if let Some(rest) = text.strip_prefix('[') {
        return opens(rest, '{') && opens(&rest.trim_start()[1..], '"');
    }
    let Some(rest) = text.strip_prefix('{') else { return false };
    let (line, more) = text.split_once('\n').unwrap_or_default();
    opens(rest, '"') && line.trim_end().ends_with(['{', '[', ',', ':']) && opens(more, '"')
}

/// Returns whether text is JSON, one object a line.
fn is_json_lines(text: &str, whole: bool, extension: &str) -> bool {
    let line = text.lines().next().unwrap_or_default();
    let complete = whole || text.len() > line.len();
    // A line that is longer than what was looked at: its name decides, or the look of a first field.
    if !complete {
        return matches!(extension, "jsonl" | "ndjson") || line[1..].trim_start().starts_with('"');
    }
    matches!(extension, "jsonl" | "ndjson") || record::is_object(line)
}

/// Returns whether text begins with a head of facts, as Markdown of static sites does.
fn front_matter(text: &str) -> bool {
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

/// Returns the name of the member that a zip begins with.
fn first_member(head: &[u8]) -> Option<String> {
    let length = usize::from(u16::from_le_bytes([*head.get(26)?, *head.get(27)?]));
    Some(String::from_utf8_lossy(head.get(30..30 + length)?).into_owned())
}

/// Returns the bytes of the member that a zip begins with, where it is stored as it is.
fn first_words(head: &[u8]) -> &[u8] {
    let field = |at: usize| head.get(at..at + 2).map_or(0, |two| usize::from(u16::from_le_bytes([two[0], two[1]])));
    head.get(30 + field(26) + field(28)..).unwrap_or_default()
}

/// Tells an EPUB and the kinds of OpenDocument by the member that says what they are.
fn mimetype(words: &[u8]) -> Option<Result<Content, Why>> {
    let known = |kind: &str| words.starts_with(kind.as_bytes());
    if known("application/epub+zip") {
        return Some(Ok(Content::Article(Kind::Epub)));
    }
    if known("application/vnd.oasis.opendocument.text") {
        return Some(Ok(Content::Article(Kind::Odt)));
    }
    known("application/vnd.oasis.opendocument.").then(|| {
        let what = "an OpenDocument file that is no text".to_owned();
        Err(Why::NotRead { what, advice: Some("save it as .odt, .csv or .pdf") })
    })
}

fn by_members<R: Read + Seek>(archive: &mut zip::ZipArchive<R>) -> Result<Content, Why> {
    if let Some(index) = archive.index_for_name("mimetype") {
        let mut words = Vec::new();
        // What cannot be read says nothing.
        if let Ok(member) = archive.by_index(index) {
            let _ = member.take(100).read_to_end(&mut words);
        }
        if let Some(told) = mimetype(&words) {
            return told;
        }
    }
    let has = |archive: &zip::ZipArchive<R>, lead: &[u8]| archive.file_names_raw().any(|name| name.starts_with(lead));
    if has(archive, b"[Content_Types].xml") {
        let other = |what: &str, advice| Err(Why::NotRead { what: what.to_owned(), advice: Some(advice) });
        if has(archive, b"xl/") {
            return other("an Excel file (.xlsx)", "save it as .csv");
        }
        if has(archive, b"ppt/") {
            return other("a PowerPoint file (.pptx)", "save it as .pdf");
        }
        return Ok(Content::Article(Kind::Docx));
    }
    let document = has(archive, b"word/document.xml") && has(archive, b"_rels/.rels");
    if document {
        return Ok(Content::Article(Kind::Docx));
    }
    if has(archive, b"META-INF/container.xml") {
        return Ok(Content::Article(Kind::Epub));
    }
    let odt = has(archive, b"content.xml") && has(archive, b"META-INF/manifest.xml");
    Ok(if odt { Content::Article(Kind::Odt) } else { Content::Container(Container::Zip) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(name: &str, bytes: &[u8]) -> Content {
        tell(name, bytes, true).unwrap().content
    }

    #[test]
    fn text_formats_are_told_by_how_they_begin() {
        let article = Content::Article;
        for (text, expected) in [
            ("<!DOCTYPE html><p>خبر", article(Kind::Html)),
            ("<!-- saved from url -->\n<HTML><body>", article(Kind::Html)),
            ("<?xml version='1.0'?><!DOCTYPE html><html>", article(Kind::Html)),
            ("<p>فقرة من صفحة</p>", article(Kind::Html)),
            ("{\\rtf1\\ansi", article(Kind::Rtf)),
            ("WEBVTT\n\n00:00.000 --> 00:01.000\nخبر", article(Kind::Subtitles)),
            ("1\n00:00:01,000 --> 00:00:02,000\nخبر", article(Kind::Subtitles)),
            ("From: a@b.example\nSubject: x\nContent-Type: text/plain\n\nخبر", article(Kind::Email)),
            (
                "From: \"Saved by Windows Internet Explorer 8\"\nMIME-Version: 1.0\nContent-Type: multipart/related;\n\ttype=\"text/html\";\n\tboundary=x\n\n",
                article(Kind::Mhtml),
            ),
            (
                "From: a@b.c\nTo: d@e.f\nMIME-Version: 1.0\nContent-Type: multipart/related;\n\ttype=\"text/html\";\n\tboundary=x\n\n",
                article(Kind::Email),
            ),
            (
                "From: <Saved by Blink>\nMIME-Version: 1.0\nContent-Type: multipart/related;\n boundary=x\n\n",
                article(Kind::Mhtml),
            ),
            ("---\ntitle: خبر\n---\nنص", article(Kind::Markdown)),
            ("---\n\nنص بعد خط", article(Kind::Text)),
            ("قال: نعم\nسطر", article(Kind::Text)),
            ("Note: this is a text\nwithout fields.", article(Kind::Text)),
            ("<?xml version='1.0'?><rss>", Content::Container(Container::Feed)),
            ("<!DOCTYPE x [<!ENTITY a \"<b>\">]>\n<feed>", Content::Container(Container::Feed)),
            ("{\"title\":\"خبر\",\"body\":\"نص\"}\n", Content::Container(Container::JsonLines)),
            ("[\n {\"title\": \"خبر\",\n  \"body\": \"نص\"}\n]\n", Content::Container(Container::JsonLines)),
            ("{\n  \"title\": \"خبر\",\n  \"body\": \"نص\"\n}\n", Content::Container(Container::JsonLines)),
            ("[{1}] حاشية\nنص", article(Kind::Text)),
            ("title,body\nخبر,نص\n", Content::Container(Container::Csv)),
        ] {
            assert_eq!(content("x", text.as_bytes()), expected, "{text}");
            let wide: Vec<u8> = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
            assert_eq!(content("x", &wide), expected, "in UTF-16: {text}");
        }
    }

    #[test]
    fn a_name_that_says_otherwise_is_told() {
        let told = tell("old.doc", b"<html><body>", true).unwrap();
        assert_eq!(told.content, Content::Article(Kind::Html));
        assert_eq!(told.warning.as_deref(), Some("named .doc, but it is a saved web page, and is read as that"));
        let told = tell("page.pdf", "نص عادي من سطر".as_bytes(), true).unwrap();
        assert_eq!((told.content, told.warning.is_some()), (Content::Article(Kind::Text), true));
        assert_eq!(tell("page.htm", b"<html>", true).unwrap().warning, None);
        assert_eq!(tell("page.php", b"<html>", true).unwrap().warning, None, "such a name says nothing");
        assert_eq!(tell("feed.xml", b"<rss>", true).unwrap().warning, None);
    }

    #[test]
    fn what_is_no_article_is_refused_with_advice() {
        let error = |name: &str, bytes: &[u8]| tell(name, bytes, true).unwrap_err().to_string();
        assert!(error("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1").contains("save it as .docx"));
        let wide = |name: &str| name.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let ole = |name: &str| [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".as_slice(), &[0; 500], &wide(name)].concat();
        assert!(error("a.docx", &ole("EncryptedPackage")).contains("opens only with a password"));
        assert!(error("a.doc", &ole("EncryptedPackage")).contains("opens only with a password"));
        assert!(error("a.docx", &ole("WordDocument")).contains("save it as .docx"));
        let mailbox = b"From a@b.c Thu Jun  1 10:00:00 2023\nSubject: x\n\nx\n";
        assert!(error("a.mbox", mailbox).contains("save its mails as .eml"));
        assert!(error("a.txt", b"\x89PNG\r\n").contains("an image"));
        assert!(error("a.tar.xz", b"\xfd7zXZ\0").contains("unpack it first"));
        assert!(error("a.svg", b"<?xml version='1.0'?><svg>").contains("<svg>"));
        assert!(error("a.pdf", &[0; 64]).contains("damaged"));
    }
}
