//! What needs no org: what is announced of a file is what is sent.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::json::Json;
use crate::testing::Org;

fn upload(org: &Org, args: &str) -> Result<portcullis_sdk::Output, portcullis_sdk::Failure> {
    upload_file(org, &serde_json::from_str(args).unwrap())
}

#[test]
fn what_is_announced_is_what_is_sent() {
    let path = "/services/data/v68.0/sobjects/ContentVersion";
    let made = r#"{"id":"068000000000001AAA","success":true,"errors":[]}"#;
    let account = r#"{"records":[{"Id":"001000000000001AAA","Name":"Acme"}]}"#;
    let stored = r#"{"records":[{"Id":"068000000000001AAA","ContentDocumentId":"069000000000001AAA","Title":"Other","PathOnClient":"A.txt","ContentSize":2}]}"#;
    let org = Org::new()
        .answer(&format!("!{path}"), 201, made)
        .answer("/services/data/v68.0/query", 200, account)
        .answer("/services/data/v68.0/query", 200, stored);
    let output = upload(
        &org,
        r#"{"name": "A.txt", "text": "x|y", "record_id": "001000000000001"}"#,
    )
    .unwrap();
    insta::assert_snapshot!(output.text);
    let change = &org.announced()[0];
    let sent = org.requests()[1].clone();
    let body = Json::parse(sent.rsplit(" | ").next().unwrap()).unwrap();
    assert_eq!(body.members().len(), change.fields.len());
    for field in &change.fields {
        let value = body.get(&field.name).unwrap().text();
        assert_eq!(
            field.after.as_deref(),
            Some(value.as_str()),
            "{}",
            field.name
        );
        assert_eq!(field.pointer, Some(format!("/{}", field.name)));
    }
    assert!(change.notes[0].contains("3 bytes of text: x|y"));
}

#[test]
fn what_does_not_fit_costs_no_request() {
    let org = Org::new();
    for (args, pointer) in [
        (r#"{"name": "", "text": "x"}"#, "/name"),
        (r#"{"name": "a/b", "text": "x"}"#, "/name"),
        (r#"{"name": "a", "base64": "%"}"#, "/base64"),
        (r#"{"name": "a", "text": ""}"#, "/text"),
        (r#"{"name": "a"}"#, ""),
        (
            r#"{"name": "a", "text": "x", "record_id": "1"}"#,
            "/record_id",
        ),
        (
            r#"{"name": "a", "text": "x", "file_id": "001000000000001AAA"}"#,
            "/file_id",
        ),
    ] {
        assert_eq!(
            upload(&org, args).unwrap_err().fields[0].pointer,
            pointer,
            "{args}"
        );
    }
    let large = serde_json::json!({ "name": "a", "text": "x".repeat((1 << 20) + 1) });
    assert!(upload(&org, &large.to_string()).is_err());
    assert!(org.requests().is_empty());
}

#[test]
fn a_large_file_is_not_fetched() {
    let row = r#"{"records":[{"Id":"068000000000001AAA","ContentDocumentId":"069000000000001AAA","Title":"Log","FileExtension":"log","FileType":"UNKNOWN","ContentSize":9000000,"VersionNumber":"3","ContentLocation":"S"}]}"#;
    let org = Org::new().answer("/services/data/v68.0/query", 200, row);
    let args = serde_json::from_str(r#"{"id": "069000000000001AAA"}"#).unwrap();
    insta::assert_snapshot!(read_file(&org, &args).unwrap().text);
    assert_eq!(org.requests().len(), 1);
}
