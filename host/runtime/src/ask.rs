//! The question to a person: what is bound, what the person sees, and what the agent is told of the answer.

use portcullis_policy::{
    Account, AgentPolicy, Agreement, BoundAlike, BoundCall, BoundRequest, BoundSent, Card, Change,
    ChangeCard, Digest, Effect, Method, Origin, RequestPath, ToolName, WireRequest,
};
use serde_json::{Value, json};

use crate::connector::Connector;
use crate::ids::{ApprovalId, CallId};
use crate::ports::Caller;
use crate::ports::approvals::{Claim, DENIAL_LASTS, DigestKey, HeldRequest};
use crate::ports::credentials::Connection;
use crate::replay::Replay;
use crate::reply::{ApprovalRequired, Refusal, RefusalCode};

/// What is asked, but for what would be sent.
pub(crate) struct Question<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) connector: &'a Connector,
    pub(crate) tool: &'a ToolName,
    pub(crate) effect: Effect,
    pub(crate) connection: &'a Connection,
    pub(crate) reason: Option<&'a str>,
    pub(crate) arguments: &'a Value,
    pub(crate) call: CallId,
    pub(crate) replay: &'a Replay,
    pub(crate) rerun_of: Option<ApprovalId>,
    /// What an administrator decided, as it is for this call.
    pub(crate) policy: &'a AgentPolicy,
}

/// What would be sent.
pub(crate) struct Sent<'a> {
    pub(crate) method: Method,
    pub(crate) origin: &'a Origin,
    pub(crate) path: &'a RequestPath,
    /// The template of its route; none where the question is the whole call.
    pub(crate) route: Option<&'a str>,
    pub(crate) headers: &'a [(String, Vec<u8>)],
    pub(crate) body: &'a [u8],
    pub(crate) changes: &'a [Change],
    /// What was found of the changes in the request; none where the question is the whole call, of which there is no request yet.
    pub(crate) agreement: Option<&'a Agreement>,
}

/// Why nothing is sent.
pub(crate) enum Unapproved {
    /// A person has not decided yet.
    Held(Box<ApprovalRequired>),
    /// It is not to be sent, or not to be asked for.
    Refused(Refusal),
}

