//! What a record says: names, ids and counts as they are, the rest sealed.
//!
//! ```text
//! 1 | microseconds since 1970, 8 bytes | call, 16 | length of the plain part, 4 | plain part, JSON | sealed part
//! ```
//!
//! The sealed part is JSON too, bound to the record's lane and number. The digest of a request's body is sealed with it: of a short
//! body it could be guessed what it was made from. A member that is added here is optional, so that older records are read.

use portcullis::CallId;
use portcullis::ports::audit::{Event, Record};
use serde::Serialize;

use super::chain::LogKey;
use super::error::AuditError;
use super::frame::PAYLOAD_BYTES_MAX;
use super::lines::{Note, micros, time};
use crate::error::StoreError;
use crate::seal::Place;

mod form;
mod outline;
mod parts;

pub(super) use form::{Plain, PlainEnd};

use form::Hidden;

/// What a payload begins with. A change of anything but the members of its JSON takes another.
const VERSION: u8 = 1;

/// Bytes before the plain part.
const HEAD_LEN: usize = 1 + 8 + 16 + 4;

/// Bytes of most parts, at most.
const PART_BYTES: usize = 1_024;

/// The call of a line that is about none.
const NO_CALL: [u8; 16] = [0; 16];

/// A payload without its sealed part opened.
#[derive(Debug)]
pub(super) struct Payload<'a> {
    pub(super) at_us: i64,
    pub(super) call: Option<CallId>,
    pub(super) plain: Plain<'a>,
    sealed: &'a [u8],
}

/// A line, ready to be written in whichever place it gets.
pub(super) struct Draft {
    at_us: i64,
    call: [u8; 16],
    plain: Vec<u8>,
    /// None: there is nothing to hide.
    hidden: Option<Vec<u8>>,
}

impl Draft {
    /// Takes a line about a call. What values it has of a change are left out unless they are kept.
    pub(super) fn of_record(record: &Record, keeps_values: bool) -> Result<Self, StoreError> {
        let (plain, hidden) = parts::split(&record.event, keeps_values);
        Self::of(
            micros(record.at),
            *record.call.as_bytes(),
            &plain,
            hidden.as_ref(),
        )
    }

    /// Takes a line about no call, with what of it is sealed.
    pub(super) fn of_note(
        at_us: i64,
        note: Note,
        reason: Option<String>,
    ) -> Result<Self, StoreError> {
        let hidden = reason.map(Hidden::Text);
        Self::of(at_us, NO_CALL, &Plain::Note(note), hidden.as_ref())
    }

    fn of(
        at_us: i64,
        call: [u8; 16],
        plain: &Plain<'_>,
        hidden: Option<&Hidden<'_>>,
    ) -> Result<Self, StoreError> {
        let plain = json(plain)?;
        let hidden = hidden.map(json).transpose()?;
        let bytes = plain.len() + hidden.as_ref().map_or(0, Vec::len);
        if bytes > PAYLOAD_BYTES_MAX - 1024 {
            return Err(AuditError::TooLarge { bytes }.into());
        }
        Ok(Self {
            at_us,
            call,
            plain,
            hidden,
        })
    }

    /// Bytes that the payload will have, at most.
    pub(super) fn bytes_max(&self) -> usize {
        // A sealed value is longer by its version, nonce and tag.
        HEAD_LEN + self.plain.len() + self.hidden.as_ref().map_or(0, |hidden| hidden.len() + 64)
    }

    /// Writes the payload for its place.
    pub(super) fn write(
        &self,
        out: &mut Vec<u8>,
        key: &LogKey,
        lane: u32,
        number: u64,
    ) -> Result<(), getrandom::Error> {
        out.push(VERSION);
        out.extend_from_slice(&self.at_us.to_be_bytes());
        out.extend_from_slice(&self.call);
        let length = u32::try_from(self.plain.len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&self.plain);
        if let Some(hidden) = &self.hidden {
            let (lane, number) = (lane.to_string(), number.to_string());
            let sealed = key.sealing().seal(place(&[&number, &lane]), hidden)?;
            out.extend_from_slice(&sealed);
        }
        Ok(())
    }
}

/// Writes a part as JSON. Most are no longer than what there is room for at first.
fn json(part: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    let mut text = Vec::with_capacity(PART_BYTES);
    match serde_json::to_writer(&mut text, part) {
        Ok(()) => Ok(text),
        Err(error) => Err(StoreError::damaged("audit record", "new", error)),
    }
}

impl<'a> Payload<'a> {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// [`AuditError::Newer`]: it is whole, or its hash would not fit.
    pub(super) fn read(bytes: &'a [u8], lane: u32, number: u64) -> Result<Self, AuditError> {
        let newer = || AuditError::Newer { lane, number };
        let (at_us, call, rest) = head(bytes).ok_or_else(newer)?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(newer)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let (plain, sealed) = rest.split_at_checked(length).ok_or_else(newer)?;
        Ok(Self {
            at_us,
            call,
            plain: serde_json::from_slice(plain).map_err(|_| newer())?,
            sealed,
        })
    }

    /// Opens the sealed part and gives the line; none where it is about no call.
    pub(super) fn open(
        self,
        key: &LogKey,
        lane: u32,
        number: u64,
    ) -> Result<Option<Record>, StoreError> {
        let Some(call) = self.call else {
            return Ok(None);
        };
        let newer = || AuditError::Newer { lane, number };
        let opened = match self.sealed {
            [] => None,
            sealed => {
                let (lane, number) = (lane.to_string(), number.to_string());
                Some(key.sealing().open(place(&[&number, &lane]), sealed)?)
            }
        };
        let hidden: Option<Hidden<'_>> = match &opened {
            None => None,
            Some(opened) => Some(serde_json::from_slice(opened).map_err(|_| newer())?),
        };
        let event: Option<Event> = parts::join(self.plain, hidden);
        Ok(Some(Record {
            call,
            at: time(self.at_us),
            event: event.ok_or_else(newer)?,
        }))
    }
}

/// Which call bytes say that they are of, though nobody answers for them.
pub(super) fn said_call(payload: &[u8]) -> Option<CallId> {
    head(payload).and_then(|(_, call, _)| call)
}

fn head(bytes: &[u8]) -> Option<(i64, Option<CallId>, &[u8])> {
    let rest = bytes.strip_prefix(&[VERSION])?;
    let (at_us, rest) = rest.split_first_chunk::<8>()?;
    let (call, rest) = rest.split_first_chunk::<16>()?;
    let call = (*call != NO_CALL).then(|| CallId::from_bytes(*call));
    Some((i64::from_be_bytes(*at_us), call, rest))
}

fn place<'a>(row: &'a [&'a str]) -> Place<'a> {
    Place {
        table: "the audit log",
        column: "record",
        row,
    }
}
