//! A session of the protocol that ended.

use std::time::Duration;

use crate::Transport;

/// How a session was, of a client that began one by a handshake: the newest revision of the protocol has none, and so no session.
#[derive(Clone, Copy, Debug)]
pub struct SessionEnded<'a> {
    /// By what its messages came.
    pub by: Transport,
    /// The version of the protocol that was agreed on.
    pub protocol: &'a str,
    /// How long it lasted: from the answer to its first request to its end.
    pub took: Duration,
}
