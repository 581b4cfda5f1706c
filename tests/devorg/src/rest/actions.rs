//! `/actions/standard`: what the org does on request, `emailSimple` among it.
//!
//! Follows the *Actions Developer Guide*.

use http::Method;
use serde_json::{Map, Value as Json, json};

use super::Call;
use crate::email::{Email, is_address};
use crate::error::ApiError;
use crate::id::Id;
use crate::limits::Limit;
use crate::org::Org;
use crate::records::{self, WriteOptions};
use crate::schema::Object;
use crate::store::Record;
use crate::wire::Reply;

/// The recipients of one message (v64.0 on).
const RECIPIENTS_MAX: usize = 150;

/// An input of `emailSimple`: name, label, type, whether it is required, and how many values it
/// takes.
const INPUTS: [(&str, &str, &str, bool, u32); 12] = [
    (
        "emailAddresses",
        "Recipient Address List",
        "STRING",
        false,
        1,
    ),
    (
        "emailAddressesArray",
        "Recipient Address Collection",
        "STRING",
        false,
        150,
    ),
    (
        "ccRecipientAddressList",
        "CC Recipient Address List",
        "STRING",
        false,
        1,
    ),
    (
        "bccRecipientAddressList",
        "BCC Recipient Address List",
        "STRING",
        false,
        1,
    ),
    ("recipientId", "Recipient ID", "STRING", false, 1),
    ("emailSubject", "Subject", "STRING", true, 1),
    ("emailBody", "Body", "TEXTAREA", true, 1),
    (
        "sendRichBody",
        "Rich-Text-Formatted Body",
        "BOOLEAN",
        false,
        1,
    ),
    ("senderType", "Sender Type", "STRING", false, 1),
    ("senderAddress", "Sender Email Address", "STRING", false, 1),
    ("relatedRecordId", "Related Record ID", "STRING", false, 1),
    ("logEmailOnSend", "Log Email on Send", "BOOLEAN", false, 1),
];

/// Why one invocation of an action did nothing.
struct Failure {
    code: &'static str,
    message: String,
}

fn failure(code: &'static str, message: impl Into<String>) -> Failure {
    Failure {
        code,
        message: message.into(),
    }
}

