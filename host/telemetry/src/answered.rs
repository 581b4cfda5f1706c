//! A request of the protocol that was answered without a call: a list, a prompt, or what could not be asked so.

use std::time::{Duration, SystemTime};

/// How a request was answered.
#[derive(Clone, Debug)]
pub struct Answered {
    /// What it was about, where that has a name here.
    pub target: Option<Target>,
    /// When it came.
    pub at: SystemTime,
    /// How long its answer took.
    pub took: Duration,
    /// The protocol's code of the error that it was answered with; none where it was no error.
    pub error: Option<i32>,
}

/// What a request was about. A name that a client makes up is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A tool of the host's own.
    Tool(String),
    /// A prompt.
    Prompt(String),
}
