//! Replacing tokens: one at a time over all processes, and never an old one over a new one.
//!
//! The attack is an accident: two processes refresh with the same refresh token. A service that rotates
//! them takes the second for a thief's and ends the connection. So who refreshes holds a lease; tokens are replaced by
//! comparing their generation; and that a refresh was sent is written down before it is sent, so that what was lost with
//! a holder is known to be lost.
//!
//! A lease names no time, for clocks are set and machines sleep. Its holder changes it again and again while it lives. Who
//! has seen one stay as it is for long enough, by a clock that only goes forward, takes it over.

use portcullis::ports::credentials::Token;
use portcullis_policy::{ConnectionId, Origin};
use secrecy::SecretString;
use sqlx::Row;

use super::put::scopes_json;
use super::row::{self, Anchor, require, seal_identity, seal_secrets};
use super::{ConnectionSecrets, StoredConnection};
use crate::error::StoreError;
use crate::store::Store;
use crate::text::message;

/// Tokens that a service gave in exchange for older ones.
#[derive(Clone, Debug)]
pub struct NewTokens {
    /// The new access token.
    pub access_token: SecretString,
    /// The new refresh token; none: the one that there is stays.
    pub refresh_token: Option<SecretString>,
    /// What is granted now; none: as before.
    pub scopes: Option<Vec<String>>,
    /// Where requests go now; none: as before.
    pub origin: Option<Origin>,
}

/// What came of storing new tokens.
#[derive(Clone, Debug)]
pub enum Rotation {
    /// They are stored: the new access token with its generation.
    Stored(Token),
    /// Others were stored meanwhile: these.
    Stale(Token),
}

/// The answer to who wants to refresh.
#[derive(Debug)]
pub enum Lease {
    /// Go ahead.
    Leased(Box<Leased>),
    /// Another one refreshes.
    Held(Hold),
    /// Another one has refreshed already: here is the token.
    Newer(Token),
}

/// Another's lease, as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    holder: String,
    beats: i64,
}

/// What a refresh needs.
#[derive(Debug)]
pub struct Leased {
    /// The connection. Where its `in_flight_since` is set, a refresh was sent before whose answer is lost.
    pub connection: StoredConnection,
    /// Its secrets.
    pub secrets: ConnectionSecrets,
}

/// What is known of a refresh whose lease is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InFlight {
    /// The service did not take it, or none was sent: the refresh token is as good as before.
    Nothing,
    /// It was sent, and nobody knows whether the service took it.
    Unanswered,
}

