//! A stale token is renewed once, by whoever comes first, and the request is sent again.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use portcullis::policy::{ConnectionId, ConnectorName, Mode};
use portcullis::ports::audit::{AuditLog, Durability, Event, Record};
use portcullis::ports::credentials::{Lookup, RefreshError, Token};
use portcullis::ports::{Caller, Credentials, PortError, Ports};
use portcullis::{Cancellation, Reply};
use serde_json::json;
use tokio::sync::Notify;

use crate::support::world::call;
use crate::support::{Setup, World, done, ended, logs, name};

/// What happens before a token is renewed.
type Before = Box<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Renews tokens by what it has inside, after something.
struct Renewing {
    inner: Arc<dyn Credentials>,
    before: Before,
}

#[async_trait]
impl Credentials for Renewing {
    async fn connection(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
    ) -> Result<Lookup, PortError> {
        self.inner.connection(caller, connector).await
    }

    async fn token(&self, connection: &ConnectionId) -> Result<Token, PortError> {
        self.inner.token(connection).await
    }

    async fn refresh(&self, id: &ConnectionId, stale: &Token) -> Result<Token, RefreshError> {
        (self.before)().await;
        self.inner.refresh(id, stale).await
    }
}

/// A world with a token that may be stale, in which something happens before it is renewed.
fn renewing(old: &str, before: Before) -> Setup {
    Setup {
        token: old.to_owned(),
        ports: Box::new(move |ports| Ports {
            credentials: Arc::new(Renewing {
                inner: ports.credentials.clone(),
                before,
            }),
            ..ports
        }),
        ..Setup::default()
    }
}

