//! Nothing is sent that is not written down first.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use portcullis::Reply;
use portcullis::policy::Mode;
use portcullis::ports::audit::{AuditLog, Durability, Event, Record};
use portcullis::ports::{PortError, Ports};
use serde_json::{Value, json};

use crate::support::world::event;
use crate::support::{Setup, World, ended};

/// A log that fails at its nth record, and from there on or that once.
struct Failing {
    inner: Arc<dyn AuditLog>,
    count: Arc<AtomicUsize>,
    fails_at: usize,
    for_good: bool,
}

#[async_trait]
impl AuditLog for Failing {
    async fn append(&self, record: Record, durability: Durability) -> Result<(), PortError> {
        let nth = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        if nth == self.fails_at || self.for_good && nth > self.fails_at {
            return Err(PortError::new("the disk is full"));
        }
        self.inner.append(record, durability).await
    }
}

async fn world(fails_at: usize, for_good: bool) -> (World, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let setup = Setup {
        ports: Box::new(move |ports| Ports {
            audit: Arc::new(Failing {
                inner: ports.audit.clone(),
                count: counted,
                fails_at,
                for_good,
            }),
            ..ports
        }),
        ..Setup::default()
    };
    let world = World::new(setup, &["fetch"]).await;
    world.mode("fetch", "put", Mode::Allow);
    world.mode("fetch", "delete", Mode::Allow);
    (world, count)
}

fn intended(world: &World, reply: &Reply) -> usize {
    let records = world.records(reply);
    let intended = records.iter().map(|record| event(&record.event));
    intended.filter(|event| *event == "intended").count()
}

/// The requests that the service may have got, of one call whose log fails at its nth record, for every n.
async fn fail_at_every_record(tool: &str, arguments: Value, for_good: bool) {
    let mut refused = 0;
    for fails_at in 1.. {
        let (world, records) = world(fails_at, for_good).await;
        let reply = world.call("fetch", tool, arguments.clone()).await;
        let sent = world.service.seen().len();
        assert_eq!(
            sent,
            intended(&world, &reply),
            "{tool}, {fails_at}: what was sent and what was written differ: {reply:?}"
        );
        assert_eq!(
            world.service.changes().len(),
            reply.sent.len(),
            "{tool}, {fails_at}"
        );
        match ended(&reply).as_str() {
            "refused host_unavailable" => refused += 1,
            "done" => {}
            other => panic!("{tool}, {fails_at}: {other}"),
        }
        if records.load(Ordering::SeqCst) < fails_at {
            // The call has written less than it takes to fail: every n was tried.
            break;
        }
    }
    assert!(refused >= 2, "{tool}: {refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_5_no_request_without_a_record() {
    for for_good in [false, true] {
        fail_at_every_record("get", json!({"path": "/record/1"}), for_good).await;
        fail_at_every_record("search", json!({"text": "x"}), for_good).await;
        fail_at_every_record("put", json!({"id": "1", "name": "New"}), for_good).await;
        fail_at_every_record("delete", json!({"id": "1"}), for_good).await;
    }
}

/// Keeps how safe each record had to be, in the order of the records.
struct Watching {
    inner: Arc<dyn AuditLog>,
    kept: Arc<Mutex<Vec<(&'static str, Durability)>>>,
}

#[async_trait]
impl AuditLog for Watching {
    async fn append(&self, record: Record, durability: Durability) -> Result<(), PortError> {
        let name = event(&record.event);
        self.inner.append(record, durability).await?;
        self.kept.lock().unwrap().push((name, durability));
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_intent_is_there_before_the_first_byte() {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let (of_port, of_service) = (kept.clone(), kept.clone());
    let setup = Setup {
        ports: Box::new(move |ports| Ports {
            audit: Arc::new(Watching {
                inner: ports.audit.clone(),
                kept: of_port,
            }),
            ..ports
        }),
        ..Setup::default()
    };
    let world = World::new(setup, &["fetch"]).await;
    world.mode("fetch", "put", Mode::Allow);
    let at_arrival = Arc::new(Mutex::new(Vec::new()));
    let arrivals = at_arrival.clone();
    world.service.watch(move |_| {
        let last = of_service.lock().unwrap().last().copied();
        arrivals.lock().unwrap().push(last.unwrap());
    });
    let reply = world
        .call("fetch", "put", json!({"id": "1", "name": "New"}))
        .await;
    assert_eq!(ended(&reply), "done");
    assert_eq!(
        *at_arrival.lock().unwrap(),
        [
            ("intended", Durability::Buffered),
            ("intended", Durability::Synced)
        ]
    );
    assert_eq!(
        world.events(reply.call.unwrap()),
        [
            "opened",
            "intended",
            "answered",
            "announced",
            "intended",
            "answered",
            "cited",
            "closed"
        ]
    );
    // The intent says what was sent, in ids and digests.
    let records = world.records(&reply);
    let Event::Intended(intent) = &records[4].event else {
        panic!("{records:?}");
    };
    let sent = &world.service.changes()[0];
    assert_eq!(intent.route, "/record/{id}");
    assert_eq!(intent.body, portcullis::policy::Digest::of(&sent.body));
    assert_eq!(intent.path.expose(), sent.target);
}
