//! The active version of each connector. Readers never wait: a call takes the version that is active when it
//! begins, and keeps it to its end.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use portcullis_policy::ConnectorName;

use crate::bindings::ConnectorPre;
use crate::connector::Connector;
use crate::state::State;

/// A version of a connector, ready to be instantiated.
pub(crate) struct Version {
    pub(crate) connector: Arc<Connector>,
    pub(crate) program: ConnectorPre<State>,
}

/// The active versions.
#[derive(Default)]
pub(crate) struct Registry {
    active: ArcSwap<HashMap<ConnectorName, Arc<Version>>>,
}

impl Registry {
    /// Gives the active version.
    pub(crate) fn get(&self, name: &ConnectorName) -> Option<Arc<Version>> {
        self.active.load().get(name).cloned()
    }

    /// Gives all active versions, by name.
    pub(crate) fn all(&self) -> Vec<Arc<Version>> {
        let active = self.active.load();
        let mut all: Vec<Arc<Version>> = active.values().cloned().collect();
        all.sort_by(|a, b| {
            a.connector
                .manifest()
                .name
                .cmp(&b.connector.manifest().name)
        });
        all
    }

    /// Makes a version the active one; calls under way finish on the one before, which is returned.
    pub(crate) fn activate(&self, version: Arc<Version>) -> Option<Arc<Version>> {
        let name = version.connector.manifest().name.clone();
        let before = self.active.rcu(|active| {
            let mut active = HashMap::clone(active);
            active.insert(name.clone(), version.clone());
            active
        });
        before.get(&name).cloned()
    }

    /// Takes the active version of a name away; calls under way finish on it.
    pub(crate) fn deactivate(&self, name: &ConnectorName) -> Option<Arc<Version>> {
        let before = self.active.rcu(|active| {
            let mut active = HashMap::clone(active);
            active.remove(name);
            active
        });
        before.get(name).cloned()
    }
}
