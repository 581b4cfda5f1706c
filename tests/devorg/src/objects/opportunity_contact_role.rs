//! `OpportunityContactRole`: the part that a contact plays in an opportunity.

use crate::schema::*;

/// The parts that a contact can play.
pub(crate) const ROLES: [&str; 9] = [
    "Business User",
    "Decision Maker",
    "Economic Buyer",
    "Economic Decision Maker",
    "Evaluator",
    "Executive Sponsor",
    "Influencer",
    "Technical Buyer",
    "Other",
];

pub(super) fn object() -> Object {
    let mut role = crate::schema::object(
        "OpportunityContactRole",
        "Opportunity Contact Role",
        "Opportunity Contact Role",
        "00K",
    )
    .with([
        id("Contact Role ID"),
        reference("OpportunityId", "Opportunity ID", &["Opportunity"])
            .standard()
            .create_only()
            .required(),
        reference("ContactId", "Contact ID", &["Contact"])
            .standard()
            .required(),
        picklist("Role", "Role", 40, &ROLES).standard(),
        checkbox("IsPrimary", "Primary").standard(),
    ])
    .with(audit())
    .with([is_deleted()]);
    role.undeletable = false;
    role.mru_enabled = false;
    role.searchable = false;
    role
}
