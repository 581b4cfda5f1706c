//! Accounts that nobody signs in to: an app by its own credentials, and a user for whom it signs.

use std::time::{Duration, SystemTime};

use portcullis_connect::{Held, SigningKey};
use salesforce_devorg::{AppState, Options};
use secrecy::ExposeSecret;

use crate::flows::WHO;
use crate::refusals::{ABSENT, Said, assert_said};
use crate::support::{LOGIN_HOST, Site, origin};

const KEY: &str = include_str!("../../../../tests/devorg/tests/data/jwt.key.pem");
const CERTIFICATE: &str = include_str!("../../../../tests/devorg/tests/data/jwt.crt.pem");
const ADMINISTRATOR: &str = "robin.admin@devorg.example";
const NOBODY: &str = "The app has no user to run as";

#[tokio::test]
async fn an_app_comes_by_its_own_credentials() {
    let site = Site::new().await;
    let (app, endpoints) = (site.app("Nightly Job"), site.endpoints());
    let tokens = site
        .client(&app, &endpoints)
        .client_credentials()
        .await
        .unwrap();
    assert!(tokens.refresh.is_none());
    assert_eq!(tokens.scopes, ["api"]);
    let (status, _) = site
        .call("/services/data/v68.0", tokens.access.expose_secret())
        .await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn an_app_signs_for_a_user() {
    let site = Site::with(Options {
        jwt_certificate: Some(CERTIFICATE.to_owned()),
        ..Options::default()
    })
    .await;
    let (app, endpoints) = (site.app("Signing Job"), site.endpoints());
    let client = site.client(&app, &endpoints);
    let key = SigningKey::from_pem(&KEY.into()).unwrap();
    let tokens = client
        .signed(&key, ADMINISTRATOR, None, SystemTime::now())
        .await
        .unwrap();
    assert!(tokens.refresh.is_none());
    let (_, who) = site.call(WHO, tokens.access.expose_secret()).await;
    assert!(who.contains(ADMINISTRATOR), "{who}");

    let late = SystemTime::now() - Duration::from_secs(3_600);
    let error = client
        .signed(&key, ADMINISTRATOR, None, late)
        .await
        .unwrap_err();
    assert_eq!(error.guide().unwrap().title, "The sign-in took too long");
}

#[tokio::test]
async fn what_a_service_account_is_refused_with_is_explained() {
    let site = Site::with(Options {
        jwt_certificate: Some(CERTIFICATE.to_owned()),
        ..Options::default()
    })
    .await;
    let endpoints = site.endpoints();
    let nobody: Said = (
        "invalid_grant",
        "no client credentials user enabled",
        NOBODY,
    );
    let without = site.app("Job Without User");
    let error = site
        .client(&without, &endpoints)
        .client_credentials()
        .await
        .unwrap_err();
    assert_said(&error, nobody);
    let job = site.app("Nightly Job");
    site.org.set_app_state("Nightly Job", AppState::NoRunAsUser);
    let error = site
        .client(&job, &endpoints)
        .client_credentials()
        .await
        .unwrap_err();
    assert_said(&error, nobody);
    site.org.set_app_state("Nightly Job", AppState::Ready);

    let common = format!("http://{LOGIN_HOST}:{}", site.org.address().port());
    let common = site.endpoints_at(&common);
    let error = site
        .client(&job, &common)
        .client_credentials()
        .await
        .unwrap_err();
    assert_said(
        &error,
        (
            "invalid_grant",
            "request not supported on this domain",
            "This is the wrong address to sign in at",
        ),
    );
    // An External Client App is not found there, either.
    let public = site.app("Public Client");
    let nowhere = Held {
        origin: &origin(site.org.url()),
        scopes: &[],
    };
    let error = site
        .client(&public, &common)
        .refresh(&"x".into(), nowhere)
        .await;
    assert_said(
        &error.unwrap_err(),
        (
            "OAUTH_EC_APP_NOT_FOUND",
            "External client app is not installed in this org",
            ABSENT,
        ),
    );

    let key = SigningKey::from_pem(&KEY.into()).unwrap();
    let not_approved: Said = (
        "invalid_grant",
        "user hasn't approved this consumer",
        "The app is not approved for this user",
    );
    let now = SystemTime::now();
    let app = site.app("Signing Job Without Approval");
    let client = site.client(&app, &endpoints);
    let error = client
        .signed(&key, ADMINISTRATOR, None, now)
        .await
        .unwrap_err();
    assert_said(&error, not_approved);
    let app = site.app("Signing Job");
    let client = site.client(&app, &endpoints);
    let error = client
        .signed(&key, "nobody@devorg.example", None, now)
        .await
        .unwrap_err();
    assert_said(&error, not_approved);
    let client = site.client(&job, &endpoints);
    let error = client
        .signed(&key, ADMINISTRATOR, None, now)
        .await
        .unwrap_err();
    assert_said(
        &error,
        (
            "invalid_grant",
            "invalid assertion",
            "Salesforce does not take the signature",
        ),
    );
    let client = site.client(&app, &common);
    let error = client
        .signed(&key, ADMINISTRATOR, None, now)
        .await
        .unwrap_err();
    assert_said(
        &error,
        (
            "invalid_grant",
            "audience is invalid",
            "What was signed is meant for another address",
        ),
    );
}
