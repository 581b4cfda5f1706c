//! However a call ends, its account is closed, and a change that was sent is told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use portcullis::policy::Mode;
use portcullis::ports::audit::{AuditLog, Durability, Event, Record, RequestEnd};
use portcullis::ports::{PortError, Ports};
use portcullis::{CallId, Limits};
use serde_json::json;
use tokio::sync::{Notify, Semaphore};

use crate::support::world::call;
use crate::support::{Setup, World, ended};

async fn world(limits: Limits) -> World {
    let setup = Setup {
        limits: Limits {
            concurrent_calls_max: 8,
            ..limits
        },
        ..Setup::default()
    };
    let world = World::new(setup, &["fetch", "spin", "half_write"]).await;
    world.mode("fetch", "put", Mode::Allow);
    world.mode("half-write", "write", Mode::Allow);
    world
}

/// Waits until a call's account has this event.
async fn until(world: &World, call: CallId, event: &str) {
    let begun = Instant::now();
    while !world.events(call).contains(&event) {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{:?}",
            world.events(call)
        );
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_was_given_up_ends_after_its_grace() {
    let world = world(Limits {
        cancel_grace: Duration::from_millis(100),
        ..Limits::default()
    })
    .await;
    let call = call("spin", "spin", json!({}));
    let cancellation = call.cancellation.clone();
    let begun = Instant::now();
    let (reply, ()) = tokio::join!(world.host.call(call), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        cancellation.cancel();
    });
    assert_eq!(ended(&reply), "failed cancelled");
    let took = begun.elapsed();
    assert!((150..5_000).contains(&took.as_millis()), "{took:?}");
    assert_eq!(world.events(reply.call.unwrap()), ["opened", "closed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_whose_future_was_dropped_closes_its_account() {
    let world = world(Limits::default()).await;
    let host = world.host.clone();
    let running = tokio::spawn(async move { host.call(call("spin", "spin", json!({}))).await });
    let begun = Instant::now();
    while world.audit.calls().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let id = world.audit.calls()[0];
    running.abort();
    until(&world, id, "closed").await;
    let records = world.audit.records(id);
    let Event::Closed(closed) = &records[records.len() - 1].event else {
        panic!("{records:?}");
    };
    assert_eq!(closed.outcome, "abandoned");
    assert_eq!(closed.code.as_deref(), Some("cancelled"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_can_be_waited_for_after_its_call_was_given_up() {
    let world = world(Limits {
        cancel_grace: Duration::ZERO,
        ..Limits::default()
    })
    .await;
    let guard = world.host.guard();
    let soon = Duration::from_millis(20);
    assert!(guard.changes_on_record(Duration::ZERO).await);
    world.service.hold_answers();
    let put = call("fetch", "put", json!({"id": "1", "name": "New"}));
    let cancellation = put.cancellation.clone();
    let (reply, ()) = tokio::join!(world.host.call(put), async {
        world.service.arrived(1).await;
        cancellation.cancel();
    });
    assert_eq!(ended(&reply), "failed cancelled");
    // The call is over, and its change is not.
    assert!(!guard.changes_on_record(soon).await);
    world.service.release();
    assert!(guard.changes_on_record(Duration::from_secs(10)).await);
    let records = world.records(&reply);
    let Event::Answered(answer) = &records[records.len() - 1].event else {
        panic!("{records:?}");
    };
    assert_eq!(answer.end, RequestEnd::Status(200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_a_dropped_call_is_written_down_to_its_outcome() {
    let world = world(Limits::default()).await;
    world.service.hold_answers();
    let host = world.host.clone();
    let put = call("fetch", "put", json!({"id": "1", "name": "New"}));
    let running = tokio::spawn(async move { host.call(put).await });
    world.service.arrived(1).await;
    let id = world.audit.calls()[0];
    running.abort();
    until(&world, id, "closed").await;
    assert_eq!(
        world
            .events(id)
            .iter()
            .filter(|event| **event == "answered")
            .count(),
        1
    );
    world.service.release();
    let begun = Instant::now();
    while world
        .events(id)
        .iter()
        .filter(|event| **event == "answered")
        .count()
        < 2
    {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{:?}",
            world.events(id)
        );
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_was_sent_is_told_however_the_guest_ends() {
    for (then, expected) in [("trap", "failed trapped"), ("leave", "done")] {
        let world = world(Limits::default()).await;
        let arguments = json!({"path": "/record/1", "then": then, "linger_ms": 300});
        let reply = world.call("half-write", "write", arguments).await;
        assert_eq!(ended(&reply), expected, "{reply:?}");
        assert_eq!(world.service.changes().len(), 1);
        assert_eq!(reply.sent.len(), 1, "{then}: {reply:?}");
        assert_eq!(reply.sent[0].end, RequestEnd::Status(200));
        assert_eq!(reply.sent[0].route, "/record/{id}");
        assert_eq!(
            world.events(reply.call.unwrap()),
            ["opened", "announced", "intended", "answered", "closed"]
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_whose_answer_is_still_out_is_told() {
    // The service has the change, and the guest traps before the service answers.
    for then in ["trap", "leave"] {
        let world = world(Limits::default()).await;
        world.service.hold_answers();
        let arguments = json!({"path": "/record/1", "then": then, "linger_ms": 300});
        let call = call("half-write", "write", arguments);
        let (reply, ()) = tokio::join!(world.host.call(call), async {
            world.service.arrived(1).await;
            tokio::time::sleep(Duration::from_millis(600)).await;
            world.service.release();
        });
        assert_eq!(world.service.changes().len(), 1);
        assert_eq!(reply.sent.len(), 1, "{then}: {reply:?}");
        until(&world, reply.call.unwrap(), "answered").await;
        until(&world, reply.call.unwrap(), "closed").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_the_call_has_no_time_for_is_told() {
    let world = world(Limits {
        wall_clock: Duration::from_millis(500),
        ..Limits::default()
    })
    .await;
    world.service.hold_answers();
    let arguments = json!({"id": "1", "name": "New"});
    let reply = world.call("fetch", "put", arguments).await;
    assert_eq!(world.service.changes().len(), 1);
    assert!(
        ["failed time_limit", "failed unavailable"].contains(&ended(&reply).as_str()),
        "{reply:?}"
    );
    assert_eq!(reply.sent.len(), 1, "{reply:?}");
    assert!(
        matches!(reply.sent[0].end, RequestEnd::Unclear(_)),
        "{reply:?}"
    );
}

/// A log that takes its time for what must be safe on disk.
struct SlowDisk {
    inner: Arc<dyn AuditLog>,
    reached: Arc<Notify>,
    goes_on: Arc<Semaphore>,
}

#[async_trait]
impl AuditLog for SlowDisk {
    async fn append(&self, record: Record, durability: Durability) -> Result<(), PortError> {
        let is_intent = matches!(&record.event, Event::Intended(_));
        if is_intent && durability == Durability::Synced {
            self.reached.notify_one();
            let _turn = self.goes_on.acquire().await;
        }
        self.inner.append(record, durability).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_not_sent_after_its_call_has_ended() {
    let (reached, goes_on) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(0)));
    let (of_reached, of_goes_on) = (reached.clone(), goes_on.clone());
    let setup = Setup {
        ports: Box::new(move |ports| Ports {
            audit: Arc::new(SlowDisk {
                inner: ports.audit.clone(),
                reached: of_reached,
                goes_on: of_goes_on,
            }),
            ..ports
        }),
        ..Setup::default()
    };
    let world = World::new(setup, &["fetch"]).await;
    world.mode("fetch", "put", Mode::Allow);
    let host = world.host.clone();
    let put = call("fetch", "put", json!({"id": "1", "name": "New"}));
    let running = tokio::spawn(async move { host.call(put).await });
    // The disk still writes the intent when the caller goes away.
    reached.notified().await;
    let id = world.audit.calls()[0];
    running.abort();
    until(&world, id, "closed").await;
    goes_on.add_permits(1);
    until(&world, id, "intended").await;
    let begun = Instant::now();
    loop {
        let mut ends =
            world
                .audit
                .records(id)
                .into_iter()
                .filter_map(|record| match record.event {
                    Event::Answered(answer) => Some(answer.end),
                    _ => None,
                });
        // The first is the one of the request for what was there before.
        if let Some(end) = ends.nth(1) {
            assert!(matches!(end, RequestEnd::NotSent(_)), "{end:?}");
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(world.service.changes().is_empty());
}
