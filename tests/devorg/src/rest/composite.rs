//! `/composite`: up to 25 requests in a row, of which later ones may use what earlier ones answered.
//!
//! They are answered in their order, with `collateSubrequests` or without. With `allOrNone` they are
//! one transaction.

use std::collections::HashMap;

use http::Method;
use http::header::LOCATION;
use serde_json::{Map, Value as Json, json};

use super::Call;
use super::reference::{self, Answers};
use super::subrequest::{Subrequest, Whole, method, missing, not_here};
use crate::error::ApiError;
use crate::records;
use crate::wire::Reply;

/// The subrequests of a request.
const SUBREQUESTS_MAX: usize = 25;
/// Those of them that may be queries or collections.
const BULKY_MAX: usize = 5;
/// The resources that count as queries and collections.
const BULKY: [&str; 3] = ["query", "queryAll", "composite/sobjects"];
/// The resources that cannot be asked for in here.
const NOT_HERE: [&str; 3] = ["composite/batch", "composite/graph", "composite/tree"];
const PREFIX: &str = "/services/data/";

/// A subrequest as it was sent, its references still in it.
struct Part<'a> {
    reference_id: &'a str,
    method: Method,
    url: &'a str,
    headers: Option<&'a Map<String, Json>>,
    body: &'a Json,
}

impl Call<'_> {
    /// `POST /composite`.
    pub(super) fn composite(&self) -> Result<Reply, ApiError> {
        if self.request.method == Method::GET {
            return Ok(self.composite_resources());
        }
        if self.request.method != Method::POST {
            return Ok(Reply::not_allowed(&self.request.method, "GET,HEAD,POST"));
        }
        self.only_json()?;
        let body = records::object_of(&self.request.body)?;
        let all_or_none = body.get("allOrNone").and_then(Json::as_bool) == Some(true);
        let parts = parts(&body)?;
        let mut replies = Vec::with_capacity(parts.len());
        if all_or_none {
            let transaction = self.shared.exclusive();
            let transaction = transaction.ok_or_else(|| not_here(&self.request.path_text()))?;
            if self.answer_parts(&parts, true, &mut replies) {
                transaction.commit();
            } else {
                drop(transaction);
                halt_others(&mut replies, parts.len());
            }
        } else {
            self.answer_parts(&parts, false, &mut replies);
        }
        let results: Vec<Json> = parts
            .iter()
            .zip(&replies)
            .map(|(part, reply)| part.result(reply))
            .collect();
        Ok(Reply::json(200, &json!({"compositeResponse": results})))
    }

    /// Lists what is below.
    fn composite_resources(&self) -> Reply {
        let base = format!("{}/composite", self.base);
        Reply::json(
            200,
            &json!({
                "batch": format!("{base}/batch"),
                "sobjects": format!("{base}/sobjects"),
                "tree": format!("{base}/tree"),
            }),
        )
    }

    /// Answers the subrequests, up to the first that fails if that is to `halt`; says whether none
    /// failed.
    fn answer_parts(&self, parts: &[Part], halt: bool, replies: &mut Vec<Reply>) -> bool {
        let whole = if halt {
            Whole::Transaction
        } else {
            Whole::Composite
        };
        let mut answers = Answers::default();
        let mut well = true;
        for part in parts {
            let reply = self
                .answer_part(whole, part, &answers)
                .unwrap_or_else(Reply::from);
            let failed = part.failed(&reply);
            answers.keep(part.reference_id, &reply);
            replies.push(reply);
            well &= !failed;
            if failed && halt {
                break;
            }
        }
        well
    }

    fn answer_part(&self, whole: Whole, part: &Part, answers: &Answers) -> Result<Reply, ApiError> {
        answers.check_room()?;
        let url = reference::in_url(part.url, answers)?;
        let body = reference::in_json(part.body, answers)?;
        let subrequest = Subrequest {
            whole,
            method: part.method.clone(),
            url: url.strip_prefix(PREFIX).unwrap_or(&url),
            headers: part.headers,
            body: &body,
        };
        // What is counted beforehand is what the address says itself.
        if subrequest.is_below(&BULKY) && !part.asks_for(&BULKY) {
            return Err(not_here(&url));
        }
        Ok(self.answer_within(&subrequest))
    }
}

