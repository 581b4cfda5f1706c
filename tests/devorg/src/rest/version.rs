//! The versions of the API.

use std::fmt;

use http::Method;
use serde_json::{Value as Json, json};

use crate::error::ApiError;
use crate::wire::{Reply, Request};

/// The oldest version that is answered: Summer '14. Older ones are retired.
const OLDEST: u32 = 31;
/// The newest version: Winter '27.
const NEWEST: u32 = 68;
/// The first of the retired versions, which are told from those that never were.
const RETIRED_FIRST: u32 = 7;

/// A version that the org answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version(u32);

impl Version {
    /// Reads `v68.0`.
    ///
    /// # Errors
    ///
    /// 410 for a retired version, 404 for any other that is not answered.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let number = text
            .strip_prefix('v')
            .and_then(|text| text.strip_suffix(".0"))
            .filter(|digits| !digits.starts_with(['+', '0']))
            .and_then(|digits| digits.parse().ok());
        match number {
            Some(number @ OLDEST..=NEWEST) => Ok(Self(number)),
            Some(number @ RETIRED_FIRST..OLDEST) => Err(ApiError::new(
                410,
                "UNSUPPORTED_API_VERSION",
                format!("version {number}.0 of the API is retired; use {OLDEST}.0 or later"),
            )),
            _ => Err(ApiError::not_found()),
        }
    }

    /// Gives the number: 68 for `v68.0`.
    pub(crate) fn number(self) -> u32 {
        self.0
    }

    /// Gives the season: three a year, and Winter carries the next year's number.
    fn label(self) -> String {
        let season = ["Spring", "Summer", "Winter"][(self.0 % 3) as usize];
        let year = 14 + (self.0 - 30) / 3 + u32::from(self.0 % 3 == 2);
        format!("{season} '{year}")
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.0", self.0)
    }
}

/// Lists the versions; nobody needs to be signed in.
pub(crate) fn versions(request: &Request) -> Reply {
    if request.method != Method::GET {
        return Reply::not_allowed(&request.method, "GET,HEAD");
    }
    let versions: Vec<Json> = (OLDEST..=NEWEST)
        .map(|number| {
            let version = Version(number);
            json!({
                "label": version.label(),
                "url": format!("/services/data/{version}"),
                "version": format!("{number}.0"),
            })
        })
        .collect();
    Reply::json(200, &versions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn seasons_go_with_their_versions() {
        // From Salesforce's release notes.
        let known = [
            (31, "Summer '14"),
            (59, "Winter '24"),
            (60, "Spring '24"),
            (61, "Summer '24"),
            (68, "Winter '27"),
        ];
        for (number, label) in known {
            assert_eq!(Version(number).label(), label);
        }
    }

    #[test]
    fn only_versions_that_are_answered_are_read() {
        assert_eq!(Version::parse("v60.0").map(|version| version.0), Ok(60));
        let status = |text| Version::parse(text).map_err(|error| error.status);
        assert_eq!(status("v25.0"), Err(410));
        for text in [
            "v69.0",
            "60.0",
            "v60",
            "v60.1",
            "v+60.0",
            "v.0",
            "",
            "v99999999999.0",
        ] {
            assert_eq!(status(text), Err(404), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_version_is_written_as_it_was_read(text in "v?[0-9]{0,12}(\\.0)?.?") {
            if let Ok(version) = Version::parse(&text) {
                prop_assert_eq!(version.to_string(), text);
            }
        }
    }
}
