//! The form of a record: its plain part and its sealed one, as JSON.
//!
//! A call may name hundreds of texts in its sources, so that these are borrowed from what is written or read.

use std::borrow::Cow;

use portcullis_policy::{
    AgentId, ConnectionId, ConnectorName, Digest, Effect, Method, Mode, Origin, PersonId, ToolCall,
    ToolName,
};
use serde::{Deserialize, Serialize};

use super::super::lines::Note;

/// Names, ids, digests and counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::audit) enum Plain<'a> {
    Opened(Box<PlainOpened>),
    Step,
    #[serde(borrow)]
    Cited(Vec<PlainSource<'a>>),
    Announced(Vec<PlainChange>),
    Intended(Box<PlainIntent>),
    Answered(PlainAnswer),
    Denied {
        request: u32,
        code: String,
    },
    Closed(PlainClosed),
    CutOff {
        unclear: Vec<u32>,
    },
    Fetched {
        approval: String,
        call: String,
    },
    Unseen {
        request: u32,
        route: String,
    },
    Unsent(PlainUnsent),
    Note(Note),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct PlainOpened {
    pub(in crate::audit) person: PersonId,
    pub(in crate::audit) agent: AgentId,
    pub(in crate::audit) connector: ConnectorName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) component: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) tool: Option<ToolName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) effect: Option<Effect>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) mode: Option<Mode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) rule: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) connection: Option<ConnectionId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct PlainSource<'a> {
    #[serde(borrow)]
    pub(super) kind: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub(super) fields: Vec<Name<'a>>,
}

/// A name in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::audit) struct Name<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl<'a> Name<'a> {
    pub(super) fn of(name: &'a str) -> Self {
        Self(Cow::Borrowed(name))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct PlainChange {
    pub(super) action: String,
    pub(super) kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) fields: Vec<PlainField>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct PlainField {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pointer: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct PlainIntent {
    pub(in crate::audit) request: u32,
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub(in crate::audit) attempt: u32,
    pub(in crate::audit) effect: Effect,
    pub(super) method: Method,
    pub(super) origin: Origin,
    pub(super) route: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<PlainPart>,
    pub(in crate::audit) body_bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) approval: Option<String>,
}

/// A request that another carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct PlainPart {
    pub(super) method: Method,
    pub(super) route: String,
}

/// Which time it is where nothing is said.
fn first() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as `serde` asks for it")]
fn is_first(attempt: &u32) -> bool {
    *attempt == first()
}

/// A time that was written down and not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct PlainUnsent {
    pub(super) request: u32,
    pub(super) attempt: u32,
    pub(in crate::audit) body_bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct PlainAnswer {
    pub(in crate::audit) request: u32,
    pub(in crate::audit) effect: Effect,
    pub(in crate::audit) end: PlainEnd,
    #[serde(default)]
    pub(super) renewed: bool,
    pub(super) elapsed_us: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body_bytes: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::audit) enum PlainEnd {
    Status(u16),
    Refused(u16),
    InPart {
        status: u16,
        refused: Vec<u32>,
        of: u32,
    },
    NotModified,
    NotSent,
    Unclear,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::audit) struct PlainClosed {
    pub(in crate::audit) outcome: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::audit) code: Option<String>,
    pub(super) dropped: u32,
    #[serde(default)]
    pub(in crate::audit) received_bytes: u64,
    pub(in crate::audit) elapsed_us: u64,
}

/// Queries, labels, addresses, messages and arguments.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::audit) enum Hidden<'a> {
    Arguments(String),
    Step(String, Option<String>),
    /// The label and the address of each source, of older records.
    Cited(Vec<(Option<String>, Option<String>)>),
    #[serde(borrow)]
    Sources(Vec<HiddenSource<'a>>),
    Announced(Vec<HiddenChange>),
    Intended {
        path: String,
        /// What a read asks of a SOAP service.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// Of each request that it carries.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        parts: Vec<String>,
        body: Digest,
        /// It names a record, and may have more of it in its arguments.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        finds_out: Option<ToolCall>,
    },
    /// A reason or a message.
    Text(String),
}

#[derive(Clone, Serialize, Deserialize)]
pub(in crate::audit) struct HiddenChange {
    pub(super) label: String,
    pub(super) url: Option<String>,
    /// The connector's words, where values are kept; older records have them always.
    pub(super) notes: Vec<String>,
    pub(super) undo: Option<String>,
    /// The label of each field, and its values where they are kept.
    pub(super) fields: Vec<(String, Option<String>, Option<String>)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) names: Option<HiddenNames>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(in crate::audit) struct HiddenSource<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) label: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) names: Option<HiddenNames>,
}

/// What a connector names, where it is not shaped as a name: in the clear it could be anything that was read.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::audit) struct HiddenNames {
    /// Of a change.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) action: String,
    pub(super) kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    /// The name of each field, and its place.
    pub(super) fields: Vec<(String, Option<String>)>,
}
