//! Calls to write down, and a log to write them to.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use portcullis::CallId;
use portcullis::ports::audit::{
    Answer, AuditLog, Closed, Durability, Event, IntendedPart, Intent, Opened, Record, RequestEnd,
    Source,
};
use portcullis::ports::{PortError, Sensitive};
use portcullis_policy::{
    AgentId, Change, Digest, Effect, FieldChange, Method, Mode, PersonId, ToolCall, ToolName,
};
use portcullis_store::{
    Activity, By, DecidedKind, Door, Finding, Note, NoteLine, Report, Store, StoreAudit,
};

use crate::support::{Fixture, ada, calls, crm, origin};

/// Stands in every text that may hold a record's value.
pub const MARK: &str = "Zaphod";

/// Ada, at the command line.
pub fn by_ada() -> By {
    By {
        person: ada(),
        user: Some("ada (uid 1000)".to_owned()),
        door: Door::CommandLine,
    }
}

/// What was decided so far, and the log says: the kind, and in words.
pub async fn decided(store: &Store) -> Vec<(DecidedKind, String)> {
    let activity = Activity::open(store.clone()).await.unwrap();
    let (notes, stopped) = activity.notes().await.unwrap();
    assert!(stopped.is_none(), "{stopped:?}");
    let of = |note: NoteLine| match note.note {
        Note::Decided(decided) => Some((decided.kind, decided.to_string())),
        _ => None,
    };
    notes.into_iter().filter_map(of).collect()
}

pub fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
}

pub struct Log {
    pub fixture: Fixture,
    pub audit: StoreAudit,
}

impl Log {
    pub async fn new() -> Self {
        let fixture = Fixture::new().await;
        let audit = StoreAudit::open(fixture.store.clone()).await.unwrap();
        Self { fixture, audit }
    }

    /// A log of some calls, closed in order.
    pub async fn closed(calls: u64) -> Fixture {
        let log = Self::new().await;
        for number in 0..calls {
            Read::at(number).write(&log.audit).await;
        }
        log.audit.close().await.unwrap();
        log.fixture
    }

    pub fn files(&self) -> Vec<PathBuf> {
        files(&self.fixture.store)
    }
}

/// The segments of a store's log, in their order.
pub fn files(store: &Store) -> Vec<PathBuf> {
    let folder = store.location().audit_folder();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    files.sort();
    files
}

pub async fn verify(store: &Store) -> Report {
    let activity = Activity::open(store.clone()).await.unwrap();
    activity.verify(&[], |_| ()).await.unwrap()
}

/// Asserts that the log is whole.
pub async fn whole(store: &Store) -> Report {
    let report = verify(store).await;
    assert!(report.is_whole(), "{:?}", report.findings);
    assert!(report.unfinished.is_empty(), "{:?}", report.unfinished);
    report
}

/// Asserts that something is found, and gives the first.
pub async fn broken(store: &Store) -> Finding {
    let report = verify(store).await;
    assert!(!report.is_whole(), "{report:?}");
    report.findings[0].clone()
}

/// Puts a copy of a store and its log in a folder of its own.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

pub async fn append(
    audit: &StoreAudit,
    call: CallId,
    at: SystemTime,
    event: Event,
    durability: Durability,
) -> Result<(), PortError> {
    let record = Record { call, at, event };
    audit.append(record, durability).await
}

/// A call that reads.
pub struct Read {
    pub id: CallId,
    pub at: SystemTime,
    pub person: PersonId,
    pub agent: AgentId,
    pub arguments: String,
}

impl Read {
    /// The call that is made in a second.
    pub fn at(seconds: u64) -> Self {
        Self {
            id: CallId::random(at(seconds)).unwrap(),
            at: at(seconds),
            person: ada(),
            agent: calls(ada()).agent,
            arguments: format!("{{\"soql\": \"SELECT Name FROM Account WHERE Name = '{MARK}'\"}}"),
        }
    }

    pub fn events(&self) -> Vec<Event> {
        let mut caller = calls(self.person.clone());
        caller.agent = self.agent.clone();
        let opened = Opened {
            caller,
            connector: crm(),
            version: Some("1.2.3".to_owned()),
            component: Some(Digest::of(b"component")),
            tool: Some(ToolName::parse("query").unwrap()),
            effect: Some(Effect::Read),
            mode: Some(Mode::Allow),
            rule: None,
            connection: Some("acme".parse().unwrap()),
            arguments: Sensitive::new(self.arguments.clone()),
        };
        let source = Source {
            kind: "Account".to_owned(),
            id: Some("001xx0000012345".to_owned()),
            label: Some(Sensitive::new(format!("{MARK} Inc"))),
            url: Some(format!("https://acme.example.com/001xx?{MARK}")),
            fields: vec!["Name".to_owned(), "Industry".to_owned()],
        };
        vec![
            Event::Opened(opened),
            Event::Step {
                title: Sensitive::new(format!("Queried accounts of {MARK}")),
                detail: Some(Sensitive::new(format!("SELECT Name WHERE Name = '{MARK}'"))),
            },
            Event::Intended(intent(Effect::Read)),
            Event::Answered(answer(Effect::Read)),
            Event::Cited(vec![source]),
            Event::Closed(closed()),
        ]
    }

