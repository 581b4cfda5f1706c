//! Sharing: whom a shared connection is for, and that what is taken away is gone at once.

use portcullis_policy::{ConnectionId, PersonId};
use portcullis_store::{Account, Found, Owner, Role, Store, StoreError, Subject};

use crate::support::{Fixture, ada, bob, calls, connection, crm, group, helper};

async fn found(store: &Store, person: PersonId) -> Option<ConnectionId> {
    match store.find(&calls(person), &crm()).await.unwrap() {
        Found::Connection(connection) => Some(connection.id),
        Found::NoneOfTheirOwn | Found::NotShared | Found::Removed | Found::NotOffered => None,
    }
}

/// A fixture whose agent uses a shared connection.
async fn with_shared() -> (Fixture, ConnectionId) {
    let fixture = Fixture::new().await;
    let shared = fixture.shared("service").await;
    let account = Account::Shared(shared.clone());
    fixture
        .store
        .give_connector(&helper(), &crm(), &account)
        .await
        .unwrap();
    (fixture, shared)
}

#[tokio::test]
async fn everyone_has_their_own_unless_the_agent_uses_a_shared_one() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    assert_eq!(
        store.find(&calls(ada()), &crm()).await.unwrap(),
        Found::NoneOfTheirOwn
    );
    let adas = fixture.own(ada(), "adas").await;
    let bobs = fixture.own(bob(), "bobs").await;
    assert_eq!(found(store, ada()).await, Some(adas.clone()));
    assert_eq!(found(store, bob()).await, Some(bobs));
    let mail = "mail".parse().unwrap();
    assert_eq!(
        store.find(&calls(ada()), &mail).await.unwrap(),
        Found::NotOffered
    );

    let shared = fixture.shared("service").await;
    store.share(&shared, &Subject::Everyone).await.unwrap();
    assert_eq!(
        found(store, ada()).await,
        Some(adas.clone()),
        "the agent does not use it"
    );
    let account = Account::Shared(shared.clone());
    store
        .give_connector(&helper(), &crm(), &account)
        .await
        .unwrap();
    assert_eq!(found(store, ada()).await, Some(shared.clone()));
    store
        .give_connector(&helper(), &crm(), &Account::Personal)
        .await
        .unwrap();
    assert_eq!(found(store, ada()).await, Some(adas));

    // Where the shared account is removed, nobody falls back on another.
    store
        .give_connector(&helper(), &crm(), &account)
        .await
        .unwrap();
    store.remove_connection(&shared).await.unwrap();
    assert_eq!(
        store.find(&calls(ada()), &crm()).await.unwrap(),
        Found::Removed
    );
    // Nor where the agent has the connector no more, or is gone.
    store
        .give_connector(&helper(), &crm(), &Account::Personal)
        .await
        .unwrap();
    assert!(found(store, ada()).await.is_some());
    assert!(store.take_connector(&helper(), &crm()).await.unwrap());
    let mine = async || store.find(&calls(ada()), &crm()).await.unwrap();
    assert_eq!(mine().await, Found::NotOffered);
    store
        .give_connector(&helper(), &crm(), &Account::Personal)
        .await
        .unwrap();
    store.remove_agent(&helper()).await.unwrap();
    assert_eq!(mine().await, Found::NotOffered);
}

#[tokio::test]
async fn what_is_taken_away_is_gone_at_once_in_every_process() {
    let (fixture, shared) = with_shared().await;
    let store = &fixture.store;
    let other = &fixture.open_again(&fixture.master).await.unwrap();
    store.add_group(&group("sales")).await.unwrap();
    let eve: PersonId = "eve@example.com".parse().unwrap();
    assert_eq!(found(other, ada()).await, None);
    assert_eq!(found(other, bob()).await, None);

    for subject in [
        Subject::Person(bob()),
        Subject::Group(group("sales")),
        Subject::Everyone,
    ] {
        let is_group = matches!(subject, Subject::Group(_));
        assert!(store.share(&shared, &subject).await.unwrap());
        assert!(!store.share(&shared, &subject).await.unwrap());
        if is_group {
            assert_eq!(found(other, bob()).await, None);
            store.add_member(&group("sales"), &bob()).await.unwrap();
        }
        assert_eq!(
            found(other, bob()).await,
            Some(shared.clone()),
            "{subject:?}"
        );
        let everyone = subject == Subject::Everyone;
        assert_eq!(found(other, ada()).await.is_some(), everyone, "{subject:?}");
        assert_eq!(found(other, eve.clone()).await, None, "nobody knows her");
        if is_group {
            store.remove_member(&group("sales"), &bob()).await.unwrap();
            assert_eq!(found(other, bob()).await, None);
            store.add_member(&group("sales"), &bob()).await.unwrap();
        }
        assert!(store.unshare(&shared, &subject).await.unwrap());
        assert!(!store.unshare(&shared, &subject).await.unwrap());
        assert_eq!(found(other, bob()).await, None, "{subject:?}");
    }

    store
        .share(&shared, &Subject::Group(group("sales")))
        .await
        .unwrap();
    assert_eq!(found(other, bob()).await, Some(shared.clone()));
    store.remove_group(&group("sales")).await.unwrap();
    assert_eq!(found(other, bob()).await, None);

    store.share(&shared, &Subject::Person(bob())).await.unwrap();
    store.remove_person(&bob()).await.unwrap();
    assert_eq!(found(other, bob()).await, None);
    assert!(store.shares(&shared).await.unwrap().is_empty());
    store.add_person(&bob(), "Bob", Role::Member).await.unwrap();
    assert_eq!(
        found(other, bob()).await,
        None,
        "who comes again begins anew"
    );
}

