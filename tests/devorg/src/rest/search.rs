//! `/search` and what goes with it: the scope, the columns of results, suggestions.

use serde_json::{Value as Json, json};

use super::Call;
use crate::error::ApiError;
use crate::schema::{Field, FieldType, Object};
use crate::search::{self, Answer, escaped};
use crate::wire::Reply;

/// The first version whose answer is an object; before, it is the list of records alone.
const OBJECT_SINCE: u32 = 37;
/// The fewest characters that suggestions are made for.
const SUGGEST_CHARS_MIN: usize = 3;
/// The suggestions that are made unless the client asks for another number.
const SUGGESTIONS: usize = 5;
/// The most suggestions that a client can ask for.
const SUGGESTIONS_MAX: usize = 2_000;
/// The rows that a search layout shows.
const LAYOUT_ROWS: usize = 25;

impl Call<'_> {
    /// `GET /search?q=FIND {…}`.
    pub(super) fn search(&self) -> Result<Reply, ApiError> {
        let sosl = self.request.param("q").unwrap_or_default();
        if sosl.trim().is_empty() {
            let message = "A search string has to be specified";
            return Err(ApiError::bad_request("MALFORMED_SEARCH", message));
        }
        let answer = search::run(&self.shared.org(), &self.session, sosl, &self.base)?;
        Ok(self.search_reply(answer))
    }

    /// Writes the answer to a search as its version does.
    pub(super) fn search_reply(&self, answer: Answer) -> Reply {
        let old = self.version.number() < OBJECT_SINCE;
        if old {
            return Reply::json(200, &answer.records);
        }
        let mut body = json!({"searchRecords": answer.records});
        if let Some(metadata) = answer.metadata {
            body["metadata"] = metadata;
        }
        Reply::json(200, &body)
    }

    /// `GET /search/scopeOrder`: the objects that a search looks in, in their order.
    pub(super) fn search_scope(&self) -> Reply {
        let schema = self.session.schema();
        let objects = schema.objects.iter().filter(|object| object.searchable);
        let scope = objects.map(|object| {
            let name = &*object.name;
            let url = format!("{}/sobjects/{name}/describe", self.base);
            json!({"type": name, "url": url})
        });
        Reply::json(200, &scope.collect::<Vec<_>>())
    }

    /// `GET /search/layout?q=Account,Contact`: the columns that results are shown in.
    pub(super) fn search_layouts(&self) -> Result<Reply, ApiError> {
        let schema = self.session.schema();
        let names = self.request.param("q").unwrap_or_default();
        let layouts: Result<Vec<Json>, ApiError> = names
            .split(',')
            .map(str::trim)
            .map(|name| Ok(layout(self.searchable(schema.object(name), name)?)))
            .collect();
        Ok(Reply::json(200, &layouts?))
    }

    /// `GET /search/suggestions?q=&sobject=`: records whose names begin with a text.
    pub(super) fn suggestions(&self) -> Result<Reply, ApiError> {
        let text = self.request.param("q").unwrap_or_default().trim();
        if text.chars().count() < SUGGEST_CHARS_MIN {
            let message =
                format!("The q parameter must have at least {SUGGEST_CHARS_MIN} characters");
            return Err(ApiError::bad_request("INVALID_SEARCH", message));
        }
        let limit = self.request.param("limit").map(str::parse);
        let limit = match limit {
            None => SUGGESTIONS,
            Some(Ok(limit)) if (1..=SUGGESTIONS_MAX).contains(&limit) => limit,
            Some(_) => return Err(invalid_number("limit")),
        };
        let org = self.shared.org();
        let names = self.request.param("sobject").unwrap_or_default();
        let mut returning = Vec::new();
        for name in names.split(',').map(str::trim) {
            let object = self.searchable(self.session.schema().object(name), name)?;
            let shown = object.name_field().map_or("Id", |field| &field.name);
            let fields = if shown == "Id" {
                "Id".to_owned()
            } else {
                format!("Id, {shown}")
            };
            returning.push(format!("{}({fields})", object.name));
        }
        let more = limit + 1;
        let (find, returning) = (begun(text), returning.join(", "));
        let sosl = format!("FIND {{{find}}} IN NAME FIELDS RETURNING {returning} LIMIT {more}");
        let mut found = search::run(&org, &self.session, &sosl, &self.base)?.records;
        let has_more = found.len() > limit;
        found.truncate(limit);
        let body = json!({"autoSuggestResults": found, "hasMoreResults": has_more});
        Ok(Reply::json(200, &body))
    }

    /// Refuses an object that is not there or that no search looks in.
    pub(super) fn searchable<'s>(
        &self,
        object: Option<&'s Object>,
        name: &str,
    ) -> Result<&'s Object, ApiError> {
        match object {
            Some(object) if object.searchable => Ok(object),
            Some(object) => {
                let message = format!("entity type {} does not support search", object.name);
                Err(ApiError::bad_request("INVALID_TYPE_FOR_OPERATION", message))
            }
            None => {
                let message = format!("sObject type '{name}' is not supported.");
                Err(ApiError::bad_request("INVALID_TYPE", message))
            }
        }
    }
}

/// Makes the refusal of a parameter that is no number within its bounds.
pub(super) fn invalid_number(name: &str) -> ApiError {
    let message = format!("Invalid value for parameter: {name}");
    ApiError::bad_request("NUMBER_OUTSIDE_VALID_RANGE", message)
}

/// Makes a text for records that have its words, the last perhaps only begun.
fn begun(text: &str) -> String {
    let wild = |c: char| "*?\"()".contains(c);
    let plain: String = text
        .chars()
        .map(|c| if wild(c) { ' ' } else { c })
        .collect();
    format!("{}*", escaped(plain.trim_end()))
}

fn layout(object: &Object) -> Json {
    let shown = object.fields.iter().filter(|field| is_column(field));
    let columns = shown.map(|field| {
        json!({
            "field": format!("{}.{}", object.name, field.name),
            "format": null,
            "label": field.label,
            "name": &*field.name,
        })
    });
    json!({
        "errorMessages": null,
        "label": "Search Results",
        "limitRows": LAYOUT_ROWS,
        "objectType": &*object.name,
        "searchColumns": columns.collect::<Vec<_>>(),
    })
}

/// The columns of a new org's layouts: the name, and how somebody is reached.
fn is_column(field: &Field) -> bool {
    let reach = matches!(field.field_type, FieldType::Email | FieldType::Phone);
    field.name_field || reach && !field.custom
}
