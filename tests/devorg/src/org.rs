//! The org: its schema, its records, its day and who asks.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::access::{Access, Level};
use crate::clock::Clock;
use crate::id::Id;
use crate::schema::{Field, FieldType, Object, Schema};
use crate::seen::{self, Seen};
use crate::storage::Storage;
use crate::store::{Record, Savepoint, Store};
use crate::value::Value;

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
    /// How much it may keep.
    pub(crate) storage: Storage,
    /// What each user has looked at.
    pub(crate) seen: Seen,
    clock: Clock,
    /// When the schema was last changed: before the start.
    schema_changed: Timestamp,
    /// The moment of the start.
    started: Timestamp,
    /// Whether its time was the machine's before this start.
    was_going: bool,
}

/// What is saved of an org beside its records.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptOrg {
    id: Id,
    clock: Timestamp,
    started: Timestamp,
    schema_changed: Timestamp,
    /// Whether its time was the machine's.
    goes: bool,
}

/// The state of an org at the beginning of a transaction.
#[derive(Debug)]
#[must_use = "a transaction must end"]
pub(crate) struct Beginning {
    clock: Clock,
    savepoint: Savepoint,
    seen: seen::Savepoint,
}

/// Who asks, and from where.
#[derive(Debug, Clone)]
pub struct Session {
    /// The `User` record.
    pub user_id: Id,
    /// The user's time zone, by which `TODAY` and its kin are meant.
    pub time_zone: TimeZone,
    /// What the user sees and may do.
    pub access: Arc<Access>,
}

impl Session {
    /// Begins the session of a user of the org.
    pub fn of(org: &Org, user_id: Id) -> Self {
        Self::with(org, user_id, Arc::new(Access::of(org, user_id)))
    }

    /// Begins the session of a user whose access has been worked out.
    pub(crate) fn with(org: &Org, user_id: Id, access: Arc<Access>) -> Self {
        let zone = org
            .store
            .get("User", user_id)
            .and_then(|user| user.get("TimeZoneSidKey").as_text());
        Self {
            user_id,
            time_zone: zone
                .and_then(|name| TimeZone::get(name).ok())
                .unwrap_or(TimeZone::UTC),
            access,
        }
    }

    /// Begins a session that sees and does everything in the name of a user: the org's own work.
    pub fn of_org(org: &Org, user_id: Id, time_zone: TimeZone) -> Self {
        Self {
            user_id,
            time_zone,
            access: Arc::new(Access::unlimited(org, user_id)),
        }
    }

    /// Gives the schema as the user sees it: names are looked up here, not in the org's.
    pub fn schema(&self) -> &Arc<Schema> {
        self.access.schema()
    }

    /// Gives a value as the user sees it: what is encrypted is masked for who may not view it.
    pub(crate) fn shown<'v>(&self, field: &Field, value: &'v Value) -> Cow<'v, Value> {
        match value {
            Value::Text(text)
                if field.field_type == FieldType::EncryptedString
                    && !self.access.views_encrypted() =>
            {
                Cow::Owned(Value::Text(field.masked(text)))
            }
            value => Cow::Borrowed(value),
        }
    }

    /// Says whether a record, deleted or not, is there for the user.
    pub fn may_read(&self, org: &Org, record: &Record) -> bool {
        self.access.level(org, record) >= Level::Read
    }

    /// Says whether the user may change a record.
    pub fn may_edit(&self, org: &Org, record: &Record) -> bool {
        let object = self.schema().object(&record.object);
        object.is_some_and(|object| object.updateable)
            && self.access.level(org, record) >= Level::Edit
    }

    /// Says whether the user may give a record to another owner.
    pub fn may_transfer(&self, org: &Org, record: &Record) -> bool {
        self.may_edit(org, record) && self.access.level(org, record) >= Level::Transfer
    }

    /// Says whether the user may delete a record.
    pub fn may_delete(&self, org: &Org, record: &Record) -> bool {
        let object = self.schema().object(&record.object);
        object.is_some_and(|object| object.deletable)
            && self.access.level(org, record) == Level::Full
    }
}

impl Org {
    /// Makes an org without records whose time is `now`.
    pub(crate) fn new(schema: Schema, id: Id, now: Timestamp) -> Self {
        Self {
            store: Store::with_indexes(schema.indexed_fields()),
            schema: Arc::new(schema),
            id,
            storage: Storage::default(),
            seen: Seen::default(),
            clock: Clock::at(now),
            started: now,
            was_going: false,
            schema_changed: now.checked_sub(SCHEMA_AGE).unwrap_or(now),
        }
    }

    /// Makes an org without records that was there before.
    pub(crate) fn restored(schema: Schema, kept: KeptOrg) -> Self {
        Self {
            schema_changed: kept.schema_changed,
            started: kept.started,
            was_going: kept.goes,
            ..Self::new(schema, kept.id, kept.clock)
        }
    }

    /// Gives what is saved of the org beside its records.
    pub(crate) fn kept(&self) -> KeptOrg {
        KeptOrg {
            id: self.id,
            clock: self.clock.last(),
            started: self.started,
            schema_changed: self.schema_changed,
            goes: self.clock.goes(),
        }
    }

