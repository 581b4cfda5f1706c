//! Paths and queries that host and service cannot read differently.
//!
//! The attack: a path that the gate takes for one route and the service for another, by dot segments, doubled or encoded
//! slashes, letters encoded once or twice, path parameters, or a query parameter that changes the method.
//! What any server is known to normalize is refused, so that there is nothing left to disagree on.

use percent_encoding::percent_decode_str;

/// The longest path and query that is sent: what common servers take.
const LEN_MAX: usize = 16 << 10;

/// Query parameters by which frameworks let a request say that it is another method, as [`folded`] writes them.
const METHOD_OVERRIDES: [&str; 5] = [
    "_httpmethod",
    "_method",
    "x_http_method",
    "x_http_method_override",
    "x_method_override",
];

/// Why a path is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathRefusal {
    /// It is longer than servers take.
    #[error("it is longer than {LEN_MAX} characters")]
    TooLong,
    /// It does not begin with a slash, or holds what no path can.
    #[error(
        "it must begin with `/` and hold visible ASCII characters other than `\\`, `#`, `;` and quotes"
    )]
    Characters,
    /// It has an empty segment.
    #[error("it has an empty segment, as by `//` or a `/` at its end")]
    EmptySegment,
    /// It has a segment `.` or `..`, encoded or not.
    #[error("it has a segment of dots")]
    DotSegment,
    /// It has a `%` that encodes nothing.
    #[error("it has a `%` without two hexadecimal digits behind it")]
    Encoding,
    /// It encodes a slash, a backslash, a control character, or something encoded again.
    #[error("it encodes a slash, a control character, or what is encoded already")]
    EncodedStructure,
    /// What it encodes is not UTF-8.
    #[error("what it encodes is not UTF-8")]
    NotUtf8,
    /// Its query says that the method is another.
    #[error("its query overrides the method")]
    MethodOverride,
}

/// A path and query.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestPath {
    text: String,
    path_len: usize,
    segments: Vec<String>,
}

impl RequestPath {
    /// Takes a path, with or without a query.
    ///
    /// # Errors
    ///
    /// [`PathRefusal`] when host and service could read it differently.
    pub fn parse(text: &str) -> Result<Self, PathRefusal> {
        if text.len() > LEN_MAX {
            return Err(PathRefusal::TooLong);
        }
        let is_plain = |byte: u8| {
            byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#' | b'"' | b'<' | b'>')
        };
        if !text.starts_with('/') || !text.bytes().all(is_plain) {
            return Err(PathRefusal::Characters);
        }
        let (path, query) = match text.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (text, None),
        };
        // `;` begins a path parameter, which some servers take off before they look.
        if path.contains(';') {
            return Err(PathRefusal::Characters);
        }
        let segments = match path {
            "/" => Vec::new(),
            _ => path[1..]
                .split('/')
                .map(segment)
                .collect::<Result<_, _>>()?,
        };
        if let Some(query) = query {
            check_query(query)?;
        }
        Ok(Self {
            text: text.to_owned(),
            path_len: path.len(),
            segments,
        })
    }

    /// Gives the segments, decoded.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// Gives the path, as it was written.
    pub fn path(&self) -> &str {
        &self.text[..self.path_len]
    }

    /// Gives the query behind the `?`, as it was written.
    pub fn query(&self) -> Option<&str> {
        self.text.get(self.path_len + 1..)
    }

    /// Gives path and query, as they were written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Decodes a segment, and refuses one that means more than its characters.
fn segment(raw: &str) -> Result<String, PathRefusal> {
    if raw.is_empty() {
        return Err(PathRefusal::EmptySegment);
    }
    let decoded = decode(raw)?;
    if decoded
        .chars()
        .any(|char| matches!(char, '/' | '\\' | ';') || char.is_control())
        || holds_triple(&decoded)
    {
        return Err(PathRefusal::EncodedStructure);
    }
    // Some servers drop spaces and dots at the end; none of them leaves a name that is only these.
    if decoded.trim_matches([' ', '.']).is_empty() {
        return Err(PathRefusal::DotSegment);
    }
    Ok(decoded)
}

/// Decodes `%`-triples (RFC 3986, section 2.1).
fn decode(raw: &str) -> Result<String, PathRefusal> {
    let triples = raw.split('%').skip(1);
    for after in triples {
        let digits = after.as_bytes().get(..2);
        if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            return Err(PathRefusal::Encoding);
        }
    }
    percent_decode_str(raw)
        .decode_utf8()
        .map(Into::into)
        .map_err(|_| PathRefusal::NotUtf8)
}

