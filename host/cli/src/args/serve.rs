//! The command line for serving: one client, or people at an address of the network.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use portcullis::policy::Origin;

use super::{CONNECT_PORT, NetworkArgs, Org, Who};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portcullis serve --stdio --agent helper                        for one MCP client, which starts it
  portcullis serve --listen 127.0.0.1:8080 --public-url https://portcullis.acme.example
      the pages where people connect accounts, behind a proxy that ends TLS
  portcullis serve --listen 0.0.0.0:443 --public-url https://portcullis.acme.example --tls-cert chain.pem --tls-key key.pem
  portcullis serve --stdio --agent helper --public-url https://portcullis.acme.example
      for one client, with links to those pages; both use the same store

At such an address people sign in first, by a token of theirs: `portcullis person token add NAME`.")]
pub(crate) struct Serve {
    /// Serve one client over standard input and output.
    #[arg(long, required_unless_present = "listen", conflicts_with = "listen")]
    pub(crate) stdio: bool,
    /// The port of the page where a person connects an account that an agent needs; the app's callback URL has it.
    #[arg(
        long,
        default_value_t = CONNECT_PORT,
        value_name = "PORT",
        conflicts_with_all = ["listen", "public_url"]
    )]
    pub(crate) connect_port: u16,
    #[command(flatten)]
    pub(crate) public: PublicArgs,
    #[command(flatten)]
    pub(crate) who: Who,
    #[command(flatten)]
    pub(crate) org: Org,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}

/// Where people reach the pages.
#[derive(Debug, Args)]
#[command(next_help_heading = "Pages")]
pub(crate) struct PublicArgs {
    /// Serve the pages where people connect accounts at this address of this machine.
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        requires = "public_url",
        conflicts_with_all = ["agent", "person", "dev_org", "instance_url"]
    )]
    pub(crate) listen: Option<SocketAddr>,
    /// How people's browsers reach them, such as `https://portcullis.acme.example`.
    #[arg(
        long,
        value_name = "URL",
        value_parser = public_url,
        conflicts_with_all = ["dev_org", "instance_url"]
    )]
    pub(crate) public_url: Option<Origin>,
    /// The server's chain of certificates, in PEM; else a proxy before it ends TLS.
    #[arg(long, value_name = "FILE", requires_all = ["listen", "tls_key"])]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The key of the first, in PEM.
    #[arg(long, value_name = "FILE", requires_all = ["listen", "tls_cert"])]
    pub(crate) tls_key: Option<PathBuf>,
}

/// Reads the address of the pages.
pub(crate) fn public_url(text: &str) -> Result<Origin, String> {
    let origin = Origin::parse(text.trim_end_matches('/')).map_err(|error| error.to_string())?;
    match origin.is_https() || origin.is_loopback() {
        true => Ok(origin),
        false => Err(
            "it must be https, for what people enter and what services send could be read on its way; only this \
             machine itself needs none"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn pages_are_by_https_or_on_this_machine() {
        for (text, origin) in [
            ("https://host.example", "https://host.example"),
            ("https://HOST.example:443/", "https://host.example"),
            ("https://host.example:8443", "https://host.example:8443"),
            ("http://localhost:7717", "http://localhost:7717"),
            ("http://127.0.0.1:7717/", "http://127.0.0.1:7717"),
        ] {
            assert_eq!(public_url(text).unwrap().to_string(), origin);
        }
        for text in [
            "",
            "host.example",
            "http://host.example",
            "http://192.0.2.1",
            "http://localhost.evil.example",
            "https://host.example/path",
            "https://host.example?x",
            "https://user@host.example",
            "ftp://host.example",
        ] {
            assert!(public_url(text).is_err(), "{text}");
        }
    }
}
