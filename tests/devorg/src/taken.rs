//! What the org itself knows of the changes that it was asked for, for who tests a client against it.

use std::collections::VecDeque;

use http::Method;

use crate::wire::Request;

/// Requests that are remembered.
const KEPT_MAX: usize = 2_048;
/// Bytes of a body that are.
const BODY_BYTES_MAX: usize = 1_024;

/// A request of the API that the org has worked on, and that is more than a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenChange {
    /// The method.
    pub method: String,
    /// The path, without its query.
    pub path: String,
    /// The beginning of the body.
    pub body: String,
    /// The status of the answer, whether or not it reached the client.
    pub status: u16,
}

/// The last changes that the org was asked for.
#[derive(Debug, Default)]
pub(crate) struct TakenChanges(VecDeque<TakenChange>);

impl TakenChanges {
    /// Writes down a request that was worked on, unless it is a question or none of the API.
    pub(crate) fn note(&mut self, request: &Request, status: u16) {
        let path = request.path_text();
        let is_question = matches!(request.method, Method::GET | Method::HEAD);
        if is_question || !path.starts_with("/services/data/") {
            return;
        }
        if self.0.len() == KEPT_MAX {
            self.0.pop_front();
        }
        let body = &request.body[..request.body.len().min(BODY_BYTES_MAX)];
        self.0.push_back(TakenChange {
            method: request.method.to_string(),
            path,
            body: String::from_utf8_lossy(body).into_owned(),
            status,
        });
    }

    /// Gives them, the latest last.
    pub(crate) fn list(&self) -> Vec<TakenChange> {
        self.0.iter().cloned().collect()
    }
}
