//! Keeps the sessions of one caller, in each of which an id is one request's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, ready};
use futures_util::stream::{Stream, StreamExt, once};
use rmcp::model::{ClientJsonRpcMessage, JsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::WorkerTransport;
use rmcp::transport::common::server_side_http::ServerSseMessage;
use rmcp::transport::streamable_http_server::session::local::{
    LocalSessionManager, LocalSessionManagerError, LocalSessionWorker,
};
use rmcp::transport::streamable_http_server::{SessionId, SessionManager};

use super::batched;
use crate::once::{Once, Taken};
use crate::session::{Session, Watch};

/// The sessions of one caller.
pub(super) struct Keeper {
    sessions: LocalSessionManager,
    taken: Mutex<HashMap<SessionId, Taken>>,
    watch: Watch,
}

impl Keeper {
    /// Keeps sessions until they were silent for so long, and has who watches told of them.
    pub(super) fn new(idle: Duration, watch: Watch) -> Arc<Self> {
        let mut sessions = LocalSessionManager::default();
        sessions.session_config.keep_alive = Some(idle);
        sessions.session_config.sse_retry = None;
        Arc::new(Self {
            sessions,
            taken: Mutex::default(),
            watch,
        })
    }

    /// Counts those that are open.
    pub(super) async fn count(&self) -> usize {
        self.sessions.sessions.read().await.len()
    }

    /// Says whether a session's revision has batches; none where there is no such session.
    pub(super) fn has_batches(&self, id: &str) -> Option<bool> {
        self.taken().get(id).map(Taken::has_batches)
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<SessionId, Taken>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionManager for Keeper {
    type Error = LocalSessionManagerError;
    type Transport = Session<Once<WorkerTransport<LocalSessionWorker>>>;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        let (id, transport) = self.sessions.create_session().await?;
        let taken = Taken::default();
        self.taken().insert(id.clone(), taken.clone());
        let transport = Once::new(transport, taken);
        Ok((id, Session::new(transport, self.watch.clone())))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Self::Error> {
        self.sessions.initialize_session(id, message).await
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        self.sessions.has_session(id).await
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        self.taken().remove(id);
        self.sessions.close_session(id).await
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let taken = self.taken().get(id).cloned();
        let request = match &message {
            JsonRpcMessage::Request(request) => Some(request.id.clone()),
            _ => None,
        };
        let mut held = None;
        if let (Some(taken), Some(request)) = (&taken, &request) {
            match taken.hold(request).await {
                Ok(holds) => held = Some(holds),
                Err(refused) => {
                    // It goes where the second was asked, and nowhere else.
                    let refused = ServerJsonRpcMessage::error(refused, Some(request.clone()));
                    let refused = ServerSseMessage::from_message(refused);
                    return Ok(Either::Left(once(ready(refused))));
                }
            }
        }
        let is_in_batch = batched::is_marked(&message);
        // The message is handed over at the very end of it: of a client that goes away before, the session has nothing to answer.
        let stream = self.sessions.create_stream(id, message).await?;
        if let Some(held) = held {
            held.keep();
        }
        Ok(Either::Right(stream.map(move |mut event| {
            if is_in_batch {
                // By it a client would take up this one of the streams that are one to it, and lose the others.
                event.event_id = None;
            }
            event
        })))
    }

    async fn accept_message(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<(), Self::Error> {
        self.sessions.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.sessions.create_standalone_stream(id).await
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.sessions.resume(id, last_event_id).await
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use futures_util::FutureExt;
    use portcullis_telemetry::{Transport, Watchers};
    use rmcp::model::RequestId;
    use serde_json::json;

    use super::*;
    use crate::busy::Busy;

    /// The attack is an accident: the connection breaks while the request is taken in.
    #[tokio::test]
    async fn an_id_is_free_where_its_client_went_away_before_anybody_had_its_request() {
        let watch = Watch {
            watchers: Watchers::default(),
            by: Transport::Http,
            open: Busy::new(),
        };
        let keeper = Keeper::new(Duration::from_secs(60), watch);
        let (session, _transport) = keeper.create_session().await.unwrap();
        let ping = json!({"jsonrpc": "2.0", "id": 7, "method": "ping"});
        let ping: ClientJsonRpcMessage = serde_json::from_value(ping).unwrap();
        let taken = keeper.taken()[&session].clone();
        // Here the session has not said yet where the answer goes.
        let stream = keeper.create_stream(&session, ping).now_or_never();
        assert!(stream.is_none());
        taken.take(&RequestId::Number(7)).unwrap();
    }
}
