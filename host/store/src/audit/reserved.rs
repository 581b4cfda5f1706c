//! What calls have counted before they sent it, of programs that were ended in between: the log says which of them sent it.
//!
//! Nothing is given back of which it is not known that it was not sent. So a call that is not in the log, for that was begun anew or what is
//! old was removed, stays counted for the rest of its day.

use portcullis::ports::audit::{Event, RequestEnd};
use portcullis_policy::Effect;

use super::activity::Activity;
use super::lines::Line;
use super::row::{CallEnd, CallRow};
use crate::error::StoreError;

/// Gives back what was counted for changes that were never sent, of calls that are over.
pub(super) async fn settle(activity: &Activity) -> Result<(), StoreError> {
    let store = &activity.inner.store;
    let (mut sent, mut unsent) = (Vec::new(), Vec::new());
    for call in store.reserving().await? {
        let row = activity.index().await?.find(&call).await?.pop();
        match row {
            Some(row) if row.ended == CallEnd::Running => {}
            Some(row) if !may_have_sent(activity, &row).await? => unsent.push(call),
            _ => sent.push(call),
        }
    }
    match sent.is_empty() && unsent.is_empty() {
        true => Ok(()),
        false => store.settle_reserved(&sent, &unsent).await,
    }
}

/// Says whether a call may have sent a change. What the service refused was sent.
async fn may_have_sent(activity: &Activity, row: &CallRow) -> Result<bool, StoreError> {
    if row.changes > 0 || row.ended == CallEnd::Unclear {
        return Ok(true);
    }
    let lines = activity.lines(row).await?;
    let mut intents = lines.iter().filter_map(|line| match &line.record.event {
        Event::Intended(intent) if intent.effect > Effect::Read => Some(intent.request),
        _ => None,
    });
    Ok(intents.any(|request| !was_not_sent(&lines, request)))
}

fn was_not_sent(lines: &[Line], request: u32) -> bool {
    lines.iter().any(|line| match &line.record.event {
        Event::Answered(answer) => {
            answer.request == request && matches!(answer.end, RequestEnd::NotSent(_))
        }
        _ => false,
    })
}
