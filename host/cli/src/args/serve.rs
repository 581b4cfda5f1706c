//! The command line for serving: one client, or clients and people at an address.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use portcullis::policy::Origin;

use super::{CONNECT_PORT, NetworkArgs, Org, Who};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portcullis serve --stdio --agent helper                        for one MCP client, which starts it
  portcullis serve --listen 127.0.0.1:8080                       for clients of this machine, at http://127.0.0.1:8080/mcp/helper
  portcullis serve --listen 127.0.0.1:8080 --public-url https://portcullis.acme.example
      for clients elsewhere, with the pages where people connect accounts and decide, behind a proxy that ends TLS
  portcullis serve --listen 0.0.0.0:443 --public-url https://portcullis.acme.example --tls-cert chain.pem --tls-key key.pem
  portcullis serve --stdio --agent helper --public-url https://portcullis.acme.example
      for one client, with links to those pages; both use the same store

  portcullis serve --listen 127.0.0.1:8080 --public-url https://portcullis.acme.example --issuer https://acme.okta.example
      for clients that sign in at the company's issuer by themselves

  portcullis serve --listen 127.0.0.1:8080 --public-url https://portcullis.acme.example --issuer https://acme.okta.example \\
      --issuer-client-id 0oa1b2c3
      the same, and for people who sign in there to the pages

  portcullis serve --print-config claude --agent helper          what to paste into a client's settings

By HTTP, clients and people say who they are by a token of a person's: `portcullis person token add NAME`. With `--issuer`, clients
may do so by its tokens, and people at the pages by signing in there.")]
pub(crate) struct Serve {
    /// Serve one client over standard input and output.
    #[arg(long)]
    pub(crate) stdio: bool,
    /// Serve only the tools of these toolsets, such as `records`; else all.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(crate) toolsets: Vec<String>,
    /// Serve only tools that read, whatever else the agent may do.
    #[arg(long)]
    pub(crate) read_only: bool,
    /// Print what to paste into a client's settings instead of serving.
    #[arg(long, value_enum, value_name = "CLIENT")]
    pub(crate) print_config: Option<ClientName>,
    /// Requests that a person's clients may send in a minute.
    #[arg(long, default_value_t = 60_000, value_name = "NUMBER", requires = "listen", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) requests_per_minute: u32,
    /// The port of the page where a person connects an account that an agent needs; the app's callback URL has it.
    #[arg(
        long,
        default_value_t = CONNECT_PORT,
        value_name = "PORT",
        conflicts_with = "public_url"
    )]
    pub(crate) connect_port: u16,
    #[command(flatten)]
    pub(crate) public: PublicArgs,
    #[command(flatten)]
    pub(crate) issuer: IssuerArgs,
    #[command(flatten)]
    pub(crate) watch: WatchArgs,
    #[command(flatten)]
    pub(crate) who: Who,
    #[command(flatten)]
    pub(crate) org: Org,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}

/// A client whose settings are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClientName {
    /// Claude Code and Claude Desktop.
    Claude,
    /// Cursor.
    Cursor,
    /// Visual Studio Code.
    Vscode,
    /// Codex.
    Codex,
    /// Gemini CLI.
    Gemini,
}

/// Where people and clients reach the server.
#[derive(Debug, Args)]
#[command(next_help_heading = "By HTTP")]
pub(crate) struct PublicArgs {
    /// Serve MCP at `/mcp` and `/mcp/AGENT` of this address of this machine, and, with a public URL, the pages.
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with = "person")]
    pub(crate) listen: Option<SocketAddr>,
    /// How others reach it, and people's browsers the pages, such as `https://portcullis.acme.example`.
    #[arg(
        long,
        value_name = "URL",
        value_parser = public_url,
        conflicts_with_all = ["dev_org", "instance_url"]
    )]
    pub(crate) public_url: Option<Origin>,
    /// The server's chain of certificates, in PEM; else a proxy before it ends TLS.
    #[arg(long, value_name = "FILE", requires_all = ["listen", "public_url", "tls_key"])]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The key of the first, in PEM.
    #[arg(long, value_name = "FILE", requires_all = ["listen", "public_url", "tls_cert"])]
    pub(crate) tls_key: Option<PathBuf>,
}

/// Who says who calls, besides the tokens that are made here.
#[derive(Debug, Args)]
#[command(next_help_heading = "Tokens of an OpenID Connect issuer")]
pub(crate) struct IssuerArgs {
    /// The issuer where clients get tokens by themselves, exactly as it writes its own URL: `portcullis person subject` says who is who.
    #[arg(long, value_name = "URL", requires = "listen")]
    pub(crate) issuer: Option<String>,
    /// By which names besides its addresses a token may mean this server, for issuers that know no resource indicators (RFC 8707). An ID
    /// token, with `nonce`, `at_hash` or `c_hash`, is refused all the same; where that may have none of them, give no client's id.
    #[arg(
        long,
        value_name = "NAME,…",
        value_delimiter = ',',
        requires = "issuer"
    )]
    pub(crate) audience: Vec<String>,
    /// What of a token names the person: `sub`, `email` where it is verified, or another claim.
    #[arg(long, value_name = "CLAIM", default_value = "sub", requires = "issuer")]
    pub(crate) issuer_claim: String,
    /// What clients ask the issuer for, where it gives tokens for this server by scopes. Whoever is let in may do what an administrator
    /// says, whatever a token's scopes are.
    #[arg(
        long,
        value_name = "SCOPE,…",
        value_delimiter = ',',
        requires = "issuer"
    )]
    pub(crate) issuer_scopes: Vec<String>,
    /// Have people sign in there to the pages, too: as this client of the issuer's, whose redirect URI is
    /// `PUBLIC-URL/sign-in/issuer/back`; else that of PORTCULLIS_ISSUER_CLIENT_ID.
    #[arg(long, value_name = "ID", requires_all = ["issuer", "public_url"])]
    pub(crate) issuer_client_id: Option<String>,
    /// The variable that holds that client's secret; else PORTCULLIS_ISSUER_CLIENT_SECRET, if it is set: a client may have none.
    #[arg(long, value_name = "VARIABLE", requires = "issuer")]
    pub(crate) issuer_client_secret_env: Option<String>,
}

/// What operators watch.
#[derive(Debug, Args)]
#[command(next_help_heading = "Numbers")]
pub(crate) struct WatchArgs {
    /// Serve numbers for Prometheus at `/metrics` of this address, to whoever reaches it. A collector of OpenTelemetry is told where
    /// `OTEL_EXPORTER_OTLP_ENDPOINT` names one.
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        conflicts_with_all = ["dev_org", "instance_url"]
    )]
    pub(crate) metrics: Option<SocketAddr>,
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
