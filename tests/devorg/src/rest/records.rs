//! One record: read, made, changed, deleted; by id or by an external id.

use std::hash::{DefaultHasher, Hash, Hasher};

use http::Method;
use http::header::{ETAG, LAST_MODIFIED};
use jiff::Timestamp;
use serde_json::json;

use super::Call;
use crate::error::ApiError;
use crate::id::Id;
use crate::org::Org;
use crate::records::{self, Key};
use crate::schema::Object;
use crate::store::Record;
use crate::value::Value;
use crate::wire::{Reply, date};

const METHODS: &str = "GET,HEAD,PATCH,DELETE";

impl Call<'_> {
    /// `POST /sobjects/{object}`.
    pub(super) fn create(&self, name: &str) -> Result<Reply, ApiError> {
        let object = self.named(name)?;
        let body = records::object_of(&self.record_body(object)?)?;
        let mut org = self.shared.org_mut();
        let options = self.write_options();
        let id = records::insert(&mut org, &self.session, object, &body, &options)?;
        Ok(self.created(object, id, false))
    }

    /// `/sobjects/{object}/{id}`.
    pub(super) fn record(&self, name: &str, id: &str) -> Result<Reply, ApiError> {
        let object = self.named(name)?;
        match self.request.method {
            Method::GET => {
                let org = self.shared.org();
                self.read(
                    &org,
                    object,
                    records::by_id(&org, &self.session, object, id, true)?,
                )
            }
            Method::PATCH => {
                let body = records::object_of(&self.record_body(object)?)?;
                let mut org = self.shared.org_mut();
                let record = records::by_id(&org, &self.session, object, id, false)?;
                self.check_unchanged(object, record)?;
                let id = record.id;
                let options = self.write_options();
                records::update(&mut org, &self.session, object, id, &body, &options)?;
                Ok(Reply::empty(204))
            }
            // The way of an upsert by `Id` to make a record.
            Method::POST if id.eq_ignore_ascii_case("Id") => {
                let body = records::object_of(&self.record_body(object)?)?;
                let mut org = self.shared.org_mut();
                let options = self.write_options();
                let id = records::insert(&mut org, &self.session, object, &body, &options)?;
                Ok(self.created(object, id, true))
            }
            Method::DELETE => {
                let mut org = self.shared.org_mut();
                let id = records::by_id(&org, &self.session, object, id, false)?.id;
                records::remove(&mut org, &self.session, object, id)?;
                Ok(Reply::empty(204))
            }
            _ => Ok(Reply::not_allowed(&self.request.method, METHODS)),
        }
    }

    /// `/sobjects/{object}/{field}/{value}`, where `PATCH` makes the record that is not there.
    pub(super) fn record_by_field(
        &self,
        name: &str,
        field: &str,
        value: &str,
    ) -> Result<Reply, ApiError> {
        let object = self.named(name)?;
        if self.request.method == Method::PATCH {
            return self.upsert(object, field, value);
        }
        let mut org = self.shared.org_mut();
        let found = match records::by_field(&org, &self.session, object, field, value)? {
            Key::One(id) => id,
            Key::None => return Err(ApiError::not_found()),
            Key::Several(ids) => return Ok(self.choices(object, &ids)),
        };
        match self.request.method {
            Method::GET => {
                let record = org
                    .store
                    .get(&object.name, found)
                    .ok_or_else(ApiError::not_found)?;
                self.read(&org, object, record)
            }
            Method::DELETE => {
                records::remove(&mut org, &self.session, object, found)?;
                Ok(Reply::empty(204))
            }
            _ => Ok(Reply::not_allowed(&self.request.method, METHODS)),
        }
    }

    fn upsert(&self, object: &Object, field: &str, value: &str) -> Result<Reply, ApiError> {
        self.only_json()?;
        let mut org = self.shared.org_mut();
        let body = records::object_of(&self.request.body)?;
        let key = records::by_field(&org, &self.session, object, field, value)?;
        if let Some(given) = body.keys().find(|name| name.eq_ignore_ascii_case(field)) {
            let message = format!("The {given} field should not be specified in the sobject data.");
            return Err(ApiError::bad_request("INVALID_FIELD", message));
        }
        let options = self.write_options();
        match key {
            Key::One(id) => {
                let record = org.store.get(&object.name, id);
                self.check_unchanged(object, record.ok_or_else(ApiError::not_found)?)?;
                records::update(&mut org, &self.session, object, id, &body, &options)?;
                Ok(Reply::json(
                    200,
                    &json!({"id": id.as_str(), "success": true, "errors": [], "created": false}),
                ))
            }
            Key::Several(ids) => Ok(self.choices(object, &ids)),
            Key::None if self.request.param("updateOnly") == Some("true") => {
                Err(ApiError::not_found())
            }
            Key::None => {
                let mut body = body;
                body.insert(field.to_owned(), value.into());
                let id = records::insert(&mut org, &self.session, object, &body, &options)?;
                Ok(self.created(object, id, true))
            }
        }
    }

    /// Answers 201; an upsert says beside the id that it made the record.
    fn created(&self, object: &Object, id: Id, upsert: bool) -> Reply {
        let mut body = json!({"id": id.as_str(), "success": true, "errors": []});
        if upsert {
            body["created"] = json!(true);
        }
        let at = format!("{}/sobjects/{}/{id}", self.base, object.name);
        Reply::json(201, &body).with(http::header::LOCATION, at)
    }

    /// Answers 300 with the addresses of the records that one external id names.
    fn choices(&self, object: &Object, ids: &[Id]) -> Reply {
        let urls: Vec<String> = ids
            .iter()
            .map(|id| format!("{}/sobjects/{}/{id}", self.base, object.name))
            .collect();
        Reply::json(300, &urls)
    }

    fn read(&self, org: &Org, object: &Object, record: &Record) -> Result<Reply, ApiError> {
        let fields = self
            .request
            .param("fields")
            .filter(|fields| !fields.trim().is_empty());
        let json = records::read(org, &self.session, object, record, fields, &self.base)?;
        let modified = modified(record);
        let tag = tag(object, record);
        let same = match self.request.header("if-none-match") {
            Some(known) => tag.as_deref().is_some_and(|tag| known.contains(tag)),
            None => {
                let known = self
                    .request
                    .header("if-modified-since")
                    .and_then(date::read);
                known
                    .zip(modified)
                    .is_some_and(|(known, modified)| modified <= known)
            }
        };
        let mut reply = if same {
            Reply::empty(304)
        } else {
            Reply::json(200, &json)
        };
        if let Some(modified) = modified {
            reply = reply.with(LAST_MODIFIED, date::write(modified));
        }
        if let Some(tag) = tag {
            reply = reply.with(ETAG, tag);
        }
        Ok(reply)
    }

    /// Refuses to change what somebody else has changed meanwhile (RFC 9110, section 13.1).
    fn check_unchanged(&self, object: &Object, record: &Record) -> Result<(), ApiError> {
        let since = self
            .request
            .header("if-unmodified-since")
            .and_then(date::read);
        let late = since
            .zip(modified(record))
            .is_some_and(|(since, modified)| modified > since);
        let other = match (self.request.header("if-match"), tag(object, record)) {
            (Some(known), Some(tag)) => known != "*" && !known.contains(&tag),
            _ => false,
        };
        if late || other {
            return Err(ApiError::new(
                412,
                "PRECONDITION_FAILED",
                "the record has been changed since it was read",
            ));
        }
        Ok(())
    }

    /// Refuses a body that does not say that it is JSON.
    pub(super) fn only_json(&self) -> Result<(), ApiError> {
        let kind = self.request.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("application/json") {
            return Ok(());
        }
        Err(ApiError::new(
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            format!("The content-type '{kind}' is not supported; use application/json"),
        ))
    }
}

/// Gives when a record was last changed, which not every object keeps.
fn modified(record: &Record) -> Option<Timestamp> {
    match *record.get("LastModifiedDate") {
        Value::DateTime(moment) => Some(moment),
        _ => None,
    }
}

/// Gives the entity tag of a record, which is another for other values (RFC 9110, section 8.8.1: two changes may
/// have one moment); only accounts have one.
fn tag(object: &Object, record: &Record) -> Option<String> {
    if &*object.name != "Account" {
        return None;
    }
    let mut hash = DefaultHasher::new();
    format!("{:?}", record.values).hash(&mut hash);
    Some(format!("\"{:x}\"", hash.finish()))
}
