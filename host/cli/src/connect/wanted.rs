//! What is to be connected: where, as which app, for whom. All of it is settled before anything is asked of a service.

use anyhow::{Context, Result};
use portcullis::policy::{ConnectionId, Manifest, OAuth2};
use portcullis_connect::{App, Login, Service, resolve};
use portcullis_store::Owner;

use crate::args::connect::Connect;
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
        let (login, app, app_scopes) = client(office, auth, args).await?;
        let again = match &args.again {
            Some(text) => Some(connections::find(&office.store, text).await?),
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
            app,
            scopes: args.scopes.clone().or(app_scopes).unwrap_or_default(),
            owner,
            label: label.unwrap_or_else(|| manifest.title.clone()),
            replaces: again.map(|again| again.id),
        })
    }
}

/// Settles where to sign in and as which app.
async fn client(
    office: &Office,
    auth: &OAuth2,
    args: &Connect,
) -> Result<(Login, App, Option<Vec<String>>)> {
    let apps = office.store.apps().await?;
    let apps: Vec<_> = apps
        .into_iter()
        .filter(|app| app.connector == args.connector)
        .collect();
    // With one login there is no question; else the manifest's first is the usual one.
    let only = match apps.as_slice() {
        [app] => app.login.clone(),
        _ => None,
    };
    let first = auth.login.first().map(|login| login.id.clone());
    let text = args.login.clone().or(only).or(first).unwrap_or_default();
    let login = office.login(auth, &text)?;
    if let Some(client_id) = &args.client_id {
        let secret = args.client_secret_env.as_deref();
        let app = App {
            client_id: client_id.clone(),
            client_secret: secret.map(environment::client_secret).transpose()?,
        };
        return Ok((login, app, None));
    }
    let own = apps
        .iter()
        .filter_map(|app| app.login.as_deref())
        .find(|of| {
            let of = resolve(auth, of, office.allowed());
            of.is_ok_and(|of| of.origin == login.origin)
        });
    let found = office.store.app(&args.connector, own.unwrap_or_default());
    match found.await? {
        Some((app, client_secret)) => {
            let scopes = app.scopes;
            let client_id = app.client_id;
            let app = App {
                client_id,
                client_secret,
            };
            Ok((login, app, scopes))
        }
        None => Err(no_app(auth, args).into()),
    }
}

/// Says what to make at the service, with the very values.
fn no_app(auth: &OAuth2, args: &Connect) -> Problem {
    let connector = &args.connector;
    let message = format!("no app is set to sign in to `{connector}` with");
    let hint = format!(
        "make one at the service, with the callback URL `http://localhost:{}/callback`, the scopes {} and PKCE on \
         (docs/{connector}-app.md leads through it); then `portcullis app set {connector} --client-id ID`",
        args.port,
        auth.scopes.default.join(", "),
    );
    Problem::mistake("no_app", message, hint)
}
