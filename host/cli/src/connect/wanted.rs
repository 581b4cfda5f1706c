//! What is to be connected: where, as which app, for whom. All of it is settled before anything is asked of a service.

use anyhow::{Context, Result};
use portcullis::policy::{ConnectionId, Manifest, OAuth2};
use portcullis_connect::{App, Login, Service};
use portcullis_store::Owner;

use crate::args::connect::Connect;
use crate::clients::{Before, Client, quoted};
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
    /// Who was signed in to what this takes the place of.
    pub(crate) was: Option<String>,
    /// The shared connection that is signed in to again.
    pub(crate) replaces: Option<ConnectionId>,
}

impl Wanted {
    pub(crate) async fn of(office: &Office, manifest: &Manifest, args: &Connect) -> Result<Self> {
        let auth = Service::of(manifest)
            .with_context(|| format!("accounts of `{}` do not sign in", manifest.name))?
            .auth;
        let store = &office.clients.store;
        let again = match &args.again {
            Some(text) => Some(connections::find(store, text).await?),
            None => None,
        };
        let owner = match args.is_shared() {
            true => Owner::Shared,
            false => Owner::Person(office.me.clone()),
        };
        let before = match &owner {
            Owner::Shared => again.clone(),
            Owner::Person(me) => store.own_connection(me, &args.connector).await?,
        };
        let was = before.as_ref().and_then(|before| before.identity.as_ref());
        let was = was.map(|identity| identity.user_name.clone());
        let before = Before::of(store, before.as_ref()).await;
        let (login, client) = client(office, auth, args, &before).await?;
        let scopes = args.scopes.clone().or(client.scopes);
        let scopes = scopes.or_else(|| before.scopes(auth));
        let label = args.label.clone().or(before.label);
        let label = label.unwrap_or_else(|| manifest.title.clone());
        if owner == Owner::Shared && again.is_none() {
            connections::require_new_label(store, &label, None).await?;
        }
        Ok(Self {
            login,
            app: client.app,
            scopes: scopes.unwrap_or_default(),
            owner,
            label,
            was,
            replaces: again.map(|again| again.id),
        })
    }
}

/// Settles where to sign in and as which app.
async fn client(
    office: &Office,
    auth: &OAuth2,
    args: &Connect,
    before: &Before,
) -> Result<(Login, Client)> {
    let login = args.login.as_deref();
    let found = office
        .clients
        .find(auth, &args.connector, login, before)
        .await?;
    let client = match (&args.client_id, found.client) {
        (Some(client_id), _) => {
            let secret = args.client_secret_env.as_deref();
            let app = App {
                client_id: client_id.clone(),
                client_secret: secret.map(environment::client_secret).transpose()?,
            };
            Client { app, scopes: None }
        }
        (None, Some(client)) => client,
        (None, None) => return Err(no_app(office, auth, args, &found.login, &found.set).into()),
    };
    if args.service.client_credentials && client.app.client_secret.is_none() {
        let connector = &args.connector;
        let message = "without the app's secret nobody signs in by the app's own credentials";
        let hint = format!(
            "put the secret into a variable and name that: `portcullis app set {connector} --client-id {} --login {} \
             --client-secret-env NAME`, or here `--client-id ID --client-secret-env NAME`",
            client.app.client_id, found.login.origin
        );
        return Err(Problem::mistake("no_secret", message, hint).into());
    }
    Ok((found.login, client))
}

/// Says what to make at the service, with the very values.
fn no_app(
    office: &Office,
    auth: &OAuth2,
    args: &Connect,
    login: &Login,
    set: &[String],
) -> Problem {
    let connector = &args.connector;
    let message = match set {
        [] => format!("no app is set to sign in to `{connector}` with"),
        set => format!(
            "no app is set to sign in to `{connector}` with at `{}`; those that are set are for {}",
            login.origin,
            quoted(set)
        ),
    };
    if !office.is_administrator {
        let hint = format!(
            "ask an administrator to set it (`portcullis app set {connector}`), or name another login with `--login`"
        );
        return Problem::mistake("no_app", message, hint);
    }
    let address = match (&args.login, set) {
        (Some(_), _) | (None, [_, ..]) => login.origin.to_string(),
        (None, []) => "https://yourcompany.my.salesforce.com".to_owned(),
    };
    let hint = format!(
        "make one at the service, with the callback URL `{}`, the scopes {} and PKCE on \
         (docs/{connector}-app.md leads through it); then `portcullis app set {connector} --client-id ID --login {address}`",
        args.callback(),
        auth.scopes.default.join(", "),
    );
    Problem::mistake("no_app", message, hint)
}
