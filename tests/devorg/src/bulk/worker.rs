//! The worker: takes jobs that are complete, one after the other, and does them.
//!
//! Nobody waits for it: it has the org for two hundred rows at a time, as Salesforce does, and looks
//! between them whether somebody stopped the job.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::Instant;

use csv::StringRecord;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::ingest::{NO_HARD_DELETE, Operation, Writer, may_hard_delete};
use super::query;
use super::{Job, State, Work, not_supported};
use crate::id::Id;
use crate::limits::Limit;
use crate::org::{Org, Session};
use crate::state::Shared;

/// The rows that are written together.
const CHUNK_ROWS: usize = 200;
/// The rows of what counts as a batch.
const BATCH_ROWS: usize = 10_000;

/// Where jobs wait for the worker.
#[derive(Debug)]
pub(crate) struct Queue(UnboundedSender<Id>);

impl Queue {
    /// Hands a job over.
    pub(crate) fn push(&self, job: Id) {
        let _ = self.0.send(job); // Without a worker the org has ended.
    }
}

/// Makes a queue and its other end.
pub(crate) fn queue() -> (Queue, UnboundedReceiver<Id>) {
    let (sender, receiver) = unbounded_channel();
    (Queue(sender), receiver)
}

/// Does the jobs of an org until it ends.
pub(crate) async fn serve(org: Weak<Shared>, mut waiting: UnboundedReceiver<Id>) {
    while let Some(id) = waiting.recv().await {
        let Some(shared) = org.upgrade() else {
            return;
        };
        // Rows are work, during which other requests are to be answered.
        let _ = tokio::task::spawn_blocking(move || run(&shared, id)).await;
    }
}

fn run(shared: &Arc<Shared>, id: Id) {
    let now = shared.org().now();
    let user = {
        let mut jobs = shared.jobs();
        let Some(job) = jobs
            .get_mut(id)
            .filter(|job| job.state == State::UploadComplete)
        else {
            return; // It was stopped or deleted.
        };
        job.enter(State::InProgress, now);
        let user = job.user;
        jobs.unsaved.mark(|| id);
        user
    };
    finish(shared, id, || work(shared, id, user));
}

/// Does the work of a job, and ends it, also when the work breaks off.
fn finish(shared: &Shared, id: Id, work: impl FnOnce() -> Result<(), String>) {
    let start = Instant::now();
    let ended = catch_unwind(AssertUnwindSafe(work));
    let ended = ended.unwrap_or_else(|_| Err("Unknown : An unexpected error occurred".into()));
    let now = shared.org().now();
    let mut jobs = shared.jobs();
    if let Some(job) = jobs.in_progress(id) {
        job.took = start.elapsed();
        match ended {
            Ok(()) => job.enter(State::JobComplete, now),
            Err(error) => {
                job.error = Some(error);
                job.enter(State::Failed, now);
            }
        }
        jobs.unsaved.mark(|| id);
    }
    drop(jobs);
    let _ = shared.save(); // What cannot be saved is tried again, and whoever asks next is told.
}

/// Begins the session in which a job goes on: what its user may do now counts, not what it was when
/// the job was made.
fn session_now(shared: &Shared, org: &Org, user: Id) -> Result<Session, String> {
    if !org.is_active(user) {
        return Err("InvalidUser : The user who created the job is not active".into());
    }
    Ok(Session::with(org, user, shared.access(org, user)))
}

/// Does a job. An error is what the job says of itself.
fn work(shared: &Shared, id: Id, user: Id) -> Result<(), String> {
    enum Kind {
        Ingest,
        Query(query::QueryOperation, String, Vec<query::Column>),
    }
    let kind = shared.job_in_progress(id, |job| match &job.work {
        Work::Ingest(_) => Kind::Ingest,
        Work::Query(query) => {
            Kind::Query(query.operation, query.soql.clone(), query.columns.clone())
        }
    });
    match kind {
        None => Ok(()),
        Some(Kind::Ingest) => write(shared, id, user),
        Some(Kind::Query(operation, soql, columns)) => {
            let org = shared.org();
            let session = session_now(shared, &org, user)?;
            let found = query::run(&org, &session, operation, &soql, &columns);
            let rows = found.map_err(|error| format!("{}: {}", error.code, error.message))?;
            keep(shared, id, rows)
        }
    }
}

