//! Approval processes: who must agree before a record is what it says.
//!
//! A `ProcessDefinition` record carries a process's names; its criteria and steps are here, found
//! by developer name. Follows the *REST API Developer Guide*, "Process Approvals".

mod act;

use crate::error::ApiError;
use crate::id::Id;
use crate::org::{Org, Session};
use crate::store::Record;
pub(crate) use act::{Action, Done, Request, act};

/// An approval process.
#[derive(Debug)]
pub(crate) struct Process {
    /// The object of its records.
    pub(crate) object: &'static str,
    /// `DeveloperName`
    pub(crate) developer_name: &'static str,
    /// `Name`
    pub(crate) label: &'static str,
    /// `Description`
    pub(crate) description: &'static str,
    /// What a record must meet to be submitted, as SOQL has it.
    pub(crate) criteria: &'static str,
    /// Who must agree, one after another.
    pub(crate) steps: &'static [Approver],
}

/// Who must agree at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Approver {
    /// The manager of who submitted the record.
    Manager,
    /// The user with this title.
    Title(&'static str),
    /// Whom the person before names: `nextApproverIds`.
    Chosen,
}

/// Every process.
pub(crate) static PROCESSES: [Process; 2] = [
    Process {
        object: "Opportunity",
        developer_name: "Large_Deal_Approval",
        label: "Large Deal Approval",
        description: "Deals of 50,000 and more, before an offer is made.",
        criteria: "Amount >= 50000 AND IsClosed = false",
        steps: &[Approver::Manager, Approver::Title("CEO")],
    },
    Process {
        object: "Measurement__c",
        developer_name: "Outlier_Review",
        label: "Outlier Review",
        description: "Readings that nobody expected.",
        criteria: "Outlier__c = true",
        steps: &[Approver::Chosen],
    },
];

impl Process {
    /// Finds what a `ProcessDefinition` record's process is.
    pub(crate) fn of(record: &Record) -> Option<&'static Self> {
        let name = record.get("DeveloperName").as_text()?;
        PROCESSES
            .iter()
            .find(|process| process.developer_name == name)
    }
}

/// Gives the approval that a record is in.
pub(crate) fn pending(org: &Org, record: Id) -> Option<&Record> {
    org.store
        .children("ProcessInstance", "TargetObjectId", record)
        .find(|instance| !instance.deleted && instance.get("Status").as_text() == Some("Pending"))
}

/// Says whether a user may change everything.
fn modifies_all(org: &Org, user: Id) -> bool {
    let profile = org.store.get("User", user);
    let profile = profile.and_then(|user| user.reference("ProfileId"));
    let profile = profile.and_then(|profile| org.store.get("Profile", profile));
    let permission = profile.map(|profile| profile.get("PermissionsModifyAllData"));
    permission.and_then(|permission| permission.as_bool()) == Some(true)
}

/// Refuses to change a record that is being approved, unless by an administrator.
///
/// # Errors
///
/// `ENTITY_IS_LOCKED`.
pub(crate) fn check_unlocked(org: &Org, session: &Session, record: Id) -> Result<(), ApiError> {
    if pending(org, record).is_none() || modifies_all(org, session.user_id) {
        return Ok(());
    }
    let message = "the entity is locked for editing";
    Err(ApiError::bad_request("ENTITY_IS_LOCKED", message))
}
