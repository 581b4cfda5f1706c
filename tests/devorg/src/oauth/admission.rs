//! Whether an app and its user are let in, and in which words they are refused.

use super::AppState;
use super::OauthError;
use super::app::{App, Kind};
use crate::id::Id;
use crate::state::Shared;
use crate::wire::Request;

/// Why somebody is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    InactiveOrg,
    InactiveUser,
    IpRestricted,
    LoginHours,
    EcaNotFound,
    Blocked,
    NotAssigned,
    NotInstalled,
    Denied,
}

/// The way somebody comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// Signed in, in a browser.
    Browser,
    /// With something granted before: what is granted outlives an app's uninstalling.
    Granted,
    /// To the token endpoint, with nothing granted before.
    Direct,
}

impl Refusal {
    /// Gives what the token endpoint says.
    pub(super) fn error(self) -> OauthError {
        let (error, description) = match self {
            Self::InactiveOrg => (
                "inactive_org",
                "organization is locked, closed, or suspended",
            ),
            Self::InactiveUser => ("inactive_user", "user is inactive"),
            Self::IpRestricted => ("invalid_grant", "ip restricted"),
            Self::LoginHours => ("invalid_grant", "invalid login hours"),
            Self::EcaNotFound => (
                "OAUTH_EC_APP_NOT_FOUND",
                "External client app is not installed in this org",
            ),
            Self::Blocked => ("OAUTH_APP_BLOCKED", "this app is blocked by admin"),
            Self::NotAssigned => (
                "invalid_app_access",
                "user is not admin approved to access this app",
            ),
            Self::NotInstalled => ("invalid_client", "app must be installed into org"),
            Self::Denied => ("access_denied", "end-user denied authorization"),
        };
        OauthError::new(error, description)
    }

    /// Gives what a browser is told, where that differs.
    pub(super) fn error_in_browser(self) -> OauthError {
        match self {
            Self::NotAssigned => OauthError::new(
                "OAUTH_APP_ACCESS_DENIED",
                "user is not admin approved to access this app",
            ),
            _ => self.error(),
        }
    }

    /// Says whether a browser stays on a page of Salesforce's own: the app is not known well
    /// enough to be told.
    pub(super) fn stays(self) -> bool {
        matches!(
            self,
            Self::InactiveOrg | Self::EcaNotFound | Self::NotInstalled
        )
    }
}

/// Decides what can be decided before anybody signs in.
pub(super) fn of_app(app: &App, request: &Request) -> Result<(), Refusal> {
    match app.state {
        AppState::InactiveOrg => Err(Refusal::InactiveOrg),
        AppState::EcaNotFound => Err(Refusal::EcaNotFound),
        _ if app.kind == Kind::ExternalClientApp && at_login_host(request) => {
            Err(Refusal::EcaNotFound)
        }
        _ => Ok(()),
    }
}

/// Says whether a request came to Salesforce's common host, not to the org's own.
pub(super) fn at_login_host(request: &Request) -> bool {
    let host = request.header("host").unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    ["login.salesforce.com", "test.salesforce.com"]
        .iter()
        .any(|login| host.eq_ignore_ascii_case(login))
}

/// Decides about a user of an app that [`of_app`] has let pass.
pub(super) fn of_user(shared: &Shared, app: &App, user: Id, door: Door) -> Result<(), Refusal> {
    if !shared.is_active(user) {
        return Err(Refusal::InactiveUser);
    }
    match app.state {
        AppState::InactiveUser => Err(Refusal::InactiveUser),
        AppState::IpRestricted => Err(Refusal::IpRestricted),
        AppState::OutsideLoginHours => Err(Refusal::LoginHours),
        AppState::Blocked => Err(Refusal::Blocked),
        AppState::Denied if door == Door::Browser => Err(Refusal::Denied),
        AppState::AdminApproved if !app.assigned.contains(&user) => Err(Refusal::NotAssigned),
        AppState::NotInstalled
            if door != Door::Granted
                && !app.approved_uninstalled
                && !approves_uninstalled(shared, user) =>
        {
            Err(Refusal::NotInstalled)
        }
        _ => Ok(()),
    }
}

/// Says whether a user has *Approve Uninstalled Connected Apps*: administrators do, by the
/// standard profile, and its clones do not.
pub(super) fn approves_uninstalled(shared: &Shared, user: Id) -> bool {
    let org = shared.org();
    let profile = org
        .store
        .get("User", user)
        .and_then(|user| user.reference("ProfileId"))
        .and_then(|profile| org.store.get("Profile", profile));
    profile.is_some_and(|profile| profile.get("Name").as_text() == Some("System Administrator"))
}
