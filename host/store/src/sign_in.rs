//! Sign-ins under way: what must be known again when a browser comes back from a service.
//!
//! The attack: somebody sends a person the end of a sign-in of their own, so that the person works in the attacker's account, or
//! uses an answer twice. So the state that the answer carries names one sign-in of one person in one browser; it is not
//! stored, only its digest; and whoever takes the sign-in takes it away.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use portcullis::ports::credentials::Environment;
use portcullis_policy::{ConnectionId, ConnectorName, Digest, PersonId};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sqlx::{Row, SqliteConnection};

use crate::connection::{Endpoints, Owner, exposed, open, seal};
use crate::error::StoreError;
use crate::people::require_person;
use crate::seal::Place;
use crate::store::Store;

/// Sign-ins that a person can have under way; a further one takes the place of the oldest.
const UNDER_WAY_MAX: i64 = 16;

/// A sign-in under way. Its `Debug` shows no secret.
#[derive(Clone)]
pub struct SignIn {
    /// Who signs in.
    pub person: PersonId,
    /// Whose the connection will be.
    pub owner: Owner,
    /// For which connector.
    pub connector: ConnectorName,
    /// What the connection will be called.
    pub label: String,
    /// The kind of system behind the login that was chosen.
    pub environment: Environment,
    /// The connection that is to be renewed.
    pub replaces: Option<ConnectionId>,
    /// Whether the account may be of another organization than the one that it takes the place of.
    pub allow_other_organization: bool,
    /// The digest of the link that it was begun by, where somebody waits for what comes of it.
    pub link: Option<Digest>,
    /// The digest of a secret that the person's browser holds; none where only one browser can answer, as on a loopback address.
    pub browser: Option<Digest>,
    /// What proves to the service that the code is used by who asked for it (RFC 7636, section 4.1).
    pub verifier: SecretString,
    /// The app that signs in.
    pub client_id: String,
    /// Its secret, if it has one.
    pub client_secret: Option<SecretString>,
    /// The service's addresses.
    pub endpoints: Endpoints,
    /// Where the browser comes back to.
    pub redirect_uri: String,
    /// What is asked for.
    pub scopes: Vec<String>,
}

impl SignIn {
    /// Says whether an answer comes from the browser that began, by the secret that it holds.
    pub fn is_from_browser(&self, secret: Option<&SecretString>) -> bool {
        match (&self.browser, secret) {
            (None, None) => true,
            // It was begun where there is one browser, and comes back where there may be many.
            (None, Some(_)) => false,
            // Digests of what nobody can choose to fit: how far they agree tells nothing.
            (Some(digest), Some(secret)) => *digest == digest_of(secret.expose_secret()),
            (Some(_), None) => false,
        }
    }
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("person", &self.person)
            .field("connector", &self.connector)
            .field("replaces", &self.replaces)
            .finish_non_exhaustive()
    }
}

/// What comes of taking something that can be taken once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken<T> {
    /// Here it is, and nobody gets it again.
    Taken(Box<T>),
    /// It was there, too long ago.
    Expired,
    /// There is none: it never was, or it was taken already, or it has been swept.
    Unknown,
}

