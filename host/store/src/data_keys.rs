//! Data keys: what seals the values. They are kept in the table `keys`, wrapped by the master key, and unwrapped in memory.
//!
//! Another process may make a new one at any time. So who writes asks which is the newest in the transaction that writes,
//! and who reads looks a key that it does not know up in the transaction that it reads in: the table and
//! the values that it serves are always of one moment.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use secrecy::{ExposeSecretMut, SecretBox};
use sqlx::{Row, SqliteConnection};

use crate::error::StoreError;
use crate::master_key::MasterKey;
use crate::seal::{KEY_LEN, Place, SealingKey};

/// A value as it is stored.
pub(crate) struct Sealed {
    /// The id of the data key that sealed it.
    pub(crate) key: i64,
    pub(crate) bytes: Vec<u8>,
}

/// What a store's data keys say of its age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// It had none yet.
    New,
    /// They are wrapped as they were before decisions were sealed.
    OfBeforeDecisions,
    OfNow,
}

/// Stands in the place of every wrapped key since decisions are sealed. So nobody who writes to the file has a store be one of
/// before, whose decisions are taken over as they stand.
const DECIDED: &str = "decided";

/// The data keys that this process has met.
pub(crate) struct DataKeys {
    master: RwLock<MasterKey>,
    met: RwLock<HashMap<i64, Arc<SealingKey>>>,
}

impl DataKeys {
    pub(crate) fn new(master: MasterKey) -> Self {
        Self {
            master: RwLock::new(master),
            met: RwLock::default(),
        }
    }

    /// Unwraps every key; a store without any is given its first. Says how old the store is.
    pub(crate) async fn load(
        &self,
        tx: &mut SqliteConnection,
        now: i64,
    ) -> Result<Age, StoreError> {
        let mut of_before: Vec<i64> = Vec::new();
        let rows = sqlx::query("SELECT id, master, wrapped FROM keys")
            .fetch_all(&mut *tx)
            .await?;
        for row in &rows {
            let sealed_under: String = row.try_get("master")?;
            let given = self.master().id();
            if sealed_under != given {
                return Err(StoreError::WrongKey {
                    sealed_under,
                    given,
                });
            }
            let (id, wrapped) = (row.try_get("id")?, row.try_get("wrapped")?);
            if self.meet(id, &sealed_under, wrapped).is_err() {
                self.meet_of_before(id, &sealed_under, wrapped)?;
                of_before.push(id);
            }
        }
        match of_before.as_slice() {
            _ if rows.is_empty() => {
                self.add(tx, now).await?;
                Ok(Age::New)
            }
            [] => Ok(Age::OfNow),
            all if all.len() == rows.len() => Ok(Age::OfBeforeDecisions),
            // All are wrapped anew at once: somebody has put a key back that they kept.
            [id, ..] => Err(StoreError::damaged(
                "data key",
                &id.to_string(),
                "it is wrapped as before decisions were sealed, and others are not",
            )),
        }
    }

    /// Wraps every key as it is wrapped now.
    pub(crate) async fn wrap_anew(&self, tx: &mut SqliteConnection) -> Result<(), StoreError> {
        let master = self.master();
        self.wrap_all(tx, &master).await
    }

    /// Makes a data key, which is the newest from the end of the transaction on.
    pub(crate) async fn add(&self, tx: &mut SqliteConnection, now: i64) -> Result<i64, StoreError> {
        self.require_master(tx).await?;
        add(tx, now, &self.master()).await
    }

    /// Gives the key that seals from now on, in a transaction that writes.
    pub(crate) async fn newest(
        &self,
        tx: &mut SqliteConnection,
    ) -> Result<Arc<SealingKey>, StoreError> {
        let id: i64 = sqlx::query_scalar("SELECT max(id) FROM keys")
            .fetch_one(&mut *tx)
            .await?;
        self.get(tx, id).await
    }

    /// Gives the key of a value, in the transaction in which the value was read.
    pub(crate) async fn get(
        &self,
        tx: &mut SqliteConnection,
        id: i64,
    ) -> Result<Arc<SealingKey>, StoreError> {
        let known = self
            .met
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned();
        if let Some(key) = known {
            return Ok(key);
        }
        let row = sqlx::query("SELECT master, wrapped FROM keys WHERE id = ?1")
            .bind(id)
            .fetch_optional(tx)
            .await?
            .ok_or_else(|| StoreError::damaged("data key", &id.to_string(), "it is missing"))?;
        let sealed_under: String = row.try_get("master")?;
        if sealed_under != self.master().id() {
            return Err(StoreError::KeyChanged { sealed_under });
        }
        self.meet(id, &sealed_under, row.try_get("wrapped")?)
    }

    /// Seals a value under the newest key.
    pub(crate) async fn seal(
        &self,
        tx: &mut SqliteConnection,
        place: Place<'_>,
        value: &[u8],
    ) -> Result<Sealed, StoreError> {
        let key = self.newest(tx).await?;
        let bytes = key.seal(place, value)?;
        Ok(Sealed {
            key: key.id(),
            bytes,
        })
    }

