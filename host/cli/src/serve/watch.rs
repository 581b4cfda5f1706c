//! What operators watch while the program serves: numbers at an address of their own, and a collector that is told.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use portcullis::network::{HostPort, Network, NetworkOptions, Reach};
use portcullis_server::{Bounds, Here, Http, HttpBody, PublicRequest, PublicServer};
use portcullis_store::{Store, Which};
use portcullis_telemetry::{Collector, Exporting, Now, Numbers, Watchers};
use tokio::runtime::Handle;
use url::Url;

use crate::environment;
use crate::problem::Problem;
use crate::show;

/// Connections at a time: few look.
const CONNECTIONS_MAX: u32 = 16;
/// What the text is, as OpenMetrics 1.0 names it.
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// What watches, and what is to be done at the end.
pub(super) struct Watching {
    pub(super) watchers: Watchers,
    server: Option<PublicServer>,
}

impl Watching {
    /// Begins as far as it is asked for: by an address for the numbers, and by the variable that names a collector.
    pub(super) async fn begin(
        metrics: Option<SocketAddr>,
        options: &NetworkOptions,
    ) -> Result<Self> {
        let server = match metrics {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let exporting = match environment::collector() {
            Some(endpoint) => Some(exporting(endpoint, options)?),
            None => None,
        };
        let numbers = server.is_some().then(Numbers::new);
        Ok(Self {
            watchers: Watchers { numbers, exporting },
            server,
        })
    }

    /// Serves the numbers, for as long as the program runs, and has a collector told what there is of sessions and questions.
    pub(super) fn serve(&mut self, store: &Store, mcp: Option<Http>) -> Result<()> {
        if let Some(exporting) = &self.watchers.exporting {
            let counted = Counted {
                store: store.clone(),
                mcp: mcp.clone(),
            };
            let runtime = Handle::current();
            // What tells the collector runs in threads of its own, which may wait.
            exporting.watch(move || match runtime.block_on(counted.now()) {
                Ok(now) => Some(now),
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::warn!(error, "sessions and questions were not counted");
                    None
                }
            });
        }
        let (Some(server), Some(numbers)) = (self.server.take(), self.watchers.numbers.clone())
        else {
            return Ok(());
        };
        let address = server.address()?;
        show::note(&format!("http://{address}/metrics has the numbers"))?;
        let scraped = Scraped {
            numbers,
            counted: Counted {
                store: store.clone(),
                mcp,
            },
            // Pages that a person has open reach this machine's own addresses by names of theirs.
            here: address
                .ip()
                .is_loopback()
                .then(|| Here::on_this_machine(address.port())),
        };
        let answer = move |request| {
            let scraped = scraped.clone();
            async move { scraped.answer(request).await }
        };
        tokio::spawn(server.serve(answer, std::future::pending()));
        Ok(())
    }

    /// Tells the collector what is left.
    pub(super) async fn end(self) {
        if let Some(exporting) = self.watchers.exporting {
            // It waits for the collector.
            let _ = tokio::task::spawn_blocking(move || exporting.end()).await;
        }
    }
}

async fn bind(address: SocketAddr) -> Result<PublicServer> {
    let bounds = Bounds {
        connections: CONNECTIONS_MAX,
        ..Bounds::default()
    };
    let server = PublicServer::bind(address, None, bounds).await;
    server.map_err(|error| {
        let message = format!("cannot listen on `{address}`: {error}");
        let hint = "another program may use the port: choose another with `--metrics`";
        Problem::mistake("metrics", message, hint).into()
    })
}

fn exporting(endpoint: String, options: &NetworkOptions) -> Result<Exporting> {
    let refused = |why: &str| {
        let message = format!(
            "`{}` is no address of a collector: {why}",
            without_user(&endpoint).escape_debug()
        );
        let hint = "give `OTEL_EXPORTER_OTLP_ENDPOINT` as `http://localhost:4318`, or unset it";
        Problem::mistake("collector", message, hint)
    };
    let url = Url::parse(&endpoint).map_err(|error| refused(&error.to_string()))?;
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Err(refused("it has no host").into());
    };
    // What makes the requests takes less than a URL may be, and repeats all of it where it does not.
    if let Err(error) = endpoint.parse::<Uri>() {
        return Err(refused(&error.to_string()).into());
    }
    // Whoever sets the variable has named it.
    let destination = HostPort::new(host, port);
    let mut options = options.clone();
    options.allow_private.push(destination.clone());
    let client = Network::new(options)?.client(Reach::Loopback(destination));
    let collector = Collector {
        endpoint,
        client,
        version: env!("CARGO_PKG_VERSION"),
    };
    Exporting::begin(collector).context("no collector can be told")
}

/// Leaves out what may be a user and a password, also where the text is no URL.
fn without_user(endpoint: &str) -> &str {
    endpoint.rsplit_once('@').map_or(endpoint, |(_, rest)| rest)
}

/// What the numbers are taken from.
#[derive(Clone)]
struct Scraped {
    numbers: Numbers,
    counted: Counted,
    here: Option<Here>,
}

/// What is counted when it is asked for.
#[derive(Clone)]
struct Counted {
    store: Store,
    mcp: Option<Http>,
}

impl Counted {
    async fn now(&self) -> Result<Now> {
        let waiting = Which {
            person: None,
            settled: false,
            limit: 0,
        };
        let (_, approvals_pending) = self.store.approvals(&waiting).await?;
        let sessions = match &self.mcp {
            Some(mcp) => mcp.sessions().await,
            None => 0,
        };
        Ok(Now {
            sessions: sessions.try_into()?,
            approvals_pending,
        })
    }
}

impl Scraped {
    async fn answer(&self, request: PublicRequest) -> Response<HttpBody> {
        let is_here = |here: &Here| here.is_named_by(&request);
        if !self.here.as_ref().is_none_or(is_here) {
            return said(
                StatusCode::FORBIDDEN,
                "this is not the address of this server",
            );
        }
        if request.uri().path() != "/metrics" || request.method() != Method::GET {
            return said(StatusCode::NOT_FOUND, "the numbers are at /metrics");
        }
        match self.text().await {
            Ok(text) => {
                let mut response = Response::new(Full::new(Bytes::from(text)).boxed());
                response.headers_mut().insert(CONTENT_TYPE, OPEN_METRICS);
                response
            }
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "the numbers cannot be given");
                said(StatusCode::SERVICE_UNAVAILABLE, "the store cannot be read")
            }
        }
    }

    async fn text(&self) -> Result<String> {
        Ok(self.numbers.text(self.counted.now().await?)?)
    }
}

/// Answers in a few words.
pub(super) fn said(status: StatusCode, words: &'static str) -> Response<HttpBody> {
    let body = Full::new(Bytes::from_static(words.as_bytes())).boxed();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    response
}
