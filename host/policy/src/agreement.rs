//! Whether what a connector announced is what it sends.
//!
//! The attack: a connector that announces one change and sends another: another record than the one in the path, another value
//! than the one in the body, a value more than it named, a value under another field's name, a key that is there twice so
//! that host and service read different ones. A person decides by the announcement, so each of these is refused.
//!
//! Where a request changes several records, two that change places are two lies: so the first change that is announced is the
//! first record of the request, and no change has a value of another's record.
//!
//! What is compared: every announced value with the place that its pointer names, every value of the query and the body with the
//! announcement, and the kinds and ids with those of the path. A field that is not sent as such has no pointer; nothing vouches
//! for it, and the person is told so.

mod form;
mod json;
mod records;
mod value;
pub(crate) mod xml;

use std::collections::BTreeMap;

use crate::{BodyPlace, Change, FieldChange, IdPlace, RequestPath, XmlPlace};
use value::{Places, Scalar};

/// The request, as far as it can be compared.
#[derive(Clone, Copy, Debug)]
pub struct SentChange<'a> {
    /// The kind of record that the path names, where its route has a `{kind}`.
    pub kind: Option<&'a str>,
    /// The record that the path names, where its route has an `{id}`.
    pub id: Option<&'a str>,
    /// Where the route has kinds in the body: these values are held to the kinds that are announced, and need no announcement of their
    /// own.
    pub kinds_at: &'a [BodyPlace],
    /// Where the route has the fields in the body: that there are none is no value.
    pub fields_at: Option<&'a BodyPlace>,
    /// Where the route has the ids of the records: these values are held to the ids that are announced.
    pub ids_at: &'a [IdPlace],
    /// The field by which the path finds the record, and its value, where its route has `{field}` and `{value}`. It stands at the place
    /// `{Field}`.
    pub key: Option<(&'a str, &'a str)>,
    /// Where the token stands in the body.
    pub token_at: Option<&'a XmlPlace>,
    /// The path and query.
    pub path: &'a RequestPath,
    /// The header `Content-Type`.
    pub content_type: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

/// What came of the comparison, where nothing disagrees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    changes: Vec<ChangeAgreement>,
}

/// The same for one change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeAgreement {
    /// Whether its kind is the one in the request.
    pub kind: bool,
    /// Whether each of its fields, in their order, stands in the request as announced.
    pub fields: Vec<bool>,
}

impl Agreement {
    /// Gives what was found for each change, in their order.
    pub fn changes(&self) -> &[ChangeAgreement] {
        &self.changes
    }

    /// Says whether everything that is announced to be sent was found in the request.
    pub fn is_whole(&self, changes: &[Change]) -> bool {
        let mut pairs = self.changes.iter().zip(changes);
        pairs.all(|(found, change)| {
            let mut fields = found.fields.iter().zip(&change.fields);
            found.kind && fields.all(|(found, field)| *found || field.after.is_none())
        })
    }
}

/// Where announcement and request differ. It names places and kinds, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    /// The request is for another kind of record, or other numbers of them.
    #[error("it announced a change of `{announced}`, and the request is for `{sent}`")]
    Kind {
        /// As announced.
        announced: String,
        /// As sent.
        sent: String,
    },
    /// The path is for another record.
    #[error("it announced the record `{announced}`, and the path is for `{sent}`")]
    Id {
        /// As announced.
        announced: String,
        /// As sent.
        sent: String,
    },
    /// The path is for one record, and several are announced.
    #[error("it announced {0} records, and the path is for one")]
    Count(usize),
    /// The announced record is nowhere in the request.
    #[error("it announced the record `{0}`, which is nowhere in the request")]
    NoSuchId(String),
    /// The records of the request are others than those that are announced, or in another order.
    #[error("it announced other records than those in the request, or in another order")]
    Records,
    /// A value is announced for one record and sent for another.
    #[error("it announced the value at `{0}` for another record than it sends it for")]
    OtherRecord(String),
    /// A field's name is not that of the place it points to.
    #[error("it announced the field `{name}` and points to `{place}`, which is another")]
    Name {
        /// The field's name.
        name: String,
        /// Where it points.
        place: String,
    },
    /// Two fields point to one place.
    #[error("it announced `{0}` twice")]
    Twice(String),
    /// What stands at a place is not what was announced for it.
    #[error("it announced another value for `{0}` than it sends")]
    Value(String),
    /// There is nothing at the place.
    #[error("it announced a value for `{0}`, where it sends none")]
    Missing(String),
    /// The announced value is no JSON.
    #[error("what it announced for `{0}` is no JSON")]
    NotJson(String),
    /// Something is sent that was not announced.
    #[error("it sends a value at `{0}` that it did not announce")]
    Unannounced(String),
    /// The body can be read in two ways, or not at all.
    #[error("it sends a body that {0}")]
    Body(&'static str),
}