fn keep(shared: &Shared, id: Id, rows: Vec<StringRecord>) -> Result<(), String> {
    let bytes = rows.iter().map(|row| row.as_slice().len() as u64).sum();
    let limit = Limit::DailyBulkV2QueryFileStorageMB;
    if !shared.limits.take(limit, bytes) {
        let max = shared.limits.max(limit) / 1_024;
        return Err(format!(
            "Max bulk v2 query result size stored ({max}) kb per 24 hrs has been exceeded"
        ));
    }
    shared.job_in_progress(id, |job| {
        job.records_processed = rows.len();
        if let Work::Query(query) = &mut job.work {
            query.rows = Some(Arc::new(rows));
        }
    });
    Ok(())
}

fn write(shared: &Shared, id: Id, user: Id) -> Result<(), String> {
    let rows = shared.job_in_progress(id, |job| match &mut job.work {
        Work::Ingest(ingest) => {
            ingest.read(job.format)?;
            Ok(ingest.unprocessed.len())
        }
        Work::Query(_) => Ok::<_, String>(0),
    });
    let Some(rows) = rows.transpose()? else {
        return Ok(());
    };
    // The first was counted when the job was made.
    let more = rows.div_ceil(BATCH_ROWS).saturating_sub(1) as u64;
    if !shared.limits.take(Limit::DailyBulkApiBatches, more) {
        return Err("ExceededQuota : ApiBatchItems Limit exceeded.".into());
    }
    while write_chunk(shared, id, user)? {
        let _ = shared.save(); // Tried again, as when the job ends.
    }
    Ok(())
}

/// Writes the next rows of a job, and says whether there were any.
///
/// Whoever stops a job reads the org: that waits until the rows that are being written are counted.
fn write_chunk(shared: &Shared, id: Id, user: Id) -> Result<bool, String> {
    let mut org = shared.org_mut();
    let session = session_now(shared, &org, user)?;
    let may_hard_delete = may_hard_delete(&org, &session);
    let schema = session.schema();
    let chunk = shared.job_in_progress(id, |job| {
        let Work::Ingest(ingest) = &job.work else {
            return Ok(None);
        };
        if ingest.operation == Operation::HardDelete && !may_hard_delete {
            return Err(format!("FeatureNotEnabled : {NO_HARD_DELETE}"));
        }
        let object = schema.object(&job.object);
        let object = object.ok_or_else(|| invalid_entity(&job.object))?;
        let writer = Writer::new(schema, object, ingest)?;
        let rows = ingest.unprocessed.iter().take(CHUNK_ROWS);
        let rows: Vec<StringRecord> = rows.cloned().collect();
        Ok::<_, String>((!rows.is_empty()).then_some((writer, rows)))
    });
    let Some((writer, rows)) = chunk.transpose()?.flatten() else {
        return Ok(false);
    };
    // Should it break off, none of the rows are written.
    let Ok(ended) = org.transaction(|org| Ok::<_, Infallible>(writer.write(org, &session, &rows)));
    shared.jobs().count(id, ended);
    Ok(true)
}

/// Says what a job is told whose object is not there any more, or not for its user.
pub(super) fn invalid_entity(object: &str) -> String {
    format!("InvalidEntity : {}", not_supported(object))
}

