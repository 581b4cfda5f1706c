//! Each id of a session is one request's: a second request by the id of one that is under way is refused.
//!
//! The attack: two answers that cannot be told apart. What keeps a session's requests knows each by its id alone, so that of two with the same one
//! it would lose an answer, and whoever waits for that waits forever. So an id is taken until its answer has gone out; the second is
//! told so, and the first is answered as if there were no second; one that comes while that answer goes out waits for its end, for a client
//! may take an id again as soon as it has read the answer. Whoever brings a session's messages takes their ids, for it is told there.

use std::collections::VecDeque;
use std::collections::hash_map::{Entry, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ErrorData, JsonRpcMessage, ProtocolVersion,
    RequestId, ServerJsonRpcMessage, ServerResult,
};
use rmcp::service::RoleServer;
use rmcp::transport::Transport;
use tokio::sync::watch;

/// Ids of requests that were given up which are kept: no answer frees them, and what a call does once it was given up ends soon.
const GIVEN_UP_MAX: usize = 256;

/// The ids of one session that are taken. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken(Arc<Session>);

#[derive(Debug, Default)]
struct Session {
    ids: Mutex<Ids>,
    /// Told whenever an id is free again.
    freed: watch::Sender<()>,
    /// Whether the revision that it began with has batches.
    has_batches: OnceLock<bool>,
}

#[derive(Debug, Default)]
struct Ids {
    taken: HashMap<RequestId, Busy>,
    /// Those of them that were given up, the oldest first.
    given_up: VecDeque<RequestId>,
}

/// How far the request of an id that is taken has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Busy {
    /// Its request is under way.
    UnderWay,
    /// Its answer is there, and waits for those of its batch.
    Waits,
    /// Its answer is going out, and it is free after that.
    Answered,
}

impl Busy {
    fn refusal() -> ErrorData {
        let message = "another request of this session has the same id, and is not answered yet: each request has an id of its own";
        ErrorData::invalid_request(message, None)
    }
}

impl Taken {
    /// Takes an id, if no other request has it.
    pub(crate) fn take(&self, id: &RequestId) -> Result<(), Busy> {
        match self.lock().taken.entry(id.clone()) {
            Entry::Vacant(free) => {
                free.insert(Busy::UnderWay);
                Ok(())
            }
            Entry::Occupied(taken) => Err(*taken.get()),
        }
    }

    /// Takes an id for as long as what is given lives; refuses where a request that is under way has it.
    pub(crate) async fn hold(&self, id: &RequestId) -> Result<Held, ErrorData> {
        loop {
            match self.take(id) {
                Ok(()) => {
                    return Ok(Held {
                        taken: self.clone(),
                        id: Some(id.clone()),
                    });
                }
                Err(Busy::Answered) => self.gone_out(id).await,
                Err(Busy::UnderWay | Busy::Waits) => return Err(Busy::refusal()),
            }
        }
    }

    /// Waits until the answer of an id's request has gone out.
    async fn gone_out(&self, id: &RequestId) {
        let mut freed = self.0.freed.subscribe();
        while self.lock().taken.get(id) == Some(&Busy::Answered) {
            // Whoever could free it is here.
            if freed.changed().await.is_err() {
                return;
            }
        }
    }

    /// Says that the answer of an id's request is going out, and frees it when what is given is dropped.
    pub(crate) fn answers(&self, id: RequestId) -> Held {
        let held = Held {
            taken: self.clone(),
            id: Some(id),
        };
        held.answers();
        held
    }

    /// Notes of a handshake's answer whether the revision that it settles on has batches.
    pub(crate) fn settles(&self, message: &ServerJsonRpcMessage) {
        if let JsonRpcMessage::Response(response) = message
            && let ServerResult::InitializeResult(result) = &response.result
        {
            let has = result.protocol_version == ProtocolVersion::V_2025_03_26;
            self.0.has_batches.get_or_init(|| has);
        }
    }

    /// Says whether the session's revision has batches.
    pub(crate) fn has_batches(&self) -> bool {
        self.0.has_batches.get().is_some_and(|has| *has)
    }

    /// Frees an id, once it is answered.
    pub(crate) fn free(&self, id: &RequestId) {
        let mut ids = self.lock();
        ids.taken.remove(id);
        ids.given_up.retain(|one| one != id);
        drop(ids);
        self.0.freed.send_replace(());
    }

