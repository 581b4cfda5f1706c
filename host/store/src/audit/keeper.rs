//! What is done beside the calls, once a second: what waits is written, the head is kept in the store, new keys and settings are taken
//! over, and the index is filled.

use std::sync::Weak;

use tokio::time::MissedTickBehavior;

use super::heads;
use super::log::{KEEP_EVERY, Writing};
use crate::error::StoreError;

/// Works for as long as the log is open.
pub(super) async fn keep(writing: Weak<Writing>) {
    let mut every = tokio::time::interval(KEEP_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    every.tick().await;
    loop {
        every.tick().await;
        let Some(writing) = writing.upgrade() else {
            return;
        };
        match once(&writing).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::error!(%error, "the audit log's head was not kept; it is tried again")
            }
        }
    }
}

/// Does it once; false: the log is closed.
pub(super) async fn once(writing: &Writing) -> Result<bool, StoreError> {
    let activity = &writing.activity;
    let mut kept = writing.kept.lock().await;
    if kept.1 {
        return Ok(false);
    }
    activity.inner.keys.refresh(&activity.inner.store).await?;
    writing.refresh_values().await?;
    if let Some((head, key)) = writing.lane.head()?
        && head.number != kept.0
    {
        heads::put_head(
            &activity.inner.store,
            &key,
            writing.lane.number,
            &head,
            false,
        )
        .await?;
        kept.0 = head.number;
        // Others may fill it too: whoever comes first.
        activity.catch_up().await?;
    }
    Ok(true)
}
