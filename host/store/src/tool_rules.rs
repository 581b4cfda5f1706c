//! Rules on the modes of tools, and the tools that an administrator has seen.

use std::collections::BTreeMap;

use portcullis_policy::{
    ConnectionId, ConnectorName, Effect, Level, Mode, PersonId, SeenTools, Selector, ToolName,
    ToolRule,
};
use serde::Deserialize;
use sqlx::SqliteConnection;

use crate::agents::{require_agent, require_shared};
use crate::error::StoreError;
use crate::people::require_person;
use crate::store::Store;

/// What makes one list of the rules `r` that a statement finds, as [`of_json`] reads it.
macro_rules! rules_json {
    () => {
        "json_group_array(json_object('agent', r.agent, 'connection', r.connection, 'person', r.person, \
         'connector', r.connector, 'selector', r.selector, 'mode', r.mode, 'made_for', r.made_for))"
    };
}
pub(crate) use rules_json;

impl Store {
    /// Makes a rule, in place of one for the same tools at the same level, and says whether that changed anything.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] for its agent, connection or person.
    pub async fn put_tool_rule(&self, rule: &ToolRule) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let changed = put(&mut tx, self.now(), rule).await?;
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
        let was_there = remove(&mut tx, level, connector, selector).await?;
        tx.commit().await?;
        Ok(was_there)
    }

    /// Lists all rules, in the order of their levels.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or a row is damaged.
    pub async fn tool_rules(&self) -> Result<Vec<ToolRule>, StoreError> {
        let mut tx = self.read().await?;
        let sql = concat!("SELECT ", rules_json!(), " FROM tool_rules r");
        let text: String = sqlx::query_scalar(sql).fetch_one(&mut *tx).await?;
        let mut rules = of_json(&text)?;
        rules.sort();
        Ok(rules)
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
        let is_known = "SELECT EXISTS (SELECT 1 FROM seen_tools WHERE connector = ?1)";
        let mut reading = self.read().await?;
        let known: bool = sqlx::query_scalar(is_known)
            .bind(connector.as_str())
            .fetch_one(&mut *reading)
            .await?;
        drop(reading);
        if known {
            return Ok(());
        }
        let mut tx = self.write().await?;
        let known: bool = sqlx::query_scalar(is_known)
            .bind(connector.as_str())
            .fetch_one(&mut *tx)
            .await?;
        if !known {
            see(&mut tx, connector, tools).await?;
        }
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
        see(&mut tx, connector, tools).await?;
        tx.commit().await?;
        Ok(())
    }
}

