//! `RecordType`: a kind of record within an object.

use crate::schema::*;

pub(super) fn object() -> Object {
    crate::schema::object("RecordType", "Record Type", "Record Types", "012")
        .child("Account", "RecordTypeId", "")
        .setup()
        .with([
            id("Record Type ID"),
            text("Name", "Name", 80).system().required().name(),
            text("DeveloperName", "Record Type Name", 80)
                .system()
                .required(),
            text("NamespacePrefix", "Namespace Prefix", 15).system(),
            text("Description", "Description", 255).system(),
            reference(
                "BusinessProcessId",
                "Business Process ID",
                &["BusinessProcess"],
            )
            .system()
            .parent(""),
            picklist(
                "SobjectType",
                "SObject Type Name",
                40,
                &["Account", "Case", "Lead", "Opportunity"],
            )
            .restricted()
            .system()
            .required(),
            checkbox("IsActive", "Active").system(),
        ])
        .with(audit())
}
