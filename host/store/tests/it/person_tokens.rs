//! Tokens of people and the sessions that they begin: good for as long as they and their person are.

use std::collections::BTreeSet;
use std::time::Duration;

use portcullis_policy::{ConnectionId, Digest};
use portcullis_store::{ConnectLink, LinkEnd, LinkState};
use secrecy::{ExposeSecret, SecretString};

use crate::support::{Fixture, ada, bob, crm};

const DAY: Duration = Duration::from_secs(24 * 3_600);
const HOURS: Duration = Duration::from_secs(12 * 3_600);
const MOMENT: Duration = Duration::from_millis(1);

async fn who(fixture: &Fixture, token: &SecretString) -> Option<String> {
    let person = fixture.store.person_of_token(token).await.unwrap();
    person.map(|person| person.id.to_string())
}

async fn signed_in(fixture: &Fixture, session: &SecretString) -> Option<String> {
    let person = fixture
        .store
        .person_of_session(session, None)
        .await
        .unwrap();
    person.map(|person| person.id.to_string())
}

async fn begin(fixture: &Fixture, token: &SecretString) -> Option<SecretString> {
    let begun = fixture.store.begin_session(token, HOURS).await.unwrap();
    begun.map(|(session, _)| session)
}

#[tokio::test]
async fn a_token_says_whose_it_is_until_it_ends() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let (token, made) = store
        .make_person_token(&bob(), " Laptop ", DAY)
        .await
        .unwrap();
    assert_eq!((&*made.label, made.used), ("Laptop", None));
    assert_eq!(who(&fixture, &token).await, Some(bob().to_string()));

    let text = token.expose_secret();
    assert_eq!(text.len(), "pct_".len() + 43, "256 bits");
    for wrong in [
        String::new(),
        "pct_".to_owned(),
        made.id.clone(),
        text[..text.len() - 1].to_owned(),
        format!("{text}x"),
        format!("{text} "),
        text.to_uppercase(),
        format!("pct_{}", "A".repeat(43)),
        Digest::of(text.as_bytes()).to_string(),
    ] {
        assert_eq!(who(&fixture, &wrong.into()).await, None);
    }

    fixture.pass(DAY - MOMENT);
    assert_eq!(who(&fixture, &token).await, Some(bob().to_string()));
    let listed = store.person_tokens(&bob()).await.unwrap();
    assert_eq!(listed[0].used, Some(fixture.clock_now()));
    fixture.pass(MOMENT);
    assert_eq!(who(&fixture, &token).await, None);
    assert_eq!(begin(&fixture, &token).await.map(drop), None);
    // It is said why.
    assert_eq!(store.person_tokens(&bob()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_token_ends_with_its_person_and_when_it_is_removed() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let (first, one) = store.make_person_token(&bob(), "One", DAY).await.unwrap();
    let (second, _) = store.make_person_token(&bob(), "Two", DAY).await.unwrap();
    let sessions = [
        begin(&fixture, &first).await.unwrap(),
        begin(&fixture, &second).await.unwrap(),
    ];
    // By whom it is not, it is not removed.
    assert!(!store.remove_person_token(&ada(), &one.id).await.unwrap());
    assert!(store.remove_person_token(&bob(), &one.id).await.unwrap());
    assert!(!store.remove_person_token(&bob(), &one.id).await.unwrap());
    assert_eq!(who(&fixture, &first).await, None);
    assert_eq!(signed_in(&fixture, &sessions[0]).await, None);
    assert_eq!(
        signed_in(&fixture, &sessions[1]).await,
        Some(bob().to_string())
    );

    store.remove_person(&bob()).await.unwrap();
    assert_eq!(who(&fixture, &second).await, None);
    assert_eq!(signed_in(&fixture, &sessions[1]).await, None);
    // Who comes back under the name gets nothing of what was.
    let role = portcullis_store::Role::Member;
    store.add_person(&bob(), "Bob", role).await.unwrap();
    assert_eq!(who(&fixture, &second).await, None);
    assert_eq!(signed_in(&fixture, &sessions[1]).await, None);
    assert!(store.person_tokens(&bob()).await.unwrap().is_empty());
    let nobody = "eve@example.com".parse().unwrap();
    assert!(store.make_person_token(&nobody, "x", DAY).await.is_err());
    assert!(store.make_person_token(&ada(), "a\nb", DAY).await.is_err());
}

#[tokio::test]
async fn a_session_is_no_token_and_outlives_none() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let (token, _) = store.make_person_token(&ada(), "x", DAY).await.unwrap();
    let (one, other) = (
        begin(&fixture, &token).await.unwrap(),
        begin(&fixture, &token).await.unwrap(),
    );
    assert_ne!(one.expose_secret(), other.expose_secret());
    for not_a_token in [&one, &other] {
        assert_eq!(who(&fixture, not_a_token).await, None);
        assert_eq!(begin(&fixture, not_a_token).await.map(drop), None);
    }
    assert_eq!(signed_in(&fixture, &token).await, None);

    assert!(store.end_session(&one).await.unwrap());
    assert!(!store.end_session(&one).await.unwrap());
    assert_eq!(signed_in(&fixture, &one).await, None);
    fixture.pass(HOURS - MOMENT);
    assert_eq!(signed_in(&fixture, &other).await, Some(ada().to_string()));
    fixture.pass(MOMENT);
    assert_eq!(signed_in(&fixture, &other).await, None);

    // One that begins late ends with its token.
    fixture.pass(DAY - HOURS - MOMENT);
    let late = begin(&fixture, &token).await.unwrap();
    assert!(signed_in(&fixture, &late).await.is_some());
    fixture.pass(MOMENT);
    assert_eq!(signed_in(&fixture, &late).await, None);
}

