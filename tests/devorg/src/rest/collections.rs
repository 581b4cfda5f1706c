//! sObject Collections: up to 200 records made, changed, deleted or read in one request.
//!
//! Each record has a result of its own. With `allOrNone`, one record's failure takes all others back.

use http::Method;
use serde_json::{Map, Value as Json, json};

use super::Call;
use crate::error::ApiError;
use crate::id::Id;
use crate::org::Org;
use crate::records::{self, Key, Upserted};
use crate::schema::{Object, Schema};
use crate::wire::Reply;

/// The records that one request writes.
const RECORDS_MAX: usize = 200;
/// The records that one request reads.
const READ_MAX: usize = 2_000;
/// The runs of records of one type that one request writes.
const CHUNKS_MAX: usize = 10;

/// The records of a request to write several.
struct Collection {
    all_or_none: bool,
    records: Vec<Map<String, Json>>,
}

/// What became of one record.
struct Outcome {
    result: Result<Id, ApiError>,
    /// The record that the request names, if it names one.
    id: Option<Id>,
    /// Whether an upsert makes the record; no upsert has none.
    created: Option<bool>,
}

impl Call<'_> {
    /// `/composite/sobjects`.
    pub(super) fn collection(&self) -> Result<Reply, ApiError> {
        match self.request.method {
            Method::POST => self.create_collection(),
            Method::PATCH => self.update_collection(),
            Method::DELETE => self.delete_collection(),
            _ => Ok(Reply::not_allowed(
                &self.request.method,
                "POST,PATCH,DELETE",
            )),
        }
    }

    fn create_collection(&self) -> Result<Reply, ApiError> {
        let collection = self.records_of_body()?;
        let mut org = self.shared.org_mut();
        let objects = objects(self.session.schema(), &collection.records)?;
        let records: Vec<_> = objects.into_iter().zip(&collection.records).collect();
        let options = self.write_options();
        Ok(write(
            &mut org,
            collection.all_or_none,
            &records,
            |org, (object, body)| Outcome {
                result: records::insert(org, &self.session, object, body, &options),
                id: None,
                created: None,
            },
        ))
    }

    fn update_collection(&self) -> Result<Reply, ApiError> {
        let collection = self.records_of_body()?;
        let mut org = self.shared.org_mut();
        let objects = objects(self.session.schema(), &collection.records)?;
        let records: Vec<_> = objects.into_iter().zip(&collection.records).collect();
        Ok(write(
            &mut org,
            collection.all_or_none,
            &records,
            |org, (object, body)| {
                let (id, body) = without(body, "Id");
                let id = id.as_deref();
                Outcome {
                    id: id.and_then(Id::parse),
                    result: self.update_one(org, object, id, &body),
                    created: None,
                }
            },
        ))
    }

    fn update_one(
        &self,
        org: &mut Org,
        object: &Object,
        id: Option<&str>,
        body: &Map<String, Json>,
    ) -> Result<Id, ApiError> {
        let id = id.ok_or_else(|| {
            ApiError::bad_request("MISSING_ARGUMENT", "Id not specified in an update call")
        })?;
        let id = records::to_write_of(org, &self.session, object, id)?.id;
        records::update(org, &self.session, object, id, body, &self.write_options())?;
        Ok(id)
    }

    fn delete_collection(&self) -> Result<Reply, ApiError> {
        let ids = self.ids_of_query()?;
        within_limit(ids.len())?;
        let all_or_none = self
            .request
            .param("allOrNone")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let mut org = self.shared.org_mut();
        Ok(write(&mut org, all_or_none, &ids, |org, text| {
            let found = records::to_write(org, &self.session, text)
                .map(|(object, record)| (object.name.clone(), record.id));
            let result = found.and_then(|(name, id)| {
                let object = self.named(&name)?;
                records::remove(org, &self.session, object, id).map(|()| id)
            });
            Outcome {
                id: Id::parse(text),
                result,
                created: None,
            }
        }))
    }

    /// `PATCH /composite/sobjects/{object}/{externalId}`.
    pub(super) fn upsert_collection(&self, name: &str, field: &str) -> Result<Reply, ApiError> {
        if self.request.method != Method::PATCH {
            return Ok(Reply::not_allowed(&self.request.method, "PATCH"));
        }
        let collection = self.records_of_body()?;
        let mut org = self.shared.org_mut();
        let object = self.named(name)?;
        // A name that finds no records is refused for all of them.
        let key = records::key_field(object, field)?;
        for of in objects(self.session.schema(), &collection.records)? {
            if of.name != object.name {
                let message = format!("every record must be of the type {}", object.name);
                return Err(ApiError::bad_request("INVALID_TYPE", message));
            }
        }
        Ok(write(
            &mut org,
            collection.all_or_none,
            &collection.records,
            |org, body| self.upsert_one(org, object, &key.name, body),
        ))
    }

    fn upsert_one(
        &self,
        org: &mut Org,
        object: &Object,
        field: &str,
        body: &Map<String, Json>,
    ) -> Outcome {
        let options = self.write_options();
        let (value, body) = without(body, field);
        let Some(value) = value else {
            let made = (field == "Id")
                .then(|| records::insert(org, &self.session, object, &body, &options));
            let missing =
                ApiError::bad_request("MISSING_ARGUMENT", format!("{field} not specified"));
            return Outcome {
                result: made.unwrap_or(Err(missing)),
                id: None,
                created: Some(field == "Id"),
            };
        };
        let key = records::by_field(org, &self.session, object, field, &value);
        let id = match key {
            Ok(Key::One(id)) => Some(id),
            _ => None,
        };
        // Also where it fails, the answer says what it would have done.
        let created = Some(key == Ok(Key::None));
        let key_value = (field, value.as_str());
        let upserted = key.and_then(|key| {
            records::upsert_found(org, &self.session, object, key, key_value, &body, &options)
        });
        Outcome {
            result: upserted.map(|upserted| match upserted {
                Upserted::Created(id) | Upserted::Updated(id) => id,
            }),
            id,
            created,
        }
    }

    /// `/composite/sobjects/{object}`: several records read by id; null for what is not there.
    pub(super) fn retrieve(&self, name: &str) -> Result<Reply, ApiError> {
        let (ids, fields) = match self.request.method {
            Method::GET => {
                let fields = self.request.param("fields").map(str::to_owned);
                (self.ids_of_query()?, fields)
            }
            Method::POST => {
                self.only_json()?;
                let body = records::object_of(&self.request.body)?;
                let fields = texts(&body, "fields").map(|fields| fields.join(","));
                let ids = texts(&body, "ids").ok_or_else(|| not_specified("ids"))?;
                (ids, fields)
            }
            _ => return Ok(Reply::not_allowed(&self.request.method, "GET,HEAD,POST")),
        };
        let fields = fields
            .filter(|fields| !fields.trim().is_empty())
            .ok_or_else(|| not_specified("fields"))?;
        if ids.len() > READ_MAX {
            return Err(too_many(READ_MAX));
        }
        let org = self.shared.org();
        let object = self.named(name)?;
        let record = |id: &String| match records::by_id(&org, &self.session, object, id, true) {
            Ok(record) => records::read(
                &org,
                &self.session,
                object,
                record,
                Some(&fields),
                &self.base,
            ),
            Err(_) => Ok(Json::Null),
        };
        let records: Vec<Json> = ids.iter().map(record).collect::<Result<_, _>>()?;
        Ok(Reply::json(200, &records))
    }

    fn ids_of_query(&self) -> Result<Vec<String>, ApiError> {
        let ids = self.request.param("ids").unwrap_or_default();
        let ids: Vec<String> = ids
            .split(',')
            .map(|id| id.trim().to_owned())
            .filter(|id| !id.is_empty())
            .collect();
        if ids.is_empty() {
            return Err(not_specified("ids"));
        }
        Ok(ids)
    }

    fn records_of_body(&self) -> Result<Collection, ApiError> {
        self.only_json()?;
        let mut body = records::object_of(&self.request.body)?;
        let all_or_none = body.get("allOrNone").and_then(Json::as_bool) == Some(true);
        let Some(Json::Array(list)) = body.remove("records") else {
            return Err(not_specified("records"));
        };
        within_limit(list.len())?;
        let records = list
            .into_iter()
            .map(|record| match record {
                Json::Object(record) => Ok(record),
                _ => Err(ApiError::bad_request(
                    "JSON_PARSER_ERROR",
                    "every record must be a JSON object",
                )),
            })
            .collect::<Result<_, _>>()?;
        Ok(Collection {
            all_or_none,
            records,
        })
    }
}

