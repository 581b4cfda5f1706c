//! What administrators decided on agents: rules, scopes, trust, the tools that were seen, and which versions of connectors are active.
//!
//! The attack: whoever can write to the file adds a rule that loosens, takes one away that restricts, trusts a connector, or puts back
//! what was decided before. So all of it is one value, sealed together with a generation that every decision makes one higher. Of what
//! is sealed nothing can be altered, added or left out; a value that does not open, or that is missing, is no decision at all, and
//! every call is refused until an administrator [begins anew](Store::begin_decisions_anew) or the store is put back.
//!
//! What is promised of an *older* value that is put back in whole:
//!
//! - a program refuses each generation that is lower than one which it has met itself;
//! - the audit log, whose files are not in the database, has the generation of each decision that was made with it, and a program that
//!   writes the log refuses what is lower than that, from its start on. It is told by the log's index, which `audit verify` holds to the log.
//!
//! What is not: somebody who takes back the database *and* the log's files to the same earlier moment is not noticed here, nor at a first
//! start after decisions that were made without the log, or after the log was begun anew. And what is not in here is not sealed by it: people and their roles, groups,
//! which connectors an agent has, and with whom connections are shared.
//!
//! A call looks at the generation and the ends of the sealed value, in the statement that it asks for its connection anyway. While they
//! are those that this program opened last, what was opened then is used: it is never anything that was not sealed.

mod before;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use portcullis_policy::{
    AgentId, ConnectionId, ConnectorName, Digest, Effect, Level, PersonId, Scope, ToolName,
    ToolRule,
};
use serde::{Deserialize, Serialize};
use sqlx::{Row, SqliteConnection};

use crate::error::StoreError;
use crate::seal::Place;
use crate::store::Store;
use crate::tool_rules::KeptRule;

pub(crate) use before::take_over;

/// Bytes at the ends of a sealed value that tell it from every other: its version and nonce, and its tag (`seal.rs`).
const BEGINS: usize = 13;
const ENDS: usize = 16;

/// What administrators decided.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Decisions {
    rules: Vec<KeptRule>,
    pub(crate) scopes: BTreeMap<AgentId, BTreeMap<ConnectorName, Scope>>,
    /// The tools that an administrator has seen, and how far each reached then.
    pub(crate) seen: BTreeMap<ConnectorName, BTreeMap<ToolName, Effect>>,
    pub(crate) trust: BTreeMap<ConnectorName, Trust>,
    /// Agents whose clients are trusted to ask their person.
    pub(crate) clients: BTreeSet<AgentId>,
    /// The version of each connector that was made active last.
    pub(crate) versions: BTreeMap<ConnectorName, Active>,
}

/// Which components of a connector are trusted to ask about what the host cannot see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Trust {
    /// What was said of the one that the program carries, whichever that is.
    pub(crate) carried: Option<bool>,
    /// Others: each by itself, for another one is other code.
    pub(crate) these: BTreeSet<Digest>,
}

/// A version that was made active, and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Active {
    pub(crate) digest: Digest,
    pub(crate) position: i64,
}

impl Decisions {
    /// Gives the rules, in the order of their levels.
    pub(crate) fn rules(&self) -> Result<Vec<ToolRule>, StoreError> {
        let rules = self.rules.iter().map(KeptRule::rule);
        let mut rules: Vec<ToolRule> = rules.collect::<Result<_, _>>()?;
        rules.sort();
        Ok(rules)
    }

    /// Gives the rules that may be about an agent's calls at a connector.
    pub(crate) fn rules_for(
        &self,
        agent: &AgentId,
        connector: &ConnectorName,
    ) -> Result<Vec<ToolRule>, StoreError> {
        let may_be = |rule: &&KeptRule| rule.may_be_for(agent, connector);
        self.rules
            .iter()
            .filter(may_be)
            .map(KeptRule::rule)
            .collect()
    }

