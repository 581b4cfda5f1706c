//! From the JSON of a request to values that the schema allows.
//!
//! Numbers and checkboxes may come as texts, as Salesforce's own parser takes them; whatever else
//! does not fit its field is refused with Salesforce's code.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde_json::{Map, Value as Json};

use super::fill::Values;
use super::{having, reference};
use crate::error::ApiError;
use crate::id::Id;
use crate::org::{Org, Session};
use crate::schema::{Field, FieldType, Object};
use crate::value::Value;

/// What values are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A new record.
    Create,
    /// A record that is there.
    Change(Id),
}

/// Makes the error of a name that is no field.
pub(crate) fn no_field(object: &Object, name: &str) -> ApiError {
    let message = format!("No such column '{name}' on sobject of type {}", object.name);
    ApiError::bad_request("INVALID_FIELD", message)
}

/// Makes the error of fields that have no value and need one.
pub(super) fn required(names: Vec<String>) -> ApiError {
    let message = format!("Required fields are missing: [{}]", names.join(", "));
    ApiError::of_fields("REQUIRED_FIELD_MISSING", message, names)
}

/// Makes the error of a field.
pub(super) fn of_field(code: &str, message: String, field: &Field) -> ApiError {
    ApiError::of_fields(code, message, [(*field.name).to_owned()])
}

/// Reads a body, which must be a JSON object.
///
/// # Errors
///
/// `JSON_PARSER_ERROR`.
pub(crate) fn object_of(body: &[u8]) -> Result<Map<String, Json>, ApiError> {
    serde_json::from_slice(body).map_err(|error| {
        let message = format!(
            "the body is no JSON object at [line:{}, column:{}]",
            error.line(),
            error.column()
        );
        ApiError::bad_request("JSON_PARSER_ERROR", message)
    })
}

/// Reads and checks the values of a record.
///
/// # Errors
///
/// The first value that the schema refuses.
pub(super) fn values(
    org: &Org,
    session: &Session,
    object: &Object,
    body: &Map<String, Json>,
    purpose: Purpose,
) -> Result<Values, ApiError> {
    let mut fields = Vec::new();
    for (name, json) in body.iter().filter(|(name, _)| *name != "attributes") {
        fields.push(match (object.field(name), object.relationship(name)) {
            (Some(field), _) => (field, Cow::Borrowed(json)),
            (None, Some(field)) if json.is_object() => (
                field,
                Cow::Owned(reference::by_external_id(org, session, field, json)?),
            ),
            _ => return Err(no_field(object, name)),
        });
    }
    check_writable(&fields, purpose)?;
    let mut values = Values::new();
    let mut refused = Vec::new();
    for (field, json) in fields {
        let value = value(field, &json)?;
        if value.is_null() && !field.nillable {
            // A new record's empty value is one that it does not give.
            if purpose != Purpose::Create {
                refused.push(required(vec![(*field.name).to_owned()]));
            }
            continue;
        }
        refused.extend(check(org, session, object, field, &value).err());
        values.insert(field.name.clone(), value);
    }
    match ApiError::all(refused) {
        None => Ok(values),
        Some(errors) => Err(errors),
    }
}

/// Checks what makes a whole request malformed: names that are no fields, and values that are none of
/// a field's type.
///
/// # Errors
///
/// `INVALID_FIELD` or `JSON_PARSER_ERROR`.
pub(crate) fn check_shape(object: &Object, body: &Map<String, Json>) -> Result<(), ApiError> {
    read(object, body).map(|_| ())
}

/// Reads values of the types of an object's fields, without a check of anything else.
///
/// # Errors
///
/// `INVALID_FIELD` or `JSON_PARSER_ERROR`.
pub(super) fn read(object: &Object, body: &Map<String, Json>) -> Result<Values, ApiError> {
    let mut values = Values::new();
    for (name, json) in body.iter().filter(|(name, _)| *name != "attributes") {
        match object.field(name) {
            Some(field) => {
                values.insert(field.name.clone(), value(field, json)?);
            }
            None if json.is_object() && object.relationship(name).is_some() => {}
            None => return Err(no_field(object, name)),
        }
    }
    Ok(values)
}

