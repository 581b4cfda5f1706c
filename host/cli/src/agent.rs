//! `portcullis agent`: the agents, and which connectors each has.

use anyhow::Result;
use portcullis::policy::{AgentId, ConnectorName};
use portcullis_store::{Account, Agent, Change, DecidedKind, Deciding, Store, StoreError};
use serde_json::{Map, Value, json};

use crate::approvals;
use crate::args::Form;
use crate::args::people::AgentCommand;
use crate::connections;
use crate::connectors;
use crate::home::{Home, Session};
use crate::problem::Problem;
use crate::show;
use crate::show::table::{Table, shown};

/// Does what was asked.
pub(crate) async fn run(command: &AgentCommand, home: &Home) -> Result<()> {
    let session = home.open().await?;
    let store = &session.store;
    if !matches!(command, AgentCommand::List(_)) {
        session.require_administrator().await?;
    }
    match command {
        AgentCommand::Add { id, name, form } => add(&session, id, name.as_deref(), *form).await,
        AgentCommand::Rename { id, name, form } => {
            let before = require(store, id).await?;
            let work = store.rename_agent(id, name);
            if before.name == name.trim() {
                work.await?;
            } else {
                let called = |name: &str| Some(format!("called {name}"));
                let (from, to) = (called(&before.name), called(name.trim()));
                let what = Deciding::on(DecidedKind::Agent, id.as_str(), from, to);
                session.deciding(what, work).await?;
            }
            let after = require(store, id).await?;
            let called = shown(&after.name);
            let sentence = match before == after {
                true => format!("The agent `{id}` is called {called} already; nothing changed."),
                false => format!("The agent `{id}` is called {called} now."),
            };
            said(*form, before != after, &after, &sentence, None)
        }
        AgentCommand::Remove { id, form } => {
            if store.decided_on_agent(id).await? {
                // Else whoever may add and remove agents gets rid of what restricts one.
                let what = "an agent with rules or a scope of its own is removed";
                approvals::require_passphrase(&session, what).await?;
            }
            let was_there = session.change(Change::RemoveAgent(id.clone())).await?;
            let sentence = match was_there {
                true => {
                    format!("The agent `{id}` is gone. The accounts that it used are still there.")
                }
                false => format!("There is no agent `{id}`; nothing changed."),
            };
            let value = json!({ "changed": was_there });
            Ok(show::done(*form, &value, &sentence, None)?)
        }
        AgentCommand::Give {
            id,
            connector,
            shared,
            form,
        } => give(&session, id, connector, shared.as_deref(), *form).await,
        AgentCommand::Take {
            id,
            connector,
            form,
        } => {
            require(store, id).await?;
            let take = Change::Take(id.clone(), connector.clone());
            let had_it = session.change(take).await?;
            let sentence = match had_it {
                true => format!("The agent `{id}` no longer has `{connector}`."),
                false => format!("The agent `{id}` does not have `{connector}`; nothing changed."),
            };
            said(*form, had_it, &require(store, id).await?, &sentence, None)
        }
        AgentCommand::TrustClient { id, no, form } => {
            if !no {
                approvals::require_passphrase(&session, "clients are trusted").await?;
            }
            let trust = Change::TrustClients(id.clone(), !no);
            let changed = session.change(trust).await?;
            let (trusted, is_news) = match (no, changed) {
                (false, true) => ("are trusted to ask their person in the chat now", ""),
                (false, false) => ("are trusted to ask already", "; nothing changed"),
                (true, true) => ("are not trusted to ask any more", ""),
                (true, false) => ("are not trusted to ask", "; nothing changed"),
            };
            let sentence = format!("The clients of the agent `{id}` {trusted}{is_news}.");
            let value = json!({ "changed": changed, "agent": id, "trusted": !no });
            Ok(show::done(*form, &value, &sentence, None)?)
        }
        AgentCommand::List(form) => list(store, *form).await,
    }
}

async fn add(session: &Session, id: &AgentId, name: Option<&str>, form: Form) -> Result<()> {
    let store = &session.store;
    let new = Change::AddAgent {
        id: id.clone(),
        name: name.unwrap_or(id.as_str()).to_owned(),
    };
    let is_new = session.change(new).await?;
    let agent = require(store, id).await?;
    if is_new {
        let next = format!("`portcullis agent give {id} salesforce` gives it a connector");
        let sentence = format!("The agent `{id}` is there now.");
        return said(form, true, &agent, &sentence, Some(&next));
    }
    if name.is_some_and(|name| name.trim() != agent.name) {
        let called = shown(&agent.name);
        let message = format!("the agent `{id}` is there already, and is called {called}");
        let hint = format!("to change that: portcullis agent rename {id} NAME");
        return Err(Problem::mistake("exists", message, hint).into());
    }
    let sentence = format!("The agent `{id}` is there already; nothing changed.");
    said(form, false, &agent, &sentence, None)
}

