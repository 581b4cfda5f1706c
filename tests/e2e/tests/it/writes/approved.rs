//! A person decides on what was announced, and that is what is sent.

use portcullis::policy::Mode;
use portcullis::{Outcome, Reply, Rerun};
use serde_json::{Value, json};

use super::desk::{ACCOUNT, Desk, SALE, held, update};
use crate::support::{call, ended};

/// Shows the question of a call, without what differs from run to run.
fn card(desk: &Desk, reply: &Reply) -> String {
    desk.plain(&held(reply).card.text())
}

/// Runs the call of a question again, as it was.
async fn run_again(desk: &Desk, reply: &Reply, tool: &str, arguments: Value) -> Reply {
    let id = held(reply).id;
    let pending = desk.world.approvals.pending();
    let (_, request) = pending.into_iter().find(|(other, _)| *other == id).unwrap();
    assert!(desk.world.approvals.approve(id));
    let mut again = call("salesforce", tool, arguments);
    again.rerun = Some(Rerun {
        approval: id,
        replay: request.replay,
    });
    desk.world.host.call(again).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_sees_before_and_after_in_words() {
    let desk = Desk::new(Mode::Ask).await;
    let owner = desk.org.users()[1].id().to_string();
    let arguments = update(
        "Opportunity",
        SALE,
        json!({"Amount": 1500000, "OwnerId": owner, "CloseDate": "2027-01-31", "NextStep": "Call \u{202e}them"}),
    );
    let reply = desk.call("update_record", arguments.clone()).await;
    assert!(reply.sent.is_empty());
    insta::assert_snapshot!("card_update", card(&desk, &reply));
    // Asked again it is the same question, byte for byte.
    let again = desk.call("update_record", arguments.clone()).await;
    assert_eq!(held(&again).id, held(&reply).id);
    let wire = held(&reply).card.wire.clone().unwrap();
    assert!(
        wire.body
            .unwrap()
            .starts_with(r#"{"Amount":1500000,"CloseDate":"#)
    );
    let reply = run_again(&desk, &reply, "update_record", arguments).await;
    assert_eq!(ended(&reply), "done", "{reply:?}");
    assert_eq!(
        desk.record("Opportunity", SALE).await["Amount"],
        1_500_000.0
    );

    let arguments = json!({"object": "Contact", "fields": {"LastName": "Li", "FirstName": "Ada", "AccountId": ACCOUNT}});
    let reply = desk.call("create_record", arguments.clone()).await;
    insta::assert_snapshot!("card_create", card(&desk, &reply));
    let reply = run_again(&desk, &reply, "create_record", arguments).await;
    assert_eq!(ended(&reply), "done", "{reply:?}");

    let arguments = json!({"object": "Account", "id": ACCOUNT});
    let reply = desk.call("delete_record", arguments.clone()).await;
    insta::assert_snapshot!("card_delete", card(&desk, &reply));
    let reply = desk.call("delete_record", arguments).await;
    assert!(reply.sent.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changed_since_a_person_looked_is_asked_anew() {
    let desk = Desk::new(Mode::Ask).await;
    let arguments = update(
        "Account",
        ACCOUNT,
        json!({"Site": "mine", "Industry": "Banking"}),
    );
    let reply = desk.call("update_record", arguments.clone()).await;
    desk.meanwhile("Account", ACCOUNT, json!({"Site": "theirs"}))
        .await;
    let anew = run_again(&desk, &reply, "update_record", arguments.clone()).await;
    assert_ne!(held(&anew).id, held(&reply).id);
    assert!(anew.sent.is_empty());
    insta::assert_snapshot!("differs", held(&anew).card.differs.join("\n"));
    assert_eq!(desk.record("Account", ACCOUNT).await["Site"], "theirs");
    // What is approved now is what is sent.
    let reply = run_again(&desk, &anew, "update_record", arguments).await;
    assert!(matches!(reply.outcome, Outcome::Done(_)), "{reply:?}");
    assert_eq!(desk.record("Account", ACCOUNT).await["Site"], "mine");
}
