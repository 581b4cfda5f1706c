//! Tokens are renewed once, whoever asks and whatever goes wrong.

use std::time::Duration;

use portcullis::policy::ConnectionId;
use portcullis::ports::credentials::{RefreshError, Token};
use portcullis::{FailureCode, Outcome};
use portcullis_store::{ConnectionState, Lease, Renew, StoredConnection};
use salesforce_devorg::fault::{Fault, Rule, When, Work};
use secrecy::ExposeSecret;

use super::office::{Office, ROTATING, STAYING, Site, Wish, answered};

pub const TOKEN_PATH: &str = "/services/oauth2/token";

/// Signs in, and lets the access token end.
pub async fn stale(site: &Site, app: &str) -> (ConnectionId, Token) {
    let wish = Wish {
        app,
        scopes: "api refresh_token",
        ..Wish::default()
    };
    let id = site.sign_in(&wish).await.unwrap().connection;
    let token = site.office.store.access_token(&id).await.unwrap();
    assert!(site.org.expire_session(token.secret.expose_secret()));
    (id, token)
}

/// Makes what goes to the token endpoint go wrong, a number of times.
pub fn at_token(site: &Site, fault: Fault, work: Option<Work>, times: u64) {
    let rule = Rule {
        fault,
        when: When {
            path: Some(TOKEN_PATH.to_owned()),
            times: Some(times),
            ..When::default()
        },
        work,
    };
    site.org.add_fault(rule).unwrap();
}

