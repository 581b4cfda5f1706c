//! Paths that a caller's value cannot bend.
//!
//! The attack: a record id `../../other` or `1?x=` that makes a request another
//! route's. Here a value is always one segment: what has a meaning in a path is
//! percent-encoded, and what has one even then (a dot segment, a slash, which
//! servers decode and split at) is refused when the request is sent.

use super::encode;
use crate::failure::Failure;

/// The path of a request, such as `/services/data/v66.0/query`; without a query.
///
/// Made by [`path!`](super::path), from a literal, or by [`Path::parse`] from
/// what the service itself returned.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Path {
    text: String,
    /// The first value that cannot stand in a path.
    refused: Option<String>,
}

impl Path {
    /// Starts from the fixed beginning of a path, which is the author's own and
    /// kept as it is. A missing leading slash is added.
    #[must_use]
    pub fn new(prefix: &'static str) -> Self {
        let slash = if prefix.starts_with('/') { "" } else { "/" };
        Self {
            text: format!("{slash}{prefix}"),
            refused: None,
        }
    }

    /// Adds a value as one segment.
    #[must_use]
    pub fn segment(mut self, value: impl AsRef<str>) -> Self {
        if !self.text.ends_with('/') {
            self.text.push('/');
        }
        self.value(value.as_ref());
        self
    }

    /// Accepts a path that the service returned, such as the address of the next
    /// page; its query, if any, must be given to [`Request::query`](super::Request::query) instead.
    ///
    /// # Errors
    ///
    /// `internal` where it is not an absolute path of plain segments: it has a
    /// query or a fragment, an empty or a dot segment, a backslash or an encoded slash.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"?#\\\"<>^`{|}".contains(&byte);
        let lower = text.to_ascii_lowercase();
        let ok = text.starts_with('/')
            && !text.starts_with("//")
            && text.bytes().all(plain)
            && !["%2f", "%5c", "%2e", "%25", "%00"]
                .iter()
                .any(|code| lower.contains(code))
            && text[1..]
                .split('/')
                .all(|segment| !matches!(segment, "" | "." | ".."));
        if !ok {
            return Err(Failure::internal(format!(
                "the service returned `{text}`, which is not a plain path"
            )));
        }
        Ok(Self {
            text: text.to_owned(),
            refused: None,
        })
    }

    /// Fills the `{}` of a template; called by [`path!`](super::path), which has counted them.
    #[doc(hidden)]
    #[must_use]
    pub fn fill(template: &'static str, values: &[&dyn AsRef<str>]) -> Self {
        let mut parts = template.split("{}");
        let mut path = Self::new(parts.next().unwrap_or_default());
        for (part, value) in parts.zip(values) {
            path.value((*value).as_ref());
            path.text.push_str(part);
        }
        path
    }

    /// Returns the encoded path.
    ///
    /// # Errors
    ///
    /// `invalid-argument` where a value cannot stand in a path.
    pub fn encoded(&self) -> Result<&str, Failure> {
        match &self.refused {
            None => Ok(&self.text),
            Some(value) => Err(Failure::invalid(format!(
                "`{value}` cannot be part of an address: a value there is not empty, is not `.` or \
                 `..`, and has no slash, backslash or control character"
            ))),
        }
    }

    fn value(&mut self, value: &str) {
        let slashes = |c: char| matches!(c, '/' | '\\') || c.is_control();
        if matches!(value, "" | "." | "..") || value.contains(slashes) {
            self.refused
                .get_or_insert_with(|| value.escape_default().to_string());
        }
        encode::append(&mut self.text, value);
    }
}

/// A path that is written in the source; a value of the caller's is no `'static` text.
impl From<&'static str> for Path {
    fn from(prefix: &'static str) -> Self {
        Self::new(prefix)
    }
}

/// Counts the `{}` of a template, while compiling.
#[doc(hidden)]
#[must_use]
pub const fn placeholders(template: &str) -> usize {
    let bytes = template.as_bytes();
    let (mut at, mut count) = (0, 0);
    while at + 1 < bytes.len() {
        if bytes[at] == b'{' && bytes[at + 1] == b'}' {
            count += 1;
        }
        at += 1;
    }
    count
}

/// Makes a [`Path`](crate::http::Path) from a literal with a `{}` for each value, a segment or part of one.
///
/// ```
/// use portcullis_sdk::http::path;
///
/// let path = path!("/sobjects/{}/{}", "Account", "a?b");
/// assert_eq!(path.encoded()?, "/sobjects/Account/a%3Fb");
/// # Ok::<(), portcullis_sdk::Failure>(())
/// ```
///
/// A template with more or fewer `{}` than values does not compile:
///
/// ```compile_fail
/// portcullis_sdk::http::path!("/sobjects/{}", "Account", "001");
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __path {
    ($template:literal $(, $value:expr)* $(,)?) => {{
        const {
            assert!(
                $crate::http::placeholders($template) == <[&str]>::len(&[$(stringify!($value)),*]),
                "a path needs one value for each `{{}}`"
            );
        }
        $crate::http::Path::fill($template, &[$(&$value as &dyn ::std::convert::AsRef<str>),*])
    }};
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::http::path;
    use proptest::prelude::*;

    #[test]
    fn values_are_encoded_one_segment_each() {
        let path = path!("/data/{}/x-{}.json", "v66.0", String::from("a b?c#d%2F"));
        assert_eq!(
            path.encoded().unwrap(),
            "/data/v66.0/x-a%20b%3Fc%23d%252F.json"
        );
        let path = Path::new("data").segment("é").segment("1");
        assert_eq!(path.encoded().unwrap(), "/data/%C3%A9/1");
    }

    #[test]
    fn values_that_no_encoding_makes_safe_are_refused() {
        for value in ["", ".", "..", "a/b", "..\\x", "a\nb"] {
            let failure = path!("/data/{}", value).encoded().unwrap_err();
            assert_eq!(failure.reason, crate::Reason::InvalidArgument, "{value:?}");
        }
    }

    #[test]
    fn paths_of_the_service_are_taken_when_plain() {
        let next = "/services/data/v66.0/query/01gRO0000016PIAYA2-500";
        assert_eq!(Path::parse(next).unwrap().encoded().unwrap(), next);
        for bent in [
            "",
            "query",
            "//evil.example/x",
            "/a/../b",
            "/a//b",
            "/a?b",
            "/a#b",
            "/a%2fb",
            "/a%2e%2e/b",
            "/a\\b",
            "/é",
        ] {
            assert!(Path::parse(bent).is_err(), "{bent:?}");
        }
    }

    proptest! {
        #[test]
        fn no_value_changes_the_route(value in ".*") {
            let path = path!("/data/{}/end", value);
            if let Ok(encoded) = path.encoded() {
                prop_assert!(encoded.bytes().all(|b| b.is_ascii_graphic()));
                let segments: Vec<&str> = encoded.split('/').collect();
                prop_assert_eq!(segments.len(), 4);
                prop_assert_eq!((segments[1], segments[3]), ("data", "end"));
                prop_assert!(!matches!(segments[2], "" | "." | ".."));
                prop_assert!(!encoded.contains(['?', '#', '\\']));
            }
        }
    }
}
