//! What the service said when it refused, and what that means to the caller.
//!
//! Errors of the REST API are `[{"errorCode","message","fields"?}]`, those of OAuth an object (*REST API
//! Developer Guide*, "Status Codes and Error Responses"). Code and words stay as they came; the
//! reason and the hint are added. What is no JSON is a proxy's or a maintenance page, and is not quoted.

use portcullis_sdk::http::Response;
use portcullis_sdk::{Failure, Reason};

use crate::fence;
use crate::json::Json;

/// How much of the service's words goes into a failure, in characters.
const MESSAGE_CHARS_MAX: usize = 1_000;

/// A refusal of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceError {
    /// The HTTP status.
    pub status: u16,
    /// The service's code, such as `INVALID_FIELD`; `None` where the answer was not one of the API's.
    pub code: Option<String>,
    /// The service's words as they came, with line breaks; or ours, where it had none.
    pub message: String,
    /// After how many seconds it may be tried again (`Retry-After`).
    pub retry_after_seconds: Option<u32>,
    /// Where several records match an external id: the paths of each.
    pub choices: Vec<String>,
}

/// Reads an answer: its JSON, or why there is none.
///
/// # Errors
/// The status is not of the 200s, or the body is not JSON.
pub fn interpret(response: &Response) -> Result<Json, ServiceError> {
    match json_of(response) {
        Some(json) if response.is_success() => Ok(json),
        _ => Err(refusal(response)),
    }
}

/// Reads why an answer is not the one that was asked for.
pub fn refusal(response: &Response) -> ServiceError {
    let status = response.status();
    let retry_after_seconds = response
        .header("retry-after")
        .and_then(|seconds| seconds.trim().parse().ok());
    let error = |code: Option<&str>, message: &str| ServiceError {
        status,
        code: code.map(str::to_owned),
        message: message.to_owned(),
        retry_after_seconds,
        choices: Vec::new(),
    };
    match json_of(response) {
        Some(json) if status == 300 => ServiceError {
            choices: json
                .items()
                .iter()
                .filter_map(Json::as_str)
                .map(str::to_owned)
                .collect(),
            ..error(None, "several records match")
        },
        Some(json) => {
            let first = json.items().first().unwrap_or(&json);
            let code = first.str_at("errorCode").or_else(|| first.str_at("error"));
            let words = first
                .str_at("message")
                .or_else(|| first.str_at("error_description"));
            match (code, words) {
                (None, None) => error(
                    None,
                    &format!("the org answered {status} without saying why"),
                ),
                (code, words) => error(code, words.unwrap_or("the org gave no reason")),
            }
        }
        None => error(None, &not_json(response)),
    }
}

fn json_of(response: &Response) -> Option<Json> {
    let text = std::str::from_utf8(response.body()).ok()?;
    Json::parse(text.trim_start_matches('\u{feff}')).ok()
}

/// Says what came instead of JSON; its content may be anything, so it is not quoted.
fn not_json(response: &Response) -> String {
    let status = response.status();
    let kind = response.header("content-type").unwrap_or("no content type");
    let kind = fence::inline(kind.split(';').next().unwrap_or_default(), 60);
    match status {
        300..400 => format!("the org answered {status}, a redirect, instead of the API's JSON"),
        _ => format!("the org answered {status} with `{kind}` instead of the API's JSON"),
    }
}

impl ServiceError {
    /// Says whether the code is `code`.
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Says whether the same read may succeed in a moment. Statuses vary for one code, so codes count first.
    pub fn is_transient(&self) -> bool {
        match self.code.as_deref() {
            Some("UNABLE_TO_LOCK_ROW" | "QUERY_TIMEOUT" | "SERVER_UNAVAILABLE") => true,
            // It lasts for hours.
            Some("REQUEST_LIMIT_EXCEEDED") => false,
            _ => matches!(self.status, 420 | 502 | 503),
        }
    }

    /// Gives the words as one sentence, without the excerpt of the query that SOQL errors begin with; the place
    /// follows.
    pub fn sentence(&self) -> String {
        let Some((before, after)) = self.message.split_once("ERROR at Row:") else {
            return fence::inline(&self.message, MESSAGE_CHARS_MAX);
        };
        let (place, words) = after.split_once('\n').unwrap_or((after, before));
        let place = place.replace(":Column:", ", column ");
        let words = fence::inline(words, MESSAGE_CHARS_MAX);
        format!(
            "{} (at row {})",
            words.trim_end_matches('.'),
            fence::inline(&place, 40)
        )
    }

