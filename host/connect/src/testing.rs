//! A small service for unit tests.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::LazyLock;

use portcullis_policy::{Manifest, PersonId};
use serde_json::json;

use crate::{App, Attempt, Binding, RedirectUri, Service, Wish, resolve, start};

static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
    let manifest = json!({
        "name": "example", "title": "Example", "version": "0.1.0",
        "auth": {
            "kind": "oauth2", "pkce": true,
            "login": [{"id": "production", "title": "Production", "origin": "https://login.example.com"}],
            "authorize": "/authorize", "token": "/token", "revoke": "/revoke",
            "scopes": {"default": ["records", "stay"], "refresh": "stay"},
            "origin_from": "/instance/url",
            "stale_token": [{"status": 401}],
            "guidance": [{"match": "access_denied", "where": ["callback"], "title": "Refused", "steps": ["Allow it."]}]
        },
        "origins": ["https://*.example.com"],
        "routes": [],
        "toolsets": {}
    });
    Manifest::from_json(&manifest.to_string()).unwrap()
});

pub(crate) fn service() -> Service<'static> {
    Service::of(&MANIFEST).unwrap()
}

pub(crate) fn app() -> App {
    App {
        client_id: "key".to_owned(),
        client_secret: Some("secret".into()),
    }
}

pub(crate) fn asker() -> Binding {
    Binding::new(&PersonId::parse("ada").unwrap(), Some(&"browser".into()))
}

pub(crate) fn attempt() -> (String, Attempt) {
    let service = service();
    start(Wish {
        service,
        login: &resolve(service.auth, "production", &[]).unwrap(),
        app: &app(),
        redirect: &RedirectUri::parse("https://host.example/callback").unwrap(),
        scopes: &service.auth.scopes.default,
        asker: &asker(),
    })
    .unwrap()
}
