//! Which addresses behind a name may be dialled.
//!
//! The attack: a public-looking name that stands for an address inside the operator's network (a
//! metadata service, a database, the host's own ports), or a name that answers with a public
//! address when it is checked and a private one when it is dialled. So the addresses of a name are
//! looked up once a connection, what is not public is dropped from them, and only what is left is
//! dialled; nothing looks the name up again.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use portcullis_policy::address::is_public;

use super::error::NetworkError;
use super::target::HostPort;

/// Looks a host's name up.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// Returns the addresses of `host`, best first, each with `port`.
    ///
    /// # Errors
    ///
    /// The lookup's own failure, an unknown name among them.
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The system's resolver, on a thread of the runtime's blocking pool.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, port)).await?.collect())
    }
}

/// Looks `target` up and returns the addresses that may be dialled, at least one.
///
/// `private_allowed` is the operator's word for this exact destination; without it every address
/// that is not public is dropped.
///
/// # Errors
///
/// [`NetworkError::Resolve`] when the name has no address at all, [`NetworkError::PrivateAddress`]
/// when it has none that may be dialled.
pub(super) async fn addresses(
    resolver: &dyn Resolve,
    target: &HostPort,
    private_allowed: bool,
) -> Result<Vec<SocketAddr>, NetworkError> {
    let found = match target.ip() {
        Some(ip) => vec![SocketAddr::new(ip, target.port())],
        None => resolver
            .resolve(target.host(), target.port())
            .await
            .map_err(|error| unresolved(target, error))?,
    };
    if found.is_empty() {
        return Err(unresolved(target, io::ErrorKind::NotFound.into()));
    }
    let dialled: Vec<SocketAddr> = found
        .into_iter()
        .filter(|address| private_allowed || is_public(address.ip()))
        // A resolver chooses addresses, never ports.
        .map(|address| SocketAddr::new(address.ip(), target.port()))
        .collect();
    if dialled.is_empty() {
        return Err(private(target));
    }
    Ok(dialled)
}

/// Refuses what a proxy must not be asked for on the host's behalf.
///
/// A proxy looks names up itself, so the addresses behind a name stay unseen here. What can be
/// judged is judged: addresses, spellings of addresses that only some resolvers know (`127.1`,
/// `0x7f000001`), and names that by their registration never stand for a public address (RFC 6761,
/// RFC 6762, RFC 8375, ICANN's `.internal`), single labels among them.
///
/// # Errors
///
/// [`NetworkError::PrivateAddress`] for such a destination.
pub(super) fn check_unresolved(target: &HostPort) -> Result<(), NetworkError> {
    let refused = match target.ip() {
        Some(ip) => !is_public(ip),
        None => is_numeric(target.host()) || is_local_name(target.host()),
    };
    if refused {
        return Err(private(target));
    }
    Ok(())
}

/// Whether the last label is a number, so that a resolver may read the host as an IPv4 address
/// (the "ends in a number" rule of the URL standard).
fn is_numeric(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or(host);
    let hexadecimal = last
        .strip_prefix("0x")
        .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    hexadecimal || (!last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()))
}

fn is_local_name(host: &str) -> bool {
    const LOCAL: [&str; 5] = ["localhost", "localdomain", "local", "internal", "home.arpa"];
    !host.contains('.')
        || LOCAL.iter().any(|suffix| {
            host.strip_suffix(suffix)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
}

fn private(target: &HostPort) -> NetworkError {
    let host = match target.ip() {
        Some(IpAddr::V6(ip)) => format!("[{ip}]"),
        _ => target.host().to_owned(),
    };
    NetworkError::PrivateAddress {
        host,
        port: target.port(),
    }
}

fn unresolved(target: &HostPort, error: io::Error) -> NetworkError {
    NetworkError::Resolve {
        host: target.host().to_owned(),
        source: Arc::new(error),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    struct Fixed(&'static [&'static str]);

    #[async_trait]
    impl Resolve for Fixed {
        async fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
            // Another port than the one asked for: it must not be dialled.
            let parse = |ip: &&str| SocketAddr::new(ip.parse().unwrap(), 9);
            Ok(self.0.iter().map(parse).collect())
        }
    }

    async fn dialled(
        host: &str,
        found: &'static [&'static str],
        allowed: bool,
    ) -> Result<Vec<String>, NetworkError> {
        let target = HostPort::new(host, 443);
        let found = addresses(&Fixed(found), &target, allowed).await?;
        Ok(found.iter().map(ToString::to_string).collect())
    }

    #[tokio::test]
    async fn drops_what_is_not_public_and_keeps_the_rest() {
        let mixed = &["10.0.0.1", "93.184.215.14", "::1", "2606:4700::1111"];
        assert_eq!(
            dialled("a.example", mixed, false).await.unwrap(),
            ["93.184.215.14:443", "[2606:4700::1111]:443"]
        );
        assert_eq!(dialled("a.example", mixed, true).await.unwrap().len(), 4);
    }

    #[tokio::test]
    async fn refuses_a_name_with_no_public_address() {
        for private in [
            &["127.0.0.1"],
            &["10.1.2.3"],
            &["192.168.0.1"],
            &["172.16.0.1"],
            &["169.254.169.254"],
            &["100.64.0.1"],
            &["0.0.0.0"],
            &["::1"],
            &["fe80::1"],
            &["fd00::1"],
            &["::ffff:127.0.0.1"],
        ] {
            let error = dialled("a.example", private, false).await.unwrap_err();
            assert!(
                matches!(error, NetworkError::PrivateAddress { .. }),
                "{private:?}: {error}"
            );
        }
        let error = dialled("a.example", &[], false).await.unwrap_err();
        assert!(matches!(error, NetworkError::Resolve { .. }), "{error}");
    }

    #[tokio::test]
    async fn an_address_as_host_is_judged_without_a_lookup() {
        let lies = &["93.184.215.14"];
        for host in ["127.0.0.1", "[::1]", "169.254.169.254", "[::ffff:10.0.0.1]"] {
            let error = dialled(host, lies, false).await.unwrap_err();
            assert!(
                matches!(error, NetworkError::PrivateAddress { .. }),
                "{host}"
            );
        }
        assert_eq!(
            dialled("1.1.1.1", lies, false).await.unwrap(),
            ["1.1.1.1:443"]
        );
    }

    #[test]
    fn a_proxy_is_not_asked_for_local_names() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.0.0.0x1",
            "[::1]",
            "10.0.0.1",
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "printer.local",
            "metadata.google.internal",
            "router.home.arpa",
            "intranet",
        ] {
            assert!(
                check_unresolved(&HostPort::new(host, 443)).is_err(),
                "{host}"
            );
        }
        for host in [
            "1.1.1.1",
            "a.example",
            "notlocalhost.example",
            "mylocal.example",
            "x.mylocal",
        ] {
            assert!(
                check_unresolved(&HostPort::new(host, 443)).is_ok(),
                "{host}"
            );
        }
    }
}
