//! The key of the digests that approvals are bound to. It outlives the master key and the data keys, for what waits must not be forgotten
//! when those change.

use portcullis::ports::approvals::DigestKey;
use secrecy::zeroize::Zeroizing;
use sqlx::Row;

use crate::error::StoreError;
use crate::seal::{KEY_LEN, Place};
use crate::store::Store;

const ID: &str = "digest";

const PLACE: Place<'_> = Place {
    table: "approval_keys",
    column: "sealed",
    row: &[ID],
};

/// Gives the key, and makes it where there is none.
pub(super) async fn digest_key(store: &Store) -> Result<DigestKey, StoreError> {
    let mut tx = store.write().await?;
    let row = sqlx::query("SELECT sealed, sealed_key FROM approval_keys WHERE id = ?1")
        .bind(ID)
        .fetch_optional(&mut *tx)
        .await?;
    let key = match row {
        Some(row) => {
            let key = store
                .keys()
                .get(&mut tx, row.try_get("sealed_key")?)
                .await?;
            let opened = key.open(PLACE, row.try_get("sealed")?)?;
            let bytes = <[u8; KEY_LEN]>::try_from(opened.as_slice());
            bytes.map_err(|_| StoreError::damaged("key", ID, "it has another length"))?
        }
        None => {
            let mut bytes = Zeroizing::new([0; KEY_LEN]);
            getrandom::fill(&mut *bytes)?;
            let sealed = store.seal(&mut tx, PLACE, &*bytes).await?;
            sqlx::query("INSERT INTO approval_keys (id, sealed, sealed_key) VALUES (?1, ?2, ?3)")
                .bind(ID)
                .bind(sealed.bytes)
                .bind(sealed.key)
                .execute(&mut *tx)
                .await?;
            *bytes
        }
    };
    tx.commit().await?;
    Ok(DigestKey::new(key))
}
