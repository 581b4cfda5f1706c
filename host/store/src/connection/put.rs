//! Keeping a connection that somebody has just signed in to, and what is found out about it later.

use std::time::Duration;

use jiff::Timestamp;
use portcullis::ports::credentials::{Environment, Identity};
use portcullis_policy::{ConnectionId, ConnectorName, Origin};
use sqlx::{Row, SqliteConnection};

use super::row::{self, Anchor, Last, seal_identity, seal_secrets};
use super::{ConnectionSecrets, ConnectionState, Owner, Removed};
use crate::error::StoreError;
use crate::people::require_person;
use crate::rename::{Named, rename};
use crate::store::{Store, random_id};
use crate::text::{message, text};

/// How exactly it is known when a connection was last used. Each write is synced, so not every use is written.
const USED_EXACT_MS: i64 = 60_000;

/// A connection to be kept.
#[derive(Clone, Debug)]
pub struct NewConnection {
    /// The connector that uses it.
    pub connector: ConnectorName,
    /// Whose it is.
    pub owner: Owner,
    /// What people call it.
    pub label: String,
    /// Where its requests go.
    pub origin: Origin,
    /// The kind of system, as far as the sign-in tells.
    pub environment: Environment,
    /// Who is signed in, if that is known already.
    pub identity: Option<Identity>,
    /// What the service granted.
    pub scopes: Vec<String>,
    /// Whether it can be used.
    pub state: ConnectionState,
    /// What opens it.
    pub secrets: ConnectionSecrets,
    /// The connection that this one is the renewal of. It keeps its id, and with it its shares and agents.
    pub replaces: Option<ConnectionId>,
}

/// What came of keeping a connection.
#[derive(Clone, Debug)]
pub struct Put {
    /// The connection's id.
    pub id: ConnectionId,
    /// The generation of its tokens.
    pub generation: u64,
    /// What was in its place before, so that its tokens can be revoked, where they are others. Its
    /// identity says which organization it was of.
    pub replaced: Option<Removed>,
}

