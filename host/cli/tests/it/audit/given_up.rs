//! A client that gives a change up, and goes away, while the service still works.

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use portcullis::ports::audit::{Event, RequestEnd};
use portcullis_store::{Activity, CallEnd, CallRow, Filter, Owner};
use salesforce_devorg::fault::{Fault, Rule, When, Work};
use salesforce_devorg::{DevOrg, Options};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use super::support::run;
use crate::program::{Home, connection};

/// An account of the sample records.
const ACCOUNT: &str = "001DO0000000002YAA";

/// How long the service takes over the change: longer than a call that is given up has to end.
const LATENCY_MS: u64 = 6_000;

/// How long is waited for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A store whose agent `helper` changes Ada's account without a question.
async fn place(org: &DevOrg) -> Arc<Home> {
    let mut account = connection(Owner::Person("ada".parse().unwrap()), "Acme", org.url());
    account.secrets.access_token = org.users()[0].access_token.clone().into();
    let made = move || {
        let home = Home::new();
        home.must(&["person", "add", "bob"]);
        home.must(&["agent", "add", "helper"]);
        home.must(&["agent", "give", "helper", "salesforce"]);
        home.must(&["allow", "helper", "update_record", "always"]);
        home.connect(account);
        Arc::new(home)
    };
    tokio::task::spawn_blocking(made).await.unwrap()
}

async fn say(input: &mut ChildStdin, message: Value) {
    let line = format!("{message}\n");
    input.write_all(line.as_bytes()).await.unwrap();
    input.flush().await.unwrap();
}

async fn only_call(activity: &Activity) -> Option<CallRow> {
    activity.calls(&Filter::default()).await.unwrap().0.pop()
}

/// A program whose client gave a change up that the service still works on.
struct GivenUp {
    home: Arc<Home>,
    program: Child,
    input: ChildStdin,
    activity: Activity,
    /// Ends when this is dropped.
    _org: DevOrg,
}

/// Has a client give a change up over which the service takes some time.
async fn given_up(latency_ms: u64) -> GivenUp {
    let org = DevOrg::start(Options::default()).await.unwrap();
    let home = place(&org).await;
    let when = When {
        method: Some("PATCH".to_owned()),
        ..When::default()
    };
    org.add_fault(Rule {
        fault: Fault::Latency { ms: latency_ms },
        when,
        work: Some(Work::After),
    })
    .unwrap();
    let address = org.address().to_string();
    let serve = [
        "serve",
        "--stdio",
        "--agent",
        "helper",
        "--allow-origin",
        address.as_str(),
    ];
    let mut program = Command::from(home.command("ada", &serve))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut input = program.stdin.take().unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let client = json!({
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    });
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client});
    say(&mut input, hello).await;
    lines.next_line().await.unwrap().unwrap();
    let begun = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    say(&mut input, begun).await;
    let change = json!({"object": "Account", "id": ACCOUNT, "fields": {"Site": "given up"}});
    let asked = json!({"name": "update_record", "arguments": change});
    let call = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": asked});
    say(&mut input, call).await;

    let waits = Instant::now();
    let mut requests = org.watch_requests();
    while org.taken_changes().is_empty() {
        assert!(waits.elapsed() < PATIENCE, "no change was sent");
        // What was asked is worked on after it is counted.
        let _ = tokio::time::timeout(Duration::from_millis(1), requests.changed()).await;
    }
    let given_up = json!({"requestId": 2, "reason": "no patience"});
    let given_up =
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": given_up});
    say(&mut input, given_up).await;

    // The call has ended, and what became of its change nobody knows yet.
    let activity = Activity::open(home.store().await).await.unwrap();
    let ended = loop {
        assert!(waits.elapsed() < PATIENCE, "the call has not ended");
        match only_call(&activity).await {
            Some(row) if row.ended != CallEnd::Running => break row,
            _ => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    assert_eq!(ended.ended, CallEnd::Unclear, "{ended:?}");
    GivenUp {
        home,
        program,
        input,
        activity,
        _org: org,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_was_given_up_has_its_outcome_on_record_before_the_program_ends() {
    let GivenUp {
        home,
        mut program,
        input,
        activity,
        _org,
    } = given_up(LATENCY_MS).await;
    drop(input);
    let status = program.wait().await.unwrap();
    assert!(status.success(), "{status}");
    let row = only_call(&activity).await.unwrap();
    let lines = activity.lines(&row).await.unwrap();
    let outcome = lines.iter().find_map(|line| match &line.record.event {
        Event::Answered(answer) if answer.effect > portcullis::policy::Effect::Read => {
            Some(answer.end.clone())
        }
        _ => None,
    });
    assert_eq!(outcome, Some(RequestEnd::Status(204)), "{lines:?}");
    assert_eq!(row.ended, CallEnd::As("failed".to_owned()));
    // The next start has nothing to say.
    let said = run(&home, "ada", &["audit", "retain", "--never"]).await;
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
}

/// Tells a program to end, as the system does.
#[cfg(unix)]
fn tell_to_end(program: &Child) {
    let id = program.id().unwrap().to_string();
    let told = std::process::Command::new("kill")
        .args(["-TERM", &id])
        .status();
    assert!(told.unwrap().success());
}

/// Whoever tells it to end a second time is not made to wait for the outcome, which is then said to be unknown.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_told_to_end_twice_ends() {
    let mut it = given_up(50_000).await;
    let mut said = BufReader::new(it.program.stderr.take().unwrap()).lines();
    tell_to_end(&it.program);
    let waits = Instant::now();
    loop {
        let line = said.next_line().await.unwrap().unwrap();
        if line.contains("is not answered yet") {
            break;
        }
    }
    tell_to_end(&it.program);
    let status = it.program.wait().await.unwrap();
    assert!(status.success(), "{status}");
    assert!(waits.elapsed() < Duration::from_secs(25), "it waited");
    let row = only_call(&it.activity).await.unwrap();
    assert_eq!(row.ended, CallEnd::Unclear);
}
