//! A person signs in with a browser, on this machine or, by a link, on another.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use portcullis::policy::Manifest;
use portcullis_connect::{
    Begin, Connected, Loopback, LoopbackHost, LoopbackOptions, RedirectUri, SIGN_IN_LASTS, Service,
    SignInStarted,
};
use tokio::io::{AsyncBufReadExt, BufReader};

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
        ..LoopbackOptions::default()
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
    let scopes = match wanted.scopes.is_empty() {
        true => &service.auth.scopes.default,
        false => &wanted.scopes,
    };
    writeln!(
        err,
        "Signing in at {}, {}.",
        wanted.login.origin, wanted.login.title
    )?;
    writeln!(err, "The app needs:")?;
    writeln!(err, "  callback URL  {}", redirect.as_str())?;
    writeln!(err, "  scopes        {}", scopes.join(", "))?;
    writeln!(
        err,
        "  PKCE          {}",
        if service.auth.pkce { "required" } else { "off" }
    )?;
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
    let mut progress = Progress::new();
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
            _ = tick.tick() => progress.tell(),
        }
    }
}

/// Takes the query out of the address that a browser ended at.
fn query_of(text: &str) -> &str {
    let text = text.trim();
    let text = text.split_once('#').map_or(text, |(text, _)| text);
    text.split_once('?').map_or(text, |(_, query)| query)
}

/// How long a person has been waited for, on a terminal.
struct Progress {
    began: Instant,
    is_shown: bool,
}

impl Progress {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            is_shown: false,
        }
    }

    fn tell(&mut self) {
        if !io::stderr().is_terminal() {
            return;
        }
        let (waited, all) = (self.began.elapsed().as_secs(), SIGN_IN_LASTS.as_secs());
        // Nobody misses it where it cannot be written.
        let _ = write!(
            io::stderr(),
            "\rwaiting for the sign-in: {waited} of {all} s"
        );
        self.is_shown = true;
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            let _ = writeln!(io::stderr());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
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
