//! What belongs to one call while it runs: shared by the guest's imports, the gate and the pipeline.
//!
//! The gate writes here what it stopped and what it sent; whatever the guest then returns, the host
//! tells the caller what is written here.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use portcullis_policy::{AgentPolicy, Change, Denied, Effect, Mode, ToolName};
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use crate::connector::Connector;
use crate::gate::{Account, Journals};
use crate::ids::{ApprovalId, CallId};
use crate::limits::Limits;
use crate::ports::audit::{Durability, Event, Record, RequestEnd};
use crate::ports::{Caller, PortError, Ports, lock};
use crate::replay::Replay;
use crate::reply::{
    ApprovalRequired, Cancellation, CitedRecord, ConnectRequired, Failure, Progress, Refusal,
    SentChange,
};

/// Records that the answer rests on of which the caller is told. All of them are in the log.
const CITED_MAX: usize = 64;

/// What a call does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// It runs a tool.
    Tool(ToolName),
    /// It asks the service who is signed in.
    Identify,
}

/// One call under way.
pub(crate) struct CallScope {
    pub(crate) id: CallId,
    pub(crate) caller: Caller,
    pub(crate) connector: Arc<Connector>,
    pub(crate) policy: Arc<AgentPolicy>,
    pub(crate) task: Task,
    pub(crate) effect: Effect,
    pub(crate) mode: Mode,
    pub(crate) arguments: Value,
    pub(crate) reason: Option<String>,
    pub(crate) replay: Replay,
    /// The approval that this is the run of.
    pub(crate) rerun_of: Option<ApprovalId>,
    pub(crate) account: Account,
    pub(crate) ports: Ports,
    pub(crate) limits: Limits,
    /// Those of all calls.
    pub(crate) journals: Journals,
    pub(crate) started: Instant,
    pub(crate) cancellation: Cancellation,
    pub(crate) progress: Option<mpsc::Sender<Progress>>,
    pub(crate) steps: Option<mpsc::Sender<String>>,
    /// What the guest gets in the token's place: random, and worth nothing.
    pub(crate) placeholder: String,
    pub(crate) course: Course,
}

/// What changes while a call runs.
#[derive(Debug, Default)]
pub(crate) struct Course {
    /// Set before the guest's store goes: a request that is not yet sent is not sent any more.
    ended: watch::Sender<bool>,
    /// How long it has waited for a person, and since when it does.
    waited: watch::Sender<Waited>,
    requests: AtomicU32,
    /// Requests that others have carried.
    carried: AtomicU32,
    entries: AtomicU32,
    /// Whether it has asked the service for anything but descriptions.
    beyond_descriptions: AtomicBool,
    received_bytes: AtomicU64,
    ledger: Mutex<Ledger>,
}

/// Time that does not count as the call's own.
#[derive(Clone, Copy, Debug, Default)]
struct Waited {
    total: Duration,
    since: Option<Instant>,
}

/// What happened at the gate.
#[derive(Debug, Default)]
struct Ledger {
    tickets: HashMap<String, Vec<Change>>,
    change_begun: bool,
    stop: Option<Stop>,
    /// Each with its request's number.
    sent: Vec<(u32, SentChange)>,
    network_problem: Option<String>,
    cited: Vec<CitedRecord>,
    /// What the host answered "no" to, where the guest has sent nothing since.
    denied: Option<Denied>,
}

/// Why the gate lets nothing more of a call pass.
#[derive(Clone, Debug)]
pub(crate) enum Stop {
    /// A request was not allowed.
    Refused(Refusal),
    /// A request waits for a person.
    Held(Box<ApprovalRequired>),
    /// The connection has ended.
    Disconnected(ConnectRequired),
    /// The token is stale, and a new one is not to be had now.
    NotRenewed(Failure),
}

impl CallScope {
    /// Adds a line to the call's account.
    ///
    /// # Errors
    ///
    /// As [`AuditLog::append`](crate::ports::AuditLog::append).
    pub(crate) async fn record(
        &self,
        event: Event,
        durability: Durability,
    ) -> Result<(), PortError> {
        let record = Record {
            call: self.id,
            at: SystemTime::now(),
            event,
        };
        self.ports.audit.append(record, durability).await
    }

