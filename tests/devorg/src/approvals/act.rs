//! Submitting, approving, rejecting and recalling.

use jiff::Timestamp;

use super::{Approver, Process, modifies_all, pending};
use crate::error::ApiError;
use crate::id::Id;
use crate::org::{Org, Session};
use crate::query::{self, Options};
use crate::records::fill::{self, Values};
use crate::records::insufficient;
use crate::store::Record;
use crate::value::Value;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// A record is submitted.
    Submit,
    /// A work item is approved.
    Approve,
    /// A work item is rejected.
    Reject,
    /// The record of a work item is recalled.
    Removed,
}

/// A request about one record or work item.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) action: Action,
    /// The record, or the work item.
    pub(crate) context: Id,
    /// On whose behalf a record is submitted.
    pub(crate) submitter: Option<Id>,
    pub(crate) comments: String,
    pub(crate) next_approvers: Vec<Id>,
    /// The process by its developer name or id; the first that takes the record otherwise.
    pub(crate) process: Option<String>,
    pub(crate) skip_criteria: bool,
}

/// What a request came to.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) entity: Id,
    pub(crate) instance: Id,
    pub(crate) status: &'static str,
    /// Who has to agree next.
    pub(crate) actors: Vec<Id>,
    pub(crate) work_items: Vec<Id>,
}

/// Does what is requested, at a moment.
///
/// # Errors
///
/// `NO_APPLICABLE_PROCESS`, `ALREADY_IN_PROCESS`, `MANAGER_NOT_DEFINED`, `REQUIRED_FIELD_MISSING`,
/// `INVALID_CROSS_REFERENCE_KEY`, `INSUFFICIENT_ACCESS_OR_READONLY`, `LIMIT_EXCEEDED`.
pub(crate) fn act(
    org: &mut Org,
    session: &Session,
    request: &Request,
    at: Timestamp,
) -> Result<Done, ApiError> {
    org.check_ids(&[
        "ProcessInstance",
        "ProcessInstanceStep",
        "ProcessInstanceWorkitem",
    ])?;
    match request.action {
        Action::Submit => submit(org, session, request, at),
        _ => decide(org, session, request, at),
    }
}

