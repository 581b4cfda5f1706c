//! Stage 9: the one exit. Every call that has an id ends here, and its audit entry with it.

use std::time::{Instant, SystemTime};

use portcullis_policy::{ConnectionId, ConnectorName, Decision, Digest, Effect, ToolName};

use super::resolve::Resolved;
use super::{Asked, Question};
use crate::guard::Guard;
use crate::ids::{ApprovalId, CallId};
use crate::ports::audit::{Closed, Durability, Event, Opened, Record};
use crate::ports::{Caller, PortError, Ports, Sensitive};
use crate::reply::{Outcome, REFUSED, Refusal, RefusalCode, Reply, SentChange};
use crate::scope::Task;

/// The exit of one call.
pub(super) struct Exit {
    id: CallId,
    started: Instant,
    ports: Ports,
    entry: Option<Entry>,
    is_open: bool,
    is_closed: bool,
}

/// What of a call is counted and told at its end.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Steps and sources that were dropped because there were too many.
    pub(super) dropped: u32,
    /// Bytes of answers that reached the guest.
    pub(super) received_bytes: u64,
    /// Which "no" of the host's the connector gave the call up for. Its caller reads what the connector says of it; the log says
    /// that it was refused.
    pub(super) refused_by_scope: Option<String>,
    /// What an administrator does to allow that.
    pub(super) allow: Option<String>,
}

/// What the entry's first record says, as far as it is known.
struct Entry {
    caller: Caller,
    connector: ConnectorName,
    version: Option<String>,
    component: Option<Digest>,
    tool: Option<ToolName>,
    effect: Option<Effect>,
    arguments: Sensitive,
    /// What was decided on the tool, where it came to that.
    decision: Option<Decision>,
}

impl Exit {
    /// Gives a call its id and its exit.
    ///
    /// # Errors
    ///
    /// The reply to a call that cannot have an id: no clock or no randomness, so no call.
    pub(super) fn new(guard: &Guard, question: &Question) -> Result<Self, Box<Reply>> {
        let id = CallId::random(SystemTime::now()).map_err(|error| {
            let refusal = Refusal::new(RefusalCode::HostUnavailable, error.to_string());
            Box::new(Reply::without_call(refusal.into()))
        })?;
        let tool = match &question.asked {
            Asked::Tool(tool) => ToolName::parse(tool).ok(),
            Asked::Identity | Asked::NewIdentity(_) => None,
        };
        Ok(Self {
            id,
            started: Instant::now(),
            ports: guard.ports().clone(),
            entry: Some(Entry {
                caller: Caller {
                    agent: question.agent.clone(),
                    person: question.person.clone(),
                },
                connector: question.connector.clone(),
                version: None,
                component: None,
                tool,
                effect: None,
                arguments: Sensitive::new(question.arguments.to_string()),
                decision: None,
            }),
            is_open: false,
            is_closed: false,
        })
    }

    pub(super) fn id(&self) -> CallId {
        self.id
    }

    /// Takes over what the first stage found.
    pub(super) fn knows(&mut self, resolved: &Resolved) {
        if let Some(entry) = &mut self.entry {
            entry.version = Some(resolved.connector.manifest().version.clone());
            entry.component = Some(resolved.connector.digest());
            entry.effect = Some(resolved.effect);
            entry.tool = match &resolved.task {
                Task::Tool(tool) => Some(tool.clone()),
                Task::Identify => None,
            };
        }
    }

    /// Takes over what was decided on the tool.
    pub(super) fn decided(&mut self, decision: Decision) {
        if let Some(entry) = &mut self.entry {
            entry.decision = Some(decision);
        }
    }

    /// Opens the entry.
    ///
    /// # Errors
    ///
    /// [`PortError`] when it is not written; the call does not go on.
    pub(super) async fn open(&mut self, connection: Option<ConnectionId>) -> Result<(), PortError> {
        let Some(entry) = self.entry.take() else {
            return Ok(());
        };
        let decision = entry.decision;
        let opened = Event::Opened(Opened {
            caller: entry.caller,
            connector: entry.connector,
            version: entry.version,
            component: entry.component,
            tool: entry.tool,
            effect: entry.effect,
            mode: decision.as_ref().map(|decision| decision.mode),
            rule: decision.map(|decision| decision.rule),
            connection,
            arguments: entry.arguments,
        });
        self.append(opened).await?;
        self.is_open = true;
        Ok(())
    }

    /// Writes down that the answer is one that was kept.
    ///
    /// # Errors
    ///
    /// [`PortError`] when it is not written.
    pub(super) async fn fetched(
        &mut self,
        approval: ApprovalId,
        call: CallId,
        connection: &ConnectionId,
    ) -> Result<(), PortError> {
        self.open(Some(connection.clone())).await?;
        self.append(Event::Fetched { approval, call }).await
    }

    /// Closes the entry, with an opening where the call ended before its own, and makes the reply.
    pub(super) async fn close(
        mut self,
        outcome: Outcome,
        sent: Vec<SentChange>,
        tally: Tally,
    ) -> Reply {
        let allow = tally.allow.clone();
        let mut written = self.open(None).await;
        if self.is_open {
            let closed = self.closed(&outcome, tally);
            written = self.append(Event::Closed(closed)).await;
        }
        self.is_closed = true;
        if let Err(error) = written {
            tracing::error!(call = %self.id, %error, "the end of a call could not be recorded");
        }
        Reply {
            call: Some(self.id),
            outcome,
            sent,
            allow,
            still_waits: None,
        }
    }

    fn closed(&self, outcome: &Outcome, tally: Tally) -> Closed {
        let (name, code, message) = match tally.refused_by_scope {
            Some(words) => (
                REFUSED,
                Some(RefusalCode::Scope.as_str()),
                Some(Sensitive::new(words)),
            ),
            None => (
                outcome.name(),
                outcome.code(),
                outcome.message().map(Sensitive::new),
            ),
        };
        Closed {
            outcome: name.into(),
            code: code.map(Into::into),
            message,
            dropped: tally.dropped,
            received_bytes: tally.received_bytes,
            elapsed_us: u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX),
        }
    }

    async fn append(&self, event: Event) -> Result<(), PortError> {
        let record = Record {
            call: self.id,
            at: SystemTime::now(),
            event,
        };
        self.ports.audit.append(record, Durability::Buffered).await
    }
}

/// The name of a call's end that its caller did not wait for.
const ABANDONED: &str = "abandoned";

impl Drop for Exit {
    /// Closes the entry of a call whose future was dropped.
    fn drop(&mut self) {
        if self.is_closed || !self.is_open {
            return;
        }
        let closed = Closed {
            outcome: ABANDONED.into(),
            code: Some(crate::reply::FailureCode::Cancelled.as_str().into()),
            message: None,
            dropped: 0,
            received_bytes: 0,
            elapsed_us: u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX),
        };
        let record = Record {
            call: self.id,
            at: SystemTime::now(),
            event: Event::Closed(closed),
        };
        let (audit, id) = (self.ports.audit.clone(), self.id);
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn(async move {
                    if let Err(error) = audit.append(record, Durability::Buffered).await {
                        tracing::error!(call = %id, %error, "the end of a call could not be recorded");
                    }
                });
            }
            Err(_) => {
                tracing::error!(call = %id, "a call was dropped with its runtime, unrecorded")
            }
        }
    }
}
