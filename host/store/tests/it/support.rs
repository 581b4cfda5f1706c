//! A store in a folder of its own, with a clock that stands still, and what most tests put into it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use portcullis::ports::Caller;
use portcullis::ports::credentials::{Environment, Identity};
use portcullis_policy::{AgentId, ConnectionId, ConnectorName, GroupName, Origin, PersonId};
use portcullis_store::{
    Account, Clock, ConnectionSecrets, ConnectionState, Endpoints, Grant, Location, MasterKey,
    NewConnection, NewTokens, Owner, Role, Store, StoreError, StoreOptions,
};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions};
use tempfile::TempDir;

pub struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

pub struct Fixture {
    pub folder: TempDir,
    pub master: MasterKey,
    pub clock: Arc<TestClock>,
    pub store: Store,
}

impl Fixture {
    /// A new store with the people Ada, who administers, and Bob, and the agent `helper`.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let master = MasterKey::random().unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(1_700_000_000_000)));
        let options = StoreOptions::new(Location::in_folder(folder.path()), master.clone())
            .with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
        let store = Store::open(options).await.unwrap();
        store.add_person(&ada(), "Ada", Role::Admin).await.unwrap();
        store.add_person(&bob(), "Bob", Role::Member).await.unwrap();
        store.add_agent(&helper(), "Helper").await.unwrap();
        let own = Account::Personal;
        store.give_connector(&helper(), &crm(), &own).await.unwrap();
        Self {
            folder,
            master,
            clock,
            store,
        }
    }

    /// Opens the same file once more, as another process would.
    pub async fn open_again(&self, master: &MasterKey) -> Result<Store, StoreError> {
        let location = Location::in_folder(self.folder.path());
        let options = StoreOptions::new(location, master.clone())
            .with_clock(Arc::clone(&self.clock) as Arc<dyn Clock>);
        Store::open(options).await
    }

    pub fn file(&self) -> PathBuf {
        self.folder.path().join("portcullis.db")
    }

    pub fn clock_now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn pass(&self, time: Duration) {
        let time = i64::try_from(time.as_millis()).unwrap();
        self.clock.0.fetch_add(time, Ordering::SeqCst);
    }

    /// Sets the clock forward, or back.
    pub fn pass_hours(&self, hours: i64) {
        self.clock.0.fetch_add(hours * 3_600_000, Ordering::SeqCst);
    }

    /// The file without the store, as who breaks in has it.
    pub async fn raw(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.file());
        options.connect().await.unwrap()
    }

    /// Alters the file behind the store's back.
    pub async fn tamper(&self, sql: &str) {
        let done = sqlx::query(AssertSqlSafe(sql.to_owned()))
            .execute(&mut self.raw().await)
            .await
            .unwrap();
        assert!(done.rows_affected() > 0, "{sql}");
    }

    /// Keeps a connection of a person's own.
    pub async fn own(&self, person: PersonId, token: &str) -> ConnectionId {
        let new = connection(Owner::Person(person), token);
        self.store.put_connection(new).await.unwrap().id
    }

    /// Keeps a shared connection.
    pub async fn shared(&self, token: &str) -> ConnectionId {
        let new = connection(Owner::Shared, token);
        self.store.put_connection(new).await.unwrap().id
    }
}

pub fn ada() -> PersonId {
    PersonId::parse("ada@example.com").unwrap()
}

pub fn bob() -> PersonId {
    PersonId::parse("bob@example.com").unwrap()
}

pub fn helper() -> AgentId {
    AgentId::parse("helper").unwrap()
}

pub fn crm() -> ConnectorName {
    ConnectorName::parse("crm").unwrap()
}

pub fn group(name: &str) -> GroupName {
    GroupName::parse(name).unwrap()
}

pub fn calls(person: PersonId) -> Caller {
    Caller {
        agent: helper(),
        person,
    }
}

pub fn origin(text: &str) -> Origin {
    Origin::parse(text).unwrap()
}

pub fn identity(user: &str) -> Identity {
    Identity {
        environment: Environment::Sandbox,
        user_id: "005xx".to_owned(),
        user_name: user.to_owned(),
        organization_id: Some("00Dxx".to_owned()),
        organization_name: None,
        facts: vec![("language".to_owned(), "en".to_owned())],
    }
}

pub fn secrets(token: &str) -> ConnectionSecrets {
    ConnectionSecrets {
        access_token: token.to_owned().into(),
        refresh_token: Some(format!("refresh-{token}").into()),
        client_id: "the-app".to_owned(),
        client_secret: Some("client-secret".to_owned().into()),
        grant: Grant::Code,
        endpoints: endpoints(),
        scopes: vec!["api".to_owned(), "refresh_token".to_owned()],
    }
}

pub fn endpoints() -> Endpoints {
    Endpoints {
        authorize: "https://login.example.com/authorize".to_owned(),
        token: "https://login.example.com/token".to_owned(),
        revoke: Some("https://login.example.com/revoke".to_owned()),
    }
}

pub fn connection(owner: Owner, token: &str) -> NewConnection {
    NewConnection {
        connector: crm(),
        owner,
        label: "Acme".to_owned(),
        origin: origin("https://acme.example.com"),
        environment: Environment::Production,
        identity: Some(identity("ada@acme.example")),
        scopes: vec!["api".to_owned()],
        state: ConnectionState::Active,
        secrets: secrets(token),
        replaces: None,
    }
}

pub fn new_tokens(token: &str) -> NewTokens {
    NewTokens {
        access_token: token.to_owned().into(),
        refresh_token: None,
        scopes: None,
        origin: None,
    }
}
