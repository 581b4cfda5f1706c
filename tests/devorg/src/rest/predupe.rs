//! `/ui-api/predupe`: which records a duplicate rule would find, before anything is written.

use http::Method;
use serde_json::{Map, Value as Json, json};

use super::Call;
use super::subrequest::missing;
use crate::error::ApiError;
use crate::records;
use crate::wire::Reply;

impl Call<'_> {
    /// `POST /ui-api/predupe` with `{"apiName": "Lead", "fields": {…}}`.
    pub(super) fn predupe(&self) -> Result<Reply, ApiError> {
        if self.request.method != Method::POST {
            return Ok(Reply::not_allowed(&self.request.method, "POST"));
        }
        self.only_json()?;
        let body = records::object_of(&self.request.body)?;
        let name = body.get("apiName").and_then(Json::as_str);
        let name = name.ok_or_else(|| missing("apiName"))?;
        let none = Map::new();
        let fields = body
            .get("fields")
            .and_then(Json::as_object)
            .unwrap_or(&none);
        let org = self.shared.org();
        let object = self.named(name)?;
        let found = records::find_duplicates(&org, &self.session, object, fields)?;
        let matches: Vec<Json> = found
            .iter()
            .flat_map(records::FoundDuplicates::by_rule)
            .filter_map(|found| Some((self.session.schema().object(found.entity)?, found)))
            .map(|(entity, found)| {
                let ids: Vec<&str> = found
                    .records
                    .iter()
                    .map(|record| record.id.as_str())
                    .collect();
                json!({
                    "apiName": &*entity.name,
                    "isAllowSave": true,
                    "matchRecordIds": ids,
                    "matchRule": found.rule,
                    "objectLabel": entity.label,
                    "objectLabelPlural": entity.label_plural,
                })
            })
            .collect();
        let rule = records::duplicate_rule(object);
        Ok(Reply::json(
            200,
            &json!({
                "allowSave": true,
                "duplicateError": !matches.is_empty(),
                "duplicateRules": rule.into_iter().collect::<Vec<_>>(),
                "matches": matches,
            }),
        ))
    }
}
