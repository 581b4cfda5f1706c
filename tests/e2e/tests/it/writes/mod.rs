//! The tools that change records, by the real connector at the dev org.

mod approved;
pub mod desk;
mod inside;
mod ordinary;
mod otherwise;
mod refused;
mod table;
mod tables;
mod unclear;
