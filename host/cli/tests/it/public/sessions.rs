//! Who is signed in, and until when.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::visitor::Visitor;
use super::{Place, id};

async fn is_signed_in(visitor: &mut Visitor) -> bool {
    let seen = visitor.get("/sign-in").await;
    seen.text.contains("You are signed in here")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_with_what_it_came_from() {
    let place = Place::new().await;
    let link = place.link("bob").await;

    // By the way out, also for who has kept the cookie.
    let mut bob = place.signed_in("bob").await;
    let kept = bob.cookies.clone();
    let page = bob.get(&link).await;
    let out = bob.submit(&page, "/sign-out", &[]).await;
    assert_eq!((out.status, bob.session()), (303, None));
    assert!(out.to().starts_with("/sign-in?link="), "{}", out.to());
    bob.cookies = kept;
    assert!(!is_signed_in(&mut bob).await);
    assert_eq!(bob.get(&link).await.status, 303);

    // With the token.
    let mut bob = place.signed_in("bob").await;
    let mut other = place.signed_in("bob").await;
    let tokens = place.store().await.person_tokens(&id("bob")).await.unwrap();
    let last = &tokens[tokens.len() - 1];
    let mut first = tokens.iter().filter(|token| token.id != last.id);
    for token in first.by_ref() {
        place
            .home
            .must(&["person", "token", "remove", "bob", &token.id]);
    }
    let alive = [is_signed_in(&mut bob).await, is_signed_in(&mut other).await];
    assert_eq!(alive.iter().filter(|alive| **alive).count(), 1);
    place
        .home
        .must(&["person", "token", "remove", "bob", &last.id]);
    assert!(!is_signed_in(&mut bob).await && !is_signed_in(&mut other).await);
    assert_eq!(other.get(&link).await.status, 303);

    // With the person, in the middle of a sign-in.
    let mut bob = place.signed_in("bob").await;
    let url = bob.go_on(&link).await;
    let back = place.come_back(&url, "aiko", "allow").await;
    place.home.must(&["person", "remove", "bob"]);
    assert!(!is_signed_in(&mut bob).await);
    assert_eq!(bob.get(&back).await.status, 403);
    assert_eq!(place.connected().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_removed_or_has_ended_lets_nobody_in() {
    let place = Place::new().await;
    let store = place.store().await;
    let (removed, made) = store
        .make_person_token(&id("bob"), "x", Duration::from_secs(60))
        .await
        .unwrap();
    store
        .remove_person_token(&id("bob"), &made.id)
        .await
        .unwrap();
    let bob = id("bob");
    let ended = store.make_person_token(&bob, "x", Duration::ZERO).await;
    let ended = ended.unwrap().0;
    let session = place.signed_in("bob").await;
    let session: SecretString = session.session().unwrap().1.to_owned().into();
    for wrong in [removed, ended, session, "".into(), "x".repeat(3_000).into()] {
        let mut visitor = place.visitor();
        let seen = visitor.sign_in("/sign-in", &wrong).await;
        assert_eq!(seen.status, 403);
        seen.has("This token is nobody");
        assert!(visitor.session().is_none());
        assert!(wrong.expose_secret().is_empty() || !seen.text.contains(wrong.expose_secret()));
    }
    let log = place.server.log();
    assert!(log.contains("somebody did not get in"), "{log}");
    assert!(!log.contains("pct_"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_ends() {
    let place = Place::new().await;
    let right = place.token("bob").await;
    let guess: SecretString = format!("pct_{}", "A".repeat(43)).into();
    let mut guesser = place.visitor();
    guesser.from = Some("203.0.113.7");
    let mut tries = 0;
    let refused = loop {
        let seen = guesser.sign_in("/sign-in", &guess).await;
        if seen.status == 429 {
            break seen;
        }
        assert_eq!(seen.status, 403);
        tries += 1;
        assert!(tries < 100);
    };
    assert_eq!(tries, 10);
    let wait: u64 = refused.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=600).contains(&wait));
    // Not even by what would be right, nor by saying that one is elsewhere.
    assert_eq!(guesser.sign_in("/sign-in", &right).await.status, 429);
    guesser.from = Some("198.51.100.1, 203.0.113.7");
    assert_eq!(guesser.sign_in("/sign-in", &right).await.status, 429);
    // Another address is another's, and who is right uses up nothing.
    let mut bob = place.visitor();
    bob.from = Some("203.0.113.8");
    for _ in 0..12 {
        assert_eq!(bob.sign_in("/sign-in", &right).await.status, 303);
        let page = bob.get("/sign-in").await;
        assert_eq!(bob.submit(&page, "/sign-out", &[]).await.status, 303);
    }
    // Who is signed in works on.
    assert_eq!(bob.sign_in("/sign-in", &right).await.status, 303);
    assert!(is_signed_in(&mut bob).await);
}
