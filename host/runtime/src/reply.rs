//! A call and its answer, as an embedder sees them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use portcullis_policy::{AgentId, Card, ConnectorName, Method, PersonId, ToolCall};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use crate::ids::{ApprovalId, CallId};
use crate::ports::audit::RequestEnd;
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

/// The answer to a call.
#[derive(Debug)]
#[must_use = "an answer may say that a person is asked, or that something went wrong"]
pub struct Reply {
    /// The call's id, by which its audit entry is found; none where no id could be made.
    pub call: Option<CallId>,
    /// How it ended.
    pub outcome: Outcome,
    /// The changes that were sent, even where the call then failed.
    pub sent: Vec<SentChange>,
    /// What an administrator does to allow what the connector asked about, where the host answered "no" to that. It is not for the agent.
    pub allow: Option<String>,
    /// The question that a person said yes to, and that waits all the same: the call would end so, and the yes was not taken.
    pub still_waits: Option<Box<StillWaits>>,
}

/// A question that still waits for a yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StillWaits {
    /// The question's id.
    pub id: ApprovalId,
    /// Where a person decides, if there is a page for it.
    pub link: Option<String>,
}

impl Reply {
    /// The answer to what came to no call: it has no entry, and nothing was sent.
    pub fn without_call(outcome: Outcome) -> Self {
        Self {
            call: None,
            outcome,
            sent: Vec::new(),
            allow: None,
            still_waits: None,
        }
    }
}

/// A change that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentChange {
    /// The request's method.
    pub method: Method,
    /// The route's template.
    pub route: String,
    /// How the request ended.
    pub end: RequestEnd,
    /// The call that finds out whether it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finds_out: Option<ToolCall>,
}

impl SentChange {
    /// Says what to do, where nobody knows whether the change was made. It is for calls that did not end well: of one that did, the connector
    /// has looked.
    pub fn unclear(&self) -> Option<String> {
        let is_unclear = self.end.is_unclear();
        is_unclear.then(|| unclear(self.finds_out.as_ref()))
    }

    /// Says in a sentence what came of it, in a call that did not end well; none where it did not reach the service.
    pub fn sentence(&self) -> Option<String> {
        let (method, route) = (self.method, &self.route);
        let end = match (&self.end, self.unclear()) {
            (RequestEnd::NotSent(_), _) => return None,
            (RequestEnd::Status(status @ 400..500), _) => {
                return Some(format!(
                    "The service refused the change ({method} {route}, status {status})."
                ));
            }
            (RequestEnd::Refused(status), _) => {
                return Some(format!(
                    "The service refused the change ({method} {route}, status {status}, as its answer says)."
                ));
            }
            (
                RequestEnd::InPart {
                    status,
                    refused,
                    of,
                },
                _,
            ) => {
                let refused = refused.len();
                format!(
                    "the service answered with status {status}, and refused {refused} of the {of} changes in it"
                )
            }
            (RequestEnd::Status(status), Some(words)) => {
                format!("the service answered with status {status}, and {words}")
            }
            (RequestEnd::Status(status), None) => {
                format!("the service answered with status {status}")
            }
            (RequestEnd::NotModified, _) => "nothing had changed".to_owned(),
            (RequestEnd::Unclear(_), words) => words.unwrap_or_default(),
        };
        Some(format!("A change was sent ({method} {route}); {end}."))
    }
}

/// Says what to do about a change of which nobody knows whether it was made, in the same words wherever that is said.
pub fn unclear(finds_out: Option<&ToolCall>) -> String {
    let look = match finds_out {
        Some(call) => format!(": `{call}` shows it"),
        None => String::new(),
    };
    format!("whether the change was made is not known. Look before it is asked for again{look}")
}

/// How a call ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// With an answer.
    Done(Output),
    /// A person must decide first; then the same call is made again.
    ApprovalRequired(Box<ApprovalRequired>),
    /// Somebody must sign in first.
    ConnectRequired(ConnectRequired),
    /// The host did not allow it.
    Refused(Refusal),
    /// Something went wrong.
    Failed(Failure),
}

/// A tool's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Compact text for the model.
    pub text: String,
    /// Data that fits the tool's output schema.
    pub structured: Option<Value>,
    /// Files.
    pub attachments: Vec<Attachment>,
    /// What to pass as `cursor` to get the rest; none: nothing was left out.
    pub next_cursor: Option<String>,
    /// The records that it rests on, as the connector says: the first of them.
    #[serde(default, skip_serializing_if = "<[CitedRecord]>::is_empty")]
    pub records: Box<[CitedRecord]>,
}

/// A record that an answer rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CitedRecord {
    /// Its kind.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// What people call it.
    pub label: Option<String>,
}

/// A file in an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// Its bytes.
    #[serde(with = "as_base64")]
    pub data: Vec<u8>,
}

/// A question that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRequired {
    /// The question's id.
    pub id: ApprovalId,
    /// Where a person decides, if there is a page for it.
    pub link: Option<String>,
    /// What the person decides on.
    pub card: Card,
}

/// A sign-in that is missing or has ended.
///
/// Its `Debug` leaves the link out: who has it is let in by it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectRequired {
    /// Where to sign in, if there is a page for it.
    pub link: Option<String>,
    /// Why, and what to do.
    pub advice: String,
}

impl fmt::Debug for ConnectRequired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectRequired")
            .field("advice", &self.advice)
            .finish_non_exhaustive()
    }
}

/// Something that the host did not allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The stable reason.
    pub code: RefusalCode,
    /// What was refused and by which rule, in a sentence for the caller.
    pub message: String,
    /// What an administrator does to allow it, where that is possible.
    pub allow: Option<String>,
}

