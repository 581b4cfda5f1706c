//! Everything of a host but the engine: the ports, the network, and the bounds. It opens calls and settles them.

use std::sync::Arc;
use std::time::Duration;

use crate::call::{self, Opened};
use crate::connector::Connector;
use crate::gate::{Journals, Sessions};
use crate::limits::Limits;
use crate::network::Network;
use crate::ports::Ports;
use crate::reply::{Call, Reply};

/// Opens calls, for runtimes that own their engine, and for [`Host`](crate::Host).
///
/// Clones are cheap and the same guard.
#[derive(Clone)]
pub struct Guard {
    shared: Arc<Shared>,
}

struct Shared {
    limits: Limits,
    sessions: Sessions,
    journals: Journals,
    ports: Ports,
}

impl Guard {
    /// Makes a guard.
    pub fn new(limits: Limits, network: Network, ports: Ports) -> Self {
        let sessions = Sessions::new(network, limits.schema_cache_bytes_max);
        Self {
            shared: Arc::new(Shared {
                limits,
                sessions,
                journals: Journals::default(),
                ports,
            }),
        }
    }

    /// Decides whether a call may run, and opens its audit entry: who asks, which tool, whether it is
    /// allowed, whether the arguments fit, and as whom.
    ///
    /// Put [`Opened::context`] into the store, run the tool, drop the store, and hand the guest's result
    /// to [`Opened::settle`].
    ///
    /// # Errors
    ///
    /// The reply to a call that must not run. It is in the audit log already.
    pub async fn open(&self, connector: Arc<Connector>, call: Call) -> Result<Opened, Box<Reply>> {
        call::open(self, connector, call.into()).await
    }

    /// Waits until every change that was sent has its outcome on record, and says whether that came in time. A change goes on where
    /// its call was given up: wait before the audit log is closed, or its outcome is not written.
    pub async fn changes_on_record(&self, time: Duration) -> bool {
        self.shared.journals.none_within(time).await
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.shared.sessions
    }

    pub(crate) fn journals(&self) -> &Journals {
        &self.shared.journals
    }

    pub(crate) fn ports(&self) -> &Ports {
        &self.shared.ports
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard")
            .field("limits", &self.shared.limits)
            .finish_non_exhaustive()
    }
}
