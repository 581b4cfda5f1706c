//! Sessions: browsers in which a person has signed in by a token of theirs.
//!
//! The attack: a cookie that is kept, copied or planted. So a session is a secret of its own, made anew at each sign-in and never
//! the token; the store has its digest alone; and it is good only for as long as its token and its person are.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::SqliteConnection;

use crate::error::StoreError;
use crate::people::{self, Person};
use crate::person_token::{find, is_token};
use crate::sign_in::{digest_of, expiry};
use crate::store::{Store, random_secret};

/// Sessions that a token can have; a further one takes the place of the oldest.
const OPEN_MAX: i64 = 16;

impl Store {
    /// Begins a session by a token: gives the browser's secret, in characters that stand in a cookie as they are, and who it is.
    /// None where the token is nobody's, or has ended.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn begin_session(
        &self,
        token: &SecretString,
        lasts: Duration,
    ) -> Result<Option<(SecretString, Person)>, StoreError> {
        // Who guesses makes nobody wait for a write.
        if !is_token(token) || self.person_of_token(token).await?.is_none() {
            return Ok(None);
        }
        let secret = random_secret()?;
        let id = digest_of(secret.expose_secret()).to_string();
        let now = self.now();
        let mut tx = self.write().await?;
        let Some(found) = find(&mut tx, token, now).await? else {
            return Ok(None);
        };
        sweep(&mut tx, now).await?;
        sqlx::query("INSERT INTO sessions (id, token, expires) VALUES (?1, ?2, ?3)")
            .bind(&id)
            .bind(&found.id)
            .bind(expiry(now, lasts).min(found.expires))
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE token = ?1 AND id <> ?2 \
             ORDER BY expires DESC LIMIT -1 OFFSET ?3)",
        )
        .bind(&found.id)
        .bind(&id)
        .bind(OPEN_MAX - 1)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Some((secret, found.person)))
    }

    /// Says whose session this is; none where it has ended.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn person_of_session(
        &self,
        secret: &SecretString,
    ) -> Result<Option<Person>, StoreError> {
        let mut tx = self.read().await?;
        let row = sqlx::query(
            "SELECT people.* FROM sessions JOIN person_tokens ON person_tokens.id = token \
             JOIN people ON people.id = person \
             WHERE sessions.id = ?1 AND sessions.expires > ?2 AND person_tokens.expires > ?2",
        )
        .bind(digest_of(secret.expose_secret()).to_string())
        .bind(self.now())
        .fetch_optional(&mut *tx)
        .await?;
        row.as_ref().map(people::of_row).transpose()
    }

    /// Ends a session, and says whether there was one.
    ///
    /// # Errors
    ///
    /// When the store cannot be written: it may go on.
    pub async fn end_session(&self, secret: &SecretString) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let ended = sqlx::query("DELETE FROM sessions WHERE id = ?1")
            .bind(digest_of(secret.expose_secret()).to_string())
            .execute(&mut *tx)
            .await?;
        sweep(&mut tx, self.now()).await?;
        tx.commit().await?;
        Ok(ended.rows_affected() > 0)
    }
}

/// Removes what has expired.
async fn sweep(tx: &mut SqliteConnection, now: i64) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM sessions WHERE expires <= ?1")
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}
