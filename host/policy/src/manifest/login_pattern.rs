//! Addresses of each customer's own: what of an address is the customer's name, and the address that has the name elsewhere.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Origin, OriginPattern};

/// How a label begins that stands for letters beyond ASCII (RFC 5890).
const PUNYCODE: &str = "xn--";

/// What names stand for where it is asked whether a pattern covers another: the first one's, and that of all others. Two, so that
/// none fits by accident.
const SAMPLES: [(&str, &str); 2] = [("a", "b"), ("c.d", "e")];

/// An address of each customer's own, with names in braces: `https://{domain}.example.com`.
///
/// The first name stands for one or more labels, and for the beginning of a label where the rest of it is written:
/// `https://{domain}-dev.example.com`. Each further name stands for letters within one label, as few as can be:
/// `https://{domain}--{package}.example.com` takes `acme--box--app` apart as `acme--box` and `app`. No name stands for a label in
/// punycode, which may look like another.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LoginPattern {
    first: Part,
    further: Vec<Part>,
}

/// A name in braces, and what stands behind it, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Part {
    name: String,
    behind: String,
}

/// What the names of a pattern stand for in an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginValues<'a>(Vec<(&'a str, &'a str)>);

/// A text that is no pattern of a login.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginPatternError {
    /// It has another shape.
    #[error(
        "it must be like `https://{{domain}}.example.com`, with a name in braces at its beginning, and something between two names"
    )]
    Shape,
    /// A name stands in it twice.
    #[error("`{{{0}}}` stands in it twice")]
    Twice(String),
    /// Everybody could have an address that fits it.
    #[error("what stands behind its braces is too wide: {0}")]
    Wide(String),
}

impl LoginPattern {
    /// Takes a pattern.
    ///
    /// # Errors
    ///
    /// [`LoginPatternError`]: its shape, or what is behind the last braces is not a name that one owner has, as for a star.
    pub fn parse(text: &str) -> Result<Self, LoginPatternError> {
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        let mut parts = text
            .strip_prefix("https://{")
            .ok_or(LoginPatternError::Shape)?
            .split('{')
            .map(|part| {
                let (name, behind) = part.split_once('}').ok_or(LoginPatternError::Shape)?;
                let is_empty = name.is_empty() || behind.is_empty();
                if is_empty || !name.bytes().all(is_name) || !behind.bytes().all(is_plain) {
                    return Err(LoginPatternError::Shape);
                }
                Ok(Part {
                    name: name.to_owned(),
                    behind: behind.to_ascii_lowercase(),
                })
            })
            .collect::<Result<Vec<_>, _>>()?
            .into_iter();
        let first = parts.next().ok_or(LoginPatternError::Shape)?;
        let pattern = Self {
            first,
            further: parts.collect(),
        };
        let mut names = HashSet::new();
        if let Some(twice) = pattern.names().find(|name| !names.insert(*name)) {
            return Err(LoginPatternError::Twice(twice.to_owned()));
        }
        let below = pattern.below().ok_or(LoginPatternError::Shape)?;
        let wide = |error: crate::OriginError| LoginPatternError::Wide(error.to_string());
        OriginPattern::parse(&format!("https://*.{below}")).map_err(wide)?;
        pattern.filled(|_| Some("a")).map_err(wide)?;
        Ok(pattern)
    }

