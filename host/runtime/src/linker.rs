//! The door for runtimes that own their engine and linker: the contract's imports and `wasi:http` bound to the
//! gate, over a view trait, as `wasmtime-wasi` does it.
//!
//! What is linked here is guarded as a [`Host`](crate::Host)'s calls are, for a [`PortcullisCtx`] is made
//! by a [`Guard`](crate::Guard) alone, for one call that it has opened.

use std::sync::Arc;

use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::WasiView;
use wasmtime_wasi_http::{WasiHttp, WasiHttpCtx, WasiHttpCtxView};

use crate::bindings::contract;
use crate::gate::Gate;
use crate::scope::CallScope;

/// Bytes that the header fields of one request or response may take.
const FIELDS_BYTES_MAX: usize = 64 << 10;

/// One call's guard, to be kept in the store that the call's instance lives in.
pub struct PortcullisCtx {
    pub(crate) scope: Arc<CallScope>,
    gate: Gate,
    http: WasiHttpCtx,
}

impl PortcullisCtx {
    pub(crate) fn new(scope: Arc<CallScope>) -> Self {
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(FIELDS_BYTES_MAX);
        Self {
            gate: Gate::new(scope.clone()),
            scope,
            http,
        }
    }
}

/// A call's guard and the table of its resources, borrowed from a store.
pub struct PortcullisCtxView<'a> {
    /// The guard.
    pub ctx: &'a mut PortcullisCtx,
    /// The resources.
    pub table: &'a mut ResourceTable,
}

/// A store's data that holds a call's guard.
pub trait PortcullisView: Send {
    /// Gives the guard.
    fn portcullis(&mut self) -> PortcullisCtxView<'_>;
}

/// Names the data that the contract's imports are implemented on.
struct Portcullis;

impl HasData for Portcullis {
    type Data<'a> = PortcullisCtxView<'a>;
}

fn http<T: PortcullisView>(data: &mut T) -> WasiHttpCtxView<'_> {
    let PortcullisCtxView { ctx, table } = data.portcullis();
    WasiHttpCtxView {
        hooks: &mut ctx.gate,
        table,
        ctx: &mut ctx.http,
    }
}

/// Adds everything that a connector imports: the contract, `wasi:http` bound to the gate, and the rest of WASI 0.2 over
/// `T`'s own context, which should be an empty one: no files, no sockets, no environment.
///
/// Give connectors a linker of their own. Adding to one that holds WASI already fails, and `wasi:http` that
/// were linked later could take the gate's place.
///
/// # Errors
///
/// When the linker holds one of the interfaces already.
pub fn add_to_linker<T>(linker: &mut Linker<T>) -> wasmtime::Result<()>
where
    T: PortcullisView + WasiView + 'static,
{
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    let options = wasmtime_wasi_http::p2::bindings::LinkOptions::default();
    wasmtime_wasi_http::p2::bindings::http::outgoing_handler::add_to_linker::<T, WasiHttp>(
        linker, http::<T>,
    )?;
    wasmtime_wasi_http::p2::bindings::http::types::add_to_linker::<T, WasiHttp>(
        linker,
        &(&options).into(),
        http::<T>,
    )?;
    contract::credentials::add_to_linker::<T, Portcullis>(linker, T::portcullis)?;
    contract::permissions::add_to_linker::<T, Portcullis>(linker, T::portcullis)?;
    contract::approvals::add_to_linker::<T, Portcullis>(linker, T::portcullis)?;
    contract::audit::add_to_linker::<T, Portcullis>(linker, T::portcullis)?;
    contract::progress::add_to_linker::<T, Portcullis>(linker, T::portcullis)?;
    Ok(())
}
