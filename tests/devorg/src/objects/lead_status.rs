//! `LeadStatus`: a value of `Lead.Status`, and whether it is one of converted leads.

use crate::schema::*;

pub(super) fn object() -> Object {
    status("LeadStatus", "Lead Status Value", "01J")
        .with([checkbox("IsConverted", "Is Converted").system()])
        .with(audit())
}

/// An object whose records are the values of another one's status.
pub(super) fn status(name: &str, label: &str, prefix: &str) -> Object {
    let mut status = crate::schema::object(name, label, label, prefix)
        .setup()
        .with([
            id(&format!("{label} ID")),
            text("MasterLabel", "Master Label", 255).system().name(),
            text("ApiName", "API Name", 255)
                .system()
                .required()
                .lookup(),
            whole("SortOrder", "Sort Order", 9).system(),
            checkbox("IsDefault", "Is Default").system(),
        ]);
    status.replicateable = false;
    status
}
