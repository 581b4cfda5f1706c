//! Which kinds of record a request touches, as its route says where they stand: in the path, in the body, or nowhere
//! that the host can see.
//!
//! The attack: a body that the host reads as one kind and the service as another: the same member twice, once in other
//! case, another encoding than UTF-8, a list where a name should be. What could be read in two ways is refused.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json::Json;
use crate::scope::Access;
use crate::{Effect, RouteSpec, XmlPlace};

/// Where a route's request names the kinds of record that it touches.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum KindPlace {
    /// `path`: the parameter `{kind}`.
    Path,
    /// `unseen`: where the host cannot see them, such as in a query.
    Unseen,
    /// A place in the JSON body.
    Body(BodyPlace),
}

/// A JSON Pointer (RFC 6901) into a body, of which a `*` stands for each item of a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BodyPlace {
    text: String,
    steps: Vec<Step>,
}

/// A step of the way to a place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    Member(String),
    EachItem,
}

/// A text that is no place of kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must be a JSON Pointer, in which `*` stands for each item of a list")]
pub struct PlaceError;

impl TryFrom<String> for BodyPlace {
    type Error = PlaceError;

    fn try_from(text: String) -> Result<Self, PlaceError> {
        if !text.is_empty() && !text.starts_with('/') {
            return Err(PlaceError);
        }
        let steps = text.split('/').skip(1).map(|step| match step {
            "*" => Step::EachItem,
            step => Step::Member(step.replace("~1", "/").replace("~0", "~")),
        });
        let steps = steps.collect();
        Ok(Self { text, steps })
    }
}

impl From<BodyPlace> for String {
    fn from(place: BodyPlace) -> Self {
        place.text
    }
}

impl TryFrom<String> for KindPlace {
    type Error = PlaceError;

    fn try_from(text: String) -> Result<Self, PlaceError> {
        match text.as_str() {
            "path" => Ok(Self::Path),
            "unseen" => Ok(Self::Unseen),
            // The whole body is no name.
            "" => Err(PlaceError),
            _ => BodyPlace::try_from(text).map(Self::Body),
        }
    }
}

impl From<KindPlace> for String {
    fn from(place: KindPlace) -> Self {
        match place {
            KindPlace::Path => "path".to_owned(),
            KindPlace::Unseen => "unseen".to_owned(),
            KindPlace::Body(place) => place.text,
        }
    }
}

impl BodyPlace {
    /// Says whether a JSON Pointer leads here.
    pub fn is_at(&self, pointer: &str) -> bool {
        let steps = pointer.split('/').skip(1).count();
        steps == self.steps.len() && self.items_on_the_way(pointer, self.steps.len()).is_some()
    }

    /// Says of which item of the place's list a JSON Pointer leads into, where the place has a list: 3 for `/records/3/Name` and
    /// the place `/records/*/attributes/type`.
    pub(crate) fn item_of(&self, pointer: &str) -> Option<usize> {
        let last = self
            .steps
            .iter()
            .rposition(|step| *step == Step::EachItem)?;
        self.items_on_the_way(pointer, last + 1)?.pop()
    }

    /// Follows the first `count` steps and gives the numbers of the items on the way. None: the pointer leads elsewhere.
    pub(crate) fn items_on_the_way(&self, pointer: &str, count: usize) -> Option<Vec<usize>> {
        let mut steps = pointer.split('/').skip(1);
        let mut items = Vec::new();
        for step in self.steps.iter().take(count) {
            match (step, steps.next()?) {
                (Step::Member(member), step) => {
                    if step.replace("~1", "/").replace("~0", "~") != *member {
                        return None;
                    }
                }
                (Step::EachItem, step) => {
                    let is_number = step.bytes().all(|byte| byte.is_ascii_digit());
                    items.push(step.parse().ok().filter(|_| is_number)?);
                }
            }
        }
        Some(items)
    }

    /// Gives the numbers of the items on the way to a place that is here, to order places by.
    pub(crate) fn order_of(&self, pointer: &str) -> Vec<usize> {
        self.items_on_the_way(pointer, self.steps.len())
            .unwrap_or_default()
    }

