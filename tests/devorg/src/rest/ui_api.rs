//! `/ui-api`: what a page of the user interface is made of.
//!
//! Follows the *User Interface API Developer Guide*.

use http::Method;
use http::header::ETAG;
use serde_json::{Map, Value as Json, json};

use super::Call;
use crate::error::ApiError;
use crate::id::Id;
use crate::query::{Calendar, formatted};
use crate::records;
use crate::schema::object_info::{self, tagged};
use crate::schema::{Field, FieldType, Object, Schema};
use crate::seen::Glance;
use crate::value::Value;
use crate::wire::Reply;

/// What is said of a record besides the fields that are asked for.
const OF_RECORD: [&str; 4] = [
    "LastModifiedById",
    "LastModifiedDate",
    "RecordTypeId",
    "SystemModstamp",
];

impl Call<'_> {
    /// Answers a path below `/ui-api`.
    pub(super) fn ui_api(&self, path: &[&str]) -> Result<Reply, ApiError> {
        if self.request.method != Method::GET {
            return Ok(Reply::not_allowed(&self.request.method, "GET,HEAD"));
        }
        let schema = self.session.schema();
        let body = match path {
            ["object-info"] => object_info::directory(schema, &self.base),
            ["object-info", name] => object_info::object_info(schema, self.named(name)?),
            [
                "object-info",
                name,
                "picklist-values",
                record_type,
                field @ ..,
            ] if field.len() < 2 => {
                let object = self.named(name)?;
                self.picklist_values(object, record_type, field.first().copied())?
            }
            ["records", id] => self.ui_record(schema, id)?,
            _ => return Err(ApiError::not_found()),
        };
        let tag = body["eTag"].as_str().unwrap_or_default().to_owned();
        let known = self.request.header("if-none-match");
        let reply = match known.is_some_and(|known| known.contains(&tag)) {
            true => Reply::empty(304),
            false => Reply::json(200, &body),
        };
        Ok(reply.with(ETAG, format!("\"{tag}\"")))
    }

    fn picklist_values(
        &self,
        object: &Object,
        record_type: &str,
        field: Option<&str>,
    ) -> Result<Json, ApiError> {
        let found = object_info::record_type(object, record_type).ok_or_else(|| {
            let message = format!("Record type {record_type} is not of {}", object.name);
            ApiError::bad_request("INVALID_RECORD_TYPE", message)
        })?;
        let url = format!(
            "{}/ui-api/object-info/{}/picklist-values/{record_type}",
            self.base, object.name
        );
        let Some(name) = field else {
            return Ok(object_info::all_picklist_values(object, found, &url));
        };
        let field = object
            .field(name)
            .filter(|field| object_info::is_picklist(field));
        let field = field.ok_or_else(ApiError::not_found)?;
        let url = format!("{url}/{}", field.name);
        Ok(object_info::picklist_values(object, found, field, &url))
    }

    /// `/ui-api/records/{id}?fields=Account.Name,Account.Owner.Name`; that is looking at it.
    fn ui_record(&self, schema: &Schema, id: &str) -> Result<Json, ApiError> {
        let id = Id::parse(id).ok_or_else(ApiError::not_found)?;
        let object = schema
            .object_by_prefix(id.prefix())
            .ok_or_else(ApiError::not_found)?;
        records::by_id(&self.shared.org(), &self.session, object, id.as_str(), true)?;
        let mut paths = self.field_paths(object, "fields")?;
        // What is optional and not there is left out.
        let optional = self.field_paths(object, "optionalFields")?;
        let known = |path: &String| schema.field_at(object, path).is_some();
        paths.extend(optional.into_iter().filter(known));
        if paths.is_empty() {
            let message = "At least one of fields and optionalFields must be given";
            return Err(ApiError::bad_request("MISSING_ARGUMENT", message));
        }
        let mut select: Vec<&str> = vec!["Id"];
        let of_record = OF_RECORD.iter().filter(|name| object.field(name).is_some());
        for path in paths.iter().map(String::as_str).chain(of_record.copied()) {
            if !select.iter().any(|known| known.eq_ignore_ascii_case(path)) {
                select.push(path);
            }
        }
        let soql = format!(
            "SELECT {} FROM {} WHERE Id = '{id}'",
            select.join(", "),
            object.name
        );
        let rows = self.ask(&soql)?;
        let row = rows.first().ok_or_else(ApiError::not_found)?;
        let calendar = Calendar::new(&self.shared.org(), &self.session);
        let mut fields = Map::new();
        for path in &paths {
            let field = schema.field_at(object, path);
            let steps: Vec<&str> = path.split('.').collect();
            show(&mut fields, row, &steps, field, &calendar);
        }
        let mut body = record(&object.name, id.as_str(), fields);
        body["lastModifiedById"] = row["LastModifiedById"].clone();
        body["lastModifiedDate"] = zulu(&row["LastModifiedDate"]);
        body["recordTypeId"] = match &row["RecordTypeId"] {
            Json::Null => json!("012000000000000AAA"),
            id => id.clone(),
        };
        body["systemModstamp"] = zulu(&row["SystemModstamp"]);
        self.note_seen(id, Glance::View);
        Ok(tagged(body))
    }

    /// Reads a list of fields, each after its object's name.
    fn field_paths(&self, object: &Object, name: &str) -> Result<Vec<String>, ApiError> {
        let list = self.request.param(name).unwrap_or_default();
        let names = list
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        names
            .map(|name| {
                let path = name.split_once('.').filter(|(first, path)| {
                    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
                    first.eq_ignore_ascii_case(&object.name) && path.chars().all(word)
                });
                path.map(|(_, path)| path.to_owned()).ok_or_else(|| {
                    let message =
                        format!("Invalid field: {name}. Write it as {}.Field", object.name);
                    ApiError::bad_request("INVALID_FIELD", message)
                })
            })
            .collect()
    }
}

