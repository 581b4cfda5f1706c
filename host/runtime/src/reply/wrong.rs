//! What the host did not allow, and what went wrong, with their stable codes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

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
