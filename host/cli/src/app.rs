//! `portcullis app`: the OAuth clients that people sign in with. Their secrets go in and are never shown.

use anyhow::{Context, Result};
use portcullis::ComponentCache;
use portcullis::policy::ConnectorName;
use portcullis_connect::Service;
use portcullis_store::{App, NewApp, PutApp, Store};
use serde_json::{Value, json};

use crate::args::Form;
use crate::args::accounts::{AppCommand, AppSet};
use crate::clients::kept_login;
use crate::connectors;
use crate::environment;
use crate::home::Home;
use crate::problem::Problem;
use crate::show;
use crate::show::table::{Table, shown};

/// Does what was asked.
pub(crate) async fn run(command: &AppCommand, home: &Home, cache: ComponentCache) -> Result<()> {
    let session = home.open().await?;
    session.require_administrator().await?;
    let store = &session.store;
    match command {
        AppCommand::Set(args) => set(store, args, cache).await,
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
            let was_there = store.remove_app(connector, kept.as_deref()).await?
                || store.remove_app(connector, login.as_deref()).await?;
            let of = of_words(connector.as_str(), login.as_deref());
            let sentence = match was_there {
                true => format!("The client {of} is gone. Who is signed in by it stays signed in."),
                false => format!("There is no client {of}; nothing changed."),
            };
            let value = json!({ "changed": was_there });
            Ok(show::done(*form, &value, &sentence, None)?)
        }
    }
}

async fn set(store: &Store, args: &AppSet, cache: ComponentCache) -> Result<()> {
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
    let put = store.put_app(&new).await?;
    let of = of_words(args.connector.as_str(), login.as_deref());
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
