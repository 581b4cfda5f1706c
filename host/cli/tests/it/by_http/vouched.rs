//! People sign in to the pages at the issuer that the server believes; and attacks, each by its name: nobody is signed in as another, or
//! by what was made for somebody or something else.
//!
//! The issuer is the test's own, which hands out what it is told to; `tests/clients` has one that others wrote.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use url::Url;

use super::issuer::{CLIENT, Code, Issuer, Key, SECRET, now};
use crate::public::visitor::{Seen, Visitor, encoded, form_of};
use crate::public::{BASE, Place, Server, id};

const BACK: &str = "/sign-in/issuer/back";

/// A place whose people sign in at an issuer, which knows Ada as `00uada`.
struct Site {
    place: Place,
    server: Server,
    issuer: Issuer,
    key: Key,
}

/// What a browser was sent to the issuer with.
type Sent = BTreeMap<String, String>;

impl Site {
    async fn new() -> Self {
        let place = Place::new().await;
        let key = Key::curve();
        let issuer = Issuer::new(vec![key.public("one")]).await;
        let store = place.store().await;
        let subject = store.add_subject(&id("ada"), &issuer.url, "00uada").await;
        assert!(subject.unwrap());
        let (org, allowed) = (place.org.address().to_string(), issuer.address.to_string());
        let serve = ["serve", "--listen", "127.0.0.1:0", "--public-url", BASE];
        let believes = ["--issuer", &issuer.url, "--issuer-client-id", CLIENT];
        let reach = ["--allow-origin", &allowed, "--allow-origin", &org];
        let log = ["--log", "info"];
        let all = [&serve[..], &believes, &reach, &log].concat();
        let mut command = place.home.command("ada", &all);
        command.env("PORTCULLIS_ISSUER_CLIENT_SECRET", SECRET);
        Self {
            server: Server::of(command),
            place,
            issuer,
            key,
        }
    }

    fn visitor(&self) -> Visitor {
        Visitor::at(self.server.address, BASE)
    }

    /// Goes on to the issuer, and gives what the browser is sent there with.
    async fn sent(&self, visitor: &mut Visitor, page: &str) -> Sent {
        let page = visitor.get(page).await;
        page.has("Sign in at 127.0.0.1");
        let onward = visitor.submit(&page, "/sign-in/issuer", &[]).await;
        assert_eq!(onward.status, 200, "{}", onward.text);
        let (_, rest) = onward.text.split_once("<a href=\"").unwrap();
        let url = rest.split('"').next().unwrap().replace("&amp;", "&");
        onward.has("http-equiv=\"refresh\"");
        let url = Url::parse(&url).unwrap();
        assert!(
            url.as_str()
                .starts_with(&format!("{}/authorize?tenant=acme&", self.issuer.url))
        );
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        let sent: Sent = pairs.iter().cloned().collect();
        assert_eq!(pairs.len(), sent.len(), "{url}");
        sent
    }

    /// Says what a good ID token has.
    fn claims(&self, sent: &Sent, subject: &str) -> Value {
        let mut claims = self.issuer.claims(subject);
        claims["aud"] = json!(CLIENT);
        claims["iat"] = json!(now());
        claims["nonce"] = json!(sent["nonce"]);
        claims
    }

    fn token(&self, claims: &Value) -> String {
        self.key.token(json!({"kid": "one", "typ": "JWT"}), claims)
    }

    /// Has the issuer give a code for an ID token, and gives the query that leads back with it.
    fn code(&self, sent: &Sent, id_token: String) -> String {
        let code = format!("code-{}", self.issuer.said.redeemed.load(Ordering::SeqCst));
        let granted = Code {
            challenge: Some(sent["code_challenge"].clone()),
            redirect: sent["redirect_uri"].clone(),
            id_token,
        };
        let mut codes = self.issuer.said.codes.lock().unwrap();
        codes.insert(code.clone(), granted);
        self.back(sent, &code)
    }