/// Makes a record without its dates.
fn record(object: &str, id: &str, fields: Map<String, Json>) -> Json {
    json!({
        "apiName": object,
        "childRelationships": {},
        "fields": fields,
        "id": id,
    })
}

/// Puts a value among a record's fields; that of a parent into the parent.
fn show(
    fields: &mut Map<String, Json>,
    row: &Json,
    path: &[&str],
    field: Option<&Field>,
    calendar: &Calendar,
) {
    let Json::Object(members) = row else { return };
    let Some((step, rest)) = path.split_first() else {
        return;
    };
    // Members have the exact names, whatever was asked.
    let Some((name, value)) = members
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(step))
    else {
        return;
    };
    if rest.is_empty() {
        let display = field.map_or(Json::Null, |field| display_value(field, value, calendar));
        let moment = field.is_some_and(|field| field.field_type == FieldType::Datetime);
        let value = if moment { zulu(value) } else { value.clone() };
        fields.insert(
            name.clone(),
            json!({"displayValue": display, "value": value}),
        );
        return;
    }
    let entry = fields
        .entry(name.clone())
        .or_insert_with(|| json!({"displayValue": null, "value": null}));
    if value.is_null() {
        return;
    }
    if entry["value"].is_null() {
        let kind = value["attributes"]["type"].as_str().unwrap_or_default();
        let url = value["attributes"]["url"].as_str().unwrap_or_default();
        let id = url.rsplit('/').next().unwrap_or_default();
        entry["value"] = record(kind, id, Map::new());
    }
    if let Some(inner) = entry["value"]["fields"].as_object_mut() {
        show(inner, value, rest, field, calendar);
    }
    if value["Name"].is_string() {
        entry["displayValue"] = value["Name"].clone();
    }
}

/// Gives what a person reads of a value, where that is something else.
fn display_value(field: &Field, value: &Json, calendar: &Calendar) -> Json {
    let value = match (value, field.field_type) {
        (Json::String(text), FieldType::Picklist | FieldType::Multipicklist) => {
            let label = |part: &str| {
                let mut values = field.picklist_values.iter();
                let known = values.find(|known| known.value == part);
                known.map_or_else(|| part.to_owned(), |known| known.label.clone())
            };
            return text
                .split(';')
                .map(label)
                .collect::<Vec<_>>()
                .join(";")
                .into();
        }
        (Json::String(text), FieldType::Date) => text.parse().map(Value::Date).ok(),
        (Json::String(_), FieldType::Datetime) => {
            let text = zulu(value);
            text.as_str()
                .and_then(|text| text.parse().map(Value::DateTime).ok())
        }
        (Json::Number(number), FieldType::Int) => number.as_i64().map(Value::Int),
        (Json::Number(number), _) => number.as_f64().map(Value::Number),
        _ => None,
    };
    let value = value.unwrap_or_default();
    formatted(&value, field.field_type, field.scale, calendar).to_json()
}

/// Writes a moment as this API does: `2026-11-23T12:00:00.000Z`.
fn zulu(value: &Json) -> Json {
    match value.as_str() {
        Some(text) => text.replace("+0000", "Z").into(),
        None => Json::Null,
    }
}