impl Store {
    /// Keeps a sign-in for some time, under the digest of its state.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] for the person.
    pub async fn begin_sign_in(
        &self,
        state: &SecretString,
        sign_in: &SignIn,
        lasts: Duration,
    ) -> Result<(), StoreError> {
        let id = digest_of(state.expose_secret()).to_string();
        let expires = expiry(self.now(), lasts);
        let mut tx = self.write().await?;
        require_person(&mut tx, &sign_in.person).await?;
        sweep(&mut tx, self.now()).await?;
        let person = sign_in.person.as_str();
        let anchor = [id.as_str(), person, &expires.to_string()];
        let sealed = seal(self, &mut tx, place(&anchor), &Record::from(sign_in)).await?;
        sqlx::query(
            "INSERT INTO sign_ins (id, person, expires, sealed, sealed_key) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .bind(&id)
        .bind(person)
        .bind(expires)
        .bind(sealed.bytes)
        .bind(sealed.key)
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "DELETE FROM sign_ins WHERE id IN (SELECT id FROM sign_ins WHERE person = ?1 AND id <> ?2 \
             ORDER BY expires DESC LIMIT -1 OFFSET ?3)",
        )
        .bind(person)
        .bind(&id)
        .bind(UNDER_WAY_MAX - 1)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Says whether a person has a sign-in under way that ends within a time: one that began some time ago, and from which nobody has
    /// come back.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn has_sign_in_ending_within(
        &self,
        person: &PersonId,
        time: Duration,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let mut tx = self.read().await?;
        let has = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM sign_ins WHERE person = ?1 AND expires > ?2 AND expires <= ?3)",
        )
        .bind(person.as_str())
        .bind(now)
        .bind(expiry(now, time))
        .fetch_one(&mut *tx)
        .await?;
        Ok(has)
    }

    /// Takes the sign-in of a state: the first who asks gets it.
    ///
    /// # Errors
    ///
    /// When the store cannot be written, or the sign-in does not open.
    pub async fn take_sign_in(&self, state: &SecretString) -> Result<Taken<SignIn>, StoreError> {
        let id = digest_of(state.expose_secret()).to_string();
        let now = self.now();
        let mut tx = self.write().await?;
        let row = sqlx::query("SELECT * FROM sign_ins WHERE id = ?1")
            .bind(&id)
            .fetch_optional(&mut *tx)
            .await?;
        sqlx::query("DELETE FROM sign_ins WHERE id = ?1")
            .bind(&id)
            .execute(&mut *tx)
            .await?;
        sweep(&mut tx, now).await?;
        let taken = match row {
            None => Taken::Unknown,
            Some(row) => {
                let person: String = row.try_get("person")?;
                let expires: i64 = row.try_get("expires")?;
                let (key, sealed) = (row.try_get("sealed_key")?, row.try_get("sealed")?);
                let anchor = [id.as_str(), &person, &expires.to_string()];
                let place = place(&anchor);
                let record: Record<'static> = open(self, &mut tx, place, key, sealed).await?;
                match expires <= now {
                    true => Taken::Expired,
                    false => Taken::Taken(Box::new(record.into())),
                }
            }
        };
        tx.commit().await?;
        Ok(taken)
    }
}

/// When something ends.
pub(crate) fn expiry(now: i64, lasts: Duration) -> i64 {
    now.saturating_add(i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX))
}

/// The digest under which a secret that others present is found again.
pub(crate) fn digest_of(secret: &str) -> Digest {
    Digest::of(secret.as_bytes())
}

/// Removes what has expired.
async fn sweep(tx: &mut SqliteConnection, now: i64) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM sign_ins WHERE expires <= ?1")
        .bind(now)
        .execute(tx)
        .await?;
    Ok(())
}

fn place<'a>(anchor: &'a [&'a str]) -> Place<'a> {
    Place {
        table: "sign_ins",
        column: "sealed",
        row: anchor,
    }
}

/// A sign-in as it is sealed: JSON. Everything is sealed, so that nothing of it can be turned to another purpose.
#[derive(Serialize, Deserialize)]
struct Record<'a> {
    person: PersonId,
    /// None: shared.
    owner: Option<PersonId>,
    connector: ConnectorName,
    label: String,
    environment: String,
    replaces: Option<ConnectionId>,
    allow_other_organization: bool,
    #[serde(default)]
    link: Option<Digest>,
    browser: Option<Digest>,
    verifier: Cow<'a, str>,
    client_id: String,
    client_secret: Option<Cow<'a, str>>,
    endpoints: Endpoints,
    redirect_uri: String,
    scopes: Vec<String>,
}

impl<'a> From<&'a SignIn> for Record<'a> {
    fn from(sign_in: &'a SignIn) -> Self {
        Self {
            person: sign_in.person.clone(),
            owner: sign_in.owner.person().cloned(),
            connector: sign_in.connector.clone(),
            label: sign_in.label.clone(),
            environment: sign_in.environment.as_str().to_owned(),
            replaces: sign_in.replaces.clone(),
            allow_other_organization: sign_in.allow_other_organization,
            link: sign_in.link,
            browser: sign_in.browser,
            verifier: exposed(&sign_in.verifier),
            client_id: sign_in.client_id.clone(),
            client_secret: sign_in.client_secret.as_ref().map(exposed),
            endpoints: sign_in.endpoints.clone(),
            redirect_uri: sign_in.redirect_uri.clone(),
            scopes: sign_in.scopes.clone(),
        }
    }
}

impl From<Record<'_>> for SignIn {
    fn from(record: Record<'_>) -> Self {
        let secret = |text: Cow<'_, str>| SecretString::from(text.into_owned());
        Self {
            person: record.person,
            owner: record.owner.map_or(Owner::Shared, Owner::Person),
            connector: record.connector,
            label: record.label,
            environment: Environment::of_word(&record.environment),
            replaces: record.replaces,
            allow_other_organization: record.allow_other_organization,
            link: record.link,
            browser: record.browser,
            verifier: secret(record.verifier),
            client_id: record.client_id,
            client_secret: record.client_secret.map(secret),
            endpoints: record.endpoints,
            redirect_uri: record.redirect_uri,
            scopes: record.scopes,
        }
    }
}