/// Compares what was announced with what is sent.
///
/// # Errors
///
/// The first [`Disagreement`].
pub fn agree(changes: &[Change], sent: &SentChange<'_>) -> Result<Agreement, Disagreement> {
    identities(changes, sent)?;
    let places = places(sent)?;
    let mut open: BTreeMap<&str, &Scalar> = places.iter().collect();
    if let Some(place) = sent.token_at {
        open.remove(place.as_str());
    }
    let has_kinds = kinds_in_body(changes, sent, &mut open)?;
    let homes = records::homes(changes, sent, &mut open)?;
    let mut found = Vec::with_capacity(changes.len());
    let mut pointers = std::collections::BTreeSet::new();
    for (index, change) in changes.iter().enumerate() {
        let mut fields = Vec::with_capacity(change.fields.len());
        let mut names_itself = sent.id.is_some() || !sent.ids_at.is_empty() || change.id.is_none();
        let mut names_its_kind = sent.kind.is_some() || has_kinds;
        for field in &change.fields {
            let Some(place) = &field.pointer else {
                fields.push(false);
                continue;
            };
            if !pointers.insert(place.as_str()) {
                return Err(Disagreement::Twice(place.clone()));
            }
            homes.check(index, place, sent)?;
            let texts = stands(field, place, &places, &mut open)?;
            names_itself |= change.id.as_ref().is_some_and(|id| texts.contains(id));
            names_its_kind |= texts.contains(&change.kind);
            fields.push(true);
        }
        if let (false, Some(id)) = (names_itself, &change.id) {
            return Err(Disagreement::NoSuchId(id.clone()));
        }
        let kind = names_its_kind;
        found.push(ChangeAgreement { kind, fields });
    }
    match open.keys().next() {
        Some(place) => Err(Disagreement::Unannounced((*place).to_owned())),
        None => Ok(Agreement { changes: found }),
    }
}

/// Compares kinds and ids with those of the path: to the letter, for a service that reads `account` as `Account` is not
/// every service.
fn identities(changes: &[Change], sent: &SentChange<'_>) -> Result<(), Disagreement> {
    if let Some(kind) = sent.kind
        && let Some(other) = changes.iter().find(|change| change.kind != kind)
    {
        let (announced, sent) = (other.kind.clone(), kind.to_owned());
        return Err(Disagreement::Kind { announced, sent });
    }
    let Some(id) = sent.id else {
        return Ok(());
    };
    match changes {
        [change] if change.id.as_deref() == Some(id) => Ok(()),
        [change] => Err(Disagreement::Id {
            announced: change.id.clone().unwrap_or_default(),
            sent: id.to_owned(),
        }),
        changes => Err(Disagreement::Count(changes.len())),
    }
}

