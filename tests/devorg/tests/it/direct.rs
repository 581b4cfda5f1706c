//! The ways in without a browser: client credentials, JWT bearer, username and password.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use salesforce_devorg::{AppState, DevApp, Options};
use serde_json::{Value as Json, json};

use crate::client::{Answer, Api, V};

const TOKEN: &str = "/services/oauth2/token";
const ADMINISTRATOR: &str = "robin.admin@devorg.example";
const KEY: &str = include_str!("../data/jwt.key.pem");
const CERTIFICATE: &str = include_str!("../data/jwt.crt.pem");

fn app(api: &Api, name: &str) -> DevApp {
    let app = api.org.apps().into_iter().find(|app| app.name == name);
    app.unwrap()
}

fn assert_refused(answer: &Answer, error: &str, description: &str) {
    let expected = json!({"error": error, "error_description": description});
    assert_eq!((answer.status, answer.json()), (400, expected));
}

/// Checks that somebody was let in without a refresh token, and who it is.
async fn assert_let_in(api: &mut Api, answer: Answer, username: &str) {
    let tokens = answer.json();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(tokens.get("refresh_token").is_none(), "{tokens}");
    assert_eq!(answer.header("set-cookie"), "");
    api.token = tokens["access_token"].as_str().unwrap().to_owned();
    assert_eq!(api.get(V).await.status, 200);
    let id = tokens["id"].as_str().unwrap().replace(api.org.url(), "");
    // An app without the scope `id` may not ask who it is.
    let identity = api.get(&id).await;
    if identity.status == 200 {
        assert_eq!(identity.json()["username"], username);
    }
}

#[tokio::test]
async fn an_app_comes_by_its_own_credentials() {
    let mut api = Api::new().await;
    let job = app(&api, "Nightly Job");
    let ask = async |api: &Api, id: &str, secret: &str, headers: &[(&str, &str)]| {
        let mut headers = headers.to_vec();
        headers.push(("content-type", "application/x-www-form-urlencoded"));
        let form = crate::client::query(&[
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", secret),
        ]);
        api.send("POST", TOKEN, &headers, form).await
    };
    let answer = ask(&api, &job.client_id, &job.client_secret, &[]).await;
    assert_eq!(answer.json()["scope"], "api");
    assert_let_in(&mut api, answer, ADMINISTRATOR).await;

    let none = app(&api, "Job Without User");
    let no_user = ("invalid_grant", "no client credentials user enabled");
    let answer = ask(&api, &none.client_id, &none.client_secret, &[]).await;
    assert_refused(&answer, no_user.0, no_user.1);
    let answer = ask(&api, &job.client_id, "wrong", &[]).await;
    assert_refused(&answer, "invalid_client", "invalid client credentials");
    let answer = ask(&api, &job.client_id, "", &[]).await;
    assert_refused(
        &answer,
        "invalid_client",
        "client secret or code verifier missing",
    );
    let login = [("host", "login.salesforce.com")];
    let answer = ask(&api, &job.client_id, &job.client_secret, &login).await;
    assert_refused(
        &answer,
        "invalid_grant",
        "request not supported on this domain",
    );
    api.org.set_app_state(&job.name, AppState::NoRunAsUser);
    let answer = ask(&api, &job.client_id, &job.client_secret, &[]).await;
    assert_refused(&answer, no_user.0, no_user.1);
    api.org.set_app_state(&job.name, AppState::Blocked);
    let answer = ask(&api, &job.client_id, &job.client_secret, &[]).await;
    assert_refused(&answer, "OAUTH_APP_BLOCKED", "this app is blocked by admin");
}

#[tokio::test]
async fn old_clients_come_with_a_password() {
    let mut api = Api::new().await;
    let user = api.org.users()[2].clone();
    let ask = async |api: &Api, secret: &str, username: &str, password: &str| {
        let form = [
            ("grant_type", "password"),
            ("client_id", api.org.client_id()),
            ("client_secret", secret),
            ("username", username),
            ("password", password),
        ];
        api.post_form(TOKEN, &form).await
    };
    let secret = api.org.client_secret().to_owned();
    let answer = ask(&api, &secret, &user.username.to_uppercase(), &user.password).await;
    assert_let_in(&mut api, answer, &user.username).await;
    for (username, password) in [
        (&*user.username, "wrong"),
        (&*user.username, ""),
        ("nobody", &*user.password),
        (ADMINISTRATOR, &*user.password),
    ] {
        assert_refused(
            &ask(&api, &secret, username, password).await,
            "invalid_grant",
            "authentication failure - Invalid Password",
        );
    }
    let answer = ask(&api, "", &user.username, &user.password).await;
    assert_refused(
        &answer,
        "invalid_client",
        "client secret or code verifier missing",
    );
    api.org
        .set_app_state(api.org.client_id(), AppState::NotInstalled);
    let answer = ask(&api, &secret, &user.username, &user.password).await;
    assert_refused(&answer, "invalid_client", "app must be installed into org");
}

/// Signs an assertion by the key of the tests.
fn assertion(header: &Json, claims: &Json) -> String {
    let der: String = KEY.lines().filter(|line| !line.starts_with('-')).collect();
    let key = RsaKeyPair::from_pkcs8(&BASE64_STANDARD.decode(der).unwrap()).unwrap();
    let part = |json: &Json| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .unwrap();
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_secs()
}

async fn bear(api: &Api, assertion: &str) -> Answer {
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", assertion),
    ];
    api.post_form(TOKEN, &form).await
}

