//! Faults on demand: what can go wrong between a client and Salesforce, made to.
//!
//! A [`Rule`] says which fault strikes which requests, and whether what was asked for is done all
//! the same, so that "committed, but the answer was lost" can be tested.

mod frames;
mod rule;
mod strike;

use serde::{Deserialize, Serialize};

pub use rule::{Rule, RuleError, When, Work};
pub(crate) use strike::answer;

/// What goes wrong.
///
/// As JSON it is an object with its `kind`, the name with hyphens: `{"kind": "latency", "ms": 500}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// The answer is late.
    Latency {
        /// By so many milliseconds.
        ms: u64,
    },
    /// The connection is closed before the answer.
    Drop,
    /// The connection is closed half way through the answer's body.
    DropHalfway,
    /// 500 `UNKNOWN_EXCEPTION`.
    ServerError,
    /// 503 with a page, as during maintenance.
    Maintenance {
        /// `Retry-After`; left out, there is none.
        #[serde(default)]
        retry_after_seconds: Option<u32>,
    },
    /// 420: Salesforce's edge does not know where the org is.
    NoRouting,
    /// `UNABLE_TO_LOCK_ROW`: somebody else is changing the record.
    LockRow,
    /// `QUERY_TIMEOUT`.
    QueryTimeout,
    /// 503 `SERVER_UNAVAILABLE`.
    ServerUnavailable,
    /// `REQUEST_LIMIT_EXCEEDED`: the day's requests are used up.
    RequestLimit,
    /// 401 `INVALID_SESSION_ID`, for this request alone.
    SessionExpired,
    /// The body ends before its declared length.
    Truncated {
        /// By so many bytes.
        missing_bytes: usize,
    },
    /// The body is no JSON: its last character is lost, and its length fits that.
    MalformedJson,
    /// The body comes in pieces.
    Trickle {
        /// The bytes of a piece.
        bytes: usize,
        /// The milliseconds between two.
        ms: u64,
    },
    /// Another answer: a page of a proxy, a redirect.
    Answer {
        /// The status.
        status: u16,
        /// The headers; one whose name is none is left out.
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// The body.
        #[serde(default)]
        body: String,
    },
}

impl Fault {
    /// Gives one of each kind, as a list of what there is.
    pub(crate) fn examples() -> [Self; 15] {
        [
            Self::Latency { ms: 500 },
            Self::Drop,
            Self::DropHalfway,
            Self::ServerError,
            Self::Maintenance {
                retry_after_seconds: Some(30),
            },
            Self::NoRouting,
            Self::LockRow,
            Self::QueryTimeout,
            Self::ServerUnavailable,
            Self::RequestLimit,
            Self::SessionExpired,
            Self::Truncated { missing_bytes: 1 },
            Self::MalformedJson,
            Self::Trickle { bytes: 16, ms: 50 },
            Self::Answer {
                status: 302,
                headers: vec![("Location".to_owned(), "/".to_owned())],
                body: String::new(),
            },
        ]
    }

    /// Says whether what was asked for is done, unless a rule says otherwise: faults that spoil an
    /// answer come after the work, and those that are an answer come instead of it.
    pub fn work(&self) -> Work {
        match self {
            Self::Latency { .. }
            | Self::DropHalfway
            | Self::Truncated { .. }
            | Self::MalformedJson
            | Self::Trickle { .. } => Work::After,
            _ => Work::Instead,
        }
    }
}

/// The faults that are due.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<Armed>,
    last_number: u64,
}

/// A rule that waits for its requests.
#[derive(Debug, Serialize)]
pub(crate) struct Armed {
    id: u64,
    #[serde(flatten)]
    rule: Rule,
    /// How many requests have fit.
    seen: u64,
    /// How many have been struck.
    struck: u64,
}

impl Faults {
    /// Adds a rule after the others, and gives its number.
    pub(crate) fn add(&mut self, rule: Rule) -> u64 {
        self.last_number += 1;
        self.rules.push(Armed {
            id: self.last_number,
            rule,
            seen: 0,
            struck: 0,
        });
        self.last_number
    }

    /// Lists the rules that can still strike.
    pub(crate) fn list(&self) -> &[Armed] {
        &self.rules
    }

    /// Forgets a rule; says whether there was one.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.rules.len();
        self.rules.retain(|armed| armed.id != id);
        self.rules.len() < before
    }

    /// Forgets every rule.
    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// Gives the rule that strikes a request: the first that fits and is due.
    pub(crate) fn strike(&mut self, method: &str, path: &str) -> Option<Rule> {
        let place = self.rules.iter_mut().position(|armed| {
            let fits = armed.rule.when.fits(method, path);
            armed.seen += u64::from(fits);
            fits && armed.seen >= armed.rule.when.nth
        })?;
        let armed = self.rules.get_mut(place)?;
        armed.struck += 1;
        let rule = armed.rule.clone();
        if rule.when.times.is_some_and(|times| armed.struck >= times) {
            self.rules.remove(place);
        }
        Some(rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_strikes_from_its_nth_request_so_many_times() {
        let mut faults = Faults::default();
        let rule = |method: Option<&str>, nth, times, fault| Rule {
            when: When {
                method: method.map(str::to_owned),
                path: None,
                nth,
                times,
            },
            ..Rule::next(fault)
        };
        faults.add(rule(Some("POST"), 2, Some(2), Fault::Drop));
        let always = faults.add(rule(None, 4, None, Fault::LockRow));
        let struck: Vec<Option<Fault>> = ["POST", "GET", "POST", "post", "POST", "GET"]
            .map(|method| faults.strike(method, "/").map(|rule| rule.fault))
            .into();
        let (drop, lock) = (Some(Fault::Drop), Some(Fault::LockRow));
        // The requests that the first rule strikes do not count for the second.
        assert_eq!(struck, [None, None, drop.clone(), drop, None, lock]);
        assert_eq!(faults.list().len(), 1);
        assert!(faults.remove(always) && !faults.remove(always));
        assert_eq!(faults.strike("GET", "/"), None);
    }
}
