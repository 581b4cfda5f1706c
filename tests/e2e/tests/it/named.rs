//! A connector that says what it has read where names belong: as the kind, the id and the fields of a source and of a change.
//!
//! The attack: what is named stands in the log in the clear, and is written before it is compared with anything. So whatever is not
//! shaped as a name is sealed like every other text, and what is longer than a name is not taken.

use std::path::Path;
use std::sync::Arc;

use portcullis::policy::Mode;
use portcullis::ports::audit::Event;
use portcullis::{Ports, Reply};
use portcullis_store::{Location, MasterKey, Store, StoreAudit, StoreOptions};
use serde_json::{Value, json};

use crate::support::{Setup, World, ended};

const CONNECTOR: &str = "beyond-scope";

/// Values as records have them.
const VALUES: [&str; 4] = [
    "Ada Lovelace",
    "+44 20 7946 0100",
    "ada@example.com",
    "Slartibartfast, designer of fjords; 1,234.50 EUR",
];

/// Says whether a text is in a file of a folder in the clear.
fn is_in(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => is_in(&path, text),
            false => {
                let bytes = std::fs::read(&path).unwrap();
                bytes
                    .windows(text.len())
                    .any(|window| window == text.as_bytes())
            }
        }
    })
}

/// A change that is announced as one of a record of this kind.
fn change(kind: &str, field: &str) -> Value {
    json!({
        "method": "POST",
        "target": "/create",
        "body": json!({ "type": "Contact", "fields": { "Name": "x" } }).to_string(),
        "announce": [kind],
        "field": field,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_shaped_as_a_name_is_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions::new(
        Location::in_folder(folder.path()),
        MasterKey::random().unwrap(),
    );
    let store = Store::open(options).await.unwrap();
    let audit = StoreAudit::open(store.clone()).await.unwrap();
    let kept = Arc::new(audit.clone());
    let setup = Setup {
        ports: Box::new(move |ports| Ports {
            audit: kept,
            ..ports
        }),
        ..Setup::default()
    };
    let world = World::new(setup, &["beyond_scope"]).await;
    world.mode(CONNECTOR, "write", Mode::Allow);
    let mut calls: Vec<(Reply, &str)> = Vec::new();
    for value in VALUES {
        let cited = world
            .call(CONNECTOR, "cite", json!({ "says": value }))
            .await;
        assert_eq!(ended(&cited), "done");
        calls.push((cited, value));
        // No kind is called so: it is refused before it is written down. A field might be.
        let kind = world.call(CONNECTOR, "write", change(value, "Name")).await;
        assert_eq!(ended(&kind), "refused scope");
        let field = world
            .call(CONNECTOR, "write", change("Contact", value))
            .await;
        assert_eq!(ended(&field), "done");
        calls.push((field, value));
    }
    // A name stays one that is found.
    let named = world
        .call(CONNECTOR, "cite", json!({ "says": "OpportunityLineItem" }))
        .await;
    assert_eq!(ended(&named), "done");
    for (reply, value) in &calls {
        let records = audit.records(reply.call.unwrap()).await.unwrap();
        let says = |event: &Event| match event {
            Event::Cited(sources) => sources.iter().any(|source| {
                source.kind == *value
                    && source.id.as_deref() == Some(value)
                    && source.fields == [*value]
            }),
            Event::Announced(changes) => changes
                .iter()
                .any(|change| change.fields.iter().any(|field| field.name == *value)),
            _ => false,
        };
        assert!(
            records.iter().any(|record| says(&record.event)),
            "{value}: {records:?}"
        );
    }
    audit.close().await.unwrap();
    store.close().await;
    for value in VALUES {
        assert!(!is_in(folder.path(), value), "{value}");
    }
    assert!(is_in(folder.path(), "OpportunityLineItem"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_longer_than_a_name_is_not_announced() {
    let world = World::with(&["beyond_scope"]).await;
    world.mode(CONNECTOR, "write", Mode::Allow);
    for arguments in [
        change(&"K".repeat(257), "Name"),
        change("Contact", &"f".repeat(257)),
    ] {
        let reply = world.call(CONNECTOR, "write", arguments).await;
        assert_eq!(ended(&reply), "failed invalid_arguments");
        let message = reply.outcome.message().unwrap();
        assert!(message.contains("more than 256 bytes"), "{message}");
    }
    assert!(world.service.seen().is_empty());
    // Of a source it is cut: that stops no call.
    let long = "k".repeat(20_000);
    let reply = world.call(CONNECTOR, "cite", json!({ "says": long })).await;
    assert_eq!(ended(&reply), "done");
    let records = world.records(&reply);
    let kinds = records.iter().find_map(|record| match &record.event {
        Event::Cited(sources) => Some(sources[0].kind.len()),
        _ => None,
    });
    assert!(kinds.is_some_and(|length| length < 300), "{kinds:?}");
}
