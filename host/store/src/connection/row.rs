//! A connection in its row: read, opened, sealed, removed.

use portcullis::ports::credentials::{Environment, Identity};
use portcullis_policy::{ConnectionId, ConnectorName, Origin, PersonId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::{
    ConnectionSecrets, ConnectionState, Owner, Removed, SecretsRecord, StoredConnection, identity,
    secrets,
};
use crate::data_keys::Sealed;
use crate::decisions::Decisions;
use crate::ending::{self, Ended};
use crate::error::StoreError;
use crate::seal::Place;
use crate::store::{Store, time};

/// What the place of a connection's sealed values is made of. Its origin and owner are of it: who turns the row to another
/// server or person finds that nothing opens.
pub(super) struct Anchor<'a>([&'a str; 4]);

impl<'a> Anchor<'a> {
    pub(super) fn new(
        id: &'a ConnectionId,
        connector: &'a ConnectorName,
        owner: &'a Owner,
        origin: &'a str,
    ) -> Self {
        // No person's id is empty.
        let person = owner.person().map_or("", PersonId::as_str);
        Self([id.as_str(), connector.as_str(), person, origin])
    }

    fn place(&self, column: &'static str) -> Place<'_> {
        Place {
            table: "connections",
            column,
            row: &self.0,
        }
    }
}

/// Reads a connection out of a row of the table.
pub(crate) async fn of_row(
    store: &Store,
    tx: &mut SqliteConnection,
    row: &SqliteRow,
) -> Result<StoredConnection, StoreError> {
    let mut connection = plain(row)?;
    connection.identity = identity_of(store, tx, row, &connection).await?;
    Ok(connection)
}

/// Reads what is not sealed.
fn plain(row: &SqliteRow) -> Result<StoredConnection, StoreError> {
    let id: String = row.try_get("id")?;
    let connector: String = row.try_get("connector")?;
    let origin: String = row.try_get("origin")?;
    let damaged = |what, problem: String| StoreError::damaged(what, &id, problem);
    let person: Option<String> = row.try_get("person")?;
    let owner = match person {
        None => Owner::Shared,
        Some(person) => Owner::Person(
            PersonId::parse(person).map_err(|error| damaged("owner", error.to_string()))?,
        ),
    };
    let reason: Option<String> = row.try_get("reason")?;
    let word: &str = row.try_get("state")?;
    let state = match (word, reason) {
        ("active", None) => ConnectionState::Active,
        ("reconnect", Some(reason)) => ConnectionState::Reconnect { reason },
        ("pending", None) => ConnectionState::Pending,
        _ => return Err(damaged("state", "it is no state".to_owned())),
    };
    let moment = |column| -> Result<_, StoreError> {
        let at: Option<i64> = row.try_get(column)?;
        at.map(time).transpose()
    };
    let generation: i64 = row.try_get("generation")?;
    Ok(StoredConnection {
        connector: ConnectorName::parse(connector)
            .map_err(|error| damaged("connector", error.to_string()))?,
        owner,
        label: row.try_get("label")?,
        origin: Origin::parse(&origin).map_err(|error| damaged("origin", error.to_string()))?,
        environment: Environment::of_word(row.try_get("environment")?),
        identity: None,
        scopes: serde_json::from_str(row.try_get("scopes")?)
            .map_err(|error| damaged("scopes", error.to_string()))?,
        state,
        generation: generation.cast_unsigned(),
        in_flight_since: moment("in_flight_since")?,
        created: time(row.try_get("created")?)?,
        used: moment("used")?,
        refreshed: moment("refreshed")?,
        id: ConnectionId::parse(id.as_str()).map_err(|error| damaged("id", error.to_string()))?,
    })
}

/// Opens who is signed in.
async fn identity_of(
    store: &Store,
    tx: &mut SqliteConnection,
    row: &SqliteRow,
    connection: &StoredConnection,
) -> Result<Option<Identity>, StoreError> {
    let sealed: Option<&[u8]> = row.try_get("identity")?;
    let Some(sealed) = sealed else {
        return Ok(None);
    };
    let anchor = anchor(row, connection)?;
    let place = anchor.place("identity");
    let record: identity::Record =
        open(store, tx, place, row.try_get("identity_key")?, sealed).await?;
    Ok(Some(record.into()))
}

/// Gives the place of a row's sealed values, with its origin as it is written there.
fn anchor<'a>(
    row: &'a SqliteRow,
    connection: &'a StoredConnection,
) -> Result<Anchor<'a>, StoreError> {
    let StoredConnection {
        id,
        connector,
        owner,
        ..
    } = connection;
    Ok(Anchor::new(id, connector, owner, row.try_get("origin")?))
}

