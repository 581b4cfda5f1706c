//! People and groups.

use portcullis_store::{Group, Role, StoreError};

use sqlx::AssertSqlSafe;

use crate::support::{Fixture, ada, bob, group};

#[tokio::test]
async fn people_are_added_once_renamed_and_listed() {
    let Fixture { store, .. } = &Fixture::new().await;
    assert!(
        !store
            .add_person(&ada(), "Somebody", Role::Member)
            .await
            .unwrap()
    );
    let people = store.people().await.unwrap();
    assert_eq!(people.len(), 2);
    assert_eq!(
        (people[0].name.as_str(), people[0].role),
        ("Ada", Role::Admin)
    );

    store.rename_person(&bob(), " Robert ").await.unwrap();
    let robert = store.person(&bob()).await.unwrap().unwrap();
    assert_eq!(
        (robert.name.as_str(), robert.role),
        ("Robert", Role::Member)
    );
    assert_eq!(robert.created.as_millisecond(), 1_700_000_000_000);

    let refused = store.rename_person(&bob(), "\u{1b}[2J").await.unwrap_err();
    assert!(matches!(refused, StoreError::Text { .. }));
    let nobody = "eve@example.com".parse().unwrap();
    let refused = store.rename_person(&nobody, "Eve").await.unwrap_err();
    assert_eq!(refused.to_string(), "there is no person `eve@example.com`");
    assert!(store.set_role(&nobody, Role::Admin).await.is_err());
    assert!(store.person(&nobody).await.unwrap().is_none());
    assert!(store.remove_person(&nobody).await.unwrap().is_empty());
}

#[tokio::test]
async fn somebody_always_administers() {
    let Fixture { store, .. } = &Fixture::new().await;
    let is_last = |error: StoreError| matches!(error, StoreError::LastAdministrator(_));
    assert!(is_last(
        store.set_role(&ada(), Role::Member).await.unwrap_err()
    ));
    assert!(is_last(store.remove_person(&ada()).await.unwrap_err()));
    store.set_role(&ada(), Role::Admin).await.unwrap();

    store.set_role(&bob(), Role::Admin).await.unwrap();
    store.set_role(&ada(), Role::Member).await.unwrap();
    assert!(is_last(store.remove_person(&bob()).await.unwrap_err()));
    store.remove_person(&ada()).await.unwrap();
    assert_eq!(store.people().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_administrators_do_not_remove_each_other() {
    for _ in 0..5 {
        let fixture = Fixture::new().await;
        fixture.store.set_role(&bob(), Role::Admin).await.unwrap();
        let other = fixture.open_again(&fixture.master).await.unwrap();
        let store = fixture.store.clone();
        let one = tokio::spawn(async move { store.remove_person(&ada()).await.is_ok() });
        let two = tokio::spawn(async move { other.remove_person(&bob()).await.is_ok() });
        let removed = [one.await.unwrap(), two.await.unwrap()];
        assert_eq!(removed.iter().filter(|removed| **removed).count(), 1);
        assert_eq!(fixture.store.people().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn groups_have_members_who_are_known() {
    let Fixture { store, .. } = &Fixture::new().await;
    assert!(store.add_group(&group("sales")).await.unwrap());
    assert!(!store.add_group(&group("sales")).await.unwrap());
    assert!(store.add_group(&group("Sales/EMEA")).await.unwrap());
    assert!(store.add_member(&group("sales"), &bob()).await.unwrap());
    assert!(!store.add_member(&group("sales"), &bob()).await.unwrap());
    assert!(store.add_member(&group("sales"), &ada()).await.unwrap());
    assert!(store.add_member(&group("nobody"), &ada()).await.is_err());
    let eve = "eve@example.com".parse().unwrap();
    assert!(store.add_member(&group("sales"), &eve).await.is_err());

    let sales = |members| Group {
        name: group("sales"),
        members,
    };
    let emea = Group {
        name: group("Sales/EMEA"),
        members: vec![],
    };
    let all = [emea, sales(vec![ada(), bob()])];
    assert_eq!(store.groups().await.unwrap(), all);
    assert!(store.remove_member(&group("sales"), &ada()).await.unwrap());
    assert!(!store.remove_member(&group("sales"), &ada()).await.unwrap());
    assert!(store.remove_group(&group("Sales/EMEA")).await.unwrap());
    assert_eq!(store.groups().await.unwrap(), [sales(vec![bob()])]);
    store.remove_person(&bob()).await.unwrap();
    assert_eq!(store.groups().await.unwrap(), [sales(vec![])]);
}

#[tokio::test]
async fn a_persons_connections_are_found_without_looking_at_those_of_others() {
    let fixture = Fixture::new().await;
    for (sql, table) in [
        (
            "SELECT id FROM connections WHERE person = ?1 ORDER BY created, id",
            "connections",
        ),
        // What SQLite asks itself before it removes a person.
        ("SELECT 1 FROM connections WHERE person = ?1", "connections"),
    ] {
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
                .bind("ada")
                .fetch_all(&mut fixture.raw().await)
                .await
                .unwrap();
        let steps: Vec<&str> = plan.iter().map(|step| step.3.as_str()).collect();
        assert!(
            steps[0].starts_with(&format!("SEARCH {table}")),
            "{steps:?}"
        );
        assert_eq!(steps.len(), 1, "nothing is sorted: {steps:?}");
    }
}
