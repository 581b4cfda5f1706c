//! Numbers for Prometheus, in the text form of OpenMetrics 1.0.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::seen::{CallBegun, CallEnded, RequestEnded};
use crate::{Answered, Asked, SessionEnded};

/// The bounds of times, in seconds: from a call that asked nothing of its service to one that waited for a slow report.
const SECONDS: [f64; 13] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0,
];

/// The bounds of the times of sessions, in seconds: from a client that only looks to one that stays for days.
const SESSION_SECONDS: [f64; 9] = [
    1.0, 10.0, 60.0, 300.0, 1_800.0, 3_600.0, 14_400.0, 86_400.0, 604_800.0,
];

/// Labels, by name.
type Labels<const N: usize> = [(&'static str, String); N];
type Counts<const N: usize> = Family<Labels<N>, Counter>;
type Times<const N: usize> = Family<Labels<N>, Histogram, fn() -> Histogram>;

/// Counts of all that was seen since the program began. Clones count together.
#[derive(Clone)]
pub struct Numbers(Arc<Shared>);

struct Shared {
    registry: Registry,
    calls: Counts<3>,
    call_times: Times<2>,
    requests: Counts<4>,
    request_times: Times<1>,
    operation_times: Times<2>,
    session_times: Times<2>,
    denied: Counts<2>,
    http: Counts<2>,
    http_times: Times<1>,
    sessions: Gauge,
    pending: Gauge,
}

/// What is counted when it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Open sessions of the protocol.
    pub sessions: u64,
    /// Questions that wait for a person.
    pub approvals_pending: u64,
}

impl Numbers {
    /// Begins to count.
    pub fn new() -> Self {
        let times = || Histogram::new(SECONDS);
        let mut shared = Shared {
            registry: Registry::with_prefix("portcullis"),
            calls: Family::default(),
            call_times: Family::new_with_constructor(times),
            requests: Family::default(),
            request_times: Family::new_with_constructor(times),
            operation_times: Family::new_with_constructor(times),
            session_times: Family::new_with_constructor(|| Histogram::new(SESSION_SECONDS)),
            denied: Family::default(),
            http: Family::default(),
            http_times: Family::new_with_constructor(times),
            sessions: Gauge::default(),
            pending: Gauge::default(),
        };
        shared.register();
        Self(Arc::new(shared))
    }

    /// Counts a request of HTTP that was answered: to which part of the server, and with which status.
    pub fn http(&self, part: &'static str, status: u16, took: Duration) {
        let part = ("part", part.to_owned());
        self.0
            .http
            .get_or_create(&[part.clone(), ("status", status.to_string())])
            .inc();
        let times = self.0.http_times.get_or_create(&[part]);
        times.observe(took.as_secs_f64());
    }

    /// Writes all of it.
    ///
    /// # Errors
    ///
    /// Where the text cannot be written, which a `String` always can.
    pub fn text(&self, now: Now) -> Result<String, fmt::Error> {
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.0.sessions.set(count(now.sessions));
        self.0.pending.set(count(now.approvals_pending));
        let mut text = String::new();
        encode(&mut text, &self.0.registry)?;
        Ok(text)
    }

    pub(crate) fn call(&self, call: &CallBegun, ended: &CallEnded) {
        let connector = ("connector", call.connector.clone());
        let tool = ("tool", call.tool.clone());
        let outcome = ("outcome", ended.outcome.to_string());
        let calls = &self.0.calls;
        calls
            .get_or_create(&[connector.clone(), tool.clone(), outcome])
            .inc();
        let times = self.0.call_times.get_or_create(&[connector, tool]);
        times.observe(ended.took.as_secs_f64());
    }

    pub(crate) fn request(
        &self,
        connector: &str,
        method: &str,
        effect: &str,
        ended: &RequestEnded,
    ) {
        let connector = ("connector", connector.to_owned());
        let labels = [
            connector.clone(),
            ("method", method.to_owned()),
            ("effect", effect.to_owned()),
            ("end", ended.word.to_owned()),
        ];
        self.0.requests.get_or_create(&labels).inc();
        let times = self.0.request_times.get_or_create(&[connector]);
        times.observe(ended.took.as_secs_f64());
    }

    pub(crate) fn operation(&self, asked: &Asked, answered: &Answered) {
        let error = answered.error.map_or_else(
            || "none".to_owned(),
            |code| code.to_string(), // By its number: the protocol has a handful.
        );
        let labels = [("method", asked.method.to_owned()), ("error", error)];
        let times = self.0.operation_times.get_or_create(&labels);
        times.observe(answered.took.as_secs_f64());
    }

    pub(crate) fn session(&self, session: &SessionEnded<'_>) {
        let labels = [
            ("transport", session.by.as_str().to_owned()),
            ("protocol", session.protocol.to_owned()),
        ];
        let times = self.0.session_times.get_or_create(&labels);
        times.observe(session.took.as_secs_f64());
    }

    pub(crate) fn denied(&self, connector: &str, code: &str) {
        let labels = [
            ("connector", connector.to_owned()),
            ("code", code.to_owned()),
        ];
        self.0.denied.get_or_create(&labels).inc();
    }
}

impl Shared {
    fn register(&mut self) {
        let Self {
            registry,
            calls,
            call_times,
            requests,
            request_times,
            operation_times,
            session_times,
            denied,
            http,
            http_times,
            sessions,
            pending,
        } = self;
        registry.register("calls", "Calls that ended", calls.clone());
        registry.register_with_unit(
            "call_duration",
            "Time from a call's beginning to its end",
            Unit::Seconds,
            call_times.clone(),
        );
        registry.register(
            "service_requests",
            "Requests to services that ended",
            requests.clone(),
        );
        registry.register_with_unit(
            "service_request_duration",
            "Time from a request's record to the head of its answer",
            Unit::Seconds,
            request_times.clone(),
        );
        registry.register_with_unit(
            "mcp_operation_duration",
            "Time until a request of the protocol was answered",
            Unit::Seconds,
            operation_times.clone(),
        );
        registry.register_with_unit(
            "mcp_session_duration",
            "Time from the handshake of a session of the protocol to its end; what comes without a handshake is in none",
            Unit::Seconds,
            session_times.clone(),
        );
        registry.register(
            "requests_denied",
            "Requests of connectors that the gate refused",
            denied.clone(),
        );
        registry.register(
            "http_requests",
            "Requests of HTTP that were answered",
            http.clone(),
        );
        registry.register_with_unit(
            "http_request_duration",
            "Time until the head of an answer by HTTP",
            Unit::Seconds,
            http_times.clone(),
        );
        registry.register(
            "sessions_open",
            "Open sessions of the protocol by HTTP",
            sessions.clone(),
        );
        registry.register(
            "approvals_pending",
            "Questions that wait for a person",
            pending.clone(),
        );
    }
}

impl Default for Numbers {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Numbers")
    }
}