/// Opens the secrets of a row that `of_row` has read.
pub(super) async fn secrets_of(
    store: &Store,
    tx: &mut SqliteConnection,
    row: &SqliteRow,
    connection: &StoredConnection,
) -> Result<ConnectionSecrets, StoreError> {
    let anchor = anchor(row, connection)?;
    let place = anchor.place("secrets");
    let (key, sealed) = (row.try_get("secrets_key")?, row.try_get("secrets")?);
    let record: SecretsRecord<'static> = open(store, tx, place, key, sealed).await?;
    Ok(record.into())
}

/// Seals the secrets of a row.
pub(super) async fn seal_secrets(
    store: &Store,
    tx: &mut SqliteConnection,
    anchor: &Anchor<'_>,
    secrets: &ConnectionSecrets,
) -> Result<Sealed, StoreError> {
    seal(
        store,
        tx,
        anchor.place("secrets"),
        &SecretsRecord::from(secrets),
    )
    .await
}

/// Seals who is signed in.
pub(super) async fn seal_identity(
    store: &Store,
    tx: &mut SqliteConnection,
    anchor: &Anchor<'_>,
    identity: &Identity,
) -> Result<Sealed, StoreError> {
    seal(
        store,
        tx,
        anchor.place("identity"),
        &identity::Record::from(identity),
    )
    .await
}

/// Seals a record as JSON.
pub(crate) async fn seal(
    store: &Store,
    tx: &mut SqliteConnection,
    place: Place<'_>,
    record: &impl Serialize,
) -> Result<Sealed, StoreError> {
    let text = secrets::json(record)
        // The message of an error may repeat a value.
        .map_err(|_| StoreError::damaged(place.column, "a new row", "it cannot be written"))?;
    store.seal(tx, place, &text).await
}

/// Opens a record.
pub(crate) async fn open<T: DeserializeOwned>(
    store: &Store,
    tx: &mut SqliteConnection,
    place: Place<'_>,
    key: i64,
    sealed: &[u8],
) -> Result<T, StoreError> {
    let text = store.keys().get(tx, key).await?.open(place, sealed)?;
    serde_json::from_slice(&text).map_err(|_| {
        let row = place.row.first().copied().unwrap_or_default();
        StoreError::damaged(
            place.column,
            row,
            "another version of this program wrote it",
        )
    })
}

impl Store {
    /// Finds a connection by its id.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or the row is damaged.
    pub async fn stored_connection(
        &self,
        id: &ConnectionId,
    ) -> Result<Option<StoredConnection>, StoreError> {
        let mut tx = self.read().await?;
        match row(&mut tx, id.as_str()).await? {
            Some(row) => Ok(Some(of_row(self, &mut tx, &row).await?)),
            None => Ok(None),
        }
    }

    /// Finds a person's own connection of a connector; a pending one is none yet.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or the row is damaged.
    pub async fn own_connection(
        &self,
        person: &PersonId,
        connector: &ConnectorName,
    ) -> Result<Option<StoredConnection>, StoreError> {
        let mut tx = self.read().await?;
        let row = own(&mut tx, person, connector).await?;
        match row {
            Some(row) => Ok(Some(of_row(self, &mut tx, &row).await?)),
            None => Ok(None),
        }
    }

    /// Lists all connections, in the order in which they were made; those that are pending are among them.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or a row is damaged.
    pub async fn connections(&self) -> Result<Vec<StoredConnection>, StoreError> {
        let mut tx = self.read().await?;
        let rows = sqlx::query("SELECT * FROM connections ORDER BY created, id")
            .fetch_all(&mut *tx)
            .await?;
        let mut connections = Vec::with_capacity(rows.len());
        for row in &rows {
            connections.push(of_row(self, &mut tx, row).await?);
        }
        Ok(connections)
    }

    /// Opens a connection's secrets, with the generation that they are of.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`], and [`StoreError::Seal`] when they do not open.
    pub async fn secrets(&self, id: &ConnectionId) -> Result<(ConnectionSecrets, u64), StoreError> {
        let mut tx = self.read().await?;
        let (connection, secrets) = require(self, &mut tx, id).await?;
        Ok((secrets, connection.generation))
    }

