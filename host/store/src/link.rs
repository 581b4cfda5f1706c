//! Links that a person opens to connect an account: what an agent hands on when its person has none yet.
//!
//! The attack: somebody reads a link in a log or over a shoulder and opens it first. A link therefore ends soon, works once,
//! and says only what is to be connected and for whom: who opens it must still be that person. The store
//! keeps its digest alone.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_policy::{AgentId, ConnectorName, PersonId};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::error::StoreError;
use crate::people::require_person;
use crate::sign_in::{Taken, digest_of, expiry};
use crate::store::Store;

/// The bytes of a link's secret part: 256 bits.
const SECRET_BYTES: usize = 32;

/// Links that a person can have open; a further one takes the place of the oldest.
const OPEN_MAX: i64 = 16;

/// What a link is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectLink {
    /// Who connects.
    pub person: PersonId,
    /// The agent that asked for it.
    pub agent: AgentId,
    /// What is connected.
    pub connector: ConnectorName,
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
        let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
        getrandom::fill(&mut *bytes)?;
        let secret = SecretString::from(URL_SAFE_NO_PAD.encode(*bytes));
        let id = digest_of(secret.expose_secret()).to_string();
        let mut tx = self.write().await?;
        require_person(&mut tx, &link.person).await?;
        sweep(&mut tx, self.now()).await?;
        sqlx::query(
            "INSERT INTO links (id, person, agent, connector, expires) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .bind(&id)
        .bind(link.person.as_str())
        .bind(link.agent.as_str())
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
            agent: AgentId::parse(row.try_get::<String, _>("agent")?).map_err(damaged)?,
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
