//! A log that is not as it was, and one that cannot be written.

use std::sync::Arc;
use std::time::SystemTime;

use portcullis::CallId;
use portcullis::ports::Sensitive;
use portcullis::ports::audit::{AuditLog, Durability, Event, Record};
use portcullis_store::StoreAudit;
use serde_json::Value;

use super::steady::steady;
use super::support::{ask, run, some_calls, transcript};
use crate::program::Said;

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
        let listed = run(&home, "ada", &["activity"]).await;
        assert!(
            listed.stderr.contains("the log is broken"),
            "{}",
            listed.stderr
        );
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
            ("ada", &["audit", "restart", "--yes"]),
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