    /// Lists the connections of a connector with their secrets, whatever state they are in; those that do not open are left
    /// out.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or a row is damaged.
    pub async fn with_secrets(
        &self,
        connector: &ConnectorName,
    ) -> Result<Vec<(StoredConnection, ConnectionSecrets)>, StoreError> {
        let mut tx = self.read().await?;
        let rows = sqlx::query("SELECT * FROM connections WHERE connector = ?1")
            .bind(connector.as_str())
            .fetch_all(&mut *tx)
            .await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let last = last(self, &mut tx, row).await?;
            found.extend(last.secrets.map(|secrets| (last.connection, secrets)));
        }
        Ok(found)
    }

    /// Removes a connection with its shares, and gives it so that its tokens can be revoked; none where there is none.
    ///
    /// # Errors
    ///
    /// When the store cannot be written, or the row is damaged.
    pub async fn remove_connection(
        &self,
        id: &ConnectionId,
    ) -> Result<Option<Removed>, StoreError> {
        let mut tx = self.write().await?;
        let removed = self.remove_in(&mut tx, id.as_str()).await?;
        tx.commit().await?;
        Ok(removed)
    }

    /// Removes a connection in a transaction.
    pub(crate) async fn remove_in(
        &self,
        tx: &mut SqliteConnection,
        id: &str,
    ) -> Result<Option<Removed>, StoreError> {
        let Some(row) = row(tx, id).await? else {
            return Ok(None);
        };
        let last = last(self, tx, &row).await?;
        delete(tx, id).await?;
        if let Ok(id) = ConnectionId::parse(id) {
            let forget = |decisions: &mut Decisions| decisions.forget_connection(&id);
            self.forget_decided(tx, forget).await?;
        }
        self.end(tx, last).await.map(Some)
    }

    /// Puts the secrets of a connection that is gone where they are kept until they are revoked.
    pub(super) async fn end(
        &self,
        tx: &mut SqliteConnection,
        last: Last,
    ) -> Result<Removed, StoreError> {
        let Last {
            connection,
            secrets,
        } = last;
        let ending = match secrets {
            Some(secrets) => {
                let ended = Ended::of(&connection, secrets);
                Some(ending::keep(self, tx, ended).await?)
            }
            None => None,
        };
        Ok(Removed { connection, ending })
    }
}

/// Takes a row away, and nothing more.
pub(super) async fn delete(tx: &mut SqliteConnection, id: &str) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM connections WHERE id = ?1")
        .bind(id)
        .execute(tx)
        .await
        .map(drop)
}

/// Finds a person's own connection of a connector; a pending one is none yet.
pub(crate) async fn own(
    tx: &mut SqliteConnection,
    person: &PersonId,
    connector: &ConnectorName,
) -> Result<Option<SqliteRow>, sqlx::Error> {
    sqlx::query(
        "SELECT * FROM connections WHERE person = ?1 AND connector = ?2 AND state <> 'pending'",
    )
    .bind(person.as_str())
    .bind(connector.as_str())
    .fetch_optional(tx)
    .await
}

/// Finds a row.
pub(super) async fn row(
    tx: &mut SqliteConnection,
    id: &str,
) -> Result<Option<SqliteRow>, sqlx::Error> {
    sqlx::query("SELECT * FROM connections WHERE id = ?1")
        .bind(id)
        .fetch_optional(tx)
        .await
}

/// Finds a connection with its secrets.
pub(super) async fn require(
    store: &Store,
    tx: &mut SqliteConnection,
    id: &ConnectionId,
) -> Result<(StoredConnection, ConnectionSecrets), StoreError> {
    let row = row(tx, id.as_str()).await?;
    let row = row.ok_or_else(|| StoreError::not_found("connection", id))?;
    let connection = of_row(store, tx, &row).await?;
    let secrets = secrets_of(store, tx, &row, &connection).await?;
    Ok((connection, secrets))
}

/// What a row holds that is about to go: without what does not open any more.
pub(super) struct Last {
    pub(super) connection: StoredConnection,
    pub(super) secrets: Option<ConnectionSecrets>,
}

/// Reads a row that is about to go.
pub(super) async fn last(
    store: &Store,
    tx: &mut SqliteConnection,
    row: &SqliteRow,
) -> Result<Last, StoreError> {
    let mut connection = plain(row)?;
    let identity = identity_of(store, tx, row, &connection).await;
    let secrets = secrets_of(store, tx, row, &connection).await;
    connection.identity = if_it_opens(&connection, identity)?.flatten();
    Ok(Last {
        secrets: if_it_opens(&connection, secrets)?,
        connection,
    })
}

/// Does without a sealed value that does not open: the row is to go.
fn if_it_opens<T>(
    connection: &StoredConnection,
    opened: Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    match opened {
        Ok(value) => Ok(Some(value)),
        Err(error @ (StoreError::Seal(_) | StoreError::Damaged { .. })) => {
            tracing::warn!(connection = %connection.id, %error, "a connection does not open");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
