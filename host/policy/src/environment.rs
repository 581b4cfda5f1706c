//! Which kind of system a connection is to.

use serde::{Deserialize, Serialize};

/// The kind of system behind a connection, so that a person sees what a change would hit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// Real data.
    Production,
    /// A copy to try things on.
    Sandbox,
    /// A developer's own.
    Development,
    /// Not known.
    #[default]
    Unknown,
}

impl Environment {
    /// Gives its word, for stores and programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Sandbox => "sandbox",
            Self::Development => "development",
            Self::Unknown => "unknown",
        }
    }

    /// Takes a word; one that is not known may be a later version's.
    pub fn of_word(word: &str) -> Self {
        let known = [Self::Production, Self::Sandbox, Self::Development];
        let found = known.into_iter().find(|known| known.as_str() == word);
        found.unwrap_or_default()
    }
}
