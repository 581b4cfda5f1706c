//! What is not in the state file yet.

use std::collections::BTreeSet;

/// The keys of what was written since it was last saved, be it to what it was before; nothing is
/// remembered where there is no state file.
#[derive(Debug, Clone)]
pub(crate) struct Unsaved<K>(Option<BTreeSet<K>>);

impl<K> Default for Unsaved<K> {
    fn default() -> Self {
        Self(None)
    }
}

impl<K: Ord> Unsaved<K> {
    /// Begins to remember: at first, what is not saved already.
    pub(crate) fn begin(&mut self, unsaved: impl IntoIterator<Item = K>) {
        self.0 = Some(unsaved.into_iter().collect());
    }

    /// Remembers that something was written.
    pub(crate) fn mark(&mut self, key: impl FnOnce() -> K) {
        if let Some(keys) = &mut self.0 {
            keys.insert(key());
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(BTreeSet::is_empty)
    }

    /// Gives what was written since this was asked last.
    pub(crate) fn take(&mut self) -> BTreeSet<K> {
        let keys = self.0.as_mut().map(std::mem::take);
        keys.unwrap_or_default()
    }

    /// Takes back what could not be saved.
    pub(crate) fn put_back(&mut self, failed: BTreeSet<K>) {
        if let Some(keys) = &mut self.0 {
            keys.extend(failed);
        }
    }
}
