//! Time: of a call, of a start, of a query beside plain HTTP, and of a list of objects in a large org beside a small one. One program, for linking it takes long.

#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

mod call;
mod objects;
mod query;
mod start;

use criterion::{criterion_group, criterion_main};

criterion_group!(
    benches,
    call::echo,
    start::start,
    query::query,
    objects::objects
);
criterion_main!(benches);
