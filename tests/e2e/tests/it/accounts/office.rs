//! A host with a store, and an org whose people have their accounts there.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use portcullis::network::{HostPort, NetworkOptions};
use portcullis::policy::{ConnectionId, ConnectorName};
use portcullis::ports::{MemoryApprovals, MemoryAudit, MemoryPermissions};
use portcullis::{Host, Limits, Network, Outcome, Ports, Reply};
use portcullis_connect::{
    Accounts, ActiveManifests, App, Begin, ConnectError, Connected, Identify, Login, LoopbackPages,
    LoopbackPagesOptions, Manifests, RedirectUri, Renewal, Service, SignInStarted, Timing, resolve,
};
use portcullis_store::{
    Account, Clock, ConnectLinks, Location, MasterKey, Owner, Role, Store, StoreCredentials,
    StoreOptions,
};
use salesforce_devorg::{DevOrg, DevUser, Options};
use secrecy::SecretString;
use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tempfile::TempDir;

use super::browser::{Browser, End};
use crate::support::world::{AGENT, cache};
use crate::support::{call, component, name};

/// The rotating app: each refresh token is good for one time.
pub const ROTATING: &str = "Public Client";
/// The app whose refresh token stays.
pub const STAYING: &str = "Confidential Client";

/// Who works here: an administrator and a member.
pub const ADA: &str = "ada";
pub const BOB: &str = "bob";

/// How long a renewal may take here: a request takes milliseconds.
pub const TIMING: Timing = Timing {
    lease: Duration::from_secs(2),
    beats: Duration::from_millis(200),
    waits: Duration::from_secs(10),
    looks: Duration::from_millis(20),
    pause: Duration::from_millis(20),
};

/// A host with a store.
pub struct Office {
    pub store: Store,
    pub host: Host,
    pub accounts: Accounts,
    pub renewal: Renewal,
    /// Makes no links before a test lets it.
    pub pages: Arc<LoopbackPages>,
    pub network: Network,
    pub manifests: Arc<ActiveManifests>,
    pub browser: Browser,
    pub clock: Arc<AheadClock>,
    org: String,
    allowed: Vec<HostPort>,
}

/// An org, and a host with a new store.
pub struct Site {
    pub office: Office,
    pub org: DevOrg,
    pub folder: TempDir,
    pub master: MasterKey,
}

/// The system's clock, and what a test adds to it, in milliseconds.
#[derive(Default)]
pub struct AheadClock(pub AtomicI64);

impl Clock for AheadClock {
    fn now(&self) -> Timestamp {
        let ahead = self.0.load(Ordering::SeqCst);
        Timestamp::now() + Duration::from_millis(ahead.unsigned_abs())
    }
}

impl Office {
    /// Opens a store for an org at an address, as each process does.
    pub async fn open(folder: &Path, master: MasterKey, org: &str, timing: Timing) -> Self {
        let address = org.strip_prefix("http://").unwrap();
        let allowed: Vec<HostPort> = vec![address.parse().unwrap()];
        let network = Network::new(NetworkOptions {
            allow_private: allowed.clone(),
            ..NetworkOptions::default()
        })
        .unwrap();
        let clock = Arc::new(AheadClock::default());
        let options =
            StoreOptions::new(Location::in_folder(folder), master).with_clock(clock.clone());
        let store = Store::open(options).await.unwrap();
        let manifests = Arc::new(ActiveManifests::new());
        let renewal =
            Renewal::with_timing(store.clone(), network.clone(), manifests.clone(), timing);
        let permissions = Arc::new(MemoryPermissions::new());
        let renew = Arc::new(renewal.clone());
        let pages = Arc::new(LoopbackPages::new(LoopbackPagesOptions::default()));
        let links = Some(pages.clone() as Arc<dyn ConnectLinks>);
        let ports = Ports {
            credentials: Arc::new(StoreCredentials::new(store.clone(), renew, links)),
            permissions: permissions.clone(),
            approvals: Arc::new(MemoryApprovals::new().unwrap()),
            audit: Arc::new(MemoryAudit::new()),
        };
        let limits = Limits {
            concurrent_calls_max: 16,
            ..Limits::default()
        };
        let host = Host::new(limits, network.clone(), cache(), ports).unwrap();
        let turn = INSTALLING.lock().await;
        let component = component("portcullis_salesforce");
        let inspected = host.inspect(component).await.unwrap();
        host.activate_accepted(inspected).unwrap();
        drop(turn);
        permissions.offer(name(AGENT), connector());
        manifests.take_from(&host);
        let asks = Arc::new(host.clone());
        Self {
            accounts: Accounts::new(store.clone(), network.clone(), asks, manifests.clone()),
            browser: Browser::of(org),
            org: org.to_owned(),
            store,
            host,
            renewal,
            pages,
            network,
            manifests,
            clock,
            allowed,
        }
    }