#[tokio::test]
async fn a_token_has_no_more_sessions_than_is_sensible() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let (token, _) = store.make_person_token(&ada(), "x", DAY).await.unwrap();
    let mut sessions = Vec::new();
    for _ in 0..40 {
        sessions.push(begin(&fixture, &token).await.unwrap());
        fixture.pass(MOMENT);
    }
    let mut alive = BTreeSet::new();
    for (number, session) in sessions.iter().enumerate() {
        if signed_in(&fixture, session).await.is_some() {
            alive.insert(number);
        }
    }
    assert_eq!(alive, (24..40).collect());
}

#[tokio::test]
async fn who_waits_for_a_link_is_told_how_it_ended() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let link = ConnectLink {
        person: ada(),
        agent: None,
        connector: crm(),
    };
    let made = store.make_link(&link, DAY).await.unwrap();
    let digest = Digest::of(made.expose_secret().as_bytes());
    let state = || async { store.link_state(&made).await.unwrap() };
    assert_eq!(state().await, LinkState::Open);
    store.take_link(&made).await.unwrap();
    assert_eq!(state().await, LinkState::Begun);
    let refused = LinkEnd::Refused {
        problem: "the service\u{7} said no".to_owned(),
        hint: Some("What to do:\n  - ask".to_owned()),
    };
    store
        .end_link(&digest, &ada(), &crm(), &refused, DAY)
        .await
        .unwrap();
    // What is said later does not count.
    let connected = LinkEnd::Connected(ConnectionId::parse("c").unwrap());
    store
        .end_link(&digest, &ada(), &crm(), &connected, DAY)
        .await
        .unwrap();
    let told = LinkEnd::Refused {
        problem: "the service said no".to_owned(),
        hint: Some("What to do:\n  - ask".to_owned()),
    };
    assert_eq!(state().await, LinkState::Ended(told));

    let other = store.make_link(&link, DAY).await.unwrap();
    store.take_link(&other).await.unwrap();
    let digest = Digest::of(other.expose_secret().as_bytes());
    store
        .end_link(&digest, &ada(), &crm(), &connected, DAY)
        .await
        .unwrap();
    let state = store.link_state(&other).await.unwrap();
    assert_eq!(state, LinkState::Ended(connected));
}
