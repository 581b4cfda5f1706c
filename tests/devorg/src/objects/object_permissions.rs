//! `ObjectPermissions`: what a permission set lets its users do with the records of one object.
//!
//! An object that can be granted and has no row is one that is not granted.

use crate::schema::*;

/// The objects that are granted each apart.
pub(crate) const GRANTED_APART: [&str; 8] = [
    "Account",
    "Campaign",
    "Case",
    "Contact",
    "Inspection__c",
    "Lead",
    "Measurement__c",
    "Opportunity",
];

pub(super) fn object() -> Object {
    let permissions = [
        ("PermissionsCreate", "Create Records"),
        ("PermissionsRead", "Read Records"),
        ("PermissionsEdit", "Edit Records"),
        ("PermissionsDelete", "Delete Records"),
        ("PermissionsViewAllRecords", "Read All Records"),
        ("PermissionsModifyAllRecords", "Edit All Records"),
    ];
    let name = "Object Permissions";
    crate::schema::object("ObjectPermissions", name, name, "110")
        .setup()
        .with([
            id("ObjectPermissions ID"),
            reference("ParentId", "Parent ID", &["PermissionSet"])
                .system()
                .required(),
            picklist("SobjectType", "SObject Type Name", 40, &GRANTED_APART)
                .restricted()
                .system()
                .required(),
        ])
        .with(permissions.map(|(name, label)| checkbox(name, label).system()))
        .with(audit())
}
