//! `salesforce-devorg`: a dev org to start by hand or from another language's tests.
//!
//! It prints one JSON line, `{"url", "client_id", "client_secret", "users"}`, and serves until it
//! is stopped.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use jiff::civil::Date;
use salesforce_devorg::error::StartError;
use salesforce_devorg::{DevOrg, DevUser, Options};
use serde::Serialize;

/// The exit code of a mistake on the command line, as clap has it.
const USAGE: u8 = 2;

/// Serve a Salesforce org with sample records, in memory, until stopped.
///
/// Prints one line of JSON first: its url, the app's client_id and client_secret, and its users
/// with username, password, access_token and refresh_token.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Address and port to listen on; port 0 is a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: String,
    /// Listen on an address that other machines reach, too.
    #[arg(long)]
    allow_other_machines: bool,
    /// The org's today, such as 2026-11-23; the machine's (UTC) if left out.
    #[arg(long, value_name = "DATE")]
    today: Option<String>,
    /// Replace a refresh token each time it is used.
    #[arg(long)]
    rotate_refresh_tokens: bool,
    /// A callback address that is not on loopback; may be given several times.
    #[arg(long, value_name = "URL")]
    redirect_uri: Vec<String>,
}

/// The line that says where the org is and how to get in.
#[derive(Serialize)]
struct Started<'a> {
    url: &'a str,
    client_id: &'a str,
    client_secret: &'a str,
    users: &'a [DevUser],
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = match options(Arguments::parse()) {
        Ok(options) => options,
        Err(words) => return fail(USAGE, &words),
    };
    let org = match DevOrg::start(options).await {
        Ok(org) => org,
        Err(error @ StartError::NotLoopback { .. }) => {
            return fail(USAGE, &format!("{error} with `--allow-other-machines`"));
        }
        Err(StartError::Listen { address, source }) => {
            return fail(
                1,
                &format!(
                    "cannot listen on `{address}`: {source}; choose another address, or port 0 for a free one"
                ),
            );
        }
        Err(error) => return fail(1, &error.to_string()),
    };
    let started = Started {
        url: org.url(),
        client_id: org.client_id(),
        client_secret: org.client_secret(),
        users: org.users(),
    };
    let printed = serde_json::to_string(&started)
        .map_err(io::Error::from)
        .and_then(|line| writeln!(io::stdout(), "{line}"))
        .and_then(|()| io::stdout().flush());
    if let Err(error) = printed {
        return fail(1, &format!("nobody reads what the org prints: {error}"));
    }
    stopped().await;
    org.stop().await;
    ExitCode::SUCCESS
}

fn options(arguments: Arguments) -> Result<Options, String> {
    let listen: SocketAddr = arguments.listen.parse().map_err(|_| {
        format!(
            "`--listen {}` is no address and port; write it like 127.0.0.1:8080",
            arguments.listen
        )
    })?;
    let today = match arguments.today {
        Some(text) => {
            let day: Result<Date, _> = text.parse();
            Some(day.map_err(|_| format!("`--today {text}` is no day; write it like 2026-11-23"))?)
        }
        None => None,
    };
    Ok(Options {
        listen,
        allow_other_machines: arguments.allow_other_machines,
        today,
        rotate_refresh_tokens: arguments.rotate_refresh_tokens,
        redirect_uris: arguments.redirect_uri,
        ..Options::default()
    })
}

fn fail(code: u8, words: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "error: {words}"); // Whoever closed it does not want to know.
    ExitCode::from(code)
}

/// Waits for Ctrl-C, or for being told to end.
async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await; // Where there are no signals the process is ended otherwise.
}
