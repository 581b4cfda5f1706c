//! Marked secrets through everything that takes one; then every byte of every file, and every text, is searched.

use std::fmt::Debug;
use std::time::Duration;

use portcullis::ports::PortError;
use portcullis::ports::credentials::Environment;
use portcullis_policy::Digest;
use portcullis_store::{
    ConnectLink, Grant, InFlight, MasterKey, NewApp, NewTokens, Owner, SignIn, StoreCredentials,
    StoreOptions,
};
use secrecy::{ExposeSecret, SecretString};

use crate::credentials::no_renewal;
use crate::support::{Fixture, ada, bob, connection, crm, endpoints, helper, identity};

/// Stands in every secret here.
const MARK: &str = "MARKED";

fn marked(what: &str) -> SecretString {
    format!("{MARK}-{what}").into()
}

/// Everything that a value or an error would show.
struct Texts(String);

impl Texts {
    fn see<T: Debug>(&mut self, value: T) -> T {
        self.0.push_str(&format!("{value:?}\n{value:#?}\n"));
        value
    }

    fn see_error<T: Debug, E: std::error::Error>(&mut self, result: Result<T, E>) {
        let error = result.unwrap_err();
        self.0.push_str(&format!("{error:?}\n{error}\n"));
        let mut source = error.source();
        while let Some(cause) = source {
            self.0.push_str(&format!("{cause:?}\n{cause}\n"));
            source = cause.source();
        }
    }
}

