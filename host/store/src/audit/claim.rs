//! Taking a lane over: its end is read, compared with the head that the store keeps, and what was left in the middle is written down.
//!
//! A process that ends in the middle of a record leaves part of it after the kept head, in the last segment: that is cut off, and said.
//! What the kept head covers must be there as it was.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use portcullis::CallId;
use portcullis::ports::audit::{Event, Record};
use portcullis_policy::{AgentId, ConnectorName, Effect, PersonId, ToolCall, ToolName};

use super::chain::LogKey;
use super::error::{AuditError, Fault, Finding};
use super::heads::Kept;
use super::keys::LogKeys;
use super::payload::{Payload, Plain, said_call};
use super::row::{changed_nothing, is_failure};
use super::segment::{self, HEADER_LEN, Header, Position, Stop, scan};
use crate::error::StoreError;
use crate::private;

/// How far back a lane that was not closed is searched for calls without an end: ten times what a call may take.
const LOOK_BACK_MS: i64 = 10 * 60 * 1_000;

/// A call that was under way when the program that ran it was ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutOff {
    /// The call.
    pub call: CallId,
    /// For whom.
    pub person: PersonId,
    /// By whom.
    pub agent: AgentId,
    /// Of which connector.
    pub connector: ConnectorName,
    /// Of which tool; none: it was asked who is signed in.
    pub tool: Option<ToolName>,
    /// Its changes that were sent and whose outcome is not known, by their numbers.
    pub unclear: Vec<u32>,
    /// Its changes that the service took, by their numbers: the agent had no answer about them.
    pub made: Vec<u32>,
    /// The call that finds out whether a change was made.
    pub finds_out: Option<ToolCall>,
}

/// The end of a lane that nobody holds.
#[derive(Debug)]
pub(super) struct Recovered {
    pub(super) at: Position,
    /// The segment that it is in; none where there is none yet.
    pub(super) header: Option<Header>,
    /// Bytes of a record that was not finished.
    pub(super) torn: u64,
    pub(super) cut_off: Vec<CutOff>,
}

/// Takes a lane's lock; none where another process holds it.
pub(super) fn lock(folder: &Path, lane: u32) -> Result<Option<File>, AuditError> {
    let path = lock_path(folder, lane);
    let file = match private::create(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => File::options()
            .write(true)
            .open(&path)
            .map_err(AuditError::file(&path, "opened"))?,
        Err(error) => return Err(AuditError::file(&path, "made")(error)),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(AuditError::file(&path, "locked")(error)),
    }
}

fn lock_path(folder: &Path, lane: u32) -> PathBuf {
    folder.join(format!("{lane:03}.lock"))
}

/// Reads the end of a lane whose lock is held.
///
/// # Errors
///
/// [`AuditError::Broken`] where it is not as it was left.
pub(super) fn recover(
    folder: &Path,
    lane: u32,
    keys: &LogKeys,
    kept: &Kept,
) -> Result<Recovered, StoreError> {
    let mut segments: Vec<u64> = segment::list(folder)?
        .into_iter()
        .filter(|(of, segment)| *of == lane && *segment > kept.base.segment)
        .map(|(_, segment)| segment)
        .collect();
    drop_unfinished(folder, lane, kept, &mut segments)?;
    require_all(folder, lane, kept, &segments)?;
    let Some(&last) = segments.last() else {
        return Ok(Recovered {
            at: kept.base,
            header: None,
            torn: 0,
            cut_off: Vec::new(),
        });
    };
    let kept = &Kept {
        closed: kept.closed && is_as_closed(folder, lane, kept, last)?,
        ..*kept
    };
    let new = || Reading {
        folder,
        lane,
        keys,
        kept,
        calls: HashMap::new(),
        unopened: HashSet::new(),
    };
    let first = first_to_read(folder, lane, kept, &segments)?;
    let mut reading = new();
    let mut read = reading.through(first, last)?;
    // A call may have waited for a person, for as long as that took, before it sent anything.
    let begun = kept.base.segment + 1;
    if !reading.unopened.is_empty() && first > begun {
        reading = new();
        read = reading.through(begun, last)?;
    }
    let (at, header, torn) = read;
    if at.number < kept.head.number {
        return Err(reading.short(&at).into());
    }
    if torn > 0 {
        let path = segment::path(folder, lane, last);
        File::options()
            .write(true)
            .open(&path)
            .and_then(|file| file.set_len(at.offset))
            .map_err(AuditError::file(&path, "mended"))?;
    }
    Ok(Recovered {
        at,
        header,
        torn,
        cut_off: reading.cut_off(),
    })
}

/// Says whether nothing was written since the lane was closed: whoever writes makes the file longer first.
fn is_as_closed(folder: &Path, lane: u32, kept: &Kept, last: u64) -> Result<bool, AuditError> {
    let path = segment::path(folder, lane, last);
    let metadata = std::fs::metadata(&path).map_err(AuditError::file(&path, "read"))?;
    Ok(last == kept.head.segment && metadata.len() == kept.head.offset)
}

