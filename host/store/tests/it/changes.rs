//! Changes that are made together, and who is the first.

use portcullis::ports::Permissions;
use portcullis_policy::{AgentId, Digest, PersonId};
use portcullis_store::{Account, Change, Role, StoreError, StorePermissions, Subject};

use crate::support::{Fixture, ada, bob, calls, crm, group, helper};

fn eve() -> PersonId {
    PersonId::parse("eve@example.com").unwrap()
}

#[tokio::test]
async fn all_changes_are_made_or_none() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let shared = fixture.shared("token").await;
    let writer = AgentId::parse("writer").unwrap();
    let mut changes = vec![
        Change::AddPerson {
            id: eve(),
            name: "Eve".to_owned(),
            role: Role::Admin,
        },
        Change::RenamePerson {
            id: bob(),
            name: "Robert".to_owned(),
        },
        Change::AddGroup(group("sales")),
        Change::Join(group("sales"), eve()),
        Change::AddAgent {
            id: writer.clone(),
            name: "Writer".to_owned(),
        },
        Change::Give(writer.clone(), crm(), Account::Shared(shared.clone())),
        Change::Share(shared.clone(), Subject::Group(group("sales"))),
        Change::SetRole {
            id: ada(),
            role: Role::Member,
        },
        Change::RemoveAgent(helper()),
        // Refused: nobody else administers by now.
        Change::RemovePerson(eve()),
    ];
    let refused = store.apply(&changes).await.unwrap_err();
    assert!(
        matches!(refused, StoreError::LastAdministrator(_)),
        "{refused}"
    );
    assert!(store.person(&eve()).await.unwrap().is_none());
    assert!(store.groups().await.unwrap().is_empty());
    assert!(store.shares(&shared).await.unwrap().is_empty());
    assert_eq!(store.agents().await.unwrap().len(), 1);

    changes.pop();
    for _ in 0..2 {
        store.apply(&changes).await.unwrap();
        assert_eq!(
            store.person(&ada()).await.unwrap().unwrap().role,
            Role::Member
        );
        assert_eq!(store.person(&bob()).await.unwrap().unwrap().name, "Robert");
        assert_eq!(store.access(&shared).await.unwrap()[0].person.id, eve());
        let agents = store.agents().await.unwrap();
        assert_eq!((agents.len(), &agents[0].id), (1, &writer));
    }

    fixture.own(bob(), "bobs").await;
    let removed = store.apply(&[Change::RemovePerson(bob())]).await.unwrap();
    assert_eq!(removed.len(), 1, "what is to be revoked is given back");
}

#[tokio::test]
async fn the_first_administrator_is_one_whoever_asks_at_once() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    assert!(!store.add_first_administrator(&eve(), "Eve").await.unwrap());
    assert!(store.person(&eve()).await.unwrap().is_none());
    fixture.tamper("DELETE FROM people").await;
    let other = fixture.open_again(&fixture.master).await.unwrap();
    let (eve, ada) = (eve(), ada());
    let (one, two) = tokio::join!(
        store.add_first_administrator(&eve, "Eve"),
        other.add_first_administrator(&ada, "Ada"),
    );
    assert!(one.unwrap() != two.unwrap());
    assert_eq!(store.people().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_agent_has_what_the_store_says_for_whom_it_knows() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let permissions = StorePermissions::new(store.clone(), []);
    let offers = async |person| {
        let policy = permissions
            .policy(&calls(person), &crm(), Digest::of(b"crm"))
            .await
            .unwrap();
        policy.is_some()
    };
    assert!(store.take_connector(&helper(), &crm()).await.unwrap());
    assert!(!offers(ada()).await);
    store
        .give_connector(&helper(), &crm(), &Account::Personal)
        .await
        .unwrap();
    assert!(offers(ada()).await);
    assert!(!offers(eve()).await, "nobody here knows her");
    store.take_connector(&helper(), &crm()).await.unwrap();
    assert!(!offers(ada()).await);
}
