//! What was done, listed and shown.

use std::path::Path;

use serde_json::Value;

use super::support::{ask, ids, run, some_calls, transcript};
use crate::desk::shared_account;
use crate::program::Home;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_is_listed_and_shown_with_its_sources() {
    let (home, _org) = some_calls().await;
    let ids = ids(&home).await;
    assert_eq!(ids.len(), 4);
    let short = &ids[0][..20];
    insta::assert_snapshot!(
        transcript(
            &home,
            &[
                ("ada", &["activity"]),
                ("ada", &["activity", "--person", "ada"]),
                ("ada", &["activity", "--outcome", "done", "--limit", "1"]),
                (
                    "ada",
                    &[
                        "activity",
                        "--tool",
                        "query",
                        "--connection",
                        "Acme",
                        "--since",
                        "today"
                    ]
                ),
                ("ada", &["activity", "--since", "tomorrow"]),
                ("ada", &["activity", "--agent", "nobody"]),
                ("ada", &["activity", "show", short]),
                ("ada", &["activity", "show", &ids[2]]),
                ("ada", &["activity", "show", "0"]),
                ("ada", &["activity", "show", "ffff"]),
            ],
        )
        .await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_sees_what_was_done_for_them_alone() {
    let (home, _org) = some_calls().await;
    let ids = ids(&home).await;
    let of_bob = run(&home, "bob", &["activity", "--json"]).await;
    let calls: Value = serde_json::from_str(&of_bob.stdout).unwrap();
    let calls = calls.as_array().unwrap();
    assert_eq!(calls.len(), 3);
    assert!(calls.iter().all(|call| call["person"] == "bob"));
    assert_eq!(
        run(&home, "bob", &["activity", "show", &ids[0]]).await.code,
        0
    );
    let said = run(&home, "bob", &["activity", "show", &ids[3]]).await;
    assert_eq!(said.code, 2, "{}", said.stdout);
    assert!(said.stderr.contains("there is no call"), "{}", said.stderr);
    let said = run(&home, "bob", &["audit", "export", "--format", "jsonl"]).await;
    assert_eq!(said.stdout.lines().count(), 3);
    for refused in [
        &["activity", "--person", "ada"][..],
        &["audit", "verify"],
        &["audit", "retain", "--days", "3"],
        &["audit", "restart"],
        &["audit", "values", "salesforce", "query", "on"],
        &["audit", "export", "--format", "csv", "--person", "ada"],
    ] {
        let said = run(&home, "bob", refused).await;
        assert_eq!(said.code, 2, "{refused:?}: {}", said.stdout);
        assert!(said.stderr.contains("administrator"), "{}", said.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_goes_on_while_calls_are_made() {
    use std::io::{BufRead, BufReader};
    let (home, org) = shared_account().await;
    assert_eq!(ask(&home, &org, "bob", "get_identity", "{}").await.code, 0);
    let mut command = home.command("ada", &["activity", "--follow", "--json"]);
    let mut following = command
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["tool"], "get_identity");
    assert_eq!(ask(&home, &org, "bob", "list_objects", "{}").await.code, 0);
    assert_eq!(next()["tool"], "list_objects");
    following.kill().unwrap();
    following.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_goes_on_begins_with_as_many_as_are_asked_for() {
    use std::io::{BufRead, BufReader};
    let (home, org) = some_calls().await;
    for (limit, first) in [("1", Some("get_identity")), ("0", None)] {
        let follow = ["activity", "--follow", "--limit", limit];
        let mut following = home
            .command("ada", &follow)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
        let mut next = || lines.next().unwrap().unwrap();
        // The head is printed once it is known what was there before.
        assert!(next().starts_with("CALL"));
        if let Some(first) = first {
            // Of the four the newest, which is Ada's.
            let call = next();
            assert!(call.contains(first) && call.contains(" ada "), "{call}");
        }
        let made = ask(&home, &org, "bob", "list_objects", "{}").await;
        assert_eq!(made.code, 0, "{}", made.stderr);
        let call = next();
        assert!(call.contains("list_objects"), "{call}");
        following.kill().unwrap();
        following.wait().unwrap();
    }
}

#[test]
fn where_nothing_was_done_that_is_said() {
    let home = Home::new();
    for command in [&["activity"][..], &["audit", "verify"]] {
        let said = home.run(command);
        assert_eq!(said.code, 2);
        assert!(
            said.stderr.contains("nothing was done yet"),
            "{}",
            said.stderr
        );
    }
    assert!(!home.data().exists());
    home.must(&["person", "list"]);
    assert_eq!(home.must(&["activity"]), "There are no such calls.\n");
    assert!(
        home.must(&["audit", "verify"])
            .starts_with("The log is whole: 0 records")
    );
}

/// Every file under a folder.
pub(crate) fn search(folder: &Path, needles: &[&str]) -> usize {
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files += search(&path, needles);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for needle in needles {
            let is_in = bytes
                .windows(needle.len())
                .any(|window| window == needle.as_bytes());
            assert!(!is_in, "{needle} is in {}", path.display());
        }
        files += 1;
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_of_a_record_that_was_read_is_in_a_file_or_a_log() {
    let (home, org) = shared_account().await;
    let soql = r#"{"soql": "SELECT Name, Website FROM Account ORDER BY Name LIMIT 2"}"#;
    let address = org.address().to_string();
    let call = [
        "call",
        "query",
        "--json",
        soql,
        "--allow-origin",
        &address,
        "--as",
        "bob",
        "--log",
        "trace",
        "--output",
        "json",
    ];
    let said = run(&home, "ada", &call).await;
    assert_eq!(said.code, 0, "{}", said.stderr);
    let answer: Value = serde_json::from_str(&said.stdout).unwrap();
    let text = answer["text"].as_str().unwrap();
    let values: Vec<&str> = text
        .split(['|', '\n', '\t', ','])
        .map(str::trim)
        .filter(|word| word.len() > 7 && !["Name", "Website"].contains(word))
        .collect();
    assert!(values.len() >= 3, "{text}");
    assert!(search(&home.data(), &values) >= 4);
    for value in values {
        assert!(!said.stderr.contains(value), "{value}");
    }
}
