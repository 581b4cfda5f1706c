//! Traces and metrics for a collector of OpenTelemetry, by OTLP over HTTP.
//!
//! Names are those of the semantic conventions for the Model Context Protocol, for generative AI and for HTTP; what those have no
//! name for begins with `portcullis.`. The address of a resource that is read is left out, for it names a record, and so is a session's id. A call that
//! waits for a person or an account is no error. The variables `OTEL_…` of the specification set the rest, such as headers for the collector.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use opentelemetry::metrics::{Histogram, MeterProvider};
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Span, SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{
    ExporterBuildError, MetricExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use portcullis::network::{Client, Timeouts};
use tokio::runtime::Handle;

use crate::seen::{CallBegun, CallEnded, RequestEnded, RequestSeen};
use crate::{Answered, Asked, Now, SessionEnded, Target, Transport};

/// How a program is called where `OTEL_SERVICE_NAME` says nothing else.
const NAME: &str = "portcullis";
/// How long the head of a collector's answer may take.
const HEAD_WAITS: Duration = Duration::from_secs(10);
/// How long all of it may take.
const ANSWER_WAITS: Duration = Duration::from_secs(15);
/// Bytes of a collector's answer; it has next to nothing to say.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// The method by which a client calls a tool.
const TOOLS_CALL: &str = "tools/call";
/// What the conventions for generative AI call that.
const EXECUTE_TOOL: &str = "execute_tool";
/// What the conventions call a tool's result that says that something went wrong.
const TOOL_ERROR: &str = "tool_error";
/// The bounds of the times of operations and sessions in seconds, as the conventions for the protocol have them.
const MCP_SECONDS: [f64; 14] = [
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0,
];
/// The bounds of the times of requests in seconds, as the conventions for HTTP have them.
const HTTP_SECONDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// Where a collector is, and how it is reached.
pub struct Collector {
    /// Its address, without `/v1/traces` and `/v1/metrics`.
    pub endpoint: String,
    /// Reaches it.
    pub client: Client,
    /// The program's version.
    pub version: &'static str,
}

/// It could not be begun to tell a collector.
#[derive(Debug, thiserror::Error)]
#[error("`{endpoint}` cannot be the address of a collector")]
pub struct ExportingError {
    endpoint: String,
    #[source]
    source: ExporterBuildError,
}

/// Tells a collector. Clones tell the same.
#[derive(Clone)]
pub struct Exporting {
    traces: SdkTracerProvider,
    metrics: SdkMeterProvider,
    tracer: SdkTracer,
    operations: Histogram<f64>,
    requests: Histogram<f64>,
    sessions: Histogram<f64>,
}

impl Exporting {
    /// Begins to tell a collector, from threads of its own: no call waits for it. Must be called within a runtime of tokio, which sends.
    ///
    /// # Errors
    ///
    /// [`ExportingError`].
    pub fn begin(collector: Collector) -> Result<Self, ExportingError> {
        let Collector {
            endpoint,
            client,
            version,
        } = collector;
        let base = endpoint.trim_end_matches('/').to_owned();
        let refused = |source| ExportingError {
            endpoint: endpoint.clone(),
            source,
        };
        let sends = Sends {
            client,
            runtime: Handle::current(),
        };
        let spans = SpanExporter::builder()
            .with_http()
            .with_http_client(sends.clone())
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{base}/v1/traces"))
            .build()
            .map_err(refused)?;
        let numbers = MetricExporter::builder()
            .with_http()
            .with_http_client(sends)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{base}/v1/metrics"))
            .build()
            .map_err(refused)?;
        let resource = resource(version);
        let traces = SdkTracerProvider::builder()
            .with_batch_exporter(spans)
            .with_resource(resource.clone())
            .build();
        let metrics = SdkMeterProvider::builder()
            .with_reader(PeriodicReader::builder(numbers).build())
            .with_resource(resource)
            .build();
        let meter = metrics.meter(NAME);
        let seconds = |name: &'static str, words: &'static str, bounds: &[f64]| {
            meter
                .f64_histogram(name)
                .with_unit("s")
                .with_description(words)
                .with_boundaries(bounds.to_vec())
                .build()
        };
        Ok(Self {
            tracer: traces.tracer(NAME),
            operations: seconds(
                "mcp.server.operation.duration",
                "Time until a request of the protocol was answered",
                &MCP_SECONDS,
            ),
            requests: seconds(
                "http.client.request.duration",
                "Time until the head of a service's answer",
                &HTTP_SECONDS,
            ),
            sessions: seconds(
                "mcp.server.session.duration",
                "Time from the handshake of a session of the protocol to its end; what comes without a handshake is in none",
                &MCP_SECONDS,
            ),
            traces,
            metrics,
        })
    }

    /// Tells what is left to tell, and ends. Blocks for as long as the collector takes: not for a thread that runs tasks.
    pub fn end(&self) {
        for ended in [self.traces.shutdown(), self.metrics.shutdown()] {
            if let Err(error) = ended {
                tracing::warn!(%error, "the collector was not told all");
            }
        }
    }

    /// Has the numbers of what there is now told, too, each time that a collector is told of metrics: `now` finds them out, and may block.
    pub fn watch(&self, now: impl Fn() -> Option<Now> + Send + Sync + 'static) {
        let now = Arc::new(now);
        let meter = self.metrics.meter(NAME);
        let gauge = |name: &'static str, words: &'static str, of: fn(Now) -> u64| {
            let now = Arc::clone(&now);
            meter
                .u64_observable_gauge(name)
                .with_description(words)
                .with_callback(move |observer| {
                    if let Some(now) = now() {
                        observer.observe(of(now), &[]);
                    }
                })
                .build()
        };
        gauge(
            "portcullis.sessions.open",
            "Open sessions of the protocol by HTTP",
            |now| now.sessions,
        );
        gauge(
            "portcullis.approvals.pending",
            "Questions that wait for a person",
            |now| now.approvals_pending,
        );
    }

    /// Tells of a request that was answered without a call.
    pub(crate) fn answered(&self, asked: &Asked, answered: &Answered) {
        let mut attributes = of_asked(asked);
        let target = answered.target.as_ref().map(|target| match target {
            Target::Tool(name) => {
                attributes.push(KeyValue::new("gen_ai.operation.name", EXECUTE_TOOL));
                attributes.push(KeyValue::new("gen_ai.tool.name", name.clone()));
                name
            }
            Target::Prompt(name) => {
                attributes.push(KeyValue::new("gen_ai.prompt.name", name.clone()));
                name
            }
        });
        if let Some(code) = answered.error {
            attributes.push(KeyValue::new("error.type", code.to_string()));
            attributes.push(KeyValue::new("rpc.response.status_code", code.to_string()));
        }
        self.operations
            .record(answered.took.as_secs_f64(), &attributes);
        attributes.push(KeyValue::new("jsonrpc.request.id", asked.request.clone()));
        let name = match target {
            Some(target) => format!("{} {target}", asked.method),
            None => asked.method.to_owned(),
        };
        let span = self
            .tracer
            .span_builder(name)
            .with_kind(SpanKind::Server)
            .with_start_time(answered.at)
            .with_attributes(attributes);
        let mut span = self.tracer.build_with_context(span, &parent(Some(asked)));
        if answered.error.is_some() {
            span.set_status(Status::error(""));
        }
        span.end_with_timestamp(after(answered.at, answered.took));
    }

    /// Tells of a session that ended.
    pub(crate) fn session(&self, session: &SessionEnded<'_>) {
        let protocol = KeyValue::new("mcp.protocol.version", session.protocol.to_owned());
        let mut attributes = vec![protocol];
        attributes.extend(of_transport(session.by));
        self.sessions
            .record(session.took.as_secs_f64(), &attributes);
    }

    pub(crate) fn call(&self, call: &CallBegun, ended: &CallEnded) {
        let asked = call.asked.as_ref();
        let is_tool_call = asked.is_none_or(|asked| asked.method == TOOLS_CALL);
        let mut attributes = asked.map(of_asked).unwrap_or_default();
        if is_tool_call {
            attributes.push(KeyValue::new("gen_ai.operation.name", EXECUTE_TOOL));
        }
        attributes.extend([
            KeyValue::new("gen_ai.tool.name", call.tool.clone()),
            KeyValue::new("portcullis.connector", call.connector.clone()),
            KeyValue::new("portcullis.outcome", ended.outcome.to_string()),
        ]);
        let error = ended.error();
        if let Some(code) = &error {
            // A tool's result that says so is all that the protocol knows of what went wrong.
            let kind = match is_tool_call {
                true => TOOL_ERROR.to_owned(),
                false => code.clone(),
            };
            attributes.push(KeyValue::new("error.type", kind));
            attributes.push(KeyValue::new("portcullis.code", code.clone()));
        }
        // The check after a sign-in answers no client.
        if asked.is_some() {
            self.operations
                .record(ended.took.as_secs_f64(), &attributes);
        }
        attributes.push(KeyValue::new("portcullis.call.id", call.id.to_string()));
        attributes.push(KeyValue::new("gen_ai.agent.id", call.agent.clone()));
        attributes
            .extend(asked.map(|asked| KeyValue::new("jsonrpc.request.id", asked.request.clone())));
        let (name, kind) = match asked {
            Some(asked) if is_tool_call => {
                (format!("{} {}", asked.method, call.tool), SpanKind::Server)
            }
            Some(asked) => (asked.method.to_owned(), SpanKind::Server),
            None => (format!("{EXECUTE_TOOL} {}", call.tool), SpanKind::Internal),
        };
        let span = self
            .tracer
            .span_builder(name)
            .with_kind(kind)
            .with_start_time(call.at)
            .with_attributes(attributes);
        let mut span = self.tracer.build_with_context(span, &parent(asked));
        if error.is_some() {
            span.set_status(Status::error(""));
        }
        let within = Context::new().with_remote_span_context(span.span_context().clone());
        for request in &call.requests {
            self.span_of(request, &within);
        }
        span.end_with_timestamp(after(call.at, ended.took));
    }

    pub(crate) fn request(&self, connector: &str, request: &RequestSeen, ended: &RequestEnded) {
        let mut attributes = of_request(request, Some(ended));
        attributes.push(KeyValue::new("portcullis.connector", connector.to_owned()));
        self.requests.record(ended.took.as_secs_f64(), &attributes);
    }

    fn span_of(&self, request: &RequestSeen, within: &Context) {
        let ended = request.end.as_ref();
        let span = self
            .tracer
            .span_builder(format!("{} {}", request.method, request.route))
            .with_kind(SpanKind::Client)
            .with_start_time(request.at)
            .with_attributes(of_request(request, ended));
        let mut span = self.tracer.build_with_context(span, within);
        if ended.is_none_or(|ended| ended.error().is_some()) {
            span.set_status(Status::error(""));
        }
        span.end_with_timestamp(after(
            request.at,
            ended.map_or(Duration::ZERO, |ended| ended.took),
        ));
    }
}

impl fmt::Debug for Exporting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exporting")
    }
}

