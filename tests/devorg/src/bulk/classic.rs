//! The older Bulk API: jobs of batches, each with its own results.
//!
//! *Bulk API 2.0 and Bulk API Developer Guide*, "Bulk API". A batch is done when it is sent, so that
//! there is nothing to wait for.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::cells;
use super::ingest::{Operation, Target, apply};
use super::query::{self, QueryOperation};
use super::worker::invalid_entity;
use crate::error::ApiError;
use crate::id::Id;
use crate::org::{Org, Session};
use crate::unsaved::Unsaved;
use crate::value::format_moment;

/// What a job of the older API does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum ClassicOperation {
    Write(Operation),
    Read(QueryOperation),
}

/// Where a job of the older API stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ClassicState {
    Open,
    Closed,
    Aborted,
}

/// A job of the older API.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ClassicJob {
    pub(crate) id: Id,
    pub(crate) operation: ClassicOperation,
    /// The exact name of the object.
    pub(crate) object: String,
    pub(crate) external_id_field: Option<String>,
    pub(crate) user: Id,
    pub(crate) created: Timestamp,
    pub(crate) state: ClassicState,
    pub(crate) version: f64,
    /// Its batches, by id; in the state file each has a place of its own.
    #[serde(skip)]
    pub(crate) batches: BTreeMap<Id, Batch>,
}

/// A batch that was done.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Batch {
    pub(crate) id: Id,
    pub(crate) created: Timestamp,
    /// What became of its rows, or why it failed as a whole.
    pub(crate) outcome: Result<Outcome, String>,
}

/// What became of the rows of a batch.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Outcome {
    /// An entry for each row.
    Written(Vec<Json>),
    /// What was found, under the id of a result.
    Read(Id, Vec<Json>),
}

impl ClassicJob {
    /// Gives what answers say of the job.
    pub(crate) fn info(&self) -> Json {
        let operation = match self.operation {
            ClassicOperation::Write(operation) => operation.word(),
            ClassicOperation::Read(operation) => operation.word(),
        };
        let state = match self.state {
            ClassicState::Open => "Open",
            ClassicState::Closed => "Closed",
            ClassicState::Aborted => "Aborted",
        };
        let sums = self.batches.values().map(Batch::numbers);
        let (processed, failed) = sums.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let broken = self.batches.values().filter(|batch| batch.outcome.is_err());
        let broken = broken.count();
        json!({
            "id": self.id.as_str(),
            "operation": operation,
            "object": self.object,
            "createdById": self.user.as_str(),
            "createdDate": format_moment(self.created),
            "systemModstamp": format_moment(self.created),
            "state": state,
            "externalIdFieldName": self.external_id_field,
            "concurrencyMode": "Parallel",
            "contentType": "JSON",
            "apiVersion": self.version,
            "numberBatchesQueued": 0,
            "numberBatchesInProgress": 0,
            "numberBatchesCompleted": self.batches.len() - broken,
            "numberBatchesFailed": broken,
            "numberBatchesTotal": self.batches.len(),
            "numberRecordsProcessed": processed,
            "numberRecordsFailed": failed,
            "numberRetries": 0,
            "totalProcessingTime": 0,
            "apiActiveProcessingTime": 0,
            "apexProcessingTime": 0,
        })
    }
}

impl Batch {
    /// Gives what is kept of a batch whose rows are too many for that.
    #[cfg(feature = "program")]
    pub(crate) fn without_rows(&self, why: String) -> Self {
        Self {
            outcome: Err(format!("InvalidBatch : The rows are not kept: {why}")),
            ..*self
        }
    }

    /// Counts the rows, and those that failed.
    fn numbers(&self) -> (usize, usize) {
        match &self.outcome {
            Ok(Outcome::Written(rows)) => {
                let failed = rows.iter().filter(|row| row["success"] == false);
                (rows.len(), failed.count())
            }
            Ok(Outcome::Read(_, rows)) => (rows.len(), 0),
            Err(_) => (0, 0),
        }
    }

    /// Gives what answers say of the batch.
    pub(crate) fn info(&self, job: Id) -> Json {
        let (processed, failed) = self.numbers();
        let state = match self.outcome {
            Ok(_) => "Completed",
            Err(_) => "Failed",
        };
        json!({
            "id": self.id.as_str(),
            "jobId": job.as_str(),
            "state": state,
            "stateMessage": self.outcome.as_ref().err(),
            "createdDate": format_moment(self.created),
            "systemModstamp": format_moment(self.created),
            "numberRecordsProcessed": processed,
            "numberRecordsFailed": failed,
            "totalProcessingTime": 0,
            "apiActiveProcessingTime": 0,
            "apexProcessingTime": 0,
        })
    }
}

