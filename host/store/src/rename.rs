//! Other names, for whatever has one.

use portcullis_policy::{AgentId, ConnectionId, PersonId};
use sqlx::SqliteConnection;

use crate::error::StoreError;
use crate::text::text;

/// What people call by a name that they choose.
#[derive(Clone, Copy)]
pub(crate) enum Named<'a> {
    Person(&'a PersonId),
    Agent(&'a AgentId),
    Connection(&'a ConnectionId),
}

/// Gives something another name, in a transaction.
pub(crate) async fn rename(
    tx: &mut SqliteConnection,
    named: Named<'_>,
    name: &str,
) -> Result<(), StoreError> {
    let (kind, id, what, sql) = match named {
        Named::Person(id) => (
            "person",
            id.as_str(),
            "a person's name",
            "UPDATE people SET name = ?2 WHERE id = ?1",
        ),
        Named::Agent(id) => (
            "agent",
            id.as_str(),
            "an agent's name",
            "UPDATE agents SET name = ?2 WHERE id = ?1",
        ),
        Named::Connection(id) => (
            "connection",
            id.as_str(),
            "a connection's label",
            "UPDATE connections SET label = ?2 WHERE id = ?1",
        ),
    };
    let name = text(what, name)?;
    let renamed = sqlx::query(sql).bind(id).bind(name).execute(tx).await?;
    match renamed.rows_affected() {
        0 => Err(StoreError::not_found(kind, id)),
        _ => Ok(()),
    }
}