    /// Gives the texts that are here, as far as the way leads; a number on the way counts the items of a list.
    pub fn texts<'v>(&self, value: &'v Value) -> Vec<&'v str> {
        let mut found = vec![value];
        for step in &self.steps {
            let next = found.into_iter().flat_map(|value| match (step, value) {
                (Step::EachItem, Value::Array(items)) => items.iter().collect(),
                (Step::Member(name), Value::Object(members)) => {
                    members.get(name).into_iter().collect()
                }
                (Step::Member(number), Value::Array(items)) => {
                    let number: Option<usize> = number.parse().ok();
                    number
                        .and_then(|number| items.get(number))
                        .into_iter()
                        .collect()
                }
                _ => Vec::new(),
            });
            found = next.collect();
        }
        found.into_iter().filter_map(Value::as_str).collect()
    }

    /// Says whether it has a list on the way.
    pub(crate) fn has_items(&self) -> bool {
        self.steps.contains(&Step::EachItem)
    }

    /// Says whether it is the items of one list.
    pub(crate) fn is_items(&self) -> bool {
        let list = self.steps.iter().position(|step| *step == Step::EachItem);
        list.is_some_and(|at| at + 1 == self.steps.len())
    }

    /// Gives the items of the list that is here, where the body is the way to it and nothing else.
    pub(crate) fn only_items<'j>(&self, json: &'j Json) -> Option<&'j [Json]> {
        let mut found = json;
        let (last, way) = self.steps.split_last()?;
        for step in way {
            found = match (step, found) {
                (Step::Member(wanted), Json::Object(members)) => match members.as_slice() {
                    [(name, value)] if name == wanted => value,
                    _ => return None,
                },
                _ => return None,
            };
        }
        match (last, found) {
            (Step::EachItem, Json::List(items)) => Some(items),
            _ => None,
        }
    }

    /// Gives the steps of the way here.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Gives the place as it is written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

/// Where a route's request names the records that it changes, besides its path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum IdPlace {
    /// A place in the JSON body.
    Body(BodyPlace),
    /// `?name`: a parameter of the query, with commas between the ids.
    Query(String),
    /// An element of an XML body.
    Xml(XmlPlace),
}

impl TryFrom<String> for IdPlace {
    type Error = PlaceError;

    fn try_from(text: String) -> Result<Self, PlaceError> {
        match text.strip_prefix('?') {
            Some(name) if !name.is_empty() => Ok(Self::Query(name.to_owned())),
            Some(_) => Err(PlaceError),
            None if text.starts_with('/') => BodyPlace::try_from(text).map(Self::Body),
            None => XmlPlace::try_from(text)
                .map(Self::Xml)
                .map_err(|_| PlaceError),
        }
    }
}

impl From<IdPlace> for String {
    fn from(place: IdPlace) -> Self {
        match place {
            IdPlace::Body(place) => place.text,
            IdPlace::Query(name) => format!("?{name}"),
            IdPlace::Xml(place) => place.into(),
        }
    }
}

/// What a request touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// What the host sees of it.
    pub accesses: Vec<Access>,
    /// Whether there is, or could be, more that only the connector knows.
    pub is_unseen: bool,
    /// Whether the host sees all the fields that it touches.
    pub has_fields: bool,
}

/// Why what a request touches is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TouchedError {
    /// The path has no kind where the route says so.
    #[error("its path names no kind")]
    NoKind,
    /// The body says by its headers that it is something else than JSON in UTF-8.
    #[error(
        "its route names its kinds in a JSON body, and its headers say that the body is something else"
    )]
    NotJson,
    /// The body is none.
    #[error("its body cannot be read in one way alone: {0}")]
    Body(String),
    /// The place holds nothing, or not what it should.
    #[error("its body has no {what} at `{pointer}`")]
    Missing {
        /// What should be there.
        what: &'static str,
        /// Where.
        pointer: String,
    },
}

impl RouteSpec {
    /// Says where the route's kinds are: as it declares, and else in its path, or unseen.
    pub fn kind_places(&self) -> Vec<KindPlace> {
        match &self.kinds {
            Some(places) => places.clone(),
            None if self.names_kind() => vec![KindPlace::Path],
            None => vec![KindPlace::Unseen],
        }
    }

    /// Says whether the path has a kind.
    pub(crate) fn names_kind(&self) -> bool {
        self.path.split('/').any(|segment| segment == "{kind}")
    }

    /// Says whether the body must be read to know what a request touches.
    fn reads_body(&self) -> bool {
        let in_body = |place: &KindPlace| matches!(place, KindPlace::Body(_));
        self.fields.is_some() || self.kinds.iter().flatten().any(in_body)
    }

