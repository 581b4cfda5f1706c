//! New keys: a data key for everything that is sealed, or a master key for the data keys.
//!
//! Nobody waits for a rotation. From its first step on whoever writes seals under the new key (`data_keys`); what is sealed under
//! older ones is sealed anew, a few rows at a time; and an older key goes in a transaction that finds nothing which needs it.
//! The audit log is not written anew: it has keys of its own, which are sealed here, and takes a new one for the segments that it
//! begins from then on. Whoever is killed in between leaves a store that works, and the next rotation finishes the work.

use sqlx::{Row, SqliteConnection};

use crate::audit;
use crate::error::StoreError;
use crate::master_key::MasterKey;
use crate::seal::Place;
use crate::store::Store;

/// Rows that are sealed anew in one transaction. Other writers wait for it.
const BATCH_ROWS: i64 = 64;

/// A column of sealed values.
struct SealedColumn {
    table: &'static str,
    column: &'static str,
    /// Finds values under keys older than `?1`: the parts of the row's place, then the value, then its key.
    find: &'static str,
    /// Replaces the value of the row `?1`.
    replace: &'static str,
    /// Says whether a value is under a key older than `?1`.
    remains: &'static str,
}

/// Every sealed column there is. A test compares it with the schema.
const SEALED: [SealedColumn; 15] = [
    SealedColumn {
        table: "connections",
        column: "secrets",
        find: "SELECT id, connector, ifnull(person, ''), origin, secrets, secrets_key FROM connections \
               WHERE secrets_key < ?1 LIMIT ?2",
        replace: "UPDATE connections SET secrets = ?2, secrets_key = ?3 WHERE id = ?1",
        remains: "SELECT EXISTS (SELECT 1 FROM connections WHERE secrets_key < ?1)",
    },
    SealedColumn {
        table: "connections",
        column: "identity",
        find: "SELECT id, connector, ifnull(person, ''), origin, identity, identity_key FROM connections \
               WHERE identity_key < ?1 LIMIT ?2",
        replace: "UPDATE connections SET identity = ?2, identity_key = ?3 WHERE id = ?1",
        remains: "SELECT EXISTS (SELECT 1 FROM connections WHERE identity_key < ?1)",
    },
    SealedColumn {
        table: "apps",
        column: "secret",
        find: "SELECT id, connector, login, client_id, secret, secret_key FROM apps \
               WHERE secret_key < ?1 LIMIT ?2",
        replace: "UPDATE apps SET secret = ?2, secret_key = ?3 WHERE id = ?1",
        remains: "SELECT EXISTS (SELECT 1 FROM apps WHERE secret_key < ?1)",
    },
    SealedColumn {
        table: "sign_ins",
        column: "sealed",
        find: "SELECT id, person, CAST(expires AS TEXT), sealed, sealed_key FROM sign_ins \
               WHERE sealed_key < ?1 LIMIT ?2",
        replace: "UPDATE sign_ins SET sealed = ?2, sealed_key = ?3 WHERE id = ?1",
        remains: "SELECT EXISTS (SELECT 1 FROM sign_ins WHERE sealed_key < ?1)",
    },
    SealedColumn {
        table: "endings",
        column: "sealed",
        find: "SELECT id, connector, sealed, sealed_key FROM endings WHERE sealed_key < ?1 LIMIT ?2",
        replace: "UPDATE endings SET sealed = ?2, sealed_key = ?3 WHERE id = ?1",
        remains: "SELECT EXISTS (SELECT 1 FROM endings WHERE sealed_key < ?1)",
    },
    SealedColumn {
        table: "approvals",
        column: "held",
        find: "SELECT id, person, digest, held, held_key FROM approvals WHERE held_key < ?1 LIMIT ?2",
        replace: "UPDATE approvals SET held = ?2, held_key = ?3 WHERE id = ?1",
        remains: "SELECT EXISTS (SELECT 1 FROM approvals WHERE held_key < ?1)",
    },
    SealedColumn {
        table: "approvals",
        column: "reason",
        find: "SELECT id, person, digest, reason, reason_key FROM approvals WHERE reason_key < ?1 LIMIT ?2",
        replace: "UPDATE approvals SET reason = ?2, reason_key = ?3 WHERE id = ?1",
        remains: "SELECT EXISTS (SELECT 1 FROM approvals WHERE reason_key < ?1)",
    },
    SealedColumn {
        table: "approvals",
        column: "answer",
        find: "SELECT id, person, digest, answer, answer_key FROM approvals WHERE answer_key < ?1 LIMIT ?2",
        replace: "UPDATE approvals SET answer = ?2, answer_key = ?3 WHERE id = ?1",
        remains: "SELECT EXISTS (SELECT 1 FROM approvals WHERE answer_key < ?1)",
    },
    SealedColumn {
        table: "approvals",
        column: "granted",
        find: "SELECT id, person, digest, granted, granted_key FROM approvals WHERE granted_key < ?1 LIMIT ?2",
        replace: "UPDATE approvals SET granted = ?2, granted_key = ?3 WHERE id = ?1",
        remains: "SELECT EXISTS (SELECT 1 FROM approvals WHERE granted_key < ?1)",
    },
    SealedColumn {
        table: "standing_approvals",
        column: "granted",
        find: "SELECT id, person, agent, connector, tool, connection, action, kind, fields, alike, CAST(records AS TEXT), \
               granted, granted_key FROM standing_approvals WHERE granted_key < ?1 LIMIT ?2",
        replace: "UPDATE standing_approvals SET granted = ?2, granted_key = ?3 WHERE id = ?1",
        remains: "SELECT EXISTS (SELECT 1 FROM standing_approvals WHERE granted_key < ?1)",
    },
    SealedColumn {
        table: "connector_versions",
        column: "granted",
        find: "SELECT id, connector, digest, CAST(position AS TEXT), granted, granted_key FROM connector_versions \
               WHERE granted_key < ?1 LIMIT ?2",
        replace: "UPDATE connector_versions SET granted = ?2, granted_key = ?3 WHERE id = ?1",
        remains: "SELECT EXISTS (SELECT 1 FROM connector_versions WHERE granted_key < ?1)",
    },
    SealedColumn {
        table: "decisions",
        column: "sealed",
        find: "SELECT CAST(id AS TEXT), CAST(generation AS TEXT), sealed, sealed_key FROM decisions \
               WHERE sealed_key < ?1 LIMIT ?2",
        replace: "UPDATE decisions SET sealed = ?2, sealed_key = ?3 WHERE id = ?1",
        remains: "SELECT EXISTS (SELECT 1 FROM decisions WHERE sealed_key < ?1)",
    },
    SealedColumn {
        table: "approval_uses",
        column: "sealed",
        find: "SELECT id, sealed, sealed_key FROM approval_uses WHERE sealed_key < ?1 LIMIT ?2",
        replace: "UPDATE approval_uses SET sealed = ?2, sealed_key = ?3 WHERE id = ?1",
        remains: "SELECT EXISTS (SELECT 1 FROM approval_uses WHERE sealed_key < ?1)",
    },
    SealedColumn {
        table: "approval_keys",
        column: "sealed",
        find: "SELECT id, sealed, sealed_key FROM approval_keys WHERE sealed_key < ?1 LIMIT ?2",
        replace: "UPDATE approval_keys SET sealed = ?2, sealed_key = ?3 WHERE id = ?1",
        remains: "SELECT EXISTS (SELECT 1 FROM approval_keys WHERE sealed_key < ?1)",
    },
    SealedColumn {
        table: "audit_keys",
        column: "secret",
        find: "SELECT CAST(id AS TEXT), secret, secret_key FROM audit_keys \
               WHERE secret_key < ?1 LIMIT ?2",
        replace: "UPDATE audit_keys SET secret = ?2, secret_key = ?3 WHERE id = ?1",
        remains: "SELECT EXISTS (SELECT 1 FROM audit_keys WHERE secret_key < ?1)",
    },
];

