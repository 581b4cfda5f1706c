#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashSet;

use super::*;
use crate::FieldChange;

const KEY: [u8; 32] = [7; 32];

/// A request whose parts a test can change one by one.
struct Owned {
    component: Digest,
    connector: ConnectorName,
    tool: ToolName,
    person: PersonId,
    agent: AgentId,
    connection: ConnectionId,
    organization: Option<String>,
    method: Method,
    origin: Origin,
    path: RequestPath,
    route: Option<String>,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    changes: Vec<Change>,
}

impl Owned {
    fn new() -> Self {
        Self {
            component: Digest::of(b"component"),
            connector: ConnectorName::parse("crm").unwrap(),
            tool: ToolName::parse("update_record").unwrap(),
            person: PersonId::parse("ada").unwrap(),
            agent: AgentId::parse("sales").unwrap(),
            connection: ConnectionId::parse("c1").unwrap(),
            organization: Some("00D".to_owned()),
            method: Method::Patch,
            origin: Origin::parse("https://acme.example.com").unwrap(),
            path: RequestPath::parse("/record/001").unwrap(),
            route: Some("/record/{id}".to_owned()),
            headers: vec![
                ("content-type".to_owned(), b"application/json".to_vec()),
                ("If-Match".to_owned(), b"1".to_vec()),
            ],
            body: br#"{"Name":"Acme"}"#.to_vec(),
            changes: vec![Change {
                action: "update".to_owned(),
                kind: "Account".to_owned(),
                id: Some("001".to_owned()),
                label: "Acme".to_owned(),
                url: None,
                fields: vec![field("Name", Some("/Name"))],
                notes: Vec::new(),
                undo: None,
            }],
        }
    }

    fn sent(&self) -> Digest {
        BoundSent {
            connector: &self.connector,
            person: &self.person,
            agent: &self.agent,
            connection: &self.connection,
            method: self.method,
            origin: &self.origin,
            path: &self.path,
            headers: &self.headers,
            body: &self.body,
        }
        .digest(&KEY)
    }

    fn alike(&self) -> Digest {
        BoundAlike {
            component: self.component,
            tool: &self.tool,
            connection: &self.connection,
            organization: self.organization.as_deref(),
            method: self.method,
            origin: &self.origin,
            route: self.route.as_deref(),
            headers: &self.headers,
            changes: &self.changes,
        }
        .digest(&KEY)
    }
}

fn field(name: &str, pointer: Option<&str>) -> FieldChange {
    FieldChange {
        name: name.to_owned(),
        label: name.to_owned(),
        before: None,
        after: Some("\"Acme\"".to_owned()),
        pointer: pointer.map(str::to_owned),
    }
}

type Edit = fn(&mut Owned);

fn all_differ(edits: &[Edit], digest: fn(&Owned) -> Digest) {
    let mut digests = HashSet::from([digest(&Owned::new())]);
    for (number, edit) in edits.iter().enumerate() {
        let mut edited = Owned::new();
        edit(&mut edited);
        assert!(digests.insert(digest(&edited)), "{number}");
    }
}

fn all_equal(edits: &[Edit], digest: fn(&Owned) -> Digest) {
    for (number, edit) in edits.iter().enumerate() {
        let mut edited = Owned::new();
        edit(&mut edited);
        assert_eq!(digest(&edited), digest(&Owned::new()), "{number}");
    }
}

#[test]
fn what_leaves_is_the_same_whatever_is_said_of_it() {
    all_equal(
        &[
            |it| it.component = Digest::of(b"other"),
            |it| it.tool = ToolName::parse("upsert_record").unwrap(),
            |it| it.changes[0].label = "Acme Ltd".to_owned(),
            |it| it.changes[0].fields[0].before = Some("\"Old\"".to_owned()),
            |it| it.changes.clear(),
            |it| it.headers.reverse(),
            |it| it.headers[1].1.push(b'2'),
            |it| it.headers[0].0 = "Content-Type".to_owned(),
        ],
        Owned::sent,
    );
    all_differ(
        &[
            |it| it.connector = ConnectorName::parse("other").unwrap(),
            |it| it.person = PersonId::parse("bob").unwrap(),
            |it| it.agent = AgentId::parse("service").unwrap(),
            |it| it.connection = ConnectionId::parse("c2").unwrap(),
            |it| it.method = Method::Put,
            |it| it.origin = Origin::parse("https://acme.example.com:8443").unwrap(),
            |it| it.path = RequestPath::parse("/record/001?x=1").unwrap(),
            |it| it.headers[0].1.push(b' '),
            |it| drop(it.headers.pop()),
            |it| it.body.push(b' '),
        ],
        Owned::sent,
    );
}

