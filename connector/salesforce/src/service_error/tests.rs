#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

fn error(status: u16, body: &str) -> ServiceError {
    let headers = vec![(
        "Content-Type".to_owned(),
        b"text/html; charset=UTF-8".to_vec(),
    )];
    interpret(&Response::new(status, headers, body)).unwrap_err()
}

fn failure(status: u16, code: &str, message: &str) -> Failure {
    let body = Json::Array(vec![Json::object([
        ("errorCode", code.into()),
        ("message", message.into()),
    ])]);
    error(status, &body.to_string()).into()
}

#[test]
fn each_kind_of_refusal_has_its_reason() {
    for (status, code, message, reason) in [
        (
            401,
            "INVALID_SESSION_ID",
            "Session expired or invalid",
            Reason::NotPermitted,
        ),
        (
            401,
            "INVALID_SESSION_ID",
            "This session is not valid for use with the REST API",
            Reason::NotPermitted,
        ),
        (
            403,
            "REQUEST_LIMIT_EXCEEDED",
            "TotalRequests Limit exceeded.",
            Reason::RateLimited,
        ),
        (
            404,
            "NOT_FOUND",
            "The requested resource does not exist",
            Reason::NotFound,
        ),
        (
            404,
            "ENTITY_IS_DELETED",
            "entity is deleted",
            Reason::NotFound,
        ),
        (
            400,
            "MALFORMED_ID",
            "Account ID: id value of incorrect type: 1",
            Reason::InvalidArgument,
        ),
        (
            400,
            "MALFORMED_QUERY",
            "unexpected token: FORM",
            Reason::InvalidArgument,
        ),
        (
            500,
            "UNABLE_TO_LOCK_ROW",
            "unable to obtain exclusive access",
            Reason::Conflict,
        ),
        (
            400,
            "QUERY_TIMEOUT",
            "Your query request was running for too long.",
            Reason::Unavailable,
        ),
        (
            503,
            "SERVER_UNAVAILABLE",
            "server too busy",
            Reason::Unavailable,
        ),
        (
            403,
            "INSUFFICIENT_ACCESS",
            "no access",
            Reason::NotPermitted,
        ),
        (
            500,
            "UNKNOWN_EXCEPTION",
            "An unexpected error occurred.",
            Reason::Internal,
        ),
    ] {
        let failure = failure(status, code, message);
        assert_eq!(failure.reason, reason, "{code}");
        assert_eq!(failure.service_code.as_deref(), Some(code));
        assert_eq!(failure.message, message);
    }
}

#[test]
fn hints_differ_where_the_cure_does() {
    let hint = |code, message| failure(401, code, message).hint.unwrap();
    assert!(hint("INVALID_SESSION_ID", "Session expired or invalid").contains("sign in again"));
    let no_scope = "This session is not valid for use with the REST API";
    assert!(hint("INVALID_SESSION_ID", no_scope).contains("`api` scope"));
    assert!(hint("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.").contains("24 hours"));
    let concurrent = "ConcurrentRequests (Concurrent API Requests) Limit exceeded.";
    assert!(hint("REQUEST_LIMIT_EXCEEDED", concurrent).contains("a minute"));
}

#[test]
fn a_page_is_unavailable_and_not_quoted() {
    for status in [200, 302, 403, 404, 500, 503] {
        let failure = Failure::from(error(status, "<html>secret words</html>"));
        assert_eq!(failure.reason, Reason::Unavailable, "{status}");
        assert!(failure.message.contains(&status.to_string()));
        assert!(!failure.message.contains("secret"));
    }
    insta::assert_snapshot!(error(200, "<html>").message, @"the org answered 200 with `text/html` instead of the API's JSON");
}

#[test]
fn what_passes_is_tried_again_and_quotas_are_not() {
    for (status, code, again) in [
        (503, "X", true),
        (502, "X", true),
        (420, "X", true),
        (500, "UNABLE_TO_LOCK_ROW", true),
        (400, "QUERY_TIMEOUT", true),
        (500, "SERVER_UNAVAILABLE", true),
        (500, "X", false),
        (403, "REQUEST_LIMIT_EXCEEDED", false),
        (503, "REQUEST_LIMIT_EXCEEDED", false),
    ] {
        let body = format!(r#"[{{"errorCode":"{code}","message":"m"}}]"#);
        assert_eq!(
            error(status, &body).is_transient(),
            again,
            "{status} {code}"
        );
    }
    assert!(error(503, "<html>").is_transient());
}

#[test]
fn a_place_in_the_query_stays() {
    let message = "\nSELECT Nmae FROM Account\n       ^\nERROR at Row:1:Column:8\nNo such column 'Nmae' on entity 'Account'. If you …";
    let failure = failure(400, "INVALID_FIELD", message);
    insta::assert_snapshot!(failure.message, @"No such column 'Nmae' on entity 'Account'. If you … (at row 1, column 8)");
    insta::assert_snapshot!(failure.hint.unwrap(), @r"
    SELECT Nmae FROM Account
           ^
    ");
}

#[test]
fn oauth_answers_with_an_object_and_several_matches_with_a_list() {
    let denied = error(403, r#"{"error":"invalid_scope","error_description":"no"}"#);
    assert_eq!(
        (denied.code.as_deref(), denied.message.as_str()),
        (Some("invalid_scope"), "no")
    );
    let several = error(300, r#"["/services/data/v68.0/sobjects/A/1","/b"]"#);
    assert_eq!(several.choices.len(), 2);
    assert_eq!(
        error(400, "{}").message,
        "the org answered 400 without saying why"
    );
}