impl Store {
    /// Asks to be the one who refreshes a token of a generation. A holder that asks again keeps its lease. `dead` is a lease
    /// that has stayed as it is for so long that its holder is gone: it is taken over, unless it is another by now.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`], and [`StoreError::Seal`] when the secrets do not open.
    pub async fn lease(
        &self,
        id: &ConnectionId,
        generation: u64,
        holder: &str,
        dead: Option<&Hold>,
    ) -> Result<Lease, StoreError> {
        let mut tx = self.write().await?;
        let (connection, secrets) = require(self, &mut tx, id).await?;
        if connection.generation > generation {
            return Ok(Lease::Newer(token(&secrets, connection.generation)));
        }
        let held = sqlx::query(
            "SELECT lease_holder, lease_beats FROM connections WHERE id = ?1 AND lease_holder <> ?2",
        )
        .bind(id.as_str())
        .bind(holder)
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(held) = held {
            let hold = Hold {
                holder: held.try_get("lease_holder")?,
                beats: held.try_get("lease_beats")?,
            };
            if dead != Some(&hold) {
                return Ok(Lease::Held(hold));
            }
        }
        sqlx::query(
            "UPDATE connections SET lease_holder = ?2, lease_beats = ifnull(lease_beats, 0) + 1 WHERE id = ?1",
        )
        .bind(id.as_str())
        .bind(holder)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Lease::Leased(Box::new(Leased {
            connection,
            secrets,
        })))
    }

    /// Shows that the holder of a lease is alive. Where it says no, the lease is another's or has ended.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn beat(&self, id: &ConnectionId, holder: &str) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let beaten = sqlx::query(
            "UPDATE connections SET lease_beats = lease_beats + 1 WHERE id = ?1 AND lease_holder = ?2",
        )
        .bind(id.as_str())
        .bind(holder)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(beaten.rows_affected() > 0)
    }

    /// Writes down that a refresh is about to be sent, and beats. Where it says no, the lease is another's or has ended, and
    /// nothing may be sent.
    ///
    /// # Errors
    ///
    /// When the store cannot be written, and [`StoreError::KeyChanged`] when the answer could not be sealed: nothing
    /// may be sent.
    pub async fn sending(&self, id: &ConnectionId, holder: &str) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        // What comes back is sealed under the newest key, which another process may have put under another master key.
        self.keys().newest(&mut tx).await?;
        let written = sqlx::query(
            "UPDATE connections SET in_flight_since = ?3, lease_beats = lease_beats + 1 \
             WHERE id = ?1 AND lease_holder = ?2",
        )
        .bind(id.as_str())
        .bind(holder)
        .bind(self.now())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(written.rows_affected() > 0)
    }

    /// Gives a lease back without new tokens. A lease that is another's by now stays.
    ///
    /// # Errors
    ///
    /// When the store cannot be written: others take the lease over after a while.
    pub async fn release(
        &self,
        id: &ConnectionId,
        holder: &str,
        in_flight: InFlight,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE connections SET lease_holder = NULL, lease_beats = NULL, \
                 in_flight_since = CASE WHEN ?3 THEN in_flight_since END \
             WHERE id = ?1 AND lease_holder = ?2",
        )
        .bind(id.as_str())
        .bind(holder)
        .bind(in_flight == InFlight::Unanswered)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Stores new tokens in the place of those of a generation, and ends the lease.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] when the connection was removed meanwhile: the new tokens are nowhere, and to be
    /// revoked.
    pub async fn rotate_tokens(
        &self,
        id: &ConnectionId,
        generation: u64,
        new: NewTokens,
    ) -> Result<Rotation, StoreError> {
        let mut tx = self.write().await?;
        let (connection, mut secrets) = require(self, &mut tx, id).await?;
        if connection.generation != generation {
            return Ok(Rotation::Stale(token(&secrets, connection.generation)));
        }
        secrets.access_token = new.access_token;
        if new.refresh_token.is_some() {
            secrets.refresh_token = new.refresh_token;
        }
        let origin = new
            .origin
            .as_ref()
            .unwrap_or(&connection.origin)
            .to_string();
        let anchor = Anchor::new(id, &connection.connector, &connection.owner, &origin);
        let sealed = seal_secrets(self, &mut tx, &anchor, &secrets).await?;
        // The identity is bound to the origin too.
        let identity = match &connection.identity {
            Some(identity) => Some(seal_identity(self, &mut tx, &anchor, identity).await?),
            None => None,
        };
        let scopes = new.scopes.as_ref().unwrap_or(&connection.scopes);
        sqlx::query(
            "UPDATE connections SET secrets = ?2, secrets_key = ?3, identity = ?4, identity_key = ?5, origin = ?6, \
                 scopes = ?7, generation = generation + 1, refreshed = ?8, \
                 state = CASE state WHEN 'reconnect' THEN 'active' ELSE state END, reason = NULL, \
                 lease_holder = NULL, lease_beats = NULL, in_flight_since = NULL \
             WHERE id = ?1",
        )
        .bind(id.as_str())
        .bind(sealed.bytes)
        .bind(sealed.key)
        .bind(identity.as_ref().map(|sealed| sealed.bytes.as_slice()))
        .bind(identity.as_ref().map(|sealed| sealed.key))
        .bind(origin)
        .bind(scopes_json(scopes)?)
        .bind(self.now())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Rotation::Stored(token(&secrets, generation + 1)))
    }

    /// Marks a connection as one that somebody must sign in to again, unless its tokens are others by now, and ends
    /// the lease. Says whether it was marked. A pending one stays pending: it never worked.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn mark_reconnect(
        &self,
        id: &ConnectionId,
        generation: u64,
        reason: &str,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let marked = sqlx::query(
            "UPDATE connections SET \
                 state = CASE state WHEN 'pending' THEN state ELSE 'reconnect' END, \
                 reason = CASE state WHEN 'pending' THEN NULL ELSE ?3 END, \
                 lease_holder = NULL, lease_beats = NULL, in_flight_since = NULL \
             WHERE id = ?1 AND generation = ?2",
        )
        .bind(id.as_str())
        .bind(generation.cast_signed())
        .bind(message(reason))
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(marked.rows_affected() > 0)
    }

    /// Opens a connection's access token.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`], and [`StoreError::Seal`] when it does not open.
    pub async fn access_token(&self, id: &ConnectionId) -> Result<Token, StoreError> {
        let mut tx = self.read().await?;
        let row = row::row(&mut tx, id.as_str()).await?;
        let row = row.ok_or_else(|| StoreError::not_found("connection", id))?;
        let connection = row::of_row(self, &mut tx, &row).await?;
        let secrets = row::secrets_of(self, &mut tx, &row, &connection).await?;
        Ok(token(&secrets, connection.generation))
    }
}

/// Gives the access token of secrets.
fn token(secrets: &ConnectionSecrets, generation: u64) -> Token {
    Token {
        secret: secrets.access_token.clone(),
        generation,
    }
}