    /// Gives the names in its braces.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts().map(|part| &*part.name)
    }

    /// Gives the name of a host below which every address is that fits.
    pub fn below(&self) -> Option<&str> {
        let (_, below) = self.last().behind.split_once('.')?;
        Some(below)
    }

    /// Says whether an address is one of these.
    pub fn fits(&self, origin: &Origin) -> bool {
        self.values(origin).is_some()
    }

    /// Gives what the names stand for in an address that fits.
    pub fn values<'a>(&'a self, origin: &'a Origin) -> Option<LoginValues<'a>> {
        let is_plain = origin.is_https() && origin.authority() == origin.host();
        if !is_plain || origin.address().is_some() {
            return None;
        }
        let named = origin.host().strip_suffix(&*self.last().behind)?;
        if named.split('.').any(|label| label.starts_with(PUNYCODE)) {
            return None;
        }
        let mut values = Vec::with_capacity(1 + self.further.len());
        let mut rest = named;
        for (at, part) in self.further.iter().enumerate().rev() {
            let before = match at.checked_sub(1) {
                Some(at) => &self.further[at].behind,
                None => &self.first.behind,
            };
            let (front, value) = rest.rsplit_once(&**before)?;
            if value.is_empty() || value.contains('.') {
                return None;
            }
            values.push((&*part.name, value));
            rest = front;
        }
        values.push((&*self.first.name, rest));
        (!rest.is_empty()).then_some(LoginValues(values))
    }

    /// Gives the address in which the names stand for what they stand for elsewhere; none where that is no host's name, or a name
    /// is missing.
    pub fn with(&self, values: &LoginValues<'_>) -> Option<Origin> {
        let origin = self.filled(|part| values.get(&part.name)).ok()?;
        let found = self.values(&origin)?;
        let is_same = self.names().all(|name| found.get(name) == values.get(name));
        is_same.then_some(origin)
    }

    /// Gives an address for people to read, with `value` for the first name and every other name for itself; none where that is
    /// no host's name.
    pub fn example(&self, value: &str) -> Option<Origin> {
        let mut values = vec![(&*self.first.name, value)];
        values.extend(self.further.iter().map(|part| (&*part.name, &*part.name)));
        self.with(&LoginValues(values))
    }

    /// Says whether every address of the other is one of these.
    pub fn covers(&self, other: &Self) -> bool {
        SAMPLES.iter().all(|(first, further)| {
            let value = |part: &Part| {
                let is_first = part.name == other.first.name;
                Some(if is_first { *first } else { *further })
            };
            other.filled(value).is_ok_and(|origin| self.fits(&origin))
        })
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        std::iter::once(&self.first).chain(&self.further)
    }

    fn last(&self) -> &Part {
        self.further.last().unwrap_or(&self.first)
    }

    fn filled<'v>(
        &self,
        value: impl Fn(&Part) -> Option<&'v str>,
    ) -> Result<Origin, crate::OriginError> {
        // A name without a value leaves nothing in front of what is behind it, which is no host.
        let host: String = self
            .parts()
            .flat_map(|part| [value(part).unwrap_or_default(), &part.behind])
            .collect();
        Origin::parse(&format!("https://{host}"))
    }
}

impl<'a> LoginValues<'a> {
    /// Gives what a name stands for.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.0.iter().find(|(known, _)| *known == name)?;
        Some(value)
    }
}

