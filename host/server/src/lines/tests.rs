//! Lines that are messages, and lines that are not.

use rmcp::model::{InitializeResult, ProtocolVersion, ServerCapabilities, ServerResult};
use serde_json::{Value, json};
use tokio::io::{ReadHalf, SimplexStream, WriteHalf, simplex};
use tokio::task::yield_now;

use super::*;

/// A client that sends what is written, and reads what it likes of what it is told.
pub(crate) struct Client {
    writes: WriteHalf<SimplexStream>,
    told: tokio::io::Lines<BufReader<ReadHalf<SimplexStream>>>,
}

pub(crate) type Server = Lines<ReadHalf<SimplexStream>, WriteHalf<SimplexStream>>;

/// Sees that nothing comes from a server whose client reads nothing, however often it is asked, and that it tells by one task.
pub(crate) async fn gives_nothing(server: &mut impl Transport<RoleServer>) {
    for _ in 0..5_000 {
        tokio::select! {
            biased;
            message = server.receive() => panic!("{message:?}"),
            () = yield_now() => {}
        }
    }
    let tasks = tokio::runtime::Handle::current().metrics();
    assert_eq!(tasks.num_alive_tasks(), 1);
}

impl Client {
    /// Gives one, and what it sends to; `room` bytes of answers are taken that it has not read.
    pub(crate) fn new(room: usize) -> (Self, Server) {
        let (reads, writes) = simplex(64 << 20);
        let (told, tells) = simplex(room);
        let told = BufReader::new(told).lines();
        (Self { writes, told }, Lines::new(reads, tells))
    }

    pub(crate) async fn sends(&mut self, text: &[u8]) {
        self.writes.write_all(text).await.unwrap();
    }

    pub(crate) async fn pings(&mut self, id: u32) {
        let ping = json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
        self.sends(format!("{ping}\n").as_bytes()).await;
    }

    pub(crate) async fn told(&mut self) -> Value {
        let line = self.told.next_line().await.unwrap();
        serde_json::from_str(&line.unwrap()).unwrap()
    }
}

pub(crate) fn id_of(message: Option<ClientJsonRpcMessage>) -> RequestId {
    match message {
        Some(JsonRpcMessage::Request(request)) => request.id,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_line_that_is_no_message_is_answered_and_the_next_one_is_read() {
    let (mut client, mut server) = Client::new(1 << 20);
    client.sends(b"{\n\r\n\n[]\r\nx\xFF\n").await;
    client.pings(7).await;
    assert_eq!(id_of(server.receive().await), RequestId::Number(7));
    for code in [-32700, -32600, -32700] {
        let refused = client.told().await;
        assert_eq!(refused["error"]["code"], code, "{refused}");
        assert!(refused.as_object().unwrap().contains_key("id"), "{refused}");
        assert!(refused["id"].is_null(), "{refused}");
    }
}

#[tokio::test]
async fn a_line_that_asks_for_nothing_is_told_so_by_its_id() {
    let (mut client, mut server) = Client::new(1 << 20);
    client
        .sends(b"{\"jsonrpc\": \"2.0\", \"id\": \"a\"}\n")
        .await;
    client.pings(7).await;
    assert_eq!(id_of(server.receive().await), RequestId::Number(7));
    let refused = client.told().await;
    assert_eq!(refused["error"]["code"], -32600, "{refused}");
    assert_eq!(refused["id"], "a", "{refused}");
}

/// The attack: a client sends what is no message again and again, and reads nothing.
#[tokio::test]
async fn of_who_does_not_read_what_is_refused_nothing_further_is_read() {
    const AGAIN: usize = 1_000;
    let (mut client, mut server) = Client::new(8);
    for _ in 0..AGAIN {
        client.sends(b"nonsense\n").await;
    }
    client.pings(8).await;
    gives_nothing(&mut server).await;
    let reading = async {
        for _ in 0..AGAIN {
            assert_eq!(client.told().await["error"]["code"], -32700);
        }
    };
    let (next, ()) = tokio::join!(server.receive(), reading);
    assert_eq!(id_of(next), RequestId::Number(8));
}

/// The attack: a line that does not end, and fills the memory.
#[tokio::test]
async fn a_line_beyond_the_bound_is_refused_and_not_kept() {
    let (mut client, mut server) = Client::new(1 << 20);
    client.sends(&vec![b' '; LINE_BYTES_MAX + 1]).await;
    client.sends(b"{}\n").await;
    client.pings(7).await;
    assert_eq!(id_of(server.receive().await), RequestId::Number(7));
    assert!(server.line.capacity() <= KEPT_BYTES_MAX);
    let refused = client.told().await;
    assert_eq!(refused["error"]["code"], -32600, "{refused}");
    let words = refused["error"]["message"].as_str().unwrap();
    assert!(words.contains("16 MiB"), "{words}");
    // One that is as long as it may be is read.
    client.sends(&vec![b' '; LINE_BYTES_MAX - 1_000]).await;
    client.pings(8).await;
    assert_eq!(id_of(server.receive().await), RequestId::Number(8));
    assert!(server.line.capacity() <= KEPT_BYTES_MAX);
}

#[tokio::test]
async fn what_comes_in_parts_is_whole_though_its_reader_stops_meanwhile() {
    let (mut client, mut server) = Client::new(1 << 20);
    for byte in br#"{"jsonrpc": "2.0", "id": 7, "method": "ping"}"# {
        client.sends(&[*byte]).await;
        tokio::select! {
            biased;
            message = server.receive() => panic!("{message:?}"),
            () = yield_now() => {}
        }
    }
    client.sends(b"\n{\"half").await;
    assert_eq!(id_of(server.receive().await), RequestId::Number(7));
    // What has no end is no line.
    client.writes.shutdown().await.unwrap();
    assert!(server.receive().await.is_none());
}

impl Client {
    /// Gives one whose session has batches, and what it sends to.
    fn with_batches(room: usize) -> (Self, Server) {
        let (client, server) = Self::new(room);
        let mut settled = InitializeResult::new(ServerCapabilities::default());
        settled.protocol_version = ProtocolVersion::V_2025_03_26;
        let settled = ServerResult::InitializeResult(settled);
        let settled = ServerJsonRpcMessage::response(settled, RequestId::Number(0));
        server.taken.settles(&settled);
        (client, server)
    }

    async fn sends_batch(&mut self, batch: &Value) {
        self.sends(format!("{batch}\n").as_bytes()).await;
    }
}

fn ping(id: i64) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "ping"})
}

