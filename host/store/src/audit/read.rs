//! Reading the lines of calls.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use portcullis::CallId;

use super::chain::LogKey;
use super::claim::opening;
use super::error::{AuditError, Fault, Finding};
use super::keys::LogKeys;
use super::lines::Line;
use super::payload::{Payload, said_call};
use super::row::CallRow;
use super::segment::{self, Stop, scan};
use crate::error::StoreError;

/// Segments that are kept in memory: those of calls that are near to each other.
const SEGMENTS_KEPT: usize = 4;

/// A reader of the lines of calls, which remembers the segments that it read last.
#[derive(Debug)]
pub struct Reader {
    folder: PathBuf,
    keys: Arc<LogKeys>,
    loaded: VecDeque<Loaded>,
}

/// A segment whose chain was followed.
#[derive(Debug)]
struct Loaded {
    lane: u32,
    segment: u64,
    bytes: Vec<u8>,
    key: Arc<LogKey>,
    /// The number and place of each line of a call.
    lines: HashMap<CallId, Vec<(u64, Range<usize>)>>,
    /// What it could not be read past.
    broken: Option<Finding>,
}

impl Reader {
    pub(super) fn new(folder: PathBuf, keys: Arc<LogKeys>) -> Self {
        Self {
            folder,
            keys,
            loaded: VecDeque::new(),
        }
    }

    /// Reads the lines of a call, with what is sealed in them opened.
    ///
    /// # Errors
    ///
    /// [`AuditError::Broken`] where the segment that they are in is not as it was written.
    pub fn lines(&mut self, call: &CallRow) -> Result<Vec<Line>, StoreError> {
        let mut lines = Vec::new();
        for segment in call.first_segment..=call.last_segment {
            let loaded = self.load(call.lane, segment)?;
            let found = loaded.lines.get(&call.id).map_or(&[][..], Vec::as_slice);
            for (number, range) in found {
                let payload = loaded.bytes.get(range.clone()).unwrap_or_default();
                let payload = Payload::read(payload, call.lane, *number)?;
                if let Some(record) = payload.open(&loaded.key, call.lane, *number)? {
                    lines.push(Line {
                        lane: call.lane,
                        number: *number,
                        record,
                    });
                }
            }
            // Of a segment that is broken, what stands before the break is good; what is missing is said.
            if found.is_empty()
                && let Some(finding) = &loaded.broken
            {
                return Err(AuditError::from(finding.clone()).into());
            }
        }
        Ok(lines)
    }

    fn load(&mut self, lane: u32, segment: u64) -> Result<&Loaded, StoreError> {
        let is_it = |loaded: &Loaded| loaded.lane == lane && loaded.segment == segment;
        if let Some(place) = self.loaded.iter().position(is_it) {
            return Ok(&self.loaded[place]);
        }
        let loaded = load(self.folder.clone(), &self.keys, lane, segment)?;
        if self.loaded.len() >= SEGMENTS_KEPT {
            self.loaded.pop_front();
        }
        self.loaded.push_back(loaded);
        Ok(&self.loaded[self.loaded.len() - 1])
    }
}

fn load(folder: PathBuf, keys: &LogKeys, lane: u32, segment: u64) -> Result<Loaded, StoreError> {
    let path = segment::path(&folder, lane, segment);
    let finding = |fault, offset, record| Finding {
        fault,
        lane,
        file: path.clone(),
        offset,
        record,
        call: None,
    };
    let bytes = segment::bytes(&path, 0)?;
    let bytes = bytes.ok_or_else(|| AuditError::from(finding(Fault::NoSegment, 0, None)))?;
    let (_, key, from) = opening(&bytes, lane, segment, None, keys)
        .map_err(|fault| AuditError::from(finding(fault, 0, None)))?;
    let mut lines: HashMap<CallId, Vec<(u64, Range<usize>)>> = HashMap::new();
    let (end, stop) = scan(
        &bytes,
        0,
        &key,
        lane,
        from,
        |found| -> Result<(), StoreError> {
            if let Some(call) = said_call(found.payload) {
                let end = usize::try_from(found.after.offset).unwrap_or(usize::MAX);
                let range = end - found.payload.len()..end;
                let of_call = lines.entry(call).or_default();
                of_call.push((found.after.number, range));
            }
            Ok(())
        },
    )?;
    let broken = match stop {
        Stop::End => None,
        Stop::Bad(fault) => Some(finding(fault, end.offset, Some(end.number + 1))),
    };
    Ok(Loaded {
        lane,
        segment,
        bytes,
        key,
        lines,
        broken,
    })
}
