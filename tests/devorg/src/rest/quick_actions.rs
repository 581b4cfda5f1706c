//! `/quickActions` and `/sobjects/{object}/quickActions`: actions of a record's page, which make a
//! record beside it.

use http::Method;
use serde_json::{Map, Value as Json, json};

use super::Call;
use crate::error::ApiError;
use crate::id::Id;
use crate::objects::COMPLETED_STATUS;
use crate::records::{self, WriteOptions};
use crate::schema::{Object, Schema, describe};
use crate::wire::Reply;

/// An action.
struct QuickAction {
    name: &'static str,
    label: &'static str,
    /// `LogACall` or `Create`.
    kind: &'static str,
    /// The object of the record that is made.
    target: &'static str,
    /// The fields of its form.
    fields: &'static [&'static str],
    /// The values that the form begins with.
    values: &'static [(&'static str, &'static str)],
}

/// Every action; they are global, and objects that have activities have them too.
const ACTIONS: [QuickAction; 2] = [
    QuickAction {
        name: "LogACall",
        label: "Log a Call",
        kind: "LogACall",
        target: "Task",
        fields: &["Subject", "Description", "WhoId", "WhatId"],
        values: &[
            ("Subject", "Call"),
            ("Status", COMPLETED_STATUS),
            ("TaskSubtype", "Call"),
        ],
    },
    QuickAction {
        name: "NewTask",
        label: "New Task",
        kind: "Create",
        target: "Task",
        fields: &[
            "Subject",
            "ActivityDate",
            "WhoId",
            "WhatId",
            "OwnerId",
            "Status",
        ],
        values: &[("Status", "Not Started")],
    },
];

impl Call<'_> {
    /// Answers a path below `quickActions`, of an object or of none.
    pub(super) fn quick_actions(
        &self,
        object: Option<&str>,
        path: &[&str],
    ) -> Result<Reply, ApiError> {
        let schema = self.session.schema();
        let object = match object {
            Some(name) => Some(self.named(name)?),
            None => None,
        };
        let own = match object {
            Some(object) => format!("{}/sobjects/{}/quickActions", self.base, object.name),
            None => format!("{}/quickActions", self.base),
        };
        let offered = |action: &&QuickAction| {
            object.is_none_or(|object| {
                object.layoutable && relation(schema, action, &object.name).is_some()
            })
        };
        let method = &self.request.method;
        if path.is_empty() {
            if method != Method::GET {
                return Ok(Reply::not_allowed(method, "GET,HEAD"));
            }
            let list: Vec<Json> = ACTIONS
                .iter()
                .filter(offered)
                .map(|action| entry(action, &own, object.is_some()))
                .collect();
            return Ok(Reply::json(200, &list));
        }
        let mut actions = ACTIONS.iter().filter(offered);
        let action = actions
            .find(|action| path.first() == Some(&action.name))
            .ok_or_else(ApiError::not_found)?;
        let target = self.named(action.target)?;
        match (&path[1..], method) {
            ([], &Method::GET) => Ok(Reply::json(200, &entry(action, &own, object.is_some()))),
            ([], &Method::POST) => self.perform(action, target, object),
            (["describe"], &Method::GET) => {
                let values = self.default_values(action, None)?;
                let body = described(action, target, object, &values);
                Ok(Reply::json(200, &body))
            }
            (["defaultValues", context @ ..], &Method::GET) if context.len() < 2 => {
                let context = context.first().map(|id| self.context(id, object));
                let mut values = self.default_values(action, context.transpose()?)?;
                values.insert(
                    "attributes".into(),
                    json!({"type": action.target, "url": null}),
                );
                Ok(Reply::json(200, &values))
            }
            ([], _) => Ok(Reply::not_allowed(method, "GET,HEAD,POST")),
            (["describe"] | ["defaultValues", ..], _) => Ok(Reply::not_allowed(method, "GET,HEAD")),
            _ => Err(ApiError::not_found()),
        }
    }

    /// Finds the record that an action is about.
    fn context(&self, id: &str, object: Option<&Object>) -> Result<Id, ApiError> {
        let invalid = || {
            let message = format!("The context ID isn't valid: {id}");
            ApiError::bad_request("INVALID_ID_FIELD", message)
        };
        let id = Id::parse(id).ok_or_else(invalid)?;
        let of_object = object.is_none_or(|object| object.key_prefix == id.prefix());
        let org = self.shared.org();
        match org.find(id) {
            Some((object, record)) if of_object && !record.deleted => {
                let name = object.name.clone();
                drop(org);
                // Who cannot see a record cannot do anything about it.
                let seen = self.ask(&format!("SELECT Id FROM {name} WHERE Id = '{id}'"))?;
                seen.first().map(|_| id).ok_or_else(invalid)
            }
            _ => Err(invalid()),
        }
    }

    /// Gives the values that an action's form begins with.
    fn default_values(
        &self,
        action: &QuickAction,
        context: Option<Id>,
    ) -> Result<Map<String, Json>, ApiError> {
        let org = self.shared.org();
        let mut values: Map<String, Json> = action
            .values
            .iter()
            .map(|(field, value)| ((*field).to_owned(), json!(value)))
            .collect();
        let today = self.session.time_zone.to_datetime(org.now()).date();
        values.insert("ActivityDate".into(), json!(today.to_string()));
        values.insert("OwnerId".into(), json!(self.session.user_id.as_str()));
        if let Some(id) = context {
            let field = relation_of(self.session.schema(), action, id).ok_or_else(|| {
                let message = format!("The action {} isn't available for {id}", action.name);
                ApiError::bad_request("INVALID_CROSS_REFERENCE_KEY", message)
            })?;
            values.insert(field, json!(id.as_str()));
        }
        Ok(values)
    }

    /// Makes the record of an action: its defaults, and over them what is given.
    fn perform(
        &self,
        action: &QuickAction,
        target: &Object,
        object: Option<&Object>,
    ) -> Result<Reply, ApiError> {
        let body = self.json_body()?;
        let context = match &body["contextId"] {
            Json::Null => None,
            id => Some(self.context(id.as_str().unwrap_or_default(), object)?),
        };
        let mut values = self.default_values(action, context)?;
        match &body["record"] {
            Json::Object(given) => values.extend(given.clone()),
            Json::Null => {}
            _ => {
                let message = "record must be an object";
                return Err(ApiError::bad_request("JSON_PARSER_ERROR", message));
            }
        }
        let mut org = self.shared.org_mut();
        let options = WriteOptions::default();
        let id = records::insert(&mut org, &self.session, target, &values, &options)?;
        let body = json!({
            "contextId": context.map(|id| id.to_string()),
            "created": true,
            "errors": [],
            "feedItemIds": null,
            "id": id.as_str(),
            "ids": [id.as_str()],
            "success": true,
            "successMessage": null,
        });
        Ok(Reply::json(201, &body))
    }
}