fn missing() -> ApiError {
    ApiError::bad_request("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
}

fn submit(
    org: &mut Org,
    session: &Session,
    request: &Request,
    at: Timestamp,
) -> Result<Done, ApiError> {
    let entity = request.context;
    let object = match org.find(entity) {
        Some((object, record)) if !record.deleted && session.may_read(org, record) => {
            object.name.clone()
        }
        _ => return Err(missing()),
    };
    let submitter = match request.submitter {
        Some(other) if other != session.user_id && !modifies_all(org, session.user_id) => {
            return Err(insufficient());
        }
        Some(other) => org
            .store
            .get("User", other)
            .map(|user| user.id)
            .ok_or_else(missing)?,
        None => session.user_id,
    };
    if pending(org, entity).is_some() {
        let message = "Cannot submit object already in process.";
        return Err(ApiError::bad_request("ALREADY_IN_PROCESS", message));
    }
    let (definition, process) = applicable(org, session, request, entity, &object)?;
    let actors = approvers(org, process, 0, submitter, &request.next_approvers)?;
    let values = values([
        ("ProcessDefinitionId", definition.into()),
        ("TargetObjectId", entity.into()),
        ("Status", "Pending".into()),
        ("SubmittedById", submitter.into()),
        ("LastActorId", submitter.into()),
    ]);
    let instance = made(org, "ProcessInstance", values, submitter, at).ok_or_else(missing)?;
    add_step(
        org,
        instance,
        "Started",
        (submitter, submitter),
        &request.comments,
        at,
    );
    let work_items = add_work_items(org, instance, &actors, submitter, at);
    Ok(Done {
        entity,
        instance,
        status: "Pending",
        actors,
        work_items,
    })
}

/// Finds the process that takes a record: the one that is asked for, or the first.
fn applicable(
    org: &Org,
    session: &Session,
    request: &Request,
    entity: Id,
    object: &str,
) -> Result<(Id, &'static Process), ApiError> {
    let asked = request.process.as_deref();
    for record in org.store.rows("ProcessDefinition") {
        let Some(process) = Process::of(record).filter(|process| process.object == object) else {
            continue;
        };
        let named = asked.is_none_or(|name| {
            name == process.developer_name || Id::parse(name) == Some(record.id)
        });
        // Criteria are skipped only for a process that is named.
        let skipped = request.skip_criteria && asked.is_some();
        if named && (skipped || meets(org, session, entity, object, process.criteria)?) {
            return Ok((record.id, process));
        }
    }
    let message = "No applicable approval process was found.";
    Err(ApiError::bad_request("NO_APPLICABLE_PROCESS", message))
}

/// Says whether a record that who asks sees meets a condition.
fn meets(
    org: &Org,
    session: &Session,
    entity: Id,
    object: &str,
    condition: &str,
) -> Result<bool, ApiError> {
    let soql = format!("SELECT Id FROM {object} WHERE Id = '{entity}' AND ({condition})");
    let options = Options {
        include_deleted: false,
        batch_size: 1,
        columns: false,
        base: String::new(),
    };
    Ok(query::run(org, session, &soql, options)?.total_size > 0)
}

/// Finds who has to agree at a step.
fn approvers(
    org: &Org,
    process: &Process,
    step: usize,
    submitter: Id,
    chosen: &[Id],
) -> Result<Vec<Id>, ApiError> {
    let user = |id: Id| org.store.get("User", id);
    match process.steps.get(step) {
        None => Ok(Vec::new()),
        Some(Approver::Manager) => {
            let manager = user(submitter).and_then(|user| user.reference("ManagerId"));
            let undefined = || ApiError::bad_request("MANAGER_NOT_DEFINED", "Manager undefined.");
            Ok(vec![manager.ok_or_else(undefined)?])
        }
        Some(Approver::Title(title)) => {
            let mut users = org.store.rows("User");
            let found = users.find(|user| user.get("Title").as_text() == Some(title));
            Ok(vec![found.ok_or_else(missing)?.id])
        }
        Some(Approver::Chosen) if chosen.is_empty() => Err(ApiError::of_fields(
            "REQUIRED_FIELD_MISSING",
            "missing required field: [nextApproverIds]",
            ["nextApproverIds".to_owned()],
        )),
        Some(Approver::Chosen) => chosen
            .iter()
            .map(|id| user(*id).map(|user| user.id).ok_or_else(missing))
            .collect(),
    }
}

/// Approves, rejects or recalls.
fn decide(
    org: &mut Org,
    session: &Session,
    request: &Request,
    at: Timestamp,
) -> Result<Done, ApiError> {
    let item = org.store.get("ProcessInstanceWorkitem", request.context);
    let item = item
        .filter(|item| !item.deleted)
        .ok_or_else(missing)?
        .clone();
    let instance = item.reference("ProcessInstanceId");
    let instance = instance.and_then(|id| org.store.get("ProcessInstance", id));
    let instance = instance.ok_or_else(missing)?.clone();
    let definition = instance.reference("ProcessDefinitionId");
    let definition = definition.and_then(|id| org.store.get("ProcessDefinition", id));
    let process = definition.and_then(Process::of).ok_or_else(missing)?;
    let submitter = instance.reference("SubmittedById").ok_or_else(missing)?;
    let entity = instance.reference("TargetObjectId").ok_or_else(missing)?;
    let assigned = item.reference("ActorId").ok_or_else(missing)?;

    let own = match request.action {
        Action::Removed => submitter,
        _ => assigned,
    };
    // Of what neither waits for the user nor is theirs to see, there is nothing.
    if assigned != session.user_id && !session.may_read(org, &item) {
        return Err(missing());
    }
    if own != session.user_id && !modifies_all(org, session.user_id) {
        return Err(insufficient());
    }
    let done = org
        .store
        .children("ProcessInstanceStep", "ProcessInstanceId", instance.id)
        .filter(|step| step.get("StepStatus").as_text() == Some("Approved"))
        .count();
    let (step_status, status, actors) = match request.action {
        Action::Reject => ("Rejected", "Rejected", Vec::new()),
        Action::Removed => ("Removed", "Removed", Vec::new()),
        _ => {
            let next = approvers(org, process, done + 1, submitter, &request.next_approvers)?;
            let status = if next.is_empty() {
                "Approved"
            } else {
                "Pending"
            };
            ("Approved", status, next)
        }
    };
    let by = session.user_id;
    add_step(
        org,
        instance.id,
        step_status,
        (assigned, by),
        &request.comments,
        at,
    );
    let items: Vec<Id> = org
        .store
        .children("ProcessInstanceWorkitem", "ProcessInstanceId", instance.id)
        .map(|item| item.id)
        .collect();
    for item in items {
        fill::delete(org, item, by, at);
    }
    let work_items = add_work_items(org, instance.id, &actors, by, at);
    let completed = (status != "Pending").then_some(at);
    changed(
        org,
        &instance,
        values([
            ("Status", status.into()),
            ("LastActorId", by.into()),
            ("CompletedDate", completed.into()),
        ]),
        by,
        at,
    );
    Ok(Done {
        entity,
        instance: instance.id,
        status,
        actors,
        work_items,
    })
}

fn values<const N: usize>(values: [(&str, Value); N]) -> Values {
    values
        .into_iter()
        .map(|(field, value)| (field.into(), value))
        .collect()
}

fn made(org: &mut Org, object: &str, values: Values, by: Id, at: Timestamp) -> Option<Id> {
    let schema = org.schema.clone();
    let object = schema.object(object)?;
    Some(fill::insert(org, object, values, by, at))
}

fn changed(org: &mut Org, record: &Record, values: Values, by: Id, at: Timestamp) {
    let schema = org.schema.clone();
    if let Some(object) = schema.object(&record.object) {
        fill::update(org, object, record, values, by, at);
    }
}

/// Writes down what was done; `actors` are who was to do it, and who did.
fn add_step(
    org: &mut Org,
    instance: Id,
    status: &str,
    (assigned, by): (Id, Id),
    comments: &str,
    at: Timestamp,
) {
    let values = values([
        ("ProcessInstanceId", instance.into()),
        ("StepStatus", status.into()),
        ("OriginalActorId", assigned.into()),
        ("ActorId", by.into()),
        ("Comments", comments.into()),
    ]);
    made(org, "ProcessInstanceStep", values, by, at);
}

fn add_work_items(org: &mut Org, instance: Id, actors: &[Id], by: Id, at: Timestamp) -> Vec<Id> {
    let mut items = Vec::new();
    for actor in actors {
        let values = values([
            ("ProcessInstanceId", instance.into()),
            ("OriginalActorId", (*actor).into()),
            ("ActorId", (*actor).into()),
        ]);
        items.extend(made(org, "ProcessInstanceWorkitem", values, by, at));
    }
    items
}
