//! How far a job that writes has come, chunk by chunk: the job itself has too many rows to be saved with
//! each.

use csv::StringRecord;
use serde::{Deserialize, Serialize};

use super::{Job, State, Work, saved};
use crate::id::Id;

/// How much is kept of an error where all of it is too much.
#[cfg(feature = "program")]
const ERROR_CHARS: usize = 1_000;

/// The rows of a job that were written together, by their places among those of the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Chunk {
    pub(crate) job: Id,
    successful: (usize, usize),
    failed: (usize, usize),
}

/// What became of the rows of a chunk.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ended {
    #[serde(with = "saved::rows")]
    pub(super) successful: Vec<StringRecord>,
    #[serde(with = "saved::rows")]
    pub(super) failed: Vec<StringRecord>,
}

impl Ended {
    /// Gives the same rows, each with no more than its id and the beginning of its error.
    #[cfg(feature = "program")]
    pub(crate) fn without_cells(&self) -> Self {
        let short = |cell: &str| -> String { cell.chars().take(ERROR_CHARS).collect() };
        let all = |rows: &[StringRecord]| -> Vec<StringRecord> {
            let rows = rows.iter();
            rows.map(|row| row.iter().take(2).map(short).collect())
                .collect()
        };
        Self {
            successful: all(&self.successful),
            failed: all(&self.failed),
        }
    }
}

impl Chunk {
    /// Counts the rows before it that were done.
    pub(crate) fn begins(&self) -> usize {
        self.successful.0 + self.failed.0
    }
}

impl Job {
    /// Puts the rows of a chunk where they belong, and says which chunk that is.
    pub(super) fn count(&mut self, ended: Ended) -> Option<Chunk> {
        let Work::Ingest(ingest) = &mut self.work else {
            return None;
        };
        let before = (ingest.successful.len(), ingest.failed.len());
        let rows = ended.successful.len() + ended.failed.len();
        self.records_processed += rows;
        self.records_failed += ended.failed.len();
        let waiting = ingest.unprocessed.len();
        ingest.unprocessed.drain(..rows.min(waiting));
        ingest.successful.extend(ended.successful);
        ingest.failed.extend(ended.failed);
        Some(Chunk {
            job: self.id,
            successful: (before.0, ingest.successful.len()),
            failed: (before.1, ingest.failed.len()),
        })
    }

    /// Gives what became of the rows of a chunk.
    pub(crate) fn ended(&self, chunk: &Chunk) -> Option<Ended> {
        let Work::Ingest(ingest) = &self.work else {
            return None;
        };
        let of =
            |rows: &[StringRecord], (from, to): (usize, usize)| Some(rows.get(from..to)?.to_vec());
        Some(Ended {
            successful: of(&ingest.successful, chunk.successful)?,
            failed: of(&ingest.failed, chunk.failed)?,
        })
    }

    /// Goes on with a chunk that was done after `begins` rows; says whether it is the next.
    #[cfg(feature = "program")]
    pub(crate) fn go_on(&mut self, begins: usize, ended: Ended) -> bool {
        if self.state != State::InProgress || self.records_processed != begins {
            return false;
        }
        self.read_data();
        self.count(ended).is_some()
    }

    /// Reads what the worker has not read yet, so that it is among the rows that wait.
    pub(super) fn read_data(&mut self) {
        let Work::Ingest(ingest) = &mut self.work else {
            return;
        };
        if ingest.data.is_some() {
            let _ = ingest.read(self.format); // What is no table has no rows.
        }
    }
}
