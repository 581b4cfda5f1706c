//! Whom an issuer knows by which name: as an administrator said, and nobody else.

use std::time::Duration;

use portcullis_store::StoreError;
use secrecy::{ExposeSecret, SecretString};

use crate::support::{Fixture, ada, bob};

const ISSUER: &str = "https://login.acme.example";

async fn who(fixture: &Fixture, issuer: &str, subject: &str) -> Option<String> {
    let person = fixture.store.person_of_subject(issuer, subject).await;
    person.unwrap().map(|person| person.id.to_string())
}

#[tokio::test]
async fn a_subject_is_one_persons_at_one_issuer_as_it_is_written() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    assert!(store.add_subject(&bob(), ISSUER, "00u1").await.unwrap());
    assert!(!store.add_subject(&bob(), ISSUER, "00u1").await.unwrap());
    assert_eq!(who(&fixture, ISSUER, "00u1").await, Some(bob().to_string()));
    for (issuer, subject) in [
        (ISSUER, "00U1"),
        (ISSUER, "00u1 "),
        (ISSUER, "00u"),
        (ISSUER, ""),
        (ISSUER, "bob"),
        ("https://login.acme.example/", "00u1"),
        ("https://evil.example", "00u1"),
    ] {
        assert_eq!(
            who(&fixture, issuer, subject).await,
            None,
            "{issuer} {subject}"
        );
    }
    let taken = store.add_subject(&ada(), ISSUER, "00u1").await.unwrap_err();
    assert!(matches!(taken, StoreError::SubjectTaken { .. }), "{taken}");
    assert!(!store.remove_subject(&ada(), ISSUER, "00u1").await.unwrap());
    assert_eq!(store.subjects(&bob()).await.unwrap().len(), 1);
    assert!(store.remove_subject(&bob(), ISSUER, "00u1").await.unwrap());
    assert_eq!(who(&fixture, ISSUER, "00u1").await, None);
}

#[tokio::test]
async fn spaces_around_a_subject_are_no_part_of_it_whatever_is_done_with_it() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let spaced = format!(" {ISSUER}\t");
    assert!(store.add_subject(&bob(), &spaced, "  00u1 ").await.unwrap());
    assert!(!store.add_subject(&bob(), ISSUER, "00u1").await.unwrap());
    let known = store.subjects(&bob()).await.unwrap();
    let known: Vec<_> = known
        .iter()
        .map(|one| (one.issuer.as_str(), one.subject.as_str()))
        .collect();
    assert_eq!(known, [(ISSUER, "00u1")]);
    let taken = store.add_subject(&ada(), ISSUER, "00u1 ").await;
    assert!(matches!(taken, Err(StoreError::SubjectTaken { .. })));
    assert!(
        store
            .remove_subject(&bob(), &spaced, " 00u1")
            .await
            .unwrap()
    );
    assert_eq!(who(&fixture, ISSUER, "00u1").await, None);
    let refused = store.remove_subject(&bob(), ISSUER, " ").await;
    assert!(matches!(refused, Err(StoreError::Text { .. })));
}

#[tokio::test]
async fn a_subject_ends_with_its_person() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    store.add_subject(&bob(), ISSUER, "00u1").await.unwrap();
    store.remove_person(&bob()).await.unwrap();
    assert_eq!(who(&fixture, ISSUER, "00u1").await, None);
    let missing = store.add_subject(&bob(), ISSUER, "00u1").await.unwrap_err();
    assert!(matches!(missing, StoreError::NotFound { .. }), "{missing}");
    for text in ["", "a\nb"] {
        let refused = store.add_subject(&ada(), ISSUER, text).await.unwrap_err();
        assert!(matches!(refused, StoreError::Text { .. }), "{refused}");
    }
}

