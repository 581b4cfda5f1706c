//! What is to be connected: where, as which app, for whom. All of it is settled before anything is asked of a service.

use anyhow::{Context, Result};
use portcullis::policy::{ConnectionId, Manifest, OAuth2};
use portcullis_connect::{App, Login, Service};
use portcullis_store::Owner;

use crate::args::connect::Connect;
use crate::clients::Client;
use crate::connections;
use crate::environment;
use crate::office::Office;
use crate::problem::Problem;

/// What is to be connected.
pub(crate) struct Wanted {
    pub(crate) login: Login,
    pub(crate) app: App,
    /// Empty: what the connector asks for by itself.
    pub(crate) scopes: Vec<String>,
    pub(crate) owner: Owner,
    pub(crate) label: String,
    /// The shared connection that is signed in to again.
    pub(crate) replaces: Option<ConnectionId>,
}

impl Wanted {
    pub(crate) async fn of(office: &Office, manifest: &Manifest, args: &Connect) -> Result<Self> {
        let auth = Service::of(manifest)
            .with_context(|| format!("accounts of `{}` do not sign in", manifest.name))?
            .auth;
        let (login, client) = client(office, auth, args).await?;
        let again = match &args.again {
            Some(text) => Some(connections::find(&office.clients.store, text).await?),
            None => None,
        };
        let owner = match args.is_shared() {
            true => Owner::Shared,
            false => Owner::Person(office.me.clone()),
        };
        let label = again.as_ref().map(|again| again.label.clone());
        let label = label.or_else(|| args.label.clone());
        Ok(Self {
            login,
            app: client.app,
            scopes: args.scopes.clone().or(client.scopes).unwrap_or_default(),
            owner,
            label: label.unwrap_or_else(|| manifest.title.clone()),
            replaces: again.map(|again| again.id),
        })
    }
}

/// Settles where to sign in and as which app.
async fn client(office: &Office, auth: &OAuth2, args: &Connect) -> Result<(Login, Client)> {
    let login = args.login.as_deref();
    let (login, set) = office.clients.find(auth, &args.connector, login).await?;
    match (&args.client_id, set) {
        (Some(client_id), _) => {
            let secret = args.client_secret_env.as_deref();
            let app = App {
                client_id: client_id.clone(),
                client_secret: secret.map(environment::client_secret).transpose()?,
            };
            Ok((login, Client { app, scopes: None }))
        }
        (None, Some(client)) => Ok((login, client)),
        (None, None) => Err(no_app(auth, args).into()),
    }
}

/// Says what to make at the service, with the very values.
fn no_app(auth: &OAuth2, args: &Connect) -> Problem {
    let connector = &args.connector;
    let message = format!("no app is set to sign in to `{connector}` with");
    let hint = format!(
        "make one at the service, with the callback URL `{}`, the scopes {} and PKCE on \
         (docs/{connector}-app.md leads through it); then `portcullis app set {connector} --client-id ID`",
        args.callback(),
        auth.scopes.default.join(", "),
    );
    Problem::mistake("no_app", message, hint)
}
