//! What people call connections, for what names them by their ids: rules, and the log.

use std::collections::BTreeMap;

use anyhow::Result;
use portcullis_store::Store;

use crate::show::table::shown;

/// The labels of the connections that are there, by their ids.
#[derive(Clone, Debug, Default)]
pub(crate) struct Labels(BTreeMap<String, String>);

impl Labels {
    /// Reads them.
    pub(crate) async fn of(store: &Store) -> Result<Self> {
        let connections = store.connections().await?.into_iter();
        let labels = connections.map(|one| (one.id.to_string(), one.label));
        Ok(Self(labels.collect()))
    }

    /// Gives a connection's label; none where it is gone.
    pub(crate) fn get(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(String::as_str)
    }

    /// Names a connection for people.
    pub(crate) fn name(&self, id: &str) -> String {
        format!("`{}`", shown(self.get(id).unwrap_or(id)))
    }

    /// Puts labels into the name of a rule, which has ids.
    pub(crate) fn in_words(&self, rule: &str) -> String {
        let named = self.0.keys().find(|id| rule.contains(id.as_str()));
        match named {
            Some(id) => rule.replace(id.as_str(), &self.name(id)),
            None => rule.to_owned(),
        }
    }
}
