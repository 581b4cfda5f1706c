//! The command line.

pub(crate) mod accounts;
pub(crate) mod approvals;
pub(crate) mod audit;
pub(crate) mod connect;
pub(crate) mod connector;
pub(crate) mod people;
pub(crate) mod permissions;
pub(crate) mod serve;
pub(crate) mod subject;
pub(crate) mod token;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use portcullis::network::HostPort;
use portcullis::policy::{AgentId, Origin, PersonId};

use accounts::{AppCommand, Apply, ConnectionsCommand, KeyCommand};
use approvals::ApprovalsCommand;
use audit::{Activity, AuditCommand};
use connect::Connect;
use connector::ConnectorCommand;
use people::{AgentCommand, GroupCommand, PersonCommand};
use permissions::{Allow, Explain, ScopeArgs};
use serve::{Serve, public_url};

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

With people, agents and accounts of your own:
  portcullis agent add helper              an agent
  portcullis agent give helper salesforce  what it may use
  portcullis person add bob                another person; you are an administrator already
  portcullis apply portcullis.toml         all of this from a file

Exit codes: 0 done, so already, or you were asked and said no; 1 asked rightly, and refused (by a rule, a limit, a person, the
service) or failed; 2 it cannot be asked so: a command, name or argument that is none, or what is not for you or needs a terminal."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) settings: Settings,
    #[command(flatten)]
    pub(crate) store: StoreSettings,
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

/// Where the store is, and the master key that opens it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Store")]
pub(crate) struct StoreSettings {
    /// The folder of the store and its key; else that of PORTCULLIS_DATA_DIR, or the user's data folder.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The store itself, where it is elsewhere: `sqlite:///path/to/portcullis.db`. Else that of PORTCULLIS_STORE.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// The file that holds the master key; else the file `key` beside the store.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// Where the master key is; else in the variable PORTCULLIS_KEY if it is set, in the system's keyring if
    /// that holds it, and in the key file.
    #[arg(long, global = true, value_enum, value_name = "WHERE")]
    pub(crate) key: Option<KeySource>,
}

/// Where a master key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeySource {
    /// In the system's keyring.
    Keyring,
    /// In a file of its owner's alone.
    File,
    /// In the environment variable PORTCULLIS_KEY: 32 bytes in base64.
    Env,
}

/// How a command says what it did.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Form {
    /// Print one JSON value, for programs.
    #[arg(long)]
    pub(crate) json: bool,
}

/// For whom a call is made: an agent of the store, and a person.
#[derive(Debug, Args)]
#[command(next_help_heading = "Who")]
pub(crate) struct Who {
    /// The agent; else the only one that there is.
    #[arg(long, value_name = "ID")]
    pub(crate) agent: Option<AgentId>,
    /// Another person than you, for administrators.
    #[arg(long = "as", value_name = "PERSON")]
    pub(crate) person: Option<PersonId>,
}

impl Who {
    /// Says whether anybody is named.
    pub(crate) fn is_given(&self) -> bool {
        self.agent.is_some() || self.person.is_some()
    }
}

/// How services are reached. Proxies are taken from HTTPS_PROXY, HTTP_PROXY and NO_PROXY.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkArgs {
    /// Trust the certificate authorities in this PEM file too, such as a company's own.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Allow the org to be at this loopback or private address; may be given more than once.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) allow_origin: Vec<HostPort>,
}

/// Which Salesforce org, where it is not one of the store's connections.
#[derive(Debug, Args)]
#[command(next_help_heading = "Org")]
pub(crate) struct Org {
    /// An org inside this program: sample records, gone at the end.
    #[arg(long, conflicts_with_all = ["instance_url", "agent", "person"])]
    pub(crate) dev_org: bool,
    /// The org's address, such as `https://acme.my.salesforce.com`.
    #[arg(
        long,
        value_name = "URL",
        requires = "access_token_env",
        conflicts_with_all = ["agent", "person"]
    )]
    pub(crate) instance_url: Option<String>,
    /// The environment variable that holds an access token; not the token, which others could see.
    #[arg(long, value_name = "NAME", requires = "instance_url")]
    pub(crate) access_token_env: Option<String>,
}

