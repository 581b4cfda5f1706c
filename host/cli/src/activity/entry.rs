//! A call of the log, put together for a reader: what it was asked, its steps with what each read, changed and sent, and its end.

use std::time::UNIX_EPOCH;

use portcullis::policy::{Change, Effect, ToolCall};
use portcullis::ports::audit::{Answer, Event, Intent, Opened, Record, RequestEnd, Source};
use portcullis::{ApprovalId, CallId};
use portcullis_store::{CallEnd, CallRow, Line};
use serde_json::{Value, json};

use super::list;
use crate::show::event::source_json;
use crate::show::reply::end;

/// A call.
pub(crate) struct Entry<'a> {
    pub(crate) call: &'a CallRow,
    pub(crate) opened: Option<&'a Opened>,
    pub(crate) steps: Vec<Step<'a>>,
    /// What went wrong, in words.
    pub(crate) message: Option<&'a str>,
    /// Steps and sources that were dropped because there were too many.
    pub(crate) dropped: u32,
    /// The answer that was handed out instead of a new one: of which call, and which question that answers.
    pub(crate) fetched: Option<(CallId, ApprovalId)>,
    /// When a later program found that this one was cut off, and which of its changes nobody knows the outcome of.
    pub(crate) cut_off: Option<(String, &'a [u32])>,
}

/// A step, and what was done until the next.
#[derive(Default)]
pub(crate) struct Step<'a> {
    /// None: what was done before the connector named its first step.
    pub(crate) title: Option<&'a str>,
    pub(crate) detail: Option<&'a str>,
    pub(crate) sources: Vec<&'a Source>,
    pub(crate) changes: Vec<Announced<'a>>,
    pub(crate) requests: Vec<Request<'a>>,
}

/// A change that was announced, and what came of it.
pub(crate) struct Announced<'a> {
    pub(crate) change: &'a Change,
    pub(crate) fate: Fate,
}

/// What came of a change, by how its request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was not sent: it was asked for, refused, or given up.
    NotSent,
    /// The service took it.
    Made,
    /// The service refused it, with this status.
    Refused(u16),
    /// It was sent, and nobody knows.
    Unknown,
}

impl Fate {
    fn of(answer: Option<&Answer>) -> Self {
        match answer.map(|answer| &answer.end) {
            Some(RequestEnd::Status(status @ 400..500) | RequestEnd::Refused(status)) => {
                Self::Refused(*status)
            }
            // Which of several were not, `of_each` says.
            Some(
                RequestEnd::Status(..400) | RequestEnd::InPart { .. } | RequestEnd::NotModified,
            ) => Self::Made,
            Some(RequestEnd::NotSent(_)) => Self::NotSent,
            Some(RequestEnd::Status(_) | RequestEnd::Unclear(_)) | None => Self::Unknown,
        }
    }

    /// Says it of each of `count` changes that one request was to make. Where the answer says something of another number, nobody knows which
    /// ones it means.
    fn of_each(answer: Option<&Answer>, count: usize) -> Vec<Self> {
        let mut fates = vec![Self::of(answer); count];
        if let Some(RequestEnd::InPart {
            status,
            refused,
            of,
        }) = answer.map(|answer| &answer.end)
            && usize::try_from(*of).is_ok_and(|of| of == count)
        {
            for number in refused {
                let fate = usize::try_from(*number)
                    .ok()
                    .and_then(|at| fates.get_mut(at));
                fate.into_iter()
                    .for_each(|fate| *fate = Self::Refused(*status));
            }
        }
        fates
    }

    /// Gives its word, for programs.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::Made => "made",
            Self::Refused(_) => "refused",
            Self::Unknown => "unknown",
        }
    }

    /// Says whether something may be other than before.
    pub(crate) fn may_have_changed(self) -> bool {
        matches!(self, Self::Made | Self::Unknown)
    }
}

/// A request, sent or not.
pub(crate) enum Request<'a> {
    Sent(&'a Intent, Option<&'a Answer>),
    /// The second time of a request, which was written down and then not sent, and why.
    Unsent(u32, &'a str),
    Denied(u32, &'a str, &'a str),
}