    /// Finds what a request touches: by the kind in its path, its headers and its body.
    ///
    /// # Errors
    ///
    /// [`TouchedError`]: the request must not be sent where that matters.
    pub fn touched<'h>(
        &self,
        effect: Effect,
        kind: Option<&str>,
        headers: impl Iterator<Item = (&'h str, &'h [u8])>,
        body: &[u8],
    ) -> Result<Touched, TouchedError> {
        let json = match self.reads_body() {
            true => {
                require_json(headers)?;
                let json = Json::read(body);
                Some(json.map_err(|error| TouchedError::Body(error.to_string()))?)
            }
            false => None,
        };
        let mut kinds: Vec<String> = Vec::new();
        let mut is_unseen = false;
        for place in self.kind_places() {
            match (place, &json) {
                (KindPlace::Unseen, _) => is_unseen = true,
                (KindPlace::Path, _) => {
                    kinds.push(kind.ok_or(TouchedError::NoKind)?.to_owned());
                }
                (KindPlace::Body(place), Some(json)) => kinds.extend(place.names(json)?),
                (KindPlace::Body(_), None) => return Err(TouchedError::NotJson),
            }
        }
        let fields = match (&self.fields, &json) {
            (Some(place), Some(json)) => place.members(json, &self.own_members(place))?,
            _ => Vec::new(),
        };
        let accesses = kinds.into_iter().map(|kind| Access {
            effect,
            kind,
            fields: fields.clone(),
        });
        Ok(Touched {
            accesses: accesses.collect(),
            is_unseen,
            has_fields: self.fields.is_some(),
        })
    }

    /// Names the members beside the fields by which the route's kinds and records are named, such as `attributes`.
    fn own_members(&self, fields: &BodyPlace) -> Vec<String> {
        let behind = |place: &BodyPlace| match place.steps.strip_prefix(&fields.steps[..]) {
            Some([Step::Member(member), ..]) => Some(member.clone()),
            _ => None,
        };
        let kinds = self.kinds.iter().flatten().filter_map(|place| match place {
            KindPlace::Body(place) => behind(place),
            KindPlace::Path | KindPlace::Unseen => None,
        });
        let ids = self.ids.iter().filter_map(|place| match place {
            IdPlace::Body(place) => behind(place),
            IdPlace::Query(_) | IdPlace::Xml(_) => None,
        });
        kinds.chain(ids).collect()
    }
}

/// Holds a request to JSON in UTF-8, in one piece.
pub(crate) fn require_json<'h>(
    headers: impl Iterator<Item = (&'h str, &'h [u8])>,
) -> Result<(), TouchedError> {
    let mut types = 0;
    for (name, value) in headers {
        if name.eq_ignore_ascii_case("content-encoding") {
            return Err(TouchedError::NotJson);
        }
        if !name.eq_ignore_ascii_case("content-type") {
            continue;
        }
        types += 1;
        let value = std::str::from_utf8(value).map_err(|_| TouchedError::NotJson)?;
        if !crate::header::is_utf_8(value, &["application/json"]) {
            return Err(TouchedError::NotJson);
        }
    }
    match types {
        1 => Ok(()),
        _ => Err(TouchedError::NotJson),
    }
}

impl BodyPlace {
    /// Gives the names at the place, of which there is at least one.
    fn names(&self, json: &Json) -> Result<Vec<String>, TouchedError> {
        let missing = || TouchedError::Missing {
            what: "name of a kind",
            pointer: self.text.clone(),
        };
        let found = self.find(json).ok_or_else(missing)?;
        let names: Option<Vec<String>> = found
            .into_iter()
            .map(|value| match value {
                Json::Text(name) => Some(name.clone()),
                _ => None,
            })
            .collect();
        names.filter(|names| !names.is_empty()).ok_or_else(missing)
    }

    /// Gives the names of the members of what is at the place, but for `except`.
    fn members(&self, json: &Json, except: &[String]) -> Result<Vec<String>, TouchedError> {
        let missing = || TouchedError::Missing {
            what: "fields",
            pointer: self.text.clone(),
        };
        let mut fields = Vec::new();
        for value in self.find(json).ok_or_else(missing)? {
            let Json::Object(members) = value else {
                return Err(missing());
            };
            for (name, _) in members {
                if !except.contains(name) && !fields.contains(name) {
                    fields.push(name.clone());
                }
            }
        }
        Ok(fields)
    }

    /// Follows the place. None: something on the way is not there, or not what it should be.
    fn find<'j>(&self, json: &'j Json) -> Option<Vec<&'j Json>> {
        let mut found = vec![json];
        for step in &self.steps {
            let mut next = Vec::new();
            for value in found {
                match (step, value) {
                    (Step::EachItem, Json::List(items)) => next.extend(items),
                    (Step::Member(wanted), Json::Object(members)) => {
                        // No other has this name in another case: such a body is not read.
                        let (_, value) = members.iter().find(|(name, _)| name == wanted)?;
                        next.push(value);
                    }
                    _ => return None,
                }
            }
            found = next;
        }
        Some(found)
    }
}

#[cfg(test)]
#[path = "kinds/tests.rs"]
mod tests;