async fn world(old: &str) -> (World, Arc<AtomicUsize>) {
    let renewals = Arc::new(AtomicUsize::new(0));
    let counted = renewals.clone();
    let before: Before = Box::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        // As a service does; whoever else finds the token stale meanwhile must wait.
        Box::pin(tokio::time::sleep(Duration::from_millis(50)))
    });
    let mut setup = renewing(old, before);
    setup.limits.concurrent_calls_max = 64;
    (World::new(setup, &["fetch"]).await, renewals)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_calls_renew_a_stale_token_once() {
    let (old, new) = ("renewal-old-token", "renewal-new-token");
    let (world, renewals) = world(old).await;
    world.service.require_token(new);
    let connection = name("fetch-connection");
    world.credentials.on_refresh(&connection, new.into());
    let mut running = Vec::new();
    for _ in 0..50 {
        let host = world.host.clone();
        let call = call("fetch", "get", json!({"path": "/record/echo"}));
        running.push(tokio::spawn(async move { host.call(call).await }));
    }
    let mut all = String::new();
    for reply in running {
        let reply = reply.await.unwrap();
        let records = world.records(&reply);
        all += &format!("{reply:?} {records:?}");
        // Neither the old token nor the new one comes back.
        let text = done(reply).text;
        assert!(
            text.contains(&format!("Bearer {}", "*".repeat(new.len()))),
            "{text}"
        );
    }
    assert_eq!(renewals.load(Ordering::SeqCst), 1);
    all += &logs::all();
    assert!(!all.contains(old) && !all.contains(new));
    // Nobody was asked more than twice.
    let stale = world.service.seen();
    let stale = stale
        .iter()
        .filter(|seen| seen.header("authorization").ends_with(old));
    assert!(stale.count() <= 50);
    assert!(world.service.seen().len() <= 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_was_refused_for_a_stale_token_is_sent_again_once() {
    let (world, renewals) = world("change-old-token").await;
    world.mode("fetch", "delete", Mode::Allow);
    world.service.require_token("change-new-token");
    let connection = name("fetch-connection");
    world
        .credentials
        .on_refresh(&connection, "change-new-token".into());
    let reply = world.call("fetch", "delete", json!({"id": "1"})).await;
    assert_eq!(ended(&reply), "done", "{reply:?}");
    assert_eq!(reply.sent.len(), 1);
    assert_eq!(renewals.load(Ordering::SeqCst), 1);
    // Twice on the wire, of which the service has taken one.
    assert_eq!(world.service.changes().len(), 2);
    // Each of the two was written down before it left; the answer is of both.
    assert_eq!(told(&world, &reply), ["sent 1", "sent 2", "renewed true"]);
}

/// Says what was written down of a call's requests.
fn told(world: &World, reply: &Reply) -> Vec<String> {
    let records = world.records(reply).into_iter();
    let told = records.filter_map(|record| match record.event {
        Event::Intended(intent) => Some(format!("sent {}", intent.attempt)),
        Event::Unsent { attempt, .. } => Some(format!("unsent {attempt}")),
        Event::Answered(answer) => Some(format!("renewed {}", answer.renewed)),
        _ => None,
    });
    told.collect()
}

/// A log that does not take a second intent.
struct Once(Arc<dyn AuditLog>);

#[async_trait]
impl AuditLog for Once {
    async fn append(&self, record: Record, durability: Durability) -> Result<(), PortError> {
        if let Event::Intended(intent) = &record.event
            && intent.attempt > 1
        {
            assert_eq!(durability, Durability::Synced);
            return Err(PortError::new("the disk is full"));
        }
        self.0.append(record, durability).await
    }
}

/// A world in which deleting is allowed, and the service takes the token alone that the one there is replaced by.
async fn of_a_stale_token(setup: Setup) -> World {
    let world = World::new(setup, &["fetch"]).await;
    world.mode("fetch", "delete", Mode::Allow);
    world.service.require_token("a-new-token");
    let connection = name("fetch-connection");
    world
        .credentials
        .on_refresh(&connection, "a-new-token".into());
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_not_sent_again_without_an_intent_of_its_own() {
    let setup = Setup {
        token: "an-old-token".to_owned(),
        ports: Box::new(|ports| Ports {
            audit: Arc::new(Once(ports.audit.clone())),
            ..ports
        }),
        ..Setup::default()
    };
    let world = of_a_stale_token(setup).await;
    let reply = world.call("fetch", "delete", json!({"id": "1"})).await;
    assert_eq!(ended(&reply), "failed unavailable", "{reply:?}");
    let said = reply.outcome.message().unwrap();
    assert!(said.contains("not sent again"), "{said}");
    assert_eq!(told(&world, &reply), ["sent 1", "renewed false"]);
    assert_eq!(world.service.changes().len(), 1);
    // A read has harmed nothing.
    world.service.require_token("a-newer-token");
    world.credentials.on_refresh(
        &name::<ConnectionId>("fetch-connection"),
        "a-newer-token".into(),
    );
    let read = json!({"path": "/record/2"});
    assert_eq!(ended(&world.call("fetch", "get", read).await), "done");
}

/// The attack: a service that calls the token stale for so long that the change would be made when nobody waits for it any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_whose_call_has_ended_meanwhile_is_not_sent_again() {
    let cancellation = Cancellation::default();
    let cancelled = cancellation.clone();
    let goes_on = Arc::new(Notify::new());
    let waits = goes_on.clone();
    // Its call is given up when a token is to be renewed, and it is renewed when that is told.
    let before: Before = Box::new(move || {
        cancelled.cancel();
        let waits = waits.clone();
        Box::pin(async move { waits.notified().await })
    });
    let mut setup = renewing("an-old-token", before);
    setup.limits.cancel_grace = Duration::from_millis(10);
    let world = of_a_stale_token(setup).await;
    let mut call = call("fetch", "delete", json!({"id": "1"}));
    call.cancellation = cancellation;
    let reply = world.host.call(call).await;
    assert_ne!(ended(&reply), "done", "{reply:?}");
    // The call is over; only now does the renewal come to its end, and what is done then is waited for.
    goes_on.notify_one();
    assert!(
        world
            .host
            .guard()
            .changes_on_record(Duration::from_secs(60))
            .await
    );
    assert_eq!(told(&world, &reply), ["sent 1", "renewed false"]);
    assert_eq!(world.service.changes().len(), 1);
}

/// A log that is so slow with a second intent that its call is given up meanwhile.
struct Slow {
    inner: Arc<dyn AuditLog>,
    cancellation: Cancellation,
    goes_on: Arc<Notify>,
}

#[async_trait]
impl AuditLog for Slow {
    async fn append(&self, record: Record, durability: Durability) -> Result<(), PortError> {
        let is_second = matches!(&record.event, Event::Intended(intent) if intent.attempt > 1);
        self.inner.append(record, durability).await?;
        if is_second {
            self.cancellation.cancel();
            self.goes_on.notified().await;
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_time_that_was_written_down_and_not_sent_reads_so() {
    let (cancellation, goes_on) = (Cancellation::default(), Arc::new(Notify::new()));
    let (cancelled, waits) = (cancellation.clone(), goes_on.clone());
    let mut setup = Setup {
        token: "an-old-token".to_owned(),
        ports: Box::new(move |ports| Ports {
            audit: Arc::new(Slow {
                inner: ports.audit.clone(),
                cancellation: cancelled,
                goes_on: waits,
            }),
            ..ports
        }),
        ..Setup::default()
    };
    setup.limits.cancel_grace = Duration::from_millis(10);
    let world = of_a_stale_token(setup).await;
    let mut call = call("fetch", "delete", json!({"id": "1"}));
    call.cancellation = cancellation;
    let reply = world.host.call(call).await;
    assert_eq!(ended(&reply), "failed cancelled", "{reply:?}");
    goes_on.notify_one();
    let guard = world.host.guard();
    assert!(guard.changes_on_record(Duration::from_secs(60)).await);
    let expected = ["sent 1", "sent 2", "unsent 2", "renewed false"];
    assert_eq!(told(&world, &reply), expected);
    assert_eq!(world.service.changes().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_renewed_needs_a_person() {
    let (world, renewals) = world("ended-token").await;
    world.service.require_token("another");
    for _ in 0..2 {
        let reply = world
            .call("fetch", "get", json!({"path": "/record/1"}))
            .await;
        assert_eq!(ended(&reply), "connect_required");
        // What happened, and what to do next.
        let advice = reply.outcome.message().unwrap();
        assert!(advice.contains("the connection has ended"), "{advice}");
        assert!(advice.contains("connect again"), "{advice}");
    }
    assert_eq!(renewals.load(Ordering::SeqCst), 2);
    assert_eq!(world.service.seen().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_stale_again_at_once_is_not_renewed_for_ever() {
    let (world, renewals) = world("first").await;
    world.service.require_token("never the right one");
    let connection = name("fetch-connection");
    for token in ["second-token", "third-token", "fourth-token"] {
        world.credentials.on_refresh(&connection, token.into());
    }
    let reply = world.call("fetch", "search", json!({"text": "x"})).await;
    assert_eq!(ended(&reply), "failed unavailable", "{reply:?}");
    assert_eq!(renewals.load(Ordering::SeqCst), 1);
    assert_eq!(world.service.seen().len(), 2);
}
