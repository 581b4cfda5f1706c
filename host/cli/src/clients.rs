//! As which app, and where, people sign in: what `portcullis app set` says.

use anyhow::Result;
use async_trait::async_trait;
use portcullis::Host;
use portcullis::network::HostPort;
use portcullis::policy::{ConnectorName, OAuth2, PersonId};
use portcullis_connect::{App, Login, Manifests, Offer, Offers, Service, resolve};
use portcullis_store::Store;

use crate::problem::Problem;

/// A client of a service, and what it asks for.
pub(crate) struct Client {
    pub(crate) app: App,
    /// None: what the connector asks for by itself.
    pub(crate) scopes: Option<Vec<String>>,
}

/// The clients of a store.
#[derive(Clone)]
pub(crate) struct Clients {
    pub(crate) store: Store,
    /// The private addresses that the operator allowed.
    pub(crate) allowed: Vec<HostPort>,
}

impl Clients {
    /// Finds the login that a text means.
    fn login(&self, auth: &OAuth2, text: &str) -> Result<Login> {
        resolve(auth, text, &self.allowed).map_err(|error| {
            let hint = error.hint.clone();
            Problem::mistake("login", error.to_string(), hint).into()
        })
    }

    /// Finds where to sign in: the login that is named, or that of the only app, or the usual one; and the app that is
    /// set for it.
    pub(crate) async fn find(
        &self,
        auth: &OAuth2,
        connector: &ConnectorName,
        login: Option<&str>,
    ) -> Result<(Login, Option<Client>)> {
        let apps = self.store.apps().await?;
        let apps: Vec<_> = apps
            .into_iter()
            .filter(|app| app.connector == *connector)
            .collect();
        let only = match apps.as_slice() {
            [app] => app.login.as_deref(),
            _ => None,
        };
        let first = auth.login.first().map(|login| login.id.as_str());
        let text = login.or(only).or(first).unwrap_or_default();
        let login = self.login(auth, text)?;
        let mut logins = apps.iter().filter_map(|app| app.login.as_deref());
        let own = logins.find(|of| {
            let of = resolve(auth, of, &self.allowed);
            of.is_ok_and(|of| of.origin == login.origin)
        });
        let found = self.store.app(connector, own.unwrap_or_default()).await?;
        let client = found.map(|(app, client_secret)| Client {
            app: App {
                client_id: app.client_id,
                client_secret,
            },
            scopes: app.scopes,
        });
        Ok((login, client))
    }
}

/// The clients, for the pages where people connect accounts by a link.
pub(crate) struct Offering {
    pub(crate) clients: Clients,
    pub(crate) host: Host,
}

#[async_trait]
impl Offers for Offering {
    async fn offer(&self, _: &PersonId, connector: &ConnectorName) -> Option<Offer> {
        let manifest = Manifests::manifest(&self.host, connector)?;
        let auth = Service::of(&manifest)?.auth;
        let found = self.clients.find(auth, connector, None).await;
        let (login, client) = found
            .inspect_err(|error| tracing::warn!(%connector, %error, "nobody can sign in"))
            .ok()?;
        let client = client?;
        Some(Offer {
            app: client.app,
            login,
            scopes: client.scopes.unwrap_or_default(),
            label: manifest.title,
        })
    }
}
