//! `UserRole`: a place in the hierarchy that says whose records a user sees.

use crate::schema::*;

pub(super) fn object() -> Object {
    let access = |name, label| {
        picklist(name, label, 40, &["None", "Read", "Edit"])
            .restricted()
            .standard()
    };
    let mut role = crate::schema::object("UserRole", "Role", "Role", "00E")
        .child("User", "UserRoleId", "Users")
        .with([
            id("Role ID"),
            text("Name", "Name", 80).standard().required().name(),
            reference("ParentRoleId", "Parent Role ID", &["UserRole"])
                .standard()
                .parent(""),
            text("RollupDescription", "Description", 80).standard(),
            access(
                "OpportunityAccessForAccountOwner",
                "Opportunity Access Level for Account Owner",
            ),
            access(
                "CaseAccessForAccountOwner",
                "Case Access Level for Account Owner",
            ),
            access(
                "ContactAccessForAccountOwner",
                "Contact Access Level for Account Owner",
            ),
            reference("ForecastUserId", "User ID", &["User"])
                .standard()
                .parent(""),
            checkbox("MayForecastManagerShare", "May Forecast Manager Share").system(),
        ])
        .with(audit().into_iter().skip(2))
        .with([
            text("DeveloperName", "Developer Name", 80)
                .standard()
                .required(),
            text("PortalType", "Portal Type", 40).system(),
        ]);
    role.undeletable = false;
    role.layoutable = false;
    role.mru_enabled = false;
    role.triggerable = false;
    role
}
