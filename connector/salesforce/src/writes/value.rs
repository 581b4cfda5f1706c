//! One value for one field: what is given becomes what is sent, or a sentence that says what would have been right.
//!
//! What is sent is what Salesforce stores, as far as the describe tells: a text without the spaces around it, an id of 18
//! characters, a moment in UTC. So that what a person saw before is what a reader sees after.

use super::decimal::Decimal;
use super::moment::{self, Moment};
use crate::describe::Field;
use crate::fence;
use crate::json::Json;
use crate::meant;
use crate::names;
use crate::nearest::{Candidate, listed, nearest};
use crate::order;

/// Picklist values that a refusal lists.
const VALUES_SHOWN: usize = 30;

/// Turns what is given for a field into what is sent.
///
/// # Errors
/// A sentence with the field's label and type, and what it takes.
pub(super) fn read(field: Field<'_>, given: &Json) -> Result<Json, String> {
    let is_empty = match given {
        Json::Null => true,
        Json::String(text) => text.trim().is_empty(),
        Json::Array(items) => items.is_empty() && field.kind() == "multipicklist",
        _ => false,
    };
    if is_empty {
        return match field.is("nillable") {
            true => Ok(Json::Null),
            false => Err(about(field, "cannot be empty")),
        };
    }
    match (field.kind(), given) {
        ("boolean", Json::Bool(_)) => Ok(given.clone()),
        (
            "int" | "long" | "double" | "currency" | "percent",
            Json::Number(text) | Json::String(text),
        ) => number(field, text),
        ("date", Json::String(text)) if moment::day(text.trim()).is_some() => {
            Ok(text.trim().into())
        }
        ("datetime", Json::String(text)) => match Moment::parse(text.trim()) {
            Some(moment) => Ok(moment.sent().into()),
            None => Err(wrong(field, given)),
        },
        ("time", Json::String(text)) => match moment::time_of_day(text.trim()) {
            Some(time) => Ok(time.into()),
            None => Err(wrong(field, given)),
        },
        ("reference", Json::String(text)) => reference(field, text.trim()),
        ("picklist", Json::String(text)) => picklist(field, text.trim()).map(Json::from),
        ("multipicklist", Json::String(text)) => several(field, &mut text.split(';')),
        ("multipicklist", Json::Array(items)) => {
            let texts: Option<Vec<&str>> = items.iter().map(Json::as_str).collect();
            match texts {
                Some(texts) => several(field, &mut texts.into_iter()),
                None => Err(wrong(field, given)),
            }
        }
        (
            "boolean" | "date" | "reference" | "picklist" | "multipicklist" | "int" | "long"
            | "double" | "currency" | "percent" | "datetime" | "time",
            _,
        ) => Err(wrong(field, given)),
        ("email", Json::String(text)) if !is_email(text.trim()) => Err(wrong(field, given)),
        (_, Json::String(text)) => self::text(field, text),
        _ => Err(wrong(field, given)),
    }
}

/// Says whether two values of a field are one to the service, however they are spelled.
pub(super) fn same(field: Field<'_>, one: &Json, other: &Json) -> bool {
    let is_empty = |value: &Json| value.is_null() || value.as_str() == Some("");
    if is_empty(one) || is_empty(other) {
        return is_empty(one) && is_empty(other);
    }
    let by = |key: fn(&str) -> Option<String>| match (spelled(one), spelled(other)) {
        (Some(one), Some(other)) => {
            one == other || key(one).is_some_and(|one| Some(one) == key(other))
        }
        _ => one == other,
    };
    match field.kind() {
        "int" | "long" | "double" | "currency" | "percent" => {
            by(|text| Some(Decimal::parse(text)?.to_string()))
        }
        "datetime" => by(|text| Some(Moment::parse(text)?.sent())),
        "date" => by(|text| text.get(..10).map(str::to_owned)),
        "time" => by(moment::time_of_day),
        "reference" => by(|text| Some(names::long_id(text))),
        "multipicklist" => by(|text| {
            let mut values: Vec<&str> = text.split(';').collect();
            order::sort(&mut values);
            Some(values.join(";"))
        }),
        // Line breaks are stored as the browser's, and spaces at the end are dropped.
        _ => by(|text| Some(text.replace("\r\n", "\n").trim_end().to_owned())),
    }
}

