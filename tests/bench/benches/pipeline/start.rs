//! From nothing to the first answer, with a connector that an earlier start compiled.

use std::hint::black_box;

use bench::{HELLO, SALESFORCE, World};
use criterion::Criterion;
use portcullis::ComponentCache;
use serde_json::json;
use tokio::runtime::Builder;

pub(crate) fn start(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache");
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let cache = || ComponentCache::in_folder(&path).unwrap();
    let mut group = criterion.benchmark_group("start");
    group.sample_size(20);
    group.bench_function("hello, to the first answer", |bencher| {
        bencher.to_async(&runtime).iter(|| async {
            let world = World::new(cache(), None).unwrap();
            let connector = world.install(HELLO).await.unwrap();
            let call = World::call(&connector, "echo", json!({"text": "hi"})).unwrap();
            black_box(world.answer(call).await.unwrap())
        });
    });
    group.bench_function("salesforce, to where it can be called", |bencher| {
        bencher.to_async(&runtime).iter(|| async {
            let world = World::new(cache(), None).unwrap();
            world.install(SALESFORCE).await.unwrap();
            black_box(world)
        });
    });
    group.finish();
}
