//! Each error that the service documents, at each tool: its code and words reach the caller, with what it means, and nothing is
//! sent again.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use portcullis::Outcome;
use portcullis::policy::{Effect, Mode};
use salesforce_devorg::fault::{Fault, Rule, When};

use super::requests::{examples, ready, tools};
use crate::support::ended;
use crate::writes::desk::Desk;

/// What the host answers from memory is asked for at a fresh org each time.
const REMEMBERED: [&str; 3] = ["list_objects", "describe_object", "get_picklist_values"];

/// Status, code and words (*REST API Developer Guide*, "Status Codes and Error Responses"; *Object Reference*).
const OF_ALL: [(u16, &str, &str); 13] = [
    (
        400,
        "MALFORMED_ID",
        "Account ID: id value of incorrect type: 001x",
    ),
    (
        400,
        "INVALID_FIELD",
        "No such column 'Nmae' on entity 'Account'.",
    ),
    (
        400,
        "INVALID_TYPE",
        "sObject type 'Acount' is not supported.",
    ),
    (
        400,
        "NUMBER_OUTSIDE_VALID_RANGE",
        "Maximum SOQL offset allowed is 2000",
    ),
    (
        401,
        "INVALID_SESSION_ID",
        "This session is not valid for use with the REST API",
    ),
    (
        403,
        "REQUEST_LIMIT_EXCEEDED",
        "TotalRequests Limit exceeded.",
    ),
    (
        403,
        "API_DISABLED_FOR_ORG",
        "The API is not enabled for this Organization or Partner",
    ),
    (
        403,
        "INSUFFICIENT_ACCESS",
        "insufficient access rights on object id",
    ),
    (404, "ENTITY_IS_DELETED", "entity is deleted"),
    (
        405,
        "METHOD_NOT_ALLOWED",
        "HTTP Method 'GET' not allowed. Allowed are POST",
    ),
    (
        410,
        "UNSUPPORTED_API_VERSION",
        "The requested API version is retired",
    ),
    (415, "UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type"),
    (500, "UNKNOWN_EXCEPTION", "An unexpected error occurred."),
];

const OF_CHANGES: [(u16, &str, &str); 13] = [
    (
        400,
        "REQUIRED_FIELD_MISSING",
        "Required fields are missing: [Name]",
    ),
    (
        400,
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "the amount must not be negative",
    ),
    (
        400,
        "FIELD_INTEGRITY_EXCEPTION",
        "there is no such currency",
    ),
    (400, "STRING_TOO_LONG", "Site: data value too large"),
    (
        400,
        "DUPLICATE_VALUE",
        "duplicate value found: Ext__c duplicates value on record with id: 001",
    ),
    (400, "DUPLICATES_DETECTED", "Use one of these records?"),
    (
        400,
        "INVALID_CROSS_REFERENCE_KEY",
        "invalid cross reference id",
    ),
    (
        400,
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "a trigger failed",
    ),
    (400, "DELETE_FAILED", "the record is needed by others"),
    (400, "ENTITY_IS_LOCKED", "the record is locked for approval"),
    (
        400,
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "insufficient access rights on object id",
    ),
    (400, "STORAGE_LIMIT_EXCEEDED", "storage limit exceeded"),
    (
        503,
        "SERVER_UNAVAILABLE",
        "A server that is necessary for this call is currently unavailable.",
    ),
];

/// Writes an error as REST and SOAP have it.
fn answer((status, code, words): (u16, &str, &str), is_soap: bool) -> Fault {
    let (status, kind, body) = match is_soap {
        false => (
            status,
            "application/json",
            format!(r#"[{{"errorCode":"{code}","message":"{words}"}}]"#),
        ),
        true => (
            500,
            "text/xml",
            format!(
                r#"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:sf="urn:fault.partner.soap.sforce.com"><soapenv:Body><soapenv:Fault><faultcode>sf:{code}</faultcode><faultstring>{code}: {words}</faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>"#
            ),
        ),
    };
    Fault::Answer {
        status,
        headers: vec![("Content-Type".to_owned(), kind.to_owned())],
        body,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_documented_error_reaches_the_caller() {
    let sample = Desk::new(Mode::Allow).await;
    let effects: BTreeMap<String, Effect> = tools(&sample).into_iter().collect();
    // What came of an error, and the tools at which it did.
    let mut ends: BTreeMap<(&str, u16), BTreeMap<String, Vec<&str>>> = BTreeMap::new();
    for (tool, [arguments, _]) in examples(&sample).await {
        let is_read = effects[tool] == Effect::Read;
        let is_soap = [
            "read_file",
            "undelete_record",
            "convert_lead",
            "merge_records",
        ]
        .contains(&tool);
        let mut desk = Desk::new(Mode::Allow).await;
        let mut call = ready(&desk, tool, &arguments).await;
        let errors = OF_ALL.iter().chain(OF_CHANGES.iter().filter(|_| !is_read));
        for error @ (status, code, words) in errors {
            if REMEMBERED.contains(&tool) {
                desk = Desk::new(Mode::Allow).await;
                call = ready(&desk, tool, &arguments).await;
            }
            let method = match tool {
                "read_file" => "POST",
                _ if is_read => "GET",
                "update_record" | "upsert_record" | "update_records" | "complete_task"
                | "assign_owner" => "PATCH",
                "delete_record" | "delete_records" => "DELETE",
                _ => "POST",
            };
            let when = When {
                method: Some(method.to_owned()),
                // What it reads first is a POST, too: several queries in one.
                nth: 1 + u64::from(tool == "set_campaign_member"),
                ..When::default()
            };
            let fault = answer(*error, is_soap);
            let work = None;
            desk.org.add_fault(Rule { fault, when, work }).unwrap();
            let reply = desk.call(tool, call.clone()).await;
            assert_eq!(
                desk.org.faults_due(),
                0,
                "{tool} {code}: nothing went wrong"
            );
            let sent = desk.requests(&reply);
            let changes = desk.changes(&reply).len();
            assert_eq!(changes, usize::from(!is_read), "{tool} {code}: {sent:?}");
            let mut end = ended(&reply);
            if !is_read && *status >= 500 {
                // It may be done: the caller is told so, and where to look.
                let Outcome::Failed(failure) = &reply.outcome else {
                    panic!("{tool} {code}: {reply:?}");
                };
                let hint = failure.hint.as_deref().unwrap_or_default();
                assert_eq!(end, "failed unavailable", "{tool} {code}: {failure:?}");
                assert!(hint.contains("all the same"), "{tool} {code}: {hint}");
            }
            if let Outcome::Failed(failure) = &reply.outcome {
                let told = format!("{} {:?}", failure.message, failure.fields);
                if !told.contains(words.trim_end_matches('.')) {
                    end.push_str(", in other words");
                }
                if failure.service_code.as_deref() != Some(code) {
                    write!(end, ", as {:?}", failure.service_code).unwrap();
                }
                if failure.hint.is_some() {
                    end.push_str(", with what to do");
                }
            }
            let of_error = ends.entry((code, *status)).or_default();
            of_error.entry(end).or_default().push(tool);
        }
    }
    let mut text = String::new();
    for ((code, status), outcomes) in ends {
        writeln!(text, "{status} {code}").unwrap();
        for (end, tools) in outcomes {
            writeln!(text, "  {end}: {}", tools.join(", ")).unwrap();
        }
    }
    insta::assert_snapshot!("documented", text);
}
