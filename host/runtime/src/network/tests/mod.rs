//! The network against real sockets on loopback: a service, a proxy, and names that lie.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod peer;
mod pool;
mod proxy;
mod reach;
mod secrets;
mod stale;
mod timeouts;
mod tls;