    /// Makes accounts whose services are asked by somebody else.
    pub fn accounts_with(&self, host: Arc<dyn Identify>) -> Accounts {
        let (store, network) = (self.store.clone(), self.network.clone());
        Accounts::new(store, network, host, self.manifests.clone())
    }

    /// Calls the tool that asks the org who is signed in.
    pub async fn call(&self) -> Reply {
        let call = call("salesforce", "get_identity", json!({}));
        self.host.call(call).await
    }

    /// Gives the org as a login.
    pub fn login(&self) -> Login {
        let manifest = self.manifests.manifest(&connector()).unwrap();
        let service = Service::of(&manifest).unwrap();
        resolve(service.auth, &self.org, &self.allowed).unwrap()
    }

    /// Begins a sign-in as it is wished for.
    pub async fn begin(&self, app: &App, wish: &Wish<'_>) -> Result<SignInStarted, ConnectError> {
        let scopes: Vec<String> = wish.scopes.split(' ').map(str::to_owned).collect();
        let begin = Begin {
            person: &name(wish.person),
            owner: match wish.shared {
                true => Owner::Shared,
                false => Owner::Person(name(wish.person)),
            },
            connector: &connector(),
            app,
            login: &self.login(),
            scopes: &scopes,
            redirect: &callback(),
            link: None,
            browser: wish.browser,
            label: "Acme",
            replaces: wish.replaces.clone(),
            allow_other_organization: wish.allow_other_organization,
        };
        self.accounts.begin(begin).await
    }

    /// Begins a sign-in, lets a user in and allows the app, and gives the query that the browser comes back with.
    pub async fn come_back(&self, app: &App, user: (&str, &str), wish: &Wish<'_>) -> String {
        let url = self.begin(app, wish).await.unwrap().url;
        match self.browser.browse(&url, user, "allow").await {
            End::Callback(query) => query,
            End::Page(url, text) => unreachable!("{url} {text}"),
        }
    }

    /// Signs in.
    pub async fn sign_in(
        &self,
        app: &App,
        user: (&str, &str),
        wish: &Wish<'_>,
    ) -> Result<Connected, ConnectError> {
        let query = self.come_back(app, user, wish).await;
        let person = name(wish.person);
        self.accounts
            .finish(&query, &callback(), Some(&person), wish.browser)
            .await
    }
}

impl Site {
    pub async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub async fn with(options: Options) -> Self {
        let org = DevOrg::start(options).await.unwrap();
        let (folder, master) = (tempfile::tempdir().unwrap(), MasterKey::random().unwrap());
        let office = Office::open(folder.path(), master.clone(), org.url(), TIMING).await;
        for (person, role) in [(ADA, Role::Admin), (BOB, Role::Member)] {
            let store = &office.store;
            store.add_person(&name(person), person, role).await.unwrap();
        }
        let agent = name(AGENT);
        office.store.add_agent(&agent, "Desk").await.unwrap();
        let own = Account::Personal;
        office
            .store
            .give_connector(&agent, &connector(), &own)
            .await
            .unwrap();
        Self {
            office,
            org,
            folder,
            master,
        }
    }

