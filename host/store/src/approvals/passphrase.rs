//! A passphrase that a person sets, so that not everybody at their keyboard approves in their name.
//!
//! Kept as an Argon2id hash (RFC 9106). Wrong ones are counted: after five in a row none is looked at for a minute.
//!
//! The attack: as many tries at once as can be. To hash takes its time, in which nobody else should wait for the store; so each try counts
//! as wrong before it is looked at, and is taken back where it was right. However many come at once, no more are looked at.

use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use portcullis_policy::PersonId;
use secrecy::{ExposeSecret, SecretString};
use sqlx::Row;

use crate::error::StoreError;
use crate::people::require_person;
use crate::sign_in::expiry;
use crate::store::Store;

/// Characters that a passphrase has at least.
pub const PASSPHRASE_CHARS_MIN: usize = 8;

/// Wrong passphrases in a row before there is a pause.
const FAILURES_MAX: i64 = 5;

/// The pause.
const LOCKED_FOR: Duration = Duration::from_secs(60);

/// What a passphrase came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlocked {
    /// It is the one, or none is set.
    Yes,
    /// It is not.
    No,
    /// Too many wrong ones: none is looked at for a while.
    Locked,
}

/// Why a passphrase was not set.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// It is too short.
    #[error("a passphrase has at least 8 characters")]
    Short,
    /// It could not be hashed.
    #[error("the passphrase could not be hashed")]
    Hash(#[source] argon2::password_hash::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Says whether a person has set a passphrase.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn has_passphrase(&self, person: &PersonId) -> Result<bool, StoreError> {
        let mut tx = self.read().await?;
        let has = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM passphrases WHERE person = ?1)")
            .bind(person.as_str())
            .fetch_one(&mut *tx)
            .await?;
        Ok(has)
    }

    /// Sets a person's passphrase, or takes it away.
    ///
    /// # Errors
    ///
    /// [`PassphraseError`].
    pub async fn set_passphrase(
        &self,
        person: &PersonId,
        passphrase: Option<&SecretString>,
    ) -> Result<(), PassphraseError> {
        let hash = passphrase.map(hashed).transpose()?;
        let mut tx = self.write().await?;
        require_person(&mut tx, person).await?;
        match hash {
            Some(hash) => sqlx::query(
                "INSERT INTO passphrases (person, hash) VALUES (?1, ?2) \
                 ON CONFLICT (person) DO UPDATE SET hash = ?2, failures = 0, locked_until = NULL",
            )
            .bind(person.as_str())
            .bind(hash),
            None => sqlx::query("DELETE FROM passphrases WHERE person = ?1").bind(person.as_str()),
        }
        .execute(&mut *tx)
        .await
        .map_err(StoreError::from)?;
        tx.commit().await.map_err(StoreError::from)?;
        Ok(())
    }

    /// Looks whether a passphrase is a person's, and counts those that are not.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn unlock(
        &self,
        person: &PersonId,
        passphrase: &SecretString,
    ) -> Result<Unlocked, StoreError> {
        let hash = match self.try_begins(person).await? {
            Try::Begun(hash) => hash,
            Try::NoneSet => return Ok(Unlocked::Yes),
            Try::Locked => return Ok(Unlocked::Locked),
        };
        let is_it = {
            let (person, hash, given) = (person.clone(), hash.clone(), passphrase.clone());
            let work = move || is_of(&person, &hash, &given);
            let done = tokio::task::spawn_blocking(work).await;
            done.map_err(|error| StoreError::damaged("passphrase", "hash", error))??
        };
        match is_it && self.try_was_right(person, &hash).await? {
            true => Ok(Unlocked::Yes),
            false => Ok(Unlocked::No),
        }
    }

    /// Counts a try as wrong, and gives the hash to look at.
    async fn try_begins(&self, person: &PersonId) -> Result<Try, StoreError> {
        let mut tx = self.write().await?;
        let row = sqlx::query("SELECT * FROM passphrases WHERE person = ?1")
            .bind(person.as_str())
            .fetch_optional(&mut *tx)
            .await?;
        let Some(row) = row else {
            return Ok(Try::NoneSet);
        };
        let now = self.now();
        let locked: Option<i64> = row.try_get("locked_until")?;
        if locked.is_some_and(|until| until > now) {
            return Ok(Try::Locked);
        }
        let failures = row.try_get::<i64, _>("failures")? + 1;
        let locked = (failures >= FAILURES_MAX).then(|| expiry(now, LOCKED_FOR));
        sqlx::query("UPDATE passphrases SET failures = ?2, locked_until = ?3 WHERE person = ?1")
            .bind(person.as_str())
            .bind(if locked.is_some() { 0 } else { failures })
            .bind(locked)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(Try::Begun(row.try_get("hash")?))
    }

    /// Takes back that tries were wrong; false where the passphrase is another one by now.
    async fn try_was_right(&self, person: &PersonId, hash: &str) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let done = sqlx::query(
            "UPDATE passphrases SET failures = 0, locked_until = NULL WHERE person = ?1 AND hash = ?2",
        )
        .bind(person.as_str())
        .bind(hash)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(done.rows_affected() == 1)
    }
}

/// How a try begins.
enum Try {
    /// It is to be held against this hash.
    Begun(String),
    /// There is no passphrase.
    NoneSet,
    /// There were too many.
    Locked,
}

/// Says whether a passphrase is the one of a hash.
fn is_of(person: &PersonId, hash: &str, given: &SecretString) -> Result<bool, StoreError> {
    let hash = PasswordHash::new(hash)
        .map_err(|error| StoreError::damaged("passphrase", person.as_str(), error))?;
    let given = given.expose_secret().as_bytes();
    Ok(Argon2::default().verify_password(given, &hash).is_ok())
}

fn hashed(passphrase: &SecretString) -> Result<String, PassphraseError> {
    let passphrase = passphrase.expose_secret();
    if passphrase.chars().count() < PASSPHRASE_CHARS_MIN {
        return Err(PassphraseError::Short);
    }
    let hash = Argon2::default().hash_password(passphrase.as_bytes());
    Ok(hash.map_err(PassphraseError::Hash)?.to_string())
}
