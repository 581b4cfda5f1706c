//! `LeadStatus`: a value of `Lead.Status`, and whether it is one of converted leads.

use crate::schema::*;

pub(super) fn object() -> Object {
    let mut status = crate::schema::object(
        "LeadStatus",
        "Lead Status Value",
        "Lead Status Value",
        "01J",
    )
    .setup()
    .with([
        id("Lead Status Value ID"),
        text("MasterLabel", "Master Label", 255).system().name(),
        text("ApiName", "API Name", 255)
            .system()
            .required()
            .lookup(),
        whole("SortOrder", "Sort Order", 9).system(),
        checkbox("IsDefault", "Is Default").system(),
        checkbox("IsConverted", "Is Converted").system(),
    ])
    .with(audit());
    status.replicateable = false;
    status
}
