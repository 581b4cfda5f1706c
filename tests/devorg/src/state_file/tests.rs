//! What is written to the file, and how often.
#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::thread;

use axum::body::{Body, to_bytes};
use serde::{Serialize, Serializer};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::save::write;
use super::*;
use crate::DevOrg;
use crate::bulk::classic::{Batch, Outcome};
use crate::bulk::{State, Work};
use crate::id::Id;
use crate::oauth::AppState;
use crate::records::fill;
use crate::seen::Glance;

const V: &str = "/services/data/v68.0";
const CLASSIC_JOBS: &str = "/services/async/59.0/job";

/// An org with a file that notes each row that is written to it.
struct Kept {
    org: DevOrg,
    _folder: TempDir,
}

impl Kept {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kept = Self {
            org: start(folder.path()).await,
            _folder: folder,
        };
        let file = kept.file();
        let noted = file.inner().connection.execute_batch(
            "CREATE TEMP TABLE written (kind TEXT, key TEXT, bytes INTEGER);
             CREATE TEMP TRIGGER inserted AFTER INSERT ON kept BEGIN
                 INSERT INTO written VALUES (new.kind, new.key, length(new.body));
             END;
             CREATE TEMP TRIGGER updated AFTER UPDATE ON kept BEGIN
                 INSERT INTO written VALUES (new.kind, new.key, length(new.body));
             END;",
        );
        noted.unwrap();
        kept
    }

    fn file(&self) -> &StateFile {
        self.org.shared.state_file.as_ref().unwrap()
    }

    /// Sends a request of the administrator, which is answered once what it did is saved.
    async fn post(&self, path: &str, body: &str) -> Json {
        self.send("POST", path, "application/json", body).await
    }

    /// Makes something, and gives its id.
    async fn make(&self, path: &str, what: &Json) -> Id {
        let made = self.post(path, &what.to_string()).await;
        Id::parse(made["id"].as_str().unwrap()).unwrap()
    }

    async fn send(&self, method: &str, path: &str, content_type: &str, body: &str) -> Json {
        let (status, json) = self.try_send(method, path, content_type, body).await;
        assert!((200..300).contains(&status), "{status} {json}");
        json
    }

    async fn try_send(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &str,
    ) -> (u16, Json) {
        let token = &self.org.users()[0].access_token;
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("x-sfdc-session", token)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", content_type)
            .body(Body::from(body.to_owned()));
        let answer = crate::wire::answer(&self.org.shared, request.unwrap(), false);
        let answer = answer.await.unwrap();
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// Waits until the worker has done a job, and saves it.
    async fn end_of(&self, job: Id) {
        while !self.org.shared.jobs().get(job).unwrap().state.ended() {
            tokio::task::yield_now().await;
        }
        self.org.shared.save().unwrap();
    }

    /// Gives how often rows of a kind were written, and how many bytes that were.
    fn written(&self, kind: &str) -> (i64, i64) {
        let inner = self.file().inner();
        let sums = "SELECT count(*), coalesce(sum(bytes), 0) FROM written WHERE kind = ?1";
        let sums = inner
            .connection
            .query_row(sums, [kind], |row| Ok((row.get(0)?, row.get(1)?)));
        sums.unwrap()
    }
}

/// Gives what an org would find that is started with the file as it is.
fn found(file: &StateFile, shared: &Shared) -> Start {
    let schema = (*shared.org().schema).clone();
    file.load(schema).unwrap().unwrap()
}

async fn start(folder: &Path) -> DevOrg {
    let options = Options {
        state: Some(folder.join("org.sqlite")),
        ..Options::default()
    };
    DevOrg::start(options).await.unwrap()
}

