//! The request of the protocol that a call answers, for its trace.

/// Which request of a client's a call answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The request's id, as the client gave it.
    pub request: String,
    /// The version of the protocol; none where it is not known.
    pub protocol: Option<String>,
    /// The span in which the client asked (W3C Trace Context); none where it names none.
    pub traceparent: Option<String>,
}

tokio::task_local! {
    static ASKED: Asked;
}

/// Characters that are kept of what a client chooses.
const CHARS_MAX: usize = 64;

impl Asked {
    /// Runs a call as the answer to this request.
    pub async fn during<T>(mut self, call: impl Future<Output = T>) -> T {
        self.request = bounded(&self.request);
        self.protocol = self.protocol.as_deref().map(bounded);
        ASKED.scope(self, call).await
    }

    /// Gives the request that the call under way answers.
    pub(crate) fn now() -> Option<Self> {
        ASKED.try_with(Self::clone).ok()
    }
}

fn bounded(text: &str) -> String {
    text.chars().take(CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_knows_the_request_that_it_answers_and_no_more_of_it_than_is_bounded() {
        assert_eq!(Asked::now(), None);
        let asked = Asked {
            request: "x".repeat(10_000),
            ..Asked::default()
        };
        let seen = asked.during(async { Asked::now() }).await;
        assert_eq!(seen.map(|asked| asked.request.len()), Some(CHARS_MAX));
        assert_eq!(Asked::now(), None);
    }
}
