//! The log as a process writes it.

use std::collections::HashSet;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use portcullis::CallId;
use portcullis::ports::PortError;
use portcullis::ports::audit::{AuditLog, Durability, Event, Record};
use portcullis_policy::{ConnectorName, Effect, ToolName};

use super::activity::{Activity, Reading};
use super::chain::LogKey;
use super::claim::{self, CutOff, Recovered};
use super::decided::{By, DecidedKind, Deciding};
use super::error::{AuditError, Fault, Finding};
use super::heads::{self, Kept};
use super::keeper;
use super::lane::{Hand, Lane};
use super::lines::{Note, micros};
use super::payload::Draft;
use super::reserved;
use super::segment::{self, Position};
use super::under_way::UnderWay;
use super::values::KeptValues;
use crate::error::StoreError;
use crate::store::Store;

/// The audit log of a store, for the host: files beside the database. Clones share everything.
///
/// Several processes may have it at once: each writes a lane of its own.
#[derive(Clone, Debug)]
pub struct StoreAudit {
    pub(super) inner: Arc<Writing>,
}

#[derive(Debug)]
pub(super) struct Writing {
    pub(super) activity: Activity,
    pub(super) lane: Lane,
    /// The number up to which the head is kept, and whether the lane is closed. Held by who keeps it.
    pub(super) kept: tokio::sync::Mutex<(u64, bool)>,
    pub(super) values: RwLock<KeptValues>,
    /// The calls under way whose values are kept.
    valued: Mutex<HashSet<CallId>>,
    /// Held while a record is written, so that who closes the log knows of it.
    under_way: Mutex<UnderWay>,
    cut_off: Vec<CutOff>,
    /// How far decisions on agents have come, as the log says.
    pub(super) in_force: AtomicI64,
}

impl StoreAudit {
    /// Opens the log of a store to write to it. What an earlier program left in the middle is written down, and told by
    /// [`cut_off`](Self::cut_off).
    ///
    /// # Errors
    ///
    /// [`AuditError::Broken`] where it is missing, shortened or not as it was left.
    pub async fn open(store: Store) -> Result<Self, StoreError> {
        let activity = Activity::open(store).await?;
        activity.require_folder().await?;
        let listed = segment::list(activity.folder())?;
        let (lanes, findings) = activity.lanes().await?;
        if let Some(finding) = findings.into_iter().next() {
            return Err(AuditError::from(finding).into());
        }
        if let Some((lane, segment)) = listed.iter().find(|(lane, _)| !lanes.contains_key(lane)) {
            let finding = Finding {
                fault: Fault::UnknownLane,
                lane: *lane,
                file: segment::path(activity.folder(), *lane, *segment),
                offset: 0,
                record: None,
                call: None,
            };
            return Err(AuditError::from(finding).into());
        }
        let mut mine = None;
        let mut cut_off = Vec::new();
        let known = lanes.keys().copied().max().unwrap_or(0);
        for number in 1.. {
            if number > known && mine.is_some() {
                break;
            }
            let Some(Claimed {
                lane,
                cut_off: left,
                is_as_left,
            }) = claim(&activity, number).await?
            else {
                continue;
            };
            cut_off.extend(left);
            match mine {
                None => mine = Some(lane),
                Some(_) if is_as_left => lane.release(),
                // Looked after, for whoever wrote it did not come back.
                Some(_) => put_away(&activity, &lane).await?,
            }
        }
        let lane = mine.ok_or(AuditError::InUse)?;
        let values = activity.inner.store.kept_values().await?;
        // Decisions on agents that are older than those which the log knows of are refused from the first call on.
        activity.catch_up().await?;
        let in_force = activity.index().await?.generation().await?.unwrap_or(0);
        activity.inner.store.require_decided(in_force);
        // What stays counted lets nothing pass: the next start settles it.
        if let Err(error) = reserved::settle(&activity).await {
            tracing::warn!(%error, "what was counted for changes that were never sent stays counted for now");
        }
        let inner = Arc::new(Writing {
            activity,
            lane,
            kept: tokio::sync::Mutex::new((0, false)),
            values: RwLock::new(values),
            valued: Mutex::default(),
            under_way: Mutex::default(),
            cut_off,
            in_force: AtomicI64::new(in_force),
        });
        tokio::spawn(keeper::keep(Arc::downgrade(&inner)));
        Ok(Self { inner })
    }

    /// Gives the calls that were under way when an earlier program was ended, as this one found out.
    pub fn cut_off(&self) -> &[CutOff] {
        &self.inner.cut_off
    }

    /// Gives the log to be read.
    pub fn activity(&self) -> &Activity {
        &self.inner.activity
    }