impl Refusal {
    pub(crate) fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            allow: None,
        }
    }

    pub(crate) fn allowed_by(mut self, allow: impl Into<String>) -> Self {
        self.allow = Some(allow.into());
        self
    }
}

/// Declares an enum whose variants have stable names for programs.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $code:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $code)] $variant,)*
        }

        impl $name {
            /// Gives the name for programs, which never changes.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }
        }
    };
}

codes! {
    /// Why the host did not allow something.
    RefusalCode {
        /// No connector of this name is installed.
        UnknownConnector = "unknown_connector",
        /// The connector has no such tool.
        UnknownTool = "unknown_tool",
        /// The agent does not have the connector.
        NotOffered = "not_offered",
        /// The tool is switched off.
        ToolDisabled = "tool_disabled",
        /// The agent has made as many calls as it may within a minute.
        CallLimit = "call_limit",
        /// The agent has changed as many records as it may within a day.
        ChangeLimit = "change_limit",
        /// A kind of record or a field that is not the agent's to touch.
        Scope = "scope",
        /// The connection's address is not one that the connector may have.
        ConnectionOrigin = "connection_origin",
        /// A request to an origin that is not the connection's and not named by the manifest.
        Origin = "origin",
        /// A name or address that is not public.
        PrivateAddress = "private_address",
        /// A path that host and service could read differently.
        Path = "path",
        /// A method and path that the manifest does not declare.
        Route = "route",
        /// A header that the route does not declare.
        Header = "header",
        /// A request beyond the tool's effect.
        Ceiling = "ceiling",
        /// A change that was not announced.
        NoTicket = "no_ticket",
        /// What was announced is not what would be sent.
        Announcement = "announcement",
        /// A second change in one call.
        SecondChange = "second_change",
        /// The stand-in for the token where it does not belong.
        Placeholder = "placeholder",
        /// A body that is incomplete, has no declared length, or has trailers.
        RequestBody = "request_body",
        /// More requests than one call may make.
        TooManyRequests = "too_many_requests",
        /// A message that could be read as another operation.
        Operation = "operation",
        /// Requests in a body that could be read as others, or that may be carried by none.
        Parts = "parts",
        /// A redirect of the service's.
        Redirect = "redirect",
        /// A response in an encoding that cannot be searched for the token.
        ResponseEncoding = "response_encoding",
        /// A person said no.
        ApprovalDenied = "approval_denied",
        /// Too much waits for a person already.
        ApprovalsFull = "approvals_full",
        /// A port did not answer.
        HostUnavailable = "host_unavailable",
    }
}

codes! {
    /// What went wrong.
    FailureCode {
        /// The arguments do not fit; `fields` says which.
        InvalidArguments = "invalid_arguments",
        /// A record or kind is not there or not visible.
        NotFound = "not_found",
        /// The service or the administrator forbids it to this account.
        NotPermitted = "not_permitted",
        /// The record changed meanwhile, or another writer holds it.
        Conflict = "conflict",
        /// A quota is used up.
        RateLimited = "rate_limited",
        /// The service does not answer, or answered that it cannot now.
        Unavailable = "unavailable",
        /// The connector or the service has a defect.
        ConnectorError = "connector_error",
        /// The connector trapped.
        Trapped = "trapped",
        /// The connector used up its stack.
        StackLimit = "stack_limit",
        /// The connector used up its memory.
        MemoryLimit = "memory_limit",
        /// The call used up its time.
        TimeLimit = "time_limit",
        /// The answer is larger than an answer may be.
        OutputLimit = "output_limit",
        /// The answer has more rows than one of this agent's may have.
        RowLimit = "row_limit",
        /// The answer does not fit the tool's output schema.
        OutputInvalid = "output_invalid",
        /// The caller gave up.
        Cancelled = "cancelled",
        /// Too many calls run at once.
        Busy = "busy",
        /// The host could not do its part.
        HostError = "host_error",
    }
}

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The stable reason.
    pub code: FailureCode,
    /// One sentence, with the service's own words.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// The service's error code, unchanged.
    pub service_code: Option<String>,
    /// Which arguments do not fit.
    pub fields: Vec<FieldProblem>,
    /// How long to wait, if known.
    pub retry_after: Option<Duration>,
}

impl Failure {
    pub(crate) fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
            service_code: None,
            fields: Vec::new(),
            retry_after: None,
        }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// An argument that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldProblem {
    /// Where: a JSON Pointer (RFC 6901) into the arguments.
    pub pointer: String,
    /// What is wrong.
    pub problem: String,
}

/// The name of an outcome that the host decided by what it does not allow.
pub(crate) const REFUSED: &str = "refused";

impl Outcome {
    /// Gives the outcome's name for programs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Done(_) => "done",
            Self::ApprovalRequired(_) => "approval_required",
            Self::ConnectRequired(_) => "connect_required",
            Self::Refused(_) => REFUSED,
            Self::Failed(_) => "failed",
        }
    }

    /// Gives the stable code of what went wrong, if something did.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Refused(refusal) => Some(refusal.code.as_str()),
            Self::Failed(failure) => Some(failure.code.as_str()),
            Self::Done(_) | Self::ApprovalRequired(_) | Self::ConnectRequired(_) => None,
        }
    }

    /// Gives what went wrong in a sentence, if something did.
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => Some(&refusal.message),
            Self::Failed(failure) => Some(&failure.message),
            Self::ConnectRequired(connect) => Some(&connect.advice),
            Self::Done(_) | Self::ApprovalRequired(_) => None,
        }
    }
}

/// Bytes as text, for they may be megabytes.
mod as_base64 {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64_STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        BASE64_STANDARD.decode(&*text).map_err(D::Error::custom)
    }
}
