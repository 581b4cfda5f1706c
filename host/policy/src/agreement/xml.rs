//! The values of an XML document, each by the path of its element: `Envelope/Body/update/sObjects[1]/Name`, where the first of
//! several of one name has no index. Names are without their prefixes. An attribute stands at `…/@name`; declarations of
//! namespaces are no values, and `xsi:nil` makes its element null.
//!
//! What can be read in two ways is refused: document types, entities of its own, processing instructions, comments,
//! CDATA, text beside elements, prefixes that are not bound, another encoding than UTF-8.

use std::collections::HashMap;
use std::ops::Range;

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesDecl, BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

use super::Disagreement;
use super::value::{Places, Scalar};

const NOT_XML: Disagreement = Disagreement::Body("says it is XML, and is none");
const NOT_PLAIN: Disagreement =
    Disagreement::Body("is XML with more than elements, attributes and text");
const NOT_UTF_8: Disagreement = Disagreement::Body("is XML in another encoding than UTF-8");

/// The namespace of `nil` (*XML Schema Part 1: Structures*, 2.6).
const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Elements in one another: more is not read.
const DEPTH_MAX: usize = 64;

/// A part of a document: an element or an attribute.
pub(crate) struct Part {
    /// Where it stands.
    pub(crate) place: String,
    /// The namespace of its name; empty: none.
    pub(crate) namespace: String,
    /// How many elements are around it; none: it is an attribute.
    pub(crate) depth: Option<usize>,
    /// The value of an attribute, or of an element without elements in it.
    pub(super) value: Option<Scalar>,
    /// Where an element's text stands in the document, if it is written as it is read.
    pub(crate) text_at: Option<Range<usize>>,
}

impl Part {
    /// Gives its text, where it has a value.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Some(Scalar::Text(text) | Scalar::Untyped(text)) => Some(text),
            _ => None,
        }
    }
}

struct Element {
    /// Its part's number.
    part: usize,
    place: String,
    text: String,
    is_nil: bool,
    /// The pieces that its text is written in.
    pieces: usize,
    text_at: Option<Range<usize>>,
    /// How often each name was among its children.
    children: HashMap<String, usize>,
}

/// Reads a document.
pub(super) fn read(text: &[u8], places: &mut Places) -> Result<(), Disagreement> {
    for part in parts(text)? {
        if let Some(value) = part.value {
            places.add(part.place, value)?;
        }
    }
    Ok(())
}

/// Reads a document to its parts, in the order in which they begin.
pub(crate) fn parts(text: &[u8]) -> Result<Vec<Part>, Disagreement> {
    let text = std::str::from_utf8(text).map_err(|_| NOT_XML)?;
    let mut reader = NsReader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut parts: Vec<Part> = Vec::new();
    let mut open: Vec<Element> = Vec::new();
    let mut roots = 0;
    loop {
        let from = reader.buffer_position();
        let event = reader.read_event().map_err(|_| NOT_XML)?;
        let to = reader.buffer_position();
        match event {
            Event::Start(start) => {
                if open.is_empty() {
                    roots += 1;
                }
                if open.len() >= DEPTH_MAX || roots > 1 {
                    return Err(NOT_PLAIN);
                }
                let depth = open.len();
                let element = begin(&reader, &start, depth, open.last_mut(), &mut parts)?;
                open.push(element);
            }
            Event::End(_) => end(open.pop().ok_or(NOT_XML)?, &mut parts)?,
            Event::Text(piece) => {
                let at = usize::try_from(from).ok().zip(usize::try_from(to).ok());
                let at = at.map(|(from, to)| from..to);
                let content = piece.xml10_content();
                let at = at.filter(|at| text.get(at.clone()) == Some(&*content));
                add(&mut open, &content, at)?;
            }
            Event::GeneralRef(entity) => {
                let char = entity.resolve_char_ref().map_err(|_| NOT_XML)?;
                match (char, resolve_predefined_entity(&entity.xml10_content())) {
                    (Some(char), _) => add(&mut open, char.encode_utf8(&mut [0; 4]), None)?,
                    (None, Some(text)) => add(&mut open, text, None)?,
                    (None, None) => return Err(NOT_PLAIN),
                }
            }
            Event::Decl(declaration) if parts.is_empty() && from == 0 => check(&declaration)?,
            Event::Eof if open.is_empty() && roots == 1 => return Ok(parts),
            Event::Eof => return Err(NOT_XML),
            _ => return Err(NOT_PLAIN),
        }
    }
}

