//! The command line for connecting an account.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use portcullis::policy::{ConnectorName, Origin};

use super::serve::public_url;
use super::{CONNECT_PORT, Form, NetworkArgs};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portcullis connect salesforce                                   your own account
  portcullis connect salesforce --login https://acme.my.salesforce.com
  portcullis connect salesforce --login sandbox --no-browser      prints the link, for another machine's browser
  portcullis connect salesforce --shared --label 'Acme reports'   an account for others, by an administrator
  portcullis connect salesforce --label Nightly --client-credentials
  portcullis connect salesforce --again 'Acme reports'            a shared account anew: it keeps its shares
  portcullis connect salesforce --public-url https://portcullis.acme.example   on the pages of a server

Before the first: `portcullis app set salesforce --client-id … --login https://yourcompany.my.salesforce.com` says as which app
people sign in, and where. How to make one is told in docs/salesforce-app.md.")]
pub(crate) struct Connect {
    /// The connector, such as `salesforce`.
    pub(crate) connector: ConnectorName,
    /// Where to sign in: `production`, `sandbox`, or any address of your org. Else the login of the app that is set.
    #[arg(long, value_name = "LOGIN")]
    pub(crate) login: Option<String>,
    /// What to ask for, with commas between. Else what the app, or the connector, asks for by itself.
    #[arg(long, value_name = "SCOPES", value_delimiter = ',')]
    pub(crate) scopes: Option<Vec<String>>,
    /// What people call the connection. Else what it is called already, or the service's name.
    #[arg(long, value_name = "TEXT")]
    pub(crate) label: Option<String>,
    /// Connect an account for others, instead of your own.
    #[arg(long)]
    pub(crate) shared: bool,
    /// Sign in again to this shared connection: it keeps its shares.
    #[arg(long, value_name = "CONNECTION", conflicts_with = "label")]
    pub(crate) again: Option<String>,
    /// Let the account be another than before: one of another organization, or, where it is shared, another user's.
    #[arg(long, alias = "other-organization")]
    pub(crate) other_account: bool,
    /// Sign in as this client, and not as the app that is set.
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// The environment variable that holds that client's secret.
    #[arg(long, value_name = "NAME", requires = "client_id")]
    pub(crate) client_secret_env: Option<String>,
    /// Open no browser: print the link. The address that a browser ends at, or the code in it, may be pasted.
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// The port that the browser comes back to; the app's callback URL has it. 0 is a free one.
    #[arg(long, default_value_t = CONNECT_PORT)]
    pub(crate) port: u16,
    /// Seconds of a sign-in after which the errors are told that the service shows on a page of its own.
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    pub(crate) stuck_after: u64,
    /// Connect your own account on the pages that `portcullis serve --listen` has at this address, with the app that is set.
    #[arg(
        long,
        value_name = "URL",
        value_parser = public_url,
        conflicts_with_all = [
            "login", "scopes", "label", "shared", "again", "other_account", "client_id", "no_browser", "port",
            "client_credentials", "jwt_user",
        ]
    )]
    pub(crate) public_url: Option<Origin>,
    #[command(flatten)]
    pub(crate) service: ServiceArgs,
    #[command(flatten)]
    pub(crate) form: Form,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}

/// An account that nobody signs in to. It is always shared.
#[derive(Debug, Args)]
#[command(next_help_heading = "Service account")]
pub(crate) struct ServiceArgs {
    /// By the app's own credentials.
    #[arg(long, conflicts_with_all = ["jwt_user", "no_browser"])]
    pub(crate) client_credentials: bool,
    /// As this user, by assertions that the app signs.
    #[arg(
        long,
        value_name = "USER",
        requires = "jwt_key_file",
        conflicts_with = "no_browser"
    )]
    pub(crate) jwt_user: Option<String>,
    /// The key that signs, in PEM (PKCS#8).
    #[arg(long, value_name = "FILE", requires = "jwt_user")]
    pub(crate) jwt_key_file: Option<PathBuf>,
    /// Whom assertions are made for. Else the login.
    #[arg(long, value_name = "URL", requires = "jwt_user")]
    pub(crate) jwt_audience: Option<String>,
}

impl Connect {
    /// Gives after how long it is likely that the service keeps the person on a page of its own.
    pub(crate) fn stuck_after(&self) -> Duration {
        Duration::from_secs(self.stuck_after)
    }

    /// Gives the callback URL that the app must know.
    pub(crate) fn callback(&self) -> String {
        match &self.public_url {
            Some(base) => format!("{base}/callback"),
            None => format!("http://localhost:{}/callback", self.port),
        }
    }

    /// Says whether a person signs in.
    pub(crate) fn is_by_person(&self) -> bool {
        !self.service.client_credentials && self.service.jwt_user.is_none()
    }

    /// Says whether it is one's own account with the app that is set, as on the pages of a server.
    pub(crate) fn is_plain(&self) -> bool {
        let says_what = self.login.is_some()
            || self.scopes.is_some()
            || self.label.is_some()
            || self.client_id.is_some();
        !says_what && !self.is_shared() && !self.other_account
    }

    /// Says whether the connection is for others, too.
    pub(crate) fn is_shared(&self) -> bool {
        self.shared || self.again.is_some() || !self.is_by_person()
    }
}
