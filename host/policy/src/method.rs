//! The methods that a manifest can declare.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Effect;

/// An HTTP method (RFC 9110, section 9; RFC 5789). Others cannot be declared, and so not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    Get,
    /// Reads without a body.
    Head,
    /// Does what the service makes of it.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Deletes.
    Delete,
}

impl Method {
    /// Every method, in the order of their reach.
    pub const ALL: [Self; 6] = [
        Self::Get,
        Self::Head,
        Self::Post,
        Self::Put,
        Self::Patch,
        Self::Delete,
    ];

    /// Takes a method as it stands in a request: methods are case-sensitive.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == text)
    }

    /// Gives the method as it stands in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Gives the effect that no manifest can declare less than.
    ///
    /// A POST may be a search; one that is declared `read` needs an administrator's acceptance.
    pub fn floor(self) -> Effect {
        match self {
            Self::Get | Self::Head | Self::Post => Effect::Read,
            Self::Put | Self::Patch => Effect::Write,
            Self::Delete => Effect::Destructive,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_what_they_are_called_and_nothing_else() {
        for method in Method::ALL {
            assert_eq!(Method::parse(method.as_str()), Some(method));
            assert_eq!(Method::parse(&method.as_str().to_lowercase()), None);
        }
        for other in [
            "", "TRACE", "CONNECT", "OPTIONS", "PURGE", "GET ", "PATCH\0",
        ] {
            assert_eq!(Method::parse(other), None, "{other}");
        }
    }
}
