//! Which request a fault strikes.

use std::ops::RangeInclusive;

use http::{HeaderName, HeaderValue, Method};
use serde::{Deserialize, Serialize};

use super::Fault;

/// The statuses of whole answers.
const STATUSES: RangeInclusive<u16> = 200..=599;

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

/// Why a rule never strikes, or strikes without effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// No request has such a method.
    #[error("`when.method` is `{0}`, which is no method")]
    Method(String),
    /// No path begins so.
    #[error("`when.path` is `{0}`; a path begins with `/`, or with `*` for any beginning")]
    Path(String),
    /// What is behind the path is not looked at.
    #[error("`when.path` is `{0}`; it is compared with the path alone, without what follows `?`")]
    Query(String),
    /// There is no such request.
    #[error("`when.nth` is 0; requests are counted from 1")]
    Nth,
    /// None is struck.
    #[error("`when.times` is 0; leave it out for once, or give null for always")]
    Times,
    /// It is no status of a whole answer.
    #[error(
        "`fault.status` is {0}; it must be from {first} to {last}",
        first = STATUSES.start(),
        last = STATUSES.end()
    )]
    Status(u16),
    /// It cannot be sent.
    #[error("`fault.headers` has `{0}`, which is no header")]
    Header(String),
    /// Nothing is missing, or nothing comes.
    #[error("`fault.{0}` is 0; it must be at least 1")]
    NoBytes(&'static str),
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

    /// Refuses a rule that never strikes, or strikes without effect.
    ///
    /// # Errors
    ///
    /// The first reason.
    pub fn check(&self) -> Result<(), RuleError> {
        self.when.check()?;
        match &self.fault {
            Fault::Truncated { missing_bytes: 0 } => Err(RuleError::NoBytes("missing_bytes")),
            Fault::Trickle { bytes: 0, .. } => Err(RuleError::NoBytes("bytes")),
            Fault::Answer { status, .. } if !STATUSES.contains(status) => {
                Err(RuleError::Status(*status))
            }
            Fault::Answer { headers, .. } => headers.iter().try_for_each(|(name, value)| {
                let known = name.parse::<HeaderName>().is_ok();
                if known && HeaderValue::from_str(value).is_ok() {
                    return Ok(());
                }
                Err(RuleError::Header(format!("{name}: {value}")))
            }),
            _ => Ok(()),
        }
    }

    /// Says whether the work is done.
    pub(super) fn works(&self) -> Work {
        self.work.unwrap_or_else(|| self.fault.work())
    }
}

impl When {
    fn check(&self) -> Result<(), RuleError> {
        if let Some(method) = &self.method
            && Method::from_bytes(method.as_bytes()).is_err()
        {
            return Err(RuleError::Method(method.clone()));
        }
        match &self.path {
            Some(path) if !path.starts_with(['/', '*']) => {
                return Err(RuleError::Path(path.clone()));
            }
            Some(path) if path.contains('?') => return Err(RuleError::Query(path.clone())),
            _ => {}
        }
        match (self.nth, self.times) {
            (0, _) => Err(RuleError::Nth),
            (_, Some(0)) => Err(RuleError::Times),
            _ => Ok(()),
        }
    }

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
