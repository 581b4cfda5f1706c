//! The values of an XML document, each by the path of its element: `Envelope/Body/update/sObjects[1]/Name`, where the first of
//! several of one name has no index. Names are without their prefixes. An attribute stands at `…/@name`; declarations of
//! namespaces are no values, and `xsi:nil` makes its element null.
//!
//! What can be read in two ways is refused: document types, entities of its own, processing instructions, comments,
//! CDATA, text beside elements.

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};

use super::Disagreement;
use super::value::{Places, Scalar};

const NOT_XML: Disagreement = Disagreement::Body("says it is XML, and is none");
const NOT_PLAIN: Disagreement =
    Disagreement::Body("is XML with more than elements, attributes and text");

/// Elements in one another: more is not read.
const DEPTH_MAX: usize = 64;

struct Element {
    place: String,
    text: String,
    is_nil: bool,
    /// How often each name was among its children.
    children: HashMap<String, usize>,
}

/// Reads a document.
pub(super) fn read(text: &[u8], places: &mut Places) -> Result<(), Disagreement> {
    let text = std::str::from_utf8(text).map_err(|_| NOT_XML)?;
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<Element> = Vec::new();
    let mut roots = 0;
    loop {
        match reader.read_event().map_err(|_| NOT_XML)? {
            Event::Start(start) => {
                if open.is_empty() {
                    roots += 1;
                }
                if open.len() >= DEPTH_MAX || roots > 1 {
                    return Err(NOT_PLAIN);
                }
                let element = begin(&start, open.last_mut(), places)?;
                open.push(element);
            }
            Event::End(_) => end(open.pop().ok_or(NOT_XML)?, places)?,
            Event::Text(piece) => {
                add(&mut open, &piece.xml10_content())?;
            }
            Event::GeneralRef(entity) => {
                let char = entity.resolve_char_ref().map_err(|_| NOT_XML)?;
                match (char, resolve_predefined_entity(&entity.xml10_content())) {
                    (Some(char), _) => add(&mut open, char.encode_utf8(&mut [0; 4]))?,
                    (None, Some(text)) => add(&mut open, text)?,
                    (None, None) => return Err(NOT_PLAIN),
                }
            }
            Event::Decl(_) if open.is_empty() && roots == 0 => {}
            Event::Eof if open.is_empty() && roots == 1 => return Ok(()),
            Event::Eof => return Err(NOT_XML),
            _ => return Err(NOT_PLAIN),
        }
    }
}

fn begin(
    start: &BytesStart<'_>,
    parent: Option<&mut Element>,
    places: &mut Places,
) -> Result<Element, Disagreement> {
    let name = start.local_name().into_inner().to_owned();
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
        let name = key.local_name().into_inner().to_owned();
        if key.prefix().is_some() && name == "nil" {
            is_nil = matches!(&*value, "true" | "1");
            continue;
        }
        places.add(
            format!("{place}/@{name}"),
            Scalar::Untyped(value.into_owned()),
        )?;
    }
    Ok(Element {
        place,
        text: String::new(),
        is_nil,
        children: HashMap::new(),
    })
}

fn end(element: Element, places: &mut Places) -> Result<(), Disagreement> {
    match (element.children.is_empty(), element.is_nil) {
        (true, true) if element.text.is_empty() => places.add(element.place, Scalar::Null),
        (true, false) => places.add(element.place, Scalar::Untyped(element.text)),
        (false, false) if element.text.trim().is_empty() => Ok(()),
        _ => Err(NOT_PLAIN),
    }
}

fn add(open: &mut [Element], piece: &str) -> Result<(), Disagreement> {
    match open.last_mut() {
        Some(element) if element.children.is_empty() || piece.trim().is_empty() => {
            element.text.push_str(piece);
            Ok(())
        }
        None if piece.trim().is_empty() => Ok(()),
        _ => Err(NOT_PLAIN),
    }
}
