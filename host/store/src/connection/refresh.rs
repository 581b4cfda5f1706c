//! Replacing tokens: one at a time over all processes, and never an old one over a new one.
//!
//! The attack is an accident: two processes refresh with the same refresh token. A service that rotates
//! them takes the second for a thief's and ends the connection. So who refreshes holds a lease, which ends by itself
//! when its holder dies; tokens are replaced by comparing their generation; and that a refresh was sent is written down
//! before it is sent, so that what was lost with a holder is known to be lost.

use std::time::Duration;

use jiff::Timestamp;
use portcullis::ports::credentials::Token;
use portcullis_policy::{ConnectionId, Origin};
use secrecy::SecretString;
use sqlx::Row;

use super::put::scopes_json;
use super::row::{self, Anchor, require, seal_identity, seal_secrets};
use super::{ConnectionSecrets, StoredConnection};
use crate::error::StoreError;
use crate::store::{Store, time};
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
    /// Another one refreshes, and has until then.
    HeldUntil(Timestamp),
    /// Another one has refreshed already: here is the token.
    Newer(Token),
}

/// What a refresh needs.
#[derive(Debug)]
pub struct Leased {
    /// The connection. Where its `in_flight_since` is set, a refresh was sent before whose answer is lost.
    pub connection: StoredConnection,
    /// Its secrets.
    pub secrets: ConnectionSecrets,
    /// When the lease ends.
    pub until: Timestamp,
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
    /// Asks to be the one who refreshes a token of a generation. A holder that asks again has its lease prolonged.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`], and [`StoreError::Seal`] when the secrets do not open.
    pub async fn lease(
        &self,
        id: &ConnectionId,
        generation: u64,
        holder: &str,
        duration: Duration,
    ) -> Result<Lease, StoreError> {
        let mut tx = self.write().await?;
        let (connection, secrets) = require(self, &mut tx, id).await?;
        if connection.generation > generation {
            return Ok(Lease::Newer(token(&secrets, connection.generation)));
        }
        let held = sqlx::query(
            "SELECT lease_until FROM connections \
             WHERE id = ?1 AND lease_holder <> ?2 AND lease_until > ?3",
        )
        .bind(id.as_str())
        .bind(holder)
        .bind(self.now())
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(held) = held {
            return Ok(Lease::HeldUntil(time(held.try_get("lease_until")?)?));
        }
        let duration = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        let until = self.now().saturating_add(duration);
        let ends = time(until)?;
        sqlx::query("UPDATE connections SET lease_holder = ?2, lease_until = ?3 WHERE id = ?1")
            .bind(id.as_str())
            .bind(holder)
            .bind(until)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(Lease::Leased(Box::new(Leased {
            connection,
            secrets,
            until: ends,
        })))
    }

    /// Writes down that a refresh is about to be sent. Where it says no, the lease is another's or has ended, and nothing may be
    /// sent.
    ///
    /// # Errors
    ///
    /// When the store cannot be written: nothing may be sent.
    pub async fn sending(&self, id: &ConnectionId, holder: &str) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let written = sqlx::query(
            "UPDATE connections SET in_flight_since = ?3 \
             WHERE id = ?1 AND lease_holder = ?2 AND lease_until > ?3",
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
    /// When the store cannot be written: the lease ends by itself.
    pub async fn release(
        &self,
        id: &ConnectionId,
        holder: &str,
        in_flight: InFlight,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE connections SET lease_holder = NULL, lease_until = NULL, \
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
                 lease_holder = NULL, lease_until = NULL, in_flight_since = NULL \
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
                 lease_holder = NULL, lease_until = NULL, in_flight_since = NULL \
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
