//! The values of a JSON text (RFC 8259), each by its JSON Pointer (RFC 6901).

use super::Disagreement;
use super::value::{Places, Scalar};
use crate::json::{Json, JsonError};

/// Reads a text.
pub(super) fn read(text: &[u8], places: &mut Places) -> Result<(), Disagreement> {
    read_at(text, "", places)
}

/// Reads a text that stands at a place.
pub(super) fn read_at(text: &[u8], place: &str, places: &mut Places) -> Result<(), Disagreement> {
    let json = Json::read(text).map_err(|error| match error {
        JsonError::NotJson(_) => Disagreement::Body("says it is JSON, and is none"),
        JsonError::Twice => Disagreement::Body("has a member twice"),
    })?;
    add(json, place, places)
}

fn add(json: Json, place: &str, places: &mut Places) -> Result<(), Disagreement> {
    let scalar = match json {
        Json::Object(members) if members.is_empty() => Scalar::EmptyObject,
        Json::Object(members) => {
            return members.into_iter().try_for_each(|(name, member)| {
                let name = name.replace('~', "~0").replace('/', "~1");
                add(member, &format!("{place}/{name}"), places)
            });
        }
        Json::List(items) if items.is_empty() => Scalar::EmptyArray,
        Json::List(items) => {
            return items
                .into_iter()
                .enumerate()
                .try_for_each(|(index, item)| add(item, &format!("{place}/{index}"), places));
        }
        Json::Null => Scalar::Null,
        Json::Bool(bool) => Scalar::Bool(bool),
        Json::Number(text) => Scalar::Number(text),
        Json::Text(text) => Scalar::Text(text),
    };
    places.add(place.to_owned(), scalar)
}