async fn see(
    tx: &mut SqliteConnection,
    connector: &ConnectorName,
    tools: &[(ToolName, Effect)],
) -> Result<(), StoreError> {
    for (tool, effect) in tools {
        sqlx::query(
            "INSERT INTO seen_tools (connector, tool, effect) VALUES (?1, ?2, ?3) \
             ON CONFLICT DO UPDATE SET effect = excluded.effect",
        )
        .bind(connector.as_str())
        .bind(tool.as_str())
        .bind(effect.as_str())
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

/// Reads the tools that were seen, from an object with the effect of each.
pub(crate) fn seen_of_json(text: &str) -> Result<SeenTools, StoreError> {
    let tools: BTreeMap<String, String> =
        serde_json::from_str(text).map_err(|error| StoreError::damaged("tools", "seen", error))?;
    let tools = tools.into_iter().map(|(tool, reach)| {
        let name = ToolName::parse(tool.as_str())
            .map_err(|error| StoreError::damaged("tool", &tool, error))?;
        Ok((name, effect(reach)?))
    });
    Ok(SeenTools::These(tools.collect::<Result<_, StoreError>>()?))
}

/// Reads rules from a list of objects.
pub(crate) fn of_json(text: &str) -> Result<Vec<ToolRule>, StoreError> {
    let rows: Vec<RuleRow> = serde_json::from_str(text)
        .map_err(|error| StoreError::damaged("rules", "of an agent", error))?;
    rows.into_iter().map(RuleRow::rule).collect()
}

/// Makes a rule in a transaction, as [`Store::put_tool_rule`] does.
pub(crate) async fn put(
    tx: &mut SqliteConnection,
    now: i64,
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
    let (agent, connection, person) = columns(&rule.level);
    let put = sqlx::query(
        "INSERT INTO tool_rules (agent, connection, person, connector, selector, mode, made_for, created) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
         ON CONFLICT (ifnull(agent, ''), ifnull(connection, ''), ifnull(person, ''), ifnull(connector, ''), selector) \
         DO UPDATE SET mode = excluded.mode, made_for = excluded.made_for, created = excluded.created \
         WHERE mode <> excluded.mode OR made_for IS NOT excluded.made_for",
    )
    .bind(agent)
    .bind(connection)
    .bind(person)
    .bind(rule.connector.as_ref().map(ConnectorName::as_str))
    .bind(rule.selector.to_string())
    .bind(rule.mode.as_word())
    .bind(rule.made_for.map(Effect::as_str))
    .bind(now)
    .execute(tx)
    .await?;
    Ok(put.rows_affected() > 0)
}

/// Takes a rule back in a transaction, as [`Store::remove_tool_rule`] does.
pub(crate) async fn remove(
    tx: &mut SqliteConnection,
    level: &Level,
    connector: Option<&ConnectorName>,
    selector: &Selector,
) -> Result<bool, StoreError> {
    let (agent, connection, person) = columns(level);
    let removed = sqlx::query(
        "DELETE FROM tool_rules WHERE agent IS ?1 AND connection IS ?2 AND person IS ?3 AND connector IS ?4 \
         AND selector = ?5",
    )
    .bind(agent)
    .bind(connection)
    .bind(person)
    .bind(connector.map(ConnectorName::as_str))
    .bind(selector.to_string())
    .execute(tx)
    .await?;
    Ok(removed.rows_affected() > 0)
}

fn columns(level: &Level) -> (Option<&str>, Option<&str>, Option<&str>) {
    match level {
        Level::Workspace => (None, None, None),
        Level::Agent(agent) => (Some(agent.as_str()), None, None),
        Level::Shared(connection) => (None, Some(connection.as_str()), None),
        Level::Own(person) => (None, None, Some(person.as_str())),
    }
}

/// A rule as it is kept.
#[derive(Deserialize)]
struct RuleRow {
    agent: Option<String>,
    connection: Option<String>,
    person: Option<String>,
    connector: Option<String>,
    selector: String,
    mode: String,
    made_for: Option<String>,
}

impl RuleRow {
    fn rule(self) -> Result<ToolRule, StoreError> {
        let Self {
            agent,
            connection,
            person,
            connector,
            selector,
            mode,
            made_for,
        } = self;
        let damaged = |error: String| StoreError::damaged("rule", &selector, error);
        let level = match (agent, connection, person) {
            (Some(agent), _, _) => agent.parse().map(Level::Agent),
            (_, Some(connection), _) => ConnectionId::parse(connection).map(Level::Shared),
            (_, _, Some(person)) => PersonId::parse(person).map(Level::Own),
            (None, None, None) => Ok(Level::Workspace),
        };
        let connector = connector.map(ConnectorName::parse).transpose();
        Ok(ToolRule {
            level: level.map_err(|error| damaged(error.to_string()))?,
            connector: connector.map_err(|error| damaged(error.to_string()))?,
            selector: selector
                .parse()
                .map_err(|error| StoreError::damaged("rule", &selector, error))?,
            mode: Mode::from_word(&mode).ok_or_else(|| damaged(format!("`{mode}` is no mode")))?,
            made_for: made_for.map(effect).transpose()?,
        })
    }
}

fn effect(text: String) -> Result<Effect, StoreError> {
    let all = [Effect::Read, Effect::Write, Effect::Destructive];
    let found = all.into_iter().find(|effect| effect.as_str() == text);
    found.ok_or_else(|| StoreError::damaged("effect", &text, "it is none"))
}
