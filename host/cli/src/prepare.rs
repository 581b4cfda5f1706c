//! What a start does beside opening the store: it makes the sandbox, and takes up what is remembered of the connectors that the program
//! carries.

use anyhow::Result;
use portcullis::{ComponentCache, Inspected, Limits, Sandbox};
use tokio::task::JoinHandle;

use crate::bundled;

/// A sandbox that is being made, by another thread. Nothing there waits for the runtime: the program may end meanwhile.
pub(crate) struct Preparing(JoinHandle<Result<Prepared>>);

/// A sandbox, and the carried connectors that need not be inspected any more.
pub(crate) struct Prepared {
    pub(crate) sandbox: Sandbox,
    pub(crate) inspected: Vec<Inspected>,
}

impl Preparing {
    /// Begins.
    pub(crate) fn begin(cache: ComponentCache) -> Self {
        Self(tokio::task::spawn_blocking(move || {
            let sandbox = Sandbox::new(Limits::default(), cache)?;
            let carried = bundled::carried()?.into_iter();
            let inspected =
                carried.filter_map(|(_, built_in)| sandbox.inspected_before(built_in.digest));
            Ok(Prepared {
                inspected: inspected.collect(),
                sandbox,
            })
        }))
    }

    /// Waits for it.
    pub(crate) async fn ready(self) -> Result<Prepared> {
        self.0.await?
    }
}