    /// Makes a rule, in place of one for the same tools at the same level.
    pub(crate) fn put_rule(&mut self, rule: &ToolRule) {
        let new = KeptRule::of(rule);
        match self.rules.iter_mut().find(|one| one.is_in_place_of(&new)) {
            Some(one) => *one = new,
            None => self.rules.push(new),
        }
    }

    /// Takes the rules away that a test fits.
    pub(crate) fn remove_rules(&mut self, mut goes: impl FnMut(&KeptRule) -> bool) {
        self.rules.retain(|rule| !goes(rule));
    }

    /// Forgets an agent, with what was decided on it alone.
    pub(crate) fn forget_agent(&mut self, agent: &AgentId) {
        let level = Level::Agent(agent.clone());
        self.remove_rules(|rule| rule.is_at(&level));
        self.scopes.remove(agent);
        self.clients.remove(agent);
    }

    /// Says what was decided on an agent alone, for the log.
    pub(crate) fn words_of_agent(&self, agent: &AgentId) -> String {
        let level = Level::Agent(agent.clone());
        let rules = self.rules.iter().filter(|rule| rule.is_at(&level)).count();
        let scopes = self.scopes.get(agent).map_or(0, BTreeMap::len);
        format!("an agent with {rules} rules of its own and {scopes} scopes")
    }

    /// Says which rules a level has, for the log; none: it has none.
    pub(crate) fn words_at(&self, level: &Level) -> Option<String> {
        let rules = self.rules.iter().filter(|rule| rule.is_at(level));
        let mut words: Vec<String> = rules.map(KeptRule::words).collect();
        words.sort();
        (!words.is_empty()).then(|| words.join(", "))
    }

    /// Forgets a person, with the rules for their own accounts.
    pub(crate) fn forget_person(&mut self, person: &PersonId) {
        let level = Level::Own(person.clone());
        self.remove_rules(|rule| rule.is_at(&level));
    }

    /// Forgets a shared connection, with its rules.
    pub(crate) fn forget_connection(&mut self, connection: &ConnectionId) {
        let level = Level::Shared(connection.clone());
        self.remove_rules(|rule| rule.is_at(&level));
    }

    /// Says whether a component is trusted; `is_carried` says that it is the one that the program carries.
    pub(crate) fn trusts(
        &self,
        connector: &ConnectorName,
        component: Digest,
        is_carried: bool,
    ) -> bool {
        let trust = self.trust.get(connector);
        match is_carried {
            true => trust.and_then(|trust| trust.carried).unwrap_or(true),
            false => trust.is_some_and(|trust| trust.these.contains(&component)),
        }
    }
}

/// What this program has opened, and how far it knows that decisions had come.
#[derive(Debug, Default)]
pub(crate) struct Known {
    floor: AtomicI64,
    opened: RwLock<Option<Opened>>,
}

#[derive(Debug)]
struct Opened {
    mark: Mark,
    decisions: Arc<Decisions>,
}

/// What tells one sealed value from another, without the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) generation: i64,
    pub(crate) begins: Vec<u8>,
    pub(crate) ends: Vec<u8>,
}

/// A row of the table.
struct Kept {
    generation: i64,
    sealed: Vec<u8>,
    key: i64,
}

impl Kept {
    fn mark(&self) -> Mark {
        let begins = &self.sealed[..self.sealed.len().min(BEGINS)];
        let ends = &self.sealed[self.sealed.len().saturating_sub(ENDS)..];
        Mark {
            generation: self.generation,
            begins: begins.to_vec(),
            ends: ends.to_vec(),
        }
    }
}

impl Known {
    /// Gives what was opened under a mark, if that was the last.
    pub(crate) fn under(&self, mark: &Mark) -> Option<Arc<Decisions>> {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        let opened = opened.as_ref().filter(|opened| opened.mark == *mark)?;
        Some(Arc::clone(&opened.decisions))
    }

