//! Somebody writes into the file: what they moved or turned to another purpose does not open.

use std::time::Duration;

use portcullis::ports::credentials::{Credentials, Environment};
use portcullis_store::{Owner, SignIn, StoreCredentials, StoreError};

use crate::credentials::no_renewal;
use crate::support::{Fixture, ada, bob, calls, crm, endpoints};

#[tokio::test]
async fn a_token_that_was_moved_to_another_row_does_not_open() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let adas = fixture.own(ada(), "adas").await;
    let bobs = fixture.own(bob(), "bobs").await;
    fixture
        .tamper(&format!(
            "UPDATE connections SET secrets = (SELECT secrets FROM connections WHERE id = '{adas}') WHERE id = '{bobs}'"
        ))
        .await;
    let refused = store.access_token(&bobs).await.unwrap_err();
    assert!(matches!(refused, StoreError::Seal(_)), "{refused:?}");
    assert!(
        refused.to_string().contains("moved here from elsewhere"),
        "{refused}"
    );
    assert!(store.secrets(&bobs).await.is_err());
    assert!(store.access_token(&adas).await.is_ok());
    // It can still be removed, and connected anew.
    let removed = store.remove_connection(&bobs).await.unwrap().unwrap();
    assert!(removed.ending.is_none());
    assert!(removed.connection.identity.is_some());
}

#[tokio::test]
async fn a_value_that_was_moved_to_another_column_does_not_open() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let id = fixture.own(ada(), "token").await;
    fixture
        .tamper("UPDATE connections SET identity = secrets")
        .await;
    assert!(matches!(
        store.stored_connection(&id).await,
        Err(StoreError::Seal(_))
    ));
    assert!(store.connections().await.is_err());
    let removed = store.remove_connection(&id).await.unwrap().unwrap();
    assert!(removed.connection.identity.is_none());
    assert!(removed.ending.is_some());
}

#[tokio::test]
async fn a_row_that_was_turned_to_another_server_or_person_does_not_open() {
    for change in [
        "origin = 'https://evil.example'",
        "person = 'bob@example.com'",
        "person = NULL",
        "connector = 'mail'",
        "id = 'another'",
    ] {
        let fixture = Fixture::new().await;
        let id = fixture.own(ada(), "token").await;
        fixture
            .tamper(&format!("UPDATE connections SET {change}"))
            .await;
        let id = if change.starts_with("id") {
            "another".parse().unwrap()
        } else {
            id
        };
        let refused = fixture.store.access_token(&id).await.unwrap_err();
        assert!(
            matches!(refused, StoreError::Seal(_)),
            "{change}: {refused:?}"
        );

        // The host's port refuses too, rather than to send the token there.
        let port = StoreCredentials::new(fixture.store.clone(), no_renewal(), None);
        assert!(port.token(&id).await.is_err());
        for person in [ada(), bob()] {
            let connection = port.connection(&calls(person), &crm()).await;
            assert!(
                !matches!(
                    connection,
                    Ok(portcullis::ports::credentials::Lookup::Found(_))
                ),
                "{change}"
            );
        }
    }
}

#[tokio::test]
async fn a_sign_in_that_was_given_to_another_person_or_more_time_does_not_open() {
    for change in ["person = 'bob@example.com'", "expires = expires + 1000000"] {
        let fixture = Fixture::new().await;
        let state = "state".to_owned().into();
        let sign_in = SignIn {
            person: ada(),
            owner: Owner::Shared,
            connector: crm(),
            label: "Acme".to_owned(),
            environment: Environment::Unknown,
            replaces: None,
            allow_other_organization: false,
            link: None,
            browser: None,
            verifier: "verifier".to_owned().into(),
            client_id: "app".to_owned(),
            client_secret: None,
            endpoints: endpoints(),
            redirect_uri: "http://127.0.0.1/".to_owned(),
            scopes: vec![],
        };
        let lasts = Duration::from_secs(60);
        fixture
            .store
            .begin_sign_in(&state, &sign_in, lasts)
            .await
            .unwrap();
        fixture
            .tamper(&format!("UPDATE sign_ins SET {change}"))
            .await;
        let refused = fixture.store.take_sign_in(&state).await.unwrap_err();
        assert!(
            matches!(refused, StoreError::Seal(_)),
            "{change}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn a_data_key_that_was_altered_does_not_open() {
    let fixture = Fixture::new().await;
    let id = fixture.own(ada(), "token").await;
    fixture.store.rotate_key().await.unwrap();
    let wrapped: Vec<u8> = sqlx::query_scalar("SELECT wrapped FROM keys")
        .fetch_one(&mut fixture.raw().await)
        .await
        .unwrap();
    let mut altered = wrapped.clone();
    altered[30] ^= 1;
    let hex: String = altered.iter().map(|byte| format!("{byte:02x}")).collect();
    fixture
        .tamper(&format!("UPDATE keys SET wrapped = x'{hex}'"))
        .await;
    let refused = fixture.open_again(&fixture.master).await.unwrap_err();
    assert!(matches!(refused, StoreError::Seal(_)), "{refused:?}");
    assert!(
        fixture.store.access_token(&id).await.is_ok(),
        "who has it open has the key"
    );
}
