//! Stores of before decisions were sealed: what their tables have is taken over once.
//!
//! The attack: somebody takes the sealed decisions away and puts such tables back, to have what they say taken over. So whether a store
//! is one of before is not said by its tables: its data keys are wrapped in the way of then (`data_keys.rs`), and are wrapped anew with this.

use std::collections::BTreeMap;

use portcullis_policy::{AgentId, ConnectorName, Digest, Effect, ToolName};
use sqlx::{Row, SqliteConnection};

use super::{Active, Decisions, begin};
use crate::connectors::granted_versions;
use crate::error::StoreError;
use crate::store::Store;
use crate::tool_rules::KeptRule;

/// The tables of before.
const TABLES: [&str; 5] = [
    "tool_rules",
    "seen_tools",
    "agent_scopes",
    "connector_trust",
    "trusted_clients",
];

/// Begins the decisions of a store, in the transaction that opens it: with what a store of before has in its tables, and none where
/// the store is new.
pub(crate) async fn take_over(
    store: &Store,
    tx: &mut SqliteConnection,
    is_of_before: bool,
) -> Result<(), StoreError> {
    let decisions = match is_of_before {
        true => read(store, tx).await?,
        false => Decisions::default(),
    };
    begin(store, tx, &decisions).await?;
    for table in TABLES {
        let drop = sqlx::AssertSqlSafe(format!("DROP TABLE {table}"));
        sqlx::query(drop).execute(&mut *tx).await?;
    }
    Ok(())
}

async fn read(store: &Store, tx: &mut SqliteConnection) -> Result<Decisions, StoreError> {
    let mut decisions = Decisions {
        rules: rules(tx).await?,
        ..Decisions::default()
    };
    for row in all(tx, "SELECT agent, connector, scope FROM agent_scopes").await? {
        let agent: String = row.try_get(0)?;
        let text: String = row.try_get(2)?;
        // One that cannot be read is not taken for none: it would allow everything.
        let scope = serde_json::from_str(&text)
            .map_err(|error| StoreError::damaged("scope", &agent, error))?;
        let scopes = decisions.scopes.entry(agent_id(agent)?).or_default();
        scopes.insert(name(row.try_get(1)?)?, scope);
    }
    for row in all(tx, "SELECT connector, tool, effect FROM seen_tools").await? {
        let (tool, effect): (String, String) = (row.try_get(1)?, row.try_get(2)?);
        let effect: Effect = serde_json::from_value(effect.into())
            .map_err(|error| StoreError::damaged("effect", &tool, error))?;
        let tool = ToolName::parse(tool.as_str())
            .map_err(|error| StoreError::damaged("tool", &tool, error))?;
        let seen = decisions.seen.entry(name(row.try_get(0)?)?).or_default();
        seen.insert(tool, effect);
    }
    for row in all(tx, "SELECT agent FROM trusted_clients").await? {
        decisions.clients.insert(agent_id(row.try_get(0)?)?);
    }
    decisions.versions = granted_versions(store, tx).await?;
    let active = decisions.versions.clone();
    for row in all(tx, "SELECT connector, trusted FROM connector_trust").await? {
        let (connector, trusted): (String, bool) = (row.try_get(0)?, row.try_get(1)?);
        trust(&mut decisions, &active, name(connector)?, trusted);
    }
    Ok(decisions)
}

/// What was said of a connector is taken as said of the component that is in use.
fn trust(
    decisions: &mut Decisions,
    active: &BTreeMap<ConnectorName, Active>,
    connector: ConnectorName,
    trusted: bool,
) {
    let installed: Option<Digest> = active.get(&connector).map(|active| active.digest);
    let trust = decisions.trust.entry(connector).or_default();
    match (installed, trusted) {
        (Some(digest), true) => {
            trust.these.insert(digest);
        }
        (Some(_), false) => {}
        (None, trusted) => trust.carried = Some(trusted),
    }
}

async fn rules(tx: &mut SqliteConnection) -> Result<Vec<KeptRule>, StoreError> {
    let text: String = sqlx::query_scalar(
        "SELECT json_group_array(json_object('agent', agent, 'connection', connection, 'person', person, \
             'connector', connector, 'selector', selector, 'mode', mode, 'made_for', made_for)) FROM tool_rules",
    )
    .fetch_one(tx)
    .await?;
    let rules: Vec<KeptRule> = serde_json::from_str(&text)
        .map_err(|error| StoreError::damaged("rules", "of before", error))?;
    for rule in &rules {
        rule.rule()?;
    }
    Ok(rules)
}

async fn all(
    tx: &mut SqliteConnection,
    sql: &'static str,
) -> Result<Vec<sqlx::sqlite::SqliteRow>, StoreError> {
    Ok(sqlx::query(sql).fetch_all(tx).await?)
}

