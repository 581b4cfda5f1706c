//! Accounts that do not work: refused before an agent gets them, and nothing of them is left.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use portcullis::Reply;
use portcullis::policy::{ConnectorName, PersonId};
use portcullis::ports::credentials::{Connection, Identity};
use portcullis_connect::{ConnectError, Identify, PENDING_LASTS};
use portcullis_store::Store;
use salesforce_devorg::fault::{Fault, Rule};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio::sync::Semaphore;

use super::office::{ADA, Site, Wish, answered, callback};
use super::renewal::connection;
use crate::support::name;

/// Asks the org, keeps the token that is tried, and changes the answer.
struct Between {
    host: portcullis::Host,
    store: Store,
    tried: Arc<Mutex<Option<SecretString>>>,
    /// Says that it is another organization.
    is_elsewhere: bool,
    /// Never answers before this lets it.
    gate: Option<Arc<Semaphore>>,
}

#[async_trait]
impl Identify for Between {
    async fn identify(
        &self,
        person: &PersonId,
        connector: &ConnectorName,
        connection: Connection,
    ) -> Result<Identity, Box<Reply>> {
        let token = self.store.access_token(&connection.id).await.unwrap();
        *self.tried.lock().unwrap() = Some(token.secret);
        if let Some(gate) = &self.gate {
            let _open = gate.acquire().await;
        }
        let identity = Identify::identify(&self.host, person, connector, connection).await;
        let is_elsewhere = self.is_elsewhere;
        identity.map(|mut identity| {
            if is_elsewhere {
                identity.organization_id = Some("00Delsewhere".to_owned());
                identity.organization_name = Some("Elsewhere".to_owned());
            }
            identity
        })
    }
}

impl Between {
    fn of(site: &Site) -> Self {
        Self {
            host: site.office.host.clone(),
            store: site.office.store.clone(),
            tried: Arc::default(),
            is_elsewhere: false,
            gate: None,
        }
    }
}

fn tried(tried: &Mutex<Option<SecretString>>) -> SecretString {
    tried.lock().unwrap().clone().unwrap()
}

#[tokio::test]
async fn no_api_access_is_refused_with_what_to_do() {
    let site = Site::new().await;
    let first = site.sign_in(&Wish::default()).await.unwrap();
    let between = Between::of(&site);
    let token = between.tried.clone();
    let accounts = site.office.accounts_with(Arc::new(between));
    for (wish, title) in [
        (
            Wish {
                user: "kofi.arden",
                ..Wish::default()
            },
            "The user may not use the API",
        ),
        (
            Wish {
                scopes: "id refresh_token",
                ..Wish::default()
            },
            "The connection may not use the REST API",
        ),
    ] {
        let query = site.come_back(&wish).await;
        let refused = accounts
            .finish(&query, &callback(), None, None)
            .await
            .unwrap_err();
        assert!(matches!(refused, ConnectError::Unfit { .. }), "{refused}");
        assert_eq!(refused.guide().unwrap().title, title);
        let (status, who) = {
            let path = "/services/oauth2/userinfo";
            let token = tried(&token);
            site.office.browser.call(path, token.expose_secret()).await
        };
        assert_ne!(status, 200, "the token is not revoked: {who}");
    }
    // What was connected before works.
    assert_eq!(site.stored().await, [first.connection]);
    assert!(answered(site.office.call().await).contains("aiko"));
}

#[tokio::test]
async fn users_of_a_portal_are_refused_with_what_to_do() {
    let site = Site::new().await;
    for kind in ["GUEST", "POWER_PARTNER"] {
        let user = site.user("aiko");
        let who = json!({
            "user_id": user.id(),
            "organization_id": "00Dxx0000001gPLEAY",
            "preferred_username": user.username,
            "user_type": kind,
        });
        let mut rule = Rule::next(Fault::Answer {
            status: 200,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: who.to_string(),
        });
        rule.when.path = Some("/services/oauth2/userinfo".to_owned());
        site.org.add_fault(rule).unwrap();
        let refused = site.sign_in(&Wish::default()).await.unwrap_err();
        let title = "The user is of a kind that is not connected";
        assert_eq!(refused.guide().unwrap().title, title, "{refused}");
        assert!(refused.to_string().contains(kind), "{refused}");
        assert!(site.stored().await.is_empty());
    }
    // One who is no such user is not.
    site.sign_in(&Wish::default()).await.unwrap();
}

#[tokio::test]
async fn an_outage_does_not_look_like_a_bad_account() {
    let site = Site::new().await;
    let maintenance = Fault::Maintenance {
        retry_after_seconds: None,
    };
    for (fault, advice) in [
        (maintenance, "status.salesforce.com"),
        (Fault::RequestLimit, "Company Information"),
    ] {
        let mut rule = Rule::next(fault);
        rule.when.times = None;
        rule.when.path = Some("/services/oauth2/userinfo".to_owned());
        let rule = site.org.add_fault(rule).unwrap();
        let refused = site.sign_in(&Wish::default()).await.unwrap_err();
        let is_for_now = matches!(refused, ConnectError::NotNow { .. });
        assert!(is_for_now, "{refused}");
        // What the connector knows of it is said, too.
        for words in ["try again later", advice] {
            assert!(refused.hint().unwrap().contains(words), "{words}");
        }
        assert!(!refused.to_string().contains("does not work"), "{refused}");
        site.org.clear_fault(rule);
    }
    site.sign_in(&Wish::default()).await.unwrap();
}

