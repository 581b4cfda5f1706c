//! A person is asked by way of the client: to sign in at a link, and to approve a change.
//!
//! The attack: a client, or its model, answers in the person's place. So a link is only handed on this way, for its page knows the person by itself; and a
//! yes counts only from clients of an agent that an administrator trusts to ask its person, for a change that can be put back, and
//! where no passphrase stands before it. What destroys is decided on the page or at the command line alone. Where the protocol has no requests of a
//! server's (2026-07-28), what was asked goes to the client and back, sealed for this caller and this very call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use portcullis::policy::{Digest, Effect};
use portcullis::ports::{Caller, PortError};
use portcullis::{ApprovalId, ApprovalRequired, ConnectRequired, Outcome, Reply};
use rmcp::model::{
    CallToolRequestParams, ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction,
    ElicitationCapability, ElicitationSchema, InputRequest, InputRequests, InputRequiredResult,
    ProtocolVersion, RequestStateCodec, RequestStateError, SealOptions,
};
use rmcp::service::{RequestContext, RoleServer};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Server;

/// How long a person may take to answer a client.
const PERSON_TAKES: Duration = Duration::from_secs(300);
/// How long a call that came back waits for a sign-in: clients and what is between do not wait longer for an answer's beginning.
const COMES_BACK_WITHIN: Duration = Duration::from_secs(60);
/// How long what was asked is good for.
const ASKED_LASTS: Duration = Duration::from_secs(600);
/// The name of what is asked, in a request that goes to the client and back.
const ASKED: &str = "person";

/// Bytes of a question in a chat: nobody reads more there, and a client might show less of it. What is longer is decided on the page, or
/// at the command line.
const QUESTION_BYTES_MAX: usize = 256 << 10;

/// What a word in a chat comes to.
#[async_trait]
pub trait Chat: Send + Sync {
    /// Says whether a word of this person's in this agent's clients may approve a change: an administrator trusts these to ask, and no
    /// passphrase stands before it.
    ///
    /// # Errors
    ///
    /// [`PortError`]: nobody is asked.
    async fn may_ask(&self, caller: &Caller) -> Result<bool, PortError>;

    /// Approves a question of this caller and runs the call; none where it is not to be approved so: it is another's, is decided, reaches further than a
    /// change that can be put back, or a passphrase stands before it.
    ///
    /// # Errors
    ///
    /// [`PortError`]: it is not known what came of it.
    async fn approve(&self, caller: &Caller, id: ApprovalId) -> Result<Option<Reply>, PortError>;

    /// Denies a question of this caller, if it still waits.
    ///
    /// # Errors
    ///
    /// [`PortError`]: it may still wait.
    async fn deny(&self, caller: &Caller, id: ApprovalId) -> Result<(), PortError>;

    /// Waits until something came of a link to sign in, and says whether it did.
    async fn came_of(&self, link: &str, within: Duration) -> bool;
}

/// Asks people by way of clients.
#[derive(Clone)]
pub struct Asking {
    chat: Arc<dyn Chat>,
    codec: Arc<RequestStateCodec>,
}

impl fmt::Debug for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking").finish_non_exhaustive()
    }
}

