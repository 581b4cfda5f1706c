//! What was asked for, refused, made and fetched, as whoever looks at the log reads it: a change is one, where it was made, and by which request.

use std::io::Read;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::approvals::{Desk, blocking};

/// The calls of the tool that changes, the oldest first.
fn calls(desk: &Desk) -> Vec<Value> {
    let calls = desk.home.json(&["activity", "--tool", "update_record"]);
    calls.as_array().unwrap().clone()
}

fn shown(desk: &Desk, call: &Value) -> Value {
    let id = call["id"].as_str().unwrap();
    desk.home.json(&["activity", "show", id])
}

/// What became of the changes of a call, and the methods of the requests under the same step.
fn changes(entry: &Value) -> Vec<(Value, Vec<Value>)> {
    let mut found = Vec::new();
    for step in entry["steps"].as_array().unwrap() {
        for change in step["changes"].as_array().unwrap() {
            let requests = step["requests"].as_array().unwrap();
            let sent = requests
                .iter()
                .filter(|request| !request["method"].is_null());
            let methods = sent.map(|request| request["method"].clone());
            found.push((change["became"].clone(), methods.collect()));
        }
    }
    found
}

fn exported(desk: &Desk, format: &str) -> Vec<Value> {
    let export = [
        "audit",
        "export",
        "--tool",
        "update_record",
        "--format",
        format,
    ];
    let lines = desk.home.must(&export);
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_was_only_asked_for_reads_as_none() {
    let desk = Desk::new().await;
    let at = desk.clone();
    blocking(move || {
        let _ = at.set_site("Munich");
        let id = at.waiting();
        at.home.must(&["approvals", "deny", &id]);
        let twice = at.home.must(&["approvals", "deny", &id]);
        assert!(twice.contains("denied already"), "{twice}");
        // It is on record, and once.
        let decided = at.home.json(&["activity", "--decisions"]);
        let lines = decided.as_array().unwrap().iter();
        let noes: Vec<&Value> = lines.filter(|line| line["to"] == "denied").collect();
        assert_eq!(noes.len(), 1, "{decided}");
        assert_eq!(
            (&noes[0]["from"], &noes[0]["person"]),
            (&json!("pending"), &json!("ada"))
        );
        let refused = at.set_site("Munich");
        assert_eq!(refused.code, 1, "a person's no is no mistake of who calls");
        let _ = at.set_site("Vienna");
        let id = at.waiting();
        let mut terminal = at.approve(&id, &[]);
        terminal.exp_string("Approve? [y/N]").unwrap();
        terminal.send_line("y").unwrap();
        terminal
            .exp_string("when it makes the same call again")
            .unwrap();
        terminal.exp_eof().unwrap();
        assert_eq!(at.set_site("Vienna").code, 0);

        let calls = calls(&at);
        let outcomes: Vec<_> = calls
            .iter()
            .map(|call| (&call["outcome"], &call["changes"]))
            .collect();
        let (required, refused, done) =
            (json!("approval_required"), json!("refused"), json!("done"));
        assert_eq!(
            outcomes,
            [
                (&required, &json!(0)),
                (&refused, &json!(0)),
                (&required, &json!(0)),
                (&done, &json!(1)),
                (&done, &json!(0))
            ]
        );
        // Of what was asked for it is said that it was not sent, and its step is that of the change.
        for call in &calls[..3] {
            assert_eq!(
                changes(&shown(&at, call)),
                [(json!("not_sent"), vec![])],
                "{call}"
            );
        }
        let made = shown(&at, &calls[3]);
        assert_eq!(
            changes(&made),
            [(json!("made"), vec![json!("PATCH"), json!("GET")])]
        );
        let id_of = |call: &Value| call["id"].as_str().unwrap().to_owned();
        let text = at.home.must(&["activity", "show", &id_of(&calls[0])]);
        assert!(
            text.contains("not sent") && text.contains("would have changed"),
            "{text}"
        );
        let text = at.home.must(&["activity", "show", &id_of(&calls[3])]);
        assert!(
            text.contains("  changed ") && !text.contains("would have"),
            "{text}"
        );
        // What was fetched names the call that made it, and the yes.
        let fetched = shown(&at, &calls[4]);
        assert_eq!(fetched["answer_of"], calls[3]["id"]);
        assert_eq!(fetched["fetched"]["approval"], json!(id));
        let listed = at.home.must(&["activity"]);
        assert_eq!(listed.matches("(answer fetched)").count(), 1, "{listed}");

        let events = exported(&at, "ocsf");
        let said: Vec<_> = events
            .iter()
            .map(|event| {
                (
                    &event["activity_name"],
                    &event["http_request"]["http_method"],
                )
            })
            .collect();
        let (other, update, get, patch) = (
            json!("Other"),
            json!("Update"),
            json!("GET"),
            json!("PATCH"),
        );
        assert_eq!(
            said,
            [
                (&other, &get),
                (&other, &get),
                (&other, &get),
                (&update, &patch),
                (&other, &Value::Null)
            ]
        );
        let access = |event: &Value| {
            let resources = event["resources"].as_array().cloned().unwrap_or_default();
            let changed = resources
                .iter()
                .filter(|one| one["data"]["asked"] == "update");
            changed
                .map(|one| one["data"]["access"].clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(access(&events[0]), [json!("none")]);
        assert_eq!(access(&events[3]), [json!("update")]);
        assert_eq!(events[4]["unmapped"]["answer_of"], calls[3]["id"]);
        assert_eq!(events[3]["unmapped"]["connection_label"], "Acme");
        let lines = exported(&at, "jsonl");
        assert_eq!(lines[3]["connection_label"], "Acme");
        let csv = at.home.must(&[
            "audit",
            "export",
            "--tool",
            "update_record",
            "--format",
            "csv",
        ]);
        let mut csv = csv::Reader::from_reader(csv.as_bytes());
        let rows: Vec<std::collections::HashMap<String, String>> =
            csv.deserialize().map(Result::unwrap).collect();
        assert_eq!(rows[0]["records"], "", "{rows:?}");
        assert_eq!(
            (&*rows[3]["approvals"], &*rows[3]["connection_label"]),
            (&*id, "Acme")
        );
        assert_eq!(
            (&*rows[4]["answer_of"], &*rows[4]["approvals"]),
            (calls[3]["id"].as_str().unwrap(), &*id)
        );
    })
    .await;
    drop(desk);
}

/// Somebody who has seen enough, such as `head`, is no failure of the export.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_ends_quietly_where_nobody_reads_on() {
    let desk = Desk::new().await;
    let at = desk.clone();
    blocking(move || {
        let _ = at.set_site("Munich");
        for format in ["jsonl", "csv", "ocsf"] {
            let mut command = at
                .home
                .command("ada", &["audit", "export", "--format", format]);
            let mut child = command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            drop(child.stdout.take());
            let mut stderr = String::new();
            child
                .stderr
                .take()
                .unwrap()
                .read_to_string(&mut stderr)
                .unwrap();
            assert!(child.wait().unwrap().success(), "{format}: {stderr}");
            assert_eq!(stderr, "", "{format}");
        }
    })
    .await;
    drop(desk);
}

/// For another person an administrator is told whose question it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_of_another_person_is_said_to_be_theirs() {
    let desk = Desk::new().await;
    let at = desk.clone();
    blocking(move || {
        let _ = at.set_site("Munich");
        let id = at.waiting();
        at.home.must(&["person", "role", "bob", "admin"]);
        let said = at.home.run_as("bob", &["approvals", "show", &id]);
        assert_eq!(said.code, 2);
        assert!(said.stderr.contains("is for `ada`"), "{}", said.stderr);
        at.home.must(&["person", "role", "bob", "member"]);
        let said = at.home.run_as("bob", &["approvals", "show", &id]);
        assert!(!said.stderr.contains("`ada`"), "{}", said.stderr);
        let short = at.home.run(&["approvals", "show", "01"]);
        assert!(short.stderr.contains("too short"), "{}", short.stderr);
    })
    .await;
    drop(desk);
}
