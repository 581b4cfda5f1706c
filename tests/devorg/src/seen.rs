//! What each user has looked at, behind `LastViewedDate`, `LastReferencedDate` and
//! `RecentlyViewed`.
//!
//! These dates are the only values of a record that differ from user to user, so they are kept
//! here and not with the record.

use std::cmp::Reverse;
use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::Id;
use crate::org::{Org, Session};
use crate::store::Record;
use crate::unsaved::Unsaved;
use crate::value::Value;

/// The records of an object that a user's list of recently used ones keeps (*Object Reference*,
/// "RecentlyViewed").
const RECENT_MAX: usize = 200;

/// The fields whose values differ from user to user.
pub(crate) const VIEWED: &str = "LastViewedDate";
pub(crate) const REFERENCED: &str = "LastReferencedDate";

/// How a record was come across.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Glance {
    /// It was looked at: `FOR VIEW`.
    View,
    /// A record related to it was looked at: `FOR REFERENCE`.
    Reference,
}

/// When a user came across a record.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Moments {
    viewed: Option<Timestamp>,
    referenced: Timestamp,
    /// Its place among all of the users', since several have one moment.
    place: u64,
}

/// What each user has looked at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    users: HashMap<Id, HashMap<Id, Moments>>,
    /// What the open transactions wrote over, the last one last: whose, of which record, and what.
    journal: Vec<(Id, Id, Option<Moments>)>,
    /// How many transactions are open.
    open: usize,
    /// The last of the places.
    last_place: u64,
    /// Who came across which records in a way that is not in the state file yet.
    pub(crate) unsaved: Unsaved<(Id, Id)>,
}

/// The beginning of a transaction.
#[derive(Debug)]
#[must_use = "a transaction must end"]
pub(crate) struct Savepoint(usize);

impl Seen {
    /// Writes down that a user came across a record. What is looked at is referred to as well.
    pub(crate) fn note(&mut self, user: Id, record: Id, glance: Glance, at: Timestamp) {
        self.unsaved.mark(|| (user, record));
        self.last_place += 1;
        let records = self.users.entry(user).or_default();
        if self.open > 0 {
            let before = records.get(&record).copied();
            self.journal.push((user, record, before));
        }
        let moments = records.entry(record).or_insert(Moments {
            viewed: None,
            referenced: at,
            place: 0,
        });
        moments.referenced = at;
        moments.place = self.last_place;
        if glance == Glance::View {
            moments.viewed = Some(at);
        }
    }

    /// Begins to remember what is not saved: everything at first, or nothing.
    pub(crate) fn remember_unsaved(&mut self, everything: bool) {
        let users = self.users.iter().filter(|_| everything);
        let seen = users.flat_map(|(user, records)| records.keys().map(|record| (*user, *record)));
        self.unsaved.begin(seen);
    }

    /// Gives when a user came across a record.
    pub(crate) fn moments(&self, user: Id, record: Id) -> Option<&Moments> {
        self.users.get(&user)?.get(&record)
    }

    /// Sets when a user came across a record, as it was saved.
    pub(crate) fn restore(&mut self, user: Id, record: Id, moments: Moments) {
        self.last_place = self.last_place.max(moments.place);
        self.users.entry(user).or_default().insert(record, moments);
    }

    /// Gives the place of when a user came across a record: the later, the higher.
    pub(crate) fn place(&self, user: Id, record: Id) -> u64 {
        let moments = self.moments(user, record);
        moments.map_or(0, |moments| moments.place)
    }

    /// Gives the records whose ids begin so and that a user has looked at, the last one first.
    pub(crate) fn looked_at(&self, user: Id, prefix: &str) -> Vec<Id> {
        let seen = self.users.get(&user).into_iter().flatten();
        let mut looked_at: Vec<_> = seen
            .filter(|(record, _)| record.prefix() == prefix)
            .filter_map(|(record, moments)| Some((moments.viewed?, moments.place, *record)))
            .collect();
        looked_at.sort_unstable_by(|one, other| other.cmp(one));
        looked_at.into_iter().map(|(.., record)| record).collect()
    }

    /// Opens a transaction, possibly within another.
    pub(crate) fn savepoint(&mut self) -> Savepoint {
        self.open += 1;
        Savepoint(self.journal.len())
    }

    /// Ends a transaction and keeps what was noted; those around it may still take it back.
    pub(crate) fn commit(&mut self, _: Savepoint) {
        self.open = self.open.saturating_sub(1);
        if self.open == 0 {
            self.journal.clear();
        }
    }

    /// Ends a transaction and takes back what was noted.
    pub(crate) fn roll_back(&mut self, savepoint: Savepoint) {
        self.open = self.open.saturating_sub(1);
        for (user, record, before) in self.journal.split_off(savepoint.0).into_iter().rev() {
            let records = self.users.entry(user).or_default();
            match before {
                Some(before) => records.insert(record, before),
                None => records.remove(&record),
            };
        }
    }