impl Store {
    /// Seals everything under a new data key and removes the older ones. Says how many values were sealed anew.
    ///
    /// Other processes go on meanwhile. A rotation that was broken off is finished by the next.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] with the row that does not open: what was done stays done, and the older keys stay
    /// until that row is removed.
    pub async fn rotate_key(&self) -> Result<u64, StoreError> {
        self.rotate_key_watched(|_| ()).await
    }

    /// Does what [`Store::rotate_key`] does, and says after every few values how many were sealed anew.
    ///
    /// # Errors
    ///
    /// As for [`Store::rotate_key`].
    pub async fn rotate_key_watched(
        &self,
        sealed_so_far: impl FnMut(u64),
    ) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        self.keys().add(&mut tx, self.now()).await?;
        audit::add_key_where_any(self, &mut tx).await?;
        tx.commit().await?;
        self.reseal(sealed_so_far).await
    }

    /// Wraps the data keys under a new master key, which opens the store from now on, and makes a new data key: who knows the
    /// old master key and has an older copy of the file knows the older data keys, too. [`Store::reseal`] is to follow.
    ///
    /// Other processes read what they have the data key of, and write nothing that is sealed until they are started
    /// again.
    ///
    /// # Errors
    ///
    /// [`StoreError::KeyChanged`] when another process did this before: open the store with the key of then first.
    pub async fn rewrap(&self, new: &MasterKey) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        self.keys().rewrap(&mut tx, new, self.now()).await?;
        tx.commit().await?;
        self.keys().set_master(new.clone());
        Ok(())
    }

    /// Seals everything under the newest data key and removes the older ones, and says after every few values how many were
    /// sealed anew.
    ///
    /// # Errors
    ///
    /// As for [`Store::rotate_key`].
    pub async fn reseal(&self, mut sealed_so_far: impl FnMut(u64)) -> Result<u64, StoreError> {
        let mut sealed = 0;
        loop {
            for column in &SEALED {
                loop {
                    match self.seal_anew(column).await? {
                        0 => break,
                        rows => sealed += rows,
                    }
                    sealed_so_far(sealed);
                }
            }
            if let Some(newest) = self.remove_older_keys().await? {
                self.keys().forget_before(newest);
                break;
            }
        }
        // So that the log does not keep what the table no longer has; a reader may need it for a while yet.
        if let Err(error) = self.database().checkpoint().await {
            tracing::debug!(%error, "the write-ahead log was not emptied");
        }
        Ok(sealed)
    }

    /// Seals a few values anew, and says how many; none: none is left.
    async fn seal_anew(&self, column: &SealedColumn) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        let newest = self.keys().newest(&mut tx).await?;
        let rows = sqlx::query(column.find)
            .bind(newest.id())
            .bind(BATCH_ROWS)
            .fetch_all(&mut *tx)
            .await?;
        for row in &rows {
            // The value and its key come last.
            let parts = row.len() - 2;
            let mut place: Vec<&str> = Vec::with_capacity(parts);
            for part in 0..parts {
                place.push(row.try_get(part)?);
            }
            let place = Place {
                table: column.table,
                column: column.column,
                row: &place,
            };
            let older = self.keys().get(&mut tx, row.try_get(parts + 1)?).await?;
            let value = older.open(place, row.try_get(parts)?)?;
            sqlx::query(column.replace)
                .bind(place.row[0])
                .bind(newest.seal(place, &value)?)
                .bind(newest.id())
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(rows.len() as u64)
    }

    /// Removes the keys that are older than the newest, and gives that; none where something needs one.
    async fn remove_older_keys(&self) -> Result<Option<i64>, StoreError> {
        let mut tx = self.write().await?;
        let newest = self.keys().newest(&mut tx).await?.id();
        if remains(&mut tx, newest).await? {
            return Ok(None);
        }
        // The references of the schema would refuse this too.
        sqlx::query("DELETE FROM keys WHERE id < ?1")
            .bind(newest)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(Some(newest))
    }
}

