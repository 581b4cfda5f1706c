//! Each request of a client's is told to who watches: by the call that answers it, or else here.

use std::time::{Instant, SystemTime};

use portcullis_telemetry::{Answered, Asked, Target};
use rmcp::ErrorData;
use rmcp::service::{RequestContext, RoleServer};
use serde_json::Value;

use crate::Server;

impl Server {
    /// Answers a request of a method; `target` is what it was about, where it was answered.
    pub(crate) async fn told<T>(
        &self,
        method: &'static str,
        target: Option<Target>,
        context: &RequestContext<RoleServer>,
        answer: impl Future<Output = Result<T, ErrorData>>,
    ) -> Result<T, ErrorData> {
        if self.watchers.is_empty() {
            return answer.await;
        }
        let asked = self.asked(method, context);
        let (at, began) = (SystemTime::now(), Instant::now());
        let answer = asked.clone().during(answer).await;
        let error = answer.as_ref().err().map(|error| error.code.0);
        let answered = Answered {
            // What is refused may be named by a client as it likes.
            target: target.filter(|_| error.is_none()),
            at,
            took: began.elapsed(),
            error,
        };
        self.watchers.answered(&asked, &answered);
        answer
    }

    /// Takes of a request what its trace is to have.
    fn asked(&self, method: &'static str, context: &RequestContext<RoleServer>) -> Asked {
        let peer = context.peer.peer_info();
        let protocol = peer.map(|peer| peer.protocol_version.to_string());
        let traceparent = context.meta.get("traceparent").and_then(Value::as_str);
        Asked::new(method, &context.id.to_string(), self.transport)
            .with(protocol.as_deref(), traceparent)
    }
}
