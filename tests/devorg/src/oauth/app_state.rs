//! What an administrator, or bad luck, has made of an app: a name for each way to be refused.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// How an app stands in the org, by which its users are let in or refused.
///
/// The name on a command line and in JSON is the variant's with hyphens: `not-installed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum AppState {
    /// Installed, and every user may let it in.
    #[default]
    Ready,
    /// Not installed: `app must be installed into org`, on a page that says
    /// `OAUTH_APPROVAL_ERROR_GENERIC`, until an administrator connects or installs it.
    #[value(alias = "approval-error")]
    NotInstalled,
    /// An External Client App that the org does not have: `OAUTH_EC_APP_NOT_FOUND`.
    EcaNotFound,
    /// Nobody knows its consumer key: `invalid_client_id`.
    Unknown,
    /// Has neither the `api` nor any other scope but `id`; to ask for more is
    /// `OAUTH_APPROVAL_ERROR_GENERIC` with `invalid_scope` in the address.
    ScopeMissing,
    /// Its callback addresses are others: `redirect_uri_mismatch`.
    CallbackMismatch,
    /// For users whom an administrator assigned alone: `OAUTH_APP_ACCESS_DENIED` in a browser,
    /// `invalid_app_access` elsewhere. They need not consent, and the JWT bearer flow is open.
    AdminApproved,
    /// Blocked by an administrator: `OAUTH_APP_BLOCKED`.
    Blocked,
    /// Enforces addresses that nobody comes from: `ip restricted`.
    IpRestricted,
    /// Lets in at hours that never come: `invalid login hours`.
    OutsideLoginHours,
    /// Its users are not active: `inactive_user`.
    InactiveUser,
    /// The org is locked: `inactive_org`.
    InactiveOrg,
    /// Whoever is asked refuses: `access_denied`.
    Denied,
    /// A code is out of date when it arrives: `expired authorization code`.
    CodesExpired,
    /// A refresh token expires at once: `expired access/refresh token`.
    TokensExpired,
    /// Nobody is named to run as: `no client credentials user enabled`.
    NoRunAsUser,
    /// No user's consent is remembered: `user hasn't approved this consumer` by JWT.
    NotPreApproved,
}
