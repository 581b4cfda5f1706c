//! The form of the index.

use portcullis_policy::Effect;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::super::row::Piece;
use crate::error::StoreError;

/// The form's version: an index of another one is made anew.
pub(super) const VERSION: i64 = 5;

const TABLES: [&str; 10] = [
    "DROP TABLE IF EXISTS calls",
    "DROP TABLE IF EXISTS progress",
    "DROP TABLE IF EXISTS notes",
    "CREATE TABLE calls (
        call TEXT PRIMARY KEY, lane INTEGER NOT NULL, first_segment INTEGER NOT NULL, last_segment INTEGER NOT NULL,
        at INTEGER, person TEXT, agent TEXT, connector TEXT, version TEXT, component TEXT, tool TEXT, effect TEXT,
        mode TEXT, rule TEXT, connection TEXT, outcome TEXT, code TEXT, elapsed_us INTEGER,
        requests INTEGER NOT NULL, changes INTEGER NOT NULL, pending INTEGER NOT NULL, unclear INTEGER NOT NULL,
        denied INTEGER NOT NULL, sources INTEGER NOT NULL, sent_bytes INTEGER NOT NULL, received_bytes INTEGER NOT NULL,
        answer_of TEXT, failed INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID",
    "CREATE TABLE progress (
        lane INTEGER PRIMARY KEY, segment INTEGER NOT NULL, place INTEGER NOT NULL, number INTEGER NOT NULL, tag BLOB NOT NULL
    ) STRICT",
    "CREATE TABLE notes (
        lane INTEGER NOT NULL, number INTEGER NOT NULL, segment INTEGER NOT NULL, at INTEGER NOT NULL, note TEXT NOT NULL,
        PRIMARY KEY (lane, number)
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX calls_by_time ON calls (at, call)",
    "CREATE INDEX calls_by_person ON calls (person, at, call)",
    "CREATE INDEX calls_by_agent ON calls (agent, at, call)",
    "CREATE INDEX calls_by_tool ON calls (tool, at, call)",
];

/// Makes it, empty.
pub(super) async fn make(tx: &mut SqliteConnection) -> Result<(), StoreError> {
    for sql in TABLES {
        sqlx::query(sql).execute(&mut *tx).await?;
    }
    sqlx::query(SET_VERSION).execute(tx).await?;
    Ok(())
}

const SET_VERSION: &str = "PRAGMA user_version = 5";

/// Adds pieces, a JSON array, to the calls that they are of. In their binary form, each is read once, rather than once for each column.
pub(super) const PUT: &str = "
    INSERT INTO calls
    SELECT value ->> 'call', value ->> 'lane', value ->> 'first_segment', value ->> 'last_segment',
        value ->> 'at', value ->> 'person', value ->> 'agent', value ->> 'connector', value ->> 'version',
        value ->> 'component', value ->> 'tool', value ->> 'effect', value ->> 'mode', value ->> 'rule',
        value ->> 'connection', value ->> 'outcome', value ->> 'code', value ->> 'elapsed_us', value ->> 'requests',
        value ->> 'changes', value ->> 'pending', value ->> 'unclear', value ->> 'denied', value ->> 'sources',
        value ->> 'sent_bytes', value ->> 'received_bytes', value ->> 'answer_of', value ->> 'failed'
    FROM jsonb_each(?1) WHERE true
    ON CONFLICT (call) DO UPDATE SET
        last_segment = excluded.last_segment,
        at = ifnull(at, excluded.at), person = ifnull(person, excluded.person), agent = ifnull(agent, excluded.agent),
        connector = ifnull(connector, excluded.connector), version = ifnull(version, excluded.version),
        component = ifnull(component, excluded.component), tool = ifnull(tool, excluded.tool),
        effect = ifnull(effect, excluded.effect), mode = ifnull(mode, excluded.mode), rule = ifnull(rule, excluded.rule),
        connection = ifnull(connection, excluded.connection), outcome = ifnull(outcome, excluded.outcome),
        code = ifnull(code, excluded.code), elapsed_us = ifnull(elapsed_us, excluded.elapsed_us),
        requests = requests + excluded.requests, changes = changes + excluded.changes,
        pending = pending + excluded.pending, unclear = unclear + excluded.unclear,
        denied = denied + excluded.denied, sources = sources + excluded.sources,
        sent_bytes = sent_bytes + excluded.sent_bytes, received_bytes = received_bytes + excluded.received_bytes,
        answer_of = ifnull(answer_of, excluded.answer_of), failed = failed + excluded.failed";

/// Reads a row, in the order of the table's columns: by their names it takes several times as long.
pub(super) fn piece(row: &SqliteRow) -> Result<Piece, StoreError> {
    let number = |column: usize| -> Result<u64, sqlx::Error> {
        let number: i64 = row.try_get(column)?;
        Ok(number.cast_unsigned())
    };
    let effect: Option<&str> = row.try_get(11)?;
    let effects = [Effect::Read, Effect::Write, Effect::Destructive];
    let elapsed: Option<i64> = row.try_get(17)?;
    Ok(Piece {
        call: row.try_get(0)?,
        lane: u32::try_from(number(1)?).unwrap_or(u32::MAX),
        first_segment: number(2)?,
        last_segment: number(3)?,
        at: row.try_get(4)?,
        person: row.try_get(5)?,
        agent: row.try_get(6)?,
        connector: row.try_get(7)?,
        version: row.try_get(8)?,
        component: row.try_get(9)?,
        tool: row.try_get(10)?,
        effect: effect.map(|text| {
            let known = effects.into_iter().map(Effect::as_str);
            known
                .into_iter()
                .find(|known| *known == text)
                .unwrap_or("altered")
        }),
        mode: row.try_get(12)?,
        rule: row.try_get(13)?,
        connection: row.try_get(14)?,
        outcome: row.try_get(15)?,
        code: row.try_get(16)?,
        elapsed_us: elapsed.map(i64::cast_unsigned),
        requests: row.try_get(18)?,
        changes: row.try_get(19)?,
        pending: row.try_get(20)?,
        unclear: number(21)?,
        denied: number(22)?,
        sources: number(23)?,
        sent_bytes: row.try_get(24)?,
        received_bytes: number(25)?,
        answer_of: row.try_get(26)?,
        failed: number(27)?,
    })
}
