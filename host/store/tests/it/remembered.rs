//! What a store remembers of its file: as long as nobody commits, and no longer, whichever process does.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use portcullis::ports::credentials::{Credentials, Lookup, RefreshError, Token};
use portcullis::ports::{Caller, Permissions};
use portcullis_policy::{ConnectionId, Digest, Level, Mode, Scope, Selector, ToolRule};
use portcullis_store::{
    Account, AgentScope, Location, Renew, Store, StoreCredentials, StoreOptions, StorePermissions,
    Subject,
};
use secrecy::ExposeSecret;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Executor};

use crate::support::{Fixture, bob, calls, crm, helper, new_tokens};

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Nothing is renewed here.
struct Never;

#[async_trait]
impl Renew for Never {
    async fn renew(&self, _: &ConnectionId, _: &Token) -> Result<Token, RefreshError> {
        panic!("nothing is renewed")
    }

    fn unstored(&self, _: &ConnectionId) -> Option<Token> {
        None
    }
}

/// What a program asks in each call, of one store.
struct Asking {
    store: Store,
    caller: Caller,
    shared: ConnectionId,
}

impl Asking {
    /// Says in words what it is answered.
    async fn answers(&self) -> [String; 3] {
        let permissions = StorePermissions::new(self.store.clone(), []);
        let policy = permissions
            .policy(&self.caller, &crm(), Digest::of(b"component"))
            .await
            .unwrap();
        let credentials = StoreCredentials::new(self.store.clone(), Arc::new(Never), None);
        let found = match credentials.connection(&self.caller, &crm()).await.unwrap() {
            Lookup::Found(connection) => connection.id.to_string(),
            Lookup::Missing { advice, .. } => advice,
        };
        let token = credentials
            .token_for(&self.caller, &crm(), &self.shared)
            .await
            .unwrap();
        let token = token.map_or("none".to_owned(), |token| {
            token.secret.expose_secret().to_owned()
        });
        [format!("{policy:?}"), found, token]
    }
}

/// Somebody changes the store by another program, and the one that asked before, twice, is answered otherwise at once.
async fn is_noticed(
    asking: &Asking,
    other: &Store,
    what: &str,
    which: usize,
    change: impl AsyncFnOnce(&Store),
) {
    let before = asking.answers().await;
    assert_eq!(asking.answers().await, before, "{what}: nothing changed");
    change(other).await;
    let after = asking.answers().await;
    assert_ne!(after[which], before[which], "{what} is not noticed");
    assert_eq!(asking.answers().await, after, "{what}: nothing changed");
}