/// Compares the kinds in the body with those that are announced, and takes them off `open`, with what has no value. Says whether there are any.
fn kinds_in_body(
    changes: &[Change],
    sent: &SentChange<'_>,
    open: &mut BTreeMap<&str, &Scalar>,
) -> Result<bool, Disagreement> {
    let mut kinds: Vec<(Vec<usize>, &str)> = Vec::new();
    open.retain(|place, value| match value {
        Scalar::Text(kind) if sent.kinds_at.iter().any(|at| at.is_at(place)) => {
            let at = sent.kinds_at.iter().find(|at| at.is_at(place));
            let order = at.map(|at| at.order_of(place)).unwrap_or_default();
            kinds.push((order, kind.as_str()));
            false
        }
        // A body without anything in it sends nothing.
        Scalar::EmptyObject => {
            !place.is_empty() && !sent.fields_at.is_some_and(|at| at.is_at(place))
        }
        _ => true,
    });
    if kinds.is_empty() {
        return Ok(false);
    }
    let mut announced: Vec<&str> = changes.iter().map(|change| change.kind.as_str()).collect();
    // By their items: the tenth comes after the second.
    kinds.sort_by(|one, other| one.0.cmp(&other.0));
    let mut kinds: Vec<&str> = kinds.into_iter().map(|(_, kind)| kind).collect();
    if !sent.kinds_at.iter().all(BodyPlace::has_items) {
        announced.sort_unstable();
        kinds.sort_unstable();
    }
    match announced == kinds {
        true => Ok(true),
        false => Err(Disagreement::Kind {
            announced: announced.join("`, `"),
            sent: kinds.join("`, `"),
        }),
    }
}

/// Every value of the query and the body, by its place: a query's parameter by `?name`, a member of a JSON body by its JSON
/// Pointer, a form's by its key, an XML element by its path.
fn places(sent: &SentChange<'_>) -> Result<Places, Disagreement> {
    let mut places = Places::default();
    if let Some(query) = sent.path.query() {
        form::read(query.as_bytes(), "?", &mut places)?;
    }
    if let Some((field, value)) = sent.key {
        places.add(format!("{{{field}}}"), Scalar::Untyped(value.to_owned()))?;
    }
    if sent.body.is_empty() {
        return Ok(places);
    }
    let kind = sent.content_type.unwrap_or_default();
    let is = |kinds: &[&str]| crate::header::is_utf_8(kind, kinds);
    if is(&["application/json"]) {
        json::read(sent.body, &mut places)?;
    } else if is(&["application/x-www-form-urlencoded"]) {
        form::read(sent.body, "", &mut places)?;
    } else if is(&["text/xml", "application/xml"]) {
        xml::read(sent.body, &mut places)?;
    } else {
        let problem = "is neither JSON nor a form nor XML, or not in UTF-8";
        return Err(Disagreement::Body(problem));
    }
    Ok(places)
}

/// Finds a field's value at its place, takes what belongs to it off `open`, and gives the texts that it holds.
fn stands(
    field: &FieldChange,
    place: &str,
    places: &Places,
    open: &mut BTreeMap<&str, &Scalar>,
) -> Result<Vec<String>, Disagreement> {
    if value::last_name(place).as_ref() != Some(&field.name) {
        return Err(Disagreement::Name {
            name: field.name.clone(),
            place: place.to_owned(),
        });
    }
    let not_json = || Disagreement::NotJson(place.to_owned());
    let after = field.after.as_ref().ok_or_else(not_json)?;
    let mut announced = Places::default();
    json::read_at(after.as_bytes(), place, &mut announced).map_err(|_| not_json())?;
    let mut texts = Vec::new();
    for (at, value) in announced.iter() {
        let sent = places
            .get(at)
            .ok_or_else(|| Disagreement::Missing(at.to_owned()))?;
        if !sent.is(value) {
            return Err(Disagreement::Value(at.to_owned()));
        }
        open.remove(at);
        if let Scalar::Text(text) = value {
            texts.push(text.clone());
        }
    }
    Ok(texts)
}

#[cfg(test)]
#[path = "agreement/tests.rs"]
mod tests;