#[tokio::test]
async fn a_session_of_a_subject_lasts_as_long_as_the_subject_is_its_persons() {
    const HOUR: Duration = Duration::from_secs(3_600);
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let begin = async |subject: &str| {
        let begun = store.begin_session_of_subject(ISSUER, subject, HOUR).await;
        begun.unwrap().map(|(session, _)| session)
    };
    let signed_in = async |session: &SecretString| {
        let believed = Some(ISSUER);
        let person = store.person_of_session(session, believed).await.unwrap();
        person.map(|person| person.id.to_string())
    };
    // Whom nobody knows, and by another writing, gets none.
    store.add_subject(&bob(), ISSUER, "00u1").await.unwrap();
    for nobody in ["", "00U1", "00u1 ", "bob", "ada"] {
        assert!(begin(nobody).await.is_none(), "{nobody}");
    }
    let other = store
        .begin_session_of_subject("https://evil.example", "00u1", HOUR)
        .await;
    assert!(other.unwrap().is_none());
    let (one, two) = (begin("00u1").await.unwrap(), begin("00u1").await.unwrap());
    assert_ne!(one.expose_secret(), two.expose_secret());
    assert_eq!(signed_in(&one).await, Some(bob().to_string()));
    // It is no token, and ends where it is ended.
    assert!(store.person_of_token(&one).await.unwrap().is_none());
    assert!(store.end_session(&one).await.unwrap());
    assert!(!store.end_session(&one).await.unwrap());
    assert_eq!(signed_in(&one).await, None);
    assert_eq!(signed_in(&two).await, Some(bob().to_string()));
    // It ends in its time,
    fixture.pass(HOUR);
    assert_eq!(signed_in(&two).await, None);
    // with the name, also where that is somebody else's from then on,
    let three = begin("00u1").await.unwrap();
    assert!(store.remove_subject(&bob(), ISSUER, "00u1").await.unwrap());
    store.add_subject(&ada(), ISSUER, "00u1").await.unwrap();
    assert_eq!(signed_in(&three).await, None);
    // with the person,
    store.add_subject(&bob(), ISSUER, "00u2").await.unwrap();
    let four = begin("00u2").await.unwrap();
    store.remove_person(&bob()).await.unwrap();
    assert_eq!(signed_in(&four).await, None);
    // and there are so many of a name and no more: the oldest goes.
    let mut all = Vec::new();
    for _ in 0..17 {
        fixture.pass(Duration::from_secs(1));
        all.push(begin("00u1").await.unwrap());
    }
    assert_eq!(signed_in(&all[0]).await, None);
    for session in &all[1..] {
        assert_eq!(signed_in(session).await, Some(ada().to_string()));
    }
}

/// The attack: somebody whom an issuer let in comes by that word when the issuer is believed no more, since it was broken into.
#[tokio::test]
async fn a_session_by_an_issuer_is_good_where_that_one_is_believed() {
    const HOUR: Duration = Duration::from_secs(3_600);
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let other = "https://login.other.example";
    store.add_subject(&bob(), ISSUER, "00u1").await.unwrap();
    // The other one calls somebody by the same name.
    store.add_subject(&ada(), other, "00u1").await.unwrap();
    let begun = store.begin_session_of_subject(ISSUER, "00u1", HOUR).await;
    let session = begun.unwrap().unwrap().0;
    for (believed, expected) in [
        (None, None),
        (Some(other), None),
        (Some(""), None),
        (Some("https://login.acme.example/"), None),
        (Some(ISSUER), Some(bob())),
    ] {
        let person = store.person_of_session(&session, believed).await.unwrap();
        assert_eq!(person.map(|person| person.id), expected, "{believed:?}");
    }
    // One by a token of their own is nothing of any issuer's.
    let (token, _) = store.make_person_token(&bob(), "x", HOUR).await.unwrap();
    let begun = store.begin_session(&token, HOUR).await.unwrap();
    let session = begun.unwrap().0;
    for believed in [None, Some(other), Some(ISSUER)] {
        let person = store.person_of_session(&session, believed).await.unwrap();
        assert_eq!(person.unwrap().id, bob(), "{believed:?}");
    }
}
