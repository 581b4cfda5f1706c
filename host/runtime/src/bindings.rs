//! What the contract in `wit/` is in Rust, host's side.
#![allow(
    missing_docs,
    unreachable_pub,
    reason = "it is generated from the contract, which has the words"
)]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "portcullis:connector/connector",
    imports: { default: async | trappable },
    exports: { default: async },
    with: {
        "wasi:http": wasmtime_wasi_http::p2::bindings::http,
        "wasi:io": wasmtime_wasi::p2::bindings::io,
        "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
        "wasi:random": wasmtime_wasi::p2::bindings::random,
        "wasi:cli": wasmtime_wasi::p2::bindings::cli,
    },
});

pub use self::exports::portcullis::connector::tools;
pub use self::portcullis::connector as contract;
