//! Sharing: who may use a shared connection, and which connection a call acts for.
//!
//! What was found is remembered until anybody commits: what is taken away is gone at the next call.

use portcullis::ports::Caller;
use portcullis_policy::{ConnectionId, ConnectorName, GroupName, PersonId};
use sqlx::{Row, SqliteConnection};

use crate::agents::require_shared;
use crate::connection::{StoredConnection, of_row, own};
use crate::error::StoreError;
use crate::groups::{group_name, require_group};
use crate::people::{self, Person, require_person};
use crate::store::Store;

/// Whom a connection is shared with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// One person.
    Person(PersonId),
    /// All members of a group.
    Group(GroupName),
    /// All people who are known here.
    Everyone,
}

impl Subject {
    /// The two columns that name it.
    pub(crate) fn columns(&self) -> (Option<&str>, Option<&str>) {
        match self {
            Self::Person(person) => (Some(person.as_str()), None),
            Self::Group(group) => (None, Some(group.as_str())),
            Self::Everyone => (None, None),
        }
    }
}

/// A person who may use a connection, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The person.
    pub person: Person,
    /// The shares that give it: each of them alone would do.
    pub by: Vec<Subject>,
}

/// The connection of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// This one, in whatever state it is.
    Connection(Box<StoredConnection>),
    /// The person has none yet.
    NoneOfTheirOwn,
    /// The agent uses a shared one, which is not shared with the person.
    NotShared,
    /// The agent uses a shared one, which was removed.
    Removed,
    /// The agent does not have the connector, or not any more.
    NotOffered,
}

/// A shared connection, if it is shared with a person who is known here: by themselves, by a group, or with everyone.
const SHARED_WITH: &str = "SELECT * FROM connections c \
    WHERE c.id = ?1 AND c.person IS NULL AND c.connector = ?3 AND EXISTS ( \
        SELECT 1 FROM people p JOIN shares s ON s.connection = c.id WHERE p.id = ?2 AND ( \
            (s.person IS NULL AND s.group_name IS NULL) OR s.person = p.id OR s.group_name IN \
                (SELECT m.group_name FROM group_members m WHERE m.person = p.id)))";

