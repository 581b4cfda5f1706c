//! `portcullis app`: the OAuth clients that people sign in with. Their secrets go in and are never shown.

use anyhow::{Context, Result};
use portcullis::ComponentCache;
use portcullis::policy::ConnectorName;
use portcullis_connect::Service;
use portcullis_store::{App, DecidedKind, Deciding, NewApp, PutApp, Store, StoreError};
use serde_json::{Value, json};

use crate::args::Form;
use crate::args::accounts::{AppCommand, AppSet};
use crate::clients::kept_login;
use crate::connectors;
use crate::environment;
use crate::home::{Home, Session};
use crate::problem::Problem;
use crate::show;
use crate::show::table::{Table, shown};

/// Does what was asked.
pub(crate) async fn run(command: &AppCommand, home: &Home, cache: ComponentCache) -> Result<()> {
    let session = home.open().await?;
    session.require_administrator().await?;
    let store = &session.store;
    match command {
        AppCommand::Set(args) => set(&session, args, cache).await,
        AppCommand::List(form) => list(store, *form).await,
        AppCommand::Remove {
            connector,
            login,
            form,
        } => {
            // One that was kept before logins were read goes as it was written.
            let kept = match login.as_deref() {
                Some(text) => Some(
                    kept(store, connector, text, cache)
                        .await
                        .unwrap_or(text.to_owned()),
                ),
                None => None,
            };
            let of = of_words(connector.as_str(), login.as_deref());
            let before = known(store, connector, kept.as_deref()).await?;
            let before = match before {
                None => known(store, connector, login.as_deref()).await?,
                before => before,
            };
            let work = async {
                Ok::<_, StoreError>(
                    store.remove_app(connector, kept.as_deref()).await?
                        || store.remove_app(connector, login.as_deref()).await?,
                )
            };
            let was_there = match before {
                Some(before) => {
                    let what = Deciding::on(DecidedKind::App, of.clone(), Some(before), None);
                    session.deciding(what, work).await?
                }
                None => work.await?,
            };
            let sentence = match was_there {
                true => format!("The client {of} is gone. Who is signed in by it stays signed in."),
                false => format!("There is no client {of}; nothing changed."),
            };
            let value = json!({ "changed": was_there });
            Ok(show::done(*form, &value, &sentence, None)?)
        }
    }
}

/// Gives a client that is kept, in words; none: there is none.
async fn known(
    store: &Store,
    connector: &ConnectorName,
    login: Option<&str>,
) -> Result<Option<String>> {
    let apps = store.apps().await?.into_iter();
    let mut apps = apps
        .filter(|app| app.connector == *connector && app.login.as_deref() == login.map(str::trim));
    Ok(apps
        .next()
        .map(|app| in_words(&app.client_id, app.has_secret, app.scopes.as_deref())))
}

/// Says which client it is, without its secret.
fn in_words(client_id: &str, has_secret: bool, scopes: Option<&[String]>) -> String {
    let with = if has_secret { "with" } else { "without" };
    let scopes = scopes.map_or(String::new(), |scopes| {
        format!(", scopes {}", scopes.join(" "))
    });
    format!("{client_id}, {with} a secret{scopes}")
}

async fn set(session: &Session, args: &AppSet, cache: ComponentCache) -> Result<()> {
    let store = &session.store;
    connectors::require(store, &args.connector).await?;
    let scopes = args.scopes.as_ref().map(|scopes| {
        let scopes = scopes.iter().map(|scope| scope.trim().to_owned());
        scopes.collect::<Vec<String>>()
    });
    // A scope is a word of visible characters (RFC 6749, section 3.3).
    let is_scope =
        |scope: &String| !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_graphic());
    if scopes.iter().flatten().any(|scope| !is_scope(scope)) {
        let message = "what is given as `--scopes` is no list of scopes";
        let hint = "give them with commas between, such as `--scopes api,refresh_token`";
        return Err(Problem::mistake("scopes", message, hint).into());
    }
    let login = match args.login.as_deref() {
        Some(text) => Some(kept(store, &args.connector, text, cache).await?),
        None => None,
    };
    let secret = args.client_secret_env.as_deref();
    let new = NewApp {
        connector: args.connector.clone(),
        login: login.clone(),
        client_id: args.client_id.clone(),
        client_secret: secret.map(environment::client_secret).transpose()?,
        scopes,
    };
    let of = of_words(args.connector.as_str(), login.as_deref());
    let before = known(store, &args.connector, login.as_deref()).await?;
    let scopes = new.scopes.as_deref();
    let after = in_words(&new.client_id, new.client_secret.is_some(), scopes);
    let what = Deciding::on(DecidedKind::App, of.clone(), before, Some(after));
    let put = session.deciding(what, store.put_app(&new)).await?;
    let with = match new.client_secret {
        Some(_) => "with a secret",
        None => "without a secret",
    };
    let sentence = match put {
        PutApp::New => format!("The client {of} is set, {with}."),
        PutApp::Replaced => format!("The client {of} is replaced by this one, {with}."),
        PutApp::Same => format!("The client {of} is so already; nothing changed."),
    };
    let apps = store.apps().await?;
    let app = apps.iter().find(|app| {
        app.connector == new.connector
            && app.login.as_deref() == new.login.as_deref().map(str::trim)
    });
    let value = json!({ "changed": put != PutApp::Same, "app": app.map(app_json) });
    Ok(show::done(args.form, &value, &sentence, None)?)
}

async fn list(store: &Store, form: Form) -> Result<()> {
    let apps = store.apps().await?;
    if form.json {
        let apps: Value = apps.iter().map(app_json).collect();
        return Ok(show::json(&apps)?);
    }
    if apps.is_empty() {
        let sentence = "No client is set.";
        let next = "`portcullis app set salesforce --client-id ID --login https://yourcompany.my.salesforce.com` sets the one that people \
             sign in with";
        return Ok(show::done(form, &Value::Null, sentence, Some(next))?);
    }
    let mut table = Table::new(&["CONNECTOR", "LOGIN", "CLIENT ID", "SECRET", "SCOPES"]);
    for app in &apps {
        let scopes = match &app.scopes {
            Some(scopes) => scopes.join(", "),
            None => "the connector's".to_owned(),
        };
        let secret = if app.has_secret { "kept" } else { "none" };
        table.row([
            app.connector.as_str(),
            app.login.as_deref().unwrap_or("any"),
            &app.client_id,
            secret,
            &scopes,
        ]);
    }
    Ok(table.write(&mut anstream::stdout().lock())?)
}

/// Gives a login as it is kept.
async fn kept(
    store: &Store,
    connector: &ConnectorName,
    text: &str,
    cache: ComponentCache,
) -> Result<String> {
    let manifest = connectors::manifest(store, connector, cache).await?;
    let service = Service::of(&manifest).context("accounts of this connector do not sign in")?;
    kept_login(service.auth, text)
}

fn of_words(connector: &str, login: Option<&str>) -> String {
    match login {
        Some(login) => format!("of `{connector}` for the login `{}`", shown(login)),
        None => format!("of `{connector}`"),
    }
}

fn app_json(app: &App) -> Value {
    json!({
        "connector": app.connector,
        "login": app.login,
        "client_id": app.client_id,
        "has_secret": app.has_secret,
        "scopes": app.scopes,
        "created": app.created.to_string(),
    })
}
