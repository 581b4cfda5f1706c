//! Connections: kept, replaced, removed.

use std::time::Duration;

use portcullis::ports::credentials::Environment;
use portcullis_store::{ConnectionState, Grant, Owner, StoreError};
use secrecy::ExposeSecret;

use crate::support::{Fixture, ada, bob, connection, crm, identity, new_tokens, origin};

#[tokio::test]
async fn what_is_kept_is_found_again_with_its_secrets() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let mut new = connection(Owner::Person(ada()), "token");
    new.secrets.grant = Grant::Jwt {
        private_key_pem: "pem".to_owned().into(),
        subject: "robot@acme.example".to_owned(),
        audience: "https://login.example.com".to_owned(),
    };
    let put = store.put_connection(new.clone()).await.unwrap();
    assert!(put.replaced.is_none());
    assert_eq!(put.generation, 0);

    let again = fixture.open_again(&fixture.master).await.unwrap();
    let stored = again.stored_connection(&put.id).await.unwrap().unwrap();
    assert_eq!(
        again.own_connection(&ada(), &crm()).await.unwrap(),
        Some(stored.clone())
    );
    assert_eq!(
        again.connections().await.unwrap(),
        std::slice::from_ref(&stored)
    );
    assert_eq!(stored.owner, Owner::Person(ada()));
    assert_eq!(stored.origin, new.origin);
    assert_eq!(stored.identity, new.identity);
    assert_eq!(stored.scopes, new.scopes);
    assert_eq!(stored.environment, Environment::Production);
    assert_eq!(stored.state, ConnectionState::Active);
    assert_eq!(
        (stored.used, stored.refreshed, stored.in_flight_since),
        (None, None, None)
    );

    let (secrets, generation) = again.secrets(&put.id).await.unwrap();
    assert_eq!(generation, 0);
    assert_eq!(secrets.access_token.expose_secret(), "token");
    assert_eq!(
        secrets.refresh_token.unwrap().expose_secret(),
        "refresh-token"
    );
    assert_eq!(secrets.client_id, "the-app");
    assert_eq!(
        secrets.client_secret.unwrap().expose_secret(),
        "client-secret"
    );
    assert_eq!(secrets.endpoints, new.secrets.endpoints);
    assert_eq!(secrets.scopes, new.secrets.scopes);
    let Grant::Jwt {
        private_key_pem,
        subject,
        ..
    } = secrets.grant
    else {
        panic!("{:?}", secrets.grant);
    };
    assert_eq!(
        (private_key_pem.expose_secret(), subject.as_str()),
        ("pem", "robot@acme.example")
    );
}

