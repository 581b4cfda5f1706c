//! The org's apps from outside: what they are, and how they stand.

use std::sync::Arc;

use serde::Serialize;

use super::AppState;
use super::app::{Action, App, Kind};
use crate::state::Shared;

/// An app that users can let in.
#[derive(Debug, Clone, Serialize)]
pub struct DevApp {
    /// Its name.
    pub name: String,
    /// `Connected App` or `External Client App`.
    pub kind: &'static str,
    /// The consumer key.
    pub client_id: String,
    /// The consumer secret.
    pub client_secret: String,
    /// The scopes, with spaces between.
    pub scopes: String,
    /// The callback addresses, beside those on loopback.
    pub redirect_uris: Vec<String>,
    /// Whether the secret is needed even with a code verifier or a refresh token.
    pub secret_needed: bool,
    /// Whether a code needs a challenge.
    pub pkce_needed: bool,
    /// Whether a refresh token is used once and replaced.
    pub rotate_refresh_tokens: bool,
    /// How it stands.
    pub state: AppState,
}

impl From<&App> for DevApp {
    fn from(app: &App) -> Self {
        Self {
            name: app.name.clone(),
            kind: match app.kind {
                Kind::ConnectedApp => "Connected App",
                Kind::ExternalClientApp => "External Client App",
            },
            client_id: app.client_id.to_string(),
            client_secret: app.client_secret.clone(),
            scopes: app.scopes().to_string(),
            redirect_uris: app.redirect_uris.clone(),
            secret_needed: app.secret_needed,
            pkce_needed: app.pkce_needed,
            rotate_refresh_tokens: app.rotate_refresh_tokens,
            state: app.state,
        }
    }
}

impl Shared {
    /// Lists the apps; the one that the org was started with is the first.
    pub(crate) fn dev_apps(&self) -> Vec<DevApp> {
        self.apps().all().iter().map(DevApp::from).collect()
    }

    /// Puts an app, by its name or consumer key, into a state; says whether there is one.
    pub(crate) fn set_app_state(&self, app: &str, state: AppState) -> bool {
        let mut apps = self.apps_mut();
        let Some(app) = apps.named(app) else {
            return false;
        };
        app.set(state);
        let ended = (state == AppState::Blocked).then(|| Arc::clone(&app.client_id));
        drop(apps);
        if let Some(client_id) = ended {
            self.grants().expire_app(&client_id); // To block an app ends its sessions.
        }
        true
    }

    /// Does what an administrator chose for an app.
    pub(super) fn act_on_app(&self, client_id: &str, action: Action) {
        let mut apps = self.apps_mut();
        let app = apps.named(client_id);
        let to = app.and_then(|app| action.fits(app.state).then(|| action.leads_to(app)));
        drop(apps);
        if let Some(to) = to {
            self.set_app_state(client_id, to);
        }
    }

    /// Remembers that somebody who may has let an app in, installed or not.
    pub(super) fn approve_uninstalled(&self, client_id: &str) {
        if let Some(app) = self.apps_mut().named(client_id) {
            app.approved_uninstalled = true;
        }
    }
}
