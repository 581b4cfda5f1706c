//! The invariants of the audit log with the log that is on disk.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use portcullis::policy::Mode;
use portcullis::ports::audit::{AuditLog, Durability, Event, Record};
use portcullis::ports::{PortError, Ports};
use portcullis_store::{Activity, Location, MasterKey, Store, StoreAudit, StoreOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Setup, World, ended, logs};

/// A store with its log.
struct Kept {
    folder: TempDir,
    store: Store,
    audit: StoreAudit,
}

impl Kept {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::in_folder(folder.path());
        let options = StoreOptions::new(location, MasterKey::random().unwrap());
        let store = Store::open(options).await.unwrap();
        let audit = StoreAudit::open(store.clone()).await.unwrap();
        Self {
            folder,
            store,
            audit,
        }
    }

    fn log_folder(&self) -> PathBuf {
        self.store.location().audit_folder()
    }
}

async fn world(audit: Arc<dyn AuditLog>) -> World {
    let setup = Setup {
        ports: Box::new(move |ports| Ports { audit, ..ports }),
        ..Setup::default()
    };
    let world = World::new(setup, &["fetch"]).await;
    world.mode("fetch", "put", Mode::Allow);
    world.mode("fetch", "delete", Mode::Allow);
    world
}

/// The log on disk, whose folder is gone from before its nth record on.
struct Lost {
    inner: StoreAudit,
    folder: PathBuf,
    aside: PathBuf,
    count: Arc<AtomicUsize>,
    lost_at: usize,
}

#[async_trait]
impl AuditLog for Lost {
    async fn append(&self, record: Record, durability: Durability) -> Result<(), PortError> {
        let nth = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        if nth == self.lost_at {
            std::fs::rename(&self.folder, &self.aside).unwrap();
        }
        self.inner.append(record, durability).await
    }
}

/// What the service may have got of one call, for every record before which the folder is lost.
async fn lose_at_every_record(tool: &str, arguments: Value) {
    let mut refused = 0;
    for lost_at in 1.. {
        let kept = Kept::new().await;
        let count = Arc::new(AtomicUsize::new(0));
        let (folder, aside) = (kept.log_folder(), kept.folder.path().join("aside"));
        let lost = Lost {
            inner: kept.audit.clone(),
            folder: folder.clone(),
            aside: aside.clone(),
            count: count.clone(),
            lost_at,
        };
        let world = world(Arc::new(lost)).await;
        let reply = world.call("fetch", tool, arguments.clone()).await;
        if aside.exists() {
            std::fs::rename(&aside, &folder).unwrap();
        }
        let records = kept.audit.records(reply.call.unwrap()).await.unwrap();
        let is_intent = |record: &&Record| matches!(record.event, Event::Intended(_));
        let intended = records.iter().filter(is_intent).count();
        assert_eq!(
            world.service.seen().len(),
            intended,
            "{tool}, {lost_at}: {reply:?}"
        );
        match ended(&reply).as_str() {
            "refused host_unavailable" => {
                refused += 1;
                let message = reply.outcome.message().unwrap();
                let is_said = ["moved, removed or cut", "it is not there any more"]
                    .iter()
                    .any(|words| message.contains(words));
                assert!(is_said, "{message}");
            }
            "done" => {}
            other => panic!("{tool}, {lost_at}: {other}"),
        }
        if count.load(Ordering::SeqCst) < lost_at {
            break;
        }
    }
    assert!(refused >= 2, "{tool}: {refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_5_no_request_without_a_record_on_disk() {
    lose_at_every_record("get", json!({"path": "/record/1"})).await;
    lose_at_every_record("put", json!({"id": "1", "name": "New"})).await;
    lose_at_every_record("delete", json!({"id": "1"})).await;
}

/// How often a segment has a text in the clear.
fn count(folder: &Path, needle: &str) -> usize {
    let segment = std::fs::read(folder.join("001-00000001.log")).unwrap();
    let windows = segment.windows(needle.len());
    windows
        .filter(|window| *window == needle.as_bytes())
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_intent_is_in_the_file_when_the_first_byte_arrives() {
    let kept = Kept::new().await;
    let world = world(Arc::new(kept.audit.clone())).await;
    let folder = kept.log_folder();
    let arrivals = Arc::new(Mutex::new(Vec::new()));
    let (seen, of_service) = (arrivals.clone(), folder.clone());
    world.service.watch(move |_| {
        let (intended, answered) = (
            count(&of_service, "intended"),
            count(&of_service, "answered"),
        );
        seen.lock().unwrap().push((intended, answered));
    });
    let put = json!({"id": "1", "name": "New"});
    let reply = world.call("fetch", "put", put).await;
    assert_eq!(ended(&reply), "done");
    // It is read before it is written.
    assert_eq!(*arrivals.lock().unwrap(), [(1, 0), (2, 1)]);
    assert_eq!(count(&folder, "answered"), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_of_records_are_in_no_file_and_no_log() {
    let kept = Kept::new().await;
    let world = world(Arc::new(kept.audit.clone())).await;
    world
        .service
        .put_record("1", json!({"id": "1", "name": "Slartibartfast-before"}));
    for (tool, arguments) in [
        ("get", json!({"path": "/record/1"})),
        ("search", json!({"text": "Slartibartfast-query"})),
        ("put", json!({"id": "1", "name": "Slartibartfast-after"})),
        ("get", json!({"path": "/record/../Slartibartfast-dots"})),
        ("put", json!({"id": "Slartibartfast-id", "name": "x"})),
    ] {
        let _ = world.call("fetch", tool, arguments).await;
    }
    let mut files = 0;
    let mut search = |when: &str| {
        let mut folders = vec![kept.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let bytes = std::fs::read(&path).unwrap();
                let mark = b"Slartibartfast";
                let is_in = bytes.windows(mark.len()).any(|window| window == mark);
                assert!(!is_in, "{when}: {}", path.display());
                files += 1;
            }
        }
    };
    search("while it is open");
    let activity = Activity::open(kept.store.clone()).await.unwrap();
    let calls = activity.calls(&Default::default()).await.unwrap().0;
    assert_eq!(calls.len(), 5);
    search("with an index");
    kept.audit.close().await.unwrap();
    kept.store.close().await;
    search("closed");
    assert!(files >= 9, "{files}");
    let logged = logs::all();
    assert!(!logged.contains("Slartibartfast"));
    assert!(!logged.is_empty());
}
