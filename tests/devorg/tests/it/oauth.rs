//! The way in: consent, code, tokens, and out again.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use salesforce_devorg::Options;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::client::{Answer, Api, V, query};

const AUTHORIZE: &str = "/services/oauth2/authorize";
const TOKEN: &str = "/services/oauth2/token";
const CALLBACK: &str = "http://127.0.0.1:1717/callback?from=org";
const VERIFIER: &str = "0123456789-0123456789-0123456789-0123456789";

fn challenge() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

/// What an app asks for; `more` replaces or adds parameters.
fn wish<'a>(
    api: &'a Api,
    challenge: &'a str,
    more: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let mut wish = vec![
        ("response_type", "code"),
        ("client_id", api.org.client_id()),
        ("redirect_uri", CALLBACK),
        ("scope", "api refresh_token openid"),
        ("state", "a b&c=ü"),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in more {
        wish.retain(|(known, _)| known != name);
        wish.push((name, value));
    }
    wish
}

/// Signs the administrator in and allows; gives what comes back to the app.
async fn allow(api: &Api, more: &[(&str, &str)]) -> Answer {
    let user = &api.org.users()[0];
    let mut more = more.to_vec();
    for pair in [
        ("username", &*user.username),
        ("password", &*user.password),
        ("decision", "allow"),
    ] {
        if !more.iter().any(|(name, _)| *name == pair.0) {
            more.push(pair);
        }
    }
    let challenge = challenge();
    api.post_form(AUTHORIZE, &wish(api, &challenge, &more))
        .await
}

/// Gives a parameter of the address that a redirect goes to, as it stands there.
fn param(answer: &Answer, name: &str) -> String {
    assert_eq!(answer.status, 302, "{answer:?}");
    let (_, query) = answer.header("location").split_once('?').unwrap();
    let pair = query
        .split('&')
        .find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    pair.unwrap_or_default().to_owned()
}

async fn code(api: &Api, more: &[(&str, &str)]) -> String {
    let code = param(&allow(api, more).await, "code");
    assert!(code.starts_with("aPrx"), "{code}");
    code
}

/// Redeems a code; `more` replaces or adds parameters, and an empty value leaves one out.
async fn redeem(api: &Api, code: &str, more: &[(&str, &str)]) -> Answer {
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("client_id", api.org.client_id()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    for (name, value) in more {
        form.retain(|(known, _)| known != name);
        form.push((name, value));
    }
    form.retain(|(_, value)| !value.is_empty());
    api.post_form(TOKEN, &form).await
}

async fn refresh(api: &Api, token: &str) -> Answer {
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("client_id", api.org.client_id()),
    ];
    api.post_form(TOKEN, &form).await
}

fn assert_refused(answer: &Answer, error: &str, description: &str) {
    let expected = json!({"error": error, "error_description": description});
    assert_eq!((answer.status, answer.json()), (400, expected));
}

fn text(json: &Json, name: &str) -> String {
    json[name].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_app_is_let_in_stays_in_and_leaves() {
    let mut api = Api::new().await;
    api.token.clear();
    let challenge = challenge();
    let page = api
        .get(&format!(
            "{AUTHORIZE}?{}",
            query(&wish(&api, &challenge, &[]))
        ))
        .await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert!(page.text.contains("api refresh_token openid"));
    assert!(page.text.contains("value=\"a b&amp;c=ü\""), "{}", page.text);

    let back = allow(&api, &[]).await;
    assert!(
        back.header("location")
            .starts_with(&format!("{CALLBACK}&code="))
    );
    assert_eq!(param(&back, "state"), "a%20b%26c%3D%C3%BC");
    let answer = redeem(&api, &param(&back, "code"), &[]).await;
    assert_eq!(
        (answer.status, answer.header("cache-control")),
        (200, "no-store")
    );
    let tokens = answer.json();
    assert_eq!(tokens["scope"], "api refresh_token openid");
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["instance_url"], api.org.url());
    assert!(tokens["issued_at"].as_str().unwrap().parse::<u64>().is_ok());
    assert!(tokens.get("expires_in").is_none());
    assert_eq!(
        BASE64_STANDARD
            .decode(text(&tokens, "signature"))
            .unwrap()
            .len(),
        32
    );

    api.token = text(&tokens, "access_token");
    assert_eq!(api.get(V).await.status, 200);
    let identity = text(&tokens, "id").replace(api.org.url(), "");
    assert_eq!(
        api.get(&identity).await.json()["username"],
        "robin.admin@devorg.example"
    );

    assert!(api.org.expire_session(&api.token));
    api.get(V).await.assert_error(401, "INVALID_SESSION_ID");
    let refresh_token = text(&tokens, "refresh_token");
    let renewed = refresh(&api, &refresh_token).await.json();
    assert!(renewed.get("refresh_token").is_none());
    api.token = text(&renewed, "access_token");
    assert_eq!(api.get(V).await.status, 200);

    assert_eq!(
        api.post_form("/services/oauth2/revoke", &[("token", &refresh_token)])
            .await
            .status,
        200
    );
    api.get(V).await.assert_error(401, "INVALID_SESSION_ID");
    assert_refused(
        &refresh(&api, &refresh_token).await,
        "invalid_grant",
        "expired access/refresh token",
    );
    let again = api
        .post_form("/services/oauth2/revoke", &[("token", &refresh_token)])
        .await;
    assert_refused(&again, "invalid_token", "invalid token");
}

