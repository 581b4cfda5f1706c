//! Rules on the modes of tools, and the tools that an administrator has seen.

use portcullis_policy::{
    AgentId, ConnectionId, ConnectorName, Effect, Level, Mode, PersonId, Selector, ToolName,
    ToolRule,
};
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;

use crate::agents::{require_agent, require_shared};
use crate::decisions::Decisions;
use crate::error::StoreError;
use crate::people::require_person;
use crate::store::Store;

impl Store {
    /// Makes a rule, in place of one for the same tools at the same level, and says whether that changed anything.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] for its agent, connection or person.
    pub async fn put_tool_rule(&self, rule: &ToolRule) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let changed = put(self, &mut tx, rule).await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Takes a rule back, so that the default holds there again, and says whether there was one.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn remove_tool_rule(
        &self,
        level: &Level,
        connector: Option<&ConnectorName>,
        selector: &Selector,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let was_there = remove(self, &mut tx, level, connector, selector).await?;
        tx.commit().await?;
        Ok(was_there)
    }

    /// Lists all rules, in the order of their levels.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or a row is damaged.
    pub async fn tool_rules(&self) -> Result<Vec<ToolRule>, StoreError> {
        self.decided().await?.rules()
    }

    /// Takes note of the tools of a connector that is here for the first time: those count as seen. Later ones do not,
    /// until [`see_tools`](Self::see_tools).
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn meet_tools(
        &self,
        connector: &ConnectorName,
        tools: &[(ToolName, Effect)],
    ) -> Result<(), StoreError> {
        if self.decided().await?.seen.contains_key(connector) {
            return Ok(());
        }
        let mut tx = self.write().await?;
        self.decide(&mut tx, |decisions| {
            let tools = tools.iter().cloned().collect();
            decisions.seen.entry(connector.clone()).or_insert(tools);
        })
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Says that an administrator has seen tools as they are.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn see_tools(
        &self,
        connector: &ConnectorName,
        tools: &[(ToolName, Effect)],
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        self.decide(&mut tx, |decisions| {
            let seen = decisions.seen.entry(connector.clone()).or_default();
            seen.extend(tools.iter().cloned());
        })
        .await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Makes a rule in a transaction, as [`Store::put_tool_rule`] does.
pub(crate) async fn put(
    store: &Store,
    tx: &mut SqliteConnection,
    rule: &ToolRule,
) -> Result<bool, StoreError> {
    match &rule.level {
        Level::Workspace => {}
        Level::Agent(agent) => require_agent(tx, agent).await?,
        Level::Shared(connection) => {
            require_shared(tx, connection, rule.connector.as_ref()).await?;
        }
        Level::Own(person) => require_person(tx, person).await?,
    }
    store.decide(tx, |decisions| decisions.put_rule(rule)).await
}

/// Takes a rule back in a transaction, as [`Store::remove_tool_rule`] does.
pub(crate) async fn remove(
    store: &Store,
    tx: &mut SqliteConnection,
    level: &Level,
    connector: Option<&ConnectorName>,
    selector: &Selector,
) -> Result<bool, StoreError> {
    let like = KeptRule::of(&ToolRule {
        level: level.clone(),
        connector: connector.cloned(),
        selector: selector.clone(),
        mode: Mode::Disabled,
        made_for: None,
    });
    let remove = |decisions: &mut Decisions| {
        decisions.remove_rules(|rule| rule.is_in_place_of(&like));
    };
    store.decide(tx, remove).await
}

fn columns(level: &Level) -> (Option<&str>, Option<&str>, Option<&str>) {
    match level {
        Level::Workspace => (None, None, None),
        Level::Agent(agent) => (Some(agent.as_str()), None, None),
        Level::Shared(connection) => (None, Some(connection.as_str()), None),
        Level::Own(person) => (None, None, Some(person.as_str())),
    }
}

/// A rule as it is kept: in names and words, so that one of a later version is told from none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeptRule {
    agent: Option<String>,
    connection: Option<String>,
    person: Option<String>,
    connector: Option<String>,
    selector: String,
    mode: String,
    made_for: Option<Effect>,
}

impl KeptRule {
    pub(crate) fn of(rule: &ToolRule) -> Self {
        let (agent, connection, person) = columns(&rule.level);
        Self {
            agent: agent.map(str::to_owned),
            connection: connection.map(str::to_owned),
            person: person.map(str::to_owned),
            connector: rule.connector.as_ref().map(ToString::to_string),
            selector: rule.selector.to_string(),
            mode: rule.mode.as_word().to_owned(),
            made_for: rule.made_for,
        }
    }

    /// Says whether it is for the same tools at the same level as another.
    pub(crate) fn is_in_place_of(&self, other: &Self) -> bool {
        self.agent == other.agent
            && self.connection == other.connection
            && self.person == other.person
            && self.connector == other.connector
            && self.selector == other.selector
    }

    /// Says whether it is a rule of this level.
    pub(crate) fn is_at(&self, level: &Level) -> bool {
        let (agent, connection, person) = columns(level);
        self.agent.as_deref() == agent
            && self.connection.as_deref() == connection
            && self.person.as_deref() == person
    }

    /// Says what holds for which tools, for the log.
    pub(crate) fn words(&self) -> String {
        let Self { selector, mode, .. } = self;
        match &self.connector {
            Some(connector) => format!("{selector} of {connector} {mode}"),
            None => format!("{selector} {mode}"),
        }
    }

    /// Says whether a call of an agent at a connector could be one of those that it is about.
    pub(crate) fn may_be_for(&self, agent: &AgentId, connector: &ConnectorName) -> bool {
        let is_for = self.agent.as_deref().is_none_or(|of| of == agent.as_str());
        let of = self.connector.as_deref();
        is_for && of.is_none_or(|of| of == connector.as_str())
    }

    pub(crate) fn rule(&self) -> Result<ToolRule, StoreError> {
        let Self {
            agent,
            connection,
            person,
            connector,
            selector,
            mode,
            made_for,
        } = self;
        let damaged = |error: String| StoreError::damaged("rule", selector, error);
        let level = match (agent, connection, person) {
            (Some(agent), None, None) => agent.parse().map(Level::Agent),
            (None, Some(connection), None) => {
                ConnectionId::parse(connection.as_str()).map(Level::Shared)
            }
            (None, None, Some(person)) => PersonId::parse(person.as_str()).map(Level::Own),
            (None, None, None) => Ok(Level::Workspace),
            _ => return Err(damaged("it is for several at once".to_owned())),
        };
        let connector = connector.as_deref().map(ConnectorName::parse).transpose();
        Ok(ToolRule {
            level: level.map_err(|error| damaged(error.to_string()))?,
            connector: connector.map_err(|error| damaged(error.to_string()))?,
            selector: selector
                .parse()
                .map_err(|error| StoreError::damaged("rule", selector, error))?,
            mode: Mode::from_word(mode).ok_or_else(|| damaged(format!("`{mode}` is no mode")))?,
            made_for: *made_for,
        })
    }
}
