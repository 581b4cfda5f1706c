//! What is sent back: elements, written as XML.

use quick_xml::escape::{escape, partial_escape};
use serde_json::Value as Json;

/// An element on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// Its name, with prefix.
    tag: String,
    /// `xsi:type`.
    kind: Option<String>,
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    Nil,
    Text(String),
    Children(Vec<Node>),
}

impl Node {
    /// Makes an element with a text.
    pub(super) fn text(tag: impl Into<String>, text: impl ToString) -> Self {
        Self::new(tag, Content::Text(text.to_string()))
    }

    /// Makes an element that stands for no value.
    pub(super) fn nil(tag: impl Into<String>) -> Self {
        Self::new(tag, Content::Nil)
    }

    /// Makes an element with a text, or one that stands for no value.
    pub(super) fn maybe(tag: impl Into<String>, text: Option<impl ToString>) -> Self {
        match text {
            Some(text) => Self::text(tag, text),
            None => Self::nil(tag),
        }
    }

    /// Makes an element with others inside.
    pub(super) fn of(tag: impl Into<String>, children: Vec<Self>) -> Self {
        Self::new(tag, Content::Children(children))
    }

    /// Makes an element of a JSON value: members become elements.
    pub(super) fn of_json(tag: impl Into<String>, value: &Json) -> Self {
        match value {
            Json::Null => Self::nil(tag),
            Json::String(text) => Self::text(tag, text),
            Json::Object(members) => {
                let members = members.iter();
                let children = members.map(|(name, value)| Self::of_json(name, value));
                Self::of(tag, children.collect())
            }
            other => Self::text(tag, other),
        }
    }

    /// Says of which type the element is.
    pub(super) fn typed(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    fn new(tag: impl Into<String>, content: Content) -> Self {
        Self {
            tag: tag.into(),
            kind: None,
            content,
        }
    }

    /// Writes the element at the end of a text.
    pub(super) fn write(&self, xml: &mut String) {
        xml.push('<');
        xml.push_str(&self.tag);
        if let Some(kind) = &self.kind {
            xml.push_str(" xsi:type=\"");
            xml.push_str(&escape(kind));
            xml.push('"');
        }
        match &self.content {
            Content::Nil => return xml.push_str(" xsi:nil=\"true\"/>"),
            Content::Children(children) if children.is_empty() => return xml.push_str("/>"),
            Content::Text(text) => {
                xml.push('>');
                xml.push_str(&partial_escape(text.replace(|c| !is_char(c), "")));
            }
            Content::Children(children) => {
                xml.push('>');
                children.iter().for_each(|child| child.write(xml));
            }
        }
        xml.push_str("</");
        xml.push_str(&self.tag);
        xml.push('>');
    }
}

/// Says whether XML 1.0 can have a character (section 2.2).
fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn elements_are_written() {
        let children = vec![
            Node::text("sf:Name", "A's & <B>\u{0}"),
            Node::nil("id"),
            Node::of("empty", Vec::new()),
            Node::of_json(
                "sf:Address",
                &json!({"city": "Lyon", "lat": 1.5, "zip": null}),
            )
            .typed("address"),
            Node::maybe("n", Some(1)),
        ];
        let mut xml = String::new();
        Node::of("result", children).write(&mut xml);
        assert_eq!(
            xml,
            "<result><sf:Name>A's &amp; &lt;B&gt;</sf:Name><id xsi:nil=\"true\"/><empty/>\
             <sf:Address xsi:type=\"address\"><city>Lyon</city><lat>1.5</lat><zip xsi:nil=\"true\"/></sf:Address>\
             <n>1</n></result>"
        );
    }
}
