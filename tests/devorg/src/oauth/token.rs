//! `/services/oauth2/token`, `revoke` and `introspect`: what apps call themselves.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use http::header::CACHE_CONTROL;
use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::admission::{self, Door};
use super::app::App;
use super::grants::{Given, Issued};
use super::{AppState, OauthError, direct, id_token, jwt};
use crate::state::Shared;
use crate::wire::{Form, Reply, Request};

pub(super) const NO_RANDOM: OauthError =
    OauthError::new("server_error", "the org's machine gives no random bytes");

const EXPIRED: OauthError = OauthError::new("invalid_grant", "expired access/refresh token");

/// The grant type of RFC 7523.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// How long an access token lives without being used, as `exp` says: a session's two hours.
const SESSION_SECONDS: i64 = 2 * 3_600;

/// Gives tokens for what an app has got.
pub(super) fn token(shared: &Shared, request: &Request) -> Reply {
    let form = request.form();
    let issued = match form.get("grant_type") {
        Some("authorization_code") => redeem(shared, request, &form),
        Some("refresh_token") => refresh(shared, request, &form),
        Some("client_credentials") => direct::client_credentials(shared, request, &form),
        Some(JWT_BEARER) => jwt::bearer(shared, request, &form),
        Some("password") => direct::password(shared, request, &form),
        _ => Err(OauthError::new(
            "unsupported_grant_type",
            "grant type not supported",
        )),
    };
    match issued {
        Ok((app, issued)) => answer(shared, request, &app, &issued),
        Err(error) => error.into(),
    }
}

fn redeem(shared: &Shared, request: &Request, form: &Form) -> Result<(App, Issued), OauthError> {
    let verifier = form.get("code_verifier");
    let app = caller(shared, request, form, verifier.is_some())?;
    let code = shared
        .grants()
        .take_code(form.get("code").unwrap_or_default())?;
    if code.consent.client_id != app.client_id {
        return Err(OauthError::new(
            "invalid_grant",
            "invalid authorization code",
        ));
    }
    if app.state == AppState::CodesExpired {
        return Err(OauthError::new(
            "invalid_grant",
            "expired authorization code",
        ));
    }
    if form.get("redirect_uri") != Some(&*code.redirect_uri) {
        return Err(OauthError::new(
            "redirect_uri_mismatch",
            "redirect_uri must match configuration",
        ));
    }
    let proven = match (&code.challenge, verifier) {
        (Some(challenge), Some(verifier)) => *challenge == challenge_of(verifier),
        (None, None) => true,
        // A verifier for no challenge is no proof: the code may be somebody else's.
        _ => false,
    };
    if !proven {
        return Err(OauthError::new("invalid_grant", "invalid code verifier"));
    }
    admission::of_user(shared, &app, code.consent.user, Door::Granted)
        .map_err(|refusal| refusal.error())?;
    let mut issued = shared
        .grants()
        .issue(shared.org_id, code.consent, Given::default())
        .map_err(|_| NO_RANDOM)?;
    issued.nonce = code.nonce;
    Ok((app, issued))
}

