//! A passphrase that a person sets, so that not everybody at their keyboard approves in their name.
//!
//! Kept as an Argon2id hash (RFC 9106). Wrong ones are counted, by whichever program and page they come: after five in a row none is looked at
//! for a minute, and then five are again. So nobody has more than 7,200 tries a day. Whoever goes on trying keeps the person out, too, for as
//! long; they must be signed in as the person, be at their keyboard, or have the link of an open question, and a *no* to that, which asks for
//! no passphrase, ends the link.
//!
//! The attack: as many tries at once as can be. To hash takes its time, in which nobody else should wait for the store; so the hash comes
//! first, and what it came to is told by the transaction that counts it. However many come at once, no more than five wrong ones are told
//! to be wrong, and no right one after them to be right; and of right ones none keeps another out.

use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use portcullis_policy::PersonId;
use secrecy::{ExposeSecret, SecretString};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use tokio::sync::Semaphore;

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

/// Where tries wait for their turn to be hashed, which takes 19 MiB each: of those that are too many, most find the pause when it comes.
static TURNS: Semaphore = Semaphore::const_new(2);

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
        let (store, person, given) = (self.clone(), person.clone(), passphrase.clone());
        // In a task of its own: who hangs up meanwhile has tried all the same.
        let work = tokio::spawn(async move { store.tried(&person, given).await });
        work.await.map_err(broke)?
    }

    async fn tried(&self, person: &PersonId, given: SecretString) -> Result<Unlocked, StoreError> {
        // It is never closed, so there is always a turn.
        let _turn = TURNS.acquire().await;
        let hash = match self.try_begins(person).await? {
            Try::Begun(hash) => hash,
            Try::NoneSet => return Ok(Unlocked::Yes),
            Try::Locked => return Ok(Unlocked::Locked),
        };
        let is_it = {
            let (person, hash) = (person.clone(), hash.clone());
            let work = move || is_of(&person, &hash, &given);
            tokio::task::spawn_blocking(work).await.map_err(broke)??
        };
        self.try_ends(person, &hash, is_it).await
    }

    /// Gives the hash to look at.
    async fn try_begins(&self, person: &PersonId) -> Result<Try, StoreError> {
        let mut tx = self.read().await?;
        let Some(row) = row_of(&mut tx, person).await? else {
            return Ok(Try::NoneSet);
        };
        match is_locked(&row, self.now())? {
            true => Ok(Try::Locked),
            false => Ok(Try::Begun(row.try_get("hash")?)),
        }
    }

    /// Counts a try, and says what it came to: nothing, where others were too many meanwhile; that it is not the passphrase, where that is
    /// another one by now.
    async fn try_ends(
        &self,
        person: &PersonId,
        hash: &str,
        is_it: bool,
    ) -> Result<Unlocked, StoreError> {
        let mut tx = self.write().await?;
        let Some(row) = row_of(&mut tx, person).await? else {
            return Ok(Unlocked::No);
        };
        let now = self.now();
        if is_locked(&row, now)? {
            return Ok(Unlocked::Locked);
        }
        if row.try_get::<&str, _>("hash")? != hash {
            return Ok(Unlocked::No);
        }
        let failures = row.try_get::<i64, _>("failures")? + 1;
        let (failures, locked) = match is_it {
            true => (0, None),
            false if failures >= FAILURES_MAX => (0, Some(expiry(now, LOCKED_FOR))),
            false => (failures, None),
        };
        sqlx::query("UPDATE passphrases SET failures = ?2, locked_until = ?3 WHERE person = ?1")
            .bind(person.as_str())
            .bind(failures)
            .bind(locked)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(match is_it {
            true => Unlocked::Yes,
            false => Unlocked::No,
        })
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

async fn row_of(
    tx: &mut SqliteConnection,
    person: &PersonId,
) -> Result<Option<SqliteRow>, StoreError> {
    let row = sqlx::query("SELECT * FROM passphrases WHERE person = ?1")
        .bind(person.as_str())
        .fetch_optional(tx)
        .await?;
    Ok(row)
}

fn is_locked(row: &SqliteRow, now: i64) -> Result<bool, StoreError> {
    let locked: Option<i64> = row.try_get("locked_until")?;
    Ok(locked.is_some_and(|until| until > now))
}

fn broke(error: tokio::task::JoinError) -> StoreError {
    StoreError::damaged("passphrase", "hash", error)
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