    /// Gives the excerpt of the query with its caret line, where the service sent one.
    pub fn excerpt(&self) -> Option<String> {
        let (before, _) = self.message.split_once("ERROR at Row:")?;
        let lines: Vec<_> = before
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        (lines.len() == 2 && lines[1].trim() == "^").then(|| fence::neutral(&lines.join("\n")))
    }

    fn reason(&self) -> Reason {
        match self.code.as_deref().unwrap_or_default() {
            "NOT_FOUND" | "ENTITY_IS_DELETED" | "INVALID_CROSS_REFERENCE_KEY" => Reason::NotFound,
            "REQUEST_LIMIT_EXCEEDED" => Reason::RateLimited,
            "UNABLE_TO_LOCK_ROW" => Reason::Conflict,
            "QUERY_TIMEOUT" | "SERVER_UNAVAILABLE" => Reason::Unavailable,
            "INVALID_SESSION_ID"
            | "INVALID_AUTH_HEADER"
            | "API_DISABLED_FOR_ORG"
            | "API_CURRENTLY_DISABLED"
            | "FUNCTIONALITY_NOT_ENABLED"
            | "FORBIDDEN"
            | "INSUFFICIENT_ACCESS"
            | "INSUFFICIENT_ACCESS_OR_READONLY"
            | "PASSWORD_EXPIRED" => Reason::NotPermitted,
            "UNKNOWN_EXCEPTION" => Reason::Internal,
            "" => self.reason_of_status(true),
            _ => self.reason_of_status(false),
        }
    }

    /// `foreign`: the answer was not one of the API's, so nothing in the arguments would change it.
    fn reason_of_status(&self, foreign: bool) -> Reason {
        match self.status {
            300 | 400 | 414 | 431 if !foreign || matches!(self.status, 300 | 414 | 431) => {
                Reason::InvalidArgument
            }
            401 | 403 if !foreign => Reason::NotPermitted,
            404 if !foreign => Reason::NotFound,
            409 | 412 => Reason::Conflict,
            429 => Reason::RateLimited,
            405 | 415 => Reason::Internal,
            _ => Reason::Unavailable,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        let limit_of_concurrency = self.message.contains("Concurrent");
        Some(match self.code.as_deref().unwrap_or_default() {
            "INVALID_SESSION_ID"
                if self.message.contains("not valid for use with the REST API") =>
            {
                "the sign-in has no `api` scope, or API Access Control keeps this app out: an administrator adds \
                 the scope to the app or allows the app for API access; then connect again"
            }
            "INVALID_SESSION_ID" | "INVALID_AUTH_HEADER" => "sign in again to renew the connection",
            "REQUEST_LIMIT_EXCEEDED" if limit_of_concurrency => {
                "too many long requests run in the org at once: try again in a minute, with a narrower query"
            }
            "REQUEST_LIMIT_EXCEEDED" => {
                "the org's API requests of the last 24 hours are used up; they come back over the next hours. \
                 Setup, Company Information shows the use"
            }
            "API_DISABLED_FOR_ORG" | "API_CURRENTLY_DISABLED" => {
                "an administrator grants the user the permission `API Enabled`; editions below Enterprise need the API add-on"
            }
            "QUERY_TIMEOUT" | "QUERY_TOO_COMPLICATED" => {
                "narrow the query: fewer rows (WHERE on an indexed field such as Id, CreatedDate or an external id), fewer fields"
            }
            "INVALID_QUERY_LOCATOR" => {
                "cursors end after some days, or after many newer ones: run the query again"
            }
            "NUMBER_OUTSIDE_VALID_RANGE"
                if self.message.contains("OFFSET") || self.message.contains("offset") =>
            {
                "OFFSET goes to 2000: order by Id and continue with WHERE Id > the last one, or use query_next"
            }
            "UNABLE_TO_LOCK_ROW" => "another change holds the record: try again in a moment",
            "ENTITY_IS_DELETED" => {
                "the record is in the recycle bin, from where undelete_record restores it, or gone"
            }
            _ if self.status == 410 => {
                "this version of the API is retired: connect again, so that the newest is found"
            }
            _ if self.status == 414 => "shorten the query",
            _ if self.code.is_none() && self.status != 300 => {
                "the org may be under maintenance (status.salesforce.com), or the connection's address is not its API"
            }
            _ => return None,
        })
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        let mut failure = Failure::new(error.reason(), error.sentence());
        failure.hint = error.hint().map(str::to_owned);
        failure.service_code.clone_from(&error.code);
        failure.retry_after_seconds = error.retry_after_seconds;
        if let (None, Some(excerpt)) = (&failure.hint, error.excerpt()) {
            failure.hint = Some(excerpt);
        }
        failure
    }
}

#[cfg(test)]
mod tests;
