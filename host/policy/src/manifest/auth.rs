//! How accounts sign in, as a manifest declares it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Origin, OriginPattern};

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
    /// The path of the authorization endpoint.
    pub authorize: String,
    /// The path of the token endpoint.
    pub token: String,
    /// The path of the revocation endpoint (RFC 7009).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke: Option<String>,
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

/// A place where people sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// Its id.
    pub id: String,
    /// For people.
    pub title: String,
    /// Where it is.
    #[serde(flatten)]
    pub place: LoginPlace,
    /// What kind of system stands behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

/// Where a login is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoginPlace {
    /// At one address.
    Origin(Origin),
    /// At an address of each customer's own, with a name in braces: `https://{domain}.example.com`.
    Pattern(String),
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

/// What to do about an error of the service's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guidance {
    /// What the error holds.
    #[serde(rename = "match")]
    pub match_: String,
    /// What it means.
    pub title: String,
    /// What to do, in the order of what helps most often.
    pub steps: Vec<String>,
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
    /// Says whether an answer is this one: a JSON object, or a list of which one counts.
    pub fn matches(&self, status: u16, body: &[u8]) -> bool {
        if status != self.status {
            return false;
        }
        if self.code.is_none() && self.message.is_none() {
            return true;
        }
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return false;
        };
        match &body {
            Value::Array(errors) => errors.iter().any(|error| self.matches_error(error)),
            error => self.matches_error(error),
        }
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
