//! The names in a filter: one that nothing was ever done by, and that nobody has, is a slip, and not the answer that nothing was done.

use anyhow::Result;
use portcullis::ComponentCache;
use portcullis::policy::ConnectionId;
use portcullis_store::{Activity, Filter};

use crate::args::audit::Which;
use crate::catalog::Catalog;
use crate::connectors;
use crate::home::Session;
use crate::nearest;
use crate::problem::Problem;
use crate::show::table::shown;

/// The words for how a call ended; beside them there are the codes of what went wrong.
const OUTCOMES: [&str; 9] = [
    "done",
    "refused",
    "failed",
    "approval_required",
    "connect_required",
    "abandoned",
    "cut_off",
    "unclear",
    "running",
];

/// Refuses names that are nowhere: neither in the store nor in the log.
pub(super) async fn require(
    session: &Session,
    log: &Activity,
    which: &Which,
    cache: ComponentCache,
) -> Result<()> {
    if let (Some(since), Some(until)) = (which.since, which.until)
        && since >= until
    {
        let message = format!("nothing is from {since} on and before {until}");
        let hint = "`--since` is the earlier of the two: `2h` is two hours ago";
        return Err(Problem::mistake("time", message, hint).into());
    }
    let store = &session.store;
    if let Some(person) = &which.person {
        let people = store.people().await?;
        let known: Vec<&str> = people.iter().map(|one| one.id.as_str()).collect();
        let filter = Filter {
            person: Some(person.clone()),
            ..Filter::default()
        };
        known_or_done(log, "person", person.as_str(), &known, filter).await?;
    }
    if let Some(agent) = &which.agent {
        let agents = store.agents().await?;
        let known: Vec<&str> = agents.iter().map(|one| one.id.as_str()).collect();
        let filter = Filter {
            agent: Some(agent.clone()),
            ..Filter::default()
        };
        known_or_done(log, "agent", agent.as_str(), &known, filter).await?;
    }
    if let Some(connector) = &which.connector {
        let names = connectors::names(store).await?;
        let known: Vec<&str> = names.iter().map(|one| one.as_str()).collect();
        let filter = Filter {
            connector: Some(connector.clone()),
            ..Filter::default()
        };
        known_or_done(log, "connector", connector.as_str(), &known, filter).await?;
    }
    if let Some(tool) = &which.tool {
        let filter = Filter {
            tool: Some(tool.clone()),
            ..Filter::default()
        };
        // The connectors are looked at for names alone that the log does not have.
        if !is_done(log, &filter).await? {
            let catalog = Catalog::open(store, cache).await?;
            let tools = catalog.connectors.iter().flat_map(|one| one.tools());
            let known: Vec<&str> = tools.map(|tool| tool.name.as_str()).collect();
            known_or_done(log, "tool", tool.as_str(), &known, filter).await?;
        }
    }
    if let Some(outcome) = &which.outcome {
        let filter = Filter {
            outcome: Some(outcome.clone()),
            ..Filter::default()
        };
        known_or_done(log, "outcome", outcome, &OUTCOMES, filter).await?;
    }
    Ok(())
}

async fn known_or_done(
    log: &Activity,
    what: &str,
    name: &str,
    known: &[&str],
    filter: Filter,
) -> Result<()> {
    if known.contains(&name) {
        return Ok(());
    }
    if is_done(log, &filter).await? {
        return Ok(());
    }
    let message = format!(
        "no {what} is called `{}`, and none in the log is",
        shown(name)
    );
    Err(Problem::mistake("filter", message, nearest::hint(known, name)).into())
}

/// Says whether something was done as a connection, which need not be there any more.
pub(super) async fn acted(log: &Activity, connection: &ConnectionId) -> Result<bool> {
    let filter = Filter {
        connection: Some(connection.clone()),
        ..Filter::default()
    };
    is_done(log, &filter).await
}

/// Says whether the log has such a call.
async fn is_done(log: &Activity, filter: &Filter) -> Result<bool> {
    let one = Filter {
        limit: Some(1),
        ..filter.clone()
    };
    Ok(!log.calls(&one).await?.0.is_empty())
}
