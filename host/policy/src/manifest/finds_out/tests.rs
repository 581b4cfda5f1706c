#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::json;

use super::*;

fn finds_out(arguments: Value) -> FindsOut {
    serde_json::from_value(json!({"tool": "look", "arguments": arguments})).unwrap()
}

fn change(kind: &str, id: Option<&str>) -> Change {
    Change {
        action: "update".to_owned(),
        kind: kind.to_owned(),
        id: id.map(str::to_owned),
        label: String::new(),
        url: None,
        fields: Vec::new(),
        notes: Vec::new(),
        undo: None,
    }
}

fn named(arguments: Value, changes: &[Change]) -> Option<String> {
    let call = finds_out(arguments).call(changes)?;
    Some(call.to_string())
}

#[test]
fn what_was_announced_fills_the_call() {
    let two = [
        change("Account", Some("001A")),
        change("Account", Some("001B")),
    ];
    let arguments = json!({
        "object": "{kind}",
        "id": "{id}",
        "all": "{ids}",
        "soql": "SELECT Id FROM {kind} WHERE Id = '{id}'",
        "deep": [{"of": "{kind}"}],
        "limit": 5,
    });
    assert_eq!(
        named(arguments, &two).unwrap(),
        r#"look {"all":["001A","001B"],"deep":[{"of":"Account"}],"id":"001A","limit":5,"object":"Account","soql":"SELECT Id FROM Account WHERE Id = '001A'"}"#
    );
}

#[test]
fn a_call_is_named_whole_or_not_at_all() {
    let made = [change("Account", None)];
    for arguments in [json!({"id": "{id}"}), json!({"ids": "{ids}"})] {
        assert_eq!(named(arguments, &made), None);
    }
    assert!(named(json!({"object": "{kind}"}), &made).is_some());
    assert_eq!(named(json!({}), &[]), None);
}

/// The attack: a connector announces a kind that turns the query into another one, or a line that turns a terminal around.
#[test]
fn nothing_is_filled_into_a_text_that_could_be_read_as_part_of_it() {
    let query = || json!({"soql": "SELECT Id FROM {kind} LIMIT 5"});
    for kind in [
        "Account WHERE Name = 'x'",
        "Account'",
        "",
        "Account\nLIMIT 1",
        "{id}",
        "Аccount",
    ] {
        assert_eq!(named(query(), &[change(kind, None)]), None, "{kind}");
    }
    // Alone it is a value like any other.
    let alone = named(json!({"id": "{id}"}), &[change("A", Some("x' or 1"))]);
    assert!(alone.is_some());
    assert_eq!(
        named(json!({"id": "{id}"}), &[change("A", Some("\u{1b}[2J"))]),
        None
    );
    // What was filled in is not filled again.
    let both = named(json!({"x": "{kind}{id}"}), &[change("A", Some("B"))]);
    assert_eq!(both.unwrap(), r#"look {"x":"AB"}"#);
}

#[test]
fn a_value_that_was_announced_fills_the_call() {
    let sent = |after: Option<&str>| {
        let mut change = change("Message", None);
        change.fields = vec![crate::FieldChange {
            name: "about".to_owned(),
            label: String::new(),
            before: None,
            after: after.map(str::to_owned),
            pointer: Some("/inputs/0/about".to_owned()),
        }];
        [change]
    };
    let look = |text: &str| json!({ "soql": text });
    let soql = "SELECT Id FROM Task WHERE WhatId = '{/inputs/0/about}'";
    assert_eq!(
        named(look(soql), &sent(Some(r#""006A""#))).unwrap(),
        r#"look {"soql":"SELECT Id FROM Task WHERE WhatId = '006A'"}"#
    );
    // The attack: a value that turns the query into another one, or what is none.
    for after in [
        None,
        Some(r#""x' OR Id != '""#),
        Some("7"),
        Some("null"),
        Some("006A"),
    ] {
        assert_eq!(named(look(soql), &sent(after)), None, "{after:?}");
    }
    assert_eq!(
        named(look("{/inputs/1/about}"), &sent(Some(r#""006A""#))),
        None
    );
    assert!(finds_out(look(soql)).sample().is_some());
}

#[test]
fn braces_around_anything_else_are_mistakes_of_the_manifest() {
    let problems = |arguments| {
        let problems = finds_out(arguments).problems("/routes/0/finds_out");
        let pointers = problems.into_iter().map(|problem| problem.pointer);
        pointers.collect::<Vec<_>>()
    };
    assert!(
        problems(json!({"a": "{kind} {id}", "b": ["{ids}"], "c": 1, "d": "at {/fields/0}"}))
            .is_empty()
    );
    for (arguments, pointer) in [
        (json!({"a": "{name}"}), "/a"),
        (json!({"a": "{kind"}), "/a"),
        (json!({"a": "kind}{id}"}), "/a"),
        (json!({"a": "{{id}}"}), "/a"),
        (json!({"a": "{fields/0}"}), "/a"),
        (json!({"a": "all of {ids}"}), "/a"),
        (json!({"a": [0, {"b/c": "{}"}]}), "/a/1/b~1c"),
    ] {
        assert_eq!(
            problems(arguments),
            [format!("/routes/0/finds_out/arguments{pointer}")]
        );
    }
}

#[test]
fn it_is_known_what_is_filled_in() {
    let finds_out = finds_out(json!({"id": "{id}", "ids": "{ids}", "limit": 5, "n": "x"}));
    for (pointer, is_filled) in [
        ("/id", true),
        ("/ids", true),
        ("/ids/0", true),
        ("/limit", false),
        ("/n", false),
        ("", false),
        ("/other", false),
    ] {
        assert_eq!(
            is_filled_at(&finds_out.arguments, pointer),
            is_filled,
            "{pointer}"
        );
    }
}

/// The attack: a manifest whose call names the value of a field, or a connector that announces a value as an id, so that it stands where a
/// call is told in the clear.
#[test]
fn a_call_that_quotes_a_value_says_so() {
    let mut sent = change("Account", Some("001A"));
    sent.fields = vec![crate::FieldChange {
        name: "Salary".to_owned(),
        label: String::new(),
        before: None,
        after: Some(r#""120000""#.to_owned()),
        pointer: Some("/Salary".to_owned()),
    }];
    let quotes = |arguments: Value, change: &Change| {
        let call = finds_out(arguments).call(std::slice::from_ref(change));
        let call = call.unwrap();
        let text = serde_json::to_value(&call).unwrap();
        assert_eq!(text.get("quotes").is_some(), call.quotes);
        assert_eq!(serde_json::from_value::<ToolCall>(text).unwrap(), call);
        call.quotes
    };
    assert!(!quotes(json!({"id": "{id}", "of": "{kind}"}), &sent));
    for arguments in [
        json!({"text": "{/Salary}"}),
        json!({"soql": "SELECT Id FROM A WHERE B = '{/Salary}'"}),
        json!({"id": "{id}", "deep": [{"of": ["{/Salary}"]}]}),
    ] {
        assert!(quotes(arguments, &sent));
    }
    for odd in ["Ada Lovelace", "ada@example.com", "+44 20 7946"] {
        assert!(quotes(json!({"id": "{id}"}), &change("Account", Some(odd))));
        assert!(quotes(json!({"of": "{kind}"}), &change(odd, None)));
        let both = [
            change("Account", Some("001A")),
            change("Account", Some(odd)),
        ];
        let call = finds_out(json!({"ids": "{ids}"})).call(&both);
        assert!(call.unwrap().quotes);
    }
}
