//! Records as SOAP writes them: from the rows of an answer, and to what the org's records take.

use serde_json::{Map, Value as Json, json};

use super::envelope::Element;
use super::fault::Fault;
use super::node::Node;
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

/// Writes a row of an answer.
pub(super) fn record(tag: &str, row: &Json, schema: &Schema, wsdl: Wsdl) -> Node {
    let kind = row["attributes"]["type"].as_str().unwrap_or_default();
    let mut members = Vec::new();
    if wsdl == Wsdl::Partner {
        members.push(Node::text("sf:type", kind));
        members.push(Node::maybe("sf:Id", row["Id"].as_str()));
    }
    let object = schema.object(kind);
    for (name, value) in row.as_object().into_iter().flatten() {
        if name == "attributes" || name == "Id" && wsdl == Wsdl::Partner {
            continue;
        }
        let tag = format!("sf:{name}");
        let field_type = object
            .and_then(|object| object.field(name))
            .map(|field| field.field_type);
        let moment = field_type == Some(FieldType::Datetime);
        members.push(match value {
            Json::Object(inner) if inner.contains_key("attributes") => {
                record(&tag, value, schema, wsdl)
            }
            Json::Object(inner) if inner.contains_key("records") => {
                let rows = value["records"].as_array().map_or(&[][..], Vec::as_slice);
                query_result(&tag, rows, rows.len(), None, schema, wsdl)
            }
            Json::Object(_) if field_type == Some(FieldType::Location) => {
                Node::of_json(tag, value).typed("location")
            }
            Json::Object(_) => Node::of_json(tag, value).typed("address"),
            Json::String(text) if moment => Node::text(tag, text.replace("+0000", "Z")),
            _ => Node::of_json(tag, value),
        });
    }
    Node::of(tag, members).typed(match wsdl {
        Wsdl::Partner => "sf:sObject".to_owned(),
        Wsdl::Enterprise => format!("sf:{kind}"),
    })
}

/// Writes rows of an answer, of which there may be more.
pub(super) fn query_result(
    tag: &str,
    rows: &[Json],
    size: usize,
    next: Option<&str>,
    schema: &Schema,
    wsdl: Wsdl,
) -> Node {
    let mut members = vec![
        Node::text("done", next.is_none()),
        Node::maybe("queryLocator", next),
    ];
    members.extend(rows.iter().map(|row| record("records", row, schema, wsdl)));
    members.push(Node::text("size", size));
    Node::of(tag, members).typed("QueryResult")
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