impl<'a> Entry<'a> {
    /// Puts a call's lines together.
    pub(crate) fn of(call: &'a CallRow, lines: &'a [Line]) -> Self {
        let mut entry = Self {
            call,
            opened: None,
            steps: Vec::new(),
            message: None,
            dropped: 0,
            fetched: None,
            cut_off: None,
        };
        for line in lines {
            match &line.record.event {
                Event::Opened(opened) => entry.opened = Some(opened),
                Event::Step { title, detail } => entry.steps.push(Step {
                    title: Some(title.expose()),
                    detail: detail.as_ref().map(|detail| detail.expose()),
                    ..Step::default()
                }),
                Event::Cited(sources) => entry.step().sources.extend(sources),
                Event::Announced(changes) => {
                    let fate = Fate::NotSent;
                    let changes = changes.iter().map(|change| Announced { change, fate });
                    entry.step().changes.extend(changes);
                }
                // The second time is the same request, with the same answer.
                Event::Intended(intent) if intent.attempt > 1 => entry.again(intent),
                Event::Intended(intent) => {
                    let records = lines.iter().map(|line| &line.record);
                    let answer = answer_to(records, intent.request);
                    if intent.effect > Effect::Read {
                        entry.sent(answer);
                    }
                    entry.step().requests.push(Request::Sent(intent, answer));
                }
                Event::Unsent {
                    request,
                    attempt,
                    why,
                    ..
                } => {
                    entry.not_again(lines, *request, *attempt);
                    let unsent = Request::Unsent(*request, why.expose());
                    entry.step().requests.push(unsent);
                }
                Event::Denied {
                    request,
                    code,
                    message,
                } => {
                    let denied = Request::Denied(*request, code, message.expose());
                    entry.step().requests.push(denied);
                }
                Event::Fetched { approval, call } => entry.fetched = Some((*call, *approval)),
                Event::Closed(closed) => {
                    entry.message = closed.message.as_ref().map(|message| message.expose());
                    entry.dropped = closed.dropped;
                }
                Event::CutOff { unclear } => {
                    let at = line
                        .record
                        .at
                        .duration_since(UNIX_EPOCH)
                        .unwrap_or_default();
                    let ms = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
                    let at = jiff::Timestamp::from_millisecond(ms).map_or_else(
                        |_| String::new(),
                        |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
                    );
                    entry.cut_off = Some((at, unclear));
                }
                _ => {}
            }
        }
        entry
    }

    /// Says of what was announced and not sent yet what came of it: one announcement is for one request.
    fn sent(&mut self, answer: Option<&Answer>) {
        let changes = self.steps.iter_mut().flat_map(|step| &mut step.changes);
        let changes: Vec<&mut Announced<'_>> = changes
            .filter(|announced| announced.fate == Fate::NotSent)
            .collect();
        let fates = Fate::of_each(answer, changes.len());
        for (announced, fate) in changes.into_iter().zip(fates) {
            announced.fate = fate;
        }
    }

    /// Takes over that a request was sent once more.
    fn again(&mut self, again: &'a Intent) {
        let requests = self.steps.iter_mut().flat_map(|step| &mut step.requests);
        for request in requests {
            if let Request::Sent(intent, _) = request
                && intent.request == again.request
            {
                *intent = again;
            }
        }
    }

    /// Takes back that a request was sent another time.
    fn not_again(&mut self, lines: &'a [Line], request: u32, attempt: u32) {
        let mut records = lines.iter().map(|line| &line.record.event);
        let before = records.find_map(|event| match event {
            Event::Intended(intent)
                if intent.request == request && intent.attempt + 1 == attempt =>
            {
                Some(intent)
            }
            _ => None,
        });
        if let Some(before) = before {
            self.again(before);
        }
    }

