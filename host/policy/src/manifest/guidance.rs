//! What to do about a service's errors, as a manifest says it.

use serde::{Deserialize, Serialize};

/// What to do about an error of the service's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guidance {
    /// What the error's code or description holds, in any case.
    #[serde(rename = "match")]
    pub match_: String,
    /// Where the error is shown; none: anywhere.
    #[serde(default, rename = "where", skip_serializing_if = "Vec::is_empty")]
    pub where_: Vec<ErrorPlace>,
    /// Whether it holds for now alone: what was granted stays good, and is asked for again later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub passes: bool,
    /// What it means.
    pub title: String,
    /// What to do, in the order of what helps most often, where it does not matter who does it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<String>,
    /// What the person who connects can do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub person: Vec<String>,
    /// What an administrator of the service must do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub administrator: Vec<String>,
    /// The page of the service's settings where the administrator does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup: Option<SetupPage>,
}

/// Where an error is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ErrorPlace {
    /// On a page of the service's own, from which nothing leads back to the host.
    Page,
    /// At the host's callback.
    Callback,
    /// In an answer of the token endpoint.
    Token,
    /// In the answer to a request of the connector.
    Call,
}

/// A page of a service's settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetupPage {
    /// What the service calls it.
    pub title: String,
    /// Its path at the connection's own address.
    pub path: String,
}

/// What stands in a step for a value that only the host knows.
pub const PLACEHOLDERS: [&str; 3] = ["callback", "client_id", "scopes"];

impl Guidance {
    /// Gives every step, whoever takes it, with the member that it stands in and its place there.
    pub fn all_steps(&self) -> impl Iterator<Item = (&'static str, usize, &str)> {
        let lists = [
            ("steps", &self.steps),
            ("person", &self.person),
            ("administrator", &self.administrator),
        ];
        lists.into_iter().flat_map(|(member, steps)| {
            let steps = steps.iter().enumerate();
            steps.map(move |(at, step)| (member, at, step.as_str()))
        })
    }

    /// Says whether an error that is shown somewhere is this one.
    pub fn is_about(&self, place: ErrorPlace, text: &str) -> bool {
        let is_there = self.where_.is_empty() || self.where_.contains(&place);
        let wanted = self.match_.to_ascii_lowercase();
        is_there && text.to_ascii_lowercase().contains(&wanted)
    }

    /// Says whether the other, where it stands behind this, is never reached.
    pub fn hides(&self, other: &Self) -> bool {
        let everywhere = self.where_.is_empty()
            || (!other.where_.is_empty()
                && other.where_.iter().all(|place| self.where_.contains(place)));
        let (own, others) = (&self.match_, &other.match_);
        everywhere
            && others
                .to_ascii_lowercase()
                .contains(&own.to_ascii_lowercase())
    }
}