impl Store {
    /// Shares a shared connection with somebody, and says whether that was new.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotShared`] for a person's own, [`StoreError::NotFound`] for the connection or the subject.
    pub async fn share(&self, id: &ConnectionId, subject: &Subject) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let is_new = add(&mut tx, self.now(), id, subject).await?;
        tx.commit().await?;
        Ok(is_new)
    }

    /// Takes a share away, and says whether there was one. Other shares of the same people stay: [`Store::access`] tells.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn unshare(&self, id: &ConnectionId, subject: &Subject) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let was_there = remove(&mut tx, id, subject).await?;
        tx.commit().await?;
        Ok(was_there)
    }

    /// Lists whom a connection is shared with, as it was said.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn shares(&self, id: &ConnectionId) -> Result<Vec<Subject>, StoreError> {
        let mut tx = self.read().await?;
        let rows = sqlx::query(
            "SELECT person, group_name FROM shares WHERE connection = ?1 ORDER BY person, group_name",
        )
        .bind(id.as_str())
        .fetch_all(&mut *tx)
        .await?;
        rows.iter()
            .map(|row| subject(row.try_get("person")?, row.try_get("group_name")?))
            .collect()
    }

    /// Lists who may use a shared connection, by id, and why.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn access(&self, id: &ConnectionId) -> Result<Vec<Access>, StoreError> {
        let mut tx = self.read().await?;
        let rows = sqlx::query(
            "SELECT p.*, s.person AS by_person, s.group_name AS by_group FROM shares s \
             JOIN people p ON (s.person IS NULL AND s.group_name IS NULL) OR s.person = p.id \
                 OR EXISTS (SELECT 1 FROM group_members m WHERE m.group_name = s.group_name AND m.person = p.id) \
             WHERE s.connection = ?1 ORDER BY p.id, by_person DESC, by_group DESC",
        )
        .bind(id.as_str())
        .fetch_all(&mut *tx)
        .await?;
        let mut access: Vec<Access> = Vec::new();
        for row in &rows {
            let person = people::of_row(row)?;
            let by = subject(row.try_get("by_person")?, row.try_get("by_group")?)?;
            match access.last_mut().filter(|last| last.person.id == person.id) {
                Some(last) => last.by.push(by),
                None => access.push(Access {
                    person,
                    by: vec![by],
                }),
            }
        }
        Ok(access)
    }

    /// Finds the connection that a call acts for: the person's own, or, where the agent is set to use a shared one, that
    /// one if it is shared with the person. An agent without the connector has none.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or the row is damaged.
    pub async fn find(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
    ) -> Result<Found, StoreError> {
        let mut tx = self.read().await?;
        let of_agent: Option<(String, Option<String>)> = sqlx::query_as(
            "SELECT account, connection FROM agent_connectors WHERE agent = ?1 AND connector = ?2",
        )
        .bind(caller.agent.as_str())
        .bind(connector.as_str())
        .fetch_optional(&mut *tx)
        .await?;
        // Without a row nothing is fallen back on: what an agent had is away at once, in calls under way too.
        let Some((_, shared)) = of_agent else {
            return Ok(Found::NotOffered);
        };
        let row = match &shared {
            Some(shared) => {
                sqlx::query(SHARED_WITH)
                    .bind(shared)
                    .bind(caller.person.as_str())
                    .bind(connector.as_str())
                    .fetch_optional(&mut *tx)
                    .await?
            }
            None => own(&mut tx, &caller.person, connector).await?,
        };
        match (row, shared) {
            (Some(row), _) => {
                let connection = of_row(self, &mut tx, &row).await?;
                Ok(Found::Connection(Box::new(connection)))
            }
            (None, None) => Ok(Found::NoneOfTheirOwn),
            (None, Some(shared)) => match is_there(&mut tx, &shared).await? {
                true => Ok(Found::NotShared),
                false => Ok(Found::Removed),
            },
        }
    }
}

async fn is_there(tx: &mut SqliteConnection, connection: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM connections WHERE id = ?1)")
        .bind(connection)
        .fetch_one(tx)
        .await
}

/// Shares a connection in a transaction, as [`Store::share`] does.
pub(crate) async fn add(
    tx: &mut SqliteConnection,
    now: i64,
    id: &ConnectionId,
    subject: &Subject,
) -> Result<bool, StoreError> {
    require_shared(tx, id, None).await?;
    match subject {
        Subject::Person(person) => require_person(tx, person).await?,
        Subject::Group(group) => require_group(tx, group).await?,
        Subject::Everyone => {}
    }
    let (person, group) = subject.columns();
    let added = sqlx::query(
        "INSERT INTO shares (connection, person, group_name, created) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT DO NOTHING",
    )
    .bind(id.as_str())
    .bind(person)
    .bind(group)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(added.rows_affected() > 0)
}

/// Takes a share away in a transaction.
pub(crate) async fn remove(
    tx: &mut SqliteConnection,
    id: &ConnectionId,
    subject: &Subject,
) -> Result<bool, StoreError> {
    let (person, group) = subject.columns();
    let taken = sqlx::query(
        "DELETE FROM shares WHERE connection = ?1 AND person IS ?2 AND group_name IS ?3",
    )
    .bind(id.as_str())
    .bind(person)
    .bind(group)
    .execute(tx)
    .await?;
    Ok(taken.rows_affected() > 0)
}

fn subject(person: Option<String>, group: Option<String>) -> Result<Subject, StoreError> {
    Ok(match (person, group) {
        (Some(person), _) => Subject::Person(
            PersonId::parse(person.as_str())
                .map_err(|error| StoreError::damaged("share", &person, error))?,
        ),
        (None, Some(group)) => Subject::Group(group_name(group)?),
        (None, None) => Subject::Everyone,
    })
}
