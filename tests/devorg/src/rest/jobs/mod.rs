//! `/jobs`: Bulk API 2.0.
//!
//! *Bulk API 2.0 and Bulk API Developer Guide*, "Bulk API 2.0 Ingest" and "Bulk API 2.0 Query".

mod ingest;
mod query;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use super::Call;
use crate::bulk::{ColumnDelimiter, LineEnding};
use crate::bulk::{Format, Job, State, Work, invalid_state};
use crate::error::ApiError;
use crate::id::Id;
use crate::wire::Reply;

/// The jobs of a page of a list.
const JOBS_PER_PAGE: usize = 1_000;

/// What kind of job a path is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ingest,
    Query,
}

/// The only format of data.
#[derive(Debug, Deserialize)]
enum ContentType {
    #[serde(rename = "CSV")]
    Csv,
}

/// A change of a job.
#[derive(Debug, Deserialize)]
struct Change {
    state: String,
}

impl Kind {
    fn is_of(self, job: &Job) -> bool {
        matches!(
            (self, &job.work),
            (Self::Ingest, Work::Ingest(_)) | (Self::Query, Work::Query(_))
        )
    }

    fn word(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Query => "query",
        }
    }

    fn job_type(self) -> &'static str {
        match self {
            Self::Ingest => "V2Ingest",
            Self::Query => "V2Query",
        }
    }

    /// The first version of the API that has such jobs.
    fn since(self) -> u32 {
        match self {
            Self::Ingest => 41,
            Self::Query => 47,
        }
    }
}

