//! Who works with agents, which accounts they have, and the secrets that open those: in one SQLite file.
//!
//! [`Store::open`] takes a [`Location`] and a [`MasterKey`]. [`StoreCredentials`] and [`StorePermissions`] are the host's ports on it. [`StoreConnectors`] keeps a host's connectors as they are installed there. Several processes may
//! have a store open at once; what one of them has read it remembers until any of them commits, so that what one takes away is gone
//! for all.
//!
//! [`StoreAudit`] is the audit log: files beside the database, chained, with their head in it.
//!
//! Every secret is sealed and bound to its row. What the sealing does not hide: that a person has a connection, its
//! label, address and scopes, and when it was used.
//!
//! Not known here: HTTP, the protocols by which accounts sign in, any service, the environment, the terminal.

mod address;
mod agents;
mod approvals;
mod apps;
mod audit;
mod change;
mod clock;
mod connection;
mod connectors;
mod credentials;
mod data_keys;
mod database;
mod decisions;
mod ending;
mod error;
mod groups;
mod link;
mod master_key;
mod migrations;
mod moment;
mod people;
mod permissions;
mod person_token;
mod private;
mod proof;
mod remembered;
mod rename;
mod rotate;
mod scopes;
mod seal;
mod session;
mod sharing;
mod sign_in;
mod store;
mod subjects;
#[cfg(feature = "keyring")]
mod system_keyring;
mod text;
mod tool_rules;
mod usage;

pub use address::{AddressError, Location};
pub use agents::{Account, Agent};
pub use approvals::{
    Approval, ApprovalLinks, ApprovalState, Approved, Held, Kept, Listed, PASSPHRASE_CHARS_MIN,
    PassphraseError, Question, STANDING_LASTS_MAX, STANDING_RECORDS_MAX, Standing,
    StandingApproval, StoreApprovals, Unlocked, Which,
};
pub use apps::{App, NewApp, PutApp};
pub use audit::{
    Activity, AuditError, By, CallEnd, CallRow, CutOff, Decided, DecidedKind, Deciding, Door,
    Fault, Filter, Finding, Head, HeadTag, KeptValues, Line, Note, NoteLine, Reader, Report,
    Restarted, Retained, Retention, StoreAudit,
};
pub use change::Change;
pub use clock::{Clock, SystemClock};
pub use connection::{
    ConnectionSecrets, ConnectionState, Endpoints, Grant, Hold, InFlight, Lease, Leased,
    NewConnection, NewTokens, Owner, Put, Removed, Rotation, StoredConnection,
};
pub use connectors::{
    ActiveVersion, InstalledVersion, Installing, NewVersion, StoreConnectors, Unusable,
    VERSIONS_BEFORE_MAX, VersionState,
};
pub use credentials::{ConnectLinks, NoLink, Renew, StoreCredentials};
pub use ending::{Ended, Ending, User};
pub use error::StoreError;
pub use groups::Group;
pub use link::{ConnectLink, LinkEnd, LinkState};
pub use master_key::{KeyError, MasterKey};
pub use people::{Person, Role};
pub use permissions::StorePermissions;
pub use person_token::PersonToken;
pub use private::PrivateError;
pub use scopes::{AgentScope, Component};
pub use seal::SealError;
pub use sharing::{Access, Found, Subject};
pub use sign_in::{SignIn, Taken};
pub use store::{Store, StoreOptions};
pub use subjects::{PersonSubject, subject_of};
pub use text::is_name;
