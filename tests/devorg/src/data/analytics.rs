//! Reports and a dashboard, in their folders, and who ran what last.

use super::Seed;
use crate::reports::{Format, REPORTS};
use crate::seen::Glance;

pub(super) fn add(seed: &mut Seed) {
    let folder = |seed: &mut Seed, name: &str, developer_name: &str, kind: &str| {
        let row = vec![
            ("Name", name.into()),
            ("DeveloperName", developer_name.into()),
            ("AccessType", "Public".into()),
            ("Type", kind.into()),
        ];
        seed.add("Folder", seed.ago(1_000, 600), row)
    };
    let reports = folder(seed, "Company Reports", "Company_Reports", "Report");
    let dashboards = folder(
        seed,
        "Company Dashboards",
        "Company_Dashboards",
        "Dashboard",
    );
    for (place, report) in REPORTS.iter().enumerate() {
        let run = seed.ago(place as u64 + 1, 600);
        let row = vec![
            ("Name", report.name.into()),
            ("DeveloperName", report.developer_name.into()),
            ("Description", report.description.into()),
            ("FolderName", "Company Reports".into()),
            ("OwnerId", reports.into()),
            ("LastRunDate", run.into()),
            (
                "Format",
                match report.format {
                    Format::Tabular => "Tabular",
                    Format::Summary => "Summary",
                    Format::Matrix => "Matrix",
                }
                .into(),
            ),
        ];
        let id = seed.add("Report", seed.ago(900, 600 + place as u64), row);
        seed.org.seen.note(seed.admin, id, Glance::View, run);
    }
    let row = vec![
        ("Title", "Company Performance".into()),
        ("DeveloperName", "Company_Performance".into()),
        ("Description", "Sales and service at a glance.".into()),
        ("FolderId", dashboards.into()),
        ("FolderName", "Company Dashboards".into()),
        ("RunningUserId", seed.admin.into()),
        ("Type", "SpecifiedUser".into()),
    ];
    seed.add("Dashboard", seed.ago(900, 660), row);
}
