//! Time: of a call, of a start, and of a query beside plain HTTP. One program, for linking it takes long.

#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

mod call;
mod query;
mod start;

use criterion::{criterion_group, criterion_main};

criterion_group!(benches, call::echo, start::start, query::query);
criterion_main!(benches);
