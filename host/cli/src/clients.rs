//! As which app, and where, people sign in: what `portcullis app set` says, and what a connection was that is signed in to again.

use anyhow::Result;
use async_trait::async_trait;
use portcullis::Host;
use portcullis::network::HostPort;
use portcullis::policy::{ConnectorName, OAuth2, Origin, PersonId};
use portcullis_connect::{
    App, Login, LoginProblem, Manifests, NoOffer, Offer, Offers, Service, choose, resolve,
};
use portcullis_store::{Store, StoredConnection};

use crate::problem::Problem;

/// A client of a service, and what it asks for.
pub(crate) struct Client {
    pub(crate) app: App,
    /// None: what the connector asks for by itself.
    pub(crate) scopes: Option<Vec<String>>,
}

/// Where somebody signs in, and as which app, as far as one is set.
pub(crate) struct Found {
    pub(crate) login: Login,
    pub(crate) client: Option<Client>,
    /// For which logins apps are set.
    pub(crate) set: Vec<String>,
}

/// What a connection was that is signed in to again.
#[derive(Default)]
pub(crate) struct Before {
    /// Where: an address of the service.
    login: Option<String>,
    pub(crate) label: Option<String>,
    scopes: Vec<String>,
}

impl Before {
    pub(crate) async fn of(store: &Store, before: Option<&StoredConnection>) -> Self {
        let Some(before) = before else {
            return Self::default();
        };
        // One that does not open any more is signed in to as if it were new.
        let secrets = store.secrets(&before.id).await.ok();
        let secrets = secrets.map(|(secrets, _)| secrets);
        Self {
            label: Some(before.label.clone()),
            login: secrets
                .as_ref()
                .map(|secrets| secrets.endpoints.authorize.clone()),
            scopes: secrets.map(|secrets| secrets.scopes).unwrap_or_default(),
        }
    }

    /// Gives what was asked for, as far as the connector still declares it.
    pub(crate) fn scopes(&self, auth: &OAuth2) -> Option<Vec<String>> {
        let wanted: Vec<&str> = self.scopes.iter().map(String::as_str).collect();
        let is_declared = !wanted.is_empty() && choose(&auth.scopes, &wanted).is_ok();
        is_declared.then(|| self.scopes.clone())
    }
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
            let message = error.what();
            Problem::mistake("login", message, error.hint).into()
        })
    }

    /// Finds where to sign in and as which app: at the login that is named; where the connection was before; where the only
    /// app is set for; else at the usual one.
    pub(crate) async fn find(
        &self,
        auth: &OAuth2,
        connector: &ConnectorName,
        login: Option<&str>,
        before: &Before,
    ) -> Result<Found> {
        let apps = self.store.apps().await?;
        let apps = apps.into_iter().filter(|app| app.connector == *connector);
        let logins: Vec<Option<String>> = apps.map(|app| app.login).collect();
        let set: Vec<String> = logins.iter().flatten().cloned().collect();
        if let Some(text) = login {
            let login = self.login(auth, text)?;
            return self.at(auth, connector, login, set).await;
        }
        let before = before.login.as_deref();
        if let Some(login) = before.and_then(|text| self.login(auth, text).ok()) {
            let found = self.at(auth, connector, login, set.clone()).await?;
            if found.client.is_some() {
                return Ok(found);
            }
        }
        let is_for_any = logins.contains(&None);
        if set.len() > 1 && !is_for_any {
            let message = format!(
                "apps are set for several logins of `{connector}`, and none is named: {}",
                quoted(&set)
            );
            let hint = format!("name one with `--login`, such as `--login {}`", set[0]);
            return Err(Problem::mistake("login", message, hint).into());
        }
        let usual = auth.login.first().map(|login| login.id.as_str());
        let only = set.first().filter(|_| !is_for_any).map(String::as_str);
        let login = self.login(auth, only.or(usual).unwrap_or_default())?;
        self.at(auth, connector, login, set).await
    }

    async fn at(
        &self,
        auth: &OAuth2,
        connector: &ConnectorName,
        login: Login,
        set: Vec<String>,
    ) -> Result<Found> {
        let own = set.iter().find(|of| {
            let of = resolve(auth, of, &self.allowed);
            of.is_ok_and(|of| of.origin == login.origin)
        });
        let own = own.map(String::as_str).unwrap_or_default();
        let found = self.store.app(connector, own).await?;
        let client = found.map(|(app, client_secret)| Client {
            app: App {
                client_id: app.client_id,
                client_secret,
            },
            scopes: app.scopes,
        });
        Ok(Found { login, client, set })
    }
}

/// Names several things for people.
pub(crate) fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// Gives a login as it is kept: its id, or its address alone, so that one login has one app whichever way it is written.
///
/// # Errors
///
/// One sentence that says what is wrong with it.
pub(crate) fn kept_login(auth: &OAuth2, text: &str) -> Result<String> {
    let text = text.trim();
    match resolve(auth, text, &[]) {
        Ok(login) => {
            let is_it = |one: &&portcullis::policy::Login| match &one.place {
                portcullis::policy::LoginPlace::Origin(origin) => *origin == login.origin,
                portcullis::policy::LoginPlace::Pattern(_) => false,
            };
            let declared = auth.login.iter().find(is_it);
            Ok(declared.map_or_else(|| login.origin.to_string(), |one| one.id.clone()))
        }
        // Whether it may be asked is said by `--allow-origin`, when it is.
        Err(error) => {
            let is_private = matches!(error.problem, LoginProblem::Private | LoginProblem::Address);
            let origin = Origin::parse(text.trim_end_matches('/'));
            match origin {
                Ok(origin) if is_private => Ok(origin.to_string()),
                _ => Err(Problem::mistake("login", error.what(), error.hint).into()),
            }
        }
    }
}

/// The clients, for the pages where people connect accounts by a link.
pub(crate) struct Offering {
    pub(crate) clients: Clients,
    pub(crate) host: Host,
}

#[async_trait]
impl Offers for Offering {
    async fn offer(&self, person: &PersonId, connector: &ConnectorName) -> Result<Offer, NoOffer> {
        let manifest = Manifests::manifest(&self.host, connector).ok_or(NoOffer::NotSetUp)?;
        let auth = Service::of(&manifest).ok_or(NoOffer::NotSetUp)?.auth;
        let store = &self.clients.store;
        let own = store.own_connection(person, connector).await.ok().flatten();
        let before = Before::of(store, own.as_ref()).await;
        let found = self.clients.find(auth, connector, None, &before).await;
        let found = found.map_err(|error| {
            tracing::warn!(%connector, %error, "nobody can sign in");
            NoOffer::Because(format!(
                "{error}. At the command line, `portcullis connect {connector} --login …` takes one"
            ))
        })?;
        let client = found.client.ok_or(NoOffer::NotSetUp)?;
        let scopes = client.scopes.or_else(|| before.scopes(auth));
        Ok(Offer {
            app: client.app,
            login: found.login,
            scopes: scopes.unwrap_or_default(),
            label: before.label.unwrap_or(manifest.title),
        })
    }
}
