//! How long the log is kept, as an administrator set it: programs that serve remove what is older, once a day.
//!
//! The attack: who writes to the store's file sets a day, and lets the next program remove what there is about them. So the setting
//! carries a keyed hash of the log's own, and is written down in the log.

use std::time::Duration;

use jiff::Timestamp;
use portcullis_policy::PersonId;
use sqlx::SqliteConnection;
use tokio::time::MissedTickBehavior;

use super::activity::Activity;
use super::chain::{LogKey, Purpose, Tag};
use super::decided::{By, DecidedKind, Deciding};
use super::log::StoreAudit;
use super::retain::Retained;
use crate::error::StoreError;

/// A day.
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// How long the log is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The days that are kept.
    pub days: u32,
    /// Who said so.
    pub person: PersonId,
}

impl Activity {
    /// Gives how long the log is kept; none: for ever.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or the setting was altered.
    pub async fn retention(&self) -> Result<Option<Retention>, StoreError> {
        let mut tx = self.inner.store.read().await?;
        let row: Option<(u32, String, i64, Vec<u8>)> =
            sqlx::query_as("SELECT days, person, key, mac FROM audit_retention")
                .fetch_optional(&mut *tx)
                .await?;
        let Some((days, person, key, kept)) = row else {
            return Ok(None);
        };
        let damaged = |why: String| StoreError::damaged("setting", "audit_retention", why);
        let person = PersonId::parse(person).map_err(|error| damaged(error.to_string()))?;
        let retention = Retention { days, person };
        let key = self.inner.keys.get(key);
        match key.is_some_and(|key| mac(&key, &retention) == *kept) {
            true => Ok(Some(retention)),
            false => Err(damaged("it was not set by this program".to_owned())),
        }
    }
}

impl StoreAudit {
    /// Sets how long the log is kept, for programs that serve; none: for ever. Says whether that is new.
    ///
    /// # Errors
    ///
    /// When the store or the log cannot be written.
    pub async fn set_retention(&self, by: &By, days: Option<u32>) -> Result<bool, StoreError> {
        // A setting that was altered is another one, too.
        let before = self.activity().retention().await;
        let from = match before {
            Ok(before) if before.as_ref().map(|it| it.days) == days => return Ok(false),
            Ok(before) => before.map(|it| in_words(it.days)),
            Err(_) => Some("what was altered".to_owned()),
        };
        let what = Deciding::on(DecidedKind::Retention, "the log", from, days.map(in_words));
        let person = by.person.clone();
        let work = async {
            let mut tx = self.activity().inner.store.write().await?;
            match days {
                Some(days) => {
                    put(&mut tx, &*self.newest_key()?, &Retention { days, person }).await?;
                }
                None => {
                    sqlx::query("DELETE FROM audit_retention")
                        .execute(&mut *tx)
                        .await?;
                }
            }
            tx.commit().await?;
            Ok::<_, StoreError>(())
        };
        self.deciding(by, [what], work).await?;
        Ok(true)
    }

    /// Removes what is older than some days at a time, as somebody decides. That this came to nothing is written where nothing was removed.
    ///
    /// # Errors
    ///
    /// As [`retain`](Self::retain).
    pub async fn retain_as_decided(
        &self,
        by: &By,
        days: u32,
        now: Timestamp,
    ) -> Result<Retained, StoreError> {
        let removes = format!("what is older than {days} days is removed, now");
        let what = Deciding::on(DecidedKind::Retention, "the log", None, Some(removes));
        let work = async {
            let (retained, done) = self.removing(&by.person, now - DAY * days).await;
            match done {
                Err(error) if retained == Retained::default() => Err(error),
                // Where it was broken off, the rest of what was decided is not gone yet.
                done => Ok(done.map(|()| retained)),
            }
        };
        self.deciding(by, [what], work).await?
    }

    /// Removes what is older than the log is kept at a time; none: it is kept for ever.
    ///
    /// # Errors
    ///
    /// As [`retain`](Self::retain), and where the setting was altered.
    pub async fn retain_as_set(&self, now: Timestamp) -> Result<Option<Retained>, StoreError> {
        let activity = self.activity();
        let Some(retention) = activity.retention().await? else {
            return Ok(None);
        };
        // Under the newest key, so that it holds no older one back.
        let mut tx = activity.inner.store.write().await?;
        put(&mut tx, &*self.newest_key()?, &retention).await?;
        tx.commit().await?;
        let before = now - DAY * retention.days;
        self.retain(&retention.person, before).await.map(Some)
    }

    /// Removes what is older than the log is kept, now and once a day, for as long as it is open.
    pub async fn keep_to_retention(self) {
        let mut every = tokio::time::interval(DAY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            if self.is_closed().await {
                return;
            }
            match self.retain_as_set(Timestamp::now()).await {
                Ok(Some(retained)) if retained.segments > 0 => {
                    let Retained {
                        segments, records, ..
                    } = retained;
                    tracing::info!(
                        segments,
                        records,
                        "what is older than the audit log is kept was removed"
                    );
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "nothing was removed from the audit log; it is tried again in a day");
                }
            }
        }
    }
}

fn in_words(days: u32) -> String {
    format!("kept for {days} days")
}

async fn put(
    tx: &mut SqliteConnection,
    key: &LogKey,
    retention: &Retention,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT OR REPLACE INTO audit_retention (id, days, person, key, mac) VALUES (1, ?1, ?2, ?3, ?4)",
    )
    .bind(retention.days)
    .bind(retention.person.as_str())
    .bind(key.id())
    .bind(mac(key, retention).as_slice())
    .execute(tx)
    .await?;
    Ok(())
}

fn mac(key: &LogKey, retention: &Retention) -> Tag {
    let days = retention.days.to_be_bytes();
    key.tag(
        Purpose::Retention,
        &[&days, retention.person.as_str().as_bytes()],
    )
}
