//! Replacing tokens: generations, leases, and what a crash leaves behind.

use std::time::Duration;

use portcullis_policy::ConnectionId;
use portcullis_store::{ConnectionState, InFlight, Lease, Rotation, Store, StoreError};
use secrecy::ExposeSecret;

use crate::support::{Fixture, ada, new_tokens, origin};

const LONG: Duration = Duration::from_secs(30);

async fn lease(store: &Store, id: &ConnectionId, holder: &str) -> Lease {
    store.lease(id, 0, holder, LONG).await.unwrap()
}

#[tokio::test]
async fn new_tokens_take_the_place_of_those_that_they_came_from() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let id = fixture.own(ada(), "first").await;
    let Rotation::Stored(token) = store
        .rotate_tokens(&id, 0, new_tokens("second"))
        .await
        .unwrap()
    else {
        panic!("stale");
    };
    assert_eq!(
        (token.secret.expose_secret(), token.generation),
        ("second", 1)
    );
    let (secrets, _) = store.secrets(&id).await.unwrap();
    assert_eq!(
        secrets.refresh_token.unwrap().expose_secret(),
        "refresh-first",
        "it stays"
    );

    let mut rotated = new_tokens("third");
    rotated.refresh_token = Some("refresh-third".to_owned().into());
    rotated.scopes = Some(vec!["api".to_owned(), "web".to_owned()]);
    rotated.origin = Some(origin("https://acme--moved.example.com"));
    store.rotate_tokens(&id, 1, rotated).await.unwrap();
    let stored = store.stored_connection(&id).await.unwrap().unwrap();
    assert_eq!(stored.generation, 2);
    assert_eq!(stored.scopes, ["api", "web"]);
    assert_eq!(stored.origin, origin("https://acme--moved.example.com"));
    assert!(stored.identity.is_some());
    assert!(stored.refreshed.is_some());
    let (secrets, _) = store.secrets(&id).await.unwrap();
    assert_eq!(
        secrets.refresh_token.unwrap().expose_secret(),
        "refresh-third"
    );

    let Rotation::Stale(token) = store
        .rotate_tokens(&id, 1, new_tokens("late"))
        .await
        .unwrap()
    else {
        panic!("an old one took the place of a new one");
    };
    assert_eq!(
        (token.secret.expose_secret(), token.generation),
        ("third", 2)
    );
    let gone = "gone".parse().unwrap();
    let refused = store
        .rotate_tokens(&gone, 0, new_tokens("late"))
        .await
        .unwrap_err();
    assert!(matches!(refused, StoreError::NotFound { .. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_replace_the_same_tokens_one_does() {
    let fixture = Fixture::new().await;
    let id = fixture.own(ada(), "first").await;
    let other = fixture.open_again(&fixture.master).await.unwrap();
    let tasks = (0..50).map(|number| {
        let store = if number % 2 == 0 {
            &fixture.store
        } else {
            &other
        }
        .clone();
        let id = id.clone();
        tokio::spawn(async move {
            let new = new_tokens(&format!("token-{number}"));
            store.rotate_tokens(&id, 0, new).await.unwrap()
        })
    });
    let mut stored = Vec::new();
    let mut stale = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        match task.await.unwrap() {
            Rotation::Stored(token) => stored.push(token),
            Rotation::Stale(token) => stale.push(token),
        }
    }
    assert_eq!((stored.len(), stale.len()), (1, 49));
    let won = stored[0].secret.expose_secret();
    assert!(
        stale
            .iter()
            .all(|token| token.secret.expose_secret() == won)
    );
}

#[tokio::test]
async fn one_refreshes_at_a_time_over_all_processes() {
    let fixture = Fixture::new().await;
    let id = fixture.own(ada(), "first").await;
    let here = &fixture.store;
    let there = &fixture.open_again(&fixture.master).await.unwrap();
    let Lease::Leased(leased) = lease(here, &id, "here").await else {
        panic!("not leased");
    };
    assert_eq!(leased.secrets.access_token.expose_secret(), "first");
    assert!(leased.connection.in_flight_since.is_none());
    let Lease::HeldUntil(until) = lease(there, &id, "there").await else {
        panic!("leased twice");
    };
    assert_eq!(until, leased.until);
    assert!(
        matches!(lease(here, &id, "here").await, Lease::Leased(_)),
        "its own is prolonged"
    );
    assert!(!there.sending(&id, "there").await.unwrap());
    assert!(here.sending(&id, "here").await.unwrap());
    there
        .release(&id, "there", InFlight::Nothing)
        .await
        .unwrap();
    assert!(matches!(
        lease(there, &id, "there").await,
        Lease::HeldUntil(_)
    ));

    here.rotate_tokens(&id, 0, new_tokens("second"))
        .await
        .unwrap();
    let Lease::Newer(token) = lease(there, &id, "there").await else {
        panic!("a refresh of what was refreshed");
    };
    assert_eq!(
        (token.secret.expose_secret(), token.generation),
        ("second", 1)
    );
    let next = there.lease(&id, 1, "there", LONG).await.unwrap();
    let Lease::Leased(leased) = next else {
        panic!("the lease was not released");
    };
    assert!(
        leased.connection.in_flight_since.is_none(),
        "the answer was stored"
    );
}

#[tokio::test]
async fn a_holder_that_dies_leaves_a_lease_that_ends_and_a_mark() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let id = fixture.own(ada(), "first").await;
    lease(store, &id, "dies").await;
    assert!(store.sending(&id, "dies").await.unwrap());
    let sent = fixture.clock_now();
    fixture.pass(LONG - Duration::from_millis(1));
    assert!(matches!(
        lease(store, &id, "next").await,
        Lease::HeldUntil(_)
    ));
    fixture.pass(Duration::from_millis(1));
    assert!(
        !store.sending(&id, "dies").await.unwrap(),
        "its lease has ended"
    );
    let Lease::Leased(leased) = lease(store, &id, "next").await else {
        panic!("the lease does not end");
    };
    assert_eq!(leased.connection.in_flight_since, Some(sent));
    assert!(
        !store.sending(&id, "dies").await.unwrap(),
        "it is another's"
    );
    assert!(store.sending(&id, "next").await.unwrap());
    store
        .release(&id, "next", InFlight::Unanswered)
        .await
        .unwrap();
    let stored = store.stored_connection(&id).await.unwrap().unwrap();
    assert!(stored.in_flight_since.is_some());
    lease(store, &id, "third").await;
    store
        .release(&id, "third", InFlight::Nothing)
        .await
        .unwrap();
    let stored = store.stored_connection(&id).await.unwrap().unwrap();
    assert!(stored.in_flight_since.is_none());
    // A connection that is quiet bears no mark.
    lease(store, &id, "dies too").await;
    fixture.pass(LONG);
    let Lease::Leased(leased) = lease(store, &id, "next").await else {
        panic!("the lease does not end");
    };
    assert!(leased.connection.in_flight_since.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_want_to_refresh_one_may() {
    let fixture = Fixture::new().await;
    let id = fixture.own(ada(), "first").await;
    let other = fixture.open_again(&fixture.master).await.unwrap();
    let tasks = (0..50).map(|number| {
        let store = if number % 2 == 0 {
            &fixture.store
        } else {
            &other
        }
        .clone();
        let id = id.clone();
        tokio::spawn(async move { lease(&store, &id, &format!("holder-{number}")).await })
    });
    let mut leased = 0;
    for task in tasks.collect::<Vec<_>>() {
        leased += u32::from(matches!(task.await.unwrap(), Lease::Leased(_)));
    }
    assert_eq!(leased, 1);
}

#[tokio::test]
async fn a_connection_ends_for_its_own_tokens_alone() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let id = fixture.own(ada(), "first").await;
    let state = async || store.stored_connection(&id).await.unwrap().unwrap().state;
    store
        .rotate_tokens(&id, 0, new_tokens("second"))
        .await
        .unwrap();
    assert!(
        !store.mark_reconnect(&id, 0, "revoked").await.unwrap(),
        "that is an old story"
    );
    assert_eq!(state().await, ConnectionState::Active);
    lease(store, &id, "holder").await;
    assert!(
        store
            .mark_reconnect(&id, 1, "the\nservice revoked it")
            .await
            .unwrap()
    );
    let reason = "theservice revoked it".to_owned();
    assert_eq!(state().await, ConnectionState::Reconnect { reason });
    // A refresh that succeeds after all mends it.
    assert!(matches!(
        store.lease(&id, 1, "other", LONG).await.unwrap(),
        Lease::Leased(_)
    ));
    store
        .rotate_tokens(&id, 1, new_tokens("third"))
        .await
        .unwrap();
    assert_eq!(state().await, ConnectionState::Active);
}
