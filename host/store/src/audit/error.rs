//! What can be wrong with a log, in words for who has to do something about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use portcullis::CallId;

/// What is wrong at one place of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A record is not as it was written.
    Altered,
    /// Bytes that are no record.
    Unreadable,
    /// A record that goes on past the end of the file.
    Cut,
    /// Records are not there.
    Missing {
        /// The number of the first.
        first: u64,
        /// The number of the last.
        last: u64,
    },
    /// A record of another place.
    Misplaced {
        /// The number that it has.
        number: u64,
    },
    /// The beginning of a segment is not as it was written, or of another place.
    Header,
    /// The log ends before it did when its head was last kept.
    Short {
        /// The number of the last record that is there.
        ends: u64,
        /// The number of the last that was.
        had: u64,
    },
    /// The log does not go through its head: it was written anew.
    Rewritten {
        /// The number of the record that is another one.
        number: u64,
    },
    /// A segment's file is not there.
    NoSegment,
    /// The folder is not there.
    NoFolder,
    /// The kept head of the lane is not as it was written.
    Head,
    /// A lane that the store does not know of.
    UnknownLane,
    /// The store does not have the key.
    NoKey(i64),
    /// The index tells of a call otherwise than the log does.
    Index,
}

impl Fault {
    /// Says whether a program that is ended in the middle of a record may leave this. It never leaves a record of another number.
    pub(super) fn may_be_unfinished(&self) -> bool {
        matches!(self, Self::Altered | Self::Unreadable | Self::Cut)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Altered => f.write_str("the record was altered"),
            Self::Unreadable => f.write_str("what stands there is no record"),
            Self::Cut => f.write_str(
                "the record goes on past the end of the file: the end was cut off, or the record's length altered",
            ),
            Self::Missing { first, last } if first == last => {
                write!(f, "the record {first} is not there")
            }
            Self::Missing { first, last } => {
                write!(f, "the records {first} to {last} are not there")
            }
            Self::Misplaced { number } => write!(
                f,
                "the record {number} stands there, which belongs elsewhere"
            ),
            Self::Header => f.write_str("the beginning of the file was altered, or is another's"),
            Self::Short { ends, had } => write!(
                f,
                "the log ends with the record {ends}, and had {had} when its head was kept: its end was cut off"
            ),
            Self::Rewritten { number } => write!(
                f,
                "the record {number} is another one than when its head was kept: the log was written anew"
            ),
            Self::NoSegment => f.write_str("the file is not there"),
            Self::NoFolder => f.write_str("the folder is not there"),
            Self::Head => f.write_str("the head that the store keeps was altered"),
            Self::UnknownLane => {
                f.write_str("the store knows of no such part: it was put there, or the store is older than the log")
            }
            Self::NoKey(id) => write!(f, "the store does not have its key {id}"),
            Self::Index => f.write_str("the index tells of this call otherwise than the log"),
        }
    }
}

/// A broken link of the chain: where, and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub fault: Fault,
    /// The lane.
    pub lane: u32,
    /// The file, or the folder.
    pub file: PathBuf,
    /// Where in the file, in bytes.
    pub offset: u64,
    /// The number of the record that should stand there, where it is about one.
    pub record: Option<u64>,
    /// The call that the record there says it is of; the last good record's, where it does not say.
    pub call: Option<CallId>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (fault, file) = (&self.fault, self.file.display());
        write!(f, "{fault} (`{file}`")?;
        if let Some(record) = self.record {
            write!(
                f,
                ", byte {}, record {record} of lane {}",
                self.offset, self.lane
            )?;
        }
        if let Some(call) = self.call {
            write!(f, ", call {call}")?;
        }
        f.write_str(")")
    }
}

/// A log that cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// A file cannot be read or written.
    #[error("the audit log `{path}` cannot be {doing}{advice}", path = path.display(), advice = advice(source))]
    File {
        /// Which file.
        path: PathBuf,
        /// What was to be done.
        doing: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The log is not as it was left.
    #[error(
        "the audit log is not as it was left: {0}. Nothing is called until that is settled: put the log back from a backup, or, \
         if it is lost, begin a new one with `portcullis audit restart`; `portcullis audit verify` names all that is wrong"
    )]
    Broken(Box<Finding>),
    /// The file that this program writes is no longer the one at its place.
    #[error("the audit log `{path}` was moved, removed or cut while this program wrote it: start the program again, which looks at what is left", path = path.display())]
    Gone {
        /// Which file.
        path: PathBuf,
    },
    /// An earlier failure, after which nobody knows what is on disk.
    #[error(
        "the audit log is closed to writing since an earlier failure ({0}): start the program again"
    )]
    Failed(String),
    /// A record that is too large for the log.
    #[error("a record of {bytes} bytes is larger than the log takes")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// A record that this program cannot read, though it is whole.
    #[error(
        "the record {number} of lane {lane} in the audit log was written by a newer version of this program: update the program"
    )]
    Newer {
        /// The lane.
        lane: u32,
        /// The record's number.
        number: u64,
    },
    /// Someone else has the log open.
    #[error(
        "another program has the audit log open: end it first (`portcullis serve` and its like)"
    )]
    InUse,
}

/// What a person does about it.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull => ": the disk is full; make room",
        io::ErrorKind::QuotaExceeded => ": the quota is used up; make room",
        io::ErrorKind::FileTooLarge => {
            ": the file has the size that the system allows; raise the limit"
        }
        io::ErrorKind::NotFound => ": it is not there any more",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            ": permission denied; it must be this user's own"
        }
        _ => "",
    }
}

impl AuditError {
    /// Says it without where files are, for whom that does not concern.
    pub(super) fn in_short(&self) -> String {
        match self {
            Self::File { source, .. } => {
                format!("the audit log cannot be written{}", advice(source))
            }
            Self::Gone { .. } => "the audit log was moved, removed or cut".to_owned(),
            Self::TooLarge { .. } => self.to_string(),
            _ => "the audit log cannot be written".to_owned(),
        }
    }

    pub(super) fn file(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File {
            path,
            doing,
            source,
        }
    }
}

impl From<Finding> for AuditError {
    fn from(finding: Finding) -> Self {
        Self::Broken(Box::new(finding))
    }
}
