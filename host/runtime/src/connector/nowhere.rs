//! The contract's imports and HTTP where there is no call: each use of them fails.

use http::{Request, Response};
use wasmtime::component::{HasData, Linker};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttp, WasiHttpCtxView, WasiHttpHooks,
};

use super::describe::State;
use crate::bindings::contract::{approvals, audit, credentials, failures, permissions, progress};

/// Implements the contract by failing.
pub(super) struct Nowhere;

impl HasData for Nowhere {
    type Data<'a> = Self;
}

/// Adds the contract's imports and HTTP to a linker that has WASI.
pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let options = wasmtime_wasi_http::p2::bindings::LinkOptions::default();
    wasmtime_wasi_http::p2::bindings::http::outgoing_handler::add_to_linker::<State, WasiHttp>(
        linker,
        State::http,
    )?;
    wasmtime_wasi_http::p2::bindings::http::types::add_to_linker::<State, WasiHttp>(
        linker,
        &(&options).into(),
        State::http,
    )?;
    credentials::add_to_linker::<State, Nowhere>(linker, |_| Nowhere)?;
    permissions::add_to_linker::<State, Nowhere>(linker, |_| Nowhere)?;
    approvals::add_to_linker::<State, Nowhere>(linker, |_| Nowhere)?;
    audit::add_to_linker::<State, Nowhere>(linker, |_| Nowhere)?;
    progress::add_to_linker::<State, Nowhere>(linker, |_| Nowhere)?;
    Ok(())
}

impl State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.nowhere,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Box<dyn Future<Output = Result<(Response<WasiBody>, Io), Error>> + Send>;

impl WasiHttpHooks for Nowhere {
    fn send_request(&mut self, _: Request<WasiBody>, _: Option<RequestOptions>, _: Io) -> Sent {
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}

/// Traps the guest: there is no answer that it could go on with.
fn no_call<T>() -> wasmtime::Result<T> {
    Err(wasmtime::Error::msg("there is no call to ask about"))
}

impl credentials::Host for Nowhere {
    async fn current(&mut self) -> wasmtime::Result<credentials::Account> {
        no_call()
    }

    async fn token_placeholder(&mut self) -> wasmtime::Result<String> {
        no_call()
    }
}

impl permissions::Host for Nowhere {
    async fn check(
        &mut self,
        _: Vec<permissions::Access>,
    ) -> wasmtime::Result<Result<(), failures::Failure>> {
        no_call()
    }

    async fn visible_fields(&mut self, _: String, _: Vec<String>) -> wasmtime::Result<Vec<String>> {
        no_call()
    }
}

impl approvals::Host for Nowhere {
    async fn announce(
        &mut self,
        _: Vec<approvals::Change>,
    ) -> wasmtime::Result<Result<String, failures::Failure>> {
        no_call()
    }
}

impl audit::Host for Nowhere {
    async fn step(&mut self, _: String, _: Option<String>) -> wasmtime::Result<()> {
        no_call()
    }

    async fn cite(&mut self, _: Vec<audit::Source>) -> wasmtime::Result<()> {
        no_call()
    }
}

impl progress::Host for Nowhere {
    async fn report(&mut self, _: u32, _: Option<u32>, _: String) -> wasmtime::Result<()> {
        no_call()
    }

    async fn cancelled(&mut self) -> wasmtime::Result<bool> {
        no_call()
    }
}
