//! A call that is spelled otherwise and sends the same.
//!
//! The attack: an agent that was told no asks again in other letters, or has one request asked for many times over.

use std::sync::Arc;

use portcullis::policy::Mode;
use portcullis_store::{Location, MasterKey, Role, Store, StoreApprovals, StoreOptions, Which};
use serde_json::{Value, json};

use super::desk::{ACCOUNT, Desk, held};
use crate::support::ended;
use crate::support::world::{PERSON, name};

/// One update of an account's phone number, as the first of these sends it.
fn spellings() -> Vec<Value> {
    let fifteen = &ACCOUNT[..15];
    vec![
        json!({"object": "Account", "id": ACCOUNT, "fields": {"Phone": "111"}}),
        json!({"object": "account", "id": ACCOUNT, "fields": {"Phone": "111"}}),
        json!({"object": "Account", "id": fifteen, "fields": {"Phone": "111"}}),
        json!({"object": "Account", "id": ACCOUNT, "fields": {"phone": "111"}}),
        json!({"object": "ACCOUNT", "id": fifteen, "fields": {"PHONE": "111"}}),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_no_and_a_question_are_of_the_request_however_it_is_spelled() {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::in_folder(folder.path());
    let options = StoreOptions::new(location, MasterKey::random().unwrap());
    let store = Store::open(options).await.unwrap();
    let person = name(PERSON);
    store.add_person(&person, "Ada", Role::Admin).await.unwrap();
    let approvals = Arc::new(StoreApprovals::open(store.clone()).await.unwrap());
    let desk = Desk::asking(approvals, Mode::Ask).await;
    let ask = async |arguments: &Value| desk.call("update_record", arguments.clone()).await;

    // It waits as one question, whose card is the first's.
    let [first, others @ ..] = &spellings()[..] else {
        unreachable!();
    };
    let asked = ask(first).await;
    let question = held(&asked);
    let wire = question.card.wire.clone();
    for other in others {
        let again = ask(other).await;
        assert_eq!(held(&again).id, question.id, "{other}");
        assert!(held(&again).card.wire == wire, "{other}");
    }
    let open = Which {
        person: None,
        settled: false,
        limit: 50,
    };
    assert_eq!(store.approvals(&open).await.unwrap().1, 1);

    // A no is one to all of them.
    let no = store.deny(question.id, &person, Some("leave it")).await;
    no.unwrap();
    for spelling in spellings() {
        let refused = ask(&spelling).await;
        assert_eq!(ended(&refused), "refused approval_denied", "{spelling}");
        assert!(refused.outcome.message().unwrap().contains("leave it"));
    }
    assert_eq!(store.approvals(&open).await.unwrap().1, 0);

    // What was sent before is said to have been, in whichever letters it is asked for then.
    let email = |name: &str| json!({"object": "Account", "id": ACCOUNT, "fields": {name: "https://acme.example"}});
    let asked = ask(&email("Website")).await;
    let id = held(&asked).id;
    store.approve(id, &person, None).await.unwrap();
    let done = ask(&email("Website")).await;
    assert_eq!(ended(&done), "done", "{done:?}");
    desk.meanwhile(
        "Account",
        ACCOUNT,
        json!({"Website": "https://theirs.example"}),
    )
    .await;
    let again = ask(&email("website")).await;
    let differs = &held(&again).card.differs;
    let call = done.call.unwrap().to_string();
    assert!(
        differs.iter().any(|line| line.contains(&call)),
        "{differs:?}"
    );
}