    /// Opens the store once more, as another process does.
    pub async fn another_office(&self) -> Office {
        let (folder, master) = (self.folder.path(), self.master.clone());
        Office::open(folder, master, self.org.url(), TIMING).await
    }

    pub fn app(&self, name: &str) -> App {
        let app = self.org.apps().into_iter().find(|app| app.name == name);
        let app = app.unwrap();
        App {
            client_id: app.client_id,
            client_secret: Some(app.client_secret.into()),
        }
    }

    /// Gives a user by the beginning of the name.
    pub fn user(&self, name: &str) -> DevUser {
        let mut users = self.org.users().iter();
        let user = users.find(|user| user.username.starts_with(name));
        user.unwrap().clone()
    }

    pub async fn begin(&self, wish: &Wish<'_>) -> Result<SignInStarted, ConnectError> {
        self.office.begin(&self.app(wish.app), wish).await
    }

    pub async fn come_back(&self, wish: &Wish<'_>) -> String {
        let (app, user) = (self.app(wish.app), self.user(wish.user));
        let user = (&*user.username, &*user.password);
        self.office.come_back(&app, user, wish).await
    }

    pub async fn sign_in(&self, wish: &Wish<'_>) -> Result<Connected, ConnectError> {
        let (app, user) = (self.app(wish.app), self.user(wish.user));
        let user = (&*user.username, &*user.password);
        self.office.sign_in(&app, user, wish).await
    }

    /// Says whether the org takes an access token.
    pub async fn takes(&self, access_token: &str) -> bool {
        let path = "/services/data/v68.0/limits";
        let (status, _) = self.office.browser.call(path, access_token).await;
        status == 200
    }

    /// Alters the store's file behind the store's back.
    pub async fn raw(&self, sql: &str) {
        let file = self.folder.path().join("portcullis.db");
        let options = SqliteConnectOptions::new()
            .filename(file)
            .busy_timeout(Duration::from_secs(10));
        let mut raw = options.connect().await.unwrap();
        let done = sqlx::query(AssertSqlSafe(sql.to_owned()));
        done.execute(&mut raw).await.unwrap();
        raw.close().await.unwrap();
    }

    /// Lists the stored connections' ids, pending ones too.
    pub async fn stored(&self) -> Vec<ConnectionId> {
        let connections = self.office.store.connections().await.unwrap();
        connections
            .into_iter()
            .map(|connection| connection.id)
            .collect()
    }
}

/// Held by who installs, so that two tests do not compile the same component at once.
static INSTALLING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// What a test signs in as.
#[derive(Clone)]
pub struct Wish<'a> {
    pub person: &'a str,
    pub user: &'a str,
    pub app: &'a str,
    pub scopes: &'a str,
    pub shared: bool,
    pub browser: Option<&'a SecretString>,
    pub replaces: Option<ConnectionId>,
    pub allow_other_organization: bool,
}

impl Default for Wish<'_> {
    /// Ada's own account, with the app whose refresh token stays.
    fn default() -> Self {
        Self {
            person: ADA,
            user: "aiko",
            app: STAYING,
            scopes: "api refresh_token id",
            shared: false,
            browser: None,
            replaces: None,
            allow_other_organization: false,
        }
    }
}

pub fn connector() -> ConnectorName {
    name("salesforce")
}

/// A callback that nobody listens on.
pub fn callback() -> RedirectUri {
    RedirectUri::parse("http://127.0.0.1:1717/callback").unwrap()
}

/// Asserts that a call came to an answer, and gives it.
pub fn answered(reply: Reply) -> String {
    match reply.outcome {
        Outcome::Done(output) => output.text,
        other => panic!("{other:?}"),
    }
}
