//! The ways in, one after the other, and the way out.

use std::sync::Arc;

use portcullis::policy::{Auth, ConnectorName, LoginPlace, Manifest, Origin};
use portcullis::ports::credentials::Environment;
use portcullis_connect::{
    Accounts, ConnectError, Fate, Manifests, Renewal, Revoked, ServiceAccount, ServiceGrant,
};
use portcullis_store::{ConnectionState, Owner, Renew, StoreError, Subject};
use salesforce_devorg::Options;
use secrecy::ExposeSecret;

use super::office::{ADA, BOB, ROTATING, Site, TIMING, Wish, answered, callback, connector};
use super::renewal::stale;
use crate::support::name;
use crate::support::world::AGENT;

const KEY: &str = include_str!("../../../../devorg/tests/data/jwt.key.pem");
const CERTIFICATE: &str = include_str!("../../../../devorg/tests/data/jwt.crt.pem");
const ADMINISTRATOR: &str = "robin.admin@devorg.example";

#[tokio::test]
async fn a_person_connects_and_the_agent_works_as_them() {
    let site = Site::new().await;
    let connected = site.sign_in(&Wish::default()).await.unwrap();
    assert!(
        connected.identity.user_name.starts_with("aiko"),
        "{connected:?}"
    );
    assert_eq!(connected.scopes, ["api", "refresh_token", "id"]);
    assert_ne!(connected.environment, Environment::Unknown);
    assert!(connected.organization.is_some());
    assert!(connected.before.is_none());
    assert!(answered(site.office.call().await).contains("aiko"));
    let stored = site.office.store.stored_connection(&connected.connection);
    let stored = stored.await.unwrap().unwrap();
    assert_eq!(stored.state, ConnectionState::Active);
    assert_eq!(stored.owner, Owner::Person(name(ADA)));
    assert_eq!(stored.identity, Some(connected.identity));
    // In another process, too.
    assert!(answered(site.another_office().await.call().await).contains("aiko"));
}

#[tokio::test]
async fn a_connection_is_renewed_in_its_place_and_the_tokens_before_are_revoked() {
    let site = Site::new().await;
    let first = site.sign_in(&Wish::default()).await.unwrap();
    let store = &site.office.store;
    let old = store.access_token(&first.connection).await.unwrap().secret;
    let second = Wish {
        user: "hedda",
        ..Wish::default()
    };
    let second = site.sign_in(&second).await.unwrap();
    assert_eq!(second.connection, first.connection);
    assert!(second.before.unwrap().is_revoked());
    assert!(!site.takes(old.expose_secret()).await);
    assert!(answered(site.office.call().await).contains("hedda"));
    assert_eq!(site.stored().await.len(), 1);
}

#[tokio::test]
async fn a_shared_account_is_an_administrators_to_connect_and_keeps_its_shares() {
    let site = Site::new().await;
    let shared = |person| Wish {
        person,
        shared: true,
        ..Wish::default()
    };
    let refused = site.begin(&shared(BOB)).await.unwrap_err();
    assert!(
        matches!(refused, ConnectError::NotAdministrator(_)),
        "{refused}"
    );

    let first = site.sign_in(&shared(ADA)).await.unwrap();
    let (store, id) = (&site.office.store, first.connection);
    store.share(&id, &Subject::Person(name(BOB))).await.unwrap();
    let again = Wish {
        replaces: Some(id.clone()),
        ..shared(ADA)
    };
    assert_eq!(site.sign_in(&again).await.unwrap().connection, id);
    assert_eq!(store.access(&id).await.unwrap().len(), 1);

    // What is renewed is removed while the person signs in: it does not come back.
    let again = Wish {
        replaces: Some(id.clone()),
        ..shared(ADA)
    };
    let query = site.come_back(&again).await;
    store.remove_connection(&id).await.unwrap();
    let gone = site
        .office
        .accounts
        .finish(&query, &callback(), None, None)
        .await;
    let gone = gone.unwrap_err();
    let is_gone = matches!(&gone, ConnectError::Store(StoreError::NotFound { .. }));
    assert!(is_gone, "{gone}");
    assert!(site.stored().await.is_empty());
}

#[tokio::test]
async fn service_accounts_need_no_browser_and_get_new_tokens_by_their_grant() {
    let site = Site::with(Options {
        jwt_certificate: Some(CERTIFICATE.to_owned()),
        ..Options::default()
    })
    .await;
    let jwt = || ServiceGrant::Jwt {
        private_key_pem: KEY.into(),
        subject: ADMINISTRATOR.to_owned(),
        audience: None,
    };
    for (app, grant) in [
        ("Nightly Job", ServiceGrant::ClientCredentials),
        ("Signing Job", jwt()),
    ] {
        let (ada, bob) = (name(ADA), name(BOB));
        let (connector, login) = (connector(), site.office.login());
        let credentials = site.app(app);
        let account = |person| ServiceAccount {
            person,
            connector: &connector,
            app: &credentials,
            login: &login,
            grant: grant.clone(),
            label: app,
            replaces: None,
            allow_other_organization: false,
        };
        let refused = site.office.accounts.service_account(account(&bob));
        let refused = refused.await.unwrap_err();
        assert!(
            matches!(refused, ConnectError::NotAdministrator(_)),
            "{refused}"
        );
        let connected = site.office.accounts.service_account(account(&ada));
        let connected = connected.await.unwrap();
        assert_eq!(connected.identity.user_name, ADMINISTRATOR);

        let (store, id) = (&site.office.store, &connected.connection);
        store.share(id, &Subject::Everyone).await.unwrap();
        let account = portcullis_store::Account::Shared(id.clone());
        store
            .give_connector(&name(AGENT), &connector, &account)
            .await
            .unwrap();
        let stale = store.access_token(id).await.unwrap();
        assert!(site.org.expire_session(stale.secret.expose_secret()));
        assert!(answered(site.office.call().await).contains("robin"));
        assert_eq!(store.access_token(id).await.unwrap().generation, 1);
    }
}

