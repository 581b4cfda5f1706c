//! How many records an agent may change in a day, counted before the request is approved and sent: what may have been sent counts. What
//! was surely not sent is given back, however it came to that.

use std::sync::Arc;

use portcullis_policy::Effect;

use super::GateFailure;
use super::agree::Agreed;
use crate::ports::permissions::{Counted, Exhausted, Usage};
use crate::reply::RefusalCode;
use crate::scope::CallScope;

/// A request that is counted, where it must be.
#[derive(Debug)]
pub(super) struct Afforded {
    pub(super) agreed: Agreed,
    pub(super) reserved: Reserved,
}

/// What is counted for a request that is not sent yet. Unless it is [kept](Self::keep) it is given back, also where the guest
/// gave its request up.
pub(super) struct Reserved {
    scope: Arc<CallScope>,
    usage: Option<Usage>,
}

impl Reserved {
    /// Lets it stay counted, and says what it is.
    pub(super) fn keep(mut self) -> Kept {
        Kept(self.usage.take())
    }

    /// Gives it back.
    pub(super) async fn give_back(self) {
        let scope = self.scope.clone();
        self.keep().give_back(&scope).await;
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if let Some(usage) = self.usage.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let scope = self.scope.clone();
            runtime.spawn(async move { Kept(Some(usage)).give_back(&scope).await });
        }
    }
}

impl std::fmt::Debug for Reserved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Reserved").field(&self.usage).finish()
    }
}

/// What stays counted of a request, unless it turns out that it was not sent.
#[derive(Debug)]
pub(super) struct Kept(Option<Usage>);

impl Kept {
    /// Gives it back after all.
    pub(super) async fn give_back(self, scope: &CallScope) {
        let Some(usage) = self.0 else {
            return;
        };
        let permissions = &scope.ports.permissions;
        let connector = &scope.connector.manifest().name;
        let given = permissions.give_back(&scope.caller, connector, usage);
        if let Err(error) = given.await {
            // More is counted than was changed: that lets nothing pass.
            tracing::warn!(call = %scope.id, %error, "a change that was not sent stays counted");
        }
    }
}

/// Refuses a change that there is no room for, before a person is asked.
pub(super) async fn look(scope: &CallScope, records: usize) -> Result<(), GateFailure> {
    match usage(scope, records) {
        Some(usage) => {
            let only_look = true;
            count(scope, Usage { only_look, ..usage }).await
        }
        None => Ok(()),
    }
}

/// Counts a change, before its approval is used up.
pub(super) async fn afford(
    scope: &Arc<CallScope>,
    agreed: Agreed,
) -> Result<Afforded, GateFailure> {
    let usage = match agreed.request.head.effect {
        Effect::Read => None,
        Effect::Write | Effect::Destructive => usage(scope, agreed.records),
    };
    if let Some(usage) = usage {
        count(scope, usage).await?;
    }
    let scope = scope.clone();
    let reserved = Reserved { scope, usage };
    Ok(Afforded { agreed, reserved })
}

/// Says what a change of so many records is to be counted as, where that is limited.
fn usage(scope: &CallScope, records: usize) -> Option<Usage> {
    let limits = scope.policy.scope.as_ref();
    Some(Usage {
        counted: Counted::Changes,
        count: u32::try_from(records.max(1)).unwrap_or(u32::MAX),
        max: limits.and_then(|limits| limits.changes_per_day)?,
        only_look: false,
        reserved_by: Some(scope.id),
    })
}

async fn count(scope: &CallScope, usage: Usage) -> Result<(), GateFailure> {
    let connector = &scope.connector.manifest().name;
    let counted = scope
        .ports
        .permissions
        .count(&scope.caller, connector, usage);
    match counted.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(Exhausted { retry_after })) => {
            let (agent, max) = (&scope.caller.agent, usage.max);
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
