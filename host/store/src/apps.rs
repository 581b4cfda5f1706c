//! Apps: the clients of OAuth that people sign in with, for a connector and perhaps one of its logins.
//!
//! The attack: somebody who can write to the file names a login of their own in an app's row, so that the app's secret is sent
//! there. So the secret is sealed together with its connector, login and client id.

use std::fmt;

use jiff::Timestamp;
use portcullis_policy::ConnectorName;
use secrecy::{ExposeSecret, SecretString};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::error::StoreError;
use crate::seal::Place;
use crate::store::{Store, random_id, time};
use crate::text::text;

/// An app, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// The connector that it is for.
    pub connector: ConnectorName,
    /// The login that it is for, as it was given; none: each that has no app of its own.
    pub login: Option<String>,
    /// Its id at the service.
    pub client_id: String,
    /// Whether it has a secret.
    pub has_secret: bool,
    /// What is asked for; none: what the connector asks for by itself.
    pub scopes: Option<Vec<String>>,
    /// Since when it is so.
    pub created: Timestamp,
}

/// An app to be kept. Its `Debug` shows no secret.
#[derive(Clone)]
pub struct NewApp {
    /// The connector that it is for.
    pub connector: ConnectorName,
    /// The login that it is for; none: each that has no app of its own.
    pub login: Option<String>,
    /// Its id at the service.
    pub client_id: String,
    /// Its secret, if it has one.
    pub client_secret: Option<SecretString>,
    /// What is asked for; none: what the connector asks for by itself.
    pub scopes: Option<Vec<String>>,
}

impl fmt::Debug for NewApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewApp")
            .field("connector", &self.connector)
            .field("login", &self.login)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// What came of keeping an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutApp {
    /// There was none for this connector and login.
    New,
    /// Another one was in its place.
    Replaced,
    /// It was there already, with the same secret.
    Same,
}

impl Store {
    /// Keeps an app in the place of the one that its connector and login have.
    ///
    /// # Errors
    ///
    /// [`StoreError::Text`] when the login or the client id cannot be shown.
    pub async fn put_app(&self, new: &NewApp) -> Result<PutApp, StoreError> {
        let client_id = text("an app's client id", &new.client_id)?;
        let login = match &new.login {
            Some(login) => text("an app's login", login)?,
            None => String::new(),
        };
        let mut tx = self.write().await?;
        let before = match row(&mut tx, &new.connector, &login).await? {
            Some(row) => {
                let app = of_row(&row)?;
                let secret = secret_of(self, &mut tx, &row).await;
                Some((app, secret))
            }
            None => None,
        };
        if let Some((app, Ok(secret))) = &before
            && app.client_id == client_id
            && app.scopes == new.scopes
            && is_same(secret.as_ref(), new.client_secret.as_ref())
        {
            return Ok(PutApp::Same);
        }
        let id = random_id()?;
        let anchor = [id.as_str(), new.connector.as_str(), &login, &client_id];
        let sealed = match &new.client_secret {
            Some(secret) => {
                let secret = secret.expose_secret().as_bytes();
                Some(self.seal(&mut tx, place(&anchor), secret).await?)
            }
            None => None,
        };
        let scopes = new.scopes.as_ref().map(serde_json::to_string).transpose();
        let scopes = scopes.map_err(|error| StoreError::damaged("scopes", "a new row", error))?;
        sqlx::query("DELETE FROM apps WHERE connector = ?1 AND login = ?2")
            .bind(new.connector.as_str())
            .bind(&login)
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "INSERT INTO apps (id, connector, login, client_id, secret, secret_key, scopes, created) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )
        .bind(&id)
        .bind(new.connector.as_str())
        .bind(&login)
        .bind(&client_id)
        .bind(sealed.as_ref().map(|sealed| sealed.bytes.as_slice()))
        .bind(sealed.as_ref().map(|sealed| sealed.key))
        .bind(scopes)
        .bind(self.now())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(match before {
            Some(_) => PutApp::Replaced,
            None => PutApp::New,
        })
    }