/// Makes a job of accounts, each tenth of which has no name, and hands it to the worker.
async fn begin_job(kept: &Kept, rows: usize) -> Id {
    let jobs = format!("{V}/jobs/ingest");
    let job = json!({"object": "Account", "operation": "insert"});
    let id = kept.make(&jobs, &job).await;
    let name = |row: usize| if row % 10 == 9 { "" } else { "Many" };
    let rows = (0..rows).map(|row| format!("{},{row}\n", name(row)));
    let data = format!("Name,Description\n{}", rows.collect::<String>());
    let path = format!("{jobs}/{id}");
    let batches = format!("{path}/batches");
    kept.send("PUT", &batches, "text/csv", &data).await;
    let complete = json!({"state": "UploadComplete"}).to_string();
    kept.send("PATCH", &path, "application/json", &complete)
        .await;
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_writes_counts_what_is_there_at_any_moment() {
    const ROWS: usize = 3_000;
    let kept = Kept::new().await;
    let (file, shared) = (kept.file(), &kept.org.shared);
    let id = begin_job(&kept, ROWS).await;
    let mut seen = BTreeSet::new();
    loop {
        let state = shared.jobs().get(id).unwrap().state;
        // Whoever else asks the org something saves what there is, at a moment of its own.
        shared.save().unwrap();
        let start = found(file, shared);
        let job = start.jobs.get(id).unwrap();
        let Work::Ingest(ingest) = &job.work else {
            unreachable!("{job:?}");
        };
        let rows = |csv: Vec<u8>| csv.iter().filter(|byte| **byte == b'\n').count().max(1) - 1;
        let accounts = start.org.store.having("Account", "Name", &"Many".into());
        let written = job.records_processed - job.records_failed;
        assert_eq!(accounts.count(), written);
        assert_eq!(rows(ingest.successful_results(job.format)), written);
        assert_eq!(rows(ingest.failed_results(job.format)), job.records_failed);
        let left = ROWS - job.records_processed;
        if job.state.ended() {
            assert_eq!(rows(ingest.unprocessed_records(job.format)), left);
        }
        seen.insert(job.records_processed);
        if state.ended() {
            break;
        }
    }
    assert!(seen.len() > 1, "the job was not looked at: {seen:?}");
    assert_eq!(seen.last(), Some(&ROWS));
    // Nothing is written again with each chunk, and what the job has itself does not stay.
    let (rows, bytes) = kept.written(kind::CHUNK);
    assert!(rows <= 15, "{rows}");
    assert!(bytes < ROWS as i64 * 120, "{bytes}");
    assert!(kept.written(kind::JOB).0 <= 6);
    let count = "SELECT count(*) FROM kept WHERE kind = ?1";
    let left = file
        .inner()
        .connection
        .query_row(count, [kind::CHUNK], |row| row.get::<_, i64>(0));
    assert_eq!(left.unwrap(), 0);
}

#[tokio::test]
async fn a_batch_and_its_records_are_kept_at_one_moment() {
    const ROUNDS: usize = 10;
    let kept = Kept::new().await;
    let (file, shared) = (kept.file(), &kept.org.shared);
    let user = kept.org.users()[0].id();
    let job = begin_classic_job(&kept).await;
    let check = || {
        let start = found(file, shared);
        let batches = start.classic_jobs.get(job).unwrap().batches.len();
        let accounts = start
            .org
            .store
            .having("Account", "Name", &"Of a batch".into());
        assert_eq!(accounts.count(), batches);
        batches
    };
    for _ in 0..ROUNDS {
        // A save and the end of a batch meet at the jobs, where both wait.
        let jobs = shared.classic_jobs();
        let (saves, saving) = channel();
        let (writes, writing) = channel();
        thread::scope(|scope| {
            scope.spawn(move || {
                let saved = write(&mut file.inner(), shared, |rows, taken| {
                    let _ = saves.send(());
                    rows.put_all(taken)
                });
                assert!(saved.is_ok_and(|too_large| too_large.is_empty()));
            });
            saving.recv().unwrap();
            scope.spawn(move || {
                let mut org = shared.org_mut();
                let schema = org.schema.clone();
                let (object, at) = (schema.object("Account").unwrap(), org.now());
                let mut values = fill::Values::new();
                values.insert("Name".into(), "Of a batch".into());
                fill::insert(&mut org, object, values, user, at);
                let _ = writes.send(());
                let mut jobs = shared.classic_jobs();
                let batch = Batch {
                    id: jobs.next_id("751"),
                    created: at,
                    outcome: Ok(Outcome::Written(Vec::new())),
                };
                assert!(jobs.keep(job, batch));
            });
            // It does not begin while the save has the org.
            let _ = writing.recv_timeout(Duration::from_millis(20));
            drop(jobs);
        });
        check();
    }
    shared.save().unwrap();
    assert_eq!(check(), ROUNDS);
}

/// What cannot be written: its writer has a mistake.
struct Panics;

impl Serialize for Panics {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        std::panic::resume_unwind(Box::new("a mistake"))
    }
}

#[tokio::test]
async fn a_panic_forgets_nothing_of_what_is_not_written() {
    let kept = Kept::new().await;
    let (file, shared) = (kept.file(), &kept.org.shared);
    let users = kept.org.users();
    let (user, expired) = (users[0].id(), &users[1].access_token);
    let job = begin_job(&kept, 0).await;
    kept.end_of(job).await;
    let older = begin_classic_job(&kept).await;
    shared.save().unwrap();

    // One of each thing that is written by itself.
    let account = {
        let mut org = shared.org_mut();
        let schema = org.schema.clone();
        let (object, at) = (schema.object("Account").unwrap(), org.now());
        let id = fill::insert(&mut org, object, fill::Values::new(), user, at);
        org.seen.note(user, id, Glance::View, at);
        id
    };
    let number = shared.org().store.last_number("Account");
    assert!(kept.org.expire_session(expired));
    let app = kept.org.apps().remove(1).name;
    assert!(kept.org.set_app_state(&app, AppState::Blocked));
    shared.jobs().remove(job);
    let batch = Batch {
        id: shared.classic_jobs().next_id("751"),
        created: shared.org().now(),
        outcome: Err("it is kept".to_owned()),
    };
    let batch_id = batch.id;
    assert!(shared.classic_jobs().keep(older, batch));

    let broken = catch_unwind(AssertUnwindSafe(|| {
        write(&mut file.inner(), shared, |rows, taken| {
            let org = rows.put_all(taken)?;
            rows.put(kind::ORG, "", &Panics)?;
            Ok(org)
        })
    }));
    assert!(broken.is_err());
    assert!(found(file, shared).org.find(account).is_none());
    shared.save().unwrap();
    let found = found(file, shared);
    assert!(found.org.find(account).is_some());
    assert_eq!(found.org.store.last_number("Account"), number);
    assert!(found.org.seen.moments(user, account).is_some());
    assert!(found.grants.access(expired).is_none());
    let state = |app: &str| serde_json::to_value(&found.apps[app]).unwrap()["state"].clone();
    assert_eq!(state(&app), "blocked");
    assert!(found.jobs.get(job).is_none());
    assert!(found.classic_jobs.batch(older, batch_id).is_some());
}

