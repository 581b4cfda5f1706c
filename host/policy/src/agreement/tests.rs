#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn field(name: &str, after: &Value, pointer: &str) -> FieldChange {
    FieldChange {
        name: name.to_owned(),
        label: name.to_owned(),
        before: None,
        after: Some(after.to_string()),
        pointer: Some(pointer.to_owned()),
    }
}

fn change(id: Option<&str>, fields: Vec<FieldChange>) -> Change {
    Change {
        action: "update".to_owned(),
        kind: "Account".to_owned(),
        id: id.map(str::to_owned),
        label: "Acme".to_owned(),
        url: None,
        fields,
        notes: Vec::new(),
        undo: None,
    }
}

/// A request to `/Account/001`.
struct Sent {
    path: RequestPath,
    kind: Option<&'static str>,
    id: Option<&'static str>,
    kinds_at: Vec<BodyPlace>,
    fields_at: Option<BodyPlace>,
    ids_at: Vec<IdPlace>,
    key: Option<(&'static str, &'static str)>,
    content_type: &'static str,
    body: Vec<u8>,
}

impl Sent {
    fn json(body: &str) -> Self {
        Self {
            path: RequestPath::parse("/Account/001").unwrap(),
            kind: Some("Account"),
            id: Some("001"),
            kinds_at: Vec::new(),
            fields_at: None,
            ids_at: Vec::new(),
            key: None,
            content_type: "application/json; charset=utf-8",
            body: body.as_bytes().to_vec(),
        }
    }

    fn of(content_type: &'static str, body: &str) -> Self {
        Self {
            content_type,
            ..Self::json(body)
        }
    }

    fn with_path(self, path: &str) -> Self {
        Self {
            path: RequestPath::parse(path).unwrap(),
            ..self
        }
    }

    fn with_body(self, body: &str) -> Self {
        Self {
            body: body.as_bytes().to_vec(),
            ..self
        }
    }

    fn unnamed(self) -> Self {
        Self {
            kind: None,
            id: None,
            ..self
        }
    }

    fn agrees(&self, changes: &[Change]) -> Result<Agreement, Disagreement> {
        let sent = SentChange {
            kind: self.kind,
            id: self.id,
            kinds_at: &self.kinds_at,
            fields_at: self.fields_at.as_ref(),
            ids_at: &self.ids_at,
            key: self.key,
            token_at: None,
            path: &self.path,
            content_type: Some(self.content_type),
            body: &self.body,
        };
        agree(changes, &sent)
    }
}

fn name_to(value: Value) -> Vec<Change> {
    vec![change(Some("001"), vec![field("Name", &value, "/Name")])]
}

