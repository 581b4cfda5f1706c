//! What is written to the file, and how often.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use axum::body::{Body, to_bytes};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::*;
use crate::DevOrg;

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
        let token = &self.org.users()[0].access_token;
        let request = http::Request::post(path)
            .header("x-sfdc-session", token)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Body::from(body.to_owned()));
        let answer = crate::wire::answer(&self.org.shared, request.unwrap(), false);
        let answer = answer.await.unwrap();
        let status = answer.status();
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        assert!(status.is_success(), "{status} {body:?}");
        serde_json::from_slice(&body).unwrap()
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

async fn start(folder: &Path) -> DevOrg {
    let options = Options {
        state: Some(folder.join("org.sqlite")),
        ..Options::default()
    };
    DevOrg::start(options).await.unwrap()
}

#[tokio::test]
async fn each_batch_of_a_job_is_written_once() {
    const BATCHES: i64 = 40;
    let kept = Kept::new().await;
    let job = json!({"operation": "query", "object": "Account", "contentType": "JSON"});
    let jobs = "/services/async/59.0/job";
    let job = kept.post(jobs, &job.to_string()).await;
    let path = format!("{jobs}/{}/batch", job["id"].as_str().unwrap());
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
