//! Permissions: which connectors an agent has, how far its tools go, and what they may touch.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use async_trait::async_trait;
use portcullis_policy::{AgentId, ConnectorName, Effect, Mode, ToolName};

use super::{Caller, PortError, lock};

/// An access that a connector asks about: what only it can see, such as the objects and fields of
/// a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// How far it reaches.
    pub effect: Effect,
    /// The kind of record.
    pub kind: String,
    /// The fields; none: the kind as a whole.
    pub fields: Vec<String>,
}

/// A refused access: names, never values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// The kind that was refused.
    pub kind: String,
    /// The field, where it is one.
    pub field: Option<String>,
    /// One sentence for the caller.
    pub message: String,
}

/// What an administrator lets an agent do.
#[async_trait]
pub trait Permissions: Send + Sync {
    /// Says whether the agent has the connector, for this person.
    ///
    /// # Errors
    ///
    /// [`PortError`]: the call is refused.
    async fn offers(&self, caller: &Caller, connector: &ConnectorName) -> Result<bool, PortError>;

    /// Gives the mode that an administrator set for a tool, the most restrictive where several
    /// apply; none: the default of the tool's effect.
    ///
    /// # Errors
    ///
    /// [`PortError`]: the call is refused.
    async fn mode(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
        tool: &ToolName,
        effect: Effect,
    ) -> Result<Option<Mode>, PortError>;

    /// Decides on accesses; the first refused one refuses them all.
    ///
    /// # Errors
    ///
    /// [`PortError`]: all are refused.
    async fn check(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
        accesses: &[Access],
    ) -> Result<Result<(), Denied>, PortError>;

    /// Gives those of `fields` that the agent may see, in the same order.
    ///
    /// # Errors
    ///
    /// [`PortError`]: none is visible.
    async fn visible_fields(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
        kind: &str,
        fields: Vec<String>,
    ) -> Result<Vec<String>, PortError>;
}

/// Permissions in memory. An agent has no connector until it is given one.
#[derive(Debug, Default)]
pub struct MemoryPermissions {
    rules: Mutex<Rules>,
}

#[derive(Debug, Default)]
struct Rules {
    connectors: HashSet<(AgentId, ConnectorName)>,
    modes: HashMap<(AgentId, ConnectorName, ToolName), Mode>,
    /// Kinds, and fields of kinds, in lower case.
    hidden: HashSet<(AgentId, String, Option<String>)>,
}

impl MemoryPermissions {
    /// Makes permissions that allow nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives an agent a connector, with the default modes.
    pub fn offer(&self, agent: AgentId, connector: ConnectorName) {
        lock(&self.rules).connectors.insert((agent, connector));
    }

    /// Sets the mode of a tool.
    pub fn set_mode(&self, agent: AgentId, connector: ConnectorName, tool: ToolName, mode: Mode) {
        lock(&self.rules)
            .modes
            .insert((agent, connector, tool), mode);
    }

    /// Hides a kind of record, or one of its fields, from an agent. Names compare without case.
    pub fn hide(&self, agent: AgentId, kind: &str, field: Option<&str>) {
        let field = field.map(str::to_lowercase);
        lock(&self.rules)
            .hidden
            .insert((agent, kind.to_lowercase(), field));
    }
}

impl Rules {
    fn hides(&self, agent: &AgentId, kind: &str, field: Option<&str>) -> bool {
        let field = field.map(str::to_lowercase);
        self.hidden
            .contains(&(agent.clone(), kind.to_lowercase(), field))
    }

    fn refusal(&self, agent: &AgentId, access: &Access) -> Option<Denied> {
        let field = match self.hides(agent, &access.kind, None) {
            true => None,
            false => Some(
                access
                    .fields
                    .iter()
                    .find(|field| self.hides(agent, &access.kind, Some(field)))?
                    .clone(),
            ),
        };
        let what = match &field {
            Some(field) => format!("the field `{field}` of `{}`", access.kind),
            None => format!("`{}`", access.kind),
        };
        Some(Denied {
            kind: access.kind.clone(),
            field,
            message: format!("this agent may not use {what}"),
        })
    }
}

#[async_trait]
impl Permissions for MemoryPermissions {
    async fn offers(&self, caller: &Caller, connector: &ConnectorName) -> Result<bool, PortError> {
        let key = (caller.agent.clone(), connector.clone());
        Ok(lock(&self.rules).connectors.contains(&key))
    }

    async fn mode(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
        tool: &ToolName,
        _: Effect,
    ) -> Result<Option<Mode>, PortError> {
        let key = (caller.agent.clone(), connector.clone(), tool.clone());
        Ok(lock(&self.rules).modes.get(&key).copied())
    }

    async fn check(
        &self,
        caller: &Caller,
        _: &ConnectorName,
        accesses: &[Access],
    ) -> Result<Result<(), Denied>, PortError> {
        let rules = lock(&self.rules);
        let refused = accesses
            .iter()
            .find_map(|access| rules.refusal(&caller.agent, access));
        Ok(match refused {
            Some(denied) => Err(denied),
            None => Ok(()),
        })
    }

    async fn visible_fields(
        &self,
        caller: &Caller,
        _: &ConnectorName,
        kind: &str,
        mut fields: Vec<String>,
    ) -> Result<Vec<String>, PortError> {
        let rules = lock(&self.rules);
        if rules.hides(&caller.agent, kind, None) {
            return Ok(Vec::new());
        }
        fields.retain(|field| !rules.hides(&caller.agent, kind, Some(field)));
        Ok(fields)
    }
}