/// Reads the subrequests, and checks what makes the whole request malformed.
fn parts(body: &Map<String, Json>) -> Result<Vec<Part<'_>>, ApiError> {
    let requests = body
        .get("compositeRequest")
        .and_then(Json::as_array)
        .ok_or_else(|| missing("compositeRequest"))?;
    if requests.len() > SUBREQUESTS_MAX {
        let message = format!("Composite requests are limited to {SUBREQUESTS_MAX} subrequests.");
        return Err(ApiError::bad_request("LIMIT_EXCEEDED", message));
    }
    let parts: Vec<Part> = requests.iter().map(Part::read).collect::<Result<_, _>>()?;
    let mut seen: HashMap<&str, ()> = HashMap::new();
    for part in &parts {
        if seen.insert(part.reference_id, ()).is_some() {
            let message = format!("Duplicate referenceId: {}", part.reference_id);
            return Err(invalid_input(message));
        }
        if part.asks_for(&NOT_HERE) || part.asks_for_itself() {
            return Err(not_here(part.url));
        }
    }
    if parts.iter().filter(|part| part.asks_for(&BULKY)).count() > BULKY_MAX {
        let message =
            format!("Composite requests are limited to {BULKY_MAX} queries and collections.");
        return Err(ApiError::bad_request("LIMIT_EXCEEDED", message));
    }
    Ok(parts)
}

impl<'a> Part<'a> {
    fn read(request: &'a Json) -> Result<Self, ApiError> {
        let request = request
            .as_object()
            .ok_or_else(|| missing("compositeRequest"))?;
        let text = |name: &str| request.get(name).and_then(Json::as_str);
        let reference_id = text("referenceId").ok_or_else(|| missing("referenceId"))?;
        if !reference::is_id(reference_id) {
            return Err(invalid_input(format!(
                "Provided referenceId ('{reference_id}') must start with a letter or a number, \
                 and it can contain only letters, numbers and underscores ('_')."
            )));
        }
        let url = text("url").ok_or_else(|| missing("url"))?;
        if !url.starts_with(PREFIX) {
            let message = format!("The URL of a subrequest must begin with {PREFIX}: {url}");
            return Err(invalid_input(message));
        }
        Ok(Self {
            reference_id,
            method: method(request)?,
            url,
            headers: request.get("httpHeaders").and_then(Json::as_object),
            body: request.get("body").unwrap_or(&Json::Null),
        })
    }

    fn asks_for(&self, resources: &[&str]) -> bool {
        Subrequest {
            whole: Whole::Composite,
            method: self.method.clone(),
            url: self.url.strip_prefix(PREFIX).unwrap_or(self.url),
            headers: None,
            body: &Json::Null,
        }
        .is_below(resources)
    }

    fn asks_for_itself(&self) -> bool {
        self.asks_for(&["composite"]) && !self.asks_for(&["composite/sobjects"])
    }

    /// Says whether an answer is a failure: also that of a collection that was taken back.
    fn failed(&self, reply: &Reply) -> bool {
        let of_collection = || {
            let all_or_none = self.body["allOrNone"].as_bool() == Some(true)
                || self.url.contains("allOrNone=true");
            let results = reply.to_json();
            let failure = |result: &Json| result["success"].as_bool() == Some(false);
            all_or_none
                && results
                    .as_array()
                    .is_some_and(|all| all.iter().any(failure))
        };
        reply.status() >= 300 || (self.asks_for(&["composite/sobjects"]) && of_collection())
    }

    fn result(&self, reply: &Reply) -> Json {
        let mut headers = Map::new();
        if let Some(location) = reply.header(&LOCATION) {
            headers.insert("Location".into(), location.into());
        }
        json!({
            "body": reply.to_json(),
            "httpHeaders": headers,
            "httpStatusCode": reply.status(),
            "referenceId": self.reference_id,
        })
    }
}

/// Puts the answer of what was taken back, or never done, in the place of all but the last one's: the
/// failure's own.
fn halt_others(replies: &mut Vec<Reply>, all: usize) {
    let halted = || {
        Reply::from(ApiError::bad_request(
            "PROCESSING_HALTED",
            "The transaction was rolled back since another operation in the same transaction failed.",
        ))
    };
    let done = replies.len().saturating_sub(1);
    for reply in replies.iter_mut().take(done) {
        *reply = halted();
    }
    replies.resize_with(all, halted);
}

fn invalid_input(message: String) -> ApiError {
    ApiError::bad_request("INVALID_INPUT", message)
}
