//! What the versions of one connector share, which do nothing hostile: the host is what may mix them up.

use portcullis_sdk::Failure;
use portcullis_sdk::http::Request;
use serde_json::{Value, json};

/// The manifest of a version: all reach equally far.
#[must_use]
pub fn manifest(version: &str) -> String {
    let text = crate::manifest("versions");
    let mut manifest: Value = serde_json::from_str(&text).unwrap_or_default();
    manifest["version"] = json!(version);
    manifest.to_string()
}

/// Sends a request that names the version.
///
/// # Errors
///
/// Where it is refused, or the service answers otherwise than that all is well.
pub fn ask(version: &str) -> Result<(), Failure> {
    let response = Request::get("/record/1")
        .query(&[("version", version)])
        .send()?;
    match response.status() {
        200 => Ok(()),
        status => Err(Failure::unavailable(format!(
            "the service answered {status}"
        ))),
    }
}
