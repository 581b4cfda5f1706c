//! Apps in every state: how each is refused, and what cures it.

use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use salesforce_devorg::{AppState, DevApp, DevUser, Options};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::client::{Answer, Api, V, query};

const AUTHORIZE: &str = "/services/oauth2/authorize";
const TOKEN: &str = "/services/oauth2/token";
const USAGE: &str = "/setup/oauth-usage";
const CALLBACK: &str = "http://127.0.0.1:1717/callback";
const VERIFIER: &str = "0123456789-0123456789-0123456789-0123456789";
const GENERIC: &str = "OAUTH_APPROVAL_ERROR_GENERIC : An unexpected error has occurred during authentication. Please try again.";
/// The user who is no administrator.
const ORDINARY: usize = 3;

fn app(api: &Api, name: &str) -> DevApp {
    let app = api.org.apps().into_iter().find(|app| app.name == name);
    app.unwrap()
}

fn text(json: &Json, name: &str) -> String {
    json[name].as_str().unwrap_or_default().to_owned()
}

/// Reads the hidden values of a page's first form, as a browser sends them back.
fn hidden(page: &str) -> Vec<(String, String)> {
    let form = page.split("<form").nth(1).unwrap();
    let unescaped = |text: &str| text.replace("&quot;", "\"").replace("&amp;", "&");
    form.split("<input type=\"hidden\" name=\"")
        .skip(1)
        .map(|input| {
            let (name, rest) = input.split_once("\" value=\"").unwrap();
            (name.to_owned(), unescaped(rest.split('"').next().unwrap()))
        })
        .collect()
}

/// Sends a page's first form with what a person adds.
async fn press(api: &Api, path: &str, page: &str, added: &[(&str, &str)]) -> Answer {
    let hidden = hidden(page);
    let mut pairs: Vec<(&str, &str)> = hidden
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    pairs.extend(added);
    api.post_form(path, &pairs).await
}

/// What a browser ends with: the answer after the pages.
#[derive(Debug)]
enum End {
    /// Back at the app, with these parameters.
    App(HashMap<String, String>),
    /// On a page of Salesforce's own: the query of its address, and its text.
    Page(String, String),
}

impl End {
    fn of(&self, name: &str) -> &str {
        match self {
            Self::App(params) => params.get(name).map_or("", String::as_str),
            Self::Page(..) => "",
        }
    }
}

/// Goes through the pages as a browser does: opens, signs in, and presses a button if asked.
async fn browse(api: &Api, app: &DevApp, user: &DevUser, scope: &str, button: &str) -> End {
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let wish = query(&[
        ("response_type", "code"),
        ("client_id", &app.client_id),
        ("redirect_uri", CALLBACK),
        ("scope", scope),
        ("state", "s"),
        ("code_challenge", &challenge),
    ]);
    let mut answer = api.get(&format!("{AUTHORIZE}?{wish}")).await;
    if answer.status == 200 {
        assert!(answer.text.contains("type=\"password\""), "{answer:?}");
        let credentials = [("username", &*user.username), ("password", &*user.password)];
        answer = press(api, AUTHORIZE, &answer.text, &credentials).await;
    }
    if answer.status == 200 {
        assert!(answer.text.contains("Allow Access?"), "{answer:?}");
        assert!(answer.text.contains(&app.name), "{answer:?}");
        assert!(answer.text.contains(&user.username), "{answer:?}");
        assert_eq!(answer.header("set-cookie"), "");
        answer = press(api, AUTHORIZE, &answer.text, &[("decision", button)]).await;
    }
    if answer.status != 302 {
        return End::Page(String::new(), answer.text);
    }
    let (to, query) = answer.header("location").split_once('?').unwrap();
    if to != CALLBACK {
        let page = api.get(answer.header("location")).await;
        assert_eq!(page.status, 200, "{page:?}");
        return End::Page(query.to_owned(), page.text);
    }
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    End::App(
        pairs
            .map(|(name, value)| {
                (
                    name.to_owned(),
                    value.replace("%20", " ").replace("%27", "'"),
                )
            })
            .collect(),
    )
}

/// Redeems the code that a browser came back with.
async fn redeem(api: &Api, app: &DevApp, end: &End) -> Answer {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", end.of("code")),
        ("client_id", &*app.client_id),
        ("client_secret", &*app.client_secret),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    api.post_form(TOKEN, &form).await
}

async fn refresh(api: &Api, app: &DevApp, token: &str) -> Answer {
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("client_id", &*app.client_id),
        ("client_secret", &*app.client_secret),
    ];
    api.post_form(TOKEN, &form).await
}

