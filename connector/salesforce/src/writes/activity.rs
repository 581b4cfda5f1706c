//! The `activity` toolset: tasks, calls and events, each by the words that people use for their fields.

use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::moment::{Moment, day};
use super::targets::Names;
use super::worded::Worded;
use super::{create, update};
use crate::client::Client;
use crate::host::Host;
use crate::names;

/// What `create_task` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct CreateTask {
    subject: String,
    /// A day.
    due: Option<String>,
    /// Id of the account, opportunity, case… that it is about.
    about: Option<String>,
    /// Id of a contact or lead.
    person: Option<String>,
    /// User id; default: yourself.
    owner: Option<String>,
    priority: Option<String>,
    comments: Option<String>,
}

/// Makes a task.
///
/// # Errors
/// As [`create_record`](super::create_record).
pub fn create_task(host: &dyn Host, args: &CreateTask) -> Result<Output, Failure> {
    let task = Worded::new()
        .text("Subject", "/subject", &args.subject)
        .maybe("ActivityDate", "/due", args.due.as_deref())
        .maybe("WhatId", "/about", args.about.as_deref())
        .maybe("WhoId", "/person", args.person.as_deref())
        .maybe("OwnerId", "/owner", args.owner.as_deref())
        .maybe("Priority", "/priority", args.priority.as_deref())
        .maybe("Description", "/comments", args.comments.as_deref());
    task.create(host, "Task")
}

/// What `complete_task` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct CompleteTask {
    /// The task's id.
    id: String,
    /// Default: `Completed`.
    status: Option<String>,
}

/// Completes a task.
///
/// # Errors
/// The org names its statuses otherwise; and as [`update_record`](super::update_record).
pub fn complete_task(host: &dyn Host, args: &CompleteTask) -> Result<Output, Failure> {
    let id = names::long_id(names::record_id(&args.id)?);
    let status = args.status.as_deref().unwrap_or("Completed");
    let task = Worded::new().text("Status", "/status", status);
    let client = Client::new(host);
    task.said(update::update(
        &client,
        "Task",
        &id,
        task.fields(),
        &Names::default(),
        None,
    ))
}

/// Which way a call went.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
enum Direction {
    Inbound,
    Outbound,
    Internal,
}

/// What `log_call` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct LogCall {
    subject: String,
    /// The day of the call.
    day: String,
    /// Id of a contact or lead.
    person: Option<String>,
    /// Id of the account, opportunity, case… that it was about.
    about: Option<String>,
    comments: Option<String>,
    direction: Option<Direction>,
    minutes: Option<u32>,
}

/// Logs a call that took place: a completed task.
///
/// # Errors
/// As [`create_record`](super::create_record).
pub fn log_call(host: &dyn Host, args: &LogCall) -> Result<Output, Failure> {
    let direction = args.direction.map(|direction| format!("{direction:?}"));
    let seconds = args.minutes.map(|minutes| minutes.saturating_mul(60));
    let call = Worded::new()
        .text("Subject", "/subject", &args.subject)
        .text("ActivityDate", "/day", &args.day)
        .text("Status", "/subject", "Completed")
        .text("TaskSubtype", "/subject", "Call")
        .maybe("WhoId", "/person", args.person.as_deref())
        .maybe("WhatId", "/about", args.about.as_deref())
        .maybe("Description", "/comments", args.comments.as_deref())
        .maybe("CallType", "/direction", direction.as_deref())
        .value(
            "CallDurationInSeconds",
            "/minutes",
            seconds.map(Value::from),
        );
    call.create(host, "Task")
}

/// What `create_event` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct CreateEvent {
    subject: String,
    /// A moment with offset, such as `2026-11-23T09:00:00+01:00`; or a day, for an event of whole days.
    start: String,
    /// As `start`; of whole days the last one.
    end: String,
    /// Id of the account, opportunity, case… that it is about.
    about: Option<String>,
    /// Id of a contact or lead.
    person: Option<String>,
    location: Option<String>,
    description: Option<String>,
    /// User id; default: yourself.
    owner: Option<String>,
}

/// Makes an event in a calendar.
///
/// # Errors
/// As [`create_record`](super::create_record).
pub fn create_event(host: &dyn Host, args: &CreateEvent) -> Result<Output, Failure> {
    let days = [&args.start, &args.end].map(|text| day(text.trim()).is_some());
    if days[0] != days[1] {
        let message = "an event begins and ends at moments, or on days";
        return Err(Failure::invalid(message).field("/end", "give it as `start` is given"));
    }
    // Of an event of whole days the moments are days in UTC (*Object Reference*, "Event").
    let moment = |text: &str| match days[0] {
        true => format!("{}T00:00:00Z", text.trim()),
        false => text.to_owned(),
    };
    let [start, end] = [&args.start, &args.end].map(|text| Moment::parse(&moment(text)));
    if start.zip(end).is_some_and(|(start, end)| end < start) {
        let message = "an event does not end before it begins";
        return Err(Failure::invalid(message).field("/end", "is before `start`"));
    }
    let event = Worded::new()
        .text("Subject", "/subject", &args.subject)
        .text("StartDateTime", "/start", &moment(&args.start))
        .text("EndDateTime", "/end", &moment(&args.end))
        .value(
            "IsAllDayEvent",
            "/start",
            days[0].then_some(Value::Bool(true)),
        )
        .maybe("WhatId", "/about", args.about.as_deref())
        .maybe("WhoId", "/person", args.person.as_deref())
        .maybe("Location", "/location", args.location.as_deref())
        .maybe("Description", "/description", args.description.as_deref())
        .maybe("OwnerId", "/owner", args.owner.as_deref());
    event.create(host, "Event")
}

/// What `add_case_comment` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct AddCaseComment {
    /// The case's id.
    case: String,
    comment: String,
    /// Whether the customer sees it; default: no.
    public: Option<bool>,
}

/// Adds a comment to a case.
///
/// # Errors
/// As [`create_record`](super::create_record).
pub fn add_case_comment(host: &dyn Host, args: &AddCaseComment) -> Result<Output, Failure> {
    let comment = Worded::new()
        .text("ParentId", "/case", &args.case)
        .text("CommentBody", "/comment", &args.comment)
        .value("IsPublished", "/public", args.public.map(Value::Bool));
    comment.create(host, "CaseComment")
}

impl Worded {
    fn create(&self, host: &dyn Host, kind: &str) -> Result<Output, Failure> {
        self.require_texts()?;
        let client = Client::new(host);
        let fields: &Map<String, Value> = self.fields();
        self.said(create::create(
            &client,
            kind,
            fields,
            None,
            &Names::default(),
        ))
    }
}
