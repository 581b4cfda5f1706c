//! A program that was killed while a change was under way.

use std::time::SystemTime;

use portcullis::CallId;
use portcullis::policy::{Change, Digest, Effect, FieldChange, Method, Mode, Origin, ToolCall};
use portcullis::ports::audit::{AuditLog, Durability, Event, Intent, Opened, Record};
use portcullis::ports::{Caller, Sensitive};
use portcullis_store::StoreAudit;

use super::steady::steady;
use super::support::{ask, transcript};
use crate::desk::shared_account;
use crate::program::Home;

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
        attempt: 1,
        method: Method::Patch,
        origin: Origin::parse("https://acme.my.salesforce.com").unwrap(),
        route: "/services/data/{version}/sobjects/{kind}/{id}".to_owned(),
        path: Sensitive::new("/services/data/v68.0/sobjects/Account/001xx0000012345"),
        message: None,
        parts: Vec::new(),
        effect: Effect::Write,
        body: Digest::of(b"{}"),
        body_bytes: 16,
        approval: None,
        finds_out: Some(ToolCall {
            tool: "get_record".parse().unwrap(),
            arguments: [
                ("object".to_owned(), "Account".into()),
                ("id".to_owned(), "001xx0000012345".into()),
            ]
            .into_iter()
            .collect(),
            quotes: false,
        }),
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
            ("ada", &["audit", "values", "salesforce", "query", "on"]),
            ("ada", &["audit", "values", "salesforce", "nonsense", "on"]),
            (
                "ada",
                &["audit", "values", "nonsense", "update_record", "on"],
            ),
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
