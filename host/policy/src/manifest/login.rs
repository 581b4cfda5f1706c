//! Where people sign in, as a manifest declares it.

use serde::{Deserialize, Serialize};

use super::login_pattern::LoginPattern;
use crate::Origin;

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
    /// Other addresses of the service by which people mean this login; the first that fits counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<AlsoLogin>,
}

/// Where a login is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoginPlace {
    /// At one address.
    Origin(Origin),
    /// At an address of each customer's own.
    Pattern(LoginPattern),
}

/// An address by which people mean a login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlsoLogin {
    /// The address.
    pub pattern: LoginPattern,
    /// The login that is meant, or another address by which people mean it, with the same names in braces; none: the
    /// address is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub means: Option<LoginPattern>,
    /// What kind of system stands behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

/// An address of the service that does not say which login is meant, such as that of a server which many customers share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnclearLogin {
    /// The address.
    pub pattern: LoginPattern,
    /// What is there: ends the sentence that begins with "it is".
    pub what: String,
    /// What whoever gives it can do.
    pub hint: String,
}
