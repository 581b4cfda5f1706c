//! Sign-ins under way and links: each is taken once.

use std::time::Duration;

use portcullis::ports::credentials::Environment;
use portcullis_policy::{Digest, PersonId};
use portcullis_store::{ConnectLink, Owner, SignIn, Taken};
use secrecy::{ExposeSecret, SecretString};

use crate::support::{Fixture, ada, bob, crm, endpoints, helper};

const LONG: Duration = Duration::from_secs(600);

fn sign_in(person: PersonId) -> SignIn {
    SignIn {
        owner: Owner::Person(person.clone()),
        person,
        connector: crm(),
        label: "Acme".to_owned(),
        environment: Environment::Sandbox,
        replaces: Some("c1".parse().unwrap()),
        allow_other_organization: true,
        link: None,
        browser: Some(Digest::of(b"browser")),
        verifier: "verifier".to_owned().into(),
        client_id: "the-app".to_owned(),
        client_secret: Some("client-secret".to_owned().into()),
        endpoints: endpoints(),
        redirect_uri: "http://127.0.0.1:1717/callback".to_owned(),
        scopes: vec!["api".to_owned()],
    }
}

fn secret(text: &str) -> SecretString {
    text.to_owned().into()
}

#[tokio::test]
async fn a_sign_in_is_taken_once_with_all_that_it_began_with() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    store
        .begin_sign_in(&secret("state"), &sign_in(ada()), LONG)
        .await
        .unwrap();
    store
        .begin_sign_in(&secret("other"), &sign_in(bob()), LONG)
        .await
        .unwrap();
    let again = fixture.open_again(&fixture.master).await.unwrap();
    let Taken::Taken(taken) = again.take_sign_in(&secret("state")).await.unwrap() else {
        panic!("it is not there");
    };
    let began = sign_in(ada());
    assert_eq!(
        (&taken.person, &taken.owner, &taken.connector),
        (&began.person, &began.owner, &began.connector)
    );
    assert_eq!(taken.verifier.expose_secret(), "verifier");
    assert_eq!(
        taken.client_secret.as_ref().unwrap().expose_secret(),
        "client-secret"
    );
    assert_eq!(taken.endpoints, began.endpoints);
    assert_eq!(taken.replaces, began.replaces);
    assert_eq!(taken.redirect_uri, began.redirect_uri);
    assert_eq!(taken.environment, began.environment);
    assert_eq!(
        (&taken.label, &taken.client_id, &taken.scopes),
        (&began.label, &began.client_id, &began.scopes)
    );
    assert!(taken.is_from_browser(Some(&secret("browser"))));
    assert!(!taken.is_from_browser(Some(&secret("another"))));
    assert!(!taken.is_from_browser(None));

    for state in ["state", "unknown", ""] {
        let taken = store.take_sign_in(&secret(state)).await.unwrap();
        assert!(matches!(taken, Taken::Unknown), "{state}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_who_take_a_sign_in_one_gets_it() {
    let fixture = Fixture::new().await;
    let other = fixture.open_again(&fixture.master).await.unwrap();
    fixture
        .store
        .begin_sign_in(&secret("state"), &sign_in(ada()), LONG)
        .await
        .unwrap();
    let link = ConnectLink {
        person: ada(),
        agent: Some(helper()),
        connector: crm(),
    };
    let link = fixture.store.make_link(&link, LONG).await.unwrap();
    let tasks = (0..50).map(|number| {
        let store = if number % 2 == 0 {
            &fixture.store
        } else {
            &other
        }
        .clone();
        let link = link.clone();
        tokio::spawn(async move {
            let sign_in = store.take_sign_in(&secret("state")).await.unwrap();
            let link = store.take_link(&link).await.unwrap();
            (
                matches!(sign_in, Taken::Taken(_)),
                matches!(link, Taken::Taken(_)),
            )
        })
    });
    let mut taken = (0, 0);
    for task in tasks.collect::<Vec<_>>() {
        let (sign_in, link) = task.await.unwrap();
        taken = (taken.0 + u32::from(sign_in), taken.1 + u32::from(link));
    }
    assert_eq!(taken, (1, 1));
}

#[tokio::test]
async fn what_took_too_long_is_refused_and_swept() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    for state in ["one", "two", "three"] {
        store
            .begin_sign_in(&secret(state), &sign_in(ada()), LONG)
            .await
            .unwrap();
    }
    fixture.pass(LONG - Duration::from_millis(1));
    assert!(matches!(
        store.take_sign_in(&secret("one")).await.unwrap(),
        Taken::Taken(_)
    ));
    fixture.pass(Duration::from_millis(1));
    assert!(matches!(
        store.take_sign_in(&secret("two")).await.unwrap(),
        Taken::Expired
    ));
    assert!(matches!(
        store.take_sign_in(&secret("two")).await.unwrap(),
        Taken::Unknown
    ));
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM sign_ins")
        .fetch_one(&mut fixture.raw().await)
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn one_from_which_nobody_came_back_is_known_by_its_end() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let minute = Duration::from_secs(60);
    let has = |person| async move {
        let left = LONG - Duration::from_secs(60);
        store
            .has_sign_in_ending_within(&person, left)
            .await
            .unwrap()
    };
    store
        .begin_sign_in(&secret("one"), &sign_in(ada()), LONG)
        .await
        .unwrap();
    assert!(!has(ada()).await, "it has just begun");
    fixture.pass(minute);
    assert!(has(ada()).await && !has(bob()).await);
    store.take_sign_in(&secret("one")).await.unwrap();
    assert!(!has(ada()).await, "it came back");
    store
        .begin_sign_in(&secret("two"), &sign_in(ada()), LONG)
        .await
        .unwrap();
    fixture.pass(LONG);
    assert!(!has(ada()).await, "it is over");
}

