//! Attacks on a sign-in, each by its name: none connects anything, and none ends what is connected.

use portcullis::policy::PersonId;
use portcullis_connect::{AuthError, ConnectError, RedirectUri};
use secrecy::SecretString;
use url::Url;

use super::office::{ADA, BOB, Site, Wish, answered, callback};
use crate::support::name;

/// Puts something else in the place of a parameter of a query.
fn with(query: &str, parameter: &str, value: &str) -> String {
    let mut url = Url::parse(&format!("http://x/?{query}")).unwrap();
    let pairs: Vec<_> = url.query_pairs().into_owned().collect();
    url.query_pairs_mut()
        .clear()
        .extend_pairs(pairs.iter().map(|(name, old)| match name == parameter {
            true => (name.as_str(), value),
            false => (name.as_str(), old.as_str()),
        }));
    url.query().unwrap().to_owned()
}

fn parameter(query: &str, wanted: &str) -> String {
    let url = Url::parse(&format!("http://x/?{query}")).unwrap();
    let found = url.query_pairs().find(|(name, _)| name == wanted);
    found.unwrap().1.into_owned()
}

fn is_not_theirs(error: &ConnectError) -> bool {
    matches!(error, ConnectError::Callback(AuthError::NotYours))
}

#[tokio::test]
async fn login_csrf() {
    // Bob sends Ada the end of a sign-in of his own, so that she works in his account.
    let site = Site::new().await;
    let (adas, bobs): (SecretString, SecretString) = ("adas".into(), "bobs".into());
    let wish = Wish {
        person: BOB,
        browser: Some(&bobs),
        ..Wish::default()
    };
    let accounts = &site.office.accounts;
    for (who, browser) in [
        (Some(ADA), Some(&adas)),
        (Some(ADA), Some(&bobs)),
        (None, Some(&adas)),
        (None, None),
    ] {
        let query = site.come_back(&wish).await;
        let who = who.map(name);
        let refused = accounts
            .finish(&query, &callback(), who.as_ref(), browser)
            .await;
        let refused = refused.unwrap_err();
        assert!(is_not_theirs(&refused), "{refused}");
        // It was used up by that.
        let late = accounts
            .finish(&query, &callback(), Some(&name(BOB)), Some(&bobs))
            .await;
        assert!(is_not_theirs(&late.unwrap_err()));
    }
    assert!(site.stored().await.is_empty());
}

#[tokio::test]
async fn a_callback_at_another_listener() {
    let site = Site::new().await;
    let query = site.come_back(&Wish::default()).await;
    let elsewhere = RedirectUri::parse("http://127.0.0.1:7717/callback").unwrap();
    let accounts = &site.office.accounts;
    let refused = accounts
        .finish(&query, &elsewhere, Some(&name(ADA)), None)
        .await;
    assert!(is_not_theirs(&refused.unwrap_err()));
    assert!(site.stored().await.is_empty());
}

#[tokio::test]
async fn nobody_signs_in_for_what_cannot_be_replaced() {
    let site = Site::new().await;
    let own = site.sign_in(&Wish::default()).await.unwrap().connection;
    for (replaces, shared) in [(own, true), (name("gone"), true)] {
        let wish = Wish {
            shared,
            replaces: Some(replaces),
            ..Wish::default()
        };
        let refused = site.begin(&wish).await.unwrap_err();
        assert!(matches!(refused, ConnectError::Store(_)), "{refused}");
    }
}

#[tokio::test]
async fn a_callback_for_another_person() {
    let site = Site::new().await;
    let query = site.come_back(&Wish::default()).await;
    let refused = site
        .office
        .accounts
        .finish(&query, &callback(), Some(&name(BOB)), None)
        .await;
    assert!(is_not_theirs(&refused.unwrap_err()));
    assert!(site.stored().await.is_empty());
}

