//! How a request can end at the gate without an answer for the guest.

use portcullis_policy::Method;
use wasmtime_wasi_http::Error;

use crate::network::{NetworkError, Phase};
use crate::ports::PortError;
use crate::reply::{ApprovalRequired, Refusal, RefusalCode};

/// A request that has no answer.
#[derive(Debug)]
pub(crate) enum GateFailure {
    /// It is not allowed.
    Refused(Refusal),
    /// It waits for a person.
    Held(Box<ApprovalRequired>),
    /// Another request of the call was stopped before.
    Latched,
    /// Its body is too large.
    BodyTooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// It was let through, and the service gave no usable answer; the log says so already.
    Unanswered(Error),
}

impl From<Refusal> for GateFailure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl GateFailure {
    pub(crate) fn refused(code: RefusalCode, message: impl Into<String>) -> Self {
        Self::Refused(Refusal::new(code, message))
    }

    /// A port that did not answer: what depends on it does not happen.
    pub(crate) fn unavailable(what: &str, error: &PortError) -> Self {
        tracing::error!(%error, what, "a port failed; the request is refused");
        Self::refused(
            RefusalCode::HostUnavailable,
            format!("the host could not {what}, and so sent nothing: {error}"),
        )
    }
}

/// Says what the guest is told of a network's failure, in the words of `wasi:http`.
pub(crate) fn network(error: &NetworkError) -> Error {
    match error {
        NetworkError::Resolve { .. } => Error::DnsError {
            rcode: None,
            info_code: None,
        },
        NetworkError::PrivateAddress { .. } => Error::DestinationIpProhibited,
        NetworkError::Connect { .. }
        | NetworkError::ProxyConnect { .. }
        | NetworkError::ProxyRefused { .. } => Error::ConnectionRefused,
        NetworkError::Tls { .. } | NetworkError::NoRoots => Error::TlsCertificateError,
        NetworkError::TlsBroken { .. } => Error::TlsProtocolError,
        NetworkError::Timeout {
            phase: Phase::ResponseHeader,
            ..
        } => Error::HttpResponseTimeout,
        NetworkError::Timeout { .. } => Error::ConnectionTimeout,
        NetworkError::Setting { .. }
        | NetworkError::Address { .. }
        | NetworkError::ProxyProtocol { .. } => Error::ConfigurationError,
        NetworkError::Unsent { .. } | NetworkError::Broken { .. } => Error::ConnectionTerminated,
    }
}

/// Names a request without what may hold values: its query.
pub(crate) fn name(method: Method, path: &str) -> String {
    let path: String = path.chars().take(200).collect();
    format!("{method} {path}")
}
