//! Where people sign in, as a manifest declares it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Origin, OriginPattern};

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
    /// The login that is meant, with the same name in its braces; none: the address is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub means: Option<LoginPattern>,
    /// What kind of system stands behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

/// An address of each customer's own, with a name in braces: `https://{domain}.example.com`. The name stands for one or
/// more labels, and for the beginning of a label where the rest of it is written: `https://{domain}-dev.example.com`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LoginPattern {
    name: String,
    /// What stands behind the braces, in lower case.
    behind: String,
}

/// A text that is no pattern of a login.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginPatternError {
    /// It has another shape.
    #[error("it must be like `https://{{domain}}.example.com`, with one name in braces")]
    Shape,
    /// Everybody could have an address that fits it.
    #[error("what stands behind its braces is too wide: {0}")]
    Wide(String),
}

impl LoginPattern {
    /// Takes a pattern.
    ///
    /// # Errors
    ///
    /// [`LoginPatternError`]: its shape, or what is behind the braces is not a name that one owner has, as for a star.
    pub fn parse(text: &str) -> Result<Self, LoginPatternError> {
        let (name, behind) = text
            .strip_prefix("https://{")
            .and_then(|rest| rest.split_once('}'))
            .ok_or(LoginPatternError::Shape)?;
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        if name.is_empty() || !name.bytes().all(is_name) || !behind.bytes().all(is_plain) {
            return Err(LoginPatternError::Shape);
        }
        let (_, below) = behind.split_once('.').ok_or(LoginPatternError::Shape)?;
        let wide = |error: crate::OriginError| LoginPatternError::Wide(error.to_string());
        OriginPattern::parse(&format!("https://*.{below}")).map_err(wide)?;
        Origin::parse(&format!("https://a{behind}")).map_err(wide)?;
        Ok(Self {
            name: name.to_owned(),
            behind: behind.to_ascii_lowercase(),
        })
    }

    /// Gives the name in its braces.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Gives what the name stands for in an address that fits.
    pub fn value<'a>(&self, origin: &'a Origin) -> Option<&'a str> {
        let is_plain = origin.is_https() && origin.authority() == origin.host();
        let value = origin.host().strip_suffix(&*self.behind)?;
        (is_plain && origin.address().is_none() && !value.is_empty()).then_some(value)
    }

    /// Gives the address in which the name stands for `value`; none where that is no host's name.
    pub fn with(&self, value: &str) -> Option<Origin> {
        let origin = Origin::parse(&format!("https://{value}{}", self.behind)).ok()?;
        (self.value(&origin) == Some(value)).then_some(origin)
    }

    /// Says whether every address of the other is one of these.
    pub fn covers(&self, other: &Self) -> bool {
        other.behind.ends_with(&self.behind)
    }
}

impl fmt::Display for LoginPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{{{}}}{}", self.name, self.behind)
    }
}

impl TryFrom<String> for LoginPattern {
    type Error = LoginPatternError;

    fn try_from(text: String) -> Result<Self, LoginPatternError> {
        Self::parse(&text)
    }
}

impl From<LoginPattern> for String {
    fn from(pattern: LoginPattern) -> Self {
        pattern.to_string()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(pattern: &str, origin: &str) -> Option<String> {
        let origin = Origin::parse(origin).unwrap();
        let pattern = LoginPattern::parse(pattern).unwrap();
        pattern.value(&origin).map(str::to_owned)
    }

    #[test]
    fn a_name_stands_for_labels_and_for_nothing_else() {
        let own = "https://{domain}.my.example.com";
        let dev = "https://{domain}-dev.my.example.com";
        for (pattern, origin, expected) in [
            (own, "https://acme.my.example.com", Some("acme")),
            (
                own,
                "https://ACME--uat.box.my.example.com",
                Some("acme--uat.box"),
            ),
            (dev, "https://acme-dev.my.example.com", Some("acme")),
            (dev, "https://acme-.my.example.com-dev.my.example.com", None),
            (dev, "https://acme.my.example.com", None),
            (own, "https://my.example.com", None),
            (own, "https://acmemy.example.com", None),
            (own, "http://acme.my.example.com", None),
            (own, "https://acme.my.example.com:8443", None),
            (own, "https://acme.my.example.com.evil.example", None),
            (own, "https://evil.example", None),
        ] {
            let found = Origin::parse(origin)
                .ok()
                .and_then(|_| value(pattern, origin));
            assert_eq!(found.as_deref(), expected, "{pattern} {origin}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in [
            "",
            "https://acme.example.com",
            "http://{domain}.example.com",
            "https://{}.example.com",
            "https://{Domain}.example.com",
            "https://{domain}",
            "https://{domain}.com",
            "https://{domain}-dev.com",
            "https://{domain}.1.2.3.4",
            "https://{domain}.a..b",
            "https://{domain}.example.com/",
            "https://{domain}.example.com/x",
            "https://{domain}.example.com:8443",
            "https://{domain}@evil.example.com",
            "https://{domain}{x}.example.com",
            "https://a{domain}.example.com",
        ] {
            assert!(LoginPattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_wider_pattern_covers_a_narrower_one() {
        let pattern = |text| LoginPattern::parse(text).unwrap();
        let wide = pattern("https://{domain}.my.example.com");
        for narrow in [
            "https://{domain}.box.my.example.com",
            "https://{org}-dev.box.my.example.com",
        ] {
            assert!(wide.covers(&pattern(narrow)) && !pattern(narrow).covers(&wide));
        }
        assert!(!wide.covers(&pattern("https://{domain}.page.example.com")));
    }

    proptest! {
        #[test]
        fn a_value_put_in_is_the_one_that_comes_out(value in "[a-zA-Z0-9.:@/\\-]{0,20}") {
            for pattern in ["https://{domain}.my.example.com", "https://{domain}-dev.my.example.com"] {
                let pattern = LoginPattern::parse(pattern).unwrap();
                if let Some(origin) = pattern.with(&value) {
                    prop_assert_eq!(pattern.value(&origin), Some(&*value));
                }
                prop_assert_eq!(LoginPattern::parse(&pattern.to_string()), Ok(pattern));
            }
        }
    }
}