#[tokio::test]
async fn what_another_program_changes_is_so_for_the_next_question() {
    let fixture = Fixture::new().await;
    fixture.store.remember().await.unwrap();
    let other = fixture.open_again(&fixture.master).await.unwrap();
    let shared = fixture.shared("first").await;
    let account = Account::Shared(shared.clone());
    let store = &fixture.store;
    store
        .give_connector(&helper(), &crm(), &account)
        .await
        .unwrap();
    let everyone = Subject::Everyone;
    store.share(&shared, &everyone).await.unwrap();
    let asking = Asking {
        store: store.clone(),
        caller: calls(bob()),
        shared: shared.clone(),
    };
    // The first use is written down.
    asking.answers().await;

    is_noticed(&asking, &other, "a rule", 0, async |other| {
        let rule = ToolRule {
            level: Level::Workspace,
            connector: None,
            selector: "effect:write".parse::<Selector>().unwrap(),
            mode: Mode::Disabled,
            made_for: None,
        };
        other.put_tool_rule(&rule).await.unwrap();
    })
    .await;
    is_noticed(&asking, &other, "a scope", 0, async |other| {
        let scope = AgentScope {
            agent: helper(),
            connector: crm(),
            scope: Scope {
                rows_max: Some(7),
                ..Scope::default()
            },
        };
        other.put_scope(&scope).await.unwrap();
    })
    .await;
    is_noticed(&asking, &other, "another token", 2, async |other| {
        other
            .rotate_tokens(&shared, 0, new_tokens("second"))
            .await
            .unwrap();
    })
    .await;
    is_noticed(&asking, &other, "a share that goes", 1, async |other| {
        assert!(other.unshare(&shared, &everyone).await.unwrap());
    })
    .await;
    assert_eq!(asking.answers().await[2], "none", "nor is there a token");
    is_noticed(&asking, &other, "a share that comes", 2, async |other| {
        assert!(other.share(&shared, &everyone).await.unwrap());
    })
    .await;
    is_noticed(&asking, &other, "a connector that goes", 0, async |other| {
        assert!(other.take_connector(&helper(), &crm()).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_token_of_a_person_that_is_removed_elsewhere_is_nobodys() {
    let fixture = Fixture::new().await;
    fixture.store.remember().await.unwrap();
    let other = fixture.open_again(&fixture.master).await.unwrap();
    let (token, made) = fixture
        .store
        .make_person_token(&bob(), "Laptop", DAY)
        .await
        .unwrap();
    let whose = async || fixture.store.person_of_token(&token).await.unwrap();
    for _ in 0..3 {
        assert_eq!(whose().await.unwrap().id, bob());
    }
    assert!(other.remove_person_token(&bob(), &made.id).await.unwrap());
    assert_eq!(whose().await, None);
}

#[tokio::test]
async fn an_agent_that_comes_and_goes_elsewhere_does_so_here() {
    let fixture = Fixture::new().await;
    fixture.store.remember().await.unwrap();
    let other = fixture.open_again(&fixture.master).await.unwrap();
    let id = "scribe".parse().unwrap();
    let is_there = async || fixture.store.agent(&id).await.unwrap().is_some();
    for _ in 0..2 {
        assert!(!is_there().await);
    }
    other.add_agent(&id, "Scribe").await.unwrap();
    for _ in 0..2 {
        assert!(is_there().await);
    }
    assert!(other.remove_agent(&id).await.unwrap());
    assert!(!is_there().await);
}

/// The attack: a database that was moved, with a link in its old place, where its memory of before was left behind.
#[cfg(unix)]
#[tokio::test]
async fn a_link_to_the_file_hides_no_change() {
    let fixture = Fixture::new().await;
    fixture.store.remember().await.unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("portcullis.db");
    std::os::unix::fs::symlink(fixture.file(), &link).unwrap();
    let shared = |file: &std::path::Path| format!("{}-shm", file.display());
    std::fs::copy(shared(&fixture.file()), shared(&link)).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(elsewhere.path(), mode).unwrap();
    let options = StoreOptions::new(
        Location::in_folder(elsewhere.path()),
        fixture.master.clone(),
    );
    let linked = Store::open(options).await.unwrap();
    linked.remember().await.unwrap();
    let id = "scribe".parse().unwrap();
    for _ in 0..2 {
        assert!(linked.agent(&id).await.unwrap().is_none());
    }
    fixture.store.add_agent(&id, "Scribe").await.unwrap();
    assert!(linked.agent(&id).await.unwrap().is_some());
}

/// Names the file of the other program below.
const VARIABLE: &str = "PORTCULLIS_REMEMBERED_CHILD";

/// What another program does while this one writes: it wants to write, too. A test that does nothing otherwise.
#[test]
fn child() {
    let Ok(file) = std::env::var(VARIABLE) else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let is_busy = runtime.block_on(async {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .busy_timeout(Duration::ZERO);
        let mut connection = options.connect().await.unwrap();
        connection.execute("BEGIN IMMEDIATE").await.is_err()
    });
    assert!(is_busy, "two write at once");
}

/// The attack: to read the file that SQLite's locks are on, and to close it, which would let go of them.
#[tokio::test]
async fn who_looks_whether_something_changed_lets_go_of_no_lock() {
    let fixture = Fixture::new().await;
    let mut stores = Vec::new();
    for _ in 0..3 {
        let store = fixture.open_again(&fixture.master).await.unwrap();
        store.remember().await.unwrap();
        stores.push(store);
    }
    let mut writes = fixture.raw().await;
    writes.execute("BEGIN IMMEDIATE").await.unwrap();
    // Each looks, and goes.
    for store in stores {
        let permissions = StorePermissions::new(store, []);
        for _ in 0..2 {
            permissions
                .policy(&calls(bob()), &crm(), Digest::of(b"component"))
                .await
                .unwrap();
        }
    }
    let ended = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "remembered::child"])
        .env(VARIABLE, fixture.file())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(ended.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
    writes.execute("ROLLBACK").await.unwrap();
}
