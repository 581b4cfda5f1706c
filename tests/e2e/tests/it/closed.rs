//! A port that does not answer is a no.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use portcullis::policy::{AgentPolicy, ConnectionId, ConnectorName, Digest, Mode, Scope};
use portcullis::ports::approvals::{Claim, DigestKey, HeldRequest};
use portcullis::ports::audit::{AuditLog, Durability, Event, Record};
use portcullis::ports::credentials::{Lookup, RefreshError, Token};
use portcullis::ports::permissions::{Counted, Exhausted, Usage};
use portcullis::ports::{Approvals, Caller, Credentials, Permissions, PortError, Ports};
use serde_json::json;

use crate::support::{Setup, World, ended};

/// What of the ports fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    Policy,
    Calls,
    Changes,
    Connection,
    Token,
    Claim,
    Append,
    /// Does not fail, but panics, below a guest's frames.
    Step,
}

/// All four ports, of which one function fails once it is told to.
struct Failing {
    inner: Ports,
    broken: Broken,
    /// So that the world can be set up first.
    on: Arc<AtomicBool>,
}

impl Failing {
    fn check(&self, function: Broken) -> Result<(), PortError> {
        match self.broken == function && self.on.load(Ordering::SeqCst) {
            true => Err(PortError::new(format!("{function:?} is broken"))),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Credentials for Failing {
    async fn connection(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
    ) -> Result<Lookup, PortError> {
        self.check(Broken::Connection)?;
        self.inner.credentials.connection(caller, connector).await
    }

    async fn token(&self, connection: &ConnectionId) -> Result<Token, PortError> {
        self.check(Broken::Token)?;
        self.inner.credentials.token(connection).await
    }

    async fn refresh(&self, id: &ConnectionId, stale: &Token) -> Result<Token, RefreshError> {
        self.inner.credentials.refresh(id, stale).await
    }
}

#[async_trait]
impl Permissions for Failing {
    async fn policy(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
        component: Digest,
    ) -> Result<Option<Arc<AgentPolicy>>, PortError> {
        self.check(Broken::Policy)?;
        let permissions = &self.inner.permissions;
        permissions.policy(caller, connector, component).await
    }

    async fn count(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
        usage: Usage,
    ) -> Result<Result<(), Exhausted>, PortError> {
        self.check(match usage.counted {
            Counted::Calls => Broken::Calls,
            Counted::Changes => Broken::Changes,
        })?;
        self.inner.permissions.count(caller, connector, usage).await
    }

    async fn give_back(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
        usage: Usage,
    ) -> Result<(), PortError> {
        let permissions = &self.inner.permissions;
        permissions.give_back(caller, connector, usage).await
    }
}

#[async_trait]
impl Approvals for Failing {
    fn key(&self) -> &DigestKey {
        self.inner.approvals.key()
    }

    async fn claim(&self, request: &HeldRequest) -> Result<Claim, PortError> {
        self.check(Broken::Claim)?;
        self.inner.approvals.claim(request).await
    }
}

#[async_trait]
impl AuditLog for Failing {
    async fn append(&self, record: Record, durability: Durability) -> Result<(), PortError> {
        self.check(Broken::Append)?;
        if let (Event::Step { .. }, Err(error)) = (&record.event, self.check(Broken::Step)) {
            panic!("{error}");
        }
        self.inner.audit.append(record, durability).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_6_fail_closed() {
    for broken in [
        Broken::Policy,
        Broken::Calls,
        Broken::Changes,
        Broken::Connection,
        Broken::Token,
        Broken::Claim,
        Broken::Append,
    ] {
        let on = Arc::new(AtomicBool::new(false));
        let switch = on.clone();
        let world = World::new(failing(broken, switch), &["fetch"]).await;
        world.mode("fetch", "delete", Mode::Ask);
        // Its calls and changes are counted.
        let scope = Scope {
            calls_per_minute: Some(100),
            changes_per_day: Some(100),
            ..Scope::default()
        };
        world.scope("fetch", scope);
        let delete = json!({"id": "1"});
        // Someone has approved it, so that nothing but the port speaks against it.
        let reply = world.call("fetch", "delete", delete.clone()).await;
        assert_eq!(ended(&reply), "approval_required", "{broken:?}");
        let (approval, _) = world.approvals.pending()[0].clone();
        assert!(world.approvals.approve(approval));

        on.store(true, Ordering::SeqCst);
        let reply = world.call("fetch", "delete", delete.clone()).await;
        assert_eq!(ended(&reply), "refused host_unavailable", "{broken:?}");
        let message = reply.outcome.message().unwrap();
        assert!(message.contains("is broken"), "{broken:?}: {message}");
        assert!(
            reply.sent.iter().all(|sent| {
                matches!(sent.end, portcullis::ports::audit::RequestEnd::NotSent(_))
            })
        );
        assert!(world.service.seen().is_empty(), "{broken:?}");
        assert_eq!(world.service.connections(), 0);

        let is_of_changes = matches!(broken, Broken::Claim | Broken::Token | Broken::Changes);
        if !is_of_changes {
            let get = json!({"path": "/record/1"});
            let reply = world.call("fetch", "get", get).await;
            assert_eq!(ended(&reply), "refused host_unavailable", "{broken:?}");
            assert!(world.service.seen().is_empty(), "{broken:?}");
        }
    }
}

/// Makes what a world is to be whose ports are [`Failing`].
fn failing(broken: Broken, on: Arc<AtomicBool>) -> Setup {
    Setup {
        ports: Box::new(move |inner| {
            let failing = Arc::new(Failing { inner, broken, on });
            Ports {
                credentials: failing.clone(),
                permissions: failing.clone(),
                approvals: failing.clone(),
                audit: failing,
            }
        }),
        ..Setup::default()
    }
}

/// The panic does not have to pass the guest's frames, which nothing can unwind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_panics_under_a_guest_breaks_its_own_call_alone() {
    let on = Arc::new(AtomicBool::new(true));
    let setup = failing(Broken::Step, on.clone());
    let world = World::new(setup, &["portcullis_salesforce"]).await;
    let query = json!({"soql": "SELECT Id FROM Account"});
    let call = |query| crate::support::call("salesforce", "query", query);

    let (host, broken) = (world.host.clone(), call(query.clone()));
    let broken = tokio::spawn(async move { host.call(broken).await }).await;
    let panic = broken.unwrap_err().into_panic();
    let words = panic.downcast_ref::<String>().unwrap();
    assert!(words.contains("Step is broken"), "{words}");
    assert!(world.service.seen().is_empty());

    on.store(false, Ordering::SeqCst);
    let reply = world.host.call(call(query)).await;
    assert!(!world.service.seen().is_empty(), "{}", ended(&reply));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_connection_someone_is_asked_to_sign_in() {
    let world = World::with(&["fetch"]).await;
    let mut call = crate::support::call("fetch", "get", json!({"path": "/record/1"}));
    call.person = "grace".parse().unwrap();
    let reply = world.host.call(call).await;
    assert_eq!(ended(&reply), "connect_required");
    assert_eq!(
        reply.outcome.message(),
        Some("connect an account to `fetch` first")
    );
    assert_eq!(world.events(reply.call.unwrap()), ["opened", "closed"]);
    assert!(world.service.seen().is_empty());
}
