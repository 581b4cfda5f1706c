//! What a service says within its answer of the changes that it was asked for: which of them it made.
//!
//! Some services refuse with a status that says success, and say so in the body alone. The attack: an answer by which a change that was made reads
//! as one that was refused. So an answer is believed as a whole or not at all: it says `true` or `false` wherever it should, and is cut off
//! nowhere. Any other counts as its status does. One that refuses some and is silent of others leaves open what was made.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::Event;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::kinds::{PlaceError, Step};
use crate::{BodyPlace, XmlPlace};

/// Where a service's answer says whether it made a change: each time it stands there, it is of one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DonePlace {
    /// In a JSON answer.
    Json(BodyPlace),
    /// In an XML answer: the names of the elements on the way, each of which may be there several times.
    Xml(XmlPlace),
}

/// What an answer says of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// That they were made; or nothing that can be read, and then nothing but the status is known.
    All,
    /// That none was made.
    Nothing,
    /// That some were made and some were not.
    InPart {
        /// Those that were not, by their places among all, from 0.
        refused: Vec<u32>,
        /// How many there are.
        of: u32,
    },
    /// That some were not made, and not which, or of some nothing: it has another number of words than there are changes.
    Unknown,
}

impl TryFrom<String> for DonePlace {
    type Error = PlaceError;

    fn try_from(text: String) -> Result<Self, PlaceError> {
        match text.starts_with('/') {
            true => BodyPlace::try_from(text).map(Self::Json),
            false => XmlPlace::try_from(text)
                .map(Self::Xml)
                .map_err(|_| PlaceError),
        }
    }
}

impl From<DonePlace> for String {
    fn from(place: DonePlace) -> Self {
        match place {
            DonePlace::Json(place) => place.into(),
            DonePlace::Xml(place) => place.into(),
        }
    }
}

impl DonePlace {
    /// Reads what an answer says of `changes` changes that were asked for by one request. Where it says something of another number, none of it can
    /// be told of a single one: that all were refused it says only where nothing is missing, or where one word stands for all, as it does where the
    /// place is in no list, and in XML, where a list of one and one that is none look the same.
    pub fn read(&self, answer: &[u8], changes: usize) -> Done {
        let said = match self {
            Self::Json(place) => said_in_json(place, answer),
            Self::Xml(place) => said_in_xml(place, answer),
        };
        let said = said.unwrap_or_default();
        let refused = (0..).zip(&said).filter(|(_, is_made)| !**is_made);
        let refused: Vec<u32> = refused.map(|(number, _)| number).collect();
        let is_of_all = said.len() == 1 && !self.is_list();
        match u32::try_from(said.len()) {
            _ if refused.is_empty() => Done::All,
            _ if refused.len() == said.len() && (is_of_all || said.len() >= changes) => {
                Done::Nothing
            }
            Ok(of) if said.len() == changes => Done::InPart { refused, of },
            _ => Done::Unknown,
        }
    }

    /// Says whether each word at this place is surely of one change among others.
    fn is_list(&self) -> bool {
        match self {
            Self::Json(place) => place.steps().contains(&Step::EachItem),
            Self::Xml(_) => false,
        }
    }
}

/// Gives what stands at a place of a JSON text; none where it is no JSON, or has something else there.
fn said_in_json(place: &BodyPlace, answer: &[u8]) -> Option<Vec<bool>> {
    let mut said = Vec::new();
    let mut text = serde_json::Deserializer::from_slice(answer);
    let along = Along {
        steps: place.steps(),
        said: &mut said,
    };
    along.deserialize(&mut text).ok()?;
    text.end().ok()?;
    Some(said)
}

/// Goes along a place through a text as it is read, and keeps nothing else of it.
struct Along<'p, 's> {
    steps: &'p [Step],
    said: &'s mut Vec<bool>,
}

impl<'de> DeserializeSeed<'de> for Along<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Along<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.steps.first() {
            None => "`true` or `false`",
            Some(Step::Member(_)) => "an object",
            Some(Step::EachItem) => "a list",
        })
    }

    fn visit_bool<E: Error>(self, is_made: bool) -> Result<(), E> {
        if !self.steps.is_empty() {
            return Err(E::invalid_type(serde::de::Unexpected::Bool(is_made), &self));
        }
        self.said.push(is_made);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((Step::Member(wanted), steps)) = self.steps.split_first() else {
            return Err(A::Error::invalid_type(serde::de::Unexpected::Map, &self));
        };
        let mut times = 0;
        while let Some(name) = map.next_key::<Name<'de>>()? {
            if name.0 != wanted.as_str() {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            times += 1;
            let said = &mut *self.said;
            map.next_value_seed(Along { steps, said })?;
        }
        match times {
            1 => Ok(()),
            _ => Err(A::Error::custom("what is made is not said once")),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Some((Step::EachItem, steps)) = self.steps.split_first() else {
            return Err(A::Error::invalid_type(serde::de::Unexpected::Seq, &self));
        };
        loop {
            let said = &mut *self.said;
            if seq.next_element_seed(Along { steps, said })?.is_none() {
                return Ok(());
            }
        }
    }
}

/// The name of a member, which is in the text already where it is written without escapes.
#[derive(Deserialize)]
struct Name<'t>(#[serde(borrow)] Cow<'t, str>);

/// Gives what stands at a place of an XML document; none where it is no whole one, or has something else there.
fn said_in_xml(place: &XmlPlace, answer: &[u8]) -> Option<Vec<bool>> {
    let way: Vec<&str> = place.as_str().split('/').collect();
    let mut reader = Reader::from_str(std::str::from_utf8(answer).ok()?);
    reader.config_mut().expand_empty_elements = true;
    let mut said = Vec::new();
    let mut open = 0_usize;
    // Of each open element that is the next of the way: how many the one after it was.
    let mut along: Vec<usize> = Vec::new();
    let mut here = String::new();
    let mut has_root = false;
    loop {
        let is_along = along.len() == open;
        let is_here = is_along && open == way.len();
        match reader.read_event().ok()? {
            Event::Start(_) if is_here || (open == 0 && has_root) => return None,
            Event::Start(start) => {
                has_root = true;
                let name = start.local_name().into_inner();
                if is_along && way.get(open).is_some_and(|next| *next == name) {
                    if let Some(times) = along.last_mut() {
                        *times += 1;
                    }
                    along.push(0);
                }
                open += 1;
                here.clear();
            }
            Event::End(_) => {
                if is_here {
                    said.push(match here.trim() {
                        "true" | "1" => true,
                        "false" | "0" => false,
                        _ => return None,
                    });
                }
                // Where one says nothing, or says it twice, of whom the others are said is not known.
                let times = along.pop_if(|_| is_along).filter(|_| !is_here);
                let is_last = open + 1 == way.len();
                if times.is_some_and(|times| times == 0 || (is_last && times > 1)) {
                    return None;
                }
                open = open.checked_sub(1)?;
            }
            Event::Text(text) if is_here => here.push_str(&text.xml10_content()),
            Event::Eof => return (open == 0 && has_root).then_some(said),
            // A document type says what else stands for what is written.
            Event::DocType(_) => return None,
            _ if is_here => return None,
            _ => {}
        }
    }
}

#[cfg(test)]
#[path = "done/tests.rs"]
mod tests;