#[tokio::test]
async fn no_secret_is_in_the_files_in_the_clear() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let mut texts = Texts(String::new());
    let lasts = Duration::from_secs(60);

    let mut new = connection(Owner::Person(ada()), "");
    new.secrets.access_token = marked("access");
    new.secrets.refresh_token = Some(marked("refresh"));
    new.secrets.client_secret = Some(marked("client-secret"));
    new.secrets.grant = Grant::Jwt {
        private_key_pem: marked("pem"),
        subject: "robot".to_owned(),
        audience: "https://login.example.com".to_owned(),
    };
    new.identity = Some(identity(marked("user").expose_secret()));
    let id = store.put_connection(new.clone()).await.unwrap().id;
    new.owner = Owner::Shared;
    let shared = store.put_connection(new.clone()).await.unwrap().id;
    new.identity = None;
    let mut replacing = new.clone();
    replacing.replaces = Some(shared.clone());
    texts.see(replacing.clone().secrets);
    let put = store.put_connection(replacing).await.unwrap();
    texts.see(put.replaced.unwrap().ending);
    texts.see(store.endings().await.unwrap());
    let signed_in = store.stored_connection(&shared).await.unwrap().unwrap();
    assert!(
        store
            .set_identity(&shared, signed_in.created, &identity("MARKED-later"))
            .await
            .unwrap()
    );

    let lease = store.lease(&id, 0, "holder", None).await.unwrap();
    drop(lease);
    store.sending(&id, "holder").await.unwrap();
    store
        .release(&id, "holder", InFlight::Unanswered)
        .await
        .unwrap();
    let tokens = texts.see(NewTokens {
        access_token: marked("rotated-access"),
        refresh_token: Some(marked("rotated-refresh")),
        scopes: None,
        origin: None,
    });
    texts.see(store.rotate_tokens(&id, 0, tokens.clone()).await.unwrap());
    texts.see(store.rotate_tokens(&id, 0, tokens).await.unwrap());
    texts.see(store.access_token(&id).await.unwrap());
    texts.see(store.secrets(&id).await.unwrap());

    let sign_in = texts.see(SignIn {
        person: bob(),
        owner: Owner::Person(bob()),
        connector: crm(),
        label: "Acme".to_owned(),
        environment: Environment::Unknown,
        replaces: None,
        allow_other_organization: false,
        link: None,
        browser: Some(Digest::of(marked("browser").expose_secret().as_bytes())),
        verifier: marked("verifier"),
        client_id: "app".to_owned(),
        client_secret: Some(marked("sign-in-secret")),
        endpoints: endpoints(),
        redirect_uri: "https://portcullis.example/MARKED-redirect".to_owned(),
        scopes: vec![],
    });
    store
        .begin_sign_in(&marked("state"), &sign_in, lasts)
        .await
        .unwrap();
    store
        .begin_sign_in(&marked("state-2"), &sign_in, lasts)
        .await
        .unwrap();
    texts.see(store.take_sign_in(&marked("state")).await.unwrap());
    let app = texts.see(NewApp {
        connector: crm(),
        login: None,
        client_id: "app".to_owned(),
        client_secret: Some(marked("app-secret")),
        scopes: None,
    });
    for _ in 0..2 {
        texts.see(store.put_app(&app).await.unwrap());
    }
    texts.see(store.apps().await.unwrap());
    texts.see(store.app(&crm(), "sandbox").await.unwrap());
    let link = ConnectLink {
        person: ada(),
        agent: Some(helper()),
        connector: crm(),
    };
    let link = store.make_link(&link, lasts).await.unwrap();
    let (token, made) = store.make_person_token(&ada(), "x", lasts).await.unwrap();
    texts.see(made);
    texts.see(store.person_of_token(&token).await.unwrap());
    texts.see(store.person_tokens(&ada()).await.unwrap());
    let session = store.begin_session(&token, lasts).await.unwrap().unwrap().0;
    texts.see(store.person_of_session(&session, None).await.unwrap());

    let master = MasterKey::random().unwrap();
    let options = StoreOptions::new(store.location().clone(), master.clone());
    texts.see(options);
    texts.see(master.clone());
    texts.see(store.clone());
    texts.see(StoreCredentials::new(store.clone(), no_renewal(), None));
    texts.see_error(fixture.open_again(&master).await);
    let in_text = marked("in-the-text");
    texts.see_error(MasterKey::from_base64(&in_text, "the variable"));
    texts.see_error(store.access_token(&"gone".parse().unwrap()).await);

    // All that with the log as it is, then after keys were changed, then closed.
    let secrets = [
        fixture.master.to_base64(),
        master.to_base64(),
        link,
        token,
        session,
        MARK.to_owned().into(),
    ];
    search(&fixture, &secrets);
    store.rotate_key().await.unwrap();
    store.rewrap(&master).await.unwrap();
    store.reseal(|_| ()).await.unwrap();
    search(&fixture, &secrets);
    fixture.tamper("UPDATE apps SET client_id = 'other'").await;
    texts.see_error(store.app(&crm(), "").await);
    fixture
        .tamper("UPDATE connections SET origin = 'https://evil.example'")
        .await;
    texts.see_error(store.access_token(&id).await);
    texts.see_error(store.secrets(&shared).await);
    texts.see_error(store.access_token(&id).await.map_err(PortError::from));
    texts.see(store.remove_connection(&id).await.unwrap().unwrap().ending);
    store.close().await;
    texts.see_error(store.access_token(&shared).await);
    search(&fixture, &secrets);

    for secret in &secrets {
        let secret = secret.expose_secret();
        assert!(!texts.0.contains(secret), "{secret} is in {}", texts.0);
    }
}

/// Searches all files of the store for secrets, as they are and as keys in bytes.
fn search(fixture: &Fixture, secrets: &[SecretString]) {
    use base64::Engine;
    let mut names = Vec::new();
    for entry in std::fs::read_dir(fixture.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        for secret in secrets {
            let text = secret.expose_secret();
            assert!(!has(text.as_bytes()), "{text} is in {}", path.display());
            let decoded = base64::engine::general_purpose::STANDARD.decode(text);
            if let Ok(key) = decoded.map(|key| key.to_vec())
                && key.len() == 32
            {
                assert!(!has(&key), "a key is in {}", path.display());
            }
        }
        // What is there to be found is found.
        if has(b"ada@example.com") {
            names.push(path);
        }
    }
    assert!(!names.is_empty());
}