#[test]
fn what_is_sent_as_announced_agrees() {
    let found = Sent::json(r#"{"Name": "Acm\u0065"}"#).agrees(&name_to(json!("Acme")));
    assert!(found.unwrap().is_whole(&name_to(json!("Acme"))));
    for value in [
        json!(null),
        json!(true),
        json!(1.50),
        json!("\"\\/~ \u{1f600}"),
        json!({"a": [1, {"b": {}}], "c/d~e": []}),
        json!([]),
    ] {
        let body = json!({ "Name": value }).to_string();
        Sent::json(&body).agrees(&name_to(value)).unwrap();
    }
}

#[test]
fn another_kind_record_or_number_of_them_does_not() {
    let body = r#"{"Name": "Acme"}"#;
    let mut changes = name_to(json!("Acme"));
    changes[0].kind = "account".to_owned();
    let kind = Disagreement::Kind {
        announced: "account".to_owned(),
        sent: "Account".to_owned(),
    };
    assert_eq!(Sent::json(body).agrees(&changes), Err(kind));
    for id in [Some("002"), Some("001 "), Some(""), None] {
        let mut changes = name_to(json!("Acme"));
        changes[0].id = id.map(str::to_owned);
        let found = Sent::json(body).agrees(&changes);
        assert!(matches!(found, Err(Disagreement::Id { .. })), "{found:?}");
    }
    let twice = [name_to(json!("Acme")), name_to(json!("Acme"))].concat();
    assert_eq!(Sent::json(body).agrees(&twice), Err(Disagreement::Count(2)));
    assert_eq!(Sent::json(body).agrees(&[]), Err(Disagreement::Count(0)));
}

#[test]
fn another_value_does_not() {
    let cases = [
        (r#"{"Name": "Acme "}"#, json!("Acme")),
        (r#"{"Name": "acme"}"#, json!("Acme")),
        (r#"{"Name": 1}"#, json!("1")),
        (r#"{"Name": "1"}"#, json!(1)),
        (r#"{"Name": 1.0}"#, json!(1)),
        (
            r#"{"Name": 10000000000000000.1}"#,
            json!(10000000000000000.2),
        ),
        (r#"{"Name": null}"#, json!("")),
        (r#"{"Name": "null"}"#, json!(null)),
        (r#"{"Name": []}"#, json!({})),
        (r#"{"Name": [1, 2]}"#, json!([2, 1])),
        // Two letters that look the same.
        ("{\"Name\": \"\u{410}cme\"}", json!("Acme")),
    ];
    for (body, announced) in cases {
        let found = Sent::json(body).agrees(&name_to(announced));
        assert!(
            matches!(found, Err(Disagreement::Value(_))),
            "{body}: {found:?}"
        );
    }
    let missing = Sent::json("{}").agrees(&name_to(json!("Acme")));
    assert_eq!(missing, Err(Disagreement::Missing("/Name".to_owned())));
    let none = Sent::json("").agrees(&name_to(json!("Acme")));
    assert_eq!(none, Err(Disagreement::Missing("/Name".to_owned())));
}

#[test]
fn a_value_more_than_announced_does_not() {
    let more = [
        (r#"{"Name": "Acme", "OwnerId": "005"}"#, "/OwnerId"),
        (
            r#"{"Name": "Acme", "Parent": {"Name": "x"}}"#,
            "/Parent/Name",
        ),
        (r#"{"Name": "Acme", "Tags": []}"#, "/Tags"),
        (r#"{"Name": "Acme", "Tags": [[]]}"#, "/Tags/0"),
    ];
    for (body, place) in more {
        assert_eq!(
            Sent::json(body).agrees(&name_to(json!("Acme"))),
            Err(Disagreement::Unannounced(place.to_owned())),
            "{body}"
        );
    }
    let deep = Sent::json(r#"{"Name": {"a": 1, "b": 2}}"#).agrees(&name_to(json!({"a": 1})));
    assert_eq!(deep, Err(Disagreement::Unannounced("/Name/b".to_owned())));
    let query = Sent::json(r#"{"Name": "Acme"}"#).with_path("/Account/001?OwnerId=005");
    assert_eq!(
        query.agrees(&name_to(json!("Acme"))),
        Err(Disagreement::Unannounced("?OwnerId".to_owned()))
    );
}

#[test]
fn a_name_twice_is_refused_whatever_is_announced() {
    for body in [
        r#"{"Name": "Acme", "Name": "Evil"}"#,
        r#"{"Name": "Acme", "name": "Evil"}"#,
        r#"{"Name": "Acme", "Nam\u0065": "Evil"}"#,
        r#"{"Name": "Acme", "Name": "Acme"}"#,
    ] {
        assert_eq!(
            Sent::json(body).agrees(&name_to(json!("Acme"))),
            Err(Disagreement::Body("has a member twice")),
            "{body}"
        );
    }
}

#[test]
fn a_body_that_can_be_read_in_two_ways_is_refused() {
    for body in ["{\"Name\": \"Acme\"} ", "{\"Name\": \"Acme\"}"] {
        Sent::json(body).agrees(&name_to(json!("Acme"))).unwrap();
    }
    for body in [
        "\u{feff}{\"Name\": \"Acme\"}",
        "{\"Name\": \"Acme\",}",
        "{\"Name\": \"Acme\"}{\"Name\": \"Evil\"}",
        "{'Name': 'Acme'}",
        "{\"Name\": \"Acme\"} // x",
        "{\"Name\": 01}",
        "{\"Name\": NaN}",
    ] {
        let found = Sent::json(body).agrees(&name_to(json!("Acme")));
        assert!(matches!(found, Err(Disagreement::Body(_))), "{body}");
    }
    let mut broken = Sent::json(r#"{"Name": "Acme"}"#);
    broken.body[10] = 0xff;
    let found = broken.agrees(&name_to(json!("Acme")));
    assert!(matches!(found, Err(Disagreement::Body(_))));
    for kind in [
        "",
        "text/plain",
        "application/octet-stream",
        "application/json2",
    ] {
        let found = Sent::of(kind, r#"{"Name": "Acme"}"#).agrees(&name_to(json!("Acme")));
        assert!(matches!(found, Err(Disagreement::Body(_))), "{kind}");
    }
}

#[test]
fn a_field_stands_under_its_own_name_once() {
    let body = r#"{"OwnerId": "005"}"#;
    let disguised = [change(
        Some("001"),
        vec![field("Description", &json!("005"), "/OwnerId")],
    )];
    assert_eq!(
        Sent::json(body).agrees(&disguised),
        Err(Disagreement::Name {
            name: "Description".to_owned(),
            place: "/OwnerId".to_owned()
        })
    );
    let owner = field("OwnerId", &json!("005"), "/OwnerId");
    let twice = [change(Some("001"), vec![owner.clone(), owner])];
    assert_eq!(
        Sent::json(body).agrees(&twice),
        Err(Disagreement::Twice("/OwnerId".to_owned()))
    );
    let no_json = FieldChange {
        after: Some("005".to_owned()),
        ..field("OwnerId", &json!(null), "/OwnerId")
    };
    assert_eq!(
        Sent::json(body).agrees(&[change(Some("001"), vec![no_json])]),
        Err(Disagreement::NotJson("/OwnerId".to_owned()))
    );
}

#[test]
fn what_is_not_sent_as_such_is_told_apart() {
    let mut computed = field("Stage", &json!("Won"), "/x");
    computed.pointer = None;
    let changes = [change(
        Some("001"),
        vec![computed, field("Name", &json!("Acme"), "/Name")],
    )];
    let found = Sent::json(r#"{"Name": "Acme"}"#).agrees(&changes).unwrap();
    assert_eq!(found.changes()[0].fields, [false, true]);
    assert!(!found.is_whole(&changes));
}

#[test]
fn a_record_that_the_path_does_not_name_stands_in_the_body() {
    let body = r#"{"records": [
        {"attributes": {"type": "Account"}, "id": "001", "Name": "A"},
        {"attributes": {"type": "Account"}, "id": "002", "Name": "B"}
    ]}"#;
    let of = |index: usize, id: &str, name: &str| {
        let place = |rest: &str| format!("/records/{index}/{rest}");
        change(
            Some(id),
            vec![
                field("type", &json!("Account"), &place("attributes/type")),
                field("id", &json!(id), &place("id")),
                field("Name", &json!(name), &place("Name")),
            ],
        )
    };
    let sent = || Sent::json(body).unnamed();
    let changes = [of(0, "001", "A"), of(1, "002", "B")];
    assert!(sent().agrees(&changes).unwrap().is_whole(&changes));
    // One that is changed and not announced, and one announced and not changed.
    assert!(matches!(
        sent().agrees(&changes[..1]),
        Err(Disagreement::Unannounced(_))
    ));
    let mut other = changes.clone();
    other[1].id = Some("003".to_owned());
    assert_eq!(
        sent().agrees(&other),
        Err(Disagreement::NoSuchId("003".to_owned()))
    );
    // Nothing vouches for a kind that is nowhere.
    let mut other = changes.clone();
    other[1].kind = "Contact".to_owned();
    let found = sent().agrees(&other).unwrap();
    assert!(!found.is_whole(&other) && !found.changes()[1].kind);
}

#[test]
fn kinds_that_the_route_knows_in_the_body_are_those_that_are_announced() {
    let body =
        r#"{"records": [{"type": "Account", "Name": "A"}, {"type": "Account", "Name": "B"}]}"#;
    let of = |kind: &str, index: usize, name: &str| Change {
        kind: kind.to_owned(),
        ..change(
            None,
            vec![field(
                "Name",
                &json!(name),
                &format!("/records/{index}/Name"),
            )],
        )
    };
    let place = BodyPlace::try_from("/records/*/type".to_owned()).unwrap();
    let sent = |changes: &[Change]| {
        let mut sent = Sent::json(body).unnamed();
        sent.kinds_at = vec![place.clone()];
        sent.agrees(changes)
    };
    let changes = [of("Account", 0, "A"), of("Account", 1, "B")];
    assert!(sent(&changes).unwrap().is_whole(&changes));
    let lies = [
        vec![of("Account", 0, "A"), of("Contact", 1, "B")],
        vec![of("Account", 0, "A"), of("account", 1, "B")],
        vec![of("Account", 0, "A")],
        vec![
            of("Account", 0, "A"),
            of("Account", 1, "B"),
            of("Account", 2, "C"),
        ],
    ];
    for lie in lies {
        let found = sent(&lie);
        assert!(matches!(found, Err(Disagreement::Kind { .. })), "{found:?}");
    }
}

#[test]
fn forms_and_queries_are_read_once_and_whole() {
    const FORM: &str = "application/x-www-form-urlencoded";
    let changes = [change(
        Some("001"),
        vec![
            field("Name", &json!("A & B"), "Name"),
            field("Count", &json!(2), "Count"),
            field("Live", &json!(true), "Live"),
            field("note", &json!("x y"), "?note"),
        ],
    )];
    let path = "/Account/001?note=x%20y";
    let sent = |body: &str| Sent::of(FORM, body).with_path(path).agrees(&changes);
    assert!(
        sent("Name=A+%26+B&Count=2&Live=true")
            .unwrap()
            .is_whole(&changes)
    );
    for (body, problem) in [
        ("Name=A+%26+B&Count=2&Live=true&Name=x", "Body"),
        ("Name=A+%26+B&Count=2&Live=true&name=x", "Body"),
        ("Name=A+%26+B&Count=2&Live=true&%4eame=x", "Body"),
        ("Name=A+%26+B&Count=2&Live=true&Owner=x", "Unannounced"),
        ("Name=A+%26+B&Count=2.0&Live=true", "Value"),
        ("Name=A+%26+B&Count=2&Live=TRUE", "Value"),
        ("Name=A%20%26%20B&Count=2", "Missing"),
        ("Name=%ff&Count=2&Live=true", "Body"),
        ("Name=A+%26+B&Count=2&Live=true&%3Fnote=z", "Body"),
        // A service that separates at `;` too reads an owner.
        ("Name=A+%26+B;Owner=x&Count=2&Live=true", "Body"),
        ("Name=A+%26+B&Count=2&Live=true;", "Body"),
    ] {
        let found = format!("{:?}", sent(body).unwrap_err());
        assert!(found.starts_with(problem), "{body}: {found}");
    }
    // Also where all of it is announced, as one value; written out it separates nothing.
    let noted = |query: &str| {
        let note = change(
            Some("001"),
            vec![field("note", &json!("x;owner=005"), "?note")],
        );
        let path = format!("/Account/001?note={query}");
        Sent::of(FORM, "").with_path(&path).agrees(&[note])
    };
    noted("x%3Bowner%3D005").unwrap();
    let found = noted("x;owner%3D005").unwrap_err();
    assert!(matches!(found, Disagreement::Body(_)), "{found:?}");
}

#[test]
fn xml_is_read_by_the_paths_of_its_elements() {
    let envelope = |inner: &str| {
        format!(
            "<?xml version=\"1.0\"?>\n<s:Envelope xmlns:s=\"http://x\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n <s:Body><undelete>{inner}</undelete></s:Body>\n</s:Envelope>"
        )
    };
    let at = |rest: &str| format!("Envelope/Body/undelete/{rest}");
    let changes = [
        change(Some("001"), vec![field("ids", &json!("001"), &at("ids"))]),
        change(
            Some("002"),
            vec![
                field("ids", &json!("002"), &at("ids[1]")),
                field("Note", &json!("a < b & \u{1f600}"), &at("Note")),
                field("Empty", &json!(null), &at("Empty")),
            ],
        ),
    ];
    let good = "<ids>001</ids><ids>002</ids><Note>a &lt; b &amp; &#x1F600;</Note><Empty xsi:nil=\"true\"/>";
    let sent = |inner: &str| {
        Sent::of("text/xml", &envelope(inner))
            .unnamed()
            .agrees(&changes)
    };
    sent(good).unwrap();
    for (inner, problem) in [
        (good.replace("002", "003"), "Value"),
        (format!("{good}<ids>003</ids>"), "Unannounced"),
        (good.replace("<Note>", "<Note kind=\"x\">"), "Unannounced"),
        (good.replace("<Note>", "<Note><!-- x -->"), "Body"),
        (good.replace("<Note>", "<Note><![CDATA[x]]>"), "Body"),
        (good.replace("<Note>", "<Note><?x y?>"), "Body"),
        (good.replace("&amp;", "&evil;"), "Body"),
        (good.replace("<ids>001", "text <ids>001"), "Body"),
        (good.replace("</Note>", ""), "Body"),
    ] {
        let found = format!("{:?}", sent(&inner).unwrap_err());
        assert!(found.starts_with(problem), "{inner}: {found}");
    }
    for whole in [
        "<!DOCTYPE a [<!ENTITY b \"c\">]><a>1</a>",
        "<a>1</a><a>2</a>",
        "<a>1</a>text",
        "",
        "text",
        &"<a>".repeat(100),
    ] {
        if whole.is_empty() {
            continue;
        }
        let found = Sent::of("application/xml", whole)
            .unnamed()
            .agrees(&changes);
        assert!(
            matches!(found, Err(Disagreement::Body(_))),
            "{whole}: {found:?}"
        );
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-d~/\"\\\\]{1,3}", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Whatever else is sent than what was announced, the two do not agree.
    #[test]
    fn only_what_was_announced_agrees(announced in any_value(), sent in any_value()) {
        let body = json!({ "Name": sent }).to_string();
        let found = Sent::json(&body).agrees(&name_to(announced.clone()));
        prop_assert_eq!(found.is_ok(), announced == sent);
    }

    #[test]
    fn no_body_breaks_it(body in prop::collection::vec(any::<u8>(), 0..64), kind in 0..3_usize) {
        let kinds = ["application/json", "application/x-www-form-urlencoded", "text/xml"];
        let sent = Sent { body, ..Sent::of(kinds[kind], "") };
        let _ = sent.agrees(&name_to(json!("x")));
    }

    #[test]
    fn no_text_breaks_it(body in "[<>/a\"'&;= !?\\[\\]{}:,0-9-]{0,40}", kind in 0..3_usize) {
        let kinds = ["application/json", "application/x-www-form-urlencoded", "text/xml"];
        let _ = Sent::of(kinds[kind], &body).agrees(&name_to(json!("x")));
    }
}

#[test]
fn the_key_in_a_path_is_announced() {
    let changes = |value: &str| {
        let key = field("Ext__c", &json!(value), "{Ext__c}");
        vec![change(
            None,
            vec![key, field("Name", &json!("Acme"), "/Name")],
        )]
    };
    let sent = || Sent {
        id: None,
        key: Some(("Ext__c", "K-1")),
        ..Sent::json(r#"{"Name": "Acme"}"#)
    };
    let found = sent().agrees(&changes("K-1")).unwrap();
    assert!(found.is_whole(&changes("K-1")));
    assert_eq!(
        sent().agrees(&changes("K-2")),
        Err(Disagreement::Value("{Ext__c}".to_owned()))
    );
    let silent = [change(None, vec![field("Name", &json!("Acme"), "/Name")])];
    assert_eq!(
        sent().agrees(&silent),
        Err(Disagreement::Unannounced("{Ext__c}".to_owned()))
    );
    // By another field, or under another name.
    let other = Sent {
        key: Some(("Other__c", "K-1")),
        ..sent()
    };
    let found = other.agrees(&changes("K-1"));
    assert!(matches!(found, Err(Disagreement::Missing(_))), "{found:?}");
    let disguised = [change(None, vec![field("Name", &json!("K-1"), "{Ext__c}")])];
    let found = sent().agrees(&disguised);
    assert!(matches!(found, Err(Disagreement::Name { .. })), "{found:?}");
}

/// A request that changes several records of one list.
fn collection(records: &str) -> Sent {
    let place = |text: &str| BodyPlace::try_from(text.to_owned()).unwrap();
    Sent {
        kinds_at: vec![place("/records/*/attributes/type")],
        fields_at: Some(place("/records/*")),
        ids_at: vec![IdPlace::Body(place("/records/*/Id"))],
        ..Sent::json(&format!("{{\"records\": [{records}]}}")).unnamed()
    }
}

fn record(id: &str, name: &str) -> String {
    format!(r#"{{"attributes": {{"type": "Account"}}, "Id": "{id}", "Name": "{name}"}}"#)
}

#[test]
fn no_record_of_a_list_gets_what_was_announced_for_another() {
    let of = |id: &str, index: usize, name: &str| {
        let pointer = format!("/records/{index}/Name");
        change(Some(id), vec![field("Name", &json!(name), &pointer)])
    };
    let both = format!("{}, {}", record("001", "A"), record("002", "B"));
    let changes = [of("001", 0, "A"), of("002", 1, "B")];
    assert!(
        collection(&both)
            .agrees(&changes)
            .unwrap()
            .is_whole(&changes)
    );
    let crossed = format!("{}, {}", record("001", "B"), record("002", "A"));
    let lies = [
        // The values have changed places, and each is announced where it stands.
        (crossed.clone(), vec![of("001", 1, "A"), of("002", 0, "B")]),
        (crossed, changes.to_vec()),
        // The records have.
        (both.clone(), vec![of("002", 0, "A"), of("001", 1, "B")]),
        (both.clone(), vec![of("002", 1, "B"), of("001", 0, "A")]),
        // One too many, one too few, one twice.
        (both.clone(), vec![of("001", 0, "A")]),
        (record("001", "A"), changes.to_vec()),
        (both.clone(), vec![of("001", 0, "A"), of("001", 1, "B")]),
        (
            both.replace(r#""Id": "001""#, r#""id": "001""#),
            changes.to_vec(),
        ),
        (both.replace(r#""Id": "001", "#, ""), changes.to_vec()),
        (both.replace(r#""001""#, "1"), changes.to_vec()),
        (both.replace(r#""001""#, r#"["001"]"#), changes.to_vec()),
    ];
    for (body, announced) in lies {
        let found = collection(&body).agrees(&announced);
        assert!(found.is_err(), "{body}");
    }
    // The eleventh is not the second.
    let names: Vec<String> = (0..12).map(|number| format!("N{number}")).collect();
    let many: Vec<String> = names.iter().map(|name| record(name, name)).collect();
    let announced: Vec<Change> = names
        .iter()
        .enumerate()
        .map(|(index, name)| of(name, index, name))
        .collect();
    collection(&many.join(",")).agrees(&announced).unwrap();
    // A flag that nobody announced.
    let mut flagged = collection(&both);
    flagged.body = format!("{{\"allOrNone\": true, \"records\": [{both}]}}").into_bytes();
    assert_eq!(
        flagged.agrees(&changes),
        Err(Disagreement::Unannounced("/allOrNone".to_owned()))
    );
}

#[test]
fn kinds_of_a_list_are_in_its_order() {
    let body = r#"{"attributes": {"type": "Account"}}, {"attributes": {"type": "Contact"}}"#;
    let of = |kind: &str| Change {
        kind: kind.to_owned(),
        ..change(None, Vec::new())
    };
    let sent = || Sent {
        ids_at: Vec::new(),
        ..collection(body)
    };
    sent().agrees(&[of("Account"), of("Contact")]).unwrap();
    let found = sent().agrees(&[of("Contact"), of("Account")]);
    assert!(matches!(found, Err(Disagreement::Kind { .. })), "{found:?}");
}

#[test]
fn the_ids_of_a_query_are_those_that_are_announced() {
    let sent = |query: &str| Sent {
        ids_at: vec![IdPlace::Query("ids".to_owned())],
        ..Sent::of("", "")
            .unnamed()
            .with_path(&format!("/records?{query}"))
    };
    let of = |id: &str| change(Some(id), Vec::new());
    sent("ids=001,002").agrees(&[of("001"), of("002")]).unwrap();
    sent("ids=001%2C002")
        .agrees(&[of("001"), of("002")])
        .unwrap();
    for (query, announced) in [
        ("ids=001,002", vec![of("001")]),
        ("ids=001", vec![of("001"), of("002")]),
        ("ids=001,002", vec![of("002"), of("001")]),
        ("ids=001,003", vec![of("001"), of("002")]),
        ("ids=001,", vec![of("001")]),
        ("ids=001, 002", vec![of("001"), of("002")]),
        ("ids=001&ids=002", vec![of("001"), of("002")]),
        ("ids=001&IDS=002", vec![of("001")]),
        ("ids=001,002&allOrNone=true", vec![of("001"), of("002")]),
        ("Ids=001", vec![of("001")]),
        ("x=1", vec![of("001")]),
    ] {
        let path = query.replace(' ', "%20");
        assert!(sent(&path).agrees(&announced).is_err(), "{query}");
    }
}

#[test]
fn the_records_of_a_message_are_those_that_are_announced() {
    let place =
        |text: &str| IdPlace::try_from(format!("Envelope/Body/merge/request/{text}")).unwrap();
    let message = |inner: &str| {
        let text =
            format!("<Envelope><Body><merge><request>{inner}</request></merge></Body></Envelope>");
        Sent {
            ids_at: vec![place("masterRecord/Id"), place("recordToMergeIds")],
            ..Sent::of("text/xml", "").unnamed()
        }
        .with_body(&text)
    };
    let name = |pointer: &str| {
        let pointer = format!("Envelope/Body/merge/request/{pointer}");
        field("Name", &json!("A"), &pointer)
    };
    let keep = |id: &str| change(Some(id), vec![name("masterRecord/Name")]);
    let lose = |id: &str| change(Some(id), Vec::new());
    let inner = "<masterRecord><Id>001</Id><Name>A</Name></masterRecord><recordToMergeIds>002</recordToMergeIds><recordToMergeIds>003</recordToMergeIds>";
    message(inner)
        .agrees(&[keep("001"), lose("002"), lose("003")])
        .unwrap();
    // What comes of it besides has no id yet.
    message(inner)
        .agrees(&[
            keep("001"),
            lose("002"),
            lose("003"),
            change(None, Vec::new()),
        ])
        .unwrap();
    let claims = change(Some("002"), vec![name("masterRecord/Name")]);
    for lie in [
        vec![keep("002"), lose("001"), lose("003")],
        vec![keep("001"), lose("003"), lose("002")],
        vec![keep("001"), lose("002")],
        vec![lose("001"), claims, lose("003")],
        vec![keep("001"), lose("002"), lose("002")],
        vec![
            lose("001"),
            lose("002"),
            lose("003"),
            change(None, vec![name("masterRecord/Name")]),
        ],
    ] {
        assert!(message(inner).agrees(&lie).is_err(), "{lie:?}");
    }
}

#[test]
fn a_character_set_of_its_own_is_refused() {
    let changes = name_to(json!("Acme"));
    for kind in ["application/json", "application/json; charset=\"UTF-8\""] {
        let sent = Sent::of(kind, r#"{"Name": "Acme"}"#);
        sent.agrees(&changes).unwrap();
    }
    for kind in [
        "application/json; charset=utf-16",
        "application/json; charset=iso-8859-1",
        "application/json; charset=utf-8; charset=utf-7",
        "text/xml; charset=utf-7",
    ] {
        let found = Sent::of(kind, r#"{"Name": "Acme"}"#).agrees(&changes);
        assert!(matches!(found, Err(Disagreement::Body(_))), "{kind}");
    }
}
