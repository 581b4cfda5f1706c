//! The host's port on a store.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use portcullis::ports::credentials::{Credentials, Lookup, RefreshError, Token};
use portcullis::ports::{Caller, PortError};
use portcullis_policy::{ConnectionId, ConnectorName};
use portcullis_store::{
    Account, ConnectLinks, ConnectionState, NoLink, Owner, Renew, Rotation, Store,
    StoreCredentials, Subject,
};
use secrecy::ExposeSecret;

use crate::support::{Fixture, ada, bob, calls, connection, crm, helper, identity, new_tokens};

/// Renews nothing.
struct NoRenewal;

#[async_trait]
impl Renew for NoRenewal {
    async fn renew(&self, _: &ConnectionId, _: &Token) -> Result<Token, RefreshError> {
        Err(PortError::new("nothing renews here").into())
    }

    fn unstored(&self, _: &ConnectionId) -> Option<Token> {
        None
    }
}

pub fn no_renewal() -> Arc<dyn Renew> {
    Arc::new(NoRenewal)
}

/// Gives the same new token each time, and counts.
struct Renewal {
    store: Store,
    asked: Mutex<u32>,
}

#[async_trait]
impl Renew for Renewal {
    async fn renew(&self, id: &ConnectionId, stale: &Token) -> Result<Token, RefreshError> {
        *self.asked.lock().unwrap() += 1;
        let rotated = self
            .store
            .rotate_tokens(id, stale.generation, new_tokens("renewed"))
            .await;
        match rotated.map_err(PortError::from)? {
            Rotation::Stored(token) | Rotation::Stale(token) => Ok(token),
        }
    }

    fn unstored(&self, _: &ConnectionId) -> Option<Token> {
        None
    }
}

/// Has a token that the store has not taken.
struct Ahead(Token);

#[async_trait]
impl Renew for Ahead {
    async fn renew(&self, _: &ConnectionId, _: &Token) -> Result<Token, RefreshError> {
        Ok(self.0.clone())
    }

    fn unstored(&self, _: &ConnectionId) -> Option<Token> {
        Some(self.0.clone())
    }
}

struct Links;

#[async_trait]
impl ConnectLinks for Links {
    async fn link(&self, caller: &Caller, connector: &ConnectorName) -> Result<String, NoLink> {
        Ok(format!(
            "https://portcullis.example/connect/{}/{connector}",
            caller.person
        ))
    }
}

fn missing(lookup: Lookup) -> (Option<String>, String) {
    match lookup {
        Lookup::Missing { link, advice } => (link, advice),
        Lookup::Found(connection) => panic!("{connection:?}"),
    }
}

#[tokio::test]
async fn a_call_acts_for_the_persons_own_connection() {
    let fixture = Fixture::new().await;
    let store = fixture.store.clone();
    let port = StoreCredentials::new(store.clone(), no_renewal(), Some(Arc::new(Links)));
    let (link, advice) = missing(port.connection(&calls(ada()), &crm()).await.unwrap());
    assert_eq!(
        link.unwrap(),
        "https://portcullis.example/connect/ada@example.com/crm"
    );
    assert_eq!(advice, "connect an account to `crm` first");

    let id = fixture.own(ada(), "token").await;
    let Lookup::Found(found) = port.connection(&calls(ada()), &crm()).await.unwrap() else {
        panic!("missing");
    };
    assert_eq!(found.id, id);
    assert!(!found.shared);
    assert_eq!(found.origin.to_string(), "https://acme.example.com");
    assert_eq!(found.identity, Some(identity("ada@acme.example")));
    assert_eq!(found.scopes, ["api"]);
    assert_eq!(
        port.token(&id).await.unwrap().secret.expose_secret(),
        "token"
    );
    assert!(
        store
            .stored_connection(&id)
            .await
            .unwrap()
            .unwrap()
            .used
            .is_some()
    );
    assert!(port.token(&"gone".parse().unwrap()).await.is_err());
}

