//! Messages over a pair of streams, one a line: as the protocol has them over standard input and output.
//!
//! The attack: lines without an end, lines that are no messages, and a client that sends many such and reads nothing. A line is kept up
//! to a bound; one that is no message gets an answer that says so, and until that is written nothing further is read.

use std::io;
use std::sync::Arc;

use rmcp::model::{
    ClientJsonRpcMessage, ErrorData, JsonRpcMessage, RequestId, ServerJsonRpcMessage,
};
use rmcp::service::RoleServer;
use rmcp::transport::Transport;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::Mutex;

use crate::refusing::Refusing;
use crate::unread::{self, Read};

/// Bytes of a line.
const LINE_BYTES_MAX: usize = 16 << 20;
/// Bytes that are kept for the next line.
const KEPT_BYTES_MAX: usize = 64 << 10;

/// Messages, a line each.
pub(crate) struct Lines<R, W> {
    reader: BufReader<R>,
    /// What has come of a line. Kept here, for whoever reads may stop in the middle of it.
    line: Vec<u8>,
    /// Whether it is longer than a line may be, and none of it is kept.
    is_too_long: bool,
    writer: Arc<Mutex<Option<W>>>,
    /// What is said of a line that is no message.
    refusing: Refusing,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Send + Unpin + 'static> Lines<R, W> {
    pub(crate) fn new(reader: R, writer: W) -> Self {
        Self {
            reader: BufReader::new(reader),
            line: Vec::new(),
            is_too_long: false,
            writer: Arc::new(Mutex::new(Some(writer))),
            refusing: Refusing::default(),
        }
    }

    /// Reads on until a line is whole; none where there is no further one. What has no end is none.
    async fn next_line(&mut self) -> io::Result<Option<()>> {
        loop {
            let came = self.reader.fill_buf().await?;
            if came.is_empty() {
                return Ok(None);
            }
            let end = came.iter().position(|byte| *byte == b'\n');
            let part = &came[..end.unwrap_or(came.len())];
            if self.line.len() + part.len() > LINE_BYTES_MAX {
                self.is_too_long = true;
                self.line = Vec::new();
            }
            if !self.is_too_long {
                self.line.extend_from_slice(part);
            }
            let read = end.map_or(came.len(), |end| end + 1);
            self.reader.consume(read);
            if end.is_some() {
                return Ok(Some(()));
            }
        }
    }

    /// Takes the line that is whole.
    fn take(&mut self) -> Read {
        let is_too_long = std::mem::take(&mut self.is_too_long);
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        let read = match (is_too_long, line) {
            (true, _) => {
                let message = format!("a message has at most {} MiB", LINE_BYTES_MAX >> 20);
                Read::No(None, ErrorData::invalid_request(message, None))
            }
            (false, []) => Read::Told,
            (false, line) => unread::read(line),
        };
        self.line.clear();
        self.line.shrink_to(KEPT_BYTES_MAX);
        read
    }

    /// Says of a line that it is no message.
    fn refuse(&mut self, id: Option<&RequestId>, error: &ErrorData) {
        let (answer, writer) = (unread::answer(id, error), self.writer.clone());
        let sending = async move { write(&writer, answer).await };
        self.refusing.begin(sending);
    }
}

/// Writes a line.
async fn write<W: AsyncWrite + Unpin>(
    writer: &Mutex<Option<W>>,
    mut line: Vec<u8>,
) -> io::Result<()> {
    line.push(b'\n');
    let mut writer = writer.lock().await;
    let writer = writer.as_mut().ok_or(io::ErrorKind::NotConnected)?;
    writer.write_all(&line).await?;
    writer.flush().await
}

impl<R, W> Transport<RoleServer> for Lines<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let writer = self.writer.clone();
        async move {
            let line = match &message {
                JsonRpcMessage::Error(error) => unread::answer(error.id.as_ref(), &error.error),
                message => serde_json::to_vec(message)?,
            };
            write(&writer, line).await
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            self.refusing.told().await;
            match self.next_line().await {
                Ok(line) => line?,
                Err(error) => {
                    tracing::error!(%error, "the client cannot be read any more");
                    return None;
                }
            }
            match self.take() {
                Read::Message(message) => return Some(message),
                Read::Told => {}
                Read::No(id, error) => {
                    tracing::debug!(code = error.code.0, "a line is no message");
                    self.refuse(id.as_ref(), &error);
                }
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.writer.lock().await.take();
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
pub(crate) mod tests {
    use serde_json::{Value, json};
    use tokio::io::{ReadHalf, SimplexStream, WriteHalf, simplex};
    use tokio::task::yield_now;

    use super::*;

    struct Client {
        writes: WriteHalf<SimplexStream>,
        told: tokio::io::Lines<BufReader<ReadHalf<SimplexStream>>>,
    }

    type Server = Lines<ReadHalf<SimplexStream>, WriteHalf<SimplexStream>>;

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
        fn new(room: usize) -> (Self, Server) {
            let (reads, writes) = simplex(64 << 20);
            let (told, tells) = simplex(room);
            let told = BufReader::new(told).lines();
            (Self { writes, told }, Lines::new(reads, tells))
        }

        async fn sends(&mut self, text: &[u8]) {
            self.writes.write_all(text).await.unwrap();
        }

        async fn pings(&mut self, id: u32) {
            let ping = json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
            self.sends(format!("{ping}\n").as_bytes()).await;
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
}
