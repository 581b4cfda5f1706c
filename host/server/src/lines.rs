//! Messages over a pair of streams, one a line: as the protocol has them over standard input and output.
//!
//! The attack: lines without an end, lines that are no messages or whose id another request has, and a client that sends many such and
//! reads nothing. A line is kept up to a bound; one that is refused gets an answer that says so, and until that is written nothing further
//! is read. A line may be a batch, where the session's revision has any; its answers are one line, too.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;

use rmcp::model::{
    ClientJsonRpcMessage, ErrorData, JsonRpcMessage, RequestId, ServerJsonRpcMessage,
};
use rmcp::service::RoleServer;
use rmcp::transport::Transport;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::Mutex;

use crate::batch::{self, Answers, Room, Told};
use crate::once::{Held, Taken, answered, given_up};
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
    /// What came in a line and is not given on yet. Kept here, for whoever reads may stop where an id is waited for.
    came: VecDeque<Read>,
    /// Where that is answered, if it is a batch's.
    answers: Option<Answers>,
    taken: Taken,
    /// The requests of batches that are under way.
    batched: HashMap<RequestId, Batched>,
    /// What is held of their answers.
    room: Room,
    writer: Arc<Mutex<Option<W>>>,
    /// What is said of a line that is refused, and of a batch that ends otherwise than by an answer.
    refusing: Refusing,
}

/// A request of a batch that is under way.
#[derive(Debug)]
struct Batched {
    answers: Answers,
    id: Held,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Send + Unpin + 'static> Lines<R, W> {
    pub(crate) fn new(reader: R, writer: W) -> Self {
        Self {
            reader: BufReader::new(reader),
            line: Vec::new(),
            is_too_long: false,
            came: VecDeque::new(),
            answers: None,
            taken: Taken::default(),
            batched: HashMap::new(),
            room: Room::default(),
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
    fn take(&mut self) {
        let is_too_long = std::mem::take(&mut self.is_too_long);
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        match (is_too_long, line) {
            (true, _) => {
                let message = format!("a message has at most {} MiB", LINE_BYTES_MAX >> 20);
                let error = ErrorData::invalid_request(message, None);
                self.came.push_back(Read::No(None, error));
            }
            (false, []) => {}
            (false, line) if self.taken.has_batches() && batch::is_one(line) => {
                match batch::split(line) {
                    Ok(entries) => {
                        self.came
                            .extend(entries.into_iter().map(|entry| entry.read));
                        self.answers = Some(Answers::new(&self.room));
                    }
                    Err(error) => self.came.push_back(Read::No(None, error)),
                }
            }
            (false, line) => self.came.push_back(unread::read(line)),
        }
        self.line.clear();
        self.line.shrink_to(KEPT_BYTES_MAX);
    }

    /// Gives the next message that came, if there is one that counts.
    async fn next_message(&mut self) -> Option<ClientJsonRpcMessage> {
        let held = match self.came.front()? {
            Read::Message(JsonRpcMessage::Request(request)) => {
                Some(self.taken.hold(&request.id).await)
            }
            _ => None,
        };
        // From here on nobody stops.
        let message = match self.came.pop_front()? {
            Read::Message(message) => message,
            Read::Told => return None,
            Read::No(id, error) => {
                tracing::debug!(code = error.code.0, "a line is no message");
                self.refuse(id.as_ref(), &error);
                return None;
            }
        };
        match held {
            Some(Ok(id)) => self.begin(&message, id),
            Some(Err(refused)) => {
                // By its id, a client would take this for the answer of the first.
                self.refuse(None, &refused);
                return None;
            }
            None => {}
        }
        if let Some(id) = given_up(&message) {
            self.give_up(id);
        }
        Some(message)
    }

    /// Leaves a request's id taken until it is answered.
    fn begin(&mut self, message: &ClientJsonRpcMessage, id: Held) {
        match (&self.answers, message) {
            (Some(answers), JsonRpcMessage::Request(request)) => {
                let answers = answers.clone();
                self.batched
                    .insert(request.id.clone(), Batched { answers, id });
            }
            _ => id.keep(),
        }
    }

    /// Waits for no answer to a request any more.
    fn give_up(&mut self, id: &RequestId) {
        self.taken.give_up(id);
        if let Some(batched) = self.batched.remove(id) {
            batched.id.keep();
            self.leave(batched.answers);
        }
    }

    /// Tells of what came that it is refused.
    fn refuse(&mut self, id: Option<&RequestId>, error: &ErrorData) {
        let text = unread::answer(id, error);
        match &self.answers {
            Some(answers) => answers.add(&text),
            None => self.tell(Told {
                text,
                ..Told::default()
            }),
        }
    }

    /// Tells the answers of a batch, if all that is left to come of them is nothing.
    fn leave(&mut self, answers: Answers) {
        if let Some(told) = answers.last() {
            self.tell(told);
        }
    }

    /// Tells to the end what no request is answered by. What was told so before is over.
    fn tell(&mut self, told: Told) {
        let writer = self.writer.clone();
        self.refusing
            .begin(async move { write(&writer, told).await });
    }
}

/// Writes a line, and frees the ids that it answers.
async fn write<W: AsyncWrite + Unpin>(writer: &Mutex<Option<W>>, told: Told) -> io::Result<()> {
    let Told {
        mut text,
        ids,
        space,
    } = told;
    text.push(b'\n');
    let mut writer = writer.lock().await;
    let writer = writer.as_mut().ok_or(io::ErrorKind::NotConnected)?;
    writer.write_all(&text).await?;
    writer.flush().await?;
    drop((ids, space));
    Ok(())
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
        self.taken.settles(&message);
        let id = answered(&message).cloned();
        let batched = id.as_ref().and_then(|id| self.batched.remove_entry(id));
        // One of a batch stays taken until the whole of it goes out.
        let single = id.filter(|_| batched.is_none());
        let ids: Vec<Held> = single
            .map(|id| self.taken.answers(id))
            .into_iter()
            .collect();
        let writer = self.writer.clone();
        async move {
            let text = match &message {
                JsonRpcMessage::Error(error) => unread::answer(error.id.as_ref(), &error.error),
                message => serde_json::to_vec(message)?,
            };
            let told = match batched {
                None => Some(Told {
                    text,
                    ids,
                    ..Told::default()
                }),
                Some((id, Batched { answers, id: held })) => {
                    answers.add_answer(&id, &text, held);
                    answers.last()
                }
            };
            match told {
                Some(told) => write(&writer, told).await,
                None => Ok(()),
            }
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            self.refusing.told().await;
            if !self.came.is_empty() {
                match self.next_message().await {
                    Some(message) => return Some(message),
                    None => continue,
                }
            }
            if let Some(answers) = self.answers.take() {
                // The batch is read to its end.
                self.leave(answers);
                continue;
            }
            match self.next_line().await {
                Ok(line) => line?,
                Err(error) => {
                    tracing::error!(%error, "the client cannot be read any more");
                    return None;
                }
            }
            self.take();
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        // What is answered of a batch is not lost, though the rest of it does not come any more.
        let batched = self.batched.drain().map(|(_, batched)| batched.answers);
        for answers in batched.chain(self.answers.take()).collect::<Vec<_>>() {
            if let Some(told) = answers.last() {
                write(&self.writer, told).await?;
            }
        }
        self.writer.lock().await.take();
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
pub(crate) mod tests;