fn assert_refused(answer: &Answer, error: &str, description: &str) {
    let expected = json!({"error": error, "error_description": description});
    assert_eq!((answer.status, answer.json()), (400, expected));
}

#[tokio::test]
async fn the_consent_page_names_the_app_and_each_scope_and_is_shown_once() {
    let api = Api::new().await;
    let app = app(&api, "Confidential Client");
    let user = api.org.users()[ORDINARY].clone();
    let scope = "api refresh_token id";
    let wish = query(&[
        ("response_type", "code"),
        ("client_id", &app.client_id),
        ("redirect_uri", CALLBACK),
        ("scope", scope),
        ("code_challenge", "c"),
    ]);
    let page = api.get(&format!("{AUTHORIZE}?{wish}")).await;
    let credentials = [("username", &*user.username), ("password", &*user.password)];
    let page = press(&api, AUTHORIZE, &page.text, &credentials).await;
    for words in [
        "Confidential Client is asking to:",
        "Manage user data via APIs (api)",
        "Perform requests at any time (refresh_token)",
        "Access the identity URL service (id)",
    ] {
        assert!(page.text.contains(words), "{words} {}", page.text);
    }
    assert!(!page.text.contains("<script"));
    let forged = [("sign_in", "forged"), ("decision", "allow")];
    let answer = press(&api, AUTHORIZE, &page.text, &forged).await;
    assert_eq!(
        answer.status, 400,
        "a ticket that was not given is nobody's"
    );

    let denied = browse(&api, &app, &user, scope, "deny").await;
    assert_eq!(denied.of("error"), "access_denied");
    let allowed = browse(&api, &app, &user, scope, "allow").await;
    let tokens = redeem(&api, &app, &allowed).await.json();
    assert_eq!(tokens["scope"], scope);
    // Now that it is known, the button is not there to be pressed.
    let again = browse(&api, &app, &user, scope, "deny").await;
    assert_eq!(again.of("error"), "");
    assert!(again.of("code").starts_with("aPrx"));
    // Until the user takes it back.
    let revoked = [("token", &*text(&tokens, "refresh_token"))];
    api.post_form("/services/oauth2/revoke", &revoked).await;
    let asked = browse(&api, &app, &user, scope, "deny").await;
    assert_eq!(asked.of("error"), "access_denied");
}

/// What a browser is told.
enum Told {
    /// An error at the app, and its description.
    App(&'static str, &'static str),
    /// What the address of a page begins with, and words on it.
    Page(&'static str, &'static str),
}

