//! The beginning of a sign-in: what is asked for is settled, and kept until the browser comes back.

use std::fmt;
use std::time::{Duration, SystemTime};

use portcullis_policy::{ConnectionId, ConnectorName, Digest, PersonId};
use portcullis_store::{ConnectionState, Owner, Role, SignIn, StoreError};
use secrecy::{ExposeSecret, SecretString};

use super::{Accounts, ConnectError, known};
use crate::{App, Attempt, Binding, Login, RedirectUri, Wish, choose, start};

/// How long a person may take to sign in: a password and a second factor are found in it.
pub const SIGN_IN_LASTS: Duration = Duration::from_secs(600);

/// A sign-in that is to begin.
#[derive(Clone, Debug)]
pub struct Begin<'a> {
    /// Who signs in.
    pub person: &'a PersonId,
    /// Whose the connection will be.
    pub owner: Owner,
    /// For which connector.
    pub connector: &'a ConnectorName,
    /// As which app.
    pub app: &'a App,
    /// Where to sign in.
    pub login: &'a Login,
    /// What is asked for; empty: what the manifest asks for.
    pub scopes: &'a [String],
    /// Where the browser comes back to.
    pub redirect: &'a RedirectUri,
    /// The digest of the link that it is begun by, where somebody waits for what comes of it.
    pub link: Option<Digest>,
    /// A secret that the person's browser holds; none where only one browser can come back, as on a loopback address.
    pub browser: Option<&'a SecretString>,
    /// What the connection will be called.
    pub label: &'a str,
    /// The shared connection that is renewed. A person's own is found by itself.
    pub replaces: Option<ConnectionId>,
    /// Whether the account may be of another organization than the one that it takes the place of.
    pub allow_other_organization: bool,
}

/// A sign-in that has begun. Its `Debug` leaves the address out: the state is in it.
pub struct SignInStarted {
    /// Where to send the browser.
    pub url: String,
    /// Until when it must be back.
    pub expires: SystemTime,
    /// What the person should know before they sign in.
    pub warning: Option<String>,
    /// What a callback on this machine holds the browser's return against.
    pub attempt: Attempt,
}

impl fmt::Debug for SignInStarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInStarted")
            .field("expires", &self.expires)
            .field("warning", &self.warning)
            .finish_non_exhaustive()
    }
}

impl Accounts {
    /// Begins a sign-in, and keeps it in the store.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    pub async fn begin(&self, begin: Begin<'_>) -> Result<SignInStarted, ConnectError> {
        let manifest = known::manifest(&*self.manifests, begin.connector)?;
        let service = known::service(&manifest)?;
        let wanted: Vec<&str> = begin.scopes.iter().map(String::as_str).collect();
        let chosen = choose(&service.auth.scopes, &wanted)?;
        self.require_may_own(begin.person, &begin.owner).await?;
        self.require_may_replace(begin.replaces.as_ref(), begin.connector, &begin.owner)
            .await?;
        let (url, attempt) = start(Wish {
            service,
            login: begin.login,
            app: begin.app,
            redirect: begin.redirect,
            scopes: &chosen.scopes,
            asker: &Binding::new(begin.person, begin.browser),
        })?;
        let sign_in = SignIn {
            person: begin.person.clone(),
            owner: begin.owner,
            connector: begin.connector.clone(),
            label: begin.label.to_owned(),
            environment: begin.login.environment,
            replaces: begin.replaces,
            allow_other_organization: begin.allow_other_organization,
            link: begin.link,
            browser: begin
                .browser
                .map(|secret| Digest::of(secret.expose_secret().as_bytes())),
            // Empty where the service knows no PKCE.
            verifier: attempt.verifier.clone().unwrap_or_default(),
            client_id: begin.app.client_id.clone(),
            client_secret: begin.app.client_secret.clone(),
            endpoints: known::kept(attempt.endpoints()),
            redirect_uri: begin.redirect.to_string(),
            scopes: chosen.scopes,
        };
        let expires = SystemTime::now() + SIGN_IN_LASTS;
        self.store
            .begin_sign_in(&attempt.state.0, &sign_in, SIGN_IN_LASTS)
            .await?;
        Ok(SignInStarted {
            url,
            expires,
            warning: chosen.warning,
            attempt,
        })
    }

    /// Refuses to take the place of a connection of another connector or owner before anybody signs in for that.
    pub(super) async fn require_may_replace(
        &self,
        replaces: Option<&ConnectionId>,
        connector: &ConnectorName,
        owner: &Owner,
    ) -> Result<(), ConnectError> {
        let Some(id) = replaces else {
            return Ok(());
        };
        let before = self.store.stored_connection(id).await?;
        let before = before.ok_or_else(|| StoreError::NotFound {
            kind: "connection",
            id: id.to_string(),
        })?;
        let is_alike = before.connector == *connector
            && before.owner == *owner
            && before.state != ConnectionState::Pending;
        match is_alike {
            true => Ok(()),
            false => Err(StoreError::OtherConnection(id.clone()).into()),
        }
    }

    /// Refuses who sets up what is not theirs.
    pub(super) async fn require_may_own(
        &self,
        person: &PersonId,
        owner: &Owner,
    ) -> Result<(), ConnectError> {
        match owner {
            Owner::Person(owner) if owner == person => Ok(()),
            Owner::Person(_) => Err(ConnectError::NotAdministrator(person.clone())),
            Owner::Shared => {
                let known = self.store.person(person).await?;
                let known = known.ok_or_else(|| StoreError::NotFound {
                    kind: "person",
                    id: person.to_string(),
                })?;
                match known.role {
                    Role::Admin => Ok(()),
                    Role::Member => Err(ConnectError::NotAdministrator(person.clone())),
                }
            }
        }
    }
}