/// Makes the S256 challenge of a verifier (RFC 7636, section 4.2).
fn challenge_of(verifier: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

fn refresh(shared: &Shared, request: &Request, form: &Form) -> Result<(App, Issued), OauthError> {
    let app = caller(shared, request, form, true)?;
    let token = form.get("refresh_token").unwrap_or_default();
    let user = {
        let grants = shared.grants();
        let consent = grants
            .refreshed(token)
            .filter(|consent| consent.client_id == app.client_id);
        consent.ok_or(EXPIRED)?.user
    };
    if app.state == AppState::TokensExpired {
        return Err(EXPIRED);
    }
    admission::of_user(shared, &app, user, Door::Granted).map_err(|refusal| refusal.error())?;
    let issued = shared
        .grants()
        .refresh(shared.org_id, token, app.rotate_refresh_tokens)
        .map_err(|_| NO_RANDOM)??;
    Ok((app, issued))
}

/// Finds who calls: by the form, or by HTTP Basic (RFC 6749, section 2.3.1).
pub(super) fn caller(
    shared: &Shared,
    request: &Request,
    form: &Form,
    proven: bool,
) -> Result<App, OauthError> {
    let basic = request
        .header("authorization")
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
        .and_then(|(_, pair)| BASE64_STANDARD.decode(pair.trim()).ok())
        .and_then(|pair| String::from_utf8(pair).ok());
    let basic = basic.as_deref().and_then(|pair| pair.split_once(':'));
    let client_id = form.get("client_id").or(basic.map(|(id, _)| id));
    let client_secret = form
        .get("client_secret")
        .or(basic.map(|(_, secret)| secret));
    let app = client_id.and_then(|client_id| shared.apps().find(client_id).cloned());
    let app = app.ok_or(OauthError::new(
        "invalid_client_id",
        "client identifier invalid",
    ))?;
    admission::of_app(&app, request).map_err(|refusal| refusal.error())?;
    app.check(client_secret.filter(|secret| !secret.is_empty()), proven)?;
    Ok(app)
}

fn answer(shared: &Shared, request: &Request, app: &App, issued: &Issued) -> Reply {
    let id = shared.identity_url(request, issued.user);
    let issued_at = Timestamp::now().as_millisecond().to_string();
    let mut body = json!({
        "access_token": issued.access_token,
        "id": id,
        "instance_url": shared.origin(request),
        "issued_at": issued_at,
        "scope": issued.scopes.to_string(),
        "signature": signature(&app.client_secret, &id, &issued_at),
        "token_type": "Bearer",
    });
    if let Some(token) = &issued.refresh_token {
        body["refresh_token"] = json!(token);
    }
    if issued.scopes.openid() {
        match id_token::id_token(shared, request, &app.client_id, issued) {
            Ok(token) => body["id_token"] = json!(token),
            Err(_) => return NO_RANDOM.into(),
        }
    }
    let refresh_token = issued.refresh_token.as_deref();
    shared
        .grants()
        .note_issued(&issued.access_token, refresh_token);
    Reply::json(200, &body).with(CACHE_CONTROL, "no-store")
}

/// Signs who was let in and when with the app's secret.
fn signature(secret: &str, id: &str, issued_at: &str) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(id.as_bytes());
    mac.update(issued_at.as_bytes());
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

/// Ends a token of either kind.
pub(super) fn revoke(shared: &Shared, request: &Request) -> Reply {
    let form = request.form();
    let token = form.get("token").unwrap_or_default();
    if shared.grants().revoke(token) {
        Reply::empty(200)
    } else {
        OauthError::new("invalid_token", "invalid token").into()
    }
}

/// Says what a token of the app that asks stands for (RFC 7662).
pub(super) fn introspect(shared: &Shared, request: &Request) -> Reply {
    let form = request.form();
    let app = match caller(shared, request, &form, false) {
        Ok(app) => app,
        Err(error) => return error.into(),
    };
    let token = form.get("token").unwrap_or_default();
    let found = {
        let grants = shared.grants();
        let access = grants.access(token).map(|access| {
            (
                access.client_id.clone(),
                access.user,
                access.scopes.clone(),
                access.since,
                true,
            )
        });
        access.or_else(|| {
            let (consent, since) = grants.refresh_token(token)?;
            Some((
                consent.client_id.clone(),
                consent.user,
                consent.scopes.clone(),
                since,
                false,
            ))
        })
    };
    let Some((_, user, scopes, since, is_access)) =
        found.filter(|(client_id, ..)| *client_id == app.client_id)
    else {
        return Reply::json(200, &json!({"active": false}));
    };
    let username = {
        let org = shared.org();
        let user = org.store.get("User", user);
        user.map(|user| user.get("Username").to_json())
    };
    let since = since.as_second();
    let mut body = json!({
        "active": true,
        "client_id": &*app.client_id,
        "iat": since,
        "nbf": since,
        "scope": scopes.to_string(),
        "sub": shared.identity_url(request, user),
        "token_type": if is_access { "access_token" } else { "refresh_token" },
        "username": username,
    });
    if is_access {
        body["exp"] = json!(since + SESSION_SECONDS);
    }
    Reply::json(200, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_that_of_the_rfc() {
        // RFC 7636, appendix B.
        let challenge = challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
