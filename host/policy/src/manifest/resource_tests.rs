#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use serde_json::json;

use super::*;

fn manifest() -> Value {
    json!({
        "name": "crm", "title": "CRM", "version": "0.1.0", "auth": {"kind": "none"}, "origins": [], "routes": [],
        "toolsets": {"records": "Records"},
        "resources": [
            {"uri": "crm://{object}/{id}", "name": "record", "title": "A record", "description": "One record.",
             "read": {"tool": "get", "arguments": {"object": "{object}", "id": "{id}"}},
             "record": {"kind": "object", "id": "id"},
             "complete": {"object": {"call": {"tool": "list", "arguments": {"text": "{value}"}}, "values": "/rows/*/0"},
                          "id": {"call": {"tool": "find", "arguments": {"in": "{object}", "text": "{value}"}}, "values": "/ids/*"}}},
            {"uri": "crm://files/{id}", "name": "file", "title": "A file", "description": "What is in a file.",
             "read": {"tool": "read", "arguments": {"id": "{id}"}}},
            {"uri": "crm://limits", "name": "limits", "title": "Limits", "description": "What is left.",
             "media_type": "application/json", "read": {"tool": "limits", "arguments": {}}}
        ]
    })
}

fn parsed() -> Manifest {
    Manifest::from_json(&manifest().to_string()).unwrap_or_else(|error| panic!("{error}"))
}

fn problems(edit: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut manifest = manifest();
    edit(&mut manifest);
    match Manifest::from_json(&manifest.to_string()) {
        Ok(_) => Vec::new(),
        Err(error) => {
            let problems = error.problems.into_iter();
            problems.map(|problem| problem.pointer).collect()
        }
    }
}

#[test]
fn an_address_is_a_call() {
    let manifest = parsed();
    for (uri, expected) in [
        (
            "crm://Account/001",
            Some(r#"get {"id":"001","object":"Account"}"#),
        ),
        ("crm://files/001", Some(r#"read {"id":"001"}"#)),
        ("crm://limits", Some("limits {}")),
        ("crm://Account", None),
        ("erp://Account/001", None),
    ] {
        let found = manifest.resource(uri).map(|(_, call)| call.to_string());
        assert_eq!(found.as_deref(), expected, "{uri}");
    }
    let record = &manifest.resources[0];
    assert_eq!(
        record.uri_of_record("Account", "001").unwrap(),
        "crm://Account/001"
    );
    assert_eq!(record.uri_of_record("Account", ""), None);
    assert_eq!(manifest.resources[1].uri_of_record("files", "001"), None);
    let arguments = json!({"id": "a b"});
    let uri = manifest.resources[1].uri_of_call("read", arguments.as_object().unwrap());
    assert_eq!(uri.unwrap(), "crm://files/a%20b");
}

#[test]
fn what_a_resource_cannot_be_is_refused_with_its_place() {
    assert_eq!(problems(|_| {}), [""; 0]);
    for (pointer, value, at) in [
        (
            "/resources/0/uri",
            json!("erp://{object}/{id}"),
            "/resources/0/uri",
        ),
        (
            "/resources/0/uri",
            json!("https://{object}/{id}"),
            "/resources/0/uri",
        ),
        (
            "/resources/0/uri",
            json!("crm://{object}x/{id}"),
            "/resources/0/uri",
        ),
        (
            "/resources/1/uri",
            json!("crm://{kind}/{id}"),
            "/resources/1/uri",
        ),
        ("/resources/1/name", json!("record"), "/resources/1/name"),
        (
            "/resources/0/read/arguments/id",
            json!("{ids}"),
            "/resources/0/read/arguments/id",
        ),
        (
            "/resources/0/read/arguments/id",
            json!("x{id}"),
            "/resources/0/read/arguments/id",
        ),
        (
            "/resources/2/read/arguments/id",
            json!("{id}"),
            "/resources/2/read/arguments/id",
        ),
        // What was typed is known where something is completed, and not where something is read.
        (
            "/resources/0/read/arguments/id",
            json!("{value}"),
            "/resources/0/read/arguments/id",
        ),
        (
            "/resources/0/complete/object/call/arguments/in",
            json!("{object}"),
            "/resources/0/complete/object/call/arguments/in",
        ),
        (
            "/resources/0/complete/object/values",
            json!("rows"),
            "/resources/0/complete/object/values",
        ),
        (
            "/resources/0/complete/other",
            json!({"call": {"tool": "list", "arguments": {}}, "values": "/rows/*"}),
            "/resources/0/complete/other",
        ),
        (
            "/resources/0/record/id",
            json!("ids"),
            "/resources/0/record/id",
        ),
        ("/resources/0/surprise", json!(1), "/resources/0"),
        (
            "/resources/0/complete/object/surprise",
            json!(1),
            "/resources/0/complete/object",
        ),
    ] {
        let found = problems(|manifest| {
            let (outer, member) = pointer.rsplit_once('/').unwrap();
            manifest.pointer_mut(outer).unwrap()[member] = value.clone();
        });
        assert_eq!(
            found.first().map(String::as_str),
            Some(at),
            "{pointer} {value}"
        );
    }
}

#[test]
fn what_was_typed_stands_for_no_argument_beside_it() {
    let with = |completed: &str| {
        problems(|manifest| {
            let file = &mut manifest["resources"][1];
            file["uri"] = json!("crm://files/{value}/{id}");
            file["read"]["arguments"]["in"] = json!("{value}");
            file["complete"][completed] = json!({"call": {"tool": "find", "arguments": {"text": "{value}"}}, "values": "/ids/*"});
        })
    };
    assert_eq!(with("id"), ["/resources/1/complete/id"]);
    assert_eq!(with("value"), [""; 0]);
}

#[test]
fn a_completion_is_a_call_and_its_answer_is_bounded() {
    let manifest = parsed();
    let complete = &manifest.resources[0].complete;
    let call = complete["object"].call("Acc", &BTreeMap::new()).unwrap();
    assert_eq!(call.to_string(), r#"list {"text":"Acc"}"#);
    // What it hangs on is not known yet.
    assert_eq!(complete["id"].call("001", &BTreeMap::new()), None);
    let others = BTreeMap::from([("object".to_owned(), "Account".to_owned())]);
    let call = complete["id"].call("001", &others).unwrap();
    assert_eq!(call.to_string(), r#"find {"in":"Account","text":"001"}"#);
    for typed in ["a\nb", &"a".repeat(256)] {
        assert_eq!(complete["object"].call(typed, &BTreeMap::new()), None);
    }
    let answer =
        json!({"rows": [["Account", "x"], ["Contact"], ["Account"], [1], [], ["a\u{7}"], [""]]});
    let expected = (vec!["Account".to_owned(), "Contact".to_owned()], false);
    assert_eq!(complete["object"].values_of(&answer), expected);
    for answer in [json!({}), json!([]), json!({"rows": {"0": "a"}})] {
        assert_eq!(complete["object"].values_of(&answer), (Vec::new(), false));
    }
    let many: Vec<Value> = (0..300).map(|number| json!([number.to_string()])).collect();
    let (values, has_more) = complete["object"].values_of(&json!({ "rows": many }));
    assert_eq!((values.len(), has_more), (COMPLETIONS_MAX, true));
}
