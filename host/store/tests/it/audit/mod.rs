//! The audit log on real files: what it keeps, what is found out about it, and what it refuses.

mod at_size;
mod crash;
mod killed;
mod lanes;
mod opens;
mod parts;
mod reserved;
mod retention;
mod sealed;
pub(crate) mod support;
mod tampering;
