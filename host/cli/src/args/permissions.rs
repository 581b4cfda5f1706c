//! The command line for what agents may do: the modes of tools, and scopes.

use clap::{Args, ValueEnum};
use portcullis::policy::{AgentId, ConnectorName, PersonId, ScopePattern};

use super::Form;

#[derive(Debug, Args)]
#[command(
    override_usage = "\
portcullis allow AGENT WHAT MODE [--connector NAME]
       portcullis allow --workspace WHAT MODE [--connector NAME]
       portcullis allow --connection LABEL WHAT MODE
       portcullis allow --list
       portcullis allow --anew",
    after_help = "\
WHAT is a tool's name, `toolset:NAME`, or `effect:read`, `effect:write`, `effect:destructive`.
MODE is one of
  always    nobody is asked
  ask       a person must approve it
  off       neither listed nor callable
  default   no rule: what reads is always allowed, what writes asks, what destroys is off, and so is what writes
            by a shared connection

Of all rules that apply to a tool the most restrictive wins, wherever it was made: a rule loosens a default, and
never another rule. `portcullis explain AGENT` shows what they come to.

Examples:
  portcullis allow helper effect:write ask
  portcullis allow helper delete_record ask
  portcullis allow helper toolset:records off
  portcullis allow helper effect:write default
  portcullis allow --workspace effect:destructive off
  portcullis allow --connection 'Acme production' effect:write off
  portcullis allow --list"
)]
pub(crate) struct Allow {
    /// The agent (left out with `--workspace` or `--connection`), which tools, and how.
    #[arg(required_unless_present_any = ["list", "anew"], num_args = 2..=3, value_names = ["AGENT", "WHAT", "MODE"])]
    pub(crate) words: Vec<String>,
    /// List all rules: of the workspace, of agents, and of connections.
    #[arg(long, conflicts_with_all = ["words", "workspace", "connection", "connector"])]
    pub(crate) list: bool,
    /// Forget all that was decided on agents, where it was tampered with and cannot be put back: no agent has a rule, a scope or a
    /// connector then, and installed versions have to be installed again.
    #[arg(long, conflicts_with_all = ["words", "list", "workspace", "connection", "connector"])]
    pub(crate) anew: bool,
    /// Do not ask.
    #[arg(long, requires = "anew")]
    pub(crate) yes: bool,
    /// For every agent.
    #[arg(long, conflicts_with = "connection")]
    pub(crate) workspace: bool,
    /// For every agent that acts as this connection, named by its id or label.
    #[arg(long, value_name = "CONNECTION")]
    pub(crate) connection: Option<String>,
    /// Of this connector alone; else of the one that has the tool or toolset, or of all for an effect.
    #[arg(long, value_name = "NAME")]
    pub(crate) connector: Option<ConnectorName>,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portcullis explain helper                          all tools: how, and by which rule
  portcullis explain helper query                    one tool: what every rule says
  portcullis explain helper query --person bob       for another person, whose account may differ")]
pub(crate) struct Explain {
    /// The agent.
    pub(crate) agent: AgentId,
    /// The tool; else all.
    pub(crate) tool: Option<String>,
    /// For whom it works; else for you.
    #[arg(long, value_name = "PERSON")]
    pub(crate) person: Option<PersonId>,
    /// The connector, where several have the tool.
    #[arg(long, value_name = "NAME")]
    pub(crate) connector: Option<ConnectorName>,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Without a setting it shows what the agent may touch. A list is given as a whole, with commas between; it has
  Account           a kind with all its fields
  Contact.Phone     a field of it; a kind of which only fields are listed has no others, not even its id
  *.Salary*         `*` stands for any characters at the beginning or end of a name
Case does not count. What is denied stays denied, whatever else allows it. What an agent may change it must be able to
read. Kinds that give power over others, such as users and their permissions, can be changed only where
`--change` names one in full: a `*` does not count.

Limits hold for an agent over all people, programs and restarts. Any 60 seconds are a minute, any 24 hours a day.

Examples:
  portcullis scope helper --read Account,Contact,Opportunity
  portcullis scope helper --deny-read 'Contact.SSN__c,*.Salary*'
  portcullis scope helper --change Contact.Phone,Contact.Email,Task
  portcullis scope helper --read-only
  portcullis scope helper --rows 200 --calls-per-minute 30 --changes-per-day 50
  portcullis scope helper --unset read --unset rows
  portcullis scope helper --clear")]
pub(crate) struct ScopeArgs {
    /// The agent.
    pub(crate) agent: AgentId,
    /// At this connector's service; else at that of the only one.
    #[arg(long, value_name = "NAME")]
    pub(crate) connector: Option<ConnectorName>,
    /// What it may read, and nothing else.
    #[arg(long, value_name = "LIST", value_parser = list)]
    pub(crate) read: Option<List>,
    /// What it may neither read nor change.
    #[arg(long, value_name = "LIST", value_parser = list)]
    pub(crate) deny_read: Option<List>,
    /// What of that which it may read it may change, and nothing else.
    #[arg(long, value_name = "LIST", value_parser = list)]
    pub(crate) change: Option<List>,
    /// What it may not change.
    #[arg(long, value_name = "LIST", value_parser = list)]
    pub(crate) deny_change: Option<List>,
    /// It changes nothing, by any tool.
    #[arg(long)]
    pub(crate) read_only: bool,
    /// The most rows that an answer may have.
    #[arg(long, value_name = "COUNT")]
    pub(crate) rows: Option<u32>,
    /// The most calls in a minute.
    #[arg(long, value_name = "COUNT")]
    pub(crate) calls_per_minute: Option<u32>,
    /// The most records changed in a day.
    #[arg(long, value_name = "COUNT")]
    pub(crate) changes_per_day: Option<u32>,
    /// Take one setting back; may be given more than once.
    #[arg(long, value_enum, value_name = "SETTING")]
    pub(crate) unset: Vec<Setting>,
    /// Take all settings back.
    #[arg(long, conflicts_with_all = ["read", "deny_read", "change", "deny_change", "read_only", "rows",
        "calls_per_minute", "changes_per_day", "unset"])]
    pub(crate) clear: bool,
    #[command(flatten)]
    pub(crate) form: Form,
}

