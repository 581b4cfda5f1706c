//! `Report`, `Dashboard` and the `Folder` that they lie in. What a report asks is
//! [`crate::reports`]'.

use crate::schema::*;

pub(super) fn report() -> Object {
    let mut report = crate::schema::object("Report", "Report", "Reports", "00O")
        .setup()
        .with([
            id("Report ID"),
            reference("OwnerId", "Owner ID", &["Folder", "Organization", "User"])
                .system()
                .required(),
            text("FolderName", "Folder Name", 256).system(),
        ])
        .with(audit())
        .with([
            is_deleted(),
            text("Name", "Report Name", 40).system().required().name(),
            text("Description", "Description", 255).system(),
            text("DeveloperName", "Report Unique Name", 80)
                .system()
                .required(),
            text("NamespacePrefix", "Namespace Prefix", 15).system(),
            datetime("LastRunDate", "Last Run").system(),
            picklist(
                "Format",
                "Format",
                40,
                &["Tabular", "Summary", "Matrix", "MultiBlock=Joined"],
            )
            .restricted()
            .system()
            .required(),
        ])
        .with(last_seen());
    report.mru_enabled = true;
    report.searchable = true;
    report
}

pub(super) fn dashboard() -> Object {
    let mut dashboard = crate::schema::object("Dashboard", "Dashboard", "Dashboards", "01Z")
        .setup()
        .with([
            id("Dashboard ID"),
            is_deleted(),
            reference("FolderId", "Folder ID", &["Folder", "User"])
                .system()
                .required(),
            text("FolderName", "Folder Name", 256).system(),
            text("Title", "Title", 80).system().required().name(),
            text("DeveloperName", "Dashboard Unique Name", 80)
                .system()
                .required(),
            text("NamespacePrefix", "Namespace Prefix", 15).system(),
            text("Description", "Description", 255).system(),
            reference("RunningUserId", "Running User ID", &["User"]).system(),
            picklist(
                "Type",
                "Dashboard Running User",
                40,
                &[
                    "SpecifiedUser=Run as specified user",
                    "LoggedInUser=Run as logged-in user",
                    "MyTeamUser=Run as myself or a team member",
                ],
            )
            .restricted()
            .system()
            .required(),
        ])
        .with(audit())
        .with(last_seen());
    dashboard.mru_enabled = true;
    dashboard.searchable = true;
    dashboard
}

pub(super) fn folder() -> Object {
    let mut folder = crate::schema::object("Folder", "Folder", "Folders", "00l")
        .child("Dashboard", "FolderId", "")
        .child("Report", "OwnerId", "")
        .setup()
        .with([
            id("Folder ID"),
            text("Name", "Name", 40).system().required().name(),
            text("DeveloperName", "Folder Unique Name", 80).system(),
            picklist(
                "AccessType",
                "Access Type",
                40,
                &["Shared", "Public", "Hidden", "PublicInternal"],
            )
            .restricted()
            .system(),
            checkbox("IsReadonly", "Read Only").system(),
            picklist(
                "Type",
                "Type",
                40,
                &["Document", "Email=Email Template", "Report", "Dashboard"],
            )
            .restricted()
            .system()
            .required(),
            text("NamespacePrefix", "Namespace Prefix", 15).system(),
        ])
        .with(audit());
    folder.replicateable = false;
    folder
}
