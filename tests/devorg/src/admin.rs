//! The admin endpoint: what makes the running org misbehave, and get well again. On loopback alone.
//!
//! `GET /` lists what it answers ([`ROUTES`]), with the form of each body and an example. The states
//! are those of [`AppState`](crate::AppState), the rules those of [`fault`](crate::fault). A mistake
//! is `{"error"}` with status 400, 404 or 405.

use std::net::IpAddr;

use axum::body::Body;
use axum::response::Response;
use clap::ValueEnum;
use http::Method;
use http::header::ALLOW;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use crate::fault::{Fault, Rule, When, Work};
use crate::oauth::AppState;
use crate::state::Shared;
use crate::wire::{Reply, Request};

/// An answer, or what was wrong.
type Answer = Result<Json, Refusal>;

/// Why a request is refused.
struct Refusal {
    status: u16,
    words: String,
    /// `Allow`, for a path that is there with other methods.
    allowed: Option<String>,
}

impl Refusal {
    fn new(status: u16, words: impl Into<String>) -> Self {
        Self {
            status,
            words: words.into(),
            allowed: None,
        }
    }
}

/// A request that the endpoint answers.
struct Route {
    method: &'static str,
    /// The path; `{id}` is anything.
    path: &'static [&'static str],
    does: &'static str,
}

const ROUTES: [Route; 9] = [
    route("GET", &[], "says what there is"),
    route(
        "GET",
        &["apps"],
        "lists the apps with keys, secrets and states",
    ),
    route("POST", &["apps", "state"], "puts an app into a state"),
    route("GET", &["faults"], "lists the rules that can still strike"),
    route(
        "POST",
        &["faults"],
        "adds a rule behind the others, and gives its id",
    ),
    route("DELETE", &["faults"], "forgets every rule"),
    route("DELETE", &["faults", "{id}"], "forgets a rule"),
    route(
        "POST",
        &["sessions", "expire"],
        "ends access tokens, as time does",
    ),
    route(
        "POST",
        &["cursors", "expire"],
        "forgets the answers that are being paged",
    ),
];