fn answer(id: i64) -> ServerJsonRpcMessage {
    ServerJsonRpcMessage::response(ServerResult::empty(()), RequestId::Number(id))
}

fn ids_of(told: &Value) -> Vec<&Value> {
    let all = told.as_array().unwrap_or_else(|| panic!("{told}"));
    all.iter().map(|one| &one["id"]).collect()
}

/// The id of a request of a batch is taken until the batch is written, and another request by it is refused at once: who waited for
/// it would read nothing meanwhile, not even what gives the batch up.
#[tokio::test]
async fn ids_of_a_batch_are_taken_until_all_of_it_is_answered() {
    let (mut client, mut server) = Client::with_batches(1 << 20);
    client.sends_batch(&json!([ping(1), 7, ping(2)])).await;
    assert_eq!(id_of(server.receive().await), RequestId::Number(1));
    assert_eq!(id_of(server.receive().await), RequestId::Number(2));
    server.send(answer(1)).await.unwrap();
    client.pings(1).await;
    client.sends_batch(&json!([ping(1), ping(3)])).await;
    assert_eq!(id_of(server.receive().await), RequestId::Number(3));
    // The batch is read to its end when it is read on.
    client.pings(4).await;
    assert_eq!(id_of(server.receive().await), RequestId::Number(4));
    let refused = client.told().await;
    assert_eq!(refused["id"], Value::Null, "{refused}");
    server.send(answer(2)).await.unwrap();
    assert_eq!(
        ids_of(&client.told().await),
        [&Value::Null, &json!(1), &json!(2)]
    );
    server.send(answer(3)).await.unwrap();
    assert_eq!(ids_of(&client.told().await), [&Value::Null, &json!(3)]);
    client.pings(1).await;
    assert_eq!(id_of(server.receive().await), RequestId::Number(1));
    assert!(server.batched.is_empty());
}

#[tokio::test]
async fn a_batch_does_not_wait_for_what_was_given_up() {
    let (mut client, mut server) = Client::with_batches(1 << 20);
    let give_up = |id: i64| json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}});
    client.sends_batch(&json!([ping(1), ping(2)])).await;
    client.sends_batch(&give_up(2)).await;
    client.sends_batch(&json!([ping(3), give_up(3)])).await;
    client.pings(4).await;
    for id in [1, 2] {
        assert_eq!(id_of(server.receive().await), RequestId::Number(id));
    }
    server.send(answer(1)).await.unwrap();
    assert!(matches!(
        server.receive().await,
        Some(JsonRpcMessage::Notification(_))
    ));
    assert_eq!(ids_of(&client.told().await), [&json!(1)]);
    // Of this one nothing is left to be told.
    assert_eq!(id_of(server.receive().await), RequestId::Number(3));
    assert!(matches!(
        server.receive().await,
        Some(JsonRpcMessage::Notification(_))
    ));
    assert_eq!(id_of(server.receive().await), RequestId::Number(4));
    server.send(answer(4)).await.unwrap();
    assert_eq!(client.told().await["id"], 4);
    assert!(server.batched.is_empty());
}

#[tokio::test]
async fn what_is_answered_of_a_batch_is_told_at_the_end() {
    let (mut client, mut server) = Client::with_batches(1 << 20);
    client.sends_batch(&json!([ping(1), ping(2)])).await;
    for id in [1, 2] {
        assert_eq!(id_of(server.receive().await), RequestId::Number(id));
    }
    server.send(answer(2)).await.unwrap();
    server.close().await.unwrap();
    assert_eq!(ids_of(&client.told().await), [&json!(2)]);
}

/// The attack: a client sends batches that are none again and again, and reads nothing.
#[tokio::test]
async fn of_who_does_not_read_what_is_refused_of_batches_nothing_further_is_read() {
    const AGAIN: usize = 500;
    let (mut client, mut server) = Client::with_batches(8);
    for _ in 0..AGAIN {
        client.sends(b"[1, {}]\n[]\n").await;
    }
    client.pings(8).await;
    gives_nothing(&mut server).await;
    let reading = async {
        for _ in 0..AGAIN {
            assert_eq!(ids_of(&client.told().await), [&Value::Null; 2]);
            assert_eq!(client.told().await["error"]["code"], -32600);
        }
    };
    let (next, ()) = tokio::join!(server.receive(), reading);
    assert_eq!(id_of(next), RequestId::Number(8));
}