#[tokio::test]
async fn a_person_has_one_connection_of_a_connector() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let first = fixture.own(ada(), "first").await;
    let other = fixture.own(bob(), "bobs").await;
    let put = store
        .put_connection(connection(Owner::Person(ada()), "second"))
        .await
        .unwrap();
    let replaced = put.replaced.unwrap();
    assert_eq!(replaced.connection.id, first);
    assert_eq!(
        replaced.connection.identity,
        Some(identity("ada@acme.example"))
    );
    assert_eq!(
        replaced
            .ending
            .unwrap()
            .ended
            .secrets
            .access_token
            .expose_secret(),
        "first"
    );
    assert_ne!(put.id, first);
    assert_eq!(put.generation, 1);
    assert!(store.stored_connection(&first).await.unwrap().is_none());
    assert!(store.stored_connection(&other).await.unwrap().is_some());
    // Shared ones are as many as there are accounts.
    fixture.shared("one").await;
    fixture.shared("two").await;
    assert_eq!(store.connections().await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_renewed_connection_keeps_its_id() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let shared = fixture.shared("old").await;
    store.mark_reconnect(&shared, 0, "expired").await.unwrap();
    let mut new = connection(Owner::Shared, "new");
    new.replaces = Some(shared.clone());
    new.origin = origin("https://acme2.example.com");
    let put = store.put_connection(new.clone()).await.unwrap();
    assert_eq!((put.id, put.generation), (shared.clone(), 1));
    assert_eq!(
        put.replaced
            .unwrap()
            .ending
            .unwrap()
            .ended
            .secrets
            .access_token
            .expose_secret(),
        "old"
    );
    let stored = store.stored_connection(&shared).await.unwrap().unwrap();
    assert_eq!(stored.state, ConnectionState::Active);
    assert_eq!(stored.origin, new.origin);
    assert_eq!(store.access_token(&shared).await.unwrap().generation, 1);

    new.owner = Owner::Person(ada());
    let refused = store.put_connection(new.clone()).await.unwrap_err();
    assert!(
        matches!(refused, StoreError::OtherConnection(_)),
        "{refused}"
    );
    new.owner = Owner::Shared;
    new.connector = "mail".parse().unwrap();
    assert!(store.put_connection(new.clone()).await.is_err());
    new.replaces = Some("gone".parse().unwrap());
    assert!(matches!(
        store.put_connection(new).await,
        Err(StoreError::NotFound { .. })
    ));
    let nobody = connection(Owner::Person("eve@example.com".parse().unwrap()), "token");
    assert!(matches!(
        store.put_connection(nobody).await,
        Err(StoreError::NotFound { .. })
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_sign_ins_at_once_one_stays_and_the_others_are_given_back() {
    let fixture = Fixture::new().await;
    let puts = (0..20).map(|number| {
        let store = fixture.store.clone();
        let new = connection(Owner::Person(ada()), &format!("token-{number}"));
        tokio::spawn(async move { store.put_connection(new).await.unwrap() })
    });
    let mut replaced = Vec::new();
    for put in puts.collect::<Vec<_>>() {
        replaced.extend(put.await.unwrap().replaced);
    }
    assert_eq!(replaced.len(), 19);
    assert_eq!(fixture.store.connections().await.unwrap().len(), 1);
}

#[tokio::test]
async fn who_is_removed_takes_their_connections_along() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    fixture.own(bob(), "bobs").await;
    let mut mail = connection(Owner::Person(bob()), "mails");
    mail.connector = "mail".parse().unwrap();
    store.put_connection(mail).await.unwrap();
    let adas = fixture.own(ada(), "adas").await;

    let removed = store.remove_person(&bob()).await.unwrap();
    let mut tokens: Vec<String> = removed
        .into_iter()
        .map(|removed| {
            removed
                .ending
                .unwrap()
                .ended
                .secrets
                .access_token
                .expose_secret()
                .to_owned()
        })
        .collect();
    tokens.sort();
    assert_eq!(tokens, ["bobs", "mails"]);
    assert_eq!(store.connections().await.unwrap().len(), 1);

    let removed = store.remove_connection(&adas).await.unwrap().unwrap();
    assert_eq!(
        removed
            .ending
            .unwrap()
            .ended
            .secrets
            .access_token
            .expose_secret(),
        "adas"
    );
    assert!(store.remove_connection(&adas).await.unwrap().is_none());
    let gone = store.access_token(&adas).await.unwrap_err();
    assert!(matches!(gone, StoreError::NotFound { .. }));
}

#[tokio::test]
async fn what_is_found_out_later_is_kept_for_the_tokens_it_is_of() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let mut new = connection(Owner::Person(ada()), "token");
    new.identity = None;
    new.state = ConnectionState::Pending;
    let id = store.put_connection(new).await.unwrap().id;
    let signed_in = fixture.clock_now();
    fixture.pass(Duration::from_secs(1));
    let earlier = signed_in - Duration::from_secs(1);
    for other in [earlier, fixture.clock_now()] {
        let other = store.set_identity(&id, other, &identity("x")).await;
        assert!(!other.unwrap());
    }
    // The tokens may be others by now; who signed in is the same.
    store
        .rotate_tokens(&id, 0, new_tokens("next"))
        .await
        .unwrap();
    assert!(
        store
            .set_identity(&id, signed_in, &identity("ada@acme"))
            .await
            .unwrap()
    );
    let identity_of_pending = identity("ada@acme");
    let put = store.activate(&id, &identity_of_pending).await.unwrap();
    assert_eq!(put.unwrap().id, id);
    let again = store.activate(&id, &identity_of_pending).await.unwrap();
    assert!(again.is_none());
    store.relabel(&id, "Acme, sandbox").await.unwrap();
    let stored = store.stored_connection(&id).await.unwrap().unwrap();
    assert_eq!(stored.identity, Some(identity("ada@acme")));
    assert_eq!(stored.environment, Environment::Sandbox);
    assert_eq!(stored.state, ConnectionState::Active);
    assert_eq!(stored.label, "Acme, sandbox");
    assert!(store.relabel(&id, "").await.is_err());
}

#[tokio::test]
async fn a_use_is_written_down_to_the_minute() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let id = fixture.own(ada(), "token").await;
    let used = async || store.stored_connection(&id).await.unwrap().unwrap().used;
    store.note_use(&id).await.unwrap();
    let first = used().await.unwrap();
    fixture.pass(Duration::from_secs(59));
    store.note_use(&id).await.unwrap();
    assert_eq!(used().await, Some(first));
    fixture.pass(Duration::from_secs(1));
    store.note_use(&id).await.unwrap();
    assert_eq!(
        used().await.unwrap().as_millisecond() - first.as_millisecond(),
        60_000
    );
}

