//! What works goes on working: nothing that is for now, and nothing that breaks off, costs an account.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use portcullis::policy::{Auth, ConnectionId, ConnectorName, Grants, Manifest};
use portcullis::ports::credentials::{RefreshError, Token};
use portcullis::{FailureCode, Limits, Outcome};
use portcullis_connect::{
    Accounts, ActiveManifests, Fate, Manifests, Revocation, ServiceAccount, ServiceGrant, Timing,
};
use portcullis_store::{ConnectionState, Lease, Renew};
use salesforce_devorg::AppState;
use salesforce_devorg::fault::{Fault, Work};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::office::{
    ADA, Office, ROTATING, STAYING, Site, TIMING, Wish, answered, callback, connector,
};
use super::renewal::{at_token, connection, stale};
use crate::support::name;

/// Makes the next answer of the token endpoint something else. Where the work is done, the token that was sent is spent.
fn answers(site: &Site, status: u16, body: &Value, work: Work) {
    let fault = Fault::Answer {
        status,
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        body: body.to_string(),
    };
    at_token(site, fault, Some(work), 1);
}

async fn is_kept(site: &Site, id: &ConnectionId, token: &Token, says: &str) {
    let refused = site.office.renewal.renew(id, token).await.unwrap_err();
    assert!(
        matches!(refused, RefreshError::Unavailable(_)),
        "{says}: {refused:?}"
    );
    assert!(refused.to_string().contains(says), "{says}: {refused}");
    let stored = connection(&site.office, id).await;
    assert_eq!(stored.state, ConnectionState::Active, "{says}");
    assert_eq!(stored.in_flight_since, None, "{says}");
}

#[tokio::test]
async fn a_refusal_that_holds_for_now_ends_no_connection() {
    let site = Site::new().await;
    let (id, token) = stale(&site, ROTATING).await;
    for (state, says) in [
        (
            AppState::IpRestricted,
            "does not let this machine's address in",
        ),
        (AppState::OutsideLoginHours, "does not let in at this hour"),
        (AppState::Blocked, "has blocked this app"),
        (AppState::InactiveUser, "is not active in the org"),
        (AppState::InactiveOrg, "locked, closed or suspended"),
        (AppState::AdminApproved, "not among its users"),
    ] {
        assert!(site.org.set_app_state(ROTATING, state));
        is_kept(&site, &id, &token, says).await;
        // A call says so, too, and is not told to connect again.
        let reply = site.office.call().await;
        let Outcome::Failed(failure) = &reply.outcome else {
            panic!("{says}: {reply:?}");
        };
        assert!(failure.message.contains(says), "{says}: {failure:?}");
    }
    assert!(site.org.set_app_state(ROTATING, AppState::Ready));
    let too_many = json!({"error": "invalid_grant", "error_description": "login rate exceeded"});
    answers(&site, 400, &too_many, Work::Instead);
    is_kept(&site, &id, &token, "Too many sign-ins").await;
    answered(site.office.call().await);
    assert_eq!(connection(&site.office, &id).await.generation, 1);
}

