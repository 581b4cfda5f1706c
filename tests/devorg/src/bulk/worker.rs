//! The worker: takes jobs that are complete, one after the other, and does them.
//!
//! Nobody waits for it: it has the org for two hundred rows at a time, as Salesforce does, and looks
//! between them whether somebody stopped the job.

use std::sync::{Arc, Weak};
use std::time::Instant;

use csv::StringRecord;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::ingest::Writer;
use super::query;
use super::{Job, State, Work};
use crate::id::Id;
use crate::limits::Limit;
use crate::org::Session;
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
    let start = Instant::now();
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
        job.session.user_id
    };
    // What the user may do now counts, not what it was when the job was made.
    let session = shared.session_for(user);
    let ended = work(shared, id, &session);
    let now = shared.org().now();
    shared.job_in_progress(id, |job| {
        job.took = start.elapsed();
        match ended {
            Ok(()) => job.enter(State::JobComplete, now),
            Err(error) => {
                job.error = Some(error);
                job.enter(State::Failed, now);
            }
        }
    });
}

/// Does a job. An error is what the job says of itself.
fn work(shared: &Shared, id: Id, session: &Session) -> Result<(), String> {
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
        Some(Kind::Ingest) => write(shared, id, session),
        Some(Kind::Query(operation, soql, columns)) => {
            let found = query::run(&shared.org(), session, operation, &soql, &columns);
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

fn write(shared: &Shared, id: Id, session: &Session) -> Result<(), String> {
    let schema = session.schema();
    let begun = shared.job_in_progress(id, |job| {
        let Work::Ingest(ingest) = &mut job.work else {
            return Ok(None);
        };
        ingest.read(job.format)?;
        let Some(object) = schema.object(&job.object) else {
            return Ok(None); // It was there when the job was made.
        };
        let batches = ingest.unprocessed.len().div_ceil(BATCH_ROWS);
        Ok::<_, String>(Some((Writer::new(schema, object, ingest)?, batches)))
    });
    let Some(Some((writer, batches))) = begun.transpose()? else {
        return Ok(());
    };
    // The first was counted when the job was made.
    let more = batches.saturating_sub(1) as u64;
    if !shared.limits.take(Limit::DailyBulkApiBatches, more) {
        return Err("ExceededQuota : ApiBatchItems Limit exceeded.".into());
    }
    loop {
        let rows = shared.job_in_progress(id, |job| match &job.work {
            Work::Ingest(ingest) => ingest
                .unprocessed
                .iter()
                .take(CHUNK_ROWS)
                .cloned()
                .collect(),
            Work::Query(_) => Vec::new(),
        });
        let Some(rows) = rows.filter(|rows| !rows.is_empty()) else {
            return Ok(());
        };
        let ended = writer.write(&mut shared.org_mut(), session, &rows);
        let mut jobs = shared.jobs();
        if let Some(job) = jobs.get_mut(id) {
            count(job, rows.len(), ended);
        }
        drop(jobs);
        // What cannot be written is tried again, and whoever asks next is told.
        let _ = shared.save();
    }
}

/// Puts the rows of a chunk where they belong, also when the job was stopped meanwhile.
fn count(job: &mut Job, rows: usize, ended: Vec<(bool, StringRecord)>) {
    let Work::Ingest(ingest) = &mut job.work else {
        return;
    };
    ingest
        .unprocessed
        .drain(..rows.min(ingest.unprocessed.len()));
    job.records_processed += rows;
    for (success, row) in ended {
        if success {
            ingest.successful.push(row);
        } else {
            ingest.failed.push(row);
            job.records_failed += 1;
        }
    }
}

impl Shared {
    /// Does something with a job that the worker has; nothing if somebody stopped or deleted it.
    fn job_in_progress<T>(&self, id: Id, then: impl FnOnce(&mut Job) -> T) -> Option<T> {
        let mut jobs = self.jobs();
        let job = jobs.get_mut(id)?;
        (job.state == State::InProgress).then(|| then(job))
    }
}
