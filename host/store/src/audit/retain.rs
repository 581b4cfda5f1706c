//! Retention: whole segments are removed, the oldest first. Where a lane begins then is kept in the store with a keyed hash, so that the rest
//! can still be followed from there. With the last segment of a key the key goes, and with it what a copy of the segment had sealed.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use portcullis_policy::PersonId;

use super::chain::LogKey;
use super::error::AuditError;
use super::heads;
use super::lines::Note;
use super::log::StoreAudit;
use super::segment::{self, Header, Position};
use crate::error::StoreError;

/// What was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    /// Segments.
    pub segments: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Keys that nothing needs any more.
    pub keys: u64,
}

impl StoreAudit {
    /// Removes the segments in which everything is older than a time. The last of each lane stays.
    ///
    /// # Errors
    ///
    /// When the store or the log cannot be written. What is left of a removal that was broken off is removed by the next.
    pub async fn retain(
        &self,
        person: &PersonId,
        before: Timestamp,
    ) -> Result<Retained, StoreError> {
        let (retained, done) = self.removing(person, before).await;
        done.map(|()| retained)
    }

    /// Does the same, and says what was removed also where it was broken off.
    pub(super) async fn removing(
        &self,
        person: &PersonId,
        before: Timestamp,
    ) -> (Retained, Result<(), StoreError>) {
        let mut retained = Retained::default();
        let removed = self.remove_before(before, &mut retained).await;
        if retained.segments == 0 {
            return (retained, removed);
        }
        // Before it is said what broke: what is gone is gone.
        let noted = self.note(Note::Retained {
            before_ms: before.as_millisecond(),
            segments: retained.segments,
            person: person.clone(),
        });
        let noted = noted.await;
        let keys = async {
            removed?;
            noted?;
            self.remove_keys().await
        };
        match keys.await {
            Ok(keys) => (Retained { keys, ..retained }, Ok(())),
            Err(error) => (retained, Err(error)),
        }
    }

    async fn remove_before(
        &self,
        before: Timestamp,
        retained: &mut Retained,
    ) -> Result<(), StoreError> {
        let activity = self.activity();
        let inner = &activity.inner;
        let (lanes, findings) = activity.lanes().await?;
        if let Some(finding) = findings.into_iter().next() {
            return Err(AuditError::from(finding).into());
        }
        let listed = segment::list(&inner.folder)?;
        // What says how far decisions had come may go, also what another program wrote: it is said anew before that.
        let logged = activity.index().await?.generation().await?.unwrap_or(0);
        let logged = self.inner.in_force.load(Ordering::Acquire).max(logged);
        let mut unsaid = match logged {
            0 => None,
            logged => Some(inner.store.decided_so_far().await.max(logged)),
        };
        for (lane, kept) in lanes {
            let of_lane = listed.iter().filter(|(of, _)| *of == lane);
            let segments: Vec<u64> = of_lane.map(|(_, segment)| *segment).collect();
            // Everything in a segment is older than the beginning of the next.
            let mut base = None;
            for pair in segments
                .windows(2)
                .filter(|pair| pair[1] > kept.base.segment)
            {
                let path = segment::path(&inner.folder, lane, pair[1]);
                match read_header(&path)? {
                    Some(header) if header.begun_ms < before.as_millisecond() => {
                        base = Some(Position {
                            segment: pair[0],
                            offset: 0,
                            number: header.first - 1,
                            tag: header.before,
                        });
                    }
                    _ => break,
                }
            }
            let Some(base) = base.filter(|base| base.segment > kept.base.segment) else {
                // What a removal that was broken off has left.
                let last = kept.base.segment;
                remove(&inner.folder, lane, last, &mut Retained::default())?;
                activity.index().await?.forget(lane, last).await?;
                continue;
            };
            if let Some(generation) = unsaid.take() {
                self.note(Note::InForce { generation }).await?;
                self.inner.in_force.fetch_max(generation, Ordering::AcqRel);
            }
            let key = self.newest_key()?;
            let mut tx = inner.store.write().await?;
            heads::put_base(&mut tx, &key, lane, &base).await?;
            tx.commit().await?;
            retained.records += base.number - kept.base.number;
            let removed = remove(&inner.folder, lane, base.segment, retained);
            // After that, so that nobody takes it over from there again; and where that broke off, for it is not of the log any more.
            activity.index().await?.forget(lane, base.segment).await?;
            removed?;
        }
        Ok(())
    }

    /// Gives the key that what is kept of the log in the store is hashed with from now on.
    pub(super) fn newest_key(&self) -> Result<Arc<LogKey>, AuditError> {
        let key = self.activity().inner.keys.newest();
        key.ok_or_else(|| AuditError::Failed("there is no key".to_owned()))
    }

    /// Removes the keys that no segment and no head needs.
    async fn remove_keys(&self) -> Result<u64, StoreError> {
        let inner = &self.activity().inner;
        let mut needed = BTreeSet::new();
        for (lane, segment) in segment::list(&inner.folder)? {
            let path = segment::path(&inner.folder, lane, segment);
            match read_header(&path)? {
                Some(header) => needed.insert(header.key),
                // Which key it has is not known: none is removed.
                None => return Ok(0),
            };
        }
        let Some(oldest) = needed.first() else {
            return Ok(0);
        };
        let mut tx = inner.store.write().await?;
        let removed = sqlx::query(
            "DELETE FROM audit_keys WHERE id < ?1 AND id NOT IN (SELECT key FROM audit_heads) \
             AND id NOT IN (SELECT key FROM audit_bases) AND id NOT IN (SELECT key FROM audit_retention)",
        )
        .bind(oldest)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(removed.rows_affected())
    }
}

fn read_header(path: &Path) -> Result<Option<Header>, AuditError> {
    let bytes = segment::head(path)?.unwrap_or_default();
    Ok(Header::read(&bytes).map(|(header, _)| header))
}

/// Removes a lane's segments up to one.
fn remove(folder: &Path, lane: u32, last: u64, retained: &mut Retained) -> Result<(), AuditError> {
    for (of, segment) in segment::list(folder)? {
        if of == lane && segment <= last {
            let path = segment::path(folder, lane, segment);
            let bytes = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
            match std::fs::remove_file(&path) {
                Ok(()) => {}
                // Another program removes at the same time.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(AuditError::file(&path, "removed")(error)),
            }
            retained.bytes += bytes;
            retained.segments += 1;
        }
    }
    Ok(())
}
