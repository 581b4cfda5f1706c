//! The command line for connections, apps, keys and the file of all settings.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use portcullis::policy::{ConnectorName, GroupName, PersonId};
use portcullis_store::Subject;

use super::{Form, NetworkArgs};

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  portcullis connections list
  portcullis connections show 'Acme production'
  portcullis connections share 'Acme production' --group sales
  portcullis connections unshare 'Acme production' --person bob
  portcullis connections test 'Acme production'
  portcullis connections disconnect 'Acme production'

A connection is named by its id or, where no other has it, its label. Members see their own and what is
shared with them.")]
pub(crate) enum ConnectionsCommand {
    /// List the connections.
    List(Form),
    /// Show a connection: its account and state, and who may use it and why.
    Show {
        /// The connection's id or label.
        connection: String,
        #[command(flatten)]
        form: Form,
    },
    /// Share a shared connection with somebody.
    Share(Sharing),
    /// Take a share away; who has the connection by another one keeps it.
    Unshare(Sharing),
    /// Ask the service who is signed in, and say whether the connection works.
    Test(Trying),
    /// End a connection: remove it here, then revoke it at the service.
    Disconnect(Trying),
    /// Give a connection another label.
    Rename {
        /// The connection's id or label.
        connection: String,
        /// What people call it.
        label: String,
        #[command(flatten)]
        form: Form,
    },
}

/// A connection that its service is asked about.
#[derive(Debug, Args)]
pub(crate) struct Trying {
    /// The connection's id or label.
    pub(crate) connection: String,
    #[command(flatten)]
    pub(crate) form: Form,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Sharing {
    /// The connection's id or label.
    pub(crate) connection: String,
    #[command(flatten)]
    pub(crate) with: With,
    #[command(flatten)]
    pub(crate) form: Form,
}

/// With whom.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct With {
    /// With one person.
    #[arg(long)]
    person: Option<PersonId>,
    /// With all members of a group.
    #[arg(long)]
    group: Option<GroupName>,
    /// With everyone who is known here.
    #[arg(long)]
    everyone: bool,
}

impl With {
    pub(crate) fn subject(&self) -> Subject {
        match (&self.person, &self.group) {
            (Some(person), _) => Subject::Person(person.clone()),
            (None, Some(group)) => Subject::Group(group.clone()),
            (None, None) => Subject::Everyone,
        }
    }
}

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  portcullis app set salesforce --client-id 3MVG9... --login https://yourcompany.my.salesforce.com
  portcullis app set salesforce --client-id 3MVG9... --login https://yourcompany.my.salesforce.com --client-secret-env SF_SECRET
  portcullis app set salesforce --login sandbox --client-id 3MVG8...
  portcullis app list")]
pub(crate) enum AppCommand {
    /// Set the client that people sign in with; one that is there is replaced.
    Set(AppSet),
    /// List the clients, without their secrets.
    List(Form),
    /// Remove a client; nobody new can sign in with it.
    Remove {
        /// The connector, such as `salesforce`.
        connector: ConnectorName,
        /// The client of this login alone.
        #[arg(long, value_name = "LOGIN")]
        login: Option<String>,
        #[command(flatten)]
        form: Form,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AppSet {
    /// The connector, such as `salesforce`.
    pub(crate) connector: ConnectorName,
    /// For this login alone: `production`, `sandbox`, or the address of one. Else for each that has no client of its
    /// own.
    #[arg(long, value_name = "LOGIN")]
    pub(crate) login: Option<String>,
    /// The client's id; Salesforce calls it the consumer key.
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: String,
    /// The environment variable that holds the client's secret; not the secret, which others could see.
    #[arg(long, value_name = "NAME")]
    pub(crate) client_secret_env: Option<String>,
    /// What is asked for, with commas between; else what the connector asks for by itself.
    #[arg(long, value_name = "SCOPES", value_delimiter = ',')]
    pub(crate) scopes: Option<Vec<String>>,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  portcullis key show               where the master key is, and which
  portcullis key rotate             seal every secret anew
  portcullis key move --to keyring  a new master key, in the system's keyring")]
pub(crate) enum KeyCommand {
    /// Say where the master key is, and its id; never the key.
    Show(Form),
    /// Seal every secret under a new data key. Others may go on working.
    Rotate(Form),
    /// Make a new master key and keep it elsewhere, and seal every secret under a new data key. Programs that have the store
    /// open must be started again.
    Move {
        /// Where the new master key goes.
        #[arg(long, value_enum)]
        to: MoveTo,
        #[command(flatten)]
        form: Form,
    },
}

/// Where a new master key goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MoveTo {
    /// To the key file.
    File,
    /// To the system's keyring.
    Keyring,
}

#[derive(Debug, Args)]
#[command(after_help = "\
A file:
  # What is here and not in the file is left alone. With this it is removed:
  # prune = true

  [people.ada]
  name = \"Ada Lovelace\"
  role = \"admin\"

  [people.bob]
  # By which names issuers of OpenID Connect know them. Left out, they stay; [] removes them by `prune`.
  subjects = [{ issuer = \"https://acme.okta.example\", subject = \"00u1a2b3c4\" }]

  [groups]
  sales = [\"ada\", \"bob\"]

  [agents.helper]
  name = \"Sales helper\"
  connectors.salesforce = { account = \"personal\" }

  [agents.helper.tools]
  \"effect:write\" = \"ask\"
  query = \"always\"

  [agents.helper.scope.salesforce]
  read = [\"Account\", \"Contact\", \"Opportunity\"]
  deny_read = [\"*.Salary*\"]
  change = [\"Contact.Phone\"]
  rows_max = 200
  calls_per_minute = 60
  changes_per_day = 50

  [agents.reporter]
  connectors.salesforce = { account = \"shared\", connection = \"Acme production\" }

  [shared.\"Acme production\"]
  groups = [\"sales\"]

Examples:
  portcullis apply --dry-run     what would change
  portcullis apply               shows that, and asks
  portcullis apply --yes         does not ask")]
pub(crate) struct Apply {
    /// The file.
    #[arg(default_value = "portcullis.toml")]
    pub(crate) file: PathBuf,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Show what would change, and change nothing.
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) form: Form,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}

impl ConnectionsCommand {
    pub(crate) fn form(&self) -> Form {
        match self {
            Self::Show { form, .. }
            | Self::Share(Sharing { form, .. })
            | Self::Unshare(Sharing { form, .. })
            | Self::Test(Trying { form, .. })
            | Self::Disconnect(Trying { form, .. })
            | Self::Rename { form, .. }
            | Self::List(form) => *form,
        }
    }
}

impl AppCommand {
    pub(crate) fn form(&self) -> Form {
        match self {
            Self::Set(AppSet { form, .. }) | Self::Remove { form, .. } | Self::List(form) => *form,
        }
    }
}

impl KeyCommand {
    pub(crate) fn form(&self) -> Form {
        match self {
            Self::Show(form) | Self::Rotate(form) | Self::Move { form, .. } => *form,
        }
    }
}
