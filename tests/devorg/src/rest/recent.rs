//! `/recent`: the records that who asks has used last; and what counts as using one.

use std::cmp::Reverse;

use http::Method;
use serde_json::{Map, Value as Json, json};

use super::Call;
use crate::error::ApiError;
use crate::id::Id;
use crate::schema::Object;
use crate::seen::{Glance, VIEWED};
use crate::state::Shared;
use crate::wire::Reply;

/// The most records of an answer (*REST API Developer Guide*, "Recently Viewed Items").
const ITEMS_MAX: usize = 200;

impl Call<'_> {
    /// `/recent?limit=`.
    pub(super) fn recent(&self) -> Result<Reply, ApiError> {
        if self.request.method != Method::GET {
            return Ok(Reply::not_allowed(&self.request.method, "GET,HEAD"));
        }
        let limit = match self.request.param("limit") {
            None => ITEMS_MAX,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=ITEMS_MAX).contains(limit))
                .ok_or_else(|| {
                    let message = format!("limit must be between 1 and {ITEMS_MAX}: {text}");
                    ApiError::bad_request("NUMBER_OUTSIDE_VALID_RANGE", message)
                })?,
        };
        let soql =
            format!("SELECT Id, Name, Type, {VIEWED} FROM RecentlyViewed WHERE {VIEWED} != NULL");
        let items: Vec<Json> = self
            .latest(&soql)?
            .iter()
            .take(limit)
            .map(|row| self.item(row["Type"].as_str().unwrap_or_default(), "Name", row))
            .collect();
        Ok(Reply::json(200, &items))
    }

    /// Gives `recentItems` of an object. What the user does not see any more is not among them.
    pub(super) fn recent_items(&self, object: &Object) -> Vec<Json> {
        let name = match (object.field(VIEWED), object.name_field()) {
            (Some(_), Some(name)) if object.mru_enabled => &*name.name,
            _ => return Vec::new(),
        };
        let org = self.shared.org();
        let looked_at = org.seen.looked_at(self.session.user_id, &object.key_prefix);
        looked_at
            .into_iter()
            .filter_map(|id| org.store.get(&object.name, id))
            .filter(|record| !record.deleted && self.session.may_read(&org, record))
            .take(ITEMS_MAX)
            .map(|record| {
                let row = json!({"Id": record.id.as_str(), name: record.get(name).to_json()});
                self.item(&object.name, name, &row)
            })
            .collect()
    }

    /// Gives rows in the order in which they were looked at, the last one first.
    fn latest(&self, soql: &str) -> Result<Vec<Json>, ApiError> {
        let mut rows = self.ask(soql)?;
        let org = self.shared.org();
        rows.sort_by_cached_key(|row| {
            let id = row["Id"].as_str().and_then(Id::parse);
            let place = id.map(|id| org.seen.place(self.session.user_id, id));
            Reverse((row[VIEWED].as_str().map(str::to_owned), place))
        });
        Ok(rows)
    }

    fn item(&self, object: &str, name: &str, row: &Json) -> Json {
        let id = row["Id"].as_str().unwrap_or_default();
        let url = format!("{}/sobjects/{object}/{id}", self.base);
        let mut item = Map::new();
        item.insert("attributes".into(), json!({"type": object, "url": url}));
        item.insert(name.into(), row[name].clone());
        item.insert("Id".into(), id.into());
        Json::Object(item)
    }

    /// Writes down that who asks has come across a record.
    pub(super) fn note_seen(&self, record: Id, glance: Glance) {
        self.shared
            .note_seen(self.session.user_id, &[record], glance);
    }
}

impl Shared {
    /// Writes down what `FOR VIEW` and `FOR REFERENCE` say of the rows of a page.
    pub(crate) fn note_page(&self, user: Id, glance: Option<Glance>, rows: &[Json]) {
        let Some(glance) = glance else { return };
        // The address names the record, whether its id is selected or not.
        let ids: Vec<Id> = rows
            .iter()
            .filter_map(|row| Id::parse(row["attributes"]["url"].as_str()?.rsplit('/').next()?))
            .collect();
        self.note_seen(user, &ids, glance);
    }

    /// Writes down that a user has come across records, all in one moment.
    fn note_seen(&self, user: Id, records: &[Id], glance: Glance) {
        if records.is_empty() {
            return;
        }
        let mut org = self.org_mut();
        let at = org.tick();
        for record in records {
            org.seen.note(user, *record, glance, at);
        }
    }
}
