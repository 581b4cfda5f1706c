//! What is decided at the command line, and written into the audit log as it is: without its record nothing is decided.

use anyhow::Result;
use portcullis_store::{By, Change, Deciding, Door, Removed, StoreAudit, StoreError};

use crate::activity;
use crate::environment;
use crate::home::Session;

impl Session {
    /// Says who decides.
    pub(crate) fn by(&self) -> By {
        By {
            person: self.me.id.clone(),
            user: environment::user(),
            door: Door::CommandLine,
        }
    }

    /// Makes changes, and says whether any of them was something else than what there was. Gives what is to be revoked.
    pub(crate) async fn apply(&self, changes: &[Change]) -> Result<(bool, Vec<Removed>)> {
        let log = self.log().await?;
        let done = log.apply(&self.by(), changes).await;
        log.close().await?;
        Ok(done?)
    }

    /// Makes one change, and says whether it was something else than what there was.
    pub(crate) async fn change(&self, change: Change) -> Result<bool> {
        Ok(self.apply(&[change]).await?.0)
    }

    /// Does what somebody decides.
    pub(crate) async fn deciding<T, E: From<StoreError> + Into<anyhow::Error>>(
        &self,
        what: Deciding,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T> {
        self.deciding_all([what], work).await
    }

    /// Does what somebody decides on several things at once.
    pub(crate) async fn deciding_all<T, E: From<StoreError> + Into<anyhow::Error>>(
        &self,
        what: impl IntoIterator<Item = Deciding>,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T> {
        let log = self.log().await?;
        let done = log.deciding(&self.by(), what, work).await;
        log.close().await?;
        done.map_err(Into::into)
    }

    /// Opens the log, to write to it.
    pub(crate) async fn log(&self) -> Result<StoreAudit> {
        let log = StoreAudit::open(self.store.clone()).await?;
        activity::say_cut_off(log.cut_off())?;
        Ok(log)
    }
}