impl CallEnded {
    /// Gives the code of what went wrong, where something did.
    fn error(&self) -> Option<String> {
        let went_wrong = !matches!(
            &*self.outcome,
            "done" | "approval_required" | "connect_required"
        );
        let code = self.code.as_ref().unwrap_or(&self.outcome);
        went_wrong.then(|| code.to_string())
    }
}

impl RequestEnded {
    fn error(&self) -> Option<String> {
        match self.status {
            Some(status) if status < 400 => None,
            Some(status) => Some(status.to_string()),
            None => Some(self.word.to_owned()),
        }
    }
}

/// Says what program this is.
fn resource(version: &'static str) -> Resource {
    let ours = Resource::builder_empty()
        .with_attribute(KeyValue::new("service.name", NAME))
        .with_attribute(KeyValue::new("service.version", version))
        .build();
    // What the variables say goes before.
    let said = Resource::builder().build();
    let is_named = said
        .get(&"service.name".into())
        .is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    let said = said
        .iter()
        .filter(|(key, _)| is_named || key.as_str() != "service.name")
        .map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
    let ours = ours
        .iter()
        .map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
    Resource::builder_empty()
        .with_attributes(ours.chain(said))
        .build()
}

/// Gives the span in which a client asked, if it said so.
fn parent(asked: Option<&Asked>) -> Context {
    let said = asked.and_then(|asked| asked.traceparent.clone());
    let said = said.map(|parent| ("traceparent".to_owned(), parent));
    let said: std::collections::HashMap<String, String> = said.into_iter().collect();
    TraceContextPropagator::new().extract_with_context(&Context::new(), &said)
}

