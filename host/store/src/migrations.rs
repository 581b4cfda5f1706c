//! The schema's versions, in their order. One that was published is never changed: what follows it goes into a new one.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Named one by one rather than by the library's macro, which would compile a second SQLite for the compiler's use.
const ALL: [(i64, &str, &str); 15] = [
    (1, "store", include_str!("../migrations/0001_store.sql")),
    (
        2,
        "people_sign_in",
        include_str!("../migrations/0002_people_sign_in.sql"),
    ),
    (3, "audit", include_str!("../migrations/0003_audit.sql")),
    (
        4,
        "permissions",
        include_str!("../migrations/0004_permissions.sql"),
    ),
    (
        5,
        "approvals",
        include_str!("../migrations/0005_approvals.sql"),
    ),
    (
        6,
        "refusals",
        include_str!("../migrations/0006_refusals.sql"),
    ),
    (
        7,
        "connectors",
        include_str!("../migrations/0007_connectors.sql"),
    ),
    (
        8,
        "retention",
        include_str!("../migrations/0008_retention.sql"),
    ),
    (
        9,
        "trusted_clients",
        include_str!("../migrations/0009_trusted_clients.sql"),
    ),
    (
        10,
        "answer_terms",
        include_str!("../migrations/0010_answer_terms.sql"),
    ),
    (
        11,
        "approval_uses",
        include_str!("../migrations/0011_approval_uses.sql"),
    ),
    (
        12,
        "decisions",
        include_str!("../migrations/0012_decisions.sql"),
    ),
    (
        13,
        "person_subjects",
        include_str!("../migrations/0013_person_subjects.sql"),
    ),
    (
        14,
        "reserved_usage",
        include_str!("../migrations/0014_reserved_usage.sql"),
    ),
    (
        15,
        "subject_sessions",
        include_str!("../migrations/0015_subject_sessions.sql"),
    ),
];

/// Gives what brings a store to the newest version.
pub(crate) fn migrator() -> Migrator {
    let migration = |(version, description, sql): (i64, &'static str, &'static str)| {
        Migration::new(
            version,
            description.into(),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    };
    Migrator::with_migrations(ALL.into_iter().map(migration).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_version() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let files = std::fs::read_dir(folder).unwrap();
        let mut files: Vec<String> = files
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let named = ALL.map(|(version, name, _)| format!("{version:04}_{name}.sql"));
        assert_eq!(files, named);
    }
}
