#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashSet;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::FieldChange;

const KEY: [u8; 32] = [7; 32];

/// A request whose parts a test can change one by one.
#[derive(Clone)]
struct Owned {
    connector: Digest,
    tool: ToolName,
    arguments: Value,
    person: PersonId,
    agent: AgentId,
    connection: ConnectionId,
    organization: Option<String>,
    method: Method,
    origin: Origin,
    path: RequestPath,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    changes: Vec<Change>,
}

impl Owned {
    fn new() -> Self {
        Self {
            connector: Digest::of(b"component"),
            tool: ToolName::parse("update_record").unwrap(),
            arguments: json!({"id": "001", "fields": {"Name": "Acme", "City": null}}),
            person: PersonId::parse("ada").unwrap(),
            agent: AgentId::parse("sales").unwrap(),
            connection: ConnectionId::parse("c1").unwrap(),
            organization: Some("00D".to_owned()),
            method: Method::Patch,
            origin: Origin::parse("https://acme.example.com").unwrap(),
            path: RequestPath::parse("/record/001?x=1").unwrap(),
            headers: vec![("content-type".to_owned(), b"application/json".to_vec())],
            body: br#"{"Name":"Acme"}"#.to_vec(),
            changes: vec![Change {
                action: "update".to_owned(),
                kind: "Account".to_owned(),
                id: Some("001".to_owned()),
                label: "Acme".to_owned(),
                url: None,
                fields: vec![FieldChange {
                    name: "Name".to_owned(),
                    label: "Name".to_owned(),
                    before: Some("\"Old\"".to_owned()),
                    after: Some("\"Acme\"".to_owned()),
                    pointer: Some("/Name".to_owned()),
                }],
                notes: vec!["note".to_owned()],
                undo: None,
            }],
        }
    }

    fn digest(&self, key: &[u8; 32]) -> Digest {
        BoundRequest {
            connector: self.connector,
            tool: &self.tool,
            arguments: &self.arguments,
            person: &self.person,
            agent: &self.agent,
            connection: &self.connection,
            organization: self.organization.as_deref(),
            method: self.method,
            origin: &self.origin,
            path: &self.path,
            headers: &self.headers,
            body: &self.body,
            changes: &self.changes,
        }
        .digest(key)
    }
}

#[test]
fn every_part_counts() {
    let edits: Vec<fn(&mut Owned)> = vec![
        |_| {},
        |r| r.connector = Digest::of(b"other"),
        |r| r.tool = ToolName::parse("delete_record").unwrap(),
        |r| r.arguments["id"] = json!("002"),
        |r| r.person = PersonId::parse("bob").unwrap(),
        |r| r.agent = AgentId::parse("service").unwrap(),
        |r| r.connection = ConnectionId::parse("c2").unwrap(),
        |r| r.organization = None,
        |r| r.organization = Some(String::new()),
        |r| r.method = Method::Put,
        |r| r.origin = Origin::parse("https://acme.example.com:8443").unwrap(),
        |r| r.path = RequestPath::parse("/record/001?x=2").unwrap(),
        |r| r.headers[0].1.push(b' '),
        |r| r.headers.push(("accept".to_owned(), b"text/html".to_vec())),
        |r| r.body.push(b' '),
        |r| r.changes.clear(),
        |r| r.changes.push(r.changes[0].clone()),
        |r| r.changes[0].action = "create".to_owned(),
        |r| r.changes[0].kind = "Contact".to_owned(),
        |r| r.changes[0].id = None,
        |r| r.changes[0].label = "Acme Ltd".to_owned(),
        |r| r.changes[0].url = Some("https://acme.example.com/001".to_owned()),
        |r| r.changes[0].fields[0].name = "City".to_owned(),
        |r| r.changes[0].fields[0].label = "City".to_owned(),
        |r| r.changes[0].fields[0].before = None,
        |r| r.changes[0].fields[0].before = Some("\"New\"".to_owned()),
        |r| r.changes[0].fields[0].after = None,
        |r| r.changes[0].fields[0].pointer = None,
        |r| r.changes[0].notes.clear(),
        |r| r.changes[0].undo = Some("change it back".to_owned()),
    ];
    let mut digests = HashSet::new();
    for edit in &edits {
        let mut request = Owned::new();
        edit(&mut request);
        assert!(digests.insert(request.digest(&KEY)));
    }
    assert!(
        digests.insert(Owned::new().digest(&[8; 32])),
        "the key counts"
    );
    assert_eq!(Owned::new().digest(&KEY), Owned::new().digest(&KEY));
}

#[test]
fn a_question_is_the_same_whatever_comes_of_it() {
    let request = Owned::new();
    let connector: ConnectorName = "salesforce".parse().unwrap();
    let call = BoundCall {
        connector: &connector,
        tool: &request.tool,
        arguments: &request.arguments,
        person: &request.person,
        agent: &request.agent,
        connection: &request.connection,
    };
    let other = ToolName::parse("other").unwrap();
    let (bob, c2) = (
        PersonId::parse("bob").unwrap(),
        ConnectionId::parse("c2").unwrap(),
    );
    let (agent, fetch) = (AgentId::parse("x").unwrap(), "fetch".parse().unwrap());
    let arguments = json!({});
    let all = [
        call,
        BoundCall {
            tool: &other,
            ..call
        },
        BoundCall {
            person: &bob,
            ..call
        },
        BoundCall {
            connection: &c2,
            ..call
        },
        BoundCall {
            agent: &agent,
            ..call
        },
        BoundCall {
            connector: &fetch,
            ..call
        },
        BoundCall {
            arguments: &arguments,
            ..call
        },
    ];
    let digests: HashSet<Digest> = all.iter().map(|call| call.digest(&KEY)).collect();
    assert_eq!(digests.len(), all.len());
    assert_ne!(call.digest(&KEY), call.digest(&[8; 32]));
}

#[test]
fn the_order_of_members_and_headers_does_not_count() {
    let mut a = Owned::new();
    a.headers.push(("Accept".to_owned(), b"x".to_vec()));
    let mut b = a.clone();
    b.headers.reverse();
    b.headers[0].0 = "accept".to_owned();
    b.arguments =
        serde_json::from_str(r#"{"fields": {"City": null, "Name": "Acme"}, "id": "001"}"#).unwrap();
    assert_eq!(a.digest(&KEY), b.digest(&KEY));
}

#[test]
fn digests_survive_their_text() {
    let digest = Digest::of(b"");
    assert_eq!(
        digest.to_string(),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    assert_eq!(digest.to_string().parse(), Ok(digest));
    assert_eq!(digest.short(), "e3b0c44298fc");
    for wrong in ["", "e3", &"g".repeat(64), &"é".repeat(32)] {
        assert_eq!(wrong.parse::<Digest>(), Err(DigestError));
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(".{0,4}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn canonical_json_is_the_same_value_and_stable(value in json_value()) {
        let text = canonical_json(&value);
        let again: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&again, &value);
        prop_assert_eq!(canonical_json(&again), text);
    }

    #[test]
    fn parts_cannot_be_moved_across_their_borders(
        a in prop::collection::vec(("[a-c]{0,3}", "[a-c]{0,3}"), 0..4),
        b in prop::collection::vec(("[a-c]{0,3}", "[a-c]{0,3}"), 0..4),
    ) {
        let digest = |list: &[(String, String)]| {
            let mut parts = Parts::new(&KEY);
            for (label, bytes) in list {
                parts.add(label, bytes.as_bytes());
            }
            parts.finish()
        };
        prop_assert_eq!(a == b, digest(&a) == digest(&b));
    }
}
