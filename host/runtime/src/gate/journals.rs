//! How many changes are between the record of their intent and that of their outcome. A call that was given up is no longer under way
//! while its change is: whoever ends the program waits for these, too.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// Counts them. Clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journals(Arc<watch::Sender<usize>>);

/// One of them; it counts until it is dropped.
#[derive(Debug)]
pub(super) struct Journal(Journals);

impl Journals {
    pub(super) fn begin(&self) -> Journal {
        self.0.send_modify(|count| *count += 1);
        Journal(self.clone())
    }

    /// Waits until there is none, and says whether that came in time.
    pub(crate) async fn none_within(&self, time: Duration) -> bool {
        let mut count = self.0.subscribe();
        let waited = tokio::time::timeout(time, count.wait_for(|count| *count == 0)).await;
        waited.is_ok_and(|none| none.is_ok())
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let Journals(count) = &self.0;
        count.send_modify(|count| *count = count.saturating_sub(1));
    }
}