impl Question<'_> {
    /// Gives the digest of what the agent asks, whatever request comes of it.
    pub(crate) fn digest(&self, key: &DigestKey) -> Digest {
        self.bound(self.arguments).digest(key.expose())
    }

    /// Gives the digest of what an answer was got under: what the agent may touch, and whose account it is. An answer is handed out
    /// under the same alone. The mode is no part of it: a tool that is switched off hands nothing out, and a change that was
    /// approved is not to be sent again for being asked about no more.
    pub(crate) fn terms(&self, key: &DigestKey) -> Digest {
        let identity = self.connection.identity.as_ref();
        // Bound as a call is, so that it is keyed and its parts cannot run into each other.
        let terms = json!({
            "scope": self.policy.scope,
            "is_trusted": self.policy.is_trusted,
            "origin": self.connection.origin.to_string(),
            "shared": self.connection.shared,
            "user": identity.map(|identity| &identity.user_id),
            "organization": identity.and_then(|identity| identity.organization_id.as_ref()),
        });
        self.bound(&terms).digest(key.expose())
    }

    fn bound<'b>(&'b self, arguments: &'b Value) -> BoundCall<'b> {
        BoundCall {
            connector: &self.connector.manifest().name,
            tool: self.tool,
            arguments,
            person: &self.caller.person,
            agent: &self.caller.agent,
            connection: &self.connection.id,
        }
    }

    /// Makes what a person decides on.
    pub(crate) fn held(&self, key: &DigestKey, sent: &Sent<'_>) -> HeldRequest {
        let identity = self.connection.identity.as_ref();
        let bound = BoundRequest {
            connector: self.connector.digest(),
            tool: self.tool,
            arguments: self.arguments,
            person: &self.caller.person,
            agent: &self.caller.agent,
            connection: &self.connection.id,
            organization: identity.and_then(|identity| identity.organization_id.as_deref()),
            method: sent.method,
            origin: sent.origin,
            path: sent.path,
            headers: sent.headers,
            body: sent.body,
            changes: sent.changes,
        };
        let is_whole = sent
            .agreement
            .is_none_or(|found| found.is_whole(sent.changes));
        HeldRequest {
            digest: bound.digest(key.expose()),
            sent: self.leaving(key, sent),
            alike: self.alike(key, sent),
            question: self.digest(key),
            terms: self.terms(key),
            call: self.call,
            caller: self.caller.clone(),
            connector: self.connector.manifest().name.clone(),
            tool: self.tool.clone(),
            connection: self.connection.id.clone(),
            effect: self.effect,
            is_whole,
            card: self.card(sent),
            replay: self.replay.clone(),
            replaces: self.rerun_of,
        }
    }

    /// Gives the digest of what leaves. Of a whole call there is no request yet: what it asks stands for that.
    fn leaving(&self, key: &DigestKey, sent: &Sent<'_>) -> Digest {
        if sent.agreement.is_none() {
            return self.digest(key);
        }
        let bound = BoundSent {
            connector: &self.connector.manifest().name,
            person: &self.caller.person,
            agent: &self.caller.agent,
            connection: &self.connection.id,
            method: sent.method,
            origin: sent.origin,
            path: sent.path,
            headers: sent.headers,
            body: sent.body,
        };
        bound.digest(key.expose())
    }

    fn alike(&self, key: &DigestKey, sent: &Sent<'_>) -> Digest {
        let identity = self.connection.identity.as_ref();
        let bound = BoundAlike {
            component: self.connector.digest(),
            tool: self.tool,
            connection: &self.connection.id,
            organization: identity.and_then(|identity| identity.organization_id.as_deref()),
            method: sent.method,
            origin: sent.origin,
            route: sent.route,
            headers: sent.headers,
            changes: sent.changes,
        };
        bound.digest(key.expose())
    }

    fn card(&self, sent: &Sent<'_>) -> Card {
        let manifest = self.connector.manifest();
        let title = self.connector.tool(self.tool.as_str());
        let connection = self.connection;
        let identity = connection.identity.as_ref();
        let found = sent.agreement.map_or(&[][..], Agreement::changes);
        let changes = sent.changes.iter().zip(found);
        let changes =
            changes.map(|(change, found)| ChangeCard::new(change, found, &connection.origin));
        Card {
            connector: manifest.name.clone(),
            service: manifest.title.clone(),
            tool: self.tool.clone(),
            tool_title: title.map_or_else(String::new, |tool| tool.title.clone()),
            effect: self.effect,
            agent: self.caller.agent.clone(),
            person: self.caller.person.clone(),
            account: Account {
                user: identity.map(|identity| identity.user_name.clone()),
                organization: identity.and_then(|identity| identity.organization_name.clone()),
                organization_id: identity.and_then(|identity| identity.organization_id.clone()),
                environment: identity
                    .map_or_else(Default::default, |identity| identity.environment),
                origin: connection.origin.clone(),
                shared: connection.shared,
            },
            reason: self.reason.map(str::to_owned),
            arguments: self.arguments.to_string(),
            changes: changes.collect(),
            wire: sent.agreement.map(|_| sent.wire()),
            differs: Vec::new(),
        }
    }
}

impl Sent<'_> {
    fn wire(&self) -> WireRequest {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let headers = self.headers.iter();
        let headers = headers.map(|(name, value)| (name.clone(), text(value)));
        let url = format!("{}{}", self.origin, self.path.as_str());
        WireRequest::new(self.method, url, headers.collect(), self.body)
    }
}

/// Takes the answer to a claim: the approval that it used up, or why nothing is sent. `what` is in the words for the agent.
pub(crate) fn answer(claim: Claim, tool: &ToolName, what: &str) -> Result<ApprovalId, Unapproved> {
    let refused = |code, message| Err(Unapproved::Refused(Refusal::new(code, message)));
    match claim {
        Claim::Granted(id) => Ok(id),
        Claim::Held { id, link, card } => {
            let card = *card;
            let required = ApprovalRequired { id, link, card };
            Err(Unapproved::Held(Box::new(required)))
        }
        Claim::Denied { reason } => {
            let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
            let minutes = DENIAL_LASTS.as_secs() / 60;
            let message = format!(
                "a person said no to {what}{reason}; the same is refused for {minutes} minutes"
            );
            refused(RefusalCode::ApprovalDenied, message)
        }
        Claim::AfterNo { asked_max } => {
            let minutes = DENIAL_LASTS.as_secs() / 60;
            let message = format!(
                "a person said no to `{tool}` within the last {minutes} minutes and was asked {asked_max} times since: no more of it is asked for now; have the person say what they want instead"
            );
            refused(RefusalCode::ApprovalsFull, message)
        }
        Claim::Full { pending_max } => {
            let message = format!(
                "{pending_max} questions wait for this person already, and more are not asked: have some of them decided or withdrawn first"
            );
            refused(RefusalCode::ApprovalsFull, message)
        }
    }
}
