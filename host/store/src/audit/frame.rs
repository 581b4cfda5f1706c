//! A record as it stands in a segment: its length, its number in the lane, its keyed hash, and what it says.
//!
//! ```text
//! length of the payload, 4 bytes | number, 8 | hash, 32 | payload
//! ```
//!
//! The hash is over the lane, the hash of the record before, the number, the length and the payload. Numbers are big-endian.

use super::chain::{LogKey, Purpose, TAG_LEN, Tag};
use super::error::Fault;

/// Bytes before a payload.
pub(super) const HEAD_LEN: usize = 4 + 8 + TAG_LEN;

/// Bytes of a payload: what a connector may add in one step is less.
pub(super) const PAYLOAD_BYTES_MAX: usize = 4 << 20;

/// What is where the next record would be.
#[derive(Debug)]
pub(super) enum Next<'a> {
    /// The record.
    Record {
        tag: Tag,
        payload: &'a [u8],
        /// Where it ends.
        end: usize,
    },
    /// Nothing more, or zeros for records to come.
    End,
    /// Something else.
    Bad(Fault),
}

/// Adds a record to a buffer, and gives its hash.
pub(super) fn write(
    out: &mut Vec<u8>,
    key: &LogKey,
    lane: u32,
    before: &Tag,
    number: u64,
    payload: &[u8],
) -> Tag {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let tag = tag(key, lane, before, number, length, payload);
    out.reserve(HEAD_LEN + payload.len());
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&number.to_be_bytes());
    out.extend_from_slice(&tag);
    out.extend_from_slice(payload);
    tag
}

/// Reads the record of a number, which must follow the one with the hash `before`.
pub(super) fn next<'a>(
    bytes: &'a [u8],
    at: usize,
    key: &LogKey,
    lane: u32,
    before: &Tag,
    number: u64,
) -> Next<'a> {
    let rest = bytes.get(at..).unwrap_or_default();
    let is_blank = || rest.iter().all(|byte| *byte == 0);
    let Some((length, head)) = rest.split_first_chunk::<4>() else {
        return match is_blank() {
            true => Next::End,
            false => Next::Bad(Fault::Unreadable),
        };
    };
    let length = u32::from_be_bytes(*length);
    if length == 0 {
        return match is_blank() {
            true => Next::End,
            false => Next::Bad(Fault::Unreadable),
        };
    }
    let parts = head.split_first_chunk::<8>().and_then(|(found, rest)| {
        let (tag, rest) = rest.split_first_chunk::<TAG_LEN>()?;
        let payload = rest.get(..usize::try_from(length).ok()?)?;
        Some((u64::from_be_bytes(*found), tag, payload))
    });
    let Some((found, tag, payload)) = parts else {
        return Next::Bad(Fault::Cut);
    };
    if self::tag(key, lane, before, number, length, payload) == *tag && found == number {
        return Next::Record {
            tag: *tag,
            payload,
            end: at + HEAD_LEN + payload.len(),
        };
    }
    // Which of these it is cannot be known for certain: the number that stands there may itself be what was altered.
    Next::Bad(match found {
        found if found > number && found - number < PLAUSIBLE_GAP => Fault::Missing {
            first: number,
            last: found - 1,
        },
        found if found < number && found > 0 => Fault::Misplaced { number: found },
        _ => Fault::Altered,
    })
}

/// A record whose number is further away has rather a damaged number.
const PLAUSIBLE_GAP: u64 = 1 << 32;

fn tag(key: &LogKey, lane: u32, before: &Tag, number: u64, length: u32, payload: &[u8]) -> Tag {
    key.tag(
        Purpose::Record,
        &[
            &lane.to_be_bytes(),
            before,
            &number.to_be_bytes(),
            &length.to_be_bytes(),
            payload,
        ],
    )
}
