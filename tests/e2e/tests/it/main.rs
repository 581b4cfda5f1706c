//! The whole host, with components that behave and components that do not.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking, and have names instead of documentation"
)]

mod approval;
mod arrows;
mod closed;
mod effects;
mod hostile;
mod reach;
mod record_first;
mod sealed;
mod secrets;
mod state;
mod support;
mod versions;
mod wit;
