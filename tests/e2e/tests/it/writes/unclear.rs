//! The connection breaks where nobody can say by the answer whether the change was done: nothing is sent twice.

use portcullis::Outcome;
use portcullis::policy::Mode;
use salesforce_devorg::fault::{Fault, Rule, When, Work};
use serde_json::json;

use super::desk::{ACCOUNT, Desk, said, update};

fn breaks(desk: &Desk, method: &str, fault: Fault, work: Work) {
    let when = When {
        method: Some(method.to_owned()),
        path: Some("/services/data/v68.0/sobjects/*".to_owned()),
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
