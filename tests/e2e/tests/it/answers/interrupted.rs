//! What goes wrong in the middle of a call, for each tool there is: a read is sent again, a change never.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use portcullis::policy::{Effect, Mode};
use portcullis::{Outcome, Reply};
use salesforce_devorg::fault::{Fault, Rule, When, Work};
use serde_json::Value;

use super::requests::{examples, ready, tools};
use crate::support::{ended, name};
use crate::writes::desk::Desk;

/// Tools whose answer counts the org's requests, so that one more shows.
const COUNTING: [&str; 2] = ["get_identity", "get_org_limits"];

const DOWN: Fault = Fault::Maintenance {
    retry_after_seconds: None,
};
const DOWN_FOR_LONG: Fault = Fault::Maintenance {
    retry_after_seconds: Some(30),
};

/// How long a call may take on a machine that has much else to do.
const TIME: Duration = Duration::from_secs(120);
/// A read that took longer is not sent again: of what becomes of an interruption, a call that took longer says nothing.
const RETRY_WITHIN: Duration = Duration::from_secs(10);
const TRIES_MAX: u32 = 5;

/// Calls a tool at an org of its own, where one request goes wrong.
async fn call(tool: &str, arguments: &Value, wrong: Option<Rule>) -> (Desk, Reply) {
    for _ in 0..TRIES_MAX {
        let begun = Instant::now();
        let (desk, reply) = call_once(tool, arguments, wrong.clone()).await;
        if begun.elapsed() < RETRY_WITHIN {
            assert_eq!(desk.org.faults_due(), 0, "{tool}: nothing went wrong");
            return (desk, reply);
        }
    }
    panic!("{tool}: no call came to its end within {RETRY_WITHIN:?}");
}

async fn call_once(tool: &str, arguments: &Value, wrong: Option<Rule>) -> (Desk, Reply) {
    let desk = Desk::with_time(TIME).await;
    let token = desk.org.users()[0].access_token.clone();
    desk.world
        .credentials
        .on_refresh(&name("salesforce-connection"), token.into());
    let arguments = ready(&desk, tool, arguments).await;
    if let Some(rule) = wrong {
        desk.org.add_fault(rule).unwrap();
    }
    let reply = desk.call(tool, arguments).await;
    (desk, reply)
}

fn told(desk: &Desk, reply: &Reply) -> String {
    match &reply.outcome {
        Outcome::Done(output) => desk.plain(&output.text),
        other => panic!("{other:?}"),
    }
}

async fn examples_of(reads: bool) -> BTreeMap<String, Value> {
    let desk = Desk::new(Mode::Allow).await;
    let effects: BTreeMap<String, Effect> = tools(&desk).into_iter().collect();
    let examples = examples(&desk).await.into_iter();
    examples
        .filter(|(tool, _)| (effects[*tool] == Effect::Read) == reads)
        .map(|(tool, [first, _])| (tool.to_owned(), first))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_is_sent_again_where_that_may_help() {
    for (tool, arguments) in examples_of(true).await {
        let (desk, undisturbed) = call(&tool, &arguments, None).await;
        let count = desk.requests(&undisturbed).len();
        let expected = told(&desk, &undisturbed);
        for (fault, again, passes) in [
            (Fault::Drop, 1, true),
            (Fault::DropHalfway, 1, true),
            (DOWN, 1, true),
            (Fault::LockRow, 1, true),
            // The host renews the token and sends the request again, which is one of the call.
            (Fault::SessionExpired, 0, true),
            (DOWN_FOR_LONG, 0, false),
        ] {
            let shown = format!("{tool}: {fault:?}");
            let when = When {
                nth: count as u64,
                ..When::default()
            };
            let work = None;
            let (desk, reply) = call(&tool, &arguments, Some(Rule { fault, when, work })).await;
            assert_eq!(desk.requests(&reply).len(), count + again, "{shown}");
            if !passes {
                assert_eq!(ended(&reply), "failed unavailable", "{shown}");
            } else if COUNTING.contains(&tool.as_str()) {
                told(&desk, &reply);
            } else {
                assert_eq!(told(&desk, &reply), expected, "{shown}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_sent_once() {
    let mut text = String::new();
    for (tool, arguments) in examples_of(false).await {
        let (desk, undisturbed) = call(&tool, &arguments, None).await;
        let requests = desk.requests(&undisturbed);
        let change = u64::from(desk.changes(&undisturbed)[0]);
        let shown = &requests[usize::try_from(change).unwrap() - 1];
        writeln!(text, "{tool}: {shown}").unwrap();
        for (what, fault, work) in [
            ("done and its answer lost", Fault::Drop, Some(Work::After)),
            ("lost", Fault::Drop, Some(Work::Instead)),
            ("the org is down", DOWN_FOR_LONG, None),
            ("a row is locked", Fault::LockRow, None),
            ("the token is stale", Fault::SessionExpired, None),
        ] {
            let is_stale = matches!(fault, Fault::SessionExpired);
            let when = When {
                nth: change,
                ..When::default()
            };
            let (desk, reply) = call(&tool, &arguments, Some(Rule { fault, when, work })).await;
            // Where the org has refused the token and done nothing, the host sends it again, with a record of its own.
            let times = if is_stale { 2 } else { 1 };
            assert_eq!(desk.changes(&reply).len(), times, "{tool}: {what}");
            if is_stale {
                assert_eq!(ended(&reply), "done", "{tool}: {what}: {reply:?}");
            }
            writeln!(text, "  {what}: {}", ended(&reply)).unwrap();
        }
        // The reads before and after it are reads.
        for nth in (1..=requests.len() as u64).filter(|nth| *nth != change) {
            let when = When {
                nth,
                ..When::default()
            };
            let fault = Fault::Drop;
            let work = None;
            let (desk, reply) = call(&tool, &arguments, Some(Rule { fault, when, work })).await;
            assert_eq!(ended(&reply), "done", "{tool}: the read {nth}: {reply:?}");
            let sent = desk.requests(&reply);
            assert_eq!(desk.changes(&reply).len(), 1, "{tool}: {sent:?}");
        }
        text.push('\n');
    }
    insta::assert_snapshot!("a_change_is_sent_once", text);
}
