//! `portcullis serve`: the tools, for agents, by MCP: over standard input and output for one client, or by HTTP for many, beside
//! the pages where people connect accounts and decide on questions.

mod callers;
mod chat;
mod config;
mod listen;
mod watch;

use std::sync::Arc;

use anyhow::Result;
use portcullis::{ComponentCache, Host};
use portcullis_connect::{Decisions, LoopbackHost, LoopbackPages, LoopbackPagesOptions};
use portcullis_server::{Asking, Served, Server, toolsets};
use portcullis_store::{Store, StoreAudit};

use crate::activity;
use crate::args::StoreSettings;
use crate::args::serve::Serve;
use crate::desk::{Desk, Where};
use crate::environment;
use crate::org;
use crate::problem::Problem;
use crate::stop::stop;
use chat::StoreChat;
use watch::Watching;

/// Serves until standard input ends, or the program is told to.
pub(crate) async fn run(args: &Serve, store: &StoreSettings, cache: ComponentCache) -> Result<()> {
    if let Some(client) = args.print_config {
        if args.stdio || args.public.listen.is_some() {
            require_way(args)?;
        }
        return config::print(args, store, client);
    }
    require_way(args)?;
    if let Some(address) = args.public.listen {
        return listen::run(args, address, store, cache).await;
    }
    let stop = stop()?;
    if !args.org.is_given() {
        // Where a person connects their account when an agent first needs it.
        let pages = match &args.public.public_url {
            Some(base) => Where::At(base.clone()),
            None => Where::Here(Arc::new(pages_here(args))),
        };
        let options = environment::network(&args.network)?;
        let mut watching = Watching::begin(args.watch.metrics, &options).await?;
        let watchers = watching.watchers.clone();
        let desk = Desk::open_watched(
            store,
            &args.who,
            &args.network,
            cache,
            pages,
            watchers.clone(),
        )
        .await?;
        watching.serve(&desk.store, None)?;
        let served = served(args, &desk.host, true)?;
        tokio::spawn(desk.audit.clone().keep_to_retention());
        let changes = desk.follow();
        let asking = asking(&desk.store, &desk.host, &desk.audit)?;
        let server = Server::new(desk.host.clone(), desk.agent, desk.person, served)
            .with_changes(changes)
            .asking(asking)
            .watched(watchers);
        let served = server.serve_stdio(stop).await;
        activity::close(&desk.audit, &desk.host).await;
        watching.end().await;
        return Ok(served?);
    }
    serve_org(args, cache, stop).await
}

/// Serves an org without a store. Its tools are always the same.
async fn serve_org(
    args: &Serve,
    cache: ComponentCache,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let options = environment::network(&args.network)?;
    let watching = Watching::begin(None, &options).await?;
    let watchers = watching.watchers.clone();
    let world = org::open_watched(&args.org, &args.network, cache, watchers.clone()).await?;
    let (_, identity) = world.connect().await?;
    tracing::info!(user = %identity.user_name, "signed in");
    let server = Server::new(
        world.host.clone(),
        world.agent.clone(),
        world.person.clone(),
        served(args, &world.host, false)?,
    );
    let served = server.watched(watchers).serve_stdio(stop).await;
    watching.end().await;
    Ok(served?)
}

/// Refuses what says no way by which clients reach the server, two, or one that an org without a store does not have.
fn require_way(args: &Serve) -> Result<()> {
    let (message, hint) = match (args.stdio, args.public.listen) {
        (false, None) => (
            "nothing says how clients reach the server: `--stdio`, or `--listen ADDRESS:PORT`",
            "`portcullis serve --stdio` serves the one client that starts it, and `portcullis serve --listen 127.0.0.1:8080` many by HTTP",
        ),
        (true, Some(_)) => (
            "`--stdio` serves the one client that starts the program, and `--listen` many by HTTP: not both",
            "leave out one of them; two programs may serve the same store",
        ),
        (false, Some(_)) if args.org.is_given() => (
            "by HTTP, clients say who they are by a token of a person's, and an org without a store has no people",
            "serve it with `--stdio`; or sign in to the org with `portcullis connect`, and serve that with `--listen`: `portcullis app set --help` says how to begin",
        ),
        _ => return Ok(()),
    };
    Err(Problem::mistake("usage", message, hint).into())
}

/// Makes the pages on this machine.
fn pages_here(args: &Serve) -> LoopbackPages {
    LoopbackPages::new(LoopbackPagesOptions {
        port: args.connect_port,
        host: LoopbackHost::Localhost,
        where_taken: "end that one, or have `portcullis serve` take another port with `--connect-port`, whose callback URL the app needs, \
                      too",
    })
}

/// Lets clients ask their people.
fn asking(store: &Store, host: &Host, audit: &StoreAudit) -> Result<Asking> {
    let decisions = Decisions::new(store.clone(), host.clone(), audit.clone());
    let store = store.clone();
    let host = host.clone();
    let chat = StoreChat {
        store,
        decisions,
        host,
    };
    Ok(Asking::new(Arc::new(chat))?)
}

/// Says what is served of the tools.
fn served(args: &Serve, host: &Host, checks_approvals: bool) -> Result<Served> {
    let wanted = args.toolsets.iter().cloned().collect();
    let served = Served {
        toolsets: (!args.toolsets.is_empty()).then_some(wanted),
        read_only: args.read_only,
        checks_approvals,
        page_items: None,
    };
    match served.unknown_toolsets(host).as_slice() {
        [] => Ok(served),
        [unknown, ..] => {
            let known: Vec<String> = toolsets(host).into_iter().collect();
            let message = format!(
                "there is no toolset `{}`",
                crate::show::table::shown(unknown)
            );
            let hint = format!("those that there are: {}", known.join(", "));
            Err(Problem::mistake("toolset", message, hint).into())
        }
    }
}
