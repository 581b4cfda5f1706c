//! A job, its states and where jobs are kept.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::progress::{Chunk, Ended};
use super::{Format, Ingest, Query};
use crate::error::ApiError;
use crate::id::Id;
use crate::unsaved::Unsaved;
use crate::value::format_moment;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    /// It waits for its data.
    Open,
    /// It waits for the worker.
    UploadComplete,
    /// The worker has it.
    InProgress,
    /// Somebody stopped it.
    Aborted,
    /// It is done.
    JobComplete,
    /// It could not be done.
    Failed,
}

impl State {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::UploadComplete => "UploadComplete",
            Self::InProgress => "InProgress",
            Self::Aborted => "Aborted",
            Self::JobComplete => "JobComplete",
            Self::Failed => "Failed",
        }
    }

    /// Says whether nothing happens to it any more.
    pub(crate) fn ended(self) -> bool {
        matches!(self, Self::Aborted | Self::JobComplete | Self::Failed)
    }

    /// Refuses what is not done to a job that has ended: `Closing`, `Aborting`.
    ///
    /// # Errors
    ///
    /// `INVALIDJOBSTATE`.
    pub(crate) fn check_not_ended(self, doing: &str) -> Result<(), ApiError> {
        let ended = match self {
            Self::Aborted => "Aborted",
            Self::JobComplete => "Completed",
            Self::Failed => "Failed",
            _ => return Ok(()),
        };
        Err(invalid_state(format!(
            "{doing} already {ended} Job not allowed"
        )))
    }
}

/// Makes the error of what a job's state does not let be done.
pub(crate) fn invalid_state(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("INVALIDJOBSTATE", message)
}

/// What a job does.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Work {
    Ingest(Ingest),
    Query(Query),
}

/// A job.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) id: Id,
    /// The exact name of the object.
    pub(crate) object: String,
    /// Who made it, in whose name it runs.
    pub(crate) user: Id,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    pub(crate) state: State,
    /// The version of the API that it was made with: `68.0`.
    pub(crate) version: f64,
    pub(crate) format: Format,
    pub(crate) records_processed: usize,
    pub(crate) records_failed: usize,
    /// Why it failed.
    pub(crate) error: Option<String>,
    /// How long the worker had it.
    pub(crate) took: Duration,
    pub(crate) work: Work,
}

impl Job {
    /// Gives what every answer says of a job.
    pub(crate) fn summary(&self) -> Json {
        let operation = match &self.work {
            Work::Ingest(ingest) => ingest.operation.word(),
            Work::Query(query) => query.operation.word(),
        };
        let mut summary = json!({
            "id": self.id.as_str(),
            "operation": operation,
            "object": self.object,
            "createdById": self.user.as_str(),
            "createdDate": format_moment(self.created),
            "systemModstamp": format_moment(self.modified),
            "state": self.state.word(),
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": self.version,
            "lineEnding": self.format.line_ending,
            "columnDelimiter": self.format.delimiter,
        });
        if let Work::Ingest(ingest) = &self.work {
            if let Some(field) = &ingest.external_id_field {
                summary["externalIdFieldName"] = json!(field);
            }
            if let Some(rule) = ingest.assignment_rule {
                summary["assignmentRuleId"] = json!(rule.as_str());
            }
            if self.state == State::Open {
                let (version, id) = (self.version, self.id);
                let url = format!("services/data/v{version:.1}/jobs/ingest/{id}/batches");
                summary["contentUrl"] = json!(url);
            }
        }
        summary
    }

