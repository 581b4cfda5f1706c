//! Group: users together; here the queues that own leads and cases until somebody takes them.

use crate::schema::*;

pub(super) fn object() -> Object {
    crate::schema::object("Group", "Group", "Group", "00G")
        .child("Case", "OwnerId", "")
        .child("Lead", "OwnerId", "")
        .setup()
        .with([
            id("Group ID"),
            text("Name", "Name", 40).system().required().name(),
            text("DeveloperName", "Developer Name", 80).system(),
            reference("RelatedId", "Related ID", &["User", "UserRole"])
                .system()
                .parent("Related"),
            picklist(
                "Type",
                "Type",
                40,
                &["Regular=Public Group", "Queue", "Role", "Organization"],
            )
            .restricted()
            .system()
            .required(),
            Field {
                length: 255,
                ..email("Email", "Email").system()
            },
            reference("OwnerId", "Owner ID", &["Organization", "User"])
                .system()
                .required(),
            checkbox("DoesSendEmailToMembers", "Send Email to Members").system(),
            checkbox("DoesIncludeBosses", "Include Bosses").system(),
        ])
        .with(audit())
}
