//! Values without parts, and where they stand.

use std::collections::BTreeMap;

use super::Disagreement;

/// A value without parts.
///
/// Its `Debug` is left out: it may be a record's.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    /// As it is written: two ways to write a number may be two numbers to a service.
    Number(String),
    Text(String),
    EmptyObject,
    EmptyArray,
    /// The text of a form or of XML, where everything is text.
    Untyped(String),
}

impl Scalar {
    /// Says whether this, as it is sent, is what was announced.
    pub(super) fn is(&self, announced: &Self) -> bool {
        match (self, announced) {
            (Self::Untyped(sent), Self::Text(text) | Self::Number(text)) => sent == text,
            (Self::Untyped(sent), Self::Bool(bool)) => sent == if *bool { "true" } else { "false" },
            (Self::Untyped(sent), Self::Null) => sent.is_empty(),
            (sent, announced) => sent == announced,
        }
    }
}

/// Values by their places, each there once.
#[derive(Default)]
pub(super) struct Places(BTreeMap<String, Scalar>);

impl Places {
    pub(super) fn add(&mut self, place: String, value: Scalar) -> Result<(), Disagreement> {
        match self.0.insert(place, value) {
            None => Ok(()),
            Some(_) => Err(Disagreement::Body("has the same place twice")),
        }
    }

    pub(super) fn get(&self, place: &str) -> Option<&Scalar> {
        self.0.get(place)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Scalar)> {
        self.0.iter().map(|(place, value)| (place.as_str(), value))
    }
}

/// Gives the last name of a place: of `/records/3/Name`, `?Name`, `{Name}`, `Name`, `Envelope/Body/Name[2]` and `Record/@Name` it is
/// `Name`. An index is no name.
pub(super) fn last_name(place: &str) -> Option<String> {
    if let Some(name) = place.strip_prefix('?') {
        return Some(name.to_owned());
    }
    if let Some(name) = place.strip_prefix('{') {
        return Some(name.strip_suffix('}')?.to_owned());
    }
    if place.starts_with('/') {
        let is_name =
            |step: &&str| !step.is_empty() && !step.bytes().all(|byte| byte.is_ascii_digit());
        let name = place.rsplit('/').find(is_name)?;
        return Some(name.replace("~1", "/").replace("~0", "~"));
    }
    let name = place.rsplit('/').next().unwrap_or(place);
    let name = name.split_once('[').map_or(name, |(name, _)| name);
    Some(name.strip_prefix('@').unwrap_or(name).to_owned())
}
