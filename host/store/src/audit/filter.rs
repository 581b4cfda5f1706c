//! Which calls are asked for.

use jiff::Timestamp;
use portcullis_policy::{AgentId, ConnectionId, ConnectorName, Effect, PersonId, ToolName};
use sqlx::{QueryBuilder, Sqlite};

/// Which calls are asked for: those that fit all that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// For this person.
    pub person: Option<PersonId>,
    /// By this agent.
    pub agent: Option<AgentId>,
    /// Of this connector.
    pub connector: Option<ConnectorName>,
    /// Of this tool.
    pub tool: Option<ToolName>,
    /// As this account.
    pub connection: Option<ConnectionId>,
    /// That ended so: [`CallEnd::as_str`](super::CallEnd::as_str), or a code.
    pub outcome: Option<String>,
    /// Of tools that reach this far.
    pub effect: Option<Effect>,
    /// That began then or later.
    pub since: Option<Timestamp>,
    /// That began before then.
    pub until: Option<Timestamp>,
    /// So many at most.
    pub limit: Option<u32>,
    /// The oldest first, instead of the newest.
    pub oldest_first: bool,
    /// After this call, in the order that is asked for.
    pub after: Option<(Timestamp, portcullis::CallId)>,
}

impl Filter {
    /// Adds the conditions and the order to a query.
    pub(super) fn write(&self, query: &mut QueryBuilder<Sqlite>) {
        query.push(" WHERE person IS NOT NULL");
        let mut equal = |column: &str, value: Option<&str>| {
            if let Some(value) = value {
                query.push(format!(" AND {column} = "));
                query.push_bind(value.to_owned());
            }
        };
        equal("person", self.person.as_ref().map(PersonId::as_str));
        equal("agent", self.agent.as_ref().map(AgentId::as_str));
        equal(
            "connector",
            self.connector.as_ref().map(ConnectorName::as_str),
        );
        equal("tool", self.tool.as_ref().map(ToolName::as_str));
        equal(
            "connection",
            self.connection.as_ref().map(ConnectionId::as_str),
        );
        equal("effect", self.effect.map(Effect::as_str));
        if let Some(since) = self.since {
            query.push(" AND at >= ");
            query.push_bind(since.as_millisecond());
        }
        if let Some(until) = self.until {
            query.push(" AND at < ");
            query.push_bind(until.as_millisecond());
        }
        if let Some((at, id)) = self.after {
            query.push(match self.oldest_first {
                true => " AND (at, call) > (",
                false => " AND (at, call) < (",
            });
            query.push_bind(at.as_millisecond());
            query.push(", ");
            query.push_bind(id.to_string());
            query.push(")");
        }
        query.push(match self.oldest_first {
            true => " ORDER BY at, call",
            false => " ORDER BY at DESC, call DESC",
        });
    }

    /// Says whether a call fits the part that depends on who is at work now.
    pub(super) fn admits(&self, row: &super::CallRow) -> bool {
        self.outcome
            .as_ref()
            .is_none_or(|wanted| row.ended.as_str() == wanted || row.code.as_ref() == Some(wanted))
    }
}
