//! A host whose connectors are the store's: each program that has the store open takes over what an administrator changed there.
//!
//! What cannot be used is not taken over, and the version that runs goes on. A program that starts has none running: it does
//! without the connector then, for any other version is not what an administrator chose.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use portcullis::{BuiltIn, Connector, Host, Inspected, InstallError};
use portcullis_policy::{ConnectorName, Digest};
use tokio::sync::{Mutex, watch};

use super::ActiveVersion;
use crate::error::StoreError;
use crate::store::Store;

/// How often a program that serves looks whether something changed: one row is read then.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Why an installed version cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It is not in the store as it was put there.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is no connector that this program runs.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// It is another connector.
    #[error("the component is the connector `{0}`")]
    OtherName(ConnectorName),
}

/// Takes over from a store which versions of which connectors are active. What the program carries is used where none is installed.
pub struct StoreConnectors {
    store: Store,
    host: Host,
    built_in: BTreeMap<ConnectorName, BuiltIn>,
    taken: Mutex<Taken>,
    /// What was inspected before, for the first time that is taken over.
    inspected: Mutex<Vec<Inspected>>,
}

/// What was taken over last.
#[derive(Default)]
struct Taken {
    revision: Option<i64>,
    /// Versions that cannot be used: each is said once.
    unusable: BTreeMap<ConnectorName, Digest>,
}

impl StoreConnectors {
    /// Takes a store, a host, and what the program carries, by name.
    pub fn new(
        store: Store,
        host: Host,
        built_in: impl IntoIterator<Item = (ConnectorName, BuiltIn)>,
    ) -> Self {
        Self {
            store,
            host,
            built_in: built_in.into_iter().collect(),
            taken: Mutex::default(),
            inspected: Mutex::default(),
        }
    }

    /// Takes what the program carries that was inspected in the host's sandbox already, and need not be once more.
    #[must_use]
    pub fn with_inspected(mut self, inspected: Vec<Inspected>) -> Self {
        self.inspected = Mutex::new(inspected);
        self
    }

    /// Makes the host's connectors those of the store, and says whether that changed any. Calls under way finish on the version
    /// that they began on.
    ///
    /// What cannot be used is logged, once, and left out.
    ///
    /// # Errors
    ///
    /// When the store cannot be read, or what the program carries cannot be used; what was active stays.
    pub async fn take_over(&self) -> Result<bool, Unusable> {
        let mut taken = self.taken.lock().await;
        let (revision, wanted) = self.store.active_versions().await?;
        let mut changed = false;
        let mut unusable = BTreeMap::new();
        for version in &wanted {
            let name = &version.connector;
            if self.runs(name, version.digest) && version.granted.is_ok() {
                continue;
            }
            let usable = self.usable(version).await;
            match usable.and_then(|one| Ok(self.host.activate_accepted(one)?)) {
                Ok(_) => changed = true,
                Err(error) => {
                    if taken.unusable.get(name) != Some(&version.digest) {
                        say(version, &error, self.host.connector(name).is_some());
                    }
                    unusable.insert(name.clone(), version.digest);
                }
            }
        }
        let is_wanted = |name: &ConnectorName| wanted.iter().any(|one| one.connector == *name);
        let mut before = std::mem::take(&mut *self.inspected.lock().await);
        for (name, built_in) in &self.built_in {
            if !is_wanted(name) && !self.runs(name, built_in.digest) {
                let is_this = |one: &Inspected| one.connector().digest() == built_in.digest;
                let inspected = match before.iter().position(is_this) {
                    Some(at) => before.swap_remove(at),
                    None => self.host.inspect_built_in(*built_in).await?,
                };
                self.host.activate_accepted(inspected)?;
                changed = true;
            }
        }
        for connector in self.host.connectors() {
            let name = &connector.manifest().name;
            if !is_wanted(name) && !self.built_in.contains_key(name) {
                changed |= self.host.deactivate(name);
            }
        }
        *taken = Taken {
            revision: Some(revision),
            unusable,
        };
        Ok(changed)
    }

    /// Takes over whatever changes, for as long as it is polled. After each change of the store that may have changed the tools
    /// of an agent, `taken_over` is called, and then `changes` is told. Meanwhile the store [remembers](Store::remember) what calls ask.
    pub async fn follow(&self, changes: watch::Sender<i64>, taken_over: impl Fn(&Host) + Send) {
        if let Err(error) = self.store.remember().await {
            tracing::warn!(%error, "nothing is remembered of the store: calls are slower so");
        }
        let mut every = tokio::time::interval(LOOK_EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            match self.look().await {
                Ok(None) => {}
                Ok(Some(revision)) => {
                    taken_over(&self.host);
                    changes.send_replace(revision);
                }
                // It is asked again soon.
                Err(error) => tracing::debug!(%error, "whether connectors changed is not known"),
            }
        }
    }

    /// Takes over what changed, if anything did, and gives the revision that was taken over.
    async fn look(&self) -> Result<Option<i64>, Unusable> {
        self.store.memory().tidy();
        let now = Some(self.store.revision().await?);
        if self.taken.lock().await.revision == now {
            return Ok(None);
        }
        self.take_over().await?;
        Ok(self.taken.lock().await.revision)
    }

    fn runs(&self, name: &ConnectorName, digest: Digest) -> bool {
        let active = self.host.connector(name);
        active.is_some_and(|active| active.digest() == digest)
    }

    async fn usable(&self, version: &ActiveVersion) -> Result<Inspected, Unusable> {
        let ActiveVersion {
            connector,
            digest,
            granted,
        } = version;
        if let Err(error) = granted {
            return Err(Unusable::Store(StoreError::damaged(
                "installed version",
                &digest.short(),
                error,
            )));
        }
        inspect(&self.store, &self.host, connector, *digest).await
    }
}

/// Inspects an installed version. Where it is compiled already its bytes are not read.
pub(super) async fn inspect(
    store: &Store,
    host: &Host,
    connector: &ConnectorName,
    digest: Digest,
) -> Result<Inspected, Unusable> {
    let inspected = match host.inspect_compiled(digest).await? {
        Some(inspected) => inspected,
        None => {
            host.inspect(store.component(connector, digest).await?)
                .await?
        }
    };
    let name = &inspected.connector().manifest().name;
    match name == connector {
        true => Ok(inspected),
        false => Err(Unusable::OtherName(name.clone())),
    }
}

fn say(version: &ActiveVersion, error: &Unusable, runs: bool) {
    let name = &version.connector;
    let then = match runs {
        true => "the version before goes on",
        false => "the connector is not there",
    };
    tracing::error!(
        connector = %name,
        digest = %version.digest.short(),
        %error,
        "an installed version cannot be used: {then}; `portcullis connector rollback {name}` goes back to the one before it"
    );
}

impl Store {
    /// Inspects an installed version with a host, and activates nothing.
    ///
    /// # Errors
    ///
    /// [`Unusable`] says why it cannot be used.
    pub async fn inspect_version(
        &self,
        host: &Host,
        connector: &ConnectorName,
        digest: Digest,
    ) -> Result<Inspected, Unusable> {
        inspect(self, host, connector, digest).await
    }
}

impl fmt::Debug for StoreConnectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |connector: &std::sync::Arc<Connector>| connector.manifest().name.clone();
        let active: Vec<ConnectorName> = self.host.connectors().iter().map(names).collect();
        f.debug_struct("StoreConnectors")
            .field("active", &active)
            .finish_non_exhaustive()
    }
}