/// A list of kinds and fields.
#[derive(Clone, Debug)]
pub(crate) struct List(pub(crate) Vec<ScopePattern>);

/// Reads a list; an empty one is one of nothing.
fn list(text: &str) -> Result<List, String> {
    let entries = text
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty());
    let entries: Result<Vec<ScopePattern>, _> = entries.map(ScopePattern::parse).collect();
    entries.map(List).map_err(|error| error.to_string())
}

/// A setting of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Setting {
    /// What may be read.
    Read,
    /// What may not be read.
    DenyRead,
    /// What may be changed.
    Change,
    /// What may not be changed.
    DenyChange,
    /// That nothing is changed.
    ReadOnly,
    /// Rows of an answer.
    Rows,
    /// Calls in a minute.
    CallsPerMinute,
    /// Records changed in a day.
    ChangesPerDay,
}

#[derive(Debug, Args)]
#[command(after_help = "\
An agent that is limited to some kinds or fields, were it by one denied field, sends queries and the like only by a connector that is trusted to ask
Portcullis about everything in them. The connectors that are part of this program are trusted; the log says of
each such request that it rested on this.

Examples:
  portcullis connector trust-scope salesforce --no    such agents send no queries any more
  portcullis connector trust-scope salesforce")]
pub(crate) struct TrustScope {
    /// The connector.
    pub(crate) connector: ConnectorName,
    /// Do not trust it.
    #[arg(long)]
    pub(crate) no: bool,
    #[command(flatten)]
    pub(crate) form: Form,
}
