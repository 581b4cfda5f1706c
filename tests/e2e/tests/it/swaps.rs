//! A server follows what an administrator installs: calls under way finish on the version that they began on, and none has
//! anything of two.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use portcullis::policy::{Digest, Level, Mode, Novelty, Selector, ToolRule};
use portcullis::ports::Ports;
use portcullis::ports::audit::Event;
use portcullis::{Limits, Outcome, RefusalCode, Reply};
use portcullis_store::{
    Account, Installing, Location, MasterKey, NewVersion, Role, Store, StoreConnectors, StoreError,
    StoreOptions, StorePermissions, VersionState,
};
use serde_json::{Value, json};
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::support::world::{AGENT, PERSON, Setup, call};
use crate::support::{World, component, ended, name};

const CONNECTOR: &str = "versions";

/// A host whose connectors and permissions are a store's.
struct Office {
    world: World,
    store: Store,
    connectors: Arc<StoreConnectors>,
    _folder: TempDir,
    file: std::path::PathBuf,
}

impl Office {
    /// With the first version active, in the store and in the host.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::in_folder(folder.path());
        let file = location.file().to_owned();
        let options = StoreOptions::new(location, MasterKey::random().unwrap());
        let store = Store::open(options).await.unwrap();
        store
            .add_person(&name(PERSON), "Ada", Role::Admin)
            .await
            .unwrap();
        store.add_agent(&name(AGENT), "Desk").await.unwrap();
        store
            .give_connector(&name(AGENT), &name(CONNECTOR), &Account::Personal)
            .await
            .unwrap();
        let permissions = Arc::new(StorePermissions::new(store.clone(), []));
        let setup = Setup {
            limits: Limits {
                concurrent_calls_max: 40,
                wall_clock: Duration::from_secs(60),
                ..Limits::default()
            },
            ports: Box::new(move |ports| Ports {
                permissions,
                ..ports
            }),
            ..Setup::default()
        };
        let world = World::new(setup, &["version_one"]).await;
        let connectors = StoreConnectors::new(store.clone(), world.host.clone(), []);
        let office = Self {
            world,
            store,
            connectors: Arc::new(connectors),
            _folder: folder,
            file,
        };
        office.install("version_one", None).await;
        assert!(!office.connectors.take_over().await.unwrap(), "it runs");
        let tools = office.tools();
        office
            .store
            .meet_tools(&name(CONNECTOR), &tools)
            .await
            .unwrap();
        office
    }

    fn tools(&self) -> Vec<(portcullis::policy::ToolName, portcullis::policy::Effect)> {
        let connector = self.world.host.connector(&name(CONNECTOR)).unwrap();
        let tools = connector.tools().iter();
        tools.map(|tool| (tool.name.clone(), tool.effect)).collect()
    }

    fn running(&self) -> Digest {
        let connector = self.world.host.connector(&name(CONNECTOR));
        connector.unwrap().digest()
    }

    async fn put(&self, component_: &str, state: Installing, before: Option<Digest>) -> Digest {
        let new = NewVersion {
            connector: name(CONNECTOR),
            version: "0.0.0".to_owned(),
            bytes: component(component_),
            by: name(PERSON),
        };
        self.store
            .install_version(&new, state, before)
            .await
            .unwrap()
    }

    async fn install(&self, component: &str, before: Option<Digest>) -> Digest {
        self.put(component, Installing::Active, before).await
    }

    /// Follows the store, as a server does.
    fn follow(&self) -> (JoinHandle<()>, watch::Receiver<i64>) {
        let (changes, told) = watch::channel(0);
        let connectors = Arc::clone(&self.connectors);
        let following = tokio::spawn(async move { connectors.follow(changes, |_| ()).await });
        (following, told)
    }

    async fn call(&self, tool: &str) -> Reply {
        self.world.call(CONNECTOR, tool, json!({})).await
    }
}

/// The digest of the version that a call ran.
fn ran(world: &World, reply: &Reply) -> Digest {
    match &world.records(reply)[0].event {
        Event::Opened(opened) => opened.component.unwrap(),
        other => panic!("{other:?}"),
    }
}

/// How often the version is swapped.
fn swaps() -> usize {
    let asked = std::env::var("PORTCULLIS_SWAPS").ok();
    asked.map_or(10, |count| count.parse().unwrap())
}

