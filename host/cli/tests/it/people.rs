//! `portcullis person`, `group` and `agent`: what each says, twice, and what it refuses.

use portcullis::policy::PersonId;
use portcullis_store::Owner;
use serde_json::json;

use crate::program::{Home, connection};

#[test]
fn people_come_change_and_go() {
    let home = Home::new();
    insta::assert_snapshot!(home.transcript(&[
        &["person", "list"],
        &["person", "add", "bob", "--name", "Bob Babbage"],
        &["person", "add", "bob"],
        &["person", "add", "bob", "--role", "admin"],
        &["person", "add", "bob", "--name", "Robert"],
        &["person", "rename", "bob", "Robert"],
        &["person", "rename", "bob", "Robert"],
        &["person", "rename", "bob", "a\nb"],
        &["person", "rename", "eve", "Eve"],
        &["person", "role", "ada", "member"],
        &["person", "role", "bob", "admin"],
        &["person", "role", "bob", "admin"],
        &["person", "add", "BOB"],
        &["person", "list"],
        &["person", "remove", "bob"],
        &["person", "remove", "bob"],
        &["person", "remove", "ada"],
    ]));
}

#[test]
fn groups_are_joined_and_left() {
    let home = Home::new();
    home.must(&["person", "add", "bob"]);
    insta::assert_snapshot!(home.transcript(&[
        &["group", "list"],
        &["group", "add", "sales"],
        &["group", "add", "sales"],
        &["group", "join", "sales", "ada", "bob"],
        &["group", "join", "sales", "bob"],
        &["group", "join", "sales", "bob", "eve"],
        &["group", "join", "nobody", "bob"],
        &["group", "leave", "sales", "ada"],
        &["group", "leave", "sales", "ada"],
        &["group", "add", "empty"],
        &["group", "list"],
        &["group", "remove", "empty"],
        &["group", "remove", "empty"],
    ]));
    let refused = home.run(&["group", "join", "sales", "ada", "eve"]);
    assert_eq!(refused.code, 2);
    let groups = home.json(&["group", "list"]);
    assert_eq!(
        groups,
        json!([{ "name": "sales", "members": ["bob"] }]),
        "all join or none"
    );
}

#[test]
fn who_stands_where_is_shown() {
    let home = Home::new();
    home.must(&["person", "add", "bob", "--name", "Bob Babbage"]);
    home.must(&["person", "add", "carol"]);
    home.must(&["group", "add", "sales"]);
    home.must(&["group", "join", "sales", "bob"]);
    let acme = "https://acme.my.salesforce.com";
    let bob = Owner::Person(PersonId::parse("bob").unwrap());
    home.connect(connection(bob, "Bob's Acme", acme));
    for (label, with) in [
        ("Team", ["--group", "sales"]),
        ("Reports", ["--person", "carol"]),
    ] {
        let id = home.connect(connection(Owner::Shared, label, acme));
        home.must(&["connections", "share", &id, with[0], with[1]]);
    }
    let report = home.transcript_of(&[
        ("ada", &["person", "show", "bob"]),
        ("ada", &["person", "show", "eve"]),
        ("ada", &["group", "show", "sales"]),
        ("ada", &["group", "show", "slaes"]),
        // Of others they see no more than before.
        ("bob", &["person", "show", "carol"]),
        ("bob", &["group", "show", "sales"]),
        ("carol", &["person", "show", "carol"]),
        ("carol", &["group", "show", "sales"]),
    ]);
    let is_moment = |line: &&str| line.trim_start().starts_with("since");
    let report: Vec<&str> = report.lines().filter(|line| !is_moment(line)).collect();
    insta::assert_snapshot!(report.join("\n"));
    let bob = home.json(&["person", "show", "bob"]);
    assert_eq!(
        (&bob["groups"], &bob["connections"][0]["label"]),
        (&json!(["sales"]), &json!("Bob's Acme"))
    );
    let shared = bob["shared"].as_array().unwrap();
    assert_eq!(shared.len(), 1);
    assert_eq!(
        (&shared[0]["label"], &shared[0]["by"]),
        (&json!("Team"), &json!([{ "group": "sales" }]))
    );
    let sales = home.json(&["group", "show", "sales"]);
    assert_eq!(sales["members"], json!(["bob"]));
    assert_eq!(sales["connections"][0]["label"], "Team");
}

