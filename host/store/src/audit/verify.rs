//! Looking at all of the log: every record's hash, every link, every head, and whether the index tells the same.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use portcullis::CallId;
use portcullis_policy::Digest;

use super::activity::Activity;
use super::chain::{HeadTag, LogKey};
use super::claim::{lock, opening};
use super::error::{AuditError, Fault, Finding};
use super::heads::Kept;
use super::index::{Held, NoteLine};
use super::keys::LogKeys;
use super::lines::Note;
use super::payload::{Payload, Plain, said_call};
use super::row::{self, At, Piece, Pieces};
use super::segment::{self, Found, Position, Stop, scan};
use crate::error::StoreError;

/// The end of a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The lane.
    pub lane: u32,
    /// The number of its last record.
    pub number: u64,
    /// The hash of it, through which all records before it are bound.
    pub tag: HeadTag,
}

impl Head {
    /// Reads what [`Display`](fmt::Display) wrote: `LANE:NUMBER:HASH`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().splitn(3, ':');
        let (lane, number) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let tag: Digest = parts.next()?.parse().ok()?;
        Some(Self {
            lane,
            number,
            tag: HeadTag(*tag.as_bytes()),
        })
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.lane, self.number, self.tag)
    }
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The broken links, in the order of lanes and places. None: the log is whole.
    pub findings: Vec<Finding>,
    /// Bytes after the end of a lane that are no record, as a program leaves them that is ended while it writes one.
    pub unfinished: Vec<(u32, PathBuf, u64)>,
    /// The ends of the lanes.
    pub heads: Vec<Head>,
    /// What happened to the log itself, with the times. What people decided, also as older
    /// logs have it, is none of that: [`Activity::notes`] has it.
    pub notes: Vec<(Timestamp, Note)>,
    /// Segments that were read.
    pub segments: u64,
    /// Records that were read.
    pub records: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// Calls that were told of.
    pub calls: u64,
    /// Whether the index was made anew, since it told otherwise than the log.
    pub index_made_anew: bool,
}

impl Report {
    /// Says whether nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.findings.is_empty()
    }
}

impl Activity {
    /// Looks at all of the log, which must go `through` heads that were written down elsewhere. `so_far` is told the bytes that were read.
    ///
    /// # Errors
    ///
    /// When the store or the index cannot be read; what is wrong with the log is in the report.
    pub async fn verify(
        &self,
        through: &[Head],
        so_far: impl FnMut(u64) + Send + 'static,
    ) -> Result<Report, StoreError> {
        let inner = &self.inner;
        inner.keys.refresh(&inner.store).await?;
        // The files first: a lane that is begun in between is known before it has any.
        let listed = segment::list(&inner.folder)?;
        let (lanes, altered) = self.lanes().await?;
        let (folder, keys) = (inner.folder.clone(), Arc::clone(&inner.keys));
        let through = through.to_vec();
        let work = move || {
            let mut walk = Walk {
                through,
                folder,
                keys,
                report: Report::default(),
                pieces: Pieces::default(),
                so_far,
            };
            walk.report.findings.extend(altered);
            walk.lanes(&listed, &lanes)?;
            walk.unmet();
            Ok::<_, StoreError>((walk.report, walk.pieces, lanes))
        };
        let done = tokio::task::spawn_blocking(work).await;
        let (mut report, pieces, lanes) =
            done.map_err(|error| AuditError::Failed(error.to_string()))??;
        report.calls = pieces
            .calls
            .values()
            .filter(|piece| piece.person.is_some())
            .count() as u64;
        // What cannot be read cannot be compared.
        if report.is_whole() && inner.folder.exists() {
            self.compare(&mut report, pieces, &lanes).await?;
        }
        Ok(report)
    }

