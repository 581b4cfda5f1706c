//! Telling clients that an agent's tools are others: after another version of a connector is active, and after an administrator
//! decided something on them.
//!
//! What counts is what the agent's client would be shown. It is found out only when the host's owner says that something may have
//! changed, and a client that is told nothing new is told nothing.

use std::time::Duration;

use portcullis::policy::{Digest, Mode, ToolName};
use rmcp::RoleServer;
use rmcp::service::Peer;
use tokio::sync::watch;

use crate::Server;

/// How long a task goes on at most for a client that is gone.
const LOOKS_AFTER_CLIENT: Duration = Duration::from_secs(30);

/// What a client sees of an agent's tools: of which component each is, and how it may be used, which its description says.
type Seen = Vec<(Digest, ToolName, Mode)>;

/// How a client is told.
pub(crate) trait Tell {
    /// Says whether there is still somebody to tell.
    fn is_there(&self) -> bool;

    /// Tells, and says whether that was possible.
    fn tell(&self) -> impl Future<Output = bool> + Send;
}

impl Tell for Peer<RoleServer> {
    fn is_there(&self) -> bool {
        !self.is_transport_closed()
    }

    async fn tell(&self) -> bool {
        self.notify_tool_list_changed().await.is_ok()
    }
}

impl Tell for rmcp::service::SubscriptionSink {
    fn is_there(&self) -> bool {
        true // Whoever listens ends with the request.
    }

    async fn tell(&self) -> bool {
        self.notify_tool_list_changed().await.is_ok()
    }
}

impl Server {
    /// Tells a client of each change of its tools, until it is gone or nothing changes any more.
    pub(crate) async fn tell_changes(&self, changes: watch::Receiver<i64>, client: impl Tell) {
        let mut changes = changes;
        // What changes from now on is seen, also where it changes while the tools are looked at.
        changes.borrow_and_update();
        // A client that asked later has been shown what is newer, and is told once too often.
        let mut shown = self.seen().await;
        while client.is_there() {
            match tokio::time::timeout(LOOKS_AFTER_CLIENT, changes.changed()).await {
                Err(_) => continue,
                Ok(Err(_)) => return,
                Ok(Ok(())) => {}
            }
            let now = self.seen().await;
            // Where it cannot be found out the client had better look itself.
            if now.is_none() || now != shown {
                shown = now;
                if !client.tell().await {
                    return;
                }
            }
        }
    }

    async fn seen(&self) -> Option<Seen> {
        let offered = self.offered().await.ok()?;
        let seen = offered.iter().map(|offered| {
            let digest = offered.connector().digest();
            (digest, offered.tool().name.clone(), offered.decision.mode)
        });
        Some(seen.collect())
    }
}
