//! The reader of messages (`.eml`): an article mailed as text, as a web page, or as a file that hangs on.
//!
//! In: the bytes. Out: a [`Document`]. MIME parts, transfer encodings, charsets and encoded words are mail-parser's; which
//! part is the article is decided here: the one with the most words of running text, where a note that only says "see the
//! attachment" is none. What hangs on is `attached`'s. `plain` takes quotation marks and signatures off a text, and what `forward` finds. Sources: RFC 5322, RFC
//! 2045 to 2047, RFC 2231, RFC 3676.

mod attached;
mod forward;
mod plain;

use mail_parser::{HeaderName, Message, MessageParser, MessagePart, MimeHeaders, PartType};

use super::line::{Hint, Line, key};
use super::package::foreign;
use super::{Document, Error, Fault, ReadOptions, Reader, Sheet, html};
use crate::arabic::letters::{apply, is_arabic_letter};
use crate::source::{Kind, SourceFile, encoding};

/// The most parts and attached messages of a message: each level costs the parser a search for its boundary.
const MAX_PARTS: usize = 500;

/// The most words of a body that can be a note to what hangs on.
const MAX_NOTE: usize = 80;

/// The longest subject that can be a headline, in words.
const MAX_SUBJECT: usize = 40;

/// Reads messages.
#[derive(Debug, Clone, Copy, Default)]
pub struct EmailReader;

impl Reader for EmailReader {
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Email]
    }

    fn read(&self, file: &SourceFile, options: &ReadOptions<'_>) -> Result<Document, Error> {
        let faulty = |fault| Error::faulty(file, "a message (.eml)", fault);
        if let Some(fault) = foreign(&file.bytes) {
            return Err(faulty(fault));
        }
        bounded(&file.bytes).map_err(faulty)?;
        let message = MessageParser::default()
            .parse(&file.bytes)
            .filter(|message| !message.parts.is_empty())
            .ok_or_else(|| faulty(Fault::damaged("it has no head and no body")))?;
        article(&message, file, options, 0, &mut 0)
    }
}

/// Refuses messages with more parts than any has, before anything is read of them.
fn bounded(bytes: &[u8]) -> Result<(), Fault> {
    let count = |word: &[u8]| {
        let first = word[0];
        bytes
            .iter()
            .enumerate()
            .filter(|&(at, b)| {
                b.to_ascii_lowercase() == first
                    && bytes.get(at..at + word.len()).is_some_and(|here| here.eq_ignore_ascii_case(word))
            })
            .take(MAX_PARTS + 1)
            .count()
    };
    if count(b"boundary=") > MAX_PARTS || count(b"message/rfc822") > MAX_PARTS || count(b"message/global") > MAX_PARTS {
        return Err(Fault::limit(format!("more than {MAX_PARTS} parts within parts")));
    }
    Ok(())
}

/// A text that may be the article.
struct Candidate {
    sheet: Sheet,
    words: usize,
    forwarded: forward::Forwarded,
    left_out: Vec<String>,
}

fn article(
    message: &Message<'_>,
    file: &SourceFile,
    options: &ReadOptions<'_>,
    depth: usize,
    opened: &mut usize,
) -> Result<Document, Error> {
    let body = body(message, options);
    let body_words = body.as_ref().map_or(0, |body| body.words);
    let mut hanging = Vec::new();
    let mut unread = attached::broken_off(message).into_iter().collect::<Vec<_>>();
    if body_words <= MAX_NOTE {
        attached::read(message, file, options, depth, opened, &mut hanging, &mut unread);
    } else {
        unread.extend(
            message.attachments().filter_map(attached::named).take(MAX_PARTS).map(|name| attached::beside(&name)),
        );
    }
    // Of attachments as long as each other the first is taken.
    let best = (0..hanging.len()).rev().max_by_key(|&at| words_of(&hanging[at].0.text));
    let best = best.filter(|&at| words_of(&hanging[at].0.text) > body_words).map(|at| hanging.remove(at));
    // A message is one article: what else hangs on is told, so that nobody takes the one for all of them.
    unread.extend(hanging.iter().map(|(_, name)| attached::beside(name)));
    if let Some((mut document, name)) = best {
        if let Some(body) = body {
            document.furniture.extend(body.sheet.lines.into_iter().map(|line| line.text));
            document.furniture.extend(body.left_out);
        }
        document.warnings.push(format!("the article is the attachment {name}"));
        document.warnings.extend(unread);
        return Ok(document);
    }
    let Some(mut body) = body else {
        let source = if unread.is_empty() {
            return Err(Error::NoArticle { path: file.path.clone() });
        } else {
            Fault::damaged(unread.join("; "))
        };
        return Err(Error::faulty(file, "a message (.eml)", source));
    };
    declare(message, &mut body, options);
    body.sheet.warnings.extend(unread);
    let left_out = body.left_out;
    let mut document = Document::of_sheet(body.sheet, &file.path, options)?;
    document.furniture.extend(left_out);
    Ok(document)
}

