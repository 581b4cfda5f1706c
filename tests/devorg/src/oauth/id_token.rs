//! ID tokens (OpenID Connect Core, section 2) and the key that verifies them.
//!
//! The key is the same for every dev org, so that a client's copy of it outlives a restart. It
//! proves nothing to anybody: it is in this folder.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::Method;
use jiff::Timestamp;
use ring::error::Unspecified;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::grants::Issued;
use crate::state::Shared;
use crate::wire::{Reply, Request};

const KEY: &[u8] = include_bytes!("id_token.pk8");
const KEY_ID: &str = "1";

/// How long an ID token is good for, as Salesforce's is.
const LIVES_SECONDS: i64 = 120;

/// Signs who has come in, for an app.
pub(super) fn id_token(
    shared: &Shared,
    request: &Request,
    client_id: &str,
    issued: &Issued,
) -> Result<String, Unspecified> {
    let now = Timestamp::now().as_second();
    let mut claims = json!({
        "at_hash": half_hash(&issued.access_token),
        "sub": shared.identity_url(request, issued.user),
        "aud": client_id,
        "iss": shared.origin(request),
        "iat": now,
        "exp": now + LIVES_SECONDS,
    });
    if let Some(nonce) = &issued.nonce {
        claims["nonce"] = json!(nonce);
    }
    sign(&claims)
}

/// Answers `/id/keys`, a set of keys (RFC 7517).
pub(crate) fn keys(request: &Request) -> Reply {
    if request.method != Method::GET {
        return Reply::not_allowed(&request.method, "GET,HEAD");
    }
    let keys: Vec<Json> = key().iter().map(public_key).collect();
    Reply::json(200, &json!({"keys": keys}))
}

fn key() -> Option<RsaKeyPair> {
    RsaKeyPair::from_pkcs8(KEY).ok() // A test reads it.
}

fn public_key(key: &RsaKeyPair) -> Json {
    let public: PublicKeyComponents<Vec<u8>> = key.public().into();
    json!({
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": KEY_ID,
        "n": BASE64_URL_SAFE_NO_PAD.encode(public.n),
        "e": BASE64_URL_SAFE_NO_PAD.encode(public.e),
    })
}

fn sign(claims: &Json) -> Result<String, Unspecified> {
    let key = key().ok_or(Unspecified)?;
    let header = json!({"typ": "JWT", "alg": "RS256", "kid": KEY_ID});
    let part = |json: &Json| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let signed = format!("{}.{}", part(&header), part(claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )?;
    Ok(format!(
        "{signed}.{}",
        BASE64_URL_SAFE_NO_PAD.encode(signature)
    ))
}

/// Binds the access token (OpenID Connect Core, section 3.1.3.6).
fn half_hash(access_token: &str) -> String {
    let hash = Sha256::digest(access_token);
    BASE64_URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2])
}