/// In a browser, and what a refresh is answered at the token endpoint, where that is an error.
#[tokio::test]
async fn each_state_is_refused_in_its_own_words() {
    let api = Api::new().await;
    let main = api.org.apps().remove(0);
    let user = api.org.users()[ORDINARY].clone();
    let before = browse(&api, &main, &user, "api refresh_token", "allow").await;
    let held = text(&redeem(&api, &main, &before).await.json(), "refresh_token");
    let cases = [
        (
            AppState::NotInstalled,
            Told::Page(
                "error=invalid_client&error_description=app%20must%20be%20installed%20into%20org",
                GENERIC,
            ),
            None,
        ),
        (
            AppState::ScopeMissing,
            Told::Page("error=invalid_scope&", GENERIC),
            None,
        ),
        (
            AppState::EcaNotFound,
            Told::Page(
                "error=OAUTH_EC_APP_NOT_FOUND&",
                "OAUTH_EC_APP_NOT_FOUND : External client app is not installed in this org",
            ),
            Some((
                "OAUTH_EC_APP_NOT_FOUND",
                "External client app is not installed in this org",
            )),
        ),
        (
            AppState::InactiveOrg,
            Told::Page(
                "error=inactive_org&",
                "organization is locked, closed, or suspended",
            ),
            Some((
                "inactive_org",
                "organization is locked, closed, or suspended",
            )),
        ),
        (
            AppState::Unknown,
            Told::Page(
                "",
                "error=invalid_client_id&amp;error_description=client identifier invalid",
            ),
            Some(("invalid_client_id", "client identifier invalid")),
        ),
        (
            AppState::CallbackMismatch,
            Told::Page(
                "",
                "error=redirect_uri_mismatch&amp;error_description=redirect_uri must match configuration",
            ),
            None,
        ),
        (
            AppState::AdminApproved,
            Told::App(
                "OAUTH_APP_ACCESS_DENIED",
                "user is not admin approved to access this app",
            ),
            Some((
                "invalid_app_access",
                "user is not admin approved to access this app",
            )),
        ),
        (
            AppState::Blocked,
            Told::App("OAUTH_APP_BLOCKED", "this app is blocked by admin"),
            Some(("OAUTH_APP_BLOCKED", "this app is blocked by admin")),
        ),
        (
            AppState::IpRestricted,
            Told::App("invalid_grant", "ip restricted"),
            Some(("invalid_grant", "ip restricted")),
        ),
        (
            AppState::OutsideLoginHours,
            Told::App("invalid_grant", "invalid login hours"),
            Some(("invalid_grant", "invalid login hours")),
        ),
        (
            AppState::InactiveUser,
            Told::App("inactive_user", "user is inactive"),
            Some(("inactive_user", "user is inactive")),
        ),
        (
            AppState::Denied,
            Told::App("access_denied", "end-user denied authorization"),
            None,
        ),
    ];
    for (state, told, at_token) in cases {
        assert!(api.org.set_app_state(&main.client_id, state));
        let end = browse(&api, &main, &user, "api refresh_token", "allow").await;
        match (&end, told) {
            (End::App(_), Told::App(error, description)) => {
                assert_eq!(end.of("error"), error);
                assert_eq!(end.of("error_description"), description);
                assert_eq!(end.of("state"), "s");
            }
            (End::Page(query, text), Told::Page(address, words)) => {
                assert!(query.starts_with(address), "{state:?} {query}");
                assert!(text.contains(words), "{state:?} {text}");
            }
            _ => unreachable!("{state:?} {end:?}"),
        }
        let renewed = refresh(&api, &main, &held).await;
        match at_token {
            Some((error, description)) => assert_refused(&renewed, error, description),
            None => assert_eq!(renewed.status, 200, "{state:?} what was granted holds"),
        }
        assert!(api.org.set_app_state("Portcullis", AppState::Ready));
    }
    assert!(!api.org.set_app_state("Nobody's", AppState::Ready));

    for (state, error) in [
        (AppState::CodesExpired, "expired authorization code"),
        (AppState::TokensExpired, "expired access/refresh token"),
    ] {
        api.org.set_app_state(&main.client_id, state);
        let end = browse(&api, &main, &user, "api refresh_token", "allow").await;
        let redeemed = redeem(&api, &main, &end).await;
        if state == AppState::CodesExpired {
            assert_refused(&redeemed, "invalid_grant", error);
        } else {
            let token = text(&redeemed.json(), "refresh_token");
            assert_refused(&refresh(&api, &main, &token).await, "invalid_grant", error);
        }
    }
}

#[tokio::test]
async fn to_block_an_app_ends_its_sessions_and_no_others() {
    let mut api = Api::new().await;
    let main = api.org.apps().remove(0);
    assert_eq!(api.get(V).await.status, 200);
    api.org.set_app_state("Public Client", AppState::Blocked);
    assert_eq!(api.get(V).await.status, 200);
    api.org.set_app_state(&main.name, AppState::Blocked);
    api.get(V).await.assert_error(401, "INVALID_SESSION_ID");
    api.org.set_app_state(&main.name, AppState::Ready);
    let token = api.org.users()[0].refresh_token.clone();
    api.token = text(&refresh(&api, &main, &token).await.json(), "access_token");
    assert_eq!(api.get(V).await.status, 200);
}

/// An ordinary user is refused, an administrator does something, and the user is let in.
#[tokio::test]
async fn an_uninstalled_app_is_cured_by_an_administrator_who_connects() {
    let api = Api::new().await;
    let app = app(&api, "Uninstalled Client");
    let (administrator, user) = (&api.org.users()[0], &api.org.users()[ORDINARY]);
    let refused = browse(&api, &app, user, "api", "allow").await;
    assert!(matches!(&refused, End::Page(query, text)
        if query.contains("app%20must%20be%20installed") && text.contains(GENERIC)));
    // To look at the consent page is not to allow.
    let denied = browse(&api, &app, administrator, "api", "deny").await;
    assert_eq!(denied.of("error"), "access_denied");
    let refused = browse(&api, &app, user, "api", "allow").await;
    assert!(matches!(refused, End::Page(..)));

    let connected = browse(&api, &app, administrator, "api", "allow").await;
    assert_eq!(redeem(&api, &app, &connected).await.status, 200);
    let let_in = browse(&api, &app, user, "api", "allow").await;
    assert_eq!(redeem(&api, &app, &let_in).await.status, 200);
}