pub async fn connection(office: &Office, id: &ConnectionId) -> StoredConnection {
    office.store.stored_connection(id).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_calls_at_once_renew_once() {
    let site = Site::new().await;
    let (id, _) = stale(&site, ROTATING).await;
    let calls = (0..50).map(|_| {
        let host = site.office.host.clone();
        let call = crate::support::call("salesforce", "get_identity", serde_json::json!({}));
        tokio::spawn(async move { host.call(call).await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert!(answered(call.await.unwrap()).contains("aiko"));
    }
    // A second use of the token that was spent would have ended the account at the org.
    assert_eq!(connection(&site.office, &id).await.generation, 1);
    site.org.expire_sessions(None);
    answered(site.office.call().await);
    assert_eq!(connection(&site.office, &id).await.generation, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_renewals_at_once_send_one_request() {
    let site = Site::new().await;
    let (_, token) = stale(&site, ROTATING).await;
    let id = site.stored().await.remove(0);
    let before = site.org.requests();
    // Two that have the store open, as two processes would.
    let other = site.another_office().await;
    let renewals = (0..50).map(|number| {
        let renewal = match number % 2 {
            0 => site.office.renewal.clone(),
            _ => other.renewal.clone(),
        };
        let (id, token) = (id.clone(), token.clone());
        tokio::spawn(async move { renewal.renew(&id, &token).await })
    });
    for renewed in renewals.collect::<Vec<_>>() {
        assert_eq!(renewed.await.unwrap().unwrap().generation, 1);
    }
    assert_eq!(site.org.requests() - before, 1);
}

#[tokio::test]
async fn what_the_service_refuses_is_for_a_person_and_says_what_to_do() {
    let site = Site::new().await;
    let (id, token) = stale(&site, STAYING).await;
    let (secrets, _) = site.office.store.secrets(&id).await.unwrap();
    let refresh = secrets.refresh_token.unwrap();
    assert!(site.org.revoke(refresh.expose_secret()));
    let refused = site.office.renewal.renew(&id, &token).await.unwrap_err();
    let RefreshError::Reconnect { reason, .. } = &refused else {
        panic!("{refused:?}");
    };
    let page = "Connected Apps OAuth Usage";
    let setup = format!(
        "({}/lightning/setup/ConnectedAppsUsage/home)",
        site.org.url()
    );
    for words in [
        "Salesforce has ended this sign-in: The user or",
        page,
        &setup,
    ] {
        assert!(reason.contains(words), "{words}: {reason}");
    }
    let state = connection(&site.office, &id).await.state;
    let expected = ConnectionState::Reconnect {
        reason: reason.clone(),
    };
    assert_eq!(state, expected);
    // Nobody asks the service again, in no process.
    let before = site.org.requests();
    let other = site.another_office().await;
    for office in [&site.office, &other] {
        let again = office.renewal.renew(&id, &token).await;
        assert!(matches!(again, Err(RefreshError::Reconnect { .. })));
        let reply = office.call().await;
        assert_eq!(reply.outcome.name(), "connect_required");
        assert!(
            reply
                .outcome
                .message()
                .unwrap()
                .starts_with(reason.as_str())
        );
    }
    assert_eq!(site.org.requests(), before);
    // Until somebody signs in again.
    let wish = Wish {
        scopes: "api refresh_token",
        ..Wish::default()
    };
    assert_eq!(site.sign_in(&wish).await.unwrap().connection, id);
    answered(other.call().await);
}

#[tokio::test]
async fn a_service_that_does_not_answer_is_asked_again_later() {
    let site = Site::new().await;
    let (id, token) = stale(&site, ROTATING).await;
    let later = [
        (404, "<html>not found</html>"),
        (400, r#"{"error": "temporarily_unavailable"}"#),
        (400, r#"{"error": "server_error"}"#),
    ];
    for (status, body) in later {
        site.org.answer_next(status, &[], body);
        let failed = site.office.renewal.renew(&id, &token).await.unwrap_err();
        assert!(matches!(failed, RefreshError::Unavailable(_)), "{failed:?}");
        let stored = connection(&site.office, &id).await;
        assert_eq!(stored.state, ConnectionState::Active);
        assert_eq!(stored.in_flight_since, None);
    }
    // The lease was given back: nobody waits for it.
    let began = std::time::Instant::now();
    let other = site.another_office().await.renewal;
    assert_eq!(other.renew(&id, &token).await.unwrap().generation, 1);
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_once_more() {
    // The service has not acted, or gives the same refresh token again: it works.
    for (app, work) in [
        (ROTATING, Work::Instead),
        (STAYING, Work::Instead),
        (STAYING, Work::After),
    ] {
        let site = Site::new().await;
        let (id, token) = stale(&site, app).await;
        at_token(&site, Fault::Drop, Some(work), 1);
        let renewed = site.office.renewal.renew(&id, &token).await.unwrap();
        assert_eq!(renewed.generation, 1);
        assert!(site.takes(renewed.secret.expose_secret()).await);
    }
    // It has acted, and the token was good for one time: nobody has the new one.
    let site = Site::new().await;
    let (id, token) = stale(&site, ROTATING).await;
    at_token(&site, Fault::Drop, Some(Work::After), 1);
    let ended = site.office.renewal.renew(&id, &token).await.unwrap_err();
    assert!(
        ended.to_string().contains(
            "the answer to a renewal was lost on its way, and the service takes the older token no more. Salesforce \
             has ended this sign-in"
        ),
        "{ended}"
    );
}

#[tokio::test]
async fn what_passes_by_itself_is_waited_for_and_ends_nothing() {
    let site = Site::new().await;
    let (id, token) = stale(&site, ROTATING).await;
    let answer = Fault::Answer {
        status: 400,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: r#"{"error":"invalid_grant","error_description":"login rate exceeded"}"#.to_owned(),
    };
    at_token(&site, answer, None, 2);
    let waits = site.office.renewal.renew(&id, &token).await.unwrap_err();
    assert!(matches!(waits, RefreshError::Unavailable(_)), "{waits:?}");
    let wait = "Too many sign-ins in a short time: Wait an hour";
    assert!(waits.to_string().starts_with(wait), "{waits}");
    let stored = connection(&site.office, &id).await;
    assert_eq!(stored.state, ConnectionState::Active);
    assert_eq!(stored.in_flight_since, None);

    // A call says so, and not that somebody must sign in.
    let reply = site.office.call().await;
    let Outcome::Failed(failure) = &reply.outcome else {
        panic!("{reply:?}");
    };
    assert_eq!(failure.code, FailureCode::Unavailable);
    for word in [wait, "The connection is kept"] {
        assert!(failure.message.contains(word), "{word}: {failure:?}");
    }
    assert!(failure.hint.as_deref().unwrap().contains("later"));
    // An hour later it works.
    answered(site.office.call().await);
    assert_eq!(connection(&site.office, &id).await.generation, 1);
}

#[tokio::test]
async fn what_is_unclear_twice_stays_written_down() {
    let site = Site::new().await;
    let (id, token) = stale(&site, STAYING).await;
    at_token(&site, Fault::Drop, Some(Work::Instead), 2);
    let unclear = site.office.renewal.renew(&id, &token).await.unwrap_err();
    assert!(
        matches!(unclear, RefreshError::Unavailable(_)),
        "{unclear:?}"
    );
    let stored = connection(&site.office, &id).await;
    assert!(stored.in_flight_since.is_some());
    assert_eq!(stored.state, ConnectionState::Active);
    let renewed = site.office.renewal.renew(&id, &token).await.unwrap();
    assert_eq!(renewed.generation, 1);
    assert_eq!(connection(&site.office, &id).await.in_flight_since, None);
}

#[tokio::test]
async fn what_a_dead_process_had_sent_is_asked_for_once_more() {
    for has_acted in [false, true] {
        let site = Site::new().await;
        let (id, token) = stale(&site, ROTATING).await;
        let store = &site.office.store;
        let lease = store.lease(&id, 0, "dead", None).await.unwrap();
        let Lease::Leased(leased) = lease else {
            panic!("{lease:?}");
        };
        assert!(store.sending(&id, "dead").await.unwrap());
        if has_acted {
            let refresh = leased.secrets.refresh_token.unwrap();
            spend(&site, refresh.expose_secret()).await;
        }
        // It waits until it has seen for long enough that nobody keeps the lease.
        let renewed = site.office.renewal.renew(&id, &token).await;
        match has_acted {
            false => assert_eq!(renewed.unwrap().generation, 1),
            true => {
                let ended = renewed.unwrap_err().to_string();
                assert!(
                    ended.contains("was broken off before its answer was kept"),
                    "{ended}"
                );
            }
        }
    }
}

/// Uses a refresh token up.
async fn spend(site: &Site, refresh_token: &str) {
    use portcullis_connect::{Endpoints, Held, Manifests, Service, TokenClient};
    let manifest = site
        .office
        .manifests
        .manifest(&super::office::connector())
        .unwrap();
    let service = Service::of(&manifest).unwrap();
    let login = site.office.login();
    let endpoints = Endpoints::at(service.auth, &login.origin);
    let app = site.app(ROTATING);
    let client = TokenClient::new(service, &app, &endpoints, &site.office.network);
    let held = Held {
        origin: &login.origin,
        scopes: &[],
    };
    client.refresh(&refresh_token.into(), held).await.unwrap();
}

#[tokio::test]
async fn a_call_that_is_dropped_loses_nothing() {
    let site = Site::new().await;
    let (id, token) = stale(&site, ROTATING).await;
    at_token(&site, Fault::Latency { ms: 300 }, None, 1);
    let dropped = tokio::time::timeout(
        Duration::from_millis(100),
        site.office.renewal.renew(&id, &token),
    );
    assert!(dropped.await.is_err());
    let renewed = site.office.renewal.renew(&id, &token).await.unwrap();
    assert_eq!(renewed.generation, 1);
    site.org.expire_sessions(None);
    answered(site.office.call().await);
}

#[tokio::test]
async fn a_connection_that_is_removed_meanwhile_leaves_no_token_at_the_service() {
    let site = Site::new().await;
    let (id, token) = stale(&site, STAYING).await;
    let (secrets, _) = site.office.store.secrets(&id).await.unwrap();
    at_token(&site, Fault::Latency { ms: 300 }, None, 1);
    let renewal = site.office.renewal.clone();
    let renewing = {
        let id = id.clone();
        tokio::spawn(async move { renewal.renew(&id, &token).await })
    };
    while connection(&site.office, &id)
        .await
        .in_flight_since
        .is_none()
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    site.office.store.remove_connection(&id).await.unwrap();
    let ended = renewing.await.unwrap().unwrap_err();
    assert!(
        ended.to_string().contains("the connection was removed"),
        "{ended}"
    );
    // It is ended there already.
    let refresh = secrets.refresh_token.unwrap();
    assert!(!site.org.revoke(refresh.expose_secret()));
}