impl Store {
    /// Keeps a connection. A person has one of a connector: another one makes room, in the same transaction. A pending one
    /// stands beside, with an id of its own, and takes nothing's place before [`Store::activate`].
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] for the person or for what is to be replaced, [`StoreError::OtherConnection`]
    /// where that is another owner's or connector's, and [`StoreError::Text`] for the label.
    pub async fn put_connection(&self, new: NewConnection) -> Result<Put, StoreError> {
        let mut tx = self.write().await?;
        let put = match (new.state == ConnectionState::Pending, &new.replaces) {
            (false, Some(id)) => {
                let id = id.clone();
                let replaced = self.replaced(&mut tx, &new).await?;
                self.keep(&mut tx, id, 0, new, replaced).await?
            }
            (false, None) => {
                let replaced = self.replaced(&mut tx, &new).await?;
                self.keep(&mut tx, random()?, 0, new, replaced).await?
            }
            (true, replaces) => {
                if let Some(id) = replaces {
                    require_alike(self, &mut tx, id, &new).await?;
                }
                self.keep(&mut tx, random()?, 0, new, None).await?
            }
        };
        tx.commit().await?;
        Ok(put)
    }

    /// Makes a pending connection usable, now that it is known who is signed in, and puts it in the place of what it replaces: all
    /// in one transaction. None where it is not pending any more.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] when what it replaces was removed meanwhile: it stays pending.
    pub async fn activate(
        &self,
        id: &ConnectionId,
        identity: &Identity,
    ) -> Result<Option<Put>, StoreError> {
        let mut tx = self.write().await?;
        let Some(row) = row::row(&mut tx, id.as_str()).await? else {
            return Ok(None);
        };
        let (pending, secrets) = row::require(self, &mut tx, id).await?;
        if pending.state != ConnectionState::Pending {
            return Ok(None);
        }
        let replaces: Option<String> = row.try_get("replaces")?;
        let replaces = replaces.map(ConnectionId::parse).transpose();
        let new = NewConnection {
            replaces: replaces
                .map_err(|error| StoreError::damaged("replaced connection", id.as_str(), error))?,
            environment: match identity.environment {
                Environment::Unknown => pending.environment,
                known => known,
            },
            identity: Some(identity.clone()),
            state: ConnectionState::Active,
            connector: pending.connector,
            owner: pending.owner,
            label: pending.label,
            origin: pending.origin,
            scopes: pending.scopes,
            secrets,
        };
        let replaced = self.replaced(&mut tx, &new).await?;
        let id = match &new.replaces {
            Some(place) => {
                // Its tokens go on in another row.
                row::delete(&mut tx, id.as_str()).await?;
                place.clone()
            }
            None => id.clone(),
        };
        let generation = pending.generation;
        let put = self.keep(&mut tx, id, generation, new, replaced).await?;
        tx.commit().await?;
        Ok(Some(put))
    }

    /// Removes the pending connections that were made so long ago that nobody finishes them any more, and gives them
    /// so that their tokens can be revoked.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn remove_pending(&self, older_than: Duration) -> Result<Vec<Removed>, StoreError> {
        let age = i64::try_from(older_than.as_millis()).unwrap_or(i64::MAX);
        let mut tx = self.write().await?;
        let left: Vec<String> = sqlx::query_scalar(
            "SELECT id FROM connections WHERE state = 'pending' AND created <= ?1 ORDER BY created",
        )
        .bind(self.now().saturating_sub(age))
        .fetch_all(&mut *tx)
        .await?;
        let mut removed = Vec::new();
        for id in left {
            removed.extend(self.remove_in(&mut tx, &id).await?);
        }
        tx.commit().await?;
        Ok(removed)
    }

    /// Writes a connection under an id, over what has that id.
    async fn keep(
        &self,
        tx: &mut SqliteConnection,
        id: ConnectionId,
        generation: u64,
        new: NewConnection,
        replaced: Option<Removed>,
    ) -> Result<Put, StoreError> {
        let label = text("a connection's label", &new.label)?;
        if let Owner::Person(person) = &new.owner {
            require_person(tx, person).await?;
        }
        let origin = new.origin.to_string();
        let anchor = Anchor::new(&id, &new.connector, &new.owner, &origin);
        let secrets = seal_secrets(self, tx, &anchor, &new.secrets).await?;
        let identity = match &new.identity {
            Some(identity) => Some(seal_identity(self, tx, &anchor, identity).await?),
            None => None,
        };
        let (state, reason) = state_words(&new.state);
        let replaces = match new.state {
            ConnectionState::Pending => new.replaces,
            ConnectionState::Active | ConnectionState::Reconnect { .. } => None,
        };
        // A token of the connection that was here is older than any of this one.
        let generation = replaced
            .as_ref()
            .map_or(0, |removed| removed.connection.generation + 1)
            .max(generation);
        sqlx::query(
            "INSERT INTO connections (id, connector, person, label, origin, environment, scopes, state, reason, \
                 identity, identity_key, secrets, secrets_key, generation, created, replaces) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) \
             ON CONFLICT (id) DO UPDATE SET \
                 label = excluded.label, origin = excluded.origin, environment = excluded.environment, \
                 scopes = excluded.scopes, state = excluded.state, reason = excluded.reason, \
                 identity = excluded.identity, identity_key = excluded.identity_key, \
                 secrets = excluded.secrets, secrets_key = excluded.secrets_key, \
                 generation = excluded.generation, created = excluded.created, replaces = excluded.replaces, \
                 lease_holder = NULL, lease_beats = NULL, in_flight_since = NULL, refreshed = NULL",
        )
        .bind(id.as_str())
        .bind(new.connector.as_str())
        .bind(new.owner.person().map(|person| person.as_str()))
        .bind(label)
        .bind(&origin)
        .bind(new.environment.as_str())
        .bind(scopes_json(&new.scopes)?)
        .bind(state)
        .bind(reason)
        .bind(identity.as_ref().map(|sealed| sealed.bytes.as_slice()))
        .bind(identity.as_ref().map(|sealed| sealed.key))
        .bind(secrets.bytes)
        .bind(secrets.key)
        .bind(generation.cast_signed())
        .bind(self.now())
        .bind(replaces.as_ref().map(ConnectionId::as_str))
        .execute(tx)
        .await?;
        Ok(Put {
            id,
            generation,
            replaced,
        })
    }

    /// Takes what a new connection replaces: the one that it names, and else its person's own.
    async fn replaced(
        &self,
        tx: &mut SqliteConnection,
        new: &NewConnection,
    ) -> Result<Option<Removed>, StoreError> {
        if let Some(id) = &new.replaces {
            let last = require_alike(self, tx, id, new).await?;
            return self.end(tx, last).await.map(Some);
        }
        let Some(person) = new.owner.person() else {
            return Ok(None);
        };
        match row::own(tx, person, &new.connector).await? {
            Some(row) => self.remove_in(tx, row.try_get("id")?).await,
            None => Ok(None),
        }
    }

    /// Keeps who is signed in, once it was found out, unless somebody has signed in since. `signed_in` is when
    /// the connection that was asked about was made. Says whether it was kept.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] when the connection was removed.
    pub async fn set_identity(
        &self,
        id: &ConnectionId,
        signed_in: Timestamp,
        identity: &Identity,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let row = row::row(&mut tx, id.as_str()).await?;
        let row = row.ok_or_else(|| StoreError::not_found("connection", id))?;
        // The identity that is here may not open: it is about to be replaced.
        let connection = row::last(self, &mut tx, &row).await?.connection;
        if connection.created != signed_in {
            return Ok(false);
        }
        let origin: &str = row.try_get("origin")?;
        let anchor = Anchor::new(id, &connection.connector, &connection.owner, origin);
        let sealed = seal_identity(self, &mut tx, &anchor, identity).await?;
        sqlx::query(
            "UPDATE connections SET identity = ?2, identity_key = ?3, environment = ?4 WHERE id = ?1",
        )
        .bind(id.as_str())
        .bind(sealed.bytes)
        .bind(sealed.key)
        .bind(identity.environment.as_str())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Gives a connection another label.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`], and [`StoreError::Text`] when the label cannot be shown.
    pub async fn relabel(&self, id: &ConnectionId, label: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        rename(&mut tx, Named::Connection(id), label).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Writes down that a connection is used now, unless that was written within the last minute.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn note_use(&self, id: &ConnectionId) -> Result<(), StoreError> {
        let now = self.now();
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE connections SET used = ?2 WHERE id = ?1 AND (used IS NULL OR used <= ?3)",
        )
        .bind(id.as_str())
        .bind(now)
        .bind(now - USED_EXACT_MS)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Says whether a use of a connection is to be written down.
    pub(crate) fn is_use_news(&self, used: Option<Timestamp>) -> bool {
        used.is_none_or(|used| used.as_millisecond() <= self.now() - USED_EXACT_MS)
    }
}

/// Finds what a connection is to take the place of, which must be of the same connector and owner, and in use.
async fn require_alike(
    store: &Store,
    tx: &mut SqliteConnection,
    id: &ConnectionId,
    new: &NewConnection,
) -> Result<Last, StoreError> {
    let row = row::row(tx, id.as_str()).await?;
    let row = row.ok_or_else(|| StoreError::not_found("connection", id))?;
    let before = row::last(store, tx, &row).await?;
    let was = &before.connection;
    let is_alike = was.connector == new.connector && was.owner == new.owner;
    match is_alike && was.state != ConnectionState::Pending {
        true => Ok(before),
        false => Err(StoreError::OtherConnection(id.clone())),
    }
}

/// Makes the id of a new connection.
fn random() -> Result<ConnectionId, StoreError> {
    ConnectionId::parse(random_id()?)
        .map_err(|error| StoreError::damaged("id", "a new connection", error))
}

/// The words for a state, with its reason.
fn state_words(state: &ConnectionState) -> (&'static str, Option<String>) {
    match state {
        ConnectionState::Active => ("active", None),
        ConnectionState::Reconnect { reason } => ("reconnect", Some(message(reason))),
        ConnectionState::Pending => ("pending", None),
    }
}

/// Scopes as they are stored.
pub(super) fn scopes_json(scopes: &[String]) -> Result<String, StoreError> {
    serde_json::to_string(scopes).map_err(|error| StoreError::damaged("scopes", "a new row", error))
}
