//! A part of a lane, as it is read to be taken over into the index.

use std::path::Path;

use super::super::claim::opening;
use super::super::error::{AuditError, Finding};
use super::super::keys::LogKeys;
use super::super::payload::Payload;
use super::super::row::{self, At, Pieces};
use super::super::segment::{self, Position, Stop, scan};
use crate::error::StoreError;

/// Bytes of the log that are taken over at a time. Memory of megabytes, once it was used, stays with a server that is busy.
const PART_BYTES: u64 = 512 << 10;

/// Bytes of a record's length, with which it begins.
const LENGTH_BYTES: u64 = 4;

/// What was read of a lane.
pub(super) struct TakenOver {
    /// Where it ends.
    pub(super) at: Position,
    pub(super) pieces: Pieces,
    pub(super) then: Then,
}

/// What follows what was read.
pub(super) enum Then {
    /// There may be more.
    More,
    /// Nothing, or what is just being written.
    Nothing,
    /// What cannot be read past.
    Bad(Box<Finding>),
}

/// Reads a part of the rest of one segment, or of the next where there is none.
pub(super) fn read_on(
    folder: &Path,
    keys: &LogKeys,
    lane: u32,
    from: Position,
    last: u64,
) -> Result<TakenOver, StoreError> {
    let mut pieces = Pieces::default();
    let is_fresh = from.offset == 0;
    let number = if is_fresh {
        from.segment + 1
    } else {
        from.segment
    };
    let path = segment::path(folder, lane, number);
    let bad = |fault, at: &Position| {
        Then::Bad(Box::new(Finding {
            fault,
            lane,
            file: path.clone(),
            offset: at.offset,
            record: Some(at.number + 1),
            call: None,
        }))
    };
    let unread = |then| TakenOver {
        at: from,
        pieces: Pieces::default(),
        then,
    };
    if number > last {
        return Ok(unread(Then::Nothing));
    }
    let head = segment::head(&path)?.unwrap_or_default();
    let (_, key, first) = match opening(&head, lane, number, is_fresh.then_some(from), keys) {
        Ok(opened) => opened,
        // It is just being begun.
        Err(_) if number == last => return Ok(unread(Then::Nothing)),
        Err(fault) => return Ok(unread(bad(fault, &from))),
    };
    let mut at = if is_fresh { first } else { from };
    let mut length = PART_BYTES;
    let (stop, is_rest) = loop {
        let bytes = segment::part(&path, at.offset, length)?.unwrap_or_default();
        let each = |found: segment::Found<'_>| -> Result<(), AuditError> {
            let payload = Payload::read(found.payload, lane, found.after.number)?;
            let at = At {
                lane,
                segment: number,
                number: found.after.number,
            };
            row::add(&mut pieces, at, &payload);
            Ok(())
        };
        let (end, stop) = scan(&bytes, at.offset, &key, lane, at, each)?;
        let read = bytes.len() as u64;
        let left = read - (end.offset - at.offset);
        // Where the lane ends, zeros stand for records to come. Fewer could be the first bytes of a length.
        let is_end = number == last && stop == Stop::End && left >= LENGTH_BYTES;
        let is_rest = read < length || is_end;
        // A record that is longer than the part.
        let is_cut = !is_rest && end == at;
        at = end;
        match is_cut {
            true => length = length.saturating_mul(4),
            false => break (stop, is_rest),
        }
    };
    let then = match stop {
        _ if !is_rest => Then::More,
        // Another process may be writing there.
        _ if number == last => Then::Nothing,
        Stop::Bad(fault) => bad(fault, &at),
        // The next one follows here.
        Stop::End => {
            at.offset = 0;
            Then::More
        }
    };
    Ok(TakenOver { at, pieces, then })
}
