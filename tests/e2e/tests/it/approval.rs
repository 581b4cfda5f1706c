//! A person approves one exact change, which is then sent once.

use portcullis::policy::Mode;
use portcullis::{ApprovalId, Outcome, Reply};
use serde_json::json;

use crate::support::{World, ended};

fn held(reply: &Reply) -> ApprovalId {
    match &reply.outcome {
        Outcome::ApprovalRequired(approval) => approval.id,
        other => panic!("nobody is asked: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_4_what_a_person_approved_is_sent_once() {
    let world = World::with(&["fetch"]).await;
    let put = |name: &'static str| world.call("fetch", "put", json!({"id": "1", "name": name}));

    // Nothing is sent before a person has decided; asking again is the same question.
    let reply = put("New").await;
    let first = held(&reply);
    let Outcome::ApprovalRequired(approval) = &reply.outcome else {
        panic!("{reply:?}");
    };
    let field = &approval.card.changes[0].fields[0];
    assert_eq!(field.before.as_deref(), Some("\"Record 1\""));
    assert_eq!(field.after.as_deref(), Some("\"New\""));
    assert_eq!(held(&put("New").await), first);
    assert!(world.service.changes().is_empty());

    // Approved, it is sent, once: the next is a new question.
    assert!(world.approvals.approve(first));
    // Other arguments are another question, and use nothing up.
    let other = held(&put("Else").await);
    assert_ne!(other, first);
    assert!(world.service.changes().is_empty());
    let reply = put("New").await;
    assert_eq!(ended(&reply), "done", "{reply:?}");
    assert_eq!(reply.sent.len(), 1);
    let sent = world.service.changes();
    assert_eq!(sent.len(), 1);
    assert_eq!(&sent[0].body[..], br#"{"name":"New"}"#);
    assert!(sent[0].headers.get("portcullis-change").is_none());
    let again = held(&put("New").await);
    assert_ne!(again, first);

    // The record changed after a person has looked at it: the question is a new one.
    let stale = held(&put("Newer").await);
    assert!(world.approvals.approve(stale));
    let before = world.service.record("1").unwrap();
    let theirs = json!({"id": "1", "name": "Someone else's"});
    world.service.put_record("1", theirs);
    let reply = put("Newer").await;
    assert_ne!(held(&reply), stale);
    let Outcome::ApprovalRequired(approval) = &reply.outcome else {
        panic!("{reply:?}");
    };
    let field = &approval.card.changes[0].fields[0];
    assert_eq!(field.before.as_deref(), Some("\"Someone else's\""));
    assert_eq!(world.service.changes().len(), 1);
    // As it was, the approval holds.
    world.service.put_record("1", before);
    assert_eq!(ended(&put("Newer").await), "done");
    assert_eq!(world.service.changes().len(), 2);

    // A person's no is a no.
    let id = held(&put("Never").await);
    assert!(world.approvals.deny(id, None));
    assert_eq!(ended(&put("Never").await), "refused approval_denied");
    assert_eq!(world.service.changes().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_reruns_at_once_send_once() {
    let world = World::with(&["fetch"]).await;
    for round in 0..20 {
        let arguments = json!({"id": "2", "name": format!("Round {round}")});
        let put = || world.call("fetch", "put", arguments.clone());
        assert!(world.approvals.approve(held(&put().await)));
        let (one, two) = tokio::join!(put(), put());
        let done = [&one, &two]
            .iter()
            .filter(|reply| ended(reply) == "done")
            .count();
        // The second may see what the first has written: then it is another question.
        assert_eq!(done, 1, "{one:?} {two:?}");
        assert_eq!(one.sent.len() + two.sent.len(), 1);
        assert_eq!(world.service.changes().len(), round + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_is_one_persons_and_one_agents() {
    let world = World::with(&["fetch"]).await;
    let arguments = json!({"id": "1", "name": "New"});
    let id = held(&world.call("fetch", "put", arguments.clone()).await);
    assert!(world.approvals.approve(id));
    world
        .permissions
        .offer("other".parse().unwrap(), "fetch".parse().unwrap());
    let mut other = crate::support::call("fetch", "put", arguments.clone());
    other.agent = "other".parse().unwrap();
    assert_ne!(held(&world.host.call(other).await), id);
    assert!(world.service.changes().is_empty());
    assert_eq!(ended(&world.call("fetch", "put", arguments).await), "done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_approved_is_not_sent_a_second_time_when_the_answer_is_lost() {
    let world = World::with(&["fetch"]).await;
    let arguments = json!({"id": "1", "name": "New"});
    let put = || world.call("fetch", "put", arguments.clone());
    assert!(world.approvals.approve(held(&put().await)));
    world.service.drop_answers();
    let reply = put().await;
    assert_eq!(ended(&reply), "failed unavailable", "{reply:?}");
    assert_eq!(reply.sent.len(), 1);
    assert!(
        matches!(
            reply.sent[0].end,
            portcullis::ports::audit::RequestEnd::Unclear(_)
        ),
        "{reply:?}"
    );
    held(&put().await);
    assert_eq!(world.service.changes().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_needs_approval_is_asked_for_before_anything_of_it_runs() {
    let world = World::with(&["fetch"]).await;
    world.mode("fetch", "get", Mode::Ask);
    let get = || world.call("fetch", "get", json!({"path": "/record/1"}));
    let id = held(&get().await);
    assert_eq!(world.service.connections(), 0);
    assert!(world.approvals.approve(id));
    assert_eq!(ended(&get().await), "done");
    assert_ne!(held(&get().await), id);
    assert_eq!(world.service.seen().len(), 1);
}
