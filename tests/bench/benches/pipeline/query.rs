//! What a query through the sandbox costs beside the same request over plain HTTP: same org, same
//! run, one kept-alive connection each, `TCP_NODELAY` on both ends.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bench::{SALESFORCE, World};
use bytes::Bytes;
use criterion::Criterion;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use portcullis::policy::{ConnectorName, Origin};
use portcullis::{Call, ComponentCache};
use salesforce_devorg::{DevOrg, Options};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::sync::Mutex;

const SOQL: &str = "SELECT Id, Name, Industry FROM Account ORDER BY Name LIMIT 10";
const PATH: &str =
    "/services/data/v68.0/query?q=SELECT+Id,+Name,+Industry+FROM+Account+ORDER+BY+Name+LIMIT+10";

async fn connect(org: &DevOrg) -> SendRequest<Empty<Bytes>> {
    let stream = TcpStream::connect(org.address()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn get(sender: &mut SendRequest<Empty<Bytes>>, org: &DevOrg) -> Bytes {
    sender.ready().await.unwrap();
    let token = &org.users()[0].access_token;
    let request = http::Request::get(PATH)
        .header("host", org.address().to_string())
        .header("authorization", format!("Bearer {token}"))
        .header("accept", "application/json")
        .body(Empty::new())
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    response.into_body().collect().await.unwrap().to_bytes()
}

/// What both measurements ask, and with what.
struct Sides {
    org: DevOrg,
    world: World,
    connector: ConnectorName,
    sender: Mutex<SendRequest<Empty<Bytes>>>,
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
    let origin = Origin::parse(org.url()).unwrap();
    let (world, connector, sender) = here.block_on(async {
        let world = World::new(ComponentCache::none(), Some(&origin)).unwrap();
        let connector = world.install(SALESFORCE).await.unwrap();
        world.connect(&connector, &org).await.unwrap();
        (world, connector, Mutex::new(connect(&org).await))
    });
    let call = || query_call(&connector);
    // The first query asks for the description of what it is about.
    here.block_on(world.answer(call())).unwrap();
    let before = org.requests();
    here.block_on(world.answer(call())).unwrap();
    assert_eq!(org.requests() - before, 1, "a warm query is one request");

    let sides = Arc::new(Sides {
        org,
        world,
        connector,
        sender,
    });

    let mut group = criterion.benchmark_group("query");
    group.bench_function("over plain HTTP", |bencher| {
        bencher.to_async(&here).iter_custom(|rounds| {
            let sides = sides.clone();
            in_a_task(async move {
                let mut sender = sides.sender.lock().await;
                let start = Instant::now();
                for _ in 0..rounds {
                    black_box(get(&mut sender, &sides.org).await);
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
