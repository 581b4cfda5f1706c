//! Tokens by which people prove from elsewhere who they are: on a page's form, and in a request's header.
//!
//! The attack: somebody guesses one, reads the store, or keeps one of a person who has left. So a token is 256 random bits,
//! of which the store has a digest alone; it ends by itself, and with its person; and what anybody commits holds for the next question.

use std::time::Duration;

use jiff::Timestamp;
use portcullis_policy::PersonId;
use secrecy::{ExposeSecret, SecretString};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::error::StoreError;
use crate::people::{self, Person, require_person};
use crate::sign_in::{digest_of, expiry};
use crate::store::{Store, random_id, random_secret, time};
use crate::text::text;

/// What each token begins with, so that one that was left somewhere is told for what it is.
const PREFIX: &str = "pct_";

/// Characters of a token.
const TOKEN_LEN: usize = PREFIX.len() + 43;

/// Characters of a token's id: they name it among those of one person.
const ID_LEN: usize = 12;

/// A token of a person, without what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonToken {
    /// By which it is named.
    pub id: String,
    /// Whose it is.
    pub person: PersonId,
    /// What people call it.
    pub label: String,
    /// Since when it is there.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was used last, give or take some minutes.
    pub used: Option<Timestamp>,
}

impl Store {
    /// Makes a token for a person, which ends after some time. It is given this once.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] for the person, [`StoreError::Text`] where the label cannot be shown.
    pub async fn make_person_token(
        &self,
        person: &PersonId,
        label: &str,
        lasts: Duration,
    ) -> Result<(SecretString, PersonToken), StoreError> {
        let label = text("a token's label", label)?;
        let secret = SecretString::from(format!("{PREFIX}{}", random_secret()?.expose_secret()));
        let mut id = random_id()?;
        id.truncate(ID_LEN);
        let now = self.now();
        let made = PersonToken {
            id,
            person: person.clone(),
            label,
            created: time(now)?,
            expires: time(expiry(now, lasts))?,
            used: None,
        };
        let mut tx = self.write().await?;
        require_person(&mut tx, person).await?;
        sqlx::query(
            "INSERT INTO person_tokens (id, digest, person, label, created, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .bind(&made.id)
        .bind(digest_of(secret.expose_secret()).to_string())
        .bind(person.as_str())
        .bind(&made.label)
        .bind(now)
        .bind(made.expires.as_millisecond())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok((secret, made))
    }

    /// Lists a person's tokens, the oldest first; those that have ended too, so that it can be said why one does not work.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn person_tokens(&self, person: &PersonId) -> Result<Vec<PersonToken>, StoreError> {
        let mut tx = self.read().await?;
        let rows =
            sqlx::query("SELECT * FROM person_tokens WHERE person = ?1 ORDER BY created, id")
                .bind(person.as_str())
                .fetch_all(&mut *tx)
                .await?;
        rows.iter().map(of_row).collect()
    }

    /// Removes a person's token, which ends the sessions that it began, and says whether there was one.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn remove_person_token(
        &self,
        person: &PersonId,
        id: &str,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let removed = sqlx::query("DELETE FROM person_tokens WHERE person = ?1 AND id = ?2")
            .bind(person.as_str())
            .bind(id)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(removed.rows_affected() > 0)
    }

    /// Says whose token this is; none where it is nobody's, or has ended.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn person_of_token(
        &self,
        secret: &SecretString,
    ) -> Result<Option<Person>, StoreError> {
        if !is_token(secret) {
            return Ok(None);
        }
        let read = async {
            let mut tx = self.read().await?;
            find(&mut tx, secret, self.now()).await
        };
        let digest = digest_of(secret.expose_secret());
        let found = self
            .remembered(|answers| &mut answers.people, digest, read)
            .await?;
        let Some(found) = found.filter(|found| found.expires > self.now()) else {
            return Ok(None);
        };
        if self.is_use_news(found.used)
            && let Err(error) = self.note_token_use(&found.id).await
        {
            tracing::warn!(token = found.id, %error, "a use was not written down");
        }
        Ok(Some(found.person))
    }

    async fn note_token_use(&self, id: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE person_tokens SET used = ?2 WHERE id = ?1")
            .bind(id)
            .bind(self.now())
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }
}

/// A token that was found by its secret.
#[derive(Clone, Debug)]
pub(crate) struct FoundToken {
    pub(crate) id: String,
    pub(crate) expires: i64,
    used: Option<Timestamp>,
    pub(crate) person: Person,
}

/// Finds a token that is good at a time.
pub(crate) async fn find(
    tx: &mut SqliteConnection,
    secret: &SecretString,
    now: i64,
) -> Result<Option<FoundToken>, StoreError> {
    let row = sqlx::query(
        "SELECT people.*, person_tokens.id AS token, expires, used FROM person_tokens \
         JOIN people ON people.id = person WHERE digest = ?1 AND expires > ?2",
    )
    .bind(digest_of(secret.expose_secret()).to_string())
    .bind(now)
    .fetch_optional(tx)
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let used: Option<i64> = row.try_get("used")?;
    Ok(Some(FoundToken {
        id: row.try_get("token")?,
        expires: row.try_get("expires")?,
        used: used.map(time).transpose()?,
        person: people::of_row(&row)?,
    }))
}

/// Says whether a text can be a token. What cannot is not looked for.
pub(crate) fn is_token(secret: &SecretString) -> bool {
    let text = secret.expose_secret();
    let is_ours = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.len() == TOKEN_LEN && text.starts_with(PREFIX) && text.bytes().all(is_ours)
}

fn of_row(row: &SqliteRow) -> Result<PersonToken, StoreError> {
    let id: String = row.try_get("id")?;
    let person: String = row.try_get("person")?;
    let used: Option<i64> = row.try_get("used")?;
    Ok(PersonToken {
        person: PersonId::parse(person)
            .map_err(|error| StoreError::damaged("token", &id, error))?,
        label: row.try_get("label")?,
        created: time(row.try_get("created")?)?,
        expires: time(row.try_get("expires")?)?,
        used: used.map(time).transpose()?,
        id,
    })
}
