//! `salesforce-devorg`: a dev org to start by hand or from another language's tests.
//!
//! It prints one JSON line, `{"url", "client_id", "client_secret", "users"}`, with `https_url`,
//! `ca_file`, `admin_url` and `jwt_client_id` where they are asked for, and serves until it is stopped.

mod arguments;
mod progress;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use arguments::{address, callback, limits, secret, token};
use clap::Parser;
use jiff::civil::Date;
use progress::Progress;
use salesforce_devorg::error::StartError;
use salesforce_devorg::{AppState, DevOrg, DevUser, Options};
use serde::Serialize;

/// The exit code of a mistake on the command line, as clap has it.
const USAGE: u8 = 2;

/// Serve a Salesforce org with sample records, in memory, until stopped.
///
/// Prints one line of JSON first: its url, the app's client_id and client_secret, and its users
/// with username, profile, password, access_token and refresh_token.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Address and port to listen on, or a name of this machine's loopback such as localhost; port
    /// 0 is a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: String,
    /// Listen on an address that other machines reach, too.
    #[arg(long)]
    allow_other_machines: bool,
    /// A day for the org, such as 2026-11-23: it is noon (UTC) there, and a second later for each change.
    /// The org's time is the machine's if left out.
    #[arg(long, value_name = "DATE")]
    today: Option<String>,
    /// Replace a refresh token each time it is used.
    #[arg(long)]
    rotate_refresh_tokens: bool,
    /// A callback address that is not on loopback; may be given several times.
    #[arg(long, value_name = "URL")]
    redirect_uri: Vec<String>,
    /// The app's consumer key; a random one if left out.
    #[arg(long, value_name = "KEY")]
    client_id: Option<String>,
    /// The environment's variable with the app's consumer secret; a random one if left out.
    #[arg(long, value_name = "NAME")]
    client_secret_env: Option<String>,
    /// The environment's variable with the administrator's access token; a random one if left out.
    #[arg(long, value_name = "NAME")]
    access_token_env: Option<String>,
    /// How much there is of a limit, by its name in `/limits`; may be given several times.
    #[arg(long, value_name = "NAME=MAX")]
    limit: Vec<String>,
    /// How the app stands: a way for its users to be refused, by name; `ready` if left out, or as it was
    /// where the org was kept. An administrator cures `not-installed` and `blocked` in a browser, at the
    /// org's `/setup/oauth-usage`.
    #[arg(long, value_name = "NAME", value_enum)]
    app_state: Option<AppState>,
    /// A file with the certificate, in PEM, of the apps that sign JWTs.
    #[arg(long, value_name = "PATH")]
    jwt_certificate: Option<PathBuf>,
    /// Serve https, too, at an address and port; at a free port of 127.0.0.1 if none is given.
    #[arg(long, value_name = "ADDRESS:PORT", num_args = 0..=1, default_missing_value = "127.0.0.1:0")]
    tls: Option<String>,
    /// Where to write the certificate, in PEM, of the authority that clients must trust for https.
    #[arg(long, value_name = "PATH", requires = "tls")]
    ca_file: Option<PathBuf>,
    /// Serve the admin endpoint, for states of apps and faults on demand; `GET /` there lists what
    /// it can do.
    #[arg(long, value_name = "ADDRESS:PORT", num_args = 0..=1, default_missing_value = "127.0.0.1:0")]
    admin: Option<String>,
    /// Have the objects that the describes in a folder describe: *.json of `sf sobject describe
    /// --sobject NAME --json`, or of GET …/sobjects/NAME/describe.
    #[arg(long, value_name = "FOLDER")]
    describe: Option<PathBuf>,
    /// Have the records in a folder in the place of the sample's: *.json of `sf data export tree`,
    /// as its plans say where there are some.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Keep the org in a file: it is made if it is not there, and the org goes on as it was if it is.
    /// The file has the passwords and tokens of the org's users.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
}

