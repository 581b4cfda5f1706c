//! What can go wrong with a store, in words for whom it concerns.

use portcullis::ports::PortError;
use portcullis_policy::{ConnectionId, ConnectorName, PersonId};

use crate::address::AddressError;
use crate::audit::AuditError;
use crate::master_key::KeyError;
use crate::private::PrivateError;
use crate::seal::SealError;

/// A store that could not do what was asked.
///
/// No variant holds a secret, so that each may be shown and logged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store's address cannot be used.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The store's folder or file is open to others, or cannot be made.
    #[error(transparent)]
    Files(#[from] PrivateError),
    /// The file cannot be opened as a database.
    #[error("the store `{path}` cannot be opened")]
    Open {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The file is a database of something else.
    #[error("`{path}` is another program's database: name a file of its own for the store")]
    Foreign {
        /// The file.
        path: String,
    },
    /// The file is no database.
    #[error("`{path}` is no database: put the file aside, or name another one for the store")]
    NoDatabase {
        /// The file.
        path: String,
    },
    /// A newer program has used the store.
    #[error(
        "the store `{path}` was written by a newer version of this program (its schema is {version}, this \
         program knows {known}): update the program, or name another store"
    )]
    Newer {
        /// The file.
        path: String,
        /// The schema's version.
        version: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The schema could not be brought to this program's version.
    #[error("the schema of the store `{path}` cannot be brought to this program's version")]
    Migration {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: sqlx::migrate::MigrateError,
    },
    /// The master key cannot be had.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The master key is not the store's.
    #[error(
        "this key does not open this store: it was sealed under the master key `{sealed_under}`, and the key given is \
         `{given}`"
    )]
    WrongKey {
        /// The id of the store's master key.
        sealed_under: String,
        /// The id of the one given.
        given: String,
    },
    /// The master key was changed while this program had the store open.
    #[error(
        "the store is sealed under a new master key, `{sealed_under}`: start this program again with it"
    )]
    KeyChanged {
        /// The id of the new master key.
        sealed_under: String,
    },
    /// A sealed value does not open: it was damaged, altered, or moved from another row.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// What administrators decided on agents was altered, taken away or put back.
    #[error(
        "what administrators decided on agents is not as it was left: {0}. Agents do nothing until the store is restored from a \
         backup, or decisions are begun anew: `portcullis allow --anew` says what that means"
    )]
    Decisions(String),
    /// The list of the approvals that were used was put back to what it was before.
    #[error(
        "the store was put back to an earlier state while programs ran: the list of the approvals that were used is older than one \
         that this program has seen, so that nothing is sent that needs one. Find out who did that, then start the programs again"
    )]
    TakenBack,
    /// A value is not what this program writes there.
    #[error("the store is damaged: the {what} of `{row}` cannot be read: {problem}")]
    Damaged {
        /// Which value.
        what: &'static str,
        /// Of which row.
        row: String,
        /// What is wrong, without the value.
        problem: String,
    },
    /// There is none of that name.
    #[error("there is no {kind} `{id}`")]
    NotFound {
        /// What was looked for.
        kind: &'static str,
        /// By which id.
        id: String,
    },
    /// A person's id that is another's in other letters.
    #[error(
        "`{given}` and `{known}`, who is here, differ by the case of their letters alone, and nobody tells those apart"
    )]
    Alike {
        /// The id.
        given: PersonId,
        /// Who is here.
        known: String,
    },
    /// A name by which an issuer knows another person.
    #[error("`{subject}` is `{known}` here already: one account at an issuer is one person")]
    SubjectTaken {
        /// The name.
        subject: String,
        /// Whose it is.
        known: String,
    },
    /// Nobody would be left to administer.
    #[error(
        "`{0}` is the last administrator, and somebody must be: make another person an administrator first"
    )]
    LastAdministrator(PersonId),
    /// Only what is shared can be shared further.
    #[error(
        "the connection `{0}` is a person's own and cannot be shared: set up a shared connection for the service"
    )]
    NotShared(ConnectionId),
    /// The connection is another connector's.
    #[error(
        "the connection `{connection}` is one of `{connector}`: name one of the connector that is given"
    )]
    OtherConnector {
        /// The connection.
        connection: ConnectionId,
        /// Its connector.
        connector: String,
    },
    /// A connection that is to be replaced is not of that kind.
    #[error(
        "the connection `{0}` cannot be replaced by one of another connector or owner: remove it and connect anew"
    )]
    OtherConnection(ConnectionId),
    /// What was decided on a version was decided by what is no longer so.
    #[error(
        "the versions of the connector `{0}` were changed meanwhile, so nothing was done: look at them again"
    )]
    VersionChanged(ConnectorName),
    /// The question is settled already.
    #[error("the question `{id}` is settled already: it is {state}")]
    Settled {
        /// The question.
        id: String,
        /// What became of it.
        state: &'static str,
    },
    /// No standing approval can be made of a question.
    #[error("no standing approval can be made of this: {0}")]
    NoStanding(&'static str),
    /// A text for people that cannot be shown well.
    #[error("{what} must have 1 to {max} characters, none of them a control character")]
    Text {
        /// Which text.
        what: &'static str,
        /// The most characters.
        max: usize,
    },
    /// The audit log cannot be written or read, or is not as it was left.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The system gives no randomness, so nothing can be sealed.
    #[error("the system gives no randomness")]
    Randomness,
    /// The database failed.
    #[error("the store's database failed")]
    Database(#[from] sqlx::Error),
}

impl StoreError {
    pub(crate) fn not_found(kind: &'static str, id: impl ToString) -> Self {
        Self::NotFound {
            kind,
            id: id.to_string(),
        }
    }

    pub(crate) fn damaged(what: &'static str, row: &str, problem: impl ToString) -> Self {
        Self::Damaged {
            what,
            row: row.to_owned(),
            problem: problem.to_string(),
        }
    }
}

impl From<getrandom::Error> for StoreError {
    fn from(_: getrandom::Error) -> Self {
        Self::Randomness
    }
}

impl From<StoreError> for PortError {
    fn from(error: StoreError) -> Self {
        let message = match &error {
            StoreError::Decisions(_) => error.to_string(),
            _ => "the store does not answer".to_owned(),
        };
        Self::new(message).caused_by(error)
    }
}
