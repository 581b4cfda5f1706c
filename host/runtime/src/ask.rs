//! The words in which a person is asked, and in which an agent is told what the person said.

use portcullis_policy::{Account, Card, Effect, ToolName};
use serde_json::Value;

use crate::connector::Connector;
use crate::ports::Caller;
use crate::ports::credentials::Connection;

/// What is asked, but for what would be sent.
pub(crate) struct Question<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) connector: &'a Connector,
    pub(crate) tool: &'a ToolName,
    pub(crate) effect: Effect,
    pub(crate) connection: &'a Connection,
    pub(crate) reason: Option<&'a str>,
    pub(crate) arguments: &'a Value,
}

/// Makes the card of a question, without changes and request.
pub(crate) fn card(question: &Question<'_>) -> Card {
    let manifest = question.connector.manifest();
    let title = question.connector.tool(question.tool.as_str());
    let connection = question.connection;
    let identity = connection.identity.as_ref();
    Card {
        connector: manifest.name.clone(),
        service: manifest.title.clone(),
        tool: question.tool.clone(),
        tool_title: title.map_or_else(String::new, |tool| tool.title.clone()),
        effect: question.effect,
        agent: question.caller.agent.clone(),
        person: question.caller.person.clone(),
        account: Account {
            user: identity.map(|identity| identity.user_name.clone()),
            organization: identity.and_then(|identity| identity.organization_name.clone()),
            organization_id: identity.and_then(|identity| identity.organization_id.clone()),
            environment: identity.map_or_else(Default::default, |identity| identity.environment),
            origin: connection.origin.clone(),
            shared: connection.shared,
        },
        reason: question.reason.map(str::to_owned),
        arguments: question.arguments.to_string(),
        changes: Vec::new(),
        wire: None,
        differs: Vec::new(),
    }
}

/// Says that a person said no.
pub(crate) fn denied(what: &str, reason: Option<String>) -> String {
    let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
    format!("a person said no to {what}{reason}")
}

/// Says that too much waits already.
pub(crate) fn full(pending_max: usize) -> String {
    format!(
        "{pending_max} questions wait for this person already, and more are not asked: have some of them decided or withdrawn first"
    )
}
