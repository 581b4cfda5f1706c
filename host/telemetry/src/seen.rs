//! What is seen of calls and requests: names, numbers and times.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use portcullis::CallId;
use portcullis::ports::audit::{Answer, Closed, Intent, Opened, RequestEnd};

use crate::Asked;

/// Stands for a connector or a tool that is none.
const UNKNOWN: &str = "unknown";
/// Stands for the tool of the check after a sign-in, which is none.
const IDENTIFY: &str = "identify";

/// A call that is under way.
#[derive(Clone, Debug)]
pub(crate) struct CallBegun {
    pub(crate) id: CallId,
    pub(crate) agent: String,
    pub(crate) connector: String,
    pub(crate) tool: String,
    pub(crate) at: SystemTime,
    pub(crate) asked: Option<Asked>,
    pub(crate) requests: Vec<RequestSeen>,
}

/// How a call ended.
#[derive(Clone, Debug)]
pub(crate) struct CallEnded {
    pub(crate) outcome: Cow<'static, str>,
    pub(crate) code: Option<Cow<'static, str>>,
    pub(crate) took: Duration,
}

/// A request to a service.
#[derive(Clone, Debug)]
pub(crate) struct RequestSeen {
    pub(crate) number: u32,
    pub(crate) method: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) route: String,
    pub(crate) effect: &'static str,
    pub(crate) at: SystemTime,
    pub(crate) end: Option<RequestEnded>,
}

/// How a request ended.
#[derive(Clone, Debug)]
pub(crate) struct RequestEnded {
    /// The status; none where there was no answer.
    pub(crate) status: Option<u16>,
    /// In a word: `2xx`, `3xx`, `4xx`, `5xx`, `not_modified`, `not_sent` or `unclear`.
    pub(crate) word: &'static str,
    pub(crate) took: Duration,
}

impl CallBegun {
    /// Takes what is known at a call's beginning. What was named and is none has no name here.
    pub(crate) fn new(id: CallId, at: SystemTime, opened: &Opened) -> Self {
        let named = |is_one: bool, name: &str| match is_one {
            true => name.to_owned(),
            false => UNKNOWN.to_owned(),
        };
        let tool = match &opened.tool {
            Some(tool) => named(opened.effect.is_some(), tool.as_str()),
            None if opened.effect.is_some() => IDENTIFY.to_owned(),
            None => UNKNOWN.to_owned(),
        };
        Self {
            id,
            agent: opened.caller.agent.to_string(),
            connector: named(opened.version.is_some(), opened.connector.as_str()),
            tool,
            at,
            asked: Asked::of_call(),
            requests: Vec::new(),
        }
    }
}

impl From<&Closed> for CallEnded {
    fn from(closed: &Closed) -> Self {
        Self {
            outcome: closed.outcome.clone(),
            code: closed.code.clone(),
            took: Duration::from_micros(closed.elapsed_us),
        }
    }
}

impl RequestSeen {
    pub(crate) fn new(at: SystemTime, intent: &Intent) -> Self {
        Self {
            number: intent.request,
            method: intent.method.to_string(),
            host: intent.origin.host().to_owned(),
            port: intent.origin.port(),
            route: intent.route.clone(),
            effect: intent.effect.as_str(),
            at,
            end: None,
        }
    }
}

impl From<&Answer> for RequestEnded {
    fn from(answer: &Answer) -> Self {
        let (status, word) = match &answer.end {
            RequestEnd::Status(status)
            | RequestEnd::Refused(status)
            | RequestEnd::InPart { status, .. } => (Some(*status), of_status(*status)),
            RequestEnd::NotModified => (Some(304), "not_modified"),
            RequestEnd::NotSent(_) => (None, "not_sent"),
            RequestEnd::Unclear(_) => (None, "unclear"),
        };
        Self {
            status,
            word,
            took: Duration::from_micros(answer.elapsed_us),
        }
    }
}

fn of_status(status: u16) -> &'static str {
    match status {
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}
