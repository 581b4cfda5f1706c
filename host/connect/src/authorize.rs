//! The way out: the address that the browser is sent to, and what its return is held against.
//!
//! The attack: somebody else's code that is slipped in, so that a person works in a stranger's account, or a person's code that
//! somebody else redeems. So the request carries a state that nobody can guess and that counts for one person in one
//! browser (RFC 6749, section 10.12), and a challenge whose verifier never leaves the host (RFC 7636).

use std::fmt;

use oauth2::basic::BasicClient;
use oauth2::{
    AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
};
use portcullis_policy::{Origin, PersonId};
use ring::digest;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use crate::random::unguessable;
use crate::{App, Endpoints, Login, NoRandom, RedirectUri, Service, Subject};

/// What somebody wants to begin.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The service.
    pub service: Service<'a>,
    /// Where to sign in.
    pub login: &'a Login,
    /// As which app.
    pub app: &'a App,
    /// Where the browser comes back to.
    pub redirect: &'a RedirectUri,
    /// What is asked for.
    pub scopes: &'a [String],
    /// Whose sign-in it is.
    pub asker: &'a Binding,
}

/// A person at a browser, as a digest: a sign-in that one began is not finished by another.
#[derive(Clone)]
pub struct Binding(digest::Digest);

/// Why no sign-in was begun.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is nothing that cannot be guessed.
    #[error(transparent)]
    NoRandom(#[from] NoRandom),
    /// A browser cannot be sent there.
    #[error("`{0}` is an address that browsers do not take: check the login and the callback URL")]
    Address(String),
}

/// What makes the return of one sign-in known (RFC 6749, section 10.12).
#[derive(Clone)]
pub(crate) struct State(pub(crate) SecretString);

impl State {
    /// Says whether a text is this one, in a time that tells nothing about it.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.0
            .expose_secret()
            .as_bytes()
            .ct_eq(text.as_bytes())
            .into()
    }
}

/// A sign-in under way: everything that its return is held against. It is good for one exchange, to which it is given
/// away. Its `Debug` shows no secret.
pub struct Attempt {
    pub(crate) endpoints: Endpoints,
    pub(crate) state: State,
    pub(crate) verifier: Option<SecretString>,
    pub(crate) redirect: RedirectUri,
    pub(crate) scopes: Vec<String>,
    pub(crate) client_id: String,
    pub(crate) asker: Binding,
}

/// Begins a sign-in: gives the address to send the browser to, and what to keep until it comes back.
///
/// # Errors
///
/// [`StartError`].
pub fn start(wish: Wish<'_>) -> Result<(String, Attempt), StartError> {
    let endpoints = Endpoints::at(wish.service.auth, &wish.login.origin);
    let state = State(unguessable()?);
    let verifier = wish.service.auth.pkce.then(unguessable).transpose()?;
    let attempt = Attempt {
        endpoints,
        state,
        verifier,
        redirect: wish.redirect.clone(),
        scopes: wish.scopes.to_vec(),
        client_id: wish.app.client_id.clone(),
        asker: wish.asker.clone(),
    };
    let url = attempt.url()?;
    Ok((url, attempt))
}

impl Attempt {
    /// Gives where the token will be exchanged, to be kept with the connection.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Gives the login's origin.
    pub fn origin(&self) -> &Origin {
        self.endpoints.origin()
    }

    /// Gives what guides about this sign-in are filled in with.
    pub fn subject(&self) -> Subject {
        Subject {
            origin: self.origin().clone(),
            callback: Some(self.redirect.to_string()),
            client_id: Some(self.client_id.clone()),
            scopes: self.scopes.clone(),
        }
    }

    fn url(&self) -> Result<String, StartError> {
        let (authorize, redirect) = (self.endpoints.authorize(), self.redirect.to_string());
        let authorize =
            AuthUrl::new(authorize.clone()).map_err(|_| StartError::Address(authorize))?;
        let redirect =
            RedirectUrl::new(redirect.clone()).map_err(|_| StartError::Address(redirect))?;
        let client = BasicClient::new(ClientId::new(self.client_id.clone()))
            .set_auth_uri(authorize)
            .set_redirect_uri(redirect);
        let mut request = client
            .authorize_url(|| CsrfToken::new(self.state.0.expose_secret().to_owned()))
            .add_scopes(self.scopes.iter().cloned().map(Scope::new));
        if let Some(verifier) = &self.verifier {
            let verifier = PkceCodeVerifier::new(verifier.expose_secret().to_owned());
            let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
            request = request.set_pkce_challenge(challenge);
        }
        Ok(request.url().0.into())
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("endpoints", &self.endpoints)
            .field("redirect", &self.redirect)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

impl Binding {
    /// Binds to a person, and to the browser that holds a secret, as in a cookie; none: the person's own machine,
    /// where there is no other browser to come from.
    pub fn new(person: &PersonId, browser: Option<&SecretString>) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        // The length first, so that no two pairs are written alike.
        let person = person.as_str().as_bytes();
        context.update(&person.len().to_be_bytes());
        context.update(person);
        if let Some(browser) = browser {
            context.update(browser.expose_secret().as_bytes());
        }
        Self(context.finish())
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.as_ref().ct_eq(other.0.as_ref()).into()
    }
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Binding")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::collections::BTreeMap;

    use url::Url;

    use crate::testing;

    use super::*;

    #[test]
    fn the_address_carries_a_challenge_and_no_secret() {
        let (url, attempt) = testing::attempt();
        let url = Url::parse(&url).unwrap();
        assert_eq!(
            url.as_str().split('?').next(),
            Some("https://login.example.com/authorize")
        );
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        let params: BTreeMap<_, _> = pairs.iter().cloned().collect();
        assert_eq!(pairs.len(), params.len());
        assert_eq!(params["response_type"], "code");
        assert_eq!(params["client_id"], "key");
        assert_eq!(params["redirect_uri"], "https://host.example/callback");
        assert_eq!(params["scope"], "records stay");
        assert_eq!(params["code_challenge_method"], "S256");
        assert!(
            attempt.state.is(&params["state"]) && !attempt.state.is("") && !attempt.state.is("x")
        );
        let verifier = attempt.verifier.as_ref().unwrap().expose_secret();
        assert_ne!(params["code_challenge"], verifier);
        assert!(!url.as_str().contains(verifier) && !url.as_str().contains("secret"));

        let shown = format!("{attempt:?} {:?}", attempt.asker);
        assert!(
            !shown.contains(verifier) && !shown.contains(&params["state"]),
            "{shown}"
        );
        let (_, other) = testing::attempt();
        assert!(!other.state.is(&params["state"]));
    }

    #[test]
    fn a_binding_is_one_person_in_one_browser() {
        let person = |name: &str| PersonId::parse(name).unwrap();
        let (one, two): (SecretString, SecretString) = ("one".into(), "two".into());
        let ada = Binding::new(&person("ada"), Some(&one));
        assert!(ada.is(&Binding::new(&person("ada"), Some(&one))));
        for other in [
            Binding::new(&person("ada"), Some(&two)),
            Binding::new(&person("ada"), None),
            Binding::new(&person("bob"), Some(&one)),
            Binding::new(&person("adao"), Some(&"ne".into())),
        ] {
            assert!(!ada.is(&other));
        }
    }
}