#[tokio::test]
async fn the_tokens_of_the_start_work() {
    let mut api = Api::with(Options {
        access_token: Some("00DDO0000000001!AQgiven".into()),
        refresh_token: Some("given".into()),
        ..Options::default()
    })
    .await;
    assert_eq!(api.token, "00DDO0000000001!AQgiven");
    assert_eq!(api.get(V).await.status, 200);
    assert_eq!(refresh(&api, "given").await.status, 200);
    assert_eq!(api.org.users().len(), 13, "one user is not active");
    for place in 1..api.org.users().len() {
        let user = api.org.users()[place].clone();
        api.token = user.access_token;
        let userinfo = api.get("/services/oauth2/userinfo").await.json();
        assert_eq!(userinfo["preferred_username"], *user.username);
        assert_eq!(refresh(&api, &user.refresh_token).await.status, 200);
    }
}

#[tokio::test]
async fn a_code_is_redeemed_once_and_by_who_began() {
    let api = Api::new().await;
    let invalid = ("invalid_grant", "invalid authorization code");
    let used = code(&api, &[]).await;
    assert_eq!(redeem(&api, &used, &[]).await.status, 200);
    assert_refused(&redeem(&api, &used, &[]).await, invalid.0, invalid.1);
    assert_refused(&redeem(&api, "nothing", &[]).await, invalid.0, invalid.1);

    let stolen = code(&api, &[]).await;
    let answer = redeem(&api, &stolen, &[("code_verifier", "another")]).await;
    assert_refused(&answer, "invalid_grant", "invalid code verifier");
    assert_refused(&redeem(&api, &stolen, &[]).await, invalid.0, invalid.1);

    // Neither side of PKCE can be left out alone, not even with the secret.
    let secret = [
        ("client_secret", api.org.client_secret()),
        ("code_verifier", ""),
    ];
    let answer = redeem(&api, &code(&api, &[]).await, &secret).await;
    assert_refused(&answer, "invalid_grant", "invalid code verifier");
    let plain = code(&api, &[("code_challenge", "")]).await;
    assert_refused(
        &redeem(&api, &plain, &[]).await,
        "invalid_grant",
        "invalid code verifier",
    );
    let plain = code(&api, &[("code_challenge", "")]).await;
    assert_eq!(redeem(&api, &plain, &secret).await.status, 200);

    let moved = [("redirect_uri", "http://127.0.0.1:1718/")];
    let answer = redeem(&api, &code(&api, &[]).await, &moved).await;
    assert_refused(
        &answer,
        "redirect_uri_mismatch",
        "redirect_uri must match configuration",
    );
}

