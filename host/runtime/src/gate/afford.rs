//! How many records an agent may change in a day, counted before the request is sent: what may have been sent counts.

use portcullis_policy::Effect;

use super::GateFailure;
use super::approve::Approved;
use crate::ports::permissions::{Counted, Exhausted, Usage};
use crate::reply::RefusalCode;
use crate::scope::CallScope;

/// A request that is counted, where it must be.
#[derive(Debug)]
pub(super) struct Afforded {
    pub(super) approved: Approved,
}

/// Refuses a change that there is no room for, before a person is asked.
pub(super) async fn look(scope: &CallScope, records: usize) -> Result<(), GateFailure> {
    count(scope, records, true).await
}

/// Counts an approved change.
pub(super) async fn afford(scope: &CallScope, approved: Approved) -> Result<Afforded, GateFailure> {
    if approved.request.head.effect > Effect::Read {
        count(scope, approved.records, false).await?;
    }
    Ok(Afforded { approved })
}

async fn count(scope: &CallScope, records: usize, only_look: bool) -> Result<(), GateFailure> {
    let limits = scope.policy.scope.as_ref();
    let Some(max) = limits.and_then(|limits| limits.changes_per_day) else {
        return Ok(());
    };
    let usage = Usage {
        counted: Counted::Changes,
        count: u32::try_from(records.max(1)).unwrap_or(u32::MAX),
        max,
        only_look,
    };
    let connector = &scope.connector.manifest().name;
    let counted = scope
        .ports
        .permissions
        .count(&scope.caller, connector, usage);
    match counted.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(Exhausted { retry_after })) => {
            let agent = &scope.caller.agent;
            let minutes = retry_after.as_secs() / 60 + 1;
            Err(GateFailure::refused(
                RefusalCode::ChangeLimit,
                format!(
                    "the agent `{agent}` may change {max} records a day, and with this it would be more; there is room again in {minutes} minutes"
                ),
            ))
        }
        Err(error) => Err(GateFailure::unavailable(
            "count the records that are changed",
            &error,
        )),
    }
}
