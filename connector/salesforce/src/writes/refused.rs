//! What came of a change that has no plain answer: refused, with what to do instead; or unclear, and then never repeated.

use portcullis_sdk::http::Response;
use portcullis_sdk::{Failure, Reason};

use crate::client::Client;
use crate::fence;
use crate::json::Json;
use crate::service_error::{ServiceError, interpret};

/// How a change ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It is done; what the service answered, null where that was nothing.
    Done(Json),
    /// It is not done, and the service or the host says why.
    Refused(Failure),
    /// The record has changed since it was read.
    Changed(Failure),
    /// Nobody can say by the answer whether it was done.
    Unclear(Failure),
}

/// Matches found that a refusal names.
const MATCHES_SHOWN: usize = 5;

impl Ended {
    /// Reads what the host gave for a change of a record of `kind`.
    pub(crate) fn of(client: &Client<'_>, kind: &str, sent: Result<Response, Failure>) -> Self {
        let response = match sent {
            Ok(response) => response,
            // The rest says that the bytes never left.
            Err(failure) if matches!(failure.reason, Reason::Unavailable | Reason::Internal) => {
                return Self::Unclear(failure);
            }
            Err(failure) => return Self::Refused(failure),
        };
        if response.is_success() && response.body().is_empty() {
            return Self::Done(Json::Null);
        }
        let error = match interpret(&response) {
            Ok(json) => return Self::Done(json),
            Err(error) => error,
        };
        match (response.status(), &error.code) {
            (412, _) => Self::Changed(error.into()),
            // A proxy's page, or an answer that was spoiled on its way: what was asked may be done.
            (200..300 | 500.. | 408, None) => Self::Unclear(error.into()),
            // The service itself failed, at whichever step: its words say nothing of what it had done by then.
            (500.. | 408, Some(code)) if !did_nothing(code) => {
                let refused = refusal(client, kind, &response, error);
                Self::Unclear(broke_down(response.status(), refused))
            }
            _ => Self::Refused(refusal(client, kind, &response, error)),
        }
    }
}

/// Says whether a code says that nothing was done, whatever status it comes with.
pub(super) fn did_nothing(code: &str) -> bool {
    matches!(code, "UNABLE_TO_LOCK_ROW" | "REQUEST_LIMIT_EXCEEDED")
}

/// Says that the service failed in the midst of a change, with what it said itself.
pub(super) fn broke_down(status: u16, said: Failure) -> Failure {
    Failure {
        reason: Reason::Unavailable,
        message: format!(
            "the org answered {status} without saying what came of it: {}",
            said.message
        ),
        hint: None,
        fields: Vec::new(),
        ..said
    }
}

/// Says everything that the service found wrong, each at its field.
fn refusal(client: &Client<'_>, kind: &str, response: &Response, error: ServiceError) -> Failure {
    let json = std::str::from_utf8(response.body())
        .ok()
        .and_then(|text| Json::parse(text).ok());
    let errors = json.as_ref().map_or(&[][..], Json::items);
    let code = error.code.clone().unwrap_or_default();
    of_errors(client, kind, &code, errors, Failure::from(error))
}

/// Adds to a failure what the service says of a record: its words, each at its field, and what its code means.
pub(super) fn of_errors(
    client: &Client<'_>,
    kind: &str,
    code: &str,
    errors: &[Json],
    mut failure: Failure,
) -> Failure {
    let mut messages: Vec<String> = Vec::new();
    let mut fields = Vec::new();
    for error in errors {
        let (message, named) = words(client, kind, error);
        fields.extend(named.into_iter().map(|name| (name, message.clone())));
        if !messages.contains(&message) {
            messages.push(message);
        }
    }
    // One alone is in the failure already, with its place where it has one, unless it is not to be told.
    if messages.len() > 1 || messages.iter().any(|message| message == HIDDEN) {
        failure.message = messages.join("; ");
    }
    let (reason, hint) = meaning(client, code, errors);
    failure.reason = reason.unwrap_or(failure.reason);
    failure.hint = hint.or(failure.hint);
    for (name, message) in fields {
        failure = failure.field(format!("/fields/{name}"), message);
    }
    failure
}

/// Says of a change that may have been made what shows whether it was.
pub(crate) fn unclear(failure: Failure, hint: impl Into<String>) -> Failure {
    Failure {
        reason: Reason::Unavailable,
        hint: None,
        ..failure
    }
    .hint(hint)
}