#[tokio::test]
async fn an_app_shows_who_it_is() {
    let mut api = Api::new().await;
    let refused = |more: &'static [(&str, &str)]| {
        let api = &api;
        async move { redeem(api, "x", more).await }
    };
    assert_refused(
        &refused(&[("client_id", "x")]).await,
        "invalid_client_id",
        "client identifier invalid",
    );
    assert_refused(
        &refused(&[("client_secret", "x")]).await,
        "invalid_client",
        "invalid client credentials",
    );
    assert_refused(
        &refused(&[("code_verifier", "")]).await,
        "invalid_client",
        "client secret or code verifier missing",
    );
    assert_refused(
        &refused(&[("grant_type", "device")]).await,
        "unsupported_grant_type",
        "grant type not supported",
    );

    let got = api.get(TOKEN).await;
    assert_refused(&got, "invalid_request", "must use HTTP POST");

    let basic = format!("{}:{}", api.org.client_id(), api.org.client_secret());
    let basic = format!("Basic {}", BASE64_STANDARD.encode(basic));
    let refresh_token = &api.org.users()[0].refresh_token;
    let form = query(&[
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token),
    ]);
    let mut anonymous = Api::new().await;
    anonymous.token.clear();
    assert_eq!(
        anonymous
            .send("POST", TOKEN, &[("authorization", &basic)], form.clone())
            .await
            .status,
        400
    );
    api.token.clear();
    assert_eq!(
        api.send("POST", TOKEN, &[("authorization", &basic)], form)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_refresh_token_that_rotates_is_used_once() {
    let mut api = Api::with(Options {
        rotate_refresh_tokens: true,
        ..Options::default()
    })
    .await;
    let first = api.org.users()[0].refresh_token.clone();
    let renewed = refresh(&api, &first).await.json();
    let second = text(&renewed, "refresh_token");
    assert_ne!(first, second);
    api.token = text(&renewed, "access_token");
    assert_eq!(api.get(V).await.status, 200);
    assert_refused(
        &refresh(&api, &first).await,
        "invalid_grant",
        "expired access/refresh token",
    );
    api.get(V).await.assert_error(401, "INVALID_SESSION_ID");
    assert_refused(
        &refresh(&api, &second).await,
        "invalid_grant",
        "expired access/refresh token",
    );
}

#[tokio::test]
async fn what_is_wrong_with_the_app_stays_on_the_page() {
    let api = Api::new().await;
    for (name, value, error) in [
        ("client_id", "x", "invalid_client_id"),
        (
            "redirect_uri",
            "https://evil.example/",
            "redirect_uri_mismatch",
        ),
        ("redirect_uri", "", "redirect_uri_missing"),
    ] {
        let answer = allow(&api, &[(name, value)]).await;
        assert_eq!((answer.status, answer.header("location")), (400, ""));
        assert!(
            answer.text.contains(&format!("error={error}&amp;")),
            "{}",
            answer.text
        );
    }
    let registered = "https://host.example/callback";
    let api = Api::with(Options {
        redirect_uris: vec![registered.into()],
        ..Options::default()
    })
    .await;
    let answer = allow(&api, &[("redirect_uri", registered)]).await;
    assert!(
        answer
            .header("location")
            .starts_with("https://host.example/callback?code=")
    );
}

#[tokio::test]
async fn everything_else_goes_back_to_the_app() {
    let api = Api::new().await;
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("scope", "api everything", "invalid_scope"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("decision", "deny", "access_denied"),
    ] {
        let answer = allow(&api, &[(name, value)]).await;
        assert_eq!(param(&answer, "error"), error);
        assert_eq!(param(&answer, "state"), "a%20b%26c%3D%C3%BC");
        assert_eq!(param(&answer, "code"), "");
    }
    let path = format!("{V}/sobjects/User/{}", api.org.users()[0].id());
    assert_eq!(
        api.send_json("PATCH", &path, &json!({"IsActive": false}))
            .await
            .status,
        204
    );
    assert_eq!(param(&allow(&api, &[]).await, "error"), "inactive_user");
    // Whoever was signed in is signed out.
    let late = api.query("SELECT Id FROM Account LIMIT 1").await;
    late.assert_error(401, "INVALID_SESSION_ID");
}

#[tokio::test]
async fn a_wrong_password_shows_the_page_again() {
    let api = Api::new().await;
    for (name, value) in [
        ("password", "x"),
        ("username", "carmen.delgado@devorg.example"),
        ("username", "<b>"),
    ] {
        let answer = allow(&api, &[(name, value)]).await;
        assert_eq!((answer.status, answer.header("location")), (400, ""));
        assert!(
            answer
                .text
                .contains("Please check your username and password.")
        );
        assert!(!answer.text.contains("<b>"));
    }
}

#[tokio::test]
async fn scopes_are_kept_to() {
    let mut api = Api::new().await;
    let only_api = redeem(&api, &code(&api, &[("scope", "api")]).await, &[])
        .await
        .json();
    assert!(only_api.get("refresh_token").is_none());
    let only_identity = redeem(&api, &code(&api, &[("scope", "openid")]).await, &[])
        .await
        .json();

    api.token = text(&only_api, "access_token");
    assert_eq!(api.get(V).await.status, 200);
    let userinfo = api.get("/services/oauth2/userinfo").await;
    assert_eq!((userinfo.status, &*userinfo.text), (403, "Bad_OAuth_Token"));

    api.token = text(&only_identity, "access_token");
    let message = api.get(V).await.assert_error(401, "INVALID_SESSION_ID");
    assert_eq!(
        message,
        "This session is not valid for use with the REST API"
    );
    assert_eq!(api.get("/services/oauth2/userinfo").await.status, 200);

    api.token.clear();
    let userinfo = api.get("/services/oauth2/userinfo").await;
    assert_eq!(
        (userinfo.status, &*userinfo.text),
        (403, "Missing_OAuth_Token")
    );
}

#[tokio::test]
async fn a_token_says_what_it_stands_for() {
    let api = Api::new().await;
    let app = [
        ("client_id", api.org.client_id()),
        ("client_secret", api.org.client_secret()),
    ];
    let ask = |token: &str| {
        let form = [app[0], app[1], ("token", token)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let api = &api;
        async move {
            let form: Vec<(&str, &str)> = form
                .iter()
                .map(|(name, value)| (&**name, &**value))
                .collect();
            api.post_form("/services/oauth2/introspect", &form)
                .await
                .json()
        }
    };
    let active = ask(&api.token).await;
    assert_eq!(
        (&active["active"], &active["username"]),
        (&json!(true), &json!("robin.admin@devorg.example"))
    );
    assert_eq!(ask("nothing").await, json!({"active": false}));
    let answer = api
        .post_form("/services/oauth2/introspect", &[("token", &api.token)])
        .await;
    assert_refused(&answer, "invalid_client_id", "client identifier invalid");
}

#[tokio::test]
async fn the_endpoints_can_be_discovered() {
    let api = Api::new().await;
    let found = api.get("/.well-known/openid-configuration").await.json();
    for (name, path) in [
        ("authorization_endpoint", AUTHORIZE),
        ("token_endpoint", TOKEN),
    ] {
        assert_eq!(found[name], format!("{}{path}", api.org.url()));
    }
    assert_eq!(found["issuer"], api.org.url());
    assert_eq!(found["code_challenge_methods_supported"], json!(["S256"]));
    let grants = found["grant_types_supported"].as_array().unwrap();
    assert_eq!(grants.len(), 5, "each is tested in this crate");
}

#[tokio::test]
async fn an_id_token_is_verified_by_the_keys_that_are_named() {
    let api = Api::new().await;
    let nonce = [("nonce", "n-1"), ("scope", "openid refresh_token")];
    let tokens = redeem(&api, &code(&api, &nonce).await, &[]).await.json();
    let found = api.get("/.well-known/openid-configuration").await.json();
    let keys = text(&found, "jwks_uri").replace(api.org.url(), "");
    let key = api.get(&keys).await.json()["keys"][0].clone();
    let bytes = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
    let public = RsaPublicKeyComponents {
        n: bytes(&text(&key, "n")),
        e: bytes(&text(&key, "e")),
    };
    let claims = |tokens: &Json| -> Json {
        let token = text(tokens, "id_token");
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let algorithm = &RSA_PKCS1_2048_8192_SHA256;
        let verified = |words: &str| public.verify(algorithm, words.as_bytes(), &bytes(signature));
        assert!(verified(signed).is_ok() && verified("other").is_err());
        let (header, claims) = signed.split_once('.').unwrap();
        let header: Json = serde_json::from_slice(&bytes(header)).unwrap();
        assert_eq!((&header["kid"], &header["alg"]), (&key["kid"], &key["alg"]));
        serde_json::from_slice(&bytes(claims)).unwrap()
    };
    let first = claims(&tokens);
    assert_eq!(first["nonce"], "n-1");
    assert_eq!(first["sub"], tokens["id"]);
    assert_eq!(
        (&first["iss"], &first["aud"]),
        (&found["issuer"], &json!(api.org.client_id()))
    );
    let hash = Sha256::digest(text(&tokens, "access_token"));
    assert_eq!(bytes(&text(&first, "at_hash")), hash[..16]);

    let renewed = refresh(&api, &text(&tokens, "refresh_token")).await.json();
    let second = claims(&renewed);
    assert_eq!(second["nonce"], Json::Null);
    assert_ne!(second["at_hash"], first["at_hash"]);
    let without = redeem(&api, &code(&api, &[("scope", "api")]).await, &[]).await;
    assert!(without.json().get("id_token").is_none());
}

#[tokio::test]
async fn an_identity_is_that_of_its_path() {
    let api = Api::new().await;
    let other = api.org.users()[1].id();
    let org = api.get("/services/oauth2/userinfo").await.json()["organization_id"].clone();
    let org = org.as_str().unwrap();
    let identity = api.get(&format!("/id/{org}/{other}")).await.json();
    assert_eq!(identity["username"], "carmen.delgado@devorg.example");
    assert_eq!(identity["asserted_user"], false);
    assert_eq!(identity["utcOffset"], -18_000_000);
    for path in [
        format!("/id/{other}/{other}"),
        format!("/id/{org}/{org}"),
        format!("/id/{org}/nobody"),
    ] {
        api.get(&path).await.assert_error(404, "NOT_FOUND");
    }
}