/// Says whether a value is under a key older than the newest.
async fn remains(tx: &mut SqliteConnection, newest: i64) -> Result<bool, StoreError> {
    for column in &SEALED {
        let remains: bool = sqlx::query_scalar(column.remains)
            .bind(newest)
            .fetch_one(&mut *tx)
            .await?;
        if remains {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::collections::BTreeSet;

    use portcullis::ports::credentials::Environment;
    use portcullis_policy::{ConnectorName, Origin};
    use secrecy::ExposeSecret;
    use tempfile::TempDir;

    use super::*;
    use crate::address::Location;
    use crate::connection::{
        ConnectionSecrets, ConnectionState, Endpoints, Grant, NewConnection, Owner,
    };
    use crate::store::StoreOptions;

    async fn store() -> (TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let master = MasterKey::random().unwrap();
        let options = StoreOptions::new(Location::in_folder(folder.path()), master);
        let store = Store::open(options).await.unwrap();
        (folder, store)
    }

    fn connection() -> NewConnection {
        NewConnection {
            connector: ConnectorName::parse("crm").unwrap(),
            owner: Owner::Shared,
            label: "Acme".to_owned(),
            origin: Origin::parse("https://acme.example.com").unwrap(),
            environment: Environment::Unknown,
            identity: None,
            scopes: vec![],
            state: ConnectionState::Active,
            secrets: ConnectionSecrets {
                access_token: "token".to_owned().into(),
                refresh_token: None,
                client_id: "app".to_owned(),
                client_secret: None,
                grant: Grant::ClientCredentials,
                endpoints: Endpoints {
                    authorize: String::new(),
                    token: "https://login.example.com/token".to_owned(),
                    revoke: None,
                },
                scopes: vec![],
            },
            replaces: None,
        }
    }

    #[tokio::test]
    async fn every_column_that_needs_a_key_is_sealed_anew() {
        let (_folder, store) = store().await;
        let mut tx = store.read().await.unwrap();
        let needing: Vec<(String, String)> = sqlx::query_as(
            "SELECT t.name, f.\"from\" FROM sqlite_schema t, pragma_foreign_key_list(t.name) f \
             WHERE t.type = 'table' AND f.\"table\" = 'keys'",
        )
        .fetch_all(&mut *tx)
        .await
        .unwrap();
        let named = SEALED
            .iter()
            .map(|one| (one.table.to_owned(), format!("{}_key", one.column)));
        assert_eq!(
            needing.into_iter().collect::<BTreeSet<_>>(),
            named.collect::<BTreeSet<_>>()
        );
    }

    #[tokio::test]
    async fn a_rotation_that_was_broken_off_is_finished_by_the_next() {
        let (_folder, store) = store().await;
        for _ in 0..100 {
            store.put_connection(connection()).await.unwrap();
        }
        // Broken off when the new key was there, when some rows were under it, and when all were.
        for batches in [0, 1, 2] {
            let mut tx = store.write().await.unwrap();
            store.keys().add(&mut tx, store.now()).await.unwrap();
            tx.commit().await.unwrap();
            for _ in 0..batches {
                assert!(store.seal_anew(&SEALED[0]).await.unwrap() > 0);
            }
            let of_decisions = SEALED.iter().find(|one| one.table == "decisions").unwrap();
            if batches == 2 {
                assert_eq!(store.seal_anew(of_decisions).await.unwrap(), 1);
            }
            let left = store.remove_older_keys().await.unwrap();
            assert_eq!(left.is_some(), batches == 2, "none goes that is needed");
            for connection in store.connections().await.unwrap() {
                let token = store.access_token(&connection.id).await.unwrap();
                assert_eq!(token.secret.expose_secret(), "token");
            }
        }
        let mut tx = store.write().await.unwrap();
        store.keys().add(&mut tx, store.now()).await.unwrap();
        tx.commit().await.unwrap();
        // The connections, and what was decided.
        assert_eq!(store.rotate_key().await.unwrap(), 101);
        let mut tx = store.read().await.unwrap();
        let keys: Vec<i64> = sqlx::query_scalar("SELECT id FROM keys")
            .fetch_all(&mut *tx)
            .await
            .unwrap();
        assert_eq!(keys, [6]);
    }
}