#[tokio::test]
async fn another_organization_is_refused_unless_it_may_change() {
    let site = Site::new().await;
    let first = site.sign_in(&Wish::default()).await.unwrap();
    let between = Between {
        is_elsewhere: true,
        ..Between::of(&site)
    };
    let token = between.tried.clone();
    let accounts = site.office.accounts_with(Arc::new(between));
    let query = site.come_back(&Wish::default()).await;
    let refused = accounts
        .finish(&query, &callback(), None, None)
        .await
        .unwrap_err();
    let is_other = matches!(refused, ConnectError::OtherOrganization { .. });
    assert!(is_other, "{refused}");
    assert!(refused.to_string().contains("`Elsewhere` (00Delsewhere)"));
    assert!(!site.takes(tried(&token).expose_secret()).await);
    assert_eq!(site.stored().await, std::slice::from_ref(&first.connection));
    assert!(answered(site.office.call().await).contains("aiko"));

    let allowed = Wish {
        allow_other_organization: true,
        ..Wish::default()
    };
    let query = site.come_back(&allowed).await;
    let connected = accounts
        .finish(&query, &callback(), None, None)
        .await
        .unwrap();
    assert_eq!(connected.connection, first.connection);
    assert_eq!(connected.organization.as_deref(), Some("Elsewhere"));
}

#[tokio::test]
async fn another_user_does_not_take_a_shared_connections_place_unseen() {
    let site = Site::new().await;
    let shared = Wish {
        shared: true,
        ..Wish::default()
    };
    let id = site.sign_in(&shared).await.unwrap().connection;
    let again = Wish {
        user: "hedda",
        replaces: Some(id.clone()),
        ..shared
    };
    let refused = site.sign_in(&again).await.unwrap_err();
    assert!(
        matches!(refused, ConnectError::OtherUser { .. }),
        "{refused}"
    );
    for word in ["aiko", "hedda"] {
        assert!(refused.to_string().contains(word), "{refused}");
    }
    assert_eq!(site.stored().await, std::slice::from_ref(&id));
    let meant = Wish {
        allow_other_organization: true,
        ..again
    };
    assert_eq!(site.sign_in(&meant).await.unwrap().connection, id);
    // One's own account may become another of one's own.
    site.sign_in(&Wish::default()).await.unwrap();
    let own = Wish {
        user: "hedda",
        ..Wish::default()
    };
    site.sign_in(&own).await.unwrap();
}

#[tokio::test]
async fn what_is_left_in_the_middle_is_swept_and_revoked() {
    let site = Site::new().await;
    let between = Between {
        gate: Some(Arc::new(Semaphore::new(0))),
        ..Between::of(&site)
    };
    let (token, gate) = (between.tried.clone(), between.gate.clone().unwrap());
    let accounts = site.office.accounts_with(Arc::new(between));
    let query = site.come_back(&Wish::default()).await;
    let finishing = {
        let accounts = accounts.clone();
        tokio::spawn(async move { accounts.finish(&query, &callback(), None, None).await })
    };
    while token.lock().unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // It is no connection yet, and not old enough to be left over.
    assert_eq!(site.office.call().await.outcome.name(), "connect_required");
    assert!(accounts.sweep().await.unwrap().is_empty());
    assert!(site.takes(tried(&token).expose_secret()).await);

    let hour = i64::try_from(PENDING_LASTS.as_millis()).unwrap();
    site.office.clock.0.store(hour, Ordering::SeqCst);
    let swept = accounts.sweep().await.unwrap();
    assert_eq!(swept.len(), 1);
    assert!(swept[0].is_revoked(), "{swept:?}");
    assert!(!site.takes(tried(&token).expose_secret()).await);
    assert!(site.stored().await.is_empty());

    // Who goes on after all connects nothing.
    gate.add_permits(1);
    let late = finishing.await.unwrap();
    assert!(late.is_err(), "{late:?}");
    assert!(site.stored().await.is_empty());
}

#[tokio::test]
async fn who_gives_up_waiting_stops_nothing() {
    let site = Site::new().await;
    let between = Between {
        gate: Some(Arc::new(Semaphore::new(0))),
        ..Between::of(&site)
    };
    let (token, gate) = (between.tried.clone(), between.gate.clone().unwrap());
    let accounts = site.office.accounts_with(Arc::new(between));
    let query = site.come_back(&Wish::default()).await;
    let finishing =
        tokio::spawn(async move { accounts.finish(&query, &callback(), None, None).await });
    while token.lock().unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    finishing.abort();
    gate.add_permits(1);
    while site.office.call().await.outcome.name() != "done" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn what_is_found_out_about_one_account_is_not_written_to_another() {
    let site = Site::new().await;
    let id = site.sign_in(&Wish::default()).await.unwrap().connection;
    let between = Between {
        gate: Some(Arc::new(Semaphore::new(0))),
        is_elsewhere: true,
        ..Between::of(&site)
    };
    let (token, gate) = (between.tried.clone(), between.gate.clone().unwrap());
    let accounts = site.office.accounts_with(Arc::new(between));
    let testing = tokio::spawn({
        let id = id.clone();
        async move { accounts.test(&id, &name(ADA)).await }
    });
    while token.lock().unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Meanwhile somebody else signs in to the same connection.
    let hedda = Wish {
        user: "hedda",
        ..Wish::default()
    };
    assert_eq!(site.sign_in(&hedda).await.unwrap().connection, id);
    gate.add_permits(1);
    let tested = testing.await.unwrap();
    let stored = connection(&site.office, &id).await;
    let found = stored.identity.unwrap();
    assert!(found.user_name.starts_with("hedda"), "{found:?}");
    assert_ne!(found.organization_id.as_deref(), Some("00Delsewhere"));
    assert!(matches!(tested, Err(ConnectError::Gone)), "{tested:?}");
}
