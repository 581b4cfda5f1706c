//! The audit log: what was asked, what was sent, and how it ended.
//!
//! A call's records begin with [`Event::Opened`] and end with [`Event::Closed`], whatever happens
//! between. Names, ids and digests are plain; what may hold a record's values is [`Sensitive`].

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::time::SystemTime;

use async_trait::async_trait;
use portcullis_policy::{
    Change, ConnectionId, ConnectorName, Digest, Effect, Method, Mode, Origin, ToolCall, ToolName,
};

use super::{Caller, PortError, Sensitive, lock};
use crate::ids::{ApprovalId, CallId};

/// One line of a call's account.
#[derive(Clone, Debug)]
pub struct Record {
    /// The call.
    pub call: CallId,
    /// When.
    pub at: SystemTime,
    /// What.
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A call began.
    Opened(Opened),
    /// The connector says what it does.
    Step {
        /// In plain words.
        title: Sensitive,
        /// Its exact form, such as a query.
        detail: Option<Sensitive>,
    },
    /// The connector names what its answer rests on.
    Cited(Vec<Source>),
    /// The connector says what it is about to change. Its labels, notes and values are to be sealed as
    /// [`Sensitive`] is; its `Debug` leaves them out.
    Announced(Vec<Change>),
    /// A request is about to be sent: written before its first byte leaves.
    Intended(Intent),
    /// How a request ended.
    Answered(Answer),
    /// A request of an agent that is limited to some kinds or fields goes by a route on which the host does not see
    /// them: that it touches no other is the word of the connector, which an administrator trusts.
    Unseen {
        /// The request's number in its call, from 1.
        request: u32,
        /// The route's template.
        route: String,
    },
    /// A request that was not sent, and why.
    Denied {
        /// The request's number in its call, from 1.
        request: u32,
        /// The stable code of the reason.
        code: Cow<'static, str>,
        /// The reason, which may name the path that was asked for.
        message: Sensitive,
    },
    /// The second time of a request was written down and then not sent: its answer is that of the first.
    Unsent {
        /// The request's number in its call, from 1.
        request: u32,
        /// Which time it is, as its intent has it.
        attempt: u32,
        /// Bytes of the body that was not sent.
        body_bytes: usize,
        /// Why.
        why: Sensitive,
    },
    /// The answer is one that was kept: the call was run after a person approved it.
    Fetched {
        /// The approval.
        approval: ApprovalId,
        /// The call that was run.
        call: CallId,
    },
    /// A call ended.
    Closed(Closed),
    /// The program that ran the call ended in the middle of it, as another one found out.
    CutOff {
        /// The changes that were sent and whose outcome nobody knows, by their numbers.
        unclear: Vec<u32>,
    },
}

/// The beginning of a call.
#[derive(Clone, Debug)]
pub struct Opened {
    /// On whose behalf.
    pub caller: Caller,
    /// The connector that was named.
    pub connector: ConnectorName,
    /// Its version; none where no such connector is installed.
    pub version: Option<String>,
    /// The digest of the version that ran; none where there was none.
    pub component: Option<Digest>,
    /// The tool, as it was named; none for the check after sign-in.
    pub tool: Option<ToolName>,
    /// How far the tool reaches; none where there is no such tool.
    pub effect: Option<Effect>,
    /// The mode that was decided; none where it did not come to that.
    pub mode: Option<Mode>,
    /// The name of the rule that decided on the mode, such as `agent helper: effect:write ask`.
    pub rule: Option<String>,
    /// The account; none where it did not come to that or there is none.
    pub connection: Option<ConnectionId>,
    /// What was asked.
    pub arguments: Sensitive,
}

/// A source of an answer.
#[derive(Clone, Debug)]
pub struct Source {
    /// The kind of record.
    pub kind: String,
    /// Its id.
    pub id: Option<String>,
    /// What a person calls it.
    pub label: Option<Sensitive>,
    /// Where a person can look at it.
    pub url: Option<String>,
    /// The names of its fields.
    pub fields: Vec<String>,
}

/// A request that is about to be sent.
#[derive(Clone, Debug)]
pub struct Intent {
    /// Its number in its call, from 1.
    pub request: u32,
    /// Which time it is sent, from 1: a change that the service refused for a stale token is sent a second time, with an intent of its own.
    /// Both have one answer; where the second time came to nothing, [`Unsent`](Event::Unsent) says so.
    pub attempt: u32,
    /// Its method.
    pub method: Method,
    /// Where it goes.
    pub origin: Origin,
    /// The route's template, such as `/record/{id}`.
    pub route: String,
    /// The path and query.
    pub path: Sensitive,
    /// What a read asks of a SOAP service, whose path does not say it: the message, without the token, up to its first 8 KiB.
    pub message: Option<Sensitive>,
    /// The requests that it carries in its body, in their order.
    pub parts: Vec<IntendedPart>,
    /// How far it reaches.
    pub effect: Effect,
    /// The SHA-256 digest of its body.
    pub body: Digest,
    /// Bytes of its body.
    pub body_bytes: usize,
    /// The approval that it uses.
    pub approval: Option<ApprovalId>,
    /// For a change: the call that finds out whether it was made, should its outcome not become known.
    pub finds_out: Option<ToolCall>,
}

