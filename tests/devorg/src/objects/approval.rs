//! `ProcessDefinition`, and what becomes of a record that is submitted to one: `ProcessInstance`,
//! its steps that are done and its work items that are not.

use crate::schema::*;

/// What an approval or one of its steps can come to.
const STATUSES: [&str; 8] = [
    "Approved",
    "Fault",
    "Held",
    "NoResponse=No Response",
    "Pending",
    "Reassigned",
    "Rejected",
    "Removed=Recalled",
];

pub(super) fn definition() -> Object {
    let mut definition = crate::schema::object(
        "ProcessDefinition",
        "Process Definition",
        "Process Definition",
        "04a",
    )
    .child("ProcessInstance", "ProcessDefinitionId", "")
    .setup()
    .with([
        id("Process Definition ID"),
        text("Name", "Name", 255).system().required().name(),
        text("DeveloperName", "Process Definition Name", 80)
            .system()
            .required(),
        picklist(
            "Type",
            "Type",
            40,
            &["Approval", "State=State Based Process"],
        )
        .restricted()
        .system()
        .required(),
        text("Description", "Description", 255).system(),
        picklist(
            "TableEnumOrId",
            "Custom Object Definition ID",
            40,
            &["Measurement__c", "Opportunity"],
        )
        .restricted()
        .system()
        .required(),
        picklist(
            "LockType",
            "Lock Type",
            40,
            &["Total", "Admin", "Owner", "Workitem", "Node", "none"],
        )
        .restricted()
        .system()
        .required(),
        picklist("State", "State", 40, &["Active", "Inactive", "Obsolete"])
            .restricted()
            .system()
            .required(),
    ])
    .with(audit());
    definition.replicateable = false;
    definition
}

pub(super) fn instance() -> Object {
    crate::schema::object(
        "ProcessInstance",
        "Process Instance",
        "Process Instance",
        "04g",
    )
    .owned_child("ProcessInstanceStep", "ProcessInstanceId", "Steps")
    .owned_child("ProcessInstanceWorkitem", "ProcessInstanceId", "Workitems")
    .setup()
    .with([
        id("Process Instance ID"),
        reference(
            "ProcessDefinitionId",
            "Process Definition ID",
            &["ProcessDefinition"],
        )
        .system()
        .required(),
        reference(
            "TargetObjectId",
            "Target Object ID",
            &["Measurement__c", "Opportunity"],
        )
        .system()
        .required(),
        picklist("Status", "Status", 40, &STATUSES)
            .restricted()
            .system()
            .required(),
        datetime("CompletedDate", "Completed Date").system(),
        reference("LastActorId", "Last Actor", &["User"]).system(),
        reference("SubmittedById", "Submitted By", &["User"]).system(),
        is_deleted(),
    ])
    .with(audit())
}

pub(super) fn step() -> Object {
    let statuses: Vec<&str> = STATUSES.into_iter().chain(["Started"]).collect();
    crate::schema::object(
        "ProcessInstanceStep",
        "Process Instance Step",
        "Process Instance Step",
        "04h",
    )
    .setup()
    .with([
        id("Process Instance Step ID"),
        reference(
            "ProcessInstanceId",
            "Process Instance ID",
            &["ProcessInstance"],
        )
        .system()
        .required(),
        picklist("StepStatus", "Step Status", 40, &statuses)
            .restricted()
            .system(),
        reference("OriginalActorId", "Assigned To ID", &["Group", "User"])
            .system()
            .required(),
        reference("ActorId", "Actor ID", &["Group", "User"])
            .system()
            .required(),
        text("Comments", "Comments", 4_000).system(),
    ])
    .with(
        audit()
            .into_iter()
            .filter(|field| !field.name.starts_with("LastModified")),
    )
}

pub(super) fn work_item() -> Object {
    crate::schema::object(
        "ProcessInstanceWorkitem",
        "Approval Request",
        "Approval Requests",
        "04i",
    )
    .setup()
    .with([
        id("Process Instance Workitem ID"),
        reference(
            "ProcessInstanceId",
            "Process Instance ID",
            &["ProcessInstance"],
        )
        .system()
        .required(),
        reference("OriginalActorId", "Original Actor ID", &["Group", "User"])
            .system()
            .required(),
        reference("ActorId", "Actor ID", &["Group", "User"])
            .system()
            .required(),
        is_deleted(),
    ])
    .with(
        audit()
            .into_iter()
            .filter(|field| !field.name.starts_with("LastModified")),
    )
}