#[tokio::test]
async fn a_pending_renewal_stands_beside_until_it_is_known_to_work() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let pending = |owner: Owner, token: &str, replaces| {
        let mut new = connection(owner, token);
        new.identity = None;
        new.state = ConnectionState::Pending;
        new.replaces = replaces;
        new
    };
    for (owner, old) in [
        (Owner::Person(ada()), fixture.own(ada(), "old").await),
        (Owner::Shared, fixture.shared("old").await),
    ] {
        let new = pending(owner.clone(), "new", Some(old.clone()));
        let id = store.put_connection(new).await.unwrap().id;
        assert_ne!(id, old);
        let access = store.access_token(&old).await.unwrap();
        assert_eq!(access.secret.expose_secret(), "old");
        // It is no connection yet: who marks it as ended ends nothing else.
        store.mark_reconnect(&id, 0, "refused").await.unwrap();
        if let Owner::Person(person) = &owner {
            let own = store.own_connection(person, &crm()).await.unwrap();
            assert_eq!(own.unwrap().id, old);
        }

        let other = pending(owner.clone(), "third", Some(id.clone()));
        let refused = store.put_connection(other).await.unwrap_err();
        assert!(matches!(refused, StoreError::OtherConnection(_)));

        let put = store.activate(&id, &identity("new")).await.unwrap();
        let put = put.unwrap();
        assert_eq!((put.id, put.generation), (old.clone(), 1));
        let before = put.replaced.unwrap().ending.unwrap().ended.secrets;
        assert_eq!(before.access_token.expose_secret(), "old");
        assert!(store.stored_connection(&id).await.unwrap().is_none());
        let stored = store.stored_connection(&old).await.unwrap().unwrap();
        assert_eq!(stored.state, ConnectionState::Active);
        assert_eq!(stored.identity, Some(identity("new")));
        let access = store.access_token(&old).await.unwrap();
        assert_eq!(access.secret.expose_secret(), "new");
    }
}

#[tokio::test]
async fn a_pending_connection_takes_no_place_that_is_gone_and_is_removed_in_time() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let old = fixture.shared("old").await;
    let mut new = connection(Owner::Shared, "new");
    new.state = ConnectionState::Pending;
    new.replaces = Some(old.clone());
    let id = store.put_connection(new).await.unwrap().id;
    store.remove_connection(&old).await.unwrap();
    let refused = store.activate(&id, &identity("new")).await.unwrap_err();
    assert!(matches!(refused, StoreError::NotFound { .. }), "{refused}");
    let stored = store.stored_connection(&id).await.unwrap().unwrap();
    assert_eq!(stored.state, ConnectionState::Pending);

    let hour = Duration::from_secs(3_600);
    let kept = fixture.own(ada(), "kept").await;
    fixture.pass(hour - Duration::from_secs(1));
    assert!(store.remove_pending(hour).await.unwrap().is_empty());
    fixture.pass(Duration::from_secs(1));
    let removed = store.remove_pending(hour).await.unwrap();
    let tokens: Vec<_> = removed
        .into_iter()
        .map(|removed| removed.ending.unwrap().ended.secrets.access_token)
        .collect();
    assert_eq!(tokens.len(), 1);
    assert_eq!(tokens[0].expose_secret(), "new");
    assert!(store.stored_connection(&kept).await.unwrap().is_some());
    assert_eq!(store.connections().await.unwrap().len(), 1);
}