    /// Gives the earliest moment at which the org can go on: that of its last start, from which its own changes
    /// may have moved it on, or, where its time was the machine's, of its last change.
    pub(crate) fn goes_on_from(&self) -> Timestamp {
        match self.was_going {
            true => self.clock.last().max(self.started),
            false => self.started,
        }
    }

    /// Begins to remember what is not saved: everything at first, or nothing.
    pub(crate) fn remember_unsaved(&mut self, everything: bool) {
        self.store.remember_unsaved(everything);
        self.seen.remember_unsaved(everything);
    }

    /// Moves the org's time to a moment, unless it is there already.
    pub(crate) fn move_on(&mut self, to: Timestamp) {
        self.clock.move_on(to);
        self.started = self.started.max(to);
    }

    /// Lets the org's time go with the machine's.
    pub(crate) fn let_time_go(&mut self) {
        self.clock.go();
    }

    /// Gives the org's time, in whole seconds: the machine's, or, where the org has a day of its own, that
    /// of its start and a second later for every change since, so that the same questions have the same
    /// answers all day.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Gives when the schema was last changed.
    pub(crate) fn schema_changed(&self) -> Timestamp {
        self.schema_changed
    }

    /// Gives the moment of the last change.
    pub(crate) fn last_change(&self) -> Timestamp {
        self.clock.last()
    }

    /// Gives the moment of a change.
    pub(crate) fn tick(&mut self) -> Timestamp {
        self.clock.tick()
    }

    /// Does work that is done whole or not at all: an error, or a panic, takes back whatever was
    /// changed, the org's time and the numbers of ids too. Transactions may stand within one another.
    ///
    /// # Errors
    ///
    /// The work's own.
    pub(crate) fn transaction<T, E>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let beginning = self.begin();
        let result = catch_unwind(AssertUnwindSafe(|| work(self)));
        match result {
            Ok(Ok(_)) => self.commit(beginning),
            Ok(Err(_)) | Err(_) => self.roll_back(beginning),
        }
        result.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Opens a transaction that lasts longer than one call; [`Org::transaction`] is the shorter way.
    pub(crate) fn begin(&mut self) -> Beginning {
        Beginning {
            clock: self.clock,
            savepoint: self.store.savepoint(),
            seen: self.seen.savepoint(),
        }
    }

    /// Ends a transaction and keeps its changes.
    pub(crate) fn commit(&mut self, beginning: Beginning) {
        self.store.commit(beginning.savepoint);
        self.seen.commit(beginning.seen);
    }

    /// Ends a transaction and takes its changes back.
    pub(crate) fn roll_back(&mut self, beginning: Beginning) {
        self.clock = beginning.clock;
        self.store.roll_back(beginning.savepoint);
        self.seen.roll_back(beginning.seen);
    }

    /// Finds a user by username, in any case.
    pub(crate) fn user_named(&self, username: &str) -> Option<Id> {
        let mut users = self.store.having("User", "Username", &username.into());
        users.next().map(|user| user.id)
    }

    /// Finds the record with an id, deleted or not, and its object.
    pub fn find(&self, id: Id) -> Option<(&Object, &Record)> {
        let object = self.schema.object_by_prefix(id.prefix())?;
        Some((object, self.store.get(&object.name, id)?))
    }

    /// Finds the profile of a user.
    pub(crate) fn profile(&self, user: Id) -> Option<&Record> {
        let profile = self.store.get("User", user)?.reference("ProfileId")?;
        self.store.get("Profile", profile)
    }

    /// Gives the name of a user's profile.
    pub(crate) fn profile_name(&self, user: Id) -> String {
        let profile = self.profile(user);
        let name = profile.and_then(|profile| profile.get("Name").as_text());
        name.unwrap_or_default().to_owned()
    }

    /// Says whether a user may sign in.
    pub(crate) fn is_active(&self, user: Id) -> bool {
        let user = self.store.get("User", user);
        user.is_some_and(|user| user.get("IsActive").as_bool() == Some(true))
    }

    /// Gives a field's value as JSON as a user sees it: an address or a place is put together of its parts, and what is
    /// encrypted is masked for who may not view it.
    pub fn field_json(
        &self,
        session: &Session,
        object: &Object,
        record: &Record,
        field: &Field,
    ) -> Json {
        match field.field_type {
            FieldType::Address | FieldType::Location => compound_json(object, record, field),
            _ => session.shown(field, record.get(&field.name)).to_json(),
        }
    }
}

/// Gives an address or a place as an object of its parts in the order of their names, or null where every
/// part is empty.
pub(crate) fn compound_json(object: &Object, record: &Record, field: &Field) -> Json {
    // `BillingCity` of `BillingAddress`, `Place__Latitude__s` of `Place__c`.
    let prefix = match field.field_type {
        FieldType::Location => field.name.strip_suffix('c'),
        _ => field.name.strip_suffix("Address"),
    };
    let prefix = prefix.unwrap_or_default();
    let mut parts: Vec<(String, Json)> = field
        .parts(object)
        .map(|part| {
            let name = part.name.strip_prefix(prefix).unwrap_or(&part.name);
            let name = name.strip_suffix("__s").unwrap_or(name);
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
