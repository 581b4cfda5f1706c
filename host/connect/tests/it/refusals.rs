//! What the service refuses, in each place where it says so, and what the host makes of it.

use portcullis_connect::{App, AuthError, Subject, TokenError, guide_of, guide_of_page, receive};
use portcullis_policy::ErrorPlace;
use salesforce_devorg::AppState;

use crate::support::{End, Site, asker, callback, held, origin, service};

const MAIN: &str = "Portcullis";

/// The code, the description, and the title of the guide.
pub(crate) type Said = (&'static str, &'static str, &'static str);

const NOT_INSTALLED: &str = "The app is not installed in this org";
pub(crate) const ABSENT: &str = "The External Client App is not in this org";
const CLOSED: &str = "The org is locked, closed or suspended";
const UNKNOWN_KEY: &str = "Salesforce does not know this consumer key";
const NOT_A_USER: &str = "The app is there, but you are not among its users";
const BLOCKED: &str = "An administrator has blocked this app";
const ELSEWHERE: &str = "The org does not let this machine's address in, or not now";
const HOURS: &str = "The user's profile does not let in at this hour";
const INACTIVE: &str = "The user is not active in the org";
const ENDED: &str = "Salesforce has ended this sign-in";

pub(crate) fn assert_said(error: &TokenError, said: Said) {
    let TokenError::Refused(refused) = error else {
        unreachable!("{error:?}")
    };
    let description = refused.description.as_deref().unwrap_or_default();
    let title = error.guide().map_or("no guide", |guide| &guide.title);
    assert_eq!((&*refused.code, description, title), said);
}

#[tokio::test]
async fn what_a_browser_brings_back_or_stays_at_is_explained() {
    let site = Site::new().await;
    let (app, user) = (site.app(MAIN), site.user("aiko"));
    let cases = [
        (AppState::NotInstalled, true, NOT_INSTALLED),
        (
            AppState::ScopeMissing,
            true,
            "The app lacks a scope that was asked for",
        ),
        (AppState::EcaNotFound, true, ABSENT),
        (AppState::InactiveOrg, true, CLOSED),
        (AppState::Unknown, true, UNKNOWN_KEY),
        (
            AppState::CallbackMismatch,
            true,
            "The app does not know this host's callback URL",
        ),
        (AppState::AdminApproved, false, NOT_A_USER),
        (AppState::Blocked, false, BLOCKED),
        (AppState::IpRestricted, false, ELSEWHERE),
        (AppState::OutsideLoginHours, false, HOURS),
        (AppState::InactiveUser, false, INACTIVE),
        (
            AppState::Denied,
            false,
            "Access was refused on Salesforce's page",
        ),
    ];
    for (state, stays, title) in cases {
        assert!(site.org.set_app_state(&app.client_id, state));
        let (url, attempt) = site.start(&app, &callback(), "api refresh_token");
        let guide = match site.browse(&url, &user, "allow").await {
            End::Page(address, text) if stays => {
                let words = if address.is_empty() { &text } else { &address };
                guide_of_page(service().auth, words, &attempt.subject())
            }
            End::Callback(query) if !stays => {
                match receive(&service(), &attempt, &asker(), &query) {
                    Err(AuthError::Refused(refused)) => refused.guide,
                    other => unreachable!("{state:?} {other:?}"),
                }
            }
            end => unreachable!("{state:?} {end:?}"),
        };
        let guide = guide.unwrap_or_else(|| unreachable!("{state:?} has no guide"));
        assert_eq!(guide.title, title, "{state:?}");
        let setup = guide.setup.map(|page| page.url);
        let is_of_the_org =
            |url: &String| url.starts_with(&format!("{}/lightning/setup/", site.org.url()));
        assert!(setup.as_ref().is_none_or(is_of_the_org), "{setup:?}");
        assert!(site.org.set_app_state(MAIN, AppState::Ready));
    }
}

#[tokio::test]
async fn what_a_page_says_in_general_is_explained_in_general() {
    let site = Site::new().await;
    let (app, user) = (site.app(MAIN), site.user("aiko"));
    site.org
        .set_app_state(&app.client_id, AppState::NotInstalled);
    let (url, attempt) = site.start(&app, &callback(), "api refresh_token");
    let End::Page(_, text) = site.browse(&url, &user, "allow").await else {
        unreachable!("{url}")
    };
    let guide = guide_of_page(service().auth, &text, &attempt.subject()).unwrap();
    assert_eq!(
        guide.title,
        "Salesforce did not let this app in, and does not say why"
    );
    assert!(guide.to_string().contains(callback().as_str()));

    let user = site.user("nightly.sync");
    site.org.set_app_state(&app.client_id, AppState::Ready);
    let End::Page(_, text) = site.browse(&url, &user, "allow").await else {
        unreachable!("{url}")
    };
    let guide = guide_of_page(service().auth, &text, &attempt.subject()).unwrap();
    assert_eq!(
        guide.title,
        "The user may use the API alone, and cannot sign in on a page"
    );
}

#[tokio::test]
async fn a_person_who_says_no_is_told_so() {
    let site = Site::new().await;
    let (app, user) = (site.app("Confidential Client"), site.user("aiko"));
    let (url, attempt) = site.start(&app, &callback(), "api refresh_token");
    let End::Callback(query) = site.browse(&url, &user, "deny").await else {
        unreachable!("{url} does not lead back")
    };
    let error = receive(&service(), &attempt, &asker(), &query).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the service refused to connect: access_denied (end-user denied authorization)"
    );
}

