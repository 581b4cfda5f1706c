//! What people decide is on record with who, from where, and from what to what; and nothing that was decided is undone by a hand on the
//! store's file.

use std::path::Path;

use portcullis::policy::{ConnectionId, PersonId};
use portcullis_store::Owner;
use serde_json::{Value, json};

use crate::approvals::{PASSPHRASE, set_passphrase, with_passphrase};
use crate::program::{Home, connection};

fn helper() -> Home {
    let home = Home::new();
    home.must(&["agent", "add", "helper"]);
    home.must(&["agent", "give", "helper", "salesforce"]);
    home
}

/// What was decided, from what to what.
fn decided(home: &Home, more: &[&str]) -> Vec<Value> {
    let said = home.json(&[&["activity", "--decisions"], more].concat());
    said.as_array().unwrap().clone()
}

fn words(line: &Value) -> [&str; 4] {
    ["decided", "subject", "from", "to"].map(|name| line[name].as_str().unwrap_or("none"))
}

#[test]
fn every_decision_is_on_record() {
    let home = helper();
    let commands: [&[&str]; 12] = [
        &["person", "add", "bob"],
        &["person", "role", "bob", "admin"],
        &["group", "add", "sales"],
        &["group", "join", "sales", "bob"],
        &["allow", "helper", "effect:write", "always"],
        // Nothing is decided by what is so already.
        &["allow", "helper", "effect:write", "always"],
        &["allow", "helper", "effect:write", "default"],
        &["scope", "helper", "--read", "Account", "--rows", "5"],
        &["agent", "trust-client", "helper"],
        &["connector", "trust-scope", "salesforce", "--no"],
        &["key", "rotate"],
        &["agent", "remove", "helper"],
    ];
    for command in commands {
        home.must(command);
    }
    let lines = decided(&home, &[]);
    let digest = lines
        .iter()
        .find(|line| line["decided"] == "trust")
        .map(|line| line["subject"].as_str().unwrap().to_owned())
        .unwrap();
    let expected = [
        ["agent", "helper", "none", "there"],
        ["connector", "salesforce of helper", "none", "personal"],
        ["person", "bob", "none", "member"],
        ["person", "bob", "member", "admin"],
        ["group", "sales", "none", "there"],
        ["group", "bob in sales", "none", "there"],
        ["rule", "agent helper: effect:write", "none", "always"],
        ["rule", "agent helper: effect:write", "always", "none"],
        [
            "scope",
            "helper with salesforce",
            "none",
            r#"{"read":["Account"],"rows_max":5}"#,
        ],
        ["clients", "helper", "not trusted", "trusted"],
        ["trust", &digest, "trusted", "not trusted"],
        ["key", "the data key", "the one before", "a new one"],
        [
            "agent",
            "helper",
            "an agent with 0 rules of its own and 1 scopes",
            "none",
        ],
    ];
    let found: Vec<[&str; 4]> = lines.iter().map(words).collect();
    assert_eq!(found, expected);
    for line in &lines {
        assert_eq!(
            (&line["person"], &line["door"]),
            (&json!("ada"), &json!("command line"))
        );
        assert!(line["user"].as_str().unwrap().starts_with("ada"), "{line}");
    }
    assert!(digest.starts_with("salesforce "), "{digest}");
    // Filters, forms, and who may look.
    assert_eq!(decided(&home, &["--person", "bob"]), Vec::<Value>::new());
    assert_eq!(decided(&home, &["--limit", "2"]).len(), 2);
    let of_bob = home.run_as(
        "bob",
        &["activity", "--decisions", "--json", "--person", "bob"],
    );
    assert_eq!(of_bob.stdout.trim(), "[]");
    let export = |format: &str| home.must(&["audit", "export", "--decisions", "--format", format]);
    assert_eq!(export("jsonl").lines().count(), 13);
    assert_eq!(export("csv").lines().count(), 14);
    let first: Value = serde_json::from_str(export("ocsf").lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["class_uid"], &first["activity_name"]),
        (&json!(3004), &json!("Create"))
    );
    home.must(&["audit", "verify"]);
}

