//! Tokens of an OpenID Connect issuer: a client finds out where they come from, and nobody gets in by another's.
//!
//! The issuer here is a small server of the test's, whose keys and answers it can turn; `tests/clients` has one that others wrote.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

use super::client::Client;
use super::{HOST, connect, count};
use crate::public::{BASE, Place, Server, id};

/// The address of the agent, as tokens name it.
const HELPER: &str = "https://portcullis.acme.example/mcp/helper";
const RSA_PEM: &str = include_str!("../../../../../tests/devorg/tests/data/jwt.key.pem");

pub(super) enum Key {
    Rsa(Box<RsaKeyPair>),
    Curve(Box<EcdsaKeyPair>),
}

impl Key {
    pub(super) fn rsa() -> Self {
        let key = PrivateKeyDer::from_pem_slice(RSA_PEM.as_bytes()).unwrap();
        let key = match &key {
            PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
            _ => panic!("it is another key"),
        };
        Self::Rsa(Box::new(key.unwrap()))
    }

    pub(super) fn curve() -> Self {
        let (random, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let made = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(algorithm, made.as_ref(), &random);
        Self::Curve(Box::new(key.unwrap()))
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::Curve(_) => "ES256",
        }
    }

    /// Gives the public key, as an issuer publishes it.
    pub(super) fn public(&self, id: &str) -> Value {
        match self {
            Self::Rsa(key) => {
                let parts = PublicKeyComponents::<Vec<u8>>::from(key.public());
                json!({"kty": "RSA", "use": "sig", "kid": id, "n": coded(parts.n), "e": coded(parts.e)})
            }
            Self::Curve(key) => {
                let point = key.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "use": "sig", "kid": id, "x": coded(&point[1..33]), "y": coded(&point[33..])})
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .unwrap();
                signature
            }
            Self::Curve(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
        }
    }

    /// Makes a token, whose header may say more.
    pub(super) fn token(&self, header: Value, claims: &Value) -> String {
        let mut whole = json!({"alg": self.algorithm(), "typ": "at+jwt"});
        let whole = whole.as_object_mut().unwrap();
        whole.extend(header.as_object().unwrap().clone());
        let signed = format!(
            "{}.{}",
            coded(json!(whole).to_string()),
            coded(claims.to_string())
        );
        format!("{signed}.{}", coded(self.sign(signed.as_bytes())))
    }
}

fn coded(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// An issuer.
pub(super) struct Issuer {
    pub(super) url: String,
    pub(super) address: SocketAddr,
    pub(super) said: Arc<Said>,
}

/// A code that becomes an ID token, once.
pub(super) struct Code {
    /// The challenge that the verifier must fit; none: this issuer does not look.
    pub(super) challenge: Option<String>,
    pub(super) redirect: String,
    pub(super) id_token: String,
}

#[derive(Default)]
pub(super) struct Said {
    url: Mutex<String>,
    keys: Mutex<Vec<Value>>,
    /// How often its keys were asked for.
    asked: AtomicUsize,
    pub(super) codes: Mutex<HashMap<String, Code>>,
    /// How often a code was brought.
    pub(super) redeemed: AtomicUsize,
}

impl Issuer {
    pub(super) async fn new(keys: Vec<Value>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("http://{address}");
        let said = Arc::new(Said::default());
        *said.url.lock().unwrap() = url.clone();
        *said.keys.lock().unwrap() = keys;
        let describes = async |State(said): State<Arc<Said>>| {
            let url = said.url.lock().unwrap().clone();
            Json(json!({
                "issuer": url,
                "jwks_uri": format!("{url}/keys"),
                "authorization_endpoint": format!("{url}/authorize?tenant=acme"),
                "token_endpoint": format!("{url}/token"),
                "authorization_response_iss_parameter_supported": true,
            }))
        };
        let shows = async |State(said): State<Arc<Said>>| {
            said.asked.fetch_add(1, Ordering::SeqCst);
            Json(json!({"keys": said.keys.lock().unwrap().clone()}))
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(describes))
            .route("/keys", get(shows))
            .route("/token", post(redeem))
            .with_state(said.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, address, said }
    }

    /// Says what a good token has.
    pub(super) fn claims(&self, subject: &str) -> Value {
        json!({"iss": self.url, "aud": HELPER, "sub": subject, "exp": now() + 300, "nbf": now() - 10})
    }
}

/// Makes a code's tokens, as OAuth has it: for the client that the header names, by the verifier, and once.
async fn redeem(
    State(said): State<Arc<Said>>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    said.redeemed.fetch_add(1, Ordering::SeqCst);
    let refused = |code: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": code })));
    let client = BASE64_STANDARD.encode(format!("{CLIENT}:{SECRET_CODED}"));
    let is_client = headers
        .get("authorization")
        .is_some_and(|by| *by == format!("Basic {client}"));
    if !is_client || form["client_id"] != CLIENT || form["grant_type"] != "authorization_code" {
        return refused("invalid_client");
    }
    let Some(code) = said.codes.lock().unwrap().remove(&form["code"]) else {
        return refused("invalid_grant");
    };
    let verifier = ring::digest::digest(&ring::digest::SHA256, form["code_verifier"].as_bytes());
    let fits = |challenge: &String| *challenge == coded(verifier);
    if !code.challenge.as_ref().is_none_or(fits) || form["redirect_uri"] != code.redirect {
        return refused("invalid_grant");
    }
    let tokens = json!({"access_token": "x", "token_type": "Bearer", "id_token": code.id_token});
    (StatusCode::OK, Json(tokens))
}

/// The server as a client of the issuer's, and how its secret stands in a header.
pub(super) const CLIENT: &str = "0oa1b2c3";
pub(super) const SECRET: &str = "let-me&in+x";
const SECRET_CODED: &str = "let-me%26in%2Bx";

pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_secs()
}