/// Writes the rows of a batch, and gives an entry for each. An error is what the batch says of
/// itself.
pub(crate) fn write(
    org: &mut Org,
    session: &Session,
    object: &str,
    external_id_field: Option<&str>,
    operation: Operation,
    rows: Vec<Map<String, Json>>,
) -> Result<Vec<Json>, String> {
    // It was there when the job was made.
    let found = session.schema().object(object);
    let object = found.ok_or_else(|| invalid_entity(object))?;
    let key = match operation {
        Operation::Insert => None,
        Operation::Upsert => external_id_field,
        _ => Some("Id"),
    };
    let target = Target {
        operation,
        object,
        key,
    };
    let entries = rows.into_iter().map(|mut row| {
        let given = key.and_then(|key| {
            let name = row
                .keys()
                .find(|name| name.eq_ignore_ascii_case(key))?
                .clone();
            match row.remove(&name)? {
                Json::Null => None,
                Json::String(text) => Some(text),
                other => Some(other.to_string()),
            }
        });
        let done = cells::resolve(org, session, object, &mut row)
            .and_then(|()| apply(org, session, target, given.as_deref(), row));
        match done {
            Ok((id, created)) => {
                json!({"success": true, "created": created, "id": id.as_str(), "errors": []})
            }
            Err(error) => json!({
                "success": false,
                "created": false,
                "id": null,
                "errors": [{
                    "statusCode": error.code,
                    "message": error.message,
                    "fields": error.fields,
                    "extendedErrorDetails": null,
                }],
            }),
        }
    });
    Ok(entries.collect())
}

/// Finds the rows of a batch. An error is what the batch says of itself.
pub(crate) fn read(
    org: &Org,
    session: &Session,
    operation: QueryOperation,
    soql: &str,
    base: &str,
) -> Result<Vec<Json>, String> {
    let failed = |error: ApiError| {
        format!(
            "InvalidBatch : Failed to process query: {}: {}",
            error.code, error.message
        )
    };
    let (_, columns) = query::check(org, session, soql).map_err(failed)?;
    query::rows(org, session, operation, soql, base, &columns).map_err(failed)
}

/// The jobs of the older API, by id.
#[derive(Debug, Default)]
pub(crate) struct ClassicJobs {
    jobs: BTreeMap<Id, ClassicJob>,
    /// The number of the last id of a job, a batch or a result.
    pub(crate) last_number: u64,
    /// The jobs that are not in the state file as they are, without regard to their batches.
    pub(crate) unsaved: Unsaved<Id>,
    /// The batches that are not in the state file, each behind the id of its job.
    pub(crate) unsaved_batches: Unsaved<(Id, Id)>,
}

/// The most jobs and the most rows of results that are kept: they are in memory.
const JOBS_MAX: usize = 15_000;
const ROWS_MAX: usize = 500_000;

impl ClassicJobs {
    pub(crate) fn get(&self, id: Id) -> Option<&ClassicJob> {
        self.jobs.get(&id)
    }

    /// Gives a job to change, but for its batches.
    pub(crate) fn get_mut(&mut self, id: Id) -> Option<&mut ClassicJob> {
        self.unsaved.mark(|| id);
        self.jobs.get_mut(&id)
    }

    /// Gives a batch of a job.
    pub(crate) fn batch(&self, job: Id, id: Id) -> Option<&Batch> {
        self.get(job)?.batches.get(&id)
    }

    /// Keeps a batch; says whether there is such a job.
    pub(crate) fn keep(&mut self, job: Id, batch: Batch) -> bool {
        let Some(found) = self.jobs.get_mut(&job) else {
            return false;
        };
        self.unsaved_batches.mark(|| (job, batch.id));
        found.batches.insert(batch.id, batch);
        true
    }

    pub(crate) fn insert(&mut self, job: ClassicJob) {
        self.unsaved.mark(|| job.id);
        self.jobs.insert(job.id, job);
    }

    /// Says whether there is room for a job and a batch.
    pub(crate) fn has_room(&self) -> bool {
        let batches = self.jobs.values().flat_map(|job| job.batches.values());
        let rows: usize = batches.map(|batch| batch.numbers().0).sum();
        self.jobs.len() < JOBS_MAX && rows < ROWS_MAX
    }

    /// Begins to remember what is not saved: nothing at first.
    #[cfg(feature = "program")]
    pub(crate) fn remember_unsaved(&mut self) {
        self.unsaved.begin([]);
        self.unsaved_batches.begin([]);
    }

    /// Gives the next id of a batch or of a result.
    pub(crate) fn next_id(&mut self, prefix: &str) -> Id {
        self.last_number += 1;
        Id::numbered(prefix, self.last_number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_fails_whose_object_is_gone() {
        let mut org = Org::sample(Timestamp::UNIX_EPOCH);
        let user = Id::numbered("005", 1);
        let session = Session::of(&org, user);
        let mut write = |object: &str| {
            let rows = vec![Map::new()];
            write(&mut org, &session, object, None, Operation::Insert, rows)
        };
        assert_eq!(write("Account").map(|rows| rows.len()), Ok(1));
        let message = "InvalidEntity : Entity 'Nothing__c' is not supported by the Bulk API.";
        assert_eq!(write("Nothing__c"), Err(message.to_owned()));
    }
}
