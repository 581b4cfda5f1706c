//! What the hostile components share: their manifests and a client that forbids nothing.
//!
//! Each file under `examples/` is one component that misbehaves in one way, and its
//! first lines say how the host must answer. They are valid connectors in all other respects, so
//! that what fails is what is meant to fail. A test chooses origins, paths and values by the
//! tools' arguments.

pub mod lie;
pub mod raw;
pub mod versions;

use serde_json::{Value, json};

/// The toolset that every hostile tool belongs to.
pub const TOOLSET: &str = "attacks";

/// The manifest of a component without a service behind it.
#[must_use]
pub fn offline_manifest(name: &str) -> String {
    manifest_of(name, &json!({ "kind": "none" }), &json!([]), &json!([]))
}

/// The manifest of a component with a service behind it, with a credential, so that there is
/// something to steal.
///
/// Besides `/record/{id}`, `/kind/{kind}/{id}`, `/batch`, `/records`, `/search` and two operations of `/soap/{version}`, its routes name what a test's service plays: `/moved`
/// answers with a redirect, `/slow` and `/large` as they are called. `https://files.example.org`
/// is named in full; any other origin is not the component's business.
#[must_use]
pub fn manifest(name: &str) -> String {
    let auth = json!({
        "kind": "oauth2",
        "pkce": true,
        "login": [{ "id": "production", "title": "Production", "origin": "https://login.example.com" }],
        "authorize": "/authorize",
        "token": "/token",
        "revoke": "/revoke",
        "scopes": { "default": ["records"] },
        "origin_from": "/instance_url",
        "stale_token": [{ "status": 401 }, { "status": 500, "code": "STALE" }]
    });
    let origins = json!(["https://*.example.com", "https://files.example.org"]);
    let routes = json!([
        { "methods": ["GET"], "path": "/record/{id}", "effect": "read" },
        { "methods": ["PATCH"], "path": "/record/{id}", "effect": "write" },
        { "methods": ["DELETE"], "path": "/record/{id}", "effect": "destructive" },
        { "methods": ["POST"], "path": "/search", "effect": "read" },
        { "methods": ["PATCH"], "path": "/kind/{kind}/{id}", "effect": "write", "headers": ["If-Match"] },
        { "methods": ["POST"], "path": "/kind/{kind}", "effect": "write" },
        { "methods": ["DELETE"], "path": "/kind/{kind}/{id}", "effect": "destructive" },
        { "methods": ["PATCH"], "path": "/batch", "effect": "write" },
        soap("undelete", "write", &json!(["Envelope/Body/undelete/ids"])),
        soap("merge", "destructive", &json!(["Envelope/Body/merge/keep", "Envelope/Body/merge/lose"])),
        {
            "methods": ["PATCH"], "path": "/records", "effect": "write", "kinds": ["/records/*/type"], "fields": "/records/*",
            "ids": ["/records/*/id"]
        },
        { "methods": ["DELETE"], "path": "/records", "effect": "destructive", "ids": ["?ids"] },
        { "methods": ["PATCH"], "path": "/kind/{kind}/{field}/{value}", "effect": "write" },
        { "methods": ["GET"], "path": "/moved", "effect": "read" },
        { "methods": ["GET"], "path": "/slow", "effect": "read" },
        { "methods": ["GET"], "path": "/large", "effect": "read" },
        { "methods": ["GET"], "path": "/file/{id}", "effect": "read", "origin": "https://files.example.org" }
    ]);
    manifest_of(name, &auth, &origins, &routes)
}

/// The route of an operation of `/soap/{version}`.
fn soap(operation: &str, effect: &str, ids: &Value) -> Value {
    json!({
        "methods": ["POST"], "path": "/soap/{version}", "effect": effect, "kinds": ["unseen"], "headers": ["SOAPAction"],
        "operation": format!("{{urn:service}}{operation}"), "token_at": "Envelope/Header/Session/id", "ids": ids
    })
}

fn manifest_of(name: &str, auth: &Value, origins: &Value, routes: &Value) -> String {
    json!({
        // A connector's name has no underscore, an example's has no hyphen.
        "name": name.replace('_', "-"),
        "title": format!("Hostile: {name}"),
        "version": "0.1.0",
        "auth": auth,
        "origins": origins,
        "routes": routes,
        "toolsets": { TOOLSET: "Misbehaves" }
    })
    .to_string()
}