impl Call<'_> {
    /// Answers a path below `/actions`.
    pub(super) fn actions(&self, path: &[&str]) -> Result<Reply, ApiError> {
        let standard = format!("{}/actions/standard", self.base);
        let method = &self.request.method;
        let body = match (path, method) {
            ([], &Method::GET) => json!({"standard": standard}),
            (["standard"], &Method::GET) => json!({"actions": [{
                "label": "Send Email",
                "name": "emailSimple",
                "type": "EMAILSIMPLE",
                "url": format!("{standard}/emailSimple"),
            }]}),
            (["standard", "emailSimple"], &Method::GET) => described(),
            (["standard", "emailSimple"], &Method::POST) => return self.send_emails(),
            ([] | ["standard"], _) => return Ok(Reply::not_allowed(method, "GET,HEAD")),
            (["standard", "emailSimple"], _) => {
                return Ok(Reply::not_allowed(method, "GET,HEAD,POST"));
            }
            _ => return Err(ApiError::not_found()),
        };
        Ok(Reply::json(200, &body))
    }

    /// Reads a body, which must be JSON.
    pub(super) fn json_body(&self) -> Result<Json, ApiError> {
        serde_json::from_slice(&self.request.body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let message = format!("the body is no JSON at [line:{line}, column:{column}]");
            ApiError::bad_request("JSON_PARSER_ERROR", message)
        })
    }

    /// Sends a message for each of the inputs; each succeeds or fails alone.
    fn send_emails(&self) -> Result<Reply, ApiError> {
        let body = self.json_body()?;
        let inputs = body["inputs"].as_array().ok_or_else(|| {
            ApiError::bad_request("INVALID_API_INPUT", "inputs must be a list of inputs")
        })?;
        let mut sent_all = true;
        let results: Vec<Json> = inputs
            .iter()
            .map(|input| {
                let failure = self.send_email(input).err();
                sent_all &= failure.is_none();
                let error = |failure: Failure| {
                    json!([{"fields": [], "message": failure.message, "statusCode": failure.code}])
                };
                json!({
                    "actionName": "emailSimple",
                    "invocationId": null,
                    "isSuccess": failure.is_none(),
                    "errors": failure.map(error),
                    "outputValues": null,
                    "sortOrder": -1,
                    "version": 1,
                })
            })
            .collect();
        Ok(Reply::json(if sent_all { 200 } else { 400 }, &results))
    }

    fn send_email(&self, input: &Json) -> Result<(), Failure> {
        let input = checked(input)?;
        let mut org = self.shared.org_mut();
        let mut email = self.composed(&org, &input)?;
        // Mail to the org's own people is not counted.
        let outside = [&email.to, &email.cc, &email.bcc]
            .into_iter()
            .flatten()
            .filter(|address| !is_colleague(&org, address))
            .count() as u64;
        org.transaction(|org| {
            if input.get("logEmailOnSend") == Some(&Json::Bool(true)) {
                email.logged_as = self.logged(org, &email, id_of(&input, "recipientId"))?;
            }
            if self.shared.limits.take(Limit::SingleEmail, outside) {
                return Ok(());
            }
            let message = "Daily limit for external single emails has been reached";
            Err(failure("SINGLE_EMAIL_LIMIT_EXCEEDED", message))
        })?;
        self.shared.outbox().push(email);
        Ok(())
    }

    /// Makes the message of an input.
    fn composed(&self, org: &Org, input: &Map<String, Json>) -> Result<Email, Failure> {
        let text = |name: &str| input.get(name).and_then(Json::as_str).unwrap_or_default();
        let mut to = addresses(text("emailAddresses"))?;
        for address in input
            .get("emailAddressesArray")
            .into_iter()
            .flat_map(Json::as_array)
            .flatten()
        {
            to.extend(addresses(address.as_str().unwrap_or_default())?);
        }
        if let Some(id) = id_of(input, "recipientId") {
            let address = self.seen_record(org, id).and_then(|(object, record)| {
                let field = object.field("Email")?;
                record.get(&field.name).as_text()
            });
            let address = address.ok_or_else(|| {
                failure(
                    "INVALID_ID_FIELD",
                    format!("The recipient has no email address: {id}"),
                )
            })?;
            to.push(address.to_owned());
        }
        let cc = addresses(text("ccRecipientAddressList"))?;
        let bcc = addresses(text("bccRecipientAddressList"))?;
        if to.is_empty() {
            let message = "Missing required input parameter: emailAddresses";
            return Err(failure("REQUIRED_FIELD_MISSING", message));
        }
        if to.len() + cc.len() + bcc.len() > RECIPIENTS_MAX {
            let message = format!("The number of recipients can't exceed {RECIPIENTS_MAX}");
            return Err(failure("LIMIT_EXCEEDED", message));
        }
        let related_record = id_of(input, "relatedRecordId");
        if related_record.is_some_and(|id| self.seen_record(org, id).is_none()) {
            let message = "The related record doesn't exist or is deleted";
            return Err(failure("INVALID_CROSS_REFERENCE_KEY", message));
        }
        Ok(Email {
            sender: self.sender(org, text("senderType"), text("senderAddress"))?,
            to,
            cc,
            bcc,
            subject: text("emailSubject").to_owned(),
            body: text("emailBody").to_owned(),
            rich: input.get("sendRichBody") == Some(&Json::Bool(true)),
            related_record,
            logged_as: None,
        })
    }

    /// Finds a record that is not deleted, if who asks sees it.
    fn seen_record<'o>(&'o self, org: &'o Org, id: Id) -> Option<(&'o Object, &'o Record)> {
        let object = self.session.schema().object_by_prefix(id.prefix())?;
        let record = org.store.get(&object.name, id)?;
        (!record.deleted && self.session.may_read(org, record)).then_some((object, record))
    }

    fn sender(&self, org: &Org, kind: &str, address: &str) -> Result<String, Failure> {
        let user = match kind {
            "" | "CurrentUser" => Some(self.session.user_id),
            // The user whom automated processes run as; here the administrator.
            "DefaultWorkflowUser" => self.shared.users.first().map(crate::DevUser::id),
            "OrgWideEmailAddress" => {
                let message = format!("{address} isn't an organization-wide email address");
                return Err(failure("INVALID_EMAIL_ADDRESS", message));
            }
            kind => {
                let message = format!("Invalid sender type: {kind}");
                return Err(failure("INVALID_API_INPUT", message));
            }
        };
        let user = user.and_then(|user| org.store.get("User", user));
        let email = user.and_then(|user| user.get("Email").as_text());
        Ok(email.unwrap_or_default().to_owned())
    }

    /// Logs a message as a task about its record and its recipient.
    fn logged(
        &self,
        org: &mut Org,
        email: &Email,
        recipient: Option<Id>,
    ) -> Result<Option<Id>, Failure> {
        if email.related_record.is_none() && recipient.is_none() {
            let message = "Missing required input parameter: recipientId or relatedRecordId";
            return Err(failure("REQUIRED_FIELD_MISSING", message));
        }
        let Some(task) = self.session.schema().object("Task") else {
            return Ok(None);
        };
        let mut values = json!({
            "ActivityDate": self.session.time_zone.to_datetime(org.now()).date().to_string(),
            "Description": email.body,
            "Status": crate::objects::COMPLETED_STATUS,
            "Subject": format!("Email: {}", email.subject),
            "TaskSubtype": "Email",
            "WhatId": email.related_record.map(|id| id.to_string()),
        });
        // A user is nobody whom activities are with.
        if let Some(recipient) = recipient.filter(|id| id.prefix() != "005") {
            values["WhoId"] = json!(recipient.as_str());
        }
        let values = values.as_object().cloned().unwrap_or_default();
        let options = WriteOptions::default();
        records::insert(org, &self.session, task, &values, &options)
            .map(Some)
            .map_err(|error| failure("UNKNOWN_EXCEPTION", error.message))
    }
}

