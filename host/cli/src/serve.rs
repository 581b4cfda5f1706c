//! `portcullis serve`: the tools, for an agent, by MCP; or the pages where people connect accounts, at an address of the
//! network.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Error, Result};
use portcullis::ComponentCache;
use portcullis::policy::Origin;
use portcullis_connect::{LoopbackHost, LoopbackPages, LoopbackPagesOptions, Pages};
use portcullis_server::{Bounds, PublicServer, Server, Tls};

use crate::activity;
use crate::args::StoreSettings;
use crate::args::serve::Serve;
use crate::desk::{self, Desk, Where};
use crate::environment;
use crate::home::Home;
use crate::org;
use crate::problem::Problem;
use crate::show;

/// Serves until standard input ends, or the program is told to.
pub(crate) async fn run(args: &Serve, store: &StoreSettings, cache: ComponentCache) -> Result<()> {
    if let (Some(address), Some(base)) = (args.public.listen, &args.public.public_url) {
        return serve_pages(args, address, base, store, cache).await;
    }
    if !args.org.is_given() {
        // Where a person connects their account when an agent first needs it.
        let pages = match &args.public.public_url {
            Some(base) => Where::At(base.clone()),
            None => Where::Here(LoopbackPages::new(LoopbackPagesOptions {
                port: args.connect_port,
                host: LoopbackHost::Localhost,
                where_taken: "end that one, or have `portcullis serve` take another port with `--connect-port`, whose callback \
                              URL the app needs, too",
            })),
        };
        let desk = Desk::open(store, &args.who, &args.network, cache, pages).await?;
        tokio::spawn(desk.audit.clone().keep_to_retention());
        let changes = desk.follow();
        let server = Server::new(desk.host, desk.agent, desk.person).with_changes(changes);
        let served = server.serve_stdio().await;
        activity::close(&desk.audit).await;
        return Ok(served?);
    }
    let world = org::open(&args.org, &args.network, cache).await?;
    let (_, identity) = world.connect().await?;
    tracing::info!(user = %identity.user_name, "signed in");
    let server = Server::new(
        world.host.clone(),
        world.agent.clone(),
        world.person.clone(),
    );
    Ok(server.serve_stdio().await?)
}

/// Serves the pages until the program is told to end.
async fn serve_pages(
    args: &Serve,
    address: SocketAddr,
    base: &Origin,
    store: &StoreSettings,
    cache: ComponentCache,
) -> Result<()> {
    let tls = tls(args, base)?;
    if !base.is_https() && !address.ip().is_loopback() {
        let message =
            format!("`{base}` is on this machine alone, and `{address}` is open to others");
        let hint = "listen on 127.0.0.1, or give the https URL by which others reach it";
        return Err(Problem::mistake("listen", message, hint).into());
    }
    let options = environment::network(&args.network)?;
    let home = Home::of(store)?;
    if !home.store_file().exists() {
        let message = format!("no store is at `{}`", home.store_file().display());
        let hint = "name the store with `--data-dir DIR`, or begin one with `portcullis app set salesforce --client-id ID --login https://yourcompany.my.salesforce.com`";
        return Err(Problem::mistake("no_store", message, hint).into());
    }
    let session = home.open().await?;
    session.require_administrator().await?;
    let built = desk::host(session.store, options, cache, None).await?;
    let pages = Pages::new(built.accounts.clone(), built.offers(), base.clone())?;
    let server = PublicServer::bind(address, tls, Bounds::default()).await;
    let server = server.map_err(|error| {
        let message = format!("cannot listen on `{address}`: {error}");
        let hint = "another program may use the port: end it, or choose another with `--listen`";
        Problem::mistake("listen", message, hint)
    })?;
    let stop = stop()?;
    desk::follow(&built.connectors, &built.manifests);
    tokio::spawn(desk::sweep(built.accounts));
    tokio::spawn(built.audit.clone().keep_to_retention());
    show::note(&format!(
        "{base} is served at {}; the apps' callback URL is {}",
        server.address()?,
        pages.redirect()
    ))?;
    let answer = move |request| {
        let pages = pages.clone();
        async move { pages.answer(request).await }
    };
    if !server.serve(answer, stop).await {
        tracing::warn!("requests that were under way were broken off");
    }
    activity::close(&built.audit).await;
    Ok(())
}

/// Reads the server's certificate and key, if it ends TLS itself.
fn tls(args: &Serve, base: &Origin) -> Result<Option<Tls>> {
    let (Some(chain), Some(key)) = (&args.public.tls_cert, &args.public.tls_key) else {
        return Ok(None);
    };
    if !base.is_https() {
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

/// Waits until the system or somebody at the terminal tells the program to end.
fn stop() -> Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut terminate = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::terminate()).context("the program cannot hear when it is to end")?
    };
    Ok(async move {
        #[cfg(unix)]
        let told = async {
            terminate.recv().await;
        };
        #[cfg(not(unix))]
        let told = std::future::pending::<()>();
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            () = told => {}
        }
    })
}
