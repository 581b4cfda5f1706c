//! The org: its schema, its records, its day and who asks.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value as Json};

use crate::id::Id;
use crate::schema::{Field, FieldType, Object, Schema};
use crate::seen::Seen;
use crate::store::{Record, Store};

/// How old the schema is: more than a day, so that no client's clock finds it in the future.
const SCHEMA_AGE: SignedDuration = SignedDuration::from_hours(36);

/// An org with its records.
#[derive(Debug, Clone)]
pub struct Org {
    /// The objects.
    pub schema: Arc<Schema>,
    /// The records.
    pub store: Store,
    /// The id of the `Organization` record.
    pub id: Id,
    /// What each user has looked at.
    pub(crate) seen: Seen,
    /// The moment of the last change, or of the start.
    clock: Timestamp,
    /// When the schema was last changed: before the start.
    schema_changed: Timestamp,
}

/// Who asks, and from where.
#[derive(Debug, Clone)]
pub struct Session {
    /// The `User` record.
    pub user_id: Id,
    /// The user's time zone, by which `TODAY` and its kin are meant.
    pub time_zone: TimeZone,
}

impl Org {
    /// Makes an org without records whose time is `now`.
    pub(crate) fn new(schema: Schema, id: Id, now: Timestamp) -> Self {
        Self {
            schema: Arc::new(schema),
            store: Store::default(),
            id,
            seen: Seen::default(),
            clock: now,
            schema_changed: now.checked_sub(SCHEMA_AGE).unwrap_or(now),
        }
    }

    /// Gives the org's time: that of its start, and a second later for every change since.
    ///
    /// It does not follow the machine's clock, so that the same questions have the same answers
    /// all day.
    pub fn now(&self) -> Timestamp {
        self.clock
    }

    /// Gives when the schema was last changed.
    pub(crate) fn schema_changed(&self) -> Timestamp {
        self.schema_changed
    }

    /// Moves the org's time on for a change, and gives it.
    pub(crate) fn tick(&mut self) -> Timestamp {
        self.clock = self
            .clock
            .checked_add(SignedDuration::from_secs(1))
            .unwrap_or(self.clock);
        self.clock
    }

    /// Finds the record with an id, deleted or not, and its object.
    pub fn find(&self, id: Id) -> Option<(&Object, &Record)> {
        let object = self.schema.object_by_prefix(id.prefix())?;
        Some((object, self.store.get(&object.name, id)?))
    }

    /// Gives a field's value as JSON; an address is put together of its parts.
    pub fn field_json(&self, object: &Object, record: &Record, field: &Field) -> Json {
        match field.field_type {
            FieldType::Address => address_json(object, record, field),
            _ => record.get(&field.name).to_json(),
        }
    }
}

/// Gives an address as an object of its parts in the order of their names, or null where every
/// part is empty.
fn address_json(object: &Object, record: &Record, field: &Field) -> Json {
    let prefix = field.name.strip_suffix("Address").unwrap_or_default();
    let mut parts: Vec<(String, Json)> = field
        .parts(object)
        .map(|part| {
            let name = part.name.strip_prefix(prefix).unwrap_or(&part.name);
            let mut chars = name.chars();
            let first = chars.next().map(|c| c.to_ascii_lowercase());
            (
                first.into_iter().chain(chars).collect(),
                record.get(&part.name).to_json(),
            )
        })
        .collect();
    if parts.iter().all(|(_, value)| value.is_null()) {
        return Json::Null;
    }
    parts.sort_by(|a, b| a.0.cmp(&b.0));
    Json::Object(Map::from_iter(parts))
}
