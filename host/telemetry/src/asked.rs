//! The request of the protocol that is being answered, for its trace.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Which request of a client's is being answered.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its method, such as `tools/call`.
    pub method: &'static str,
    /// Its id, as the client gave it.
    pub request: String,
    /// The version of the protocol; none where it is not known.
    pub protocol: Option<String>,
    /// By what it came.
    pub transport: Transport,
    /// The span in which the client asked (W3C Trace Context); none where it names none.
    pub traceparent: Option<String>,
    /// Whether a call was made to answer it, which tells of it then.
    is_told: Arc<AtomicBool>,
}

/// By what a client's messages come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Standard input and output.
    Pipe,
    /// HTTP.
    Http,
}

impl Transport {
    /// Gives its word in numbers and traces.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pipe => "pipe",
            Self::Http => "http",
        }
    }
}

tokio::task_local! {
    static ASKED: Asked;
}

/// Characters that are kept of what a client chooses.
const CHARS_MAX: usize = 64;

impl Asked {
    /// Takes a request of a method, with the id that the client gave it, which came so.
    pub fn new(method: &'static str, request: &str, transport: Transport) -> Self {
        Self {
            method,
            request: bounded(request),
            protocol: None,
            transport,
            traceparent: None,
            is_told: Arc::default(),
        }
    }

    /// Gives its attributes besides: the version of the protocol, and the span in which the client asked.
    #[must_use]
    pub fn with(self, protocol: Option<&str>, traceparent: Option<&str>) -> Self {
        Self {
            protocol: protocol.map(bounded),
            traceparent: traceparent.map(str::to_owned),
            ..self
        }
    }

    /// Answers the request. Calls that are made meanwhile are made for it.
    pub async fn during<T>(self, answer: impl Future<Output = T>) -> T {
        ASKED.scope(self, answer).await
    }

    /// Says whether a call was made for it.
    pub(crate) fn is_told(&self) -> bool {
        self.is_told.load(Ordering::Relaxed)
    }

    /// Gives the request that is being answered to a call, which tells of it.
    pub(crate) fn of_call() -> Option<Self> {
        let asked = ASKED.try_with(Self::clone).ok()?;
        asked.is_told.store(true, Ordering::Relaxed);
        Some(asked)
    }
}

fn bounded(text: &str) -> String {
    text.chars().take(CHARS_MAX).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_knows_the_request_that_it_answers_and_no_more_of_it_than_is_bounded() {
        assert!(Asked::of_call().is_none());
        let asked = Asked::new("tools/call", &"x".repeat(10_000), Transport::Pipe);
        let told = asked.clone();
        assert!(!told.is_told());
        let seen = asked.during(async { Asked::of_call() }).await.unwrap();
        assert_eq!(seen.request.len(), CHARS_MAX);
        assert!(told.is_told());
        assert!(Asked::of_call().is_none());
    }
}