/// Returns the message's own text: of the plain one and the web page the fuller.
fn body(message: &Message<'_>, options: &ReadOptions<'_>) -> Option<Candidate> {
    let mut texts: Vec<&MessagePart<'_>> = Vec::new();
    let mut pages: Vec<&MessagePart<'_>> = Vec::new();
    for (list, is_page) in [(&message.text_body, false), (&message.html_body, true)] {
        for part in list.iter().filter_map(|&id| message.part(id)) {
            match (&part.body, is_page) {
                (PartType::Text(_), _) if !is_attached(part) && !texts.iter().any(|&t| std::ptr::eq(t, part)) => {
                    texts.push(part);
                }
                (PartType::Html(_), _) if !is_attached(part) && !pages.iter().any(|&p| std::ptr::eq(p, part)) => {
                    pages.push(part);
                }
                _ => {}
            }
        }
    }
    let text = of_text(message, &texts, options);
    let page = of_pages(&pages, options);
    // A page that only repeats the text says more about it; one that is a shell around a link says less.
    match (text, page) {
        (Some(text), Some(page)) => Some(if page.words * 5 >= text.words * 4 { page } else { text }),
        (text, page) => text.or(page),
    }
}

fn of_text(message: &Message<'_>, parts: &[&MessagePart<'_>], options: &ReadOptions<'_>) -> Option<Candidate> {
    let mut whole = String::new();
    let mut charset = None;
    let mut damaged = false;
    let mut flowed = false;
    for part in parts {
        let PartType::Text(text) = &part.body else { continue };
        let raw = undeclared(message, part, text, options);
        let text = raw.as_ref().map_or(text.as_ref(), |decoded| decoded.text.as_str());
        whole.push_str(text);
        whole.push_str("\n\n");
        charset = charset.or_else(|| raw.as_ref().map(|raw| raw.encoding.to_owned())).or_else(|| charset_of(part));
        damaged |= part.is_encoding_problem || text.contains('\u{fffd}');
        flowed |= part
            .content_type()
            .and_then(|kind| kind.attribute("format"))
            .is_some_and(|format| format.eq_ignore_ascii_case("flowed"));
    }
    if whole.trim().is_empty() {
        return None;
    }
    let plain = plain::read(&apply(&whole, options.rules()), flowed);
    let words = plain.lines.iter().map(|line| line.words).sum();
    let mut sheet =
        Sheet { lines: plain.lines, encoding: charset.unwrap_or_else(|| "UTF-8".to_owned()), ..Sheet::default() };
    if damaged {
        sheet.warnings.push("parts of the text are damaged: its transfer encoding or its characters".to_owned());
    }
    Some(Candidate { sheet, words, forwarded: plain.forwarded, left_out: plain.left_out })
}

