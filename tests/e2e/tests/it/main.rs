//! The whole host, with components that behave and components that do not.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking, and have names instead of documentation"
)]

mod accounts;
mod announcements;
mod answers;
mod approval;
mod arrows;
mod beyond;
mod bounds;
mod carried;
mod closed;
mod decisions;
mod durable;
mod effects;
mod embedder;
mod endings;
mod hostile;
mod messages;
mod named;
mod numbers;
mod pages;
mod quality;
mod reach;
mod reads;
mod record_first;
mod remembered;
mod renewal;
mod schema_cache;
mod scoped_org;
mod sealed;
mod secrets;
mod sizes;
mod stages;
mod state;
mod support;
mod swaps;
mod turncoat;
mod unsent;
mod versions;
mod wit;
mod writes;
