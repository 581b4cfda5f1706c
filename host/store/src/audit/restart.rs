//! A new log in the place of one that is broken and cannot be put back. The old one is kept beside it, and the new one begins with what
//! was wrong.

use std::path::PathBuf;

use portcullis_policy::PersonId;

use super::activity::Activity;
use super::claim::lock;
use super::error::AuditError;
use super::keys;
use super::lines::Note;
use super::log::StoreAudit;
use super::segment;
use crate::error::StoreError;
use crate::store::Store;

/// A log that was begun anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restarted {
    /// Where the old one is; none: nothing was left of it.
    pub kept: Option<PathBuf>,
    /// What was wrong with it.
    pub findings: Vec<String>,
}

/// Findings that the new log repeats.
const FINDINGS_MAX: usize = 20;

impl StoreAudit {
    /// Puts a broken log aside and begins a new one, which says so. A log that is whole stays: none where nothing is wrong.
    ///
    /// # Errors
    ///
    /// [`AuditError::InUse`] while another program has it open.
    pub async fn restart(store: Store, person: &PersonId) -> Result<Option<Restarted>, StoreError> {
        let activity = Activity::open(store.clone()).await?;
        let report = activity.verify(&[], |_| ()).await?;
        let only_index = |finding: &super::Finding| finding.fault == super::Fault::Index;
        if report.findings.iter().all(only_index) {
            return Ok(None);
        }
        let findings = report.findings.iter().take(FINDINGS_MAX);
        let findings: Vec<String> = findings.map(ToString::to_string).collect();
        let folder = activity.folder().to_owned();
        // Nobody begins to write while it is put aside.
        let mut locks = Vec::new();
        if folder.exists() {
            let mut lanes: Vec<u32> = segment::list(&folder)?.iter().map(|one| one.0).collect();
            lanes.push(1);
            lanes.sort_unstable();
            lanes.dedup();
            for lane in lanes {
                locks.push(lock(&folder, lane)?.ok_or(AuditError::InUse)?);
            }
            activity.index().await?.close().await;
        }
        let kept = match folder.exists() {
            true => {
                let kept = folder.with_extension(format!("audit.broken-{}", store.now()));
                std::fs::rename(&folder, &kept).map_err(AuditError::file(&folder, "put aside"))?;
                Some(kept)
            }
            false => None,
        };
        // With a key of its own, so that nothing of the old log could stand in it.
        let mut tx = store.write().await?;
        for sql in ["DELETE FROM audit_heads", "DELETE FROM audit_bases"] {
            sqlx::query(sql).execute(&mut *tx).await?;
        }
        keys::add(&store, &mut tx).await?;
        tx.commit().await?;
        drop(locks);
        let audit = Self::open(store).await?;
        audit
            .note(Note::Restarted {
                person: person.clone(),
                findings: findings.clone(),
                kept: kept
                    .as_ref()
                    .map_or_else(String::new, |kept| kept.display().to_string()),
            })
            .await?;
        audit.close().await?;
        Ok(Some(Restarted { kept, findings }))
    }
}
