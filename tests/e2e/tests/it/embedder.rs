//! The two doors for embedders: a host of their own, and a linker of their own.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use portcullis::network::{HostPort, NetworkOptions};
use portcullis::policy::{Digest, Mode};
use portcullis::{
    BindingsPre, Connector, Guard, Limits, Network, PortcullisCtx, PortcullisCtxView,
    PortcullisView, Ports, Reply, add_to_linker,
};
use serde_json::{Value, json};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::support::{World, call, component, done, ended};

#[allow(dead_code, reason = "its `main` is not this test's")]
#[path = "../../../../host/runtime/examples/embed.rs"]
mod embed;

/// What the foreign runtime keeps in its stores: its own, and a call's guard.
struct Data {
    wasi: WasiCtx,
    table: ResourceTable,
    portcullis: PortcullisCtx,
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

/// A runtime with an engine and a linker of its own.
struct Foreign {
    engine: Engine,
    linker: Linker<Data>,
    guard: Guard,
    world: World,
}

impl Foreign {
    /// Makes one whose guard has the ports of a world.
    async fn new() -> Self {
        let world = World::with(&[]).await;
        let mut config = Config::new();
        config.epoch_interruption(true);
        let engine = Engine::new(&config).unwrap();
        let weak = engine.weak();
        thread::spawn(move || {
            while let Some(engine) = weak.upgrade() {
                engine.increment_epoch();
                drop(engine);
                thread::sleep(Duration::from_millis(10));
            }
        });
        let mut linker = Linker::new(&engine);
        add_to_linker(&mut linker).unwrap();
        let mut network = NetworkOptions::default();
        let address = HostPort::new("127.0.0.1", world.service.address.port());
        network.allow_private.push(address);
        let ports = Ports {
            credentials: world.credentials.clone(),
            permissions: world.permissions.clone(),
            approvals: world.approvals.clone(),
            audit: world.audit.clone(),
        };
        let guard = Guard::new(Limits::default(), Network::new(network).unwrap(), ports);
        Self {
            engine,
            linker,
            guard,
            world,
        }
    }

    /// Runs a tool as a runtime of its own kind would.
    async fn call(&self, name: &str, tool: &str, arguments: Value) -> Reply {
        // The world's own host knows it too, and so the agent has it and it is connected.
        self.world.install(name).await;
        let bytes = component(name);
        let component = Component::new(&self.engine, &bytes).unwrap();
        let connector = Connector::inspect(&self.engine, &component, Digest::of(&bytes)).await;
        let connector = Arc::new(connector.unwrap());
        let name = connector.manifest().name.to_string();
        let program = self.linker.instantiate_pre(&component).unwrap();
        let program = BindingsPre::new(program).unwrap();

        let opened = match self
            .guard
            .open(connector, call(&name, tool, arguments))
            .await
        {
            Ok(opened) => opened,
            Err(reply) => return *reply,
        };
        let mut wasi = WasiCtx::builder();
        opened.replay().apply(&mut wasi);
        let wasi = wasi.build();
        let data = Data {
            wasi,
            table: ResourceTable::new(),
            portcullis: opened.context(),
        };
        let mut store = Store::new(&self.engine, data);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(1)));
        let returned = match program.instantiate_async(&mut store).await {
            Ok(instance) => {
                let tools = instance.portcullis_connector_tools();
                let arguments = opened.arguments();
                tools
                    .call_call_tool(&mut store, opened.tool(), &arguments)
                    .await
            }
            Err(error) => Err(error),
        };
        opened.end();
        drop(store);
        opened.settle(returned).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_runtime_is_guarded_as_the_host_is() {
    let foreign = Foreign::new().await;
    let world = &foreign.world;
    let reply = foreign
        .call("fetch", "get", json!({"path": "/record/1"}))
        .await;
    assert_eq!(
        world.events(reply.call.unwrap()),
        ["opened", "intended", "answered", "closed"]
    );
    let text = done(reply).text;
    assert_eq!(text, r#"{"id":"1","name":"Record 1"}"#);
    let seen = world.service.seen();
    assert_eq!(
        seen[0].header("authorization"),
        format!("Bearer {}", crate::support::TOKEN)
    );

    world.mode("undeclared-route", "send", Mode::Allow);
    let location = "https://evil.example/";
    world.service.move_to(location);
    for (name, tool, arguments, expected) in [
        (
            "fetch",
            "put",
            json!({"id": "1", "name": "New"}),
            "approval_required",
        ),
        (
            "fetch",
            "delete",
            json!({"id": "1"}),
            "refused tool_disabled",
        ),
        ("fetch", "nothing", json!({}), "refused unknown_tool"),
        ("fetch", "get", json!({}), "failed invalid_arguments"),
        (
            "elsewhere",
            "get",
            json!({"origin": "http://127.0.0.1:1", "path": "/"}),
            "refused origin",
        ),
        (
            "undeclared_route",
            "send",
            json!({"method": "GET", "target": "/admin"}),
            "refused route",
        ),
        (
            "undeclared_header",
            "get",
            json!({"path": "/record/1", "name": "x-a", "value": "b"}),
            "refused header",
        ),
        (
            "write_from_read",
            "read",
            json!({"method": "PATCH", "path": "/record/1", "announce": true}),
            "refused ceiling",
        ),
        (
            "leak",
            "leak",
            json!({"way": "query"}),
            "refused placeholder",
        ),
        (
            "smuggle",
            "header",
            json!({"name": "authorization", "value": "x"}),
            "failed not_permitted",
        ),
        (
            "redirect",
            "get",
            json!({"path": "/moved"}),
            "refused redirect",
        ),
        ("trap", "trap", json!({"how": "panic"}), "failed trapped"),
        ("overflow", "overflow", json!({}), "failed stack_limit"),
    ] {
        let reply = foreign.call(name, tool, arguments).await;
        assert_eq!(ended(&reply), expected, "{name}: {reply:?}");
    }
    assert!(world.service.changes().is_empty());
    // The approval of a person counts here too.
    let (approval, _) = world.approvals.pending()[0].clone();
    assert!(world.approvals.approve(approval));
    let put = json!({"id": "1", "name": "New"});
    assert_eq!(ended(&foreign.call("fetch", "put", put).await), "done");
    assert_eq!(world.service.changes().len(), 1);
}

#[test]
fn a_linker_that_holds_wasi_already_is_refused() {
    let engine = Engine::default();
    let mut linker = Linker::<Data>::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
    let error = add_to_linker(&mut linker).unwrap_err();
    assert!(error.to_string().contains("defined twice"), "{error:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_asks_a_service() {
    let world = World::with(&[]).await;
    world.service.require_token("of the example");
    let fetch = crate::support::components::path("fetch");
    let origin = world.service.origin();
    let arguments = r#"{"path": "/record/2"}"#;
    let asked = [
        fetch.to_str().unwrap(),
        &origin,
        "of the example",
        "get",
        arguments,
    ];
    let answer = embed::ask(asked).await.unwrap();
    assert_eq!(answer, r#"{"id":"2","name":"Record 2"}"#);
    let source = crate::support::root().join("host/runtime/examples/embed.rs");
    let lines = std::fs::read_to_string(source).unwrap().lines().count();
    assert!(lines < 60, "the example has {lines} lines");
}
