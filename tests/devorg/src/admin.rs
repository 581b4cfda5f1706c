//! The admin endpoint: what makes the running org misbehave, and get well again. On loopback alone.
//!
//! | request | body | what it does |
//! | --- | --- | --- |
//! | `GET /` | | says what there is |
//! | `GET /apps` | | lists the apps with keys, secrets and states |
//! | `POST /apps/state` | `{"app", "state"}` | puts an app, by name or consumer key, into a state |
//! | `GET /faults` | | lists the rules that can still strike |
//! | `POST /faults` | a rule | adds a rule, and gives its `id` |
//! | `DELETE /faults`, `/faults/{id}` | | forgets all rules, or one |
//! | `POST /sessions/expire` | `{}` or `{"username"}` | ends access tokens, as time does |
//! | `POST /cursors/expire` | `{}` | forgets the answers that are being paged |
//!
//! The states are those of [`AppState`](crate::AppState), the rules those of
//! [`fault`](crate::fault). A mistake is `{"error"}` with status 400, or 404.

use std::net::IpAddr;

use axum::body::Body;
use axum::response::Response;
use clap::ValueEnum;
use http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use crate::fault::{Fault, Rule, When, Work};
use crate::oauth::AppState;
use crate::state::Shared;
use crate::wire::{Reply, Request};

/// An answer, or a status and what was wrong.
type Answer = Result<Json, (u16, String)>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StateOfApp {
    app: String,
    state: AppState,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WhoseSessions {
    username: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Answers a request to the admin endpoint.
pub(crate) async fn answer(shared: &Shared, request: http::Request<Body>) -> Response {
    let answered = match Request::read(request, false).await {
        Ok(request) if !names_loopback(&request) => {
            Err((400, "the host must be one of loopback".to_owned()))
        }
        Ok(request) => route(shared, &request).and_then(|json| {
            let saved = shared.save();
            saved.map_err(|error| (error.status, error.message))?;
            Ok(json)
        }),
        Err(error) => Err((error.status, error.message)),
    };
    let reply = match answered {
        Ok(json) => Reply::json(200, &json),
        Err((status, words)) => Reply::json(status, &json!({"error": words})),
    };
    reply.into()
}

/// Says whether the client means loopback: a name of its own that leads here is a page's trick to
/// read what a browser would keep from it.
fn names_loopback(request: &Request) -> bool {
    let host = request.header("host").unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, _)) if !host.ends_with(']') => name,
        _ => host,
    };
    name.eq_ignore_ascii_case("localhost")
        || name
            .trim_matches(['[', ']'])
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

fn route(shared: &Shared, request: &Request) -> Answer {
    let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
    match (&request.method, path.as_slice()) {
        (&Method::GET, [] | [""]) => Ok(index()),
        (&Method::GET, ["apps"]) => Ok(json!(shared.dev_apps())),
        (&Method::POST, ["apps", "state"]) => set_state(shared, body(request)?),
        (&Method::GET, ["faults"]) => Ok(json!(shared.faults().list())),
        (&Method::POST, ["faults"]) => {
            let rule: Rule = body(request)?;
            Ok(json!({"id": shared.faults().add(rule)}))
        }
        (&Method::DELETE, ["faults"]) => {
            shared.faults().clear();
            Ok(json!({}))
        }
        (&Method::DELETE, ["faults", id]) => {
            let removed = id.parse().is_ok_and(|id| shared.faults().remove(id));
            removed
                .then(|| json!({}))
                .ok_or((404, format!("there is no fault `{id}`")))
        }
        (&Method::POST, ["sessions", "expire"]) => expire_sessions(shared, body(request)?),
        (&Method::POST, ["cursors", "expire"]) => {
            let Nothing {} = body(request)?;
            shared.cursors().clear();
            Ok(json!({}))
        }
        _ => Err((
            404,
            format!("there is no `{} /{}`", request.method, path.join("/")),
        )),
    }
}

/// Reads JSON. The content type is asked for because a browser's page can send anything else from
/// another site without being asked.
fn body<T: DeserializeOwned>(request: &Request) -> Result<T, (u16, String)> {
    let is_json = request
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/json"));
    if !is_json {
        return Err((400, "the content type must be application/json".to_owned()));
    }
    serde_json::from_slice(&request.body).map_err(|error| (400, error.to_string()))
}

fn index() -> Json {
    json!({
        "requests": [
            "GET /apps", "POST /apps/state", "GET /faults", "POST /faults", "DELETE /faults",
            "DELETE /faults/{id}", "POST /sessions/expire", "POST /cursors/expire",
        ],
        "app_states": AppState::value_variants(),
        "faults": Fault::examples(),
        "rule": Rule {
            when: When {
                method: Some("POST".to_owned()),
                path: Some("/services/data/*/sobjects/*".to_owned()),
                ..When::default()
            },
            work: Some(Work::After),
            ..Rule::next(Fault::Drop)
        },
    })
}

fn set_state(shared: &Shared, wanted: StateOfApp) -> Answer {
    if shared.set_app_state(&wanted.app, wanted.state) {
        Ok(json!({}))
    } else {
        Err((404, format!("there is no app `{}`", wanted.app)))
    }
}

fn expire_sessions(shared: &Shared, whose: WhoseSessions) -> Answer {
    let user = match &whose.username {
        Some(username) => {
            let user = shared.user_named(username);
            Some(user.ok_or((404, format!("there is no user `{username}`")))?)
        }
        None => None,
    };
    Ok(json!({"expired": shared.grants().expire_all(user)}))
}
