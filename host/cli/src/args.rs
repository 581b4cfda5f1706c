//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use portcullis::network::HostPort;

/// Connectors for AI agents that hold no keys.
///
/// A connector is a WebAssembly component that turns one outside service into tools. Portcullis runs it in a
/// sandbox, keeps the credentials, enforces what was allowed, and writes everything down.
#[derive(Debug, Parser)]
#[command(
    name = "portcullis",
    version,
    after_help = "\
Begin here:
  portcullis demo                          three questions to an embedded Salesforce org
  portcullis tools                         what an agent gets
  portcullis call query --dev-org --json '{\"soql\": \"SELECT Name FROM Account LIMIT 5\"}'
  portcullis serve --stdio --dev-org       for an MCP client

Exit codes: 0 done, 1 failed, 2 a mistake in what was asked."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    /// What is logged to standard error: `error`, `warn`, `info`, `debug`, or `target=level,…`.
    #[arg(
        long,
        global = true,
        default_value = "warn",
        env = "PORTCULLIS_LOG",
        value_name = "LEVEL"
    )]
    pub(crate) log: String,
    /// Compile connectors anew instead of keeping them in the user's cache folder.
    #[arg(long, global = true)]
    pub(crate) no_cache: bool,
}

/// How services are reached. Proxies are taken from HTTPS_PROXY, HTTP_PROXY and NO_PROXY.
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkArgs {
    /// Trust the certificate authorities in this PEM file too, such as a company's own.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Allow the org to be at this loopback or private address; may be given more than once.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) allow_origin: Vec<HostPort>,
}

/// Which Salesforce org.
#[derive(Debug, Args)]
#[command(next_help_heading = "Org")]
pub(crate) struct Org {
    /// An org inside this program: sample records, gone at the end.
    #[arg(
        long,
        conflicts_with = "instance_url",
        required_unless_present = "instance_url"
    )]
    pub(crate) dev_org: bool,
    /// The org's address, such as `https://acme.my.salesforce.com`.
    #[arg(long, value_name = "URL", requires = "access_token_env")]
    pub(crate) instance_url: Option<String>,
    /// The environment variable that holds an access token; not the token, which others could see.
    #[arg(long, value_name = "NAME", requires = "instance_url")]
    pub(crate) access_token_env: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Ask an org inside this program three questions through the sandbox, and see a write refused.
    Demo(Demo),
    /// Call a tool and print its answer.
    Call(Call),
    /// List the tools that an agent gets.
    Tools(Tools),
    /// Look at connectors.
    Connector {
        #[command(subcommand)]
        command: ConnectorCommand,
    },
    /// Give the tools to an MCP client.
    Serve(Serve),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConnectorCommand {
    /// Say what a component is and whether it could be installed; nothing is installed.
    Inspect(Inspect),
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// End after the questions instead of keeping the org up.
    #[arg(long)]
    pub(crate) exit: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portcullis call query --dev-org --json '{\"soql\": \"SELECT Name, Owner.Name FROM Account LIMIT 5\"}'
  portcullis call describe_object --dev-org --json '{\"object\": \"Contact\"}' --output json
  portcullis call get_identity --instance-url https://acme.my.salesforce.com --access-token-env SF_TOKEN")]
pub(crate) struct Call {
    /// The tool, such as `query`; `portcullis tools` lists them.
    pub(crate) tool: String,
    /// The tool's arguments as a JSON object, or `-` to read it from standard input.
    #[arg(long, value_name = "OBJECT", default_value = "{}")]
    pub(crate) json: String,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) output: Format,
    /// Print the call's audit entry too.
    #[arg(long)]
    pub(crate) audit: bool,
    #[command(flatten)]
    pub(crate) org: Org,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}

/// A form of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs: one object, whatever happened.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Tools {
    /// Print them for programs, with their schemas.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// The component, a `.wasm` file.
    pub(crate) file: PathBuf,
    /// Print it for programs.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Serve one client over standard input and output.
    #[arg(long, required = true)]
    pub(crate) stdio: bool,
    #[command(flatten)]
    pub(crate) org: Org,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}
