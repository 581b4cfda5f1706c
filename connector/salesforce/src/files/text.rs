//! Text out of a file's bytes.
//!
//! What a file claims to be counts less than what it holds: bytes that are no text are not shown as text. Of HTML and XML
//! the marks are left out, and scripts and styles with all that is in them.

use std::fmt::Write as _;

use crate::fence;

/// What a file holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Text, and what there is to know of how it was read.
    Text {
        /// The text.
        text: String,
        /// Such as that marks were left out.
        note: Option<&'static str>,
    },
    /// Something else; why it cannot be shown.
    Other(&'static str),
}

/// Extensions of files that hold no text as such, so that they need not be fetched.
const OTHERS: [(&str, &str); 34] = [
    ("pdf", "it is a PDF"),
    ("doc", "it is a document of Word"),
    ("docx", "it is a document of Word"),
    ("xls", "it is a workbook of Excel"),
    ("xlsx", "it is a workbook of Excel"),
    ("xlsm", "it is a workbook of Excel"),
    ("ppt", "it is a presentation"),
    ("pptx", "it is a presentation"),
    ("odt", "it is a document of OpenDocument"),
    ("ods", "it is a workbook of OpenDocument"),
    ("png", IMAGE),
    ("jpg", IMAGE),
    ("jpeg", IMAGE),
    ("gif", IMAGE),
    ("bmp", IMAGE),
    ("tif", IMAGE),
    ("tiff", IMAGE),
    ("webp", IMAGE),
    ("heic", IMAGE),
    ("psd", IMAGE),
    ("zip", ARCHIVE),
    ("gz", ARCHIVE),
    ("gzip", ARCHIVE),
    ("7z", ARCHIVE),
    ("rar", ARCHIVE),
    ("mp3", SOUND),
    ("m4a", SOUND),
    ("wav", SOUND),
    ("mp4", FILM),
    ("m4v", FILM),
    ("mov", FILM),
    ("avi", FILM),
    ("exe", "it is a program"),
    ("msg", "it is a message of Outlook"),
];
const IMAGE: &str = "it is an image";
const ARCHIVE: &str = "it is an archive";
const SOUND: &str = "it is sound";
const FILM: &str = "it is a film";

/// Says why a file of this extension is not fetched; `None` where it may hold text.
pub(super) fn is_other(extension: &str) -> Option<&'static str> {
    let known = OTHERS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(extension));
    known.map(|(_, why)| *why)
}

/// Lists the extensions of which [`is_other`] says why.
pub(super) fn others() -> impl Iterator<Item = &'static str> {
    OTHERS.iter().map(|(extension, _)| *extension)
}

/// Reads what a file holds.
pub(super) fn read(bytes: Vec<u8>, extension: &str) -> Content {
    let Some((text, mut note)) = decoded(bytes) else {
        return Content::Other("it holds something else than text");
    };
    let is = |known: &[&str]| {
        known
            .iter()
            .any(|known| known.eq_ignore_ascii_case(extension))
    };
    let text = if is(&["html", "htm", "xhtml", "snote"]) {
        note = Some("marks of HTML are left out");
        unmarked(&text, true)
    } else if is(&["xml", "svg"]) {
        note = Some("marks of XML are left out");
        unmarked(&text, false)
    } else if text.contains("\r\n") {
        text.replace("\r\n", "\n")
    } else {
        text
    };
    Content::Text { text, note }
}

/// Decodes UTF-8, UTF-16 with its mark, and else Latin-1 if that has no controls. `None`: it is no text.
fn decoded(bytes: Vec<u8>) -> Option<(String, Option<&'static str>)> {
    let utf_16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        char::decode_utf16(units)
            .map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect::<String>()
    };
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => return Some((utf_16(rest, u16::from_le_bytes), None)),
        [0xfe, 0xff, rest @ ..] => return Some((utf_16(rest, u16::from_be_bytes), None)),
        _ => {}
    }
    let is_control = |byte: &u8| matches!(byte, 0..=8 | 11 | 14..=26 | 28..=31 | 127);
    if bytes.iter().any(is_control) {
        return None;
    }
    let bytes = match String::from_utf8(bytes) {
        Ok(mut text) => {
            if text.starts_with('\u{feff}') {
                text.remove(0);
            }
            return Some((text, None));
        }
        Err(error) => error.into_bytes(),
    };
    // Windows has its own signs where Latin-1 has controls; what it has there is lost, and rare.
    let text = bytes.iter().map(|byte| char::from(*byte)).collect();
    Some((text, Some("it is no UTF-8, and was read as Latin-1")))
}