    fn back(&self, sent: &Sent, code: &str) -> String {
        let query = [
            ("code", code),
            ("state", &sent["state"]),
            ("iss", &self.issuer.url),
        ];
        format!("{BACK}?{}", encoded(&query))
    }

    /// Signs a browser in as whom the issuer knows by a name.
    async fn sign_in(&self, visitor: &mut Visitor, page: &str, subject: &str) -> Seen {
        let sent = self.sent(visitor, page).await;
        let back = self.code(&sent, self.token(&self.claims(&sent, subject)));
        visitor.get(&back).await
    }

    async fn is_refused(&self, visitor: &mut Visitor, back: &str, what: &str) {
        let seen = visitor.get(back).await;
        assert_eq!(seen.status, 403, "{what}: {}", seen.text);
        assert!(visitor.session().is_none(), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_at_the_issuer_until_nobody_says_who_they_are() {
    let site = Site::new().await;
    assert!(
        site.server.said.contains(&format!("{BASE}{BACK}")),
        "{}",
        site.server.said
    );
    let mut ada = site.visitor();
    let sent = site.sent(&mut ada, "/sign-in?question=all").await;
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", &format!("{BASE}{BACK}")),
        ("scope", "openid"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(sent[name], value, "{sent:?}");
    }
    let back = site.code(&sent, site.token(&site.claims(&sent, "00uada")));
    let seen = ada.get(&back).await;
    assert_eq!(
        (seen.status, seen.to()),
        (303, "/approvals"),
        "{}",
        seen.text
    );
    ada.get("/approvals").await.has("Nothing waits for you");
    // The way back is good once.
    let kept = ada.cookies.clone();
    assert_eq!(ada.get(&back).await.status, 403);
    assert!(
        ada.cookies.keys().all(|name| !name.ends_with("_issuer")),
        "{kept:?}"
    );
    // A token still does, and each sign-in has a session of its own.
    let mut other = site.visitor();
    let seen = other
        .sign_in("/sign-in", &site.place.token("ada").await)
        .await;
    assert_eq!(seen.status, 303);
    // By the way out it ends, also for who has kept the cookie.
    let page = ada.get("/sign-in").await;
    page.has("You are signed in here as ada");
    assert_eq!(ada.submit(&page, "/sign-out", &[]).await.status, 303);
    ada.cookies = kept;
    assert!(!ada.get("/sign-in").await.text.contains("You are signed in"));
    // It ends with the name, in the middle of it.
    assert_eq!(
        site.sign_in(&mut ada, "/sign-in", "00uada").await.status,
        303
    );
    ada.get("/sign-in")
        .await
        .has("You are signed in here as ada");
    let by = [
        "person",
        "subject",
        "remove",
        "ada",
        "00uada",
        "--issuer",
        &site.issuer.url,
    ];
    site.place.home.must(&by);
    assert!(!ada.get("/sign-in").await.text.contains("You are signed in"));
    other
        .get("/sign-in")
        .await
        .has("You are signed in here as ada");
    let log = site.server.log();
    assert!(log.contains("signed in") && !log.contains(SECRET), "{log}");
    assert!(
        !log.contains(&sent["state"]) && !log.contains("code-0"),
        "{log}"
    );
}

/// The attack: an issuer is believed no more, since it was broken into, and whom it let in has kept the cookie.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_an_issuer_that_is_believed_no_more() {
    let site = Site::new().await;
    let mut ada = site.visitor();
    let seen = site.sign_in(&mut ada, "/sign-in", "00uada").await;
    assert_eq!(seen.status, 303, "{}", seen.text);
    // A program on the same store that was started without it.
    let mut there = site.place.visitor();
    there.cookies = ada.cookies.clone();
    let page = there.get("/sign-in").await;
    assert!(!page.text.contains("You are signed in"), "{}", page.text);
    assert_ne!(there.get("/approvals").await.status, 200);
    ada.get("/sign-in")
        .await
        .has("You are signed in here as ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn login_csrf() {
    let site = Site::new().await;
    // The attacker's own way back, complete, in another's browser: with and without a sign-in of that one under way.
    let (mut attacker, mut ada) = (site.visitor(), site.visitor());
    let theirs = site.sent(&mut attacker, "/sign-in").await;
    let back = site.code(&theirs, site.token(&site.claims(&theirs, "00uada")));
    site.is_refused(&mut ada, &back, "a way back of another's")
        .await;
    site.sent(&mut ada, "/sign-in").await;
    site.is_refused(&mut ada, &back, "the same, in the middle of a sign-in")
        .await;
    // By a cookie of a name that others can plant.
    for (name, value) in &attacker.cookies {
        if name.ends_with("_issuer") {
            let plain = name.replace("__Host-", "");
            ada.cookies.insert(plain, value.clone());
        }
    }
    site.is_refused(&mut ada, &back, "a planted cookie").await;
    assert_eq!(site.issuer.said.redeemed.load(Ordering::SeqCst), 0);
    // No site begins a sign-in in a browser.
    let page = ada.get("/sign-in").await;
    let form = form_of(&page, "/sign-in/issuer");
    let form = encoded(&[("token", &form[0].1)]);
    let evil = [("origin", "https://evil.example")];
    assert_eq!(
        ada.send("POST", "/sign-in/issuer", &evil, &form)
            .await
            .status,
        403
    );
    let here = [("origin", BASE)];
    assert_eq!(
        ada.send("POST", "/sign-in/issuer", &here, "token=")
            .await
            .status,
        403
    );
    let other = form_of(&page, "/sign-in");
    let other = encoded(&[("token", &other[0].1)]);
    assert_eq!(
        ada.send("POST", "/sign-in/issuer", &here, &other)
            .await
            .status,
        403
    );
    assert_eq!(ada.get("/sign-in/issuer").await.status, 405);
    assert_eq!(ada.post(BACK, &[]).await.status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn code_injection() {
    // A code that the issuer gave in another's browser is brought by this one, with this one's state.
    let site = Site::new().await;
    let (mut attacker, mut bob) = (site.visitor(), site.visitor());
    let adas = site.sent(&mut bob, "/sign-in").await;
    let own = site.sent(&mut attacker, "/sign-in").await;
    site.code(&adas, site.token(&site.claims(&adas, "00uada")));
    let taken = site.back(&own, "code-0");
    site.is_refused(&mut attacker, &taken, "a code by another verifier")
        .await;
    assert_eq!(site.issuer.said.redeemed.load(Ordering::SeqCst), 1);
    // Where the issuer does not look at the verifier, its ID token is still that of another sign-in.
    let own = site.sent(&mut attacker, "/sign-in").await;
    site.code(&adas, site.token(&site.claims(&adas, "00uada")));
    site.issuer
        .said
        .codes
        .lock()
        .unwrap()
        .get_mut("code-1")
        .unwrap()
        .challenge = None;
    let taken = site.back(&own, "code-1");
    let seen = attacker.get(&taken).await;
    assert_eq!(seen.status, 403, "{}", seen.text);
    seen.has("another sign-in");
    assert!(attacker.session().is_none());
    // A state without its cookie, and with things twice or missing.
    for query in [
        format!("code=x&state={}", "A".repeat(43)),
        format!("code=x&code=y&state={}", own["state"]),
        "code=x".to_owned(),
        format!("state={}", own["state"]),
    ] {
        site.is_refused(&mut attacker, &format!("{BACK}?{query}"), &query)
            .await;
    }
    assert_eq!(site.issuer.said.redeemed.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_token_that_is_not_for_here_from_here_and_now_signs_nobody_in() {
    let site = Site::new().await;
    let stranger = Key::curve();
    let changes: [(&str, &str, Value); 16] = [
        ("another client's", "aud", json!("another")),
        ("another client's, too", "aud", json!([CLIENT, "another"])),
        ("this server's, as for access", "aud", json!(BASE)),
        ("nobody's", "aud", json!([])),
        ("by another client", "azp", json!("another")),
        ("of another sign-in", "nonce", json!("A".repeat(43))),
        ("of no sign-in", "nonce", Value::Null),
        ("of a sign-in that is no text", "nonce", json!([1])),
        ("another issuer's", "iss", json!("https://evil.example")),
        (
            "almost the issuer's",
            "iss",
            json!(format!("{}/", site.issuer.url)),
        ),
        ("ended", "exp", json!(now() - 3_600)),
        ("without an end", "exp", Value::Null),
        ("not yet", "nbf", json!(now() + 3_600)),
        ("without a name", "sub", Value::Null),
        ("a name that is none", "sub", json!(7)),
        ("a person's id", "sub", json!("ada")),
    ];
    for (what, name, value) in changes {
        let mut visitor = site.visitor();
        // Each by an address of its own: who fails too often waits.
        visitor.from = Some(Box::leak(
            format!("203.0.113.{}", what.len()).into_boxed_str(),
        ));
        let sent = site.sent(&mut visitor, "/sign-in").await;
        let mut claims = site.claims(&sent, "00uada");
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value,
        }
        let back = site.code(&sent, site.token(&claims));
        site.is_refused(&mut visitor, &back, what).await;
    }
    type Making = Box<dyn Fn(&Value) -> String>;
    let unsigned = |claims: &Value| {
        use base64::Engine;
        let coded = |text: String| base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(text);
        format!(
            "{}.{}.",
            coded(json!({"alg": "none"}).to_string()),
            coded(claims.to_string())
        )
    };
    let others: [(&str, Making); 4] = [
        ("another's key by the same name", {
            Box::new(move |claims| stranger.token(json!({"kid": "one", "typ": "JWT"}), claims))
        }),
        ("unsigned", Box::new(unsigned)),
        ("nothing", Box::new(|_| String::new())),
        ("no token", Box::new(|_| "x.y.z".to_owned())),
    ];
    for (number, (what, make)) in others.into_iter().enumerate() {
        let mut visitor = site.visitor();
        visitor.from = Some(
            [
                "198.51.100.1",
                "198.51.100.2",
                "198.51.100.3",
                "198.51.100.4",
            ][number],
        );
        let sent = site.sent(&mut visitor, "/sign-in").await;
        let back = site.code(&sent, make(&site.claims(&sent, "00uada")));
        site.is_refused(&mut visitor, &back, what).await;
    }
    // An access token is none, though it is the issuer's and names everything rightly.
    let mut visitor = site.visitor();
    let sent = site.sent(&mut visitor, "/sign-in").await;
    let access = site
        .key
        .token(json!({"kid": "one"}), &site.claims(&sent, "00uada"));
    let back = site.code(&sent, access);
    site.is_refused(&mut visitor, &back, "an access token")
        .await;
    // And the ID token is none for access.
    let sent = site.sent(&mut visitor, "/sign-in").await;
    let client = super::client::Client::new(
        site.server.address,
        super::HOST,
        &site.token(&site.claims(&sent, "00uada")).into(),
    );
    assert_eq!(client.initialize().await.status, 401);
    assert_eq!(
        site.sign_in(&mut visitor, "/sign-in", "00uada")
            .await
            .status,
        303
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_back_of_another_issuer_and_of_who_said_no() {
    let site = Site::new().await;
    let mut ada = site.visitor();
    let sent = site.sent(&mut ada, "/sign-in").await;
    let state = &sent["state"];
    site.code(&sent, site.token(&site.claims(&sent, "00uada")));
    // The issuer says that it names itself: who does not is another.
    for query in [
        format!("code=code-0&state={state}&iss=https%3A%2F%2Fevil.example"),
        format!("code=code-0&state={state}"),
    ] {
        let cookies = ada.cookies.clone();
        site.is_refused(&mut ada, &format!("{BACK}?{query}"), &query)
            .await;
        ada.cookies = cookies;
    }
    assert_eq!(site.issuer.said.redeemed.load(Ordering::SeqCst), 0);
    let said_no = [
        ("error", "access_denied<script>"),
        ("state", state),
        ("iss", &site.issuer.url),
    ];
    let seen = ada.get(&format!("{BACK}?{}", encoded(&said_no))).await;
    assert_eq!(seen.status, 403);
    seen.has("access_denied&lt;script&gt;");
    assert!(ada.session().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subject_that_nobody_is() {
    let site = Site::new().await;
    for subject in ["00ubob", "ada", "00UADA", "00uada ", "<b>&"] {
        let mut visitor = site.visitor();
        let seen = site
            .sign_in(&mut visitor, "/sign-in?question=all", subject)
            .await;
        assert_eq!(seen.status, 403, "{subject}: {}", seen.text);
        seen.has("Nobody knows you here yet");
        assert!(!seen.text.contains("<b>"), "{}", seen.text);
        assert!(visitor.session().is_none());
    }
    // Trying does not go on forever.
    let mut visitor = site.visitor();
    let refused = loop {
        let seen = site.sign_in(&mut visitor, "/sign-in", "00ubob").await;
        if seen.status != 403 {
            break seen;
        }
    };
    assert_eq!(refused.status, 429, "{}", refused.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn session_fixation_and_open_redirect() {
    let site = Site::new().await;
    let store = site.place.store().await;
    store
        .add_subject(&id("bob"), &site.issuer.url, "00ubob")
        .await
        .unwrap();
    let mut attacker = site.visitor();
    assert_eq!(
        site.sign_in(&mut attacker, "/sign-in", "00ubob")
            .await
            .status,
        303
    );
    let (name, planted) = attacker.session().unwrap();
    let (name, planted) = (name.to_owned(), planted.to_owned());
    let mut ada = site.visitor();
    let sent = site
        .sent(&mut ada, "/sign-in?link=//evil.example&question=../x")
        .await;
    ada.cookies.insert(name, planted.clone());
    let back = site.code(&sent, site.token(&site.claims(&sent, "00uada")));
    let seen = ada
        .get(&format!(
            "{back}&link=//evil.example&question=//evil.example"
        ))
        .await;
    assert_eq!((seen.status, seen.to()), (303, "/sign-in"));
    assert_ne!(ada.session().unwrap().1, planted);
    ada.get("/sign-in")
        .await
        .has("You are signed in here as ada");
    let page = attacker.get("/sign-in").await;
    assert!(!page.text.contains("You are signed in"), "{}", page.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_client_people_sign_in_by_their_tokens_alone() {
    let place = Place::new().await;
    let key = Key::curve();
    let issuer = Issuer::new(vec![key.public("one")]).await;
    let allowed = issuer.address.to_string();
    let believes = ["--issuer", &issuer.url, "--allow-origin", &allowed];
    let server = Server::start(&place.home, &place.org, BASE, &believes);
    let mut visitor = Visitor::at(server.address, BASE);
    let page = visitor.get("/sign-in").await;
    page.has("Your token");
    assert!(!page.text.contains("/sign-in/issuer"), "{}", page.text);
    assert_eq!(visitor.get(BACK).await.status, 404);
    assert_eq!(visitor.post("/sign-in/issuer", &[]).await.status, 404);
    // Where nobody signs in, no client is taken; and one without an issuer is none.
    for wrong in [
        &[
            "--issuer",
            &issuer.url,
            "--allow-origin",
            &allowed,
            "--public-url",
            "http://localhost:1",
        ][..],
        &["--public-url", BASE],
        &[
            "--issuer",
            &issuer.url,
            "--allow-origin",
            &allowed,
            "--public-url",
            BASE,
            "--issuer-client-secret-env",
            "NOT_SET",
        ],
        &["--issuer", &issuer.url],
    ] {
        let serve = [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--issuer-client-id",
            CLIENT,
        ];
        let said = place.home.run(&[&serve[..], wrong].concat());
        assert_eq!(said.code, 2, "{wrong:?}: {}", said.stderr);
    }
}
