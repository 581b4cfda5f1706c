//! The apps that people sign in with.

use portcullis_policy::ConnectorName;
use portcullis_store::{NewApp, PutApp, StoreError};
use secrecy::ExposeSecret;

use crate::support::{Fixture, crm};

fn app(login: Option<&str>, secret: Option<&str>) -> NewApp {
    NewApp {
        connector: crm(),
        login: login.map(str::to_owned),
        client_id: "the-app".to_owned(),
        client_secret: secret.map(|secret| secret.to_owned().into()),
        scopes: None,
    }
}

#[tokio::test]
async fn a_login_has_its_own_app_or_its_connectors() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    assert!(store.app(&crm(), "sandbox").await.unwrap().is_none());
    let general = app(None, Some("general"));
    assert_eq!(store.put_app(&general).await.unwrap(), PutApp::New);
    assert_eq!(store.put_app(&general).await.unwrap(), PutApp::Same);
    let sandbox = app(Some("sandbox"), Some("of the sandbox"));
    assert_eq!(store.put_app(&sandbox).await.unwrap(), PutApp::New);
    let mut with_scopes = app(Some("sandbox"), Some("new"));
    assert_eq!(store.put_app(&with_scopes).await.unwrap(), PutApp::Replaced);
    with_scopes.scopes = Some(vec!["api".to_owned()]);
    assert_eq!(store.put_app(&with_scopes).await.unwrap(), PutApp::Replaced);

    for (login, secret) in [("sandbox", "new"), ("production", "general")] {
        let (_, found) = store.app(&crm(), login).await.unwrap().unwrap();
        assert_eq!(found.unwrap().expose_secret(), secret);
    }
    let apps = store.apps().await.unwrap();
    assert_eq!(apps.len(), 2);
    assert_eq!((&apps[0].login, &apps[0].scopes), (&None, &None));
    assert!(apps[1].has_secret && apps[1].scopes.is_some());

    let other = ConnectorName::parse("other").unwrap();
    assert!(store.app(&other, "sandbox").await.unwrap().is_none());
    assert!(store.remove_app(&crm(), Some("sandbox")).await.unwrap());
    assert!(!store.remove_app(&crm(), Some("sandbox")).await.unwrap());
    assert!(store.remove_app(&crm(), None).await.unwrap());
    assert!(store.apps().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_secret_that_was_turned_to_another_login_does_not_open() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    for altered in ["login = 'https://evil.example'", "client_id = 'other'"] {
        store.put_app(&app(None, Some("secret"))).await.unwrap();
        fixture.tamper(&format!("UPDATE apps SET {altered}")).await;
        let login = "https://evil.example";
        let refused = store.app(&crm(), login).await.unwrap_err();
        assert!(matches!(refused, StoreError::Seal(_)), "{refused}");
        store.remove_app(&crm(), Some(login)).await.unwrap();
    }
    // One that does not open is replaced like any other.
    let again = store.put_app(&app(None, Some("secret"))).await.unwrap();
    assert_eq!(again, PutApp::Replaced);
}

#[tokio::test]
async fn an_app_is_named_by_what_can_be_shown() {
    let fixture = Fixture::new().await;
    let mut wrong = app(Some("a\nb"), None);
    assert!(fixture.store.put_app(&wrong).await.is_err());
    wrong.login = None;
    wrong.client_id = String::new();
    assert!(fixture.store.put_app(&wrong).await.is_err());
}
