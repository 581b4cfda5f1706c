//! What has ended here and perhaps not at its service.
//!
//! The accident: a program is ended between the store and the service, or the service does not answer, and a token lives
//! on that nobody knows any more. So whatever takes secrets out of use puts them here in the same transaction. No call finds
//! them here; who revokes them does, as often as it takes.

use std::time::Duration;

use portcullis::ports::credentials::Identity;
use portcullis_policy::{ConnectionId, ConnectorName, Origin, PersonId};
use serde::{Deserialize, Serialize};
use sqlx::{Row, SqliteConnection};

use crate::connection::{ConnectionSecrets, Owner, SecretsRecord, StoredConnection, open, seal};
use crate::error::StoreError;
use crate::seal::Place;
use crate::store::{Store, random_id};

/// Secrets that are in use no more.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The connection that they were of, if it came to one.
    pub connection: Option<ConnectionId>,
    /// The connector that used them.
    pub connector: ConnectorName,
    /// Whose they were.
    pub owner: Owner,
    /// What people called it.
    pub label: String,
    /// Where requests went.
    pub origin: Origin,
    /// Who was signed in, if that was found out.
    pub user: Option<User>,
    /// What is to be revoked, and how.
    pub secrets: ConnectionSecrets,
}

/// A user of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The service's id of the user.
    pub id: String,
    /// The service's id of the organization.
    pub organization: Option<String>,
}

/// Secrets that are kept until they are revoked.
#[derive(Clone, Debug)]
pub struct Ending {
    /// What [`Store::forget_ending`] takes.
    pub id: String,
    /// What it is.
    pub ended: Ended,
}

impl Ended {
    /// Says of what a connection's secrets were.
    pub fn of(connection: &StoredConnection, secrets: ConnectionSecrets) -> Self {
        Self {
            connection: Some(connection.id.clone()),
            connector: connection.connector.clone(),
            owner: connection.owner.clone(),
            label: connection.label.clone(),
            origin: connection.origin.clone(),
            user: connection.identity.as_ref().map(User::from),
            secrets,
        }
    }
}

impl From<&Identity> for User {
    fn from(identity: &Identity) -> Self {
        Self {
            id: identity.user_id.clone(),
            organization: identity.organization_id.clone(),
        }
    }
}

/// An ending as it is sealed: JSON.
#[derive(Serialize, Deserialize)]
struct Record<'a> {
    connection: Option<ConnectionId>,
    person: Option<PersonId>,
    label: String,
    origin: String,
    user: Option<User>,
    secrets: SecretsRecord<'a>,
}

impl Store {
    /// Keeps secrets that never came to be a connection's, or are one's no more, until they are revoked.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn keep_ending(&self, ended: Ended) -> Result<Ending, StoreError> {
        let mut tx = self.write().await?;
        let ending = keep(self, &mut tx, ended).await?;
        tx.commit().await?;
        Ok(ending)
    }

    /// Lists what is still to be revoked, the oldest first. What does not open is left out.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn endings(&self) -> Result<Vec<Ending>, StoreError> {
        let mut tx = self.read().await?;
        let rows = sqlx::query("SELECT * FROM endings ORDER BY created, id")
            .fetch_all(&mut *tx)
            .await?;
        let mut endings = Vec::with_capacity(rows.len());
        for row in &rows {
            let (id, connector): (String, String) = (row.try_get("id")?, row.try_get("connector")?);
            let parts = [id.as_str(), connector.as_str()];
            let (key, sealed) = (row.try_get("sealed_key")?, row.try_get("sealed")?);
            let opened = open::<Record<'static>>(self, &mut tx, place(&parts), key, sealed).await;
            match opened.and_then(|record| ended(&id, &connector, record)) {
                Ok(ended) => endings.push(Ending { id, ended }),
                Err(error @ (StoreError::Seal(_) | StoreError::Damaged { .. })) => {
                    tracing::warn!(%error, "what is to be revoked does not open");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(endings)
    }

    /// Forgets secrets that are good for nothing any more.
    ///
    /// # Errors
    ///
    /// When the store cannot be written: they are found again.
    pub async fn forget_ending(&self, id: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("DELETE FROM endings WHERE id = ?1")
            .bind(id)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Forgets what could not be revoked for so long, and says how many that were.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn forget_endings(&self, older_than: Duration) -> Result<u64, StoreError> {
        let age = i64::try_from(older_than.as_millis()).unwrap_or(i64::MAX);
        let mut tx = self.write().await?;
        let forgotten = sqlx::query("DELETE FROM endings WHERE created <= ?1")
            .bind(self.now().saturating_sub(age))
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(forgotten.rows_affected())
    }
}

/// Keeps secrets in a transaction.
pub(crate) async fn keep(
    store: &Store,
    tx: &mut SqliteConnection,
    ended: Ended,
) -> Result<Ending, StoreError> {
    let id = random_id()?;
    let record = Record {
        connection: ended.connection.clone(),
        person: ended.owner.person().cloned(),
        label: ended.label.clone(),
        origin: ended.origin.to_string(),
        user: ended.user.clone(),
        secrets: SecretsRecord::from(&ended.secrets),
    };
    let parts = [id.as_str(), ended.connector.as_str()];
    let sealed = seal(store, tx, place(&parts), &record).await?;
    sqlx::query(
        "INSERT INTO endings (id, connector, created, sealed, sealed_key) VALUES (?1, ?2, ?3, ?4, ?5)",
    )
    .bind(&id)
    .bind(ended.connector.as_str())
    .bind(store.now())
    .bind(sealed.bytes)
    .bind(sealed.key)
    .execute(tx)
    .await?;
    Ok(Ending { id, ended })
}

fn ended(id: &str, connector: &str, record: Record<'static>) -> Result<Ended, StoreError> {
    let damaged = |problem: String| StoreError::damaged("what is to be revoked", id, problem);
    Ok(Ended {
        connection: record.connection,
        connector: ConnectorName::parse(connector).map_err(|error| damaged(error.to_string()))?,
        owner: record.person.map_or(Owner::Shared, Owner::Person),
        label: record.label,
        origin: Origin::parse(&record.origin).map_err(|error| damaged(error.to_string()))?,
        user: record.user,
        secrets: record.secrets.into(),
    })
}

fn place<'a>(row: &'a [&'a str]) -> Place<'a> {
    Place {
        table: "endings",
        column: "sealed",
        row,
    }
}
