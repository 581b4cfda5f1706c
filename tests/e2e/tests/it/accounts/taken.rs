//! What is taken away is away at once, in calls under way too.

use std::time::Duration;

use portcullis::Outcome;
use portcullis_store::{Account, Subject};
use salesforce_devorg::fault::{Fault, Rule};
use secrecy::ExposeSecret;
use serde_json::json;

use super::office::{Site, Wish, answered, connector};
use super::renewal::at_token;
use crate::support::world::AGENT;
use crate::support::{call, name};

#[tokio::test]
async fn a_share_that_is_taken_away_ends_a_call_under_way() {
    let site = Site::new().await;
    let (store, host) = (&site.office.store, &site.office.host);
    let wish = Wish {
        shared: true,
        ..Wish::default()
    };
    let id = site.sign_in(&wish).await.unwrap().connection;
    let everyone = Subject::Everyone;
    store.share(&id, &everyone).await.unwrap();
    let shared = Account::Shared(id.clone());
    store
        .give_connector(&name(AGENT), &connector(), &shared)
        .await
        .unwrap();
    // A misspelled field costs two requests: the query, and the description that names what was meant.
    let misspelled = || {
        call(
            "salesforce",
            "query",
            json!({"soql": "SELECT Nmae FROM Account"}),
        )
    };
    let reply = host.call(misspelled()).await;
    assert!(matches!(&reply.outcome, Outcome::Failed(failure) if failure.hint.is_some()));
    answered(site.office.call().await);

    let mut slow = Rule::next(Fault::Latency { ms: 600 });
    slow.when.path = Some("/services/data/v68.0/query".to_owned());
    site.org.add_fault(slow).unwrap();
    let misspelled = call(
        "salesforce",
        "query",
        json!({"soql": "SELECT Nmae FROM Contact"}),
    );
    let under_way = tokio::spawn({
        let host = host.clone();
        async move { host.call(misspelled).await }
    });
    tokio::time::sleep(Duration::from_millis(250)).await;
    let before = site.org.requests();
    assert!(store.unshare(&id, &everyone).await.unwrap());
    let reply = under_way.await.unwrap();
    let Outcome::ConnectRequired(connect) = &reply.outcome else {
        panic!("{reply:?}");
    };
    assert!(connect.advice.contains("taken away"), "{connect:?}");
    assert!(
        site.org.requests() <= before + 1,
        "nothing but the slow one"
    );
}

#[tokio::test]
async fn a_connector_that_is_taken_from_the_agent_ends_a_call_under_way() {
    let site = Site::new().await;
    let (store, host) = (&site.office.store, &site.office.host);
    site.sign_in(&Wish::default()).await.unwrap();
    answered(site.office.call().await);

    let mut slow = Rule::next(Fault::Latency { ms: 600 });
    slow.when.path = Some("/services/data/v68.0/query".to_owned());
    site.org.add_fault(slow).unwrap();
    let misspelled = call(
        "salesforce",
        "query",
        json!({"soql": "SELECT Nmae FROM Contact"}),
    );
    let under_way = tokio::spawn({
        let host = host.clone();
        async move { host.call(misspelled).await }
    });
    tokio::time::sleep(Duration::from_millis(250)).await;
    let before = site.org.requests();
    let (agent, connector) = (name(AGENT), connector());
    assert!(store.take_connector(&agent, &connector).await.unwrap());
    let reply = under_way.await.unwrap();
    let Outcome::ConnectRequired(connect) = &reply.outcome else {
        panic!("{reply:?}");
    };
    assert!(connect.advice.contains("taken away"), "{connect:?}");
    assert!(site.org.requests() <= before + 1, "{before}");
    // The account of the person is theirs, and no agent's that does not have the connector.
    let Outcome::ConnectRequired(connect) = site.office.call().await.outcome else {
        panic!("it has the connector");
    };
    assert!(connect.advice.contains("does not have"), "{connect:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_that_is_taken_away_while_the_token_is_renewed_sends_nothing_more() {
    let site = Site::new().await;
    let (store, host) = (&site.office.store, &site.office.host);
    let wish = Wish {
        shared: true,
        ..Wish::default()
    };
    let id = site.sign_in(&wish).await.unwrap().connection;
    let everyone = Subject::Everyone;
    store.share(&id, &everyone).await.unwrap();
    let shared = Account::Shared(id.clone());
    store
        .give_connector(&name(AGENT), &connector(), &shared)
        .await
        .unwrap();
    site.org.expire_sessions(None);
    at_token(&site, Fault::Latency { ms: 500 }, None, 1);
    let under_way = tokio::spawn({
        let host = host.clone();
        async move {
            host.call(call("salesforce", "get_identity", json!({})))
                .await
        }
    });
    while site.org.faults_due() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(store.unshare(&id, &everyone).await.unwrap());
    let reply = under_way.await.unwrap();
    let Outcome::ConnectRequired(connect) = &reply.outcome else {
        panic!("{reply:?}");
    };
    assert!(connect.advice.contains("taken away"), "{connect:?}");
    // The new token came, and nothing was sent with it.
    let issued = site.org.issued_tokens().pop().unwrap();
    let token = store.access_token(&id).await.unwrap();
    assert_eq!(token.generation, 1);
    assert_eq!(token.secret.expose_secret(), issued.access_token);
    assert!(!issued.is_used);
}
