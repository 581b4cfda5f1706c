//! `/services/async`: the older Bulk API, with JSON, as clients that are older than Bulk API 2.0 ask it.
//!
//! Data as CSV or XML, and files in batches, are refused: newer clients send CSV to `/jobs`.

use std::collections::BTreeMap;

use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::version::Version;
use crate::bulk::classic::{
    self, Batch, ClassicJob, ClassicJobs, ClassicOperation, ClassicState, Outcome,
};
use crate::bulk::{NO_HARD_DELETE, Operation, key_field, may_hard_delete, not_supported};
use crate::error::ApiError;
use crate::id::Id;
use crate::limits::Limit;
use crate::org::{Org, Session};
use crate::state::Shared;
use crate::wire::{Reply, Request};

/// The most rows of a batch.
const BATCH_ROWS_MAX: usize = 10_000;

/// A job as it is asked for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewJob {
    operation: ClassicOperation,
    object: String,
    external_id_field_name: Option<String>,
    content_type: Option<String>,
}

/// A change of a job.
#[derive(Debug, Deserialize)]
struct Change {
    state: ClassicState,
}

/// A request of somebody who is signed in.
struct Call<'a> {
    shared: &'a Shared,
    request: &'a Request,
    session: Session,
    version: Version,
}

fn refused(code: &str, message: impl Into<String>) -> ApiError {
    ApiError::bad_request(code, message)
}

/// Answers a path below a version. Errors have names and a shape of their own.
pub(crate) fn answer(shared: &Shared, request: &Request, version: &str, path: &[&str]) -> Reply {
    let used = shared.limits.count(Limit::DailyApiRequests);
    let reply = signed_in(shared, request, version, used).and_then(|call| call.dispatch(path));
    reply.unwrap_or_else(|error| {
        let body = json!({"exceptionCode": error.code, "exceptionMessage": error.message});
        Reply::json(error.status, &body)
    })
}

fn signed_in<'a>(
    shared: &'a Shared,
    request: &'a Request,
    version: &str,
    used: u64,
) -> Result<Call<'a>, ApiError> {
    let version = Version::parse(&format!("v{version}"))
        .map_err(|_| refused("InvalidUrl", format!("Unknown version: {version}")))?;
    let token = request.header("x-sfdc-session").or(request.bearer());
    let session = shared
        .session_of(token.unwrap_or_default())
        .map_err(|_| refused("InvalidSessionId", "Invalid session id"))?;
    if used > shared.limits.max(Limit::DailyApiRequests) {
        return Err(refused("ExceededQuota", "TotalRequests Limit exceeded."));
    }
    Ok(Call {
        shared,
        request,
        session,
        version,
    })
}

fn check_open(job: &ClassicJob) -> Result<(), ApiError> {
    match job.state {
        ClassicState::Open => Ok(()),
        _ => Err(refused("InvalidJobState", "The job is not open")),
    }
}