impl Intent {
    /// Gives what its message asks, without what it says of itself before that: its body, as far as it is kept.
    pub fn asked(&self) -> Option<&str> {
        let message = self.message.as_ref()?.expose();
        let (_, body) = message.split_once("Body>").unwrap_or(("", message));
        Some(body)
    }
}

/// A request that another one carries: it goes where that goes, and has its answer within that one's.
#[derive(Clone, Debug)]
pub struct IntendedPart {
    /// Its method.
    pub method: Method,
    /// Its route's template.
    pub route: String,
    /// Its path and query.
    pub path: Sensitive,
}

/// How a request ended.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its number in its call.
    pub request: u32,
    /// How far it reaches.
    pub effect: Effect,
    /// Its end.
    pub end: RequestEnd,
    /// Whether the credential was renewed and the request sent a second time.
    pub renewed: bool,
    /// Time from the write-ahead record to the response's head, in microseconds.
    pub elapsed_us: u64,
    /// Bytes of the answer's body, where the service said how many there are.
    pub body_bytes: Option<u64>,
}

/// The end of a request.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestEnd {
    /// The service answered with this status.
    Status(u16),
    /// The service answered with this status, which says success, and its answer says that it made no change.
    Refused(u16),
    /// The service answered with this status, which says success, and its answer says which changes it made.
    InPart {
        /// The status.
        status: u16,
        /// The changes that it did not make, by their places among those that were announced, from 0.
        refused: Vec<u32>,
        /// How many were announced.
        of: u32,
    },
    /// The description of a kind was as the host remembered it (status 304).
    NotModified,
    /// It did not reach the service.
    NotSent(String),
    /// It may have reached the service; or it has, and its answer refuses some of its changes and is silent of others.
    Unclear(String),
}

impl RequestEnd {
    /// Gives the status, where there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status(status) | Self::Refused(status) | Self::InPart { status, .. } => {
                Some(*status)
            }
            Self::NotModified => Some(304),
            Self::NotSent(_) | Self::Unclear(_) => None,
        }
    }

    /// Says whether this alone leaves open if a change was made: there was no answer, or the service failed over it (status 500 and more),
    /// be it before the work or after.
    pub fn is_unclear(&self) -> bool {
        matches!(self, Self::Unclear(_) | Self::Status(500..))
    }
}

/// The end of a call.
#[derive(Clone, Debug)]
pub struct Closed {
    /// `done`, `approval_required`, `connect_required`, `refused`, `failed` or `abandoned`. `refused` also where the connector gave up
    /// because the host answered "no" to what it asked about, whatever it then told the caller.
    pub outcome: Cow<'static, str>,
    /// The stable code of what went wrong.
    pub code: Option<Cow<'static, str>>,
    /// What went wrong, in words.
    pub message: Option<Sensitive>,
    /// How many steps and sources were dropped because there were too many.
    pub dropped: u32,
    /// Bytes of answers' bodies that reached the connector.
    pub received_bytes: u64,
    /// Time from beginning to end, in microseconds.
    pub elapsed_us: u64,
}

/// How safe a record must be before the call goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Nothing hangs on it: it may wait in memory for the next record that asks for more, and for a second at most. Each call's
    /// last record does.
    WithTheNext,
    /// Handed to the operating system.
    Buffered,
    /// On disk.
    Synced,
}

/// Where it is written down.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Adds a record.
    ///
    /// # Errors
    ///
    /// [`PortError`] when it is not as safe as `durability` asks; what it was to precede does not
    /// happen.
    async fn append(&self, record: Record, durability: Durability) -> Result<(), PortError>;
}

/// How many calls [`MemoryAudit`] remembers unless told otherwise.
const CALLS_MAX: usize = 1024;

/// The last calls, in memory.
#[derive(Debug)]
pub struct MemoryAudit {
    calls_max: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    order: VecDeque<CallId>,
    records: HashMap<CallId, Vec<Record>>,
}

impl MemoryAudit {
    /// Makes an empty log of the last 1024 calls.
    pub fn new() -> Self {
        Self::of_calls(CALLS_MAX)
    }

    /// Makes an empty log of the last `calls_max` calls.
    pub fn of_calls(calls_max: usize) -> Self {
        Self {
            calls_max: calls_max.max(1),
            kept: Mutex::default(),
        }
    }

    /// Gives the records of a call, in their order; none where it is unknown or forgotten.
    pub fn records(&self, call: CallId) -> Vec<Record> {
        let kept = lock(&self.kept);
        kept.records.get(&call).cloned().unwrap_or_default()
    }

    /// Lists the remembered calls, the oldest first.
    pub fn calls(&self) -> Vec<CallId> {
        lock(&self.kept).order.iter().copied().collect()
    }
}

impl Default for MemoryAudit {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl AuditLog for MemoryAudit {
    async fn append(&self, record: Record, _: Durability) -> Result<(), PortError> {
        let mut kept = lock(&self.kept);
        if !kept.records.contains_key(&record.call) {
            kept.order.push_back(record.call);
            if kept.order.len() > self.calls_max
                && let Some(oldest) = kept.order.pop_front()
            {
                kept.records.remove(&oldest);
            }
        }
        kept.records.entry(record.call).or_default().push(record);
        Ok(())
    }
}
