//! XML, as far as answers of the SOAP API need it: elements by their names without prefixes, and their text.
//!
//! What is not well-formed is no answer. Comments, processing instructions and document types are not among what the service sends,
//! and end the reading.

use std::borrow::Cow;

/// Elements in one another: more is not read.
const DEPTH_MAX: usize = 32;

/// Elements of a document: an answer has hundreds, and each takes far more memory than its four bytes of text.
const ELEMENTS_MAX: usize = 100_000;

/// An element.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Element {
    /// Its name, without a prefix.
    pub name: String,
    /// Its text; empty where it has elements.
    pub text: String,
    /// The elements in it.
    pub children: Vec<Element>,
}

impl Element {
    /// Reads a document to its root.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.trim_start_matches('\u{feff}').trim_start();
        if let Some(after) = rest.strip_prefix("<?xml") {
            rest = after.split_once("?>")?.1.trim_start();
        }
        let mut left = ELEMENTS_MAX;
        let (root, rest) = element(rest, 0, &mut left)?;
        rest.trim().is_empty().then_some(root)
    }

    /// Gives the first child with a name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Gives the text of the first child with a name, where it has any.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        let text = self.child(name)?.text.as_str();
        (!text.is_empty()).then_some(text)
    }

    /// Gives the children with a name.
    pub fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Self> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// Reads the element that begins here, and gives what follows it; `left` elements may still come.
fn element<'t>(text: &'t str, depth: usize, left: &mut usize) -> Option<(Element, &'t str)> {
    *left = left.checked_sub(1)?;
    let text = text.strip_prefix('<')?;
    if depth >= DEPTH_MAX || !text.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        return None;
    }
    let (tag, mut rest) = text.split_at(end_of_tag(text)?);
    rest = &rest[1..];
    let is_empty = tag.ends_with('/');
    let tag = tag.trim_end_matches('/');
    let full = tag.split(|c: char| c.is_whitespace()).next()?;
    let mut element = Element {
        name: full.rsplit(':').next()?.to_owned(),
        ..Element::default()
    };
    if is_empty {
        return Some((element, rest));
    }
    loop {
        let (before, _) = rest.split_at(rest.find('<')?);
        let text = unescaped(before)?;
        match element.text.is_empty() {
            true => element.text = text.into_owned(),
            false => element.text.push_str(&text),
        }
        rest = &rest[before.len()..];
        if let Some(end) = rest.strip_prefix("</") {
            let (name, after) = end.split_once('>')?;
            if name.trim_end() != full {
                return None;
            }
            if !element.children.is_empty() {
                element.text.clear();
            }
            return Some((element, after));
        }
        let (child, after) = self::element(rest, depth + 1, left)?;
        element.children.push(child);
        rest = after;
    }
}

/// Finds the end of a tag, past the values of its attributes.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quote = None;
    text.char_indices().find_map(|(at, c)| {
        match (quote, c) {
            (None, '>') => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
        None
    })
}

fn unescaped(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('&') {
        return Some(text.into());
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let (name, after) = rest[at + 1..].split_once(';')?;
        out.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let number = name.strip_prefix('#')?;
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code)?
            }
        });
        rest = after;
    }
    out.push_str(rest);
    Some(out.into())
}

/// Appends an element with a text. A carriage return is written out, lest it be read as a line break.
pub fn write(out: &mut String, name: &str, text: &str) {
    out.push('<');
    out.push_str(name);
    out.push('>');
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#13;"),
            c => out.push(c),
        }
    }
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_answer_is_read() {
        let text = "<?xml version=\"1.0\"?><e:Envelope xmlns:e=\"a>b\"><e:Body><r><ok>true</ok><n x='1'/>\n<m>a &lt;b&gt; &amp; &#228;&#x1F600;</m><m/></r></e:Body></e:Envelope>\n";
        let root = Element::parse(text).unwrap();
        let result = root.child("Body").unwrap().child("r").unwrap();
        assert_eq!(result.text_of("ok"), Some("true"));
        assert_eq!(result.text_of("n"), None);
        let texts: Vec<&str> = result.all("m").map(|m| m.text.as_str()).collect();
        assert_eq!(texts, ["a <b> & ä\u{1f600}", ""]);
    }

    #[test]
    fn what_is_no_document_is_none() {
        for text in [
            "",
            "x",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a>&x;</a>",
            "<a><!-- --></a>",
            "<!DOCTYPE a><a/>",
            "<a>&#xD800;</a>",
            &"<a>".repeat(100),
            &format!("<a>{}</a>", "<a/>".repeat(ELEMENTS_MAX)),
        ] {
            let shown: String = text.chars().take(40).collect();
            assert_eq!(Element::parse(text), None, "{shown}");
        }
        let most = format!("<a>{}</a>", "<a/>".repeat(ELEMENTS_MAX - 1));
        assert!(Element::parse(&most).is_some());
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "[<>/ab:\"'&;#x0-9 !?-]{0,60}") {
            let _ = Element::parse(&text);
        }

        #[test]
        fn what_is_written_is_read(text in "\\PC{0,40}") {
            let mut out = String::new();
            write(&mut out, "a", &text);
            prop_assert_eq!(Element::parse(&out).unwrap().text, text);
        }
    }
}