impl Call<'_> {
    fn dispatch(&self, path: &[&str]) -> Result<Reply, ApiError> {
        let read = self.request.method == Method::GET;
        if !read && self.request.method != Method::POST {
            let message = format!(
                "HTTP Method '{}' not allowed. Allowed are GET,POST",
                self.request.method
            );
            return Err(ApiError::new(405, "MethodNotAllowed", message));
        }
        match path {
            ["job"] if !read => self.create(),
            ["job", job] if read => self.job(job, |job| Ok(Reply::json(200, &job.info()))),
            ["job", job] => self.change(job),
            ["job", job, "batch"] if read => self.job(job, |job| {
                let batches = job.batches.values().map(|batch| batch.info(job.id));
                let batches: Vec<Json> = batches.collect();
                Ok(Reply::json(200, &json!({"batchInfo": batches})))
            }),
            ["job", job, "batch"] => self.add(job),
            ["job", job, "batch", batch] if read => self.batch(job, batch, |job, batch| {
                Ok(Reply::json(200, &batch.info(job)))
            }),
            ["job", job, "batch", batch, "request"] if read => self.batch(job, batch, |_, _| {
                Err(refused("InvalidBatch", "The data of batches is not kept"))
            }),
            ["job", job, "batch", batch, "result"] if read => {
                self.batch(job, batch, |_, batch| match &batch.outcome {
                    Ok(Outcome::Written(rows)) => Ok(Reply::json(200, rows)),
                    Ok(Outcome::Read(id, _)) => Ok(Reply::json(200, &[id.as_str()])),
                    Err(_) => Err(refused("InvalidBatch", "Records not processed")),
                })
            }
            ["job", job, "batch", batch, "result", result] if read => {
                self.batch(job, batch, |_, batch| match &batch.outcome {
                    Ok(Outcome::Read(id, rows)) if Id::parse(result) == Some(*id) => {
                        Ok(Reply::json(200, rows))
                    }
                    _ => Err(refused(
                        "InvalidBatch",
                        format!("Invalid result id: {result}"),
                    )),
                })
            }
            _ => Err(refused(
                "InvalidUrl",
                "Destination URL not reset. The URL is invalid",
            )),
        }
    }

    fn body<T: serde::de::DeserializeOwned>(&self, code: &str) -> Result<T, ApiError> {
        // As Salesforce's own libraries send it.
        if self.request.body.trim_ascii_start().starts_with(b"<") {
            let message = "The only content type of this org is JSON, and the body is XML";
            return Err(refused(code, message));
        }
        serde_json::from_slice(&self.request.body).map_err(|error| refused(code, error.to_string()))
    }

    fn job<T>(
        &self,
        id: &str,
        then: impl FnOnce(&ClassicJob) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        then(self.find(&self.shared.classic_jobs(), id)?)
    }

    /// Finds a job of whoever asks.
    fn find<'j>(&self, jobs: &'j ClassicJobs, id: &str) -> Result<&'j ClassicJob, ApiError> {
        let job = Id::parse(id).and_then(|id| jobs.get(id));
        let job = job.filter(|job| job.user == self.session.user_id);
        job.ok_or_else(|| refused("InvalidJob", format!("Invalid job id: {id}")))
    }

    fn batch<T>(
        &self,
        job: &str,
        id: &str,
        then: impl FnOnce(Id, &Batch) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        self.job(job, |job| {
            let batch = Id::parse(id).and_then(|id| job.batches.get(&id));
            then(
                job.id,
                batch.ok_or_else(|| refused("InvalidBatch", format!("Invalid batch id: {id}")))?,
            )
        })
    }

    fn create(&self) -> Result<Reply, ApiError> {
        let job: NewJob = self.body("InvalidJob")?;
        if !self.shared.classic_jobs().has_room() {
            return Err(refused("ExceededQuota", "There are too many jobs."));
        }
        if job
            .content_type
            .as_deref()
            .is_some_and(|kind| kind != "JSON")
        {
            return Err(refused(
                "InvalidJob",
                "The only content type of this org is JSON",
            ));
        }
        let created = self.shared.org().now();
        let object = self
            .session
            .schema()
            .object(&job.object)
            .ok_or_else(|| refused("InvalidEntity", not_supported(&job.object)))?;
        let external_id_field = match job.operation {
            ClassicOperation::Write(operation) => {
                if operation == Operation::HardDelete
                    && !may_hard_delete(&self.shared.org(), &self.session)
                {
                    return Err(refused("FeatureNotEnabled", NO_HARD_DELETE));
                }
                let name = job.external_id_field_name.as_deref();
                key_field(object, operation, name).map_err(|words| refused("InvalidJob", words))?
            }
            ClassicOperation::Read(_) => None,
        };
        let id = self.shared.jobs().next_id();
        let job = ClassicJob {
            id,
            operation: job.operation,
            object: (*object.name).to_owned(),
            external_id_field,
            user: self.session.user_id,
            created,
            state: ClassicState::Open,
            version: self.version.number().into(),
            batches: BTreeMap::new(),
        };
        let info = job.info();
        self.shared.classic_jobs().insert(job);
        Ok(Reply::json(201, &info))
    }

    /// Does a batch: rows as a list of objects, or a query.
    fn add(&self, id: &str) -> Result<Reply, ApiError> {
        let (operation, batch, result) = {
            let operation = self.job(id, |job| check_open(job).map(|()| job.operation))?;
            if !self.shared.limits.take(Limit::DailyBulkApiBatches, 1) {
                return Err(refused("ExceededQuota", "ApiBatchItems Limit exceeded."));
            }
            let mut jobs = self.shared.classic_jobs();
            if !jobs.has_room() {
                return Err(refused(
                    "ExceededQuota",
                    "The results of all jobs are too many.",
                ));
            }
            (operation, jobs.next_id("751"), jobs.next_id("752"))
        };
        match operation {
            ClassicOperation::Write(operation) => self.write(id, batch, operation),
            ClassicOperation::Read(operation) => {
                let soql = String::from_utf8_lossy(&self.request.body);
                let base = format!("/services/data/{}", self.version);
                let org = self.shared.org();
                let rows = classic::read(&org, &self.session, operation, &soql, &base);
                self.keep(
                    &org,
                    id,
                    batch,
                    rows.map(|rows| Outcome::Read(result, rows)),
                )
            }
        }
    }

    /// Writes the rows of a batch. Whoever closes or aborts the job waits for the org meanwhile.
    fn write(&self, id: &str, batch: Id, operation: Operation) -> Result<Reply, ApiError> {
        let rows: Vec<Map<String, Json>> = self.body("InvalidBatch")?;
        if rows.len() > BATCH_ROWS_MAX {
            let message = format!("Records in batch exceed max batch size {BATCH_ROWS_MAX}");
            return Err(refused("InvalidBatch", message));
        }
        let mut org = self.shared.org_mut();
        let (object, key) = self.job(id, |job| {
            check_open(job)?;
            Ok((job.object.clone(), job.external_id_field.clone()))
        })?;
        let key = key.as_deref();
        let written = classic::write(&mut org, &self.session, &object, key, operation, rows);
        self.keep(&org, id, batch, written.map(Outcome::Written))
    }

    /// Keeps a batch of a job that is still open.
    fn keep(
        &self,
        org: &Org,
        id: &str,
        batch: Id,
        outcome: Result<Outcome, String>,
    ) -> Result<Reply, ApiError> {
        let mut jobs = self.shared.classic_jobs();
        let job = self.find(&jobs, id)?;
        check_open(job)?;
        let job = job.id;
        let batch = Batch {
            id: batch,
            created: org.now(),
            outcome,
        };
        let info = batch.info(job);
        jobs.keep(job, batch);
        Ok(Reply::json(201, &info))
    }

    fn change(&self, id: &str) -> Result<Reply, ApiError> {
        let Change { state } = self.body("InvalidJob")?;
        // A batch has the org until it is kept: nothing is written afterwards.
        let _org = self.shared.org();
        let mut jobs = self.shared.classic_jobs();
        let job = self.find(&jobs, id)?;
        if job.state != ClassicState::Open || state == ClassicState::Open {
            let message = "Only a job that is open is closed or aborted";
            return Err(refused("InvalidJobState", message));
        }
        let job = job.id;
        let job = jobs.get_mut(job).ok_or_else(ApiError::not_found)?; // It was found above.
        job.state = state;
        Ok(Reply::json(200, &job.info()))
    }
}
