//! `/services/oauth2/token`, `revoke` and `introspect`: what apps call themselves.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use http::header::CACHE_CONTROL;
use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::OauthError;
use super::grants::Issued;
use crate::state::Shared;
use crate::wire::{Form, Reply, Request};

const NO_RANDOM: OauthError =
    OauthError::new("server_error", "the org's machine gives no random bytes");

/// Redeems a code or a refresh token.
pub(super) fn token(shared: &Shared, request: &Request) -> Reply {
    let form = request.form();
    let issued = match form.get("grant_type") {
        Some("authorization_code") => redeem(shared, request, &form),
        Some("refresh_token") => refresh(shared, request, &form),
        _ => Err(OauthError::new(
            "unsupported_grant_type",
            "grant type not supported",
        )),
    };
    match issued {
        Ok(issued) => answer(shared, &issued),
        Err(error) => error.into(),
    }
}

fn redeem(shared: &Shared, request: &Request, form: &Form) -> Result<Issued, OauthError> {
    let verifier = form.get("code_verifier");
    check_app(shared, request, form, verifier.is_none())?;
    let mut grants = shared.grants();
    let code = grants.take_code(form.get("code").unwrap_or_default())?;
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
    let org = shared.org_id;
    grants
        .issue(org, code.user, code.scopes, (None, None))
        .map_err(|_| NO_RANDOM)
}

/// Makes the S256 challenge of a verifier (RFC 7636, section 4.2).
fn challenge_of(verifier: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

fn refresh(shared: &Shared, request: &Request, form: &Form) -> Result<Issued, OauthError> {
    check_app(shared, request, form, false)?;
    let token = form.get("refresh_token").unwrap_or_default();
    let mut grants = shared.grants();
    grants
        .refresh(shared.org_id, token, shared.app.rotate_refresh_tokens)
        .map_err(|_| NO_RANDOM)?
}

/// Checks who calls: by the form, or by HTTP Basic (RFC 6749, section 2.3.1).
fn check_app(
    shared: &Shared,
    request: &Request,
    form: &Form,
    secret_needed: bool,
) -> Result<(), OauthError> {
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
    shared.app.check(
        client_id,
        client_secret.filter(|secret| !secret.is_empty()),
        secret_needed,
    )
}

fn answer(shared: &Shared, issued: &Issued) -> Reply {
    let id = shared.identity_url(issued.user);
    let issued_at = Timestamp::now().as_millisecond().to_string();
    let mut body = json!({
        "access_token": issued.access_token,
        "id": id,
        "instance_url": shared.url,
        "issued_at": issued_at,
        "scope": issued.scopes.to_string(),
        "signature": signature(&shared.app.client_secret, &id, &issued_at),
        "token_type": "Bearer",
    });
    if let Some(token) = &issued.refresh_token {
        body["refresh_token"] = json!(token);
    }
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

/// Says what an access token stands for (RFC 7662).
pub(super) fn introspect(shared: &Shared, request: &Request) -> Reply {
    let form = request.form();
    if let Err(error) = check_app(shared, request, &form, true) {
        return error.into();
    }
    let access = shared
        .grants()
        .access(form.get("token").unwrap_or_default())
        .cloned();
    let Some(access) = access else {
        return Reply::json(200, &json!({"active": false}));
    };
    let username = shared
        .users
        .iter()
        .find(|user| user.id() == access.user)
        .map(|user| &user.username);
    Reply::json(
        200,
        &json!({
            "active": true,
            "client_id": shared.app.client_id,
            "scope": access.scopes.to_string(),
            "sub": shared.identity_url(access.user),
            "token_type": "access_token",
            "username": username,
        }),
    )
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