/// Makes a call, and holds everything of it to one version: what it answered before and after its request, the schema of its answer,
/// what the service was asked, and what the log says ran.
async fn ask(world: &World, one: Digest, two: Digest) -> &'static str {
    let reply = world.host.call(call(CONNECTOR, "version", json!({}))).await;
    assert_eq!(ended(&reply), "done", "{reply:?}");
    let digest = ran(world, &reply);
    let expected = match digest {
        digest if digest == one => "one",
        digest if digest == two => "two",
        digest => panic!("{digest} was never installed"),
    };
    let Outcome::Done(output) = reply.outcome else {
        panic!("it is done");
    };
    let answer = json!({"before": expected, "after": expected});
    assert_eq!(output.structured, Some(answer));
    assert_eq!(output.text, expected);
    expected
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_call_fails_or_mixes_versions_while_they_are_swapped() {
    let office = Office::new().await;
    let [one, two] = ["version_one", "version_two"].map(|name| Digest::of(&component(name)));
    let (following, mut told) = office.follow();
    let world = Arc::new(office.world);
    let (stop, made) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new([0, 0].map(AtomicUsize::new)),
    );
    let callers: Vec<_> = (0..32)
        .map(|_| {
            let (world, stop, made) = (world.clone(), stop.clone(), made.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    let which = ask(&world, one, two).await == "two";
                    made[usize::from(which)].fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    let mut active = one;
    for swap in 0..swaps() {
        let next = if swap % 2 == 0 {
            "version_two"
        } else {
            "version_one"
        };
        let new = NewVersion {
            connector: name(CONNECTOR),
            version: "0.0.0".to_owned(),
            bytes: component(next),
            by: name(PERSON),
        };
        let before = [0, 1].map(|which: usize| made[which].load(Ordering::SeqCst));
        active = office
            .store
            .install_version(&new, Installing::Active, Some(active))
            .await
            .unwrap();
        let runs = |_: &i64| {
            let connector = world.host.connector(&name(CONNECTOR)).unwrap();
            connector.digest() == active
        };
        told.wait_for(runs).await.unwrap();
        // Some calls are made wholly on the new one, before it is swapped again.
        let which = usize::from(active == two);
        while made[which].load(Ordering::SeqCst) < before[which] + 4 {
            ask(&world, one, two).await;
        }
    }
    stop.store(true, Ordering::SeqCst);
    for caller in callers {
        caller.await.unwrap();
    }
    let seen = world.service.seen();
    let asked = |version: &str| {
        let end = format!("?version={version}");
        seen.iter()
            .filter(|seen| seen.target.ends_with(&end))
            .count()
    };
    assert!(asked("one") > swaps() && asked("two") > swaps());
    // Only a few versions are kept, however many there were.
    assert!(office.store.versions().await.unwrap().len() <= 5);
    following.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_used_by_nobody_and_what_is_new_starts_at_its_default() {
    let office = Office::new().await;
    let (store, host) = (&office.store, &office.world.host);
    let allow = |selector: &str| ToolRule {
        level: Level::Agent(name(AGENT)),
        connector: Some(name(CONNECTOR)),
        selector: selector.parse().unwrap(),
        mode: Mode::Allow,
        made_for: None,
    };
    let note = ToolRule {
        made_for: Some(portcullis::policy::Effect::Read),
        selector: Selector::Tool(name("note")),
        ..allow("effect:read")
    };
    for rule in [note, allow("effect:write"), allow("toolset:attacks")] {
        store.put_tool_rule(&rule).await.unwrap();
    }
    let offered = async || -> Value {
        let tools = host.tools(&name(AGENT), &name(PERSON)).await.unwrap();
        let tools = tools.iter().map(|tool| {
            (
                tool.tool().name.to_string(),
                json!([tool.decision.mode, tool.novelty]),
            )
        });
        Value::Object(tools.collect())
    };
    let known = json!(["allow", "known"]);
    assert_eq!(offered().await, json!({"version": known, "note": known}));

    let one = office.running();
    let three = office
        .put("version_three", Installing::Waiting, Some(one))
        .await;
    office.connectors.take_over().await.unwrap();
    assert_eq!(office.running(), one, "it waits");
    assert_eq!(offered().await, json!({"version": known, "note": known}));

    store
        .accept_version(&name(CONNECTOR), three, Some(one), &name(PERSON))
        .await
        .unwrap();
    assert!(office.connectors.take_over().await.unwrap());
    assert_eq!(office.running(), three);
    let grown = json!({
        "version": known,
        // It was allowed when it read; now it writes.
        "note": ["ask", "grown"],
        // No rule of before it was there loosens its default.
        "keep": ["ask", "new"],
        "look": ["allow", "new"],
    });
    assert_eq!(offered().await, grown);
    store
        .see_tools(&name(CONNECTOR), &office.tools())
        .await
        .unwrap();
    let seen = offered().await;
    assert_eq!(seen["keep"], known, "an administrator has seen it");
    assert_eq!(seen["note"][1], json!(Novelty::Known));

    // Back: the tools are those of the version before.
    let before = store
        .roll_back_version(&name(CONNECTOR), three)
        .await
        .unwrap();
    assert_eq!(before, Some(one));
    office.connectors.take_over().await.unwrap();
    assert_eq!(offered().await, json!({"version": known, "note": known}));
    let reply = office.call("keep").await;
    assert_eq!(
        ended(&reply),
        format!("refused {}", RefusalCode::UnknownTool.as_str())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_decided_on_another_version_is_not_done() {
    let office = Office::new().await;
    let (store, one) = (&office.store, office.running());
    let three = office
        .put("version_three", Installing::Waiting, Some(one))
        .await;
    let two = office.install("version_two", Some(one)).await;
    // What waited was compared with what is active no more, and was replaced besides.
    let connector = name(CONNECTOR);
    for before in [None, Some(one), Some(three), Some(two)] {
        let accepted = store
            .accept_version(&connector, three, before, &name(PERSON))
            .await;
        assert!(
            matches!(accepted, Err(StoreError::VersionChanged(_))),
            "{accepted:?}"
        );
    }
    for from in [one, three] {
        let back = store.roll_back_version(&connector, from).await;
        assert!(
            matches!(back, Err(StoreError::VersionChanged(_))),
            "{back:?}"
        );
    }
    let states = |versions: Vec<portcullis_store::InstalledVersion>| {
        let states = versions.into_iter().map(|one| (one.digest, one.state));
        states.collect::<Vec<_>>()
    };
    let expected = [(two, VersionState::Active), (one, VersionState::Before)];
    assert_eq!(states(store.versions().await.unwrap()), expected);
}

/// The attack: a hand on the file puts another component in the place of one, or makes one active that nobody accepted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_put_there_by_the_program_is_not_used_and_the_running_version_goes_on() {
    let office = Office::new().await;
    let one = office.running();
    let two = office.install("version_two", Some(one)).await;
    office.connectors.take_over().await.unwrap();
    assert_eq!(office.running(), two);
    let three = office
        .put("version_three", Installing::Waiting, Some(two))
        .await;
    let mut hand = SqliteConnectOptions::new()
        .filename(&office.file)
        .connect()
        .await
        .unwrap();
    // Made active by its position alone, with the seal of another.
    sqlx::query(
        "UPDATE connector_versions SET position = 9, activated = 1, activated_by = 'ada', \
         granted = (SELECT granted FROM connector_versions WHERE digest = ?2), \
         granted_key = (SELECT granted_key FROM connector_versions WHERE digest = ?2) WHERE digest = ?1",
    )
    .bind(three.to_string())
    .bind(two.to_string())
    .execute(&mut hand)
    .await
    .unwrap();
    assert!(!office.connectors.take_over().await.unwrap());
    assert_eq!(office.running(), two, "the running one goes on");
    assert_eq!(ended(&office.call("version").await), "done");
    // A program that starts then has no version that somebody chose, and so none.
    let world = World::with(&[]).await;
    let started = StoreConnectors::new(office.store.clone(), world.host.clone(), []);
    assert!(!started.take_over().await.unwrap());
    assert!(world.host.connectors().is_empty());
    // It is gone back from like any other.
    let back = office
        .store
        .roll_back_version(&name(CONNECTOR), three)
        .await;
    assert_eq!(back.unwrap(), Some(two));

    // Other bytes under an accepted digest: read where they are not compiled yet.
    let mut bytes = component("version_two");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    sqlx::query("UPDATE connector_versions SET bytes = ?1 WHERE digest = ?2")
        .bind(bytes)
        .bind(two.to_string())
        .execute(&mut hand)
        .await
        .unwrap();
    let connector = name(CONNECTOR);
    let read = office.store.component(&connector, two).await;
    assert!(matches!(read, Err(StoreError::Damaged { .. })), "{read:?}");
    let setup = Setup {
        cache: portcullis::ComponentCache::none(),
        ..Setup::default()
    };
    let world = World::new(setup, &[]).await;
    let started = StoreConnectors::new(office.store.clone(), world.host.clone(), []);
    assert!(!started.take_over().await.unwrap());
    assert!(world.host.connectors().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_starts_takes_what_is_installed_and_a_removed_connector_goes() {
    let office = Office::new().await;
    let one = office.running();
    let two = office.install("version_two", Some(one)).await;
    let world = World::with(&[]).await;
    let started = StoreConnectors::new(office.store.clone(), world.host.clone(), []);
    assert!(started.take_over().await.unwrap());
    assert_eq!(world.host.connectors()[0].digest(), two);
    assert_eq!(
        office
            .store
            .remove_versions(&name(CONNECTOR))
            .await
            .unwrap(),
        2
    );
    assert!(started.take_over().await.unwrap());
    assert!(world.host.connectors().is_empty());
    let reply = office.call("version").await;
    assert_eq!(ended(&reply), "done", "a host that does not follow goes on");
}
