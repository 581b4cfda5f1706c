//! `portcullis serve --listen`: MCP by HTTP, and, at an address that others reach, the pages.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Error, Result};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use portcullis::ComponentCache;
use portcullis::policy::{AgentId, Origin};
use portcullis_connect::{Decisions, Links, LoopbackPages, Pages};
use portcullis_server::{
    Bounds, Here, Http, HttpBody, HttpBounds, PublicRequest, PublicServer, Tls,
};
use portcullis_store::Store;

use super::callers::StoreCallers;

use super::{asking, pages_here, served};
use crate::activity;
use crate::args::StoreSettings;
use crate::args::serve::Serve;
use crate::desk::{self, Built, PageLinks};
use crate::environment;
use crate::home::{Home, Session};
use crate::problem::Problem;
use crate::show;
use crate::stop::stop;

/// Connections at a time: a session of a client's may hold one for what it is told unasked.
const CONNECTIONS_MAX: u32 = 2_048;

/// Serves until the program is told to end.
pub(super) async fn run(
    args: &Serve,
    address: SocketAddr,
    store: &StoreSettings,
    cache: ComponentCache,
) -> Result<()> {
    let base = args.public.public_url.as_ref();
    let tls = tls(args, base)?;
    require_place(base, address)?;
    let options = environment::network(&args.network)?;
    let session = open(store).await?;
    let agent = default_agent(&session.store, args).await?;
    let server = bind(address, tls).await?;
    let address = server.address()?;
    let store = session.store;
    let (links, local) = match base {
        Some(base) => (PageLinks::of(Links::new(store.clone(), base.clone())), None),
        None => {
            let pages = Arc::new(pages_here(args));
            (PageLinks::of_shared(pages.clone()), Some(pages))
        }
    };
    let built = desk::host(store.clone(), options, cache, Some(links)).await?;
    let all = All {
        mcp: mcp(args, address, &store, &built, agent)?,
        pages: pages(base, local, &store, &built)?,
        store,
    };
    show::note(&match (base, &all.pages) {
        (Some(base), Some(pages)) => format!(
            "{base} is served at {address}; the apps' callback URL is {}, and MCP is at {base}/mcp",
            pages.redirect()
        ),
        _ => format!(
            "http://{address}/mcp is served at {address}; a client sends a token of a person: `portcullis person token add NAME`"
        ),
    })?;
    tokio::spawn(desk::sweep(built.accounts));
    tokio::spawn(built.audit.clone().keep_to_retention());
    if !serve(server, all).await? {
        tracing::warn!("requests that were under way were broken off");
    }
    activity::close(&built.audit, &built.host).await;
    Ok(())
}

async fn bind(address: SocketAddr, tls: Option<Tls>) -> Result<PublicServer> {
    let bounds = Bounds {
        connections: CONNECTIONS_MAX,
        ..Bounds::default()
    };
    let server = PublicServer::bind(address, tls, bounds).await;
    server.map_err(|error| {
        let message = format!("cannot listen on `{address}`: {error}");
        let hint = "another program may use the port: end it, or choose another with `--listen`";
        Problem::mistake("listen", message, hint).into()
    })
}

/// Makes the pages at the address, if others reach it; else has those on this machine ready for when a link leads there.
fn pages(
    base: Option<&Origin>,
    local: Option<Arc<LoopbackPages>>,
    store: &Store,
    built: &Built,
) -> Result<Option<Pages>> {
    let decisions = Some(Decisions::new(
        store.clone(),
        built.host.clone(),
        built.audit.clone(),
    ));
    let (accounts, offers) = (built.accounts.clone(), built.offers());
    if let Some(base) = base {
        let pages = Pages::new(accounts, offers, decisions, base.clone())?;
        return Ok(Some(pages));
    }
    if let Some(local) = local {
        local.serve(accounts, offers, decisions);
    }
    Ok(None)
}

/// Makes what answers at `/mcp`.
fn mcp(
    args: &Serve,
    address: SocketAddr,
    store: &Store,
    built: &Built,
    agent: Option<AgentId>,
) -> Result<Http> {
    let here = match &args.public.public_url {
        Some(base) => Here::at(base.clone()),
        None => Here::on_this_machine(address.port()),
    };
    let callers = StoreCallers {
        store: store.clone(),
        agent,
    };
    let bounds = HttpBounds {
        requests_a_minute: args.requests_per_minute,
        ..HttpBounds::default()
    };
    let host = built.host.clone();
    let changes = desk::follow(&built.connectors, &built.manifests);
    let (served, asking) = (
        served(args, &host, true)?,
        asking(store, &host, &built.audit)?,
    );
    Ok(Http::new(
        host,
        served,
        Some(changes),
        Some(asking),
        Arc::new(callers),
        here,
        bounds,
    ))
}

