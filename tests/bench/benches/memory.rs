//! Resident memory of `portcullis serve`: idle, and with a hundred calls in flight.
//!
//! The program is the one that `cargo build --release -p portcullis-cli` made. Between it and an org stands a
//! gatekeeper that holds every request back until the memory has been read. Linux only: the
//! figure is `VmRSS` of `/proc/PID/status`.

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

    fn resident_mib(&self) -> f64 {
        let pid = self.child.id().unwrap();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap();
        let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib / 1024.0
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
    let idle = server.resident_mib();

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
    let busy = server.resident_mib();
    hold.send_replace(false);
    for _ in 0..CALLS {
        let answer = server.receive().await;
        assert_ne!(answer["result"]["isError"], true, "{answer}");
    }
    let after = server.resident_mib();

    println!("resident memory of `serve`, MiB");
    println!("  idle                   {idle:6.1}   (at most {IDLE_MIB_MAX})");
    println!("  {CALLS} calls in flight   {busy:6.1}   (at most {BUSY_MIB_MAX})");
    println!("  after their answers    {after:6.1}");
    if idle > IDLE_MIB_MAX || busy > BUSY_MIB_MAX {
        println!("more than it may be");
        std::process::exit(1);
    }
}
