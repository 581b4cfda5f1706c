//! Several processes on one store, and some that are killed in the middle.
//!
//! A process is this test program once more, told by a variable what it works with.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use portcullis::Outcome;
use portcullis_connect::{App, PENDING_LASTS};
use portcullis_store::{ConnectionState, MasterKey, Renew};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::office::{Office, ROTATING, Site, TIMING, Wish, answered};
use crate::support::{call, name};

/// What a child works with, as JSON.
const VARIABLE: &str = "PORTCULLIS_TEST_CHILD";
/// How often the test kills; unset: a few times.
const KILLS: &str = "PORTCULLIS_KILLS";

/// How long a child may take to say something: it builds a host.
const CHILD_STARTS: Duration = Duration::from_secs(60);

fn wish() -> Wish<'static> {
    Wish {
        app: ROTATING,
        scopes: "api refresh_token",
        ..Wish::default()
    }
}

/// Another process on the store of a site.
struct Other {
    process: Child,
    stdin: ChildStdin,
    said: mpsc::Receiver<String>,
}

impl Other {
    fn start(site: &Site, task: &str) -> Self {
        let (app, user) = (site.app(ROTATING), site.user("aiko"));
        let work = json!({
            "task": task,
            "org": site.org.url(),
            "folder": site.folder.path(),
            "master": site.master.to_base64().expose_secret(),
            "client_id": app.client_id,
            "client_secret": app.client_secret.unwrap().expose_secret(),
            "username": user.username,
            "password": user.password,
        });
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "accounts::processes::child", "--nocapture"])
            .env(VARIABLE, work.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let (sender, said) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self {
            stdin: process.stdin.take().unwrap(),
            process,
            said,
        }
    }

    /// Waits until it says something.
    fn wait_for(&self, word: &str) {
        loop {
            let line = self.said.recv_timeout(CHILD_STARTS).unwrap();
            // The test runner's own words may stand before it.
            if line.ends_with(word) {
                return;
            }
        }
    }

    fn tell(&mut self, word: &str) {
        writeln!(self.stdin, "{word}").unwrap();
    }

    /// Ends it as a power cut does.
    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// What another process does; a test that does nothing otherwise.
#[test]
fn child() {
    let Ok(work) = std::env::var(VARIABLE) else {
        return;
    };
    let work: Value = serde_json::from_str(&work).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.unwrap().block_on(work_as_told(&work));
}

async fn work_as_told(work: &Value) {
    let text = |member: &str| work[member].as_str().unwrap().to_owned();
    let master: SecretString = text("master").into();
    let master = MasterKey::from_base64(&master, "a test").unwrap();
    let office = Office::open(&PathBuf::from(text("folder")), master, &text("org"), TIMING).await;
    let app = App {
        client_id: text("client_id"),
        client_secret: Some(text("client_secret").into()),
    };
    let (username, password) = (text("username"), text("password"));
    say("ready");
    match work["task"].as_str().unwrap() {
        "calls" => {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).unwrap();
            all_answered(&office, 25).await;
            say("done");
        }
        "forever" => loop {
            office
                .sign_in(&app, (&username, &password), &wish())
                .await
                .unwrap();
            for _ in 0..8 {
                let own = own(&office).await;
                let token = office.store.access_token(&own).await.unwrap();
                office.renewal.renew(&own, &token).await.unwrap();
            }
        },
        other => panic!("{other}"),
    }
}

#[allow(clippy::print_stdout, reason = "processes speak so")]
fn say(word: &str) {
    println!("{word}");
}

async fn own(office: &Office) -> portcullis::policy::ConnectionId {
    let (person, connector) = (name(super::office::ADA), super::office::connector());
    let own = office.store.own_connection(&person, &connector).await;
    own.unwrap().unwrap().id
}

async fn all_answered(office: &Office, calls: usize) {
    let calls = (0..calls).map(|_| {
        let host = office.host.clone();
        tokio::spawn(async move {
            host.call(call("salesforce", "get_identity", json!({})))
                .await
        })
    });
    for call in calls.collect::<Vec<_>>() {
        answered(call.await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_calls_of_two_processes_renew_once() {
    let site = Site::new().await;
    let id = site.sign_in(&wish()).await.unwrap().connection;
    let mut other = Other::start(&site, "calls");
    other.wait_for("ready");
    site.org.expire_sessions(None);
    other.tell("go");
    all_answered(&site.office, 25).await;
    other.wait_for("done");
    let stored = site.office.store.stored_connection(&id).await.unwrap();
    assert_eq!(stored.unwrap().generation, 1);
    // The account was not taken for stolen.
    site.org.expire_sessions(None);
    answered(site.office.call().await);
    other.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_process_that_is_killed_leaves_nothing_half() {
    let kills = std::env::var(KILLS).map_or(10, |kills| kills.parse().unwrap());
    let site = Site::new().await;
    let mut seed = 1_u64;
    let mut reconnected = 0;
    site.sign_in(&wish()).await.unwrap();
    for kill in 0..kills {
        let other = Other::start(&site, "forever");
        other.wait_for("ready");
        // A sign-in takes some hundred milliseconds, a renewal some ten.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        tokio::time::sleep(Duration::from_millis((seed >> 33) % 600)).await;
        other.kill();
        reconnected += u32::from(!is_whole(&site, kill).await);
    }
    let lost = f64::from(reconnected) / f64::from(kills);
    assert!(lost < 0.8, "{reconnected} of {kills} had to connect again");

    // Sign-ins that were broken off are left, and swept.
    let hour = i64::try_from(PENDING_LASTS.as_millis()).unwrap();
    site.office
        .clock
        .0
        .store(hour, std::sync::atomic::Ordering::SeqCst);
    for swept in site.office.accounts.sweep().await.unwrap() {
        assert!(swept.is_revoked(), "{swept:?}");
    }
    assert_eq!(site.stored().await.len(), 1);
}

/// Asserts that after a kill the connection works, or says why not and works after a sign-in. Says whether it worked.
async fn is_whole(site: &Site, kill: u32) -> bool {
    // Every row opens, and one is no longer pending.
    let connections = site.office.store.connections().await.unwrap();
    let used: Vec<_> = connections
        .iter()
        .filter(|connection| connection.state != ConnectionState::Pending)
        .collect();
    let [left] = used[..] else {
        panic!("after kill {kill}: {used:?}");
    };
    let was_in_flight = left.in_flight_since.is_some();
    site.org.expire_sessions(None);
    let reply = site.office.call().await;
    match &reply.outcome {
        Outcome::Done(_) => true,
        Outcome::ConnectRequired(connect) => {
            // What had been received was stored, so only what was under way can be lost, and that is said.
            assert!(was_in_flight, "after kill {kill}: {connect:?}");
            let is_said = connect
                .advice
                .contains("was broken off before its answer was kept");
            assert!(is_said, "after kill {kill}: {connect:?}");
            site.sign_in(&wish()).await.unwrap();
            answered(site.office.call().await);
            false
        }
        other => panic!("after kill {kill}: {other:?}"),
    }
}
