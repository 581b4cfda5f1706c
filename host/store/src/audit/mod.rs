//! The audit log: what was asked, what was sent and how it ended, in files that only grow, each record chained to the one
//! before it.
//!
//! The attack: somebody who can write to the files alters what is written, takes a record out, moves it, cuts the end
//! off, puts an older copy in the place of the log, or removes it altogether. Each record carries a keyed hash (HMAC-SHA-256) over
//! itself, its place and the hash before it; the key is sealed in the store, and so is each lane's head kept there: how far it had come.
//! Who takes back the store *and* the log to the same earlier moment is not found out by them alone: compare with a head
//! that was written down elsewhere (`Report::heads`).
//!
//! The truth is in the folder beside the store:
//!
//! - A *lane* is one chain. A process that writes holds a lane by a lock on its file, and no other writes to it: so nobody waits
//!   for another process, and a second one takes a second lane. A lane that nobody holds is taken over by the next, which reads its end,
//!   and writes down which calls were cut off (`claim.rs`).
//! - A *segment* is one file of a lane: a header, then records (`frame.rs`, `segment.rs`). Blocks are written with zeros ahead of the
//!   records, so that a sync writes data alone. Old segments are removed whole (`retain.rs`).
//! - A record of a read is handed to the operating system; one that must be on disk waits for a sync, which it shares with all
//!   that wait at the same time (`lane.rs`).
//! - What can be told by names, ids and counts is plain; the rest is sealed, bound to its lane and number (`payload.rs`).
//! - An index in SQLite answers questions (`index.rs`). It is made from the log, and made anew where it is missing.

mod activity;
mod chain;
mod claim;
mod decided;
mod ends;
mod error;
mod filter;
mod frame;
mod heads;
mod index;
mod keeper;
mod keys;
mod lane;
mod lines;
mod log;
mod payload;
mod read;
mod reserved;
mod restart;
mod retain;
mod retention;
mod row;
mod segment;
mod under_way;
mod values;
mod verify;

pub use activity::Activity;
pub use chain::HeadTag;
pub use claim::CutOff;
pub use decided::{By, Decided, DecidedKind, Deciding, Door};
pub use error::{AuditError, Fault, Finding};
pub use filter::Filter;
pub use index::NoteLine;
pub use lines::{Line, Note};
pub use log::StoreAudit;
pub use read::Reader;
pub use restart::Restarted;
pub use retain::Retained;
pub use retention::Retention;
pub use row::{CallEnd, CallRow};
pub use values::KeptValues;
pub use verify::{Head, Report};

pub(crate) use keys::add_where_any as add_key_where_any;
