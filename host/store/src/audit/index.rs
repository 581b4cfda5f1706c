//! The index: a row a call, made from the log, to answer questions by. It has nothing that the log does not have, and is made anew where
//! it is missing or of another form.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, QueryBuilder, Row, Sqlite, SqliteConnection, Transaction};

use super::claim::lock;
use super::error::{AuditError, Finding};
use super::filter::Filter;
use super::heads::{Kept, signed};
use super::keys::LogKeys;
use super::row::{self, CallRow, Piece, Pieces};
use super::segment::{self, Position};
use crate::database::{OPEN_PAUSE, OPEN_TRIES, TURNS_MAX, comes_back, is_busy};
use crate::error::StoreError;
use crate::private;

mod notes;
mod part;
mod schema;

pub use notes::NoteLine;

use part::Then;

/// The name of the index's file.
const FILE_NAME: &str = "index.db";

/// Rows that are put in at a time.
const BATCH_ROWS: usize = 500;

/// How long a process waits for another one that fills the index.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// The index's file, open.
pub(super) struct Index {
    folder: PathBuf,
    pool: SqlitePool,
}

impl Index {
    /// Opens it; it is made where it is missing.
    pub(super) async fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE_NAME);
        private::file(&path)?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(false)
            .busy_timeout(BUSY_TIMEOUT)
            .journal_mode(SqliteJournalMode::Wal)
            // What is lost of it is made anew.
            .synchronous(SqliteSynchronous::Off)
            .pragma("trusted_schema", "OFF")
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new()
            .test_before_acquire(false)
            .max_connections(2)
            .connect_lazy_with(options);
        let index = Self {
            folder: folder.to_owned(),
            pool,
        };
        let mut tries = 0;
        loop {
            match index.prepare().await {
                Ok(()) => return Ok(index),
                // While another process makes it, SQLite does not wait.
                Err(StoreError::Database(error)) if is_busy(&error) && tries < OPEN_TRIES => {
                    tries += 1;
                    tokio::time::sleep(OPEN_PAUSE).await;
                }
                // A file that is damaged is none: what it had is in the log.
                Err(StoreError::Database(error)) if is_damaged(&error) => {
                    index.pool.close().await;
                    for suffix in ["", "-wal", "-shm"] {
                        let file = folder.join(format!("{FILE_NAME}{suffix}"));
                        if file.exists() {
                            std::fs::remove_file(&file)
                                .map_err(AuditError::file(&file, "removed"))?;
                        }
                    }
                    return Box::pin(Self::open(folder)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Begins a transaction that writes.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        comes_back(&self.pool, TURNS_MAX).await;
        self.pool.begin_with("BEGIN IMMEDIATE").await
    }

    /// Takes a connection to read by.
    async fn connection(&self) -> Result<PoolConnection<Sqlite>, sqlx::Error> {
        comes_back(&self.pool, TURNS_MAX).await;
        self.pool.acquire().await
    }

    async fn prepare(&self) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let version: i64 = sqlx::query_scalar("PRAGMA user_version")
            .fetch_one(&mut *tx)
            .await?;
        if version != schema::VERSION {
            schema::make(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Takes over what was written since the last time. Gives what it could not read past, if anything.
    pub(super) async fn catch_up(
        &self,
        keys: &Arc<LogKeys>,
        lanes: &BTreeMap<u32, Kept>,
    ) -> Result<Option<Finding>, StoreError> {
        let segments = segment::list(&self.folder)?;
        let mut stopped = None;
        for (&lane, kept) in lanes {
            let of_lane = || segments.iter().filter(|(of, _)| *of == lane);
            let last = of_lane().map(|(_, segment)| *segment).max();
            let Some(last) = last else { continue };
            loop {
                // Each part in a transaction of its own, so that nobody waits for all.
                let mut tx = self.begin().await?;
                let from = progress(&mut tx, lane, kept).await?;
                // Where there is but one thread, calls go on meanwhile.
                let (folder, keys) = (self.folder.clone(), Arc::clone(keys));
                let read = move || part::read_on(&folder, &keys, lane, from, last);
                let read = tokio::task::spawn_blocking(read).await;
                let read = read.map_err(|error| AuditError::Failed(error.to_string()))??;
                if read.at != from {
                    put(&mut tx, read.pieces).await?;
                    set_progress(&mut tx, lane, &read.at).await?;
                    tx.commit().await?;
                }
                match read.then {
                    Then::More => {}
                    Then::Nothing => break,
                    Then::Bad(finding) => {
                        stopped = stopped.or(Some(*finding));
                        break;
                    }
                }
            }
        }
        Ok(stopped)
    }

    /// Lists calls.
    pub(super) async fn calls(&self, filter: &Filter) -> Result<Vec<CallRow>, StoreError> {
        let mut held = Held::new(&self.folder);
        let mut calls = Vec::new();
        let mut asked = filter.clone();
        let limit = filter.limit.map_or(usize::MAX, |limit| limit as usize);
        // Whether a call still runs is not in the index, so that some that were found may be left out.
        loop {
            let page = u32::try_from(limit.clamp(100, 10_000)).unwrap_or(u32::MAX);
            let mut query = QueryBuilder::new("SELECT * FROM calls");
            asked.write(&mut query);
            query.push(" LIMIT ");
            query.push_bind(page);
            let rows = query.build().fetch_all(&self.pool).await?;
            for row in &rows {
                let call = of_row(row, &mut held)?;
                asked.after = Some((call.at, call.id));
                if filter.admits(&call) && calls.len() < limit {
                    calls.push(call);
                }
            }
            if calls.len() == limit || rows.len() < page as usize {
                return Ok(calls);
            }
        }
    }

    /// Finds calls whose ids begin so: two at most.
    pub(super) async fn find(&self, prefix: &str) -> Result<Vec<CallRow>, StoreError> {
        // After all hexadecimal digits comes `g`.
        let rows = sqlx::query(
            "SELECT * FROM calls WHERE call >= ?1 AND call < ?1 || 'g' AND person IS NOT NULL LIMIT 2",
        )
        .bind(prefix)
        .fetch_all(&self.pool)
        .await?;
        let mut held = Held::new(&self.folder);
        rows.iter().map(|row| of_row(row, &mut held)).collect()
    }

    /// Gives what the index says of every call, to be compared.
    pub(super) async fn pieces(&self) -> Result<Vec<Piece>, StoreError> {
        let rows = sqlx::query("SELECT * FROM calls")
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(schema::piece).collect()
    }

    /// Lists the lines that are about no call, in the order of time.
    pub(super) async fn notes(&self) -> Result<Vec<NoteLine>, StoreError> {
        let mut tx = self.connection().await?;
        notes::all(&mut tx).await
    }

    /// Gives how far decisions on agents had come, as far as the log says.
    pub(super) async fn generation(&self) -> Result<Option<i64>, StoreError> {
        let mut tx = self.connection().await?;
        notes::generation(&mut tx).await
    }

    /// Makes it anew from the beginning of the log.
    pub(super) async fn clear(&self) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        schema::make(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Forgets the calls that began in segments that are gone.
    pub(super) async fn forget(&self, lane: u32, base: u64) -> Result<(), StoreError> {
        for sql in [
            "DELETE FROM calls WHERE lane = ?1 AND first_segment <= ?2",
            "DELETE FROM notes WHERE lane = ?1 AND segment <= ?2",
        ] {
            sqlx::query(sql)
                .bind(lane)
                .bind(signed(base))
                .execute(&self.pool)
                .await?;
        }
        Ok(())
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").finish_non_exhaustive()
    }
}

/// Says whether a file is no database, or a broken one (`SQLITE_CORRUPT`, `SQLITE_NOTADB`).
fn is_damaged(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.and_then(|code| code.parse::<u32>().ok())
        .is_some_and(|code| [11, 26].contains(&(code & 0xff)))
}

/// How far a lane is taken over.
async fn progress(
    tx: &mut SqliteConnection,
    lane: u32,
    kept: &Kept,
) -> Result<Position, StoreError> {
    let row = sqlx::query("SELECT segment, place, number, tag FROM progress WHERE lane = ?1")
        .bind(lane)
        .fetch_optional(tx)
        .await?;
    let base = Position {
        offset: 0,
        ..kept.base
    };
    let Some(row) = row else {
        return Ok(base);
    };
    let number = |column: &str| -> Result<u64, sqlx::Error> {
        let number: i64 = row.try_get(column)?;
        Ok(number.cast_unsigned())
    };
    let tag: &[u8] = row.try_get("tag")?;
    let at = Position {
        segment: number("segment")?,
        offset: number("place")?,
        number: number("number")?,
        tag: tag.try_into().unwrap_or(super::chain::NO_TAG),
    };
    // What was removed need not be read, and can not be read on from its end.
    Ok(match at.segment <= base.segment {
        true => base,
        false => at,
    })
}

async fn set_progress(
    tx: &mut SqliteConnection,
    lane: u32,
    at: &Position,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT OR REPLACE INTO progress (lane, segment, place, number, tag) VALUES (?1, ?2, ?3, ?4, ?5)",
    )
    .bind(lane)
    .bind(signed(at.segment))
    .bind(signed(at.offset))
    .bind(signed(at.number))
    .bind(at.tag.as_slice())
    .execute(tx)
    .await?;
    Ok(())
}

/// Adds pieces to their calls.
async fn put(tx: &mut SqliteConnection, pieces: Pieces) -> Result<(), StoreError> {
    notes::put(tx, &pieces.notes).await?;
    let pieces: Vec<Piece> = pieces.calls.into_values().collect();
    for batch in pieces.chunks(BATCH_ROWS) {
        // One statement for many rows: a statement costs more than a row.
        let json = serde_json::to_string(batch)
            .map_err(|error| StoreError::damaged("index", "new rows", error))?;
        sqlx::query(schema::PUT)
            .bind(json)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

/// Which lanes are held by a process, each looked at once.
pub(super) struct Held<'a> {
    folder: &'a Path,
    held: HashSet<u32>,
    free: HashSet<u32>,
}

impl<'a> Held<'a> {
    pub(super) fn new(folder: &'a Path) -> Self {
        Self {
            folder,
            held: HashSet::new(),
            free: HashSet::new(),
        }
    }

    pub(super) fn is_held(&mut self, lane: u32) -> bool {
        if !self.held.contains(&lane) && !self.free.contains(&lane) {
            // A lock that is taken to look is let go at once.
            let is_free = lock(self.folder, lane).is_ok_and(|lock| lock.is_some());
            if is_free {
                &mut self.free
            } else {
                &mut self.held
            }
            .insert(lane);
        }
        self.held.contains(&lane)
    }
}

fn of_row(row: &SqliteRow, held: &mut Held<'_>) -> Result<CallRow, StoreError> {
    let piece = schema::piece(row)?;
    let damaged = |what: &'static str| StoreError::damaged(what, &piece.call, "it is missing");
    let is_held = piece.outcome.is_none() && held.is_held(piece.lane);
    Ok(CallRow {
        id: piece
            .call
            .parse()
            .map_err(|error| StoreError::damaged("call", &piece.call, error))?,
        at: Timestamp::from_millisecond(piece.at.unwrap_or_default())
            .map_err(|error| StoreError::damaged("time", &piece.call, error))?,
        ended: row::ended(&piece, is_held),
        person: piece.person.ok_or_else(|| damaged("person"))?,
        agent: piece.agent.ok_or_else(|| damaged("agent"))?,
        connector: piece.connector.ok_or_else(|| damaged("connector"))?,
        version: piece.version,
        component: piece.component,
        tool: piece.tool,
        effect: piece.effect.map(str::to_owned),
        mode: piece.mode,
        rule: piece.rule,
        connection: piece.connection,
        code: piece.code,
        elapsed_us: piece.elapsed_us,
        requests: u64::try_from(piece.requests).unwrap_or_default(),
        changes: u64::try_from(piece.changes).unwrap_or_default(),
        denied: piece.denied,
        sources: piece.sources,
        sent_bytes: u64::try_from(piece.sent_bytes).unwrap_or_default(),
        received_bytes: piece.received_bytes,
        answer_of: piece.answer_of,
        lane: piece.lane,
        first_segment: piece.first_segment,
        last_segment: piece.last_segment,
    })
}
