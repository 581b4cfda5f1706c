//! The contract's bindings, generated from `wit/`.
//!
//! Nothing here is written by hand. The rest of the crate wraps what an author
//! needs; the bindings stay reachable for what it does not wrap.

#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    clippy::all,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::undocumented_unsafe_blocks,
    reason = "generated code"
)]

wit_bindgen::generate!({
    world: "portcullis:connector/connector",
    path: "../../wit",
    generate_all,
    pub_export_macro: true,
    export_macro_name: "export",
    default_bindings_module: "portcullis_sdk::bindings",
    additional_derives: [PartialEq],
    additional_derives_ignore: ["stream-error", "request-options"],
});
