//! An echo through the whole pipeline: permission, arguments, audit, a fresh instance, the call, its settling. And the same with the
//! Salesforce connector, by a call that ends before anything is asked.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use bench::{HELLO, World};
use criterion::{Criterion, Throughput};
use portcullis::{ComponentCache, Outcome};
use salesforce_devorg::{DevOrg, Options};
use serde_json::json;
use tokio::runtime::Builder;

/// Calls that are under way at once, in the measurement of how many a second.
const CONCURRENT: u64 = 32;

pub(crate) fn echo(criterion: &mut Criterion) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let (world, connector) = runtime.block_on(async {
        let world = World::new(ComponentCache::none(), None).unwrap();
        let connector = world.install(HELLO).await.unwrap();
        (Arc::new(world), connector)
    });
    let call = || World::call(&connector, "echo", json!({"text": "hi"})).unwrap();

    let mut group = criterion.benchmark_group("call");
    group.throughput(Throughput::Elements(1));
    group.bench_function("echo", |bencher| {
        bencher
            .to_async(&runtime)
            .iter(|| async { black_box(world.answer(call()).await.unwrap()) });
    });
    group.throughput(Throughput::Elements(CONCURRENT));
    group.bench_function("echo, 32 at once on two cores", |bencher| {
        bencher.to_async(&runtime).iter_custom(|rounds| {
            let calls: Vec<_> = (0..CONCURRENT).map(|_| call()).collect();
            let world = world.clone();
            async move {
                let start = Instant::now();
                let tasks: Vec<_> = calls
                    .into_iter()
                    .map(|call| {
                        let world = world.clone();
                        tokio::spawn(async move {
                            for _ in 0..rounds {
                                black_box(world.answer(call.clone()).await.unwrap());
                            }
                        })
                    })
                    .collect();
                for task in tasks {
                    task.await.unwrap();
                }
                start.elapsed()
            }
        });
    });
    group.finish();
}

/// A query that is none: the connector says so itself, and that a fresh instance was made is most of what the call costs.
pub(crate) fn nothing_asked(criterion: &mut Criterion) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let elsewhere = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let org = elsewhere
        .block_on(DevOrg::start(Options::default()))
        .unwrap();
    let (world, connector) = runtime.block_on(World::of_salesforce(&org)).unwrap();
    let call = || World::call(&connector, "query_next", json!({"cursor": ""})).unwrap();
    let before = org.requests();
    criterion.bench_function("call/of salesforce, nothing asked", |bencher| {
        bencher.to_async(&runtime).iter(|| async {
            let reply = world.host.call(call()).await;
            assert!(matches!(reply.outcome, Outcome::Failed(_)));
        });
    });
    assert_eq!(org.requests(), before, "nothing is asked");
}
