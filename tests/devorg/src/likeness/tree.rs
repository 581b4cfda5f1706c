//! The records of a file one after another, so that a file may be larger than memory.

use std::fmt;
use std::fs::File;
use std::io::BufReader;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};

use super::problem::DataError;
use super::sources::Source;

/// A record as it is written down.
pub(super) type Written = Map<String, Json>;

/// Gives each record of a file's `records` to `take`, until it says that it wants no more.
///
/// # Errors
///
/// The file cannot be read, or is no JSON of this form.
pub(super) fn each_record(
    source: &Source,
    take: &mut dyn FnMut(Written) -> bool,
) -> Result<(), DataError> {
    let file = File::open(&source.path).map_err(|error| DataError::Read {
        path: source.path.clone(),
        source: error,
        advice: match source.object {
            Some(_) => "a plan names it: export anew, or take the plan away",
            None => super::READABLE,
        },
    })?;
    let mut json = serde_json::Deserializer::from_reader(BufReader::new(file));
    let read = Tree(take).deserialize(&mut json).and_then(|()| json.end());
    read.map_err(|error| DataError::NoTree {
        file: source.file.clone(),
        reason: error.to_string(),
    })
}

/// `{"records": […]}`.
struct Tree<'a>(&'a mut dyn FnMut(Written) -> bool);

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object with `records`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut found = false;
        while let Some(key) = map.next_key::<String>()? {
            if key == "records" {
                map.next_value_seed(Records(&mut *self.0))?;
                found = true;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        match found {
            true => Ok(()),
            false => Err(de::Error::missing_field("records")),
        }
    }
}

/// The value of `records`.
struct Records<'a>(&'a mut dyn FnMut(Written) -> bool);

impl<'de> DeserializeSeed<'de> for Records<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Records<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(record) = list.next_element::<Written>()? {
            if !(self.0)(record) {
                break;
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}
