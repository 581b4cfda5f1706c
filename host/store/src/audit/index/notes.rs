//! The lines that are about no call: what the log says of itself, and what people decided.

use jiff::Timestamp;
use sqlx::{Row, SqliteConnection};

use super::super::lines::Note;
use crate::error::StoreError;

/// A line that is about no call, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteLine {
    /// The lane.
    pub lane: u32,
    /// Its number in the lane.
    pub number: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What it says.
    pub note: Note,
    pub(in crate::audit) segment: u64,
}

/// Adds lines.
pub(super) async fn put(tx: &mut SqliteConnection, notes: &[NoteLine]) -> Result<(), StoreError> {
    for note in notes {
        let json = serde_json::to_string(&note.note)
            .map_err(|error| StoreError::damaged("index", "new rows", error))?;
        sqlx::query(
            "INSERT OR REPLACE INTO notes (lane, number, segment, at, note) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .bind(note.lane)
        .bind(note.number.cast_signed())
        .bind(note.segment.cast_signed())
        .bind(note.at.as_millisecond())
        .bind(json)
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

/// Lists them in the order of time.
pub(super) async fn all(tx: &mut SqliteConnection) -> Result<Vec<NoteLine>, StoreError> {
    let rows =
        sqlx::query("SELECT lane, number, segment, at, note FROM notes ORDER BY at, lane, number")
            .fetch_all(tx)
            .await?;
    let line = |row: &sqlx::sqlite::SqliteRow| {
        let (number, segment): (i64, i64) = (row.try_get(1)?, row.try_get(2)?);
        let damaged = |error: String| StoreError::damaged("note", &number.to_string(), error);
        let (at, note): (i64, String) = (row.try_get(3)?, row.try_get(4)?);
        Ok(NoteLine {
            lane: row.try_get(0)?,
            number: number.cast_unsigned(),
            segment: segment.cast_unsigned(),
            at: Timestamp::from_millisecond(at).map_err(|error| damaged(error.to_string()))?,
            note: serde_json::from_str(&note).map_err(|error| damaged(error.to_string()))?,
        })
    };
    rows.iter().map(line).collect()
}

/// Gives how far decisions on agents had come, as far as the log says.
pub(super) async fn generation(tx: &mut SqliteConnection) -> Result<Option<i64>, StoreError> {
    let generation = sqlx::query_scalar("SELECT max(note ->> '$.in_force.generation') FROM notes")
        .fetch_one(tx)
        .await?;
    Ok(generation)
}
