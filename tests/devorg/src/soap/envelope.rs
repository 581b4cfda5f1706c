//! What a SOAP client sends: an envelope with headers and one operation.
//!
//! The XML is read by a library; what SOAP forbids (document types, processing instructions) is refused,
//! so that nothing is expanded or fetched.

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::{NsReader, XmlVersion};

/// The namespace of SOAP 1.1.
pub(super) const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";

/// How deep elements are nested at most; Salesforce's own messages need a handful.
const DEPTH_MAX: usize = 32;

/// An element.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) namespace: String,
    pub(super) name: String,
    /// The attributes by their names without prefix: `type`, `nil`.
    attributes: Vec<(String, String)>,
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

/// An envelope.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Envelope {
    pub(super) headers: Vec<Element>,
    pub(super) operation: Element,
}

impl Element {
    /// Gives the first child with a name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Gives the text of the first child with a name, if there is any.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        let text = self.child(name)?.text.trim();
        (!text.is_empty()).then_some(text)
    }

    /// Gives the children with a name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Gives an attribute by its name without prefix.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        attributes
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Says whether the element stands for no value: `xsi:nil="true"`.
    pub(super) fn is_nil(&self) -> bool {
        matches!(self.attribute("nil"), Some("true" | "1"))
    }
}

impl Envelope {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(body).map_err(|_| "the message is not UTF-8".to_owned())?;
        let root = document(text)?;
        if (root.namespace.as_str(), root.name.as_str()) != (SOAP, "Envelope") {
            return Err(format!(
                "unexpected element {{{}}}{}",
                root.namespace, root.name
            ));
        }
        let mut parts = root.children.into_iter();
        let mut part = parts.next();
        let headers = match part {
            Some(header) if header.name == "Header" => {
                part = parts.next();
                header.children
            }
            _ => Vec::new(),
        };
        let body = part.filter(|body| body.name == "Body" && body.namespace == SOAP);
        let operation = body.and_then(|body| body.children.into_iter().next());
        let operation = operation.ok_or("the envelope has no body with an operation")?;
        Ok(Self { headers, operation })
    }

    /// Gives a header by its name.
    pub(super) fn header(&self, name: &str) -> Option<&Element> {
        self.headers.iter().find(|header| header.name == name)
    }

    /// Says whether a header has a switch that is on.
    pub(super) fn is_on(&self, header: &str, switch: &str) -> bool {
        let text = self
            .header(header)
            .and_then(|header| header.text_of(switch));
        matches!(text, Some("true" | "1"))
    }
}

/// Reads a document to its root element.
fn document(text: &str) -> Result<Element, String> {
    let mut reader = NsReader::from_str(text);
    // The elements that are open, the document itself first.
    let mut open = vec![Element::default()];
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        let inside = open.len() > 1;
        match event {
            Event::Start(start) => {
                if open.len() > DEPTH_MAX {
                    return Err(format!("elements are nested more than {DEPTH_MAX} deep"));
                }
                open.push(element(&reader, &start)?);
            }
            Event::Empty(start) => {
                let element = element(&reader, &start)?;
                add(&mut open, element);
            }
            Event::End(_) => {
                if let Some(element) = open.pop() {
                    add(&mut open, element);
                }
            }
            Event::Text(text) if inside => push(&mut open, &text.xml10_content()),
            Event::Text(text)
                if text
                    .xml10_content()
                    .trim_matches(['\u{feff}', ' ', '\t', '\r', '\n'])
                    .is_empty() => {}
            Event::CData(text) if inside => push(&mut open, &text.xml10_content()),
            Event::GeneralRef(entity) if inside => match entity.resolve_char_ref() {
                Ok(Some(c)) => push(&mut open, c.encode_utf8(&mut [0; 4])),
                Ok(None) => {
                    let name = entity.xml10_content();
                    let known = resolve_predefined_entity(&name);
                    push(
                        &mut open,
                        known.ok_or_else(|| {
                            format!("the entity '{name}' was referenced, but not declared")
                        })?,
                    );
                }
                Err(error) => return Err(error.to_string()),
            },
            Event::Decl(_) | Event::Comment(_) => {}
            Event::DocType(_) => return Err("DOCTYPE is not allowed".into()),
            Event::PI(_) => return Err("processing instructions are not allowed".into()),
            Event::Eof if inside => return Err("the message ends inside an element".into()),
            Event::Eof => break,
            _ => return Err("content is not allowed outside of the root element".into()),
        }
    }
    let root = open.pop().unwrap_or_default();
    match <[Element; 1]>::try_from(root.children) {
        Ok([root]) => Ok(root),
        Err(_) => Err("a document has one root element".into()),
    }
}

