//! Renewing tokens: once for all who wait for it, in this process and in every other that has the store open.
//!
//! The attack is an accident. A service that gives a new refresh token with each renewal takes a second use of the old one
//! for a thief's, and ends the account. So within a process those who ask at the same time share one renewal (`Flights`), which is
//! a task of its own: who gives up waiting takes nothing from it. Between processes it is the store's lease that lets
//! one through; the others look again until the newer token is there. What is sent is written down before, and what
//! comes back is stored before it is used.

mod flights;
mod turn;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use portcullis::Network;
use portcullis::ports::PortError;
use portcullis::ports::credentials::{RefreshError, Token};
use portcullis_policy::ConnectionId;
use portcullis_store::{Lease, Renew, Store, StoreError};
use tokio::time::{Instant, sleep};

use super::Manifests;
use crate::random::unguessable;
use flights::Flights;

/// How long a renewal may take, and those who wait for one.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// How long one process may take for one request: more than a request can take. When the process dies, others
    /// wait this long.
    pub lease: Duration,
    /// How long to wait for another process: more than a lease.
    pub waits: Duration,
    /// How often to look whether it is done.
    pub looks: Duration,
    /// How long to wait before a request is sent again whose answer was lost.
    pub pause: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(60),
            waits: Duration::from_secs(75),
            looks: Duration::from_millis(100),
            pause: Duration::from_secs(1),
        }
    }
}

/// Renews the tokens of a store's connections. Clones are cheap and share their renewals.
#[derive(Clone)]
pub struct Renewal {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    network: Network,
    manifests: Arc<dyn Manifests>,
    timing: Timing,
    flights: Flights,
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
        Self {
            shared: Arc::new(Shared {
                store,
                network,
                manifests,
                timing,
                flights: Flights::default(),
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
        loop {
            let generation = stale.generation;
            let renewed = self.shared.flights.join(connection, || {
                let (shared, id) = (self.shared.clone(), connection.clone());
                async move { shared.renew(&id, generation).await }
            });
            match renewed.await {
                // It had begun before the token that is stale now was stored.
                Ok(token) if token.generation <= generation => {}
                answer => return answer,
            }
        }
    }
}

impl Shared {
    /// Waits for the turn to renew a token of a generation, and renews it, if nobody has by then.
    async fn renew(&self, id: &ConnectionId, generation: u64) -> Result<Token, RefreshError> {
        let holder = unguessable().map_err(|error| {
            let problem =
                PortError::new("a renewal needs random bytes, and this machine gives none");
            RefreshError::Unavailable(problem.caused_by(error))
        })?;
        let began = Instant::now();
        loop {
            let lease = self.lease(id, generation, &holder).await?;
            match lease {
                Lease::Newer(token) => return Ok(token),
                Lease::Leased(leased) => return self.take_turn(*leased, &holder).await,
                Lease::HeldUntil(_) if began.elapsed() >= self.timing.waits => {
                    return Err(PortError::new(format!(
                        "another process has renewed the connection `{id}` for more than {} seconds: call again",
                        self.timing.waits.as_secs()
                    ))
                    .into());
                }
                Lease::HeldUntil(_) => sleep(self.timing.looks).await,
            }
        }
    }
}

/// A connection that was removed while it was in use.
fn removed() -> RefreshError {
    RefreshError::Reconnect {
        reason: "the connection was removed".to_owned(),
        link: None,
    }
}

fn stored(error: StoreError) -> RefreshError {
    match error {
        StoreError::NotFound { .. } => removed(),
        error => PortError::from(error).into(),
    }
}