/// Writes a value of the service as [`read`] would: numbers without empty digits.
pub(super) fn plain(field: Field<'_>, stored: &Json) -> Json {
    match (field.kind(), stored) {
        ("int" | "long" | "double" | "currency" | "percent", Json::Number(text)) => {
            match Decimal::parse(text) {
                Some(number) => Json::Number(number.to_string().into()),
                None => stored.clone(),
            }
        }
        ("datetime", Json::String(text)) => match Moment::parse(text) {
            Some(moment) => moment.sent().into(),
            None => stored.clone(),
        },
        ("time", Json::String(text)) => match moment::time_of_day(text) {
            Some(time) => time.into(),
            None => stored.clone(),
        },
        _ => stored.clone(),
    }
}

/// Begins a sentence about a field with what people call it and its type.
pub(super) fn about(field: Field<'_>, says: &str) -> String {
    let label = fence::inline(field.label(), 80);
    let (name, kind) = (field.name(), field.type_with_bounds(&[]));
    match label == name {
        true => format!("`{name}` ({kind}) {says}"),
        false => format!("`{name}` ({label}, {kind}) {says}"),
    }
}

/// Says whether a text can be one e-mail address: a name, and behind its one `@` a host with dots. Of what this takes the service may yet
/// refuse some.
pub(super) fn is_email(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b",;<>()\"\\".contains(&byte);
    let Some((name, host)) = text.split_once('@') else {
        return false;
    };
    text.bytes().all(is_plain)
        && !name.is_empty()
        && host.contains('.')
        && !host.contains('@')
        && !host.starts_with('.')
        && !host.ends_with('.')
        && !host.contains("..")
}

fn spelled(value: &Json) -> Option<&str> {
    match value {
        Json::Number(text) | Json::String(text) => Some(text),
        _ => None,
    }
}

fn wrong(field: Field<'_>, given: &Json) -> String {
    let what = match given {
        Json::Null => "nothing".to_owned(),
        Json::Bool(value) => format!("`{value}`"),
        Json::Number(number) => format!("the number {}", fence::inline(number, 40)),
        Json::String(text) => format!("“{}”", fence::inline(text, 40)),
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "an object".to_owned(),
    };
    let takes = takes(field);
    about(
        field,
        &format!("takes {takes}, not {what}{}", meant(field, given)),
    )
}

/// Proposes what was meant, spelled as JSON; each that it can be.
fn meant(field: Field<'_>, given: &Json) -> String {
    let text = match given {
        Json::String(text) | Json::Number(text) => text.to_string(),
        Json::Bool(value) => value.to_string(),
        _ => return String::new(),
    };
    let quoted = |text: String| Json::from(text).text();
    let meant: Vec<String> = match field.kind() {
        "boolean" => meant::boolean(&text)
            .map(|value| value.to_string())
            .into_iter()
            .collect(),
        "int" | "long" | "double" | "currency" | "percent" => {
            let number = meant::number(&text).and_then(|text| number(field, &text).ok());
            number.iter().map(Json::text).collect()
        }
        "date" => meant::days(&text).into_iter().map(quoted).collect(),
        "datetime" => meant::moments(&text).into_iter().map(quoted).collect(),
        "time" => meant::time(&text).map(quoted).into_iter().collect(),
        "reference" | "picklist" | "multipicklist" | "email" => return String::new(),
        _ => vec![quoted(text)],
    };
    if meant.is_empty() {
        return String::new();
    }
    let meant: Vec<_> = meant.iter().map(|value| format!("`{value}`")).collect();
    let meant = meant.join(" or ");
    match field.kind() {
        // Only the caller knows in which time zone it was.
        "datetime" => format!("; write {meant} if it is in UTC"),
        _ => format!("; write {meant}"),
    }
}

fn takes(field: Field<'_>) -> String {
    match field.kind() {
        "boolean" => "true or false".to_owned(),
        "int" | "long" => "a whole number".to_owned(),
        "double" | "currency" => "a number without separators".to_owned(),
        "percent" => "a number: 50 is 50 %".to_owned(),
        "date" => "a day such as 2026-11-23".to_owned(),
        "datetime" => {
            "a moment with its offset from UTC, such as 2026-11-23T09:00:00+01:00".to_owned()
        }
        "time" => "a time of day such as 09:30".to_owned(),
        // Which objects these are is for who knows what the agent may see.
        "reference" => "the id of a record".to_owned(),
        "multipicklist" => "a list of texts".to_owned(),
        "email" => "one e-mail address such as ann@mail.example".to_owned(),
        _ => "a text".to_owned(),
    }
}