/// Checks that an input has what is required, and nothing that is unknown or of another type.
fn checked(input: &Json) -> Result<Map<String, Json>, Failure> {
    let Json::Object(input) = input else {
        return Err(failure("INVALID_API_INPUT", "An input must be an object"));
    };
    for (name, value) in input {
        let Some((_, _, kind, _, most)) = INPUTS.iter().find(|(known, ..)| known == name) else {
            let message = format!("Invalid input parameter: {name}");
            return Err(failure("INVALID_API_INPUT", message));
        };
        let fits = match value {
            Json::Null => true,
            Json::Bool(_) => *kind == "BOOLEAN",
            Json::String(_) => *kind != "BOOLEAN",
            Json::Array(values) => *most > 1 && values.iter().all(Json::is_string),
            _ => false,
        };
        if !fits {
            let message = format!("Invalid value for the input parameter {name}");
            return Err(failure("INVALID_API_INPUT", message));
        }
        let names_record = matches!(name.as_str(), "recipientId" | "relatedRecordId");
        let id = value.as_str().filter(|id| !id.is_empty());
        if names_record && id.is_some_and(|id| Id::parse(id).is_none()) {
            let message = format!("Invalid ID for the input parameter {name}");
            return Err(failure("INVALID_ID_FIELD", message));
        }
    }
    for (name, _, _, required, _) in INPUTS {
        let given = input.get(name).and_then(Json::as_str).unwrap_or_default();
        if required && given.trim().is_empty() {
            let message = format!("Missing required input parameter: {name}");
            return Err(failure("REQUIRED_FIELD_MISSING", message));
        }
    }
    Ok(input.clone())
}

/// Takes a list of addresses apart at its commas.
fn addresses(list: &str) -> Result<Vec<String>, Failure> {
    let parts = list
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts
        .map(|part| match is_address(part) {
            true => Ok(part.to_owned()),
            false => {
                let message = format!("Email address is invalid: {part}");
                Err(failure("INVALID_EMAIL_ADDRESS", message))
            }
        })
        .collect()
}

fn id_of(input: &Map<String, Json>, name: &str) -> Option<Id> {
    Id::parse(input.get(name)?.as_str()?)
}

/// Says whether an address is a user's.
fn is_colleague(org: &Org, address: &str) -> bool {
    org.store
        .having("User", "Email", &address.into())
        .next()
        .is_some()
}

/// Describes `emailSimple`.
fn described() -> Json {
    let inputs: Vec<Json> = INPUTS
        .iter()
        .map(|(name, label, kind, required, most)| {
            json!({
                "apexClass": null,
                "byteLength": if *kind == "BOOLEAN" { 0 } else { 4_000 },
                "description": null,
                "label": label,
                "maxOccurs": most,
                "name": name,
                "picklistValues": null,
                "required": required,
                "sobjectType": null,
                "type": kind,
            })
        })
        .collect();
    json!({
        "category": "Messaging",
        "description": "Send an email where you specify the subject, body, and recipients.",
        "inputs": inputs,
        "label": "Send Email",
        "name": "emailSimple",
        "outputs": [],
        "standard": true,
        "targetEntityName": null,
        "type": "EMAILSIMPLE",
    })
}