#[test]
fn accounts_clients_names_and_what_the_log_keeps_are_on_record() {
    let home = helper();
    // Nobody is there, and nobody is allowed to look.
    let nowhere = "http://127.0.0.1:9";
    let shared = home.connect(connection(Owner::Shared, "Acme", nowhere));
    let values = ["audit", "values", "salesforce", "update_record"];
    let commands: [&[&str]; 15] = [
        &["connections", "rename", &shared, "Northwind"],
        // Nothing is decided by what is so already.
        &["connections", "rename", &shared, "Northwind"],
        &["app", "set", "salesforce", "--client-id", "3MVG9"],
        &["app", "remove", "salesforce"],
        &["app", "remove", "salesforce"],
        &[&values[..], &["on"]].concat(),
        &[&values[..], &["on"]].concat(),
        &[&values[..], &["off"]].concat(),
        &["audit", "retain", "--days", "30", "--daily"],
        &["audit", "retain", "--never"],
        &["person", "add", "bob"],
        &["person", "rename", "bob", "Robert"],
        &["agent", "rename", "helper", "Desk"],
        &["agent", "rename", "helper", "Desk"],
        &["connections", "disconnect", &shared],
    ];
    for command in commands {
        home.must(command);
    }
    let lines = decided(&home, &[]);
    let of = format!("{shared} of salesforce, shared");
    let client = "3MVG9, without a secret";
    let removes = "what is older than 30 days is removed, now";
    let expected = [
        ["connection", &of, "called Acme", "called Northwind"],
        ["app", "of `salesforce`", "none", client],
        ["app", "of `salesforce`", client, "none"],
        ["values", "update_record of salesforce", "none", "kept"],
        ["values", "update_record of salesforce", "kept", "none"],
        ["retention", "the log", "none", "kept for 30 days"],
        ["retention", "the log", "none", removes],
        ["retention", "the log", "kept for 30 days", "none"],
        ["person", "bob", "none", "member"],
        ["person", "bob", "called bob", "called Robert"],
        ["agent", "helper", "called helper", "called Desk"],
        ["connection", &of, "called Northwind", "none"],
    ];
    let found: Vec<[&str; 4]> = lines.iter().skip(2).map(words).collect();
    assert_eq!(found, expected);
    for line in &lines {
        assert_eq!(line["door"], "command line", "{line}");
        assert!(line["user"].as_str().unwrap().starts_with("ada"), "{line}");
    }
    // For people the ids are cut, and the log itself has nothing to tell of it.
    let shown = home.must(&["activity", "--decisions"]);
    assert!(
        shown.contains(&shared[..16]) && !shown.contains(&shared),
        "{shown}"
    );
    let verified = home.must(&["audit", "verify"]);
    assert!(!verified.contains("note:"), "{verified}");
}

/// The attack: who cannot approve for want of the passphrase lets somebody in to what everybody may use, or has values of records kept.
#[test]
fn who_is_added_to_what_everyone_has_and_values_that_are_kept_ask_for_the_passphrase() {
    let home = helper();
    let shared = home.connect(connection(
        Owner::Shared,
        "Acme",
        "https://acme.my.salesforce.com",
    ));
    set_passphrase(&home);
    // Nothing is shared with everyone yet.
    home.must(&["person", "add", "bob"]);
    let share = ["connections", "share", &shared, "--everyone"];
    let said = with_passphrase(&home, &share, PASSPHRASE);
    assert!(said.contains("is shared with everyone"), "{said}");
    let values = ["audit", "values", "salesforce", "update_record"];
    let on = [&values[..], &["on"]].concat();
    for (command, says) in [
        (&["person", "add", "eve"][..], "`eve` is a member here now"),
        (&on, "are kept, sealed, from now on"),
    ] {
        assert_eq!(home.json(command)["code"], "no_terminal", "{command:?}");
        let said = with_passphrase(&home, command, "wrong");
        assert!(said.contains("not the passphrase"), "{said}");
        let said = with_passphrase(&home, command, PASSPHRASE);
        assert!(said.contains(says), "{said}");
        // What is so already is nothing to decide, and what restricts is nobody's to hinder.
        home.must(command);
    }
    home.must(&[&values[..], &["off"]].concat());
    // That another one was given is on record each time, and what was given is not.
    let decided = home.json(&["activity", "--decisions"]);
    let lines = decided.as_array().unwrap().iter();
    let wrong: Vec<&Value> = lines
        .filter(|line| line["decided"] == "passphrase" && line["from"] == "asked for")
        .collect();
    assert_eq!(wrong.len(), 2, "{decided}");
    for line in wrong {
        assert_eq!(
            (&line["subject"], &line["to"]),
            (&json!("ada"), &json!("a wrong one given"))
        );
    }
}

