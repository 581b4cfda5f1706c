//! Keeping a connection that somebody has just signed in to, and what is found out about it later.

use portcullis::ports::credentials::{Environment, Identity};
use portcullis_policy::{ConnectionId, ConnectorName, Origin};
use sqlx::{Row, SqliteConnection};

use super::row::{self, Anchor, environment_word, removed, seal_identity, seal_secrets};
use super::{ConnectionSecrets, ConnectionState, Owner, Removed};
use crate::error::StoreError;
use crate::people::require_person;
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
    /// Keeps a connection. A person has one of a connector: another one makes room, in the same transaction.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] for the person or for what is to be replaced, [`StoreError::OtherConnection`]
    /// where that is another owner's or connector's, and [`StoreError::Text`] for the label.
    pub async fn put_connection(&self, new: NewConnection) -> Result<Put, StoreError> {
        let label = text("a connection's label", &new.label)?;
        let mut tx = self.write().await?;
        if let Owner::Person(person) = &new.owner {
            require_person(&mut tx, person).await?;
        }
        let replaced = self.replaced(&mut tx, &new).await?;
        let id = match &new.replaces {
            Some(id) => id.clone(),
            None => ConnectionId::parse(random_id()?)
                .map_err(|error| StoreError::damaged("id", "a new connection", error))?,
        };
        let origin = new.origin.to_string();
        let anchor = Anchor::new(&id, &new.connector, &new.owner, &origin);
        let secrets = seal_secrets(self, &mut tx, &anchor, &new.secrets).await?;
        let identity = match &new.identity {
            Some(identity) => Some(seal_identity(self, &mut tx, &anchor, identity).await?),
            None => None,
        };
        let (state, reason) = state_words(&new.state);
        // A token of the connection that was here is older than any of this one.
        let generation = replaced
            .as_ref()
            .map_or(0, |removed| removed.connection.generation + 1);
        sqlx::query(
            "INSERT INTO connections (id, connector, person, label, origin, environment, scopes, state, reason, \
                 identity, identity_key, secrets, secrets_key, generation, created) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) \
             ON CONFLICT (id) DO UPDATE SET \
                 label = excluded.label, origin = excluded.origin, environment = excluded.environment, \
                 scopes = excluded.scopes, state = excluded.state, reason = excluded.reason, \
                 identity = excluded.identity, identity_key = excluded.identity_key, \
                 secrets = excluded.secrets, secrets_key = excluded.secrets_key, \
                 generation = excluded.generation, created = excluded.created, \
                 lease_holder = NULL, lease_until = NULL, in_flight_since = NULL, refreshed = NULL",
        )
        .bind(id.as_str())
        .bind(new.connector.as_str())
        .bind(new.owner.person().map(|person| person.as_str()))
        .bind(label)
        .bind(&origin)
        .bind(environment_word(new.environment))
        .bind(scopes_json(&new.scopes)?)
        .bind(state)
        .bind(reason)
        .bind(identity.as_ref().map(|sealed| sealed.bytes.as_slice()))
        .bind(identity.as_ref().map(|sealed| sealed.key))
        .bind(secrets.bytes)
        .bind(secrets.key)
        .bind(generation.cast_signed())
        .bind(self.now())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
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
            let row = row::row(tx, id.as_str()).await?;
            let row = row.ok_or_else(|| StoreError::not_found("connection", id))?;
            let before = removed(self, tx, &row).await?;
            let was = &before.connection;
            return match was.connector == new.connector && was.owner == new.owner {
                true => Ok(Some(before)),
                false => Err(StoreError::OtherConnection(id.clone())),
            };
        }
        let Some(person) = new.owner.person() else {
            return Ok(None);
        };
        let own: Option<String> =
            sqlx::query_scalar("SELECT id FROM connections WHERE person = ?1 AND connector = ?2")
                .bind(person.as_str())
                .bind(new.connector.as_str())
                .fetch_optional(&mut *tx)
                .await?;
        match own {
            Some(id) => self.remove_in(tx, &id).await,
            None => Ok(None),
        }
    }

    /// Keeps who is signed in, once it was found out, unless the tokens are others by now. Says whether it was kept.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] when the connection was removed.
    pub async fn set_identity(
        &self,
        id: &ConnectionId,
        generation: u64,
        identity: &Identity,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let row = row::row(&mut tx, id.as_str()).await?;
        let row = row.ok_or_else(|| StoreError::not_found("connection", id))?;
        // The identity that is here may not open: it is about to be replaced.
        let connection = removed(self, &mut tx, &row).await?.connection;
        if connection.generation != generation {
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
        .bind(environment_word(identity.environment))
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
        let label = text("a connection's label", label)?;
        let mut tx = self.write().await?;
        let changed = sqlx::query("UPDATE connections SET label = ?2 WHERE id = ?1")
            .bind(id.as_str())
            .bind(label)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        match changed.rows_affected() {
            0 => Err(StoreError::not_found("connection", id)),
            _ => Ok(()),
        }
    }

    /// Makes a pending connection usable, and says whether it was pending.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn activate(&self, id: &ConnectionId, generation: u64) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let changed = sqlx::query(
            "UPDATE connections SET state = 'active' \
             WHERE id = ?1 AND generation = ?2 AND state = 'pending'",
        )
        .bind(id.as_str())
        .bind(generation.cast_signed())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(changed.rows_affected() > 0)
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
    pub(crate) fn is_use_news(&self, used: Option<jiff::Timestamp>) -> bool {
        used.is_none_or(|used| used.as_millisecond() <= self.now() - USED_EXACT_MS)
    }
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