    fn step(&mut self) -> &mut Step<'a> {
        if self.steps.is_empty() {
            self.steps.push(Step::default());
        }
        let last = self.steps.len() - 1;
        &mut self.steps[last]
    }

    /// Gives all sources of the call.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &'a Source> {
        self.steps
            .iter()
            .flat_map(|step| step.sources.iter().copied())
    }

    /// Gives all changes that were announced.
    pub(crate) fn changes(&self) -> impl Iterator<Item = &Announced<'a>> {
        self.steps.iter().flat_map(|step| &step.changes)
    }

    /// Gives the approvals that it used, or whose answer it handed out.
    pub(crate) fn approvals(&self) -> impl Iterator<Item = ApprovalId> {
        let used = self.requests().filter_map(|request| match request {
            Request::Sent(intent, _) => intent.approval,
            Request::Unsent(..) | Request::Denied(..) => None,
        });
        used.chain(self.fetched.map(|(_, approval)| approval))
    }

    /// Gives all requests.
    pub(crate) fn requests(&self) -> impl Iterator<Item = &Request<'a>> {
        self.steps.iter().flat_map(|step| &step.requests)
    }

    /// Gives the call that finds out whether its change was made, where that is not known.
    pub(crate) fn finds_out(&self) -> Option<&'a ToolCall> {
        self.requests().find_map(|request| match request {
            Request::Sent(intent, answer) if is_unclear(*answer) => intent.finds_out.as_ref(),
            _ => None,
        })
    }

    /// Makes an object of it.
    pub(crate) fn json(&self, label: Option<&str>) -> Value {
        let mut value = list::json(self.call);
        value["connection_label"] = json!(label);
        value["arguments"] = json!(self.opened.map(|opened| opened.arguments.expose()));
        value["message"] = json!(self.message);
        value["dropped"] = json!(self.dropped);
        value["fetched"] = json!(self.fetched.map(|(call, approval)| {
            json!({ "call": call.to_string(), "approval": approval.to_string() })
        }));
        let unclear = self.cut_off.as_ref().map(|(_, unclear)| unclear);
        value["unclear_requests"] = json!(unclear);
        let is_unclear = self.call.ended == CallEnd::Unclear;
        value["finds_out"] = json!(self.finds_out().filter(|_| is_unclear));
        value["steps"] = self.steps.iter().map(step_json).collect();
        value
    }
}

impl Entry<'_> {
    /// Makes an object of it for other programs: without a call that would quote a value of a record.
    pub(crate) fn exported(&self, label: Option<&str>) -> Value {
        let mut value = self.json(label);
        if self.finds_out().is_some_and(|call| call.quotes) {
            value["finds_out"] = Value::Null;
        }
        value
    }
}

/// Finds the answer to a request among the records of its call.
pub(crate) fn answer_to<'r>(
    mut records: impl Iterator<Item = &'r Record>,
    request: u32,
) -> Option<&'r Answer> {
    records.find_map(|record| match &record.event {
        Event::Answered(answer) if answer.request == request => Some(answer),
        _ => None,
    })
}

fn step_json(step: &Step<'_>) -> Value {
    json!({
        "title": step.title,
        "detail": step.detail,
        "sources": step.sources.iter().map(|source| source_json(source)).collect::<Value>(),
        "changes": step.changes.iter().map(change_json).collect::<Value>(),
        "requests": step.requests.iter().map(request_json).collect::<Value>(),
    })
}

fn change_json(announced: &Announced<'_>) -> Value {
    let mut value = json!(announced.change);
    value["became"] = json!(announced.fate.as_str());
    value
}

pub(crate) fn request_json(request: &Request<'_>) -> Value {
    match request {
        Request::Sent(intent, answer) => json!({
            "request": intent.request,
            "attempts": intent.attempt,
            "method": intent.method,
            "origin": intent.origin,
            "route": intent.route,
            "path": intent.path.expose(),
            "message": intent.message.as_ref().map(|message| message.expose()),
            "parts": parts_json(intent),
            "effect": intent.effect,
            "body_sha256": intent.body.to_string(),
            "sent_bytes": intent.body_bytes,
            "approval": intent.approval,
            // What quotes a value is told where it is asked for, and not in what is made for other programs.
            "finds_out": intent.finds_out.as_ref().filter(|call| !call.quotes),
            "status": answer.and_then(|answer| answer.end.status()),
            "end": answer.map(|answer| end(&answer.end)),
            "renewed": answer.map(|answer| answer.renewed),
            "elapsed_us": answer.map(|answer| answer.elapsed_us),
            "answer_bytes": answer.and_then(|answer| answer.body_bytes),
        }),
        Request::Unsent(request, why) => json!({
            "request": request,
            "unsent": why,
        }),
        Request::Denied(request, code, message) => json!({
            "request": request,
            "denied": code,
            "message": message,
        }),
    }
}

/// Makes objects of the requests that one carries.
pub(crate) fn parts_json(intent: &Intent) -> Value {
    let parts = intent.parts.iter().map(|part| {
        json!({
            "method": part.method,
            "route": part.route,
            "path": part.path.expose(),
        })
    });
    parts.collect()
}

/// Says whether nobody knows by its answer what came of a request.
fn is_unclear(answer: Option<&Answer>) -> bool {
    answer.is_none_or(|answer| answer.end.is_unclear())
}
