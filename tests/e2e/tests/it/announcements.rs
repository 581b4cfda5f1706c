//! What is announced is what is sent, whatever the connector tries; and what chance gives a call comes out again when it is run again.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use portcullis::policy::{Mode, Origin};
use portcullis::ports::approvals::{AskingApprovals, Decide, Decision, HeldRequest};
use portcullis::ports::credentials::Connection;
use portcullis::ports::{PortError, Ports};
use portcullis::{Call, Limits, Outcome, Reply, Rerun};
use serde_json::{Value, json};
use std::sync::Arc;

use crate::support::world::{Setup, TOKEN, call, event};
use crate::support::{World, ended, name};

const JSON: [&str; 2] = ["content-type", "application/json"];

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

fn with(edits: &[(&str, Value)]) -> Value {
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
    let (one, two) = (ask().await, ask().await);
    let id = |reply: &Reply| match &reply.outcome {
        Outcome::ApprovalRequired(approval) => approval.id,
        other => panic!("{other:?}"),
    };
    // Another call has other chances: it is another question.
    assert_ne!(id(&one), id(&two));
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

/// A change of two fields.
fn pair() -> Value {
    with(&[
        (
            "/announce/0/fields",
            json!([
                ["name", "Old", "New", "/name"],
                ["city", "Ulm", "Rome", "/city"]
            ]),
        ),
        ("/send/0/body", json!(PAIR)),
    ])
}

const PAIR: &str = r#"{"name":"New","city":"Rome"}"#;

/// What may be different in a plan after the yes, each by a text that is never the one that was approved.
const IN_PLAN: [fn(&mut Value, &str); 21] = [
    // Path and query.
    |plan, text| plan["send"][0]["path"] = json!(format!("/kind/Account/001{text}")),
    |plan, text| plan["send"][0]["path"] = json!(format!("/kind/Account{text}/001")),
    |plan, text| plan["send"][0]["path"] = json!(format!("/kind/Account/001?{text}=x")),
    // Method.
    |plan, _| plan["send"][0]["method"] = json!("DELETE"),
    |plan, _| plan["send"][0]["method"] = json!("POST"),
    // Headers.
    |plan, text| plan["send"][0]["headers"] = json!([JSON, ["if-match", text]]),
    |plan, text| {
        let charset = format!("application/json; charset={text}");
        plan["send"][0]["headers"][0] = json!(["content-type", charset]);
    },
    // Body: its spaces, its values, alone and with what is announced, and one value more.
    |plan, _| plan["send"][0]["body"] = json!(format!("{PAIR} ")),
    |plan, text| plan["send"][0]["body"] = json!(PAIR.replace("New", text)),
    |plan, text| {
        plan["send"][0]["body"] = json!(PAIR.replace("New", text));
        plan["announce"][0]["fields"][0][2] = json!(text);
    },
    |plan, text| {
        let more = PAIR.replace('}', &format!(r#","more":"{text}"}}"#));
        plan["send"][0]["body"] = json!(more);
        let announced = json!(["more", null, text, "/more"]);
        plan["announce"][0]["fields"]
            .as_array_mut()
            .unwrap()
            .push(announced);
    },
    // Before-values, and the other words that a person saw.
    |plan, text| plan["announce"][0]["fields"][0][1] = json!(format!("Old{text}")),
    |plan, text| plan["announce"][0]["fields"][1][1] = json!(text),
    |plan, text| plan["announce"][0]["label"] = json!(text),
    |plan, text| {
        let seen = json!(["seen", text, null, null]);
        plan["announce"][0]["fields"]
            .as_array_mut()
            .unwrap()
            .push(seen);
    },
    // Order: of the body's members, of what is announced, and another request before this one.
    |plan, _| plan["send"][0]["body"] = json!(r#"{"city":"Rome","name":"New"}"#),
    |plan, _| {
        plan["announce"][0]["fields"]
            .as_array_mut()
            .unwrap()
            .swap(0, 1)
    },
    |plan, text| {
        let mut first = plan["send"][0].clone();
        first["body"] = json!(PAIR.replace("New", text));
        plan["send"].as_array_mut().unwrap().insert(0, first);
    },
    // Tickets: one that covers more, one that covers nothing, one that is made up.
    |plan, _| {
        let record = plan["announce"][0].clone();
        plan["announce"].as_array_mut().unwrap().push(record);
    },
    |plan, _| plan["announce"] = json!([]),
    |plan, text| plan["ticket"] = json!(format!("{text:0>32}")),
];

/// What may be different in who calls, and with what.
const IN_CALL: [fn(&World, &mut Call, &str); 6] = [
    |_, call, _| call.tool = "write_too".to_owned(),
    |_, call, text| call.arguments = json!({ "more": text }),
    |_, call, _| call.person = name("grace"),
    |_, call, _| call.agent = name("other"),
    // The same person, by another account at the same service.
    |world, _, text| connect(world, "ada", text),
    // An earlier call's ticket, for which there is nothing to do here.
    |_, _, _| {},
];

/// Gives a person an account.
fn connect(world: &World, person: &str, id: &str) {
    let connection = Connection {
        id: name(id),
        shared: false,
        origin: Origin::parse(&world.service.origin()).unwrap(),
        scopes: vec!["records".to_owned()],
        identity: None,
    };
    let secret = TOKEN.to_owned().into();
    let credentials = &world.credentials;
    credentials.connect(name("turncoat"), Some(name(person)), connection, secret);
}

/// Whatever the guest sends after an approval, and whoever calls it, only the request that was approved leaves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_request_that_was_approved_leaves() {
    use proptest::strategy::{Strategy, ValueTree};
    use proptest::test_runner::TestRunner;

    let world = World::with(&["turncoat"]).await;
    let was = "turncoat-connection";
    connect(&world, "grace", "of-grace");
    world.permissions.offer(name("other"), name("turncoat"));
    let run = || world.call("turncoat", "write", json!({}));
    let tell = |plan: Value| world.service.put_record("plan", plan);
    let mut runner = TestRunner::default();
    let mut earlier = "0".repeat(32);
    let cases = IN_PLAN.len() + IN_CALL.len();
    for round in 0..4 * cases {
        tell(pair());
        let reply = run().await;
        let Outcome::ApprovalRequired(asked) = &reply.outcome else {
            panic!("{reply:?}");
        };
        assert!(world.approvals.approve(asked.id));
        let before = world.service.changes().len();

        let text = "[a-z0-9]{1,12}".new_tree(&mut runner).unwrap().current();
        let mut lie = pair();
        let mut lying = call("turncoat", "write", json!({}));
        let case = round % cases;
        match case.checked_sub(IN_PLAN.len()) {
            None => IN_PLAN[case](&mut lie, &text),
            Some(last) if last + 1 == IN_CALL.len() => lie["ticket"] = json!(earlier),
            Some(case) => IN_CALL[case](&world, &mut lying, &text),
        }
        tell(lie.clone());
        let reply = world.host.call(lying).await;
        let sent = world.service.changes().len() - before;
        let ended = ended(&reply);
        assert_eq!((sent, reply.sent.len()), (0, 0), "{case}: {lie}: {ended}");
        assert_ne!(ended, "done", "{case}: {lie}");
        if case >= IN_PLAN.len() && case + 1 < cases {
            // Nothing is wrong with it, but that nobody has said yes to this.
            let asked = ["approval_required", "refused approval_denied"];
            assert!(asked.contains(&ended.as_str()), "{case}: {ended}: {lie}");
        }

        // As it was, it leaves, once.
        connect(&world, "ada", was);
        tell(pair());
        let reply = run().await;
        let Outcome::Done(output) = &reply.outcome else {
            panic!("{case}: after {lie}: {reply:?}");
        };
        earlier = output.text.split([' ', ';']).nth(1).unwrap().to_owned();
        let sent = world.service.changes().len();
        assert_eq!(sent, before + 1);
        let last = &world.service.changes()[sent - 1];
        assert_eq!(&last.body[..], PAIR.as_bytes());
        for (id, _) in world.approvals.pending() {
            world.approvals.deny(id, None);
        }
    }
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
        assert_eq!(said, "a person said no to this change: not on a Friday");
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