#[tokio::test]
async fn an_app_signs_for_users_who_have_let_it_in() {
    let mut api = Api::with(Options {
        jwt_certificate: Some(CERTIFICATE.to_owned()),
        ..Options::default()
    })
    .await;
    let rs256 = json!({"alg": "RS256"});
    let app_of = |name| app(&api, name).client_id;
    let (approved, plain) = (
        app_of("Signing Job"),
        app_of("Signing Job Without Approval"),
    );
    assert_eq!(api.org.jwt_client_id(), Some(approved.as_str()));
    let claims = |iss: &str, more: Json| {
        let mut claims = json!({
            "iss": iss,
            "sub": ADMINISTRATOR,
            "aud": "https://login.salesforce.com",
            "exp": now() + 180,
        });
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    };
    for aud in [
        json!("https://login.salesforce.com"),
        json!("https://test.salesforce.com/"),
        json!(api.org.url()),
        json!(["x", format!("{}/services/oauth2/token", api.org.url())]),
    ] {
        let claims = claims(&approved, json!({"aud": aud}));
        let answer = bear(&api, &assertion(&rs256, &claims)).await;
        assert_let_in(&mut api, answer, ADMINISTRATOR).await;
    }

    for exp in [json!(now() as f64 + 9.5), json!((now() + 9).to_string())] {
        let claims = claims(&approved, json!({"exp": exp}));
        let answer = bear(&api, &assertion(&rs256, &claims)).await;
        assert_let_in(&mut api, answer, ADMINISTRATOR).await;
    }

    let not_approved = ("invalid_grant", "user hasn't approved this consumer");
    let expired = ("invalid_grant", "expired authorization code");
    let invalid = ("invalid_grant", "invalid assertion");
    for (iss, more, refused) in [
        (&plain, json!({}), not_approved),
        (&approved, json!({"sub": "nobody"}), not_approved),
        (
            &approved,
            json!({"sub": "aiko.mori@devorg.example"}),
            (
                "invalid_app_access",
                "user is not admin approved to access this app",
            ),
        ),
        (
            &approved,
            json!({"sub": "jo.marsh@devorg.example"}),
            ("inactive_user", "user is inactive"),
        ),
        (
            &approved,
            json!({"aud": "https://salesforce.example"}),
            ("invalid_grant", "audience is invalid"),
        ),
        (&approved, json!({"exp": now() - 1}), expired),
        (&approved, json!({"exp": now() + 3_600}), expired),
        (&approved, json!({"exp": "soon"}), invalid),
        (
            &"nothing".to_owned(),
            json!({}),
            ("invalid_client_id", "client identifier invalid"),
        ),
    ] {
        let answer = bear(&api, &assertion(&rs256, &claims(iss, more.clone()))).await;
        assert_refused(&answer, refused.0, refused.1);
    }

    let good = assertion(&rs256, &claims(&approved, json!({})));
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let other = assertion(&rs256, &claims(&plain, json!({})));
    let (_, others_signature) = other.rsplit_once('.').unwrap();
    for forged in [
        "",
        "..",
        signed,
        &format!("{signed}."),
        &format!("{signed}.{others_signature}"),
        &format!("{signed}.{signature}="),
        &assertion(&json!({"alg": "none"}), &claims(&approved, json!({}))),
        &assertion(&json!({"alg": "HS256"}), &claims(&approved, json!({}))),
    ] {
        assert_refused(&bear(&api, forged).await, invalid.0, invalid.1);
    }

    // What a user allowed on the page counts; what is only remembered of the start does not.
    let user = api.org.users()[4].clone();
    let main = api.org.client_id().to_owned();
    let sub = json!({"sub": user.username});
    let by_main = assertion(&rs256, &claims(&main, sub));
    assert_refused(&bear(&api, &by_main).await, not_approved.0, not_approved.1);
    let form = [
        ("response_type", "code"),
        ("client_id", &*main),
        ("redirect_uri", "http://localhost/"),
        ("username", &*user.username),
        ("password", &*user.password),
        ("decision", "allow"),
    ];
    let back = api.post_form("/services/oauth2/authorize", &form).await;
    let (_, code) = back.header("location").split_once("code=").unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("client_id", &*main),
        ("client_secret", api.org.client_secret()),
        ("redirect_uri", "http://localhost/"),
    ];
    assert_eq!(api.post_form(TOKEN, &form).await.status, 200);
    let answer = bear(&api, &by_main).await;
    assert_let_in(&mut api, answer, &user.username).await;
    api.org.set_app_state(&main, AppState::NotPreApproved);
    assert_refused(&bear(&api, &by_main).await, not_approved.0, not_approved.1);
}

#[tokio::test]
async fn without_a_certificate_nothing_is_signed() {
    let api = Api::new().await;
    assert_eq!(api.org.jwt_client_id(), None);
    let claims = json!({
        "iss": app(&api, "Signing Job").client_id,
        "sub": ADMINISTRATOR,
        "aud": api.org.url(),
        "exp": now() + 60,
    });
    let answer = bear(&api, &assertion(&json!({"alg": "RS256"}), &claims)).await;
    assert_refused(&answer, "invalid_grant", "invalid assertion");
    let options = Options {
        jwt_certificate: Some("no PEM".into()),
        ..Options::default()
    };
    let error = salesforce_devorg::DevOrg::start(options).await.unwrap_err();
    assert!(error.to_string().contains("JWT bearer"), "{error}");
}
