//! The program as people and MCP clients use it: started, asked, and its exit code read.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bad_input;
mod demo;
mod mcp;
mod program;
mod proxy;
mod questions;
