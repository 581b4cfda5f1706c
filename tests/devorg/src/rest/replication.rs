//! `/sobjects/{object}/updated` and `/deleted`: what a copy of the org has to catch up with.
//!
//! Seconds do not count: both ends of the time asked for are taken as of their minute.

use std::ops::Bound;

use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use super::Call;
use crate::error::ApiError;
use crate::id::Id;
use crate::org::Org;
use crate::schema::Object;
use crate::store::{Key, Record};
use crate::value::{Value, format_moment};
use crate::wire::Reply;

/// How far back a client can ask.
const WINDOW: SignedDuration = SignedDuration::from_hours(30 * 24);
const MINUTE_SECONDS: i64 = 60;
/// The field that says when a record was last changed; it has an index.
const STAMP: &str = "SystemModstamp";

/// The time that is asked for, its end not in it.
struct Window {
    start: Timestamp,
    end: Timestamp,
}

impl Call<'_> {
    /// `/sobjects/{object}/updated`.
    pub(super) fn updated(&self, name: &str) -> Result<Reply, ApiError> {
        self.replicated(name, |org, object, window| {
            let ids: Vec<&str> = self
                .changed(org, object, window)
                .filter(|(record, _)| !record.deleted)
                .map(|(record, _)| record.id.as_str())
                .collect();
            json!({"ids": ids, "latestDateCovered": format_moment(window.end)})
        })
    }

    /// `/sobjects/{object}/deleted`.
    pub(super) fn deleted(&self, name: &str) -> Result<Reply, ApiError> {
        self.replicated(name, |org, object, window| {
            let deleted: Vec<Json> = self
                .changed(org, object, window)
                .filter(|(record, _)| record.deleted)
                .map(|(record, at)| {
                    json!({"id": record.id.as_str(), "deletedDate": format_moment(at)})
                })
                .collect();
            let earliest = org
                .store
                .deleted(&object.name)
                .filter(|record| self.session.may_read(org, record))
                .filter_map(moment)
                .min()
                .unwrap_or(window.start);
            json!({
                "deletedRecords": deleted,
                "earliestDateAvailable": format_moment(earliest),
                "latestDateCovered": format_moment(window.end),
            })
        })
    }

    fn replicated(
        &self,
        name: &str,
        body: impl FnOnce(&Org, &Object, &Window) -> Json,
    ) -> Result<Reply, ApiError> {
        if self.request.method != Method::GET {
            return Ok(Reply::not_allowed(&self.request.method, "GET,HEAD"));
        }
        let org = self.shared.org();
        let object = self.named(name)?;
        if !object.replicateable {
            let message = format!("sObject type '{}' is not replicateable.", object.name);
            return Err(ApiError::bad_request("INVALID_TYPE", message));
        }
        let window = self.window(org.now())?;
        Ok(Reply::json(200, &body(&org, object, &window)))
    }

    /// Gives the records that the user sees and that were last changed in this time, and when.
    fn changed<'o>(
        &self,
        org: &'o Org,
        object: &Object,
        window: &Window,
    ) -> impl Iterator<Item = (&'o Record, Timestamp)> {
        let from = Bound::Included(Key::Moment(window.start));
        let to = Bound::Excluded(Key::Moment(window.end));
        let found = org.store.between(&object.name, STAMP, from, to);
        let mut ids: Vec<Id> = found.flat_map(|(_, ids)| ids.iter()).collect();
        ids.sort_unstable();
        let name = object.name.clone();
        ids.into_iter()
            .filter_map(move |id| org.store.get(&name, id))
            .filter(|record| self.session.may_read(org, record))
            .filter_map(|record| Some((record, moment(record)?)))
    }

    fn window(&self, now: Timestamp) -> Result<Window, ApiError> {
        let (start, end) = (self.moment_of("start")?, self.moment_of("end")?);
        let invalid = |message| Err(ApiError::bad_request("INVALID_REPLICATION_DATE", message));
        if end <= start {
            return invalid("endDate must be at least one minute greater than startDate");
        }
        if now.duration_since(start) > WINDOW {
            return invalid("startDate cannot be more than 30 days ago");
        }
        Ok(Window { start, end })
    }

    /// Reads a moment; a `+` before its distance from UTC may have come as a space.
    fn moment_of(&self, name: &str) -> Result<Timestamp, ApiError> {
        let text = self.request.param(name).unwrap_or_default().trim();
        if text.is_empty() {
            let message = format!("{name} not specified");
            return Err(ApiError::bad_request("MISSING_ARGUMENT", message));
        }
        let moment: Timestamp = text.replace(' ', "+").parse().map_err(|_| {
            let message = format!("{name} is not a valid dateTime: {text}");
            ApiError::bad_request("INVALID_REPLICATION_DATE", message)
        })?;
        let minute = moment.as_second().div_euclid(MINUTE_SECONDS) * MINUTE_SECONDS;
        Ok(Timestamp::from_second(minute).unwrap_or(moment))
    }
}

fn moment(record: &Record) -> Option<Timestamp> {
    match *record.get(STAMP) {
        Value::DateTime(at) => Some(at),
        _ => None,
    }
}
