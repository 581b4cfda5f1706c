//! Why an account was not connected, in words for whom it concerns.

use portcullis_policy::{ConnectorName, PersonId};
use portcullis_store::StoreError;

use crate::callback::AuthError;
use crate::guidance::Guide;
use crate::{KeyError, NoRandom, ScopeError, StartError, TokenError};

/// Why an account was not connected. No variant holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The connector is not there.
    #[error("the connector `{0}` is not active here: install and activate it first")]
    NoConnector(ConnectorName),
    /// Its accounts are of another kind.
    #[error("accounts of `{0}` do not sign in by OAuth")]
    NoSignIn(ConnectorName),
    /// Only administrators set up what others use.
    #[error("`{0}` is no administrator, and only those connect shared accounts: ask one")]
    NotAdministrator(PersonId),
    /// What is asked for is not declared.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// The sign-in could not be begun.
    #[error(transparent)]
    Start(#[from] StartError),
    /// What came back does not count, or is the service's no.
    #[error(transparent)]
    Callback(#[from] AuthError),
    /// It came back too late.
    #[error("the sign-in took too long: begin again")]
    Late,
    /// The service gave no token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The key of a service account is none.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The service let the account in, and it does not work.
    #[error("the account was signed in to, and does not work: {message}")]
    Unfit {
        /// What the service said when it was asked who is signed in.
        message: String,
        /// What to do, as the connector says.
        hint: Option<String>,
        /// What to do, as the manifest says.
        guide: Option<Box<Guide>>,
    },
    /// The service let the account in, and does not answer now.
    #[error(
        "the service does not answer now, so that nobody can say whether the account works: {message}"
    )]
    NotNow {
        /// What the service said.
        message: String,
        /// What to do, as the connector says.
        hint: Option<String>,
    },
    /// The account is another organization's than the one that it was to take the place of.
    #[error(
        "the account is one of {found}, and the connection was one of {before}: sign in there, or say that the \
         organization may change"
    )]
    OtherOrganization {
        /// The organization before.
        before: String,
        /// That of the account.
        found: String,
    },
    /// A shared account is another user's than the one that it was to take the place of: all who use it would work as that one.
    #[error(
        "the account is that of `{found}`, and the shared connection was that of `{before}`: sign in as that user, or say \
         that the account may change"
    )]
    OtherUser {
        /// The user before.
        before: String,
        /// Who signed in.
        found: String,
    },
    /// It took so long to find out who is signed in that the sign-in was given up.
    #[error("the sign-in was given up meanwhile, or the account removed: begin again")]
    Gone,
    /// What was kept of a service's addresses cannot be used.
    #[error("the addresses that were kept are not those of one service: connect the account again")]
    Addresses,
    /// There is nothing that cannot be guessed.
    #[error(transparent)]
    NoRandom(#[from] NoRandom),
    /// The store did not do its part.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A task of the host ended.
    #[error("the host ended in the middle: begin again")]
    Ended,
}

impl ConnectError {
    /// Gives what to do, where the manifest says.
    pub fn guide(&self) -> Option<&Guide> {
        match self {
            Self::Callback(AuthError::Refused(refused)) => refused.guide.as_ref(),
            Self::Token(error) => error.guide(),
            Self::Unfit { guide, .. } => guide.as_deref(),
            _ => None,
        }
    }

    /// Gives what to do, in words: as the manifest says, or else as the connector does.
    pub fn hint(&self) -> Option<String> {
        match (self.guide(), self) {
            (Some(guide), _) => Some(guide.to_string()),
            (None, Self::Unfit { hint, .. }) => hint.clone(),
            (None, Self::NotNow { hint, .. }) => {
                let later = "try again later: nothing is wrong with the account so far";
                Some(match hint {
                    Some(hint) => format!("{later}; {hint}"),
                    None => later.to_owned(),
                })
            }
            (None, _) => None,
        }
    }
}
