//! One account's pool of connections, and the rule that a change is never sent twice.
//!
//! The HTTP library can send a request again by itself when the pooled connection that it chose
//! turns out to be closed. That is off: a request that changes something leaves at most once a call
//! of [`Client::send`], whatever the library thinks it knows. `GET` and `HEAD` are sent again
//! here, and only when the library hands the request back unwritten.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::PROXY_AUTHORIZATION;
use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::connect::{Connector, Way, way};
use super::error::{NetworkError, Phase};
use super::target::HostPort;
use super::{Reach, Shared};

/// Idle connections kept a host: more than a busy account needs, few enough to not hold a service.
const IDLE_CONNECTIONS_MAX: usize = 16;

/// How often an unwritten `GET` or `HEAD` is tried in all. Each failure empties the pool of one
/// closed connection.
const ATTEMPTS_MAX: u32 = 3;

/// The time that one request may take, where it differs from the network's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// The bound on waiting for the response's head, from the moment the connection stands.
    pub response_header: Option<Duration>,
}

/// Sends requests over a pool of its own.
///
/// Connections are shared among clones of one client and with nobody else: an account has its own
/// client, so that no two accounts ever share a connection. Redirects are answers as any other.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    reach: Arc<Reach>,
    pool: legacy::Client<Connector, Full<Bytes>>,
}

impl Client {
    pub(super) fn new(shared: Arc<Shared>, reach: Reach) -> Self {
        let reach = Arc::new(reach);
        let connector = Connector {
            shared: shared.clone(),
            reach: reach.clone(),
        };
        let pool = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(shared.options.idle_timeout)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .retry_canceled_requests(false)
            .build(connector);
        Self {
            shared,
            reach,
            pool,
        }
    }

    /// Sends `request`, whose address is absolute, and returns the head of the response; the body
    /// follows as it arrives, and bounding its size and time is the caller's.
    ///
    /// Dropping the future abandons the request: whether the service saw it is then unknown.
    ///
    /// # Errors
    ///
    /// Any [`NetworkError`]; [`NetworkError::may_have_been_sent`] says whether the service may
    /// have seen the request.
    pub async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
        timeouts: Timeouts,
    ) -> Result<Response<Incoming>, NetworkError> {
        let (target, https) = HostPort::of(request.uri())?;
        // The header is between the host and its proxy: no caller's value goes to a service.
        request.headers_mut().remove(PROXY_AUTHORIZATION);
        if !https
            && let Way::Proxy(proxy) = way(&self.shared, &self.reach, request.uri(), &target)
            && let Some(value) = proxy.authorization()
        {
            request.headers_mut().insert(PROXY_AUTHORIZATION, value);
        }
        let header_timeout = timeouts
            .response_header
            .unwrap_or(self.shared.options.response_header_timeout);

        let mut attempt = 1;
        loop {
            let again = may_try_again(request.method(), attempt).then(|| copy_of(&request));
            let error = match self.send_once(request, &target, header_timeout).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            request = match (error, again) {
                (NetworkError::Unsent { .. }, Some(copy)) => copy,
                (error, _) => return Err(error),
            };
            attempt += 1;
        }
    }

    async fn send_once(
        &self,
        mut request: Request<Full<Bytes>>,
        target: &HostPort,
        header_timeout: Duration,
    ) -> Result<Response<Incoming>, NetworkError> {
        let mut connection = capture_connection(&mut request);
        let response = self.pool.request(request);
        tokio::pin!(response);
        // Connecting has its own deadline; the wait for an answer starts when it is over.
        let early = tokio::select! {
            biased;
            done = &mut response => Some(done),
            _ = connection.wait_for_connection_metadata() => None,
        };
        let done = match early {
            Some(done) => done,
            None => tokio::time::timeout(header_timeout, response)
                .await
                .map_err(|_| NetworkError::Timeout {
                    host: target.host().to_owned(),
                    phase: Phase::ResponseHeader,
                    after: header_timeout,
                })?,
        };
        done.map_err(|error| explain(error, target))
    }
}

/// Only what is safe by its definition (RFC 9110, section 9.2.1) is sent again.
fn may_try_again(method: &Method, attempt: u32) -> bool {
    matches!(*method, Method::GET | Method::HEAD) && attempt < ATTEMPTS_MAX
}

/// Copies the request without its extensions, which belong to one attempt.
fn copy_of(request: &Request<Full<Bytes>>) -> Request<Full<Bytes>> {
    let mut copy = Request::new(request.body().clone());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    copy
}

fn explain(error: legacy::Error, target: &HostPort) -> NetworkError {
    let host = target.host().to_owned();
    let mut cause: Option<&(dyn StdError + 'static)> = error.source();
    let mut unwritten = error.is_connect();
    while let Some(current) = cause {
        if let Some(ours) = current.downcast_ref::<NetworkError>() {
            return ours.clone();
        }
        // The library's word for a request that it hands back as it was given.
        unwritten |= current
            .downcast_ref::<hyper::Error>()
            .is_some_and(hyper::Error::is_canceled);
        cause = current.source();
    }
    let source = Arc::new(error);
    match unwritten {
        true => NetworkError::Unsent { host, source },
        false => NetworkError::Broken { host, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_methods_are_tried_again_and_not_for_ever() {
        for method in [Method::GET, Method::HEAD] {
            assert!(may_try_again(&method, 1));
            assert!(!may_try_again(&method, ATTEMPTS_MAX));
        }
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            assert!(!may_try_again(&method, 1), "{method}");
        }
    }
}