#[tokio::test]
async fn it_is_told_who_has_access_and_why() {
    let (fixture, shared) = with_shared().await;
    let store = &fixture.store;
    store.add_group(&group("sales")).await.unwrap();
    store.add_group(&group("empty")).await.unwrap();
    store.add_member(&group("sales"), &bob()).await.unwrap();
    let (bob_himself, sales) = (Subject::Person(bob()), Subject::Group(group("sales")));
    for subject in [&bob_himself, &sales, &Subject::Group(group("empty"))] {
        store.share(&shared, subject).await.unwrap();
    }
    let access = async || {
        let access = store.access(&shared).await.unwrap();
        let access = access.into_iter().map(|one| (one.person.id, one.by));
        access.collect::<Vec<_>>()
    };
    assert_eq!(
        access().await,
        [(bob(), vec![bob_himself.clone(), sales.clone()])]
    );
    store.share(&shared, &Subject::Everyone).await.unwrap();
    let everyone = Subject::Everyone;
    let all = [
        (ada(), vec![everyone.clone()]),
        (
            bob(),
            vec![bob_himself.clone(), sales.clone(), everyone.clone()],
        ),
    ];
    assert_eq!(access().await, all);
    assert_eq!(store.shares(&shared).await.unwrap().len(), 4);
    store.unshare(&shared, &everyone).await.unwrap();
    store.unshare(&shared, &bob_himself).await.unwrap();
    assert_eq!(access().await, [(bob(), vec![sales])]);
}

#[tokio::test]
async fn what_is_a_persons_own_is_not_shared() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let own = fixture.own(ada(), "adas").await;
    let refused = store.share(&own, &Subject::Everyone).await.unwrap_err();
    assert!(matches!(refused, StoreError::NotShared(_)), "{refused}");
    assert!(
        refused.to_string().contains("cannot be shared"),
        "{refused}"
    );
    let gone = "gone".parse().unwrap();
    assert!(store.share(&gone, &Subject::Everyone).await.is_err());
    let shared = fixture.shared("service").await;
    let nobody = Subject::Person("eve@example.com".parse().unwrap());
    assert!(store.share(&shared, &nobody).await.is_err());
    assert!(
        store
            .share(&shared, &Subject::Group(group("gone")))
            .await
            .is_err()
    );

    // Not even where somebody wrote it into the file, or the agent was set to use it.
    let id = own.as_str();
    fixture
        .tamper(&format!(
            "INSERT INTO shares (connection, created) VALUES ('{id}', 0)"
        ))
        .await;
    fixture
        .tamper(&format!(
            "INSERT OR REPLACE INTO agent_connectors VALUES ('helper', 'crm', 'shared', '{id}')"
        ))
        .await;
    assert_eq!(
        store.find(&calls(bob()), &crm()).await.unwrap(),
        Found::NotShared
    );
}

#[tokio::test]
async fn a_shared_connection_keeps_its_shares_when_it_is_renewed() {
    let (fixture, shared) = with_shared().await;
    let store = &fixture.store;
    store.share(&shared, &Subject::Person(bob())).await.unwrap();
    let mut new = connection(Owner::Shared, "new");
    new.replaces = Some(shared.clone());
    store.put_connection(new).await.unwrap();
    assert_eq!(found(store, bob()).await, Some(shared));
}