/// Writes each item, and gives the results; with `all_or_none`, all of them or none.
fn write<T>(
    org: &mut Org,
    all_or_none: bool,
    items: &[T],
    mut one: impl FnMut(&mut Org, &T) -> Outcome,
) -> Reply {
    let outcomes = org.transaction(|org| {
        let outcomes: Vec<Outcome> = items.iter().map(|item| one(org, item)).collect();
        let failed = outcomes.iter().any(|outcome| outcome.result.is_err());
        if all_or_none && failed {
            Err(outcomes)
        } else {
            Ok(outcomes)
        }
    });
    let results: Vec<Json> = match outcomes {
        Ok(outcomes) => outcomes.iter().map(Outcome::to_json).collect(),
        Err(outcomes) => outcomes
            .into_iter()
            .map(|outcome| outcome.rolled_back().to_json())
            .collect(),
    };
    Reply::json(200, &results)
}

impl Outcome {
    fn rolled_back(self) -> Self {
        let result = self.result.and_then(|_| Err(ApiError::rolled_back()));
        Self { result, ..self }
    }

    fn to_json(&self) -> Json {
        let mut json = match &self.result {
            Ok(id) => json!({"id": id.as_str(), "success": true, "errors": []}),
            Err(error) => json!({"success": false, "errors": error.to_record_errors()}),
        };
        if let (Err(_), Some(id)) = (&self.result, self.id) {
            json["id"] = id.as_str().into();
        }
        if let Some(created) = self.created {
            json["created"] = created.into();
        }
        json
    }
}