    /// Counts `count` steps or sources of the connector's; false when they are too many to keep.
    pub(crate) fn admits_entries(&self, count: usize) -> bool {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let before = self
            .course
            .entries
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |entries| {
                Some(entries.saturating_add(count))
            })
            .unwrap_or(u32::MAX);
        before.saturating_add(count) <= self.limits.audit_entries_max
    }

    /// Keeps a record that the answer rests on, for the caller to be told of it; each once, and only the first of many.
    pub(crate) fn cites(&self, record: CitedRecord) {
        let cited = &mut lock(&self.course.ledger).cited;
        let is_known = cited
            .iter()
            .any(|known| known.kind == record.kind && known.id == record.id);
        if !is_known && cited.len() < CITED_MAX {
            cited.push(record);
        }
    }

    /// Takes the records that the answer rests on.
    pub(crate) fn take_cited(&self) -> Vec<CitedRecord> {
        std::mem::take(&mut lock(&self.course.ledger).cited)
    }

    /// Says how many steps and sources were dropped.
    pub(crate) fn entries_dropped(&self) -> u32 {
        let entries = self.course.entries.load(Ordering::Relaxed);
        entries.saturating_sub(self.limits.audit_entries_max)
    }

    /// Keeps that the guest gets what is not declared as a description, and may have records.
    pub(crate) fn reads_beyond_descriptions(&self) {
        self.course
            .beyond_descriptions
            .store(true, Ordering::SeqCst);
    }

    /// Says whether the call has nothing of the service but descriptions of kinds and fields, in which no record is. That a route gives no more than
    /// those is the word of the connector, which counts where it is trusted.
    pub(crate) fn only_describes(&self) -> bool {
        self.policy.is_trusted && !self.course.beyond_descriptions.load(Ordering::SeqCst)
    }

    /// Counts bytes of an answer that reach the guest.
    pub(crate) fn receives(&self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.course
            .received_bytes
            .fetch_add(bytes, Ordering::Relaxed);
    }

    /// Says how many bytes of answers reached the guest.
    pub(crate) fn received_bytes(&self) -> u64 {
        self.course.received_bytes.load(Ordering::Relaxed)
    }

    /// Keeps that the host answered "no" to what the guest asked about. The last "no" stays: after those before it the guest went on.
    pub(crate) fn denied(&self, denied: Denied) {
        lock(&self.course.ledger).denied = Some(denied);
    }

    /// Gives what the host answered "no" to, where that was the last of what it had to do with the guest: who sends a request after it
    /// went on without what was denied. None where a change was sent, or may have been: whatever came after it, that call was not refused.
    pub(crate) fn was_denied(&self) -> Option<Denied> {
        let ledger = lock(&self.course.ledger);
        let mut ends = ledger.sent.iter().map(|(_, change)| &change.end);
        let has_changed = ends.any(|end| !matches!(end, RequestEnd::NotSent(_)));
        match has_changed {
            true => None,
            false => ledger.denied.clone(),
        }
    }

    /// Gives the next request's number, from 1.
    pub(crate) fn next_request(&self) -> u32 {
        lock(&self.course.ledger).denied = None;
        self.course
            .requests
            .fetch_add(1, Ordering::SeqCst)
            .saturating_add(1)
    }

    /// Counts `count` requests that one carries, and gives how many requests there are with them: those that others carried, and all
    /// that were begun by now, for the rest of them are already let through. Of two that count at once, at least one sees the other.
    pub(crate) fn carry(&self, count: usize) -> u32 {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let before = self.course.carried.fetch_add(count, Ordering::SeqCst);
        let begun = self.course.requests.load(Ordering::SeqCst);
        before.saturating_add(count).saturating_add(begun)
    }

    /// Gives how many requests were carried by others.
    pub(crate) fn carried(&self) -> u32 {
        self.course.carried.load(Ordering::SeqCst)
    }

    /// Keeps an announcement and returns the ticket for its request.
    pub(crate) fn announce(&self, changes: Vec<Change>) -> Result<String, PortError> {
        let ticket = random_hex()?;
        lock(&self.course.ledger)
            .tickets
            .insert(ticket.clone(), changes);
        Ok(ticket)
    }

    /// Takes the announcement that a ticket stands for: it is good for one request.
    pub(crate) fn redeem(&self, ticket: &str) -> Option<Vec<Change>> {
        lock(&self.course.ledger).tickets.remove(ticket)
    }

    /// Marks that the call has come to its one change; false when it had before.
    pub(crate) fn begin_change(&self) -> bool {
        !std::mem::replace(&mut lock(&self.course.ledger).change_begun, true)
    }

    /// Stops everything that the call still wants to send. The first reason stays.
    pub(crate) fn stop(&self, stop: Stop) {
        lock(&self.course.ledger).stop.get_or_insert(stop);
    }

    /// Gives the reason why the call was stopped.
    pub(crate) fn stopped(&self) -> Option<Stop> {
        lock(&self.course.ledger).stop.clone()
    }

    /// Keeps that a change is about to be sent, and then how that ended, for the caller to be told whatever comes.
    pub(crate) fn sent(&self, request: u32, change: SentChange) {
        let sent = &mut lock(&self.course.ledger).sent;
        match sent.iter_mut().find(|(number, _)| *number == request) {
            Some((_, known)) => *known = change,
            None => sent.push((request, change)),
        }
    }

    /// Says what to do about a change that was sent and whose outcome is not known, where there is one.
    pub(crate) fn unclear(&self) -> Option<String> {
        let ledger = lock(&self.course.ledger);
        ledger.sent.iter().find_map(|(_, change)| change.unclear())
    }

    /// Takes the changes that were sent.
    pub(crate) fn take_sent(&self) -> Vec<SentChange> {
        let sent = std::mem::take(&mut lock(&self.course.ledger).sent);
        sent.into_iter().map(|(_, change)| change).collect()
    }

    /// Keeps what the network said last, for it says more than the guest is told.
    pub(crate) fn network_problem(&self, problem: Option<String>) {
        lock(&self.course.ledger).network_problem = problem;
    }

    /// Gives what the network said to the last request, if that failed.
    pub(crate) fn last_network_problem(&self) -> Option<String> {
        lock(&self.course.ledger).network_problem.clone()
    }

    /// Waits for a person, which takes none of the call's time.
    pub(crate) async fn waiting<T>(&self, person: impl Future<Output = T>) -> T {
        /// Counts the time also where the wait is given up.
        struct Since<'a>(&'a watch::Sender<Waited>);
        impl Drop for Since<'_> {
            fn drop(&mut self) {
                self.0.send_modify(|waited| {
                    let since = waited.since.take();
                    waited.total += since.map_or(Duration::ZERO, |since| since.elapsed());
                });
            }
        }
        let waited = &self.course.waited;
        waited.send_modify(|waited| waited.since = Some(Instant::now()));
        let _since = Since(waited);
        person.await
    }

    /// Gives the time that the call still has; none while it waits for a person.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        let waited = *self.course.waited.borrow();
        let spent = self.started.elapsed().saturating_sub(waited.total);
        match waited.since {
            None => Some(self.limits.wall_clock.saturating_sub(spent)),
            Some(_) => None,
        }
    }

    /// Waits until the call's time is over.
    pub(crate) async fn time_over(&self) {
        let mut changes = self.course.waited.subscribe();
        loop {
            // The sender is in `self`, so it cannot be gone.
            let _ = match self.time_left() {
                Some(Duration::ZERO) => return,
                Some(left) => tokio::select! {
                    () = tokio::time::sleep(left) => Ok(()),
                    changed = changes.changed() => changed,
                },
                None => changes.changed().await,
            };
        }
    }

    /// Says whether the guest still runs.
    pub(crate) fn is_live(&self) -> bool {
        !*self.course.ended.borrow()
    }

    /// Ends what the guest may do, before its store goes.
    pub(crate) fn end(&self) {
        self.course.ended.send_replace(true);
    }

    /// Waits for [`end`](Self::end).
    pub(crate) async fn ended(&self) {
        let mut receiver = self.course.ended.subscribe();
        // The sender is in `self`, so it cannot be gone.
        let _ = receiver.wait_for(|ended| *ended).await;
    }
}

/// Makes what the guest gets in the token's place.
///
/// # Errors
///
/// When the system gives no randomness.
pub(crate) fn placeholder() -> Result<String, PortError> {
    Ok(format!("portcullis-{}", random_hex()?))
}

fn random_hex() -> Result<String, PortError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| PortError::new("the system gives no randomness").caused_by(error))?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}
