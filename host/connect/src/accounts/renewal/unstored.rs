//! Tokens that the store has not taken yet.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use portcullis::ports::credentials::Token;
use portcullis_policy::ConnectionId;

/// The access tokens of this process that are newer than the store's.
#[derive(Default)]
pub(super) struct Unstored(Mutex<HashMap<ConnectionId, Token>>);

impl Unstored {
    pub(super) fn get(&self, id: &ConnectionId) -> Option<Token> {
        self.lock().get(id).cloned()
    }

    pub(super) fn put(&self, id: &ConnectionId, token: Token) {
        self.lock().insert(id.clone(), token);
    }

    pub(super) fn remove(&self, id: &ConnectionId) {
        self.lock().remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ConnectionId, Token>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
