//! The end of a sign-in: what the browser brought back is held against what was kept, and becomes a connection.
//!
//! The order is the guard: the sign-in is found by its state and taken, so that it counts once; then person and browser are
//! compared; only then is anything of the answer believed.

use portcullis_policy::PersonId;
use portcullis_store::{
    ConnectionSecrets, ConnectionState, Ended, Grant, NewConnection, Owner, SignIn, Taken,
};
use secrecy::{ExposeSecret, SecretString};

use super::settle::Unsettled;
use super::waited::Waited;
use super::{Accounts, ConnectError, Connected, known};
use crate::authorize::State;
use crate::callback::{AuthError, code_of, state_of};
use crate::{App, Attempt, Binding, Given, RedirectUri, TokenClient};

impl Accounts {
    /// Finishes a sign-in by the query that the browser came back with.
    ///
    /// `redirect` is where it came back to: a sign-in is finished where it was begun to end, and by no other listener. `who` is the
    /// person who asks, where that is known; `browser` the secret that their browser holds. Dropping the future does not stop
    /// what has begun.
    ///
    /// # Errors
    ///
    /// [`ConnectError`]: nothing is connected, and what was connected before is as it was.
    pub async fn finish(
        &self,
        query: &str,
        redirect: &RedirectUri,
        who: Option<&PersonId>,
        browser: Option<&SecretString>,
    ) -> Result<Connected, ConnectError> {
        let state = state_of(query)?;
        let sign_in = match self.store.take_sign_in(&state).await? {
            Taken::Taken(sign_in) => *sign_in,
            Taken::Expired => return Err(ConnectError::Late),
            Taken::Unknown => return Err(AuthError::NotYours.into()),
        };
        let waited = Waited::of(&sign_in);
        let is_theirs = who.is_none_or(|who| *who == sign_in.person);
        let is_here = sign_in.redirect_uri == redirect.to_string();
        if !is_theirs || !is_here || !sign_in.is_from_browser(browser) {
            tracing::warn!(person = %sign_in.person, by = ?who, "a sign-in came back by somebody else, in another browser, or elsewhere");
            let refused = Err(AuthError::NotYours.into());
            self.tell(waited.as_ref(), &refused).await;
            return refused;
        }
        let asker = Binding::new(&sign_in.person, browser);
        let (this, query) = (self.clone(), query.to_owned());
        let task = tokio::spawn(async move {
            let finished = this.finish_taken(sign_in, state, asker, &query).await;
            this.tell(waited.as_ref(), &finished).await;
            finished
        });
        task.await.unwrap_or(Err(ConnectError::Ended))
    }

    /// Gives up a sign-in that nobody waits for any more: who comes back from it comes too late.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn give_up(&self, attempt: &Attempt) -> Result<(), ConnectError> {
        self.store.take_sign_in(&attempt.state.0).await?;
        Ok(())
    }

    async fn finish_taken(
        &self,
        sign_in: SignIn,
        state: SecretString,
        asker: Binding,
        query: &str,
    ) -> Result<Connected, ConnectError> {
        let manifest = known::manifest(&*self.manifests, &sign_in.connector)?;
        let service = known::service(&manifest)?;
        let attempt = Attempt {
            endpoints: known::endpoints(&sign_in.endpoints)?,
            state: State(state),
            verifier: Some(sign_in.verifier).filter(|text| !text.expose_secret().is_empty()),
            redirect: RedirectUri::parse(&sign_in.redirect_uri)
                .map_err(|_| ConnectError::Addresses)?,
            scopes: sign_in.scopes.clone(),
            client_id: sign_in.client_id.clone(),
            asker,
        };
        let subject = attempt.subject();
        let code = code_of(&service, &attempt, query)?;
        // Roles change; what an administrator began is not finished by who is none any more.
        self.require_may_own(&sign_in.person, &sign_in.owner)
            .await?;
        let app = App {
            client_id: sign_in.client_id,
            client_secret: sign_in.client_secret,
        };
        let secrets = |access_token, refresh_token| ConnectionSecrets {
            access_token,
            refresh_token,
            client_id: app.client_id.clone(),
            client_secret: app.client_secret.clone(),
            grant: Grant::Code,
            endpoints: sign_in.endpoints.clone(),
            scopes: sign_in.scopes.clone(),
        };
        let exchanged = TokenClient::exchange(service, &app, &self.network, attempt, code).await;
        let tokens = match exchanged {
            Ok((tokens, _)) => tokens,
            Err(error) => {
                let ended = |given: Given| Ended {
                    connection: None,
                    connector: sign_in.connector.clone(),
                    owner: sign_in.owner.clone(),
                    label: sign_in.label.clone(),
                    origin: subject.origin.clone(),
                    user: None,
                    secrets: secrets(given.access, given.refresh),
                };
                return Err(self.unusable(error, ended).await);
            }
        };
        let secrets = secrets(tokens.access, tokens.refresh);
        let replaces = match (sign_in.replaces, &sign_in.owner) {
            (Some(replaces), _) => Some(replaces),
            (None, Owner::Person(person)) => {
                let own = self.store.own_connection(person, &sign_in.connector);
                // Where the store does not say, putting the connection there fails too, and revokes.
                own.await.ok().flatten().map(|own| own.id)
            }
            (None, Owner::Shared) => None,
        };
        self.settle(Unsettled {
            by: sign_in.person,
            allow_other_organization: sign_in.allow_other_organization,
            subject,
            new: NewConnection {
                connector: sign_in.connector,
                owner: sign_in.owner,
                label: sign_in.label,
                origin: tokens.origin,
                environment: sign_in.environment,
                identity: None,
                scopes: tokens.scopes,
                state: ConnectionState::Pending,
                secrets,
                replaces,
            },
        })
        .await
    }
}
