//! The host's tools for clients of the Model Context Protocol, and a server of HTTP at an address of the network.
//!
//! What a client sees is what the agent has: tools that are switched off are not listed. What a call comes to, also a
//! refusal, is a result that a model can read; only a call of what is no tool at all is an error of the protocol.
//!
//! Not known here: any service, any secret, where the records of calls go.

mod answer;
mod batch;
mod busy;
mod changes;
mod chat;
mod check;
mod codes;
mod complete;
mod handler;
mod lines;
mod lists;
mod logging;
mod once;
mod paging;
mod params;
mod prompts;
mod public;
mod refusing;
mod resources;
mod served;
mod session;
mod streamable;
mod told;
mod tools;
mod unread;
mod until_end;

use std::sync::Arc;

use portcullis::Host;
use portcullis::policy::{AgentId, PersonId};
use portcullis_telemetry::{Transport, Watchers};
use rmcp::ServiceExt;
use rmcp::service::QuitReason;
use tokio::sync::watch;

pub use answer::text;
pub use chat::{Asking, Chat, NoSeal};
pub use public::{Bounds, PublicRequest, PublicServer, Tls, TlsError};
pub use served::{Served, toolsets};
pub use streamable::{Beside, Callers, Here, Http, HttpBody, HttpBounds};

use busy::Busy;
use lines::Lines;
use session::{Session, Watch};
use until_end::UntilEnd;

/// A server that could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The client began otherwise than the protocol says.
    #[error("the client did not begin as the Model Context Protocol says; is it an MCP client?")]
    Initialize(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The task that serves broke.
    #[error("the server broke")]
    Broken(#[source] tokio::task::JoinError),
}

/// Speaks for one agent and one person.
#[derive(Clone, Debug)]
pub struct Server {
    host: Host,
    agent: AgentId,
    person: PersonId,
    served: Arc<Served>,
    busy: Busy,
    /// Says when the tools may be others.
    changes: Option<watch::Receiver<i64>>,
    asking: Option<Asking>,
    /// Of how little the client wants to be told.
    wanted: logging::Wanted,
    /// Who is told of what is asked.
    watchers: Watchers,
    transport: Transport,
}

impl Server {
    /// Makes a server. Whoever reaches it calls as this agent, for this person.
    pub fn new(host: Host, agent: AgentId, person: PersonId, served: Served) -> Self {
        Self {
            host,
            agent,
            person,
            served: Arc::new(served),
            busy: Busy::new(),
            changes: None,
            asking: None,
            wanted: logging::Wanted::default(),
            watchers: Watchers::default(),
            transport: Transport::Pipe,
        }
    }

    /// Tells somebody of what is asked.
    #[must_use]
    pub fn watched(self, watchers: Watchers) -> Self {
        Self { watchers, ..self }
    }

    /// Lets the client ask its person what is missing, where it can.
    #[must_use]
    pub fn asking(self, asking: Asking) -> Self {
        Self {
            asking: Some(asking),
            ..self
        }
    }

    /// Tells clients when the agent's tools are others. Whoever has the other end says when they may be.
    #[must_use]
    pub fn with_changes(mut self, changes: watch::Receiver<i64>) -> Self {
        self.changes = Some(changes);
        self
    }

    /// Serves one client over a pair of streams, until it is gone.
    ///
    /// # Errors
    ///
    /// [`ServeError`].
    pub async fn serve<R, W>(self, reader: R, writer: W) -> Result<(), ServeError>
    where
        R: tokio::io::AsyncRead + Send + Unpin + 'static,
        W: tokio::io::AsyncWrite + Send + Unpin + 'static,
    {
        let watch = Watch {
            watchers: self.watchers.clone(),
            by: self.transport,
            open: Busy::new(),
        };
        let service = ServiceExt::serve(self, Session::new(Lines::new(reader, writer), watch))
            .await
            .map_err(|error| ServeError::Initialize(Box::new(error)))?;
        match service.waiting().await {
            Ok(QuitReason::JoinError(error)) | Err(error) => Err(ServeError::Broken(error)),
            Ok(_) => Ok(()),
        }
    }

    /// Serves one client over standard input and output, until it is gone or `stop` is over: then calls that are under way are
    /// finished, and no others begin. Nothing else may write there.
    ///
    /// # Errors
    ///
    /// [`ServeError`].
    pub async fn serve_stdio(
        self,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let (reader, writer) = rmcp::transport::io::stdio_pipes();
        let busy = self.busy.clone();
        let ends = async move {
            stop.await;
            busy.end().await;
        };
        self.serve(UntilEnd::new(reader, ends), writer).await
    }
}