impl fmt::Display for LoginPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("https://")?;
        self.parts()
            .try_for_each(|part| write!(f, "{{{}}}{}", part.name, part.behind))
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

    const OWN: &str = "https://{domain}.my.example.com";
    const DEV: &str = "https://{domain}-dev.my.example.com";
    const PAGE: &str = "https://{domain}--{package}.page.example.com";
    const IN_BOX: &str = "https://{domain}--{package}.{box}.page.example.com";

    fn pattern(text: &str) -> LoginPattern {
        LoginPattern::parse(text).unwrap()
    }

    fn values(text: &str, origin: &str) -> Option<Vec<String>> {
        let origin = Origin::parse(origin).ok()?;
        let pattern = pattern(text);
        let values = pattern.values(&origin)?;
        let value = |name| values.get(name).unwrap().to_owned();
        Some(pattern.names().map(value).collect())
    }

    #[test]
    fn a_name_stands_for_labels_and_for_nothing_else() {
        for (text, origin, expected) in [
            (OWN, "https://acme.my.example.com", Some("acme")),
            (
                OWN,
                "https://ACME--uat.box.my.example.com",
                Some("acme--uat.box"),
            ),
            (DEV, "https://acme-dev.my.example.com", Some("acme")),
            (DEV, "https://acme-.my.example.com-dev.my.example.com", None),
            (DEV, "https://acme.my.example.com", None),
            (OWN, "https://my.example.com", None),
            (OWN, "https://acmemy.example.com", None),
            (OWN, "http://acme.my.example.com", None),
            (OWN, "https://acme.my.example.com:8443", None),
            (OWN, "https://acme.my.example.com.evil.example", None),
            (OWN, "https://evil.example", None),
            (OWN, "https://xn--bcher-kva.my.example.com", None),
            (OWN, "https://acme.xn--bcher-kva.my.example.com", None),
        ] {
            let found = values(text, origin).map(|values| values.join(" "));
            assert_eq!(found.as_deref(), expected, "{text} {origin}");
        }
    }

    #[test]
    fn a_further_name_stands_for_what_is_last_in_a_label() {
        for (text, origin, expected) in [
            (PAGE, "https://acme--app.page.example.com", Some("acme app")),
            (
                PAGE,
                "https://acme--uat--app.page.example.com",
                Some("acme--uat app"),
            ),
            (
                PAGE,
                "https://acme--my-app.page.example.com",
                Some("acme my-app"),
            ),
            (PAGE, "https://acme--app.uat.page.example.com", None),
            (PAGE, "https://acme.page.example.com", None),
            (PAGE, "https://--app.page.example.com", None),
            (PAGE, "https://xn--app.page.example.com", None),
            (
                IN_BOX,
                "https://acme--uat--app.box.page.example.com",
                Some("acme--uat app box"),
            ),
            (IN_BOX, "https://acme--app.page.example.com", None),
            (IN_BOX, "https://acme--app.a.b.page.example.com", None),
        ] {
            let found = values(text, origin).map(|values| values.join(" "));
            assert_eq!(found.as_deref(), expected, "{text} {origin}");
        }
    }

    #[test]
    fn what_an_address_says_is_said_by_another() {
        let page = Origin::parse("https://acme--uat--app.box.page.example.com").unwrap();
        let from = pattern(IN_BOX);
        let found = from.values(&page).unwrap();
        let with = |text| pattern(text).with(&found).map(|origin| origin.to_string());
        let meant = "https://acme--uat.box.my.example.com";
        assert_eq!(
            with("https://{domain}.{box}.my.example.com").as_deref(),
            Some(meant)
        );
        assert_eq!(with("https://{org}.my.example.com"), None);
        let odd = Origin::parse("https://acme---app.page.example.com").unwrap();
        let page = pattern(PAGE);
        assert_eq!(pattern(OWN).with(&page.values(&odd).unwrap()), None);
        let example = page.example("acme").unwrap().to_string();
        assert_eq!(example, "https://acme--package.page.example.com");
        assert_eq!(page.example("not a host"), None);
        assert_eq!(page.example(""), None);
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
            "https://{domain}.example.{x}",
            "https://{domain}.example.com.{x}",
            "https://{domain}.{x}.com",
            "https://{domain}--{domain}.example.com",
            "https://{domain}..{x}.example.com",
            "https://{domain}}.example.com",
            "https://{domain}--{x.example.com",
            "https://a{domain}.example.com",
        ] {
            assert!(LoginPattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_wider_pattern_covers_a_narrower_one() {
        let wide = pattern(OWN);
        for narrow in [
            "https://{domain}.box.my.example.com",
            "https://{org}-dev.box.my.example.com",
            "https://{org}--{box}.my.example.com",
            "https://{org}.{box}.my.example.com",
        ] {
            assert!(wide.covers(&pattern(narrow)) && !pattern(narrow).covers(&wide));
        }
        assert!(!wide.covers(&pattern("https://{domain}.page.example.com")));
        let page = pattern(PAGE);
        assert!(page.covers(&pattern("https://{domain}--c.page.example.com")));
        assert!(page.covers(&pattern("https://{org}--{app}.page.example.com")));
        assert!(!page.covers(&pattern(IN_BOX)) && !pattern(IN_BOX).covers(&page));
        assert!(!page.covers(&pattern("https://{org}-dev.page.example.com")));
    }

    proptest! {
        #[test]
        fn a_value_put_in_is_the_one_that_comes_out(
            value in "[a-zA-Z0-9.:@/\\-]{0,20}", further in "[a-z0-9.\\-]{0,6}"
        ) {
            for text in [OWN, DEV, PAGE, IN_BOX] {
                let pattern = pattern(text);
                let values = LoginValues(vec![("domain", &value), ("package", &further), ("box", &further)]);
                if let Some(origin) = pattern.with(&values) {
                    let found = pattern.values(&origin).unwrap();
                    prop_assert_eq!(found.get("domain"), Some(&*value));
                    prop_assert!(origin.host().ends_with(".example.com"));
                }
                prop_assert_eq!(LoginPattern::parse(&pattern.to_string()), Ok(pattern));
            }
        }
    }
}