/// Makes a job of the older API that reads, and gives its id.
async fn begin_classic_job(kept: &Kept) -> Id {
    let job = json!({"operation": "query", "object": "Account", "contentType": "JSON"});
    kept.make(CLASSIC_JOBS, &job).await
}

#[tokio::test]
async fn what_is_too_large_for_a_row_keeps_nothing_else_from_being_saved() {
    let kept = Kept::new().await;
    let (file, shared) = (kept.file(), &kept.org.shared);
    file.inner().row_bytes_max = 20_000;

    // A record: who makes it is told, and nobody else.
    let accounts = format!("{V}/sobjects/Account");
    let small = json!({"Name": "Small"});
    let large = json!({"Name": "Large", "Description": "x".repeat(30_000)}).to_string();
    let before = kept.make(&accounts, &small).await;
    let (status, error) = kept
        .try_send("POST", &accounts, "application/json", &large)
        .await;
    assert_eq!(status, 500);
    let message = error[0]["message"].as_str().unwrap();
    let message = message.replace(&*file.path.to_string_lossy(), "…");
    insta::assert_snapshot!(message, @"not all that was done is kept in …: `record 001DO0000000010YAA` takes 30587 bytes of the org's file, where 20000 are the most; make it smaller, or the next start finds it as it was before");
    let after = kept.make(&accounts, &small).await;
    let start = found(file, shared);
    for account in [before, after] {
        assert!(start.org.find(account).is_some());
    }

    // A job that reads is done again.
    let query = json!({"operation": "query", "query": "SELECT Id, Name, Email, MailingStreet, Title, OwnerId FROM Contact"});
    let query = kept.make(&format!("{V}/jobs/query"), &query).await;
    kept.end_of(query).await;
    assert_eq!(shared.jobs().get(query).unwrap().state, State::JobComplete);
    let start = found(file, shared);
    assert_eq!(start.jobs.get(query).unwrap().state, State::UploadComplete);

    // One that writes has its counts.
    let ingest = begin_job(&kept, 1_000).await;
    kept.end_of(ingest).await;
    let start = found(file, shared);
    let job = start.jobs.get(ingest).unwrap();
    assert_eq!(job.state, State::JobComplete);
    assert_eq!((job.records_processed, job.records_failed), (1_000, 100));
    assert!(
        job.error.as_ref().unwrap().contains(ingest.as_str()),
        "{job:?}"
    );

    // So does a batch of the older API, which says why it has no rows.
    let job = begin_classic_job(&kept).await;
    let path = format!("{CLASSIC_JOBS}/{job}/batch");
    let batch = kept
        .post(
            &path,
            "SELECT Id, Name, Email, MailingStreet, Title, OwnerId FROM Contact",
        )
        .await;
    let batch = Id::parse(batch["id"].as_str().unwrap()).unwrap();
    let start = found(file, shared);
    let outcome = &start.classic_jobs.batch(job, batch).unwrap().outcome;
    assert!(
        outcome
            .as_ref()
            .is_err_and(|why| why.contains(batch.as_str())),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn each_batch_of_a_job_is_written_once() {
    const BATCHES: i64 = 40;
    let kept = Kept::new().await;
    let job = begin_classic_job(&kept).await;
    let path = format!("{CLASSIC_JOBS}/{job}/batch");
    for _ in 0..BATCHES {
        kept.post(&path, "SELECT Id, Name FROM Account LIMIT 20")
            .await;
    }
    let (rows, bytes) = kept.written(kind::CLASSIC_BATCH);
    assert_eq!(rows, BATCHES);
    assert!(bytes > BATCHES * 20 * 40, "{bytes}");
    let (rows, bytes) = kept.written(kind::CLASSIC_JOB);
    assert_eq!(rows, 1, "a batch is no change of its job");
    assert!(bytes < 1_000, "{bytes}");
}
