//! A call as the index tells of it: what is plain in its lines, in one row.

use std::collections::HashMap;

use jiff::Timestamp;
use portcullis::CallId;
use portcullis_policy::Effect;
use serde::Serialize;

use super::index::NoteLine;
use super::payload::{Payload, Plain, PlainEnd};

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallEnd {
    /// It is under way.
    Running,
    /// As the host said: `done`, `approval_required`, `connect_required`, `refused`, `failed` or `abandoned`.
    As(String),
    /// The program that ran it was ended, and nothing was under way that changes anything.
    CutOff,
    /// A change was sent, and its outcome is not known: it has no answer, or one of a service that failed over it in a call that did not end
    /// well.
    Unclear,
}

impl CallEnd {
    /// Gives the word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Running => "running",
            Self::As(outcome) => outcome,
            Self::CutOff => "cut_off",
            Self::Unclear => "unclear",
        }
    }
}

/// A call of the log, without what is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRow {
    /// The call.
    pub id: CallId,
    /// When it began.
    pub at: Timestamp,
    /// For whom.
    pub person: String,
    /// By whom.
    pub agent: String,
    /// Of which connector.
    pub connector: String,
    /// The connector's version.
    pub version: Option<String>,
    /// The digest of its component.
    pub component: Option<String>,
    /// The tool.
    pub tool: Option<String>,
    /// How far the tool reaches.
    pub effect: Option<String>,
    /// The mode that was decided.
    pub mode: Option<String>,
    /// The rule behind it.
    pub rule: Option<String>,
    /// The account.
    pub connection: Option<String>,
    /// How it ended.
    pub ended: CallEnd,
    /// The stable code of what went wrong.
    pub code: Option<String>,
    /// Time from beginning to end, in microseconds.
    pub elapsed_us: Option<u64>,
    /// Requests that were to be sent.
    pub requests: u64,
    /// Those of them that change something, without those that surely changed nothing: what was not sent, or what the service refused by
    /// its status or in its answer.
    pub changes: u64,
    /// Requests that the gate refused.
    pub denied: u64,
    /// Sources that were named.
    pub sources: u64,
    /// Bytes of requests' bodies.
    pub sent_bytes: u64,
    /// Bytes of answers' bodies that reached the connector.
    pub received_bytes: u64,
    /// The call whose kept answer this one handed out, instead of doing anything.
    pub answer_of: Option<String>,
    pub(super) lane: u32,
    pub(super) first_segment: u64,
    pub(super) last_segment: u64,
}

/// What some lines say of a call: they are added up, so that a call can be told piece by piece.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Piece {
    pub(super) call: String,
    pub(super) lane: u32,
    pub(super) first_segment: u64,
    pub(super) last_segment: u64,
    pub(super) at: Option<i64>,
    pub(super) person: Option<String>,
    pub(super) agent: Option<String>,
    pub(super) connector: Option<String>,
    pub(super) version: Option<String>,
    pub(super) component: Option<String>,
    pub(super) tool: Option<String>,
    pub(super) effect: Option<&'static str>,
    pub(super) mode: Option<String>,
    pub(super) rule: Option<String>,
    pub(super) connection: Option<String>,
    pub(super) outcome: Option<String>,
    pub(super) code: Option<String>,
    pub(super) elapsed_us: Option<u64>,
    /// Those that were to be sent, less the second times that were written down and not sent. May be less than none, as below.
    pub(super) requests: i64,
    /// Changes that were intended, less those that changed nothing. May be less than none, as below.
    pub(super) changes: i64,
    /// Changes that were intended, less those that have an outcome. May be less than none in a piece that has only the outcome.
    pub(super) pending: i64,
    /// Changes whose outcome is not known, as the log says.
    pub(super) unclear: u64,
    pub(super) denied: u64,
    pub(super) sources: u64,
    pub(super) sent_bytes: i64,
    pub(super) received_bytes: u64,
    pub(super) answer_of: Option<String>,
    /// Changes that the service answered with a failure of its own.
    pub(super) failed: u64,
}

/// What some lines come to.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// Of calls, by the calls.
    pub(super) calls: HashMap<CallId, Piece>,
    /// Of what is about no call.
    pub(super) notes: Vec<NoteLine>,
}

/// Where a line stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    pub(super) lane: u32,
    pub(super) segment: u64,
    pub(super) number: u64,
}

