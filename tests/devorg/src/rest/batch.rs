//! `/composite/batch`: up to 25 requests that know nothing of one another.

use http::Method;
use serde_json::{Value as Json, json};

use super::subrequest::{Subrequest, Whole, method, missing};
use super::{Call, used_up};
use crate::error::ApiError;
use crate::limits::Limit;
use crate::records;
use crate::wire::Reply;

/// The subrequests of a request.
const SUBREQUESTS_MAX: usize = 25;

impl Call<'_> {
    /// `POST /composite/batch`.
    pub(super) fn batch(&self) -> Result<Reply, ApiError> {
        if self.request.method != Method::POST {
            return Ok(Reply::not_allowed(&self.request.method, "POST"));
        }
        self.only_json()?;
        let body = records::object_of(&self.request.body)?;
        let halt_on_error = body.get("haltOnError").and_then(Json::as_bool) == Some(true);
        let requests = body
            .get("batchRequests")
            .and_then(Json::as_array)
            .ok_or_else(|| missing("batchRequests"))?;
        if requests.len() > SUBREQUESTS_MAX {
            let message = format!("Batch requests are limited to {SUBREQUESTS_MAX} subrequests.");
            return Err(ApiError::bad_request("LIMIT_EXCEEDED", message));
        }
        let mut results: Vec<Json> = Vec::new();
        let mut has_errors = false;
        for (at, request) in requests.iter().enumerate() {
            let reply = if has_errors && halt_on_error {
                Reply::from(ApiError::new(
                    412,
                    "BATCH_PROCESSING_HALTED",
                    "Batch processing halted per request",
                ))
            } else {
                let reply = self.counted(at).and_then(|()| self.batch_request(request));
                reply.unwrap_or_else(Reply::from)
            };
            has_errors |= reply.status() >= 400;
            results.push(json!({"statusCode": reply.status(), "result": reply.to_json()}));
        }
        Ok(Reply::json(
            200,
            &json!({"hasErrors": has_errors, "results": results}),
        ))
    }

    /// Counts a subrequest against the day's requests; the first is counted with the whole (*REST API Developer Guide*, "Composite Batch").
    fn counted(&self, at: usize) -> Result<(), ApiError> {
        let limits = &self.shared.limits;
        match at > 0 && limits.count(Limit::DailyApiRequests) > limits.max(Limit::DailyApiRequests)
        {
            true => Err(used_up()),
            false => Ok(()),
        }
    }

    fn batch_request(&self, request: &Json) -> Result<Reply, ApiError> {
        let request = request
            .as_object()
            .ok_or_else(|| missing("batchRequests"))?;
        let url = request
            .get("url")
            .and_then(Json::as_str)
            .ok_or_else(|| missing("url"))?;
        let url = url.trim_start_matches('/');
        let subrequest = Subrequest {
            whole: Whole::Batch,
            method: method(request)?,
            url: url.strip_prefix("services/data/").unwrap_or(url),
            headers: None,
            body: request.get("richInput").unwrap_or(&Json::Null),
        };
        Ok(self.answer_within(&subrequest))
    }
}
