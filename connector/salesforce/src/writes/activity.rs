//! The `activity` toolset: tasks, calls and events, each by the words that people use for their fields.

use portcullis_sdk::permissions::Access;
use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::asked::Asked;
use super::moment::{Moment, day};
use super::record::{self, Found, Select};
use super::statuses::CLOSED;
use super::targets::Names;
use super::worded::Worded;
use super::{create, update};
use crate::client::Client;
use crate::host::Host;
use crate::json::Json;
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
    // The usual one is one of closed tasks; of another only the org knows.
    let before = match &args.status {
        Some(status) => before_closing(&client, &id, status.trim())?,
        None => None,
    };
    task.said(update::update(
        &client,
        TASK,
        &id,
        task.fields(),
        &Names::default(),
        before,
    ))
}

const TASK: &str = "Task";

/// Refuses a status that closes no task, as far as the org says which do, and reads the task in the same request.
///
/// # Errors
/// `invalid-argument` at `/status`, with those that do; or the org does not answer.
fn before_closing(client: &Client<'_>, id: &str, status: &str) -> Result<Option<Found>, Failure> {
    let fields = ["Status"];
    let accesses = [Access::read(TASK, fields), Access::write(TASK, fields)];
    client.host.check(&accesses)?;
    let describe = record::describe(client, TASK)?;
    record::check_id(client, &describe, id)?;
    let (Some(field), Some(closed)) = (describe.field("Status"), CLOSED.query(client)?) else {
        return Ok(None);
    };
    let asked = Asked {
        field,
        value: Json::Null,
    };
    let select = Select::new(client, &describe, [&asked]).query_of(TASK, id);
    update::step(client, &describe, id);
    let mut answers = client.queries(&[select, closed])?.into_iter();
    let task = answers.next();
    if let Some(Ok(reply)) = answers.next()
        && let Some(problem) = CLOSED.problem(CLOSED.cited(client, &reply), status)
    {
        let message = "nothing was changed: the task would stay open";
        return Err(Failure::invalid(message)
            .field("/status", problem)
            .hint("update_record gives a task any other status"));
    }
    // What did not come with the other is asked for by itself.
    Ok(match task {
        Some(Ok(reply)) => Found::all(&reply).pop(),
        _ => None,
    })
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
    if day(args.day.trim()) > Some(Moment::now().latest_day()) {
        let message = "nothing was logged: the call is still to come";
        return Err(Failure::invalid(message)
            .field("/day", "is in the future")
            .hint("create_task or create_event plans a call"));
    }
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::testing::Org;

    const DESCRIBE: &str = r#"{"name":"Task","label":"Task","keyPrefix":"00T","updateable":true,"createable":true,"fields":[
        {"name":"Id","label":"Id","type":"id"},
        {"name":"Subject","label":"Subject","type":"string","nameField":true},
        {"name":"Status","label":"Status","type":"picklist","nillable":false,"updateable":true,"picklistValues":[
            {"value":"Open","label":"Open","active":true},{"value":"Done","label":"Erledigt","active":true}]}]}"#;
    const TASK_ROW: &str =
        r#"{"records":[{"Id":"00T000000000001AAA","Subject":"Call","Status":"Open"}]}"#;
    const CLOSED_ROW: &str =
        r#"{"records":[{"ApiName":"Done","MasterLabel":"Erledigt","IsClosed":true}]}"#;
    const REFUSED: &str = r#"[{"errorCode":"INVALID_TYPE","message":"m"}]"#;

    fn org(status: u16, closed: &str) -> Org {
        let results = format!(
            r#"{{"results":[{{"statusCode":200,"result":{TASK_ROW}}},{{"statusCode":{status},"result":{closed}}}]}}"#
        );
        Org::without_answers()
            .answer("/services/data/v68.0/sobjects/Task/describe", 200, DESCRIBE)
            .answer("/services/data/v68.0/composite/batch", 200, &results)
            .answer("/services/data/v68.0/query", 200, TASK_ROW)
    }

    fn completes(org: &Org, status: &str) -> Failure {
        let args = format!(r#"{{"id":"00T000000000001","status":"{status}"}}"#);
        complete_task(org, &serde_json::from_str(&args).unwrap()).unwrap_err()
    }

    #[test]
    fn a_task_is_not_completed_by_a_status_that_leaves_it_open() {
        let org = org(200, CLOSED_ROW);
        let failure = completes(&org, "Open");
        assert_eq!(failure.fields[0].pointer, "/status");
        assert_eq!(
            failure.fields[0].problem,
            "“Open” is none of the statuses of closed tasks: `Done` (Erledigt)"
        );
        assert!(org.announced().is_empty());
        // The describe, and the task with the statuses.
        assert_eq!(org.requests().len(), 2);
        for (org, status) in [
            (self::org(200, CLOSED_ROW), "Done"),
            // Whom the org does not tell it lets the change itself tell.
            (self::org(400, REFUSED), "Done"),
            (self::org(200, CLOSED_ROW).forbid("TaskStatus"), "Done"),
        ] {
            // The line breaks once it is sent.
            completes(&org, status);
            assert_eq!(org.announced().len(), 1);
            // The describe, the task, the change, and what came of it.
            assert_eq!(org.requests().len(), 4, "{:?}", org.requests());
        }
    }

    #[test]
    fn a_call_that_is_still_to_come_is_not_logged() {
        let days_from_now = |days: i64| {
            let at = Moment::now().minutes_before(-days * 24 * 60).sent();
            let args = format!(r#"{{"subject":"x","day":"{}"}}"#, &at[..10]);
            let org = Org::without_answers();
            let failure = log_call(&org, &serde_json::from_str(&args).unwrap()).unwrap_err();
            (org.requests().len(), failure)
        };
        let (requests, failure) = days_from_now(2);
        assert_eq!((requests, failure.fields[0].pointer.as_str()), (0, "/day"));
        assert!(failure.hint.unwrap().contains("create_task"));
        // Today, and yesterday where it begins last.
        for days in [0, -1] {
            assert!(days_from_now(days).0 > 0, "{days}");
        }
    }
}