    fn require(&self, generation: i64) -> Result<(), StoreError> {
        match self.floor.load(Ordering::Acquire) {
            floor if generation < floor => Err(StoreError::Decisions(format!(
                "those of generation {generation} were put back, and there were those of {floor}"
            ))),
            _ => Ok(()),
        }
    }
}

impl Store {
    /// Gives what is decided now.
    pub(crate) async fn decided(&self) -> Result<Arc<Decisions>, StoreError> {
        let mut tx = self.read().await?;
        self.decided_at(&mut tx).await
    }

    /// Gives what is decided at the moment of a transaction that only reads, and keeps it.
    pub(crate) async fn decided_at(
        &self,
        tx: &mut SqliteConnection,
    ) -> Result<Arc<Decisions>, StoreError> {
        let kept = row(tx).await?.ok_or_else(missing)?;
        let (known, mark) = (self.known(), kept.mark());
        known.require(kept.generation)?;
        if let Some(decisions) = known.under(&mark) {
            return Ok(decisions);
        }
        let decisions = Arc::new(open(self, tx, &kept).await?);
        known.floor.fetch_max(mark.generation, Ordering::AcqRel);
        let opened = Opened {
            mark,
            decisions: Arc::clone(&decisions),
        };
        *known.opened.write().unwrap_or_else(PoisonError::into_inner) = Some(opened);
        Ok(decisions)
    }

    /// Gives what is decided, in a transaction that may have decided something itself.
    pub(crate) async fn decided_in(
        &self,
        tx: &mut SqliteConnection,
    ) -> Result<Decisions, StoreError> {
        let kept = row(tx).await?.ok_or_else(missing)?;
        self.known().require(kept.generation)?;
        open(self, tx, &kept).await
    }

    /// Decides something in a transaction, and says whether that changed anything.
    pub(crate) async fn decide(
        &self,
        tx: &mut SqliteConnection,
        change: impl FnOnce(&mut Decisions),
    ) -> Result<bool, StoreError> {
        let before = self.decided_in(tx).await?;
        let mut after = before.clone();
        change(&mut after);
        if after == before {
            return Ok(false);
        }
        let generation = row(tx).await?.map_or(0, |kept| kept.generation);
        put(self, tx, generation + 1, &after).await?;
        Ok(true)
    }

