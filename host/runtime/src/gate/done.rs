//! What the answer to a change says of it beyond its status, where the route knows a place for that.
//!
//! What cannot be read in time and within bounds is not waited for: the change counts as its status says, and the guest gets the answer as it is.

use std::time::Duration;

use portcullis_policy::{Done, DonePlace};

use super::send::{Answered, SendError};
use super::start::Start;
use crate::ports::audit::RequestEnd;

/// Bytes of an answer that are read: some thousands for each of 200 records.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Reads what the answer says of `changes` changes, where there is one, and gives what was sent back with how the request ended.
pub(super) async fn read(
    sent: Result<Answered, SendError>,
    place: Option<&DonePlace>,
    changes: usize,
    within: Duration,
) -> (Result<Answered, SendError>, RequestEnd) {
    let answered = match sent {
        Ok(answered) => answered,
        Err(error) => {
            let end = error.end();
            return (Err(error), end);
        }
    };
    let end = answered.end();
    let (RequestEnd::Status(status @ 200..300), Some(place)) = (&end, place) else {
        return (Ok(answered), end);
    };
    let bytes_max = u64::try_from(ANSWER_BYTES_MAX).unwrap_or(u64::MAX);
    if answered.body_bytes().is_some_and(|bytes| bytes > bytes_max) {
        return (Ok(answered), end);
    }
    let (parts, body) = answered.response.into_parts();
    let start = Start::read(body, ANSWER_BYTES_MAX, within).await;
    let status = *status;
    let end = match start.whole().map(|answer| place.read(answer, changes)) {
        None | Some(Done::All) => end,
        Some(Done::Nothing) => RequestEnd::Refused(status),
        Some(Done::InPart { refused, of }) => RequestEnd::InPart {
            status,
            refused,
            of,
        },
        Some(Done::Unknown) => RequestEnd::Unclear(format!(
            "the answer, of status {status}, refuses changes, and does not say of each of the {changes} whether it was made"
        )),
    };
    let answered = Answered {
        response: http::Response::from_parts(parts, start.rejoined()),
        ..answered
    };
    (Ok(answered), end)
}