/// Removes a last segment that was begun and never got its header: nothing was written after it.
fn drop_unfinished(
    folder: &Path,
    lane: u32,
    kept: &Kept,
    segments: &mut Vec<u64>,
) -> Result<(), AuditError> {
    let Some(&last) = segments.last() else {
        return Ok(());
    };
    let path = segment::path(folder, lane, last);
    let length = std::fs::metadata(&path).map_err(AuditError::file(&path, "read"))?;
    if last > kept.head.segment && length.len() < HEADER_LEN as u64 {
        std::fs::remove_file(&path).map_err(AuditError::file(&path, "removed"))?;
        segments.pop();
    }
    Ok(())
}

/// Refuses where a segment is missing.
fn require_all(folder: &Path, lane: u32, kept: &Kept, segments: &[u64]) -> Result<(), AuditError> {
    let last = segments.last().copied().unwrap_or(0).max(kept.head.segment);
    let missing = (kept.base.segment + 1..=last).find(|segment| !segments.contains(segment));
    match missing {
        None => Ok(()),
        Some(segment) => Err(Finding {
            fault: Fault::NoSegment,
            lane,
            file: segment::path(folder, lane, segment),
            offset: 0,
            record: None,
            call: None,
        }
        .into()),
    }
}

/// The segment of the head, or an earlier one where calls may have been under way since.
fn first_to_read(
    folder: &Path,
    lane: u32,
    kept: &Kept,
    segments: &[u64],
) -> Result<u64, AuditError> {
    let of_head = kept.head.segment.max(kept.base.segment + 1);
    if kept.closed {
        return Ok(of_head);
    }
    let begun = |segment: u64| -> Result<i64, AuditError> {
        let path = segment::path(folder, lane, segment);
        let bytes = segment::head(&path)?.unwrap_or_default();
        Ok(Header::read(&bytes).map_or(0, |(header, _)| header.begun_ms))
    };
    let last = segments.last().copied().unwrap_or(of_head);
    let since = begun(last)? - LOOK_BACK_MS;
    let mut first = of_head;
    while first > kept.base.segment + 1 && begun(first)? > since {
        first -= 1;
    }
    Ok(first)
}

/// What is known of a call while a lane is read.
struct Open {
    about: CutOff,
    /// Changes that the service failed over: a call without an end did not come to look what had become of them.
    failed: Vec<u32>,
    is_closed: bool,
}

struct Reading<'a> {
    folder: &'a Path,
    lane: u32,
    keys: &'a LogKeys,
    kept: &'a Kept,
    calls: HashMap<CallId, Open>,
    /// Changes without an outcome whose calls were opened before what is read, by their calls and numbers.
    unopened: HashSet<(CallId, u32)>,
}

impl Reading<'_> {
    /// Reads some segments up to the last: the place at its end, its header, and bytes after it that are no record.
    fn through(
        &mut self,
        first: u64,
        last: u64,
    ) -> Result<(Position, Option<Header>, u64), StoreError> {
        let (mut at, mut header, mut torn) = (None, None, 0);
        for segment in first..=last {
            let read = self.segment(segment, at, segment == last)?;
            (at, header, torn) = (Some(read.0), Some(read.1), read.2);
        }
        Ok((at.unwrap_or(self.kept.base), header, torn))
    }

    /// Reads one segment: the place at its end, its header, and bytes after it that are no record.
    fn segment(
        &mut self,
        segment: u64,
        before: Option<Position>,
        is_last: bool,
    ) -> Result<(Position, Header, u64), StoreError> {
        let (lane, kept) = (self.lane, self.kept);
        let path = segment::path(self.folder, lane, segment);
        let finding = |fault, offset, record, call| Finding {
            fault,
            lane,
            file: path.clone(),
            offset,
            record,
            call,
        };
        let bytes = segment::bytes(&path, 0)?;
        let bytes =
            bytes.ok_or_else(|| AuditError::from(finding(Fault::NoSegment, 0, None, None)))?;
        let (header, key, from) = opening(&bytes, lane, segment, before, self.keys)
            .map_err(|fault| AuditError::from(finding(fault, 0, None, None)))?;
        let mut last_call = None;
        let mut rewritten = None;
        let reads_calls = !kept.closed;
        let head = kept.head;
        let (calls, unopened) = (&mut self.calls, &mut self.unopened);
        let (at, stop) = scan(
            &bytes,
            0,
            &key,
            lane,
            from,
            |found| -> Result<(), StoreError> {
                if found.after.number == head.number && found.after != head {
                    rewritten = Some((found.offset, head.number));
                }
                last_call = said_call(found.payload).or(last_call);
                if reads_calls {
                    let number = found.after.number;
                    let payload = Payload::read(found.payload, lane, number)?;
                    note(calls, unopened, &payload);
                    if is_change(&payload) {
                        let named = payload.call.and_then(|call| calls.get_mut(&call));
                        let opened = payload.open(&key, lane, number)?;
                        keep_finds_out(named, opened);
                    }
                }
                Ok(())
            },
        )?;
        if let Some((offset, number)) = rewritten {
            let fault = Fault::Rewritten { number };
            return Err(AuditError::from(finding(fault, offset, Some(number), last_call)).into());
        }
        match stop {
            Stop::End => Ok((at, header, 0)),
            // After the kept head a record may be unfinished, and what follows it too.
            Stop::Bad(fault)
                if is_last && at.number >= head.number && fault.may_be_unfinished() =>
            {
                Ok((at, header, bytes.len() as u64 - at.offset))
            }
            Stop::Bad(fault) => {
                let (offset, record) = (at.offset, Some(at.number + 1));
                Err(AuditError::from(finding(fault, offset, record, last_call)).into())
            }
        }
    }

    fn short(&self, at: &Position) -> AuditError {
        let head = self.kept.head;
        Finding {
            fault: Fault::Short {
                ends: at.number,
                had: head.number,
            },
            lane: self.lane,
            file: segment::path(self.folder, self.lane, at.segment),
            offset: at.offset,
            record: Some(at.number + 1),
            call: None,
        }
        .into()
    }

    /// Gives the calls that have no end, or a change without an outcome, in their order.
    fn cut_off(self) -> Vec<CutOff> {
        let is_cut_off = |call: &Open| !call.is_closed || !call.about.unclear.is_empty();
        let calls = self.calls.into_values().filter(is_cut_off);
        let about = |mut call: Open| {
            if !call.is_closed {
                call.about.unclear.append(&mut call.failed);
            }
            call.about
        };
        let mut cut_off: Vec<CutOff> = calls.map(about).collect();
        cut_off.sort_by_key(|one| one.call);
        cut_off
    }
}

