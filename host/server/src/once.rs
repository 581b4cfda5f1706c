//! Each id of a session is one request's: a second request by the id of one that is under way is refused.
//!
//! The attack: two answers that cannot be told apart. What keeps a session's requests knows each by its id alone, so that of two with the same one
//! it would lose an answer, and whoever waits for that waits forever. So an id is taken until its answer has gone out; the second is
//! told so, and the first is answered as if there were no second; one that comes while that answer goes out waits for its end, for a client
//! may take an id again as soon as it has read the answer. And a client that sends many such and reads nothing: until one is told so,
//! nothing further of it is read.

use std::collections::VecDeque;
use std::collections::hash_map::{Entry, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ErrorData, JsonRpcMessage, RequestId,
    ServerJsonRpcMessage,
};
use rmcp::service::RoleServer;
use rmcp::transport::Transport;
use tokio::sync::watch;

use crate::refusing::Refusing;

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
                Err(Busy::UnderWay) => return Err(Busy::refusal()),
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

    /// Says that the answer of an id's request is going out.
    fn answers(&self, id: &RequestId) {
        if let Some(busy) = self.lock().taken.get_mut(id) {
            *busy = Busy::Answered;
        }
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
    fn give_up(&self, id: &RequestId) {
        let mut ids = self.lock();
        if !ids.taken.contains_key(id) || ids.given_up.contains(id) {
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

/// A session's messages, among which no two requests under way have the same id.
pub(crate) struct Once<T> {
    transport: T,
    taken: Taken,
    /// Whether ids are taken here, and not by who brings the messages.
    takes: bool,
    /// What came and is not given on yet. Kept here, for whoever reads may stop where its id is waited for.
    came: Option<ClientJsonRpcMessage>,
    refusing: Refusing,
}

impl<T> Once<T> {
    /// Takes the id of each request that comes.
    pub(crate) fn new(transport: T) -> Self {
        Self {
            transport,
            taken: Taken::default(),
            takes: true,
            came: None,
            refusing: Refusing::default(),
        }
    }

    /// Frees what was taken before a message comes here.
    pub(crate) fn freeing(transport: T, taken: Taken) -> Self {
        Self {
            transport,
            taken,
            takes: false,
            came: None,
            refusing: Refusing::default(),
        }
    }
}

impl<T: Transport<RoleServer>> Once<T> {
    /// Tells of a refusal without an id: by it, a client would take this for the answer of the first.
    fn refuse(&mut self, refused: ErrorData) {
        let refused = ServerJsonRpcMessage::error(refused, None);
        self.refusing.begin(self.transport.send(refused));
    }
}

impl<T: Transport<RoleServer>> Transport<RoleServer> for Once<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let answered = match &message {
            JsonRpcMessage::Response(response) => Some(response.id.clone()),
            JsonRpcMessage::Error(error) => error.id.clone(),
            JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => None,
        };
        if let Some(id) = &answered {
            self.taken.answers(id);
        }
        let answered = Held {
            taken: self.taken.clone(),
            id: answered,
        };
        let sending = self.transport.send(message);
        async move {
            let sent = sending.await;
            // Not before: whoever keeps the session's requests knows this one until then.
            drop(answered);
            sent
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            self.refusing.told().await;
            let message = match &self.came {
                Some(message) => message,
                None => self.came.insert(self.transport.receive().await?),
            };
            match message {
                JsonRpcMessage::Request(request) if self.takes => {
                    match self.taken.hold(&request.id).await {
                        Ok(held) => held.keep(),
                        Err(refused) => {
                            self.came = None;
                            self.refuse(refused);
                            continue;
                        }
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
            return self.came.take();
        }
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
    use rmcp::transport::IntoTransport;
    use serde_json::{Value, json};
    use tokio::io::{
        AsyncBufReadExt, AsyncWriteExt, BufReader, Lines, ReadHalf, SimplexStream, WriteHalf,
        simplex,
    };
    use tokio::task::yield_now;

    use super::*;

    /// A client that sends what is written, and reads what it likes of what it is told.
    struct Client {
        writes: WriteHalf<SimplexStream>,
        told: Lines<BufReader<ReadHalf<SimplexStream>>>,
    }

    impl Client {
        /// Gives one, and what it sends to; `room` bytes of answers are taken that it has not read.
        fn new(room: usize) -> (Self, Once<impl Transport<RoleServer>>) {
            let (reads, writes) = simplex(1 << 20);
            let (told, tells) = simplex(room);
            let streams = IntoTransport::<RoleServer, _, _>::into_transport((reads, tells));
            let told = BufReader::new(told).lines();
            (Self { writes, told }, Once::new(streams))
        }

        async fn pings(&mut self, id: u32) {
            let ping = json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
            let line = format!("{ping}\n");
            self.writes.write_all(line.as_bytes()).await.unwrap();
        }

        async fn told(&mut self) -> Value {
            let line = self.told.next_line().await.unwrap();
            serde_json::from_str(&line.unwrap()).unwrap()
        }
    }

    fn id_of(message: Option<ClientJsonRpcMessage>) -> RequestId {
        match message {
            Some(JsonRpcMessage::Request(request)) => request.id,
            other => panic!("{other:?}"),
        }
    }

    /// Lets everything come as far as it can.
    async fn nothing_comes(server: &mut Once<impl Transport<RoleServer>>) {
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
        let first = id_of(server.receive().await);
        assert_eq!(first, RequestId::Number(7));
        // The second of them comes to nobody: what comes is the next one, whose id is a text.
        assert_eq!(id_of(server.receive().await), RequestId::String("7".into()));
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
