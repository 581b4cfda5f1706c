//! How accounts sign in, as a manifest declares it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::guidance::{Guidance, SetupPage};
use super::login::{Login, UnclearLogin};
use crate::OriginPattern;

/// How accounts sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Auth {
    /// OAuth 2 with an authorization code (RFC 6749, section 4.1).
    #[serde(rename = "oauth2")]
    OAuth2(Box<OAuth2>),
    /// A key that the account's owner pastes.
    #[serde(rename = "api_key")]
    ApiKey(ApiKey),
    /// Nobody signs in.
    #[serde(rename = "none")]
    None,
}

/// OAuth 2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OAuth2 {
    /// Whether the code is bound to who asked for it (RFC 7636).
    pub pkce: bool,
    /// Where people sign in.
    pub login: Vec<Login>,
    /// Addresses that do not say which login is meant; asked only where none fits, and the first that fits counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unclear: Vec<UnclearLogin>,
    /// The path of the authorization endpoint.
    pub authorize: String,
    /// The path of the token endpoint.
    pub token: String,
    /// The path of the revocation endpoint (RFC 7009).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke: Option<String>,
    /// What a revocation ends besides the token.
    #[serde(default, skip_serializing_if = "Grants::is_default")]
    pub grants: Grants,
    /// Where an administrator of the service ends by hand what could not be revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants_page: Option<SetupPage>,
    /// What is asked for.
    pub scopes: Scopes,
    /// Where in the token's response the connection's origin stands: a JSON Pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin_from: Option<String>,
    /// Which answers say that the token is stale, so that it is renewed.
    pub stale_token: Vec<StaleToken>,
    /// What to do about the service's errors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guidance: Vec<Guidance>,
}

/// Whether the sign-ins of one user with one app are independent of each other (RFC 7009, section 2.1, leaves
/// it to the service what else a revocation ends).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grants {
    /// They may share a grant: to revoke one's tokens may end the others.
    #[default]
    Shared,
    /// Each has a grant of its own.
    Separate,
}

impl Grants {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Scopes of OAuth 2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scopes {
    /// Asked for unless somebody chooses.
    pub default: Vec<String>,
    /// May be chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub optional: Vec<String>,
    /// The one without which a connection ends with its first access token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<String>,
    /// What each means to a person.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub explain: BTreeMap<String, String>,
}

impl Scopes {
    /// Gives every scope that is declared.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.default
            .iter()
            .chain(&self.optional)
            .map(String::as_str)
    }
}

/// An answer that says that the token is stale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaleToken {
    /// Its status.
    pub status: u16,
    /// The error's code in its body; none: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the error's message holds; none: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// A key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Where in a request it stands.
    #[serde(flatten)]
    pub place: ApiKeyPlace,
    /// Where its requests go, if that is the same for everyone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<OriginPattern>,
}

/// Where a key stands in a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApiKeyPlace {
    /// In this header.
    Header(String),
    /// In this query parameter.
    Query(String),
}

/// Members of an error's JSON in which services write its code and its message.
const CODE_MEMBERS: [&str; 3] = ["errorCode", "code", "error"];
const MESSAGE_MEMBERS: [&str; 3] = ["message", "error_description", "detail"];

impl StaleToken {
    /// Says whether an answer is this one: a JSON object, a list of which one counts, or a SOAP fault.
    pub fn matches(&self, status: u16, body: &[u8]) -> bool {
        if status != self.status {
            return false;
        }
        if self.code.is_none() && self.message.is_none() {
            return true;
        }
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return self.matches_fault(body);
        };
        match &body {
            Value::Array(errors) => errors.iter().any(|error| self.matches_error(error)),
            error => self.matches_error(error),
        }
    }

    /// The same of a SOAP fault (SOAP 1.1, section 4.4), whose code may have a prefix.
    fn matches_fault(&self, body: &[u8]) -> bool {
        let Ok(parts) = crate::agreement::xml::parts(body) else {
            return false;
        };
        let texts = |name: &str| {
            let behind = format!("/Fault/{name}");
            let mut found = parts.iter().filter(|part| part.place.ends_with(&behind));
            let text = found.next().and_then(|part| part.text());
            text.map(str::to_owned).unwrap_or_default()
        };
        let code = texts("faultcode");
        let code = code.rsplit(':').next().unwrap_or_default();
        self.code.as_deref().is_none_or(|wanted| wanted == code)
            && self
                .message
                .as_deref()
                .is_none_or(|words| texts("faultstring").contains(words))
    }

    fn matches_error(&self, error: &Value) -> bool {
        let texts = |members: [&'static str; 3]| {
            members
                .into_iter()
                .filter_map(|member| error[member].as_str())
        };
        let code = self.code.as_deref();
        let message = self.message.as_deref();
        code.is_none_or(|code| texts(CODE_MEMBERS).any(|text| text == code))
            && message
                .is_none_or(|message| texts(MESSAGE_MEMBERS).any(|text| text.contains(message)))
    }
}
