//! Which request a fault strikes.

use serde::{Deserialize, Serialize};

use super::Fault;

/// A fault and the requests that it strikes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What goes wrong.
    pub fault: Fault,
    /// For which requests; left out, the next one.
    #[serde(default)]
    pub when: When,
    /// Whether what was asked for is done; left out, as [`Fault::work`] says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<Work>,
}

/// Whether a request that a fault strikes is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// The fault comes after the work: it is done, and its answer is lost or spoiled.
    After,
    /// The fault comes instead of the work: nothing is done.
    Instead,
}

/// The requests that a rule is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct When {
    /// The method; any if left out.
    pub method: Option<String>,
    /// What the path begins with, or, with a `*` for any characters in it, what all of it is like;
    /// any if left out.
    pub path: Option<String>,
    /// The first that is struck, counted from 1 among those that fit. One that an earlier rule
    /// strikes does not count.
    pub nth: u64,
    /// How many are struck from there on; `null` is all of them until the rule is cleared.
    pub times: Option<u64>,
}

impl Default for When {
    fn default() -> Self {
        Self {
            method: None,
            path: None,
            nth: 1,
            times: Some(1),
        }
    }
}

impl Rule {
    /// Makes a rule for the next request.
    pub fn next(fault: Fault) -> Self {
        Self {
            fault,
            when: When::default(),
            work: None,
        }
    }

    /// Says whether the work is done.
    pub(super) fn works(&self) -> Work {
        self.work.unwrap_or_else(|| self.fault.work())
    }
}

impl When {
    /// Says whether a request is one of those that are counted.
    pub(super) fn fits(&self, method: &str, path: &str) -> bool {
        let method_fits = self
            .method
            .as_ref()
            .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method));
        method_fits
            && self
                .path
                .as_ref()
                .is_none_or(|pattern| is_like(path, pattern))
    }
}

/// Says whether a path begins with a pattern, or is like one that has stars.
fn is_like(path: &str, pattern: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return path.starts_with(pattern);
    };
    let Some(mut path) = path.strip_prefix(start) else {
        return false;
    };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        let Some(place) = path.find(part) else {
            return false;
        };
        path = &path[place + part.len()..];
    }
    path.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_like_patterns() {
        for (path, pattern, like) in [
            ("/services/data/v68.0/query", "/services/data", true),
            ("/services/data/v68.0/query", "/services/data/*/query", true),
            (
                "/services/data/v68.0/queryAll",
                "/services/data/*/query",
                false,
            ),
            ("/services/data/v68.0/queryAll", "*/query*", true),
            ("/a/b/c/d", "/a*b*d", true),
            ("/a/b/c/d", "/a*c*b*", false),
            ("/ab", "/ab*b", false),
            ("/x", "", true),
            ("/x", "*", true),
        ] {
            assert_eq!(is_like(path, pattern), like, "{path} {pattern}");
        }
    }
}
