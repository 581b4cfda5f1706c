//! Records as the state file has them: JSON that a person can read.
//!
//! Texts, numbers and checkboxes are what they are in JSON, a whole number without a point. A day is
//! `{"day": …}`, a moment `{"moment": …}` (RFC 3339), a time of day `{"time": …}`, the bytes of a file `{"base64": …}`.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{DeserializeSeed, Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::Id;
use crate::schema::{Object, Schema};
use crate::store::{Deletion, Record, Values as FieldValues};
use crate::value::Value;

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tagged = |tag: &'static str, text: String| [(tag, text)];
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Number(value) => serializer.serialize_f64(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Date(day) => serializer.collect_map(tagged("day", day.to_string())),
            Self::DateTime(moment) => serializer.collect_map(tagged("moment", moment.to_string())),
            Self::Time(time) => serializer.collect_map(tagged("time", time.to_string())),
            Self::Blob(bytes) => serializer.collect_map(tagged("base64", STANDARD.encode(bytes))),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value of a field")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value).map(Value::Int).map_err(E::custom)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::text(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let Some((tag, text)) = map.next_entry::<Cow<'de, str>, Cow<'de, str>>()? else {
            return Err(A::Error::invalid_length(0, &self));
        };
        match &*tag {
            "day" => text.parse().map(Value::Date).map_err(A::Error::custom),
            "moment" => text.parse().map(Value::DateTime).map_err(A::Error::custom),
            "time" => text.parse().map(Value::Time).map_err(A::Error::custom),
            "base64" => STANDARD
                .decode(text.as_bytes())
                .map(|bytes| Value::Blob(bytes.into()))
                .map_err(A::Error::custom),
            tag => Err(A::Error::unknown_field(
                tag,
                &["day", "moment", "time", "base64"],
            )),
        }
    }
}

/// A record to be written. Its id is the key under which it is kept.
#[derive(Serialize)]
pub(super) struct Written<'a> {
    object: &'a str,
    #[serde(serialize_with = "values")]
    values: &'a Record,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    deleted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion: Option<&'a Deletion>,
}

impl<'a> Written<'a> {
    pub(super) fn of(record: &'a Record) -> Self {
        Self {
            object: &record.object,
            values: record,
            deleted: record.deleted,
            deletion: record.deletion.as_deref(),
        }
    }
}

/// Writes the values of a record but for those that are none.
fn values<S: Serializer>(record: &Record, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    for (field, value) in record.values.iter().filter(|(_, value)| !value.is_null()) {
        map.serialize_entry(&**field, value)?;
    }
    map.end()
}

/// Reads records of a schema, whose names they share.
pub(super) struct Reader<'s> {
    pub(super) schema: &'s Schema,
    pub(super) id: Id,
}

impl Reader<'_> {
    /// Reads the JSON of a record.
    pub(super) fn read(self, json: &str) -> Result<Record, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let record = self.deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(record)
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Record;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Record, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Record;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    // `object` comes first, as it is written.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record, A::Error> {
        let Some(("object", name)) = map.next_entry::<&str, Cow<'de, str>>()? else {
            return Err(A::Error::missing_field("object"));
        };
        let object = self.schema.object(&name);
        let object =
            object.ok_or_else(|| A::Error::custom(format!("there is no object {name}")))?;
        let mut record = Record::new(self.id, object.name.clone());
        while let Some(key) = map.next_key::<&str>()? {
            match key {
                "values" => record.values = map.next_value_seed(Values(object))?,
                "deleted" => record.deleted = map.next_value()?,
                "deletion" => record.deletion = map.next_value()?,
                key => {
                    let known = &["object", "values", "deleted", "deletion"];
                    return Err(A::Error::unknown_field(key, known));
                }
            }
        }
        Ok(record)
    }
}

/// Reads the values of a record of an object.
struct Values<'s>(&'s Object);

impl<'de> DeserializeSeed<'de> for Values<'_> {
    type Value = FieldValues;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<FieldValues, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Values<'_> {
    type Value = FieldValues;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the values of a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FieldValues, A::Error> {
        let mut values = FieldValues::new();
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            let field = self.0.field(&name);
            let name = field.map_or_else(|| Arc::from(&*name), |field| field.name.clone());
            values.insert(name, map.next_value()?);
        }
        Ok(values)
    }
}
