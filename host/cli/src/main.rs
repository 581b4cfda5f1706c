//! The program `portcullis`: tries connectors out, calls their tools, serves them to agents, and keeps people, agents and
//! accounts in its store.
//!
//! Owned here: the command line, the environment, the terminal, and which connectors are bundled. What a
//! connector may do is decided in the library, and nothing here can widen it.

mod activity;
mod agent;
mod allow;
mod app;
mod apply;
mod approvals;
mod args;
mod audit;
mod bundled;
mod call;
mod catalog;
mod clients;
mod connect;
mod connections;
mod connector;
mod connectors;
mod decide;
mod demo;
mod desk;
mod environment;
mod explain;
mod group;
mod home;
mod key;
mod keyboard;
mod master;
mod nearest;
mod office;
mod org;
mod person;
mod prepare;
mod problem;
mod scope;
mod serve;
mod show;
mod stop;
mod subject;
mod token;
mod tools;
mod usage;

use std::io;
use std::process::ExitCode;

use anyhow::{Context, Error, Result};
use serde_json::Value;
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::args::{Cli, Command, Format, Settings};
use crate::home::Home;
use crate::problem::Problem;

fn main() -> ExitCode {
    let cli = match usage::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(ended) => return ended,
    };
    match start(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the output has seen enough, such as `head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => end(&cli, error),
    }
}

fn start(cli: &Cli) -> Result<()> {
    log(&cli.settings)?;
    let runtime = threads(&cli.command)
        .enable_all()
        .build()
        .context("the program's threads could not be started")?;
    let ended = runtime.block_on(run(cli));
    // A read of standard input cannot be ended; what is left has nothing more to do.
    runtime.shutdown_background();
    ended
}

/// Says how many threads work on a command.
fn threads(command: &Command) -> tokio::runtime::Builder {
    let mut many = tokio::runtime::Builder::new_multi_thread();
    match command {
        // One client's calls wait for a service, not for a processor, and to hand them from thread to thread takes longer than what is
        // done in between.
        Command::Serve(args) if args.stdio => return tokio::runtime::Builder::new_current_thread(),
        // The store has threads of its own, and what more workers gain goes into waking each other.
        Command::Serve(_) if std::env::var_os(WORKERS).is_none() => {
            let processors = std::thread::available_parallelism().map_or(1, usize::from);
            many.worker_threads(processors.div_ceil(2));
        }
        _ => {}
    }
    many
}

/// How many workers there are, where somebody says so: read by the runtime.
const WORKERS: &str = "TOKIO_WORKER_THREADS";

async fn run(cli: &Cli) -> Result<()> {
    let cache = || environment::cache(cli.settings.no_cache);
    // Asked for by those alone who need a store.
    let home = || Home::of(&cli.store);
    match &cli.command {
        Command::Demo(args) => demo::run(args, cache()).await,
        Command::Call(args) => call::run(args, &cli.store, cache()).await,
        Command::Tools(args) => tools::run(args, &cli.store, cache()).await,
        Command::Connector { command } => connector::run(command, &cli.store, cache()).await,
        Command::Allow(args) => allow::run(args, &home()?, cache()).await,
        Command::Explain(args) => explain::run(args, &home()?, cache()).await,
        Command::Scope(args) => scope::run(args, &home()?, cache()).await,
        Command::Serve(args) => serve::run(args, &cli.store, cache()).await,
        Command::Person { command } => person::run(command, &home()?, cache()).await,
        Command::Group { command } => group::run(command, &home()?).await,
        Command::Agent { command } => agent::run(command, &home()?).await,
        Command::Connect(args) => connect::run(args, &home()?, cache()).await,
        Command::Connections { command } => connections::run(command, &home()?, cache()).await,
        Command::Approvals { command } => approvals::run(command, &home()?, cache()).await,
        Command::App { command } => app::run(command, &home()?, cache()).await,
        Command::Activity(args) => activity::run(args, &home()?, cache()).await,
        Command::Audit { command } => audit::run(command, &home()?, cache()).await,
        Command::Key { command } => key::run(command, &home()?).await,
        Command::Apply(args) => apply::run(args, &home()?, cache()).await,
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
    let shows_printed = settings.log.contains(PRINTED);
    let stderr = io::stderr;
    let colours = anstream::AutoStream::choice(&stderr()) != anstream::ColorChoice::Never;
    // The modules are for who looks for a defect.
    let is_for_developers = filter.max_level_hint() > Some(LevelFilter::INFO);
    let lines = tracing_subscriber::fmt::layer()
        .with_target(is_for_developers)
        .with_writer(stderr)
        .with_ansi(colours);
    tracing_subscriber::registry()
        .with(filter)
        .with(filter_fn(move |line| has_no_values(line, shows_printed)))
        .with(lines)
        .init();
    Ok(())
}

/// The target of the lines that connectors print.
const PRINTED: &str = "portcullis_printed";

/// Leaves out what the libraries below say of what passes through them, whatever is asked for: the protocol's writes messages of clients
/// out, the sandbox's the arguments of a connector's calls, and with them values of records. So may what a connector prints, which is for who asks for it by its name.
fn has_no_values(line: &Metadata<'_>, shows_printed: bool) -> bool {
    match line.target() {
        PRINTED => shows_printed,
        // Which writes out whole requests, answers and errors.
        target if target.starts_with("rmcp::service") => *line.level() == Level::ERROR,
        target => *line.level() <= Level::DEBUG || target.starts_with("portcullis"),
    }
}

fn is_broken_pipe(error: &Error) -> bool {
    error.chain().any(|cause| {
        // What writes JSON and CSV has the system's error inside, and not as its cause.
        let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        let json = || cause.downcast_ref::<serde_json::Error>()?.io_error_kind();
        let csv = || match cause.downcast_ref::<csv::Error>()?.kind() {
            csv::ErrorKind::Io(error) => Some(error.kind()),
            _ => None,
        };
        kind.or_else(json).or_else(csv) == Some(io::ErrorKind::BrokenPipe)
    })
}

/// Says what went wrong, to the person and, where a program asked, to the program.
fn end(cli: &Cli, error: Error) -> ExitCode {
    let problem = Problem::of_error(error);
    // The object of a call that was made is printed already.
    if is_asked_by_program(&cli.command) && problem.call.is_none() && !problem.is_printed {
        let object = show::reply::problem_json(&problem);
        let _ = show::json(&Value::Object(object)); // There is nobody left to tell.
    }
    let _ = show::reply::problem(&mut anstream::stderr().lock(), &problem);
    ExitCode::from(problem.exit)
}

fn is_asked_by_program(command: &Command) -> bool {
    match command {
        Command::Call(args) => args.output == Format::Json,
        Command::Connector { command } => command.form().json,
        Command::Demo(_) | Command::Tools(_) | Command::Serve(_) => false,
        Command::Allow(args) => args.form.json,
        Command::Explain(args) => args.form.json,
        Command::Scope(args) => args.form.json,
        Command::Person { command } => command.form().json,
        Command::Group { command } => command.form().json,
        Command::Agent { command } => command.form().json,
        Command::Connect(args) => args.form.json,
        Command::Connections { command } => command.form().json,
        Command::Approvals { command } => command.form().json,
        Command::App { command } => command.form().json,
        Command::Activity(args) => args.form().json,
        Command::Audit { command } => command.form().json,
        Command::Key { command } => command.form().json,
        Command::Apply(args) => args.form.json,
    }
}