fn add(open: &mut [Element], element: Element) {
    if let Some(parent) = open.last_mut() {
        parent.children.push(element);
    }
}

fn push(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn element(reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Result<Element, String> {
    let (namespace, name) = reader.resolver().resolve_element(start.name());
    let namespace = match namespace {
        ResolveResult::Bound(namespace) => namespace.0.to_owned(),
        ResolveResult::Unbound => String::new(),
        ResolveResult::Unknown(prefix) => {
            return Err(format!("the prefix '{prefix}' is not bound"));
        }
    };
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|error| error.to_string())?;
        let name = attribute.key.local_name();
        attributes.push((name.into_inner().to_owned(), value.into_owned()));
    }
    Ok(Element {
        namespace,
        name: name.into_inner().to_owned(),
        attributes,
        ..Element::default()
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn envelope(inner: &str) -> String {
        format!("<?xml version=\"1.0\"?>\n<e:Envelope xmlns:e=\"{SOAP}\">{inner}</e:Envelope>\n")
    }

    #[test]
    fn an_envelope_is_read() {
        let text = envelope(
            "<e:Header><S xmlns=\"urn:x\"><id>a!b</id><on>true</on></S></e:Header><!-- c -->\
             <e:Body><n:login xmlns:n=\"urn:x\" xmlns:xsi=\"urn:i\"><n:p>a&amp;&#98;<![CDATA[<c>]]></n:p>\
             <n:q xsi:nil=\"true\"/><n:p t='&quot;'>2</n:p></n:login></e:Body>",
        );
        let read = Envelope::read(text.as_bytes()).unwrap();
        assert_eq!(read.header("S").unwrap().text_of("id"), Some("a!b"));
        assert!(read.is_on("S", "on") && !read.is_on("S", "id") && !read.is_on("T", "on"));
        let operation = &read.operation;
        assert_eq!(
            (operation.namespace.as_str(), operation.name.as_str()),
            ("urn:x", "login")
        );
        assert_eq!(operation.text_of("p"), Some("a&b<c>"));
        assert!(operation.child("q").unwrap().is_nil());
        let second = operation.all("p").nth(1).unwrap();
        assert_eq!(
            (second.attribute("t"), second.text.as_str()),
            (Some("\""), "2")
        );
    }

    #[test]
    fn what_is_no_envelope_is_refused() {
        let body = |inner: &str| envelope(&format!("<e:Body>{inner}</e:Body>"));
        let deep = format!("{}{}", "<a>".repeat(500), "</a>".repeat(500));
        for (text, words) in [
            (String::new(), "one root element"),
            ("{\"a\": 1}".into(), "outside of the root"),
            ("<a/>".into(), "unexpected element {}a"),
            ("<a/><b/>".into(), "one root element"),
            ("<e:a/>".into(), "'e' is not bound"),
            (envelope(""), "no body"),
            (body(""), "no body"),
            (
                body("<a>").replace("</e:Body></e:Envelope>", ""),
                "ends inside",
            ),
            (body("<a></b>"), "expected"),
            (body("<a>&nbsp;</a>"), "'nbsp' was referenced"),
            (body("<a x='1' x='2'/>"), "uplicate"),
            (body("<?php ?>"), "processing instructions"),
            (
                format!("<!DOCTYPE a [<!ENTITY b \"c\">]>{}", body("<a>&b;</a>")),
                "DOCTYPE",
            ),
            (body(&deep), "more than 32 deep"),
        ] {
            let error = Envelope::read(text.as_bytes()).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
        assert!(Envelope::read(b"\xff<a/>").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Envelope::read(&bytes).is_err());
        }

        #[test]
        fn any_markup_is_read_or_refused(inner in "(<(e:)?[ab]( [a-c]='[&;#x1]{0,4}')?/?>|</(e:)?[ab]>|[&;<>#x0-9 a-c]|]]>|<!\\[CDATA\\[){0,12}") {
            let _ = Envelope::read(envelope(&inner).as_bytes());
            let _ = Envelope::read(envelope(&format!("<e:Body>{inner}</e:Body>")).as_bytes());
        }
    }
}
