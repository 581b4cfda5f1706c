//! The command line for questions to people.

use clap::{Args, Subcommand};

use portcullis::policy::Origin;

use super::serve::public_url;
use super::{CONNECT_PORT, Form, NetworkArgs};

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  portcullis approvals list                  what waits for you
  portcullis approvals show ID               what would change, before and after, and what is sent
  portcullis approvals approve ID            shows it, asks, and makes the change, once
  portcullis approvals deny ID --reason 'not on a Friday'
  portcullis approvals approve ID --records 5 --minutes 20   and up to five further records alike, within 20 minutes
  portcullis approvals link                  a link to a page with all that waits for you, for ten minutes

An id may be shortened as long as it is one question's. What is approved is one request, byte for byte; where a record has
changed meanwhile, you are asked anew.")]
pub(crate) enum ApprovalsCommand {
    /// List what waits for you.
    List(ApprovalsList),
    /// Show a question: what would change, and the request on the wire.
    Show {
        /// The question's id, or its beginning.
        id: String,
        /// Print the card as an HTML fragment.
        #[arg(long, conflicts_with = "json")]
        html: bool,
        #[command(flatten)]
        form: Form,
    },
    /// Show a question, ask you, and run the call once. On a terminal only.
    Approve(Approve),
    /// Say no. Exactly this is then refused for ten minutes.
    Deny {
        /// The question's id, or its beginning.
        id: String,
        /// Why: the agent reads it.
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        form: Form,
    },
    /// Take a question back without an answer.
    Withdraw {
        /// The question's id, or its beginning.
        id: String,
        #[command(flatten)]
        form: Form,
    },
    /// Print a link to the page of all that waits for you. On a terminal only: where nobody signs in, whoever has it opens all of it for
    /// ten minutes.
    Link(ApprovalsLink),
    /// List your standing approvals, which let a few more alike pass.
    Standing(Form),
    /// End a standing approval before its time.
    End {
        /// Its id.
        id: String,
        #[command(flatten)]
        form: Form,
    },
    /// Set the passphrase that is asked for before you approve and before you loosen what agents may do, or take it away. On a
    /// terminal only.
    Passphrase {
        /// Take it away.
        #[arg(long)]
        remove: bool,
        #[command(flatten)]
        form: Form,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ApprovalsList {
    /// Those that are settled too.
    #[arg(long)]
    pub(crate) all: bool,
    /// Those of everybody, for administrators, without what they are about.
    #[arg(long)]
    pub(crate) everyone: bool,
    /// At most so many.
    #[arg(long, default_value_t = 50, value_name = "NUMBER")]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Debug, Args)]
pub(crate) struct ApprovalsLink {
    /// The address of the pages, as `portcullis serve --listen` has them.
    #[arg(long, value_name = "URL", value_parser = public_url, conflicts_with = "connect_port")]
    pub(crate) public_url: Option<Origin>,
    /// The port of this machine where a `portcullis serve` that runs has its pages.
    #[arg(long, default_value_t = CONNECT_PORT, value_name = "PORT")]
    pub(crate) connect_port: u16,
    #[command(flatten)]
    pub(crate) form: Form,
}

#[derive(Debug, Args)]
pub(crate) struct Approve {
    /// The question's id, or its beginning.
    pub(crate) id: String,
    /// Let so many further records of the same kind pass, with these fields or fewer of them, by the same tool and account: 1 to 10.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=10))]
    pub(crate) records: Option<u32>,
    /// For how long they may pass: an hour at most.
    #[arg(long, default_value_t = 60, requires = "records", value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=60))]
    pub(crate) minutes: u32,
    #[command(flatten)]
    pub(crate) form: Form,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}

impl ApprovalsCommand {
    pub(crate) fn form(&self) -> Form {
        match self {
            Self::List(args) => args.form,
            Self::Approve(args) => args.form,
            Self::Link(args) => args.form,
            Self::Standing(form)
            | Self::Show { form, .. }
            | Self::Deny { form, .. }
            | Self::Withdraw { form, .. }
            | Self::End { form, .. }
            | Self::Passphrase { form, .. } => *form,
        }
    }
}
