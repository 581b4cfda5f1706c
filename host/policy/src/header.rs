//! Which headers a connector may send.

/// The header that carries an announcement's ticket to the gate, which takes it off.
pub const TICKET_HEADER: &str = "portcullis-change";

/// Headers that describe the connector's own body, or what it wants back, and do nothing else.
const HARMLESS: [&str; 4] = ["accept", "content-type", "content-length", TICKET_HEADER];

/// The host's own headers, those that say whom a request is for or from, and those that make a service see another
/// method or path than the gate has. They are refused even where a manifest declares them.
const RESERVED: [&str; 39] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-location",
    "cookie",
    "expect",
    "forwarded",
    "front-end-https",
    "host",
    "http2-settings",
    "keep-alive",
    "max-forwards",
    "origin",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "referer",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "true-client-ip",
    "upgrade",
    "via",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-forwarded",
    "x-host",
    "x-http-method",
    "x-http-method-override",
    "x-http-path-override",
    "x-method-override",
    "x-original-host",
    "x-original-method",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
];

/// A header that may not be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderRefusal {
    /// No connector may send it.
    #[error("the connector sent the header `{0}`, which is the host's alone")]
    Reserved(String),
    /// The route does not declare it.
    #[error("the connector sent the header `{0}`, which its route does not declare")]
    Undeclared(String),
}

/// Says whether a header is one that every request may carry without a declaration.
pub(crate) fn is_harmless(name: &str) -> bool {
    let mut known = HARMLESS.iter();
    known.any(|known| known.eq_ignore_ascii_case(name))
}

/// Says whether a `Content-Type` is one of `media_types` and names no other character set than UTF-8: another one would make a
/// service read other letters than the host.
pub(crate) fn is_utf_8(content_type: &str, media_types: &[&str]) -> bool {
    let lower = content_type.to_ascii_lowercase();
    let mut parts = lower.split(';').map(str::trim);
    let is_utf_8 = |part: &str| matches!(part, "charset=utf-8" | "charset=\"utf-8\"" | "");
    parts.next().is_some_and(|kind| media_types.contains(&kind)) && parts.all(is_utf_8)
}

/// Says whether a header is one that no connector may send. Names compare without case, and an underscore is
/// a hyphen, as gateways hand it on (RFC 3875, section 4.1.18).
pub fn is_reserved(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    RESERVED.contains(&name.as_str())
        || ["x-forwarded-", "proxy-", "sec-", "cf-"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

/// Checks the names of a request's headers against those that its route declares. Names compare
/// without case.
///
/// # Errors
///
/// [`HeaderRefusal`] names the first that may not be sent.
pub fn check_headers<'a>(
    names: impl IntoIterator<Item = &'a str>,
    declared: &[String],
) -> Result<(), HeaderRefusal> {
    for name in names {
        let shown = || name.chars().take(64).collect();
        if is_reserved(name) {
            return Err(HeaderRefusal::Reserved(shown()));
        }
        let is_allowed = is_harmless(name)
            || declared
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name));
        if !is_allowed {
            return Err(HeaderRefusal::Undeclared(shown()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_headers_are_refused_even_where_they_are_declared() {
        for name in [
            "Authorization",
            "HOST",
            "cookie",
            "Transfer-Encoding",
            "X-HTTP-Method-Override",
            "x-forwarded-host",
            "X-Forwarded-For",
            "Proxy-Authorization",
            "Accept-Encoding",
            "X-Original-URL",
            "Upgrade",
            "TE",
            "Sec-Fetch-Site",
            "X-Forwarded",
            "X-Original-Host",
            "X-Host",
            // Gateways hand an underscore on as a hyphen (RFC 3875, section 4.1.18).
            "X_HTTP_Method_Override",
            "x_forwarded_host",
        ] {
            let declared = [name.to_owned()];
            assert_eq!(
                check_headers([name], &declared),
                Err(HeaderRefusal::Reserved(name.to_owned()))
            );
        }
    }

    #[test]
    fn a_route_says_which_others_may_be_sent() {
        let declared = ["Sforce-Query-Options".to_owned()];
        let sent = [
            "accept",
            "Content-Type",
            "content-length",
            "portcullis-change",
        ];
        assert_eq!(check_headers(sent, &[]), Ok(()));
        assert_eq!(check_headers(["sforce-query-options"], &declared), Ok(()));
        assert_eq!(
            check_headers(["accept", "sforce-query-options"], &[]),
            Err(HeaderRefusal::Undeclared("sforce-query-options".to_owned()))
        );
        assert!(check_headers(["x-anything"], &declared).is_err());
    }
}
