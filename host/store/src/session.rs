//! Sessions: browsers in which a person has signed in, by a token of theirs or by the word of an issuer.
//!
//! The attack: a cookie that is kept, copied or planted. So a session is a secret of its own, made anew at each sign-in and never
//! the token; the store has its digest alone; and it is good only for as long as its person and its token are, or the name by which the issuer
//! knows them. And an issuer that is believed no more: what it said of somebody counts where that very issuer is believed now.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::SqliteConnection;

use crate::error::StoreError;
use crate::people::{self, Person};
use crate::person_token::{find, is_token};
use crate::sign_in::{digest_of, expiry};
use crate::store::{Store, random_secret};
use crate::subjects;

/// Sessions that a token can have, or a name; a further one takes the place of the oldest.
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

    /// Begins a session by a name by which an issuer knows a person, as that has just said: gives the browser's secret, and who it is. None where
    /// the name is nobody's.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn begin_session_of_subject(
        &self,
        issuer: &str,
        subject: &str,
        lasts: Duration,
    ) -> Result<Option<(SecretString, Person)>, StoreError> {
        // Whom nobody knows here makes nobody wait for a write.
        if self.person_of_subject(issuer, subject).await?.is_none() {
            return Ok(None);
        }
        let secret = random_secret()?;
        let id = digest_of(secret.expose_secret()).to_string();
        let now = self.now();
        let mut tx = self.write().await?;
        let Some(person) = subjects::find(&mut tx, issuer, subject).await? else {
            return Ok(None);
        };
        sweep(&mut tx, now).await?;
        sqlx::query(
            "INSERT INTO subject_sessions (id, issuer, subject, expires) VALUES (?1, ?2, ?3, ?4)",
        )
        .bind(&id)
        .bind(issuer)
        .bind(subject)
        .bind(expiry(now, lasts))
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "DELETE FROM subject_sessions WHERE id IN (SELECT id FROM subject_sessions WHERE issuer = ?1 AND subject = ?2 \
             AND id <> ?3 ORDER BY expires DESC LIMIT -1 OFFSET ?4)",
        )
        .bind(issuer)
        .bind(subject)
        .bind(&id)
        .bind(OPEN_MAX - 1)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Some((secret, person)))
    }

    /// Says whose session this is; none where it has ended, or began by the word of an issuer that is not the one that is believed
    /// now. `issuer` is that one's URL; none: no issuer is believed.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn person_of_session(
        &self,
        secret: &SecretString,
        issuer: Option<&str>,
    ) -> Result<Option<Person>, StoreError> {
        let mut tx = self.read().await?;
        let row = sqlx::query(
            "SELECT people.* FROM sessions JOIN person_tokens ON person_tokens.id = token \
             JOIN people ON people.id = person \
             WHERE sessions.id = ?1 AND sessions.expires > ?2 AND person_tokens.expires > ?2 \
             UNION ALL \
             SELECT people.* FROM subject_sessions JOIN person_subjects USING (issuer, subject) \
             JOIN people ON people.id = person \
             WHERE subject_sessions.id = ?1 AND subject_sessions.expires > ?2 AND issuer = ?3",
        )
        .bind(digest_of(secret.expose_secret()).to_string())
        .bind(self.now())
        .bind(issuer)
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
        let id = digest_of(secret.expose_secret()).to_string();
        let mut ended = 0;
        for sql in [
            "DELETE FROM sessions WHERE id = ?1",
            "DELETE FROM subject_sessions WHERE id = ?1",
        ] {
            ended += sqlx::query(sql)
                .bind(&id)
                .execute(&mut *tx)
                .await?
                .rows_affected();
        }
        sweep(&mut tx, self.now()).await?;
        tx.commit().await?;
        Ok(ended > 0)
    }
}

/// Removes what has expired.
async fn sweep(tx: &mut SqliteConnection, now: i64) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM sessions WHERE expires <= ?1",
        "DELETE FROM subject_sessions WHERE expires <= ?1",
    ] {
        sqlx::query(sql).bind(now).execute(&mut *tx).await?;
    }
    Ok(())
}
