//! Renewing tokens: once for all who wait for it, in this process and in every other that has the store open.
//!
//! The attack is an accident. A service that gives a new refresh token with each renewal takes a second use of the old one
//! for a thief's, and ends the account. So within a process those who ask at the same time share one renewal (`Flights`), which is
//! a task of its own: who gives up waiting takes nothing from it. Between processes it is the store's lease that lets
//! one through; the others look again until the newer token is there. What is sent is written down before, and what
//! comes back is stored before it is used; only where the store does not take it, it is used and stored later.

mod flights;
mod keep;
mod turn;
mod unstored;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use portcullis::Network;
use portcullis::ports::PortError;
use portcullis::ports::credentials::{RefreshError, Token};
use portcullis_policy::ConnectionId;
use portcullis_store::{Hold, Lease, Renew, Store, StoreError};
use tokio::time::{Instant, sleep, timeout_at};

use super::Manifests;
use super::revocation::Revoker;
use crate::random::unguessable;
use flights::Flights;
use unstored::Unstored;

/// How long a renewal may take, and those who wait for one.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// After how long a lease that its holder does not change is taken over: when a process dies, others wait this long.
    pub lease: Duration,
    /// How often a holder changes its lease: several times within it.
    pub beats: Duration,
    /// How long to wait for another one's renewal: less than a call has, and more than a lease.
    pub waits: Duration,
    /// How often to look whether it is done.
    pub looks: Duration,
    /// How long to wait before a request is sent again whose answer was lost.
    pub pause: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(8),
            beats: Duration::from_secs(1),
            waits: Duration::from_secs(30),
            looks: Duration::from_millis(100),
            pause: Duration::from_secs(1),
        }
    }
}

/// When to come again, where a renewal of another one takes long.
const BUSY_AGAIN: Duration = Duration::from_secs(10);

/// Renews the tokens of a store's connections. Clones are cheap and share their renewals.
#[derive(Clone)]
pub struct Renewal {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    network: Network,
    manifests: Arc<dyn Manifests>,
    revoker: Revoker,
    timing: Timing,
    flights: Flights,
    unstored: Unstored,
}

impl Renewal {
    /// Joins a store, a network, and what connectors say of their services.
    pub fn new(store: Store, network: Network, manifests: Arc<dyn Manifests>) -> Self {
        Self::with_timing(store, network, manifests, Timing::default())
    }

    /// As [`new`](Self::new), for who has less time.
    pub fn with_timing(
        store: Store,
        network: Network,
        manifests: Arc<dyn Manifests>,
        timing: Timing,
    ) -> Self {
        let revoker = Revoker {
            store: store.clone(),
            network: network.clone(),
            manifests: manifests.clone(),
        };
        Self {
            shared: Arc::new(Shared {
                store,
                network,
                manifests,
                revoker,
                timing,
                flights: Flights::default(),
                unstored: Unstored::default(),
            }),
        }
    }
}

impl fmt::Debug for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewal")
            .field("store", &self.shared.store)
            .field("timing", &self.shared.timing)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Renew for Renewal {
    async fn renew(&self, connection: &ConnectionId, stale: &Token) -> Result<Token, RefreshError> {
        let until = Instant::now() + self.shared.timing.waits;
        let generation = stale.generation;
        loop {
            let renewed = self.shared.flights.join(connection, || {
                let (shared, id) = (self.shared.clone(), connection.clone());
                async move { shared.renew(&id, generation).await }
            });
            match timeout_at(until, renewed).await {
                // It had begun before the token that is stale now was stored.
                Ok(Ok(token)) if token.generation <= generation => {}
                Ok(answer) => return answer,
                Err(_) => return Err(busy()),
            }
        }
    }

    fn unstored(&self, connection: &ConnectionId) -> Option<Token> {
        self.shared.unstored.get(connection)
    }
}

impl Shared {
    /// Waits for the turn to renew a token of a generation, and renews it, if nobody has by then.
    async fn renew(
        self: Arc<Self>,
        id: &ConnectionId,
        generation: u64,
    ) -> Result<Token, RefreshError> {
        match self.unstored.get(id) {
            Some(token) if token.generation > generation => return Ok(token),
            // To ask for the next ones could lose both.
            Some(_) => {
                let problem = "the store does not take the connection's newest tokens, so no newer ones are asked for";
                return Err(PortError::new(problem).into());
            }
            None => {}
        }
        let holder = unguessable().map_err(|error| {
            let problem =
                PortError::new("a renewal needs random bytes, and this machine gives none");
            RefreshError::Unavailable(problem.caused_by(error))
        })?;
        let began = Instant::now();
        let mut quiet = Quiet::default();
        loop {
            let dead = quiet.dead(self.timing);
            let lease = self.lease(id, generation, &holder, dead).await?;
            match lease {
                Lease::Newer(token) => return Ok(token),
                Lease::Leased(leased) => return self.take_turn(*leased, &holder).await,
                Lease::Held(_) if began.elapsed() >= self.timing.waits => return Err(busy()),
                Lease::Held(hold) => quiet.see(hold),
            }
            sleep(self.timing.looks).await;
        }
    }
}

/// A lease of another's, and how often it was seen as it is. Looks are counted, not time: a process that was stopped, or
/// waited for the store, has not seen what happened meanwhile.
#[derive(Default)]
struct Quiet {
    hold: Option<Hold>,
    looks: u32,
}

impl Quiet {
    fn see(&mut self, hold: Hold) {
        match self.hold.as_ref() == Some(&hold) {
            true => self.looks = self.looks.saturating_add(1),
            false => {
                self.hold = Some(hold);
                self.looks = 0;
            }
        }
    }

    /// Gives the lease, if its holder is gone.
    fn dead(&self, timing: Timing) -> Option<&Hold> {
        let quiet = timing.looks.saturating_mul(self.looks);
        self.hold.as_ref().filter(|_| quiet >= timing.lease)
    }
}

fn busy() -> RefreshError {
    RefreshError::Busy {
        retry_after: BUSY_AGAIN,
    }
}

/// A connection that was removed while it was in use.
fn removed() -> RefreshError {
    RefreshError::Reconnect {
        reason: "the connection was removed".to_owned(),
    }
}

fn stored(error: StoreError) -> RefreshError {
    match error {
        StoreError::NotFound { .. } => removed(),
        error => PortError::from(error).into(),
    }
}