impl Shared {
    /// Does something with a job that the worker has; nothing if somebody stopped or deleted it.
    fn job_in_progress<T>(&self, id: Id, then: impl FnOnce(&mut Job) -> T) -> Option<T> {
        self.jobs().in_progress(id).map(then)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::bulk::{Format, Ingest};
    use crate::records::fill;
    use crate::{DevOrg, Options};

    /// Makes a job of a salesman that the worker has, with the rows of three chunks.
    fn job(shared: &Shared, operation: Operation, object: &str, user: Id) -> Id {
        let mut ingest = Ingest::new(operation, None, None);
        let rows = (0..CHUNK_ROWS * 2 + 1).map(|row| format!("{row}\n"));
        ingest.data = Some(format!("Name\n{}", rows.collect::<String>()).into_bytes());
        let now = shared.org().now();
        let id = shared.jobs().next_id();
        shared.jobs().insert(Job {
            id,
            object: object.to_owned(),
            user,
            created: now,
            modified: now,
            state: State::InProgress,
            version: 68.0,
            format: Format::default(),
            records_processed: 0,
            records_failed: 0,
            error: None,
            took: Duration::ZERO,
            work: Work::Ingest(ingest),
        });
        id
    }

    fn set_active(org: &mut Org, user: Id, active: bool) {
        let mut record = org.store.get("User", user).cloned().unwrap();
        record.values.insert("IsActive".into(), active.into());
        org.store.put(record);
    }

    #[tokio::test]
    async fn a_job_that_cannot_go_on_fails() {
        let org = DevOrg::start(Options::default()).await.unwrap();
        let (shared, user) = (&org.shared, org.users()[2].id());
        let accounts = || shared.org().store.len("Account");
        let before = accounts();
        let end = |id: Id| {
            let jobs = shared.jobs();
            let job = jobs.get(id).unwrap();
            let error = job.error.clone().unwrap_or_default();
            (job.state, job.records_processed, error)
        };
        let failed = |rows: usize, error: &str| (State::Failed, rows, error.to_owned());

        // Its work breaks off, in the middle of what is written together.
        let id = job(shared, Operation::Insert, "Account", user);
        finish(shared, id, || {
            shared.org_mut().transaction(|org| -> Result<(), String> {
                let schema = org.schema.clone();
                let (object, at) = (schema.object("Account").unwrap(), org.now());
                fill::insert(org, object, fill::Values::new(), user, at);
                std::panic::resume_unwind(Box::new("broken"))
            })
        });
        let unknown = "Unknown : An unexpected error occurred";
        assert_eq!(end(id), failed(0, unknown));
        assert_eq!(accounts(), before);

        // There is no such object, or none that its user sees.
        for object in ["Nothing__c", "ContentWorkspace"] {
            let id = job(shared, Operation::Insert, object, user);
            finish(shared, id, || work(shared, id, user));
            let message =
                format!("InvalidEntity : Entity '{object}' is not supported by the Bulk API.");
            assert_eq!(end(id), failed(0, &message));
        }

        // Its user may not delete for good, or no longer.
        let id = job(shared, Operation::HardDelete, "Account", user);
        finish(shared, id, || work(shared, id, user));
        let (state, rows, error) = end(id);
        assert_eq!((state, rows), (State::Failed, 0));
        assert!(error.starts_with("FeatureNotEnabled : "), "{error}");

        // Its user is deactivated between two chunks.
        let id = job(shared, Operation::Insert, "Account", user);
        finish(shared, id, || {
            shared
                .job_in_progress(id, |job| match &mut job.work {
                    Work::Ingest(ingest) => ingest.read(job.format),
                    Work::Query(_) => Ok(()),
                })
                .unwrap()?;
            assert_eq!(write_chunk(shared, id, user), Ok(true));
            set_active(&mut shared.org_mut(), user, false);
            write_chunk(shared, id, user).map(|_| ())
        });
        let inactive = "InvalidUser : The user who created the job is not active";
        assert_eq!(end(id), failed(CHUNK_ROWS, inactive));
        assert_eq!(accounts(), before + CHUNK_ROWS);

        // What is there and may be done is done whole.
        set_active(&mut shared.org_mut(), user, true);
        let id = job(shared, Operation::Insert, "Account", user);
        finish(shared, id, || work(shared, id, user));
        let rows = CHUNK_ROWS * 2 + 1;
        assert_eq!(end(id), (State::JobComplete, rows, String::new()));
    }
}
