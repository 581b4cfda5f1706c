//! The tools that read, by the real connector at the dev org: a table of calls a tool, and what a model reads of each.

mod hidden;
mod org;
mod records;
mod schema;
mod table;
mod views;
