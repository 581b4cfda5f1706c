//! Records as SOAP writes them: from the rows of an answer, and to what the org's records take.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use super::envelope::Element;
use super::fault::Fault;
use super::node::Node;
use crate::org::Org;
use crate::records::files;
use crate::schema::{FieldType, Object, Schema};

/// Which of the two WSDLs a client has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wsdl {
    /// `/u/`: one type for every object.
    Partner,
    /// `/c/`: a type for each object.
    Enterprise,
}

impl Wsdl {
    /// Gives the WSDL of a path's letter.
    pub(super) fn of(kind: &str) -> Self {
        match kind {
            "c" => Self::Enterprise,
            _ => Self::Partner,
        }
    }

    /// Gives the namespace of operations.
    pub(super) fn namespace(self) -> &'static str {
        match self {
            Self::Partner => "urn:partner.soap.sforce.com",
            Self::Enterprise => "urn:enterprise.soap.sforce.com",
        }
    }

    /// Gives the namespace of records.
    pub(super) fn sobject_namespace(self) -> &'static str {
        match self {
            Self::Partner => "urn:sobject.partner.soap.sforce.com",
            Self::Enterprise => "urn:sobject.enterprise.soap.sforce.com",
        }
    }

    /// Gives the namespace of faults.
    pub(super) fn fault_namespace(self) -> &'static str {
        match self {
            Self::Partner => "urn:fault.partner.soap.sforce.com",
            Self::Enterprise => "urn:fault.enterprise.soap.sforce.com",
        }
    }
}

/// Writes the rows of answers for a client.
#[derive(Clone, Copy)]
pub(super) struct Writer<'a> {
    pub(super) org: &'a Org,
    pub(super) schema: &'a Schema,
    pub(super) wsdl: Wsdl,
}

impl Writer<'_> {
    /// Writes a row of which the id was asked for, or not. The partner WSDL has an id before the fields, and among them
    /// once more where it is one.
    pub(super) fn record(self, tag: &str, row: &Json) -> Node {
        self.row(tag, row, true)
    }

    /// As [`record`](Self::record), of a row that has an id without being asked.
    pub(super) fn retrieved(self, tag: &str, row: &Json) -> Node {
        self.row(tag, row, false)
    }

    fn row(self, tag: &str, row: &Json, has_field_id: bool) -> Node {
        let kind = row["attributes"]["type"].as_str().unwrap_or_default();
        let mut members = Vec::new();
        if self.wsdl == Wsdl::Partner {
            members.push(Node::text("sf:type", kind));
            members.push(Node::maybe("sf:Id", row["Id"].as_str()));
        }
        let object = self.schema.object(kind);
        for (name, value) in row.as_object().into_iter().flatten() {
            let is_before = name == "Id" && self.wsdl == Wsdl::Partner && !has_field_id;
            if name == "attributes" || is_before {
                continue;
            }
            let field_type = object
                .and_then(|object| object.field(name))
                .map(|field| field.field_type);
            members.push(self.member(format!("sf:{name}"), value, field_type));
        }
        Node::of(tag, members).typed(match self.wsdl {
            Wsdl::Partner => "sf:sObject".to_owned(),
            Wsdl::Enterprise => format!("sf:{kind}"),
        })
    }

    fn member(self, tag: String, value: &Json, field_type: Option<FieldType>) -> Node {
        match (value, field_type) {
            (Json::Object(inner), _) if inner.contains_key("attributes") => {
                self.record(&tag, value)
            }
            (Json::Object(inner), _) if inner.contains_key("records") => {
                let rows = value["records"].as_array().map_or(&[][..], Vec::as_slice);
                self.query_result(&tag, rows, rows.len(), None)
            }
            (Json::Object(_), Some(FieldType::Location)) => {
                Node::of_json(tag, value).typed("location")
            }
            (Json::Object(_), _) => Node::of_json(tag, value).typed("address"),
            (Json::String(text), Some(FieldType::Datetime)) => {
                Node::text(tag, text.replace("+0000", "Z"))
            }
            (Json::String(address), Some(FieldType::Base64)) => {
                let bytes = files::data_at(&self.org.store, address);
                Node::maybe(tag, bytes.map(|bytes| STANDARD.encode(bytes)))
            }
            _ => Node::of_json(tag, value),
        }
    }

    /// Writes rows of an answer, of which there may be more.
    pub(super) fn query_result(
        self,
        tag: &str,
        rows: &[Json],
        size: usize,
        next: Option<&str>,
    ) -> Node {
        let mut members = vec![
            Node::text("done", next.is_none()),
            Node::maybe("queryLocator", next),
        ];
        members.extend(rows.iter().map(|row| self.record("records", row)));
        members.push(Node::text("size", size));
        Node::of(tag, members).typed("QueryResult")
    }

    /// Says whether a row has a field of bytes, of its own or of a parent.
    pub(super) fn has_bytes(self, row: &Json) -> bool {
        let kind = row["attributes"]["type"].as_str().unwrap_or_default();
        let object = self.schema.object(kind);
        let is_bytes = |name: &str| {
            let field = object.and_then(|object| object.field(name));
            field.is_some_and(|field| field.field_type == FieldType::Base64)
        };
        let mut members = row.as_object().into_iter().flatten();
        members.any(|(name, value)| {
            is_bytes(name) || value.get("attributes").is_some() && self.has_bytes(value)
        })
    }
}

