//! People sign in at the issuer, in a browser, and this server is told who they are (OpenID Connect Core 1.0, section 3.1).
//!
//! The attack: a code of somebody else's is slipped into a person's browser, so that they work as a stranger; a code that was taken on its way is
//! redeemed; an ID token that was made for another client, or another sign-in, is handed on. So a code counts in the browser that asked for it
//! (`state`), for who has the verifier (PKCE, RFC 7636), at the one issuer (RFC 9207); and an ID token that comes for it names this client alone and
//! the very sign-in (`nonce`). It is the name in it that counts, and nothing else of what the issuer says.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request};
use http_body_util::Full;
use portcullis_policy::Origin;
use ring::digest;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;
use url::{Url, form_urlencoded};

use super::keys::Description;
use super::{Claim, Issuer, IssuerProblem, NotBelieved, named, refused};
use crate::App;
use crate::exchange::{Exchange, Failure};
use crate::token::bounded;

/// This server as a client of an issuer's.
pub struct IssuerClient {
    issuer: Arc<Issuer>,
    app: App,
    claim: Claim,
}

/// What ties a sign-in to the browser that began it: nobody else can guess any of it.
pub(crate) struct Tie {
    pub(crate) state: SecretString,
    pub(crate) nonce: SecretString,
    pub(crate) verifier: SecretString,
}

/// What a browser brings back.
pub(crate) struct CameBack {
    code: Result<SecretString, String>,
    issuer: Option<String>,
}

/// Why nobody signs in.
#[derive(Debug, thiserror::Error)]
pub enum NotSignedIn {
    /// The issuer cannot be asked.
    #[error(transparent)]
    Unavailable(#[from] IssuerProblem),
    /// It does not say where people sign in.
    #[error("the issuer does not say where people sign in, or where codes become tokens")]
    NoEndpoint,
    /// The person said no there, or the issuer did.
    #[error("the issuer let nobody in: `{0}`")]
    Denied(String),
    /// What came back is another issuer's.
    #[error("what came back is not from the issuer that was asked")]
    OtherIssuer,
    /// The code became no token.
    #[error("the issuer made no token of the code: {0}")]
    NoToken(String),
    /// What the issuer says of who it is does not count.
    #[error("{0}")]
    NotBelieved(String),
}

/// What is read of a token endpoint's answer.
#[derive(Deserialize)]
struct Tokens {
    id_token: Option<String>,
}

impl CameBack {
    /// Reads a query's state, and the rest of it; none where a part is there twice, or what belongs to it is not there.
    pub(crate) fn of(query: &str) -> Option<(SecretString, Self)> {
        let (mut state, mut code, mut error, mut issuer) = (None, None, None, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match &*name {
                "state" => &mut state,
                "code" => &mut code,
                "error" => &mut error,
                "iss" => &mut issuer,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return None;
            }
        }
        let code = match (code, error) {
            (Some(code), None) => Ok(code.into()),
            (None, Some(error)) => Err(bounded(&error)),
            _ => return None,
        };
        Some((state?.into(), Self { code, issuer }))
    }
}

impl IssuerClient {
    /// Makes it of what it is there, and what of an ID token names a person. The app's secret may be none: PKCE is used always.
    pub fn new(issuer: Arc<Issuer>, app: App, claim: Claim) -> Self {
        Self { issuer, app, claim }
    }

    /// Gives the issuer's URL, as it writes that itself.
    pub(crate) fn url(&self) -> &str {
        self.issuer.url()
    }

    /// Gives the issuer's name for people: its host.
    pub(crate) fn name(&self) -> String {
        let url = Url::parse(self.url());
        let host = url.ok().and_then(|url| url.host_str().map(str::to_owned));
        host.unwrap_or_else(|| self.url().to_owned())
    }