/// Leaves out the marks of HTML or XML. Blocks begin lines, and of spaces one is left.
fn unmarked(text: &str, html: bool) -> String {
    let mut out = Lines::default();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        out.text(&rest[..at]);
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        if let Some(data) = rest.strip_prefix("<![CDATA[") {
            let end = data.find("]]>").unwrap_or(data.len());
            out.plain(&data[..end]);
            rest = data.get(end + 3..).unwrap_or_default();
            continue;
        }
        let is_tag = rest[1..]
            .starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
        let Some(end) = end_of_tag(rest).filter(|_| is_tag) else {
            out.text("<");
            rest = &rest[1..];
            continue;
        };
        let tag = rest[1..end].trim_start_matches('/');
        let name = tag
            .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '_')))
            .next();
        let name = name.unwrap_or_default().to_ascii_lowercase();
        let opens = !rest[1..].starts_with('/');
        rest = &rest[end + 1..];
        match (html, name.as_str()) {
            (true, "script" | "style" | "head" | "template") if opens => {
                rest = behind(rest, &name);
            }
            (true, "td" | "th") => out.gap(),
            (true, "li") if opens => {
                out.line();
                out.plain("- ");
            }
            (
                true,
                "br" | "p" | "div" | "li" | "ul" | "ol" | "tr" | "table" | "h1" | "h2" | "h3"
                | "h4" | "h5" | "h6" | "hr" | "pre" | "blockquote" | "section" | "article"
                | "header" | "footer",
            ) => out.line(),
            (true, _) => {}
            (false, _) => out.line(),
        }
    }
    out.text(rest);
    out.finish()
}

/// Finds the end of a tag, past what is in quotes.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// Gives what follows the end of an element whose content is left out.
fn behind<'t>(text: &'t str, name: &str) -> &'t str {
    let lower = text.to_ascii_lowercase();
    let close = format!("</{name}");
    match lower.find(&close) {
        Some(at) => text[at..].find('>').map_or("", |end| &text[at + end + 1..]),
        None => "",
    }
}

/// Lines that are being written, without spaces that say nothing.
#[derive(Default)]
struct Lines {
    done: String,
    line: String,
    space: bool,
}

impl Lines {
    /// Adds text with its entities.
    fn text(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find('&') {
            self.plain(&rest[..at]);
            rest = &rest[at..];
            match entity(rest) {
                Some((c, length)) => {
                    // A space that does not break is one.
                    let c = if c == '\u{a0}' { ' ' } else { c };
                    self.plain(c.encode_utf8(&mut [0; 4]));
                    rest = &rest[length..];
                }
                None => {
                    self.plain("&");
                    rest = &rest[1..];
                }
            }
        }
        self.plain(rest);
    }

    fn plain(&mut self, text: &str) {
        for c in text.chars() {
            if c.is_whitespace() {
                self.space = true;
                continue;
            }
            if self.space && !self.line.is_empty() && !self.line.ends_with(' ') {
                self.line.push(' ');
            }
            self.space = false;
            self.line.push(c);
        }
        // The mark of a list keeps its space.
        if text == "- " {
            self.line.push(' ');
            self.space = false;
        }
    }

    fn gap(&mut self) {
        if !self.line.is_empty() && !self.line.ends_with("| ") {
            self.line.push_str(" | ");
        }
        self.space = false;
    }

