//! A change of the store in the words of the log.

use portcullis_policy::{ConnectorName, Level, Selector};
use sqlx::SqliteConnection;

use super::{DecidedKind, Deciding};
use crate::agents::Account;
use crate::change::Change;
use crate::error::StoreError;
use crate::sharing::Subject;
use crate::store::Store;

/// Says what a change decides, in the transaction that is to make it; none: nothing but a name for people.
pub(super) async fn said(
    store: &Store,
    tx: &mut SqliteConnection,
    change: &Change,
) -> Result<Option<Deciding>, StoreError> {
    let words = match change {
        Change::Rule(_)
        | Change::Unrule(..)
        | Change::Scope(_)
        | Change::Trust(..)
        | Change::TrustClients(..)
        | Change::RemoveAgent(_) => of_agents(store, tx, change).await?,
        other => of_people(store, tx, other).await?,
    };
    let deciding = |(kind, subject, from, to)| Deciding {
        kind,
        subject,
        from,
        to,
        reason: None,
    };
    Ok(words.map(deciding))
}

/// On what, on which, from what, to what.
type Words = (DecidedKind, String, Option<String>, Option<String>);

/// What is one of the decisions on agents.
async fn of_agents(
    store: &Store,
    tx: &mut SqliteConnection,
    change: &Change,
) -> Result<Option<Words>, StoreError> {
    let decisions = store.decided_in(tx).await;
    if let Change::RemoveAgent(agent) = change {
        let there = is_there(
            tx,
            "SELECT EXISTS (SELECT 1 FROM agents WHERE id = ?1)",
            [agent.as_str()],
        )
        .await?;
        // It can go also where what was decided on it does not open.
        let had = decisions.map_or_else(
            |_| "an agent".to_owned(),
            |decisions| decisions.words_of_agent(agent),
        );
        let subject = agent.to_string();
        return Ok(Some((
            DecidedKind::Agent,
            subject,
            there.then_some(had),
            None,
        )));
    }
    let decisions = decisions?;
    let rule_of = |level: &Level, connector: Option<&ConnectorName>, selector: &Selector| {
        let rules = decisions.rules()?;
        let mut rules = rules.into_iter();
        let found = rules.find(|rule| {
            rule.level == *level
                && rule.connector.as_ref() == connector
                && rule.selector == *selector
        });
        Ok::<_, StoreError>(found)
    };
    Ok(Some(match change {
        Change::Rule(rule) => {
            let connector = rule.connector.as_ref();
            let before = rule_of(&rule.level, connector, &rule.selector)?;
            let from = before.map(|before| {
                let word = before.mode.as_word();
                // The same word lets more pass, where the tool reaches farther than when the rule was made.
                match before.mode == rule.mode && before.made_for != rule.made_for {
                    true => format!("{word}, for the tool as it was"),
                    false => word.to_owned(),
                }
            });
            let subject = rule_words(&rule.level, connector, &rule.selector);
            let to = Some(rule.mode.as_word().to_owned());
            (DecidedKind::Rule, subject, from, to)
        }
        Change::Unrule(level, connector, selector) => {
            let before = rule_of(level, connector.as_ref(), selector)?;
            let from = before.map(|before| before.mode.as_word().to_owned());
            let subject = rule_words(level, connector.as_ref(), selector);
            (DecidedKind::Rule, subject, from, None)
        }
        Change::Scope(put) => {
            let before = decisions.scopes.get(&put.agent);
            let before = before.and_then(|of| of.get(&put.connector)).cloned();
            let json = |scope: &portcullis_policy::Scope| {
                let is_empty = *scope == portcullis_policy::Scope::default();
                let text = serde_json::to_string(scope)
                    .map_err(|error| StoreError::damaged("scope", put.agent.as_str(), error))?;
                Ok::<_, StoreError>((!is_empty).then_some(text))
            };
            let from = json(&before.unwrap_or_default())?;
            let subject = format!("{} with {}", put.agent, put.connector);
            (DecidedKind::Scope, subject, from, json(&put.scope)?)
        }
        Change::Trust(connector, component, trusted) => {
            let before = decisions.trusts(connector, component.digest, component.is_carried);
            let subject = format!("{connector} {}", component.digest);
            (DecidedKind::Trust, subject, trust(before), trust(*trusted))
        }
        Change::TrustClients(agent, trusted) => {
            let before = decisions.clients.contains(agent);
            let subject = agent.to_string();
            (
                DecidedKind::Clients,
                subject,
                trust(before),
                trust(*trusted),
            )
        }
        _ => return Ok(None),
    }))
}

