//! MCP servers for Salesforce side by side, in one run against one dev org by https: how long they take to start, how long a query takes, how
//! many they answer in a second and with which processor time, what memory they have, what their tools cost a model.
//!
//! Portcullis is measured with its store and audit log, over stdio and by HTTP; the others over stdio, which is what they have. `just bench-mcp`
//! installs those. The org is in this program, so that it takes part of the processors from each of them alike. Linux only: memory and
//! processor time are read from `/proc`.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints"
)]

mod contestant;
mod http;
mod measure;
mod process;
mod stdio;
mod table;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use mimalloc::MiMalloc;
use salesforce_devorg::{DevOrg, Options};

use measure::Effort;

/// A third of what the org and the clients take here is allocation, and what they take the servers do not have.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// What is measured, and how.
struct Settings {
    /// The program; else the one that stands beside this one.
    portcullis: Option<PathBuf>,
    /// Where `run.py` has installed the others; none: they are not measured.
    others: Option<PathBuf>,
    /// A Node that runs the one.
    node: PathBuf,
    /// Whether it is to be printed for programs.
    json: bool,
    effort: Effort,
}

#[tokio::main]
async fn main() -> Result<()> {
    let settings = settings()?;
    let org = Options {
        tls: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        api_requests_max: u64::MAX >> 1,
        ..Options::default()
    };
    let org = DevOrg::start(org).await?;
    let folder = tempfile::tempdir()?;
    // For those who take a file.
    let authority = folder.path().join("authority.pem");
    std::fs::write(
        &authority,
        org.ca_pem().context("the org has no authority")?,
    )?;
    let program = match &settings.portcullis {
        Some(program) => program.clone(),
        None => bench::program()?,
    };
    let mut contestants = contestant::portcullis(&program, &org, folder.path(), &authority).await?;
    if let Some(others) = &settings.others {
        contestants.push(contestant::of_npm(
            others,
            &settings.node,
            &org,
            &authority,
        )?);
        contestants.push(contestant::of_pypi(others, &org, &authority)?);
    }
    let mut results = Vec::new();
    for contestant in &contestants {
        eprintln!("measuring {}", contestant.name);
        let result = measure::measure(contestant, &org, &settings.effort).await;
        results.push(result.with_context(|| format!("{} could not be measured", contestant.name))?);
    }
    match settings.json {
        true => println!("{}", table::json(&results)),
        false => print!("{}", table::text(&results)),
    }
    Ok(())
}

fn settings() -> Result<Settings> {
    let mut settings = Settings {
        portcullis: None,
        others: None,
        node: "node".into(),
        json: false,
        effort: Effort::full(),
    };
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let mut value = || {
            given
                .next()
                .with_context(|| format!("`{name}` needs a value"))
        };
        match name.as_str() {
            "--portcullis" => settings.portcullis = Some(value()?.into()),
            "--others" => settings.others = Some(value()?.into()),
            "--node" => settings.node = value()?.into(),
            "--json" => settings.json = true,
            "--quick" => settings.effort = Effort::quick(),
            // cargo says so.
            "--bench" => {}
            other => bail!(
                "`{other}` is none of --portcullis FILE, --others FOLDER, --node FILE, --json and --quick"
            ),
        }
    }
    Ok(settings)
}
