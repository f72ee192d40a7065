//! What a file holds, told by its bytes first and by its name second.
//!
//! In: a name, the first bytes, for zips the directory. Out: a [`Content`] with a warning where name and bytes disagree, or
//! why it is not read. Sources: the magic numbers of each format's own specification (PDF 32000-1 7.5.2, RTF 1.9.1, RFC
//! 1952, POSIX ustar, APPNOTE 4.3.7, OPF 3.3 and ODF 1.3 part 2 `mimetype`, [MS-CFB] 2.2, RFC 5322 2.2, WebVTT 4.1).

mod known;
mod packed;
mod words;

use super::kind::{Container, Content, Kind};
use super::{Why, encoding, table};
pub(super) use packed::tell_zip;
use words::{front_matter, is_json, is_json_lines, is_mailbox, is_subrip, markup, message};

/// How many bytes of a file are looked at.
pub(super) const HEAD: usize = 64 * 1024;

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
    if let Some(why) = known::refused(head, &extension) {
        return Err(why);
    }
    let found = by_bytes(head, whole, by_name, &extension)?;
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

/// Returns whether the first bytes are those of one piece of JSON, and not of one object a line.
pub(super) fn is_one_json(head: &[u8]) -> bool {
    is_json(probe(head).trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']))
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
