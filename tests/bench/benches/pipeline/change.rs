//! What a change through the sandbox costs beside its three requests over plain HTTP: the record before, the change, the record after.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bench::World;
use criterion::Criterion;
use portcullis::Call;
use portcullis::policy::ConnectorName;
use salesforce_devorg::{DevOrg, Options};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Mutex;

use crate::direct::Direct;

const ACCOUNT: &str = "001DO0000000002YAA";

struct Sides {
    org: DevOrg,
    world: World,
    connector: ConnectorName,
    direct: Mutex<Direct>,
    /// Changes so far, by either way: what is so already is not sent, also where a sample begins.
    changes: AtomicU64,
}

impl Sides {
    /// Gives another number than the one before.
    fn phone(&self) -> String {
        format!(
            "+49 30 {}",
            self.changes.fetch_add(1, Ordering::Relaxed) % 2
        )
    }

    fn call(&self) -> Call {
        let fields = json!({"Phone": self.phone()});
        let arguments = json!({"object": "Account", "id": ACCOUNT, "fields": fields});
        World::call(&self.connector, "update_record", arguments).unwrap()
    }
}

async fn directly(direct: &mut Direct, phone: &str) {
    let record = format!("/services/data/v68.0/sobjects/Account/{ACCOUNT}");
    let query = format!(
        "/services/data/v68.0/query?q=SELECT+Id,Name,Phone+FROM+Account+WHERE+Id='{ACCOUNT}'"
    );
    black_box(direct.ask("GET", &query, String::new()).await);
    let body = json!({ "Phone": phone }).to_string();
    black_box(direct.ask("PATCH", &record, body).await);
    black_box(direct.ask("GET", &query, String::new()).await);
}

fn runtime() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().unwrap()
}

pub(crate) fn change(criterion: &mut Criterion) {
    // The org has a runtime of its own, as a service elsewhere would.
    let (elsewhere, here) = (runtime(), runtime());
    let org = elsewhere
        .block_on(DevOrg::start(Options::default()))
        .unwrap();
    let sides = here.block_on(async {
        let (world, connector) = World::of_salesforce(&org).await.unwrap();
        world.allow(&connector, "update_record").unwrap();
        let direct = Mutex::new(Direct::connect(&org).await);
        Sides {
            org,
            world,
            connector,
            direct,
            changes: AtomicU64::new(0),
        }
    });
    let sides = Arc::new(sides);
    // The first change asks for the description of what it is about.
    here.block_on(sides.world.answer(sides.call())).unwrap();
    let before = sides.org.requests();
    here.block_on(sides.world.answer(sides.call())).unwrap();
    assert_eq!(
        sides.org.requests() - before,
        3,
        "a warm change is three requests"
    );

    let mut group = criterion.benchmark_group("change");
    group.bench_function("its requests over plain HTTP", |bencher| {
        bencher.to_async(&here).iter_custom(|rounds| {
            let sides = sides.clone();
            timed(async move {
                let mut direct = sides.direct.lock().await;
                for _ in 0..rounds {
                    directly(&mut direct, &sides.phone()).await;
                }
            })
        });
    });
    group.bench_function("through the sandbox", |bencher| {
        bencher.to_async(&here).iter_custom(|rounds| {
            let sides = sides.clone();
            timed(async move {
                for _ in 0..rounds {
                    black_box(sides.world.answer(sides.call()).await.unwrap());
                }
            })
        });
    });
    group.finish();
}

/// Runs the work on a thread of the runtime, where a server runs its calls.
async fn timed(work: impl Future<Output = ()> + Send + 'static) -> Duration {
    let task = tokio::spawn(async move {
        let start = Instant::now();
        work.await;
        start.elapsed()
    });
    task.await.unwrap()
}
