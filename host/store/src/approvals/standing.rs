//! Standing approvals: a rule that a person makes for the next few records of the same kind, so that ten alike changes are not ten questions.
//!
//! It names the tool, what is done to which kind, the fields, of which one may have fewer, and the account, covers ten records and an hour at most, and never what cannot be undone.
//! All else that a request consists of, but for the record and the values, is as in the one that the person saw: the connector's version, the
//! route, the headers, and where the fields stand. A request that the host could not check to the last field is not covered: the person saw one like it, and only the
//! connector says that this is alike. How many records are left is no number in its row, which could be put back: those that are used stand in the
//! list of uses.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use portcullis::ApprovalId;
use portcullis::ports::approvals::HeldRequest;
use portcullis_policy::{AgentId, ConnectionId, ConnectorName, Effect, PersonId, ToolName};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::uses::{Of, Uses};
use super::{Approval, Held, parsed};
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
    /// What is done, as the connector says.
    pub action: String,
    /// The kind of record.
    pub kind: String,
    /// The fields that may change.
    pub fields: Vec<String>,
    /// Records that may still pass.
    pub records_left: u32,
    /// Until when.
    pub expires: Timestamp,
}

/// The question that a rule is made of.
pub(super) struct Seen<'a> {
    pub(super) approval: &'a Approval,
    pub(super) held: &'a Held,
}

