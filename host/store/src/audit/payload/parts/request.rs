//! Requests: where they go to is plain but for the path, and how they ended but for the reason.

use portcullis::ports::Sensitive;
use portcullis::ports::audit::{Answer, IntendedPart, Intent, RequestEnd};
use portcullis_policy::Digest;

use super::super::form::{Hidden, Plain, PlainAnswer, PlainEnd, PlainIntent, PlainPart};
use super::cut;

pub(super) fn plain_intent(intent: &Intent) -> PlainIntent {
    PlainIntent {
        request: intent.request,
        attempt: intent.attempt,
        effect: intent.effect,
        method: intent.method,
        origin: intent.origin.clone(),
        route: intent.route.clone(),
        parts: intent.parts.iter().map(plain_part).collect(),
        body_bytes: u64::try_from(intent.body_bytes).unwrap_or(u64::MAX),
        approval: intent.approval.map(|approval| approval.to_string()),
    }
}

fn plain_part(part: &IntendedPart) -> PlainPart {
    PlainPart {
        method: part.method,
        route: part.route.clone(),
    }
}

pub(super) fn join_intent(
    plain: PlainIntent,
    path: String,
    parts: Vec<String>,
    body: Digest,
) -> Option<Intent> {
    let parts = plain.parts.into_iter().zip(parts);
    let part = |(plain, path): (PlainPart, String)| IntendedPart {
        method: plain.method,
        route: plain.route,
        path: Sensitive::new(path),
    };
    Some(Intent {
        parts: parts.map(part).collect(),
        request: plain.request,
        attempt: plain.attempt,
        method: plain.method,
        origin: plain.origin,
        route: plain.route,
        path: Sensitive::new(path),
        message: None,
        effect: plain.effect,
        body,
        body_bytes: usize::try_from(plain.body_bytes).unwrap_or(usize::MAX),
        approval: plain.approval.map(|id| id.parse()).transpose().ok()?,
        finds_out: None,
    })
}

pub(super) fn split_answer(answer: &Answer) -> (Plain<'static>, Option<Hidden<'static>>) {
    let (end, reason) = match &answer.end {
        RequestEnd::Status(status) => (PlainEnd::Status(*status), None),
        RequestEnd::Refused(status) => (PlainEnd::Refused(*status), None),
        RequestEnd::InPart {
            status,
            refused,
            of,
        } => {
            let (status, refused, of) = (*status, refused.clone(), *of);
            let end = PlainEnd::InPart {
                status,
                refused,
                of,
            };
            (end, None)
        }
        RequestEnd::NotModified => (PlainEnd::NotModified, None),
        RequestEnd::NotSent(reason) => (PlainEnd::NotSent, Some(reason)),
        RequestEnd::Unclear(reason) => (PlainEnd::Unclear, Some(reason)),
    };
    let plain = PlainAnswer {
        request: answer.request,
        effect: answer.effect,
        end,
        renewed: answer.renewed,
        elapsed_us: answer.elapsed_us,
        body_bytes: answer.body_bytes,
    };
    (
        Plain::Answered(plain),
        reason.map(|reason| Hidden::Text(cut(reason))),
    )
}

pub(super) fn join_answer(plain: PlainAnswer, hidden: Option<Hidden<'_>>) -> Answer {
    let reason = match hidden {
        Some(Hidden::Text(reason)) => reason,
        _ => String::new(),
    };
    Answer {
        request: plain.request,
        effect: plain.effect,
        end: match plain.end {
            PlainEnd::Status(status) => RequestEnd::Status(status),
            PlainEnd::Refused(status) => RequestEnd::Refused(status),
            PlainEnd::InPart {
                status,
                refused,
                of,
            } => RequestEnd::InPart {
                status,
                refused,
                of,
            },
            PlainEnd::NotModified => RequestEnd::NotModified,
            PlainEnd::NotSent => RequestEnd::NotSent(reason),
            PlainEnd::Unclear => RequestEnd::Unclear(reason),
        },
        renewed: plain.renewed,
        elapsed_us: plain.elapsed_us,
        body_bytes: plain.body_bytes,
    }
}
