//! Profile: what a user may do.

use crate::schema::*;

pub(super) fn object() -> Object {
    let permissions = [
        ("PermissionsApiEnabled", "API Enabled"),
        ("PermissionsApiUserOnly", "Api Only User"),
        ("PermissionsModifyAllData", "Modify All Data"),
        ("PermissionsViewAllData", "View All Data"),
        ("PermissionsEditTask", "Edit Tasks"),
        ("PermissionsEditEvent", "Edit Events"),
        ("PermissionsManageUsers", "Manage Internal Users"),
        ("PermissionsViewSetup", "View Setup and Configuration"),
        ("PermissionsCustomizeApplication", "Customize Application"),
        ("PermissionsRunReports", "Run Reports"),
        ("PermissionsExportReport", "Export Reports"),
        ("PermissionsBulkApiHardDelete", "Bulk API Hard Delete"),
        ("PermissionsViewEncryptedData", "View Encrypted Data"),
    ];
    crate::schema::object("Profile", "Profile", "Profile", "00e")
        .child("User", "ProfileId", "Users")
        .setup()
        .with([
            id("Profile ID"),
            text("Name", "Name", 255).system().required().name(),
        ])
        .with(permissions.map(|(name, label)| checkbox(name, label).system()))
        .with([
            reference("UserLicenseId", "User License ID", &["UserLicense"]).system(),
            picklist(
                "UserType",
                "User Type",
                40,
                &["Standard", "PowerPartner=Partner", "Guest"],
            )
            .restricted()
            .system(),
        ])
        .with(audit())
        .with([text("Description", "Description", 255).system()])
        .with(last_seen())
}