/// What is in tables of its own.
async fn of_people(
    store: &Store,
    tx: &mut SqliteConnection,
    change: &Change,
) -> Result<Option<Words>, StoreError> {
    let role_of = "SELECT role FROM people WHERE id = ?1";
    Ok(Some(match change {
        Change::AddPerson { id, role, .. } | Change::SetRole { id, role } => {
            let from = text(tx, role_of, [id.as_str()]).await?;
            // Who is known already stays as they are.
            let stays = matches!(change, Change::AddPerson { .. }) && from.is_some();
            let to = match stays {
                true => from.clone(),
                false => Some(role.as_str().to_owned()),
            };
            (DecidedKind::Person, id.to_string(), from, to)
        }
        Change::RemovePerson(id) => {
            let role = text(tx, role_of, [id.as_str()]).await?;
            // They can go also where what was decided does not open.
            let decisions = store.decided_in(tx).await.ok();
            let level = Level::Own(id.clone());
            let rules = decisions.and_then(|decisions| decisions.words_at(&level));
            let from = role.map(|role| match rules {
                Some(rules) => format!("{role}, with the rules {rules}"),
                None => role,
            });
            (DecidedKind::Person, id.to_string(), from, None)
        }
        Change::AddSubject {
            person,
            issuer,
            subject,
        }
        | Change::RemoveSubject {
            person,
            issuer,
            subject,
        } => {
            let sql = "SELECT EXISTS (SELECT 1 FROM person_subjects WHERE person = ?1 AND issuer = ?2 AND subject = ?3)";
            let before = is_there(tx, sql, [person.as_str(), issuer, subject]).await?;
            let after = matches!(change, Change::AddSubject { .. });
            let subject = format!("{person} as {subject} of {issuer}");
            (DecidedKind::Person, subject, there(before), there(after))
        }
        Change::AddGroup(group) | Change::RemoveGroup(group) => {
            let sql = "SELECT EXISTS (SELECT 1 FROM groups WHERE name = ?1)";
            let before = is_there(tx, sql, [group.as_str()]).await?;
            let after = matches!(change, Change::AddGroup(_));
            (
                DecidedKind::Group,
                group.to_string(),
                there(before),
                there(after),
            )
        }
        Change::Join(group, person) | Change::Leave(group, person) => {
            let sql =
                "SELECT EXISTS (SELECT 1 FROM group_members WHERE group_name = ?1 AND person = ?2)";
            let before = is_there(tx, sql, [group.as_str(), person.as_str()]).await?;
            let after = matches!(change, Change::Join(..));
            let subject = format!("{person} in {group}");
            (DecidedKind::Group, subject, there(before), there(after))
        }
        Change::AddAgent { id, .. } => {
            let sql = "SELECT EXISTS (SELECT 1 FROM agents WHERE id = ?1)";
            let before = is_there(tx, sql, [id.as_str()]).await?;
            (
                DecidedKind::Agent,
                id.to_string(),
                there(before),
                there(true),
            )
        }
        Change::Give(agent, connector, account) => {
            let after = match account {
                Account::Personal => "personal".to_owned(),
                Account::Shared(connection) => format!("shared {connection}"),
            };
            let subject = format!("{connector} of {agent}");
            let from = account_of(tx, agent.as_str(), connector.as_str()).await?;
            (DecidedKind::Connector, subject, from, Some(after))
        }
        Change::Take(agent, connector) => {
            let subject = format!("{connector} of {agent}");
            let from = account_of(tx, agent.as_str(), connector.as_str()).await?;
            (DecidedKind::Connector, subject, from, None)
        }
        Change::Share(connection, subject) | Change::Unshare(connection, subject) => {
            let (person, group) = subject.columns();
            let before: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT 1 FROM shares WHERE connection = ?1 AND person IS ?2 AND group_name IS ?3)",
            )
            .bind(connection.as_str())
            .bind(person)
            .bind(group)
            .fetch_one(tx)
            .await?;
            let after = matches!(change, Change::Share(..));
            let with = match subject {
                Subject::Person(person) => person.to_string(),
                Subject::Group(group) => format!("group {group}"),
                Subject::Everyone => "everyone".to_owned(),
            };
            let subject = format!("connection {connection} with {with}");
            (DecidedKind::Share, subject, there(before), there(after))
        }
        _ => return Ok(None),
    }))
}

async fn account_of(
    tx: &mut SqliteConnection,
    agent: &str,
    connector: &str,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT account || ifnull(' ' || connection, '') FROM agent_connectors WHERE agent = ?1 AND connector = ?2";
    text(tx, sql, [agent, connector]).await
}

async fn text<const N: usize>(
    tx: &mut SqliteConnection,
    sql: &'static str,
    binds: [&str; N],
) -> Result<Option<String>, StoreError> {
    let mut query = sqlx::query_scalar(sql);
    for bind in binds {
        query = query.bind(bind);
    }
    Ok(query.fetch_optional(tx).await?)
}

async fn is_there<const N: usize>(
    tx: &mut SqliteConnection,
    sql: &'static str,
    binds: [&str; N],
) -> Result<bool, StoreError> {
    let mut query = sqlx::query_scalar(sql);
    for bind in binds {
        query = query.bind(bind);
    }
    Ok(query.fetch_one(tx).await?)
}

fn rule_words(level: &Level, connector: Option<&ConnectorName>, selector: &Selector) -> String {
    match connector {
        Some(connector) => format!("{level}: {selector} of {connector}"),
        None => format!("{level}: {selector}"),
    }
}

fn trust(trusted: bool) -> Option<String> {
    let word = if trusted { "trusted" } else { "not trusted" };
    Some(word.to_owned())
}

fn there(is_there: bool) -> Option<String> {
    is_there.then(|| "there".to_owned())
}
