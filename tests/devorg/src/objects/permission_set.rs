//! `PermissionSet`: what a profile grants, as a set of its own; every profile owns one.

use crate::schema::*;

pub(super) fn object() -> Object {
    crate::schema::object("PermissionSet", "Permission Set", "Permission Sets", "0PS")
        .child("ObjectPermissions", "ParentId", "ObjectPerms")
        .setup()
        .with([
            id("PermissionSet ID"),
            text("Name", "Permission Set Name", 80)
                .system()
                .required()
                .name(),
            text("Label", "Permission Set Label", 80)
                .system()
                .required(),
            reference("LicenseId", "License ID", &["UserLicense"])
                .system()
                .parent("License"),
            reference("ProfileId", "Profile ID", &["Profile"]).system(),
            checkbox("IsOwnedByProfile", "Is Owned By Profile").system(),
            checkbox("IsCustom", "Is Custom").system(),
            text("Description", "Description", 255).system(),
        ])
        .with(audit())
}
