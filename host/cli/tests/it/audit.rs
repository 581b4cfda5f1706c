//! `portcullis activity` and `portcullis audit`: what people read of what was done, and what is said where the log is not as it was.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use portcullis::CallId;
use portcullis::policy::{Change, Digest, Effect, FieldChange, Method, Mode, Origin};
use portcullis::ports::audit::{AuditLog, Durability, Event, Intent, Opened, Record};
use portcullis::ports::{Caller, Sensitive};
use portcullis_store::StoreAudit;
use salesforce_devorg::DevOrg;
use serde_json::Value;

use crate::desk::shared_account;
use crate::program::{Home, Said};

/// Takes out of a text what is another each time, as wide as it was.
fn steady(text: &str) -> String {
    let mut steady = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let run =
            |is_part: fn(char) -> bool| rest.find(|char| !is_part(char)).unwrap_or(rest.len());
        let hex = run(|char| char.is_ascii_digit() || ('a'..='f').contains(&char));
        let moment = run(|char| char.is_ascii_digit() || "-:T.Z ".contains(char));
        let starts_moment = rest.starts_with("20") && rest[..moment].contains('-') && moment >= 19;
        if let Some(port) = rest.strip_prefix("127.0.0.1:") {
            steady.push_str("127.0.0.1:PORT");
            rest = port.trim_start_matches(|char: char| char.is_ascii_digit());
        } else if starts_moment && rest.as_bytes()[10] != b'T' {
            steady.push_str("YYYY-MM-DD HH:MM:SS");
            rest = &rest[19..];
        } else if starts_moment {
            let end = rest[..moment].find('Z').map_or(moment, |end| end + 1);
            steady.push_str("MOMENT");
            rest = &rest[end..];
        } else if hex >= 12 {
            steady.push_str(&"x".repeat(hex));
            rest = &rest[hex..];
        } else if first.is_ascii_digit() {
            let number = run(|char| char.is_ascii_digit() || char == '.');
            match rest[number..].starts_with(" ms") {
                true => steady.push_str("N.N"),
                false => steady.push_str(&rest[..number]),
            }
            rest = &rest[number..];
        } else {
            let word = run(|char| char.is_alphanumeric()).max(first.len_utf8());
            steady.push_str(&rest[..word]);
            rest = &rest[word..];
        }
    }
    steady
}

