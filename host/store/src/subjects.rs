//! By which names issuers of OpenID Connect know the people here.
//!
//! The attack: somebody makes themselves an account at the issuer, with a name like a person's here. So nobody is known by what an issuer
//! calls them before an administrator has said so, of this issuer and exactly this name; it is one person's alone, ends
//! with the person, and is looked up anew each time.

use jiff::Timestamp;
use portcullis_policy::PersonId;
use sqlx::{Row, SqliteConnection};

use crate::error::StoreError;
use crate::people::{self, Person, require_person};
use crate::store::{Store, time};
use crate::text::text;

/// What of a name is kept and compared, here and by whoever asks: an issuer and a subject without the spaces around them.
///
/// # Errors
///
/// [`StoreError::Text`]: one of them cannot be shown.
pub fn subject_of(issuer: &str, subject: &str) -> Result<(String, String), StoreError> {
    Ok((text("an issuer", issuer)?, text("a subject", subject)?))
}

/// A name by which an issuer knows a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonSubject {
    /// The issuer's URL, as it writes that itself.
    pub issuer: String,
    /// The name: what its tokens have as `sub`, or as the claim that the server reads.
    pub subject: String,
    /// Since when it is theirs.
    pub created: Timestamp,
}

impl Store {
    /// Says that an issuer knows a person by a name, and whether that is new.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] for the person, [`StoreError::Text`] where issuer or name cannot be shown, and
    /// [`StoreError::SubjectTaken`] where it is another person's.
    pub async fn add_subject(
        &self,
        person: &PersonId,
        issuer: &str,
        subject: &str,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let is_new = add(&mut tx, self.now(), person, issuer, subject).await?;
        tx.commit().await?;
        Ok(is_new)
    }

    /// Takes a name from a person, and says whether it was theirs.
    ///
    /// # Errors
    ///
    /// [`StoreError::Text`] where it can be no name, and when the store cannot be written.
    pub async fn remove_subject(
        &self,
        person: &PersonId,
        issuer: &str,
        subject: &str,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let was_theirs = remove(&mut tx, person, issuer, subject).await?;
        tx.commit().await?;
        Ok(was_theirs)
    }

    /// Lists the names by which issuers know a person.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn subjects(&self, person: &PersonId) -> Result<Vec<PersonSubject>, StoreError> {
        let mut tx = self.read().await?;
        let rows = sqlx::query(
            "SELECT issuer, subject, created FROM person_subjects WHERE person = ?1 ORDER BY issuer, subject",
        )
        .bind(person.as_str())
        .fetch_all(&mut *tx)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(PersonSubject {
                    issuer: row.try_get("issuer")?,
                    subject: row.try_get("subject")?,
                    created: time(row.try_get("created")?)?,
                })
            })
            .collect()
    }

    /// Says whom an issuer knows by a name; none where it is nobody's here. Names compare byte by byte.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn person_of_subject(
        &self,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<Person>, StoreError> {
        let mut tx = self.read().await?;
        find(&mut tx, issuer, subject).await
    }
}

/// Gives a person a name, and says whether it is new.
pub(crate) async fn add(
    tx: &mut SqliteConnection,
    now: i64,
    person: &PersonId,
    issuer: &str,
    subject: &str,
) -> Result<bool, StoreError> {
    let (issuer, subject) = subject_of(issuer, subject)?;
    require_person(tx, person).await?;
    let known: Option<String> =
        sqlx::query_scalar("SELECT person FROM person_subjects WHERE issuer = ?1 AND subject = ?2")
            .bind(&issuer)
            .bind(&subject)
            .fetch_optional(&mut *tx)
            .await?;
    match known {
        Some(known) if known == person.as_str() => return Ok(false),
        Some(known) => return Err(StoreError::SubjectTaken { subject, known }),
        None => {}
    }
    sqlx::query(
        "INSERT INTO person_subjects (issuer, subject, person, created) VALUES (?1, ?2, ?3, ?4)",
    )
    .bind(&issuer)
    .bind(&subject)
    .bind(person.as_str())
    .bind(now)
    .execute(tx)
    .await?;
    Ok(true)
}

/// Takes a name from a person, and says whether it was theirs.
pub(crate) async fn remove(
    tx: &mut SqliteConnection,
    person: &PersonId,
    issuer: &str,
    subject: &str,
) -> Result<bool, StoreError> {
    let (issuer, subject) = subject_of(issuer, subject)?;
    let removed = sqlx::query(
        "DELETE FROM person_subjects WHERE person = ?1 AND issuer = ?2 AND subject = ?3",
    )
    .bind(person.as_str())
    .bind(&issuer)
    .bind(&subject)
    .execute(tx)
    .await?;
    Ok(removed.rows_affected() > 0)
}

/// Finds whom an issuer knows by a name.
pub(crate) async fn find(
    tx: &mut SqliteConnection,
    issuer: &str,
    subject: &str,
) -> Result<Option<Person>, StoreError> {
    let row = sqlx::query(
        "SELECT people.* FROM person_subjects JOIN people ON people.id = person \
         WHERE issuer = ?1 AND subject = ?2",
    )
    .bind(issuer)
    .bind(subject)
    .fetch_optional(tx)
    .await?;
    row.as_ref().map(people::of_row).transpose()
}
