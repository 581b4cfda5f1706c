//! `portcullis serve --listen`: MCP by HTTP, and, at an address that others reach, the pages.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Error, Result};
use http::{Method, Response, StatusCode};
use http_body_util::BodyExt;
use portcullis::ComponentCache;
use portcullis::network::{Network, NetworkOptions};
use portcullis::policy::{AgentId, Origin};
use portcullis_connect::{
    App, Claim, Decisions, Issuer, IssuerClient, Links, LoopbackPages, Pages, SIGN_IN_BACK,
    front_page,
};
use portcullis_server::{
    Beside, Bounds, Here, Http, HttpBody, HttpBounds, PublicRequest, PublicServer, Tls,
};
use portcullis_store::Store;
use portcullis_telemetry::{Numbers, Watchers};
use tokio::time::timeout;

use super::callers::{Issued, StoreCallers};
use super::watch::{Watching, said};
use super::{asking, pages_here, served};
use crate::activity;
use crate::args::StoreSettings;
use crate::args::serve::Serve;
use crate::desk::{self, Built, PageLinks};
use crate::environment;
use crate::home::{Home, Session};
use crate::prepare::Preparing;
use crate::problem::Problem;
use crate::show;
use crate::stop::stop;

/// The part of the server that speaks the protocol.
const MCP: &str = "mcp";

/// How long sessions may take to end once nothing is under way in them.
const SESSIONS_END: Duration = Duration::from_secs(2);

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
    let preparing = Preparing::begin(cache);
    let session = open(store).await?;
    let issuer = issuer(args, &options)?;
    let client = issuer_client(args, base, issuer.as_ref())?;
    let mut watching = Watching::begin(args.watch.metrics, &options).await?;
    let agent = default_agent(&session.store, args).await?;
    let path = mcp_path(&session.store, agent.as_ref()).await?;
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
    let watchers = watching.watchers.clone();
    let numbers = watchers.numbers.clone();
    let built = desk::watched(
        store.clone(),
        options,
        preparing,
        Some(links),
        watchers.clone(),
    )
    .await?;
    let callers = StoreCallers {
        store: store.clone(),
        agent,
        issued: issuer.map(|issuer| issued(args, issuer)),
    };
    let all = All {
        mcp: mcp(args, address, &store, &built, callers, watchers)?,
        pages: pages(base, local, &store, &built, client)?,
        store,
        numbers,
    };
    watching.serve(&all.store, Some(all.mcp.clone()))?;
    show::note(&match (base, &all.pages) {
        (Some(base), Some(pages)) => format!(
            "{base} is served at {address}; the apps' callback URL is {}, and MCP is at {base}{path}",
            pages.redirect()
        ),
        _ => format!(
            "http://{address}{path} is served at {address}; a client sends a token of a person: `portcullis person token add NAME`"
        ),
    })?;
    tokio::spawn(desk::sweep(built.accounts));
    tokio::spawn(built.audit.clone().keep_to_retention());
    let mcp = all.mcp.clone();
    match serve(server, all).await? {
        // Who watches is told of each session first.
        true => drop(timeout(SESSIONS_END, mcp.end()).await),
        false => tracing::warn!("requests that were under way were broken off"),
    }
    activity::close(&built.audit, &built.host).await;
    watching.end().await;
    Ok(())
}

async fn bind(address: SocketAddr, tls: Option<Tls>) -> Result<PublicServer> {
    have_files();
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

/// Has the system let the program have as many files open as it may: many give a program a thousand at first, and each connection is one.
#[cfg(unix)]
fn have_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let given = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: given.maximum,
        maximum: given.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, all) {
        tracing::warn!(%error, "the system lets the program have no more connections than it gave it");
    }
}

#[cfg(not(unix))]
fn have_files() {}