fn agent_id(text: String) -> Result<AgentId, StoreError> {
    AgentId::parse(text.as_str()).map_err(|error| StoreError::damaged("agent", &text, error))
}

fn name(text: String) -> Result<ConnectorName, StoreError> {
    ConnectorName::parse(text.as_str())
        .map_err(|error| StoreError::damaged("connector", &text, error))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use portcullis_policy::{Mode, Scope};

    use super::*;
    use crate::address::Location;
    use crate::master_key::MasterKey;
    use crate::seal::Place;
    use crate::store::StoreOptions;

    /// Turns a store into one as the program left it before decisions were sealed.
    async fn turn_back(store: &Store, master: &MasterKey) {
        let mut tx = store.write().await.unwrap();
        for sql in [
            "DROP TABLE agent_usage",
            include_str!("../../migrations/0004_permissions.sql"),
            include_str!("../../migrations/0009_trusted_clients.sql"),
            "DROP TABLE decisions; DELETE FROM _sqlx_migrations WHERE version = 12",
            "INSERT INTO agents VALUES ('helper', 'Helper', 0)",
            "INSERT INTO tool_rules (agent, selector, mode, created) VALUES ('helper', 'effect:write', 'off', 0)",
            "INSERT INTO agent_scopes VALUES ('helper', 'crm', '{\"read_only\":true}')",
            "INSERT INTO seen_tools VALUES ('crm', 'query', 'read')",
            "INSERT INTO trusted_clients VALUES ('helper')",
            "INSERT INTO connector_trust VALUES ('crm', 0)",
        ] {
            sqlx::raw_sql(sql).execute(&mut *tx).await.unwrap();
        }
        wrap_as_before(store, &mut tx, master).await;
        tx.commit().await.unwrap();
        store.close().await;
    }

    /// Wraps the first data key as it was wrapped then.
    async fn wrap_as_before(store: &Store, tx: &mut SqliteConnection, master: &MasterKey) {
        let key = store.keys().get(tx, 1).await.unwrap();
        let (id, name) = (key.id().to_string(), master.id());
        let place = Place {
            table: "keys",
            column: "wrapped",
            row: &[&id, &name],
        };
        let wrapped = master.wrapping().seal(place, key.expose()).unwrap();
        sqlx::query("UPDATE keys SET wrapped = ?1 WHERE id = 1")
            .bind(wrapped)
            .execute(tx)
            .await
            .unwrap();
    }

    /// The attack: a key that somebody kept from before is put back beside those of now, so that tables are taken over once more.
    #[tokio::test]
    async fn a_key_of_before_beside_those_of_now_opens_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let master = MasterKey::random().unwrap();
        let options = StoreOptions::new(Location::in_folder(folder.path()), master.clone());
        let store = Store::open(options.clone()).await.unwrap();
        let mut tx = store.write().await.unwrap();
        store.keys().add(&mut tx, store.now()).await.unwrap();
        wrap_as_before(&store, &mut tx, &master).await;
        tx.commit().await.unwrap();
        store.close().await;
        let opened = Store::open(options).await;
        assert!(matches!(opened, Err(StoreError::Damaged { .. })));
    }

    #[tokio::test]
    async fn what_a_store_of_before_has_is_taken_over_once() {
        let folder = tempfile::tempdir().unwrap();
        let master = MasterKey::random().unwrap();
        let options = StoreOptions::new(Location::in_folder(folder.path()), master.clone());
        let open = async || Store::open(options.clone()).await;
        turn_back(&open().await.unwrap(), &master).await;
        for _ in 0..2 {
            let store = open().await.unwrap();
            let (agent, connector) = (
                AgentId::parse("helper").unwrap(),
                ConnectorName::parse("crm").unwrap(),
            );
            let rules = store.tool_rules().await.unwrap();
            assert_eq!((rules.len(), rules[0].mode), (1, Mode::Disabled));
            let scope: Scope = store.scope(&agent, &connector).await.unwrap();
            assert!(scope.read_only);
            assert!(store.trusts_clients(&agent).await.unwrap());
            let decided = store.decided().await.unwrap();
            assert_eq!(decided.trust[&connector].carried, Some(false));
            assert_eq!(decided.seen[&connector].len(), 1);
            let mut tx = store.read().await.unwrap();
            let left: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN \
                 ('tool_rules', 'seen_tools', 'agent_scopes', 'connector_trust', 'trusted_clients')",
            )
            .fetch_one(&mut *tx)
            .await
            .unwrap();
            assert_eq!(left, 0);
            drop(tx);
            store.close().await;
        }
    }
}
