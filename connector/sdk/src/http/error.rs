//! What a failed request means to the caller.

use crate::bindings::wasi::http::types::ErrorCode;
use crate::failure::{Failure, Reason};

/// Turns an error of `wasi:http` into a failure whose reason says who can do something about it.
pub(super) fn failure(error: &ErrorCode) -> Failure {
    let (reason, message) = classify(error);
    let failure = Failure::new(reason, message);
    match error {
        ErrorCode::HttpRequestBodySize(_) => failure.hint("send less in one call"),
        ErrorCode::HttpRequestUriTooLong => failure.hint("shorten the arguments"),
        ErrorCode::HttpResponseBodySize(_) => failure.hint("ask for fewer records or fields"),
        ErrorCode::TlsCertificateError => {
            failure.hint("an operator can name the company's certificates to the host")
        }
        _ => failure,
    }
}

fn classify(error: &ErrorCode) -> (Reason, String) {
    use ErrorCode as E;
    match error {
        E::HttpRequestDenied => (Reason::Stopped, "the host stopped the request".to_owned()),
        E::DestinationIpProhibited => (
            Reason::NotPermitted,
            "the service's name leads to an address that the host does not allow".to_owned(),
        ),

        E::DnsTimeout
        | E::ConnectionTimeout
        | E::ConnectionReadTimeout
        | E::ConnectionWriteTimeout
        | E::HttpResponseTimeout => (
            Reason::Unavailable,
            "the service did not answer in time".to_owned(),
        ),

        E::DnsError(_)
        | E::DestinationNotFound
        | E::DestinationUnavailable
        | E::DestinationIpUnroutable
        | E::ConnectionRefused => (
            Reason::Unavailable,
            format!("the service could not be reached: {error}"),
        ),
        E::ConnectionTerminated | E::HttpResponseIncomplete => (
            Reason::Unavailable,
            "the service ended the connection before its answer was complete".to_owned(),
        ),
        E::ConnectionLimitReached => (
            Reason::Unavailable,
            "too many connections to the service are open".to_owned(),
        ),
        E::TlsProtocolError | E::TlsCertificateError | E::TlsAlertReceived(_) => (
            Reason::Unavailable,
            format!("no secure connection to the service could be made: {error}"),
        ),

        E::HttpRequestBodySize(_) | E::HttpRequestUriTooLong => (
            Reason::InvalidArgument,
            "the request is larger than the host allows".to_owned(),
        ),
        E::HttpResponseBodySize(_) => (
            Reason::Internal,
            "the service's answer is larger than the host allows".to_owned(),
        ),

        E::HttpRequestLengthRequired
        | E::HttpRequestMethodInvalid
        | E::HttpRequestUriInvalid
        | E::HttpRequestHeaderSectionSize(_)
        | E::HttpRequestHeaderSize(_)
        | E::HttpRequestTrailerSectionSize(_)
        | E::HttpRequestTrailerSize(_) => (
            Reason::Internal,
            format!("the connector made a request that cannot be sent: {error}"),
        ),

        E::HttpResponseHeaderSectionSize(_)
        | E::HttpResponseHeaderSize(_)
        | E::HttpResponseTrailerSectionSize(_)
        | E::HttpResponseTrailerSize(_)
        | E::HttpResponseTransferCoding(_)
        | E::HttpResponseContentCoding(_)
        | E::HttpUpgradeFailed
        | E::HttpProtocolError
        | E::LoopDetected => (
            Reason::Internal,
            format!("the service's answer could not be read: {error}"),
        ),
        E::ConfigurationError => (
            Reason::Internal,
            "the host's HTTP client is not configured correctly".to_owned(),
        ),
        E::InternalError(detail) => {
            let detail = detail.as_deref().unwrap_or("it gave no reason");
            (
                Reason::Internal,
                format!("the host failed to send the request: {detail}"),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denied_request_is_stopped_and_nothing_else_is() {
        assert_eq!(
            failure(&ErrorCode::HttpRequestDenied).reason,
            Reason::Stopped
        );
        for other in [
            ErrorCode::DestinationIpProhibited,
            ErrorCode::ConnectionRefused,
            ErrorCode::HttpRequestBodySize(None),
            ErrorCode::InternalError(None),
        ] {
            assert_ne!(failure(&other).reason, Reason::Stopped, "{other:?}");
        }
    }

    #[test]
    fn what_may_pass_is_unavailable() {
        for error in [
            ErrorCode::DnsTimeout,
            ErrorCode::ConnectionTimeout,
            ErrorCode::HttpResponseTimeout,
            ErrorCode::ConnectionRefused,
            ErrorCode::ConnectionTerminated,
            ErrorCode::HttpResponseIncomplete,
            ErrorCode::TlsCertificateError,
        ] {
            assert_eq!(failure(&error).reason, Reason::Unavailable, "{error:?}");
        }
    }

    #[test]
    fn what_the_caller_can_shorten_says_so() {
        let failure = failure(&ErrorCode::HttpRequestBodySize(Some(9)));
        assert_eq!(failure.reason, Reason::InvalidArgument);
        assert_eq!(failure.hint.as_deref(), Some("send less in one call"));
    }
}
