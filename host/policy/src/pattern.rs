//! Patterns of the names of kinds and fields, as an administrator and a manifest write them.
//!
//! The attack: a name that the host takes for another than the service does, by the case of its letters, by a letter
//! that only looks like one, by a space or a dot at its end. So names compare without case, and a name that is not
//! plain fits no pattern and is never within a scope.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Characters of a name: what services allow at most.
const NAME_LEN_MAX: usize = 255;

/// Says whether a name is plain: ASCII letters, digits, `_` and `-`, which no service reads in two ways.
pub(crate) fn is_plain(name: &str) -> bool {
    (1..=NAME_LEN_MAX).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// A text that is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no pattern: {rule}")]
pub struct PatternError {
    text: String,
    rule: &'static str,
}

const NAME_RULE: &str =
    "write letters, digits, `_` and `-`, with `*` for any others at its beginning or end";

const SCOPE_RULE: &str = "write `Kind` or `Kind.Field`, each with `*` for any characters at its beginning or end, such as `Account`, \
     `Contact.Phone` or `*.Salary*`";

/// A pattern of names: `Contact`, `Apex*`, `*Share`, `*Permission*`, `*`. The case of letters does not count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NamePattern {
    /// As it was written.
    text: String,
    /// What stands between the stars, in lower case.
    core: String,
    any_before: bool,
    any_after: bool,
}

impl NamePattern {
    /// Takes a pattern.
    ///
    /// # Errors
    ///
    /// [`PatternError`] with how one is written.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let any_before = text.starts_with('*');
        let core = text.strip_prefix('*').unwrap_or(text);
        let any_after = core.ends_with('*') || text == "*";
        let core = core.strip_suffix('*').unwrap_or(core);
        if text != "*" && !is_plain(core) {
            return Err(PatternError {
                text: shown(text),
                rule: NAME_RULE,
            });
        }
        Ok(Self {
            text: text.to_owned(),
            core: core.to_ascii_lowercase(),
            any_before,
            any_after,
        })
    }

    /// Says whether a name fits. One that is not plain fits none.
    pub fn matches(&self, name: &str) -> bool {
        if !is_plain(name) {
            return false;
        }
        let name = name.to_ascii_lowercase();
        match (self.any_before, self.any_after) {
            (false, false) => name == self.core,
            (false, true) => name.starts_with(&self.core),
            (true, false) => name.ends_with(&self.core),
            (true, true) => name.contains(&self.core),
        }
    }

    /// Says whether every name that fits the other fits this one.
    pub fn covers(&self, other: &Self) -> bool {
        match (self.any_before, self.any_after) {
            (true, true) => other.core.contains(&self.core),
            (false, true) => !other.any_before && other.core.starts_with(&self.core),
            (true, false) => !other.any_after && other.core.ends_with(&self.core),
            (false, false) => other.is_exact() && other.core == self.core,
        }
    }

    /// Says whether it is one name in full, without a star.
    pub fn is_exact(&self) -> bool {
        !self.any_before && !self.any_after
    }

    /// Says whether every plain name fits.
    fn is_all(&self) -> bool {
        self.core.is_empty()
    }

    /// Gives the pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for NamePattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, PatternError> {
        Self::parse(&text)
    }
}

impl From<NamePattern> for String {
    fn from(pattern: NamePattern) -> Self {
        pattern.text
    }
}

/// An entry of a scope: a kind with all its fields (`Account`, `Account.*`), or some of its fields (`Contact.Phone`,
/// `*.Salary*`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScopePattern {
    kind: NamePattern,
    /// None: the kind with all its fields.
    field: Option<NamePattern>,
    text: String,
}

impl ScopePattern {
    /// Takes an entry.
    ///
    /// # Errors
    ///
    /// [`PatternError`] with how one is written.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let text = text.trim();
        let wrong = |_| PatternError {
            text: shown(text),
            rule: SCOPE_RULE,
        };
        let (kind, field) = match text.split_once('.') {
            Some((kind, field)) => (kind, Some(NamePattern::parse(field).map_err(wrong)?)),
            None => (text, None),
        };
        Ok(Self {
            kind: NamePattern::parse(kind).map_err(wrong)?,
            field: field.filter(|field| !field.is_all()),
            text: text.to_owned(),
        })
    }

    /// Gives the pattern of kinds.
    pub fn kind(&self) -> &NamePattern {
        &self.kind
    }

    /// Says whether it is about a kind as a whole.
    pub(crate) fn is_whole(&self) -> bool {
        self.field.is_none()
    }

    /// Says whether it is about a field, by itself or with its whole kind.
    pub(crate) fn matches(&self, kind: &str, field: &str) -> bool {
        self.kind.matches(kind)
            && self
                .field
                .as_ref()
                .is_none_or(|pattern| pattern.matches(field))
    }

    /// Gives the entry as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for ScopePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for ScopePattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for ScopePattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, PatternError> {
        Self::parse(&text)
    }
}

impl From<ScopePattern> for String {
    fn from(pattern: ScopePattern) -> Self {
        pattern.text
    }
}

/// What of a wrong text is repeated.
pub(crate) fn shown(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 80;
    let text: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    text.escape_debug().to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_at_the_ends() {
        for (pattern, fits, does_not) in [
            ("Account", "aCCOUNT", "Accounts"),
            ("Apex*", "apexclass", "MyApex"),
            ("*Share", "AccountSHARE", "ShareX"),
            ("*perm*", "SetupPermissions", "Setup"),
            ("*", "x", ""),
        ] {
            let parsed = NamePattern::parse(pattern).unwrap();
            assert!(parsed.matches(fits), "{pattern} {fits}");
            assert!(!parsed.matches(does_not), "{pattern} {does_not}");
        }
        for wrong in ["", "A*b", "**", "***", "a.b", "a b", "é", "*é", "Account "] {
            assert!(NamePattern::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_that_is_not_plain_fits_nothing() {
        let all = NamePattern::parse("*").unwrap();
        for name in [
            "",
            "Account.",
            "Account ",
            " Account",
            "Acc\0ount",
            "Tas\u{212a}", // Kelvin's sign, which folds into a `k`
            "Аccount",     // a Cyrillic letter
            "Account\u{200b}",
            "Account%20",
            "Account/x",
        ] {
            assert!(!all.matches(name), "{name:?}");
        }
    }

    #[test]
    fn an_entry_is_a_kind_or_fields_of_it() {
        let of = |text: &str| ScopePattern::parse(text).unwrap();
        assert!(of("Account").is_whole() && of("Account.*").is_whole());
        assert!(of(" Contact.Phone ").matches("contact", "PHONE"));
        assert!(!of("Contact.Phone").matches("Contact", "Email"));
        assert!(of("*.Salary*").matches("Contact", "Salary__c"));
        for wrong in [
            "",
            ".",
            "Account.",
            ".Name",
            "A.B.C",
            "Acc*t",
            "Account Name",
        ] {
            assert!(ScopePattern::parse(wrong).is_err(), "{wrong}");
        }
        let error = ScopePattern::parse("Account Name").unwrap_err();
        insta::assert_snapshot!(error.to_string(), @"`Account Name` is no pattern: write `Kind` or `Kind.Field`, each with `*` for any characters at its beginning or end, such as `Account`, `Contact.Phone` or `*.Salary*`");
    }
}
