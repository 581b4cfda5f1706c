//! Agents and the accounts that they use.

use portcullis_store::{Account, StoreError};

use crate::support::{Fixture, ada, crm, helper};

#[tokio::test]
async fn agents_have_connectors_with_an_account_each() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    assert!(!store.add_agent(&helper(), "Other").await.unwrap());
    store.rename_agent(&helper(), "Sales helper").await.unwrap();
    let shared = fixture.shared("token").await;
    let mail = "mail".parse().unwrap();
    store
        .give_connector(&helper(), &crm(), &Account::Personal)
        .await
        .unwrap();
    store
        .give_connector(&helper(), &mail, &Account::default())
        .await
        .unwrap();
    let account = Account::Shared(shared.clone());
    store
        .give_connector(&helper(), &crm(), &account)
        .await
        .unwrap();

    let agent = store.agent(&helper()).await.unwrap().unwrap();
    assert_eq!(agent.name, "Sales helper");
    let connectors: Vec<_> = agent.connectors.into_iter().collect();
    assert_eq!(
        connectors,
        [(crm(), account.clone()), (mail.clone(), Account::Personal)]
    );
    assert_eq!(store.agents().await.unwrap().len(), 1);

    let refused = store
        .give_connector(&helper(), &mail, &account)
        .await
        .unwrap_err();
    assert!(
        matches!(refused, StoreError::OtherConnector { .. }),
        "{refused}"
    );
    let own = Account::Shared(fixture.own(ada(), "own").await);
    let refused = store
        .give_connector(&helper(), &crm(), &own)
        .await
        .unwrap_err();
    assert!(matches!(refused, StoreError::NotShared(_)), "{refused}");
    let gone = Account::Shared("gone".parse().unwrap());
    let refused = store
        .give_connector(&helper(), &crm(), &gone)
        .await
        .unwrap_err();
    assert_eq!(refused.to_string(), "there is no connection `gone`");
    let nobody = "nobody".parse().unwrap();
    assert!(
        store
            .give_connector(&nobody, &crm(), &account)
            .await
            .is_err()
    );
    assert!(store.rename_agent(&nobody, "Nobody").await.is_err());

    assert!(store.take_connector(&helper(), &mail).await.unwrap());
    assert!(!store.take_connector(&helper(), &mail).await.unwrap());
    assert!(store.remove_agent(&helper()).await.unwrap());
    assert!(!store.remove_agent(&helper()).await.unwrap());
    assert!(store.agent(&helper()).await.unwrap().is_none());
}