async fn give(
    session: &Session,
    id: &AgentId,
    connector: &ConnectorName,
    shared: Option<&str>,
    form: Form,
) -> Result<()> {
    let store = &session.store;
    connectors::require(store, connector).await?;
    let before = require(store, id).await?;
    let account = match shared {
        Some(text) => Account::Shared(connections::find(store, text).await?.id),
        None => Account::Personal,
    };
    if before.connectors.get(connector) != Some(&account) {
        // What it is given it could not use before, or not as this account.
        let what = "an agent is given a connector or another account";
        approvals::require_passphrase(session, what).await?;
    }
    let give = Change::Give(id.clone(), connector.clone(), account.clone());
    session.change(give).await?;
    let after = require(store, id).await?;
    let by = match &account {
        Account::Personal => "each person's own account".to_owned(),
        Account::Shared(connection) => format!("the shared connection `{connection}`"),
    };
    let sentence = match before == after {
        true => format!("The agent `{id}` has `{connector}` already, by {by}; nothing changed."),
        false => format!("The agent `{id}` has `{connector}` now, by {by}."),
    };
    let next = match &account {
        Account::Personal => format!("`portcullis tools --agent {id}` shows what it gets"),
        Account::Shared(connection) => {
            format!("`portcullis connections show {connection}` says who may use it so")
        }
    };
    said(form, before != after, &after, &sentence, Some(&next))
}

async fn list(store: &Store, form: Form) -> Result<()> {
    let agents = store.agents().await?;
    if form.json {
        let mut values = Vec::with_capacity(agents.len());
        for agent in &agents {
            let mut value = agent_json(agent);
            value["client_trusted"] = json!(store.trusts_clients(&agent.id).await?);
            values.push(value);
        }
        return Ok(show::json(&Value::Array(values))?);
    }
    if agents.is_empty() {
        let next = "`portcullis agent add helper` makes one";
        return Ok(show::done(
            form,
            &Value::Null,
            "There are no agents yet.",
            Some(next),
        )?);
    }
    let mut table = Table::new(&["ID", "NAME", "CONNECTORS"]);
    for agent in &agents {
        let connectors: Vec<String> = agent
            .connectors
            .iter()
            .map(|(connector, account)| match account {
                Account::Personal => format!("{connector} (personal)"),
                Account::Shared(connection) => format!("{connector} (shared: {connection})"),
            })
            .collect();
        let connectors = match connectors.is_empty() {
            true => "none".to_owned(),
            false => connectors.join(", "),
        };
        table.row([agent.id.as_str(), &agent.name, &connectors]);
    }
    Ok(table.write(&mut anstream::stdout().lock())?)
}

/// Gives the only agent's id for a command that is proposed; where there are several, the word that stands for one.
pub(crate) async fn in_words(store: &Store) -> Result<String> {
    Ok(match store.agents().await?.as_slice() {
        [only] => only.id.to_string(),
        _ => "AGENT".to_owned(),
    })
}

/// Finds an agent that must be there.
pub(crate) async fn require(store: &Store, id: &AgentId) -> Result<Agent> {
    let missing = || StoreError::NotFound {
        kind: "agent",
        id: id.to_string(),
    };
    Ok(store.agent(id).await?.ok_or_else(missing)?)
}

fn said(
    form: Form,
    changed: bool,
    agent: &Agent,
    sentence: &str,
    next: Option<&str>,
) -> Result<()> {
    let value = json!({ "changed": changed, "agent": agent_json(agent) });
    Ok(show::done(form, &value, sentence, next)?)
}

fn agent_json(agent: &Agent) -> Value {
    let connectors: Map<String, Value> = agent
        .connectors
        .iter()
        .map(|(connector, account)| {
            let account = match account {
                Account::Personal => json!({ "account": "personal" }),
                Account::Shared(connection) => {
                    json!({ "account": "shared", "connection": connection })
                }
            };
            (connector.to_string(), account)
        })
        .collect();
    json!({
        "id": agent.id,
        "name": agent.name,
        "created": agent.created.to_string(),
        "connectors": connectors,
    })
}
