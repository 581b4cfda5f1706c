//! What the SOAP API alone does: restore, merge, convert.

mod convert;
mod merge;
mod undelete;

use portcullis_sdk::http::Response;
use portcullis_sdk::{Failure, Reason};

use super::refused;
use crate::client::Client;
use crate::json::Json;
use crate::service_error::ServiceError;
use crate::soap::{self, request};
use crate::xml::Element;

pub use convert::{ConvertLead, Converted, convert_lead};
pub use merge::{MergeRecords, merge_records};
pub use undelete::{UndeleteRecord, undelete_record};

/// How an operation on one record ended.
enum Ended {
    /// It is done: the result.
    Done(Element),
    /// It is not done.
    Refused(Failure),
    /// Nobody can say by the answer whether it was done.
    Unclear(Failure),
}

/// Where an operation's element stands in its message.
fn place(operation: &str, rest: &str) -> String {
    format!("Envelope/Body/{operation}/{rest}")
}

impl Ended {
    /// Reads what the host gave for an operation on one record of `kind`.
    fn of(client: &Client<'_>, kind: &str, sent: Result<Response, Failure>) -> Self {
        let response = match sent {
            Ok(response) => response,
            Err(failure) if matches!(failure.reason, Reason::Unavailable | Reason::Internal) => {
                return Self::Unclear(failure);
            }
            Err(failure) => return Self::Refused(failure),
        };
        let status = response.status();
        let unclear = || {
            let message = format!("the org answered {status} without saying what came of it");
            Self::Unclear(Failure::unavailable(message))
        };
        let answer = match soap::answer(&response) {
            Some(Ok(answer)) => answer,
            Some(Err(fault)) => {
                let code = fault.code.clone().unwrap_or_default();
                let failure = refused::of_errors(client, kind, &code, &[], fault.into());
                return match is_of_the_service(status, &code) {
                    true => Self::Unclear(refused::broke_down(status, failure)),
                    false => Self::Refused(failure),
                };
            }
            None => return unclear(),
        };
        let result = answer.child("result");
        match result {
            Some(result) if result.text_of("success") == Some("true") => Self::Done(result.clone()),
            Some(result) if result.text_of("success") == Some("false") => {
                Self::Refused(errors_of(client, kind, result))
            }
            _ => unclear(),
        }
    }
}

/// Says whether a fault says that the service failed, at whichever step: every fault has the status 500, so its code tells.
fn is_of_the_service(status: u16, code: &str) -> bool {
    let is_its_own = matches!(
        code,
        "" | "Server" | "UNKNOWN_EXCEPTION" | "SERVER_UNAVAILABLE" | "QUERY_TIMEOUT"
    );
    is_its_own || status > 500 && !refused::did_nothing(code)
}

/// Turns the errors of a record into a failure, as REST's are.
fn errors_of(client: &Client<'_>, kind: &str, result: &Element) -> Failure {
    let errors: Vec<Json> = result
        .all("errors")
        .map(|error| {
            let fields = error
                .all("fields")
                .map(|field| Json::from(field.text.as_str()));
            let text = |name: &str| Json::from(error.text_of(name).unwrap_or_default());
            Json::object([
                ("statusCode", text("statusCode")),
                ("message", text("message")),
                ("fields", Json::Array(fields.collect())),
            ])
        })
        .collect();
    let first = |name: &str| errors.first().and_then(|error| error.str_at(name));
    let code = first("statusCode")
        .unwrap_or("UNKNOWN_EXCEPTION")
        .to_owned();
    let error = ServiceError {
        status: 400,
        code: Some(code.clone()),
        message: first("message")
            .unwrap_or("the org gave no reason")
            .to_owned(),
        retry_after_seconds: None,
        choices: Vec::new(),
    };
    refused::of_errors(client, kind, &code, &errors, error.into())
}

#[cfg(test)]
#[allow(clippy::panic, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::testing::Org;

    fn ended(status: u16, body: &str) -> Ended {
        let org = Org::new().hide("Account", "Secret__c");
        let text = format!(
            "<?xml version=\"1.0\"?><e:Envelope xmlns:e=\"x\"><e:Body>{body}</e:Body></e:Envelope>"
        );
        let response = Response::new(status, Vec::new(), text);
        Ended::of(&Client::new(&org), "Account", Ok(response))
    }

    #[test]
    fn an_answer_says_what_came_of_it_or_is_unclear() {
        let done =
            "<mergeResponse><result><id>1</id><success>true</success></result></mergeResponse>";
        assert!(matches!(ended(200, done), Ended::Done(_)));
        let failed = "<mergeResponse><result><errors><message>entity is deleted</message><statusCode>ENTITY_IS_DELETED</statusCode></errors><success>false</success></result></mergeResponse>";
        let Ended::Refused(failure) = ended(200, failed) else {
            panic!("it is refused");
        };
        assert_eq!(failure.service_code.as_deref(), Some("ENTITY_IS_DELETED"));
        let fault = "<e:Fault><faultcode>sf:INVALID_SESSION_ID</faultcode><faultstring>INVALID_SESSION_ID: Illegal Session</faultstring></e:Fault>";
        let Ended::Refused(failure) = ended(500, fault) else {
            panic!("it is refused");
        };
        assert_eq!(failure.message, "Illegal Session");
        for (status, code, is_unclear) in [
            (500, "sf:UNKNOWN_EXCEPTION", true),
            (500, "sf:SERVER_UNAVAILABLE", true),
            (500, "soapenv:Server", true),
            (503, "sf:INVALID_FIELD", true),
            (500, "soapenv:Client", false),
            (500, "sf:UNABLE_TO_LOCK_ROW", false),
            (503, "sf:REQUEST_LIMIT_EXCEEDED", false),
        ] {
            let fault = format!(
                "<e:Fault><faultcode>{code}</faultcode><faultstring>m</faultstring></e:Fault>"
            );
            let is_as_said = match ended(status, &fault) {
                Ended::Unclear(failure) => is_unclear && failure.message.ends_with(": m"),
                Ended::Refused(_) => !is_unclear,
                Ended::Done(_) => false,
            };
            assert!(is_as_said, "{status} {code}");
        }
        for (status, body) in [
            (200, ""),
            (200, "<a/>"),
            (500, "<html/>"),
            (503, ""),
            (200, "<a><result/></a>"),
        ] {
            assert!(
                matches!(ended(status, body), Ended::Unclear(_)),
                "{status} {body}"
            );
        }
    }

    #[test]
    fn a_hidden_field_is_not_named() {
        let failed = "<r><result><errors><fields>Secret__c</fields><message>Secret__c is bad</message><statusCode>X</statusCode></errors><success>false</success></result></r>";
        let Ended::Refused(failure) = ended(200, failed) else {
            panic!("it is refused");
        };
        assert!(!format!("{failure:?}").contains("Secret"), "{failure:?}");
    }
}
