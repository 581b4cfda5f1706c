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

/// What calls asked of the file.
#[derive(Debug)]
pub(crate) struct Remembered {
    moments: Moments,
    kept: Mutex<Kept>,
}

/// What was answered, all of one moment.
#[derive(Debug, Default)]
struct Kept {
    at: Option<Moment>,
    answers: Answers,
}

/// What was answered to each kind of question.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// What was decided on an agent's use of a component of a connector, and whether the program carries that.
    pub(crate) policies: HashMap<(Caller, ConnectorName, Digest, bool), Option<Arc<AgentPolicy>>>,
    /// Which connection a call acts for.
    pub(crate) found: HashMap<(Caller, ConnectorName), Arc<Found>>,
    /// Access tokens.
    pub(crate) tokens: HashMap<ConnectionId, Token>,
    /// Whose a person's token is, by its digest.
    pub(crate) people: HashMap<Digest, Option<FoundToken>>,
    /// The agents that there are, and what each has.
    pub(crate) agents: HashMap<AgentId, Option<Agent>>,
    /// Whether any answer is kept for a caller.
    pub(crate) kept_answers: HashMap<Caller, bool>,
}

impl Remembered {
    pub(crate) fn of(moments: Moments) -> Self {
        Self {
            moments,
            kept: Mutex::default(),
        }
    }

    /// Forgets what is not of this moment, secrets among it.
    pub(crate) fn tidy(&self) {
        drop(self.kept(self.moments.now()));
    }

    /// Forgets everything.
    pub(crate) fn forget(&self) {
        drop(self.kept(None));
    }

    /// Gives what is kept, which is of this moment: what is of another is forgotten.
    fn kept(&self, at: Option<Moment>) -> MutexGuard<'_, Kept> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.at != at {
            *kept = Kept {
                at,
                answers: Answers::default(),
            };
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
        of: fn(&mut Answers) -> &mut HashMap<K, V>,
        key: K,
        read: impl Future<Output = Result<V, StoreError>>,
    ) -> Result<V, StoreError> {
        let memory = self.memory();
        let before = memory.moments.now();
        if let Some(answer) = of(&mut memory.kept(before).answers).get(&key) {
            return Ok(answer.clone());
        }
        let answer = read.await?;
        // Only what was read while nothing was committed is surely of that moment.
        if before.is_some() && memory.moments.now() == before {
            let mut kept = memory.kept(before);
            let answers = of(&mut kept.answers);
            if answers.len() >= KEPT_MAX {
                answers.clear();
            }
            answers.insert(key, answer.clone());
        }
        Ok(answer)
    }
}
