//! `/jobs/query`: jobs that read.

use http::Method;
use http::header::HeaderName;
use serde::Deserialize;

use super::{ContentType, Kind, csv, format, read_locator, write_locator};
use crate::bulk::{
    ColumnDelimiter, LineEnding, Query, QueryOperation, State, Work, check_query, invalid_state,
};
use crate::error::ApiError;
use crate::limits::Limit;
use crate::rest::Call;
use crate::wire::Reply;

static SFORCE_LOCATOR: HeaderName = HeaderName::from_static("sforce-locator");
static SFORCE_NUMBER_OF_RECORDS: HeaderName = HeaderName::from_static("sforce-numberofrecords");

/// The rows of a page, unless the client asks otherwise.
const PAGE_ROWS: usize = 50_000;

/// A job as it is asked for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewJob {
    operation: QueryOperation,
    query: String,
    #[serde(rename = "contentType")]
    _content_type: Option<ContentType>,
    column_delimiter: Option<ColumnDelimiter>,
    line_ending: Option<LineEnding>,
}

impl Call<'_> {
    pub(super) fn create_query_job(&self) -> Result<Reply, ApiError> {
        self.only_json()?;
        let job: NewJob = self.job_body(&self.request.body)?;
        let (object, columns) = check_query(&self.shared.org(), &self.session, &job.query)?;
        if !self.shared.limits.take(Limit::DailyBulkV2QueryJobs, 1) {
            let max = self.shared.limits.max(Limit::DailyBulkV2QueryJobs);
            let message =
                format!("Max bulk v2 query jobs ({max}) per 24 hrs has been reached ({max})");
            return Err(ApiError::bad_request("LIMIT_EXCEEDED", message));
        }
        let format = format(job.column_delimiter, job.line_ending);
        let work = Work::Query(Query {
            operation: job.operation,
            soql: job.query,
            columns,
            rows: None,
        });
        Ok(self.start(self.new_job(object, format, State::UploadComplete, work)))
    }

    /// `…/results?locator=…&maxRecords=…`: a page, and where the next begins.
    pub(super) fn query_results(&self, id: &str) -> Result<Reply, ApiError> {
        let id = self.job_id(Kind::Query, id)?;
        if self.request.method != Method::GET {
            return Ok(Reply::not_allowed(&self.request.method, "GET,HEAD"));
        }
        let first = match self.request.param("locator") {
            None | Some("") => 0,
            Some(locator) => read_locator(locator)?,
        };
        let rows_max = match self.request.param("maxRecords") {
            None | Some("") => PAGE_ROWS,
            Some(text) => text.parse().ok().filter(|rows| *rows > 0).ok_or_else(|| {
                let message = format!("maxRecords must be a positive number: {text}");
                ApiError::bad_request("API_ERROR", message)
            })?,
        };
        let version = f64::from(self.version.number());
        self.with_job(id, |job| {
            if job.version != version {
                let made = job.version;
                let message = format!("The job was created with version {made:.1} of the API");
                return Err(ApiError::new(409, "API_ERROR", message));
            }
            let (Work::Query(query), State::JobComplete) = (&job.work, job.state) else {
                return Err(invalid_state(format!(
                    "Results of a Job in state {} are not available",
                    job.state.word()
                )));
            };
            let rows = query.rows.as_deref().map(Vec::as_slice).unwrap_or_default();
            if first > 0 && first >= rows.len() {
                let message = "invalid query locator";
                return Err(ApiError::bad_request("INVALID_QUERY_LOCATOR", message));
            }
            let end = rows.len().min(first.saturating_add(rows_max));
            let page = rows.get(first..end).unwrap_or_default();
            let next = match end < rows.len() {
                true => write_locator(end),
                false => "null".into(),
            };
            Ok(csv(query.page(job.format, page))
                .with(SFORCE_LOCATOR.clone(), next)
                .with(SFORCE_NUMBER_OF_RECORDS.clone(), page.len().to_string()))
        })
    }
}
