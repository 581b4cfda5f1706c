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

/// The bounds of times, in seconds: from a call that asked nothing of its service to one that waited for a slow report.
const SECONDS: [f64; 13] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0,
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
