//! Apps: connected apps and External Client Apps, with their settings.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};

use super::{AppState, OauthError, Scopes};
use crate::id::Id;
use crate::unsaved::Unsaved;

/// Which of Salesforce's two kinds of app this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    ConnectedApp,
    /// Known at the org's own host alone.
    ExternalClientApp,
}

/// An app, as its settings have it.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// The consumer key.
    pub(crate) client_id: Arc<str>,
    /// The consumer secret.
    pub(crate) client_secret: String,
    /// Whether the secret is needed even with a code verifier or a refresh token.
    pub(crate) secret_needed: bool,
    /// Whether a code needs a challenge.
    pub(crate) pkce_needed: bool,
    /// Where codes may be sent, to the letter, beside any loopback address.
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) scopes: Scopes,
    /// Whether a refresh token is used once and replaced.
    pub(crate) rotate_refresh_tokens: bool,
    pub(crate) state: AppState,
    /// How it stood before it was blocked.
    pub(crate) before_block: AppState,
    /// Whether somebody who may has let it in though it is not installed.
    pub(crate) approved_uninstalled: bool,
    /// The users for whom an administrator approved it.
    pub(crate) assigned: BTreeSet<Id>,
    /// Who the app is when it comes by its own credentials.
    pub(crate) run_as: Option<Id>,
    /// Whose signature it is known by in the JWT bearer flow.
    pub(crate) certificate: Option<CertificateDer<'static>>,
}

/// What is saved of an app: the rest is what this program makes of its name.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptApp {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    state: AppState,
    before_block: AppState,
    approved_uninstalled: bool,
}

/// What an administrator does on the page *Connected Apps OAuth Usage*.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Install,
    Uninstall,
    Block,
    Unblock,
}

impl Action {
    pub(super) const ALL: [Self; 4] = [Self::Install, Self::Uninstall, Self::Block, Self::Unblock];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Install => "Install",
            Self::Uninstall => "Uninstall",
            Self::Block => "Block",
            Self::Unblock => "Unblock",
        }
    }

    /// Gives the state that it leads to. It mends nothing else that is wrong with an app: what was blocked is
    /// as before once it is unblocked, and what is wrong otherwise is not uninstalled, and so not installed anew.
    pub(super) fn leads_to(self, app: &App) -> AppState {
        match self {
            Self::Install => AppState::Ready,
            Self::Unblock => app.before_block,
            Self::Uninstall => AppState::NotInstalled,
            Self::Block => AppState::Blocked,
        }
    }

    /// Says whether an app that stands so has this button.
    pub(super) fn fits(self, state: AppState) -> bool {
        match self {
            Self::Install => state == AppState::NotInstalled,
            Self::Uninstall => matches!(state, AppState::Ready | AppState::AdminApproved),
            Self::Block => state != AppState::Blocked,
            Self::Unblock => state == AppState::Blocked,
        }
    }
}

/// Every app of the org.
#[derive(Debug, Default)]
pub(crate) struct Apps {
    apps: Vec<App>,
    /// The names of those that are not in the state file as they are.
    pub(crate) unsaved: Unsaved<String>,
}

impl Apps {
    pub(crate) fn new(apps: Vec<App>) -> Self {
        Self {
            apps,
            unsaved: Unsaved::default(),
        }
    }

    pub(crate) fn all(&self) -> &[App] {
        &self.apps
    }

    /// Finds an app that signs for users whom an administrator has assigned, and gives its consumer
    /// key.
    pub(crate) fn pre_approved_signer(&self) -> Option<String> {
        let signs = |app: &&App| app.certificate.is_some() && app.state == AppState::AdminApproved;
        let app = self.apps.iter().find(signs)?;
        Some(app.client_id.to_string())
    }

    /// Finds an app that is known to the org by its consumer key.
    pub(super) fn find(&self, client_id: &str) -> Option<&App> {
        self.apps
            .iter()
            .find(|app| *app.client_id == *client_id && app.state != AppState::Unknown)
    }

