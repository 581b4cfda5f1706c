//! `portcullis connect`: an account at a service, a person's own or shared.

mod browser;
mod progress;
mod public;
mod service;
mod wanted;
mod words;

use anyhow::Result;
use portcullis::ComponentCache;
use portcullis::policy::Manifest;
use portcullis_connect::{
    Connected, Loopback, LoopbackError, LoopbackHost, LoopbackOptions, SIGN_IN_LASTS, pages_here,
};
use portcullis_store::Owner;

use crate::args::connect::Connect;
use crate::bundled;
use crate::connectors;
use crate::home::Home;
use crate::office::Office;
use crate::problem::Problem;
use crate::show;
use wanted::Wanted;

/// Connects an account.
pub(crate) async fn run(args: &Connect, home: &Home, cache: ComponentCache) -> Result<()> {
    if !home.store_file().exists() {
        let carried = bundled::names()?;
        if !carried.contains(&args.connector) {
            return Err(connectors::unknown(&args.connector, &carried).into());
        }
    }
    let session = home.open().await?;
    connectors::require(&session.store, &args.connector).await?;
    if args.is_shared() {
        session.require_administrator().await?;
    }
    let mut office = Office::open(&session, &args.network, cache).await?;
    // What another time left in the middle.
    office.accounts.sweep().await?;
    let manifest = office.manifest(&args.connector)?;
    let wanted = Wanted::of(&office, &manifest, args).await?;
    // One's own account is one's own.
    let log = match wanted.owner {
        Owner::Person(_) => None,
        Owner::Shared => Some(session.log().await?),
    };
    if let Some(log) = &log {
        office.accounts = office.accounts.decided_by(session.by(), log.clone());
    }
    let connected = match &args.public_url {
        Some(base) => public::connect(&office, &manifest, args, base, &wanted).await,
        None if args.is_by_person() => here(&office, &manifest, args, &wanted).await,
        None => service::connect(&office, args, &wanted).await,
    };
    if let Some(log) = log {
        log.close().await?;
    }
    let connected = connected?;
    let (value, sentence, next) = words::connected(&connected, &wanted);
    Ok(show::done(args.form, &value, &sentence, Some(&next))?)
}

/// Has the browser come back to this program, or, where another one with the same store serves its pages on that port, to that one.
async fn here(
    office: &Office,
    manifest: &Manifest,
    args: &Connect,
    wanted: &Wanted,
) -> Result<Connected> {
    let host = LoopbackHost::Localhost;
    let loopback = Loopback::bind(LoopbackOptions {
        port: args.port,
        host,
        deadline: SIGN_IN_LASTS,
        stuck_after: args.stuck_after(),
    });
    let error = match loopback.await {
        Ok(loopback) => return browser::connect(office, manifest, args, wanted, loopback).await,
        Err(error) => error,
    };
    let ours = pages_here(&office.clients.store, host, args.port).await;
    match ours {
        Some(base) if args.is_plain() => {
            public::connect(office, manifest, args, &base, wanted).await
        }
        ours => Err(taken(args.port, &error, ours.is_some()).into()),
    }
}

/// Says what to do where the port is not to be had.
fn taken(port: u16, error: &LoopbackError, is_ours: bool) -> Problem {
    let other = "or take another port with `--port`: the app needs that one's callback URL, too";
    let hint = match is_ours {
        true => format!(
            "a `portcullis serve` of yours has it while links of its are open, twenty minutes at most: run this \
             again then, {other}"
        ),
        false => {
            format!("see which program has it (`ss -ltnp 'sport = :{port}'`) and end it, {other}")
        }
    };
    Problem::mistake("port", error.to_string(), hint)
}
