//! Time: of a call, of a start, of a query and of a change beside plain HTTP, and of what large orgs answer. One program, for linking it
//! takes long.

#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

mod call;
mod change;
mod direct;
mod instance;
mod objects;
mod query;
mod start;

use criterion::{criterion_group, criterion_main};

criterion_group!(
    benches,
    call::echo,
    call::nothing_asked,
    instance::instance,
    start::start,
    query::query,
    change::change,
    objects::objects
);
criterion_main!(benches);