#[test]
fn agents_are_given_connectors() {
    let home = Home::new();
    insta::assert_snapshot!(home.transcript(&[
        &["agent", "list"],
        &["agent", "add", "helper", "--name", "Sales helper"],
        &["agent", "add", "helper"],
        &["agent", "add", "helper", "--name", "Other"],
        &["agent", "rename", "helper", "Helper"],
        &["agent", "give", "helper", "salesforce"],
        &["agent", "give", "helper", "salesforce"],
        &["agent", "give", "helper", "salesfroce"],
        &["agent", "give", "nobody", "salesforce"],
        &["agent", "give", "helper", "salesforce", "--shared", "Acme"],
        &["agent", "list"],
        &["agent", "take", "helper", "salesforce"],
        &["agent", "take", "helper", "salesforce"],
        &["agent", "remove", "helper"],
        &["agent", "remove", "helper"],
        &["agent", "take", "helper", "salesforce"],
    ]));
}

#[test]
fn a_member_is_refused_and_told_who_can() {
    let home = Home::new();
    home.must(&["person", "add", "bob"]);
    home.must(&["agent", "add", "helper"]);
    insta::assert_snapshot!(home.transcript_of(&[
        ("bob", &["person", "add", "eve"]),
        ("bob", &["person", "role", "bob", "admin"]),
        ("bob", &["group", "add", "sales"]),
        ("bob", &["agent", "give", "helper", "salesforce"]),
        ("bob", &["app", "list"]),
        ("bob", &["key", "show"]),
        ("bob", &["call", "query", "--as", "ada"]),
        ("bob", &["agent", "list"]),
        ("eve", &["person", "list"]),
        ("eve", &["call", "query"]),
        ("BOB", &["person", "list"]),
        ("Ada Lovelace", &["person", "list"]),
    ]));
    let people = home.json(&["person", "list"]);
    assert_eq!(people.as_array().unwrap().len(), 2);
}

#[test]
fn programs_get_one_value() {
    let home = Home::new();
    let mut added = home.json(&["person", "add", "bob", "--name", "Bob"]);
    assert!(added["person"]["created"].take().is_string());
    assert_eq!(
        added,
        json!({
            "changed": true,
            "person": { "id": "bob", "name": "Bob", "role": "member", "created": null },
        })
    );
    assert_eq!(home.json(&["person", "add", "bob"])["changed"], false);
    assert_eq!(
        home.json(&["person", "role", "bob", "admin"])["person"]["role"],
        "admin"
    );
    let people = home.json(&["person", "list"]);
    assert_eq!(people.as_array().unwrap().len(), 2);
    assert_eq!(
        home.json(&["person", "remove", "bob"]),
        json!({ "changed": true, "connections_removed": [] })
    );
    assert_eq!(
        home.json(&["group", "add", "sales"]),
        json!({ "changed": true, "group": { "name": "sales", "members": [] } })
    );
    home.json(&["agent", "add", "helper"]);
    let given = home.json(&["agent", "give", "helper", "salesforce"]);
    assert_eq!(
        given["agent"]["connectors"],
        json!({ "salesforce": { "account": "personal" } })
    );
    let refused = home.json(&["person", "remove", "ada"]);
    assert_eq!(refused["code"], "last_administrator");
    assert_eq!(
        home.json(&["group", "join", "sales", "eve"])["code"],
        "not_found"
    );
}

#[test]
fn every_command_teaches_by_examples() {
    for command in [
        "person",
        "group",
        "agent",
        "connector",
        "connections",
        "app",
        "key",
        "apply",
    ] {
        let said = crate::program::run(&[command, "--help"]);
        assert_eq!(said.code, 0);
        let example = format!("portcullis {command} ");
        assert!(said.stdout.contains("Examples:"), "{}", said.stdout);
        assert!(said.stdout.contains(&example), "{}", said.stdout);
    }
}