    /// Compares the index with the log. One that differs is made anew.
    async fn compare(
        &self,
        report: &mut Report,
        pieces: Pieces,
        lanes: &BTreeMap<u32, Kept>,
    ) -> Result<(), StoreError> {
        let index = self.index().await?;
        index.catch_up(&self.inner.keys, lanes).await?;
        let mut known: HashMap<String, Piece> = index
            .pieces()
            .await?
            .into_iter()
            .filter(|piece| piece.person.is_some())
            .map(|piece| (piece.call.clone(), piece))
            .collect();
        // A call whose program is at work may have gone on meanwhile, or have begun.
        let mut held = Held::new(&self.inner.folder);
        let newest = pieces.calls.keys().max().copied();
        let mut wrong: Vec<(Option<CallId>, u32)> = Vec::new();
        let of_calls = pieces.calls.iter();
        for (call, piece) in of_calls.filter(|(_, piece)| piece.person.is_some()) {
            let is_open = piece.outcome.is_none() || piece.pending > 0;
            match known.remove(&piece.call) {
                Some(found) if found == *piece => {}
                Some(_) if is_open && held.is_held(piece.lane) => {}
                _ => wrong.push((Some(*call), piece.lane)),
            }
        }
        for piece in known.into_values() {
            let call = piece.call.parse::<CallId>().ok();
            if !(call > newest && held.is_held(piece.lane)) {
                wrong.push((call, piece.lane));
            }
        }
        wrong.extend(differing(pieces.notes, index.notes().await?, &mut held));
        wrong.sort_unstable();
        let Some((call, lane)) = wrong.first() else {
            return Ok(());
        };
        report.findings.push(Finding {
            fault: Fault::Index,
            lane: *lane,
            file: self.inner.folder.join("index.db"),
            offset: 0,
            record: None,
            call: *call,
        });
        index.clear().await?;
        index.catch_up(&self.inner.keys, lanes).await?;
        report.index_made_anew = true;
        Ok(())
    }
}

/// Finds a line about no call that the index has otherwise. One that a program at work wrote meanwhile may be there alone.
fn differing(
    mut read: Vec<NoteLine>,
    known: Vec<NoteLine>,
    held: &mut Held<'_>,
) -> Option<(Option<CallId>, u32)> {
    let last = |lane: u32, notes: &[NoteLine]| {
        let of_lane = notes.iter().filter(|note| note.lane == lane);
        of_lane.map(|note| note.number).max().unwrap_or(0)
    };
    let mut is_new =
        |note: &NoteLine| note.number > last(note.lane, &read) && held.is_held(note.lane);
    let mut known: Vec<NoteLine> = known.into_iter().filter(|note| !is_new(note)).collect();
    let place = |note: &NoteLine| (note.lane, note.number);
    read.sort_by_key(place);
    known.sort_by_key(place);
    let mut known = known.into_iter();
    let differs = read
        .into_iter()
        .find(|note| known.next().as_ref() != Some(note));
    let lane = differs
        .map(|note| note.lane)
        .or(known.next().map(|note| note.lane));
    lane.map(|lane| (None, lane))
}

struct Walk<F> {
    folder: PathBuf,
    keys: Arc<LogKeys>,
    report: Report,
    pieces: Pieces,
    /// Heads that are still to be met.
    through: Vec<Head>,
    so_far: F,
}

impl<F: FnMut(u64)> Walk<F> {
    fn lanes(
        &mut self,
        listed: &[(u32, u64)],
        lanes: &BTreeMap<u32, Kept>,
    ) -> Result<(), StoreError> {
        for (lane, kept) in lanes {
            let of_lane = listed.iter().filter(|(of, _)| of == lane);
            let segments: Vec<u64> = of_lane.map(|(_, segment)| *segment).collect();
            self.lane(*lane, kept, &segments)?;
        }
        let mut unknown: Vec<(u32, u64)> = Vec::new();
        for (lane, segment) in listed {
            // One whose head was altered is found already.
            let is_found = lanes.contains_key(lane)
                || self
                    .report
                    .findings
                    .iter()
                    .any(|finding| finding.lane == *lane)
                || unknown.iter().any(|(known, _)| known == lane);
            if !is_found {
                unknown.push((*lane, *segment));
            }
        }
        for (lane, segment) in unknown {
            self.find(Fault::UnknownLane, lane, segment, None, None);
        }
        Ok(())
    }

    fn lane(&mut self, lane: u32, kept: &Kept, segments: &[u64]) -> Result<(), StoreError> {
        let first = kept.base.segment + 1;
        let last = segments.last().copied().unwrap_or(0).max(kept.head.segment);
        if kept.head.number > 0 && !self.folder.exists() {
            self.report.findings.push(Finding {
                fault: Fault::NoFolder,
                lane,
                file: self.folder.clone(),
                offset: 0,
                record: None,
                call: None,
            });
            return Ok(());
        }
        // None: the segment before could not be followed, so that the next is believed by its own hash.
        let mut at = Some(kept.base);
        let mut is_broken = false;
        for segment in first..=last {
            let before = at.take();
            let found = self.report.findings.len();
            at = self.segment(lane, segment, before, kept, segment == last)?;
            is_broken |= self.report.findings.len() > found;
        }
        let end = at.unwrap_or(kept.base);
        if !is_broken && end.number < kept.head.number {
            let fault = Fault::Short {
                ends: end.number,
                had: kept.head.number,
            };
            self.find(fault, lane, end.segment.max(first), Some(&end), None);
        }
        if at.is_some() {
            self.report.heads.push(Head {
                lane,
                number: end.number,
                tag: HeadTag(end.tag),
            });
        }
        Ok(())
    }