/// What is said instead of words that name a field which the agent may not see.
const HIDDEN: &str = "the org refuses it for a field that this agent may not see";

/// Gives an error's words and the fields that it names; neither, where one of these is hidden from the agent.
pub(super) fn words(client: &Client<'_>, kind: &str, error: &Json) -> (String, Vec<String>) {
    let named = error.get("fields").map_or(&[][..], Json::items).iter();
    let named: Vec<String> = named.filter_map(Json::as_str).map(str::to_owned).collect();
    if client.visible_fields(kind, &named).len() < named.len() {
        return (HIDDEN.to_owned(), Vec::new());
    }
    let message = error.str_at("message").unwrap_or_default();
    (fence::inline(message, 1_000), named)
}

/// What a code of a refused change means to the caller.
pub(super) fn meaning(
    client: &Client<'_>,
    code: &str,
    errors: &[Json],
) -> (Option<Reason>, Option<String>) {
    let (reason, hint) = match code {
        "DUPLICATES_DETECTED" => {
            let hint = duplicates(client, errors);
            return (Some(Reason::InvalidArgument), Some(hint));
        }
        "DUPLICATE_VALUE" => (
            Reason::InvalidArgument,
            "another record has this value of a unique field: change that record, or give another value",
        ),
        "FIELD_CUSTOM_VALIDATION_EXCEPTION" => (
            Reason::InvalidArgument,
            "a validation rule of the org refused it: give values that fit it",
        ),
        "ENTITY_IS_LOCKED" => (
            Reason::Conflict,
            "an approval process holds the record: it can be changed once an approver or an administrator has released it",
        ),
        "INSUFFICIENT_ACCESS_OR_READONLY" | "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY" => (
            Reason::NotPermitted,
            "the user may see the record and not do this to it: its owner or an administrator can give the right",
        ),
        "DELETE_FAILED" => (
            Reason::Conflict,
            "other records need this one: move or delete them first",
        ),
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY" | "CANNOT_EXECUTE_FLOW_TRIGGER" => (
            Reason::InvalidArgument,
            "a trigger or flow of the org refused it: its words say why, and an administrator can change it",
        ),
        "STORAGE_LIMIT_EXCEEDED" => (
            Reason::RateLimited,
            "the org has no room left: get_org_limits {\"text\": \"storage\"} shows it, and an administrator can make some",
        ),
        "INVALID_CROSS_REFERENCE_KEY" => (
            Reason::InvalidArgument,
            "an id leads to a record that is not there, of another object, or hidden from the user",
        ),
        _ => return (None, None),
    };
    (Some(reason), Some(hint.to_owned()))
}

