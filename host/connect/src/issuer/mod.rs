//! Who somebody is by the word of an OpenID Connect issuer: access tokens that it signs for this server (RFC 9068).
//!
//! The attack: a token that the issuer made for another server, that another issuer made, that has ended, that only tells a client who
//! signed in, that is signed by whatever it names itself, or by a public key taken for a shared secret. So one issuer is believed, by keys that it
//! publishes (`keys`) and algorithms of public keys alone (`checks`); a token names this server as its audience (RFC 8707), has an end
//! that is not past, and says nothing about where its key is. Each token is looked at anew. And a flood of tokens with keys that nobody
//! knows: the issuer is asked so often and no more.
//!
//! People at a browser are another matter: they sign in there, and what is believed is the ID token that this server gets for that very
//! sign-in (`sign_in`).

mod checks;
mod keys;
mod sign_in;

use std::fmt;

use jsonwebtoken::{Validation, decode, decode_header};
use portcullis::Network;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use keys::Keys;
pub use keys::{IssuerError, IssuerProblem};
pub(crate) use sign_in::{CameBack, Tie};
pub use sign_in::{IssuerClient, NotSignedIn};

/// Seconds by which the issuer's clock and this machine's may differ.
const CLOCKS_DIFFER_SECONDS: u64 = 60;

/// Bytes of a token; those with many groups have four thousand.
const TOKEN_BYTES_MAX: usize = 16 << 10;

/// What ID tokens have and access tokens do not: they tie it to a client's request, or to what was issued beside it (OpenID Connect Core 1.0,
/// sections 2, 3.1.3.6 and 3.3.2.11).
const OF_ID_TOKENS: [&str; 3] = ["nonce", "at_hash", "c_hash"];

/// Bytes of what names a person.
const NAME_BYTES_MAX: usize = 255;

/// An issuer whose tokens are believed.
pub struct Issuer {
    url: String,
    keys: Keys,
}

/// What of a token names the person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Claim {
    /// `sub`: who it is for the issuer, for good.
    #[default]
    Subject,
    /// `email`, where the issuer says that it has verified it.
    Email,
    /// Another one, such as `oid` or `upn`.
    Other(String),
}

/// Why a token says nothing of anybody. Neither has anything of the token.
#[derive(Debug, thiserror::Error)]
pub enum NotBelieved {
    /// It is not one of the issuer's for this server, or no longer.
    #[error("the token is not believed: {0}")]
    Refused(String),
    /// The issuer's keys cannot be had.
    #[error(transparent)]
    Unavailable(IssuerProblem),
}

impl Claim {
    /// Reads what an administrator writes.
    pub fn named(name: &str) -> Self {
        match name {
            "sub" => Self::Subject,
            "email" => Self::Email,
            other => Self::Other(other.to_owned()),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Subject => "sub",
            Self::Email => "email",
            Self::Other(name) => name,
        }
    }
}

impl Issuer {
    /// Names an issuer, by its URL as it writes that itself in its tokens. Nothing is asked of it before the first token comes.
    ///
    /// # Errors
    ///
    /// [`IssuerError`]: it is no address that may be asked: https, or where the operator lets requests go.
    pub fn new(url: &str, network: &Network) -> Result<Self, IssuerError> {
        Ok(Self {
            keys: Keys::new(url, network.clone())?,
            url: url.to_owned(),
        })
    }

    /// Gives its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Says who a token names, if the issuer made it for one of these audiences.
    ///
    /// # Errors
    ///
    /// [`NotBelieved`].
    pub async fn named_in(
        &self,
        token: &SecretString,
        audiences: &[String],
        claim: &Claim,
    ) -> Result<String, NotBelieved> {
        let claims = self.claims(token, audiences, is_access_token).await?;
        // Its audience is the client that it was made for, which may be a name of this server, too; and some issuers name no type.
        if OF_ID_TOKENS.iter().any(|one| claims.contains_key(*one)) {
            return Err(refused("it is an ID token, and none for access"));
        }
        named(&claims, claim)
    }

