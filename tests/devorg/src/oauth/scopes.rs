//! Scopes: what an app may do for a user.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The scopes, by Salesforce's names.
const OF_APP: [&str; 12] = [
    "api",
    "refresh_token",
    "openid",
    "id",
    "profile",
    "email",
    "address",
    "phone",
    "web",
    "full",
    "chatter_api",
    "custom_permissions",
];

/// What a person is asked to allow, in Salesforce's words.
const WORDS: [(&str, &str); 12] = [
    ("api", "Manage user data via APIs"),
    ("refresh_token", "Perform requests at any time"),
    ("openid", "Access unique user identifiers"),
    ("id", "Access the identity URL service"),
    ("profile", "View your basic information"),
    ("email", "View your email address"),
    ("address", "View your address"),
    ("phone", "View your phone number"),
    ("web", "Manage user data via Web browsers"),
    ("full", "Full access"),
    ("chatter_api", "Access Connect REST API resources"),
    ("custom_permissions", "Access custom permissions"),
];

/// Why a list of scopes is not what an app can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScopeError {
    /// Nobody knows one of them.
    Unknown,
    /// The app lacks one of them.
    NotOfApp,
}

/// Some scopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scopes(BTreeSet<&'static str>);

impl Scopes {
    /// Gives every scope.
    pub(crate) fn all() -> Self {
        Self(OF_APP.into())
    }

    /// Gives the scope that says no more than who a user is.
    pub(crate) fn identity_alone() -> Self {
        Self(["id"].into())
    }

    /// Gives no scope.
    pub(super) fn none() -> Self {
        Self(BTreeSet::new())
    }

    /// Gives these without the one for a refresh token.
    pub(super) fn without_refresh(scopes: &Self) -> Self {
        let mut scopes = scopes.clone();
        scopes.0.remove("refresh_token");
        scopes
    }

    /// Gives every scope as a list for discovery.
    pub(crate) fn of_app() -> [&'static str; 12] {
        OF_APP
    }

    /// Reads a list with spaces or `+` between; an empty one is everything that the app has.
    ///
    /// # Errors
    ///
    /// A scope is none, or none of the app's.
    pub(crate) fn parse(text: &str, app: &Self) -> Result<Self, ScopeError> {
        let scopes: BTreeSet<&str> = text
            .split([' ', '+'])
            .filter(|scope| !scope.is_empty())
            // Two names for one scope.
            .map(|scope| match scope {
                "offline_access" => "refresh_token",
                scope => scope,
            })
            .map(|scope| OF_APP.into_iter().find(|known| *known == scope))
            .collect::<Option<_>>()
            .ok_or(ScopeError::Unknown)?;
        if scopes.is_empty() {
            return Ok(app.clone());
        }
        if !scopes.is_subset(&app.0) {
            return Err(ScopeError::NotOfApp);
        }
        Ok(Self(scopes))
    }

    /// Gives each scope with what it means to a person.
    pub(super) fn in_words(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        WORDS
            .into_iter()
            .filter(|(scope, _)| self.0.contains(scope))
    }

    /// Says whether all of the others are among these.
    pub(super) fn cover(&self, others: &Self) -> bool {
        others.0.is_subset(&self.0)
    }

    fn any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.0.contains(name))
    }

    /// Says whether the REST API may be used.
    pub(crate) fn api(&self) -> bool {
        self.any(&["api", "web", "full"])
    }

    /// Says whether there is an ID token.
    pub(super) fn openid(&self) -> bool {
        self.any(&["openid"])
    }

    /// Says whether there is a refresh token; `full` does not include it.
    pub(crate) fn refresh(&self) -> bool {
        self.any(&["refresh_token"])
    }

    /// Says whether the app may learn who the user is.
    pub(crate) fn identity(&self) -> bool {
        self.any(&[
            "openid", "id", "profile", "email", "address", "phone", "full",
        ])
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = OF_APP
            .into_iter()
            .filter(|scope| self.0.contains(scope))
            .collect();
        f.write_str(&words.join(" "))
    }
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // No text is no scope here, and not every one.
        if text.is_empty() {
            return Ok(Self(BTreeSet::new()));
        }
        Self::parse(&text, &Self::all())
            .map_err(|_| D::Error::custom(format!("`{text}` are no scopes")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_and_written() {
        let all = Scopes::all();
        let written = |text| Scopes::parse(text, &all).map(|scopes| scopes.to_string());
        assert_eq!(
            written("refresh_token api").as_deref(),
            Ok("api refresh_token")
        );
        assert_eq!(written("offline_access").as_deref(), Ok("refresh_token"));
        assert_eq!(written(""), Ok(all.to_string()));
        assert_eq!(written("api everything"), Err(ScopeError::Unknown));
        let lacking = Scopes::parse("id api", &Scopes::identity_alone());
        assert_eq!(lacking, Err(ScopeError::NotOfApp));
        assert!(all.in_words().map(|(scope, _)| scope).eq(OF_APP));
    }

    #[test]
    fn full_is_no_refresh_token() {
        let full = Scopes::parse("full", &Scopes::all());
        assert!(full.is_ok_and(|full| full.api() && full.identity() && !full.refresh()));
    }
}
