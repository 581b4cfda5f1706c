//! What a start does beside opening the store: it makes the sandbox, and inspects the connectors that the program carries.

use anyhow::Result;
use portcullis::{ComponentCache, Inspected, Limits, Sandbox};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::bundled;

/// A sandbox that is being made, by another thread.
pub(crate) struct Preparing(JoinHandle<Result<Prepared>>);

/// A sandbox, and what was inspected in it.
pub(crate) struct Prepared {
    pub(crate) sandbox: Sandbox,
    pub(crate) inspected: Vec<Inspected>,
}

impl Preparing {
    /// Begins.
    pub(crate) fn begin(cache: ComponentCache) -> Self {
        let runtime = Handle::current();
        // On a thread of its own: where the program has but one, opening the store would wait for this.
        Self(tokio::task::spawn_blocking(move || {
            let sandbox = Sandbox::new(Limits::default(), cache)?;
            let mut inspected = Vec::new();
            for (_, built_in) in bundled::carried()? {
                // One that cannot be used is said where it is taken over.
                inspected.extend(runtime.block_on(sandbox.inspect_built_in(built_in)).ok());
            }
            Ok(Prepared { sandbox, inspected })
        }))
    }

    /// Waits for it.
    pub(crate) async fn ready(self) -> Result<Prepared> {
        self.0.await?
    }
}