impl Org {
    /// Says whether one is named here.
    pub(crate) fn is_given(&self) -> bool {
        self.dev_org || self.instance_url.is_some()
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Ask an org inside this program three questions through the sandbox, and see a write refused.
    Demo(Demo),
    /// Call a tool and print its answer.
    Call(Call),
    /// List the tools that an agent gets.
    Tools(Tools),
    /// Connectors: which there are, and which version of each is in use.
    Connector {
        #[command(subcommand)]
        command: ConnectorCommand,
    },
    /// Give the tools to an MCP client.
    Serve(Box<Serve>),
    /// People: who the agents work for, and which of them administer.
    Person {
        #[command(subcommand)]
        command: PersonCommand,
    },
    /// Groups of people, to share with.
    Group {
        #[command(subcommand)]
        command: GroupCommand,
    },
    /// Agents, and which connectors each has.
    Agent {
        #[command(subcommand)]
        command: AgentCommand,
    },
    /// Say how tools may be used: always, after approval, or not at all.
    Allow(Allow),
    /// Say which rule decided on a tool, and what every other one says.
    Explain(Explain),
    /// Say what an agent may touch: kinds and fields to read and to change, and how much.
    Scope(Box<ScopeArgs>),
    /// Connect an account at a service: your own, or a shared one.
    Connect(Box<Connect>),
    /// Connections: accounts at services, a person's own or shared.
    Connections {
        #[command(subcommand)]
        command: ConnectionsCommand,
    },
    /// Questions to people: what an agent may do only once they have said yes.
    Approvals {
        #[command(subcommand)]
        command: ApprovalsCommand,
    },
    /// The OAuth clients that people sign in with.
    App {
        #[command(subcommand)]
        command: AppCommand,
    },
    /// What agents did: for whom, with what, and how it ended.
    Activity(Box<Activity>),
    /// The log of all that: whether it is whole, exports, how long it is kept.
    Audit {
        #[command(subcommand)]
        command: Box<AuditCommand>,
    },
    /// The master key of the store.
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// Bring people, groups, agents and sharing to what a file says.
    Apply(Apply),
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
  portcullis call get_identity --instance-url https://acme.my.salesforce.com --access-token-env SF_TOKEN
  portcullis call query --agent helper --json '{\"soql\": \"SELECT Name FROM Account LIMIT 5\"}'")]
pub(crate) struct Call {
    /// The tool, such as `query`; `portcullis tools` lists them.
    pub(crate) tool: String,
    /// The tool's arguments as a JSON object, or `-` to read it from standard input.
    #[arg(long, value_name = "OBJECT", default_value = "{}")]
    pub(crate) json: String,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) output: Format,
    /// Why, in a sentence: for the person who approves, and never for the connector.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// Print the call's audit entry too.
    #[arg(long)]
    pub(crate) audit: bool,
    /// Hand on links to the pages where people connect accounts at this address, as `portcullis serve --listen` has them.
    #[arg(
        long,
        value_name = "URL",
        value_parser = public_url,
        conflicts_with_all = ["dev_org", "instance_url", "connect_port"]
    )]
    pub(crate) public_url: Option<Origin>,
    /// The port of this machine where a `portcullis serve` that runs has its pages; links lead there, if one does.
    #[arg(long, default_value_t = CONNECT_PORT, value_name = "PORT")]
    pub(crate) connect_port: u16,
    #[command(flatten)]
    pub(crate) who: Who,
    #[command(flatten)]
    pub(crate) org: Org,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}

/// The port of this machine where people's browsers come back to, if nobody names another: apps know it by their callback URL.
pub(crate) const CONNECT_PORT: u16 = 7717;

/// A form of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs: one object, whatever happened.
    Json,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portcullis tools                   all of the connectors that are part of this program
  portcullis tools --agent helper    those that an agent of the store has; new ones are marked
  portcullis tools --seen            takes note that you, an administrator, have seen them all")]
pub(crate) struct Tools {
    /// Take note that you have seen all tools as they are, so that rules for many count for new ones too.
    #[arg(long)]
    pub(crate) seen: bool,
    /// Print them for programs, with their schemas.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) who: Who,
}
