//! A person signs in on the pages of a server that has the same store, and is waited for here.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result};
use portcullis::policy::{ConnectionId, Manifest, Origin};
use portcullis_connect::{
    Connected, LINK_LASTS, SIGN_IN_LASTS, Service, Subject, guides_on_page, link_to,
};
use portcullis_store::{ConnectLink, LinkEnd, LinkState, Store};
use secrecy::SecretString;
use tokio::time::{Instant, MissedTickBehavior};

use super::progress::Progress;
use super::wanted::Wanted;
use super::words;
use crate::args::connect::Connect;
use crate::office::Office;
use crate::problem::Problem;

/// How often it is looked how far the link has come.
const LOOK: Duration = Duration::from_millis(500);

/// Gives out a link to the server, and waits until it has ended.
pub(super) async fn connect(
    office: &Office,
    manifest: &Manifest,
    args: &Connect,
    base: &Origin,
    wanted: &Wanted,
) -> Result<Connected> {
    let service = Service::of(manifest).context("accounts of this connector do not sign in")?;
    let store = &office.clients.store;
    let link = ConnectLink {
        person: office.me.clone(),
        agent: None,
        connector: args.connector.clone(),
    };
    let secret = store.make_link(&link, LINK_LASTS).await?;
    let callback = args.callback();
    {
        let mut err = anstream::stderr().lock();
        write!(err, "{}", words::app(&service, wanted, &callback))?;
        writeln!(
            err,
            "Open this link within {} minutes, and sign in:\n  {}",
            LINK_LASTS.as_secs() / 60,
            link_to(base, &secret)
        )?;
        if base.is_https() {
            writeln!(
                err,
                "You are asked there for a token of yours: `portcullis person token add {}` makes one.",
                office.me
            )?;
        }
    }
    if base.is_loopback() && !args.no_browser {
        // A browser that does not start leaves the link.
        let _ = open::that_detached(link_to(base, &secret));
    }
    let subject = Subject {
        origin: wanted.login.origin.clone(),
        callback: Some(callback),
        client_id: Some(wanted.app.client_id.clone()),
        scopes: match wanted.scopes.is_empty() {
            true => service.auth.scopes.default.clone(),
            false => wanted.scopes.clone(),
        },
    };
    let stuck = words::stuck(
        &guides_on_page(service.auth, &subject),
        &link_to(base, &secret),
        false,
    );
    match wait(store, &secret, args.stuck_after(), &stuck).await? {
        LinkEnd::Connected(id) => connected(store, &id).await,
        LinkEnd::Refused { problem, hint } => {
            Err(Problem::failure("connect", problem, hint).into())
        }
    }
}

/// Waits until the link has ended. `stuck` is told once the sign-in has taken so long that the service may keep the person on a
/// page of its own.
async fn wait(
    store: &Store,
    secret: &SecretString,
    stuck_after: Duration,
    stuck: &str,
) -> Result<LinkEnd> {
    let began = Instant::now();
    let mut signs_in_since = None;
    let mut is_told = false;
    let mut progress = Progress::new(LINK_LASTS + SIGN_IN_LASTS, true);
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        match store.link_state(secret).await? {
            LinkState::Ended(end) => return Ok(end),
            LinkState::Open if began.elapsed() >= LINK_LASTS => return Err(late().into()),
            LinkState::Open => progress.tell("the link to be opened"),
            LinkState::Begun => {
                let since = *signs_in_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= SIGN_IN_LASTS {
                    return Err(late().into());
                }
                if since.elapsed() >= stuck_after && !is_told {
                    is_told = true;
                    progress.end();
                    write!(anstream::stderr().lock(), "{stuck}")?;
                }
                progress.tell("the sign-in");
            }
        }
    }
}

fn late() -> Problem {
    let hint = "run the command again for a new link; the server is to run with the same store and `--public-url`"
        .to_owned();
    let message = "nobody came back from the sign-in in time";
    Problem::failure("connect", message, Some(hint))
}

/// Reads what was connected.
async fn connected(store: &Store, id: &ConnectionId) -> Result<Connected> {
    let gone = "the account was connected, and removed since";
    let stored = store.stored_connection(id).await?.context(gone)?;
    Connected::of_stored(stored).context(gone)
}
