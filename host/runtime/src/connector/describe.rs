//! Asking a component what it is, where it can reach nothing.
//!
//! Clocks, randomness and an empty environment work, since language runtimes ask for them before
//! any code of the connector's; files, sockets and HTTP refuse; the contract's imports trap.

use std::time::Duration;

use portcullis_policy::Effect;
use serde::{Deserialize, Serialize};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::WasiHttpCtx;

use super::InstallError;
use super::effect;
use super::nowhere::{self, Nowhere};
use crate::bindings::{ConnectorPre, tools};
use crate::limiter::MemoryLimiter;
use crate::trap::Trap;

/// Time for a component to describe itself: language runtimes need up to a second to start.
const TIME_MAX: Duration = Duration::from_secs(10);

/// Memory meanwhile: what the largest language runtime needs.
const MEMORY_BYTES_MAX: usize = 64 << 20;

/// What a component says about itself. Once it was checked it is remembered: to start an instance and to compile the schemas of all tools
/// takes longer than all else of a start.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Described {
    pub(super) manifest: String,
    pub(super) tools: Vec<DescribedTool>,
    /// The interfaces that it imports.
    pub(super) imports: Vec<String>,
}

/// A tool as the contract has it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DescribedTool {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) toolset: String,
    pub(super) effect: Effect,
    pub(super) idempotent: bool,
    pub(super) input_schema: String,
    pub(super) output_schema: Option<String>,
}

impl From<tools::Tool> for DescribedTool {
    fn from(tool: tools::Tool) -> Self {
        Self {
            name: tool.name,
            title: tool.title,
            description: tool.description,
            toolset: tool.toolset,
            effect: effect(tool.effect),
            idempotent: tool.idempotent,
            input_schema: tool.input_schema,
            output_schema: tool.output_schema,
        }
    }
}

/// The data of a store in which a component describes itself.
pub(super) struct State {
    wasi: WasiCtx,
    pub(super) table: ResourceTable,
    pub(super) http: WasiHttpCtx,
    pub(super) nowhere: Nowhere,
    limiter: MemoryLimiter,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

/// Runs `manifest.describe` and `tools.list-tools`.
pub(super) async fn describe(
    engine: &Engine,
    component: &Component,
    imports: Vec<String>,
) -> Result<Described, InstallError> {
    let mut linker = Linker::<State>::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(InstallError::Engine)?;
    nowhere::add_to_linker(&mut linker).map_err(InstallError::Engine)?;
    let pre = linker
        .instantiate_pre(component)
        .and_then(ConnectorPre::new)
        .map_err(InstallError::Link)?;

    let mut store = Store::new(
        engine,
        State {
            wasi: WasiCtx::builder()
                .allow_tcp(false)
                .allow_udp(false)
                .allow_ip_name_lookup(false)
                .build(),
            table: ResourceTable::new(),
            http: WasiHttpCtx::new(),
            nowhere: Nowhere,
            limiter: MemoryLimiter::new(MEMORY_BYTES_MAX),
        },
    );
    store.limiter(|state| &mut state.limiter);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(1)));

    let broke = |function, error: &wasmtime::Error| InstallError::Describe {
        function,
        reason: Trap::of(error).to_string(),
    };
    let work = async {
        let connector = pre
            .instantiate_async(&mut store)
            .await
            .map_err(InstallError::Link)?;
        let manifest = connector
            .portcullis_connector_manifest()
            .call_describe(&mut store)
            .await
            .map_err(|error| broke("manifest.describe", &error))?;
        let tools = connector
            .portcullis_connector_tools()
            .call_list_tools(&mut store)
            .await
            .map_err(|error| broke("tools.list-tools", &error))?;
        Ok(Described {
            manifest,
            tools: tools.into_iter().map(DescribedTool::from).collect(),
            imports,
        })
    };
    match tokio::time::timeout(TIME_MAX, work).await {
        Ok(described) => described,
        Err(_) => Err(InstallError::Describe {
            function: "manifest.describe",
            reason: format!("it did not end within {} seconds", TIME_MAX.as_secs()),
        }),
    }
}
