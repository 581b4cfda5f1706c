//! Errors of the API that come from how an account is connected.

use portcullis_connect::{Subject, guide_of};
use portcullis_policy::ErrorPlace;
use secrecy::ExposeSecret;

use crate::support::{Site, origin, service};

/// What the manifest says of the answer to a call.
async fn title(site: &Site, token: &str) -> (u16, Option<String>) {
    let (status, body) = site.call("/services/data/v68.0/limits", token).await;
    let word = |member: &str| {
        let (_, rest) = body.split_once(&format!("\"{member}\":\"")).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let subject = Subject {
        origin: origin(site.org.url()),
        callback: None,
        client_id: None,
        scopes: Vec::new(),
    };
    let (code, message) = (word("errorCode"), word("message"));
    let guide = guide_of(
        service().auth,
        ErrorPlace::Call,
        &code,
        Some(&message),
        &subject,
    );
    (status, guide.map(|guide| guide.title))
}

#[tokio::test]
async fn who_may_not_use_the_api_is_told_what_to_do() {
    let site = Site::new().await;
    let disabled = site.user("kofi.arden").access_token;
    assert_eq!(
        title(&site, &disabled).await,
        (403, Some("The user may not use the API".to_owned()))
    );

    let app = site.app("Portcullis");
    let tokens = site.connect(&app, &site.user("aiko"), "id").await;
    let found = title(&site, tokens.access.expose_secret()).await;
    let expected = "The connection may not use the REST API".to_owned();
    assert_eq!(found, (401, Some(expected)));

    // One that is out of date is renewed, and needs no guide.
    assert_eq!(title(&site, "00Dx!x").await, (401, None));
}