/// The attack: who may remove and add agents gets rid of what restricts one.
#[test]
fn an_agent_with_limits_goes_by_the_passphrase_where_there_is_one() {
    let home = helper();
    home.must(&["agent", "add", "free"]);
    home.must(&["scope", "helper", "--read-only"]);
    set_passphrase(&home);
    let remove = ["agent", "remove", "helper"];
    assert_eq!(home.json(&remove)["code"], "no_terminal");
    let limited = home.must(&["scope", "helper"]);
    assert!(limited.contains("read-only"), "{limited}");
    let said = with_passphrase(&home, &remove, PASSPHRASE);
    assert!(said.contains("is gone"), "{said}");
    home.must(&["agent", "remove", "free"]);
}

/// The attack: a person goes and comes again, and nobody sees that what restricted their accounts went with them.
#[test]
fn the_rules_that_go_with_a_person_are_on_record() {
    let home = Home::new();
    home.must(&["person", "add", "bob"]);
    let owner = Owner::Person(PersonId::parse("bob").unwrap());
    let own = home.connect(connection(
        owner,
        "Bob's Acme",
        "https://acme.my.salesforce.com",
    ));
    home.must(&["allow", "--connection", &own, "effect:write", "off"]);
    // Without an account there is nothing to revoke; the rule is the person's.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = home.store().await;
        let id = ConnectionId::parse(own.as_str()).unwrap();
        store.remove_connection(&id).await.unwrap();
        store.close().await;
    });
    home.must(&["person", "remove", "bob"]);
    let lines = decided(&home, &[]);
    let last = words(lines.last().unwrap());
    let from = "member, with the rules effect:write of salesforce off";
    assert_eq!(last, ["person", "bob", from, "none"]);
    assert_eq!(home.json(&["allow", "--list"]), json!([]));
}

/// Puts the store's file back to what it was, the log's files aside.
fn copy(from: &Path, to: &Path) {
    for end in ["", "-wal", "-shm"] {
        let name = format!("portcullis.db{end}");
        let _ = std::fs::remove_file(to.join(&name));
        if from.join(&name).exists() {
            std::fs::copy(from.join(&name), to.join(&name)).unwrap();
        }
    }
}

#[test]
fn decisions_that_are_put_back_stop_every_call_until_they_are_begun_anew() {
    let home = helper();
    home.must(&["allow", "helper", "effect:write", "always"]);
    let before = tempfile::tempdir().unwrap();
    copy(&home.data(), before.path());
    home.must(&["allow", "helper", "effect:write", "off"]);
    copy(before.path(), &home.data());
    let soql = json!({ "soql": "SELECT Id FROM Account LIMIT 1" }).to_string();
    let call = || -> Value {
        let said = home.run(&["call", "query", "--json", &soql, "--output", "json"]);
        serde_json::from_str(&said.stdout).unwrap()
    };
    let refused = call();
    assert!(refused.to_string().contains("were put back"), "{refused}");
    let refused = home.json(&["allow", "helper", "query", "ask"]);
    assert!(refused.to_string().contains("were put back"), "{refused}");
    assert_eq!(home.json(&["allow", "--anew"])["code"], "not_confirmed");
    home.must(&["allow", "--anew", "--yes"]);
    assert_eq!(call()["code"], "not_offered");
    home.must(&["agent", "give", "helper", "salesforce"]);
    let rules = home.json(&["allow", "--list"]);
    assert_eq!(rules, json!([]));
    let last = decided(&home, &[]);
    let kinds: Vec<&str> = last
        .iter()
        .rev()
        .take(2)
        .map(|line| words(line)[0])
        .collect();
    assert_eq!(kinds, ["connector", "decisions"]);
}