/// A place whose server believes an issuer, which knows Ada as `00uada`.
struct Site {
    place: Place,
    server: Server,
    issuer: Issuer,
    key: Key,
}

impl Site {
    async fn new(key: Key, more: &[&str]) -> Self {
        let place = Place::new().await;
        connect(&place, "ada").await;
        let issuer = Issuer::new(vec![key.public("one")]).await;
        let store = place.store().await;
        store
            .add_subject(&id("ada"), &issuer.url, "00uada")
            .await
            .unwrap();
        let allowed = issuer.address.to_string();
        let believes = ["--issuer", &issuer.url, "--allow-origin", &allowed];
        let server = Server::start(&place.home, &place.org, BASE, &[&believes, more].concat());
        Self {
            place,
            server,
            issuer,
            key,
        }
    }

    fn with(&self, token: &str) -> Client {
        Client::new(self.server.address, HOST, &token.into())
    }

    fn good(&self) -> String {
        let claims = self.issuer.claims("00uada");
        self.key.token(json!({"kid": "one"}), &claims)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_finds_the_issuer_and_its_token_is_its_person() {
    for key in [Key::rsa(), Key::curve()] {
        let site = Site::new(key, &[]).await;
        let mut nobody = site.with("");
        nobody.token = None;
        let asked = nobody.initialize().await;
        assert_eq!(asked.status, 401);
        let asks = asked.header("www-authenticate").unwrap();
        let described = format!("{BASE}/.well-known/oauth-protected-resource/mcp/helper");
        assert!(
            asks.ends_with(&format!("resource_metadata=\"{described}\"")),
            "{asks}"
        );
        nobody.path = described.strip_prefix(BASE).unwrap().to_owned();
        let described = nobody.request("GET", &[], Default::default()).await;
        assert_eq!(described.status, 200, "{}", described.text);
        let described = described.message();
        assert_eq!(described["resource"], HELPER);
        assert_eq!(described["authorization_servers"], json!([site.issuer.url]));
        assert_eq!(described.get("scopes_supported"), None, "{described}");
        nobody.host = "evil.example".to_owned();
        assert_eq!(
            nobody.request("GET", &[], Default::default()).await.status,
            403
        );

        let ada = site.with(&site.good()).begun().await;
        assert_eq!(
            ada.call("query", count()).await["content"][0]["text"],
            "count: 60"
        );
        // A token for the server as a whole is one for each of its agents.
        let mut claims = site.issuer.claims("00uada");
        claims["aud"] = json!(["https://other.example", BASE]);
        let whole = site.key.token(json!({"kid": "one"}), &claims);
        assert_eq!(site.with(&whole).initialize().await.status, 200);
        // It is one person, by whichever token.
        let same = site.place.token("ada").await;
        let mut same = Client::new(site.server.address, HOST, &same);
        same.session = ada.session.clone();
        assert_eq!(
            same.call("query", count()).await["content"][0]["text"],
            "count: 60"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_for_here_from_here_and_now_is_nobodys() {
    let site = Site::new(Key::rsa(), &[]).await;
    let ada = site.with(&site.good()).begun().await;
    let before = site.place.org.requests();
    let stranger = Key::curve();
    let kid = || json!({"kid": "one"});
    let changed = |name: &str, value: Value| {
        let mut claims = site.issuer.claims("00uada");
        claims[name] = value;
        site.key.token(kid(), &claims)
    };
    let without = |name: &str| {
        let mut claims = site.issuer.claims("00uada");
        claims.as_object_mut().unwrap().remove(name);
        site.key.token(kid(), &claims)
    };
    let good = site.issuer.claims("00uada");
    let embedded =
        json!({"kid": "one", "jku": "https://evil.example/keys", "jwk": stranger.public("one")});
    let mut cut = site.good();
    cut.truncate(cut.rfind('.').unwrap() + 1);
    let mut attacks = vec![
        (
            "another server's",
            changed("aud", json!("https://other.example/mcp/helper")),
        ),
        (
            "another agent's",
            changed("aud", json!(format!("{BASE}/mcp/other"))),
        ),
        ("a client's", changed("aud", json!("portcullis"))),
        (
            "a beginning of ours",
            changed("aud", json!("https://portcullis.acme.example.evil.example")),
        ),
        ("nobody's", changed("aud", json!([]))),
        ("without an audience", without("aud")),
        (
            "another issuer's",
            changed("iss", json!("https://evil.example")),
        ),
        (
            "almost the issuer's",
            changed("iss", json!(format!("{}/", site.issuer.url))),
        ),
        ("without an issuer", without("iss")),
        ("ended", changed("exp", json!(now() - 3_600))),
        (
            "ended, as a text",
            changed("exp", json!((now() - 3_600).to_string())),
        ),
        ("without an end", without("exp")),
        ("not yet", changed("nbf", json!(now() + 3_600))),
        (
            "not yet, as a text",
            changed("nbf", json!((now() + 3_600).to_string())),
        ),
        ("nobody that is known", changed("sub", json!("00ubob"))),
        ("a person's id", changed("sub", json!("ada"))),
        ("another case", changed("sub", json!("00UADA"))),
        ("without a name", without("sub")),
        (
            "another's key by the same name",
            stranger.token(kid(), &good),
        ),
        (
            "another's key in its header",
            stranger.token(embedded, &good),
        ),
        (
            "a key that nobody has",
            site.key.token(json!({"kid": "two"}), &good),
        ),
        (
            "asks for what is not known",
            site.key
                .token(json!({"kid": "one", "crit": ["b64"], "b64": true}), &good),
        ),
        (
            "of another kind",
            site.key
                .token(json!({"kid": "one", "typ": "logout+jwt"}), &good),
        ),
        ("without a signature", cut),
        (
            "too long",
            site.key
                .token(json!({"kid": "one", "x": "x".repeat(14_000)}), &good),
        ),
    ];
    let head = |algorithm: &str| coded(json!({"alg": algorithm, "kid": "one"}).to_string());
    let claims = coded(good.to_string());
    for algorithm in ["none", "None", "NONE"] {
        attacks.push(("unsigned", format!("{}.{claims}.", head(algorithm))));
    }
    // The public key, as whoever checks may have it, taken for a shared secret.
    let Key::Rsa(key) = &site.key else { panic!() };
    let public = key.public().as_ref().to_vec();
    let modulus = PublicKeyComponents::<Vec<u8>>::from(key.public()).n;
    let pem = RSA_PEM.as_bytes().to_vec();
    for secret in [public, modulus, pem, Vec::new()] {
        let signed = format!("{}.{claims}", head("HS256"));
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret);
        let signature = ring::hmac::sign(&key, signed.as_bytes());
        attacks.push((
            "a public key as a secret",
            format!("{signed}.{}", coded(signature)),
        ));
    }
    // The same bytes said to be signed otherwise.
    let good_token = site.good();
    let (rest, signature) = good_token.rsplit_once('.').unwrap();
    let (_, payload) = rest.split_once('.').unwrap();
    for algorithm in ["RS512", "PS256", "ES256", "EdDSA"] {
        let token = format!("{}.{payload}.{signature}", head(algorithm));
        attacks.push(("another algorithm", token));
    }
    for (what, token) in attacks {
        let mut client = site.with(&token);
        for session in [None, ada.session.clone()] {
            client.session = session;
            let answer = client.initialize().await;
            assert_eq!(answer.status, 401, "{what}: {}", answer.text);
            let asks = answer.header("www-authenticate").unwrap();
            assert!(asks.contains("invalid_token"), "{what}: {asks}");
        }
    }
    assert_eq!(site.place.org.requests(), before);
    assert_eq!(
        ada.call("query", count()).await["content"][0]["text"],
        "count: 60"
    );
    let log = site.server.log();
    assert!(
        !log.contains(good_token.rsplit_once('.').unwrap().1),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_person_is_another_person() {
    let site = Site::new(Key::curve(), &[]).await;
    let store = site.place.store().await;
    let issuer = site.issuer.url.clone();
    store
        .add_subject(&id("bob"), &issuer, "00ubob")
        .await
        .unwrap();
    let ada = site.with(&site.good()).begun().await;
    let claims = site.issuer.claims("00ubob");
    let mut bob = site.with(&site.key.token(json!({"kid": "one"}), &claims));
    assert_eq!(bob.initialize().await.status, 200);
    bob.session = ada.session.clone();
    let taken = bob
        .ask("tools/call", json!({"name": "query", "arguments": count()}))
        .await;
    assert_eq!(taken.status, 404, "{}", taken.text);
    // Who is taken away ends in the middle of a session.
    for command in ["remove", "add"] {
        // Spaces around a name or an issuer are no part of it, for either.
        let by = ["person", "subject", command, "ada", " 00uada "];
        let spaced = format!("{issuer} ");
        let said = site
            .place
            .home
            .must(&[&by[..], &["--issuer", &spaced, "--json"]].concat());
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(
            said,
            json!({"changed": true, "person": "ada", "issuer": issuer, "subject": "00uada"})
        );
        let expected = if command == "add" { 200 } else { 401 };
        let asked = ada
            .ask("tools/call", json!({"name": "query", "arguments": count()}))
            .await;
        assert_eq!(asked.status, expected, "{}", asked.text);
    }
    let by = [
        "person", "subject", "add", "bob", "00uada", "--issuer", &issuer,
    ];
    let taken = site.place.home.run(&by);
    assert_eq!(taken.code, 2);
    assert!(
        taken.stderr.contains("is `ada` here already"),
        "{}",
        taken.stderr
    );
    let member = site.place.home.run_as("bob", &by);
    assert_eq!(member.code, 2);
    assert!(member.stderr.contains("administrator"), "{}", member.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_keys_that_nobody_has_asks_the_issuer_a_few_times_and_keys_may_change() {
    let site = Site::new(Key::curve(), &[]).await;
    assert_eq!(site.with(&site.good()).initialize().await.status, 200);
    assert_eq!(site.issuer.said.asked.load(Ordering::SeqCst), 1);
    // Another key, in the first one's place.
    let next = Key::curve();
    *site.issuer.said.keys.lock().unwrap() = vec![next.public("two")];
    let claims = site.issuer.claims("00uada");
    let newer = next.token(json!({"kid": "two"}), &claims);
    assert_eq!(site.with(&newer).initialize().await.status, 200);
    assert_eq!(site.issuer.said.asked.load(Ordering::SeqCst), 2);
    // The first one is none any more; nor is a key that comes without its name, once there are two.
    assert_eq!(site.with(&site.good()).initialize().await.status, 401);
    let unnamed = next.token(json!({}), &claims);
    assert_eq!(site.with(&unnamed).initialize().await.status, 200);
    let mut flood = tokio::task::JoinSet::new();
    for number in 0..60 {
        let token = next.token(json!({"kid": format!("none-{number}")}), &claims);
        let client = site.with(&token);
        flood.spawn(async move { client.initialize().await.status });
    }
    for status in flood.join_all().await {
        assert_eq!(status, 401);
    }
    // Five in a minute, and the minute may be over in between.
    assert!(site.issuer.said.asked.load(Ordering::SeqCst) <= 10);
    assert_eq!(site.with(&newer).initialize().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_is_not_reached_or_is_another_lets_nobody_in() {
    let site = Site::new(Key::curve(), &[]).await;
    *site.issuer.said.url.lock().unwrap() = "https://evil.example".to_owned();
    let refused = site.with(&site.good()).initialize().await;
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert!(refused.header("retry-after").is_some());
    // A token that was made here needs no issuer.
    let own = site.place.token("ada").await;
    let own = Client::new(site.server.address, HOST, &own);
    assert_eq!(own.initialize().await.status, 200);
    for (issuer, words) in [
        ("http://issuer.example", "must be https"),
        ("http://127.0.0.1:9", "must be https"),
        ("https://user:word@issuer.example", "must be https"),
        ("https://issuer.example/?x", "no query"),
        ("issuer", "no URL"),
    ] {
        let serve = ["serve", "--listen", "127.0.0.1:0", "--issuer", issuer];
        let said = site.place.home.run(&serve);
        assert_eq!(said.code, 2, "{issuer}: {}", said.stderr);
        assert!(said.stderr.contains(words), "{}", said.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_token_for_a_client_that_is_an_audience_is_nobodys() {
    let site = Site::new(Key::curve(), &["--audience", "client-7"]).await;
    let mut claims = site.issuer.claims("00uada");
    claims["aud"] = json!("client-7");
    // Access tokens name their client, too, and when the person signed in (RFC 9068, section 2.2).
    claims["client_id"] = json!("client-7");
    claims["auth_time"] = json!(now() - 20);
    for typ in ["JWT", "at+jwt"] {
        let header = json!({"kid": "one", "typ": typ});
        let access = site.key.token(header.clone(), &claims);
        assert_eq!(site.with(&access).initialize().await.status, 200, "{typ}");
        for (name, value) in [
            ("nonce", json!("n-0S6_WzA2Mj")),
            ("nonce", json!("")),
            ("nonce", Value::Null),
            ("at_hash", json!("77QmUPtjPfzWtF2AnpK9RQ")),
            ("c_hash", json!("LDktKdoQak3Pk0cnXxCltA")),
        ] {
            let mut of_sign_in = claims.clone();
            of_sign_in[name] = value;
            let token = site.key.token(header.clone(), &of_sign_in);
            let refused = site.with(&token).initialize().await;
            assert_eq!(refused.status, 401, "{typ} {name}: {}", refused.text);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_claim_names_the_person_and_an_address_must_be_verified() {
    let more = [
        "--issuer-claim",
        "email",
        "--audience",
        "api://portcullis",
        "--issuer-scopes",
        "api://portcullis/.default,offline_access",
    ];
    let site = Site::new(Key::curve(), &more).await;
    // What clients ask such an issuer for, they are told.
    let mut nobody = site.with("");
    nobody.path = "/.well-known/oauth-protected-resource/mcp/helper".to_owned();
    let described = nobody.request("GET", &[], Default::default()).await;
    assert_eq!(
        described.message()["scopes_supported"],
        json!(["api://portcullis/.default", "offline_access"])
    );
    let store = site.place.store().await;
    let issuer = site.issuer.url.clone();
    store
        .add_subject(&id("ada"), &issuer, "ada@acme.example")
        .await
        .unwrap();
    for (verified, status) in [
        (json!(true), 200),
        (json!(false), 401),
        (json!("true"), 401),
        (Value::Null, 401),
    ] {
        let mut claims = site.issuer.claims("somebody");
        claims["aud"] = json!("api://portcullis");
        claims["email"] = json!("ada@acme.example");
        claims["email_verified"] = verified;
        let token = site.key.token(json!({"kid": "one"}), &claims);
        assert_eq!(site.with(&token).initialize().await.status, status);
    }
}