    /// Forgets in a transaction what was decided on something that goes. Where decisions do not open there is nothing to forget: they
    /// have to be begun anew, and what goes must not wait for that.
    pub(crate) async fn forget_decided(
        &self,
        tx: &mut SqliteConnection,
        forget: impl FnOnce(&mut Decisions),
    ) -> Result<(), StoreError> {
        match self.decide(tx, forget).await {
            Ok(_) | Err(StoreError::Decisions(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Gives the generation of what is decided, which must be in order.
    pub(crate) async fn decided_generation(&self) -> Result<i64, StoreError> {
        let mut tx = self.read().await?;
        let kept = row(&mut tx).await?.ok_or_else(missing)?;
        self.known().require(kept.generation)?;
        open(self, &mut tx, &kept).await?;
        Ok(kept.generation)
    }

    /// Says how far this program knows that decisions have come, also where what there is now is not in order.
    pub(crate) async fn decided_so_far(&self) -> i64 {
        let now = self.decided_generation().await.unwrap_or(0);
        now.max(self.known().floor.load(Ordering::Acquire))
    }

    /// Takes note that decisions had come this far: what is older is refused from now on.
    pub(crate) fn require_decided(&self, generation: i64) {
        self.known().floor.fetch_max(generation, Ordering::AcqRel);
        // It is not only what is in the file that decides whether it is taken.
        self.memory().forget();
    }

    /// Says whether an agent has rules or a scope of its own, which go with it.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn decided_on_agent(&self, agent: &AgentId) -> Result<bool, StoreError> {
        let decisions = match self.decided().await {
            Ok(decisions) => decisions,
            // What cannot be read may be anything.
            Err(StoreError::Decisions(_)) => return Ok(true),
            Err(error) => return Err(error),
        };
        let level = Level::Agent(agent.clone());
        let has_rule = decisions.rules.iter().any(|rule| rule.is_at(&level));
        Ok(has_rule || decisions.scopes.contains_key(agent))
    }

    /// Gives the rules of a connection or a person in words, which go with it; none: it has none.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn rules_that_go(&self, level: &Level) -> Result<Option<String>, StoreError> {
        match self.decided().await {
            Ok(decisions) => Ok(decisions.words_at(level)),
            // What cannot be read may be anything.
            Err(StoreError::Decisions(_)) => Ok(Some("rules that cannot be read".to_owned())),
            Err(error) => Err(error),
        }
    }

    /// Begins without any decision, where those that there are do not open or were put back. So that nothing is wider by it, no
    /// agent has a connector until it is given one again, with what it asked, what passes for it and what waits for it ended, and no
    /// installed version is used until it is installed again.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn begin_decisions_anew(&self) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let before = row(&mut tx).await?.map_or(0, |kept| kept.generation);
        let generation = before.max(self.known().floor.load(Ordering::Acquire)) + 1;
        sqlx::query("DELETE FROM agent_connectors")
            .execute(&mut *tx)
            .await?;
        crate::approvals::end_all(&mut tx, self.now()).await?;
        put(self, &mut tx, generation, &Decisions::default()).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Writes the first decisions of a store, in the transaction that makes it.
async fn begin(
    store: &Store,
    tx: &mut SqliteConnection,
    decisions: &Decisions,
) -> Result<(), StoreError> {
    put(store, tx, 1, decisions).await
}

async fn put(
    store: &Store,
    tx: &mut SqliteConnection,
    generation: i64,
    decisions: &Decisions,
) -> Result<(), StoreError> {
    let text = serde_json::to_vec(decisions)
        .map_err(|error| StoreError::damaged("decisions", "new", error))?;
    let place = [ID, &generation.to_string()];
    let sealed = store.seal(tx, place_of(&place), &text).await?;
    sqlx::query(
        "INSERT INTO decisions (id, generation, sealed, sealed_key) VALUES (1, ?1, ?2, ?3) \
         ON CONFLICT DO UPDATE SET generation = excluded.generation, sealed = excluded.sealed, \
             sealed_key = excluded.sealed_key",
    )
    .bind(generation)
    .bind(sealed.bytes)
    .bind(sealed.key)
    .execute(tx)
    .await?;
    Ok(())
}

async fn row(tx: &mut SqliteConnection) -> Result<Option<Kept>, StoreError> {
    let row = sqlx::query("SELECT generation, sealed, sealed_key FROM decisions WHERE id = 1")
        .fetch_optional(tx)
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    Ok(Some(Kept {
        generation: row.try_get(0)?,
        sealed: row.try_get(1)?,
        key: row.try_get(2)?,
    }))
}

async fn open(
    store: &Store,
    tx: &mut SqliteConnection,
    kept: &Kept,
) -> Result<Decisions, StoreError> {
    let wrong = |_| StoreError::Decisions("they were altered, or put there by another".to_owned());
    let key = store.keys().get(tx, kept.key).await?;
    let place = [ID, &kept.generation.to_string()];
    let text = key.open(place_of(&place), &kept.sealed).map_err(wrong)?;
    serde_json::from_slice(&text)
        .map_err(|_| StoreError::Decisions("another version of this program wrote them".to_owned()))
}

fn missing() -> StoreError {
    StoreError::Decisions("they were taken away".to_owned())
}

/// The row's id, as a part of its place.
const ID: &str = "1";

fn place_of<'a>(row: &'a [&'a str]) -> Place<'a> {
    Place {
        table: "decisions",
        column: "sealed",
        row,
    }
}