fn check_writable(fields: &[(&Field, Cow<'_, Json>)], purpose: Purpose) -> Result<(), ApiError> {
    if purpose != Purpose::Create
        && fields
            .iter()
            .any(|(field, _)| field.field_type == FieldType::Id)
    {
        let message = "The Id field should not be specified in the sobject data.";
        return Err(ApiError::bad_request("INVALID_FIELD", message));
    }
    let refused: Vec<String> = fields
        .iter()
        .filter(|(field, _)| match purpose {
            Purpose::Create => !field.createable,
            Purpose::Change(_) => !field.updateable,
        })
        .map(|(field, _)| (*field.name).to_owned())
        .collect();
    if refused.is_empty() {
        return Ok(());
    }
    let message = format!(
        "Unable to create/update fields: {}. Please check the security settings of this field and verify that it is \
         read/write for your profile or permission set.",
        refused.join(", ")
    );
    Err(ApiError::of_fields(
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        message,
        refused,
    ))
}

/// Says whether a value can be read as one of a field's type.
pub(crate) fn is_readable(field: &Field, json: &Json) -> bool {
    value(field, json).is_ok()
}

/// Reads a value of a field of a record that another org had, and checks it, unless it is a reference.
/// A picklist's value may have gone out of use since.
///
/// # Errors
///
/// A value that is none of the field's type, or that the field cannot have.
pub(super) fn restored(field: &Field, json: &Json) -> Result<Value, ApiError> {
    let value = value(field, json)?;
    match &value {
        Value::Text(text) if field.field_type != FieldType::Reference => {
            let mut known = field.picklist_values.iter();
            if !known.any(|known| known.value == *text) {
                check_text(field, text)?;
            }
        }
        Value::Int(_) | Value::Number(_) => check_number(field, &value)?,
        _ => {}
    }
    Ok(value)
}

/// Reads a value of a field's type.
fn value(field: &Field, json: &Json) -> Result<Value, ApiError> {
    let kind = field.field_type;
    let text = match json {
        Json::Null if kind == FieldType::Boolean => return Ok(Value::Bool(false)),
        Json::Null => return Ok(Value::Null),
        Json::Bool(_) | Json::Number(_) if kind.is_text() => json.to_string(),
        Json::Bool(value) if kind == FieldType::Boolean => return Ok(Value::Bool(*value)),
        Json::Number(number) if kind.is_number() => number.to_string(),
        Json::String(text) if text.is_empty() => return Ok(Value::Null),
        Json::String(text) => text.clone(),
        _ => return Err(unreadable(kind, json)),
    };
    let plain = text.trim();
    let read = match kind {
        FieldType::Boolean => plain.parse().ok().map(Value::Bool),
        FieldType::Int => whole(plain).map(Value::Int),
        FieldType::Double | FieldType::Currency | FieldType::Percent => plain
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
            .map(|number| Value::Number(rounded(number, field.scale))),
        FieldType::Date => plain
            .get(..10)
            .filter(|_| plain.len() == 10 || plain.as_bytes().get(10) == Some(&b'T'))
            .and_then(|day| day.parse::<Date>().ok())
            .map(Value::Date),
        FieldType::Datetime => moment(plain).map(Value::DateTime),
        FieldType::Time => time_of_day(plain).map(Value::Time),
        // Whether it is an id is the field's own error.
        FieldType::Id | FieldType::Reference => {
            Some(Id::parse(plain).map_or_else(|| Value::text(plain), Value::from))
        }
        FieldType::Textarea => Some(Value::text(text.as_str())),
        FieldType::Address | FieldType::Location => None,
        FieldType::Base64 => STANDARD
            .decode(plain)
            .ok()
            .map(|bytes| Value::Blob(bytes.into())),
        _ => Some(Value::text(plain)),
    };
    read.ok_or_else(|| unreadable(kind, json))
}

/// Reads a whole number, with or without a point.
fn whole(text: &str) -> Option<i64> {
    let (digits, fraction) = text.split_once('.').unwrap_or((text, ""));
    fraction
        .bytes()
        .all(|digit| digit == b'0')
        .then(|| digits.parse().ok())?
}

fn rounded(number: f64, scale: u32) -> f64 {
    let factor = 10_f64.powi(i32::try_from(scale).unwrap_or(0));
    let scaled = (number * factor).round() / factor;
    if scaled.is_finite() { scaled } else { number }
}

/// Reads a moment with its distance from UTC, to the second.
fn moment(text: &str) -> Option<Timestamp> {
    let moment: Timestamp = text.parse().ok()?;
    Timestamp::from_second(moment.as_second()).ok()
}

/// Reads a time of day, which has no distance from UTC: the `Z` at its end says nothing.
fn time_of_day(text: &str) -> Option<Time> {
    let clock = text.strip_suffix('Z').unwrap_or(text);
    let shaped = clock.len() >= "00:00:00".len() && clock.as_bytes().get(2) == Some(&b':');
    let time: Time = clock.parse().ok().filter(|_| shaped)?;
    let millisecond = i32::from(time.millisecond()) * 1_000_000;
    time.with().subsec_nanosecond(millisecond).build().ok()
}

fn unreadable(kind: FieldType, json: &Json) -> ApiError {
    let token = match json {
        Json::Null => "VALUE_NULL",
        Json::Bool(true) => "VALUE_TRUE",
        Json::Bool(false) => "VALUE_FALSE",
        Json::Number(_) => "VALUE_NUMBER",
        Json::String(_) => "VALUE_STRING",
        Json::Array(_) => "START_ARRAY",
        Json::Object(_) => "START_OBJECT",
    };
    let shown = match json {
        Json::String(text) => text.chars().take(80).collect(),
        Json::Array(_) | Json::Object(_) => String::new(),
        other => other.to_string(),
    };
    let message = format!(
        "Cannot deserialize instance of {} from {token} value {shown} or request may be missing a required field",
        kind.word()
    );
    ApiError::bad_request("JSON_PARSER_ERROR", message)
}

/// Checks a value against its field.
fn check(
    org: &Org,
    session: &Session,
    object: &Object,
    field: &Field,
    value: &Value,
) -> Result<(), ApiError> {
    match value {
        Value::Text(text) => match field.field_type {
            FieldType::Reference => reference::check(org, session, object, field, text),
            _ => check_text(field, text),
        },
        Value::Int(_) | Value::Number(_) => {
            check_number(field, value)?;
            check_degrees(object, field, value)
        }
        _ => Ok(()),
    }
}

/// Refuses what is no latitude or no longitude.
fn check_degrees(object: &Object, field: &Field, value: &Value) -> Result<(), ApiError> {
    let compound = field.compound_field_name.as_deref();
    let is_place = compound
        .and_then(|name| object.field(name))
        .is_some_and(|compound| compound.field_type.is_compound());
    let (name, bound) = match is_place {
        true if field.name.contains("Latitude") => ("Latitude", 90.0),
        true if field.name.contains("Longitude") => ("Longitude", 180.0),
        _ => return Ok(()),
    };
    if value.as_number().unwrap_or_default().abs() <= bound {
        return Ok(());
    }
    let message = format!("{name} should be between -{bound} and {bound} degrees.");
    Err(of_field("NUMBER_OUTSIDE_VALID_RANGE", message, field))
}

fn check_text(field: &Field, text: &str) -> Result<(), ApiError> {
    let label = &field.label;
    if field.restricted_picklist {
        let known = |value: &str| {
            field
                .picklist_values
                .iter()
                .any(|known| known.value == value && known.active)
        };
        let unknown = match field.field_type {
            FieldType::Multipicklist => text.split(';').find(|value| !known(value)),
            _ => Some(text).filter(|text| !known(text)),
        };
        if let Some(value) = unknown {
            let message = format!("{label}: bad value for restricted picklist field: {value}");
            return Err(of_field(
                "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                message,
                field,
            ));
        }
    }
    if text.chars().count() > field.length as usize {
        let shown: String = text.chars().take(255).collect();
        let message = format!(
            "{label}: data value too large: {shown} (max length={})",
            field.length
        );
        return Err(of_field("STRING_TOO_LONG", message, field));
    }
    if field.field_type == FieldType::Email && !is_email(text) {
        let message = format!("{label}: invalid email address: {text}");
        return Err(of_field("INVALID_EMAIL_ADDRESS", message, field));
    }
    Ok(())
}

/// Says whether a text could be an address: one `@`, something before it and a dot after it, and no dot without anything beside it.
fn is_email(text: &str) -> bool {
    let is_dotted = |part: &str| part.split('.').all(|label| !label.is_empty());
    text.split_once('@').is_some_and(|(name, host)| {
        is_dotted(name)
            && is_dotted(host)
            && host.contains('.')
            && !text.contains(|c: char| {
                c.is_whitespace() || c.is_control() || matches!(c, ',' | ';' | '<' | '>')
            })
            && !host.contains('@')
    })
}

fn check_number(field: &Field, value: &Value) -> Result<(), ApiError> {
    let digits = match field.field_type {
        FieldType::Int => field.digits,
        _ => field.precision.saturating_sub(field.scale),
    };
    let bound = 10_f64.powi(i32::try_from(digits).unwrap_or(i32::MAX));
    let number = value.as_number().unwrap_or_default();
    if number.abs() < bound {
        return Ok(());
    }
    let message = format!(
        "{}: value outside of valid range on numeric field: {number}",
        field.label
    );
    Err(of_field("NUMBER_OUTSIDE_VALID_RANGE", message, field))
}

/// Refuses a value that another record has in a field whose values are unique.
///
/// # Errors
///
/// `DUPLICATE_VALUE`.
pub(super) fn check_unique(
    org: &Org,
    session: &Session,
    object: &Object,
    field: &Field,
    value: &Value,
    own: Id,
) -> Result<(), ApiError> {
    let other = having(org, object, field, value).find(|record| record.id != own);
    let Some(other) = other else {
        return Ok(());
    };
    // Of a record that the user does not see, nothing is said but that it is there.
    let (name, id) = match session.may_read(org, other) {
        true => (&*field.name, other.id.short()),
        false => ("<unknown>", "<unknown>"),
    };
    let message = format!("duplicate value found: {name} duplicates value on record with id: {id}");
    Err(ApiError::bad_request("DUPLICATE_VALUE", message))
}
