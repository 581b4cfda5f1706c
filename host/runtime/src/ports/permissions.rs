//! Permissions: which connectors an agent has, how far its tools go, and what they may touch.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use portcullis_policy::{
    AgentId, AgentPolicy, ConnectorName, Digest, Effect, Level, Mode, Scope, ScopePattern,
    Selector, ToolName, ToolRule,
};

use super::{Caller, PortError, lock};
use crate::ids::CallId;

pub use portcullis_policy::{Access, Denied};

/// What of an agent is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counted {
    /// Its calls, over a minute.
    Calls,
    /// The records that it changes, over a day.
    Changes,
}

impl Counted {
    /// Gives the time over which is counted: what was used longer ago does not count.
    pub fn window(self) -> Duration {
        match self {
            Self::Calls => Duration::from_secs(60),
            Self::Changes => Duration::from_secs(24 * 60 * 60),
        }
    }

    /// Gives the word that stores use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Calls => "call",
            Self::Changes => "change",
        }
    }
}

/// What is to be counted, and how much there may be of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Of what.
    pub counted: Counted,
    /// How many.
    pub count: u32,
    /// How many there may be within the window, these included.
    pub max: u32,
    /// Whether it is only looked at, so that it is not counted twice.
    pub only_look: bool,
    /// By which call it is counted before it comes to be; none: it has come to be. Where a program is ended in between, what is known of the
    /// call says whether it stays counted.
    pub reserved_by: Option<CallId>,
}

/// There would be more than there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted {
    /// When there is room for one more, at the earliest.
    pub retry_after: Duration,
}

/// What an administrator lets an agent do.
#[async_trait]
pub trait Permissions: Send + Sync {
    /// Gives what was decided on the agent's use of the connector, all of one moment; none: the agent does not have
    /// it, or not for this person. `component` is the digest of what runs as the connector: trust is in code, and another component of
    /// the same name is other code.
    ///
    /// # Errors
    ///
    /// [`PortError`]: the call is refused.
    async fn policy(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
        component: Digest,
    ) -> Result<Option<Arc<AgentPolicy>>, PortError>;

    /// Counts what an agent uses, whoever it works for, unless that were too much: then nothing is counted. What is
    /// counted stays so after a crash, and two that count at once do not both get the last.
    ///
    /// # Errors
    ///
    /// [`PortError`]: what was to be counted does not happen.
    async fn count(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
        usage: Usage,
    ) -> Result<Result<(), Exhausted>, PortError>;

    /// Takes back what was counted for something that then did not happen: the newest that was counted like it.
    ///
    /// # Errors
    ///
    /// [`PortError`]: it stays counted.
    async fn give_back(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
        usage: Usage,
    ) -> Result<(), PortError>;
}

/// Permissions in memory. An agent has no connector until it is given one.
#[derive(Debug, Default)]
pub struct MemoryPermissions {
    policies: Mutex<HashMap<(AgentId, ConnectorName), Arc<AgentPolicy>>>,
    used: Mutex<Used>,
}

type Used = HashMap<(AgentId, ConnectorName, Counted), VecDeque<(Instant, u32)>>;

impl MemoryPermissions {
    /// Makes permissions that allow nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives an agent a connector, with the default modes. What was decided on it stays.
    pub fn offer(&self, agent: AgentId, connector: ConnectorName) {
        self.change(agent, connector, |_| {});
    }

    /// Changes what is decided on an agent's use of a connector; it is given the connector if it does not have it.
    pub fn change(
        &self,
        agent: AgentId,
        connector: ConnectorName,
        change: impl FnOnce(&mut AgentPolicy),
    ) {
        let mut policies = lock(&self.policies);
        let policy = policies
            .entry((agent.clone(), connector))
            .or_insert_with(|| Arc::new(AgentPolicy::new(agent)));
        change(Arc::make_mut(policy));
    }

    /// Sets the mode of a tool, in place of what was set for it before.
    pub fn set_mode(&self, agent: AgentId, connector: ConnectorName, tool: ToolName, mode: Mode) {
        let rule = ToolRule {
            level: Level::Agent(agent.clone()),
            connector: Some(connector.clone()),
            selector: Selector::Tool(tool),
            mode,
            made_for: Some(Effect::Destructive),
        };
        self.change(agent, connector, |policy| {
            policy.rules.retain(|one| one.selector != rule.selector);
            policy.rules.push(rule);
        });
    }

    /// Says what an agent may touch.
    pub fn set_scope(&self, agent: AgentId, connector: ConnectorName, scope: Scope) {
        self.change(agent, connector, |policy| policy.scope = Some(scope));
    }

    /// Denies an agent a kind of record, or fields of kinds, with all connectors that it has.
    pub fn hide(&self, agent: &AgentId, what: &ScopePattern) {
        for ((of, _), policy) in lock(&self.policies).iter_mut() {
            if of == agent {
                let scope = Arc::make_mut(policy).scope.get_or_insert_default();
                scope.deny_read.push(what.clone());
            }
        }
    }

    /// Trusts a connector to ask about what only it can see, for an agent.
    pub fn trust(&self, agent: AgentId, connector: ConnectorName) {
        self.change(agent, connector, |policy| policy.is_trusted = true);
    }
}

#[async_trait]
impl Permissions for MemoryPermissions {
    async fn policy(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
        _: Digest,
    ) -> Result<Option<Arc<AgentPolicy>>, PortError> {
        let key = (caller.agent.clone(), connector.clone());
        Ok(lock(&self.policies).get(&key).cloned())
    }

    async fn count(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
        usage: Usage,
    ) -> Result<Result<(), Exhausted>, PortError> {
        let now = Instant::now();
        let window = usage.counted.window();
        let key = (caller.agent.clone(), connector.clone(), usage.counted);
        let mut used = lock(&self.used);
        let used = used.entry(key).or_default();
        while used
            .front()
            .is_some_and(|(at, _)| now.duration_since(*at) >= window)
        {
            used.pop_front();
        }
        let sum: u64 = used.iter().map(|(_, count)| u64::from(*count)).sum();
        if sum + u64::from(usage.count) > u64::from(usage.max) {
            let oldest = used.front().map_or(now, |(at, _)| *at);
            let retry_after = window.saturating_sub(now.duration_since(oldest));
            return Ok(Err(Exhausted { retry_after }));
        }
        if !usage.only_look {
            used.push_back((now, usage.count));
        }
        Ok(Ok(()))
    }

    async fn give_back(
        &self,
        caller: &Caller,
        connector: &ConnectorName,
        usage: Usage,
    ) -> Result<(), PortError> {
        let key = (caller.agent.clone(), connector.clone(), usage.counted);
        let mut used = lock(&self.used);
        let used = used.entry(key).or_default();
        if let Some(place) = used.iter().rposition(|(_, count)| *count == usage.count) {
            used.remove(place);
        }
        Ok(())
    }
}
