//! People: who the agents work for, and which of them administer.

use jiff::Timestamp;
use portcullis_policy::PersonId;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::connection::Removed;
use crate::error::StoreError;
use crate::rename::{Named, rename};
use crate::store::{Store, time};
use crate::text::text;

/// What a person may do besides working with agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Sets up agents, shared connections and people.
    Admin,
    /// Nothing more.
    Member,
}

impl Role {
    /// Gives the word for it: `admin` or `member`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The id.
    pub id: PersonId,
    /// What others call them.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Since when they are known here.
    pub created: Timestamp,
}

impl Store {
    /// Adds a person, and says whether that was new. One who is known already stays as they are.
    ///
    /// # Errors
    ///
    /// [`StoreError::Text`] when the name cannot be shown, and [`StoreError::Alike`] for an id that differs from another's by the
    /// case of its letters alone: nobody tells those two apart.
    pub async fn add_person(
        &self,
        id: &PersonId,
        name: &str,
        role: Role,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let is_new = add(&mut tx, self.now(), id, name, role).await?;
        tx.commit().await?;
        Ok(is_new)
    }

    /// Makes a person the first administrator of a store that knows nobody yet, and says whether it was one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Text`] when the name cannot be shown.
    pub async fn add_first_administrator(
        &self,
        id: &PersonId,
        name: &str,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let has_people: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM people)")
            .fetch_one(&mut *tx)
            .await?;
        if has_people {
            return Ok(false);
        }
        add(&mut tx, self.now(), id, name, Role::Admin).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Gives a person another name.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`], and [`StoreError::Text`] when the name cannot be shown.
    pub async fn rename_person(&self, id: &PersonId, name: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        rename(&mut tx, Named::Person(id), name).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Gives a person another role.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`], and [`StoreError::LastAdministrator`] when nobody would administer any more.
    pub async fn set_role(&self, id: &PersonId, role: Role) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        set_role(&mut tx, id, role).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Removes a person with their connections, memberships, shares, sign-ins and links, and gives the
    /// connections so that their tokens can be revoked. Nothing happens where there is no such person.
    ///
    /// # Errors
    ///
    /// [`StoreError::LastAdministrator`] when nobody would administer any more.
    pub async fn remove_person(&self, id: &PersonId) -> Result<Vec<Removed>, StoreError> {
        let mut tx = self.write().await?;
        let removed = remove(self, &mut tx, id).await?;
        tx.commit().await?;
        Ok(removed)
    }

    /// Finds a person.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn person(&self, id: &PersonId) -> Result<Option<Person>, StoreError> {
        let mut tx = self.read().await?;
        let row = sqlx::query("SELECT * FROM people WHERE id = ?1")
            .bind(id.as_str())
            .fetch_optional(&mut *tx)
            .await?;
        row.as_ref().map(of_row).transpose()
    }

    /// Lists all people by id.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn people(&self) -> Result<Vec<Person>, StoreError> {
        let mut tx = self.read().await?;
        let rows = sqlx::query("SELECT * FROM people ORDER BY id")
            .fetch_all(&mut *tx)
            .await?;
        rows.iter().map(of_row).collect()
    }
}

/// Adds a person in a transaction, as [`Store::add_person`] does.
pub(crate) async fn add(
    tx: &mut SqliteConnection,
    now: i64,
    id: &PersonId,
    name: &str,
    role: Role,
) -> Result<bool, StoreError> {
    let name = text("a person's name", name)?;
    let alike: Option<String> =
        sqlx::query_scalar("SELECT id FROM people WHERE id = ?1 COLLATE NOCASE AND id <> ?1")
            .bind(id.as_str())
            .fetch_optional(&mut *tx)
            .await?;
    if let Some(known) = alike {
        return Err(StoreError::Alike {
            given: id.clone(),
            known,
        });
    }
    let added = sqlx::query(
        "INSERT INTO people (id, name, role, created) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
    )
    .bind(id.as_str())
    .bind(name)
    .bind(role.as_str())
    .bind(now)
    .execute(tx)
    .await?;
    Ok(added.rows_affected() > 0)
}

/// Sets a person's role in a transaction.
pub(crate) async fn set_role(
    tx: &mut SqliteConnection,
    id: &PersonId,
    role: Role,
) -> Result<(), StoreError> {
    require_person(tx, id).await?;
    if role != Role::Admin {
        keep_an_administrator(tx, id).await?;
    }
    sqlx::query("UPDATE people SET role = ?2 WHERE id = ?1")
        .bind(id.as_str())
        .bind(role.as_str())
        .execute(tx)
        .await?;
    Ok(())
}

/// Removes a person in a transaction, as [`Store::remove_person`] does.
pub(crate) async fn remove(
    store: &Store,
    tx: &mut SqliteConnection,
    id: &PersonId,
) -> Result<Vec<Removed>, StoreError> {
    keep_an_administrator(tx, id).await?;
    let connections: Vec<String> =
        sqlx::query_scalar("SELECT id FROM connections WHERE person = ?1 ORDER BY created, id")
            .bind(id.as_str())
            .fetch_all(&mut *tx)
            .await?;
    let mut removed = Vec::new();
    for connection in connections {
        removed.extend(store.remove_in(tx, &connection).await?);
    }
    store
        .forget_decided(tx, |decisions| decisions.forget_person(id))
        .await?;
    sqlx::query("DELETE FROM people WHERE id = ?1")
        .bind(id.as_str())
        .execute(tx)
        .await?;
    Ok(removed)
}

/// Reads a person out of a row of the table.
pub(crate) fn of_row(row: &SqliteRow) -> Result<Person, StoreError> {
    let id: String = row.try_get("id")?;
    let role: String = row.try_get("role")?;
    let role = match role.as_str() {
        "admin" => Role::Admin,
        "member" => Role::Member,
        _ => return Err(StoreError::damaged("role", &id, "it is no role")),
    };
    Ok(Person {
        name: row.try_get("name")?,
        role,
        created: time(row.try_get("created")?)?,
        id: PersonId::parse(id.as_str())
            .map_err(|error| StoreError::damaged("person", &id, error))?,
    })
}

/// Refuses what names a person who is not known.
pub(crate) async fn require_person(
    tx: &mut SqliteConnection,
    id: &PersonId,
) -> Result<(), StoreError> {
    let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM people WHERE id = ?1)")
        .bind(id.as_str())
        .fetch_one(tx)
        .await?;
    match known {
        true => Ok(()),
        false => Err(StoreError::not_found("person", id)),
    }
}

/// Refuses to take the last administrator away.
async fn keep_an_administrator(tx: &mut SqliteConnection, id: &PersonId) -> Result<(), StoreError> {
    let is_last: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM people WHERE id = ?1 AND role = 'admin') \
         AND NOT EXISTS (SELECT 1 FROM people WHERE id <> ?1 AND role = 'admin')",
    )
    .bind(id.as_str())
    .fetch_one(tx)
    .await?;
    match is_last {
        true => Err(StoreError::LastAdministrator(id.clone())),
        false => Ok(()),
    }
}