#[tokio::test]
async fn nobody_has_more_under_way_than_is_sensible() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    store
        .begin_sign_in(&secret("bobs"), &sign_in(bob()), LONG)
        .await
        .unwrap();
    for number in 0..40 {
        let state = secret(&format!("state-{number}"));
        store
            .begin_sign_in(&state, &sign_in(ada()), LONG)
            .await
            .unwrap();
        fixture.pass(Duration::from_millis(1));
    }
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM sign_ins")
        .fetch_one(&mut fixture.raw().await)
        .await
        .unwrap();
    assert_eq!(left, 17);
    assert!(matches!(
        store.take_sign_in(&secret("state-39")).await.unwrap(),
        Taken::Taken(_)
    ));
    assert!(matches!(
        store.take_sign_in(&secret("state-0")).await.unwrap(),
        Taken::Unknown
    ));
    let eve = sign_in("eve@example.com".parse().unwrap());
    assert!(
        store
            .begin_sign_in(&secret("eves"), &eve, LONG)
            .await
            .is_err()
    );
    store.remove_person(&bob()).await.unwrap();
    assert!(matches!(
        store.take_sign_in(&secret("bobs")).await.unwrap(),
        Taken::Unknown
    ));
}

#[tokio::test]
async fn a_link_works_once_and_not_for_long() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let link = ConnectLink {
        person: ada(),
        agent: Some(helper()),
        connector: crm(),
    };
    let made = store.make_link(&link, LONG).await.unwrap();
    assert_eq!(made.expose_secret().len(), 43, "256 bits");
    let whole = Taken::Taken(Box::new(link.clone()));
    assert_eq!(store.look_at_link(&made).await.unwrap(), whole);
    assert_eq!(
        store.look_at_link(&made).await.unwrap(),
        whole,
        "a look does not use it up"
    );
    assert_eq!(store.take_link(&made).await.unwrap(), whole);
    assert_eq!(store.take_link(&made).await.unwrap(), Taken::Unknown);
    assert_eq!(store.look_at_link(&made).await.unwrap(), Taken::Unknown);

    let late = store.make_link(&link, LONG).await.unwrap();
    assert_ne!(late.expose_secret(), made.expose_secret());
    fixture.pass(LONG);
    assert_eq!(store.look_at_link(&late).await.unwrap(), Taken::Expired);
    assert_eq!(store.take_link(&late).await.unwrap(), Taken::Expired);
    assert_eq!(store.take_link(&late).await.unwrap(), Taken::Unknown);

    let gone = store.make_link(&link, LONG).await.unwrap();
    store.remove_agent(&helper()).await.unwrap();
    assert_eq!(store.take_link(&gone).await.unwrap(), Taken::Unknown);
    let nobody = ConnectLink {
        person: "eve@example.com".parse().unwrap(),
        ..link
    };
    assert!(store.make_link(&nobody, LONG).await.is_err());
}