    /// Follows a segment to its end; none where that is not reached.
    fn segment(
        &mut self,
        lane: u32,
        segment: u64,
        before: Option<Position>,
        kept: &Kept,
        is_last: bool,
    ) -> Result<Option<Position>, StoreError> {
        let path = segment::path(&self.folder, lane, segment);
        let Some(bytes) = segment::bytes(&path, 0)? else {
            self.find(Fault::NoSegment, lane, segment, None, None);
            return Ok(None);
        };
        self.report.segments += 1;
        let (key, from) = match opening(&bytes, lane, segment, before, &self.keys) {
            Ok((_, key, from)) => (key, from),
            // One that is just being begun, or was when its program was ended.
            Err(_)
                if is_last && segment > kept.head.segment && bytes.len() < segment::HEADER_LEN =>
            {
                let unfinished = (lane, path, bytes.len() as u64);
                self.report.unfinished.push(unfinished);
                return Ok(before);
            }
            Err(fault) => {
                self.find(fault, lane, segment, None, None);
                return Ok(None);
            }
        };
        let (end, stop, last_call) = self.follow(&bytes, lane, &key, from, kept)?;
        let Stop::Bad(fault) = stop else {
            return Ok(Some(end));
        };
        let left = bytes.len() as u64 - end.offset;
        // Past the kept head, a program that was ended may have left a part of a record; one that is at work is just writing it.
        if is_last && end.number >= kept.head.number && fault.may_be_unfinished() {
            if !matches!(lock(&self.folder, lane), Ok(None)) {
                self.report.unfinished.push((lane, path, left));
            }
            return Ok(Some(end));
        }
        let at = usize::try_from(end.offset).unwrap_or(usize::MAX);
        let payload = bytes.get(at.saturating_add(super::frame::HEAD_LEN)..);
        let call = payload.and_then(said_call).or(last_call);
        self.find(fault, lane, segment, Some(&end), call);
        Ok(None)
    }

    /// Follows the records of a segment: where they end and why, and the last call that they are of.
    fn follow(
        &mut self,
        bytes: &[u8],
        lane: u32,
        key: &LogKey,
        from: Position,
        kept: &Kept,
    ) -> Result<(Position, Stop, Option<CallId>), StoreError> {
        let (mut last_call, mut rewritten) = (None, None);
        let (report, pieces) = (&mut self.report, &mut self.pieces);
        let through = &mut self.through;
        let each = |found: Found<'_>| -> Result<(), StoreError> {
            report.records += 1;
            last_call = said_call(found.payload).or(last_call);
            if found.after.number == kept.head.number && found.after != kept.head {
                rewritten.get_or_insert((found.offset, found.after.number - 1));
            }
            let met = HeadTag(found.after.tag);
            through.retain(|head| {
                (head.lane, head.number, head.tag) != (lane, found.after.number, met)
            });
            let payload = Payload::read(found.payload, lane, found.after.number)?;
            let at = At {
                lane,
                segment: from.segment,
                number: found.after.number,
            };
            row::add(pieces, at, &payload);
            if let (Plain::Note(note), Ok(at)) =
                (payload.plain, Timestamp::from_microsecond(payload.at_us))
            {
                report.notes.extend(note.is_of_log().then_some((at, note)));
            }
            Ok(())
        };
        let (end, stop) = scan(bytes, 0, key, lane, from, each)?;
        self.report.bytes += bytes.len() as u64;
        (self.so_far)(self.report.bytes);
        if let Some((offset, number)) = rewritten {
            let at = Position {
                offset,
                number,
                ..end
            };
            let fault = Fault::Rewritten { number: number + 1 };
            self.find(fault, lane, from.segment, Some(&at), last_call);
        }
        Ok((end, stop, last_call))
    }

    /// Finds the heads that the log does not go through.
    fn unmet(&mut self) {
        for head in std::mem::take(&mut self.through) {
            let fault = Fault::Rewritten {
                number: head.number,
            };
            self.find(fault, head.lane, 1, None, None);
        }
    }

    fn find(
        &mut self,
        fault: Fault,
        lane: u32,
        segment: u64,
        at: Option<&Position>,
        call: Option<CallId>,
    ) {
        self.report.findings.push(Finding {
            fault,
            lane,
            file: segment::path(&self.folder, lane, segment),
            offset: at.map_or(0, |at| at.offset),
            record: at.map(|at| at.number + 1),
            call,
        });
    }
}
