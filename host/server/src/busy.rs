//! What is under way, so that a server that ends can wait for it.

use std::sync::Arc;

use tokio::sync::watch;

/// Counts what is under way. Clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Busy(Arc<watch::Sender<State>>);

#[derive(Clone, Copy, Debug, Default)]
struct State {
    under_way: usize,
    ends: bool,
}

/// Something that is under way, until this is dropped.
#[derive(Debug)]
pub(crate) struct UnderWay(Busy);

impl Busy {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(State::default())))
    }

    /// Begins something; none where nothing new begins any more.
    pub(crate) fn begin(&self) -> Option<UnderWay> {
        let began = self.0.send_if_modified(|state| {
            if !state.ends {
                state.under_way += 1;
            }
            !state.ends
        });
        began.then(|| UnderWay(self.clone()))
    }

    /// Lets nothing new begin, and waits until all of it is done.
    pub(crate) async fn end(&self) {
        self.0.send_modify(|state| state.ends = true);
        let mut state = self.0.subscribe();
        // The sender is `self`, so it cannot be gone.
        let _ = state.wait_for(|state| state.under_way == 0).await;
    }

    /// Waits until nothing new begins.
    pub(crate) async fn told_to_end(&self) {
        let mut state = self.0.subscribe();
        let _ = state.wait_for(|state| state.ends).await;
    }

    /// Says whether nothing new begins.
    pub(crate) fn ends(&self) -> bool {
        self.0.borrow().ends
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| state.under_way -= 1);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_waits_for_what_is_under_way_and_lets_nothing_begin() {
        let busy = Busy::new();
        let one = busy.begin().unwrap();
        let other = busy.begin().unwrap();
        let ends = busy.end();
        tokio::pin!(ends);
        assert!(futures_are_pending(&mut ends).await);
        assert!(busy.begin().is_none() && busy.ends());
        drop(one);
        assert!(futures_are_pending(&mut ends).await);
        drop(other);
        ends.await;
    }

    async fn futures_are_pending(future: &mut (impl Future<Output = ()> + Unpin)) -> bool {
        tokio::select! {
            biased;
            () = future => false,
            () = std::future::ready(()) => true,
        }
    }
}