/// Holds a declaration to the encoding that is read here.
fn check(declaration: &BytesDecl<'_>) -> Result<(), Disagreement> {
    if declaration.version().map_err(|_| NOT_XML)? != "1.0" {
        return Err(NOT_XML);
    }
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(encoding)) if encoding.eq_ignore_ascii_case("utf-8") => Ok(()),
        Some(_) => Err(NOT_UTF_8),
    }
}

fn namespace(found: &ResolveResult<'_>) -> Result<String, Disagreement> {
    match found {
        ResolveResult::Bound(namespace) => Ok(namespace.0.to_owned()),
        ResolveResult::Unbound => Ok(String::new()),
        ResolveResult::Unknown(_) => Err(NOT_XML),
    }
}

fn begin(
    reader: &NsReader<&[u8]>,
    start: &BytesStart<'_>,
    depth: usize,
    parent: Option<&mut Element>,
    parts: &mut Vec<Part>,
) -> Result<Element, Disagreement> {
    let (found, name) = reader.resolver().resolve_element(start.name());
    let namespace_of_element = namespace(&found)?;
    let name = name.into_inner().to_owned();
    let place = match parent {
        None => name,
        Some(parent) => {
            if !parent.text.trim().is_empty() {
                return Err(NOT_PLAIN);
            }
            let before = parent.children.entry(name.to_lowercase()).or_default();
            let place = match *before {
                0 => format!("{}/{name}", parent.place),
                index => format!("{}/{name}[{index}]", parent.place),
            };
            *before += 1;
            place
        }
    };
    let part = parts.len();
    parts.push(Part {
        place: place.clone(),
        namespace: namespace_of_element,
        depth: Some(depth),
        value: None,
        text_at: None,
    });
    let mut is_nil = false;
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| NOT_XML)?;
        let key = attribute.key;
        if key.as_namespace_binding().is_some() {
            continue;
        }
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|_| NOT_XML)?;
        let (found, name) = reader.resolver().resolve_attribute(key);
        let (namespace, name) = (namespace(&found)?, name.into_inner());
        if namespace == SCHEMA_INSTANCE && name == "nil" {
            is_nil = matches!(&*value, "true" | "1");
            continue;
        }
        parts.push(Part {
            place: format!("{place}/@{name}"),
            namespace,
            depth: None,
            value: Some(Scalar::Untyped(value.into_owned())),
            text_at: None,
        });
    }
    Ok(Element {
        part,
        place,
        text: String::new(),
        is_nil,
        pieces: 0,
        text_at: None,
        children: HashMap::new(),
    })
}

fn end(element: Element, parts: &mut [Part]) -> Result<(), Disagreement> {
    let value = match (element.children.is_empty(), element.is_nil) {
        (true, true) if element.text.is_empty() => Some(Scalar::Null),
        (true, false) => Some(Scalar::Untyped(element.text)),
        (false, false) if element.text.trim().is_empty() => None,
        _ => return Err(NOT_PLAIN),
    };
    if let Some(part) = parts.get_mut(element.part) {
        part.text_at = element
            .text_at
            .filter(|_| element.pieces == 1 && value.is_some());
        part.value = value;
    }
    Ok(())
}

fn add(open: &mut [Element], piece: &str, at: Option<Range<usize>>) -> Result<(), Disagreement> {
    match open.last_mut() {
        Some(element) if element.children.is_empty() || piece.trim().is_empty() => {
            element.text.push_str(piece);
            element.pieces += 1;
            element.text_at = at;
            Ok(())
        }
        None if piece.trim().is_empty() => Ok(()),
        _ => Err(NOT_PLAIN),
    }
}
