//! Scopes: what an app may do for a user.

use std::collections::BTreeSet;
use std::fmt;

/// The scopes of the dev org's app, in Salesforce's words.
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

/// Some of the app's scopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scopes(BTreeSet<&'static str>);

impl Scopes {
    /// Gives every scope of the app, as one that asks for none is given.
    pub(crate) fn all() -> Self {
        Self(OF_APP.into())
    }

    /// Gives the app's scopes as a list for discovery.
    pub(crate) fn of_app() -> [&'static str; 12] {
        OF_APP
    }

    /// Reads a list with spaces or `+` between; `None` when the app lacks one of them.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let scopes: Option<BTreeSet<_>> = text
            .split([' ', '+'])
            .filter(|scope| !scope.is_empty())
            // Two names for one scope.
            .map(|scope| {
                if scope == "offline_access" {
                    "refresh_token"
                } else {
                    scope
                }
            })
            .map(|scope| OF_APP.into_iter().find(|known| *known == scope))
            .collect();
        let scopes = scopes?;
        Some(if scopes.is_empty() {
            Self::all()
        } else {
            Self(scopes)
        })
    }

    fn any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.0.contains(name))
    }

    /// Says whether the REST API may be used.
    pub(crate) fn api(&self) -> bool {
        self.any(&["api", "web", "full"])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_and_written() {
        let written = |text| Scopes::parse(text).map(|scopes| scopes.to_string());
        assert_eq!(
            written("refresh_token api").as_deref(),
            Some("api refresh_token")
        );
        assert_eq!(written("offline_access").as_deref(), Some("refresh_token"));
        assert_eq!(written(""), Some(Scopes::all().to_string()));
        assert_eq!(written("api everything"), None);
    }

    #[test]
    fn full_is_no_refresh_token() {
        let full = Scopes::parse("full");
        assert!(full.is_some_and(|full| full.api() && full.identity() && !full.refresh()));
    }
}
