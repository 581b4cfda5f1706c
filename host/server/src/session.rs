//! A session of a client's, from its handshake to its end.
//!
//! Who watches is told how long it lasted. Before it begins, the library takes a request that it cannot read for one of the newest
//! revision that lacks what those must have; it is answered here, by what is wrong with it.

use std::time::Instant;

use portcullis_telemetry::{SessionEnded, Transport as By, Watchers};
use rmcp::model::{
    ClientJsonRpcMessage, ClientRequest, CustomRequest, GetMeta, JsonRpcMessage, RequestId,
    ServerJsonRpcMessage, ServerResult,
};
use rmcp::service::RoleServer;
use rmcp::transport::Transport;

use crate::busy::{Busy, UnderWay};
use crate::params;
use crate::refusing::Refusing;

/// Who is told of sessions. Clones tell the same.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    pub(crate) watchers: Watchers,
    /// By what their messages come.
    pub(crate) by: By,
    /// Those that are open.
    pub(crate) open: Busy,
}

/// A session's messages.
pub(crate) struct Session<T> {
    transport: T,
    watch: Watch,
    began: Option<Began>,
    refusing: Refusing,
}

/// A session that began.
struct Began {
    at: Instant,
    protocol: String,
    /// Says that it is open, until it was told of.
    _open: Option<UnderWay>,
}

impl<T> Session<T> {
    pub(crate) fn new(transport: T, watch: Watch) -> Self {
        Self {
            transport,
            watch,
            began: None,
            refusing: Refusing::default(),
        }
    }
}

impl<T> Drop for Session<T> {
    fn drop(&mut self) {
        let Some(began) = &self.began else { return };
        self.watch.watchers.session(&SessionEnded {
            by: self.watch.by,
            protocol: &began.protocol,
            took: began.at.elapsed(),
        });
    }
}

impl<T: Transport<RoleServer> + 'static> Transport<RoleServer> for Session<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        if let JsonRpcMessage::Response(response) = &message
            && let ServerResult::InitializeResult(result) = &response.result
        {
            self.began.get_or_insert_with(|| Began {
                at: Instant::now(),
                protocol: result.protocol_version.to_string(),
                _open: self.watch.open.begin(),
            });
        }
        self.transport.send(message)
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            self.refusing.told().await;
            let message = self.transport.receive().await?;
            let Some((id, request)) = unread(&message).filter(|_| self.began.is_none()) else {
                return Some(message);
            };
            let error = params::wrong(params::known(&request.method, None), request);
            let refused = ServerJsonRpcMessage::error(error, Some(id.clone()));
            self.refusing.begin(self.transport.send(refused));
        }
    }

    fn close(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send {
        self.transport.close()
    }
}

/// Gives the request of a message that the library could not read, and that does not say of itself that it needs no handshake.
fn unread(message: &ClientJsonRpcMessage) -> Option<(&RequestId, &CustomRequest)> {
    match message {
        JsonRpcMessage::Request(request) => match &request.request {
            ClientRequest::CustomRequest(custom)
                if custom.get_meta().protocol_version().is_none() =>
            {
                Some((&request.id, custom))
            }
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
mod tests {
    use serde_json::{Value, json};
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, simplex};

    use super::*;
    use crate::lines::Lines;
    use crate::lines::tests::gives_nothing;

    /// The attack: a client sends what cannot be read again and again, and reads nothing. Whoever serves it has other things to do, too,
    /// and stops reading for them.
    #[tokio::test]
    async fn who_reads_slowly_gets_an_answer_to_each_request_that_could_not_be_read() {
        const AGAIN: i64 = 1_000;
        let (reads, mut writes) = simplex(1 << 20);
        // So much of an answer is taken before it is read.
        let (told, tells) = simplex(8);
        let mut told = BufReader::new(told).lines();
        let watch = Watch {
            watchers: Watchers::default(),
            by: By::Pipe,
            open: Busy::new(),
        };
        let mut server = Session::new(Lines::new(reads, tells), watch);
        for id in 0..AGAIN {
            let call = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": []});
            let line = format!("{call}\n");
            writes.write_all(line.as_bytes()).await.unwrap();
        }
        let ping = json!({"jsonrpc": "2.0", "id": "last", "method": "ping"});
        let line = format!("{ping}\n");
        writes.write_all(line.as_bytes()).await.unwrap();
        gives_nothing(&mut server).await;
        let reading = async {
            for id in 0..AGAIN {
                let line = told.next_line().await.unwrap().unwrap();
                let refused: Value = serde_json::from_str(&line).unwrap();
                assert_eq!(refused["id"], id, "{refused}");
                assert_eq!(refused["error"]["code"], -32602, "{refused}");
            }
        };
        let (next, ()) = tokio::join!(server.receive(), reading);
        let Some(JsonRpcMessage::Request(request)) = next else {
            panic!("{next:?}")
        };
        assert_eq!(request.id, RequestId::String("last".into()));
    }
}
