//! The command line for connectors: which there are, and which version of each is in use.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use portcullis::policy::{ConnectorName, Digest};

use super::Form;
use super::permissions::TrustScope;

#[derive(Debug, Subcommand)]
#[command(after_help = "\
A version that reaches farther than the one in use waits until an administrator accepts it; any other is in use at
once. Programs that serve take it over within a second: calls under way finish on the version before.

Examples:
  portcullis connector list
  portcullis connector install salesforce.wasm
  portcullis connector accept salesforce         shows what the version that waits may do besides, and asks
  portcullis connector rollback salesforce       goes back to the version before
  portcullis connector inspect salesforce.wasm   installs nothing")]
pub(crate) enum ConnectorCommand {
    /// List the connectors: which version of each is in use, which were before it, which waits.
    List(Form),
    /// Show the version of a connector that is in use, and how one that waits differs.
    Show {
        /// The connector.
        connector: ConnectorName,
        #[command(flatten)]
        form: Form,
    },
    /// Say what a component is and whether it could be installed; nothing is installed.
    Inspect(Inspect),
    /// Install a version of a connector. One that reaches no farther than the version in use is in use at once: to install it is to
    /// accept its code.
    Install {
        /// The component, a `.wasm` file.
        file: PathBuf,
        #[command(flatten)]
        form: Form,
    },
    /// Have the version that waits in use, after having seen in what it reaches farther.
    Accept(Accept),
    /// Go back to the version before, or to the one that is part of this program.
    Rollback {
        /// The connector.
        connector: ConnectorName,
        /// Do not ask, where the version before reaches farther than the one in use.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        form: Form,
    },
    /// Remove all installed versions of a connector; one that is part of this program is in use again.
    Remove {
        /// The connector.
        connector: ConnectorName,
        /// The version that waits alone.
        #[arg(long)]
        waiting: bool,
        /// Do not ask, where the one that is part of this program reaches farther than the one in use.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        form: Form,
    },
    /// Trust a connector, or do not, to check what the host cannot see, such as what is in a query.
    TrustScope(TrustScope),
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// The component, a `.wasm` file.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Debug, Args)]
pub(crate) struct Accept {
    /// The connector.
    pub(crate) connector: ConnectorName,
    /// Accept this version alone, named by its digest.
    #[arg(long, value_name = "SHA256")]
    pub(crate) digest: Option<Digest>,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) form: Form,
}

impl ConnectorCommand {
    pub(crate) fn form(&self) -> Form {
        match self {
            Self::List(form)
            | Self::Show { form, .. }
            | Self::Inspect(Inspect { form, .. })
            | Self::Install { form, .. }
            | Self::Accept(Accept { form, .. })
            | Self::Rollback { form, .. }
            | Self::Remove { form, .. }
            | Self::TrustScope(TrustScope { form, .. }) => *form,
        }
    }
}
