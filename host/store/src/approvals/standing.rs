//! Standing approvals: a rule that a person makes for the next few records of the same kind, so that ten alike changes are not ten questions.
//!
//! It names the tool, the kind, the fields and the account, covers ten records and an hour at most, and never what cannot be undone. A request that
//! the host could not check to the last field is not covered: the person saw one like it, and only the connector says that this is alike.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use portcullis::ApprovalId;
use portcullis::ports::approvals::HeldRequest;
use portcullis_policy::{AgentId, ConnectionId, ConnectorName, Effect, PersonId, ToolName};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::{Approval, GRANTED, Held, parsed, require_granted};
use crate::connection::seal;
use crate::error::StoreError;
use crate::seal::Place;
use crate::sign_in::expiry;
use crate::store::{Store, time};

/// Records that a standing approval covers at most.
pub const STANDING_RECORDS_MAX: u32 = 10;

/// How long it lasts at most.
pub const STANDING_LASTS_MAX: Duration = Duration::from_secs(3_600);

/// How much a person lets pass without being asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Records, from 1 to [`STANDING_RECORDS_MAX`].
    pub records: u32,
    /// How long, at most [`STANDING_LASTS_MAX`].
    pub lasts: Duration,
}

/// A standing approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingApproval {
    /// Its id: the audit log names it as the approval of what it let pass.
    pub id: ApprovalId,
    /// The agent.
    pub agent: AgentId,
    /// The connector.
    pub connector: ConnectorName,
    /// The tool.
    pub tool: ToolName,
    /// The account.
    pub connection: ConnectionId,
    /// The kind of record.
    pub kind: String,
    /// The fields that may change.
    pub fields: Vec<String>,
    /// Records that may still pass.
    pub records_left: u32,
    /// Until when.
    pub expires: Timestamp,
}

/// Makes a rule of a question.
pub(super) async fn make(
    store: &Store,
    tx: &mut SqliteConnection,
    approval: &Approval,
    held: &Held,
    wanted: Standing,
    now: i64,
) -> Result<StandingApproval, StoreError> {
    let no = |why| Err(StoreError::NoStanding(why));
    if approval.effect != Effect::Write {
        return no("only what changes something and can be undone may be approved ahead");
    }
    if !(1..=STANDING_RECORDS_MAX).contains(&wanted.records)
        || wanted.lasts > STANDING_LASTS_MAX
        || wanted.lasts.is_zero()
    {
        return no("it covers 1 to 10 records, and an hour at most");
    }
    let changes = &held.card.changes;
    let kinds: BTreeSet<&str> = changes.iter().map(|change| change.kind.as_str()).collect();
    let [kind] = Vec::from_iter(kinds)[..] else {
        return no("it names one kind of record, and this changes several");
    };
    if !held.is_whole {
        return no("the host cannot see all of this change in the request");
    }
    let fields = changes.iter().flat_map(|change| &change.fields);
    let fields: BTreeSet<&str> = fields.map(|field| field.name.as_str()).collect();
    let names: Vec<String> = fields.iter().map(|name| (*name).to_owned()).collect();
    let id = ApprovalId::random(SystemTime::now()).map_err(|_| StoreError::Randomness)?;
    let expires = expiry(now, wanted.lasts);
    let fields = serde_json::json!(fields).to_string();
    let row = [
        &id.to_string(),
        approval.person.as_str(),
        approval.agent.as_str(),
        approval.connector.as_str(),
        approval.tool.as_str(),
        approval.connection.as_str(),
        kind,
        &fields,
        &expires.to_string(),
    ];
    let sealed = seal(store, tx, place(&row), &GRANTED).await?;
    sqlx::query(
        "INSERT INTO standing_approvals (id, person, agent, connector, tool, connection, kind, fields, records_left, \
         created, expires, granted, granted_key) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )
    .bind(id.to_string())
    .bind(approval.person.as_str())
    .bind(approval.agent.as_str())
    .bind(approval.connector.as_str())
    .bind(approval.tool.as_str())
    .bind(approval.connection.as_str())
    .bind(kind)
    .bind(&fields)
    .bind(wanted.records)
    .bind(now)
    .bind(expires)
    .bind(sealed.bytes)
    .bind(sealed.key)
    .execute(tx)
    .await?;
    Ok(StandingApproval {
        id,
        agent: approval.agent.clone(),
        connector: approval.connector.clone(),
        tool: approval.tool.clone(),
        connection: approval.connection.clone(),
        kind: kind.to_owned(),
        fields: names,
        records_left: wanted.records,
        expires: time(expires)?,
    })
}

/// Lets a request pass by a rule, and counts its records.
pub(super) async fn use_up(
    store: &Store,
    tx: &mut SqliteConnection,
    request: &HeldRequest,
    now: i64,
) -> Result<Option<ApprovalId>, StoreError> {
    let changes = &request.card.changes;
    if request.effect != Effect::Write || !request.is_whole || changes.is_empty() {
        return Ok(None);
    }
    let rows = sqlx::query(
        "SELECT * FROM standing_approvals WHERE person = ?1 AND agent = ?2 AND connector = ?3 AND tool = ?4 \
         AND connection = ?5 AND expires > ?6 AND records_left >= ?7 ORDER BY expires",
    )
    .bind(request.caller.person.as_str())
    .bind(request.caller.agent.as_str())
    .bind(request.connector.as_str())
    .bind(request.tool.as_str())
    .bind(request.connection.as_str())
    .bind(now)
    .bind(i64::try_from(changes.len()).unwrap_or(i64::MAX))
    .fetch_all(&mut *tx)
    .await?;
    for row in &rows {
        let rule = standing(row)?;
        let covers = changes.iter().all(|change| {
            let mut fields = change.fields.iter();
            change.kind == rule.kind && fields.all(|field| rule.fields.contains(&field.name))
        });
        if covers {
            granted(store, tx, row).await?;
            sqlx::query(
                "UPDATE standing_approvals SET records_left = records_left - ?2 WHERE id = ?1",
            )
            .bind(rule.id.to_string())
            .bind(i64::try_from(changes.len()).unwrap_or(i64::MAX))
            .execute(&mut *tx)
            .await?;
            return Ok(Some(rule.id));
        }
    }
    Ok(None)
}

pub(super) async fn of_person(
    tx: &mut SqliteConnection,
    person: &PersonId,
    now: i64,
) -> Result<Vec<StandingApproval>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM standing_approvals WHERE person = ?1 AND expires > ?2 AND records_left > 0 ORDER BY expires",
    )
    .bind(person.as_str())
    .bind(now)
    .fetch_all(tx)
    .await?;
    rows.iter().map(standing).collect()
}

