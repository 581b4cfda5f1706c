//! The log as it is read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::error::{AuditError, Fault, Finding};
use super::filter::Filter;
use super::heads::{self, Kept};
use super::index::{Index, NoteLine};
use super::keys::LogKeys;
use super::lines::Line;
use super::read::Reader;
use super::row::CallRow;
use crate::error::StoreError;
use crate::private;
use crate::store::Store;

/// The log, to be read. Clones share everything.
#[derive(Clone, Debug)]
pub struct Activity {
    pub(super) inner: Arc<Reading>,
}

#[derive(Debug)]
pub(super) struct Reading {
    pub(super) store: Store,
    pub(super) folder: PathBuf,
    pub(super) keys: Arc<LogKeys>,
    index: OnceCell<Index>,
}

impl Activity {
    /// Opens the log of a store. Nothing is looked at yet.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or gives no keys.
    pub async fn open(store: Store) -> Result<Self, StoreError> {
        Ok(Self {
            inner: Arc::new(Reading {
                folder: store.location().audit_folder(),
                keys: Arc::new(LogKeys::load(&store).await?),
                store,
                index: OnceCell::new(),
            }),
        })
    }

    /// Gives the folder that the log is in.
    pub fn folder(&self) -> &Path {
        &self.inner.folder
    }

    /// Lists calls, the newest first unless it is asked for otherwise; and what of the log could not be read, if anything.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub async fn calls(
        &self,
        filter: &Filter,
    ) -> Result<(Vec<CallRow>, Option<Finding>), StoreError> {
        let stopped = self.catch_up().await?;
        Ok((self.index().await?.calls(filter).await?, stopped))
    }

    /// Finds the calls whose ids begin so: none, one, or two where it is not clear which is meant.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub async fn find(&self, prefix: &str) -> Result<Vec<CallRow>, StoreError> {
        self.catch_up().await?;
        self.index().await?.find(&prefix.to_lowercase()).await
    }

    /// Reads the lines of a call, with what is sealed in them opened.
    ///
    /// # Errors
    ///
    /// [`AuditError::Broken`] where the segment that they are in is not as it was written.
    pub async fn lines(&self, call: &CallRow) -> Result<Vec<Line>, StoreError> {
        self.reader().lines(call)
    }

    /// Lists the lines that are about no call, in the order of time: what people decided, and what the log says of itself. Gives what of
    /// the log could not be read too, if anything.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub async fn notes(&self) -> Result<(Vec<NoteLine>, Option<Finding>), StoreError> {
        let stopped = self.catch_up().await?;
        Ok((self.index().await?.notes().await?, stopped))
    }

    /// Makes a reader, for the lines of many calls that are near to each other.
    pub fn reader(&self) -> Reader {
        Reader::new(self.inner.folder.clone(), Arc::clone(&self.inner.keys))
    }

    /// Takes over into the index what was written since.
    pub(super) async fn catch_up(&self) -> Result<Option<Finding>, StoreError> {
        self.inner.keys.refresh(&self.inner.store).await?;
        let (lanes, findings) = self.lanes().await?;
        let stopped = self
            .index()
            .await?
            .catch_up(&self.inner.keys, &lanes)
            .await?;
        Ok(findings.into_iter().next().or(stopped))
    }

    pub(super) async fn lanes(&self) -> Result<(BTreeMap<u32, Kept>, Vec<Finding>), StoreError> {
        heads::all(&self.inner.store, &self.inner.keys, &self.inner.folder).await
    }

    /// Gives the index, which is opened when it is first asked for.
    pub(super) async fn index(&self) -> Result<&Index, StoreError> {
        self.inner
            .index
            .get_or_try_init(async || {
                self.require_folder().await?;
                Index::open(&self.inner.folder).await
            })
            .await
    }

    /// Makes the folder of a log that nothing was written to yet. That of another log is missed.
    pub(super) async fn require_folder(&self) -> Result<(), StoreError> {
        let folder = &self.inner.folder;
        if !folder.exists() {
            let (lanes, _) = self.lanes().await?;
            if let Some((lane, _)) = lanes.iter().find(|(_, kept)| kept.head.number > 0) {
                let finding = Finding {
                    fault: Fault::NoFolder,
                    lane: *lane,
                    file: folder.clone(),
                    offset: 0,
                    record: None,
                    call: None,
                };
                return Err(AuditError::from(finding).into());
            }
        }
        Ok(private::folder(folder)?)
    }
}