    /// Reads what a token says, if the issuer made it for one of these audiences and it is good now. `is_kind` says which types it may have.
    async fn claims(
        &self,
        token: &SecretString,
        audiences: &[String],
        is_kind: fn(&str) -> bool,
    ) -> Result<Map<String, Value>, NotBelieved> {
        let token = token.expose_secret();
        if token.len() > TOKEN_BYTES_MAX {
            return Err(refused("it is too long"));
        }
        let header = decode_header(token).map_err(refused)?;
        if !checks::ALGORITHMS.contains(&header.alg) {
            return Err(refused("it is signed by an algorithm that is not taken"));
        }
        if header.crit.is_some() {
            return Err(refused("it asks for what is not known here"));
        }
        let typ = header.typ.as_deref();
        if typ.is_some_and(|typ| !is_kind(typ)) {
            return Err(refused("it is a token of another kind"));
        }
        let key = self.keys.key(header.kid.as_deref(), header.alg).await;
        let key = key.map_err(NotBelieved::Unavailable)?;
        let key = key.ok_or_else(|| refused("its key is none of the issuer's"))?;
        checks::install();
        let mut expected = Validation::new(header.alg);
        expected.leeway = CLOCKS_DIFFER_SECONDS;
        expected.validate_nbf = true;
        expected.set_required_spec_claims(&["exp", "iss", "aud"]);
        expected.set_issuer(&[&self.url]);
        expected.set_audience(audiences);
        let claims = decode::<Map<String, Value>>(token, &key, &expected);
        Ok(claims.map_err(refused)?.claims)
    }
}

/// Says whether a token may be one for access, by the type that it has (RFC 9068, section 4; RFC 8725, section 3.11). Many issuers have
/// a general one.
fn is_access_token(typ: &str) -> bool {
    let types = ["at+jwt", "application/at+jwt", "jwt"];
    types.iter().any(|one| typ.eq_ignore_ascii_case(one))
}

/// Reads who a believed token names.
fn named(claims: &Map<String, Value>, claim: &Claim) -> Result<String, NotBelieved> {
    if *claim == Claim::Email && claims.get("email_verified") != Some(&Value::Bool(true)) {
        return Err(refused("its e-mail address is not verified"));
    }
    match claims.get(claim.name()) {
        Some(Value::String(name)) if !name.is_empty() && name.len() <= NAME_BYTES_MAX => {
            Ok(name.clone())
        }
        _ => Err(refused(format!(
            "it names nobody: it has no `{}`",
            claim.name()
        ))),
    }
}

fn refused(why: impl fmt::Display) -> NotBelieved {
    NotBelieved::Refused(why.to_string())
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_counts_where_it_is_verified_and_a_name_where_it_is_one() {
        let read = |claims: Value, claim: Claim| {
            let claims = claims.as_object().cloned().unwrap_or_default();
            named(&claims, &claim).ok()
        };
        let ada = Some("ada@acme.example".to_owned());
        let verified = json!({"email": "ada@acme.example", "email_verified": true});
        assert_eq!(read(verified, Claim::Email), ada);
        for unverified in [
            json!({"email": "ada@acme.example"}),
            json!({"email": "ada@acme.example", "email_verified": false}),
            json!({"email": "ada@acme.example", "email_verified": "true"}),
            json!({"email_verified": true}),
        ] {
            assert_eq!(read(unverified, Claim::Email), None);
        }
        for (claims, claim) in [
            (json!({"sub": ""}), Claim::Subject),
            (json!({"sub": 7}), Claim::Subject),
            (json!({"sub": ["ada"]}), Claim::Subject),
            (json!({"sub": "x".repeat(256)}), Claim::Subject),
            (json!({"sub": "ada"}), Claim::named("oid")),
        ] {
            assert_eq!(read(claims, claim), None);
        }
        let oid = json!({"oid": "7"});
        assert_eq!(read(oid, Claim::named("oid")).as_deref(), Some("7"));
    }
}
