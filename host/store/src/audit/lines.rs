//! Lines of the log as they are read.

use std::fmt;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use portcullis::ports::audit::Record;
use portcullis_policy::PersonId;
use serde::{Deserialize, Serialize};

use super::decided::Decided;

/// A line about a call, and where it stands.
#[derive(Clone, Debug)]
pub struct Line {
    /// The lane.
    pub lane: u32,
    /// Its number in the lane.
    pub number: u64,
    /// What it says.
    pub record: Record,
}

/// A line about the log itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Note {
    /// A program that was ended in the middle had left part of a record, which was never acted on.
    Torn {
        /// Bytes of it.
        bytes: u64,
    },
    /// Segments were removed that were older than what is kept.
    Retained {
        /// What began before this, in milliseconds since 1970, and was whole, is gone.
        before_ms: i64,
        /// How many segments.
        segments: u64,
        /// Who asked for it.
        person: PersonId,
    },
    /// A new log was begun in the place of one that was broken.
    Restarted {
        /// Who asked for it.
        person: PersonId,
        /// What was wrong with the one before.
        findings: Vec<String>,
        /// The folder that it was put into.
        kept: String,
    },
    /// Programs that serve remove what is older from now on, or nothing any more. Of older logs: it is a decision now.
    Retention {
        /// Who asked for it.
        person: PersonId,
        /// The days that are kept; none: all.
        days: Option<u32>,
    },
    /// Somebody decided something.
    Decided(Box<Decided>),
    /// What somebody had decided came to nothing.
    Undone {
        /// The decision.
        decision: String,
    },
    /// Decisions on agents have come this far: an older state of them is one that was put back.
    InForce {
        /// Their generation.
        generation: i64,
    },
    /// Record values are kept for a tool from now on, or no longer. Of older logs: it is a decision now.
    Values {
        /// Who asked for it.
        person: PersonId,
        /// The connector.
        connector: String,
        /// The tool.
        tool: String,
        /// Whether they are kept.
        kept: bool,
    },
}

impl Note {
    /// Says whether it tells of the log itself: of what was cut off it, removed from it, or begun in its place.
    pub(super) fn is_of_log(&self) -> bool {
        matches!(
            self,
            Self::Torn { .. } | Self::Retained { .. } | Self::Restarted { .. }
        )
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Torn { bytes } => write!(
                f,
                "{bytes} bytes of a record were cut off that a program had not finished when it was ended"
            ),
            Self::Retained {
                before_ms,
                segments,
                person,
            } => {
                let files = if *segments == 1 { "file" } else { "files" };
                write!(
                    f,
                    "`{person}` removed {segments} {files} with what was older than "
                )?;
                match Timestamp::from_millisecond(*before_ms) {
                    Ok(before) => write!(f, "{}", before.strftime("%Y-%m-%d")),
                    Err(_) => write!(f, "{before_ms} ms since 1970"),
                }
            }
            Self::Restarted {
                person,
                findings,
                kept,
            } => {
                write!(f, "`{person}` began this log in the place of a broken one")?;
                if !kept.is_empty() {
                    write!(f, ", which is kept as `{kept}`")?;
                }
                write!(f, ": {}", findings.join("; "))
            }
            Self::Retention {
                person,
                days: Some(days),
            } => write!(
                f,
                "by `{person}`, what is older than {days} days is removed from then on"
            ),
            Self::Retention { person, days: None } => {
                write!(f, "by `{person}`, nothing is removed any more")
            }
            Self::Decided(decided) => write!(f, "{decided}"),
            Self::Undone { decision } => {
                write!(f, "the decision {decision} came to nothing")
            }
            Self::InForce { generation } => {
                write!(
                    f,
                    "decisions on agents have come to generation {generation}"
                )
            }
            Self::Values {
                person,
                connector,
                tool,
                kept,
            } => {
                let kept = if *kept { "kept" } else { "no longer kept" };
                write!(
                    f,
                    "by `{person}`, the values that `{tool}` of `{connector}` changes are {kept} from then on"
                )
            }
        }
    }
}

/// Microseconds since 1970, for a record.
pub(super) fn micros(at: SystemTime) -> i64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    })
}

/// The time of a record.
pub(super) fn time(micros: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(micros.unsigned_abs())
}
