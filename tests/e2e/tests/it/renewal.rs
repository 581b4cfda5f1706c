//! A stale token is renewed once, by whoever comes first, and the request is sent again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use portcullis::policy::{ConnectionId, ConnectorName, Mode};
use portcullis::ports::audit::Event;
use portcullis::ports::credentials::{Lookup, RefreshError, Token};
use portcullis::ports::{Caller, Credentials, PortError, Ports};
use serde_json::json;

use crate::support::world::call;
use crate::support::{Setup, World, done, ended, logs, name};

/// Counts renewals, and takes its time for each.
struct Counting {
    inner: Arc<dyn Credentials>,
    renewals: Arc<AtomicUsize>,
}

#[async_trait]
impl Credentials for Counting {
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
        self.renewals.fetch_add(1, Ordering::SeqCst);
        // As a service does; whoever else finds the token stale meanwhile must wait.
        tokio::time::sleep(Duration::from_millis(50)).await;
        self.inner.refresh(id, stale).await
    }
}

async fn world(old: &str) -> (World, Arc<AtomicUsize>) {
    let renewals = Arc::new(AtomicUsize::new(0));
    let counted = renewals.clone();
    let mut setup = Setup {
        token: old.to_owned(),
        ports: Box::new(move |ports| Ports {
            credentials: Arc::new(Counting {
                inner: ports.credentials.clone(),
                renewals: counted,
            }),
            ..ports
        }),
        ..Setup::default()
    };
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
    let renewed = world
        .records(&reply)
        .into_iter()
        .filter_map(|record| match record.event {
            Event::Answered(answer) => Some(answer.renewed),
            _ => None,
        });
    assert_eq!(renewed.collect::<Vec<_>>(), [true]);
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
