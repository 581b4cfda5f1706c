//! The org's apps: the one that everything is tested with, and one of each other kind.

use rustls::pki_types::CertificateDer;

use super::app::{App, Kind};
use super::{AppState, Scopes, random};
use crate::id::Id;

/// The name of the app whose key and secret the org prints.
const MAIN: &str = "Portcullis";

/// What tells an app from one that every user may let in: its name, kind, state, and settings.
struct Sample {
    name: &'static str,
    kind: Kind,
    state: AppState,
    /// Empty for every scope.
    scopes: &'static str,
    secret_needed: bool,
    pkce_needed: bool,
    rotates: bool,
    runs_as_administrator: bool,
    signs: bool,
}

const PLAIN: Sample = Sample {
    name: MAIN,
    kind: Kind::ConnectedApp,
    state: AppState::Ready,
    scopes: "",
    secret_needed: false,
    pkce_needed: false,
    rotates: false,
    runs_as_administrator: false,
    signs: false,
};

const OTHERS: [Sample; 10] = [
    Sample {
        name: "Confidential Client",
        kind: Kind::ExternalClientApp,
        scopes: "api refresh_token id openid",
        secret_needed: true,
        pkce_needed: true,
        ..PLAIN
    },
    Sample {
        name: "Public Client",
        kind: Kind::ExternalClientApp,
        scopes: "api refresh_token",
        pkce_needed: true,
        rotates: true,
        ..PLAIN
    },
    Sample {
        name: "Uninstalled Client",
        state: AppState::NotInstalled,
        ..PLAIN
    },
    Sample {
        name: "Approved Users Only",
        state: AppState::AdminApproved,
        ..PLAIN
    },
    Sample {
        name: "Blocked Client",
        state: AppState::Blocked,
        ..PLAIN
    },
    Sample {
        name: "Client of Another Org",
        kind: Kind::ExternalClientApp,
        state: AppState::EcaNotFound,
        ..PLAIN
    },
    Sample {
        name: "Nightly Job",
        kind: Kind::ExternalClientApp,
        scopes: "api",
        secret_needed: true,
        runs_as_administrator: true,
        ..PLAIN
    },
    Sample {
        name: "Job Without User",
        kind: Kind::ExternalClientApp,
        scopes: "api",
        secret_needed: true,
        ..PLAIN
    },
    Sample {
        name: "Signing Job",
        state: AppState::AdminApproved,
        scopes: "api refresh_token id",
        signs: true,
        ..PLAIN
    },
    Sample {
        name: "Signing Job Without Approval",
        scopes: "api refresh_token id",
        signs: true,
        ..PLAIN
    },
];

/// Makes an app that every user may let in.
fn plain(name: &str, client_id: String, client_secret: String) -> App {
    App {
        name: name.to_owned(),
        kind: Kind::ConnectedApp,
        client_id: client_id.into(),
        client_secret,
        secret_needed: false,
        pkce_needed: false,
        redirect_uris: Vec::new(),
        scopes: Scopes::all(),
        rotate_refresh_tokens: false,
        state: AppState::Ready,
        before_block: AppState::Ready,
        approved_uninstalled: false,
        assigned: [].into(),
        run_as: None,
        certificate: None,
    }
}

/// Makes the app that the org is started with.
pub(crate) fn main_app(client_id: String, client_secret: String) -> App {
    plain(MAIN, client_id, client_secret)
}

/// Makes the other apps, for an org with this administrator.
pub(crate) fn other_apps(
    administrator: Id,
    certificate: Option<&CertificateDer<'static>>,
) -> Result<Vec<App>, getrandom::Error> {
    let app = |sample: &Sample| {
        Ok(App {
            kind: sample.kind,
            secret_needed: sample.secret_needed,
            pkce_needed: sample.pkce_needed,
            scopes: Scopes::parse(sample.scopes, &Scopes::all()).unwrap_or_else(|_| Scopes::all()),
            rotate_refresh_tokens: sample.rotates,
            state: sample.state,
            assigned: [administrator].into(),
            run_as: sample.runs_as_administrator.then_some(administrator),
            certificate: certificate.filter(|_| sample.signs).cloned(),
            ..plain(sample.name, random("3MVG9", 80)?, random("", 64)?)
        })
    };
    OTHERS.iter().map(app).collect()
}
