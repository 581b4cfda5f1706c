//! Where a client finds the org: at the scheme and host that it used.

use super::admission::at_login_host;
use crate::state::Shared;
use crate::wire::Request;

/// The org's own host in Salesforce's domain.
const MY_DOMAIN: &str = "devorg.my.salesforce.com";

impl Shared {
    /// Gives the address of the org for a client, without a slash at its end. Who came to
    /// `login.salesforce.com` is sent to the org's own host; a host that the org cannot have is
    /// not repeated.
    pub(crate) fn origin(&self, request: &Request) -> String {
        let scheme = if request.secure { "https" } else { "http" };
        let host = request.header("host").unwrap_or_default();
        let (name, port) = split(host);
        if at_login_host(request) {
            return format!("{scheme}://{MY_DOMAIN}{port}");
        }
        if is_ours(name) {
            return format!("{scheme}://{}", host.to_ascii_lowercase());
        }
        match (&self.https_url, request.secure) {
            (Some(url), true) => url.clone(),
            _ => self.url.clone(),
        }
    }
}

/// Parts a host from its port, which keeps its colon.
fn split(host: &str) -> (&str, &str) {
    match host.rfind(':') {
        Some(colon) if !host.ends_with(']') => host.split_at(colon),
        _ => (host, ""),
    }
}

fn is_ours(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let label = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
    };
    matches!(&*name, "localhost" | "127.0.0.1" | "[::1]")
        || name.strip_suffix(".salesforce.com").is_some_and(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_from_ports_and_from_strangers() {
        assert_eq!(split("[::1]:80"), ("[::1]", ":80"));
        assert_eq!(split("[::1]"), ("[::1]", ""));
        assert_eq!(split("localhost"), ("localhost", ""));
        for (name, ours) in [
            ("LocalHost", true),
            ("a.my.salesforce.com", true),
            (".salesforce.com", false),
            ("salesforce.com.example", false),
            ("a\"b.salesforce.com", false),
            ("", false),
        ] {
            assert_eq!(is_ours(name), ours, "{name}");
        }
    }
}
