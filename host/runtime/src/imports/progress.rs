//! `progress`: how far a call is, and whether anyone still waits for it.

use super::bounded;
use crate::bindings::contract::progress::Host;
use crate::linker::PortcullisCtxView;
use crate::reply::Progress;

impl Host for PortcullisCtxView<'_> {
    async fn report(
        &mut self,
        done: u32,
        total: Option<u32>,
        message: String,
    ) -> wasmtime::Result<()> {
        if let Some(progress) = &self.ctx.scope.progress {
            // A full or closed channel: nobody takes it, and the contract lets it be dropped.
            let _ = progress.try_send(Progress {
                done,
                total,
                message: bounded(message),
            });
        }
        Ok(())
    }

    async fn cancelled(&mut self) -> wasmtime::Result<bool> {
        Ok(self.ctx.scope.cancellation.is_cancelled())
    }
}
