//! The JWT bearer grant (RFC 7523): an app signs for a user who has let it in.
//!
//! As Salesforce's help has it ("OAuth 2.0 JWT Bearer Flow for Server-to-Server Integration"):
//! RS256 alone, by the key of the certificate in the app's settings.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use webpki::EndEntityCert;
use webpki::ring::RSA_PKCS1_2048_8192_SHA256;

use super::admission::{self, Door};
use super::app::App;
use super::grants::Issued;
use super::{AppState, OauthError, direct};
use crate::id::Id;
use crate::state::Shared;
use crate::wire::{Form, Request};

/// How far ahead an assertion may expire: three minutes, and as much again for the clocks.
const VALID_SECONDS_MAX: i64 = 6 * 60;

const INVALID: OauthError = OauthError::new("invalid_grant", "invalid assertion");
const WRONG_AUDIENCE: OauthError = OauthError::new("invalid_grant", "audience is invalid");
const NOT_APPROVED: OauthError =
    OauthError::new("invalid_grant", "user hasn't approved this consumer");

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    /// The consumer key.
    iss: String,
    /// The username; `prn` in older clients.
    #[serde(alias = "prn")]
    sub: String,
    aud: Audience,
    exp: Seconds,
}

/// A moment in seconds, which some clients write with a fraction, and some as a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(f64),
    Text(String),
}

impl Seconds {
    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(seconds) => Some(*seconds),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Lets in the user whom an assertion names.
pub(super) fn bearer(
    shared: &Shared,
    request: &Request,
    form: &Form,
) -> Result<(App, Issued), OauthError> {
    let assertion = form.get("assertion").ok_or(INVALID)?;
    let (signed, signature) = assertion.rsplit_once('.').ok_or(INVALID)?;
    let (header, claims) = signed.split_once('.').ok_or(INVALID)?;
    let header: Header = part(header)?;
    let claims: Claims = part(claims)?;
    let app = shared.apps().find(&claims.iss).cloned();
    let app = app.ok_or(OauthError::new(
        "invalid_client_id",
        "client identifier invalid",
    ))?;
    admission::of_app(&app, request).map_err(|refusal| refusal.error())?;
    let signature = BASE64_URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|_| INVALID)?;
    if header.alg != "RS256" || !is_signed(&app, signed.as_bytes(), &signature) {
        return Err(INVALID);
    }
    if !is_for_us(shared, request, &claims.aud) {
        return Err(WRONG_AUDIENCE);
    }
    // Salesforce says so of an assertion, too.
    let expires = claims.exp.number().ok_or(INVALID)?;
    let left = expires - Timestamp::now().as_second() as f64;
    if !(left > 0.0 && left <= VALID_SECONDS_MAX as f64) {
        return Err(OauthError::new(
            "invalid_grant",
            "expired authorization code",
        ));
    }
    let user = shared.user_named(&claims.sub).ok_or(NOT_APPROVED)?;
    admission::of_user(shared, &app, user, Door::Direct).map_err(|refusal| refusal.error())?;
    if !is_approved(shared, &app, user) {
        return Err(NOT_APPROVED);
    }
    direct::session(shared, app, user)
}

fn part<T: DeserializeOwned>(text: &str) -> Result<T, OauthError> {
    let json = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| INVALID)?;
    serde_json::from_slice(&json).map_err(|_| INVALID)
}

fn is_signed(app: &App, signed: &[u8], signature: &[u8]) -> bool {
    let Some(certificate) = &app.certificate else {
        return false;
    };
    EndEntityCert::try_from(certificate).is_ok_and(|certificate| {
        certificate
            .verify_signature(RSA_PKCS1_2048_8192_SHA256, signed, signature)
            .is_ok()
    })
}

/// Says whether an assertion is meant for this org: its own address, or that of Salesforce's
/// common hosts.
fn is_for_us(shared: &Shared, request: &Request, audience: &Audience) -> bool {
    let origin = shared.origin(request);
    let ours = |audience: &String| {
        let audience = audience.trim_end_matches('/');
        let audience = audience
            .strip_suffix("/services/oauth2/token")
            .unwrap_or(audience);
        audience == origin
            || audience == shared.url
            || Some(audience) == shared.https_url.as_deref()
            || audience == "https://login.salesforce.com"
            || audience == "https://test.salesforce.com"
    };
    match audience {
        Audience::One(one) => ours(one),
        Audience::Many(many) => many.iter().any(ours),
    }
}

/// Says whether a user has let the app in before, or an administrator for them.
fn is_approved(shared: &Shared, app: &App, user: Id) -> bool {
    match app.state {
        AppState::AdminApproved => true, // Who is not assigned was refused before.
        AppState::NotPreApproved => false,
        _ => shared
            .grants()
            .approved(&app.client_id, user, &super::Scopes::none()),
    }
}
