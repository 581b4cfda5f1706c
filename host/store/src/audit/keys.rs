//! The log's keys: sealed in the store, for as long as a segment needs them. A rotation of the data keys seals them anew and adds
//! one, which the segments have that are begun from then on; with the last segment of a key, the key is removed.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox};
use sqlx::{Row, SqliteConnection};

use super::chain::LogKey;
use crate::error::StoreError;
use crate::seal::{self, KEY_LEN, Place};
use crate::store::Store;

/// The keys that this process has met.
#[derive(Debug, Default)]
pub(super) struct LogKeys(RwLock<BTreeMap<i64, Arc<LogKey>>>);

impl LogKeys {
    /// Opens every key; a log without any is given its first.
    pub(super) async fn load(store: &Store) -> Result<Self, StoreError> {
        let keys = Self::default();
        keys.refresh(store).await?;
        if keys.newest().is_none() {
            let mut tx = store.write().await?;
            let has_any: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM audit_keys)")
                .fetch_one(&mut *tx)
                .await?;
            if !has_any {
                add(store, &mut tx).await?;
            }
            tx.commit().await?;
            keys.refresh(store).await?;
        }
        Ok(keys)
    }

    /// Meets the keys that were added meanwhile.
    pub(super) async fn refresh(&self, store: &Store) -> Result<(), StoreError> {
        let known = self.newest().map_or(0, |key| key.id());
        let mut tx = store.read().await?;
        let rows = sqlx::query("SELECT id, secret, secret_key FROM audit_keys WHERE id > ?1")
            .bind(known)
            .fetch_all(&mut *tx)
            .await?;
        for row in rows {
            let id: i64 = row.try_get("id")?;
            let number = id.to_string();
            let sealing = store
                .keys()
                .get(&mut tx, row.try_get("secret_key")?)
                .await?;
            let opened = sealing.open(place(&[&number]), row.try_get("secret")?)?;
            let mut secret = SecretBox::<[u8; KEY_LEN]>::default();
            if opened.len() != KEY_LEN {
                return Err(StoreError::damaged(
                    "audit key",
                    &number,
                    "it has another length",
                ));
            }
            secret.expose_secret_mut().copy_from_slice(&opened);
            let key = Arc::new(LogKey::new(id, &secret));
            let mut met = self.0.write().unwrap_or_else(PoisonError::into_inner);
            met.insert(id, key);
        }
        Ok(())
    }

    pub(super) fn get(&self, id: i64) -> Option<Arc<LogKey>> {
        let met = self.0.read().unwrap_or_else(PoisonError::into_inner);
        met.get(&id).cloned()
    }

    /// Gives the key of what is begun from now on.
    pub(super) fn newest(&self) -> Option<Arc<LogKey>> {
        let met = self.0.read().unwrap_or_else(PoisonError::into_inner);
        met.last_key_value().map(|(_, key)| Arc::clone(key))
    }
}

/// Adds a key where there is a log.
pub(crate) async fn add_where_any(
    store: &Store,
    tx: &mut SqliteConnection,
) -> Result<(), StoreError> {
    let has_any: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM audit_keys)")
        .fetch_one(&mut *tx)
        .await?;
    match has_any {
        true => add(store, tx).await,
        false => Ok(()),
    }
}

pub(super) async fn add(store: &Store, tx: &mut SqliteConnection) -> Result<(), StoreError> {
    // The newest is never removed, so an id never names two.
    let id: i64 = sqlx::query_scalar("SELECT ifnull(max(id), 0) + 1 FROM audit_keys")
        .fetch_one(&mut *tx)
        .await?;
    let mut secret = SecretBox::<[u8; KEY_LEN]>::default();
    seal::fill(&mut secret)?;
    let number = id.to_string();
    let sealed = store
        .seal(tx, place(&[&number]), secret.expose_secret())
        .await?;
    sqlx::query("INSERT INTO audit_keys (id, secret, secret_key, created) VALUES (?1, ?2, ?3, ?4)")
        .bind(id)
        .bind(sealed.bytes)
        .bind(sealed.key)
        .bind(store.now())
        .execute(tx)
        .await?;
    Ok(())
}

fn place<'a>(row: &'a [&'a str]) -> Place<'a> {
    Place {
        table: "audit_keys",
        column: "secret",
        row,
    }
}
