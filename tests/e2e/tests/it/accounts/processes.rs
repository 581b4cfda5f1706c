//! Several processes on one store, and some that are killed in the middle.
//!
//! A process is this test program once more, told by a variable what it works with.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use portcullis::Outcome;
use portcullis_connect::{App, PENDING_LASTS};
use portcullis_store::{ConnectionState, MasterKey};
use salesforce_devorg::IssuedTokens;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::office::{Office, ROTATING, Site, TIMING, Wish, answered};
use crate::support::call;

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

    fn is_running(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
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
            // A token may end while it is tried: the next sign-in does better.
            let user = (&*username, &*password);
            let _signed_in = office.sign_in(&app, user, &wish()).await;
            for _ in 0..8 {
                let _reply = office.call().await;
            }
        },
        other => panic!("{other}"),
    }
}

#[allow(clippy::print_stdout, reason = "processes speak so")]
fn say(word: &str) {
    println!("{word}");
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
        let mut other = Other::start(&site, "forever");
        other.wait_for("ready");
        // A sign-in takes some hundred milliseconds, a renewal some ten.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let ends = Instant::now() + Duration::from_millis((seed >> 33) % 600);
        while Instant::now() < ends {
            site.org.expire_sessions(None);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(other.is_running(), "kill {kill} came late");
        other.kill();
        reconnected += u32::from(!is_whole(&site, kill).await);
        every_account_that_is_used_is_known(&site, kill).await;
    }
    let issued = site.org.issued_tokens();
    let used = issued.iter().filter(|tokens| tokens.is_used).count();
    // It was about something: tokens were renewed and used all the time.
    assert!(used >= kills, "{used} tokens in {kills} kills");
    say(&format!(
        "{kills} kills, {} tokens, {used} used, {reconnected} answers lost",
        issued.len()
    ));

    // Sign-ins that were broken off are left, and swept.
    let hour = i64::try_from(PENDING_LASTS.as_millis()).unwrap();
    let clock = &site.office.clock.0;
    clock.store(hour, std::sync::atomic::Ordering::SeqCst);
    for swept in site.office.accounts.sweep().await.unwrap() {
        assert!(swept.is_revoked(), "{swept:?}");
    }
    assert_eq!(site.stored().await.len(), 1);
    // What the org still has is what is stored.
    every_account_that_is_used_is_known(&site, kills).await;
}

/// Asserts that after a kill the connection works, or says why not and works after a sign-in. Says whether it worked.
async fn is_whole(site: &Site, kill: usize) -> bool {
    // Every row opens, and one is no longer pending.
    let store = &site.office.store;
    let connections = store.connections().await.unwrap();
    let used: Vec<_> = connections
        .iter()
        .filter(|connection| connection.state != ConnectionState::Pending)
        .collect();
    let [left] = used[..] else {
        panic!("after kill {kill}: {used:?}");
    };
    let was_in_flight = left.in_flight_since.is_some();
    let (secrets, _) = store.secrets(&left.id).await.unwrap();
    let stored = secrets.refresh_token.unwrap();
    site.org.expire_sessions(None);
    let reply = site.office.call().await;
    let later = issued_after(site, stored.expose_secret());
    match &reply.outcome {
        Outcome::Done(_) => {
            // By the token that was stored, and with none between.
            assert_eq!(later.len(), 1, "after kill {kill}: {later:?}");
            true
        }
        Outcome::ConnectRequired(connect) => {
            // One answer was under way, whose tokens nobody has used: what is used was stored before.
            let [lost] = &later[..] else {
                panic!("after kill {kill}: {later:?} {connect:?}");
            };
            assert!(!lost.is_used, "after kill {kill}: {lost:?}");
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

/// The tokens that the org gave in the place of a refresh token, one after the other.
fn issued_after(site: &Site, refresh_token: &str) -> Vec<IssuedTokens> {
    let issued = site.org.issued_tokens();
    let at = issued
        .iter()
        .position(|tokens| tokens.refresh_token.as_deref() == Some(refresh_token))
        .unwrap();
    let sign_in = issued[at].sign_in;
    let later = issued.into_iter().skip(at + 1);
    later.filter(|tokens| tokens.sign_in == sign_in).collect()
}

/// Asserts that the store has a token of every sign-in that lives at the org and was used: none was used before it was
/// stored, and none was forgotten before it was revoked.
async fn every_account_that_is_used_is_known(site: &Site, kill: usize) {
    let store = &site.office.store;
    let connected = store.with_secrets(&super::office::connector()).await;
    let endings = store.endings().await.unwrap();
    let connected = connected.unwrap().into_iter().map(|(_, secrets)| secrets);
    let ended = endings.into_iter().map(|ending| ending.ended.secrets);
    let stored: Vec<String> = connected
        .chain(ended)
        .map(|secrets| secrets.refresh_token.unwrap().expose_secret().to_owned())
        .collect();
    let issued = site.org.issued_tokens();
    let known: BTreeSet<u64> = issued
        .iter()
        .filter(|tokens| {
            tokens
                .refresh_token
                .as_ref()
                .is_some_and(|it| stored.contains(it))
        })
        .map(|tokens| tokens.sign_in)
        .collect();
    for tokens in issued.iter().filter(|tokens| tokens.is_used) {
        let is_known = tokens.is_over || known.contains(&tokens.sign_in);
        assert!(is_known, "after kill {kill}: {tokens:?}");
    }
}
