//! A refusal that is on its way to a client.
//!
//! The attack: a client that sends what is refused, and reads slowly or nothing. Whoever reads of it may stop in the middle of telling it,
//! and what was refused would get half an answer or none; so that is a task of its own, and until it is over nothing further is read.

use std::fmt::Display;

use tokio::task::JoinHandle;

/// The refusal that is on its way, if there is one.
#[derive(Debug, Default)]
pub(crate) struct Refusing(Option<JoinHandle<()>>);

impl Refusing {
    /// Sends a refusal to its end. The one before is over.
    pub(crate) fn begin<E: Display>(
        &mut self,
        sending: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        self.0 = Some(tokio::spawn(async move {
            if let Err(error) = sending.await {
                tracing::debug!(%error, "a refusal was not told");
            }
        }));
    }

    /// Waits until it is told. Whoever waits may stop, and wait again.
    pub(crate) async fn told(&mut self) {
        if let Some(sending) = &mut self.0 {
            // Where it broke, so does what follows.
            let _ = sending.await;
            self.0 = None;
        }
    }
}