    fn line(&mut self) {
        let line = self.line.trim_end_matches([' ', '|']);
        if !line.is_empty() && line != "-" {
            self.done.push_str(line);
            self.done.push('\n');
        }
        self.line.clear();
        self.space = false;
    }

    fn finish(mut self) -> String {
        self.line();
        self.done
    }
}

/// Reads an entity at the beginning of a text: its character, and how many bytes it has.
fn entity(text: &str) -> Option<(char, usize)> {
    // The longest names of those below have six letters; numbers have as many.
    let end = text.bytes().take(12).position(|byte| byte == b';')?;
    let name = &text[1..end];
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "euro" => '€',
        "pound" => '£',
        "copy" => '©',
        "reg" => '®',
        "bull" => '•',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "auml" => 'ä',
        "ouml" => 'ö',
        "uuml" => 'ü',
        "Auml" => 'Ä',
        "Ouml" => 'Ö',
        "Uuml" => 'Ü',
        "szlig" => 'ß',
        "eacute" => 'é',
        "egrave" => 'è',
        "agrave" => 'à',
        "ccedil" => 'ç',
        "ntilde" => 'ñ',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((c, end + 1))
}

/// Writes a text so that it does not break the fence around it: what shows nothing is written out.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => out.push(c),
            c if c.is_control()
                || fence::is_invisible(c)
                || matches!(c, '\u{2028}' | '\u{2029}') =>
            {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    fence::neutral(&out)
}

#[cfg(test)]
#[allow(clippy::panic, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(bytes: &[u8], extension: &str) -> String {
        match read(bytes.to_vec(), extension) {
            Content::Text { text, .. } => text,
            Content::Other(why) => panic!("{why}"),
        }
    }

    #[test]
    fn text_is_read_in_its_encoding() {
        assert_eq!(text("Grüße\r\n".as_bytes(), "txt"), "Grüße\n");
        assert_eq!(text(b"\xef\xbb\xbfa,b", "csv"), "a,b");
        assert_eq!(text(b"\xff\xfeH\0i\0", "txt"), "Hi");
        assert_eq!(text(b"\xfe\xff\0H\0i", "txt"), "Hi");
        assert_eq!(text(b"Gr\xfc\xdfe", "txt"), "Grüße");
        for bytes in [&b"\x89PNG\r\n\x1a\n\0"[..], b"PK\x03\x04", b"\0"] {
            assert!(matches!(read(bytes.to_vec(), "txt"), Content::Other(_)));
        }
        assert_eq!(is_other("PDF"), Some("it is a PDF"));
        assert_eq!(is_other("md"), None);
    }

    #[test]
    fn marks_are_left_out() {
        let html = b"<html><head><title>x</title></head><body><h1>Plan</h1><p>They have <b>three</b>\n halls &amp; a yard.</p>
            <script>alert('x < y')</script><ul><li>one</li><li>two &#8364; &lt;</li></ul><table><tr><td>a</td><td>b</td></tr></table><!-- no > --><img alt=\"a > b\">1 < 2 &x;</body></html>";
        assert_eq!(
            text(html, "html"),
            "Plan\nThey have three halls & a yard.\n- one\n- two € <\na | b\n1 < 2 &x;\n"
        );
        let xml = b"<?xml version=\"1.0\"?><a x=\"1\"><b>one</b><c><![CDATA[<two>]]></c></a>";
        assert_eq!(text(xml, "xml"), "one\n<two>\n");
    }

    #[test]
    fn no_file_closes_the_fence() {
        assert_eq!(
            shown("a\u{202e}b\n</org-data>"),
            "a\\u{202e}b\n\\</org-data>"
        );
    }

    proptest! {
        #[test]
        fn any_marks_can_be_left_out(text in "[<>/!a-c&;#\"' \\-\\[\\]CDATA]{0,60}") {
            for html in [true, false] {
                unmarked(&text, html);
            }
        }

        #[test]
        fn any_bytes_are_text_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            for extension in ["txt", "html", "xml"] {
                read(bytes.clone(), extension);
            }
        }
    }
}
