//! Field-level security: which profiles do not see a field, or see it and cannot change it.
//!
//! Only fields whose describe says `permissionable` can be here. Whatever is not, everybody sees
//! who sees the object. A field that a new record needs is not hidden, unless the org fills it in.

use crate::schema::{Field, Object};

use Visibility::{Hidden, ReadOnly};

/// What a profile leaves of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Visibility {
    /// It is not there.
    Hidden,
    /// It cannot be changed.
    ReadOnly,
}

/// Profile, object, field (a compound one stands for its parts), and what is left of it.
pub(super) const RULES: [(&str, &str, &str, Visibility); 15] = [
    ("Sales User", "Account", "AnnualRevenue", Hidden),
    ("Sales User", "Account", "AccountNumber", ReadOnly),
    ("Sales User", "Campaign", "ActualCost", Hidden),
    ("Sales User", "Case", "IsEscalated", Hidden),
    ("Sales User", "Contact", "Birthdate", Hidden),
    ("Sales User", "Lead", "AnnualRevenue", Hidden),
    ("Sales User", "Opportunity", "CampaignId", ReadOnly),
    ("Service User", "Account", "AnnualRevenue", Hidden),
    ("Service User", "Contact", "Birthdate", Hidden),
    ("Service User", "Lead", "Address", Hidden),
    ("Service User", "Lead", "Phone", Hidden),
    ("Service User", "Measurement__c", "Battery__c", ReadOnly),
    ("Read Only", "Contact", "Birthdate", Hidden),
    ("API Only Integration", "Account", "Description", Hidden),
    ("API Only Integration", "Contact", "Birthdate", Hidden),
];

/// Gives what a profile leaves of a field; `None` is all of it.
pub(super) fn rule(profile: &str, object: &Object, field: &Field) -> Option<Visibility> {
    let compound = field.compound_field_name.as_deref();
    RULES
        .iter()
        .filter(|(of, on, _, _)| *of == profile && *on == &*object.name)
        .find(|(_, _, name, _)| *name == &*field.name || Some(*name) == compound)
        .map(|(_, _, _, visibility)| *visibility)
}

/// Fields of a user that say what the user may do: changed by who manages users alone.
const OF_MANAGED_USERS: [&str; 11] = [
    "CallCenterId",
    "ContactId",
    "DelegatedApproverId",
    "EmployeeNumber",
    "FederationIdentifier",
    "ForecastEnabled",
    "IsActive",
    "ManagerId",
    "ProfileId",
    "UserRoleId",
    "Username",
];

/// Says whether only who manages users changes a field.
pub(super) fn is_managed(object: &Object, field: &Field) -> bool {
    &*object.name == "User"
        && (OF_MANAGED_USERS.contains(&&*field.name) || field.name.starts_with("UserPermissions"))
}
