//! `/jobs/ingest`: jobs that write.

use http::Method;
use serde::Deserialize;

use super::{ContentType, Kind, csv, format};
use crate::bulk::{
    ColumnDelimiter, Ingest, LineEnding, NO_HARD_DELETE, Operation, State, Work, invalid_state,
    key_field, may_hard_delete, not_supported,
};
use crate::error::ApiError;
use crate::id::Id;
use crate::limits::Limit;
use crate::rest::Call;
use crate::wire::{Reply, invalid_multipart};

/// The longest data that comes with its job.
const MULTIPART_DATA_CHARS: usize = 100_000;
/// The bytes of data and of results that all jobs have together: they are in memory.
const INGEST_BYTES_MAX: usize = 512 * 1_024 * 1_024;

/// A job as it is asked for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewJob {
    operation: Operation,
    object: String,
    external_id_field_name: Option<String>,
    assignment_rule_id: Option<String>,
    #[serde(rename = "contentType")]
    _content_type: Option<ContentType>,
    column_delimiter: Option<ColumnDelimiter>,
    line_ending: Option<LineEnding>,
}

fn invalid_job(message: String) -> ApiError {
    ApiError::bad_request("INVALIDJOB", format!("InvalidJob : {message}"))
}

fn client_error(message: String) -> ApiError {
    ApiError::bad_request("CLIENTINPUTERROR", format!("ClientInputError : {message}"))
}

impl Call<'_> {
    pub(super) fn create_ingest_job(&self) -> Result<Reply, ApiError> {
        let (job, data) = self.job_and_data()?;
        let job: NewJob = self.job_body(&job)?;
        let object =
            self.session.schema().object(&job.object).ok_or_else(|| {
                ApiError::bad_request("INVALIDENTITY", not_supported(&job.object))
            })?;
        let key = job.external_id_field_name.as_deref();
        let key = key_field(object, job.operation, key).map_err(invalid_job)?;
        let rule = match job.assignment_rule_id.as_deref() {
            None | Some("") => None,
            Some(id) => Some(
                Id::parse(id)
                    .filter(|id| id.prefix() == "01Q")
                    .ok_or_else(|| invalid_job(format!("Invalid assignment rule id: {id}")))?,
            ),
        };
        let hard = job.operation == Operation::HardDelete;
        if hard && !may_hard_delete(&self.shared.org(), &self.session) {
            let message = format!("FeatureNotEnabled : {NO_HARD_DELETE}");
            return Err(ApiError::bad_request("FEATURENOTENABLED", message));
        }
        if !self.shared.limits.take(Limit::DailyBulkApiBatches, 1) {
            let message = "ExceededQuota : ApiBatchItems Limit exceeded.";
            return Err(ApiError::bad_request("EXCEEDEDQUOTA", message));
        }
        let format = format(job.column_delimiter, job.line_ending);
        let mut ingest = Ingest::new(job.operation, key, rule);
        let state = if data.is_some() {
            State::UploadComplete
        } else {
            State::Open
        };
        ingest.data = data;
        let work = Work::Ingest(ingest);
        Ok(self.start(self.new_job((*object.name).to_owned(), format, state, work)))
    }

    /// Gives a job's JSON, and the data that came with it.
    fn job_and_data(&self) -> Result<(Vec<u8>, Option<Vec<u8>>), ApiError> {
        if !self.request.is_multipart() {
            self.only_json()?;
            return Ok((self.request.body.to_vec(), None));
        }
        let parts = self.request.parts()?;
        let part = |name: &str| {
            let part = parts.iter().find(|part| part.name == name);
            let part = part.map(|part| part.body.to_vec());
            part.ok_or_else(|| {
                invalid_multipart(&format!(
                    "Multipart message must include a part named {name}"
                ))
            })
        };
        let (job, data) = (part("job")?, part("content")?);
        if String::from_utf8_lossy(&data).chars().count() > MULTIPART_DATA_CHARS {
            let message = format!(
                "the content of a multipart request is longer than {MULTIPART_DATA_CHARS} characters"
            );
            return Err(client_error(message));
        }
        Ok((job, Some(data)))
    }

    /// `PUT …/batches`: the data, once.
    pub(super) fn upload(&self, id: Id) -> Result<Reply, ApiError> {
        let kind = self.request.header("content-type").unwrap_or_default();
        let plain = kind.split(';').next().unwrap_or_default().trim();
        if !plain.eq_ignore_ascii_case("text/csv") {
            let message = format!("The content-type '{plain}' is not supported; use text/csv");
            return Err(ApiError::new(415, "UNSUPPORTED_MEDIA_TYPE", message));
        }
        let data = self.request.body.to_vec();
        if self.shared.jobs().ingest_bytes() + data.len() > INGEST_BYTES_MAX {
            let message = "ExceededQuota : the data of all jobs is too large; delete some";
            return Err(ApiError::bad_request("EXCEEDEDQUOTA", message));
        }
        self.with_job(id, |job| {
            job.state.check_not_ended("Uploading to")?;
            let Work::Ingest(ingest) = &mut job.work else {
                return Err(ApiError::not_found());
            };
            if job.state != State::Open {
                return Err(invalid_state("Uploading to already Closed Job not allowed"));
            }
            if ingest.data.is_some() {
                return Err(client_error(format!(
                    "Found multiple contents for job: <{id}>, please 'Close' / 'Abort' / 'Delete' the current Job then \
                     create a new Job and make sure you only do 'PUT' once on a given Job."
                )));
            }
            ingest.data = Some(data);
            Ok(Reply::empty(201))
        })
    }

    /// Gives what became of the rows.
    pub(super) fn ingest_results(&self, id: &str, results: &str) -> Result<Reply, ApiError> {
        let write = match results {
            "successfulResults" => Ingest::successful_results,
            "failedResults" => Ingest::failed_results,
            "unprocessedrecords" => Ingest::unprocessed_records,
            _ => return Err(ApiError::not_found()),
        };
        let id = self.job_id(Kind::Ingest, id)?;
        if self.request.method != Method::GET {
            return Ok(Reply::not_allowed(&self.request.method, "GET,HEAD"));
        }
        self.with_job(id, |job| match &job.work {
            Work::Ingest(ingest) if job.state.ended() => Ok(csv(write(ingest, job.format))),
            Work::Ingest(_) => Err(invalid_state(format!(
                "Results of a Job in state {} are not available",
                job.state.word()
            ))),
            Work::Query(_) => Err(ApiError::not_found()),
        })
    }
}
