//! `/parameterizedSearch`: a search by parameters or a JSON body instead of SOSL.
//!
//! What is asked is written as SOSL, so that it is answered and refused alike.

use std::fmt::Write;

use http::Method;
use serde::Deserialize;

use super::Call;
use super::search::invalid_number;
use crate::error::ApiError;
use crate::search::{self, ROWS_MAX, escaped};
use crate::wire::{Reply, Request};

/// What is searched for, and where.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    fields: Vec<String>,
    #[serde(default)]
    sobjects: Vec<AskedObject>,
    #[serde(rename = "in")]
    group: Option<String>,
    overall_limit: Option<u64>,
    default_limit: Option<u64>,
    offset: Option<u64>,
    metadata: Option<String>,
    /// It has no effect here, where nothing is spelled for the person who asks.
    #[serde(rename = "spellCorrection")]
    _spell_correction: Option<bool>,
}

/// What is said of one object.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AskedObject {
    name: String,
    #[serde(default)]
    fields: Vec<String>,
    #[serde(rename = "where")]
    condition: Option<String>,
    order_by: Option<String>,
    limit: Option<u64>,
}

impl Call<'_> {
    /// Answers a search by the parameters of the address, or by a JSON body.
    pub(super) fn parameterized_search(&self) -> Result<Reply, ApiError> {
        let asked = match self.request.method {
            Method::GET => Asked::of_address(self.request)?,
            Method::POST => serde_json::from_slice(&self.request.body)
                .map_err(|error| ApiError::bad_request("JSON_PARSER_ERROR", error.to_string()))?,
            _ => return Ok(Reply::not_allowed(&self.request.method, "GET,HEAD,POST")),
        };
        if asked.q.trim().is_empty() {
            let message = "Required parameter is missing: q";
            return Err(ApiError::bad_request("INVALID_SEARCH", message));
        }
        let org = self.shared.org();
        for object in &asked.sobjects {
            self.searchable(self.session.schema().object(&object.name), &object.name)?;
        }
        let answer = search::run(&org, &self.session, &asked.sosl()?, &self.base)?;
        Ok(self.search_reply(answer))
    }
}

impl Asked {
    /// Reads `?q=…&sobject=Account&Account.fields=Id,Name&Account.limit=5`.
    fn of_address(request: &Request) -> Result<Self, ApiError> {
        let list = |text: &str| -> Vec<String> {
            text.split(',').map(|name| name.trim().to_owned()).collect()
        };
        let number = |name: &str, text: &str| text.parse().map_err(|_| invalid_number(name));
        let mut asked = Self::default();
        for (_, value) in request.query.iter().filter(|(name, _)| name == "sobject") {
            asked
                .sobjects
                .extend(list(value).into_iter().map(|name| AskedObject {
                    name,
                    ..AskedObject::default()
                }));
        }
        for (name, value) in &request.query {
            match (name.as_str(), name.split_once('.')) {
                ("q", _) => asked.q.clone_from(value),
                ("fields", _) => asked.fields = list(value),
                ("in", _) => asked.group = Some(value.clone()),
                ("metadata", _) => asked.metadata = Some(value.clone()),
                ("overallLimit", _) => asked.overall_limit = Some(number(name, value)?),
                ("defaultLimit", _) => asked.default_limit = Some(number(name, value)?),
                ("offset", _) => asked.offset = Some(number(name, value)?),
                (_, Some((object, what))) => {
                    let mut objects = asked.sobjects.iter_mut();
                    let Some(object) =
                        objects.find(|known| known.name.eq_ignore_ascii_case(object))
                    else {
                        continue;
                    };
                    match what {
                        "fields" => object.fields = list(value),
                        "where" => object.condition = Some(value.clone()),
                        "orderBy" => object.order_by = Some(value.clone()),
                        "limit" => object.limit = Some(number(name, value)?),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        Ok(asked)
    }

    /// Writes it as SOSL.
    fn sosl(&self) -> Result<String, ApiError> {
        let group = match self.group.as_deref().unwrap_or("ALL") {
            group
                if ["ALL", "NAME", "EMAIL", "PHONE", "SIDEBAR"]
                    .contains(&group.to_ascii_uppercase().as_str()) =>
            {
                group
            }
            group => {
                let message = format!("Invalid value for parameter: in: {group}");
                return Err(ApiError::bad_request("INVALID_SEARCH", message));
            }
        };
        let objects: Result<Vec<String>, ApiError> = self
            .sobjects
            .iter()
            .map(|object| self.returning(object))
            .collect();
        let mut sosl = format!("FIND {{{}}} IN {group} FIELDS", escaped(&self.q));
        // Writing to a `String` cannot fail.
        let objects = objects?;
        if !objects.is_empty() {
            let _ = write!(sosl, " RETURNING {}", objects.join(", "));
        }
        if let Some(kind) = &self.metadata {
            let _ = write!(
                sosl,
                " WITH METADATA = '{}'",
                kind.replace(['\'', '\\'], "")
            );
        }
        if let Some(limit) = self.overall_limit {
            let _ = write!(sosl, " LIMIT {limit}");
        }
        Ok(sosl)
    }

    fn returning(&self, object: &AskedObject) -> Result<String, ApiError> {
        let fields = match (object.fields.as_slice(), self.fields.as_slice()) {
            ([], []) => "Id".to_owned(),
            ([], fields) | (fields, _) => fields.join(", "),
        };
        let mut text = format!("{}({fields}", object.name);
        let clauses = [
            ("WHERE", object.condition.clone()),
            ("ORDER BY", object.order_by.clone()),
            (
                "LIMIT",
                object
                    .limit
                    .or(self.default_limit)
                    .map(|rows| rows.to_string()),
            ),
            ("OFFSET", self.offset.map(|rows| rows.to_string())),
        ];
        for (word, clause) in clauses {
            if let Some(clause) = clause {
                let _ = write!(text, " {word} {clause}");
            }
        }
        if object.limit.is_some_and(|limit| limit > ROWS_MAX as u64) {
            return Err(invalid_number("limit"));
        }
        Ok(text + ")")
    }
}