/// Adds what a line says.
pub(super) fn add(pieces: &mut Pieces, at: At, payload: &Payload<'_>) {
    let At {
        lane,
        segment,
        number,
    } = at;
    let Some(call) = payload.call else {
        if let (Plain::Note(note), Ok(at)) = (
            &payload.plain,
            Timestamp::from_millisecond(payload.at_us / 1_000),
        ) {
            pieces.notes.push(NoteLine {
                lane,
                number,
                at,
                note: note.clone(),
                segment,
            });
        }
        return;
    };
    let piece = pieces.calls.entry(call).or_insert_with(|| Piece {
        call: call.to_string(),
        lane,
        first_segment: segment,
        ..Piece::default()
    });
    piece.last_segment = segment;
    match &payload.plain {
        Plain::Opened(opened) => {
            piece.at = Some(payload.at_us / 1_000);
            piece.person = Some(opened.person.to_string());
            piece.agent = Some(opened.agent.to_string());
            piece.connector = Some(opened.connector.to_string());
            piece.version.clone_from(&opened.version);
            piece.component = opened.component.map(|digest| digest.to_string());
            piece.tool = opened.tool.as_ref().map(ToString::to_string);
            piece.effect = opened.effect.map(Effect::as_str);
            piece.mode = opened.mode.map(mode);
            piece.rule.clone_from(&opened.rule);
            piece.connection = opened.connection.as_ref().map(ToString::to_string);
        }
        Plain::Cited(sources) => piece.sources += sources.len() as u64,
        // A second time is another request on the wire, and the same change: both have one answer.
        Plain::Intended(intent) if intent.attempt > 1 => {
            piece.requests += 1;
            piece.sent_bytes += signed(intent.body_bytes);
        }
        Plain::Unsent(unsent) => {
            piece.requests -= 1;
            piece.sent_bytes -= signed(unsent.body_bytes);
        }
        Plain::Intended(intent) => {
            piece.requests += 1;
            piece.sent_bytes += signed(intent.body_bytes);
            if intent.effect > Effect::Read {
                piece.changes += 1;
                piece.pending += 1;
            }
        }
        Plain::Answered(answer) => {
            if answer.effect > Effect::Read {
                piece.pending -= 1;
                piece.unclear += u64::from(answer.end == PlainEnd::Unclear);
                piece.failed += u64::from(is_failure(&answer.end));
                piece.changes -= i64::from(changed_nothing(&answer.end));
            }
        }
        Plain::Denied { .. } => piece.denied += 1,
        Plain::Closed(closed) => {
            piece.outcome = Some(closed.outcome.clone());
            piece.code.clone_from(&closed.code);
            piece.elapsed_us = Some(closed.elapsed_us);
            piece.received_bytes += closed.received_bytes;
        }
        Plain::CutOff { unclear } => {
            piece.unclear += unclear.len() as u64;
            // One that had ended, and whose change is what was cut off, stays as it ended.
            piece.outcome.get_or_insert_with(|| CUT_OFF.to_owned());
        }
        Plain::Fetched { call, .. } => piece.answer_of = Some(call.clone()),
        Plain::Announced(_) | Plain::Step | Plain::Unseen { .. } | Plain::Note(_) => {}
    }
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Says whether a change that ended so was surely not made.
pub(super) fn changed_nothing(end: &PlainEnd) -> bool {
    match end {
        PlainEnd::Status(status) => REFUSALS.contains(status),
        PlainEnd::NotSent | PlainEnd::Refused(_) => true,
        PlainEnd::InPart { .. } | PlainEnd::NotModified | PlainEnd::Unclear => false,
    }
}

/// The statuses by which a service says that it did not do what was asked (RFC 9110, section 15.5).
const REFUSALS: std::ops::Range<u16> = 400..500;

/// Says whether a service failed over a change (RFC 9110, section 15.6): before it was made, or after.
pub(super) fn is_failure(end: &PlainEnd) -> bool {
    matches!(end, PlainEnd::Status(500..))
}

/// The outcome of a call that has an answer.
const DONE: &str = "done";

/// The outcome of a call whose program was ended.
pub(super) const CUT_OFF: &str = "cut_off";

fn mode(mode: portcullis_policy::Mode) -> String {
    match serde_json::to_value(mode) {
        Ok(serde_json::Value::String(word)) => word,
        _ => mode.to_string(),
    }
}

/// How a call ended, by its row. Whose lane is held by nobody, its program is not there any more.
pub(super) fn ended(piece: &Piece, is_held: bool) -> CallEnd {
    match piece.outcome.as_deref() {
        _ if piece.unclear > 0 => CallEnd::Unclear,
        None if is_held => CallEnd::Running,
        // Also while its program is still there, or another has its lane: a call that has ended says nothing of a change that has not.
        _ if piece.pending > 0 => CallEnd::Unclear,
        // Its connector looked what had become of a change that the service failed over.
        Some(DONE) => CallEnd::As(DONE.to_owned()),
        _ if piece.failed > 0 => CallEnd::Unclear,
        None | Some(CUT_OFF) => CallEnd::CutOff,
        Some(outcome) => CallEnd::As(outcome.to_owned()),
    }
}