/// Says whether a text could be decoded once more.
fn holds_triple(text: &str) -> bool {
    text.split('%').skip(1).any(|after| {
        let digits = after.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// Refuses a query that changes the method. Its names are decoded as long as they can be, with `+` for a space.
fn check_query(query: &str) -> Result<(), PathRefusal> {
    for parameter in query.split(['&', ';']) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        for text in [name, value] {
            let decoded = decode(text)?;
            if decoded.chars().any(|char| char == '\0') {
                return Err(PathRefusal::EncodedStructure);
            }
        }
        let mut name = name.to_ascii_lowercase();
        loop {
            if METHOD_OVERRIDES.contains(&folded(&name).as_str()) {
                return Err(PathRefusal::MethodOverride);
            }
            let decoded = percent_decode_str(&name)
                .decode_utf8_lossy()
                .to_ascii_lowercase();
            if decoded == name {
                break;
            }
            name = decoded;
        }
    }
    Ok(())
}

/// Writes a parameter's name as the most lenient framework reads it: an index taken off, and one joint for
/// all. PHP makes an underscore of a dot, a space and a bracket that is not closed.
fn folded(name: &str) -> String {
    let name = name.replace('+', " ");
    let name = name.trim();
    let name = match name.find('[') {
        Some(at) if at > 0 => &name[..at],
        _ => name,
    };
    name.replace(['.', ' ', '-', '['], "_")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_paths_are_taken_as_they_are() {
        let path = RequestPath::parse("/a/b%20c/d?q=SELECT+Id;x&e=%2F..%2F").unwrap();
        assert_eq!(path.segments(), ["a", "b c", "d"]);
        assert_eq!(path.path(), "/a/b%20c/d");
        assert_eq!(path.query(), Some("q=SELECT+Id;x&e=%2F..%2F"));
        assert_eq!(RequestPath::parse("/").unwrap().segments(), [""; 0]);
        for path in [
            "/a.b",
            "/a?method=x&http_method=y",
            "/..a",
            "/a:b@c",
            "/100%25",
            "/a%25zz",
            "/%C3%A9",
            "/a?",
            "/a?x=%25",
        ] {
            assert!(RequestPath::parse(path).is_ok(), "{path}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        use PathRefusal::*;
        for (path, refusal) in [
            ("", Characters),
            ("a", Characters),
            ("https://evil.com/", Characters),
            ("/a b", Characters),
            ("/a\\b", Characters),
            ("/a#b", Characters),
            ("/a\tb", Characters),
            ("/a\r\nHost: b", Characters),
            ("/é", Characters),
            ("/a;x=1/b", Characters),
            ("/a%3bx", EncodedStructure),
            ("//a", EmptySegment),
            ("/a//b", EmptySegment),
            ("/a/", EmptySegment),
            ("/.", DotSegment),
            ("/a/../b", DotSegment),
            ("/a/./b", DotSegment),
            ("/a/%2e%2E/b", DotSegment),
            ("/a/.%2e/b", DotSegment),
            ("/a/.../b", DotSegment),
            ("/a/..%20/b", DotSegment),
            ("/a/%20", DotSegment),
            ("/a%2fb", EncodedStructure),
            ("/a%5Cb", EncodedStructure),
            ("/a%00", EncodedStructure),
            ("/a%0d%0ab", EncodedStructure),
            ("/a%252fb", EncodedStructure),
            ("/%252e%252e/b", EncodedStructure),
            ("/a%25252fb", EncodedStructure),
            ("/a%", Encoding),
            ("/a%2", Encoding),
            ("/a%zz", Encoding),
            ("/a%c0%af", NotUtf8),
            ("/a%ff", NotUtf8),
            ("/a?x=%", Encoding),
            ("/a?x=%00", EncodedStructure),
            ("/a?_HttpMethod=PATCH", MethodOverride),
            ("/a?x=1&_method=DELETE", MethodOverride),
            ("/a?x=1;_method=DELETE", MethodOverride),
            ("/a?%5FHttpMethod=PATCH", MethodOverride),
            ("/a?_%48ttp%4dethod=PATCH", MethodOverride),
            ("/a?%255fmethod=PATCH", MethodOverride),
            ("/a?+_method=PATCH", MethodOverride),
            ("/a?_method[]=PATCH", MethodOverride),
            ("/a?_method", MethodOverride),
            ("/a?X-HTTP-Method-Override=PUT", MethodOverride),
            // PHP makes an underscore of a dot, a space and a bracket that is not closed.
            ("/a?.method=PATCH", MethodOverride),
            ("/a?[method=PATCH", MethodOverride),
            ("/a?%5bHttpMethod=PATCH", MethodOverride),
            ("/a?x_http_method_override=PUT", MethodOverride),
            ("/a?X.HTTP.Method[0]=PUT", MethodOverride),
        ] {
            let found = RequestPath::parse(path);
            assert_eq!(found.err(), Some(refusal), "{path:?}");
        }
        assert_eq!(
            RequestPath::parse(&format!("/{}", "a".repeat(LEN_MAX))),
            Err(TooLong)
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "/?[a-z0-9%./?&=;_\\\\-]{0,40}|.{0,40}") {
            let _ = RequestPath::parse(&text);
        }

        #[test]
        fn what_is_taken_means_what_its_segments_say(text in "/[a-zA-Z0-9%.2eEfF/ -]{0,30}") {
            if let Ok(path) = RequestPath::parse(&text) {
                let encoded: String = path
                    .segments()
                    .iter()
                    .map(|segment| format!("/{}", utf8_percent_encode(segment, NON_ALPHANUMERIC)))
                    .collect();
                let again = RequestPath::parse(if encoded.is_empty() { "/" } else { &encoded }).unwrap();
                prop_assert_eq!(again.segments(), path.segments());
                for segment in path.segments() {
                    prop_assert!(!segment.contains('/') && segment != "." && segment != "..");
                }
            }
        }
    }
}