#[tokio::test]
async fn an_uninstalled_app_is_cured_on_the_setup_page() {
    let api = Api::new().await;
    let app = app(&api, "Uninstalled Client");
    let users = api.org.users();
    let (administrator, user) = (&users[0], &users[ORDINARY]);
    let sign_in = |user: &DevUser| {
        vec![
            ("username".to_owned(), user.username.clone()),
            ("password".to_owned(), user.password.clone()),
        ]
    };
    let post = async |pairs: Vec<(String, String)>| {
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(a, b)| (&**a, &**b)).collect();
        api.post_form(USAGE, &pairs).await
    };
    assert!(api.get(USAGE).await.text.contains("Log In"));
    assert_eq!(post(sign_in(user)).await.status, 403);
    let nobody = vec![("username".to_owned(), "x".to_owned())];
    assert_eq!(post(nobody).await.status, 400);
    let forged = vec![
        ("sign_in".to_owned(), "forged".to_owned()),
        ("app".to_owned(), app.client_id.clone()),
        ("action".to_owned(), "Install".to_owned()),
    ];
    assert_eq!(post(forged).await.status, 400);

    let mut page = post(sign_in(administrator)).await;
    // What an ordinary user gets after each button; each is pressed on the page before it.
    for (button, before, after, code) in [
        ("Install", "Not installed", "Installed", true),
        ("Block", "Installed", "Blocked", false),
        ("Unblock", "Blocked", "Installed", true),
        ("Uninstall", "Installed", "Not installed", false),
    ] {
        let row = row_of(&page.text, &app.name);
        assert!(row.contains(&format!("<td>{before}</td>")), "{row}");
        assert!(row.contains(&format!("value=\"{button}\"")), "{row}");
        let mut pairs = hidden(&row);
        pairs.push(("action".to_owned(), button.to_owned()));
        page = post(pairs).await;
        assert_eq!(page.status, 200, "{page:?}");
        let row = row_of(&page.text, &app.name);
        assert!(row.contains(&format!("<td>{after}</td>")), "{row}");
        let end = browse(&api, &app, user, "api", "allow").await;
        assert_eq!(end.of("code").starts_with("aPrx"), code, "{button} {end:?}");
    }
}

fn row_of(page: &str, app: &str) -> String {
    let row = page.split("<tr>").find(|row| row.contains(app));
    row.unwrap().to_owned()
}

#[tokio::test]
async fn apps_are_held_to_their_settings() {
    let api = Api::new().await;
    let user = api.org.users()[ORDINARY].clone();
    let public = app(&api, "Public Client");
    let confidential = app(&api, "Confidential Client");

    let end = browse(&api, &public, &user, "api refresh_token", "allow").await;
    let no_secret = DevApp {
        client_secret: String::new(),
        ..public.clone()
    };
    let tokens = redeem(&api, &no_secret, &end).await.json();
    let first = text(&tokens, "refresh_token");
    let renewed = refresh(&api, &no_secret, &first).await.json();
    assert_ne!(text(&renewed, "refresh_token"), "", "it rotates");
    assert_ne!(text(&renewed, "refresh_token"), first);

    let end = browse(&api, &public, &user, "api web", "allow").await;
    assert!(matches!(end, End::Page(query, _) if query.starts_with("error=invalid_scope")));

    let end = browse(&api, &confidential, &user, "api refresh_token", "allow").await;
    let no_secret = DevApp {
        client_secret: String::new(),
        ..confidential.clone()
    };
    let missing = "client secret or code verifier missing";
    assert_refused(
        &redeem(&api, &no_secret, &end).await,
        "invalid_client",
        missing,
    );
    // The code is of one app, whoever else shows a key and secret of its own.
    let stolen = redeem(&api, &public, &end).await;
    assert_refused(&stolen, "invalid_grant", "invalid authorization code");
    // So is a refresh token.
    let stolen = refresh(&api, &confidential, &text(&renewed, "refresh_token")).await;
    assert_refused(&stolen, "invalid_grant", "expired access/refresh token");

    let wish = query(&[
        ("response_type", "code"),
        ("client_id", &public.client_id),
        ("redirect_uri", CALLBACK),
    ]);
    let unproven = api.get(&format!("{AUTHORIZE}?{wish}")).await;
    let expected = "error=invalid_request&error_description=missing%20required%20code%20challenge";
    assert!(
        unproven.header("location").contains(expected),
        "{unproven:?}"
    );
}

#[tokio::test]
async fn the_switch_of_the_start_is_that_of_the_app() {
    let api = Api::with(Options {
        app_state: Some(AppState::Blocked),
        ..Options::default()
    })
    .await;
    let main = api.org.apps().remove(0);
    assert_eq!(
        (main.state, &*main.client_id),
        (AppState::Blocked, api.org.client_id())
    );
    let end = browse(&api, &main, &api.org.users()[0], "api", "allow").await;
    assert_eq!(end.of("error"), "OAUTH_APP_BLOCKED");
}