/// As [`steady`], in a JSON value.
fn steady_json(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let is_measure = name.ends_with("_us")
                    || name.ends_with("time")
                    || ["duration", "latency", "port"].contains(&name.as_str());
                match member.is_number() && is_measure {
                    true => *member = "N".into(),
                    false => steady_json(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(steady_json),
        Value::String(text) => *text = steady(text),
        _ => {}
    }
}

async fn run(home: &Arc<Home>, user: &'static str, arguments: &[&str]) -> Said {
    let home = Arc::clone(home);
    let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
    let work = move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        home.run_as(user, &arguments)
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

async fn ask(home: &Arc<Home>, org: &DevOrg, person: &str, tool: &str, arguments: &str) -> Said {
    let address = org.address().to_string();
    let call = [
        "call",
        tool,
        "--json",
        arguments,
        "--allow-origin",
        &address,
        "--as",
        person,
    ];
    run(home, "ada", &call).await
}

/// Writes down what commands say, of those who ran them.
async fn transcript(home: &Arc<Home>, commands: &[(&'static str, &[&str])]) -> String {
    let home = Arc::clone(home);
    let commands: Vec<(&'static str, Vec<String>)> = commands
        .iter()
        .map(|(user, words)| (*user, words.iter().map(|word| (*word).to_owned()).collect()))
        .collect();
    let work = move || {
        let words: Vec<(&str, Vec<&str>)> = commands
            .iter()
            .map(|(user, words)| (*user, words.iter().map(String::as_str).collect()))
            .collect();
        let commands: Vec<(&str, &[&str])> = words
            .iter()
            .map(|(user, words)| (*user, &words[..]))
            .collect();
        home.transcript_of(&commands)
    };
    steady(&tokio::task::spawn_blocking(work).await.unwrap())
}

/// A store with some calls: two that Bob had answered, one that was refused, one of Ada's that went wrong.
async fn some_calls() -> (Arc<Home>, DevOrg) {
    let (home, org) = shared_account().await;
    let soql = r#"{"soql": "SELECT Name, Industry FROM Account ORDER BY Name LIMIT 2"}"#;
    assert_eq!(ask(&home, &org, "bob", "query", soql).await.code, 0);
    assert_eq!(ask(&home, &org, "bob", "get_identity", "{}").await.code, 0);
    let soql = r#"{"soql": "SELECT Industy FROM Account"}"#;
    assert_eq!(ask(&home, &org, "bob", "query", soql).await.code, 2);
    assert_eq!(ask(&home, &org, "ada", "get_identity", "{}").await.code, 1);
    (home, org)
}

async fn ids(home: &Arc<Home>) -> Vec<String> {
    let said = run(home, "ada", &["activity", "--json"]).await;
    let calls: Value = serde_json::from_str(&said.stdout).unwrap();
    let id = |call: &Value| call["id"].as_str().unwrap().to_owned();
    calls.as_array().unwrap().iter().map(id).collect()
}

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
async fn exports_have_what_other_programs_ask_for() {
    let (home, _org) = some_calls().await;
    let export = async |format: &str| {
        run(&home, "ada", &["audit", "export", "--format", format])
            .await
            .stdout
    };
    let csv = export("csv").await;
    insta::assert_snapshot!("csv", steady(&without_durations(&csv)));
    for format in ["jsonl", "ocsf"] {
        let lines = export(format).await;
        let mut calls: Vec<Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(calls.len(), 4);
        if format == "ocsf" {
            calls.iter().for_each(is_api_activity);
        }
        calls.iter_mut().for_each(steady_json);
        insta::assert_json_snapshot!(format, calls);
    }
    let file = home.folder.path().join("out.csv");
    let file = file.to_str().unwrap();
    let said = run(
        &home,
        "ada",
        &["audit", "export", "--format", "csv", "--out", file],
    )
    .await;
    assert!(said.stdout.contains("4 calls are in"), "{}", said.stdout);
    assert_eq!(std::fs::read_to_string(file).unwrap(), csv);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        assert_eq!(std::fs::metadata(file).unwrap().mode() & 0o777, 0o600);
    }
    let said = run(
        &home,
        "ada",
        &["audit", "export", "--format", "csv", "--out", file],
    )
    .await;
    assert_eq!(said.code, 2, "it is there already");
}

/// CSV without how long each call took.
fn without_durations(csv: &str) -> String {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let head = reader.headers().unwrap().clone();
    let took = head.iter().position(|name| name == "duration_ms").unwrap();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&head).unwrap();
    for row in reader.records() {
        let row = row.unwrap();
        let cells = row.iter().enumerate();
        let cells = cells.map(|(column, cell)| if column == took { "N" } else { cell });
        writer.write_record(cells).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

/// What the schema requires of an event of class 6003 (OCSF 1.8.0).
fn is_api_activity(event: &Value) {
    for required in [
        "activity_id",
        "actor",
        "api",
        "category_uid",
        "class_uid",
        "metadata",
        "severity_id",
        "src_endpoint",
        "time",
        "type_uid",
    ] {
        assert!(!event[required].is_null(), "{required}: {event}");
    }
    assert_eq!(
        (&event["class_uid"], &event["category_uid"]),
        (&6003.into(), &6.into())
    );
    let activity = event["activity_id"].as_u64().unwrap();
    assert_eq!(event["type_uid"], 600_300 + activity);
    assert!(event["api"]["operation"].is_string() && event["actor"]["user"]["uid"].is_string());
    assert!(event["metadata"]["product"]["vendor_name"].is_string());
    assert_eq!(event["metadata"]["version"], "1.8.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_altered_is_told_and_nothing_is_called_on_it() {
    let (home, org) = some_calls().await;
    let whole = run(&home, "ada", &["audit", "verify"]).await;
    assert_eq!(whole.code, 0, "{}", whole.stderr);
    let head = whole
        .stdout
        .lines()
        .last()
        .unwrap()
        .trim()
        .strip_prefix("head ")
        .unwrap()
        .to_owned();
    assert_eq!(
        run(&home, "ada", &["audit", "verify", "--through", &head])
            .await
            .code,
        0
    );
    let segment = home.data().join("portcullis.audit/001-00000001.log");
    let bytes = std::fs::read(&segment).unwrap();
    let mut altered = bytes.clone();
    let at = find(&bytes, b"\"bob\"").unwrap() + 1;
    altered[at..at + 3].copy_from_slice(b"eve");
    let before = org.requests();
    let mut report = String::new();
    for tampered in [&altered[..], &bytes[..bytes.len() - 40]] {
        std::fs::write(&segment, tampered).unwrap();
        report += &transcript(&home, &[("ada", &["audit", "verify"])]).await;
        let said = ask(&home, &org, "bob", "get_identity", "{}").await;
        assert_eq!(said.code, 1, "{}", said.stdout);
        report += &steady(
            &said
                .stderr
                .replace(&home.folder.path().display().to_string(), "FOLDER"),
        );
        report += "\n";
    }
    assert_eq!(org.requests(), before, "nothing was sent");
    let json = run(&home, "ada", &["audit", "verify", "--json"]).await;
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        (&json["whole"], json["findings"].as_array().unwrap().len()),
        (&false.into(), 1)
    );
    report += &transcript(
        &home,
        &[
            ("ada", &["audit", "restart"]),
            ("ada", &["audit", "restart"]),
            ("ada", &["audit", "verify"]),
        ],
    )
    .await;
    insta::assert_snapshot!(report);
    assert_eq!(ask(&home, &org, "bob", "get_identity", "{}").await.code, 0);
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_takes_no_more_refuses_before_anything_is_sent() {
    let (home, org) = some_calls().await;
    let (before, address) = (org.requests(), org.address().to_string());
    // Larger than the store's own files, so that the log alone comes to the limit.
    let audit = StoreAudit::open(home.store().await).await.unwrap();
    for _ in 0..40 {
        let now = SystemTime::now();
        let record = Record {
            call: CallId::random(now).unwrap(),
            at: now,
            event: Event::Step {
                title: Sensitive::new("x".repeat(60_000)),
                detail: None,
            },
        };
        audit.append(record, Durability::Buffered).await.unwrap();
    }
    audit.close().await.unwrap();
    let segment = home.data().join("portcullis.audit/001-00000001.log");
    let length = std::fs::metadata(&segment).unwrap().len();
    // The largest file that the system allows: the log has no room for one more record.
    let blocks = length.div_ceil(512);
    let limited = Arc::clone(&home);
    let work = move || {
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let mut command = limited.command("ada", &[]);
        let program = command.get_program().to_owned();
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &script]).arg(program);
        shell.args([
            "call",
            "get_identity",
            "--as",
            "bob",
            "--allow-origin",
            &address,
        ]);
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        let _ = command.stdin(std::process::Stdio::null());
        Said::from(shell.output().unwrap())
    };
    let said = tokio::task::spawn_blocking(work).await.unwrap();
    assert_eq!(said.code, 1, "{} {}", said.stdout, said.stderr);
    let is_said = said
        .stderr
        .contains("the audit log cannot be written: the file has the size that the system allows");
    assert!(is_said, "{}", said.stderr);
    assert_eq!(org.requests(), before, "nothing was sent");
    assert_eq!(run(&home, "ada", &["audit", "verify"]).await.code, 0);
    assert_eq!(ask(&home, &org, "bob", "get_identity", "{}").await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_folder_is_missed() {
    let (home, org) = some_calls().await;
    let folder = home.data().join("portcullis.audit");
    let before = org.requests();
    std::fs::rename(&folder, home.data().join("elsewhere")).unwrap();
    let said = ask(&home, &org, "bob", "get_identity", "{}").await;
    assert_eq!(said.code, 1);
    let folder = folder.display().to_string();
    insta::assert_snapshot!(said.stderr.replace(&folder, "FOLDER"));
    assert_eq!(org.requests(), before);
}

/// Writes a change down as far as its intent, as a program that is killed while the service works.
async fn killed_in_a_change(home: &Home) -> CallId {
    let audit = StoreAudit::open(home.store().await).await.unwrap();
    let now = SystemTime::now();
    let call = CallId::random(now).unwrap();
    let opened = Event::Opened(Opened {
        caller: Caller {
            agent: "helper".parse().unwrap(),
            person: "bob".parse().unwrap(),
        },
        connector: "salesforce".parse().unwrap(),
        version: Some("0.1.0".to_owned()),
        component: Some(Digest::of(b"component")),
        tool: Some("update_record".parse().unwrap()),
        effect: Some(Effect::Write),
        mode: Some(Mode::Ask),
        rule: Some("agent helper: effect:write ask".to_owned()),
        connection: None,
        arguments: Sensitive::new(
            "{\"id\": \"001xx0000012345\", \"fields\": {\"Rating\": \"Hot\"}}",
        ),
    });
    let announced = Event::Announced(vec![Change {
        action: "update".to_owned(),
        kind: "Account".to_owned(),
        id: Some("001xx0000012345".to_owned()),
        label: "Acme \u{1b}[2J Inc".to_owned(),
        url: Some("https://acme.my.salesforce.com/001xx0000012345".to_owned()),
        fields: vec![FieldChange {
            name: "Rating".to_owned(),
            label: "Rating".to_owned(),
            before: Some("\"Warm\"".to_owned()),
            after: Some("\"Hot\"".to_owned()),
            pointer: Some("/Rating".to_owned()),
        }],
        notes: Vec::new(),
        undo: None,
    }]);
    let intended = Event::Intended(Intent {
        request: 1,
        method: Method::Patch,
        origin: Origin::parse("https://acme.my.salesforce.com").unwrap(),
        route: "/services/data/{version}/sobjects/{kind}/{id}".to_owned(),
        path: Sensitive::new("/services/data/v68.0/sobjects/Account/001xx0000012345"),
        effect: Effect::Write,
        body: Digest::of(b"{}"),
        body_bytes: 16,
        approval: None,
    });
    for event in [opened, announced, intended] {
        let record = Record {
            call,
            at: now,
            event,
        };
        audit.append(record, Durability::Synced).await.unwrap();
    }
    call
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_outcome_nobody_knows_is_said_at_the_next_start_and_reads_so() {
    let (home, org) = shared_account().await;
    let call = killed_in_a_change(&home).await.to_string();
    let said = ask(&home, &org, "bob", "get_identity", "{}").await;
    let mut report = steady(&said.stderr);
    assert_eq!(said.code, 0);
    let again = ask(&home, &org, "bob", "get_identity", "{}").await;
    assert_eq!(again.stderr, "", "it is said once");
    report += &transcript(
        &home,
        &[
            ("ada", &["activity", "--outcome", "unclear"]),
            ("bob", &["activity", "show", &call]),
            ("ada", &["audit", "values"]),
            (
                "ada",
                &["audit", "values", "salesforce", "update_record", "on"],
            ),
            (
                "ada",
                &["audit", "values", "salesforce", "update_record", "on"],
            ),
            ("ada", &["audit", "values"]),
            ("ada", &["audit", "retain", "--days", "30"]),
            ("ada", &["audit", "verify"]),
        ],
    )
    .await;
    insta::assert_snapshot!(report);
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

/// Every file under a folder.
fn search(folder: &Path, needles: &[&str]) -> usize {
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