    /// Gives all that is known of a job.
    pub(crate) fn info(&self) -> Json {
        let mut info = self.summary();
        let took = u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX);
        info["retries"] = json!(0);
        info["totalProcessingTime"] = json!(took);
        info["numberRecordsProcessed"] = json!(self.records_processed);
        if let Some(error) = &self.error {
            info["errorMessage"] = json!(error);
        }
        match &self.work {
            Work::Ingest(_) => {
                info["jobType"] = json!("V2Ingest");
                info["apiActiveProcessingTime"] = json!(took);
                info["apexProcessingTime"] = json!(0);
                info["numberRecordsFailed"] = json!(self.records_failed);
            }
            Work::Query(_) => {
                info["jobType"] = json!("V2Query");
                info["isPkChunkingSupported"] = json!(true);
            }
        }
        info
    }

    /// Gives what is kept of a job whose rows are too many for that: one that reads begins anew, one that
    /// writes has its counts, and says why it has no rows.
    #[cfg(feature = "program")]
    pub(crate) fn without_rows(&self, why: String) -> Self {
        let (work, state, error) = match &self.work {
            Work::Query(query) => {
                let work = Work::Query(query.without_rows());
                (work, State::UploadComplete, None)
            }
            Work::Ingest(ingest) => {
                let state = match self.state {
                    // It would do nothing.
                    State::Open | State::UploadComplete => State::Failed,
                    state => state,
                };
                let error = format!("InternalServerError : The rows are not kept: {why}");
                (Work::Ingest(ingest.without_rows()), state, Some(error))
            }
        };
        Self {
            object: self.object.clone(),
            error,
            state,
            work,
            ..*self
        }
    }

    /// Ends what was under way when the org was stopped: a job that reads begins anew, one that
    /// writes has failed, since some of its rows may be written.
    #[cfg(feature = "program")]
    fn break_off(&mut self, at: Timestamp) {
        if self.state != State::InProgress {
            return;
        }
        match self.work {
            Work::Query(_) => self.enter(State::UploadComplete, at),
            Work::Ingest(_) => {
                self.read_data();
                let stopped = || "InternalServerError : The org was stopped meanwhile".into();
                self.error.get_or_insert_with(stopped);
                self.enter(State::Failed, at);
            }
        }
    }

    /// Moves the job on.
    pub(crate) fn enter(&mut self, state: State, at: Timestamp) {
        self.state = state;
        self.modified = at;
    }
}

/// The org's jobs, by id.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    jobs: BTreeMap<Id, Job>,
    /// The number of the last job's id.
    pub(crate) last_number: u64,
    /// The jobs that are not in the state file as they are, but for chunks that were done since.
    pub(crate) unsaved: Unsaved<Id>,
    /// The chunks that are not in the state file.
    pub(crate) unsaved_chunks: Unsaved<Chunk>,
}

impl Jobs {
    /// Gives the id of the next job.
    pub(crate) fn next_id(&mut self) -> Id {
        self.last_number += 1;
        Id::numbered("750", self.last_number)
    }

    pub(crate) fn insert(&mut self, job: Job) {
        self.unsaved.mark(|| job.id);
        self.jobs.insert(job.id, job);
    }

    pub(crate) fn get(&self, id: Id) -> Option<&Job> {
        self.jobs.get(&id)
    }

    /// Gives a job to change; who does says so to `unsaved`.
    pub(crate) fn get_mut(&mut self, id: Id) -> Option<&mut Job> {
        self.jobs.get_mut(&id)
    }

    /// Gives a job that goes on: as a whole, which may be much, it is saved when it ends.
    pub(crate) fn in_progress(&mut self, id: Id) -> Option<&mut Job> {
        let job = self.jobs.get_mut(&id)?;
        (job.state == State::InProgress).then_some(job)
    }

    /// Puts the rows of a chunk where they belong, if the job goes on.
    pub(super) fn count(&mut self, id: Id, ended: Ended) {
        let chunk = self.in_progress(id).and_then(|job| job.count(ended));
        if let Some(chunk) = chunk {
            self.unsaved_chunks.mark(|| chunk);
        }
    }

    /// Ends what was under way when the org was stopped.
    #[cfg(feature = "program")]
    pub(crate) fn break_off(&mut self, at: Timestamp) {
        self.jobs.values_mut().for_each(|job| job.break_off(at));
    }

    /// Begins to remember what is not saved: at first all jobs, since those that were broken off are
    /// others now.
    #[cfg(feature = "program")]
    pub(crate) fn remember_unsaved(&mut self) {
        self.unsaved.begin(self.jobs.keys().copied());
        self.unsaved_chunks.begin([]);
    }

    pub(crate) fn remove(&mut self, id: Id) {
        self.unsaved.mark(|| id);
        self.jobs.remove(&id);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values()
    }

    /// Counts the bytes of the data that waits for the worker, and of what was made of it.
    pub(crate) fn ingest_bytes(&self) -> usize {
        let bytes = |job: &Job| match &job.work {
            Work::Ingest(ingest) => ingest.bytes(),
            Work::Query(_) => 0,
        };
        self.jobs.values().map(bytes).sum()
    }
}
