//! Names and ids as types, so that one is never taken for another.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A text that is no name of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {kind}: {rule}")]
pub struct NameError {
    text: String,
    kind: &'static str,
    rule: &'static str,
}

/// Characters of a wrong name that its error repeats.
const SHOWN_CHARS_MAX: usize = 64;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $max:literal, $is_valid:expr, $rule:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The most characters that it can have.
            pub const MAX_LEN: usize = $max;

            /// Takes a text that is one.
            ///
            /// # Errors
            ///
            /// [`NameError`] with the rule that it breaks.
            pub fn parse(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                let is_valid: fn(&str) -> bool = $is_valid;
                if !text.is_empty() && text.len() <= $max && is_valid(&text) {
                    return Ok(Self(text));
                }
                Err(NameError {
                    text: text.chars().take(SHOWN_CHARS_MAX).collect(),
                    kind: $kind,
                    rule: $rule,
                })
            }

            /// Gives the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::parse(text)
            }
        }
    };
}

fn is_id(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_word(text: &str, joint: u8) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == joint)
}

name!(
    /// An agent's id.
    AgentId,
    "agent's id",
    128,
    is_id,
    "up to 128 visible ASCII characters without spaces"
);
name!(
    /// A person's id, such as an e-mail address.
    PersonId,
    "person's id",
    128,
    is_id,
    "up to 128 visible ASCII characters without spaces"
);
name!(
    /// A name of a group of people.
    GroupName,
    "group's name",
    128,
    is_id,
    "up to 128 visible ASCII characters without spaces"
);
name!(
    /// A connection's id.
    ConnectionId,
    "connection's id",
    128,
    is_id,
    "up to 128 visible ASCII characters without spaces"
);
name!(
    /// A connector's name, such as `salesforce`.
    ConnectorName,
    "connector's name",
    64,
    |text| is_word(text, b'-'),
    "up to 64 lower-case letters, digits and hyphens, a letter first"
);
name!(
    /// A tool's name, such as `get_record`.
    ToolName,
    "tool's name",
    64,
    |text| is_word(text, b'_'),
    "up to 64 lower-case letters, digits and underscores, a letter first"
);

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_their_kind_allows() {
        assert_eq!(
            ToolName::parse("get_record").unwrap().as_str(),
            "get_record"
        );
        assert_eq!(
            PersonId::parse("ada@example.com").unwrap().to_string(),
            "ada@example.com"
        );
        for wrong in [
            "",
            "Get",
            "get-record",
            "1st",
            "get record",
            "gét",
            &"a".repeat(65),
        ] {
            assert!(ToolName::parse(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "a b", "a\n", "ä", "a\u{202e}", &"a".repeat(129)] {
            assert!(AgentId::parse(wrong).is_err(), "{wrong}");
        }
        assert!(GroupName::parse("Sales/EMEA").is_ok());
        assert!(GroupName::parse("two words").is_err());
        assert!(ConnectorName::parse("my-connector2").is_ok());
        assert!(ConnectorName::parse("my_connector").is_err());
        insta::assert_snapshot!(
            ToolName::parse("Get Record").unwrap_err(),
            @"`Get Record` is no tool's name: up to 64 lower-case letters, digits and underscores, a letter first"
        );
    }

    #[test]
    fn a_wrong_name_is_wrong_in_json_too() {
        assert!(serde_json::from_str::<ToolName>("\"a b\"").is_err());
        let name: ToolName = serde_json::from_str("\"query\"").unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"query\"");
    }
}
