//! What operators watch: numbers at an address of their own, and what a collector of OpenTelemetry is told. Neither has anything of records.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use rmcp::transport::TokioChildProcess;
use serde_json::json;

use super::client::Client;
use super::{HOST, connect, count, site};
use crate::program::{PROGRAM, cache};
use crate::public::{BASE, Place, Server};

/// What takes longer does not come.
const LONG: Duration = Duration::from_secs(30);

/// Starts a server that is watched, and says where its numbers are.
fn start(place: &Place, more: &[&str], variables: &[(&str, &str)]) -> Server {
    let allowed = place.org.address().to_string();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--public-url", BASE];
    let reach = ["--allow-origin", &allowed, "--log", "info"];
    let mut command = place
        .home
        .command("ada", &[&serve[..], &reach, more].concat());
    command.envs(variables.iter().copied());
    Server::of(command)
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_counted_and_nobody_is_named() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    let server = start(&place, &["--metrics", "127.0.0.1:0"], &[]);
    let at = server.said.split_once("http://").unwrap().1;
    let at = at.split_once("/metrics").unwrap().0.to_owned();
    let token = place.token("ada").await;
    let ada = Client::new(server.address, HOST, &token).begun().await;
    for _ in 0..3 {
        assert_eq!(
            ada.call("query", count()).await["content"][0]["text"],
            "count: 60"
        );
    }
    assert_eq!(
        ada.call("update_record", site("Munich")).await["isError"],
        true
    );
    // What a caller makes up is no name of a series.
    let made_up = json!({"name": "made_up_by_a_caller", "arguments": {}});
    assert!(ada.ask("tools/call", made_up).await.message()["error"].is_object());
    let mut scrape = ada.clone();
    scrape.address = at.parse().unwrap();
    scrape.host = at.clone();
    scrape.path = "/metrics".to_owned();
    (scrape.token, scrape.session) = (None, None);
    let scraped = scrape.request("GET", &[], Default::default()).await;
    assert_eq!(scraped.status, 200, "{}", scraped.text);
    let media = scraped.header("content-type").unwrap();
    assert!(media.starts_with("application/openmetrics-text"), "{media}");
    let text = &scraped.text;
    for line in [
        "portcullis_calls_total{connector=\"salesforce\",tool=\"query\",outcome=\"done\"} 3",
        "portcullis_calls_total{connector=\"salesforce\",tool=\"update_record\",outcome=\"approval_required\"} 1",
        "portcullis_call_duration_seconds_count{connector=\"salesforce\",tool=\"query\"} 3",
        "portcullis_service_requests_total{connector=\"salesforce\",method=\"GET\",effect=\"read\",end=\"2xx\"}",
        "portcullis_sessions_open 1",
        "portcullis_approvals_pending 1",
        "portcullis_http_requests_total{part=\"mcp\",status=\"200\"}",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    for secret in ["ada", "Munich", "SELECT", "made_up", "001DO", "helper"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    operations_and_sessions(&ada, &scrape).await;
    assert!(text.ends_with("# EOF\n"));
    // A page of somebody else's that has this machine's address by a name of its own.
    scrape.host = "evil.example".to_owned();
    let refused = scrape.request("GET", &[], Default::default()).await;
    assert_eq!(refused.status, 403);
    assert!(!refused.text.contains("portcullis_"));
    // The address where clients are has none.
    let mut public = ada.clone();
    public.path = "/metrics".to_owned();
    let public = public.request("GET", &[], Default::default()).await;
    assert!(!public.text.contains("portcullis_"), "{}", public.text);
}

/// Holds each request of the protocol to be counted by its method, and a session that ends by how long it lasted.
async fn operations_and_sessions(ada: &Client, scrape: &Client) {
    ada.ask("made_up/by_a_caller", json!({})).await;
    ada.ask("resources/read", json!({"uri": 7})).await;
    let ended = ada.request("DELETE", &[], Default::default()).await;
    assert_eq!(ended.status, 204, "{}", ended.text);
    let is_counted = async {
        let session = "portcullis_mcp_session_duration_seconds_count{transport=\"http\",protocol=\"2025-06-18\"} 1";
        loop {
            let scraped = scrape.request("GET", &[], Default::default()).await;
            if scraped.text.contains(session) {
                return scraped.text;
            }
            tokio::task::yield_now().await;
        }
    };
    let text = tokio::time::timeout(LONG, is_counted).await.unwrap();
    for (method, error, count) in [
        ("initialize", "none", 1),
        ("tools/call", "none", 4),
        ("tools/call", "-32602", 1),
        ("resources/read", "-32602", 1),
        ("_OTHER", "-32601", 1),
    ] {
        let line = format!(
            "portcullis_mcp_operation_duration_seconds_count{{method=\"{method}\",error=\"{error}\"}} {count}"
        );
        assert!(text.contains(&line), "{line}\n{text}");
    }
    assert!(!text.contains("made_up"), "{text}");
    assert!(text.contains("portcullis_sessions_open 0"), "{text}");
}

/// A collector: keeps what it is sent.
#[derive(Clone, Default)]
struct Told {
    traces: Arc<Mutex<Vec<Bytes>>>,
    metrics: Arc<Mutex<Vec<Bytes>>>,
    headers: Arc<Mutex<Vec<HeaderMap>>>,
}

async fn collector() -> (String, Told) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let told = Told::default();
    let traces = async |State(told): State<Told>, headers: HeaderMap, body: Bytes| {
        told.traces.lock().unwrap().push(body);
        told.headers.lock().unwrap().push(headers);
        StatusCode::OK
    };
    let metrics = async |State(told): State<Told>, body: Bytes| {
        told.metrics.lock().unwrap().push(body);
        StatusCode::OK
    };
    let router = Router::new()
        .route("/v1/traces", post(traces))
        .route("/v1/metrics", post(metrics))
        .with_state(told.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, told)
}

impl Told {
    fn spans(&self) -> Vec<Span> {
        let traces = self.traces.lock().unwrap();
        let traces = traces
            .iter()
            .map(|body| ExportTraceServiceRequest::decode(body.clone()).unwrap());
        traces
            .flat_map(|told| told.resource_spans)
            .flat_map(|told| told.scope_spans)
            .flat_map(|told| told.spans)
            .collect()
    }
}

/// Gives an attribute as a text.
fn attribute(attributes: &[KeyValue], name: &str) -> Option<String> {
    let found = attributes.iter().find(|one| one.key == name)?;
    match found.value.as_ref()?.value.as_ref()? {
        Any::StringValue(text) => Some(text.clone()),
        Any::IntValue(number) => Some(number.to_string()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_is_told_of_calls_and_their_requests() {
    const PARENT: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let place = Place::new().await;
    connect(&place, "ada").await;
    let (url, told) = collector().await;
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=let-me-in"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "100"),
    ];
    let server = start(&place, &[], &variables);
    let token = place.token("ada").await;
    let ada = Client::new(server.address, HOST, &token).begun().await;
    let asked = json!({
        "name": "query", "arguments": count(),
        "_meta": {"traceparent": format!("00-{PARENT}-00f067aa0ba902b7-01")},
    });
    let answer = ada.ask("tools/call", asked).await.message();
    assert_eq!(answer["result"]["content"][0]["text"], "count: 60");
    let wrong = json!({"soql": "SELECT Nonsense__c FROM Account WHERE Name = 'Slartibartfast'"});
    assert_eq!(ada.call("query", wrong).await["isError"], true);
    let (home, calls) = (place.home, place.org.requests());
    assert!(calls > 0);
    assert_eq!(
        ada.call("update_record", site("Munich")).await["isError"],
        true
    );
    others(&ada).await;
    for gauge in ["portcullis.sessions.open", "portcullis.approvals.pending"] {
        let is_told = async {
            while gauges(&told, gauge).last() != Some(&1) {
                tokio::task::yield_now().await;
            }
        };
        let is_told = tokio::time::timeout(LONG, is_told).await;
        is_told.unwrap_or_else(|_| panic!("{gauge}: {:?}", gauges(&told, gauge)));
    }
    // At its end it tells the rest.
    server.tell_to_end();
    let ended = tokio::task::spawn_blocking(move || server.ended()).await;
    let (code, log) = ended.unwrap();
    assert_eq!(code, 0, "{log}");
    let spans = told.spans();
    let call = spans.iter().find(|span| {
        span.name == "tools/call query"
            && attribute(&span.attributes, "portcullis.outcome").as_deref() == Some("done")
    });
    let call = call.unwrap_or_else(|| panic!("{spans:#?}\n{log}"));
    let has = |name: &str| attribute(&call.attributes, name);
    assert_eq!(has("mcp.method.name").as_deref(), Some("tools/call"));
    assert_eq!(has("gen_ai.tool.name").as_deref(), Some("query"));
    assert_eq!(
        has("gen_ai.operation.name").as_deref(),
        Some("execute_tool")
    );
    assert_eq!(has("jsonrpc.request.id").as_deref(), Some("1"));
    assert_eq!(has("mcp.protocol.version").as_deref(), Some("2025-06-18"));
    assert_eq!(has("network.transport").as_deref(), Some("tcp"));
    assert_eq!(has("error.type"), None);
    // By this the audit log has it.
    let id = has("portcullis.call.id").unwrap();
    let activity = home.json(&["activity"]).to_string();
    assert!(activity.contains(&id), "{activity}");
    let trace: String = call
        .trace_id
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(trace, PARENT, "the client's own trace goes on");
    let request = spans.iter().find(|span| {
        let route = attribute(&span.attributes, "url.template");
        span.parent_span_id == call.span_id
            && span.trace_id == call.trace_id
            && route.is_some_and(|route| route.ends_with("/query"))
    });
    let request = request.unwrap_or_else(|| panic!("{spans:#?}"));
    let has = |name: &str| attribute(&request.attributes, name);
    assert_eq!(has("http.request.method").as_deref(), Some("GET"));
    assert_eq!(has("http.response.status_code").as_deref(), Some("200"));
    assert!(has("url.template").unwrap().contains('{'), "{request:?}");
    assert!(request.start_time_unix_nano >= call.start_time_unix_nano);
    assert!(request.end_time_unix_nano <= call.end_time_unix_nano);
    let failed = spans.iter().find(|span| {
        attribute(&span.attributes, "portcullis.outcome").as_deref() == Some("failed")
    });
    let failed = failed.unwrap_or_else(|| panic!("{spans:#?}"));
    let has = |name: &str| attribute(&failed.attributes, name);
    assert_eq!(has("error.type").as_deref(), Some("tool_error"));
    assert!(has("portcullis.code").is_some(), "{failed:?}");
    each_method_is_told(&spans);
    let metrics: BTreeMap<String, Data> = measured(&told).into_iter().collect();
    for name in [
        "mcp.server.operation.duration",
        // It was open until the end.
        "mcp.server.session.duration",
        "http.client.request.duration",
    ] {
        let Some(Data::Histogram(histogram)) = metrics.get(name) else {
            panic!("{name}: {metrics:?}")
        };
        assert!(histogram.data_points.iter().all(|point| point.count > 0));
        if name.starts_with("mcp.") {
            let point = &histogram.data_points[0];
            let has = |name: &str| attribute(&point.attributes, name);
            assert_eq!(has("mcp.protocol.version").as_deref(), Some("2025-06-18"));
            assert_eq!(has("network.transport").as_deref(), Some("tcp"));
            assert_eq!(has("network.protocol.name").as_deref(), Some("http"));
            let bounds = &point.explicit_bounds;
            assert_eq!((bounds[0], bounds[13]), (0.01, 300.0), "{name}");
        }
    }
    assert!(
        told.headers
            .lock()
            .unwrap()
            .iter()
            .all(|all| all["x-key"] == "let-me-in"),
        "what the variables say goes with it"
    );
    // The name is short enough to stand in a random id by chance, so it is looked for where a name would be told.
    for span in &spans {
        for one in &span.attributes {
            let value = attribute(&span.attributes, &one.key);
            assert_ne!(value.as_deref(), Some("ada"), "{}", one.key);
        }
    }
    let everything = [told.traces, told.metrics].map(|all| all.lock().unwrap().concat());
    for part in everything {
        let part = String::from_utf8_lossy(&part);
        for value in [
            "Slartibartfast",
            "SELECT",
            "count: 60",
            "Nonsense",
            "Munich",
            "made_up",
        ] {
            assert!(!part.contains(value), "{value}: {part}");
        }
    }
}

/// Asks for what is no call of a tool, and for what is nothing.
async fn others(ada: &Client) {
    for (method, params, is_answered) in [
        ("tools/list", json!({}), true),
        ("resources/list", json!({}), true),
        ("resources/templates/list", json!({}), true),
        ("resources/read", json!({"uri": "salesforce://me"}), true),
        (
            "resources/read",
            json!({"uri": "salesforce:made_up"}),
            false,
        ),
        ("prompts/list", json!({}), true),
        ("prompts/get", json!({"name": "review_pipeline"}), true),
        ("prompts/get", json!({"name": "made_up"}), false),
        (
            "tools/call",
            json!({"name": "made_up", "arguments": {}}),
            false,
        ),
        (
            "completion/complete",
            json!({
                "ref": {"type": "ref/resource", "uri": "salesforce://{object}"},
                "argument": {"name": "object", "value": "Acc"},
            }),
            true,
        ),
    ] {
        let answer = ada.ask(method, params).await.message();
        assert_eq!(
            answer["result"].is_object(),
            is_answered,
            "{method}: {answer}"
        );
    }
}

/// Holds each method to have a span of its own, once, with what it was about.
fn each_method_is_told(spans: &[Span]) {
    for (name, method, tool, error) in [
        ("tools/list", "tools/list", None, None),
        ("resources/list", "resources/list", None, None),
        (
            "resources/templates/list",
            "resources/templates/list",
            None,
            None,
        ),
        (
            "resources/read",
            "resources/read",
            Some("get_identity"),
            None,
        ),
        ("resources/read", "resources/read", None, Some("-32002")),
        ("prompts/list", "prompts/list", None, None),
        ("prompts/get review_pipeline", "prompts/get", None, None),
        ("prompts/get", "prompts/get", None, Some("-32602")),
        ("tools/call", "tools/call", None, Some("-32602")),
        (
            "completion/complete",
            "completion/complete",
            Some("list_objects"),
            None,
        ),
    ] {
        let is_it = |span: &&Span| {
            let has = |name: &str| attribute(&span.attributes, name);
            span.name == name
                && has("mcp.method.name").as_deref() == Some(method)
                && has("gen_ai.tool.name").as_deref() == tool
                && has("error.type").as_deref() == error
        };
        let found: Vec<&Span> = spans.iter().filter(is_it).collect();
        assert_eq!(found.len(), 1, "{name} {tool:?} {error:?}: {spans:#?}");
        let has = |name: &str| attribute(&found[0].attributes, name);
        // Only a call of a tool is one in the words of generative AI.
        assert_eq!(has("gen_ai.operation.name"), None, "{name}");
        assert_eq!(has("jsonrpc.request.id").as_deref(), Some("1"));
    }
    let prompts = spans
        .iter()
        .filter_map(|span| attribute(&span.attributes, "gen_ai.prompt.name"));
    assert_eq!(prompts.collect::<Vec<_>>(), ["review_pipeline"]);
}

/// Gives what was measured, by name, in the order in which it was told.
fn measured(told: &Told) -> Vec<(String, Data)> {
    let metrics = told.metrics.lock().unwrap();
    let metrics = metrics
        .iter()
        .map(|body| ExportMetricsServiceRequest::decode(body.clone()).unwrap());
    let metrics = metrics
        .flat_map(|told| told.resource_metrics)
        .flat_map(|told| told.scope_metrics)
        .flat_map(|told| told.metrics);
    metrics
        .map(|metric| (metric.name, metric.data.unwrap()))
        .collect()
}

/// Gives what a gauge stood at.
fn gauges(told: &Told, name: &str) -> Vec<i64> {
    let all = measured(told).into_iter().filter(|(of, _)| of == name);
    let points = all.flat_map(|(_, data)| match data {
        Data::Gauge(gauge) => gauge.data_points,
        other => panic!("{other:?}"),
    });
    let values = points.map(|point| match point.value {
        Some(Number::AsInt(value)) => value,
        other => panic!("{other:?}"),
    });
    values.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_org_without_a_store_is_watched_too() {
    let (url, told) = collector().await;
    let mut command = tokio::process::Command::new(PROGRAM);
    command
        .args(["serve", "--stdio", "--dev-org"])
        .env("XDG_CACHE_HOME", cache())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &url);
    let client = ().serve(TokioChildProcess::new(command).unwrap());
    let client = client.await.unwrap();
    client.list_all_tools().await.unwrap();
    let mut asked = CallToolRequestParams::new("query");
    asked.arguments = count().as_object().cloned();
    assert_ne!(client.call_tool(asked).await.unwrap().is_error, Some(true));
    client.cancel().await.unwrap();
    let is_told = async {
        loop {
            let spans = told.spans();
            let has = |name: &str| {
                let found = spans.iter().find(|span| span.name == name)?;
                attribute(&found.attributes, "network.transport")
            };
            if let (Some(listed), Some(called)) = (has("tools/list"), has("tools/call query")) {
                return [listed, called];
            }
            tokio::task::yield_now().await;
        }
    };
    let is_told = tokio::time::timeout(LONG, is_told).await.unwrap();
    assert_eq!(is_told, ["pipe", "pipe"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_not_there_costs_no_call() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let server = start(&place, &[], &[("OTEL_EXPORTER_OTLP_ENDPOINT", &url)]);
    let token = place.token("ada").await;
    let ada = Client::new(server.address, HOST, &token).begun().await;
    for _ in 0..5 {
        assert_eq!(
            ada.call("query", count()).await["content"][0]["text"],
            "count: 60"
        );
    }
    let log = tokio::task::spawn_blocking(move || server.log())
        .await
        .unwrap();
    assert!(
        log.contains("collector of OpenTelemetry was not reached"),
        "{log}"
    );
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let mut nonsense = place.home.command("ada", &serve);
    nonsense.env("OTEL_EXPORTER_OTLP_ENDPOINT", "nonsense");
    let said = nonsense.output().unwrap();
    assert_eq!(said.status.code(), Some(2));
    // What is refused may have a password in it, where it is no URL, too.
    for endpoint in [
        "http://ada:Slartibartfast@collector.example:99999",
        "http://ada:Slart@Slartibartfast@collector.example:99999/@x",
        "ada:Slartibartfast@collector.example",
        "http://ada:Slartibartfast@collector.example/a b",
    ] {
        let mut refused = place.home.command("ada", &serve);
        refused.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
        let said = refused.output().unwrap();
        let words = String::from_utf8_lossy(&said.stderr);
        assert_eq!(said.status.code(), Some(2), "{endpoint}: {words}");
        assert!(words.contains("no address of a collector"), "{words}");
        assert!(!words.contains("Slart"), "{words}");
    }
}
