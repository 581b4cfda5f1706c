//! One file of a lane: its header, and the records that follow.
//!
//! ```text
//! what it is, 20 bytes | lane, 4 | number of the segment, 8 | key, 8 | number of its first record, 8 | begun, in ms since 1970, 8
//! | hash of the record before its first, 32 | hash of all this, 32
//! ```
//!
//! The header's hash stands before the segment's first record in the chain.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::chain::{LogKey, NO_TAG, Purpose, TAG_LEN, Tag};
use super::error::{AuditError, Fault};
use super::frame::{self, Next};

/// What a segment begins with. A change of anything in it takes another.
const MAGIC: &[u8; 20] = b"portcullis audit 1\r\n";

/// Bytes of a header.
pub(super) const HEADER_LEN: usize = 20 + 4 + 8 + 8 + 8 + 8 + TAG_LEN + TAG_LEN;

/// Bytes after which a segment is followed by the next.
pub(super) const SEGMENT_BYTES: u64 = 8 << 20;

/// The names of segments end so.
const SUFFIX: &str = ".log";

/// A place between two records: after the one with this number and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) segment: u64,
    pub(super) offset: u64,
    /// The number of the record before; 0: none yet.
    pub(super) number: u64,
    pub(super) tag: Tag,
}

impl Position {
    /// The beginning of a lane, before its first segment.
    pub(super) const START: Self = Self {
        segment: 0,
        offset: 0,
        number: 0,
        tag: NO_TAG,
    };
}

/// What a segment says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) lane: u32,
    pub(super) segment: u64,
    pub(super) key: i64,
    /// The number of its first record.
    pub(super) first: u64,
    pub(super) begun_ms: i64,
    /// The hash of the record before its first.
    pub(super) before: Tag,
}

impl Header {
    /// Writes it, and gives its hash.
    pub(super) fn write(&self, key: &LogKey) -> (Vec<u8>, Tag) {
        let mut bytes = Vec::with_capacity(HEADER_LEN);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.lane.to_be_bytes());
        bytes.extend_from_slice(&self.segment.to_be_bytes());
        bytes.extend_from_slice(&self.key.to_be_bytes());
        bytes.extend_from_slice(&self.first.to_be_bytes());
        bytes.extend_from_slice(&self.begun_ms.to_be_bytes());
        bytes.extend_from_slice(&self.before);
        let tag = key.tag(Purpose::Segment, &[&bytes]);
        bytes.extend_from_slice(&tag);
        (bytes, tag)
    }

    /// Reads it without believing it.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, Tag)> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (lane, rest) = rest.split_first_chunk::<4>()?;
        let (segment, rest) = rest.split_first_chunk::<8>()?;
        let (key, rest) = rest.split_first_chunk::<8>()?;
        let (first, rest) = rest.split_first_chunk::<8>()?;
        let (begun_ms, rest) = rest.split_first_chunk::<8>()?;
        let (before, rest) = rest.split_first_chunk::<TAG_LEN>()?;
        let (tag, _) = rest.split_first_chunk::<TAG_LEN>()?;
        let header = Self {
            lane: u32::from_be_bytes(*lane),
            segment: u64::from_be_bytes(*segment),
            key: i64::from_be_bytes(*key),
            first: u64::from_be_bytes(*first),
            begun_ms: i64::from_be_bytes(*begun_ms),
            before: *before,
        };
        Some((header, *tag))
    }

    /// Says whether it was written with the key, and follows a place.
    pub(super) fn is_after(&self, key: &LogKey, tag: &Tag, lane: u32, before: &Position) -> bool {
        let (_, made) = self.write(key);
        made == *tag
            && self.lane == lane
            && self.segment == before.segment + 1
            && self.first == before.number + 1
            && self.before == before.tag
    }
}

/// A record where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    /// Where it begins.
    pub(super) offset: u64,
    /// The place after it.
    pub(super) after: Position,
    pub(super) payload: &'a [u8],
}

/// Why reading ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// There are no more records.
    End,
    /// What follows is no record that belongs there.
    Bad(Fault),
}

/// Reads records from a place on, in bytes of its segment that begin at `base`.
///
/// # Errors
///
/// That of `each`, which ends the reading.
pub(super) fn scan<E>(
    bytes: &[u8],
    base: u64,
    key: &LogKey,
    lane: u32,
    from: Position,
    mut each: impl FnMut(Found<'_>) -> Result<(), E>,
) -> Result<(Position, Stop), E> {
    let mut at = from;
    loop {
        let offset = usize::try_from(at.offset.saturating_sub(base)).unwrap_or(usize::MAX);
        match frame::next(bytes, offset, key, lane, &at.tag, at.number + 1) {
            Next::Record { tag, payload, end } => {
                let after = Position {
                    segment: at.segment,
                    offset: base + end as u64,
                    number: at.number + 1,
                    tag,
                };
                each(Found {
                    offset: at.offset,
                    after,
                    payload,
                })?;
                at = after;
            }
            Next::End => return Ok((at, Stop::End)),
            Next::Bad(fault) => return Ok((at, Stop::Bad(fault))),
        }
    }
}

/// Gives the file of a segment.
pub(super) fn path(folder: &Path, lane: u32, segment: u64) -> PathBuf {
    folder.join(format!("{lane:03}-{segment:08}{SUFFIX}"))
}

/// Lists the segments that are in a folder, in their order; none where there is no folder.
pub(super) fn list(folder: &Path) -> Result<Vec<(u32, u64)>, AuditError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(AuditError::file(folder, "read")(error)),
    };
    let mut segments = Vec::new();
    for entry in entries {
        let entry = entry.map_err(AuditError::file(folder, "read"))?;
        if let Some(name) = entry.file_name().to_str()
            && let Some((lane, segment)) = name
                .strip_suffix(SUFFIX)
                .and_then(|name| name.split_once('-'))
            && let (Ok(lane), Ok(segment)) = (lane.parse(), segment.parse())
        {
            segments.push((lane, segment));
        }
    }
    segments.sort_unstable();
    Ok(segments)
}

/// Reads the first bytes of a segment, as many as a header has; none where the file is not there.
pub(super) fn head(path: &Path) -> Result<Option<Vec<u8>>, AuditError> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(AuditError::file(path, "read")(error)),
    };
    let mut bytes = Vec::with_capacity(HEADER_LEN);
    file.take(HEADER_LEN as u64)
        .read_to_end(&mut bytes)
        .map_err(AuditError::file(path, "read"))?;
    Ok(Some(bytes))
}

/// Reads a segment from an offset to its end; none where the file is not there.
pub(super) fn bytes(path: &Path, from: u64) -> Result<Option<Vec<u8>>, AuditError> {
    part(path, from, u64::MAX)
}

/// Reads some bytes of a segment from an offset, fewer where it ends; none where the file is not there.
pub(super) fn part(path: &Path, from: u64, length: u64) -> Result<Option<Vec<u8>>, AuditError> {
    let mut file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(AuditError::file(path, "read")(error)),
    };
    let mut bytes = Vec::new();
    let read = file.metadata().and_then(|metadata| {
        // In one piece: a buffer that grows touches twice as much memory.
        let left = metadata.len().saturating_sub(from).min(length);
        bytes.reserve_exact(usize::try_from(left).unwrap_or_default());
        file.seek(SeekFrom::Start(from))?;
        file.take(left).read_to_end(&mut bytes)
    });
    read.map_err(AuditError::file(path, "read"))?;
    Ok(Some(bytes))
}
