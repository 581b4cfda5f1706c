//! The connection breaks where nobody can say by the answer whether the change was done: nothing is sent twice.

use portcullis::policy::{Mode, ToolCall};
use portcullis::ports::audit::Event;
use portcullis::ports::audit::RequestEnd;
use portcullis::{Outcome, Reply};
use salesforce_devorg::fault::{Fault, Rule, When, Work};
use serde_json::json;

use super::desk::{ACCOUNT, Desk, SALE, said, update};
use crate::support::ended;
use crate::support::world::call;

fn breaks(desk: &Desk, method: &str, fault: Fault, work: Work) {
    let when = When {
        method: Some(method.to_owned()),
        path: Some("/services/data/v68.0/*".to_owned()),
        ..When::default()
    };
    desk.org
        .add_fault(Rule {
            fault,
            when,
            work: Some(work),
        })
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_is_made_once_and_the_error_says_where_to_look() {
    for (mode, fault) in [
        (Mode::Allow, Fault::Drop),
        (Mode::Ask, Fault::Drop),
        (Mode::Allow, Fault::DropHalfway),
    ] {
        let desk = Desk::new(mode).await;
        breaks(&desk, "POST", fault, Work::After);
        let arguments = json!({"object": "Account", "fields": {"Name": "Once & 'only'"}});
        let reply = desk.approved("create_record", arguments).await;
        let Outcome::Failed(failure) = &reply.outcome else {
            panic!("{reply:?}");
        };
        let hint = failure.hint.as_deref().unwrap();
        // The call that the hint names shows the one record.
        let (_, query) = hint.split_once("query ").unwrap();
        let arguments = serde_json::from_str(query).unwrap();
        let text = desk.text("query", arguments).await;
        assert!(text.starts_with("1 row\n"), "{text}");
        assert_eq!(reply.sent.len(), 1);
        if matches!(mode, Mode::Ask) {
            let user = desk.org.users()[0].id().to_string();
            insta::assert_snapshot!(hint.replace(&user, "005…"));
        }
    }
}

/// The work was done, and a service that failed after it says 500.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_of_the_service_does_not_say_that_nothing_was_done() {
    for work in [Work::After, Work::Instead] {
        let desk = Desk::new(Mode::Allow).await;
        breaks(&desk, "POST", Fault::ServerError, work);
        let arguments = json!({"object": "Account", "fields": {"Name": "Once"}});
        let reply = desk.call("create_record", arguments).await;
        let Outcome::Failed(failure) = &reply.outcome else {
            panic!("{reply:?}");
        };
        assert!(failure.hint.is_some(), "{failure:?}");
        let [sent] = &reply.sent[..] else {
            panic!("{reply:?}");
        };
        assert_eq!(sent.end, RequestEnd::Status(500));
        assert!(sent.finds_out.is_some(), "{sent:?}");
        let words = portcullis::unclear(sent.finds_out.as_ref());
        assert_eq!(sent.unclear().as_ref(), Some(&words));
        let text = portcullis_server::text(&reply);
        let said = format!("the service answered with status 500, and {words}");
        assert!(text.contains(&said), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_service_refused_does_not_read_as_if_it_were_done() {
    let desk = Desk::new(Mode::Allow).await;
    breaks(&desk, "POST", Fault::LockRow, Work::Instead);
    let arguments = json!({"object": "Account", "fields": {"Name": "Never"}});
    let reply = desk.call("create_record", arguments).await;
    let [sent] = &reply.sent[..] else {
        panic!("{reply:?}");
    };
    assert_eq!(
        (&sent.end, sent.unclear()),
        (&RequestEnd::Status(400), None)
    );
    let text = portcullis_server::text(&reply);
    assert!(
        text.contains("The service refused the change (POST "),
        "{text}"
    );
    assert!(text.ends_with(", status 400)."), "{text}");
    assert!(!text.contains("was sent"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_is_settled_by_what_the_record_says() {
    let desk = Desk::new(Mode::Allow).await;
    breaks(&desk, "PATCH", Fault::Drop, Work::After);
    insta::assert_snapshot!(
        desk.text(
            "update_record",
            update("Account", ACCOUNT, json!({"Site": "done"}))
        )
        .await
    );

    breaks(&desk, "PATCH", Fault::Drop, Work::Instead);
    let reply = desk
        .call(
            "update_record",
            update("Account", ACCOUNT, json!({"Site": "not done"})),
        )
        .await;
    let Outcome::Failed(failure) = &reply.outcome else {
        panic!("{reply:?}");
    };
    insta::assert_snapshot!(desk.plain(&said(failure)).split_once("hint: ").unwrap().1);
    assert_eq!(reply.sent.len(), 1);
    assert_eq!(desk.record("Account", ACCOUNT).await["Site"], "done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_is_settled_by_the_record_that_is_gone() {
    let desk = Desk::new(Mode::Allow).await;
    let task = desk.rows("SELECT Id FROM Task LIMIT 1").await;
    let id = task[0]["Id"].as_str().unwrap();
    breaks(
        &desk,
        "DELETE",
        Fault::Maintenance {
            retry_after_seconds: None,
        },
        Work::Instead,
    );
    let failure = desk
        .failure("delete_record", json!({"object": "Task", "id": id}))
        .await;
    assert!(
        failure.contains("it may have been deleted all the same"),
        "{failure}"
    );
    breaks(&desk, "DELETE", Fault::Drop, Work::After);
    let text = desk
        .text("delete_record", json!({"object": "Task", "id": id}))
        .await;
    assert!(
        text.contains("the org's answer was lost; the record is gone"),
        "{text}"
    );
}

/// Gives up a change while the org works on it, and gives the reply.
async fn gives_up(desk: &Desk, tool: &str, arguments: serde_json::Value) -> Reply {
    let method = if tool == "update_record" {
        "PATCH"
    } else {
        "POST"
    };
    breaks(desk, method, Fault::Latency { ms: 60_000 }, Work::After);
    let call = call("salesforce", tool, arguments);
    let cancellation = call.cancellation.clone();
    let before = desk.org.taken_changes().len();
    let mut requests = desk.org.watch_requests();
    let giving_up = async {
        while desk.org.taken_changes().len() == before {
            // What was asked is worked on after it is counted.
            let _ =
                tokio::time::timeout(std::time::Duration::from_millis(1), requests.changed()).await;
        }
        cancellation.cancel();
    };
    let (reply, ()) = tokio::join!(desk.world.host.call(call), giving_up);
    desk.org.clear_faults();
    reply
}

/// What the call's log says that finds out.
fn named(desk: &Desk, reply: &Reply) -> ToolCall {
    let records = desk.world.records(reply);
    let mut named = records.into_iter().filter_map(|record| match record.event {
        Event::Intended(intent) => intent.finds_out,
        _ => None,
    });
    named.next().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gives_up_is_told_the_call_that_finds_out_in_the_words_of_the_log() {
    let desk = Desk::new(Mode::Allow).await;
    for (tool, arguments, expected) in [
        (
            "update_record",
            update("Account", ACCOUNT, json!({"Site": "given up"})),
            format!("get_record {{\"id\":\"{ACCOUNT}\",\"object\":\"Account\"}}"),
        ),
        (
            "create_record",
            json!({"object": "Account", "fields": {"Name": "given up"}}),
            "query {\"soql\":\"SELECT Id, CreatedDate, CreatedById FROM Account ORDER BY CreatedDate DESC LIMIT 5\"}"
                .to_owned(),
        ),
        (
            "send_email",
            json!({"to": ["li@mail.example"], "subject": "given up", "body": "x", "about": SALE}),
            format!("query {{\"soql\":\"SELECT Id, Subject, CreatedDate FROM Task WHERE WhatId = '{SALE}' OR WhoId = '{SALE}' ORDER BY CreatedDate DESC LIMIT 5\"}}"),
        ),
    ] {
        let reply = gives_up(&desk, tool, arguments).await;
        assert_eq!(ended(&reply), "failed cancelled");
        let [sent] = &reply.sent[..] else {
            panic!("{reply:?}");
        };
        assert!(matches!(sent.end, RequestEnd::Unclear(_)), "{sent:?}");
        let call = named(&desk, &reply);
        assert_eq!(call.to_string(), expected);
        let words = portcullis::unclear(Some(&call));
        assert!(words.contains(&expected), "{words}");
        assert_eq!(sent.unclear(), Some(words.clone()));
        let Outcome::Failed(failure) = &reply.outcome else {
            panic!("{reply:?}");
        };
        assert_eq!(failure.hint, Some(words));
        // It is a call as any other, and shows what was made.
        let found = desk.call(call.tool.as_str(), call.arguments.into()).await;
        let Outcome::Done(output) = found.outcome else {
            panic!("{found:?}");
        };
        let shown = if tool == "create_record" { "2026-11-2" } else { "given up" };
        assert!(output.text.contains(shown), "{}", output.text);
    }
}