#[tokio::test]
async fn a_service_account_outlives_a_full_hour() {
    let site = Site::new().await;
    let app = "Nightly Job";
    let account = ServiceAccount {
        person: &name(ADA),
        connector: &connector(),
        app: &site.app(app),
        login: &site.office.login(),
        grant: ServiceGrant::ClientCredentials,
        label: app,
        replaces: None,
        allow_other_organization: false,
    };
    let connected = site.office.accounts.service_account(account).await;
    let id = connected.unwrap().connection;
    let token = site.office.store.access_token(&id).await.unwrap();
    for description in ["login rate exceeded", "ip restricted"] {
        let refusal = json!({"error": "invalid_grant", "error_description": description});
        answers(&site, 400, &refusal, Work::Instead);
        is_kept(&site, &id, &token, "").await;
    }
    let renewed = site.office.renewal.renew(&id, &token).await.unwrap();
    assert_eq!(renewed.generation, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_tokens_that_the_store_does_not_take_are_used_and_stored_later() {
    let site = Site::new().await;
    let (id, token) = stale(&site, ROTATING).await;
    // As a disk that is full: nothing large is taken.
    site.raw(
        "CREATE TRIGGER full BEFORE UPDATE OF secrets ON connections \
         BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
    )
    .await;
    let renewed = site.office.renewal.renew(&id, &token).await.unwrap();
    assert_eq!(renewed.generation, 1);
    assert!(site.takes(renewed.secret.expose_secret()).await);
    // Calls go on, and send no second request for tokens: the old one is spent.
    answered(site.office.call().await);
    let before = site.org.requests();
    let again = site.office.renewal.renew(&id, &token).await.unwrap();
    assert_eq!(again.secret.expose_secret(), renewed.secret.expose_secret());
    assert_eq!(site.org.requests(), before);
    // Where that one ends too, nothing is sent whose answer could be lost again.
    let refused = site.office.renewal.renew(&id, &renewed).await;
    assert!(
        matches!(refused, Err(RefreshError::Unavailable(_))),
        "{refused:?}"
    );
    assert_eq!(site.org.requests(), before);
    let other = site.another_office().await;
    let shut_out = other.renewal.renew(&id, &token).await;
    assert!(shut_out.is_err(), "{shut_out:?}");
    assert_eq!(site.org.requests(), before);

    site.raw("DROP TRIGGER full").await;
    while connection(&site.office, &id).await.generation == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let stored = site.office.store.access_token(&id).await.unwrap();
    assert_eq!(
        stored.secret.expose_secret(),
        renewed.secret.expose_secret()
    );
    site.org.expire_sessions(None);
    answered(other.call().await);
    assert_eq!(connection(&site.office, &id).await.generation, 2);
}

/// The tokens of a sign-in that the host knows nothing of.
async fn tokens_of_another(site: &Site) -> (String, String) {
    let wish = Wish {
        person: super::office::BOB,
        user: "hedda",
        scopes: "api refresh_token",
        ..Wish::default()
    };
    let id = site.sign_in(&wish).await.unwrap().connection;
    let (secrets, _) = site.office.store.secrets(&id).await.unwrap();
    site.raw(&format!("DELETE FROM connections WHERE id = '{id}'"))
        .await;
    (
        secrets.access_token.expose_secret().to_owned(),
        secrets.refresh_token.unwrap().expose_secret().to_owned(),
    )
}

#[tokio::test]
async fn tokens_that_cannot_be_used_are_revoked() {
    // At a renewal: they are not of the kind that requests carry, and the old one is spent.
    let site = Site::new().await;
    let (id, token) = stale(&site, ROTATING).await;
    let (access, refresh) = tokens_of_another(&site).await;
    let body = json!({"access_token": access, "refresh_token": refresh, "token_type": "mac"});
    answers(&site, 200, &body, Work::After);
    let ended = site.office.renewal.renew(&id, &token).await.unwrap_err();
    assert!(matches!(ended, RefreshError::Reconnect { .. }), "{ended:?}");
    assert!(!site.takes(&access).await);
    assert!(!site.org.revoke(&refresh), "it was not revoked");

    // At a sign-in: the answer does not say where the connection is.
    let (access, refresh) = tokens_of_another(&site).await;
    let query = site.come_back(&Wish::default()).await;
    let body = json!({"access_token": access, "refresh_token": refresh, "token_type": "Bearer"});
    answers(&site, 200, &body, Work::After);
    let refused = site
        .office
        .accounts
        .finish(&query, &callback(), None, None)
        .await;
    assert!(refused.is_err(), "{refused:?}");
    assert!(!site.takes(&access).await);
    assert!(!site.org.revoke(&refresh), "it was not revoked");
}

#[tokio::test]
async fn new_tokens_of_a_connection_that_seems_to_have_moved_are_kept_where_it_was() {
    let site = Site::new().await;
    let (id, token) = stale(&site, ROTATING).await;
    let was = connection(&site.office, &id).await.origin;
    let (access, refresh) = tokens_of_another(&site).await;
    let body = json!({"access_token": access, "refresh_token": refresh, "token_type": "Bearer",
        "instance_url": "https://acme.elsewhere.example"});
    answers(&site, 200, &body, Work::After);
    let renewed = site.office.renewal.renew(&id, &token).await.unwrap();
    assert_eq!(renewed.generation, 1);
    assert_eq!(connection(&site.office, &id).await.origin, was);
    let (secrets, _) = site.office.store.secrets(&id).await.unwrap();
    assert_eq!(secrets.refresh_token.unwrap().expose_secret(), refresh);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_forward_sends_no_token_twice() {
    let site = Site::new().await;
    let (id, token) = stale(&site, ROTATING).await;
    at_token(&site, Fault::Latency { ms: 1_000 }, None, 1);
    let renewing = tokio::spawn({
        let (renewal, id, token) = (site.office.renewal.clone(), id.clone(), token.clone());
        async move { renewal.renew(&id, &token).await }
    });
    while connection(&site.office, &id)
        .await
        .in_flight_since
        .is_none()
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let other = site.another_office().await;
    other.clock.0.store(3_600_000, Ordering::SeqCst);
    let theirs = other.renewal.renew(&id, &token).await.unwrap();
    assert_eq!(theirs.generation, 1);
    assert_eq!(renewing.await.unwrap().unwrap().generation, 1);
    // The org has not taken it for stolen.
    site.org.expire_sessions(None);
    answered(site.office.call().await);
}

#[tokio::test]
async fn what_was_not_revoked_is_revoked_later() {
    // The service is down; a program is killed between the store and the service.
    for is_killed in [false, true] {
        let site = Site::new().await;
        let (store, accounts) = (&site.office.store, &site.office.accounts);
        let id = site.sign_in(&Wish::default()).await.unwrap().connection;
        let (secrets, _) = store.secrets(&id).await.unwrap();
        let access = secrets.access_token.expose_secret();
        match is_killed {
            true => {
                store.remove_connection(&id).await.unwrap().unwrap();
            }
            false => {
                for _ in 0..2 {
                    site.org.answer_next(503, &[], "<html>maintenance</html>");
                }
                let ended = accounts.disconnect(&id).await.unwrap().unwrap();
                assert!(!ended.is_revoked(), "{ended:?}");
            }
        }
        // Nobody gets it any more, and it still lives.
        assert_eq!(site.office.call().await.outcome.name(), "connect_required");
        assert!(site.takes(access).await);
        let other = site.another_office().await;
        let swept = other.accounts.sweep().await.unwrap();
        assert_eq!(swept.len(), 1);
        assert!(swept[0].is_revoked(), "{swept:?}");
        assert!(!site.takes(access).await);
        let refresh = secrets.refresh_token.unwrap();
        assert!(!site.org.revoke(refresh.expose_secret()));
        assert!(other.accounts.sweep().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_service_that_repeats_a_token_writes_it_nowhere() {
    let site = Site::new().await;
    let (id, token) = stale(&site, STAYING).await;
    let (secrets, _) = site.office.store.secrets(&id).await.unwrap();
    let refresh = secrets.refresh_token.unwrap();
    let client_secret = secrets.client_secret.unwrap();
    let words = format!(
        "unknown refresh token {} of {}",
        refresh.expose_secret(),
        client_secret.expose_secret()
    );
    let refusal = json!({"error": "invalid_grant", "error_description": words});
    answers(&site, 400, &refusal, Work::Instead);
    let ended = site.office.renewal.renew(&id, &token).await.unwrap_err();
    let reply = site.office.call().await;
    let stored = connection(&site.office, &id).await;
    let shown = format!("{ended} {ended:?} {reply:?} {stored:?}");
    assert!(shown.contains("unknown refresh token"), "{shown}");
    for secret in [&refresh, &client_secret] {
        assert!(!shown.contains(secret.expose_secret()), "{shown}");
    }
    // Nor is the address of a sign-in shown, which has its state.
    let started = site.begin(&Wish::default()).await.unwrap();
    let shown = format!("{started:?}");
    let (_, state) = started.url.split_once("state=").unwrap();
    assert!(!shown.contains(&state[..16]), "{shown}");
    for entry in std::fs::read_dir(site.folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let needle = refresh.expose_secret().as_bytes();
        assert!(!bytes.windows(needle.len()).any(|window| window == needle));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_outlives_a_process_that_died_in_a_renewal() {
    // With the times as they are where nobody says otherwise.
    let site = Site::new().await;
    let (id, _) = stale(&site, ROTATING).await;
    let (folder, master) = (site.folder.path(), site.master.clone());
    let usual = Office::open(folder, master, site.org.url(), Timing::default()).await;
    let store = &site.office.store;
    let lease = store.lease(&id, 0, "dead", None).await.unwrap();
    assert!(matches!(lease, Lease::Leased(_)), "{lease:?}");
    assert!(store.sending(&id, "dead").await.unwrap());
    let began = Instant::now();
    answered(usual.call().await);
    let waited = began.elapsed();
    assert!(waited >= Timing::default().lease, "{waited:?}");
    assert!(waited < Timing::default().waits, "{waited:?}");
    assert!(Timing::default().waits < Limits::default().wall_clock / 2 + Duration::from_secs(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_that_takes_long_is_told_while_there_is_time() {
    let site = Site::new().await;
    let (id, _) = stale(&site, ROTATING).await;
    let (folder, master) = (site.folder.path(), site.master.clone());
    let hurried = Timing {
        lease: Duration::from_millis(500),
        beats: Duration::from_millis(50),
        waits: Duration::from_secs(1),
        ..TIMING
    };
    let one = Office::open(folder, master.clone(), site.org.url(), hurried).await;
    let other = Office::open(folder, master, site.org.url(), hurried).await;
    at_token(&site, Fault::Latency { ms: 4_000 }, None, 1);
    // It waits for itself, and for another process that is slow and lives.
    for office in [&one, &other] {
        let reply = office.call().await;
        let Outcome::Failed(failure) = &reply.outcome else {
            panic!("{reply:?}");
        };
        assert_eq!(failure.code, FailureCode::Unavailable, "{failure:?}");
        assert!(failure.message.contains("is being renewed"), "{failure:?}");
        assert!(failure.retry_after.is_some(), "{failure:?}");
    }
    while connection(&site.office, &id).await.generation == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for office in [&one, &other] {
        answered(office.call().await);
    }
    assert_eq!(connection(&site.office, &id).await.generation, 1);
}

/// The manifests, as if the service kept one grant for all sign-ins of a user.
struct OneGrant(Arc<ActiveManifests>);

impl Manifests for OneGrant {
    fn manifest(&self, connector: &ConnectorName) -> Option<Manifest> {
        let mut manifest = self.0.manifest(connector)?;
        if let Auth::OAuth2(auth) = &mut manifest.auth {
            assert_eq!(auth.grants, Grants::Separate);
            auth.grants = Grants::Shared;
        }
        Some(manifest)
    }
}

#[tokio::test]
async fn what_may_live_by_the_same_grant_is_not_revoked_under_it() {
    let site = Site::new().await;
    let office = &site.office;
    let accounts = Accounts::new(
        office.store.clone(),
        office.network.clone(),
        Arc::new(office.host.clone()),
        Arc::new(OneGrant(office.manifests.clone())),
    );
    let id = site.sign_in(&Wish::default()).await.unwrap().connection;
    let access = async || office.store.access_token(&id).await.unwrap().secret;
    let first = access().await;
    // The same user again: the grant is that of the new tokens, too.
    let query = site.come_back(&Wish::default()).await;
    let again = accounts
        .finish(&query, &callback(), None, None)
        .await
        .unwrap();
    let before = again.before.unwrap();
    let is_shared = |one: &Revocation| one.fate == Fate::Shared;
    assert!(before.revocations.iter().all(is_shared), "{before:?}");
    assert!(site.takes(first.expose_secret()).await);
    // An account that is refused, of nobody knows which user, ends nothing that works.
    let kofi = Wish {
        user: "kofi.arden",
        ..Wish::default()
    };
    let query = site.come_back(&kofi).await;
    let refused = accounts.finish(&query, &callback(), None, None).await;
    assert!(refused.is_err(), "{refused:?}");
    let second = access().await;
    assert!(site.takes(second.expose_secret()).await);
    // Another user: nothing hangs on the grants of the one before any more.
    let hedda = Wish {
        user: "hedda",
        ..Wish::default()
    };
    let query = site.come_back(&hedda).await;
    let others = accounts
        .finish(&query, &callback(), None, None)
        .await
        .unwrap();
    assert!(others.before.unwrap().is_revoked());
    assert!(!site.takes(second.expose_secret()).await);
    assert!(site.takes(first.expose_secret()).await);
    accounts.sweep().await.unwrap();
    assert!(!site.takes(first.expose_secret()).await);
    assert!(answered(office.call().await).contains("hedda"));
}