/// Makes the pages at the address, if others reach it; else has those on this machine ready for when a link leads there.
fn pages(
    base: Option<&Origin>,
    local: Option<Arc<LoopbackPages>>,
    store: &Store,
    built: &Built,
    issuer: Option<IssuerClient>,
) -> Result<Option<Pages>> {
    let decisions = Some(Decisions::new(
        store.clone(),
        built.host.clone(),
        built.audit.clone(),
    ));
    let (accounts, offers) = (built.accounts.clone(), built.offers());
    if let Some(base) = base {
        let pages = Pages::new(accounts, offers, decisions, base.clone())?.beside_mcp();
        return Ok(Some(match issuer {
            Some(issuer) => pages.with_issuer(issuer),
            None => pages,
        }));
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
    callers: StoreCallers,
    watchers: Watchers,
) -> Result<Http> {
    let here = match &args.public.public_url {
        Some(base) => Here::at(base.clone()),
        None => Here::on_this_machine(address.port()),
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
    let beside = Beside {
        changes: Some(changes),
        asking: Some(asking),
        watchers,
    };
    let callers = Arc::new(callers);
    Ok(Http::new(host, served, beside, callers, here, bounds))
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
    numbers: Option<Numbers>,
}

impl All {
    async fn answer(&self, request: PublicRequest) -> Response<HttpBody> {
        let (part, began) = (self.part(request.uri().path()), Instant::now());
        let response = self.answer_of(part, request).await;
        if let Some(numbers) = &self.numbers {
            numbers.http(part, response.status().as_u16(), began.elapsed());
        }
        response
    }

    /// Names the part of the server that a path is of.
    fn part(&self, path: &str) -> &'static str {
        match path {
            _ if self.mcp.is_at(path) => MCP,
            "/healthz" | "/readyz" => "health",
            _ => "pages",
        }
    }

    async fn answer_of(&self, part: &str, request: PublicRequest) -> Response<HttpBody> {
        if part == MCP {
            return self.mcp.answer(request).await;
        }
        match (request.uri().path(), &self.pages) {
            // It runs; whether it can work is another question, for who restarts what does not run.
            ("/healthz", _) => said(StatusCode::OK, "ok"),
            ("/readyz", _) => self.is_ready().await,
            (_, Some(pages)) => pages.answer(request).await.map(|body| body.boxed()),
            ("/", None) if request.method() == Method::GET => front_page().map(|body| body.boxed()),
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

/// Takes the issuer that is believed, if one is named.
fn issuer(args: &Serve, options: &NetworkOptions) -> Result<Option<Arc<Issuer>>> {
    let Some(url) = &args.issuer.issuer else {
        return Ok(None);
    };
    let issuer = Issuer::new(url, &Network::new(options.clone())?).map_err(|error| {
        let hint = "give it exactly as its `/.well-known/openid-configuration` has it as `issuer`";
        Problem::mistake("issuer", error.to_string(), hint)
    })?;
    Ok(Some(Arc::new(issuer)))
}

/// Makes the tokens of an issuer count.
fn issued(args: &Serve, issuer: Arc<Issuer>) -> Issued {
    Issued {
        issuer,
        claim: Claim::named(&args.issuer.issuer_claim),
        audiences: args.issuer.audience.clone(),
        scopes: args.issuer.issuer_scopes.clone(),
    }
}

/// Makes this server a client of the issuer's, if it is said which, for people who sign in to the pages.
fn issuer_client(
    args: &Serve,
    base: Option<&Origin>,
    issuer: Option<&Arc<Issuer>>,
) -> Result<Option<IssuerClient>> {
    let (Some(base), Some(issuer)) = (base, issuer) else {
        return Ok(None);
    };
    let given = args.issuer.issuer_client_id.clone();
    if given.is_some() && !base.is_https() {
        let message =
            format!("nobody signs in to the pages at `{base}`: they are this machine's own");
        let hint = "leave out `--issuer-client-id`, or give an https URL with `--public-url`";
        return Err(Problem::mistake("issuer", message, hint).into());
    }
    let id = given.or_else(environment::issuer_client_id);
    let Some(client_id) = id.filter(|_| base.is_https()) else {
        return Ok(None);
    };
    let variable = args.issuer.issuer_client_secret_env.as_deref();
    let client_secret = environment::issuer_client_secret(variable)?;
    show::note(&format!(
        "people sign in to the pages at {}, too: the redirect URI of the client `{client_id}` there is {base}{SIGN_IN_BACK}",
        issuer.url()
    ))?;
    let app = App {
        client_id,
        client_secret,
    };
    let claim = Claim::named(&args.issuer.issuer_claim);
    Ok(Some(IssuerClient::new(issuer.clone(), app, claim)))
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

/// Says where tools are: at `/mcp` itself, where it is clear whose.
async fn mcp_path(store: &Store, agent: Option<&AgentId>) -> Result<&'static str> {
    let is_clear = agent.is_some() || store.agents().await?.len() == 1;
    Ok(if is_clear { "/mcp" } else { "/mcp/AGENT" })
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