#[tokio::test]
async fn a_connection_that_ended_says_why() {
    let fixture = Fixture::new().await;
    let store = fixture.store.clone();
    let port = StoreCredentials::new(store.clone(), no_renewal(), Some(Arc::new(Links)));
    let id = fixture.own(ada(), "token").await;
    store
        .mark_reconnect(&id, 0, "the service revoked the token.")
        .await
        .unwrap();
    let (link, advice) = missing(port.connection(&calls(ada()), &crm()).await.unwrap());
    assert!(link.is_some());
    assert_eq!(
        advice,
        "the service revoked the token: connect the account to `crm` again"
    );
    let stale = port.token(&id).await.unwrap();
    let ended = port.refresh(&id, &stale).await.unwrap_err();
    assert!(matches!(ended, RefreshError::Reconnect { .. }), "{ended}");

    let mut pending = connection(Owner::Person(bob()), "token");
    pending.state = ConnectionState::Pending;
    store.put_connection(pending).await.unwrap();
    let (_, advice) = missing(port.connection(&calls(bob()), &crm()).await.unwrap());
    assert_eq!(advice, "connect an account to `crm` first");
}

#[tokio::test]
async fn a_shared_connection_is_for_those_whom_it_is_shared_with() {
    let fixture = Fixture::new().await;
    let store = fixture.store.clone();
    let port = StoreCredentials::new(store.clone(), no_renewal(), Some(Arc::new(Links)));
    let shared = fixture.shared("service").await;
    let account = Account::Shared(shared.clone());
    store
        .give_connector(&helper(), &crm(), &account)
        .await
        .unwrap();
    let (link, advice) = missing(port.connection(&calls(bob()), &crm()).await.unwrap());
    assert_eq!(link, None, "there is nothing that he can connect");
    assert!(advice.contains("ask an administrator"), "{advice}");
    store.share(&shared, &Subject::Person(bob())).await.unwrap();
    let Lookup::Found(found) = port.connection(&calls(bob()), &crm()).await.unwrap() else {
        panic!("missing");
    };
    assert!(found.shared);
    store
        .mark_reconnect(&shared, 0, "it expired")
        .await
        .unwrap();
    let (link, advice) = missing(port.connection(&calls(bob()), &crm()).await.unwrap());
    assert_eq!(link, None);
    assert!(
        advice.contains("ask an administrator to connect the shared account `Acme`"),
        "{advice}"
    );
}

#[tokio::test]
async fn a_stale_token_is_renewed_once() {
    let fixture = Fixture::new().await;
    let store = fixture.store.clone();
    let renewal = Arc::new(Renewal {
        store: store.clone(),
        asked: Mutex::new(0),
    });
    let port = StoreCredentials::new(store, Arc::clone(&renewal) as Arc<dyn Renew>, None);
    let id = fixture.own(ada(), "token").await;
    let stale = port.token(&id).await.unwrap();
    for _ in 0..3 {
        let token = port.refresh(&id, &stale).await.unwrap();
        assert_eq!(
            (token.secret.expose_secret(), token.generation),
            ("renewed", 1)
        );
    }
    assert_eq!(*renewal.asked.lock().unwrap(), 1);
    let refused = port
        .refresh(&"gone".parse().unwrap(), &stale)
        .await
        .unwrap_err();
    assert!(matches!(refused, RefreshError::Unavailable(_)), "{refused}");
}

#[tokio::test]
async fn the_newer_of_two_tokens_is_used_where_the_store_is_behind() {
    let fixture = Fixture::new().await;
    let store = fixture.store.clone();
    let id = fixture.own(ada(), "stored").await;
    let ahead = Token {
        secret: "ahead".to_owned().into(),
        generation: 1,
    };
    let port = StoreCredentials::new(store.clone(), Arc::new(Ahead(ahead)), None);
    let token = async || {
        let token = port.token_for(&calls(ada()), &crm(), &id).await;
        token.unwrap().unwrap().secret.expose_secret().to_owned()
    };
    assert_eq!(token().await, "ahead");
    for generation in 0..2 {
        let new = new_tokens(&format!("stored-{generation}"));
        store.rotate_tokens(&id, generation, new).await.unwrap();
    }
    assert_eq!(token().await, "stored-1");
}
