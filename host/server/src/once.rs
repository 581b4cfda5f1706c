//! Each id of a session is one request's: a second request by the id of one that is under way is refused.
//!
//! The attack: two answers that cannot be told apart. What keeps a session's requests knows each by its id alone, so that of two with the same one
//! it would lose an answer, and whoever waits for that waits forever. So an id is taken until its answer is on the way; the second is
//! told so, and the first is answered as if there were no second.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ErrorData, JsonRpcMessage, RequestId,
    ServerJsonRpcMessage,
};
use rmcp::service::RoleServer;
use rmcp::transport::Transport;

/// Ids of requests that were given up which are kept: no answer frees them, and what a call does once it was given up ends soon.
const GIVEN_UP_MAX: usize = 256;

/// The ids of one session that are taken. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken(Arc<Mutex<Ids>>);

#[derive(Debug, Default)]
struct Ids {
    taken: HashSet<RequestId>,
    /// Those of them that were given up, the oldest first.
    given_up: VecDeque<RequestId>,
}

impl Taken {
    /// Takes an id; refuses where another request has it.
    pub(crate) fn take(&self, id: &RequestId) -> Result<(), ErrorData> {
        if self.lock().taken.insert(id.clone()) {
            return Ok(());
        }
        let message = "another request of this session has the same id, and is not answered yet: each request has an id of its own";
        Err(ErrorData::invalid_request(message, None))
    }

    /// Frees an id, once it is answered.
    pub(crate) fn free(&self, id: &RequestId) {
        let mut ids = self.lock();
        ids.taken.remove(id);
        ids.given_up.retain(|one| one != id);
    }

    /// Keeps an id that gets no answer any more for a while.
    fn give_up(&self, id: &RequestId) {
        let mut ids = self.lock();
        if !ids.taken.contains(id) || ids.given_up.contains(id) {
            return;
        }
        ids.given_up.push_back(id.clone());
        if ids.given_up.len() > GIVEN_UP_MAX
            && let Some(oldest) = ids.given_up.pop_front()
        {
            ids.taken.remove(&oldest);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ids> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session's messages, among which no two requests under way have the same id.
pub(crate) struct Once<T> {
    transport: T,
    taken: Taken,
    /// Whether ids are taken here, and not by who brings the messages.
    takes: bool,
}

impl<T> Once<T> {
    /// Takes the id of each request that comes.
    pub(crate) fn new(transport: T) -> Self {
        Self {
            transport,
            taken: Taken::default(),
            takes: true,
        }
    }

    /// Frees what was taken before a message comes here.
    pub(crate) fn freeing(transport: T, taken: Taken) -> Self {
        Self {
            transport,
            taken,
            takes: false,
        }
    }
}

impl<T: Transport<RoleServer>> Transport<RoleServer> for Once<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        match &message {
            JsonRpcMessage::Response(response) => self.taken.free(&response.id),
            JsonRpcMessage::Error(error) => {
                if let Some(id) = &error.id {
                    self.taken.free(id);
                }
            }
            JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => {}
        }
        self.transport.send(message)
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            let message = self.transport.receive().await?;
            match &message {
                JsonRpcMessage::Request(request) if self.takes => {
                    if let Err(refused) = self.taken.take(&request.id) {
                        // Without an id: by it, a client would take this for the answer of the first.
                        let refused = ServerJsonRpcMessage::error(refused, None);
                        // Whoever reads may stop in the middle of it.
                        tokio::spawn(self.transport.send(refused));
                        continue;
                    }
                }
                JsonRpcMessage::Notification(notification) => {
                    if let ClientNotification::CancelledNotification(cancelled) =
                        &notification.notification
                        && let Some(id) = &cancelled.params.request_id
                    {
                        self.taken.give_up(id);
                    }
                }
                _ => {}
            }
            return Some(message);
        }
    }

    fn close(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send {
        self.transport.close()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
mod tests {
    use rmcp::model::ServerResult;
    use rmcp::transport::IntoTransport;
    use serde_json::{Value, json};
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

    use super::*;

    #[tokio::test]
    async fn a_second_request_by_the_same_id_is_refused_and_the_first_is_answered() {
        let (client, server) = tokio::io::duplex(64 << 10);
        let streams = tokio::io::split(server);
        let mut server = Once::new(IntoTransport::<RoleServer, _, _>::into_transport(streams));
        let (reads, mut writes) = tokio::io::split(client);
        let mut told = BufReader::new(reads).lines();
        let ping = json!({"jsonrpc": "2.0", "id": 7, "method": "ping"});
        let other = json!({"jsonrpc": "2.0", "id": "7", "method": "ping"});
        writes
            .write_all(format!("{ping}\n{ping}\n{other}\n").as_bytes())
            .await
            .unwrap();
        let is_request = |message: Option<ClientJsonRpcMessage>| match message {
            Some(JsonRpcMessage::Request(request)) => request.id,
            other => panic!("{other:?}"),
        };
        let first = is_request(server.receive().await);
        assert_eq!(first, RequestId::Number(7));
        // The second of them comes to nobody: what comes is the next one, whose id is a text.
        assert_eq!(
            is_request(server.receive().await),
            RequestId::String("7".into())
        );
        let refused: Value =
            serde_json::from_str(&told.next_line().await.unwrap().unwrap()).unwrap();
        assert_eq!(refused["error"]["code"], -32600, "{refused}");
        assert_eq!(refused.get("id"), None, "{refused}");
        let answer = ServerJsonRpcMessage::response(ServerResult::empty(()), first);
        server.send(answer).await.unwrap();
        let answered: Value =
            serde_json::from_str(&told.next_line().await.unwrap().unwrap()).unwrap();
        assert_eq!(answered["id"], 7);
        // After its answer it is free.
        writes
            .write_all(format!("{ping}\n").as_bytes())
            .await
            .unwrap();
        assert_eq!(is_request(server.receive().await), RequestId::Number(7));
    }

    #[test]
    fn what_was_given_up_stays_taken_for_a_while_and_no_more() {
        let taken = Taken::default();
        let id = |number: usize| RequestId::Number(i64::try_from(number).unwrap());
        for number in 0..=GIVEN_UP_MAX {
            taken.take(&id(number)).unwrap();
            taken.give_up(&id(number));
            taken.give_up(&id(number));
        }
        assert!(taken.take(&id(GIVEN_UP_MAX)).is_err());
        taken.take(&id(0)).unwrap();
        // What nobody asked is given up without a trace.
        taken.give_up(&id(9_999));
        assert_eq!(taken.lock().given_up.len(), GIVEN_UP_MAX);
        taken.free(&id(5));
        taken.take(&id(5)).unwrap();
    }
}