    /// Gives the address where a person signs in, and is led back from to `redirect`.
    pub(crate) async fn way_out(&self, tie: &Tie, redirect: &str) -> Result<String, NotSignedIn> {
        let described = self.issuer.keys.described().await?;
        let (at, _) = endpoints(&described)?;
        // A browser is sent nowhere that a request could not go.
        self.issuer.keys.client(at)?;
        let mut url = Url::parse(at).map_err(|_| NotSignedIn::NoEndpoint)?;
        let challenge = digest::digest(&digest::SHA256, tie.verifier.expose_secret().as_bytes());
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", &self.app.client_id),
            ("redirect_uri", redirect),
            ("scope", self.scope()),
            ("state", tie.state.expose_secret()),
            ("nonce", tie.nonce.expose_secret()),
            ("code_challenge", &BASE64_URL_SAFE_NO_PAD.encode(challenge)),
            ("code_challenge_method", "S256"),
        ]);
        Ok(url.into())
    }

    /// Says by which name the issuer knows who came back.
    pub(crate) async fn who(
        &self,
        tie: &Tie,
        redirect: &str,
        came: CameBack,
    ) -> Result<String, NotSignedIn> {
        let described = self.issuer.keys.described().await?;
        let is_required = described.authorization_response_iss_parameter_supported;
        match &came.issuer {
            Some(issuer) if issuer != self.url() => return Err(NotSignedIn::OtherIssuer),
            None if is_required => return Err(NotSignedIn::OtherIssuer),
            _ => {}
        }
        let code = came.code.map_err(NotSignedIn::Denied)?;
        let token = self.redeem(&described, tie, redirect, &code).await?;
        let audience = [self.app.client_id.clone()];
        let claims = self.issuer.claims(&token, &audience, is_id_token).await;
        let name = claims.and_then(|claims| {
            self.require_made_for(&claims, &tie.nonce)?;
            named(&claims, &self.claim)
        });
        name.map_err(|error| match error {
            NotBelieved::Refused(why) => NotSignedIn::NotBelieved(why),
            NotBelieved::Unavailable(problem) => problem.into(),
        })
    }

    fn scope(&self) -> &'static str {
        match self.claim {
            Claim::Subject => "openid",
            Claim::Email => "openid email",
            Claim::Other(_) => "openid profile",
        }
    }

    /// Refuses an ID token that was made for others, too, or for another sign-in (OpenID Connect Core 1.0, section 3.1.3.7).
    fn require_made_for(
        &self,
        claims: &Map<String, Value>,
        nonce: &SecretString,
    ) -> Result<(), NotBelieved> {
        let client = &self.app.client_id;
        let is_ours = match claims.get("aud") {
            Some(Value::String(one)) => one == client,
            Some(Value::Array(all)) => matches!(&all[..], [Value::String(one)] if one == client),
            _ => false,
        };
        let is_by_ours = claims.get("azp").is_none_or(|by| by == client.as_str());
        if !is_ours || !is_by_ours {
            return Err(refused("it was made for another client, too"));
        }
        let found = claims.get("nonce").and_then(Value::as_str);
        let found = found.unwrap_or_default().as_bytes();
        match bool::from(found.ct_eq(nonce.expose_secret().as_bytes())) {
            true => Ok(()),
            false => Err(refused("it was made for another sign-in")),
        }
    }

    /// Makes an ID token of a code.
    async fn redeem(
        &self,
        described: &Description,
        tie: &Tie,
        redirect: &str,
        code: &SecretString,
    ) -> Result<SecretString, NotSignedIn> {
        let (_, at) = endpoints(described)?;
        let exchange = Exchange {
            client: self.issuer.keys.client(at)?,
        };
        let request = self.request(described, tie, redirect, code)?;
        let answer = exchange.send(request).await.map_err(unanswered)?;
        let status = answer.token_status().map_err(unanswered)?;
        if !status.is_success() {
            let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let code = said["error"].as_str().unwrap_or_default();
            return Err(NotSignedIn::NoToken(format!("`{}`", bounded(code))));
        }
        let tokens: Option<Tokens> = serde_json::from_slice(&answer.body).ok();
        let token = tokens.and_then(|tokens| tokens.id_token);
        token
            .map(SecretString::from)
            .ok_or_else(|| NotSignedIn::NoToken("its answer has no ID token".to_owned()))
    }

    /// Asks for a code's tokens, as this client (RFC 6749, section 4.1.3).
    fn request(
        &self,
        described: &Description,
        tie: &Tie,
        redirect: &str,
        code: &SecretString,
    ) -> Result<Request<Full<Bytes>>, NotSignedIn> {
        let (_, at) = endpoints(described)?;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs([
            ("grant_type", "authorization_code"),
            ("code", code.expose_secret()),
            ("redirect_uri", redirect),
            ("client_id", &self.app.client_id),
            ("code_verifier", tie.verifier.expose_secret()),
        ]);
        let mut request = Request::post(at)
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(
                CONTENT_TYPE,
                HeaderValue::from_static("application/x-www-form-urlencoded"),
            );
        if let Some(secret) = &self.app.client_secret {
            let methods = described.token_endpoint_auth_methods_supported.as_deref();
            match takes_in_form(methods) {
                true => drop(form.append_pair("client_secret", secret.expose_secret())),
                false => request = request.header(AUTHORIZATION, self.basic(secret)),
            }
        }
        let request = request.body(Full::new(Bytes::from(form.finish())));
        request.map_err(|_| NotSignedIn::NoEndpoint)
    }

    /// Says who this client is, in a header (RFC 6749, section 2.3.1).
    fn basic(&self, secret: &SecretString) -> String {
        let coded =
            |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let (id, secret) = (coded(&self.app.client_id), coded(secret.expose_secret()));
        format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{secret}")))
    }
}

