//! `/sobjects` and describes.

use http::Method;
use http::header::LAST_MODIFIED;
use serde_json::json;

use super::Call;
use crate::error::ApiError;
use crate::schema::{Object, describe};
use crate::wire::{Reply, date};

impl Call<'_> {
    /// Finds an object that the user sees by the name in a path.
    pub(super) fn named(&self, name: &str) -> Result<&Object, ApiError> {
        let schema = self.session.schema();
        schema.object(name).ok_or_else(ApiError::not_found)
    }

    /// `/sobjects`.
    pub(super) fn objects(&self) -> Reply {
        let schema = self.session.schema();
        self.unless_known(|| describe::global(schema, &self.base))
    }

    /// `/sobjects/{object}`: its summary, or a record to be made.
    pub(super) fn object_or_create(&self, name: &str) -> Result<Reply, ApiError> {
        match self.request.method {
            Method::GET => {
                let object = self.named(name)?;
                let summary = describe::summary(object, &self.base);
                Ok(Reply::json(
                    200,
                    &json!({"objectDescribe": summary, "recentItems": self.recent_items(object)}),
                ))
            }
            Method::POST => self.create(name),
            _ => Ok(Reply::not_allowed(&self.request.method, "GET,HEAD,POST")),
        }
    }

    /// `/sobjects/{object}/describe`.
    pub(super) fn describe(&self, name: &str) -> Result<Reply, ApiError> {
        let object = self.named(name)?;
        Ok(self.unless_known(|| describe::object(object, &self.base)))
    }

    /// Answers 304 to who knows the schema already, as this user sees it.
    fn unless_known(&self, body: impl FnOnce() -> serde_json::Value) -> Reply {
        let access = &self.session.access;
        let changed = access.schema_changed();
        let known = self
            .request
            .header("if-modified-since")
            .and_then(date::read);
        let reply = match known {
            Some(known) if access.knows_schema(&self.shared.org(), known) => Reply::empty(304),
            _ => Reply::json(200, &body()),
        };
        reply.with(LAST_MODIFIED, date::write(changed))
    }
}
