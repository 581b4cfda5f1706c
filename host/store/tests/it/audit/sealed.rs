//! No value of a record is in the log's files in the clear, nor in the index, nor in a text of the log's own.

use std::path::Path;

use portcullis::ports::audit::{Durability, Event, Record};
use portcullis_store::Activity;

use super::support::{Log, MARK, Read, append, change_in_flight, whole};
use crate::support::{ada, crm};

/// Every file under a folder.
fn search(folder: &Path, found: &mut Vec<(String, bool)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            search(&path, found);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        assert!(!has(MARK.as_bytes()), "{}", path.display());
        found.push((path.display().to_string(), has(b"update_record")));
    }
}

#[tokio::test]
async fn nothing_that_may_hold_a_value_is_in_the_clear() {
    let log = Log::new().await;
    let tool = "update_record".parse().unwrap();
    for keeps in [false, true] {
        log.audit
            .keep_values(&ada(), &crm(), &tool, keeps)
            .await
            .unwrap();
        Read::at(1).write(&log.audit).await;
        let call = change_in_flight(&log.audit).await;
        let denied = portcullis::ports::audit::Event::Denied {
            request: 3,
            code: "path".into(),
            message: portcullis::ports::Sensitive::new(format!("/record/{MARK}")),
        };
        append(&log.audit, call, Read::at(1).at, denied, Durability::Synced)
            .await
            .unwrap();
    }
    let store = log.fixture.store.clone();
    let activity = Activity::open(store.clone()).await.unwrap();
    let rows = activity.calls(&Default::default()).await.unwrap().0;
    let texts = format!(
        "{rows:?} {:?} {:?}",
        activity.lines(&rows[0]).await.unwrap(),
        log.audit
    );
    assert!(!texts.contains(MARK), "{texts}");
    let mut found = Vec::new();
    search(log.fixture.folder.path(), &mut found);
    log.audit.close().await.unwrap();
    let report = format!("{:?}", whole(&store).await);
    assert!(!report.contains(MARK), "{report}");
    store.close().await;
    search(log.fixture.folder.path(), &mut found);
    // What is there to be found is found: names are plain, in the log and in the index.
    let named: Vec<&String> = found
        .iter()
        .filter(|file| file.1)
        .map(|file| &file.0)
        .collect();
    assert!(named.iter().any(|file| file.ends_with(".log")), "{found:?}");
    assert!(
        named.iter().any(|file| file.contains("index.db")),
        "{found:?}"
    );
}

/// Everything that a call's lines say, what is sealed opened.
fn said(records: &[Record]) -> String {
    let of = |record: &Record| match &record.event {
        Event::Opened(opened) => opened.arguments.expose().to_owned(),
        Event::Announced(changes) => serde_json::to_string(changes).unwrap(),
        event => format!("{event:?}"),
    };
    let all: Vec<String> = records.iter().map(of).collect();
    all.join("\n")
}

#[tokio::test]
async fn values_that_are_not_kept_are_in_no_line_that_is_opened() {
    let log = Log::new().await;
    let tool = "update_record".parse().unwrap();
    // The arguments, the fields, and the connector's words about them.
    let values = [
        format!("Name = '{MARK}'"),
        format!("{MARK}-before"),
        format!("{MARK}-after"),
        format!("tells {MARK}"),
        format!("write {MARK} back"),
    ];
    for keeps in [false, true, false] {
        log.audit
            .keep_values(&ada(), &crm(), &tool, keeps)
            .await
            .unwrap();
        let call = change_in_flight(&log.audit).await;
        let said = said(&log.audit.records(call).await.unwrap());
        for value in &values {
            assert_eq!(said.contains(value), keeps, "{value}: {said}");
        }
    }
}