    /// Wraps every key under another master key, and adds one that was never under the old.
    pub(crate) async fn rewrap(
        &self,
        tx: &mut SqliteConnection,
        new: &MasterKey,
        now: i64,
    ) -> Result<(), StoreError> {
        self.require_master(tx).await?;
        self.wrap_all(tx, new).await?;
        add(tx, now, new).await.map(drop)
    }

    async fn wrap_all(&self, tx: &mut SqliteConnection, new: &MasterKey) -> Result<(), StoreError> {
        let ids: Vec<i64> = sqlx::query_scalar("SELECT id FROM keys")
            .fetch_all(&mut *tx)
            .await?;
        for id in ids {
            let key = self.get(tx, id).await?;
            let (master, wrapped) = wrap(new, &key)?;
            sqlx::query("UPDATE keys SET master = ?2, wrapped = ?3 WHERE id = ?1")
                .bind(id)
                .bind(master)
                .bind(wrapped)
                .execute(&mut *tx)
                .await?;
        }
        Ok(())
    }

    /// Refuses to wrap a key where another process has changed the master key meanwhile: two would be needed to open
    /// the store.
    async fn require_master(&self, tx: &mut SqliteConnection) -> Result<(), StoreError> {
        let other: Option<String> =
            sqlx::query_scalar("SELECT master FROM keys WHERE master <> ?1 LIMIT 1")
                .bind(self.master().id())
                .fetch_optional(tx)
                .await?;
        match other {
            Some(sealed_under) => Err(StoreError::KeyChanged { sealed_under }),
            None => Ok(()),
        }
    }

    /// Takes another master key from now on.
    pub(crate) fn set_master(&self, new: MasterKey) {
        *self.master.write().unwrap_or_else(PoisonError::into_inner) = new;
    }

    /// Forgets the keys that are older than one.
    pub(crate) fn forget_before(&self, newest: i64) {
        let mut met = self.met.write().unwrap_or_else(PoisonError::into_inner);
        met.retain(|id, _| *id >= newest);
    }

    fn master(&self) -> MasterKey {
        self.master
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Unwraps a key and keeps it.
    fn meet(&self, id: i64, master: &str, wrapped: &[u8]) -> Result<Arc<SealingKey>, StoreError> {
        self.unwrap_at(id, &[&id.to_string(), master, DECIDED], wrapped)
    }

    /// Unwraps a key of a store of before decisions were sealed.
    fn meet_of_before(
        &self,
        id: i64,
        master: &str,
        wrapped: &[u8],
    ) -> Result<Arc<SealingKey>, StoreError> {
        self.unwrap_at(id, &[&id.to_string(), master], wrapped)
    }

    fn unwrap_at(
        &self,
        id: i64,
        row: &[&str],
        wrapped: &[u8],
    ) -> Result<Arc<SealingKey>, StoreError> {
        let number = id.to_string();
        let opened = self.master().wrapping().open(place(row), wrapped)?;
        if opened.len() != KEY_LEN {
            return Err(StoreError::damaged(
                "data key",
                &number,
                "it has another length",
            ));
        }
        let mut bytes = SecretBox::<[u8; KEY_LEN]>::default();
        bytes.expose_secret_mut().copy_from_slice(&opened);
        let key = Arc::new(SealingKey::new(id, bytes));
        let mut met = self.met.write().unwrap_or_else(PoisonError::into_inner);
        met.insert(id, Arc::clone(&key));
        Ok(key)
    }
}

/// Makes a data key, wrapped by a master key.
async fn add(tx: &mut SqliteConnection, now: i64, master: &MasterKey) -> Result<i64, StoreError> {
    // The newest key is never removed, so an id never names two.
    let id: i64 = sqlx::query_scalar("SELECT ifnull(max(id), 0) + 1 FROM keys")
        .fetch_one(&mut *tx)
        .await?;
    let key = SealingKey::random(id)?;
    let (master, wrapped) = wrap(master, &key)?;
    sqlx::query("INSERT INTO keys (id, master, wrapped, created) VALUES (?1, ?2, ?3, ?4)")
        .bind(id)
        .bind(master)
        .bind(wrapped)
        .bind(now)
        .execute(tx)
        .await?;
    Ok(id)
}

fn place<'a>(row: &'a [&'a str]) -> Place<'a> {
    Place {
        table: "keys",
        column: "wrapped",
        row,
    }
}

fn wrap(master: &MasterKey, key: &SealingKey) -> Result<(String, Vec<u8>), StoreError> {
    let name = master.id();
    let wrapping = master.wrapping();
    let number = key.id().to_string();
    let wrapped = wrapping.seal(place(&[&number, &name, DECIDED]), key.expose())?;
    Ok((name, wrapped))
}
