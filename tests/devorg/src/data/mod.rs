//! The sample records: a company's sales and service as they might stand today.
//!
//! The same day gives the same records on every machine. Numbers come from [`Dice`], whose throws
//! depend on nothing but a record's place; days count from the org's today, so that `LAST_MONTH`
//! and its kin always find something. Every name and address is invented; mail goes to `.example`.

mod accounts;
mod activities;
mod analytics;
mod approvals;
mod dice;
mod files;
mod inspections;
mod measurements;
mod people;
mod profiles;
mod sales;
mod service;
mod views;
mod words;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::id::Id;
use crate::objects;
use crate::org::Org;
use crate::records::fill;
use crate::schema::{Object, Schema};
use crate::value::Value;
pub(crate) use dice::Dice;
use people::People;

const DAY_SECONDS: i64 = 86_400;
const NOON_SECONDS: i64 = DAY_SECONDS / 2;

/// Gives the id of the administrator, whom every org has.
pub(crate) fn administrator() -> Id {
    Id::numbered("005", 1)
}

impl Org {
    /// Makes an org with sample records, whose time is the last noon (UTC) at `now`.
    ///
    /// Noon, because it is the same day in nearly every time zone: who asks does not change what
    /// `TODAY` finds.
    ///
    /// It is made once a process for each day: tests start many orgs, and copies share what neither
    /// has changed.
    pub fn sample(now: Timestamp) -> Self {
        static SAMPLES: Mutex<BTreeMap<Timestamp, Org>> = Mutex::new(BTreeMap::new());
        let noon = Self::last_noon(now);
        let mut samples = SAMPLES.lock().unwrap_or_else(PoisonError::into_inner);
        let sample = samples.entry(noon).or_insert_with(|| Self::made(noon));
        sample.clone()
    }

    /// Gives the last noon (UTC): the records are of that moment, so that none is of the future.
    fn last_noon(now: Timestamp) -> Timestamp {
        let days = (now.as_second() - NOON_SECONDS).div_euclid(DAY_SECONDS);
        Timestamp::from_second(days * DAY_SECONDS + NOON_SECONDS).unwrap_or(now)
    }

    fn made(noon: Timestamp) -> Self {
        let (mut seed, people) = Seed::bare(objects::schema(), noon);
        seed.add_business(&people);
        seed.org
    }

    /// Makes an org of a schema with the sample's records.
    pub(crate) fn sample_of(schema: Schema, now: Timestamp) -> Self {
        let (mut seed, people) = Seed::bare(schema, Org::last_noon(now));
        seed.add_business(&people);
        seed.org
    }

    /// Makes an org of a schema with nothing but what an org has by itself, and the id of its
    /// administrator: users, what they may do, queues, record types, list views, reports and
    /// approval processes.
    pub(crate) fn bare(schema: Schema, now: Timestamp) -> (Self, Id) {
        let (seed, _) = Seed::bare(schema, Org::last_noon(now));
        (seed.org, seed.admin)
    }
}

/// An org that is being filled.
struct Seed {
    org: Org,
    /// Who makes what nobody owns.
    admin: Id,
}

/// Values of a record to be made, by field.
type Row = Vec<(&'static str, Value)>;

impl Seed {
    /// Makes an org with what it has by itself, and those who could own records.
    fn bare(schema: Schema, noon: Timestamp) -> (Self, People) {
        let id = Id::numbered("00D", 1);
        let mut seed = Self {
            org: Org::new(schema, id, noon),
            admin: administrator(),
        };
        let people = people::add(&mut seed);
        views::add(&mut seed);
        analytics::add(&mut seed);
        approvals::add(&mut seed);
        (seed, people)
    }

    /// Adds the business of the sample's company.
    fn add_business(&mut self, people: &People) {
        let accounts = accounts::add(self, people);
        let sales = sales::add(self, people, &accounts);
        let cases = service::add(self, people, &accounts);
        activities::add(self, people, &accounts, &sales, &cases);
        measurements::add(self, people, &accounts);
        inspections::add(self, people, &accounts);
        files::add(self, people, &accounts, &sales);
        views::look(self);
        approvals::submit(self);
    }

    /// Makes a record at a moment; its owner, if it is a person, made it.
    fn add(&mut self, object: &str, made: Timestamp, row: Row) -> Id {
        let schema = Arc::clone(&self.org.schema);
        let Some(object) = schema.object(object) else {
            return self.admin; // No object is misnamed: a test counts the records of each.
        };
        // An object that is described otherwise than the sample's takes what fits.
        let values: fill::Values = row
            .into_iter()
            .filter(|(field, value)| fits(object, field, value))
            .map(|(field, value)| (field.into(), value))
            .collect();
        let owner = values
            .get("OwnerId")
            .and_then(|owner| Id::parse(owner.as_text()?))
            .filter(|owner| owner.prefix() == "005");
        fill::insert(
            &mut self.org,
            object,
            values,
            owner.unwrap_or(self.admin),
            made,
        )
    }

    /// Makes a record that has its id already.
    fn add_as(&mut self, object: &str, id: Id, made: Timestamp, row: Row) {
        let schema = Arc::clone(&self.org.schema);
        let Some(object) = schema.object(object) else {
            return; // No object is misnamed: a test counts the records of each.
        };
        let values = row.into_iter().map(|(field, value)| (field.into(), value));
        fill::restore(
            &mut self.org,
            object,
            id,
            values.collect(),
            self.admin,
            made,
        );
    }

    /// Changes a record's fields as the org would, without a trace of who did it.
    fn set(&mut self, id: Id, row: Row) {
        let Some((_, record)) = self.org.find(id) else {
            return;
        };
        let mut record = record.clone();
        for (field, value) in row {
            record.values.insert(field.into(), value);
        }
        self.org.store.put(record);
    }

    /// Deletes a record at a moment.
    fn delete(&mut self, id: Id, at: Timestamp) {
        fill::delete(&mut self.org, id, self.admin, at);
    }

    /// Gives the moment so many days before today at a minute of the day (UTC), but none after the
    /// org's time.
    fn ago(&self, days: u64, minute: u64) -> Timestamp {
        let now = self.org.now().as_second();
        let second = now - NOON_SECONDS - (days as i64) * DAY_SECONDS + (minute as i64) * 60;
        Timestamp::from_second(second.min(now)).unwrap_or(self.org.now())
    }

    /// Gives the moment so many seconds after another, or before.
    fn after(&self, moment: Timestamp, seconds: i64) -> Timestamp {
        Timestamp::from_second(moment.as_second().saturating_add(seconds)).unwrap_or(moment)
    }

    /// Gives the day so many days from today.
    fn day(&self, days: i64) -> Date {
        let moment = self.after(self.org.now(), days * DAY_SECONDS);
        TimeZone::UTC.to_datetime(moment).date()
    }
}

/// Says whether an object's field can have a value.
fn fits(object: &Object, field: &str, value: &Value) -> bool {
    let record_types = &object.record_types;
    match object.field(field) {
        None => false,
        Some(_) if field == "RecordTypeId" => record_types
            .iter()
            .any(|known| value.as_text() == Some(known.id.as_str())),
        Some(field) => field.field_type.takes(value),
    }
}

#[cfg(test)]
mod tests;
