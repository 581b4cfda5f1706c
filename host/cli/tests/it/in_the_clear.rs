//! Values of the records that are read and written are in no file and no log of the programs in the clear, however much they log.
//!
//! The attack: somebody who has the store's files, or the log that an operator collects, and no key. So every program here logs all it can,
//! and everything that is left is searched: the database with its journal, the audit log with its index, and the logs.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use portcullis_store::Owner;
use rexpect::session::spawn_command;
use salesforce_devorg::{DevOrg, Options};
use serde_json::{Value, json};

use crate::approvals::says_yes;
use crate::offers::Client;
use crate::program::{Home, Said, connection};

/// An account of the sample records.
const ACCOUNT: &str = "001DO0000000002YAA";

/// Stands in everything that is written, with what follows.
const MARK: &str = "Slartibartfast";

/// Texts of records that are shorter may stand anywhere by chance.
const VALUE_BYTES_MIN: usize = 10;

struct Site {
    home: Home,
    address: String,
    /// Ends when this is dropped.
    _org: DevOrg,
}

impl Site {
    async fn new() -> Arc<Self> {
        let org = DevOrg::start(Options::default()).await.unwrap();
        let token = org.users()[0].access_token.clone();
        let (url, address) = (org.url().to_owned(), org.address().to_string());
        let home = tokio::task::spawn_blocking(move || {
            let home = Home::new();
            home.must(&["person", "add", "bob"]);
            home.must(&["agent", "add", "helper"]);
            home.must(&["agent", "give", "helper", "salesforce"]);
            let mut account = connection(Owner::Person("ada".parse().unwrap()), "Acme", &url);
            account.secrets.access_token = token.into();
            home.connect(account);
            home
        });
        Arc::new(Self {
            home: home.await.unwrap(),
            address,
            _org: org,
        })
    }

    /// Calls a tool, logging everything, and gives its answer and the log.
    fn call(&self, tool: &str, arguments: &Value) -> (Value, String) {
        let arguments = arguments.to_string();
        let command = [
            "call",
            tool,
            "--json",
            &arguments,
            "--output",
            "json",
            "--allow-origin",
            &self.address,
            "--log",
            "trace",
            "--reason",
            &format!("{MARK}-reason"),
        ];
        let said = self.home.run(&command);
        let answer = serde_json::from_str(&said.stdout);
        (
            answer.unwrap_or_else(|_| panic!("{} {}", said.stdout, said.stderr)),
            said.stderr,
        )
    }

    fn update(&self, field: &str, value: &str) -> (Value, String) {
        let mut fields = json!({});
        fields[field] = value.into();
        let arguments = json!({"object": "Account", "id": ACCOUNT, "fields": fields});
        self.call("update_record", &arguments)
    }

    fn waiting(&self) -> String {
        let listed = self.home.json(&["approvals", "list"]);
        listed["approvals"][0]["id"].as_str().unwrap().to_owned()
    }

    /// Serves a client that sends requests, logging everything, and gives the answers and the log.
    fn serve(&self, requests: &[(&str, Value)]) -> (Vec<Value>, String) {
        let log = tempfile::NamedTempFile::new().unwrap();
        let reach = ["--allow-origin", &self.address, "--log", "trace"];
        let its = log.reopen().unwrap().into();
        let mut client = Client::begin_with(&self.home, "ada", "2025-06-18", &reach, its);
        let answers = requests
            .iter()
            .map(|(method, params)| client.ask(method, params.clone()))
            .collect();
        // An answer is sent before it would be logged: whatever is logged of it has been when the program has ended.
        client.end();
        (answers, std::fs::read_to_string(log.path()).unwrap())
    }

    /// Runs another command, logging everything, and gives its log.
    fn log_of(&self, command: &[&str]) -> String {
        let said: Said = self.home.run(&[command, &["--log", "trace"]].concat());
        assert_eq!(said.code, 0, "{command:?}: {}", said.stderr);
        said.stderr
    }
}

/// Adds the texts of an answer that are long enough to be told from others.
fn texts(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.len() >= VALUE_BYTES_MIN && !is_id(text) => {
            found.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|member| texts(member, found)),
        _ => {}
    }
}

/// Ids may stand in the clear.
fn is_id(text: &str) -> bool {
    matches!(text.len(), 15 | 18) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Searches every file in a folder, and gives how many bytes there were.
fn search(folder: &Path, values: &BTreeSet<String>, when: &str) -> usize {
    let mut searched = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            searched += search(&path, values, when);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        searched += bytes.len();
        // By its first byte, for there are many values and many bytes.
        for value in values {
            let is_in = has(&bytes, value.as_bytes());
            assert!(!is_in, "{when}: {value:?} is in {}", path.display());
        }
    }
    searched
}

fn has(bytes: &[u8], needle: &[u8]) -> bool {
    bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == needle[0])
        .any(|(at, _)| bytes[at..].starts_with(needle))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_of_a_record_is_in_a_file_or_a_log() {
    let site = Site::new().await;
    let at = Arc::clone(&site);
    tokio::task::spawn_blocking(move || works(&at))
        .await
        .unwrap();
    drop(site);
}