/// Names the records that a duplicate rule found, of kinds that the agent may read.
fn duplicates(client: &Client<'_>, errors: &[Json]) -> String {
    let mut found: Vec<String> = Vec::new();
    let results = errors
        .iter()
        .filter_map(|error| error.get("duplicateResult")?.get("matchResults"));
    for matched in results.flat_map(Json::items) {
        let records = matched.get("matchRecords").map_or(&[][..], Json::items);
        for record in records.iter().filter_map(|found| found.get("record")) {
            let kind = matched.str_at("entityType").unwrap_or_default();
            let id = record.str_at("Id").unwrap_or_default();
            if !client.may_read(kind) {
                continue;
            }
            found.push(fence::inline(&format!("{kind} {id}"), 80));
        }
    }
    let shown = &found[..found.len().min(MATCHES_SHOWN)];
    let more = match found.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let listed = match shown.is_empty() {
        true => "a record that you may not see".to_owned(),
        false => shown.join(", "),
    };
    format!(
        "a duplicate rule of the org found {listed}{more}: look at it with get_record, and update_record it instead; where the new one is meant all the same, a person saves it in Salesforce"
    )
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
mod tests {
    use super::*;
    use crate::testing::Org;

    fn ended(status: u16, body: &str) -> Ended {
        under(&Org::new(), status, body)
    }

    fn under(org: &Org, status: u16, body: &str) -> Ended {
        let response = Response::new(status, Vec::new(), body);
        Ended::of(&Client::new(org), "Account", Ok(response))
    }

    fn failed(reason: Reason) -> Ended {
        let org = Org::new();
        Ended::of(
            &Client::new(&org),
            "Account",
            Err(Failure::new(reason, "m")),
        )
    }

    #[test]
    fn what_the_agent_may_not_see_is_not_named() {
        let body = r#"[{"errorCode":"REQUIRED_FIELD_MISSING","message":"Required fields are missing: [Secret__c]","fields":["Secret__c"]}]"#;
        let org = Org::new().hide("Account", "Secret__c");
        let Ended::Unclear(failure) = under(&org, 500, body) else {
            panic!("nobody can say");
        };
        assert!(!format!("{failure:?}").contains("Secret"), "{failure:?}");
        let Ended::Refused(failure) = under(&org, 400, body) else {
            panic!("it is refused");
        };
        assert_eq!(failure.message, HIDDEN);
        assert_eq!(
            failure.service_code.as_deref(),
            Some("REQUIRED_FIELD_MISSING")
        );
        assert!(!format!("{failure:?}").contains("Secret"), "{failure:?}");

        let body = r#"[{"errorCode":"DUPLICATES_DETECTED","message":"m","duplicateResult":{"matchResults":[
            {"entityType":"Payroll__c","matchRecords":[{"record":{"Id":"a00DO0000000001AAA"}}]}]}}]"#;
        let org = Org::new().forbid("Payroll__c");
        let Ended::Refused(failure) = under(&org, 400, body) else {
            panic!("it is refused");
        };
        let said = format!("{failure:?}");
        assert!(said.contains("a record that you may not see"), "{said}");
        assert!(
            !said.contains("Payroll") && !said.contains("a00DO"),
            "{said}"
        );
    }

    #[test]
    fn an_answer_that_may_be_spoiled_is_unclear() {
        assert!(matches!(ended(204, ""), Ended::Done(Json::Null)));
        assert!(matches!(ended(201, r#"{"id":"1"}"#), Ended::Done(_)));
        for (status, body) in [
            (201, r#"{"id":"#),
            (502, "<html>"),
            (503, ""),
            (504, ""),
            (408, ""),
        ] {
            assert!(
                matches!(ended(status, body), Ended::Unclear(_)),
                "{status} {body}"
            );
        }
        for reason in [Reason::Unavailable, Reason::Internal] {
            assert!(matches!(failed(reason), Ended::Unclear(_)));
        }
        for reason in [
            Reason::Stopped,
            Reason::NotPermitted,
            Reason::InvalidArgument,
        ] {
            assert!(matches!(failed(reason), Ended::Refused(_)));
        }
        for (status, code, is_unclear) in [
            (500, "UNKNOWN_EXCEPTION", true),
            (500, "APEX_ERROR", true),
            (503, "SERVER_UNAVAILABLE", true),
            (500, "UNABLE_TO_LOCK_ROW", false),
            (503, "REQUEST_LIMIT_EXCEEDED", false),
            (400, "UNABLE_TO_LOCK_ROW", false),
            (403, "REQUEST_LIMIT_EXCEEDED", false),
            (400, "UNKNOWN_EXCEPTION", false),
        ] {
            let body = format!(r#"[{{"errorCode":"{code}","message":"m"}}]"#);
            match ended(status, &body) {
                Ended::Unclear(failure) if is_unclear => {
                    assert_eq!(failure.reason, Reason::Unavailable, "{status} {code}");
                    assert_eq!(failure.service_code.as_deref(), Some(code));
                    assert!(failure.message.ends_with(": m"), "{}", failure.message);
                }
                Ended::Refused(_) if !is_unclear => {}
                other => panic!("{status} {code}: {other:?}"),
            }
        }
        assert!(matches!(
            ended(
                412,
                r#"[{"errorCode":"PRECONDITION_FAILED","message":"m"}]"#
            ),
            Ended::Changed(_)
        ));
    }

    #[test]
    fn every_error_is_at_its_field() {
        let body = r#"[{"errorCode":"FIELD_CUSTOM_VALIDATION_EXCEPTION","message":"a","fields":["Amount"]},
            {"errorCode":"FIELD_CUSTOM_VALIDATION_EXCEPTION","message":"b","fields":["CloseDate"]}]"#;
        let Ended::Refused(failure) = ended(400, body) else {
            panic!("it is refused");
        };
        assert_eq!(failure.message, "a; b");
        let places: Vec<_> = failure
            .fields
            .iter()
            .map(|field| field.pointer.as_str())
            .collect();
        assert_eq!(places, ["/fields/Amount", "/fields/CloseDate"]);
    }
}
