//! Resident memory of `portcullis serve`: idle, and with a hundred calls in flight.
//!
//! The program is the one that `cargo build --release -p portcullis-cli` made. Between it and an org stands a
//! gatekeeper that holds every request back until the memory has been read.
//!
//! What is bounded is the memory that the program has of the machine: `Pss` of `/proc/PID/smaps_rollup`, in which a page counts
//! once. `Rss` counts it once for each place where it is mapped, and a connector's constants are mapped once for each call in flight:
//! it is printed beside. Linux only.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark prints, and may panic"
)]

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use salesforce_devorg::{DevOrg, Options};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;

const CALLS: u64 = 100;

/// What memory may be, in MiB.
const IDLE_MIB_MAX: f64 = 20.0;
const BUSY_MIB_MAX: f64 = 40.0;

/// What a process has of the machine's memory at one moment.
struct Memory {
    /// Each page once.
    resident_mib: f64,
    /// Each page once for each place where it is mapped.
    mapped_mib: f64,
}

struct Server {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Server {
    async fn start(url: &str, token: &str, cache: &std::path::Path) -> Self {
        let program = bench::program().unwrap();
        let mut child = Command::new(&program)
            .args(["serve", "--stdio", "--instance-url", url])
            .args(["--access-token-env", "BENCH_TOKEN"])
            .args(["--allow-origin", url.trim_start_matches("http://")])
            .env("BENCH_TOKEN", token)
            .env("XDG_CACHE_HOME", cache)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("could not start `{}`: {error}", program.display()));
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut server = Self {
            child,
            input,
            output,
        };
        let hello = json!({
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": {"name": "bench", "version": "0"}
        });
        server
            .send(json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}))
            .await;
        server.receive().await;
        server
            .send(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))
            .await;
        server
    }

    async fn send(&mut self, message: Value) {
        self.input
            .write_all(format!("{message}\n").as_bytes())
            .await
            .unwrap();
    }

    async fn receive(&mut self) -> Value {
        let line = self.output.next_line().await.unwrap().expect_line();
        serde_json::from_str(&line).unwrap()
    }

    fn memory(&self) -> Memory {
        let pid = self.child.id().unwrap();
        let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
        let mib = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap();
            let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
            kib / 1024.0
        };
        Memory {
            resident_mib: mib("Pss:"),
            mapped_mib: mib("Rss:"),
        }
    }
}

trait ExpectLine {
    fn expect_line(self) -> String;
}

impl ExpectLine for Option<String> {
    fn expect_line(self) -> String {
        self.unwrap_or_else(|| panic!("the server ended"))
    }
}

/// Passes bytes on to the org, and holds requests back while it is told to.
async fn gatekeeper(org: SocketAddr) -> (SocketAddr, watch::Sender<bool>) {
    let (hold, held) = watch::channel(false);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((inner, _)) = listener.accept().await {
            let mut held = held.clone();
            tokio::spawn(async move {
                let outer = TcpStream::connect(org).await.unwrap();
                let (mut from_host, mut to_host) = inner.into_split();
                let (mut from_org, mut to_org) = outer.into_split();
                tokio::spawn(async move { tokio::io::copy(&mut from_org, &mut to_host).await });
                let mut buffer = vec![0; 16 << 10];
                while let Ok(count) =
                    tokio::io::AsyncReadExt::read(&mut from_host, &mut buffer).await
                {
                    if count == 0 || held.wait_for(|held| !held).await.is_err() {
                        break;
                    }
                    if to_org.write_all(&buffer[..count]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    (address, hold)
}

#[tokio::main]
async fn main() {
    let org = DevOrg::start(Options::default()).await.unwrap();
    let (address, hold) = gatekeeper(org.address()).await;
    let cache = tempfile::tempdir().unwrap();
    let token = &org.users()[0].access_token;
    let url = format!("http://{address}");
    // The first start compiles, and compiling needs memory that a server does not.
    drop(Server::start(&url, token, cache.path()).await);

    let mut server = Server::start(&url, token, cache.path()).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let idle = server.memory();

    let before = org.requests();
    hold.send_replace(true);
    for id in 1..=CALLS {
        let arguments = json!({"soql": format!("SELECT Id, Name FROM Contact LIMIT {id}")});
        let params = json!({"name": "query", "arguments": arguments});
        server
            .send(json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}))
            .await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(org.requests(), before, "a call was not held back");
    let busy = server.memory();
    hold.send_replace(false);
    for _ in 0..CALLS {
        let answer = server.receive().await;
        assert_ne!(answer["result"]["isError"], true, "{answer}");
    }
    let after = server.memory();

    println!("resident memory of `serve`, MiB              as mapped");
    let line = |state: &str, memory: &Memory, bound: &str| {
        let Memory {
            resident_mib,
            mapped_mib,
        } = memory;
        println!("  {state:22} {resident_mib:6.1} {bound:14} {mapped_mib:8.1}");
    };
    line("idle", &idle, &format!("(at most {IDLE_MIB_MAX})"));
    let busy_state = format!("{CALLS} calls in flight");
    line(&busy_state, &busy, &format!("(at most {BUSY_MIB_MAX})"));
    line("after their answers", &after, "");
    if idle.resident_mib > IDLE_MIB_MAX || busy.resident_mib > BUSY_MIB_MAX {
        println!("more than it may be");
        std::process::exit(1);
    }
}
