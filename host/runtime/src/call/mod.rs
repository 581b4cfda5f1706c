//! A call, straight through. Each stage takes the type that the stage before it returns; their fields are
//! private and none is `Clone`, so that a stage cannot be left out.
//!
//! However a call ends, refused, trapped or dropped, it ends at the one exit that closes its audit entry:
//! [`close::Exit`].

mod close;
mod connect;
mod consent;
mod fetch;
mod look;
mod open;
mod permit;
mod resolve;
mod rows;
pub(crate) mod run;
mod settle;
mod validate;

use std::sync::Arc;

use portcullis_policy::{AgentId, ConnectorName, PersonId};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::connector::Connector;
use crate::guard::Guard;
use crate::ports::credentials::Connection;
use crate::replay::Rerun;
use crate::reply::{Call, Cancellation, Outcome, Progress, Refusal, Reply, SentChange};
use crate::scope::CallScope;

pub(crate) use fetch::fetch;
pub(crate) use look::look;
pub use open::Opened;
pub(crate) use resolve::{ruled, unknown_connector};

/// What a connector is asked.
pub(crate) enum Asked {
    /// One of its tools.
    Tool(String),
    /// Who is signed in.
    Identity,
    /// Who is signed in by a connection that nobody has yet: the host itself asks, before anyone gets it.
    NewIdentity(Box<Connection>),
}

/// A question to a connector.
pub(crate) struct Question {
    pub(crate) agent: AgentId,
    pub(crate) person: PersonId,
    pub(crate) connector: ConnectorName,
    pub(crate) asked: Asked,
    pub(crate) arguments: Value,
    pub(crate) reason: Option<String>,
    pub(crate) rerun: Option<Rerun>,
    pub(crate) progress: Option<mpsc::Sender<Progress>>,
    pub(crate) steps: Option<mpsc::Sender<String>>,
    pub(crate) cancellation: Cancellation,
}

impl From<Call> for Question {
    fn from(call: Call) -> Self {
        Self {
            agent: call.agent,
            person: call.person,
            connector: call.connector,
            asked: Asked::Tool(call.tool),
            arguments: call.arguments,
            reason: call.reason,
            rerun: call.rerun,
            progress: call.progress,
            steps: call.steps,
            cancellation: call.cancellation,
        }
    }
}

/// The first half: everything that is decided before anything of the connector runs.
pub(crate) async fn open(
    guard: &Guard,
    connector: Arc<Connector>,
    question: Question,
) -> Result<Opened, Box<Reply>> {
    let mut exit = close::Exit::new(guard, &question)?;
    match decide(guard, connector, question, &mut exit).await {
        Ok(scope) => Ok(Opened::new(scope, exit)),
        Err(ended) => Err(Box::new(
            exit.close(ended.outcome, ended.sent, close::Tally::default())
                .await,
        )),
    }
}

async fn decide(
    guard: &Guard,
    connector: Arc<Connector>,
    question: Question,
    exit: &mut close::Exit,
) -> Result<Arc<CallScope>, Ended> {
    let resolved = resolve::resolve(guard, connector, question).await?;
    exit.knows(&resolved);
    let permitted = permit::permit(guard, resolved, exit).await?;
    let validated = validate::validate(permitted)?;
    let connected = connect::connect(guard, validated, exit).await?;
    let consented = consent::consent(guard, connected, exit).await?;
    Ok(open::open(guard, consented, exit).await?)
}

/// The end of a call that does not run.
struct Ended {
    outcome: Outcome,
    /// What a run before it has sent, where its answer was kept.
    sent: Vec<SentChange>,
}

impl From<Outcome> for Ended {
    fn from(outcome: Outcome) -> Self {
        let sent = Vec::new();
        Self { outcome, sent }
    }
}

/// Refuses a call to a connector that is not there, and writes that down.
pub(crate) async fn unknown(guard: &Guard, question: Question) -> Reply {
    match close::Exit::new(guard, &question) {
        Ok(exit) => {
            let refusal = resolve::unknown_connector(&question.connector);
            let tally = close::Tally::default();
            exit.close(refusal.into(), Vec::new(), tally).await
        }
        Err(reply) => *reply,
    }
}

impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
