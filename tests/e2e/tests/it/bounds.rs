//! What is larger than a bound ends in a clear error, and nothing of it is sent or shown.

use std::time::{Duration, Instant};

use portcullis::Limits;
use serde_json::json;

use crate::support::{Setup, World, done, ended};

async fn world(limits: Limits) -> World {
    let setup = Setup {
        limits: Limits {
            concurrent_calls_max: 8,
            ..limits
        },
        ..Setup::default()
    };
    World::new(setup, &["fetch", "hello", "slow_reader"]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_response_beyond_its_bound_is_an_error() {
    let world = world(Limits {
        response_body_bytes_max: 100_000,
        ..Limits::default()
    })
    .await;
    let get = || world.call("fetch", "get", json!({"path": "/record/large"}));
    world.service.answer_bytes(100_000);
    assert_eq!(done(get().await).text.len(), 100_000);
    world.service.answer_bytes(100_001);
    let reply = get().await;
    assert!(ended(&reply).starts_with("failed "), "{}", ended(&reply));
    assert!(reply.outcome.message().unwrap().len() < 1_000);
    // The next call is not hurt by what is left on the connection.
    world.service.answer_bytes(10);
    assert_eq!(done(get().await).text, "xxxxxxxxxx");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_beyond_its_bound_is_not_sent() {
    let world = world(Limits {
        request_body_bytes_max: 100_000,
        ..Limits::default()
    })
    .await;
    // `{"text":"` and `"}` take eleven bytes.
    let fits = "x".repeat(100_000 - 11);
    let reply = world.call("fetch", "search", json!({"text": fits})).await;
    assert_eq!(ended(&reply), "done");
    assert_eq!(world.service.seen()[0].body.len(), 100_000);
    // Far beyond what the buffers between guest and host hold.
    for bytes in [100_000 - 10, 5_000_000] {
        let begun = Instant::now();
        let arguments = json!({"text": "x".repeat(bytes)});
        let reply = world.call("fetch", "search", arguments).await;
        assert!(ended(&reply).starts_with("failed "), "{}", ended(&reply));
        assert!(begun.elapsed() < Duration::from_secs(5));
        assert_eq!(
            world.events(reply.call.unwrap()),
            ["opened", "step", "denied", "closed"]
        );
    }
    assert_eq!(world.service.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_beyond_its_bound_is_an_error() {
    let world = world(Limits {
        output_bytes_max: 1_000,
        ..Limits::default()
    })
    .await;
    for (bytes, expected) in [(1_000, "done"), (1_001, "failed output_limit")] {
        let text = "x".repeat(bytes);
        let reply = world.call("hello", "echo", json!({"text": text})).await;
        assert_eq!(ended(&reply), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_does_not_answer_ends_with_the_calls_time() {
    let world = world(Limits {
        wall_clock: Duration::from_millis(300),
        ..Limits::default()
    })
    .await;
    let begun = Instant::now();
    let reply = world
        .call("slow-reader", "read", json!({"path": "/slow"}))
        .await;
    assert_eq!(ended(&reply), "failed time_limit");
    assert!(begun.elapsed() < Duration::from_secs(2));
    // Its request is accounted for, although nobody waits for it any more.
    assert_eq!(world.service.seen().len(), 1);
    let call = reply.call.unwrap();
    let begun = Instant::now();
    while !world.events(call).contains(&"answered") {
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{:?}",
            world.events(call)
        );
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn arguments_that_do_not_fit_are_named_each_with_its_place() {
    let world = world(Limits::default()).await;
    let arguments = json!({"id": 7, "nam": "x"});
    let reply = world.call("fetch", "put", arguments).await;
    let portcullis::Outcome::Failed(failure) = &reply.outcome else {
        panic!("{reply:?}");
    };
    assert_eq!(ended(&reply), "failed invalid_arguments");
    let places: Vec<&str> = failure
        .fields
        .iter()
        .map(|field| field.pointer.as_str())
        .collect();
    assert!(places.contains(&"/id") && places.len() >= 2, "{failure:?}");
    assert!(failure.message.contains("`put`"), "{failure:?}");
    assert!(world.service.seen().is_empty());
}