impl Call<'_> {
    /// Answers a path below `/jobs`.
    pub(super) fn jobs(&self, path: &[&str]) -> Result<Reply, ApiError> {
        let (kind, path) = match path {
            ["ingest", path @ ..] => (Kind::Ingest, path),
            ["query", path @ ..] => (Kind::Query, path),
            _ => return Err(ApiError::not_found()),
        };
        if self.version.number() < kind.since() {
            return Err(ApiError::not_found());
        }
        let method = &self.request.method;
        match (kind, path) {
            (_, []) => match *method {
                Method::GET => self.list_jobs(kind),
                Method::POST if kind == Kind::Ingest => self.create_ingest_job(),
                Method::POST => self.create_query_job(),
                _ => Ok(Reply::not_allowed(method, "GET,HEAD,POST")),
            },
            (_, [id]) => {
                let id = self.job_id(kind, id)?;
                match *method {
                    Method::GET => self.with_job(id, |job| Ok(Reply::json(200, &job.info()))),
                    Method::PATCH => self.change_job(kind, id),
                    Method::DELETE => self.delete_job(id),
                    _ => Ok(Reply::not_allowed(method, "GET,HEAD,PATCH,DELETE")),
                }
            }
            (Kind::Ingest, [id, "batches"]) => match *method {
                Method::PUT => self.upload(self.job_id(kind, id)?),
                _ => Ok(Reply::not_allowed(method, "PUT")),
            },
            (Kind::Ingest, [id, results]) => self.ingest_results(id, results),
            (Kind::Query, [id, "results"]) => self.query_results(id),
            _ => Err(ApiError::not_found()),
        }
    }

    /// Finds a job of whoever asks.
    fn job_id(&self, kind: Kind, id: &str) -> Result<Id, ApiError> {
        let id = Id::parse(id).ok_or_else(ApiError::not_found)?;
        let jobs = self.shared.jobs();
        let job = jobs.get(id).filter(|job| kind.is_of(job));
        let job = job.ok_or_else(ApiError::not_found)?;
        if job.user == self.session.user_id {
            return Ok(id);
        }
        let message = "The job was created by another user";
        Err(ApiError::new(403, "INVALIDUSER", message))
    }

    fn with_job<T>(
        &self,
        id: Id,
        then: impl FnOnce(&mut Job) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let mut jobs = self.shared.jobs();
        if self.request.method != Method::GET {
            jobs.unsaved.mark(|| id);
        }
        then(jobs.get_mut(id).ok_or_else(ApiError::not_found)?)
    }

    /// Reads the JSON of a job or of a change.
    fn job_body<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, ApiError> {
        serde_json::from_slice(body).map_err(|error| {
            let at = format!("[line:{}, column:{}]", error.line(), error.column());
            // The place follows the words.
            let words = error.to_string();
            let words = words.split(" at line ").next().unwrap_or_default();
            ApiError::bad_request("JSON_PARSER_ERROR", format!("{words} at {at}"))
        })
    }

    /// Makes a job that waits for its data or for the worker.
    fn new_job(&self, object: String, format: Format, state: State, work: Work) -> Job {
        let now = self.shared.org().now();
        Job {
            id: self.shared.jobs().next_id(),
            object,
            user: self.session.user_id,
            created: now,
            modified: now,
            state,
            version: self.version.number().into(),
            format,
            records_processed: 0,
            records_failed: 0,
            error: None,
            took: std::time::Duration::ZERO,
            work,
        }
    }

    /// Keeps a new job, hands it to the worker if it is complete, and gives what is said of it.
    fn start(&self, job: Job) -> Reply {
        let (id, state, summary) = (job.id, job.state, job.summary());
        self.shared.jobs().insert(job);
        if state == State::UploadComplete {
            self.shared.queue.push(id);
        }
        Reply::json(200, &summary)
    }

    fn change_job(&self, kind: Kind, id: Id) -> Result<Reply, ApiError> {
        self.only_json()?;
        let Change { state } = self.job_body(&self.request.body)?;
        // The worker has the org until what it writes is counted: nothing follows an abort.
        let org = self.shared.org();
        let now = org.now();
        let reply = self.with_job(id, |job| {
            match (&*state, kind) {
                ("Aborted", _) => {
                    job.state.check_not_ended("Aborting")?;
                    // What the worker has not read is left as it came.
                    if let Work::Ingest(ingest) = &mut job.work
                        && ingest.data.is_some()
                    {
                        job.error = ingest.read(job.format).err();
                    }
                    job.enter(State::Aborted, now);
                }
                ("UploadComplete", Kind::Ingest) => {
                    job.state.check_not_ended("Closing")?;
                    if job.state != State::Open {
                        return Err(invalid_state("Closing already Closed Job not allowed"));
                    }
                    job.enter(State::UploadComplete, now);
                }
                _ => {
                    let message = format!("Job state {state} is not one that a client sets");
                    return Err(invalid_state(message));
                }
            }
            Ok(Reply::json(200, &job.summary()))
        })?;
        drop(org);
        if state == "UploadComplete" {
            self.shared.queue.push(id);
        }
        Ok(reply)
    }

    fn delete_job(&self, id: Id) -> Result<Reply, ApiError> {
        let mut jobs = self.shared.jobs();
        let state = jobs.get(id).map(|job| job.state);
        match state.ok_or_else(ApiError::not_found)? {
            state @ (State::Open | State::InProgress) => Err(invalid_state(format!(
                "Deleting Job in state {} not allowed",
                state.word()
            ))),
            _ => {
                jobs.remove(id);
                Ok(Reply::empty(204))
            }
        }
    }

    fn list_jobs(&self, kind: Kind) -> Result<Reply, ApiError> {
        let first = match self.request.param("queryLocator") {
            None | Some("") => 0,
            Some(locator) => read_locator(locator)?,
        };
        let of_type = self.request.param("jobType");
        let of_type = of_type.is_none_or(|asked| asked.eq_ignore_ascii_case(kind.job_type()));
        // Only jobs of the older Bulk API are chunked.
        let chunked = self.request.param("isPkChunkingEnabled") == Some("true");
        let jobs = self.shared.jobs();
        let listed = jobs.iter().filter(|job| {
            let own = job.user == self.session.user_id;
            kind.is_of(job) && of_type && !chunked && own
        });
        let records: Vec<Json> = listed
            .skip(first)
            .take(JOBS_PER_PAGE + 1)
            .map(|job| {
                let mut summary = job.summary();
                summary["jobType"] = json!(kind.job_type());
                summary
            })
            .collect();
        let more = records.len() > JOBS_PER_PAGE;
        let next = more.then(|| {
            let locator = write_locator(first + JOBS_PER_PAGE);
            format!("{}/jobs/{}?queryLocator={locator}", self.base, kind.word())
        });
        let page = records.get(..JOBS_PER_PAGE).unwrap_or(&records);
        Ok(Reply::json(
            200,
            &json!({"done": !more, "records": page, "nextRecordsUrl": next}),
        ))
    }
}

/// Writes a place in results, as clients hand it back.
fn write_locator(at: usize) -> String {
    URL_SAFE_NO_PAD.encode(at.to_string())
}

fn read_locator(text: &str) -> Result<usize, ApiError> {
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        std::str::from_utf8(&bytes).ok()?.parse().ok()
    };
    read().ok_or_else(|| ApiError::bad_request("INVALID_QUERY_LOCATOR", "invalid query locator"))
}

/// Puts a job's format together.
fn format(delimiter: Option<ColumnDelimiter>, line_ending: Option<LineEnding>) -> Format {
    Format {
        delimiter: delimiter.unwrap_or_default(),
        line_ending: line_ending.unwrap_or_default(),
    }
}

/// Answers with CSV.
fn csv(body: Vec<u8>) -> Reply {
    Reply::bytes("text/csv", body)
}