#[test]
fn alike_is_what_differs_in_record_and_values_alone() {
    all_equal(
        &[
            |it| it.path = RequestPath::parse("/record/002").unwrap(),
            |it| it.headers[1].1 = b"2".to_vec(),
            |it| it.body = br#"{"Name":"Other"}"#.to_vec(),
            |it| it.changes[0].id = Some("002".to_owned()),
            |it| it.changes[0].label = "Other".to_owned(),
            |it| it.changes[0].fields[0].after = None,
            // Which names there may be, the rule itself says.
            |it| it.changes[0].fields[0] = field("Phone", Some("/Phone")),
            |it| it.changes[0].fields.push(field("Phone", Some("/Phone"))),
            |it| it.changes.push(it.changes[0].clone()),
        ],
        Owned::alike,
    );
    all_differ(
        &[
            |it| it.component = Digest::of(b"other"),
            |it| it.tool = ToolName::parse("upsert_record").unwrap(),
            |it| it.connection = ConnectionId::parse("c2").unwrap(),
            |it| it.organization = None,
            |it| it.method = Method::Post,
            |it| it.origin = Origin::parse("https://acme.example.com:8443").unwrap(),
            |it| it.route = Some("/record/{id}/owner".to_owned()),
            |it| it.headers.push(("duplicates".to_owned(), b"save".to_vec())),
            |it| {
                it.headers
                    .push(("duplicates".to_owned(), b"refuse".to_vec()))
            },
            |it| drop(it.headers.pop()),
            |it| it.headers[0].1 = b"text/plain".to_vec(),
            |it| it.changes[0].action = "create".to_owned(),
            |it| it.changes[0].kind = "Contact".to_owned(),
            |it| it.changes.clear(),
            |it| it.changes[0].fields.clear(),
        ],
        Owned::alike,
    );
}

#[test]
fn a_field_is_the_same_where_it_stands_in_the_same_place() {
    let alike = |fields: &[(&str, Option<&str>)]| {
        let mut it = Owned::new();
        let fields = fields.iter().map(|(name, pointer)| field(name, *pointer));
        it.changes[0].fields = fields.collect();
        it.alike()
    };
    let places = [
        alike(&[("Id__c", Some("/Id__c"))]),
        alike(&[("Id__c", Some("/Owner/Id__c"))]),
        alike(&[("Id__c", Some("/External_Id__c"))]),
        alike(&[("Id__c", Some("Id__c"))]),
        alike(&[("Id__c", Some("{Id__c}"))]),
        alike(&[("Id__c", Some("/Id__c/0"))]),
        alike(&[("Id__c", Some("/records/0/Id__c"))]),
        alike(&[("Id__c", None)]),
        // One of another place beside those that stand together, under a name that was seen or another.
        alike(&[("Id__c", Some("/Id__c")), ("Id__c", Some("/Owner/Id__c"))]),
        alike(&[("Id__c", Some("/Id__c")), ("Name", Some("/Owner/Name"))]),
        alike(&[("Id__c", Some("/Owner/Id__c")), ("Name", Some("/Name"))]),
    ];
    let others: HashSet<Digest> = places.into_iter().collect();
    assert_eq!(others.len(), places.len());
    // Of a list it is the place in each item, however many there are.
    let one = alike(&[("Name", Some("/records/0/Name"))]);
    let names = [
        ("Name", Some("/records/11/Name")),
        ("Name", Some("/records/2/Name")),
        ("Phone", Some("/records/0/Phone")),
    ];
    assert_eq!(alike(&names), one);
    let owner = ("Name", Some("/records/0/Owner/Name"));
    assert_ne!(alike(&[names[0], owner]), one);
}