/// There is nothing to seal what was asked with.
#[derive(Debug, thiserror::Error)]
pub enum NoSeal {
    /// The system gives none.
    #[error(
        "this machine gives no random bytes, so that nothing that a client brings back can be sealed"
    )]
    Random(#[source] getrandom::Error),
    /// The key does not do.
    #[error("nothing that a client brings back can be sealed")]
    Key(#[source] RequestStateError),
}

/// What was asked, for when the call comes back.
#[derive(Debug, Serialize, Deserialize)]
enum Asked {
    SignIn(String),
    Approve(ApprovalId),
}

/// What a call comes to after its person was asked.
pub(crate) enum Answered {
    /// An answer.
    Reply(Box<Reply>),
    /// The call is to be made again.
    Again,
    /// The client is to ask, and to come back.
    Asks(Box<InputRequiredResult>),
}

impl Asking {
    /// Makes it of what a word comes to. What was asked before the program began counts no more.
    ///
    /// # Errors
    ///
    /// [`NoSeal`].
    pub fn new(chat: Arc<dyn Chat>) -> Result<Self, NoSeal> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(NoSeal::Random)?;
        Ok(Self {
            chat,
            codec: Arc::new(RequestStateCodec::try_new(key).map_err(NoSeal::Key)?),
        })
    }

    /// Takes up what a call that comes back was asked; none where nothing of it counts.
    pub(crate) async fn take_up(
        &self,
        server: &Server,
        request: &CallToolRequestParams,
    ) -> Option<Answered> {
        let state = request.request_state.as_ref()?;
        let bound = bound_to(server, request);
        let asked: Asked = match self.codec.open_json_with(state, &bound) {
            Ok(asked) => asked,
            Err(error) => {
                tracing::warn!(%error, agent = %server.agent, person = %server.person, "what a client brought back does not count");
                return None;
            }
        };
        let answer = request.input_responses.as_ref()?.get(ASKED)?;
        let answer: ElicitResult = serde_json::from_value(answer.clone()).ok()?;
        match asked {
            Asked::SignIn(link) => {
                if answer.action != ElicitationAction::Accept {
                    return None;
                }
                self.chat.came_of(&link, COMES_BACK_WITHIN).await;
                Some(Answered::Again)
            }
            Asked::Approve(id) => self.decided(server, id, &answer).await,
        }
    }

    /// Asks the person what a reply says is missing, where the client can; none where the reply stands as it is.
    pub(crate) async fn ask(
        &self,
        server: &Server,
        request: &CallToolRequestParams,
        context: &RequestContext<RoleServer>,
        reply: &Reply,
    ) -> Option<Answered> {
        let can = context.client_capabilities()?.elicitation?;
        let (asked, question) = match &reply.outcome {
            Outcome::ConnectRequired(connect) if can.url.is_some() => sign_in(connect)?,
            Outcome::ApprovalRequired(approval) if has_forms(&can) => {
                let is_one = approval.card.effect == Effect::Write;
                if !is_one || !self.may_ask(&caller_of(server)).await {
                    return None;
                }
                approve(approval)?
            }
            _ => return None,
        };
        let version = context.protocol_version()?;
        if version.as_str() >= ProtocolVersion::V_2026_07_28.as_str() {
            // Who brought an answer that settled nothing is not asked the same again, nor who does not want to sign in.
            if let Some(answers) = &request.input_responses {
                let is_yes = |answer: &Value| answer["action"] == "accept";
                if matches!(asked, Asked::Approve(_)) || !answers.get(ASKED).is_some_and(is_yes) {
                    return None;
                }
            }
            return self.sends_to_ask(server, request, &asked, question);
        }
        let asking = context
            .peer
            .create_elicitation_with_timeout(question, Some(PERSON_TAKES));
        let answer = tokio::select! {
            answer = asking => answer,
            () = server.busy.told_to_end() => return None,
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                tracing::info!(%error, "the client did not ask its person");
                return None;
            }
        };
        match asked {
            Asked::SignIn(link) if answer.action == ElicitationAction::Accept => {
                let came = self.chat.came_of(&link, PERSON_TAKES);
                tokio::select! {
                    came = came => came.then_some(Answered::Again),
                    () = server.busy.told_to_end() => None,
                }
            }
            Asked::SignIn(_) => None,
            Asked::Approve(id) => self.decided(server, id, &answer).await,
        }
    }

    async fn may_ask(&self, caller: &Caller) -> bool {
        let may = self.chat.may_ask(caller).await;
        may.unwrap_or_else(|error| {
            tracing::error!(%error, "it could not be found out whether clients are trusted to ask");
            false
        })
    }

    /// Has the client ask, and come back with the answer.
    fn sends_to_ask(
        &self,
        server: &Server,
        request: &CallToolRequestParams,
        asked: &Asked,
        question: ElicitRequestParams,
    ) -> Option<Answered> {
        let bound = bound_to(server, request);
        let options = SealOptions::new().associated_data(&bound).ttl(ASKED_LASTS);
        let state = self.codec.seal_json_with(asked, &options).ok()?;
        let question = InputRequest::Elicitation(ElicitRequest::new(question));
        let asked = InputRequests::from([(ASKED.to_owned(), question)]);
        let result = InputRequiredResult::new(Some(asked), Some(state));
        Some(Answered::Asks(Box::new(result)))
    }

    /// Acts on what the person said. What is neither yes nor no leaves the question open.
    async fn decided(
        &self,
        server: &Server,
        id: ApprovalId,
        answer: &ElicitResult,
    ) -> Option<Answered> {
        let caller = caller_of(server);
        let said = answer.content.as_ref().and_then(|content| content.get(YES));
        let decided = match (&answer.action, said.and_then(Value::as_bool)) {
            (ElicitationAction::Accept, Some(true)) if self.may_ask(&caller).await => {
                let reply = self.chat.approve(&caller, id).await;
                reply.map(|reply| reply.map(|reply| Answered::Reply(Box::new(reply))))
            }
            (ElicitationAction::Decline, _) | (ElicitationAction::Accept, Some(false)) => {
                // The call made again says so.
                let denied = self.chat.deny(&caller, id).await;
                denied.map(|()| Some(Answered::Again))
            }
            _ => return None,
        };
        decided.unwrap_or_else(|error| {
            tracing::error!(%error, %id, "what a person said in a chat was not acted on");
            None
        })
    }
}

/// The field of a yes.
const YES: &str = "approve";

fn sign_in(connect: &ConnectRequired) -> Option<(Asked, ElicitRequestParams)> {
    let link = connect.link.clone()?;
    let question = ElicitRequestParams::UrlElicitationParams {
        meta: None,
        message: format!("An account is needed first: {}.", connect.advice),
        url: link.clone(),
        elicitation_id: Digest::of(link.as_bytes()).to_string(),
    };
    Some((Asked::SignIn(link), question))
}

fn approve(approval: &ApprovalRequired) -> Option<(Asked, ElicitRequestParams)> {
    let message = approval.card.text();
    if message.len() > QUESTION_BYTES_MAX {
        return None;
    }
    let schema = ElicitationSchema::builder()
        .required_bool(YES)
        .description("Approve: do exactly this, once")
        .build()
        .ok()?;
    let question = ElicitRequestParams::FormElicitationParams {
        meta: None,
        message,
        requested_schema: schema,
    };
    Some((Asked::Approve(approval.id), question))
}

/// Says whether a client has forms: one that says nothing more has them, for there was nothing else once.
fn has_forms(can: &ElicitationCapability) -> bool {
    can.form.is_some() || can.url.is_none()
}

fn caller_of(server: &Server) -> Caller {
    Caller {
        agent: server.agent.clone(),
        person: server.person.clone(),
    }
}

/// What an answer is bound to: the caller, and the very call.
fn bound_to(server: &Server, request: &CallToolRequestParams) -> Vec<u8> {
    let (agent, person) = (server.agent.as_str(), server.person.as_str());
    let call = (agent, person, &request.name, &request.arguments);
    serde_json::to_vec(&call).unwrap_or_default()
}
