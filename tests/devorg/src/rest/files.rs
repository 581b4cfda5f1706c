//! The bytes of files: sent beside a record's JSON, and read by themselves.
//!
//! *REST API Developer Guide*, "Insert or Update Blob Data" and "sObject Blob Get".

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Map, Value as Json};

use super::Call;
use crate::error::ApiError;
use crate::records;
use crate::schema::{FieldType, Object};
use crate::wire::{Reply, invalid_multipart};

/// What Salesforce calls bytes, whatever they are.
const BYTES: &str = "application/octetstream";

impl Call<'_> {
    /// Gives the JSON of a record that is sent: the body, or the parts of one as JSON.
    ///
    /// # Errors
    ///
    /// `UNSUPPORTED_MEDIA_TYPE`, or `INVALID_MULTIPART_REQUEST`.
    pub(super) fn record_body(&self, object: &Object) -> Result<Cow<'_, [u8]>, ApiError> {
        if !self.request.is_multipart() {
            self.only_json()?;
            return Ok(Cow::Borrowed(&self.request.body));
        }
        let (binary, plain): (Vec<_>, Vec<_>) = self
            .request
            .parts()?
            .into_iter()
            .partition(|part| part.file);
        let [entity] = plain.as_slice() else {
            return Err(invalid_multipart(
                "Multipart message must include a non-binary part",
            ));
        };
        let Ok(mut record) = serde_json::from_slice::<Map<String, Json>>(&entity.body) else {
            return Ok(Cow::Owned(entity.body.to_vec())); // Refused as any body that is no JSON.
        };
        for part in binary {
            let field = object
                .field(&part.name)
                .filter(|field| field.field_type == FieldType::Base64)
                .ok_or_else(|| records::no_field(object, &part.name))?;
            let data = STANDARD.encode(&part.body);
            record.insert((*field.name).to_owned(), Json::from(data));
        }
        Ok(Cow::Owned(Json::Object(record).to_string().into_bytes()))
    }

    /// Says whether a path's last part names the bytes of its record.
    pub(super) fn is_blob(&self, object: &str, field: &str) -> bool {
        let schema = self.session.schema();
        let field = schema.object(object).and_then(|object| object.field(field));
        field.is_some_and(|field| field.field_type == FieldType::Base64)
    }

    /// Says whether a path below the version is that of a field's bytes.
    pub(super) fn asks_for_bytes(&self, path: &[&str]) -> bool {
        matches!(path, ["sobjects", object, _, field] if self.is_blob(object, field))
    }

    /// `/sobjects/{object}/{id}/{field}`.
    pub(super) fn blob(&self, name: &str, id: &str, field: &str) -> Result<Reply, ApiError> {
        if self.request.method != Method::GET {
            return Ok(Reply::not_allowed(&self.request.method, "GET,HEAD"));
        }
        let org = self.shared.org();
        let object = self.named(name)?;
        let record = records::by_id(&org, &self.session, object, id, true)?;
        let field = object.field(field).ok_or_else(ApiError::not_found)?;
        let bytes = record
            .get(&field.name)
            .as_blob()
            .ok_or_else(ApiError::not_found)?;
        Ok(Reply::bytes(BYTES, bytes.to_vec()))
    }
}