    /// Reads the lines of a call that this program made.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub async fn records(&self, call: CallId) -> Result<Vec<Record>, StoreError> {
        let activity = &self.inner.activity;
        self.inner.lane.hand_over()?;
        let Some(row) = activity.find(&call.to_string()).await?.pop() else {
            return Ok(Vec::new());
        };
        let lines = activity.lines(&row).await?;
        Ok(lines.into_iter().map(|line| line.record).collect())
    }

    /// Says whether values of a tool's changes are kept from now on, sealed, and whether that is new. Programs that are running take it
    /// over within a second.
    ///
    /// # Errors
    ///
    /// When the store or the log cannot be written.
    pub async fn keep_values(
        &self,
        by: &By,
        connector: &ConnectorName,
        tool: &ToolName,
        keep: bool,
    ) -> Result<bool, StoreError> {
        let store = &self.inner.activity.inner.store;
        if store
            .kept_values()
            .await?
            .contains(&(connector.clone(), tool.clone()))
            == keep
        {
            return Ok(false);
        }
        let word = |kept: bool| kept.then(|| "kept".to_owned());
        let subject = format!("{tool} of {connector}");
        let what = Deciding::on(DecidedKind::Values, subject, word(!keep), word(keep));
        let work = store.keep_values(connector, tool, keep);
        let is_new = self.deciding(by, [what], work).await?;
        self.inner.refresh_values().await?;
        Ok(is_new)
    }

    /// Writes a line about the log itself, to disk.
    pub(super) async fn note(&self, note: Note) -> Result<(), StoreError> {
        let now = micros(SystemTime::now());
        let draft = Draft::of_note(now, note, None)?;
        let number = self.inner.lane.append(&draft, now, Hand::Gate)?;
        Ok(self.inner.lane.sync(number).await?)
    }

    /// Ends writing: everything is on disk, and the head is kept. Further lines are refused.
    ///
    /// Where a change may be sent whose outcome is not written, that is no end in order: the next program to open the log writes down
    /// and tells that it is not known.
    ///
    /// # Errors
    ///
    /// When that could not be done; the next program to open the log then looks after it.
    pub async fn close(&self) -> Result<(), StoreError> {
        let mut kept = self.inner.kept.lock().await;
        if kept.1 {
            return Ok(());
        }
        kept.1 = true;
        let activity = &self.inner.activity;
        let Ended { head, is_in_order } = self.inner.end()?;
        if let Some((head, key)) = head {
            let number = self.inner.lane.number;
            heads::put_head(&activity.inner.store, &key, number, &head, is_in_order).await?;
        }
        self.inner.lane.release();
        activity.catch_up().await?;
        activity.index().await?.close().await;
        Ok(())
    }

    /// Says whether writing ended.
    pub(super) async fn is_closed(&self) -> bool {
        self.inner.kept.lock().await.1
    }

    async fn write(&self, record: &Record, durability: Durability) -> Result<(), StoreError> {
        let keeps_values = self.inner.keeps_values(record);
        let draft = Draft::of_record(record, keeps_values)?;
        let hand = match (&record.event, durability) {
            // What something hangs on: the call, and what it sends.
            (Event::Intended(intent), _) if intent.effect == Effect::Read => Hand::GateAgain,
            (Event::Opened(_) | Event::Intended(_), _) => Hand::Gate,
            (_, Durability::WithTheNext) => Hand::Later,
            (_, Durability::Buffered | Durability::Synced) => Hand::Now,
        };
        let number = self.inner.add(record, &draft, hand)?;
        match durability {
            Durability::WithTheNext | Durability::Buffered => Ok(()),
            Durability::Synced => Ok(self.inner.lane.sync(number).await?),
        }
    }
}

/// The end of this program's lane.
struct Ended {
    /// None: the lane has no segment.
    head: Option<(Position, Arc<LogKey>)>,
    /// Whether every change that was sent has its outcome.
    is_in_order: bool,
}

impl Writing {
    /// Adds a record to the lane, and takes over what its call has come to.
    fn add(&self, record: &Record, draft: &Draft, hand: Hand) -> Result<u64, StoreError> {
        let mut under_way = self.under_way();
        let number = self.lane.append(draft, micros(record.at), hand)?;
        under_way.note(record);
        Ok(number)
    }

    /// Writes down that the calls which have no end were cut off, and closes the lane. Of a change without an outcome it writes
    /// nothing: that is for the next program to find, which tells people.
    fn end(&self) -> Result<Ended, StoreError> {
        let under_way = self.under_way();
        let at = SystemTime::now();
        for call in under_way.without_end() {
            let event = Event::CutOff {
                unclear: Vec::new(),
            };
            let draft = Draft::of_record(&Record { call, at, event }, false)?;
            self.lane.append(&draft, micros(at), Hand::Now)?;
        }
        Ok(Ended {
            head: self.lane.close()?,
            is_in_order: !under_way.has_unclear(),
        })
    }