/// Finds the field by which an action's record refers to records of an object.
fn relation<'s>(schema: &'s Schema, action: &QuickAction, object: &str) -> Option<&'s str> {
    let target = schema.object(action.target)?;
    let mut fields = action.fields.iter().filter_map(|name| target.field(name));
    fields
        .find(|field| field.reference_to.iter().any(|to| to == object) && &*field.name != "OwnerId")
        .map(|field| &*field.name)
}

fn relation_of(schema: &Schema, action: &QuickAction, id: Id) -> Option<String> {
    let object = schema.object_by_prefix(id.prefix())?;
    relation(schema, action, &object.name).map(str::to_owned)
}

fn entry(action: &QuickAction, own: &str, of_object: bool) -> Json {
    let own = format!("{own}/{}", action.name);
    let mut urls = json!({
        "defaultValues": format!("{own}/defaultValues"),
        "describe": format!("{own}/describe"),
        "quickAction": own,
    });
    if of_object {
        urls["defaultValuesTemplate"] = json!(format!("{own}/defaultValues/{{ID}}"));
    }
    json!({
        "actionEnumOrId": action.name,
        "label": action.label,
        "name": action.name,
        "type": action.kind,
        "urls": urls,
    })
}

fn described(
    action: &QuickAction,
    target: &Object,
    object: Option<&Object>,
    values: &Map<String, Json>,
) -> Json {
    let rows: Vec<Json> = action
        .fields
        .iter()
        .filter_map(|name| target.field(name))
        .map(|field| {
            let component = json!({
                "details": describe::field(field),
                "displayLines": 1,
                "tabOrder": null,
                "type": "Field",
                "value": &*field.name,
            });
            let item = json!({
                "editableForNew": field.createable,
                "editableForUpdate": field.updateable,
                "label": field.label,
                "layoutComponents": [component],
                "placeholder": false,
                "required": !field.nillable && !field.defaulted_on_create,
            });
            json!({"layoutItems": [item], "numItems": 1})
        })
        .collect();
    let defaults: Vec<Json> = values
        .iter()
        .map(|(field, value)| json!({"defaultValue": value, "field": field}))
        .collect();
    json!({
        "accessLevelRequired": null,
        "actionEnumOrId": action.name,
        "contextSobjectType": object.map(|object| &*object.name),
        "defaultValues": defaults,
        "label": action.label,
        "layout": {"id": null, "layoutRows": rows, "name": action.name},
        "name": action.name,
        "targetParentField": object.and_then(|object| {
            let mut fields = action.fields.iter().filter_map(|name| target.field(name));
            let refers = |to: &String| **to == *object.name;
            fields
                .find(|field| field.reference_to.iter().any(refers))
                .map(|field| &*field.name)
        }),
        "targetRecordTypeId": null,
        "targetSobjectType": action.target,
        "type": action.kind,
    })
}