const fn route(method: &'static str, path: &'static [&'static str], does: &'static str) -> Route {
    Route { method, path, does }
}

impl Route {
    fn is_at(&self, path: &[&str]) -> bool {
        let mut both = self.path.iter().zip(path);
        self.path.len() == path.len() && both.all(|(own, part)| own == part || *own == "{id}")
    }
}

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
            Err(Refusal::new(400, "the host must be one of loopback"))
        }
        Ok(request) => perform(shared, &request).and_then(|json| {
            let saved = shared.save();
            saved.map_err(|error| Refusal::new(error.status, error.message))?;
            Ok(json)
        }),
        Err(error) => Err(Refusal::new(error.status, error.message)),
    };
    let reply = match answered {
        Ok(json) => Reply::json(200, &json),
        Err(refusal) => {
            let reply = Reply::json(refusal.status, &json!({"error": refusal.words}));
            match refusal.allowed {
                Some(allowed) => reply.with(ALLOW, allowed),
                None => reply,
            }
        }
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

fn perform(shared: &Shared, request: &Request) -> Answer {
    // The root's path is one segment without a name.
    let named = request.path.iter().filter(|part| !part.is_empty());
    let path: Vec<&str> = named.map(String::as_str).collect();
    match (&request.method, path.as_slice()) {
        (&Method::GET, []) => Ok(index(shared)),
        (&Method::GET, ["apps"]) => Ok(json!(shared.dev_apps())),
        (&Method::POST, ["apps", "state"]) => set_state(shared, body(request)?),
        (&Method::GET, ["faults"]) => Ok(json!(shared.faults().list())),
        (&Method::POST, ["faults"]) => {
            let rule: Rule = body(request)?;
            rule.check()
                .map_err(|error| Refusal::new(400, error.to_string()))?;
            Ok(json!({"id": shared.faults().add(rule)}))
        }
        (&Method::DELETE, ["faults"]) => {
            shared.faults().clear();
            Ok(json!({}))
        }
        (&Method::DELETE, ["faults", id]) => {
            let removed = id.parse().is_ok_and(|id| shared.faults().remove(id));
            let missing = || Refusal::new(404, format!("there is no fault `{id}`"));
            removed.then(|| json!({})).ok_or_else(missing)
        }
        (&Method::POST, ["sessions", "expire"]) => expire_sessions(shared, body(request)?),
        (&Method::POST, ["cursors", "expire"]) => {
            let Nothing {} = body(request)?;
            shared.cursors().clear();
            Ok(json!({}))
        }
        _ => Err(nothing_there(request, &path)),
    }
}

/// Says that there is no such path, or that it is not asked so.
fn nothing_there(request: &Request, path: &[&str]) -> Refusal {
    let routes = ROUTES.iter().filter(|route| route.is_at(path));
    let mut methods: Vec<&str> = routes.map(|route| route.method).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.sort_unstable();
    let (method, path) = (&request.method, path.join("/"));
    if methods.is_empty() {
        return Refusal::new(
            404,
            format!("there is no `/{path}`; `GET /` says what there is"),
        );
    }
    let allowed = methods.join(",");
    let words = format!("`/{path}` is not asked with {method}, but with {allowed}");
    Refusal {
        allowed: Some(allowed),
        ..Refusal::new(405, words)
    }
}

/// Reads JSON. The content type is asked for because a browser's page can send anything else from
/// another site without being asked.
fn body<T: DeserializeOwned>(request: &Request) -> Result<T, Refusal> {
    let is_json = request
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/json"));
    if !is_json {
        return Err(Refusal::new(
            400,
            "the content type must be application/json",
        ));
    }
    serde_json::from_slice(&request.body).map_err(|error| Refusal::new(400, error.to_string()))
}

fn index(shared: &Shared) -> Json {
    let requests = ROUTES.iter().map(|route| {
        let request = format!("{} /{}", route.method, route.path.join("/"));
        let mut shown = json!({"request": request, "does": route.does});
        if route.method == "POST" {
            let (form, example) = body_shown(shared, route.path);
            shown["content_type"] = json!("application/json");
            shown["body"] = form;
            shown["example"] = example;
        }
        shown
    });
    json!({
        "requests": requests.collect::<Vec<_>>(),
        "app_states": AppState::value_variants(),
        "faults": Fault::examples(),
    })
}

/// Gives the form of a body and an example of it, which does what it says as it is.
fn body_shown(shared: &Shared, path: &[&str]) -> (Json, Json) {
    match path {
        ["apps", "state"] => (
            json!({"app": "the name or client_id of an app", "state": "one of app_states"}),
            json!({
                "app": shared.dev_apps().first().map(|app| app.name.clone()),
                "state": AppState::Ready,
            }),
        ),
        ["faults"] => (
            json!({
                "fault": "one like those of faults",
                "when": {
                    "method": "a method; any if left out",
                    "path": "the beginning of a path, or with * all of it; any if left out",
                    "nth": "the first request that is struck, 1 if left out",
                    "times": "how many are struck, 1 if left out, null for all",
                },
                "work": "after or instead: whether what was asked for is done all the same",
            }),
            json!(Rule {
                when: When {
                    method: Some("POST".to_owned()),
                    path: Some("/services/data/*/sobjects/*".to_owned()),
                    ..When::default()
                },
                work: Some(Work::After),
                ..Rule::next(Fault::Drop)
            }),
        ),
        ["sessions", "expire"] => (
            json!({"username": "whose; everybody's if left out"}),
            json!({"username": shared.users.first().map(|user| &user.username)}),
        ),
        _ => (json!({}), json!({})),
    }
}

fn set_state(shared: &Shared, wanted: StateOfApp) -> Answer {
    if shared.set_app_state(&wanted.app, wanted.state) {
        Ok(json!({}))
    } else {
        let words = format!("there is no app `{}`", wanted.app);
        Err(Refusal::new(404, words))
    }
}

fn expire_sessions(shared: &Shared, whose: WhoseSessions) -> Answer {
    let user = match &whose.username {
        Some(username) => {
            let missing = || Refusal::new(404, format!("there is no user `{username}`"));
            Some(shared.user_named(username).ok_or_else(missing)?)
        }
        None => None,
    };
    Ok(json!({"expired": shared.grants().expire_all(user)}))
}
