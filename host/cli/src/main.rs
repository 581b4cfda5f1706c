//! The program `portcullis`: tries connectors out, calls their tools, and serves them to agents.
//!
//! Owned here: the command line, the environment, the terminal, and which connectors are bundled. What a
//! connector may do is decided in the library, and nothing here can widen it.

mod args;
mod bundled;
mod call;
mod demo;
mod environment;
mod inspect;
mod org;
mod problem;
mod serve;
mod show;
mod tools;

use std::io;
use std::process::ExitCode;

use anyhow::{Context, Error, Result};
use clap::Parser;
use serde_json::Value;
use tracing_subscriber::EnvFilter;

use crate::args::{Cli, Command, ConnectorCommand, Format, Settings};
use crate::problem::Problem;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match start(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the output has seen enough, such as `head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => end(&cli, error),
    }
}

fn start(cli: &Cli) -> Result<()> {
    log(&cli.settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the program's threads could not be started")?;
    let ended = runtime.block_on(run(cli));
    // A read of standard input cannot be ended; what is left has nothing more to do.
    runtime.shutdown_background();
    ended
}

async fn run(cli: &Cli) -> Result<()> {
    let cache = environment::cache(cli.settings.no_cache);
    match &cli.command {
        Command::Demo(args) => demo::run(args, cache).await,
        Command::Call(args) => call::run(args, cache).await,
        Command::Tools(args) => tools::run(args, cache).await,
        Command::Connector {
            command: ConnectorCommand::Inspect(args),
        } => inspect::run(args, cache).await,
        Command::Serve(args) => serve::run(args, cache).await,
    }
}

/// Sends the log to standard error, for standard output belongs to answers.
fn log(settings: &Settings) -> Result<()> {
    let filter = EnvFilter::builder().parse(&settings.log).map_err(|error| {
        let message = format!("`{}` is no log level: {error}", settings.log.escape_debug());
        let hint =
            "give `--log` or `PORTCULLIS_LOG` as `error`, `warn`, `info`, `debug` or `trace`";
        Problem::mistake("log", message, hint)
    })?;
    let stderr = io::stderr;
    let colours = anstream::AutoStream::choice(&stderr()) != anstream::ColorChoice::Never;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(colours)
        .init();
    Ok(())
}

fn is_broken_pipe(error: &Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// Says what went wrong, to the person and, where a program asked, to the program.
fn end(cli: &Cli, error: Error) -> ExitCode {
    let problem = Problem::of_error(error);
    let asked_by_program =
        matches!(&cli.command, Command::Call(args) if args.output == Format::Json);
    // The object of a call that was made is printed already.
    if asked_by_program && problem.call.is_none() {
        let object = show::reply::problem_json(&problem);
        let _ = show::json(&Value::Object(object)); // There is nobody left to tell.
    }
    let _ = show::reply::problem(&mut anstream::stderr().lock(), &problem);
    ExitCode::from(problem.exit)
}
