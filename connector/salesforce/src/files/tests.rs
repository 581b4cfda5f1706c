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

/// Where files are asked for with what is in them.
const SOAP: &str = "/services/Soap/u/68.0";

fn read(org: &Org) -> Result<portcullis_sdk::Output, portcullis_sdk::Failure> {
    let args = serde_json::from_str(r#"{"id": "069000000000001AAA"}"#).unwrap();
    read_file(org, &args)
}

/// An answer of the SOAP API with these members of a row.
fn row(members: &str) -> String {
    format!(
        "<e:Envelope xmlns:e=\"x\"><e:Body><queryResponse><result><done>true</done><records><sf:type>ContentVersion</sf:type><sf:Id>068000000000001AAA</sf:Id>{members}</records></result></queryResponse></e:Body></e:Envelope>"
    )
}

#[test]
fn a_large_file_is_not_fetched() {
    let none = "<e:Envelope xmlns:e=\"x\"><e:Body><queryResponse><result><done>true</done><size>0</size></result></queryResponse></e:Body></e:Envelope>";
    let row = r#"{"records":[{"Id":"068000000000001AAA","ContentDocumentId":"069000000000001AAA","Title":"Log","FileExtension":"log","FileType":"UNKNOWN","ContentSize":9000000,"VersionNumber":"3","ContentLocation":"S"}]}"#;
    let org = Org::new()
        .answer(SOAP, 200, none)
        .answer("/services/data/v68.0/query", 200, row);
    insta::assert_snapshot!(read(&org).unwrap().text);
    assert_eq!(org.requests().len(), 2);
    // What it is alone is asked for then.
    assert!(
        !org.requests()[1].contains("VersionData"),
        "{:?}",
        org.requests()
    );

    // One that is none of that now: it changed in between.
    let row = row.replace("9000000", "9");
    let org = Org::new()
        .answer(SOAP, 200, none)
        .answer("/services/data/v68.0/query", 200, &row);
    let failure = read(&org).unwrap_err();
    assert_eq!(failure.message, "the file changed while it was read");
}

#[test]
fn a_file_is_read_by_one_request() {
    let of = |data: &str| {
        row(&format!(
            "<sf:Title>VersionData&gt;</sf:Title><sf:FileExtension>txt</sf:FileExtension><sf:ContentSize>7</sf:ContentSize><sf:ContentLocation>S</sf:ContentLocation>{data}"
        ))
    };
    // Lines of base64 are as good as one.
    for data in ["R3LDvMOfZQ==", "R3LD\nvMOf\nZQ==\n"] {
        let data = of(&format!("<sf:VersionData>{data}</sf:VersionData>"));
        let org = Org::new().answer(SOAP, 200, &data);
        let output = read(&org).unwrap();
        assert!(output.text.contains(", 7 bytes"), "{}", output.text);
        assert!(output.text.contains("Grüße"), "{}", output.text);
        assert_eq!(org.requests(), [SOAP]);
    }
    // An empty file is shown as one; of bytes that are not there it is said.
    let nothing = of("<sf:VersionData xsi:nil=\"true\"/>");
    let empty = nothing.replace("<sf:ContentSize>7<", "<sf:ContentSize>0<");
    for (kind, text) in [("TEXT", "\"\""), ("LINK", "null"), ("", "null")] {
        let empty = empty.replace(
            "<sf:FileExt",
            &format!("<sf:FileType>{kind}</sf:FileType><sf:FileExt"),
        );
        let output = read(&Org::new().answer(SOAP, 200, &empty)).unwrap();
        let data = output.structured.unwrap();
        assert!(data.contains(&format!("\"text\":{text},")), "{data}");
    }
    let org = Org::new().answer(SOAP, 200, &nothing);
    assert!(
        read(&org)
            .unwrap()
            .text
            .contains("the org keeps nothing of it")
    );
    let broken = of("<sf:VersionData>%</sf:VersionData>");
    let org = Org::new().answer(SOAP, 200, &broken);
    assert!(read(&org).unwrap_err().message.contains("no base64"));
}

#[test]
fn an_older_version_says_which_is_the_newest_and_a_cursor_behind_the_end_is_refused() {
    let read = |org: &Org, args: &str| read_file(org, &serde_json::from_str(args).unwrap());
    let members = "<sf:FileExtension>txt</sf:FileExtension><sf:VersionNumber>1</sf:VersionNumber><sf:VersionData>R3LDvMOfZQ==</sf:VersionData>";
    let of = |id: &str| {
        format!(
            "{members}<sf:ContentDocument><sf:type>ContentDocument</sf:type><sf:LatestPublishedVersionId>{id}</sf:LatestPublishedVersionId>\
             <sf:LatestPublishedVersion><sf:type>ContentVersion</sf:type><sf:VersionNumber>3</sf:VersionNumber></sf:LatestPublishedVersion></sf:ContentDocument>"
        )
    };
    let version = r#"{"id":"068000000000001"}"#;
    for (newest, said) in [
        (
            "068000000000003AAA",
            "view, version 1 of 3; the newest: 068000000000003AAA\n",
        ),
        ("068000000000001AAA", "view\n"),
    ] {
        let org = Org::new().answer(SOAP, 200, &row(&of(newest)));
        let text = read(&org, version).unwrap().text;
        assert!(text.contains(said), "{text}");
        assert!(org.bodies()[0].contains("LatestPublishedVersion.VersionNumber"));
    }
    // What the agent may not see is left out.
    let org = Org::new().hide("ContentDocument", "LatestPublishedVersionId");
    let org = org.answer(SOAP, 200, &row(members));
    assert!(read(&org, version).is_ok());
    assert!(!org.bodies()[0].contains("LatestPublished"));

    for (cursor, is_refused) in [("4", false), ("5", true), ("99", true)] {
        let args = format!(r#"{{"id":"069000000000001AAA","cursor":"{cursor}"}}"#);
        match read(&Org::new().answer(SOAP, 200, &row(members)), &args) {
            Ok(_) => assert!(!is_refused, "{cursor}"),
            Err(failure) => {
                assert!(is_refused, "{failure:?}");
                assert_eq!(failure.fields[0].pointer, "/cursor");
                assert!(failure.message.contains("has 5 characters"), "{failure:?}");
            }
        }
    }
}
