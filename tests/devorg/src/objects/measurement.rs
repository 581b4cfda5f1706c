//! `Measurement__c`: readings of sensors at customers; a custom object with many records.

use super::owner_scopes;
use crate::schema::*;

pub(super) fn object() -> Object {
    crate::schema::object("Measurement__c", "Measurement", "Measurements", "a00")
        .scopes(&owner_scopes("measurements"))
        .with_files()
        .owned_child("ProcessInstance", "TargetObjectId", "ProcessInstances")
        .with([
            id("Record ID"),
            owner("Owner ID", &["Group", "User"]),
            is_deleted(),
            text("Name", "Measurement Number", 80)
                .numbered()
                .name()
                .lookup(),
        ])
        .with(audit())
        .with([
            reference("Account__c", "Account", &["Account"])
                .help("The customer at whose site the sensor stands."),
            text("Sensor__c", "Sensor", 20).required(),
            datetime("Taken_At__c", "Taken At").required(),
            picklist(
                "Kind__c",
                "Kind",
                255,
                &["Temperature", "Pressure", "Vibration", "Power"],
            )
            .restricted(),
            // A kind of reading has its unit; power is also read as the heat that it makes.
            picklist("Unit__c", "Unit", 255, &["degC=°C", "bar", "mm/s", "kW"])
                .controlled_by("Kind__c", &[&[0, 3], &[1], &[2], &[3]]),
            decimal("Value__c", "Value", 12, 3),
            decimal("Expected__c", "Expected", 12, 3),
            decimal("Deviation__c", "Deviation", 18, 3).formula("Value__c - Expected__c"),
            checkbox("Outlier__c", "Outlier"),
            multipicklist(
                "Flags__c",
                "Flags",
                4_099,
                &["Calibrated", "Estimated", "Manual", "Replayed"],
            ),
            percent("Battery__c", "Battery", 3, 0),
            text("External_Key__c", "External Key", 40).external(),
            long_text("Note__c", "Note", 32_768),
        ])
}