    /// Gives a user's value of a field of a record; `None` where the field is everybody's.
    pub(crate) fn value(&self, user: Id, record: Id, field: &str) -> Option<Value> {
        if field != VIEWED && field != REFERENCED {
            return None;
        }
        let moments = self.users.get(&user).and_then(|seen| seen.get(&record));
        Some(match (moments, field) {
            (Some(moments), VIEWED) => moments.viewed.into(),
            (Some(moments), _) => moments.referenced.into(),
            (None, _) => Value::Null,
        })
    }
}

impl Org {
    /// Gives the rows of a user's `RecentlyViewed`, in id order: for each object the records that
    /// were come across last. What the user does not see any more is not among them.
    pub(crate) fn recently_viewed(&self, session: &Session) -> Vec<Record> {
        let Some(seen) = self.seen.users.get(&session.user_id) else {
            return Vec::new();
        };
        let mut newest: Vec<(&Id, &Moments)> = seen.iter().collect();
        newest.sort_by_key(|(_, moments)| Reverse((moments.referenced, moments.place)));
        let mut kept: HashMap<&str, usize> = HashMap::new();
        let mut rows: Vec<Record> = newest
            .into_iter()
            .filter_map(|(id, _)| {
                let row = self.recent_row(session, *id)?;
                let kept = kept.entry(id.prefix()).or_default();
                *kept += 1;
                (*kept <= RECENT_MAX).then_some(row)
            })
            .collect();
        rows.sort_by_key(|row| row.id);
        rows
    }

    /// Makes the row of `RecentlyViewed` that stands for a record; none for one that is deleted or
    /// hidden, or whose object is in no such list.
    fn recent_row(&self, session: &Session, id: Id) -> Option<Record> {
        let object = session.schema().object_by_prefix(id.prefix())?;
        let record = self.store.get(&object.name, id)?;
        if record.deleted || !object.mru_enabled || !session.may_read(self, record) {
            return None;
        }
        let recent = self.schema.object("RecentlyViewed")?;
        let mut row = Record::new(id, recent.name.clone());
        for field in &recent.fields {
            let value = match &*field.name {
                "Type" => Value::text(&*object.name),
                "Name" => object
                    .name_field()
                    .map(|name| record.get(&name.name).clone())
                    .unwrap_or_default(),
                // Of a field that is hidden there is nothing here either.
                name => object
                    .field(name)
                    .map(|field| record.get(&field.name).clone())
                    .unwrap_or_default(),
            };
            row.values.insert(field.name.clone(), value);
        }
        Some(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_a_reference_and_not_the_other_way_round() {
        let (user, other) = (Id::numbered("005", 1), Id::numbered("005", 2));
        let (one, two) = (Id::numbered("001", 1), Id::numbered("001", 2));
        let at = |second| Timestamp::from_second(second).unwrap_or_default();
        let mut seen = Seen::default();
        seen.note(user, one, Glance::View, at(1));
        seen.note(user, one, Glance::Reference, at(2));
        seen.note(user, two, Glance::Reference, at(3));
        let cases = [
            (user, one, VIEWED, Some(at(1).into())),
            (user, one, REFERENCED, Some(at(2).into())),
            (user, two, VIEWED, Some(Value::Null)),
            (user, two, REFERENCED, Some(at(3).into())),
            (other, one, VIEWED, Some(Value::Null)),
            (user, one, "Name", None),
        ];
        for (user, record, field, expected) in cases {
            assert_eq!(
                seen.value(user, record, field),
                expected,
                "{record} {field}"
            );
        }
    }

    #[test]
    fn what_is_taken_back_was_not_seen() {
        let (user, record) = (Id::numbered("005", 1), Id::numbered("001", 1));
        let at = |second| Timestamp::from_second(second).unwrap_or_default();
        let mut seen = Seen::default();
        let viewed = |seen: &Seen| seen.value(user, record, VIEWED);
        for (second, keep) in [(1, false), (2, true), (3, false)] {
            let before = viewed(&seen);
            let savepoint = seen.savepoint();
            seen.note(user, record, Glance::View, at(second));
            assert_eq!(viewed(&seen), Some(at(second).into()));
            if keep {
                seen.commit(savepoint);
            } else {
                seen.roll_back(savepoint);
                assert_eq!(viewed(&seen), before);
            }
        }
        assert_eq!(viewed(&seen), Some(at(2).into()));
    }

    #[test]
    fn only_the_newest_records_are_kept() {
        let mut org = Org::sample(Timestamp::UNIX_EPOCH);
        let user = Id::numbered("005", 99);
        let at = |second| Timestamp::from_second(second).unwrap_or_default();
        let ids: Vec<Id> = org.store.rows("Measurement__c").map(|row| row.id).collect();
        for (second, id) in ids.iter().take(300).enumerate() {
            org.seen.note(user, *id, Glance::View, at(second as i64));
        }
        let session = Session::of_org(&org, user, jiff::tz::TimeZone::UTC);
        let rows = org.recently_viewed(&session);
        assert_eq!(rows.len(), RECENT_MAX);
        assert_eq!(rows.first().map(|row| row.id), ids.get(100).copied());
    }
}
