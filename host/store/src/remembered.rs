//! What was read of the file, until somebody commits to it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis::ports::Caller;
use portcullis::ports::credentials::Token;
use portcullis_policy::{AgentId, AgentPolicy, ConnectionId, ConnectorName, Digest};

use sqlx::AssertSqlSafe;

use crate::agents::Agent;
use crate::error::StoreError;
use crate::moment::{Moment, Moments};
use crate::person_token::FoundToken;
use crate::sharing::Found;
use crate::store::Store;

/// Answers that are kept to one kind of question. When there are as many, it is begun anew: so many callers at once are rare.
const KEPT_MAX: usize = 1_024;

/// What a call asks of the file.
#[derive(Debug)]
pub(crate) struct Remembered {
    moments: Moments,
    /// What was decided on an agent's use of a component of a connector, and whether the program carries that.
    pub(crate) policies: Memory<(Caller, ConnectorName, Digest, bool), Option<Arc<AgentPolicy>>>,
    /// Which connection a call acts for.
    pub(crate) found: Memory<(Caller, ConnectorName), Arc<Found>>,
    /// Access tokens.
    pub(crate) tokens: Memory<ConnectionId, Token>,
    /// Whose a person's token is, by its digest.
    pub(crate) people: Memory<Digest, Option<FoundToken>>,
    /// The agents that there are, and what each has.
    pub(crate) agents: Memory<AgentId, Option<Agent>>,
    /// Whether any answer is kept for a caller.
    pub(crate) answers: Memory<Caller, bool>,
}

impl Remembered {
    pub(crate) fn of(moments: Moments) -> Self {
        Self {
            moments,
            policies: Memory::default(),
            found: Memory::default(),
            tokens: Memory::default(),
            people: Memory::default(),
            agents: Memory::default(),
            answers: Memory::default(),
        }
    }

    /// Forgets what is not of this moment, secrets among it.
    pub(crate) fn tidy(&self) {
        self.keep(self.moments.now());
    }

    /// Forgets everything.
    pub(crate) fn forget(&self) {
        self.keep(None);
    }

    fn keep(&self, of: Option<Moment>) {
        drop(self.policies.kept(of));
        drop(self.found.kept(of));
        drop(self.tokens.kept(of));
        drop(self.people.kept(of));
        drop(self.agents.kept(of));
        drop(self.answers.kept(of));
    }
}

/// Answers to one kind of question, all of one moment.
#[derive(Debug)]
pub(crate) struct Memory<K, V>(Mutex<Kept<K, V>>);

#[derive(Debug)]
struct Kept<K, V> {
    at: Option<Moment>,
    answers: HashMap<K, V>,
}

impl<K, V> Default for Memory<K, V> {
    fn default() -> Self {
        Self(Mutex::new(Kept {
            at: None,
            answers: HashMap::new(),
        }))
    }
}

impl<K: Eq + Hash, V: Clone> Memory<K, V> {
    /// Forgets everything.
    pub(crate) fn forget(&self) {
        self.kept(None).answers.clear();
    }

    /// Gives what is kept, which is of this moment: what is of another is forgotten.
    fn kept(&self, at: Option<Moment>) -> MutexGuard<'_, Kept<K, V>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.at != at {
            kept.at = at;
            kept.answers.clear();
        }
        kept
    }
}

impl Store {
    /// Remembers from now on what calls ask of it, if it can be shown that commits are noticed here. It commits once, for that.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn remember(&self) -> Result<(), StoreError> {
        let commit = async {
            let mut tx = self.write().await?;
            let times: i32 = sqlx::query_scalar("PRAGMA user_version")
                .fetch_one(&mut *tx)
                .await?;
            // Whose only meaning is that it is another one.
            let set = format!("PRAGMA user_version = {}", times.wrapping_add(1));
            sqlx::query(AssertSqlSafe(set)).execute(&mut *tx).await?;
            Ok(tx.commit().await?)
        };
        self.memory().moments.show(commit).await
    }

    /// Gives what was read before, or reads it. What `read` gives must depend on `key` and what is in the file alone; what ends at a time
    /// the caller looks at again.
    pub(crate) async fn remembered<K: Eq + Hash, V: Clone>(
        &self,
        memory: &Memory<K, V>,
        key: K,
        read: impl Future<Output = Result<V, StoreError>>,
    ) -> Result<V, StoreError> {
        let moments = &self.memory().moments;
        let before = moments.now();
        if let Some(answer) = memory.kept(before).answers.get(&key) {
            return Ok(answer.clone());
        }
        let answer = read.await?;
        // Only what was read while nothing was committed is surely of that moment.
        if before.is_some() && moments.now() == before {
            let mut kept = memory.kept(before);
            if kept.answers.len() >= KEPT_MAX {
                kept.answers.clear();
            }
            kept.answers.insert(key, answer.clone());
        }
        Ok(answer)
    }
}
