//! A client over standard input and output, down to the lines: several calls may be in flight.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::oneshot;

use crate::process;

/// A server that runs. It is killed with this.
pub(crate) struct Pipes {
    input: tokio::sync::Mutex<ChildStdin>,
    waiting: Waiting,
    next: AtomicU64,
    child: Child,
}

type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<String>>>>;

impl Pipes {
    /// Starts a server.
    pub(crate) fn start(mut command: Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let input = child.stdin.take().context("it has no input")?;
        let output = child.stdout.take().context("it has no output")?;
        let waiting = Waiting::default();
        let answered = waiting.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let id = serde_json::from_str::<Value>(&line);
                let id = id.ok().and_then(|message| message["id"].as_u64());
                if let Some(waits) = id.and_then(|id| lock(&answered).remove(&id)) {
                    let _ = waits.send(line); // It waits no more.
                }
            }
            // Who still waits is told so.
            lock(&answered).clear();
        });
        Ok(Self {
            input: input.into(),
            waiting,
            next: AtomicU64::new(1),
            child,
        })
    }

    pub(crate) fn pid(&self) -> Result<u32> {
        self.child.id().context("it has ended")
    }

    /// Ends the server.
    pub(crate) async fn end(self) -> Result<()> {
        process::end(self.child).await
    }

    /// Asks, and gives the line of the answer.
    pub(crate) async fn ask(&self, method: &str, params: &Value) -> Result<String> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (waits, answered) = oneshot::channel();
        lock(&self.waiting).insert(id, waits);
        let asked = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.send(&asked).await?;
        answered.await.context("the server ended")
    }

    pub(crate) async fn send(&self, message: &Value) -> Result<()> {
        let line = format!("{message}\n");
        Ok(self.input.lock().await.write_all(line.as_bytes()).await?)
    }
}

fn lock<T>(waiting: &Mutex<T>) -> MutexGuard<'_, T> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
