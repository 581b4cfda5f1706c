//! A person signs in with a browser, on this machine or, by a link, on another.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result};
use portcullis::policy::Manifest;
use portcullis_connect::{
    Begin, Connected, Loopback, LoopbackHost, LoopbackOptions, RedirectUri, SIGN_IN_LASTS, Service,
    SignInStarted,
};
use tokio::io::{AsyncBufReadExt, BufReader};

use super::progress::Progress;
use super::wanted::Wanted;
use super::words;
use crate::args::connect::Connect;
use crate::office::{Office, problem};

/// How often the wait is told.
const TICK: Duration = Duration::from_secs(1);

/// Sends a browser to the service and waits until it is back.
pub(super) async fn connect(
    office: &Office,
    manifest: &Manifest,
    args: &Connect,
    wanted: &Wanted,
) -> Result<Connected> {
    let service = Service::of(manifest).context("accounts of this connector do not sign in")?;
    let loopback = Loopback::bind(LoopbackOptions {
        port: args.port,
        host: LoopbackHost::Localhost,
        deadline: SIGN_IN_LASTS,
        stuck_after: args.stuck_after(),
    })
    .await?;
    let begin = Begin {
        person: &office.me,
        owner: wanted.owner.clone(),
        connector: &args.connector,
        app: &wanted.app,
        login: &wanted.login,
        scopes: &wanted.scopes,
        redirect: loopback.redirect(),
        link: None,
        browser: None,
        label: &wanted.label,
        replaces: wanted.replaces.clone(),
        allow_other_organization: args.other_organization,
    };
    let started = office.accounts.begin(begin).await;
    let started = started.map_err(|error| problem(&error))?;
    tell(args, wanted, &service, loopback.redirect(), &started)?;
    let query = wait(args, &service, loopback, &started).await?;
    let connected = office.accounts.finish(&query, Some(&office.me), None).await;
    connected.map_err(|error| problem(&error).into())
}

/// Says what the app must be like, and where the browser goes.
fn tell(
    args: &Connect,
    wanted: &Wanted,
    service: &Service<'_>,
    redirect: &RedirectUri,
    started: &SignInStarted,
) -> Result<()> {
    let mut err = anstream::stderr().lock();
    write!(err, "{}", words::app(service, wanted, redirect.as_str()))?;
    if let Some(warning) = &started.warning {
        writeln!(err, "warning: {warning}")?;
    }
    // A browser that does not start leaves the link.
    if args.no_browser || open::that_detached(&started.url).is_err() {
        writeln!(err, "Open this link, and sign in:\n  {}", started.url)?;
        writeln!(
            err,
            "On another machine, paste the address here that the browser ends at."
        )?;
    } else {
        writeln!(
            err,
            "A browser opens. If it does not, open this link:\n  {}",
            started.url
        )?;
    }
    Ok(())
}

/// Waits for the browser, or for somebody who pastes what it ended at.
async fn wait(
    args: &Connect,
    service: &Service<'_>,
    loopback: Loopback,
    started: &SignInStarted,
) -> Result<String> {
    let mut waiting = loopback.wait(&started.attempt);
    let stuck = waiting.waiting(service, &started.attempt);
    tokio::pin!(stuck);
    let mut pasted = BufReader::new(tokio::io::stdin()).lines();
    let (mut reads, mut is_stuck) = (args.no_browser, false);
    let mut tick = tokio::time::interval(TICK);
    let mut progress = Progress::new(SIGN_IN_LASTS);
    loop {
        tokio::select! {
            query = waiting.callback() => return Ok(query?),
            guides = &mut stuck, if !is_stuck => {
                is_stuck = true;
                progress.end();
                write!(anstream::stderr().lock(), "{}", words::stuck(&guides))?;
            }
            line = pasted.next_line(), if reads => match line? {
                Some(line) if !line.trim().is_empty() => return Ok(query_of(&line).to_owned()),
                Some(_) => {}
                None => reads = false,
            },
            _ = tick.tick() => progress.tell("the sign-in"),
        }
    }
}

/// Takes the query out of the address that a browser ended at.
fn query_of(text: &str) -> &str {
    let text = text.trim();
    let text = text.split_once('#').map_or(text, |(text, _)| text);
    text.split_once('?').map_or(text, |(_, query)| query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pasted_is_read_as_far_as_it_counts() {
        for (text, query) in [
            (
                "http://localhost:7717/callback?code=a&state=b",
                "code=a&state=b",
            ),
            ("  code=a&state=b ", "code=a&state=b"),
            (
                "http://localhost:7717/callback?error=access_denied&state=b#x",
                "error=access_denied&state=b",
            ),
        ] {
            assert_eq!(query_of(text), query);
        }
    }
}
