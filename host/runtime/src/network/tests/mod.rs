//! The network against real sockets on loopback: a service, a proxy, and names that lie.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod direct;
mod names;
mod peer;
mod pool;
mod proxied;
mod proxy;
mod reach;
mod secrets;
mod stale;
mod support;
mod timeouts;
mod tls;