/// Makes a rule of a question.
pub(super) async fn make(
    store: &Store,
    tx: &mut SqliteConnection,
    uses: &Uses,
    seen: &Seen<'_>,
    wanted: Standing,
    now: i64,
) -> Result<StandingApproval, StoreError> {
    let rule = rule(seen, wanted, now)?;
    let approval = seen.approval;
    let Some(alike) = seen.held.alike else {
        return Err(StoreError::NoStanding(
            "it was asked before this program was updated: have the agent ask again",
        ));
    };
    let (id, expires) = (rule.id.to_string(), rule.expires.as_millisecond());
    let fields = serde_json::json!(rule.fields).to_string();
    let (alike, records) = (alike.to_string(), rule.records_left.to_string());
    let row = [
        &id,
        approval.person.as_str(),
        rule.agent.as_str(),
        rule.connector.as_str(),
        rule.tool.as_str(),
        rule.connection.as_str(),
        &rule.action,
        &rule.kind,
        &fields,
        &alike,
        &records,
    ];
    let sealed = uses.grant(store, tx, place(&row), expires).await?;
    sqlx::query(
        "INSERT INTO standing_approvals (id, person, agent, connector, tool, connection, action, kind, fields, alike, \
         records, created, expires, granted, granted_key) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )
    .bind(&id)
    .bind(approval.person.as_str())
    .bind(rule.agent.as_str())
    .bind(rule.connector.as_str())
    .bind(rule.tool.as_str())
    .bind(rule.connection.as_str())
    .bind(&rule.action)
    .bind(&rule.kind)
    .bind(&fields)
    .bind(&alike)
    .bind(rule.records_left)
    .bind(now)
    .bind(expires)
    .bind(sealed.bytes)
    .bind(sealed.key)
    .execute(tx)
    .await?;
    Ok(rule)
}

/// Says what a rule covers that is made of a question, if one may be.
fn rule(seen: &Seen<'_>, wanted: Standing, now: i64) -> Result<StandingApproval, StoreError> {
    let Seen { approval, held } = seen;
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
    let done = changes.iter().map(|change| (&change.action, &change.kind));
    let done: BTreeSet<_> = done.collect();
    let [(action, kind)] = Vec::from_iter(done)[..] else {
        return no("it names one kind of record and what is done to it, and this changes several");
    };
    if !held.is_whole {
        return no("the host cannot see all of this change in the request");
    }
    let fields = changes.iter().flat_map(|change| &change.fields);
    let fields: BTreeSet<&String> = fields.map(|field| &field.name).collect();
    if fields.is_empty() {
        return no("it names the fields that may change, and this names none");
    }
    Ok(StandingApproval {
        id: ApprovalId::random(SystemTime::now()).map_err(|_| StoreError::Randomness)?,
        agent: approval.agent.clone(),
        connector: approval.connector.clone(),
        tool: approval.tool.clone(),
        connection: approval.connection.clone(),
        action: action.clone(),
        kind: kind.clone(),
        fields: fields.into_iter().cloned().collect(),
        records_left: wanted.records,
        expires: time(expiry(now, wanted.lasts))?,
    })
}

/// Finds the rules that may let a request pass, as far as that shows without what was used of them.
pub(super) async fn alike(
    tx: &mut SqliteConnection,
    request: &HeldRequest,
    now: i64,
) -> Result<Vec<SqliteRow>, StoreError> {
    let changes = &request.card.changes;
    if request.effect != Effect::Write || !request.is_whole || changes.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(
        "SELECT * FROM standing_approvals WHERE person = ?1 AND agent = ?2 AND connector = ?3 AND tool = ?4 \
         AND connection = ?5 AND alike = ?6 AND expires > ?7 ORDER BY expires",
    )
    .bind(request.caller.person.as_str())
    .bind(request.caller.agent.as_str())
    .bind(request.connector.as_str())
    .bind(request.tool.as_str())
    .bind(request.connection.as_str())
    .bind(request.alike.to_string())
    .bind(now)
    .fetch_all(tx)
    .await?;
    Ok(rows)
}

/// Lets a request pass by one of some rules, and counts its records.
pub(super) async fn use_up(
    store: &Store,
    tx: &mut SqliteConnection,
    uses: &mut Uses,
    rules: &[SqliteRow],
    request: &HeldRequest,
) -> Result<Option<ApprovalId>, StoreError> {
    let changes = &request.card.changes;
    for row in rules {
        let rule = standing(row, uses)?;
        let covers = changes.iter().all(|change| {
            let mut fields = change.fields.iter();
            (&change.action, &change.kind) == (&rule.action, &rule.kind)
                && !change.fields.is_empty()
                && fields.all(|field| rule.fields.contains(&field.name))
        });
        if covers && changes.len() <= usize::try_from(rule.records_left).unwrap_or(0) {
            granted(store, tx, uses, row).await?;
            let of = Of {
                id: rule.id,
                is_standing: true,
                until: rule.expires.as_millisecond(),
            };
            uses.add(store, tx, of, request).await?;
            return Ok(Some(rule.id));
        }
    }
    Ok(None)
}

pub(super) async fn of_person(
    store: &Store,
    tx: &mut SqliteConnection,
    person: &PersonId,
) -> Result<Vec<StandingApproval>, StoreError> {
    let Some(uses) = Uses::find(store, tx).await? else {
        return Ok(Vec::new());
    };
    let rows = sqlx::query(
        "SELECT * FROM standing_approvals WHERE person = ?1 AND expires > ?2 ORDER BY expires",
    )
    .bind(person.as_str())
    .bind(store.now())
    .fetch_all(tx)
    .await?;
    let rules = rows.iter().map(|row| standing(row, &uses));
    let is_left = |rule: &Result<StandingApproval, StoreError>| {
        rule.as_ref().map_or(true, |rule| rule.records_left > 0)
    };
    rules.filter(is_left).collect()
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
    uses: &Uses,
    row: &SqliteRow,
) -> Result<(), StoreError> {
    let records = row.try_get::<i64, _>("records")?.to_string();
    let mut parts: Vec<&str> = Vec::new();
    for column in [
        "id",
        "person",
        "agent",
        "connector",
        "tool",
        "connection",
        "action",
        "kind",
        "fields",
        "alike",
    ] {
        parts.push(row.try_get(column)?);
    }
    parts.push(&records);
    uses.require_granted(store, tx, place(&parts), row).await
}

fn standing(row: &SqliteRow, uses: &Uses) -> Result<StandingApproval, StoreError> {
    let text = |column: &str| row.try_get::<String, _>(column);
    let of = text("id")?;
    let fields = serde_json::from_str(&text("fields")?)
        .map_err(|error| StoreError::damaged("fields", &of, error))?;
    let (id, records): (ApprovalId, u32) = (parsed(&of, &of)?, row.try_get("records")?);
    Ok(StandingApproval {
        id,
        agent: parsed(&of, &text("agent")?)?,
        connector: parsed(&of, &text("connector")?)?,
        tool: parsed(&of, &text("tool")?)?,
        connection: parsed(&of, &text("connection")?)?,
        action: text("action")?,
        kind: text("kind")?,
        fields,
        records_left: records.saturating_sub(uses.records_of(id).unwrap_or(0)),
        expires: time(row.try_get("expires")?)?,
    })
}
