//! What the audit log on disk costs, in pairs of one run: a read's entry beside one in memory, and a synced record beside one sync of as many bytes
//! in a file that was made before.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and may panic"
)]

use std::fs::File;
use std::hint::black_box;
use std::io::{Seek, SeekFrom, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use bench::{SALESFORCE, World};
use portcullis::policy::{Digest, Effect, Method, Origin};
use portcullis::ports::audit::{AuditLog, Durability, Event, Intent, Record};
use portcullis::ports::{MemoryAudit, PortError, Sensitive};
use portcullis::{CallId, ComponentCache};
use portcullis_store::{Location, MasterKey, Store, StoreAudit, StoreOptions};
use salesforce_devorg::{DevOrg, Options};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Builder;

/// What a read's entry may add to a call.
const ADDED_MAX: Duration = Duration::from_micros(50);

/// What a synced record may cost, of one sync.
const RATIO_MAX: f64 = 1.5;

/// Pairs that are measured, and calls of a query in each.
const PAIRS: usize = 60;
const QUERIES: u32 = 50;

/// Records that wait for the disk at the same time, under load.
const TOGETHER: u64 = 32;

const SOQL: &str = "SELECT Id, Name, Industry FROM Account ORDER BY Name LIMIT 10";

fn main() {
    // The folder of the build is on a disk; the system's temporary one may be in memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let elsewhere = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let org = elsewhere
        .block_on(DevOrg::start(Options::default()))
        .unwrap();
    let here = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let is_met = here.block_on(async {
        let audit = open(&folder).await;
        let added = entries(&org, audit.clone()).await;
        let (one, together) = syncs(&folder, &audit).await;
        audit.close().await.unwrap();
        added <= ADDED_MAX && one <= RATIO_MAX && together < one
    });
    println!(
        "{}",
        if is_met {
            "all within their aims"
        } else {
            "an aim is missed"
        }
    );
}

async fn open(folder: &TempDir) -> StoreAudit {
    let location = Location::in_folder(folder.path());
    let options = StoreOptions::new(location, MasterKey::random().unwrap());
    StoreAudit::open(Store::open(options).await.unwrap())
        .await
        .unwrap()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Two logs, of which one is written: so that host, connection and caches are the same for both.
struct Switch {
    memory: MemoryAudit,
    disk: StoreAudit,
    is_on_disk: AtomicBool,
}

#[async_trait]
impl AuditLog for Switch {
    async fn append(&self, record: Record, durability: Durability) -> Result<(), PortError> {
        match self.is_on_disk.load(Ordering::Relaxed) {
            true => self.disk.append(record, durability).await,
            false => self.memory.append(record, durability).await,
        }
    }
}

/// Measures queries through the sandbox with an entry in memory and on disk, by turns, and gives what the latter adds.
async fn entries(org: &DevOrg, disk: StoreAudit) -> Duration {
    let origin = Origin::parse(org.url()).unwrap();
    let switch = Arc::new(Switch {
        memory: MemoryAudit::of_calls(64),
        disk,
        is_on_disk: AtomicBool::new(false),
    });
    let world = World::with_audit(ComponentCache::none(), Some(&origin), switch.clone()).unwrap();
    let connector = world.install(SALESFORCE).await.unwrap();
    world.connect(&connector, org).await.unwrap();
    let sides = Arc::new((world, connector));
    let time = async |is_on_disk: bool| {
        switch.is_on_disk.store(is_on_disk, Ordering::Relaxed);
        let sides = Arc::clone(&sides);
        // On a thread of the runtime, where a server runs its calls.
        let batch = tokio::spawn(async move {
            let (world, connector) = &*sides;
            let begun = Instant::now();
            for _ in 0..QUERIES {
                let call = World::call(connector, "query", json!({"soql": SOQL})).unwrap();
                black_box(world.answer(call).await.unwrap());
            }
            begun.elapsed() / QUERIES
        });
        batch.await.unwrap()
    };
    // The first query asks for the description of what it is about.
    for is_on_disk in [false, true] {
        time(is_on_disk).await;
    }
    let (mut memory, mut disk) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        // Whoever comes second finds warmer caches.
        for is_on_disk in [pair % 2 == 0, pair % 2 != 0] {
            let times = if is_on_disk { &mut disk } else { &mut memory };
            times.push(time(is_on_disk).await);
        }
    }
    let (memory, disk) = (median(memory), median(disk));
    let added = disk.saturating_sub(memory);
    println!(
        "a query through the sandbox: {memory:?} with its entry in memory, {disk:?} with it on disk: it adds {added:?} (aim: under {ADDED_MAX:?})"
    );
    added
}

fn record() -> Record {
    let now = SystemTime::now();
    Record {
        call: CallId::random(now).unwrap(),
        at: now,
        event: Event::Intended(Intent {
            request: 1,
            attempt: 1,
            method: Method::Patch,
            origin: Origin::parse("https://acme.my.salesforce.com").unwrap(),
            route: "/services/data/{version}/sobjects/{kind}/{id}".to_owned(),
            path: Sensitive::new("/services/data/v68.0/sobjects/Account/001xx0000012345"),
            message: None,
            parts: Vec::new(),
            effect: Effect::Write,
            body: Digest::of(b"{}"),
            body_bytes: 2,
            approval: None,
            finds_out: None,
        }),
    }
}

/// Measures synced records beside single syncs, by turns, and gives their ratio: alone, and for each of many at once.
async fn syncs(folder: &TempDir, audit: &StoreAudit) -> (f64, f64) {
    let path = folder.path().join("plain");
    let mut plain = File::create(&path).unwrap();
    plain.write_all(&vec![0; 1 << 20]).unwrap();
    plain.sync_all().unwrap();
    plain.seek(SeekFrom::Start(0)).unwrap();
    let plain = Arc::new(plain);
    let (mut single, mut synced, mut together) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..PAIRS * 5 {
        let one = {
            let plain = Arc::clone(&plain);
            tokio::task::spawn_blocking(move || {
                let begun = Instant::now();
                (&*plain).write_all(&[1; 400]).unwrap();
                plain.sync_data().unwrap();
                begun.elapsed()
            })
        };
        single.push(one.await.unwrap());
        let begun = Instant::now();
        audit.append(record(), Durability::Synced).await.unwrap();
        synced.push(begun.elapsed());
        if round % 10 == 0 {
            let begun = Instant::now();
            let all = (0..TOGETHER).map(|_| {
                let audit = audit.clone();
                tokio::spawn(async move { audit.append(record(), Durability::Synced).await })
            });
            for one in all.collect::<Vec<_>>() {
                one.await.unwrap().unwrap();
            }
            together.push(begun.elapsed() / u32::try_from(TOGETHER).unwrap());
        }
    }
    let (single, synced, together) = (median(single), median(synced), median(together));
    let ratio = |time: Duration| time.as_secs_f64() / single.as_secs_f64();
    println!(
        "one sync of a file: {single:?}; a synced record: {synced:?}, {:.2} times that (aim: at most {RATIO_MAX}); each of {TOGETHER} at once: \
         {together:?}, {:.2} times",
        ratio(synced),
        ratio(together)
    );
    (ratio(synced), ratio(together))
}