#[tokio::test]
async fn a_connection_that_is_ended_is_ended_there_too() {
    let site = Site::new().await;
    let wish = Wish {
        app: ROTATING,
        scopes: "api refresh_token",
        ..Wish::default()
    };
    let id = site.sign_in(&wish).await.unwrap().connection;
    let (store, accounts) = (&site.office.store, &site.office.accounts);
    let token = store.access_token(&id).await.unwrap().secret;
    let identity = accounts.test(&id, &name(ADA)).await.unwrap();
    assert!(identity.user_name.starts_with("aiko"));
    let ended = accounts.disconnect(&id).await.unwrap().unwrap();
    assert_eq!(ended.revocations.len(), 2);
    assert_eq!(ended.revocations[0].what, "refresh token");
    assert_eq!(ended.revocations[0].fate, Fate::Revoked(Revoked::Now));
    assert!(ended.is_revoked());
    assert!(!site.takes(token.expose_secret()).await);
    assert!(accounts.disconnect(&id).await.unwrap().is_none());
    let gone = accounts.test(&id, &name(ADA)).await.unwrap_err();
    assert!(matches!(gone, ConnectError::Gone), "{gone}");

    // With a person who goes, too; and where the service does not answer, that is told.
    let bobs = Wish {
        person: BOB,
        ..wish
    };
    let id = site.sign_in(&bobs).await.unwrap().connection;
    let token = store.access_token(&id).await.unwrap().secret;
    let removed = store.remove_person(&name(BOB)).await.unwrap();
    site.org.answer_next(503, &[], "<html>maintenance</html>");
    let ended = accounts.disconnect_all(removed).await;
    assert!(
        matches!(ended[0].revocations[0].fate, Fate::Left(_)),
        "{ended:?}"
    );
    assert!(!ended[0].is_revoked());
    assert!(!site.takes(token.expose_secret()).await);
}

/// A newer version of the connector, by which people sign in elsewhere.
struct Moved(Manifest);

impl Manifests for Moved {
    fn manifest(&self, _: &ConnectorName) -> Option<Manifest> {
        Some(self.0.clone())
    }
}

#[tokio::test]
async fn tokens_go_where_they_came_from_whatever_a_newer_manifest_says() {
    let site = Site::new().await;
    let (_, stale) = stale(&site, ROTATING).await;
    let id = site.stored().await.remove(0);
    let office = &site.office;
    let mut manifest = office.manifests.manifest(&connector()).unwrap();
    let Auth::OAuth2(auth) = &mut manifest.auth else {
        panic!("{:?}", manifest.auth);
    };
    let elsewhere = LoginPlace::Origin(Origin::parse("https://evil.example").unwrap());
    auth.login.truncate(1);
    auth.login[0].place = elsewhere;
    auth.authorize = "/moved/authorize".to_owned();
    auth.token = "/moved/token".to_owned();
    auth.revoke = Some("/moved/revoke".to_owned());
    let moved = Arc::new(Moved(manifest));
    let (store, network) = (office.store.clone(), office.network.clone());
    let renewal = Renewal::with_timing(store.clone(), network.clone(), moved.clone(), TIMING);
    let token = renewal.renew(&id, &stale).await.unwrap();
    assert!(site.takes(token.secret.expose_secret()).await);
    let host = Arc::new(office.host.clone());
    let accounts = Accounts::new(store, network, host, moved);
    let ended = accounts.disconnect(&id).await.unwrap().unwrap();
    assert!(ended.is_revoked(), "{ended:?}");
    assert!(!site.takes(token.secret.expose_secret()).await);
}

#[tokio::test]
async fn an_account_that_works_no_more_is_found_out_by_a_test() {
    let site = Site::new().await;
    let id = site.sign_in(&Wish::default()).await.unwrap().connection;
    let (store, accounts) = (&site.office.store, &site.office.accounts);
    let (secrets, _) = store.secrets(&id).await.unwrap();
    assert!(
        site.org
            .revoke(secrets.refresh_token.unwrap().expose_secret())
    );
    let unfit = accounts.test(&id, &name(ADA)).await.unwrap_err();
    assert!(matches!(unfit, ConnectError::Unfit { .. }), "{unfit}");
    assert!(
        unfit
            .to_string()
            .contains("Salesforce has ended this sign-in"),
        "{unfit}"
    );
    let stored = store.stored_connection(&id).await.unwrap().unwrap();
    assert!(matches!(stored.state, ConnectionState::Reconnect { .. }));
}
