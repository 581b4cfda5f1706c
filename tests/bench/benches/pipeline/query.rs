//! What a query through the sandbox costs beside the same request over plain HTTP: same org, same run.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bench::World;
use criterion::Criterion;
use portcullis::Call;
use portcullis::policy::ConnectorName;
use salesforce_devorg::{DevOrg, Options};
use serde_json::json;
use tokio::runtime::Builder;
use tokio::sync::Mutex;

use crate::direct::Direct;

const SOQL: &str = "SELECT Id, Name, Industry FROM Account ORDER BY Name LIMIT 10";
const PATH: &str =
    "/services/data/v68.0/query?q=SELECT+Id,+Name,+Industry+FROM+Account+ORDER+BY+Name+LIMIT+10";

/// What both measurements ask, and with what.
struct Sides {
    _org: DevOrg,
    world: World,
    connector: ConnectorName,
    direct: Mutex<Direct>,
}

impl Sides {
    fn call(&self) -> Call {
        query_call(&self.connector)
    }
}

fn query_call(connector: &ConnectorName) -> Call {
    World::call(connector, "query", json!({"soql": SOQL})).unwrap()
}

/// Runs both on a thread of the runtime, where a server runs its calls: from a thread outside, each wait
/// would wake another core.
async fn in_a_task(work: impl Future<Output = Duration> + Send + 'static) -> Duration {
    tokio::spawn(work).await.unwrap()
}

pub(crate) fn query(criterion: &mut Criterion) {
    // The org has a runtime of its own, as a service elsewhere would.
    let elsewhere = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let here = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let org = elsewhere
        .block_on(DevOrg::start(Options::default()))
        .unwrap();
    let (world, connector, direct) = here.block_on(async {
        let (world, connector) = World::of_salesforce(&org).await.unwrap();
        (world, connector, Mutex::new(Direct::connect(&org).await))
    });
    let call = || query_call(&connector);
    // The first query asks for the description of what it is about.
    here.block_on(world.answer(call())).unwrap();
    let before = org.requests();
    here.block_on(world.answer(call())).unwrap();
    assert_eq!(org.requests() - before, 1, "a warm query is one request");

    let sides = Arc::new(Sides {
        _org: org,
        world,
        connector,
        direct,
    });

    let mut group = criterion.benchmark_group("query");
    group.bench_function("over plain HTTP", |bencher| {
        bencher.to_async(&here).iter_custom(|rounds| {
            let sides = sides.clone();
            in_a_task(async move {
                let mut direct = sides.direct.lock().await;
                let start = Instant::now();
                for _ in 0..rounds {
                    black_box(direct.ask("GET", PATH, String::new()).await);
                }
                start.elapsed()
            })
        });
    });
    group.bench_function("through the sandbox", |bencher| {
        bencher.to_async(&here).iter_custom(|rounds| {
            let sides = sides.clone();
            in_a_task(async move {
                let start = Instant::now();
                for _ in 0..rounds {
                    black_box(sides.world.answer(sides.call()).await.unwrap());
                }
                start.elapsed()
            })
        });
    });
    group.finish();
}
