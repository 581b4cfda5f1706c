//! The proxy between the host and a service: its setting, which requests take it, and its tunnel.
//!
//! With a proxy the name of the service is looked up by the proxy, not here; what that means for
//! the address check is said at [`check_unresolved`](super::resolve::check_unresolved). The proxy
//! itself may be on a private address: the operator named it.

use std::io;
use std::str::FromStr;
use std::sync::Arc;

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::Matcher;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpStream;

use super::error::NetworkError;
use super::target::{HostPort, port_of};

/// The head of a proxy's answer is read up to this size; an answer with a longer one (a login page
/// with its cookies, say) is not a tunnel's.
const ANSWER_HEAD_BYTES_MAX: usize = 16 * 1024;

/// A proxy's address: `http://[USER:PASSWORD@]HOST[:PORT]`.
///
/// User name and password are kept as a secret and appear in no message and no debug output.
#[derive(Clone, Debug)]
pub struct ProxyUrl {
    address: HostPort,
    authorization: Option<SecretString>,
}

impl ProxyUrl {
    /// Returns the proxy's host and port.
    pub fn address(&self) -> &HostPort {
        &self.address
    }

    /// Returns the value of `Proxy-Authorization`, if the address names a user.
    ///
    /// The one place that exposes the secret.
    pub(super) fn authorization(&self) -> Option<HeaderValue> {
        let value = self.authorization.as_ref()?;
        let mut value = HeaderValue::from_str(value.expose_secret()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl FromStr for ProxyUrl {
    type Err = NetworkError;

    /// Parses a proxy's address as the usual environment variables hold it.
    ///
    /// The scheme may be left out, the port is 80 by default. User name and password are
    /// percent-decoded.
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        // The text is not repeated in the message, since it may hold a password.
        let refuse = |problem: &str| NetworkError::Setting {
            setting: "HTTPS_PROXY or HTTP_PROXY",
            problem: problem.to_owned(),
        };
        let shape = "write the proxy as `http://HOST:PORT`; in a user name or password, \
                     percent-encode everything but letters and digits";
        let text = text.trim();
        let text = match text.split_once("://") {
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("http") => text.to_owned(),
            Some(_) => {
                return Err(refuse(
                    "only a proxy that is itself spoken to in plain HTTP is supported; write it \
                     as `http://HOST:PORT` (requests to https services are encrypted end to end)",
                ));
            }
            None => format!("http://{text}"),
        };
        let uri: Uri = text.parse().map_err(|_| refuse(shape))?;
        let authority = uri.authority().ok_or_else(|| refuse(shape))?;
        let port = port_of(authority)
            .ok_or_else(|| refuse(shape))?
            .unwrap_or(80);
        let address = HostPort::new(authority.host(), port);
        if address.host().is_empty() || !matches!(uri.path(), "" | "/") {
            return Err(refuse(shape));
        }
        let authorization = match authority.as_str().contains('@') {
            true => Some(basic_authorization(&text).ok_or_else(|| refuse(shape))?),
            false => None,
        };
        Ok(Self {
            address,
            authorization,
        })
    }
}

/// Lets the matcher decode the user name and password, so that both are read as elsewhere.
fn basic_authorization(proxy: &str) -> Option<SecretString> {
    let matcher = Matcher::builder().https(proxy.to_owned()).build();
    let intercept = matcher.intercept(&Uri::from_static("https://service.example"))?;
    let value = intercept.basic_auth()?.to_str().ok()?;
    Some(SecretString::from(value.to_owned()))
}

/// Which proxy a request takes, if any.
#[derive(Debug)]
pub(super) struct Proxies {
    https: Option<ProxyUrl>,
    http: Option<ProxyUrl>,
    matcher: Matcher,
}

impl Proxies {
    /// Makes the choice of two proxies and of `NO_PROXY`, read as curl reads it: a comma-separated
    /// list of names (each with the names below it), addresses and CIDR blocks, or `*`.
    pub(super) fn new(https: Option<ProxyUrl>, http: Option<ProxyUrl>, no_proxy: &str) -> Self {
        // The matcher only answers yes or no. It gets a stand-in, so that it holds no password.
        let stand_in = |proxy: &Option<ProxyUrl>| match proxy {
            Some(_) => "http://proxy.invalid",
            None => "",
        };
        let matcher = Matcher::builder()
            .https(stand_in(&https))
            .http(stand_in(&http))
            .no(no_proxy.to_owned())
            .build();
        Self {
            https,
            http,
            matcher,
        }
    }

    /// Returns the proxy that a request for `uri` takes.
    pub(super) fn for_uri(&self, uri: &Uri) -> Option<&ProxyUrl> {
        self.matcher.intercept(uri)?;
        match uri.scheme_str() {
            Some("https") => self.https.as_ref(),
            _ => self.http.as_ref(),
        }
    }
}

/// Asks the proxy at the other end of `stream` for a tunnel to `target` (RFC 9110, section 9.3.6).
///
/// # Errors
///
/// [`NetworkError::ProxyRefused`] with the proxy's status, [`NetworkError::ProxyProtocol`] when
/// it does not answer as a proxy does, [`NetworkError::ProxyConnect`] when the connection breaks.
pub(super) async fn open_tunnel(
    stream: &TcpStream,
    proxy: &ProxyUrl,
    target: &HostPort,
) -> Result<(), NetworkError> {
    let broken = |error: io::Error| NetworkError::ProxyConnect {
        proxy: proxy.address.to_string(),
        source: Arc::new(error),
    };
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
    if let Some(value) = proxy.authorization() {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(value.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    write_all(stream, &request).await.map_err(broken)?;

    let mut answer = Vec::with_capacity(512);
    let head_end = loop {
        // The status line alone decides a refusal; a page that explains it is not waited for.
        if let Some(status) = status_of(&answer).map_err(|problem| odd(proxy, problem))?
            && !(200..300).contains(&status)
        {
            return Err(NetworkError::ProxyRefused {
                proxy: proxy.address.to_string(),
                host: target.host().to_owned(),
                status,
            });
        }
        if let Some(at) = answer.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if answer.len() > ANSWER_HEAD_BYTES_MAX {
            return Err(odd(proxy, "its answer's head is too long"));
        }
        if read_some(stream, &mut answer).await.map_err(broken)? == 0 {
            return Err(odd(proxy, "it closed the connection"));
        }
    };
    // In TLS the client speaks first, so bytes after the head are not from the service: they would
    // be a proxy's page, and must not be taken for the service's words.
    if head_end != answer.len() {
        return Err(odd(proxy, "it sent more than the tunnel's answer"));
    }
    Ok(())
}

async fn write_all(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn read_some(stream: &TcpStream, into: &mut Vec<u8>) -> io::Result<usize> {
    let mut chunk = [0; 1024];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut chunk) {
            Ok(count) => {
                into.extend_from_slice(chunk.get(..count).unwrap_or_default());
                return Ok(count);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

fn odd(proxy: &ProxyUrl, problem: &'static str) -> NetworkError {
    NetworkError::ProxyProtocol {
        proxy: proxy.address.to_string(),
        problem,
    }
}

/// Reads the status once its whole line is there.
fn status_of(answer: &[u8]) -> Result<Option<u16>, &'static str> {
    let Some(end) = answer.windows(2).position(|two| two == b"\r\n") else {
        let start = &answer[..answer.len().min(5)];
        return match b"HTTP/".starts_with(start) {
            true => Ok(None),
            false => Err("its answer is not HTTP"),
        };
    };
    let line = &answer[..end];
    let digits = line
        .strip_prefix(b"HTTP/1.1 ")
        .or_else(|| line.strip_prefix(b"HTTP/1.0 "))
        .ok_or("its answer is not HTTP/1.1")?;
    let digits = match digits {
        [a, b, c] | [a, b, c, b' ', ..] => [*a, *b, *c],
        _ => return Err("its answer has no status"),
    };
    std::str::from_utf8(&digits)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .map(Some)
        .ok_or("its answer has no status")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn reads_a_proxy_as_operators_write_it() {
        for (text, address, authorization) in [
            ("http://proxy.example:3128", "proxy.example:3128", None),
            ("proxy.example:3128/", "proxy.example:3128", None),
            ("http://10.0.0.1", "10.0.0.1:80", None),
            (
                "http://ann:p%40ss@proxy.example:1",
                "proxy.example:1",
                Some("Basic YW5uOnBAc3M="),
            ),
        ] {
            let proxy: ProxyUrl = text.parse().unwrap();
            assert_eq!(proxy.address().to_string(), address);
            let value = proxy.authorization();
            assert_eq!(value.as_ref().map(|v| v.to_str().unwrap()), authorization);
        }
    }

    #[test]
    fn neither_a_message_nor_debug_output_shows_the_password() {
        let secret = "hunter2";
        for text in [
            "https://ann:hunter2@proxy.example",
            "socks5://ann:hunter2@proxy.example",
            "http://ann:hunter2@proxy.example:port",
            "http://ann:hunter2@proxy.example/x",
            "http://ann:hunter2 @proxy.example",
            "http://ann:hunter2@",
        ] {
            let error = text.parse::<ProxyUrl>().unwrap_err();
            assert!(!format!("{error} {error:?}").contains(secret), "{error:?}");
        }
        let proxy: ProxyUrl = "http://ann:hunter2@proxy.example".parse().unwrap();
        let proxies = Proxies::new(Some(proxy.clone()), Some(proxy), "");
        let shown = format!("{proxies:?}");
        assert!(
            !shown.contains(secret) && !shown.contains("Basic"),
            "{shown}"
        );
    }

    #[test]
    fn no_proxy_exempts_names_addresses_and_blocks() {
        let proxy: ProxyUrl = "http://proxy.example:3128".parse().unwrap();
        let proxies = Proxies::new(Some(proxy), None, "corp.example, 10.0.0.0/8,1.1.1.1");
        for (uri, proxied) in [
            ("https://a.example/", true),
            ("https://notcorp.example/", true),
            ("https://corp.example/", false),
            ("https://a.corp.example/", false),
            ("https://10.1.2.3/", false),
            ("https://1.1.1.1/", false),
            ("http://a.example/", false),
        ] {
            assert_eq!(
                proxies.for_uri(&uri.parse().unwrap()).is_some(),
                proxied,
                "{uri}"
            );
        }
    }

    #[test]
    fn reads_a_status_only_from_http() {
        assert_eq!(status_of(b""), Ok(None));
        assert_eq!(status_of(b"HTTP/1.1 20"), Ok(None));
        assert_eq!(
            status_of(b"HTTP/1.1 200 Connection established\r\n"),
            Ok(Some(200))
        );
        assert_eq!(status_of(b"HTTP/1.0 407\r\n"), Ok(Some(407)));
        for odd in [
            &b"SSH-2.0"[..],
            b"HTTP/2 200\r\n",
            b"HTTP/1.1 2000\r\n",
            b"HTTP/1.1 +20 x\r\n",
        ] {
            // `+20` parses as a number, and as a status that is no success.
            assert!(!matches!(status_of(odd), Ok(Some(200..300))), "{odd:?}");
        }
    }
}