fn number(field: Field<'_>, text: &str) -> Result<Json, String> {
    let number = Decimal::parse(text.trim()).ok_or_else(|| wrong(field, &text.into()))?;
    let (whole, fraction) = match field.kind() {
        "int" | "long" => (field.count("digits"), 0),
        _ => {
            let scale = field.count("scale");
            (field.count("precision").saturating_sub(scale), scale)
        }
    };
    if let Some(most) = field.degrees_max()
        && number.exceeds(most)
    {
        return Err(about(field, &format!("takes -{most} to {most} degrees")));
    }
    // A describe without bounds has zeros.
    let is_bounded = whole > 0 || fraction > 0;
    if is_bounded && number.whole_digits() > whole {
        return Err(about(
            field,
            &format!("takes at most {whole} digits before the point"),
        ));
    }
    let is_whole = matches!(field.kind(), "int" | "long");
    if (is_bounded || is_whole) && number.fraction_digits() > fraction {
        let says = match fraction {
            0 => "takes a whole number: round it".to_owned(),
            places => format!("takes at most {places} digits behind the point: round it"),
        };
        return Err(about(field, &says));
    }
    Ok(Json::Number(number.to_string().into()))
}

fn text(field: Field<'_>, text: &str) -> Result<Json, String> {
    let kept = match field.kind() {
        "textarea" => text.trim_end(),
        _ => text.trim(),
    };
    let (length, chars) = (field.count("length"), kept.chars().count());
    if length > 0 && chars as u64 > length {
        let says = format!("takes at most {length} characters, and {chars} are given: shorten it");
        return Err(about(field, &says));
    }
    Ok(kept.into())
}

fn reference(field: Field<'_>, text: &str) -> Result<Json, String> {
    if names::record_id(text).is_err() {
        return Err(wrong(field, &text.into()));
    }
    let id = names::long_id(text);
    if let Some(object) = names::object_of(&id)
        && !field.targets().any(|target| target == object)
    {
        return Err(about(
            field,
            &format!("takes {}, and {id} is one of another object", takes(field)),
        ));
    }
    Ok(id.into())
}

fn picklist<'f>(field: Field<'f>, wanted: &str) -> Result<&'f str, String> {
    let mut values = field.values();
    match values.find(|(value, _)| *value == wanted) {
        Some((value, _)) => Ok(value),
        None => Err(no_such_value(field, wanted)),
    }
}

fn several(field: Field<'_>, wanted: &mut dyn Iterator<Item = &str>) -> Result<Json, String> {
    let mut chosen: Vec<&str> = Vec::new();
    for value in wanted {
        let value = picklist(field, value.trim())?;
        if !chosen.contains(&value) {
            chosen.push(value);
        }
    }
    Ok(chosen.join(";").into())
}

/// Names the value that was meant, by its label, its case or a slip, and the valid ones.
fn no_such_value(field: Field<'_>, wanted: &str) -> String {
    let candidates = field
        .values()
        .map(|(name, label)| Candidate { name, label });
    let near = nearest(wanted, candidates);
    let mut says = format!("has no value “{}”", fence::inline(wanted, 80));
    if !near.is_empty() {
        says.push_str(&format!("; near: {}", listed(&near)));
    }
    let all: Vec<_> = field
        .values()
        .map(|(value, _)| fence::inline(value, 80))
        .collect();
    let shown: Vec<_> = all
        .iter()
        .take(VALUES_SHOWN)
        .map(|value| format!("`{value}`"))
        .collect();
    says.push_str(&match shown.is_empty() {
        true => "; it has no active values".to_owned(),
        false => format!("; valid: {}", shown.join(", ")),
    });
    if all.len() > shown.len() {
        let more = all.len() - shown.len();
        says.push_str(&format!(
            " and {more} more: describe_object {{\"parts\": [\"picklists\"], \"text\": \"{}\"}}",
            field.name()
        ));
    }
    about(field, &says)
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;
