//! A fresh instance of the Salesforce connector alone: its store, its start, its end. No function of it is called.
//!
//! It is made as by a runtime of an embedder's own, with a host's engine: what a call costs besides is in `call.rs`.

use std::hint::black_box;
use std::sync::Arc;

use bench::SALESFORCE;
use criterion::Criterion;
use portcullis::network::NetworkOptions;
use portcullis::policy::{Digest, Environment, Origin};
use portcullis::ports::credentials::{Connection, Identity};
use portcullis::ports::{MemoryApprovals, MemoryAudit, MemoryCredentials, MemoryPermissions};
use portcullis::{
    BindingsPre, Call, Connector, Guard, Limits, Network, Opened, PortcullisCtx, PortcullisCtxView,
    PortcullisView, Ports, add_to_linker, engine,
};
use serde_json::json;
use tokio::runtime::Builder;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Store, StoreLimits, StoreLimitsBuilder, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// What a store holds, as a host's does.
struct Data {
    wasi: WasiCtx,
    table: ResourceTable,
    portcullis: PortcullisCtx,
    limits: StoreLimits,
}

impl Data {
    fn new(opened: &Opened, limits: &Limits) -> Self {
        let mut wasi = WasiCtx::builder();
        opened.replay().apply(&mut wasi);
        let wasi = wasi
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .build();
        Self {
            wasi,
            table: ResourceTable::new(),
            portcullis: opened.context(),
            limits: StoreLimitsBuilder::new()
                .memory_size(limits.memory_bytes_max)
                .build(),
        }
    }
}

impl WasiView for Data {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl PortcullisView for Data {
    fn portcullis(&mut self) -> PortcullisCtxView<'_> {
        PortcullisCtxView {
            ctx: &mut self.portcullis,
            table: &mut self.table,
        }
    }
}

/// A connector that can be instantiated, and a call that is open.
struct Ready {
    engine: Engine,
    program: BindingsPre<Data>,
    opened: Opened,
    limits: Limits,
}

impl Ready {
    async fn new() -> Self {
        let limits = Limits::default();
        let engine = engine(&limits).unwrap();
        let bytes = std::fs::read(SALESFORCE).unwrap();
        let component = Component::new(&engine, &bytes).unwrap();
        let connector = Connector::inspect(&engine, &component, Digest::of(&bytes)).await;
        let connector = Arc::new(connector.unwrap());
        let mut linker = Linker::new(&engine);
        add_to_linker(&mut linker).unwrap();
        let program = BindingsPre::new(linker.instantiate_pre(&component).unwrap()).unwrap();
        let guard = guard(&connector, limits.clone());
        let call = Call::new(
            "bench".parse().unwrap(),
            "me".parse().unwrap(),
            connector.manifest().name.clone(),
            "query_next",
            json!({"cursor": ""}),
        );
        let opened = guard.open(connector, call).await;
        let opened = opened.map_err(|reply| reply.outcome).unwrap();
        Self {
            engine,
            program,
            opened,
            limits,
        }
    }

    /// Makes an instance and ends it.
    async fn instance(&self) {
        let data = Data::new(&self.opened, &self.limits);
        let mut store = Store::new(&self.engine, data);
        store.limiter(|data| &mut data.limits);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(1)));
        black_box(self.program.instantiate_async(&mut store).await.unwrap());
    }
}

/// Gives the connector to an agent, and connects it to an org that is never asked.
fn guard(connector: &Connector, limits: Limits) -> Guard {
    let name = connector.manifest().name.clone();
    let (credentials, permissions) = <(Arc<MemoryCredentials>, Arc<MemoryPermissions>)>::default();
    permissions.offer("bench".parse().unwrap(), name.clone());
    let connection = Connection {
        id: "bench".parse().unwrap(),
        shared: false,
        origin: Origin::parse("https://bench.my.salesforce.com").unwrap(),
        scopes: vec!["api".to_owned()],
        identity: Some(Identity {
            environment: Environment::Production,
            user_id: "005000000000001AAA".to_owned(),
            user_name: "ann@bench.example".to_owned(),
            organization_id: None,
            organization_name: None,
            facts: vec![("api_version".to_owned(), "68.0".to_owned())],
        }),
    };
    let secret = "of nobody".to_owned().into();
    credentials.connect(name, Some("me".parse().unwrap()), connection, secret);
    let ports = Ports {
        credentials,
        permissions,
        approvals: Arc::new(MemoryApprovals::new().unwrap()),
        audit: Arc::new(MemoryAudit::of_calls(64)),
    };
    let network = Network::new(NetworkOptions::default()).unwrap();
    Guard::new(limits, network, ports)
}

pub(crate) fn instance(criterion: &mut Criterion) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let ready = runtime.block_on(Ready::new());
    criterion.bench_function("instance/of salesforce, no call", |bencher| {
        bencher
            .to_async(&runtime)
            .iter(|| async { ready.instance().await });
    });
    ready.opened.end();
}
