//! What calls have counted before they sent it, of programs that were ended in between: the log says which of them sent it.
//!
//! Nothing is given back of which it is not known that it was not sent. So a call that is not in the log, for that was begun anew or what is
//! old was removed, stays counted for the rest of its day. Its mark stays, too: it may be one of another program that is just beginning, and
//! that gives back by the mark what it does not send.

use portcullis::ports::audit::{Event, Intent, RequestEnd};
use portcullis_policy::Effect;

use super::activity::Activity;
use super::lines::Line;
use super::row::{CallEnd, CallRow};
use crate::error::StoreError;

/// Gives back what was counted for changes that were never sent, of calls that are over. A call that cannot be read is left as it is.
pub(super) async fn settle(activity: &Activity) -> Result<(), StoreError> {
    let store = &activity.inner.store;
    let calls = store.reserving().await?;
    if calls.is_empty() {
        return Ok(());
    }
    // After it is known which calls those are: what the log has of them by now is seen.
    activity.catch_up().await?;
    let (mut sent, mut unsent) = (Vec::new(), Vec::new());
    for call in calls {
        match has_sent(activity, &call).await {
            Ok(Some(true)) => sent.push(call),
            Ok(Some(false)) => unsent.push(call),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(call, %error, "what was counted for a change stays counted, for what came of it cannot be read");
            }
        }
    }
    match sent.is_empty() && unsent.is_empty() {
        true => Ok(()),
        false => store.settle_reserved(&sent, &unsent).await,
    }
}

/// Says whether a call has sent a change, or may have; none: it is under way, or is not in the log.
async fn has_sent(activity: &Activity, call: &str) -> Result<Option<bool>, StoreError> {
    match activity.index().await?.find(call).await?.pop() {
        Some(row) if row.ended != CallEnd::Running => may_have_sent(activity, &row).await.map(Some),
        _ => Ok(None),
    }
}

/// Says whether a call may have sent a change. What the service refused was sent.
async fn may_have_sent(activity: &Activity, row: &CallRow) -> Result<bool, StoreError> {
    if row.changes > 0 || row.ended == CallEnd::Unclear {
        return Ok(true);
    }
    let lines = activity.lines(row).await?;
    let intents = lines.iter().filter_map(|line| match &line.record.event {
        Event::Intended(intent) => Some(intent),
        _ => None,
    });
    let intents: Vec<&Intent> = intents.collect();
    // Where a segment is broken, only what stands before the break is read.
    if (intents.len() as u64) < row.requests {
        let problem = "not all of its lines can be read";
        return Err(StoreError::damaged("call", &row.id.to_string(), problem));
    }
    let mut changes = intents
        .into_iter()
        .filter(|intent| intent.effect > Effect::Read);
    Ok(changes.any(|intent| !was_not_sent(&lines, intent.request)))
}

fn was_not_sent(lines: &[Line], request: u32) -> bool {
    lines.iter().any(|line| match &line.record.event {
        Event::Answered(answer) => {
            answer.request == request && matches!(answer.end, RequestEnd::NotSent(_))
        }
        _ => false,
    })
}