/// The line that says where the org is and how to get in.
#[derive(Serialize)]
struct Started<'a> {
    url: &'a str,
    client_id: &'a str,
    client_secret: &'a str,
    users: &'a [DevUser],
    #[serde(skip_serializing_if = "Option::is_none")]
    https_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_file: Option<&'a Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwt_client_id: Option<&'a str>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let ca_file = arguments.ca_file.clone();
    let options = match options(arguments) {
        Ok(options) => options,
        Err(words) => return fail(USAGE, &words),
    };
    let progress = Progress::of(&options);
    let org = DevOrg::start(options).await;
    drop(progress);
    let org = match org {
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
        Err(
            error @ (StartError::AdminNotLoopback { .. }
            | StartError::JwtCertificate
            | StartError::Describe(_)
            | StartError::Data(_)),
        ) => return fail(USAGE, &error.to_string()),
        Err(StartError::StateFile { path, reason }) => {
            let code = if reason.is_of_the_caller() { USAGE } else { 1 };
            return fail(code, &format!("`--state {}` {reason}", path.display()));
        }
        Err(error) => return fail(1, &error.to_string()),
    };
    for note in org.notes() {
        let _ = writeln!(io::stderr(), "note: {note}"); // Whoever closed it does not want to know.
    }
    // Before anybody knows where it is: who is told may end it at once.
    let stopping = stopping();
    let started = Started {
        url: org.url(),
        client_id: org.client_id(),
        client_secret: org.client_secret(),
        users: org.users(),
        https_url: org.https_url(),
        ca_file: ca_file.as_deref(),
        admin_url: org.admin_url(),
        jwt_client_id: org.jwt_client_id(),
    };
    if let (Some(path), Some(pem)) = (&ca_file, org.ca_pem())
        && let Err(error) = std::fs::write(path, pem)
    {
        let words = format!("`--ca-file {}` cannot be written: {error}", path.display());
        return fail(USAGE, &words);
    }
    let printed = serde_json::to_string(&started)
        .map_err(io::Error::from)
        .and_then(|line| writeln!(io::stdout(), "{line}"))
        .and_then(|()| io::stdout().flush());
    if let Err(error) = printed {
        return fail(1, &format!("nobody reads what the org prints: {error}"));
    }
    stopping.await;
    org.stop().await;
    ExitCode::SUCCESS
}

fn options(arguments: Arguments) -> Result<Options, String> {
    let listen = address("--listen", &arguments.listen)?;
    let tls = arguments.tls.map(|text| address("--tls", &text));
    let admin = arguments.admin.map(|text| address("--admin", &text));
    let client_id = arguments.client_id.map(|text| token("`--client-id`", text));
    let client_secret = arguments.client_secret_env;
    let client_secret = client_secret.map(|name| secret("--client-secret-env", &name));
    let access_token = arguments.access_token_env;
    let access_token = access_token.map(|name| secret("--access-token-env", &name));
    let jwt_certificate = arguments.jwt_certificate.map(|path| {
        std::fs::read_to_string(&path)
            .map_err(|error| format!("cannot read `{}`: {error}", path.display()))
    });
    let today = match arguments.today {
        Some(text) => {
            let day: Result<Date, _> = text.parse();
            Some(day.map_err(|_| format!("`--today {text}` is no day; write it like 2026-11-23"))?)
        }
        None => None,
    };
    let redirect_uris: Result<_, _> = arguments.redirect_uri.into_iter().map(callback).collect();
    Ok(Options {
        listen,
        allow_other_machines: arguments.allow_other_machines,
        today,
        rotate_refresh_tokens: arguments.rotate_refresh_tokens,
        redirect_uris: redirect_uris?,
        client_id: client_id.transpose()?,
        client_secret: client_secret.transpose()?,
        access_token: access_token.transpose()?,
        limits: limits(&arguments.limit)?,
        app_state: arguments.app_state,
        jwt_certificate: jwt_certificate.transpose()?,
        tls: tls.transpose()?,
        admin: admin.transpose()?,
        describe: arguments.describe,
        data: arguments.data,
        state: arguments.state,
        ..Options::default()
    })
}

fn fail(code: u8, words: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "error: {words}"); // Whoever closed it does not want to know.
    ExitCode::from(code)
}

/// Begins to listen for Ctrl-C and for being told to end, and gives what waits for either.
#[cfg(unix)]
fn stopping() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    );
    async move {
        if let (Ok(mut interrupted), Ok(mut terminated)) = signals {
            tokio::select! {
                _ = interrupted.recv() => {}
                _ = terminated.recv() => {}
            }
        } else {
            let _ = tokio::signal::ctrl_c().await; // Without signals the process is ended otherwise.
        }
    }
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
async fn stopping() {
    let _ = tokio::signal::ctrl_c().await; // Without signals the process is ended otherwise.
}
