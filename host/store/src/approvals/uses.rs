//! Which approvals were used: one list, sealed as a whole and numbered.
//!
//! The attack: who writes to the file copies a row while its yes is good, and puts it back once it was used; or puts a standing approval
//! back to the records that it had left. The rows do not tell: each was true once. So what was used stands in a list beside them, as long as
//! the yes could be used again, and what is on it is not used once more.
//!
//! - A yes is sealed with its end and with the list that was there: one of another list, or whose end was put off, is none.
//! - The list grows by a number with each use. A program refuses one that is older than it has seen.
//!
//! What is not promised: who puts back the list *and* the rows to one earlier moment, while no program runs that has seen a later one,
//! has that moment again. What is sent then is in the audit log, as one more request by the same approval.

use std::sync::atomic::{AtomicU64, Ordering};

use portcullis::ports::approvals::HeldRequest;
use portcullis::{ApprovalId, CallId};
use portcullis_policy::Digest;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::connection::{open, seal};
use crate::data_keys::Sealed;
use crate::error::StoreError;
use crate::seal::Place;
use crate::store::{Store, random_id};

const ID: &str = "uses";

const PLACE: Place<'_> = Place {
    table: "approval_uses",
    column: "sealed",
    row: &[ID],
};

/// The list.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Uses {
    /// Random: what was granted beside another list is not on this one.
    series: String,
    number: u64,
    used: Vec<Use>,
}

/// An approval that is used.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Of {
    pub(super) id: ApprovalId,
    /// Whether it may be used for other requests too.
    pub(super) is_standing: bool,
    /// When it ends, and its uses need not be remembered.
    pub(super) until: i64,
}

/// A use of an approval.
#[derive(Debug, Serialize, Deserialize)]
struct Use {
    of: Of,
    call: CallId,
    records: u32,
    /// What may have left; none: nothing did.
    sent: Option<Digest>,
}

/// What is sealed where a person said yes.
#[derive(Debug, Serialize, Deserialize)]
struct Grant {
    series: String,
    until: i64,
}

impl Uses {
    /// Gives the list; none where nothing was approved yet.
    pub(super) async fn find(
        store: &Store,
        tx: &mut SqliteConnection,
    ) -> Result<Option<Self>, StoreError> {
        let row = sqlx::query("SELECT sealed, sealed_key FROM approval_uses WHERE id = ?1")
            .bind(ID)
            .fetch_optional(&mut *tx)
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let sealed: Vec<u8> = row.try_get("sealed")?;
        let list = open(store, tx, PLACE, row.try_get("sealed_key")?, &sealed).await?;
        Ok(Some(list))
    }

    /// Gives the list, in a transaction that writes; one is begun where there is none.
    pub(super) async fn of(store: &Store, tx: &mut SqliteConnection) -> Result<Self, StoreError> {
        if let Some(list) = Self::find(store, tx).await? {
            return Ok(list);
        }
        let mut list = Self {
            series: random_id()?,
            number: 0,
            used: Vec::new(),
        };
        list.save(store, tx).await?;
        Ok(list)
    }

    /// Says how many records an approval was used for; none: it was not used.
    pub(super) fn records_of(&self, approval: ApprovalId) -> Option<u32> {
        let of_it = self.used.iter().filter(|one| one.of.id == approval);
        of_it.map(|one| one.records).reduce(u32::saturating_add)
    }

    /// Gives the call that has used an approval for what would leave now.
    pub(super) fn sent_by(&self, sent: Digest) -> Option<CallId> {
        let before = self.used.iter().rev().find(|one| one.sent == Some(sent));
        before.map(|one| one.call)
    }

    /// Adds a use, and forgets those of approvals that have ended.
    pub(super) async fn add(
        &mut self,
        store: &Store,
        tx: &mut SqliteConnection,
        of: Of,
        request: &HeldRequest,
    ) -> Result<(), StoreError> {
        let now = store.now();
        self.used.retain(|one| one.of.until > now);
        self.used.push(Use {
            of,
            call: request.call,
            records: u32::try_from(request.card.changes.len()).unwrap_or(u32::MAX),
            sent: Some(request.sent),
        });
        self.save(store, tx).await
    }

    /// Notes of a use that nothing was sent by it. The records of a standing approval may be used again; a question's yes stays used.
    pub(super) async fn unsent(
        &mut self,
        store: &Store,
        tx: &mut SqliteConnection,
        approval: ApprovalId,
        call: CallId,
    ) -> Result<(), StoreError> {
        let is_it = |one: &Use| (one.of.id, one.call) == (approval, call);
        self.used.retain(|one| !(one.of.is_standing && is_it(one)));
        for one in self.used.iter_mut().filter(|one| is_it(one)) {
            one.sent = None;
        }
        self.save(store, tx).await
    }

    async fn save(&mut self, store: &Store, tx: &mut SqliteConnection) -> Result<(), StoreError> {
        self.number += 1;
        let sealed = seal(store, tx, PLACE, self).await?;
        sqlx::query(
            "INSERT INTO approval_uses (id, sealed, sealed_key) VALUES (?1, ?2, ?3) \
             ON CONFLICT (id) DO UPDATE SET sealed = ?2, sealed_key = ?3",
        )
        .bind(ID)
        .bind(sealed.bytes)
        .bind(sealed.key)
        .execute(tx)
        .await?;
        Ok(())
    }

    /// Seals a person's yes that is good until a moment.
    pub(super) async fn grant(
        &self,
        store: &Store,
        tx: &mut SqliteConnection,
        place: Place<'_>,
        until: i64,
    ) -> Result<Sealed, StoreError> {
        let series = self.series.clone();
        seal(store, tx, place, &Grant { series, until }).await
    }

    /// Looks whether a row was granted here, by a person, and not by a hand on the file.
    pub(super) async fn require_granted(
        &self,
        store: &Store,
        tx: &mut SqliteConnection,
        place: Place<'_>,
        row: &SqliteRow,
    ) -> Result<(), StoreError> {
        let (key, sealed): (i64, Vec<u8>) = (row.try_get("granted_key")?, row.try_get("granted")?);
        let grant: Grant = open(store, tx, place, key, &sealed).await?;
        let until: i64 = row.try_get("expires")?;
        match grant.series == self.series && grant.until == until {
            true => Ok(()),
            false => {
                let id = place.row.first().copied().unwrap_or_default();
                Err(StoreError::damaged("granted", id, "it is none, or ended"))
            }
        }
    }
}

/// How far this program has seen the list to come.
#[derive(Debug, Default)]
pub(super) struct Seen(AtomicU64);

impl Seen {
    /// Refuses a list that is older than one that was seen. What the list says is on disk: it was read before anything was written.
    pub(super) fn require(&self, list: &Uses) -> Result<(), StoreError> {
        let before = self.0.fetch_max(list.number, Ordering::AcqRel);
        match list.number < before {
            true => Err(StoreError::TakenBack),
            false => Ok(()),
        }
    }

    /// Takes note of a list that is on disk by now.
    pub(super) fn note(&self, list: &Uses) {
        self.0.fetch_max(list.number, Ordering::AcqRel);
    }
}
