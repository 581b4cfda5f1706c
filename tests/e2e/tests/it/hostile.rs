//! Components that misbehave: each ends in an error of its own, and a good call beside it does not notice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use portcullis::policy::Mode;
use portcullis::{InstallError, Limits};
use serde_json::{Value, json};

use crate::support::components::hostile;
use crate::support::world::{Setup, call};
use crate::support::{World, component, ended, logs};

/// The time of a hostile call, and what a good one must stay well inside of.
const WALL_CLOCK: Duration = Duration::from_secs(3);

fn limits() -> Limits {
    Limits {
        wall_clock: WALL_CLOCK,
        concurrent_calls_max: 16,
        ..Limits::default()
    }
}

async fn world(connectors: &[&str]) -> World {
    let setup = Setup {
        limits: limits(),
        ..Setup::default()
    };
    let world = World::new(setup, connectors).await;
    world.install("fetch").await;
    world
}

/// Makes good calls until it is told to stop, one after the other, and gives the time of the slowest.
async fn good_calls(world: &World, stop: &AtomicBool) -> (usize, Duration) {
    let (mut count, mut slowest) = (0, Duration::ZERO);
    while !stop.load(Ordering::SeqCst) || count < 3 {
        let begun = Instant::now();
        let reply = world
            .call("fetch", "get", json!({"path": "/record/1"}))
            .await;
        assert_eq!(ended(&reply), "done", "{reply:?}");
        slowest = slowest.max(begun.elapsed());
        count += 1;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    (count, slowest)
}

/// An attack: the connector, its tool, the arguments, and the end.
type Attack = (&'static str, &'static str, Value, &'static str);

/// Every attack of every component, and how it must end.
fn attacks() -> Vec<Attack> {
    let write = |end: &str, declare: bool| json!({"path": "/record/1", "end": end, "declare_length": declare});
    let then = |then: &str| json!({"path": "/record/1", "then": then});
    vec![
        (
            "beyond_scope",
            "write",
            json!({"method": "PATCH", "target": "/kind/User/1", "body": "{}", "announce": ["Contact"]}),
            "refused scope",
        ),
        (
            "elsewhere",
            "get",
            json!({"origin": "https://evil.example", "path": "/"}),
            "refused origin",
        ),
        (
            "flood",
            "flood",
            json!({"way": "text", "bytes": 9 << 20}),
            "failed output_limit",
        ),
        (
            "flood",
            "flood",
            json!({"way": "structured", "bytes": 9 << 20}),
            "failed output_limit",
        ),
        (
            "flood",
            "flood",
            json!({"way": "attachment", "bytes": 9 << 20}),
            "failed output_limit",
        ),
        (
            "flood",
            "flood",
            json!({"way": "cursor", "bytes": 9 << 20}),
            "failed output_limit",
        ),
        (
            "flood",
            "flood",
            json!({"way": "text"}),
            "failed memory_limit",
        ),
        (
            "flood",
            "flood",
            json!({"way": "failure", "bytes": 9 << 20}),
            "failed connector_error",
        ),
        (
            "flood",
            "flood",
            json!({"way": "field_problems", "bytes": 9 << 16}),
            "failed invalid_arguments",
        ),
        (
            "flood",
            "flood",
            json!({"way": "steps"}),
            "failed time_limit",
        ),
        (
            "flood",
            "flood",
            json!({"way": "sources"}),
            "failed time_limit",
        ),
        (
            "flood",
            "flood",
            json!({"way": "progress"}),
            "failed time_limit",
        ),
        (
            "flood",
            "flood",
            json!({"way": "print"}),
            "failed time_limit",
        ),
        ("half_write", "write", then("sleep"), "failed time_limit"),
        ("half_write", "write", then("spin"), "failed time_limit"),
        ("hog", "hog", json!({}), "failed memory_limit"),
        (
            "leak",
            "leak",
            json!({"way": "query"}),
            "refused placeholder",
        ),
        (
            "liar",
            "write",
            json!({
                "announce": [{"kind": "Record", "id": "2"}],
                "send": [{"method": "PATCH", "path": "/record/1", "headers": [["content-type", "application/json"]], "body": "{}"}],
            }),
            "refused announcement",
        ),
        ("overflow", "overflow", json!({}), "failed stack_limit"),
        (
            "redirect",
            "get",
            json!({"path": "/moved"}),
            "refused redirect",
        ),
        (
            "slow_reader",
            "read",
            json!({"path": "/large"}),
            "failed time_limit",
        ),
        (
            "slow_reader",
            "read",
            json!({"path": "/slow"}),
            "failed time_limit",
        ),
        (
            "smuggle",
            "header",
            json!({"name": "authorization", "value": "x"}),
            "failed not_permitted",
        ),
        ("spin", "spin", json!({}), "failed time_limit"),
        ("state", "remember", json!({"text": "x"}), "done"),
        (
            "stderr",
            "print",
            json!({"text": "x", "times": 3}),
            "failed trapped",
        ),
        ("trap", "trap", json!({"how": "abort"}), "failed trapped"),
        ("trap", "trap", json!({"how": "panic"}), "failed trapped"),
        ("trap", "trap", json!({"how": "exit"}), "failed trapped"),
        ("truncated", "write", write("trap", true), "failed trapped"),
        ("truncated", "write", write("return", true), "done"),
        (
            "truncated",
            "write",
            write("finish", false),
            "refused request_body",
        ),
        (
            "truncated",
            "write",
            write("drop", false),
            "refused request_body",
        ),
        (
            "truncated",
            "write",
            write("drop", true),
            "refused request_body",
        ),
        ("turncoat", "write", json!({}), "failed connector_error"),
        (
            "undeclared_header",
            "get",
            json!({"path": "/record/1", "name": "x-a", "value": "b"}),
            "refused header",
        ),
        (
            "undeclared_route",
            "send",
            json!({"method": "GET", "target": "/admin"}),
            "refused route",
        ),
        (
            "write_from_read",
            "read",
            json!({"method": "DELETE", "path": "/record/1", "announce": true}),
            "refused ceiling",
        ),
    ]
}

/// Those that are refused before they are installed.
const NEVER_INSTALLED: [&str; 2] = ["mute", "unknown_import"];

#[test]
fn every_hostile_component_is_here() {
    let mut attacked: Vec<&str> = attacks().iter().map(|attack| attack.0).collect();
    attacked.extend(NEVER_INSTALLED);
    attacked.sort_unstable();
    attacked.dedup();
    assert_eq!(attacked, hostile());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_hostile_component_ends_in_an_error_of_its_own() {
    let connectors: Vec<String> = hostile();
    let connectors = connectors.iter().map(String::as_str);
    let connectors: Vec<&str> = connectors
        .filter(|name| !NEVER_INSTALLED.contains(name))
        .collect();
    let world = world(&connectors).await;
    for (connector, tool) in [
        ("half-write", "write"),
        ("truncated", "write"),
        ("undeclared-route", "send"),
    ] {
        world.mode(connector, tool, Mode::Allow);
    }
    let world = Arc::new(world);
    let stop = Arc::new(AtomicBool::new(false));
    let good = tokio::spawn({
        let (world, stop) = (world.clone(), stop.clone());
        async move { good_calls(&world, &stop).await }
    });
    // Four at a time: most of those that end by their time use none of the processor's.
    let mut waiting = attacks().into_iter();
    loop {
        let some = waiting.by_ref().take(4);
        let some: Vec<_> = some
            .map(|one| tokio::spawn(attack(world.clone(), one)))
            .collect();
        if some.is_empty() {
            break;
        }
        for running in some {
            running.await.unwrap();
        }
    }
    stop.store(true, Ordering::SeqCst);
    let (count, slowest) = good.await.unwrap();
    assert!(count > 30, "{count} good calls");
    assert!(
        slowest < WALL_CLOCK,
        "the slowest good call took {slowest:?}"
    );
    assert!(world.service.changes().is_empty());
}

/// Runs one attack, and checks how it ends and what it leaves behind.
async fn attack(world: Arc<World>, (connector, tool, arguments, expected): Attack) {
    let shown = format!("{connector} {tool} {arguments}");
    let begun = Instant::now();
    let connector = connector.replace('_', "-");
    let reply = world.call(&connector, tool, arguments).await;
    let said = reply.outcome.message().unwrap_or_default();
    assert_eq!(ended(&reply), expected, "{shown}: {said:.300}");
    assert!(begun.elapsed() < WALL_CLOCK * 2, "{shown}");
    assert!(reply.sent.is_empty(), "{shown}: {:?}", reply.sent);
    assert!(said.len() < 20_000, "{shown}: {}", said.len());
    // Its account is closed, and bounded.
    let records = world.records(&reply);
    let events = world.events(reply.call.unwrap());
    assert_eq!((events[0], events[events.len() - 1]), ("opened", "closed"));
    assert!(records.len() < 300, "{shown}: {}", records.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_with_an_unknown_import_is_not_installed() {
    let world = world(&[]).await;
    let error = world.host.inspect(component("unknown_import")).await;
    let Err(error @ InstallError::UnknownImports(_)) = error else {
        panic!("{error:?}");
    };
    assert!(
        error.to_string().contains("`evil:door/open@0.1.0`"),
        "{error}"
    );
    let names: Vec<String> = world
        .host
        .connectors()
        .iter()
        .map(|connector| connector.manifest().name.to_string())
        .collect();
    assert_eq!(names, ["fetch"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_connector_is_not_installed() {
    let world = world(&[]).await;
    let bytes = component("hello");
    let mut cut = bytes.clone();
    cut.truncate(bytes.len() / 2);
    for (bytes, says) in [
        (b"#!/bin/sh\n".to_vec(), "no WebAssembly component"),
        (Vec::new(), "no WebAssembly component"),
        (b"\0asm\x01\0\0\0".to_vec(), "core module"),
        (b"\0asm\x0d\0\x01\0".to_vec(), "no connector"),
        (cut, "cannot be compiled"),
    ] {
        let error = world.host.install(bytes).await.unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
    assert_eq!(world.host.connectors().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_8_a_broken_connector_hurts_only_its_own_call() {
    let connectors = [
        "spin",
        "hog",
        "overflow",
        "trap",
        "flood",
        "slow_reader",
        "half_write",
    ];
    let world = Arc::new(world(&connectors).await);
    world.mode("half-write", "write", Mode::Allow);
    // Twice as many that compute without end as there are processors, and one of each other kind.
    let attacks = [
        ("spin", "spin", json!({}), "failed time_limit"),
        ("spin", "spin", json!({}), "failed time_limit"),
        ("spin", "spin", json!({}), "failed time_limit"),
        ("spin", "spin", json!({}), "failed time_limit"),
        ("hog", "hog", json!({}), "failed memory_limit"),
        ("overflow", "overflow", json!({}), "failed stack_limit"),
        ("trap", "trap", json!({"how": "panic"}), "failed trapped"),
        (
            "flood",
            "flood",
            json!({"way": "text", "bytes": 9 << 20}),
            "failed output_limit",
        ),
        (
            "flood",
            "flood",
            json!({"way": "print"}),
            "failed time_limit",
        ),
        (
            "slow-reader",
            "read",
            json!({"path": "/large"}),
            "failed time_limit",
        ),
        (
            "half-write",
            "write",
            json!({"path": "/record/1", "then": "spin"}),
            "failed time_limit",
        ),
    ];
    let stop = Arc::new(AtomicBool::new(false));
    let good = tokio::spawn({
        let (world, stop) = (world.clone(), stop.clone());
        async move { good_calls(&world, &stop).await }
    });
    let running: Vec<_> = attacks
        .into_iter()
        .map(|(connector, tool, arguments, expected)| {
            let world = world.clone();
            tokio::spawn(async move {
                let reply = world.call(connector, tool, arguments).await;
                assert_eq!(ended(&reply), expected, "{connector}: {reply:?}");
            })
        })
        .collect();
    for attack in running {
        attack.await.unwrap();
    }
    stop.store(true, Ordering::SeqCst);
    let (count, slowest) = good.await.unwrap();
    assert!(count >= 3, "{count} good calls");
    assert!(
        slowest < WALL_CLOCK,
        "the slowest good call took {slowest:?}"
    );
    assert_eq!(world.service.changes().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_calls_than_there_is_room_for_wait_for_their_turn() {
    let setup = Setup {
        limits: Limits {
            concurrent_calls_max: 2,
            ..limits()
        },
        ..Setup::default()
    };
    let world = World::new(setup, &["spin", "hello"]).await;
    let (one, two, third) = tokio::join!(
        world.call("spin", "spin", json!({})),
        world.call("spin", "spin", json!({})),
        async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            world.call("hello", "echo", json!({"text": "x"})).await
        }
    );
    assert_eq!(ended(&one), "failed time_limit");
    assert_eq!(ended(&two), "failed time_limit");
    assert_eq!(ended(&third), "done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_component_prints_is_counted_and_shown_to_who_asks_for_it_by_name() {
    let world = world(&["stderr"]).await;
    let text = "printed\r\n2026-01-01 ERROR forged\u{1b}[31m line 4711";
    let arguments = json!({"text": text, "times": 2000});
    let reply = world.host.call(call("stderr", "print", arguments)).await;
    assert_eq!(ended(&reply), "failed trapped");
    assert!(!format!("{reply:?}").contains("4711"));
    let logged = logs::all();
    let lines = logged.lines().filter(|line| line.contains("line 4711"));
    let lines: Vec<&str> = lines.collect();
    assert!((1..2000).contains(&lines.len()), "{}", lines.len());
    for line in lines {
        assert!(
            line.contains("TRACE") && line.contains("portcullis_printed"),
            "{line}"
        );
        assert!(line.contains("\\u{1b}"), "{line}");
    }
    // At every other level there is only that it printed, and how much.
    let is_count = |line: &&str| line.contains("INFO") && line.contains("portcullis::guest");
    let counts: Vec<&str> = logged.lines().filter(is_count).collect();
    let is_bounded = |line: &&str| line.contains("bytes=16384");
    assert!(counts.iter().any(is_bounded), "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_that_breaks_in_its_description_is_not_installed() {
    let world = world(&[]).await;
    let error = world.host.inspect(component("mute")).await;
    let Err(error @ InstallError::Describe { .. }) = error else {
        panic!("{error:?}");
    };
    assert!(error.to_string().contains("`manifest.describe`"), "{error}");
}