/// A record that a client sends.
#[derive(Debug)]
pub(super) struct Sent<'s> {
    pub(super) object: &'s Object,
    pub(super) id: Option<String>,
    /// The values but the id.
    pub(super) fields: Map<String, Json>,
}

impl<'s> Sent<'s> {
    /// Reads a record.
    ///
    /// # Errors
    ///
    /// `INVALID_TYPE`: it has no type, or one that is not there.
    pub(super) fn read(element: &Element, schema: &'s Schema) -> Result<Self, Fault> {
        let prefixed = element.attribute("type");
        let name = element
            .text_of("type")
            .or_else(|| prefixed.map(|kind| kind.rsplit(':').next().unwrap_or(kind)))
            .filter(|name| !name.eq_ignore_ascii_case("sObject"))
            .ok_or_else(|| Fault::api("INVALID_TYPE", "Must send a concrete entity type."))?;
        let object = schema.object(name).ok_or_else(|| unknown_type(name))?;
        let mut fields = values(element);
        let id = match fields.remove("Id") {
            Some(Json::String(id)) => Some(id),
            _ => None,
        };
        Ok(Self { object, id, fields })
    }
}

/// Makes the fault of an object that is not there.
pub(super) fn unknown_type(name: &str) -> Fault {
    let message = format!(
        "sObject type '{name}' is not supported. If you are attempting to use a custom object, be \
         sure to append the '__c' after the entity name. Please reference your WSDL or the describe \
         call for the appropriate names."
    );
    Fault::api("INVALID_TYPE", message)
}

/// Reads the fields of a record; a parent by its external id is an object inside.
fn values(element: &Element) -> Map<String, Json> {
    let mut values = Map::new();
    for child in &element.children {
        let value = match child.name.as_str() {
            "type" => continue,
            "fieldsToNull" => {
                values.insert(child.text.trim().to_owned(), Json::Null);
                continue;
            }
            _ if child.is_nil() => Json::Null,
            _ if !child.children.is_empty() => {
                let mut parent = self::values(child);
                if let Some(kind) = child.text_of("type") {
                    parent.insert("attributes".into(), json!({"type": kind}));
                }
                Json::Object(parent)
            }
            _ => Json::from(child.text.as_str()),
        };
        // `id` and `Id` are one field.
        let name = match child.name.as_str() {
            "id" => "Id",
            name => name,
        };
        values.insert(name.to_owned(), value);
    }
    values
}
