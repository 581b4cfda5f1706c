//! Groups of people, for sharing.

use portcullis_policy::{GroupName, PersonId};
use sqlx::{Row, SqliteConnection};

use crate::error::StoreError;
use crate::people::require_person;
use crate::store::Store;

/// A group with its members, by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: GroupName,
    /// Who is in it.
    pub members: Vec<PersonId>,
}

impl Store {
    /// Adds a group, and says whether that was new.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn add_group(&self, name: &GroupName) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let is_new = add(&mut tx, self.now(), name).await?;
        tx.commit().await?;
        Ok(is_new)
    }

    /// Removes a group with the shares that name it, and says whether there was one.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn remove_group(&self, name: &GroupName) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let was_there = remove(&mut tx, name).await?;
        tx.commit().await?;
        Ok(was_there)
    }

    /// Puts a person into a group, and says whether that was new.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] for the group or the person.
    pub async fn add_member(
        &self,
        group: &GroupName,
        person: &PersonId,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let is_new = join(&mut tx, group, person).await?;
        tx.commit().await?;
        Ok(is_new)
    }

    /// Takes a person out of a group, and says whether they were in it.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn remove_member(
        &self,
        group: &GroupName,
        person: &PersonId,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let was_in_it = leave(&mut tx, group, person).await?;
        tx.commit().await?;
        Ok(was_in_it)
    }

    /// Lists all groups by name, with their members.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn groups(&self) -> Result<Vec<Group>, StoreError> {
        let mut tx = self.read().await?;
        let rows = sqlx::query(
            "SELECT name, person FROM groups LEFT JOIN group_members ON group_name = name \
             ORDER BY name, person",
        )
        .fetch_all(&mut *tx)
        .await?;
        let mut groups: Vec<Group> = Vec::new();
        for row in &rows {
            let name = group_name(row.try_get("name")?)?;
            if groups.last().is_none_or(|last| last.name != name) {
                groups.push(Group {
                    name,
                    members: Vec::new(),
                });
            }
            let member: Option<String> = row.try_get("person")?;
            if let (Some(group), Some(member)) = (groups.last_mut(), member) {
                let member = PersonId::parse(member.as_str())
                    .map_err(|error| StoreError::damaged("person", &member, error))?;
                group.members.push(member);
            }
        }
        Ok(groups)
    }
}

/// Adds a group in a transaction.
pub(crate) async fn add(
    tx: &mut SqliteConnection,
    now: i64,
    name: &GroupName,
) -> Result<bool, StoreError> {
    let added =
        sqlx::query("INSERT INTO groups (name, created) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
            .bind(name.as_str())
            .bind(now)
            .execute(tx)
            .await?;
    Ok(added.rows_affected() > 0)
}

/// Removes a group in a transaction.
pub(crate) async fn remove(
    tx: &mut SqliteConnection,
    name: &GroupName,
) -> Result<bool, StoreError> {
    let removed = sqlx::query("DELETE FROM groups WHERE name = ?1")
        .bind(name.as_str())
        .execute(tx)
        .await?;
    Ok(removed.rows_affected() > 0)
}

/// Puts a person into a group in a transaction.
pub(crate) async fn join(
    tx: &mut SqliteConnection,
    group: &GroupName,
    person: &PersonId,
) -> Result<bool, StoreError> {
    require_group(tx, group).await?;
    require_person(tx, person).await?;
    let added = sqlx::query(
        "INSERT INTO group_members (group_name, person) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    )
    .bind(group.as_str())
    .bind(person.as_str())
    .execute(tx)
    .await?;
    Ok(added.rows_affected() > 0)
}

/// Takes a person out of a group in a transaction.
pub(crate) async fn leave(
    tx: &mut SqliteConnection,
    group: &GroupName,
    person: &PersonId,
) -> Result<bool, StoreError> {
    let removed = sqlx::query("DELETE FROM group_members WHERE group_name = ?1 AND person = ?2")
        .bind(group.as_str())
        .bind(person.as_str())
        .execute(tx)
        .await?;
    Ok(removed.rows_affected() > 0)
}

/// Takes a group's name out of a row.
pub(crate) fn group_name(text: String) -> Result<GroupName, StoreError> {
    GroupName::parse(text.as_str()).map_err(|error| StoreError::damaged("group", &text, error))
}

/// Refuses what names a group that is not known.
pub(crate) async fn require_group(
    tx: &mut SqliteConnection,
    name: &GroupName,
) -> Result<(), StoreError> {
    let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM groups WHERE name = ?1)")
        .bind(name.as_str())
        .fetch_one(tx)
        .await?;
    match known {
        true => Ok(()),
        false => Err(StoreError::not_found("group", name)),
    }
}
