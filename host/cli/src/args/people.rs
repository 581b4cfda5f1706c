//! The command line for people, groups and agents.

use clap::{Args, Subcommand, ValueEnum};
use portcullis::policy::{AgentId, ConnectorName, GroupName, PersonId};
use portcullis_store::Role;

use super::subject::SubjectCommand;
use super::token::TokenCommand;
use super::{Form, NetworkArgs};

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  portcullis person add bob --name 'Bob Babbage'
  portcullis person role bob admin
  portcullis person list
  portcullis person show bob               groups, accounts, and what is shared with them

A person's id is the name by which this system knows them, or an e-mail address. Who sets a store up is its
first administrator.")]
pub(crate) enum PersonCommand {
    /// Add a person.
    Add(PersonAdd),
    /// Give a person another name; the id stays.
    Rename {
        /// The person's id.
        id: PersonId,
        /// What others call them.
        name: String,
        #[command(flatten)]
        form: Form,
    },
    /// Say whether a person administers.
    Role {
        /// The person's id.
        id: PersonId,
        /// What they may do.
        #[arg(value_enum)]
        role: RoleName,
        #[command(flatten)]
        form: Form,
    },
    /// Remove a person with their own connections, which are revoked at their services, memberships and shares.
    Remove {
        /// The person's id.
        id: PersonId,
        #[command(flatten)]
        form: Form,
        #[command(flatten)]
        network: NetworkArgs,
    },
    /// List the people.
    List(Form),
    /// Show a person: groups, their own accounts, and the shared ones that they may use and why.
    Show {
        /// The person's id.
        id: PersonId,
        #[command(flatten)]
        form: Form,
    },
    /// Names by which issuers of OpenID Connect know people, whose clients sign in there.
    Subject {
        #[command(subcommand)]
        command: SubjectCommand,
    },
    /// Tokens by which people say who they are where they are not at this keyboard.
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
}

#[derive(Debug, Args)]
pub(crate) struct PersonAdd {
    /// The person's id: the name by which this system knows them, or an e-mail address.
    pub(crate) id: PersonId,
    /// What others call them; else the id.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// What they may do; else `member`.
    #[arg(long, value_enum)]
    pub(crate) role: Option<RoleName>,
    #[command(flatten)]
    pub(crate) form: Form,
}

/// A role, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleName {
    /// Sets up agents, shared connections and people.
    Admin,
    /// Works with agents.
    Member,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Admin => Self::Admin,
            RoleName::Member => Self::Member,
        }
    }
}

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  portcullis group add sales
  portcullis group join sales ada bob
  portcullis group show sales
  portcullis connections share 'Acme production' --group sales")]
pub(crate) enum GroupCommand {
    /// Add a group.
    Add {
        /// The group's name, such as `sales`.
        group: GroupName,
        #[command(flatten)]
        form: Form,
    },
    /// Remove a group; what was shared with it is no longer.
    Remove {
        /// The group's name.
        group: GroupName,
        #[command(flatten)]
        form: Form,
    },
    /// Put people into a group.
    Join(Membership),
    /// Take people out of a group.
    Leave(Membership),
    /// List the groups and who is in them.
    List(Form),
    /// Show a group: who is in it, and what is shared with it.
    Show {
        /// The group's name.
        group: GroupName,
        #[command(flatten)]
        form: Form,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Membership {
    /// The group's name.
    pub(crate) group: GroupName,
    /// The people's ids.
    #[arg(required = true, value_name = "PERSON")]
    pub(crate) people: Vec<PersonId>,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  portcullis agent add helper --name 'Sales helper'
  portcullis agent give helper salesforce                              each person's own account
  portcullis agent give helper salesforce --shared 'Acme production'   one account for all
  portcullis agent take helper salesforce")]
pub(crate) enum AgentCommand {
    /// Add an agent.
    Add {
        /// The agent's id, such as `helper`.
        id: AgentId,
        /// What people call it; else the id.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        form: Form,
    },
    /// Give an agent another name; the id stays.
    Rename {
        /// The agent's id.
        id: AgentId,
        /// What people call it.
        name: String,
        #[command(flatten)]
        form: Form,
    },
    /// Remove an agent.
    Remove {
        /// The agent's id.
        id: AgentId,
        #[command(flatten)]
        form: Form,
    },
    /// Give an agent a connector, or another account at one that it has.
    Give {
        /// The agent's id.
        id: AgentId,
        /// The connector, such as `salesforce`.
        connector: ConnectorName,
        /// Use this shared connection, by its id or label; else each person's own account is used.
        #[arg(long, value_name = "CONNECTION")]
        shared: Option<String>,
        #[command(flatten)]
        form: Form,
    },
    /// Take a connector from an agent.
    Take {
        /// The agent's id.
        id: AgentId,
        /// The connector.
        connector: ConnectorName,
        #[command(flatten)]
        form: Form,
    },
    /// Trust an agent's clients, or do not, to ask its person in the chat, whose yes then approves a change that can be put back. Trust those alone in
    /// which no model can answer in the person's place.
    TrustClient {
        /// The agent's id.
        id: AgentId,
        /// Trust them no more.
        #[arg(long)]
        no: bool,
        #[command(flatten)]
        form: Form,
    },
    /// List the agents and what they have.
    List(Form),
}

impl PersonCommand {
    pub(crate) fn form(&self) -> Form {
        match self {
            Self::Add(PersonAdd { form, .. })
            | Self::Rename { form, .. }
            | Self::Role { form, .. }
            | Self::Remove { form, .. }
            | Self::Show { form, .. }
            | Self::List(form) => *form,
            Self::Subject { command } => command.form(),
            Self::Token { command } => command.form(),
        }
    }
}

impl GroupCommand {
    pub(crate) fn form(&self) -> Form {
        match self {
            Self::Add { form, .. }
            | Self::Remove { form, .. }
            | Self::Join(Membership { form, .. })
            | Self::Leave(Membership { form, .. })
            | Self::Show { form, .. }
            | Self::List(form) => *form,
        }
    }
}

impl AgentCommand {
    pub(crate) fn form(&self) -> Form {
        match self {
            Self::Add { form, .. }
            | Self::Rename { form, .. }
            | Self::Remove { form, .. }
            | Self::Give { form, .. }
            | Self::Take { form, .. }
            | Self::TrustClient { form, .. }
            | Self::List(form) => *form,
        }
    }
}