/// Gives the object of each record, and checks what makes the whole request malformed.
fn objects<'s>(
    schema: &'s Schema,
    records: &[Map<String, Json>],
) -> Result<Vec<&'s Object>, ApiError> {
    let mut objects: Vec<&Object> = Vec::with_capacity(records.len());
    let mut chunks = 0;
    for record in records {
        let name = record
            .get("attributes")
            .and_then(|attributes| attributes.get("type")?.as_str())
            .ok_or_else(|| {
                ApiError::bad_request("MISSING_ARGUMENT", "the type of a record is not specified")
            })?;
        let object = schema.object(name).ok_or_else(|| {
            let message = format!("sObject type '{name}' is not supported.");
            ApiError::bad_request("INVALID_TYPE", message)
        })?;
        records::check_shape(object, record)?;
        if objects.last().is_none_or(|last| last.name != object.name) {
            chunks += 1;
        }
        objects.push(object);
    }
    if chunks > CHUNKS_MAX {
        let message = "Cannot have more than 10 chunks in a single operation. \
                       Please rearrange the data to reduce chunking.";
        return Err(ApiError::bad_request("LIMIT_EXCEEDED", message));
    }
    Ok(objects)
}

/// Takes a field out of a record, by its name in any case.
fn without(record: &Map<String, Json>, field: &str) -> (Option<String>, Map<String, Json>) {
    let mut record = record.clone();
    let mut value = None;
    record.retain(|name, json| {
        let named = name.eq_ignore_ascii_case(field);
        match json {
            Json::String(text) if named && !text.is_empty() => value = Some(text.clone()),
            Json::Number(number) if named => value = Some(number.to_string()),
            _ => {}
        }
        !named
    });
    (value, record)
}

fn texts(body: &Map<String, Json>, name: &str) -> Option<Vec<String>> {
    let list = body.get(name)?.as_array()?;
    list.iter()
        .map(|text| text.as_str().map(str::to_owned))
        .collect()
}

fn not_specified(name: &str) -> ApiError {
    ApiError::bad_request("MISSING_ARGUMENT", format!("{name} not specified"))
}

fn within_limit(records: usize) -> Result<(), ApiError> {
    if records > RECORDS_MAX {
        return Err(too_many(RECORDS_MAX));
    }
    Ok(())
}

fn too_many(max: usize) -> ApiError {
    let message =
        format!("record limit reached. cannot submit more than {max} records into this call");
    ApiError::bad_request("EXCEEDED_ID_LIMIT", message)
}