#[tokio::test]
async fn code_injection() {
    // Ada's browser comes back with a code that Bob got for himself, or one that he took from her.
    let site = Site::new().await;
    let bobs = Wish {
        person: BOB,
        user: "hedda",
        ..Wish::default()
    };
    let bobs = site.come_back(&bobs).await;
    let adas = site.come_back(&Wish::default()).await;
    let injected = with(&adas, "code", &parameter(&bobs, "code"));
    let accounts = &site.office.accounts;
    let refused = accounts
        .finish(&injected, &callback(), Some(&name(ADA)), None)
        .await;
    let refused = refused.unwrap_err();
    let title = &refused.guide().unwrap().title;
    assert_eq!(title, "The sign-in was begun by somebody else");
    let stolen = with(&bobs, "code", &parameter(&adas, "code"));
    let refused = accounts
        .finish(&stolen, &callback(), Some(&name(BOB)), None)
        .await;
    assert!(
        matches!(refused, Err(ConnectError::Token(_))),
        "{refused:?}"
    );
    assert!(site.stored().await.is_empty());
}

#[tokio::test]
async fn mixed_up_state() {
    let site = Site::new().await;
    let accounts = &site.office.accounts;
    let ada = name(ADA);
    let (one, other) = (
        site.come_back(&Wish::default()).await,
        site.come_back(&Wish::default()).await,
    );
    // Two sign-ins of the same person: the code of one does not finish the other.
    let mixed = with(&one, "state", &parameter(&other, "state"));
    let refused = accounts.finish(&mixed, &callback(), Some(&ada), None).await;
    assert!(
        matches!(refused, Err(ConnectError::Token(_))),
        "{refused:?}"
    );

    let state = parameter(&one, "state");
    for query in [
        with(&one, "state", "x"),
        with(&one, "state", ""),
        format!("{one}&state={state}"),
        "code=c".to_owned(),
        String::new(),
    ] {
        let refused = accounts.finish(&query, &callback(), Some(&ada), None).await;
        let refused = refused.unwrap_err();
        assert!(
            matches!(refused, ConnectError::Callback(_)),
            "{query}: {refused}"
        );
    }
    // An answer that says that it comes from elsewhere (RFC 9207).
    let elsewhere = format!("{one}&iss=https://evil.example");
    let refused = accounts
        .finish(&elsewhere, &callback(), Some(&ada), None)
        .await;
    let refused = refused.unwrap_err();
    let is_issuer = matches!(refused, ConnectError::Callback(AuthError::Issuer { .. }));
    assert!(is_issuer, "{refused}");
    assert!(site.stored().await.is_empty());
}

#[tokio::test]
async fn a_replayed_callback() {
    let site = Site::new().await;
    let (accounts, ada): (_, PersonId) = (&site.office.accounts, name(ADA));
    let query = site.come_back(&Wish::default()).await;
    let at_once = (0..8).map(|_| {
        let (accounts, query, ada) = (accounts.clone(), query.clone(), ada.clone());
        tokio::spawn(async move { accounts.finish(&query, &callback(), Some(&ada), None).await })
    });
    let mut connected = 0;
    for finished in at_once.collect::<Vec<_>>() {
        match finished.await.unwrap() {
            Ok(_) => connected += 1,
            Err(error) => assert!(is_not_theirs(&error), "{error}"),
        }
    }
    assert_eq!(connected, 1);
    let again = accounts.finish(&query, &callback(), Some(&ada), None).await;
    assert!(is_not_theirs(&again.unwrap_err()));
    assert!(answered(site.office.call().await).contains("aiko"));
    assert_eq!(site.stored().await.len(), 1);
}

#[tokio::test]
async fn open_redirect() {
    // Nothing that a callback carries says where anything goes.
    let site = Site::new().await;
    let started = site.begin(&Wish::default()).await.unwrap();
    assert!(started.url.starts_with(site.org.url()), "{}", started.url);
    let sent_to = parameter(started.url.split_once('?').unwrap().1, "redirect_uri");
    assert_eq!(sent_to, "http://127.0.0.1:1717/callback");
    for elsewhere in [
        "https://evil.example",
        "http://evil.example/callback",
        "//evil.example/callback",
        "https://host.example@evil.example",
    ] {
        assert!(RedirectUri::parse(elsewhere).is_err(), "{elsewhere}");
    }
    let query = site.come_back(&Wish::default()).await;
    let query = format!(
        "{query}&redirect_uri=https%3A%2F%2Fevil.example%2F&instance_url=https%3A%2F%2Fevil.example"
    );
    let connected = site
        .office
        .accounts
        .finish(&query, &callback(), None, None)
        .await;
    assert_eq!(connected.unwrap().origin.to_string(), site.org.url());
}