    /// Keeps an id that gets no answer any more for a while.
    pub(crate) fn give_up(&self, id: &RequestId) {
        let mut ids = self.lock();
        // What is answered is freed by that.
        if ids.taken.get(id) != Some(&Busy::UnderWay) || ids.given_up.contains(id) {
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
        self.0.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An id that is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    taken: Taken,
    id: Option<RequestId>,
}

impl Held {
    /// Says that the answer of its request is going out.
    pub(crate) fn answers(&self) {
        self.has_come(Busy::Answered);
    }

    /// Says that the answer of its request is there, and waits.
    pub(crate) fn waits(&self) {
        self.has_come(Busy::Waits);
    }

    fn has_come(&self, so_far: Busy) {
        if let Some(id) = &self.id
            && let Some(busy) = self.taken.lock().taken.get_mut(id)
        {
            *busy = so_far;
        }
    }

    /// Leaves the id taken: its request is under way, and its answer frees it.
    pub(crate) fn keep(mut self) {
        self.id = None;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(id) = &self.id {
            self.taken.free(id);
        }
    }
}

/// Gives the id of the request that a message answers.
pub(crate) fn answered(message: &ServerJsonRpcMessage) -> Option<&RequestId> {
    match message {
        JsonRpcMessage::Response(response) => Some(&response.id),
        JsonRpcMessage::Error(error) => error.id.as_ref(),
        JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => None,
    }
}

/// Gives the id of the request that a message gives up.
pub(crate) fn given_up(message: &ClientJsonRpcMessage) -> Option<&RequestId> {
    match message {
        JsonRpcMessage::Notification(told) => match &told.notification {
            ClientNotification::CancelledNotification(cancelled) => {
                cancelled.params.request_id.as_ref()
            }
            _ => None,
        },
        _ => None,
    }
}

/// A session's messages, whose ids were taken before they come here: frees them.
pub(crate) struct Once<T> {
    transport: T,
    taken: Taken,
}

impl<T> Once<T> {
    pub(crate) fn new(transport: T, taken: Taken) -> Self {
        Self { transport, taken }
    }
}

impl<T: Transport<RoleServer>> Transport<RoleServer> for Once<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.taken.settles(&message);
        let held = answered(&message).map(|id| self.taken.answers(id.clone()));
        let sending = self.transport.send(message);
        async move {
            let sent = sending.await;
            // Not before: whoever keeps the session's requests knows this one until then.
            drop(held);
            sent
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        let message = self.transport.receive().await?;
        if let Some(id) = given_up(&message) {
            self.taken.give_up(id);
        }
        Some(message)
    }

    fn close(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send {
        self.transport.close()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
mod tests {
    use std::pin::Pin;

    use futures_util::FutureExt;
    use rmcp::model::ServerResult;
    use serde_json::{Value, json};
    use tokio::task::yield_now;

    use super::*;
    use crate::lines::tests::{Client, Server, id_of};

    /// Lets everything come as far as it can.
    async fn nothing_comes(server: &mut Server) {
        for _ in 0..5_000 {
            tokio::select! {
                biased;
                message = server.receive() => panic!("{message:?}"),
                () = yield_now() => {}
            }
        }
    }

    /// The second comes while the answer of the first is going out to who reads slowly: it is its turn after that.
    #[tokio::test]
    async fn an_id_is_taken_until_its_answer_has_gone_out() {
        let (mut client, mut server) = Client::new(8);
        client.pings(7).await;
        let first = id_of(server.receive().await);
        let answer = ServerJsonRpcMessage::response(ServerResult::empty(()), first);
        let mut sending: Pin<Box<dyn Future<Output = _>>> = Box::pin(server.send(answer));
        assert!((&mut sending).now_or_never().is_none(), "it is read slowly");
        client.pings(7).await;
        client.pings(8).await;
        nothing_comes(&mut server).await;
        let (next, sent, answer) = tokio::join!(server.receive(), sending, client.told());
        assert_eq!(id_of(next), RequestId::Number(7));
        assert!(sent.is_ok());
        assert_eq!(answer["id"], 7, "{answer}");
        assert_eq!(id_of(server.receive().await), RequestId::Number(8));
    }

    /// The attack: a client asks by the same id again and again, and reads nothing.
    #[tokio::test]
    async fn of_who_does_not_read_what_is_refused_nothing_further_is_read() {
        const AGAIN: usize = 1_000;
        let (mut client, mut server) = Client::new(8);
        client.pings(7).await;
        assert_eq!(id_of(server.receive().await), RequestId::Number(7));
        for _ in 0..AGAIN {
            client.pings(7).await;
        }
        client.pings(8).await;
        nothing_comes(&mut server).await;
        let tasks = tokio::runtime::Handle::current().metrics();
        assert_eq!(tasks.num_alive_tasks(), 1);
        let reading = async {
            for _ in 0..AGAIN {
                let refused = client.told().await;
                assert_eq!(refused["error"]["code"], -32600, "{refused}");
            }
        };
        let (next, ()) = tokio::join!(server.receive(), reading);
        assert_eq!(id_of(next), RequestId::Number(8));
    }

    #[tokio::test]
    async fn a_second_request_by_the_same_id_is_refused_and_the_first_is_answered() {
        let (mut client, mut server) = Client::new(64 << 10);
        client.pings(7).await;
        client.pings(7).await;
        let other = json!({"jsonrpc": "2.0", "id": "7", "method": "ping"});
        client.sends(format!("{other}\n").as_bytes()).await;
        let first = id_of(server.receive().await);
        assert_eq!(first, RequestId::Number(7));
        // The second of them comes to nobody: what comes is the next one, whose id is a text.
        assert_eq!(id_of(server.receive().await), RequestId::String("7".into()));
        let refused = client.told().await;
        assert_eq!(refused["error"]["code"], -32600, "{refused}");
        assert_eq!(refused.get("id"), Some(&Value::Null), "{refused}");
        let answer = ServerJsonRpcMessage::response(ServerResult::empty(()), first);
        server.send(answer).await.unwrap();
        let answered = client.told().await;
        assert_eq!(answered["id"], 7);
        // After its answer it is free.
        client.pings(7).await;
        assert_eq!(id_of(server.receive().await), RequestId::Number(7));
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
