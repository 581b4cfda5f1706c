//! What was surely not sent is counted nowhere, and nobody is told that it may have been.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use portcullis::policy::{Effect, Scope};
use portcullis::ports::audit::{AuditLog, Durability, Event, Record};
use portcullis::ports::{PortError, Ports};
use portcullis::{ApprovalId, Outcome, Reply};
use portcullis_store::{
    Approval, ApprovalState, Location, MasterKey, Role, Store, StoreApprovals, StoreOptions,
};
use serde_json::json;
use tempfile::TempDir;

use crate::support::world::PERSON;
use crate::support::{Setup, World, ended, name};

/// A log that takes no intent of a change while it is full.
struct Full {
    inner: Arc<dyn AuditLog>,
    is_full: Arc<AtomicBool>,
}

#[async_trait]
impl AuditLog for Full {
    async fn append(&self, record: Record, durability: Durability) -> Result<(), PortError> {
        match &record.event {
            Event::Intended(intent)
                if intent.effect > Effect::Read && self.is_full.load(Ordering::SeqCst) =>
            {
                Err(PortError::new("the disk is full"))
            }
            _ => self.inner.append(record, durability).await,
        }
    }
}

/// An agent that may change a record a day, a person who decides, and a log that may be full.
struct Desk {
    world: World,
    store: Store,
    is_full: Arc<AtomicBool>,
    _folder: TempDir,
}

impl Desk {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::in_folder(folder.path());
        let options = StoreOptions::new(location, MasterKey::random().unwrap());
        let store = Store::open(options).await.unwrap();
        let person = name(PERSON);
        store.add_person(&person, "Ada", Role::Admin).await.unwrap();
        let approvals = Arc::new(StoreApprovals::open(store.clone()).await.unwrap());
        let is_full = Arc::new(AtomicBool::new(false));
        let full = is_full.clone();
        let setup = Setup {
            ports: Box::new(move |ports| Ports {
                approvals,
                audit: Arc::new(Full {
                    inner: ports.audit.clone(),
                    is_full: full,
                }),
                ..ports
            }),
            ..Setup::default()
        };
        let world = World::new(setup, &["fetch"]).await;
        let scope = Scope {
            changes_per_day: Some(1),
            ..Scope::default()
        };
        world.scope("fetch", scope);
        Self {
            world,
            store,
            is_full,
            _folder: folder,
        }
    }

    async fn put(&self, id: &str) -> Reply {
        let arguments = json!({"id": id, "name": "New"});
        self.world.call("fetch", "put", arguments).await
    }

    /// Asks, and has a person say yes; nothing is run for it.
    async fn approved(&self, record: &str) -> ApprovalId {
        let id = held(&self.put(record).await);
        self.store.approve(id, &name(PERSON), None).await.unwrap();
        id
    }

    async fn question(&self, id: ApprovalId) -> Approval {
        let question = self.store.question(id, &name(PERSON)).await;
        question.unwrap().approval
    }
}

fn held(reply: &Reply) -> ApprovalId {
    match &reply.outcome {
        Outcome::ApprovalRequired(approval) => approval.id,
        other => panic!("nobody is asked: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_yes_that_the_day_has_no_room_for_is_not_used_up() {
    let desk = Desk::new().await;
    // To ask takes nothing of the day, however often.
    let first = desk.approved("1").await;
    let second = desk.approved("2").await;
    let record = json!({"id": "3", "name": "Record 3"});
    desk.world.service.put_record("3", record);
    held(&desk.put("3").await);
    assert_eq!(ended(&desk.put("1").await), "done");
    assert_eq!(ended(&desk.put("2").await), "refused change_limit");
    assert_eq!(desk.question(first).await.state, ApprovalState::Used);
    assert_eq!(desk.question(second).await.state, ApprovalState::Approved);
    assert_eq!(desk.world.service.changes().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_yes_whose_intent_cannot_be_written_says_that_nothing_was_sent() {
    let desk = Desk::new().await;
    let id = desk.approved("1").await;
    desk.is_full.store(true, Ordering::SeqCst);
    assert_eq!(ended(&desk.put("1").await), "refused host_unavailable");
    let question = desk.question(id).await;
    assert_eq!(question.state, ApprovalState::Used);
    assert!(question.is_unsent);
    assert!(desk.world.service.changes().is_empty());
    // The day has its room again, and the next question says nothing of one that may have been sent.
    desk.is_full.store(false, Ordering::SeqCst);
    let reply = desk.put("1").await;
    let Outcome::ApprovalRequired(asked) = &reply.outcome else {
        panic!("{reply:?}");
    };
    assert!(asked.id != id && asked.card.differs.is_empty());
    let person = name(PERSON);
    desk.store.approve(asked.id, &person, None).await.unwrap();
    assert_eq!(ended(&desk.put("1").await), "done");
    assert!(!desk.question(asked.id).await.is_unsent);
}