/// Checks the beginning of a segment, and gives the place of its first record. Where the segment before was not read, its own hash is
/// what it is believed by.
pub(super) fn opening(
    bytes: &[u8],
    lane: u32,
    segment: u64,
    before: Option<Position>,
    keys: &LogKeys,
) -> Result<(Header, std::sync::Arc<LogKey>, Position), Fault> {
    let (header, tag) = Header::read(bytes).ok_or(Fault::Header)?;
    let key = keys.get(header.key).ok_or(Fault::NoKey(header.key))?;
    let before = before.unwrap_or(Position {
        segment: segment.saturating_sub(1),
        offset: 0,
        number: header.first.saturating_sub(1),
        tag: header.before,
    });
    if !header.is_after(&key, &tag, lane, &before) {
        return Err(Fault::Header);
    }
    let from = Position {
        segment,
        offset: HEADER_LEN as u64,
        number: before.number,
        tag,
    };
    Ok((header, key, from))
}

/// Keeps what a line says of its call.
fn note(
    calls: &mut HashMap<CallId, Open>,
    unopened: &mut HashSet<(CallId, u32)>,
    payload: &Payload<'_>,
) {
    let Some(id) = payload.call else {
        return;
    };
    match &payload.plain {
        Plain::Opened(opened) => {
            let about = CutOff {
                call: id,
                person: opened.person.clone(),
                agent: opened.agent.clone(),
                connector: opened.connector.clone(),
                tool: opened.tool.clone(),
                unclear: Vec::new(),
                made: Vec::new(),
                finds_out: None,
            };
            let open = Open {
                about,
                failed: Vec::new(),
                is_closed: false,
            };
            calls.insert(id, open);
        }
        Plain::Intended(intent) if intent.effect > Effect::Read => match calls.get_mut(&id) {
            // One that was sent a second time is one change.
            Some(call) if call.about.unclear.contains(&intent.request) => {}
            Some(call) => call.about.unclear.push(intent.request),
            None => drop(unopened.insert((id, intent.request))),
        },
        Plain::Answered(answer) => {
            unopened.remove(&(id, answer.request));
            if let Some(call) = calls.get_mut(&id) {
                call.about
                    .unclear
                    .retain(|request| *request != answer.request);
                match answer.effect {
                    Effect::Read => {}
                    _ if is_failure(&answer.end) => call.failed.push(answer.request),
                    _ if changed_nothing(&answer.end) => {}
                    _ => call.about.made.push(answer.request),
                }
            }
        }
        Plain::Closed(_) => {
            if let Some(call) = calls.get_mut(&id) {
                call.is_closed = true;
            }
        }
        Plain::CutOff { .. } => {
            unopened.retain(|(call, _)| *call != id);
            calls.remove(&id);
        }
        _ => {}
    }
}

fn is_change(payload: &Payload<'_>) -> bool {
    matches!(&payload.plain, Plain::Intended(intent) if intent.effect > Effect::Read)
}

/// Keeps which call finds out whether a change was made.
fn keep_finds_out(call: Option<&mut Open>, opened: Option<Record>) {
    if let Some(call) = call
        && let Some(Event::Intended(intent)) = opened.map(|record| record.event)
    {
        call.about.finds_out = intent.finds_out;
    }
}
