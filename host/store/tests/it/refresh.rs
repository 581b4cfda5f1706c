//! Replacing tokens: generations, leases, and what a crash leaves behind.

use portcullis_policy::ConnectionId;
use portcullis_store::{
    ConnectionState, Hold, InFlight, Lease, MasterKey, Rotation, Store, StoreError,
};
use secrecy::ExposeSecret;

use crate::support::{Fixture, ada, new_tokens, origin};

async fn lease(store: &Store, id: &ConnectionId, holder: &str) -> Lease {
    store.lease(id, 0, holder, None).await.unwrap()
}

/// Sees a lease of another's.
async fn held(store: &Store, id: &ConnectionId, holder: &str) -> Hold {
    match lease(store, id, holder).await {
        Lease::Held(hold) => hold,
        other => panic!("{other:?}"),
    }
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
    let seen = held(there, &id, "there").await;
    assert_eq!(held(there, &id, "there").await, seen);
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
    assert_ne!(held(there, &id, "there").await, seen, "it is kept");

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
    let next = there.lease(&id, 1, "there", None).await.unwrap();
    let Lease::Leased(leased) = next else {
        panic!("the lease was not released");
    };
    assert!(
        leased.connection.in_flight_since.is_none(),
        "the answer was stored"
    );
}

#[tokio::test]
async fn a_holder_that_dies_leaves_a_lease_to_take_over_and_a_mark() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let id = fixture.own(ada(), "first").await;
    lease(store, &id, "dies").await;
    assert!(store.sending(&id, "dies").await.unwrap());
    let sent = fixture.clock_now();
    let dead = held(store, &id, "next").await;
    let taken = store.lease(&id, 0, "next", Some(&dead)).await.unwrap();
    let Lease::Leased(leased) = taken else {
        panic!("{taken:?}");
    };
    assert_eq!(leased.connection.in_flight_since, Some(sent));
    // Who was taken for dead and lives sends nothing more, and takes nothing back.
    assert!(!store.sending(&id, "dies").await.unwrap());
    assert!(!store.beat(&id, "dies").await.unwrap());
    held(store, &id, "dies").await;
    let late = store.lease(&id, 0, "third", Some(&dead)).await.unwrap();
    assert!(matches!(late, Lease::Held(_)), "{late:?}");

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
    let dead = held(store, &id, "next").await;
    let taken = store.lease(&id, 0, "next", Some(&dead)).await.unwrap();
    let Lease::Leased(leased) = taken else {
        panic!("{taken:?}");
    };
    assert!(leased.connection.in_flight_since.is_none());
}

#[tokio::test]
async fn no_clock_ends_a_lease_or_keeps_it() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let id = fixture.own(ada(), "first").await;
    lease(store, &id, "lives").await;
    assert!(store.sending(&id, "lives").await.unwrap());
    let seen = held(store, &id, "next").await;
    for hours in [48, -72] {
        fixture.pass_hours(hours);
        // It lives, and says so.
        assert_eq!(held(store, &id, "next").await, seen);
    }
    assert!(store.beat(&id, "lives").await.unwrap());
    let late = store.lease(&id, 0, "next", Some(&seen)).await.unwrap();
    let Lease::Held(seen) = late else {
        panic!("{late:?}");
    };
    let taken = store.lease(&id, 0, "next", Some(&seen)).await.unwrap();
    assert!(matches!(taken, Lease::Leased(_)), "{taken:?}");
}

#[tokio::test]
async fn nothing_is_sent_whose_answer_could_not_be_sealed() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let id = fixture.own(ada(), "first").await;
    let other = fixture.open_again(&fixture.master).await.unwrap();
    lease(store, &id, "holder").await;
    // Another process moves to a new master key, and is killed before it has sealed anything anew.
    let new = MasterKey::random().unwrap();
    other.rewrap(&new).await.unwrap();
    let refused = store.sending(&id, "holder").await.unwrap_err();
    assert!(
        matches!(refused, StoreError::KeyChanged { .. }),
        "{refused}"
    );
    let stored = other.stored_connection(&id).await.unwrap().unwrap();
    assert_eq!(stored.in_flight_since, None);
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
        store.lease(&id, 1, "other", None).await.unwrap(),
        Lease::Leased(_)
    ));
    store
        .rotate_tokens(&id, 1, new_tokens("third"))
        .await
        .unwrap();
    assert_eq!(state().await, ConnectionState::Active);
}
