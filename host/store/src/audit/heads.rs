//! What the store keeps of the log: where each lane ended when it was last looked at, and where it begins since older segments
//! were removed. Each row carries a keyed hash of its own.

use std::collections::BTreeMap;
use std::path::Path;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::chain::{LogKey, Purpose, TAG_LEN, Tag};
use super::error::{Fault, Finding};
use super::keys::LogKeys;
use super::segment::Position;
use crate::error::StoreError;
use crate::store::Store;

/// What is kept of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// The place before its first segment.
    pub(super) base: Position,
    /// Its end, as far as it was looked at.
    pub(super) head: Position,
    /// Whether whoever wrote it ended in order.
    pub(super) closed: bool,
}

impl Kept {
    pub(super) const NEW: Self = Self {
        base: Position::START,
        head: Position::START,
        closed: true,
    };
}

/// Reads what is kept of all lanes. Rows that were altered are findings.
pub(super) async fn all(
    store: &Store,
    keys: &LogKeys,
    folder: &Path,
) -> Result<(BTreeMap<u32, Kept>, Vec<Finding>), StoreError> {
    let mut tx = store.read().await?;
    let heads = sqlx::query("SELECT * FROM audit_heads ORDER BY lane")
        .fetch_all(&mut *tx)
        .await?;
    let bases = sqlx::query("SELECT * FROM audit_bases ORDER BY lane")
        .fetch_all(&mut *tx)
        .await?;
    let (mut lanes, mut findings) = (BTreeMap::new(), Vec::new());
    let mut altered = |lane: u32| {
        findings.push(Finding {
            fault: Fault::Head,
            lane,
            file: folder.to_owned(),
            offset: 0,
            record: None,
            call: None,
        });
    };
    for row in heads {
        let (lane, head) = position(&row)?;
        let closed = row.try_get::<i64, _>("closed")? != 0;
        match is_whole(&row, keys, Purpose::Head, lane, &head, closed)? {
            true => {
                let kept = Kept {
                    head,
                    closed,
                    ..Kept::NEW
                };
                lanes.insert(lane, kept);
            }
            false => altered(lane),
        }
    }
    for row in bases {
        let (lane, base) = position(&row)?;
        let is_whole = is_whole(&row, keys, Purpose::Base, lane, &base, false)?;
        match lanes.get_mut(&lane).filter(|_| is_whole) {
            Some(kept) => kept.base = base,
            None => altered(lane),
        }
    }
    Ok((lanes, findings))
}

/// Keeps where a lane ends.
pub(super) async fn put_head(
    store: &Store,
    key: &LogKey,
    lane: u32,
    head: &Position,
    closed: bool,
) -> Result<(), StoreError> {
    let mut tx = store.write().await?;
    sqlx::query(
        "INSERT OR REPLACE INTO audit_heads (lane, segment, place, number, tag, closed, key, mac) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )
    .bind(lane)
    .bind(signed(head.segment))
    .bind(signed(head.offset))
    .bind(signed(head.number))
    .bind(head.tag.as_slice())
    .bind(closed)
    .bind(key.id())
    .bind(mac(key, Purpose::Head, lane, head, closed).as_slice())
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

/// Keeps where a lane begins from now on. Of two that remove at once, the further one stays.
pub(super) async fn put_base(
    tx: &mut SqliteConnection,
    key: &LogKey,
    lane: u32,
    base: &Position,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO audit_bases (lane, segment, number, tag, key, mac) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT (lane) DO UPDATE SET segment = excluded.segment, number = excluded.number, tag = excluded.tag, \
             key = excluded.key, mac = excluded.mac \
         WHERE excluded.segment > segment",
    )
    .bind(lane)
    .bind(signed(base.segment))
    .bind(signed(base.number))
    .bind(base.tag.as_slice())
    .bind(key.id())
    .bind(mac(key, Purpose::Base, lane, base, false).as_slice())
    .execute(tx)
    .await?;
    Ok(())
}

fn position(row: &SqliteRow) -> Result<(u32, Position), StoreError> {
    let lane: i64 = row.try_get("lane")?;
    let number = |column: &str| -> Result<u64, StoreError> {
        let number: i64 = row.try_get(column)?;
        Ok(number.cast_unsigned())
    };
    let tag: &[u8] = row.try_get("tag")?;
    let position = Position {
        segment: number("segment")?,
        // Where a base is in its segment does not matter: the segment is gone.
        offset: match row.try_get::<i64, _>("place") {
            Ok(place) => place.cast_unsigned(),
            Err(_) => 0,
        },
        number: number("number")?,
        // One of another length has another hash, so that the row counts as altered.
        tag: tag.try_into().unwrap_or([0xff; TAG_LEN]),
    };
    Ok((u32::try_from(lane).unwrap_or(u32::MAX), position))
}

fn is_whole(
    row: &SqliteRow,
    keys: &LogKeys,
    purpose: Purpose,
    lane: u32,
    position: &Position,
    closed: bool,
) -> Result<bool, StoreError> {
    let kept: &[u8] = row.try_get("mac")?;
    let key = keys.get(row.try_get("key")?);
    Ok(key.is_some_and(|key| mac(&key, purpose, lane, position, closed) == *kept))
}

fn mac(key: &LogKey, purpose: Purpose, lane: u32, position: &Position, closed: bool) -> Tag {
    key.tag(
        purpose,
        &[
            &lane.to_be_bytes(),
            &position.segment.to_be_bytes(),
            &position.offset.to_be_bytes(),
            &position.number.to_be_bytes(),
            &position.tag,
            &[u8::from(closed)],
        ],
    )
}

/// As SQLite keeps it, bit by bit.
pub(super) fn signed(number: u64) -> i64 {
    number.cast_signed()
}