fn of_pages(parts: &[&MessagePart<'_>], options: &ReadOptions<'_>) -> Option<Candidate> {
    let mut whole: Option<Sheet> = None;
    for part in parts {
        let PartType::Html(text) = &part.body else { continue };
        let mut sheet = html::of_text(text, options);
        sheet.encoding = charset_of(part).unwrap_or_else(|| "UTF-8".to_owned());
        match &mut whole {
            Some(first) => first.lines.extend(sheet.lines),
            None => whole = Some(sheet),
        }
    }
    let mut sheet = whole?;
    let (forwarded, left_out) = forward::of_page(&mut sheet.lines);
    let words = sheet.lines.iter().map(|line| line.words).sum();
    (words > 0).then_some(Candidate { sheet, words, forwarded, left_out })
}

/// Decodes a part that says nothing (or something wrong) of its encoding, as mails of the 2000s did: its bytes tell it.
fn undeclared(
    message: &Message<'_>,
    part: &MessagePart<'_>,
    text: &str,
    options: &ReadOptions<'_>,
) -> Option<encoding::Decoded> {
    let wanted = options.encoding.is_some();
    // What is packed for the way is not as it was written; broken packing is mail-parser's to make the best of.
    let packed = part.content_transfer_encoding().is_some_and(|name| {
        ["quoted-printable", "base64"].iter().any(|packing| name.trim().eq_ignore_ascii_case(packing))
    });
    if packed || !(wanted || text.contains('\u{fffd}')) {
        return None;
    }
    let (start, end) = (usize::try_from(part.offset_body).ok()?, usize::try_from(part.offset_end).ok()?);
    let bytes = message.raw_message.get(start..end)?;
    let decoded = encoding::decode(bytes, options.encoding, None).ok()?;
    (wanted || decoded.undecodable * 10 < text.matches('\u{fffd}').count()).then_some(decoded)
}

/// Returns the WHATWG name of what a part says of its encoding.
fn charset_of(part: &MessagePart<'_>) -> Option<String> {
    let label = part.content_type()?.attribute("charset")?;
    encoding::by_label(label).ok().map(|encoding| encoding.name().to_owned())
}

fn is_attached(part: &MessagePart<'_>) -> bool {
    part.content_disposition().is_some_and(|kind| kind.c_type.eq_ignore_ascii_case("attachment"))
}

/// Puts what the head says to the text: the subject as the title, the day it was sent as the date.
fn declare(message: &Message<'_>, body: &mut Candidate, options: &ReadOptions<'_>) {
    let forwarded = std::mem::take(&mut body.forwarded);
    let cleaned = |subject: &str| plain::without_prefixes(&super::flow::clean(subject, options.rules())).to_owned();
    let inner = forwarded.subject.as_deref().map(cleaned);
    let outer = subject(message, &body.sheet.encoding).as_deref().map(cleaned);
    // Who forwards an article calls the message as the article is called, or leaves that to the one within.
    let told = inner.iter().chain(&outer).any(|subject| title(subject, &mut body.sheet, true));
    if let (false, Some(inner)) = (told, &inner) {
        title(inner, &mut body.sheet, false);
    }
    if body.sheet.declared.date.is_none() {
        // What was forwarded is of another day than the message around it.
        let sent = || message.date().filter(|date| date.is_valid() && date.year > 1970).map(|date| date.to_rfc3339());
        body.sheet.declared.date = if forwarded.found { forwarded.date } else { sent() };
    }
}

/// Returns the subject; raw bytes in the head are in the encoding of the text.
fn subject(message: &Message<'_>, encoding: &str) -> Option<String> {
    let subject = message.subject()?;
    if !subject.contains('\u{fffd}') {
        return Some(subject.to_owned());
    }
    let head = message.headers().iter().find(|header| header.name == HeaderName::Subject)?;
    let (start, end) = (usize::try_from(head.offset_start).ok()?, usize::try_from(head.offset_end).ok()?);
    let bytes = message.raw_message.get(start..end)?;
    let decoded = encoding::by_label(encoding).ok()?.decode(bytes).into_owned();
    (!decoded.contains('\u{fffd}') && !decoded.contains("=?")).then_some(decoded)
}

/// Makes the subject the title, where it can be a headline of this text; returns whether the title is settled. Where the
/// text is to be `asked`, it must take up words of the subject.
fn title(subject: &str, sheet: &mut Sheet, asked: bool) -> bool {
    let words = subject.split_whitespace().count();
    let has_title = sheet.lines.iter().any(|line| line.hint == Some(Hint::Title));
    let least = if asked { 3 } else { 2 };
    if has_title {
        return true;
    }
    if !(least..=MAX_SUBJECT).contains(&words) || !subject.chars().any(is_arabic_letter) {
        return false;
    }
    let wanted = key(subject);
    let head = sheet.lines.iter_mut().take(10);
    if let Some(line) = head.into_iter().find(|line| line.key == wanted) {
        line.hint = Some(Hint::Title);
        return true;
    }
    // A headline says words that the text says again; "المقال المطلوب في المرفق" does not.
    let text: String = sheet.lines.iter().take(40).map(|line| format!(" {} ", key_of(line))).collect();
    let told: Vec<&str> = wanted.split(' ').filter(|word| word.chars().count() >= 4).collect();
    let again = told.iter().filter(|word| text.contains(stem(word))).count();
    if asked && (told.is_empty() || again * 3 < told.len()) {
        return false;
    }
    let first_is_headline = sheet.lines.first().is_some_and(|line| {
        line.words >= 4 && line.words <= 20 && !line.is_closed() && !line.text.ends_with([':', '،']) && line.after_blank
    }) && sheet.lines.get(1).is_some_and(|line| line.after_blank && line.is_prose());
    if !first_is_headline {
        let body = sheet.lines.iter().any(|line| line.body);
        sheet.lines.insert(0, Line { body, ..Line::hinted(subject, Hint::Title) });
    }
    true
}

fn key_of(line: &Line) -> String {
    if line.key.is_empty() { key(&line.text) } else { line.key.clone() }
}

/// Returns a word without the article, which stands before or behind other letters elsewhere.
fn stem(word: &str) -> &str {
    word.strip_prefix("ال").filter(|rest| rest.chars().count() >= 3).unwrap_or(word)
}

fn words_of(text: &str) -> usize {
    text.split_whitespace().count()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Document, Error> {
        let file = SourceFile::from_bytes(Path::new("a.eml"), Kind::Email, bytes.to_vec()).unwrap();
        EmailReader.read(&file, &ReadOptions::default())
    }

    const HEADLINE: &str = "افتتاح الميناء الجديد في مدينة الساحل";
    const TEXT: &str = "افتتحت وزارة النقل، أمس الاثنين، الميناء الجديد في مدينة الساحل بعد عشر سنوات من الأشغال.\r\n\r\n\
        وقال المدير العام إن طاقة الميناء ستبلغ مليوني حاوية في السنة، وإن السفن ستدخل ابتداء من الشهر المقبل.\r\n";

    #[test]
    fn text_of_the_2000s_says_nothing_of_its_encoding() {
        let head = format!("From: a@example.org\r\nSubject: x\r\n\r\n{HEADLINE}\r\n\r\n{TEXT}");
        let document = read(&encoding_rs::WINDOWS_1256.encode(&head).0).unwrap();
        assert_eq!((document.title(), document.encoding.as_str()), (Some(HEADLINE), "windows-1256"));
        assert_eq!(document.blocks.len(), 3);
    }

    #[test]
    fn a_subject_is_the_title_where_the_text_takes_up_its_words() {
        let with = |subject: &str| {
            let message = format!(
                "From: a@example.org\r\nDate: Tue, 12 Mar 2024 09:15:00 +0300\r\nSubject: {subject}\r\n\
                 Content-Type: text/plain; charset=utf-8\r\n\r\n{TEXT}"
            );
            read(message.as_bytes()).unwrap()
        };
        let document = with(&format!("Fwd: {HEADLINE}"));
        assert_eq!(document.title(), Some(HEADLINE));
        assert_eq!(document.meta.date.unwrap().at.as_deref(), Some("2024-03-12T09:15:00+03:00"));
        assert_ne!(with("للاطلاع والإفادة من فضلكم").title(), Some("للاطلاع والإفادة من فضلكم"));
    }

    #[test]
    fn an_attachment_that_cannot_be_read_is_named() {
        let message = "From: a@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
            Content-Type: application/msword\r\nContent-Disposition: attachment; filename=\"x.doc\"\r\n\
            Content-Transfer-Encoding: base64\r\n\r\n0M8R4KGxGuEAAAAA\r\n--b--\r\n";
        let error = read(message.as_bytes()).unwrap_err();
        let said = format!("{error}: {}", std::error::Error::source(&error).unwrap());
        assert!(said.contains("x.doc") && said.contains("save it as .docx"), "{said}");
    }

    #[test]
    fn attachments_beside_the_article_are_named() {
        let part = |name: &str, text: &str| {
            format!(
                "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\
                 Content-Disposition: attachment; filename=\"{name}\"\r\n\r\n{text}\r\n"
            )
        };
        let (one, two) = (part("1.txt", &format!("{HEADLINE}\r\n\r\n{TEXT}")), part("2.txt", TEXT));
        let head = "From: a@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
        let body = "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n";
        let document = read(format!("{head}{body}مرفق مقالان\r\n{one}{two}--b--\r\n").as_bytes()).unwrap();
        assert_eq!(document.warnings[0], "the article is the attachment 1.txt");
        assert!(document.warnings[1].starts_with("the attachment 2.txt was not read"), "{:?}", document.warnings);
        let zip = "--b\r\nContent-Type: application/zip; name=\"a.zip\"\r\nContent-Transfer-Encoding: base64\r\n\r\nUEsDBAAA\r\n";
        let long = TEXT.repeat(4);
        let document = read(format!("{head}{body}{long}{two}{zip}--b--\r\n").as_bytes()).unwrap();
        assert_eq!(document.warnings.len(), 2, "{:?}", document.warnings);
        assert!(document.warnings[0].contains("2.txt") && document.warnings[1].contains("a.zip"));
    }

    #[test]
    fn a_message_that_is_cut_says_so() {
        let head = "From: a@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
        let body = format!("--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{TEXT}");
        let cut = |text: String| read(text.as_bytes()).unwrap().warnings.iter().any(|w| w.contains("breaks off"));
        assert!(!cut(format!("{head}{body}--b--\r\n")));
        assert!(cut(format!("{head}{body}")));
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let bytes = TEXT.as_bytes();
        let packed: String = bytes[..bytes.len() / 3 * 3]
            .chunks(3)
            .flat_map(|three| {
                let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
                [18, 12, 6, 0].map(|shift| char::from(DIGITS[(bits >> shift & 63) as usize]))
            })
            .collect();
        let head = "From: a@example.org\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n";
        assert!(!cut(format!("{head}{packed}\r\n")));
        assert!(cut(format!("{head}{}", &packed[..packed.len() - 41])));
    }

    #[test]
    fn forwarded_messages_and_raw_subjects_have_a_title() {
        let text = TEXT.repeat(2);
        let forwarded = |outer: &str, inner: &str| {
            format!(
                "From: a@example.org\r\nSubject: {outer}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
                 للعلم\r\n\r\n---------- Forwarded message ---------\r\nFrom: b\r\nDate: Thu, 1 Jun 2023\r\n\
                 Subject: {inner}\r\nTo: c\r\n\r\n{text}"
            )
        };
        assert_eq!(read(forwarded(HEADLINE, "خبر").as_bytes()).unwrap().title(), Some(HEADLINE));
        assert_eq!(read(forwarded("للعلم من فضلكم", "عنوان آخر").as_bytes()).unwrap().title(), Some("عنوان آخر"));
        let raw = format!(
            "Subject: {HEADLINE}\r\nFrom: a@example.org\r\nContent-Type: text/plain; charset=windows-1256\r\n\r\n{TEXT}"
        );
        assert_eq!(read(&encoding_rs::WINDOWS_1256.encode(&raw).0).unwrap().title(), Some(HEADLINE));
    }

    #[test]
    fn more_parts_than_any_message_has_are_refused() {
        let message = format!("From: a\r\n\r\n{}", "Boundary=x\r\n".repeat(MAX_PARTS + 1));
        assert!(read(message.as_bytes()).is_err());
    }
}