/// Gives where people sign in, and where codes become tokens.
fn endpoints(described: &Description) -> Result<(&str, &str), NotSignedIn> {
    let (at, token) = (&described.authorization_endpoint, &described.token_endpoint);
    at.as_deref()
        .zip(token.as_deref())
        .filter(|(at, _)| {
            Url::parse(at).is_ok_and(|at| Origin::parse(&at.origin().ascii_serialization()).is_ok())
        })
        .ok_or(NotSignedIn::NoEndpoint)
}

/// Says whether a client's secret stands in the form: only where the issuer takes it in no header.
fn takes_in_form(methods: Option<&[String]>) -> bool {
    methods.is_some_and(|methods| {
        let has = |wanted: &str| methods.iter().any(|method| method == wanted);
        has("client_secret_post") && !has("client_secret_basic")
    })
}

/// Says whether a token may be an ID token, by the type that it has.
fn is_id_token(typ: &str) -> bool {
    typ.eq_ignore_ascii_case("jwt")
}

fn unanswered(failure: Failure) -> NotSignedIn {
    NotSignedIn::NoToken(failure.to_string())
}

impl fmt::Debug for IssuerClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuerClient")
            .field("issuer", &self.issuer)
            .field("client_id", &self.app.client_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_is_a_code_or_an_error_and_nothing_twice() {
        let (state, came) = CameBack::of("code=c&state=s&iss=https%3A%2F%2Fi.example").unwrap();
        assert_eq!(state.expose_secret(), "s");
        assert_eq!(came.code.unwrap().expose_secret(), "c");
        assert_eq!(came.issuer.as_deref(), Some("https://i.example"));
        let (_, came) = CameBack::of("error=access_denied&state=s").unwrap();
        assert_eq!(came.code.unwrap_err(), "access_denied");
        for wrong in [
            "",
            "code=c",
            "state=s",
            "code=c&error=e&state=s",
            "code=c&code=d&state=s",
            "code=c&state=s&state=t",
            "code=c&state=s&iss=a&iss=b",
        ] {
            assert!(CameBack::of(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_secret_stands_in_the_form_only_where_no_header_is_taken() {
        let methods = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        assert!(!takes_in_form(None));
        assert!(takes_in_form(Some(&methods(&[
            "client_secret_post",
            "none"
        ]))));
        for all in [
            &[][..],
            &["none"],
            &["client_secret_basic"],
            &["client_secret_basic", "client_secret_post"],
        ] {
            assert!(!takes_in_form(Some(&methods(all))), "{all:?}");
        }
    }
}
