//! Links that a person opens to connect an account: what an agent hands on when its person has none yet, and what a person
//! at a terminal gets who waits there for what comes of it.
//!
//! The attack: somebody reads a link in a log or over a shoulder and opens it first. A link therefore ends soon, works once,
//! and says only what is to be connected and for whom: who opens it must still be that person. The store
//! keeps its digest alone.

use std::time::Duration;

use portcullis_policy::{AgentId, ConnectionId, ConnectorName, Digest, PersonId};
use secrecy::{ExposeSecret, SecretString};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::error::StoreError;
use crate::people::require_person;
use crate::sign_in::{Taken, digest_of, expiry};
use crate::store::{Store, random_secret};
use crate::text;

/// Links that a person can have open; a further one takes the place of the oldest.
const OPEN_MAX: i64 = 16;

/// What a link is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectLink {
    /// Who connects.
    pub person: PersonId,
    /// The agent that asked for it; none: the person themselves, who waits for what comes of it.
    pub agent: Option<AgentId>,
    /// What is connected.
    pub connector: ConnectorName,
}

/// What came of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEnd {
    /// An account is connected.
    Connected(ConnectionId),
    /// None is.
    Refused {
        /// Why, in a sentence.
        problem: String,
        /// What to do about it, on one or more lines.
        hint: Option<String>,
    },
}

/// How far a link has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Nobody has gone on from its page yet.
    Open,
    /// It was used and has not ended, or it is not known.
    Begun,
    /// It has ended.
    Ended(LinkEnd),
}

impl Store {
    /// Makes a link, and gives its secret part, in characters that stand in a URL as they are.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] for the person.
    pub async fn make_link(
        &self,
        link: &ConnectLink,
        lasts: Duration,
    ) -> Result<SecretString, StoreError> {
        let secret = random_secret()?;
        let id = digest_of(secret.expose_secret()).to_string();
        let mut tx = self.write().await?;
        require_person(&mut tx, &link.person).await?;
        sweep(&mut tx, self.now()).await?;
        sqlx::query(
            "INSERT INTO links (id, person, agent, connector, expires) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .bind(&id)
        .bind(link.person.as_str())
        .bind(link.agent.as_ref().map(AgentId::as_str))
        .bind(link.connector.as_str())
        .bind(expiry(self.now(), lasts))
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "DELETE FROM links WHERE id IN (SELECT id FROM links WHERE person = ?1 AND id <> ?2 \
             ORDER BY expires DESC LIMIT -1 OFFSET ?3)",
        )
        .bind(link.person.as_str())
        .bind(&id)
        .bind(OPEN_MAX - 1)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(secret)
    }

    /// Says what a link is for without using it up: programs open links too, to show what is behind them.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn look_at_link(
        &self,
        secret: &SecretString,
    ) -> Result<Taken<ConnectLink>, StoreError> {
        let mut tx = self.read().await?;
        let id = digest_of(secret.expose_secret()).to_string();
        self.link_of(row(&mut tx, &id).await?)
    }

    /// Takes a link: the first who asks gets it.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn take_link(&self, secret: &SecretString) -> Result<Taken<ConnectLink>, StoreError> {
        let id = digest_of(secret.expose_secret()).to_string();
        let mut tx = self.write().await?;
        let row = row(&mut tx, &id).await?;
        sqlx::query("DELETE FROM links WHERE id = ?1")
            .bind(&id)
            .execute(&mut *tx)
            .await?;
        sweep(&mut tx, self.now()).await?;
        tx.commit().await?;
        self.link_of(row)
    }

    /// Writes down what came of a link, for who waits for it, under the digest of its secret. The first word counts.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] for the person.
    pub async fn end_link(
        &self,
        link: &Digest,
        person: &PersonId,
        connector: &ConnectorName,
        end: &LinkEnd,
        lasts: Duration,
    ) -> Result<(), StoreError> {
        let (connection, problem, hint) = match end {
            LinkEnd::Connected(connection) => (Some(connection.as_str()), None, None),
            LinkEnd::Refused { problem, hint } => (
                None,
                Some(text::message(problem)),
                hint.as_deref().map(text::lines),
            ),
        };
        let mut tx = self.write().await?;
        require_person(&mut tx, person).await?;
        sqlx::query("DELETE FROM link_ends WHERE expires <= ?1")
            .bind(self.now())
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "INSERT INTO link_ends (id, person, connection, problem, hint, expires, connector) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
        )
        .bind(link.to_string())
        .bind(person.as_str())
        .bind(connection)
        .bind(problem)
        .bind(hint)
        .bind(expiry(self.now(), lasts))
        .bind(connector.as_str())
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// Gives why the last sign-in by a link came to nothing, for a while; none where it came to something, or there was none.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn refusal(
        &self,
        person: &PersonId,
        connector: &ConnectorName,
    ) -> Result<Option<String>, StoreError> {
        let mut tx = self.read().await?;
        let last: Option<Option<String>> = sqlx::query_scalar(
            "SELECT problem FROM link_ends WHERE person = ?1 AND connector = ?2 AND expires > ?3 \
             ORDER BY expires DESC LIMIT 1",
        )
        .bind(person.as_str())
        .bind(connector.as_str())
        .bind(self.now())
        .fetch_optional(&mut *tx)
        .await?;
        Ok(last.flatten())
    }

    /// Says how far a link has come, to who made it.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn link_state(&self, secret: &SecretString) -> Result<LinkState, StoreError> {
        let id = digest_of(secret.expose_secret()).to_string();
        let mut tx = self.read().await?;
        if row(&mut tx, &id).await?.is_some() {
            return Ok(LinkState::Open);
        }
        let ended = sqlx::query("SELECT connection, problem, hint FROM link_ends WHERE id = ?1")
            .bind(&id)
            .fetch_optional(&mut *tx)
            .await?;
        let Some(ended) = ended else {
            return Ok(LinkState::Begun);
        };
        let connection: Option<String> = ended.try_get("connection")?;
        Ok(LinkState::Ended(match connection {
            Some(id) => LinkEnd::Connected(
                ConnectionId::parse(id)
                    .map_err(|error| StoreError::damaged("link", "a link", error))?,
            ),
            None => LinkEnd::Refused {
                problem: ended.try_get("problem")?,
                hint: ended.try_get("hint")?,
            },
        }))
    }

    fn link_of(&self, row: Option<SqliteRow>) -> Result<Taken<ConnectLink>, StoreError> {
        let Some(row) = row else {
            return Ok(Taken::Unknown);
        };
        let expires: i64 = row.try_get("expires")?;
        if expires <= self.now() {
            return Ok(Taken::Expired);
        }
        let damaged = |error| StoreError::damaged("link", "a link", error);
        Ok(Taken::Taken(Box::new(ConnectLink {
            person: PersonId::parse(row.try_get::<String, _>("person")?).map_err(damaged)?,
            agent: row
                .try_get::<Option<String>, _>("agent")?
                .map(AgentId::parse)
                .transpose()
                .map_err(damaged)?,
            connector: ConnectorName::parse(row.try_get::<String, _>("connector")?)
                .map_err(damaged)?,
        })))
    }
}

async fn row(tx: &mut SqliteConnection, id: &str) -> Result<Option<SqliteRow>, sqlx::Error> {
    sqlx::query("SELECT * FROM links WHERE id = ?1")
        .bind(id)
        .fetch_optional(tx)
        .await
}

/// Removes what has expired.
async fn sweep(tx: &mut SqliteConnection, now: i64) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM links WHERE expires <= ?1")
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}