fn works(site: &Site) {
    let (mut logs, mut values) = (Vec::new(), BTreeSet::from([MARK.to_owned()]));
    // What is read.
    let soql = "SELECT Name, Website, Phone, BillingStreet, Description FROM Account LIMIT 40";
    for (tool, arguments) in [
        ("query", json!({ "soql": soql })),
        (
            "get_record",
            json!({"object": "Account", "id": ACCOUNT, "fields": ["Name", "Website", "Phone"]}),
        ),
        (
            "query",
            json!({"soql": "SELECT Name, Email FROM Contact LIMIT 40"}),
        ),
    ] {
        let (answer, log) = site.call(tool, &arguments);
        assert_eq!(answer["outcome"], "done", "{answer}");
        texts(&answer["structured"]["rows"], &mut values);
        texts(&answer["structured"]["fields"], &mut values);
        logs.push(log);
    }
    assert!(values.len() > 60, "{values:?}");
    // What is asked and comes to nothing: in a query, an id, a value that does not fit, a name that is none.
    for (tool, arguments) in [
        (
            "query",
            json!({"soql": format!("SELECT Id FROM Account WHERE Name = '{MARK}-query'")}),
        ),
        (
            "query",
            json!({"soql": format!("SELECT {MARK} FROM Account WHERE (")}),
        ),
        (
            "get_record",
            json!({"object": "Account", "id": format!("{MARK}-id")}),
        ),
        (
            "update_record",
            json!({"object": "Account", "id": ACCOUNT, "fields": {"Industry": format!("{MARK}-industry")}}),
        ),
        (
            "update_record",
            json!({"object": "Account", "id": ACCOUNT, "fields": {MARK: 1}}),
        ),
        (
            "create_record",
            json!({"object": "Contact", "fields": {"LastName": MARK, "Email": MARK}}),
        ),
    ] {
        logs.push(site.call(tool, &arguments).1);
    }
    // The same by a client, whose messages the protocol's library would write out.
    let query = json!({"name": "query", "arguments": {"soql": soql}});
    let (nothing, no_record) = (
        format!("{MARK}-nothing"),
        "salesforce://Account/001DO0000009999YAA",
    );
    let (answers, log) = site.serve(&[
        ("tools/call", query),
        (
            "tools/call",
            json!({"name": "query", "arguments": {"soql": nothing}}),
        ),
        ("tools/call", json!({"name": nothing, "arguments": {}})),
        ("resources/read", json!({"uri": no_record})),
        (
            "resources/read",
            json!({"uri": format!("salesforce://{MARK}/x")}),
        ),
    ]);
    let rows = &answers[0]["result"]["structuredContent"]["rows"];
    assert!(rows.is_array(), "{answers:?}");
    for refused in &answers[2..] {
        assert!(refused["error"].is_object(), "{refused}");
    }
    logs.push(log);
    // What is changed: asked for, refused, taken back, approved and run by the person, fetched, and made.
    let (answer, log) = site.update("Site", &format!("{MARK}-denied"));
    assert_eq!(answer["code"], "approval_required", "{answer}");
    logs.push(log);
    search(&site.home.data(), &values, "while a question waits");
    let id = site.waiting();
    let reason = format!("{MARK}-no");
    logs.push(site.log_of(&["approvals", "deny", &id, "--reason", &reason]));
    logs.push(site.update("Site", &format!("{MARK}-denied")).1);
    logs.push(site.update("Site", &format!("{MARK}-taken-back")).1);
    let id = site.waiting();
    logs.push(site.log_of(&["approvals", "withdraw", &id]));
    logs.push(site.update("Site", &format!("{MARK}-approved")).1);
    let id = site.waiting();
    let approve = ["approvals", "approve", &id, "--allow-origin", &site.address];
    let mut terminal = spawn_command(site.home.command("ada", &approve), Some(120_000)).unwrap();
    says_yes(&mut terminal);
    search(&site.home.data(), &values, "while an answer is kept");
    let (answer, log) = site.update("Site", &format!("{MARK}-approved"));
    assert_eq!(answer["outcome"], "done", "{answer}");
    logs.push(log);
    site.home
        .must(&["allow", "helper", "create_record", "always"]);
    let fields = json!({"Name": format!("{MARK}-made"), "AnnualRevenue": 987_654_321});
    let made = json!({"object": "Account", "fields": fields});
    let (answer, log) = site.call("create_record", &made);
    assert_eq!(answer["outcome"], "done", "{answer}");
    logs.push(log);
    logs.push(site.log_of(&["audit", "verify"]));
    // What opens the log finds which field it was and no value of it, neither in the arguments nor in the connector's words.
    let exported = site.home.must(&["audit", "export", "--format", "jsonl"]);
    assert!(exported.contains("AnnualRevenue"), "{exported}");
    for value in ["987654321", "987,654,321"] {
        assert!(!exported.contains(value), "{value}: {exported}");
    }

    let searched = search(&site.home.data(), &values, "at the end");
    assert!(searched > 100_000, "{searched}");
    // Beside the log stands what the person at the keyboard is told.
    let is_logged = |line: &&str| {
        let begins = line.split(' ').next().unwrap_or_default();
        begins.parse::<jiff::Timestamp>().is_ok()
    };
    let lines: Vec<&str> = logs
        .iter()
        .flat_map(|log| log.lines().filter(is_logged))
        .collect();
    assert!(lines.len() > 50, "{}", lines.len());
    for line in lines {
        let found = values.iter().find(|value| line.contains(value.as_str()));
        assert_eq!(found, None, "{line}");
    }
}