pub(super) async fn end(
    tx: &mut SqliteConnection,
    id: ApprovalId,
    person: &PersonId,
) -> Result<bool, StoreError> {
    let ended = sqlx::query("DELETE FROM standing_approvals WHERE id = ?1 AND person = ?2")
        .bind(id.to_string())
        .bind(person.as_str())
        .execute(tx)
        .await?;
    Ok(ended.rows_affected() > 0)
}

/// The place of what shows that a person made a rule: all that the rule says is bound.
fn place<'a>(row: &'a [&'a str]) -> Place<'a> {
    Place {
        table: "standing_approvals",
        column: "granted",
        row,
    }
}

/// Looks whether a rule was made here, as it is.
async fn granted(
    store: &Store,
    tx: &mut SqliteConnection,
    row: &SqliteRow,
) -> Result<(), StoreError> {
    let expires = row.try_get::<i64, _>("expires")?.to_string();
    let mut parts: Vec<&str> = Vec::new();
    for column in [
        "id",
        "person",
        "agent",
        "connector",
        "tool",
        "connection",
        "kind",
        "fields",
    ] {
        parts.push(row.try_get(column)?);
    }
    parts.push(&expires);
    require_granted(store, tx, place(&parts), row).await
}

fn standing(row: &SqliteRow) -> Result<StandingApproval, StoreError> {
    let id: String = row.try_get("id")?;
    let text = |column: &str| row.try_get::<String, _>(column);
    let fields = serde_json::from_str(&text("fields")?)
        .map_err(|error| StoreError::damaged("fields", &id, error))?;
    Ok(StandingApproval {
        id: parsed(&id, &id)?,
        agent: parsed(&id, &text("agent")?)?,
        connector: parsed(&id, &text("connector")?)?,
        tool: parsed(&id, &text("tool")?)?,
        connection: parsed(&id, &text("connection")?)?,
        kind: text("kind")?,
        fields,
        records_left: row.try_get("records_left")?,
        expires: time(row.try_get("expires")?)?,
    })
}
