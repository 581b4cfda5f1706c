//! What is announced is what is sent, whatever the connector tries; and what chance gives a call comes out again when it is run again.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use portcullis::policy::Mode;
use portcullis::ports::approvals::{AskingApprovals, Decide, Decision, HeldRequest};
use portcullis::ports::{PortError, Ports};
use portcullis::{Limits, Outcome, Reply, Rerun};
use serde_json::{Value, json};
use std::sync::Arc;

use crate::support::world::{Setup, call, event};
use crate::support::{World, ended};

pub const JSON: [&str; 2] = ["content-type", "application/json"];

/// A change of the name of `Account` 001 that agrees in every respect.
fn honest() -> Value {
    json!({
        "announce": [{
            "kind": "Account", "id": "001",
            "fields": [["name", "Old", "New", "/name"]],
        }],
        "send": [{
            "method": "PATCH", "path": "/kind/Account/001",
            "headers": [JSON], "body": r#"{"name":"New"}"#,
        }],
    })
}

pub fn with(edits: &[(&str, Value)]) -> Value {
    let mut arguments = honest();
    for (pointer, value) in edits {
        *arguments.pointer_mut(pointer).unwrap() = value.clone();
    }
    arguments
}

/// Lies, each with how it must end.
fn lies() -> Vec<(Value, &'static str)> {
    let path = |path: &str| with(&[("/send/0/path", json!(path))]);
    let body = |body: &str| with(&[("/send/0/body", json!(body))]);
    let headers = |extra: [&str; 2]| with(&[("/send/0/headers", json!([JSON, extra]))]);
    let announced = |pointer: &str, value: Value| with(&[(pointer, value)]);
    let mut twice = honest();
    let sent = twice["send"][0].clone();
    twice["send"].as_array_mut().unwrap().push(sent);
    vec![
        // Another record, or another kind, also where only letters' case or an encoding differs.
        (path("/kind/Account/002"), "refused announcement"),
        (path("/kind/Contact/001"), "refused announcement"),
        (path("/kind/account/001"), "refused announcement"),
        (path("/kind/%41ccount/002"), "refused announcement"),
        (
            announced("/announce/0/id", json!("002")),
            "refused announcement",
        ),
        (
            announced(
                "/announce/0",
                json!({"kind": "Account", "fields": [["name", "Old", "New", "/name"]]}),
            ),
            "refused announcement",
        ),
        (
            announced("/announce/0/kind", json!("ACCOUNT")),
            "refused announcement",
        ),
        (path("/kind/Account/001/"), "refused path"),
        (path("/kind//Account/001"), "refused path"),
        (path("/kind/Account/../Contact/001"), "refused path"),
        (path("/kind/Account/%2e%2e/001"), "refused path"),
        (path("/kind/Account%2f001"), "refused path"),
        (path("/kind/Account/001%00"), "refused path"),
        (path("/kind/Account/%c0%ae"), "refused path"),
        (path("/kind/Account/001?_HttpMethod=DELETE"), "refused path"),
        (path("/KIND/Account/001"), "refused route"),
        (path("/kind./Account/001"), "refused route"),
        // A value more, another one, or one that host and service read differently.
        (path("/kind/Account/001?owner=005"), "refused announcement"),
        (body(r#"{"name":"Other"}"#), "refused announcement"),
        (
            body(r#"{"name":"New","owner":"005"}"#),
            "refused announcement",
        ),
        (
            body(r#"{"name":"New","name":"Evil"}"#),
            "refused announcement",
        ),
        (
            body(r#"{"name":"New","NAME":"Evil"}"#),
            "refused announcement",
        ),
        (body(r#"{}"#), "refused announcement"),
        (body("name=New"), "refused announcement"),
        (
            with(&[("/send/0/headers/0/1", json!("text/plain"))]),
            "refused announcement",
        ),
        (
            announced("/announce/0/fields/0/0", json!("description")),
            "refused announcement",
        ),
        (
            announced("/announce/0/fields/0/2", json!("Else")),
            "refused announcement",
        ),
        // The stand-in for the token in a record's field.
        (
            with(&[
                ("/announce/0/fields/0/2", json!("{placeholder}")),
                ("/send/0/body", json!(r#"{"name":"{placeholder}"}"#)),
            ]),
            "refused placeholder",
        ),
        // A header that switches off what would stop the change.
        (
            headers(["Sforce-Duplicate-Rule-Header", "allowSave=true"]),
            "refused header",
        ),
        (
            headers(["X-HTTP-Method-Override", "DELETE"]),
            "failed not_permitted",
        ),
        // A batch that says less than it does.
        (
            with(&[
                ("/send/0/path", json!("/batch")),
                (
                    "/send/0/body",
                    json!(r#"{"name":"New","records":[{"id":"002"}]}"#),
                ),
            ]),
            "refused announcement",
        ),
        (
            with(&[("/send/0/path", json!("/batch"))]),
            "refused announcement",
        ),
        // Nothing announced, or a ticket that is none.
        (
            announced("/announce", json!([])),
            "failed invalid_arguments",
        ),
        (
            {
                let mut made_up = honest();
                made_up["ticket"] = json!("0".repeat(32));
                made_up
            },
            "refused no_ticket",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_announced_is_what_is_sent() {
    let world = World::with(&["liar"]).await;
    for mode in [Mode::Allow, Mode::Ask] {
        world.mode("liar", "write", mode);
        for (arguments, expected) in lies() {
            let reply = world.call("liar", "write", arguments.clone()).await;
            let said = reply.outcome.message().unwrap_or_default();
            assert_eq!(ended(&reply), expected, "{mode}: {arguments}: {said}");
            assert!(reply.sent.is_empty());
            assert!(!said.contains("New") && !said.contains("Evil"), "{said}");
        }
        assert!(world.approvals.pending().is_empty(), "no one is asked");
    }
    assert_eq!(world.service.connections(), 0);

    world.mode("liar", "write", Mode::Allow);
    assert_eq!(ended(&world.call("liar", "write", honest()).await), "done");
    assert_eq!(world.service.changes().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_is_good_for_one_request_of_its_call() {
    let world = World::with(&["liar"]).await;
    world.mode("liar", "write", Mode::Allow);
    let mut twice = honest();
    let sent = twice["send"][0].clone();
    twice["send"].as_array_mut().unwrap().push(sent);
    let reply = world.call("liar", "write", twice).await;
    assert_eq!(ended(&reply), "refused no_ticket");
    assert_eq!(reply.sent.len(), 1);
    assert_eq!(world.service.changes().len(), 1);

    // One that is kept for a later call is worth nothing there.
    let reply = world.call("liar", "write", honest()).await;
    let Outcome::Done(output) = &reply.outcome else {
        panic!("{reply:?}");
    };
    let ticket = output.text.split([' ', ';']).nth(1).unwrap().to_owned();
    let mut later = honest();
    later["ticket"] = json!(ticket);
    let reply = world.call("liar", "write", later).await;
    assert_eq!(ended(&reply), "refused no_ticket");
    assert_eq!(world.service.changes().len(), 2);
}

/// A change that hangs on everything that chance gives a guest. What it says is not sent, for each time it is drawn anew.
fn by_chance() -> Value {
    json!({
        "announce": [{"kind": "Account", "fields": [["note", null, "x{secure}{seed}{time}", null]]}],
        "send": [{"method": "POST", "path": "/kind/Account"}],
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chance_comes_out_again_when_an_approved_call_is_run_again() {
    let world = World::with(&["liar"]).await;
    let arguments = by_chance();
    let ask = || world.call("liar", "write", arguments.clone());
    let one = ask().await;
    let id = |reply: &Reply| match &reply.outcome {
        Outcome::ApprovalRequired(approval) => approval.id,
        other => panic!("{other:?}"),
    };
    // Another call has other chances, and would send the same: it waits with the first.
    let two = ask().await;
    assert_eq!(id(&one), id(&two));
    let pending = world.approvals.pending();
    let (approval, held) = pending
        .iter()
        .find(|(other, _)| *other == id(&one))
        .unwrap();
    assert!(world.approvals.approve(*approval));
    // A while later, with the held call's randomness and time, it is the same.
    tokio::time::sleep(Duration::from_millis(20)).await;
    let mut again = call("liar", "write", arguments.clone());
    again.rerun = Some(Rerun {
        approval: *approval,
        replay: held.replay.clone(),
    });
    let reply = world.host.call(again).await;
    assert_eq!(ended(&reply), "done", "{reply:?}");
    assert_eq!(reply.sent.len(), 1);
}

/// A person who takes their time, and notes the card.
struct Slowly {
    pause: Duration,
    decision: Decision,
}

#[async_trait]
impl Decide for Slowly {
    async fn decide(&self, request: &HeldRequest) -> Result<Decision, PortError> {
        assert_eq!(request.card.changes[0].kind, "Account");
        assert!(request.is_whole);
        tokio::time::sleep(self.pause).await;
        Ok(self.decision.clone())
    }
}

async fn asking(pause: Duration, decision: Decision, patience: Duration) -> World {
    let decide = Slowly { pause, decision };
    let asking = Arc::new(AskingApprovals::new(decide, patience).unwrap());
    let setup = Setup {
        limits: Limits {
            wall_clock: Duration::from_millis(1500),
            concurrent_calls_max: 4,
            ..Limits::default()
        },
        ports: Box::new(move |ports| Ports {
            approvals: asking,
            ..ports
        }),
        ..Setup::default()
    };
    World::new(setup, &["liar"]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_waits_for_a_person_uses_none_of_its_time() {
    let pause = Duration::from_millis(2500);
    let world = asking(pause, Decision::Approve, Duration::from_secs(60)).await;
    let begun = Instant::now();
    let reply = world.call("liar", "write", honest()).await;
    assert_eq!(ended(&reply), "done", "{reply:?}");
    assert!(begun.elapsed() >= pause);
    assert_eq!(world.service.changes().len(), 1);
    // Its time still ends it where it does not wait.
    let records = world.records(&reply);
    assert_eq!(event(&records.last().unwrap().event), "closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_no_is_told_and_kept_for_a_while_and_silence_is_a_no() {
    let no = Decision::Deny {
        reason: Some("not on a Friday".to_owned()),
    };
    let world = asking(Duration::ZERO, no, Duration::from_secs(60)).await;
    for _ in 0..2 {
        let reply = world.call("liar", "write", honest()).await;
        assert_eq!(ended(&reply), "refused approval_denied");
        let said = reply.outcome.message().unwrap();
        assert_eq!(
            said,
            "a person said no to this change: not on a Friday; the same is refused for 10 minutes"
        );
    }
    let hour = Duration::from_secs(3600);
    let world = asking(hour, Decision::Approve, Duration::from_millis(50)).await;
    let reply = world.call("liar", "write", honest()).await;
    assert_eq!(ended(&reply), "refused approval_denied");
    assert!(reply.outcome.message().unwrap().contains("in time"));
    assert_eq!(world.service.connections(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_twenty_questions_are_not_asked() {
    let world = World::with(&["liar"]).await;
    let ask = |number: usize| {
        let name = format!("Name {number}");
        world.call(
            "liar",
            "write",
            with(&[
                ("/announce/0/fields/0/2", json!(name)),
                ("/send/0/body", json!(json!({ "name": name }).to_string())),
            ]),
        )
    };
    for number in 0..20 {
        assert_eq!(ended(&ask(number).await), "approval_required");
    }
    let reply = ask(20).await;
    assert_eq!(ended(&reply), "refused approvals_full");
    // The same question again is none more.
    assert_eq!(ended(&ask(3).await), "approval_required");
    let (first, _) = world.approvals.pending()[0].clone();
    assert!(world.approvals.deny(first, Some("no".to_owned())));
    assert_eq!(ended(&ask(20).await), "approval_required");
    assert_eq!(world.service.connections(), 0);
}
