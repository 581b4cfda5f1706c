//! Records as clients read and write them.
//!
//! The schema decides what may be written; what the org itself fills in is [`fill`]'s.

pub(crate) mod fill;