    /// Removes the app of a connector and login, and says whether there was one.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn remove_app(
        &self,
        connector: &ConnectorName,
        login: Option<&str>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let removed = sqlx::query("DELETE FROM apps WHERE connector = ?1 AND login = ?2")
            .bind(connector.as_str())
            .bind(login.unwrap_or_default().trim())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(removed.rows_affected() > 0)
    }

    /// Lists all apps by connector and login.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn apps(&self) -> Result<Vec<App>, StoreError> {
        let mut tx = self.read().await?;
        let rows = sqlx::query("SELECT * FROM apps ORDER BY connector, login")
            .fetch_all(&mut *tx)
            .await?;
        rows.iter().map(of_row).collect()
    }

    /// Finds the app to sign in with, and its secret: the login's own, or else its connector's.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] when the secret does not open.
    pub async fn app(
        &self,
        connector: &ConnectorName,
        login: &str,
    ) -> Result<Option<(App, Option<SecretString>)>, StoreError> {
        let mut tx = self.read().await?;
        let mut found = row(&mut tx, connector, login.trim()).await?;
        if found.is_none() {
            found = row(&mut tx, connector, "").await?;
        }
        match found {
            Some(row) => {
                let secret = secret_of(self, &mut tx, &row).await?;
                Ok(Some((of_row(&row)?, secret)))
            }
            None => Ok(None),
        }
    }
}

fn place<'a>(anchor: &'a [&'a str]) -> Place<'a> {
    Place {
        table: "apps",
        column: "secret",
        row: anchor,
    }
}

/// Both come from who administers, so that how far they agree tells nobody anything.
fn is_same(one: Option<&SecretString>, other: Option<&SecretString>) -> bool {
    one.map(ExposeSecret::expose_secret) == other.map(ExposeSecret::expose_secret)
}

async fn row(
    tx: &mut SqliteConnection,
    connector: &ConnectorName,
    login: &str,
) -> Result<Option<SqliteRow>, sqlx::Error> {
    sqlx::query("SELECT * FROM apps WHERE connector = ?1 AND login = ?2")
        .bind(connector.as_str())
        .bind(login)
        .fetch_optional(tx)
        .await
}

fn of_row(row: &SqliteRow) -> Result<App, StoreError> {
    let id: &str = row.try_get("id")?;
    let connector: String = row.try_get("connector")?;
    let login: String = row.try_get("login")?;
    let secret: Option<&[u8]> = row.try_get("secret")?;
    let scopes: Option<&str> = row.try_get("scopes")?;
    Ok(App {
        connector: ConnectorName::parse(connector)
            .map_err(|error| StoreError::damaged("connector", id, error))?,
        login: Some(login).filter(|login| !login.is_empty()),
        client_id: row.try_get("client_id")?,
        has_secret: secret.is_some(),
        scopes: scopes
            .map(serde_json::from_str)
            .transpose()
            .map_err(|error| StoreError::damaged("scopes", id, error))?,
        created: time(row.try_get("created")?)?,
    })
}

async fn secret_of(
    store: &Store,
    tx: &mut SqliteConnection,
    row: &SqliteRow,
) -> Result<Option<SecretString>, StoreError> {
    let sealed: Option<&[u8]> = row.try_get("secret")?;
    let Some(sealed) = sealed else {
        return Ok(None);
    };
    let id: &str = row.try_get("id")?;
    let anchor = [
        id,
        row.try_get("connector")?,
        row.try_get("login")?,
        row.try_get("client_id")?,
    ];
    let key = store.keys().get(tx, row.try_get("secret_key")?).await?;
    let opened = key.open(place(&anchor), sealed)?;
    // The error is dropped: it would repeat the bytes.
    let secret = std::str::from_utf8(&opened)
        .map_err(|_| StoreError::damaged("secret", id, "it is no text"))?;
    Ok(Some(secret.to_owned().into()))
}
