//! A call and its answer, as an embedder sees them.

use std::fmt;

use portcullis_policy::{Card, Method, ToolCall};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{ApprovalId, CallId};
use crate::ports::audit::RequestEnd;

mod asked;
mod wrong;

pub use asked::{Call, Cancellation, Progress};
pub use wrong::{Failure, FailureCode, FieldProblem, Refusal, RefusalCode};

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
