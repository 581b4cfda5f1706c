//! The bounds of a call, each with the reason for its default.

use std::time::Duration;

/// What one call may use, and how many calls may run at once.
///
/// The defaults fit a connector to a business service on a machine with a few gigabytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory, over all memories of an instance. Default 64 MiB: a language
    /// runtime and some megabytes of JSON.
    pub memory_bytes_max: usize,
    /// Bytes of an answer: text, structured data and attachments together. Default 8 MiB: more than
    /// any model reads, and room for a file.
    pub output_bytes_max: usize,
    /// Bytes of a request's body. Default 4 MiB.
    pub request_body_bytes_max: usize,
    /// Bytes of a response's body. Default 32 MiB: the largest describes are a few.
    pub response_body_bytes_max: usize,
    /// Bytes that a connection's cache of descriptions holds. Default 16 MiB.
    pub schema_cache_bytes_max: usize,
    /// How long a description that the service sent or confirmed is used without asking whether it still holds. Default 60 s: an
    /// agent's calls come in rows, and fields are seldom added between two of them.
    pub schema_fresh: Duration,
    /// Time from the start of a call to its end, waiting for a service included. Default 60 s: what
    /// MCP clients wait for.
    pub wall_clock: Duration,
    /// How long a call that was cancelled may go on to tidy up. Default 2 s.
    pub cancel_grace: Duration,
    /// Calls that run at once; further ones wait within their own time. Default 128. Each reserves
    /// address space, and uses memory only as its guest does.
    pub concurrent_calls_max: u32,
    /// Requests of one call, those that another carries in its body among them. Default 64: a tool that needs more is looping.
    pub requests_max: u32,
    /// Audit steps and sources that a connector may add to a call. Default 256; what comes after is
    /// counted and dropped.
    pub audit_entries_max: u32,
    /// Bytes of what a connector prints that are kept for the operator. Default 16 KiB.
    pub printed_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes_max: 64 << 20,
            output_bytes_max: 8 << 20,
            request_body_bytes_max: 4 << 20,
            response_body_bytes_max: 32 << 20,
            schema_cache_bytes_max: 16 << 20,
            schema_fresh: Duration::from_secs(60),
            wall_clock: Duration::from_secs(60),
            cancel_grace: Duration::from_secs(2),
            concurrent_calls_max: 128,
            requests_max: 64,
            audit_entries_max: 256,
            printed_bytes_max: 16 << 10,
        }
    }
}