    pub async fn write(&self, audit: &StoreAudit) {
        for event in self.events() {
            let durability = match event {
                Event::Step { .. } | Event::Answered(_) | Event::Cited(_) => {
                    Durability::WithTheNext
                }
                _ => Durability::Buffered,
            };
            append(audit, self.id, self.at, event, durability)
                .await
                .unwrap();
        }
    }
}

pub fn intent(effect: Effect) -> Intent {
    Intent {
        request: 1,
        attempt: 1,
        method: if effect == Effect::Read {
            Method::Get
        } else {
            Method::Patch
        },
        origin: origin("https://acme.example.com"),
        route: "/record/{id}".to_owned(),
        path: Sensitive::new(format!("/record/1?q={MARK}")),
        message: (effect == Effect::Read).then(|| Sensitive::new(format!("<query>{MARK}</query>"))),
        parts: match effect {
            Effect::Read => vec![part("/record/2"), part("/record/3")],
            Effect::Write | Effect::Destructive => Vec::new(),
        },
        effect,
        body: Digest::of(MARK.as_bytes()),
        body_bytes: 17,
        approval: None,
        finds_out: None,
    }
}

/// A request within a request.
fn part(path: &str) -> IntendedPart {
    IntendedPart {
        method: Method::Get,
        route: "/record/{id}".to_owned(),
        path: Sensitive::new(format!("{path}?q={MARK}")),
    }
}

/// The call that finds out whether a change was made. What it asks may be a value.
pub fn finds_out() -> ToolCall {
    let arguments = serde_json::json!({ "object": "Account", "id": MARK });
    ToolCall {
        tool: ToolName::parse("get_record").unwrap(),
        arguments: arguments.as_object().unwrap().clone(),
        quotes: true,
    }
}

pub fn answer(effect: Effect) -> Answer {
    Answer {
        request: 1,
        effect,
        end: RequestEnd::Status(200),
        renewed: false,
        elapsed_us: 1_200,
        body_bytes: Some(512),
    }
}

pub fn closed() -> Closed {
    Closed {
        outcome: "done".into(),
        code: None,
        message: None,
        dropped: 0,
        received_bytes: 512,
        elapsed_us: 4_000,
    }
}

pub fn change() -> Change {
    Change {
        action: "update".to_owned(),
        kind: "Account".to_owned(),
        id: Some("001xx0000012345".to_owned()),
        label: format!("{MARK} Inc"),
        url: Some("https://acme.example.com/001xx".to_owned()),
        fields: vec![FieldChange {
            name: "Rating".to_owned(),
            label: "Rating".to_owned(),
            before: Some(format!("\"{MARK}-before\"")),
            after: Some(format!("\"{MARK}-after\"")),
            pointer: Some("/Rating".to_owned()),
        }],
        notes: vec![format!("tells {MARK}")],
        undo: Some(format!("write {MARK} back")),
    }
}

/// Writes a change down as far as its intent, as a program that is ended while the service works, and gives the call.
pub async fn change_in_flight(audit: &StoreAudit) -> CallId {
    let read = Read::at(100);
    let Event::Opened(mut opened) = read.events().remove(0) else {
        unreachable!();
    };
    opened.tool = Some(ToolName::parse("update_record").unwrap());
    opened.effect = Some(Effect::Write);
    let intent = Intent {
        finds_out: Some(finds_out()),
        ..intent(Effect::Write)
    };
    for (event, durability) in [
        (Event::Opened(opened), Durability::Buffered),
        (Event::Announced(vec![change()]), Durability::WithTheNext),
        (Event::Intended(intent), Durability::Synced),
    ] {
        append(audit, read.id, read.at, event, durability)
            .await
            .unwrap();
    }
    read.id
}

/// Drops a log without closing it, as a program that is ended does, and waits until its lock is free.
pub async fn drop_unclosed(audit: StoreAudit) {
    let audit = Arc::new(audit);
    drop(Arc::into_inner(audit));
    // What keeps its head holds it for moments alone.
    tokio::task::yield_now().await;
}