/// Gives what the conventions have of a request, but for its id.
fn of_asked(asked: &Asked) -> Vec<KeyValue> {
    let mut attributes = vec![KeyValue::new("mcp.method.name", asked.method)];
    let protocol = asked.protocol.clone();
    attributes.extend(protocol.map(|version| KeyValue::new("mcp.protocol.version", version)));
    attributes.extend(of_transport(asked.transport));
    attributes
}

/// Gives what the conventions have of how messages come.
fn of_transport(transport: Transport) -> Vec<KeyValue> {
    match transport {
        Transport::Pipe => vec![KeyValue::new("network.transport", "pipe")],
        Transport::Http => vec![
            KeyValue::new("network.transport", "tcp"),
            KeyValue::new("network.protocol.name", "http"),
        ],
    }
}

fn of_request(request: &RequestSeen, ended: Option<&RequestEnded>) -> Vec<KeyValue> {
    let mut attributes = vec![
        KeyValue::new("http.request.method", request.method.clone()),
        KeyValue::new("url.template", request.route.clone()),
        KeyValue::new("server.address", request.host.clone()),
        KeyValue::new("server.port", i64::from(request.port)),
        KeyValue::new("portcullis.effect", request.effect),
    ];
    let status = ended.and_then(|ended| ended.status);
    attributes
        .extend(status.map(|status| KeyValue::new("http.response.status_code", i64::from(status))));
    let error = match ended {
        Some(ended) => ended.error(),
        None => Some("abandoned".to_owned()),
    };
    attributes.extend(error.map(|error| KeyValue::new("error.type", error)));
    attributes
}

fn after(at: SystemTime, took: Duration) -> SystemTime {
    at.checked_add(took).unwrap_or(at)
}

/// Sends to the collector by the host's own network.
#[derive(Clone)]
struct Sends {
    client: Client,
    /// What tells the collector runs in threads that have none.
    runtime: Handle,
}

#[async_trait]
impl HttpClient for Sends {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move {
            let sent = tokio::time::timeout(ANSWER_WAITS, send(client, request)).await;
            sent.unwrap_or_else(|_| Err("it did not answer in time".into()))
        });
        let answered = sent.await.map_err(HttpError::from).flatten();
        if let Err(error) = &answered {
            tracing::warn!(%error, "the collector of OpenTelemetry was not reached");
        }
        answered
    }
}

async fn send(client: Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let timeouts = Timeouts {
        response_header: Some(HEAD_WAITS),
    };
    let response = client.send(request.map(Full::new), timeouts).await?;
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await?;
    if !parts.status.is_success() {
        tracing::warn!(status = %parts.status, "the collector of OpenTelemetry refused what it was sent");
    }
    Ok(Response::from_parts(parts, body.to_bytes()))
}

impl fmt::Debug for Sends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sends")
    }
}