#[tokio::test]
async fn what_a_refresh_is_refused_with_is_explained() {
    let site = Site::new().await;
    let (app, user, endpoints) = (site.app(MAIN), site.user("aiko"), site.endpoints());
    let tokens = site.connect(&app, &user, "api refresh_token").await;
    let refresh = tokens.refresh.clone().unwrap();
    let cases: [(AppState, Said); 9] = [
        (
            AppState::TokensExpired,
            ("invalid_grant", "expired access/refresh token", ENDED),
        ),
        (
            AppState::EcaNotFound,
            (
                "OAUTH_EC_APP_NOT_FOUND",
                "External client app is not installed in this org",
                ABSENT,
            ),
        ),
        (
            AppState::InactiveOrg,
            (
                "inactive_org",
                "organization is locked, closed, or suspended",
                CLOSED,
            ),
        ),
        (
            AppState::Unknown,
            (
                "invalid_client_id",
                "client identifier invalid",
                UNKNOWN_KEY,
            ),
        ),
        (
            AppState::AdminApproved,
            (
                "invalid_app_access",
                "user is not admin approved to access this app",
                NOT_A_USER,
            ),
        ),
        (
            AppState::Blocked,
            ("OAUTH_APP_BLOCKED", "this app is blocked by admin", BLOCKED),
        ),
        (
            AppState::IpRestricted,
            ("invalid_grant", "ip restricted", ELSEWHERE),
        ),
        (
            AppState::OutsideLoginHours,
            ("invalid_grant", "invalid login hours", HOURS),
        ),
        (
            AppState::InactiveUser,
            ("inactive_user", "user is inactive", INACTIVE),
        ),
    ];
    for (state, said) in cases {
        assert!(site.org.set_app_state(&app.client_id, state));
        let client = site.client(&app, &endpoints);
        let error = client.refresh(&refresh, held(&tokens)).await.unwrap_err();
        assert_said(&error, said);
        assert!(site.org.set_app_state(MAIN, AppState::Ready));
    }
}

#[tokio::test]
async fn what_an_exchange_is_refused_with_is_explained() {
    let site = Site::new().await;
    let user = site.user("aiko");
    let exchange = async |name: &str, change: fn(&mut App), query: fn(String) -> String| {
        let mut app = site.app(name);
        let (url, attempt) = site.start(&app, &callback(), "api refresh_token");
        let End::Callback(came_back) = site.browse(&url, &user, "allow").await else {
            unreachable!("{url} does not lead back")
        };
        let code = receive(&service(), &attempt, &asker(), &query(came_back)).unwrap();
        change(&mut app);
        site.exchange(&app, attempt, code).await.unwrap_err()
    };
    let as_it_is = |query: String| query;
    let another_code = |query: String| query.replace("code=aPrx", "code=x");

    let error = exchange(MAIN, |_| (), another_code).await;
    assert_said(
        &error,
        (
            "invalid_grant",
            "invalid authorization code",
            "The sign-in was used already",
        ),
    );
    let wrong: fn(&mut App) = |app| app.client_secret = Some("wrong".into());
    let error = exchange(MAIN, wrong, as_it_is).await;
    assert_said(
        &error,
        (
            "invalid_client",
            "invalid client credentials",
            "The consumer secret is wrong",
        ),
    );
    let none: fn(&mut App) = |app| app.client_secret = None;
    let error = exchange("Confidential Client", none, as_it_is).await;
    assert_said(
        &error,
        (
            "invalid_client",
            "client secret or code verifier missing",
            "The app wants a consumer secret",
        ),
    );
    let other: fn(&mut App) = |app| app.client_id = "3MVG9wrong".to_owned();
    let error = exchange(MAIN, other, as_it_is).await;
    assert_said(
        &error,
        (
            "invalid_client_id",
            "client identifier invalid",
            UNKNOWN_KEY,
        ),
    );
    assert!(
        error
            .guide()
            .unwrap()
            .to_string()
            .contains(&site.app(MAIN).client_id)
    );
    site.org.set_app_state(MAIN, AppState::CodesExpired);
    let error = exchange(MAIN, |_| (), as_it_is).await;
    assert_said(
        &error,
        (
            "invalid_grant",
            "expired authorization code",
            "The sign-in took too long",
        ),
    );
}

