//! The command line for people's tokens.

use clap::{Args, Subcommand};
use portcullis::policy::PersonId;

use super::Form;

/// Days after which a token ends, where nobody says otherwise.
const DAYS: u16 = 90;
/// The most days: a year.
const DAYS_MAX: i64 = 366;

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  portcullis person token add bob --label Laptop --days 30
  portcullis person token list bob
  portcullis person token remove bob 3f9c01d2ab47

By a token a person says who they are where they are not at this keyboard, as on the pages of `portcullis serve --listen`.
Administrators make them; a member makes their own.")]
pub(crate) enum TokenCommand {
    /// Make a token, which is shown this once.
    Add(TokenAdd),
    /// List a person's tokens, without what they are.
    List {
        /// The person's id.
        person: PersonId,
        #[command(flatten)]
        form: Form,
    },
    /// Remove a token: it, and the sessions that it began, end at once.
    Remove {
        /// The person's id.
        person: PersonId,
        /// The token's id, as `list` shows it.
        id: String,
        #[command(flatten)]
        form: Form,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TokenAdd {
    /// The person's id.
    pub(crate) person: PersonId,
    /// What people call it, such as where it is used.
    #[arg(long, default_value = "token")]
    pub(crate) label: String,
    /// Days after which it ends.
    #[arg(long, default_value_t = DAYS, value_parser = clap::value_parser!(u16).range(1..=DAYS_MAX))]
    pub(crate) days: u16,
    #[command(flatten)]
    pub(crate) form: Form,
}

impl TokenCommand {
    pub(crate) fn form(&self) -> Form {
        match self {
            Self::Add(TokenAdd { form, .. })
            | Self::List { form, .. }
            | Self::Remove { form, .. } => *form,
        }
    }

    /// Gives whose tokens it is about.
    pub(crate) fn person(&self) -> &PersonId {
        match self {
            Self::Add(TokenAdd { person, .. })
            | Self::List { person, .. }
            | Self::Remove { person, .. } => person,
        }
    }
}