    fn under_way(&self) -> MutexGuard<'_, UnderWay> {
        // Whoever panicked has written nothing, or all of a record.
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether the values of a call's changes are kept.
    fn keeps_values(&self, record: &Record) -> bool {
        let valued = || self.valued.lock().unwrap_or_else(PoisonError::into_inner);
        match &record.event {
            Event::Opened(opened) => {
                let values = self.values.read().unwrap_or_else(PoisonError::into_inner);
                let tool = opened.tool.clone();
                let is_valued =
                    tool.is_some_and(|tool| values.contains(&(opened.connector.clone(), tool)));
                if is_valued {
                    valued().insert(record.call);
                }
                is_valued
            }
            Event::Announced(_) => valued().contains(&record.call),
            Event::Closed(_) => {
                valued().remove(&record.call);
                false
            }
            _ => false,
        }
    }

    pub(super) async fn refresh_values(&self) -> Result<(), StoreError> {
        let values = self.activity.inner.store.kept_values().await?;
        *self.values.write().unwrap_or_else(PoisonError::into_inner) = values;
        Ok(())
    }
}

#[async_trait]
impl AuditLog for StoreAudit {
    async fn append(&self, record: Record, durability: Durability) -> Result<(), PortError> {
        self.write(&record, durability).await.map_err(|error| {
            let problem = Chain(&error).to_string();
            tracing::error!(call = %record.call, problem, "the audit log could not be written");
            let message = match &error {
                StoreError::Audit(error) => error.in_short(),
                _ => "the audit log cannot be written".to_owned(),
            };
            PortError::new(message).caused_by(error)
        })
    }
}

/// An error with its causes.
struct Chain<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// A lane that this process holds from now on.
struct Claimed {
    lane: Lane,
    cut_off: Vec<CutOff>,
    /// Whether it was closed in order, and nothing had to be written down.
    is_as_left: bool,
}

/// Takes a lane, if no process holds it, and writes down what was left in its middle.
async fn claim(activity: &Activity, number: u32) -> Result<Option<Claimed>, StoreError> {
    let Reading {
        store,
        folder,
        keys,
        ..
    } = &*activity.inner;
    let Some(lock) = claim::lock(folder, number)? else {
        return Ok(None);
    };
    // Read under the lock: whoever held it may just have ended.
    let (lanes, _) = activity.lanes().await?;
    let kept = match lanes.get(&number) {
        Some(kept) => *kept,
        None => {
            // The store knows of a lane before there is anything of it.
            let key = keys.newest();
            let key = key.ok_or_else(|| AuditError::Failed("there is no key".to_owned()))?;
            heads::put_head(store, &key, number, &Position::START, true).await?;
            Kept::NEW
        }
    };
    let (folder, keys) = (folder.clone(), Arc::clone(keys));
    let work = move || -> Result<Claimed, StoreError> {
        let Recovered {
            at,
            header,
            torn,
            cut_off,
        } = claim::recover(&folder, number, &keys, &kept)?;
        let lane = Lane::new(number, &folder, keys, lock, at, header)?;
        write_down(&lane, torn, &cut_off)?;
        Ok(Claimed {
            lane,
            is_as_left: kept.closed && at == kept.head && torn == 0 && cut_off.is_empty(),
            cut_off,
        })
    };
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| AuditError::Failed(error.to_string()))?;
    done.map(Some)
}

fn write_down(lane: &Lane, torn: u64, cut_off: &[CutOff]) -> Result<(), StoreError> {
    let now = SystemTime::now();
    let now_us = micros(now);
    if torn > 0 {
        tracing::warn!(
            lane = lane.number,
            bytes = torn,
            "an unfinished record was cut off the audit log"
        );
        let draft = Draft::of_note(now_us, Note::Torn { bytes: torn }, None)?;
        lane.append(&draft, now_us, Hand::Now)?;
    }
    for one in cut_off {
        let record = Record {
            call: one.call,
            at: now,
            event: Event::CutOff {
                unclear: one.unclear.clone(),
            },
        };
        lane.append(&Draft::of_record(&record, false)?, now_us, Hand::Now)?;
    }
    Ok(())
}

/// Closes a lane for whoever wrote it.
async fn put_away(activity: &Activity, lane: &Lane) -> Result<(), StoreError> {
    if let Some((head, key)) = lane.close()? {
        heads::put_head(&activity.inner.store, &key, lane.number, &head, true).await?;
    }
    lane.release();
    Ok(())
}

/// How often the head is kept, and the index filled.
pub(super) const KEEP_EVERY: Duration = Duration::from_secs(1);