    /// Finds an app by its consumer key or its name, in whatever state, to change it.
    pub(super) fn named(&mut self, name: &str) -> Option<&mut App> {
        let app = self
            .apps
            .iter_mut()
            .find(|app| *app.client_id == *name || app.name == name)?;
        self.unsaved.mark(|| app.name.clone());
        Some(app)
    }

    /// Begins to remember what is not saved: every app, at first.
    pub(crate) fn remember_unsaved(&mut self) {
        self.unsaved
            .begin(self.apps.iter().map(|app| app.name.clone()));
    }
}

impl App {
    /// Gives what is saved.
    pub(crate) fn kept(&self) -> KeptApp {
        KeptApp {
            client_id: self.client_id.to_string(),
            client_secret: self.client_secret.clone(),
            state: self.state,
            before_block: self.before_block,
            approved_uninstalled: self.approved_uninstalled,
        }
    }

    /// Makes the app what it was.
    pub(crate) fn restore(&mut self, kept: KeptApp) {
        self.client_id = kept.client_id.into();
        self.client_secret = kept.client_secret;
        self.state = kept.state;
        self.before_block = kept.before_block;
        self.approved_uninstalled = kept.approved_uninstalled;
    }

    /// Puts the app into a state.
    pub(crate) fn set(&mut self, state: AppState) {
        if state == AppState::Blocked && self.state != state {
            self.before_block = self.state;
        }
        self.state = state;
        self.approved_uninstalled = false;
    }

    /// Gives what may be asked for.
    pub(super) fn scopes(&self) -> Scopes {
        match self.state {
            AppState::ScopeMissing => Scopes::identity_alone(),
            _ => self.scopes.clone(),
        }
    }

    /// Says whether a code may be sent to an address.
    ///
    /// A loopback address needs no registration, at any port (RFC 8252, section 7.3): nobody but
    /// the same machine gets the code.
    pub(super) fn redirects_to(&self, uri: &str) -> bool {
        if self.state == AppState::CallbackMismatch
            || uri.chars().any(|c| c.is_control() || c.is_whitespace())
            || uri.contains('#')
        {
            return false;
        }
        self.redirect_uris.iter().any(|known| known == uri) || is_loopback(uri)
    }

    /// Checks that who calls the token endpoint is the app. With a code verifier or a refresh
    /// token (`proven`) a public client needs no secret; one that is given must be right all the
    /// same.
    pub(super) fn check(
        &self,
        client_secret: Option<&str>,
        proven: bool,
    ) -> Result<(), OauthError> {
        match client_secret {
            Some(secret) if secret != self.client_secret => Err(OauthError::new(
                "invalid_client",
                "invalid client credentials",
            )),
            None if self.secret_needed || !proven => Err(OauthError::new(
                "invalid_client",
                "client secret or code verifier missing",
            )),
            _ => Ok(()),
        }
    }
}

/// Says whether an address is `http` at a loopback host, with any port and path.
fn is_loopback(uri: &str) -> bool {
    let Some(rest) = uri.strip_prefix("http://") else {
        return false;
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (authority, ""),
    };
    let known = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    known && port.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::super::samples::main_app;

    #[test]
    fn codes_go_to_loopback_and_to_registered_addresses_alone() {
        let mut app = main_app(String::new(), String::new());
        app.redirect_uris = vec!["https://host.example/callback".into()];
        for uri in [
            "http://127.0.0.1:1717/callback?x=1",
            "http://localhost/",
            "http://[::1]:80/cb",
            "http://[::1]",
            "https://host.example/callback",
        ] {
            assert!(app.redirects_to(uri), "{uri}");
        }
        for uri in [
            "",
            "https://host.example/callback/",
            "https://127.0.0.1/",
            "http://127.0.0.1.example/",
            "http://localhost:80@example.com/",
            "http://localhost:x/",
            "http://localhost\\@example.com/",
            "http://127.0.0.1/#f",
            "http://127.0.0.1/\r\nX: y",
        ] {
            assert!(!app.redirects_to(uri), "{uri}");
        }
    }
}
