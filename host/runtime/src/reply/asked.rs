//! What is asked: a call, how it is followed, and how it is given up.

use std::sync::Arc;

use portcullis_policy::{AgentId, ConnectorName, PersonId};
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use crate::replay::Rerun;

/// A question to a connector.
#[derive(Clone, Debug)]
pub struct Call {
    /// The agent that asks.
    pub agent: AgentId,
    /// The person it works for.
    pub person: PersonId,
    /// The connector.
    pub connector: ConnectorName,
    /// The tool's name, as the agent gave it.
    pub tool: String,
    /// A JSON object of arguments.
    pub arguments: Value,
    /// Why the agent asks, in its own words: for the person who approves, and never for the connector.
    pub reason: Option<String>,
    /// What was approved and is now run; none: the agent asks.
    pub rerun: Option<Rerun>,
    /// Where reports of progress go; those that come faster than they are taken are dropped.
    pub progress: Option<mpsc::Sender<Progress>>,
    /// Where the titles of the connector's steps go, likewise.
    pub steps: Option<mpsc::Sender<String>>,
    /// How the caller gives up.
    pub cancellation: Cancellation,
}

impl Call {
    /// Makes a call without progress reports, which ends when its future is dropped.
    pub fn new(
        agent: AgentId,
        person: PersonId,
        connector: ConnectorName,
        tool: impl Into<String>,
        arguments: Value,
    ) -> Self {
        Self {
            agent,
            person,
            connector,
            tool: tool.into(),
            arguments,
            reason: None,
            rerun: None,
            progress: None,
            steps: None,
            cancellation: Cancellation::default(),
        }
    }
}

/// A report of a call that takes a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How much is done.
    pub done: u32,
    /// Of how much, if known.
    pub total: Option<u32>,
    /// In words.
    pub message: String,
}

/// A way to give a call up: the connector sees it and may tidy up, and is ended after a grace period.
///
/// Clones are the same cancellation.
#[derive(Clone, Debug)]
pub struct Cancellation(Arc<watch::Sender<bool>>);

impl Default for Cancellation {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Cancellation {
    /// Gives the call up. There is no way back.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    /// Says whether the call was given up.
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the call is given up.
    pub(crate) async fn cancelled(&self) {
        let mut receiver = self.0.subscribe();
        // The sender is `self`, so it cannot be gone.
        let _ = receiver.wait_for(|cancelled| *cancelled).await;
    }
}
