//! The command line for the names by which issuers of OpenID Connect know people.

use clap::{Args, Subcommand};
use portcullis::policy::PersonId;

use super::Form;

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  portcullis person subject add bob 00u1a2b3c4 --issuer https://acme.okta.example
  portcullis person subject list
  portcullis person subject list bob
  portcullis person subject remove bob 00u1a2b3c4 --issuer https://acme.okta.example

With `portcullis serve --issuer URL` clients get tokens there by themselves. Whoever has one is the person whom the issuer knows by
that name: what the token has as `sub`, or as the claim that `--issuer-claim` names.")]
pub(crate) enum SubjectCommand {
    /// Say that an issuer knows a person by a name.
    Add(SubjectArgs),
    /// List the names by which issuers know people.
    List {
        /// The person's id; left out: everybody's.
        person: Option<PersonId>,
        #[command(flatten)]
        form: Form,
    },
    /// Take a name from a person: tokens with it are nobody's from then on.
    Remove(SubjectArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SubjectArgs {
    /// The person's id.
    pub(crate) person: PersonId,
    /// The name, exactly as the issuer writes it.
    pub(crate) subject: String,
    /// The issuer's URL, exactly as it writes that itself.
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: String,
    #[command(flatten)]
    pub(crate) form: Form,
}

impl SubjectCommand {
    pub(crate) fn form(&self) -> Form {
        match self {
            Self::Add(SubjectArgs { form, .. })
            | Self::Remove(SubjectArgs { form, .. })
            | Self::List { form, .. } => *form,
        }
    }
}
