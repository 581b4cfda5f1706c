//! `ListView`: a saved choice of an object's records; what it chooses is [`crate::list_views`]'.

use crate::schema::*;

pub(super) fn object() -> Object {
    let mut view = crate::schema::object("ListView", "List View", "List Views", "00B")
        .setup()
        .with([
            id("List View ID"),
            text("Name", "View Name", 40).system().required().name(),
            text("DeveloperName", "API Name", 80).system(),
            text("NamespacePrefix", "Namespace Prefix", 15).system(),
            picklist(
                "SobjectType",
                "Sobject Type",
                40,
                &[
                    "Account",
                    "Campaign",
                    "Case",
                    "Contact",
                    "Lead",
                    "Measurement__c",
                    "Opportunity",
                ],
            )
            .restricted()
            .system(),
            checkbox("IsSoqlCompatible", "Is Soql Compatible").system(),
        ])
        .with(audit())
        .with(last_seen());
    view.replicateable = false;
    view
}
