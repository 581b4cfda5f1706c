//! No value of a record is in the log's files in the clear, nor in the index, nor in a text of the log's own.

use std::path::Path;

use portcullis::ports::audit::{Durability, Event, Record, Source};
use portcullis_policy::{Change, FieldChange};
use portcullis_store::Activity;

use super::support::{Log, MARK, Read, append, by_ada, change_in_flight, whole};
use crate::support::crm;

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
            .keep_values(&by_ada(), &crm(), &tool, keeps)
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
            .keep_values(&by_ada(), &crm(), &tool, keeps)
            .await
            .unwrap();
        let call = change_in_flight(&log.audit).await;
        let said = said(&log.audit.records(call).await.unwrap());
        for value in &values {
            assert_eq!(said.contains(value), keeps, "{value}: {said}");
        }
    }
}

/// The attack: a connector says what it has read where names belong, and those are in the clear.
#[tokio::test]
async fn what_is_not_shaped_as_a_name_is_not_in_the_clear() {
    let log = Log::new().await;
    let call = change_in_flight(&log.audit).await;
    let says = || format!("{MARK} Beeblebrox, 555-0100");
    let field = |name: String, pointer: &str| FieldChange {
        name,
        label: "Name".to_owned(),
        before: None,
        after: None,
        pointer: Some(pointer.to_owned()),
    };
    let change = |action: &str, kind: String, id: String, field| Change {
        action: action.to_owned(),
        kind,
        id: Some(id),
        label: "A record".to_owned(),
        url: None,
        fields: vec![field],
        notes: vec![],
        undo: None,
    };
    let name = || "Name".to_owned();
    let pointer = format!("/fields/{MARK} Beeblebrox");
    let events = [
        Event::Announced(vec![
            change("update", says(), name(), field(name(), "/Name")),
            change("update", name(), says(), field(name(), "/Name")),
            change(&says(), name(), name(), field(name(), "/Name")),
            change("update", name(), name(), field(says(), "/Name")),
            change("update", name(), name(), field(name(), &pointer)),
            change(
                "update",
                "OpportunityLineItem".to_owned(),
                name(),
                field(name(), "/a~1b/0"),
            ),
        ]),
        Event::Cited(vec![
            Source {
                kind: says(),
                id: Some(name()),
                label: None,
                url: None,
                fields: vec![name()],
            },
            Source {
                kind: name(),
                id: Some("001DO0000000002YAA".to_owned()),
                label: None,
                url: None,
                fields: vec!["Owner.Name".to_owned(), format!("COUNT({MARK})")],
            },
        ]),
    ];
    for event in &events {
        append(
            &log.audit,
            call,
            Read::at(1).at,
            event.clone(),
            Durability::Synced,
        )
        .await
        .unwrap();
    }
    let records = log.audit.records(call).await.unwrap();
    let opened: Vec<Event> = records
        .into_iter()
        .rev()
        .take(2)
        .map(|record| record.event)
        .collect();
    let (Event::Cited(sources), Event::Announced(changes)) = (&opened[0], &opened[1]) else {
        panic!("{opened:?}");
    };
    let (Event::Announced(announced), Event::Cited(cited)) = (&events[0], &events[1]) else {
        panic!("{events:?}");
    };
    assert_eq!((changes, sources.len()), (announced, cited.len()));
    for (source, cited) in sources.iter().zip(cited) {
        assert_eq!(
            (&source.kind, &source.id, &source.fields),
            (&cited.kind, &cited.id, &cited.fields)
        );
    }
    let mut found = Vec::new();
    search(log.fixture.folder.path(), &mut found);
    let bytes: Vec<u8> = log
        .files()
        .iter()
        .flat_map(|file| std::fs::read(file).unwrap())
        .collect();
    let has = |needle: &str| {
        bytes
            .windows(needle.len())
            .any(|window| window == needle.as_bytes())
    };
    assert!(has("OpportunityLineItem"), "a name stays one that is found");
}
