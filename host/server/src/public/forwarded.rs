//! From where a request comes that a proxy passes on.
//!
//! The attack: who writes the header themselves is anybody that they like. What the proxy next to us adds stands last, so that only
//! that counts. It is good for telling one caller's tries from another's, and for nothing that lets somebody in.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Gives the address that the proxy next to us says; none where it says none.
pub(super) fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all(X_FORWARDED_FOR).iter().next_back()?;
    let last = last.to_str().ok()?.rsplit(',').next()?.trim();
    let address: IpAddr = last.parse().ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn what_the_last_proxy_says_counts() {
        let says = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(X_FORWARDED_FOR, value.parse().unwrap());
            }
            forwarded_for(&headers).map(|address| address.to_string())
        };
        assert_eq!(says(&["192.0.2.1"]).as_deref(), Some("192.0.2.1"));
        assert_eq!(
            says(&["198.51.100.9, 192.0.2.1"]).as_deref(),
            Some("192.0.2.1")
        );
        assert_eq!(
            says(&["198.51.100.9", "192.0.2.1"]).as_deref(),
            Some("192.0.2.1")
        );
        assert_eq!(says(&["::ffff:192.0.2.1"]).as_deref(), Some("192.0.2.1"));
        for nothing in [&[][..], &[""], &["unknown"], &["192.0.2.1, unknown"]] {
            assert_eq!(says(nothing), None, "{nothing:?}");
        }
    }
}
