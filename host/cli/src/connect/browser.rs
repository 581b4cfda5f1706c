//! A person signs in with a browser, on this machine or, by a link, on another.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anyhow::{Context, Result};
use portcullis::policy::Manifest;
use portcullis_connect::{
    Begin, Connected, Loopback, Pasted, RedirectUri, Returned, SIGN_IN_LASTS, Service,
    SignInStarted, pasted,
};
use tokio::io::{AsyncBufReadExt, BufReader};

use super::progress::Progress;
use super::wanted::Wanted;
use super::words;
use crate::args::connect::Connect;
use crate::office::{Office, problem};
use crate::problem::Problem;

/// How often the wait is told.
const TICK: Duration = Duration::from_secs(1);

/// How a sign-in came back.
enum CameBack {
    /// To the callback here, where the browser waits for what comes of it.
    Here(Returned),
    /// By somebody who pasted what the browser ended at.
    Pasted(String),
}

impl CameBack {
    fn query(&self) -> &str {
        match self {
            Self::Here(returned) => returned.query(),
            Self::Pasted(query) => query,
        }
    }
}

/// Sends a browser to the service and waits until it is back.
pub(super) async fn connect(
    office: &Office,
    manifest: &Manifest,
    args: &Connect,
    wanted: &Wanted,
    loopback: Loopback,
) -> Result<Connected> {
    let service = Service::of(manifest).context("accounts of this connector do not sign in")?;
    let redirect = loopback.redirect().clone();
    let begin = Begin {
        person: &office.me,
        owner: wanted.owner.clone(),
        connector: &args.connector,
        app: &wanted.app,
        login: &wanted.login,
        scopes: &wanted.scopes,
        redirect: &redirect,
        link: None,
        browser: None,
        label: &wanted.label,
        replaces: wanted.replaces.clone(),
        allow_other_organization: args.other_account,
    };
    let started = office.accounts.begin(begin).await;
    let started = started.map_err(|error| problem(&error))?;
    let came_back = async {
        let reads = tell(args, wanted, &service, &redirect, &started)?;
        wait(args, &service, loopback, &started, reads).await
    };
    let came_back = tokio::select! {
        // First, so that it is heard before anybody has the link.
        biased;
        _ = tokio::signal::ctrl_c() => Err(interrupted().into()),
        came_back = came_back => came_back,
    };
    let came_back = match came_back {
        Ok(came_back) => came_back,
        Err(error) => {
            // Else who comes back later would still connect their account for whoever ran this.
            if let Err(error) = office.accounts.give_up(&started.attempt).await {
                tracing::warn!(%error, "the sign-in can be finished for ten minutes yet");
            }
            return Err(error);
        }
    };
    let finished = office
        .accounts
        .finish(came_back.query(), &redirect, Some(&office.me), None)
        .await;
    if let CameBack::Here(returned) = came_back {
        returned.tell(&finished, Some(manifest)).await;
    }
    finished.map_err(|error| problem(&error).into())
}

/// Says what the app must be like, and where the browser goes; and whether somebody may paste what it ended at.
fn tell(
    args: &Connect,
    wanted: &Wanted,
    service: &Service<'_>,
    redirect: &RedirectUri,
    started: &SignInStarted,
) -> Result<bool> {
    let mut err = anstream::stderr().lock();
    write!(err, "{}", words::app(service, wanted, redirect.as_str()))?;
    if let Some(warning) = &started.warning {
        writeln!(err, "warning: {warning}")?;
    }
    // A browser that does not start leaves the link.
    let is_elsewhere = args.no_browser || open::that_detached(&started.url).is_err();
    if is_elsewhere {
        writeln!(err, "Open this link, and sign in:\n  {}", started.url)?;
        writeln!(
            err,
            "On another machine, paste the address here that the browser ends at, or the code in it."
        )?;
    } else {
        writeln!(
            err,
            "A browser opens. If it does not, open this link:\n  {}",
            started.url
        )?;
    }
    Ok(is_elsewhere || io::stdin().is_terminal())
}

/// Waits for the browser, or for somebody who pastes what it ended at.
async fn wait(
    args: &Connect,
    service: &Service<'_>,
    loopback: Loopback,
    started: &SignInStarted,
    mut reads: bool,
) -> Result<CameBack> {
    let mut waiting = loopback.wait(&started.attempt);
    let stuck = waiting.waiting(service, &started.attempt);
    tokio::pin!(stuck);
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut is_stuck = false;
    let mut tick = tokio::time::interval(TICK);
    // What somebody pastes would stand in the line that tells how long it has been.
    let mut progress = Progress::new(SIGN_IN_LASTS, !args.no_browser);
    loop {
        tokio::select! {
            returned = waiting.callback() => return Ok(CameBack::Here(returned?)),
            guides = &mut stuck, if !is_stuck => {
                is_stuck = true;
                progress.end();
                write!(anstream::stderr().lock(), "{}", words::stuck(&guides, &started.url, reads))?;
            }
            line = lines.next_line(), if reads => match line? {
                Some(line) if line.trim().is_empty() => {}
                Some(line) => match pasted(service, &started.attempt, &line) {
                    Pasted::Back(query) => return Ok(CameBack::Pasted(query)),
                    other => write!(anstream::stderr().lock(), "{}", words::pasted(&other))?,
                },
                None => reads = false,
            },
            _ = tick.tick() => progress.tell("the sign-in"),
        }
    }
}

fn interrupted() -> Problem {
    let hint = "the link that was printed is good for nothing any more: run the command again";
    Problem::failure(
        "interrupted",
        "the sign-in was given up",
        Some(hint.to_owned()),
    )
}
