//! What has ended is kept until it is revoked, whatever ended it, and is nobody's to use.

use std::time::Duration;

use portcullis_store::{ConnectionState, Ended, Found, Owner, Store};
use secrecy::ExposeSecret;

use crate::support::{Fixture, ada, bob, calls, connection, crm, identity};

/// The refresh tokens that are to be revoked.
async fn endings(store: &Store) -> Vec<String> {
    let endings = store.endings().await.unwrap();
    let mut tokens: Vec<String> = endings
        .into_iter()
        .map(|ending| {
            let refresh = ending.ended.secrets.refresh_token.unwrap();
            refresh.expose_secret().to_owned()
        })
        .collect();
    tokens.sort();
    tokens
}

#[tokio::test]
async fn whatever_ends_a_connection_keeps_its_secrets_until_they_are_revoked() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    assert!(store.endings().await.unwrap().is_empty());
    // It is replaced, removed, left in the middle, and its person goes.
    fixture.own(ada(), "first").await;
    let second = fixture.own(ada(), "second").await;
    assert_eq!(endings(store).await, ["refresh-first"]);
    store.remove_connection(&second).await.unwrap();
    let mut pending = connection(Owner::Person(ada()), "pending");
    pending.state = ConnectionState::Pending;
    store.put_connection(pending).await.unwrap();
    store.remove_pending(Duration::ZERO).await.unwrap();
    fixture.own(bob(), "bobs").await;
    store.remove_person(&bob()).await.unwrap();
    let all = [
        "refresh-bobs",
        "refresh-first",
        "refresh-pending",
        "refresh-second",
    ];
    assert_eq!(endings(store).await, all);
    let found = store.find(&calls(ada()), &crm()).await.unwrap();
    assert_eq!(found, Found::NoneOfTheirOwn);
    // Another process finds them, also after keys were changed.
    store.rotate_key().await.unwrap();
    let other = fixture.open_again(&fixture.master).await.unwrap();
    assert_eq!(endings(&other).await, all);
    let bobs = other.endings().await.unwrap().pop().unwrap();
    assert_eq!(bobs.ended.user.unwrap().id, "005xx");
    for ending in other.endings().await.unwrap() {
        other.forget_ending(&ending.id).await.unwrap();
    }
    assert!(store.endings().await.unwrap().is_empty());
}

#[tokio::test]
async fn tokens_that_take_their_place_do_not_end() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let old = fixture.own(ada(), "old").await;
    let mut new = connection(Owner::Person(ada()), "new");
    new.state = ConnectionState::Pending;
    new.replaces = Some(old.clone());
    let pending = store.put_connection(new).await.unwrap().id;
    let put = store.activate(&pending, &identity("ada")).await.unwrap();
    assert_eq!(put.unwrap().id, old);
    assert_eq!(endings(store).await, ["refresh-old"]);
}

#[tokio::test]
async fn an_ending_opens_in_its_own_place_alone_and_not_for_ever() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let id = fixture.own(ada(), "token").await;
    let stored = store.stored_connection(&id).await.unwrap().unwrap();
    let (secrets, _) = store.secrets(&id).await.unwrap();
    let ended = Ended::of(&stored, secrets);
    store.keep_ending(ended.clone()).await.unwrap();
    assert_eq!(endings(store).await, ["refresh-token"]);
    fixture
        .tamper("UPDATE endings SET connector = 'evil'")
        .await;
    assert!(store.endings().await.unwrap().is_empty());
    let day = Duration::from_secs(86_400);
    fixture.pass(day);
    store.keep_ending(ended).await.unwrap();
    assert_eq!(store.forget_endings(day).await.unwrap(), 1);
    assert_eq!(endings(store).await, ["refresh-token"]);
}
