//! What a client is told of a call's steps, where it asks to be: their titles, in the connector's words.
//!
//! The exact form of a step, such as a query, may have values of records: it goes to the audit log alone, sealed. The newest revision has
//! deprecated these messages; there a client asks for them with each request.
#![allow(
    deprecated,
    reason = "clients of older revisions have them, and the newest still defines them"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use portcullis::policy::ConnectorName;
use rmcp::model::{LoggingLevel, LoggingMessageNotificationParam};
use rmcp::service::{Peer, RequestContext, RoleServer};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Messages that wait for a slow client; more are dropped.
const WAITING_MAX: usize = 16;

/// Of how little a client of a session wants to be told: nothing until it says so.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted(Arc<AtomicU8>);

impl Wanted {
    /// Takes what the client says.
    pub(crate) fn set(&self, level: LoggingLevel) {
        self.0.store(number(level), Ordering::Relaxed);
    }

    /// Says whether the client wants to be told of steps, by the session or by this request.
    pub(crate) fn has_steps(&self, context: &RequestContext<RoleServer>) -> bool {
        let of_request = context.meta.log_level().map(number);
        let wanted = of_request.unwrap_or_else(|| self.0.load(Ordering::Relaxed));
        (1..=number(LoggingLevel::Info)).contains(&wanted)
    }
}

/// From 1, the least important first.
fn number(level: LoggingLevel) -> u8 {
    match level {
        LoggingLevel::Debug => 1,
        LoggingLevel::Info => 2,
        LoggingLevel::Notice => 3,
        LoggingLevel::Warning => 4,
        LoggingLevel::Error => 5,
        LoggingLevel::Critical => 6,
        LoggingLevel::Alert => 7,
        LoggingLevel::Emergency => 8,
    }
}

/// Passes the titles of steps on to the client.
pub(crate) fn steps_to(
    peer: Peer<RoleServer>,
    connector: &ConnectorName,
) -> (mpsc::Sender<String>, JoinHandle<()>) {
    let (sender, mut receiver) = mpsc::channel::<String>(WAITING_MAX);
    let logger = connector.to_string();
    let told = tokio::spawn(async move {
        while let Some(title) = receiver.recv().await {
            let message = LoggingMessageNotificationParam::new(LoggingLevel::Info, title.into());
            let message = message.with_logger(logger.clone());
            if let Err(error) = peer.notify_logging_message(message).await {
                tracing::debug!(%error, "the client takes no messages");
                break;
            }
        }
    });
    (sender, told)
}