/// Serves until the program is told to end, and says whether all that was under way was finished.
async fn serve(server: PublicServer, all: All) -> Result<bool> {
    let (told, ending) = (stop()?, all.mcp.clone());
    let stop = async move {
        told.await;
        // The server waits for its connections meanwhile, for as long as there is time.
        tokio::spawn(async move { ending.end().await });
    };
    let answer = move |request| {
        let all = all.clone();
        async move { all.answer(request).await }
    };
    Ok(server.serve(answer, stop).await)
}

/// Everything that is served at the address.
#[derive(Clone)]
struct All {
    mcp: Http,
    pages: Option<Pages>,
    store: Store,
}

impl All {
    async fn answer(&self, request: PublicRequest) -> Response<HttpBody> {
        let path = request.uri().path();
        if Http::is_at(path) {
            return self.mcp.answer(request).await;
        }
        match (path, &self.pages) {
            // It runs; whether it can work is another question, for who restarts what does not run.
            ("/healthz", _) => said(StatusCode::OK, "ok"),
            ("/readyz", _) => self.is_ready().await,
            (_, Some(pages)) => pages.answer(request).await.map(|body| body.boxed()),
            (_, None) => said(
                StatusCode::NOT_FOUND,
                "there is nothing here; MCP is at /mcp",
            ),
        }
    }

    /// Says whether calls can be answered: the store can be read, and the server does not end.
    async fn is_ready(&self) -> Response<HttpBody> {
        if self.mcp.ends() {
            return said(
                StatusCode::SERVICE_UNAVAILABLE,
                "the server is about to end",
            );
        }
        match self.store.agents().await {
            Ok(_) => said(StatusCode::OK, "ready"),
            Err(error) => {
                tracing::error!(%error, "the store cannot be read");
                said(StatusCode::SERVICE_UNAVAILABLE, "the store cannot be read")
            }
        }
    }
}

fn said(status: StatusCode, words: &'static str) -> Response<HttpBody> {
    let body = Full::new(Bytes::from_static(words.as_bytes())).boxed();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    response
}

/// Refuses what others could read on its way.
fn require_place(base: Option<&Origin>, address: SocketAddr) -> Result<()> {
    if base.is_some_and(Origin::is_https) || address.ip().is_loopback() {
        return Ok(());
    }
    let message = match base {
        Some(base) => {
            format!("`{base}` is on this machine alone, and `{address}` is open to others")
        }
        None => format!("`{address}` is open to others, and nothing says how they reach it"),
    };
    let hint =
        "listen on 127.0.0.1, or give the https URL by which others reach it with `--public-url`";
    Err(Problem::mistake("listen", message, hint).into())
}

/// Opens the store, for who administers.
async fn open(store: &StoreSettings) -> Result<Session> {
    let home = Home::of(store)?;
    if !home.store_file().exists() {
        let message = format!("no store is at `{}`", home.store_file().display());
        let hint = "name the store with `--data-dir DIR`, or begin one with `portcullis app set salesforce --client-id ID --login https://yourcompany.my.salesforce.com`";
        return Err(Problem::mistake("no_store", message, hint).into());
    }
    let session = home.open().await?;
    session.require_administrator().await?;
    Ok(session)
}

/// Gives the agent of `/mcp`, where one is named.
async fn default_agent(store: &Store, args: &Serve) -> Result<Option<AgentId>> {
    match &args.who.agent {
        Some(_) => Ok(Some(desk::agent(store, &args.who).await?)),
        None => Ok(None),
    }
}

/// Reads the server's certificate and key, if it ends TLS itself.
fn tls(args: &Serve, base: Option<&Origin>) -> Result<Option<Tls>> {
    let (Some(chain), Some(key)) = (&args.public.tls_cert, &args.public.tls_key) else {
        return Ok(None);
    };
    if let Some(base) = base
        && !base.is_https()
    {
        let message = format!("`{base}` is no https address, and a certificate is given");
        let hint = "give the https URL, or leave out `--tls-cert` and `--tls-key`";
        return Err(Problem::mistake("tls", message, hint).into());
    }
    let read = |path: &Path| {
        std::fs::read(path).map_err(|error| {
            let message = format!("could not read `{}`: {error}", path.display());
            let hint = "give the paths of PEM files with `--tls-cert` and `--tls-key`";
            Error::new(Problem::mistake("tls", message, hint))
        })
    };
    let tls = Tls::from_pem(&read(chain)?, &read(key)?).map_err(|error| {
        let hint =
            "`--tls-cert` is the chain, the server's own first, and `--tls-key` the key of that";
        Problem::mistake("tls", format!("{:#}", Error::from(error)), hint)
    })?;
    Ok(Some(tls))
}