/// What Salesforce is known to say, where it says so, and what is made of it.
#[test]
fn whatever_salesforce_says_has_its_guidance() {
    use ErrorPlace::{Call, Callback, Page, Token};
    let wrong_secret = "The consumer secret is wrong";
    let callback_unknown = "The app does not know this host's callback URL";
    let auth = service().auth;
    let subject = Subject {
        origin: origin("https://acme.my.salesforce.com"),
        callback: Some(callback().to_string()),
        client_id: Some("3MVG9.key".to_owned()),
        scopes: vec!["api".to_owned()],
    };
    for (place, code, description, title) in [
        (
            Token,
            "invalid_grant",
            "expired access/refresh token",
            ENDED,
        ),
        (
            Token,
            "invalid_grant",
            "invalid authorization code",
            "The sign-in was used already",
        ),
        (
            Token,
            "invalid_grant",
            "expired authorization code",
            "The sign-in took too long",
        ),
        (
            Token,
            "invalid_app_access",
            "user is not admin approved to access this app",
            NOT_A_USER,
        ),
        (Callback, "OAUTH_APP_ACCESS_DENIED", "", NOT_A_USER),
        (Page, "OAUTH_APP_ACCESS_DENIED", "", NOT_A_USER),
        (
            Token,
            "invalid_grant",
            "user hasn't approved this consumer",
            "The app is not approved for this user",
        ),
        (
            Token,
            "invalid_grant",
            "no client credentials user enabled",
            "The app has no user to run as",
        ),
        (
            Token,
            "invalid_client_id",
            "client identifier invalid",
            UNKNOWN_KEY,
        ),
        (
            Page,
            "invalid_client",
            "app must be installed into org",
            NOT_INSTALLED,
        ),
        (
            Token,
            "OAUTH_EC_APP_NOT_FOUND",
            "External client app is not installed in this org",
            ABSENT,
        ),
        (
            Page,
            "OAUTH_EC_APP_NOT_FOUND",
            "External client app is not installed in this org",
            ABSENT,
        ),
        (
            Page,
            "OAUTH_APPROVAL_ERROR_GENERIC",
            "An unexpected error has occurred during authentication. Please try again.",
            "Salesforce did not let this app in, and does not say why",
        ),
        (
            Token,
            "invalid_grant",
            "authentication failure - Invalid Password",
            "Salesforce did not let the user in",
        ),
        (
            Token,
            "invalid_grant",
            "request not supported on this domain",
            "This is the wrong address to sign in at",
        ),
        (Page, "redirect_uri_mismatch", "", callback_unknown),
        (
            Token,
            "redirect_uri_mismatch",
            "redirect_uri must match configuration",
            callback_unknown,
        ),
        (Callback, "inactive_user", "user is inactive", INACTIVE),
        (Token, "inactive_user", "user is inactive", INACTIVE),
        (Page, "inactive_org", "organization is locked", CLOSED),
        (Callback, "OAUTH_APP_BLOCKED", "", BLOCKED),
        (Page, "OAUTH_APP_BLOCKED", "", BLOCKED),
        (
            Callback,
            "access_denied",
            "end-user denied authorization",
            "Access was refused on Salesforce's page",
        ),
        (
            Token,
            "unsupported_grant_type",
            "grant type not supported",
            "The app does not allow this way to sign in",
        ),
        (
            Token,
            "invalid_client",
            "invalid client credentials",
            wrong_secret,
        ),
        (Token, "invalid_grant", "ip restricted", ELSEWHERE),
        (Callback, "access_denied", "ip restricted", ELSEWHERE),
        (Token, "invalid_grant", "invalid login hours", HOURS),
        (
            Call,
            "API_CURRENTLY_DISABLED",
            "API is disabled for this User",
            "The API is switched off for this user",
        ),
        (
            Call,
            "API_DISABLED_FOR_ORG",
            "API is not enabled for this Organization or Partner",
            "The user may not use the API",
        ),
        (
            Call,
            "INVALID_SESSION_ID",
            "This session is not valid for use with the REST API",
            "The connection may not use the REST API",
        ),
    ] {
        let found = guide_of(auth, place, code, Some(description), &subject);
        let guide = found.unwrap_or_else(|| unreachable!("{code} {description} has no guide"));
        assert_eq!(guide.title, title, "{place:?} {code} {description}");
        let steps = [&guide.steps, &guide.person, &guide.administrator];
        assert!(steps.iter().any(|steps| !steps.is_empty()), "{code}");
    }
}

#[test]
fn every_entry_of_the_manifest_is_found_by_its_own_words() {
    let auth = service().auth;
    let subject = Subject {
        origin: origin("https://acme.my.salesforce.com"),
        callback: None,
        client_id: None,
        scopes: Vec::new(),
    };
    for entry in &auth.guidance {
        let found = entry
            .where_
            .iter()
            .map(|place| guide_of(auth, *place, "x", Some(&entry.match_), &subject));
        for found in found {
            assert_eq!(found.unwrap().title, entry.title, "{}", entry.match_);
        }
    }
}
