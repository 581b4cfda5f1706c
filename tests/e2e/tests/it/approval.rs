//! A person approves one exact change, which is then sent once.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use portcullis::policy::{Mode, Origin, Scope};
use portcullis::ports::credentials::Connection;
use portcullis::ports::{Caller, Ports};
use portcullis::{ApprovalId, LookedUp, Outcome, Reply};
use portcullis_connect::{DecideError, Decisions};
use portcullis_store::{
    ApprovalState, By, Door, Location, MasterKey, Note, Role, Store, StoreApprovals, StoreAudit,
    StoreOptions, Which,
};
use serde_json::json;
use tempfile::TempDir;

use crate::support::world::{AGENT, PERSON};
use crate::support::{Setup, TOKEN, World, ended, name};

/// A host whose questions are kept in a store, and the person who decides on them.
struct Desk {
    world: World,
    store: Store,
    decisions: Decisions,
    audit: StoreAudit,
    _folder: TempDir,
}

/// Who decides, and from where.
fn by() -> By {
    By {
        person: name(PERSON),
        user: None,
        door: Door::CommandLine,
    }
}

impl Desk {
    async fn new() -> Self {
        Self::waiting(Duration::ZERO).await
    }

    /// Has calls wait for a decision.
    async fn waiting(waits: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::in_folder(folder.path());
        let options = StoreOptions::new(location, MasterKey::random().unwrap());
        let store = Store::open(options).await.unwrap();
        store
            .add_person(&name(PERSON), "Ada", Role::Admin)
            .await
            .unwrap();
        let approvals = StoreApprovals::open(store.clone()).await.unwrap();
        let approvals = Arc::new(approvals.waiting(waits));
        let setup = Setup {
            ports: Box::new(move |ports| Ports { approvals, ..ports }),
            ..Setup::default()
        };
        let world = World::new(setup, &["fetch"]).await;
        let audit = StoreAudit::open(store.clone()).await.unwrap();
        Self {
            decisions: Decisions::new(store.clone(), world.host.clone(), audit.clone()),
            world,
            store,
            audit,
            _folder: folder,
        }
    }

    /// Puts the record back to what it was, so that the same change is the same request again.
    fn as_before(&self) {
        let record = json!({"id": "1", "name": "Record 1"});
        self.world.service.put_record("1", record);
    }

    async fn put(&self) -> Reply {
        let arguments = json!({"id": "1", "name": "New"});
        self.world.call("fetch", "put", arguments).await
    }

    async fn get(&self) -> Reply {
        let arguments = json!({"path": "/record/1"});
        self.world.call("fetch", "get", arguments).await
    }

    /// Says yes, and gives what the run came to.
    async fn approve(&self, id: ApprovalId) -> Reply {
        let decided = self.decisions.approve(id, &by(), None).await;
        decided.unwrap().reply.unwrap()
    }

    /// Has the agent ask what became of a question that has an answer.
    async fn look_up(&self, id: ApprovalId) -> Reply {
        let caller = Caller {
            agent: name(AGENT),
            person: name(PERSON),
        };
        match self.world.host.look_up(&caller, id).await.unwrap() {
            Some(LookedUp::Answer(reply)) => reply,
            _ => panic!("no answer is there"),
        }
    }

    async fn state(&self, id: ApprovalId) -> ApprovalState {
        let question = self.store.question(id, &name(PERSON)).await.unwrap();
        question.approval.state
    }
}

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_yes_is_one_send_however_the_mode_changes_meanwhile() {
    for (at_yes, at_repeat) in [
        (Mode::Ask, Mode::Ask),
        (Mode::Ask, Mode::Allow),
        (Mode::Allow, Mode::Allow),
        (Mode::Allow, Mode::Ask),
    ] {
        let desk = Desk::new().await;
        desk.as_before();
        let id = held(&desk.put().await);
        desk.world.mode("fetch", "put", at_yes);
        assert_eq!(ended(&desk.approve(id).await), "done");
        assert_eq!(desk.state(id).await, ApprovalState::Used, "{at_yes:?}");
        // The agent makes the same call again, as it was told: it gets the answer, and nothing is sent.
        desk.as_before();
        desk.world.mode("fetch", "put", at_repeat);
        let reply = desk.put().await;
        assert_eq!(ended(&reply), "done", "{at_yes:?}, {at_repeat:?}");
        assert_eq!(reply.sent.len(), 1);
        assert_eq!(desk.world.service.changes().len(), 1);
        // No yes is left for another time.
        desk.world.mode("fetch", "put", Mode::Ask);
        assert_ne!(held(&desk.put().await), id);
        assert_eq!(desk.world.service.changes().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_comes_out_otherwise_is_asked_anew_though_nobody_would_be_asked_by_now() {
    let desk = Desk::new().await;
    desk.as_before();
    let id = held(&desk.put().await);
    desk.world.mode("fetch", "put", Mode::Allow);
    let theirs = json!({"id": "1", "name": "Someone else's"});
    desk.world.service.put_record("1", theirs);
    assert_ne!(held(&desk.approve(id).await), id);
    assert_eq!(desk.state(id).await, ApprovalState::Replaced);
    assert!(desk.world.service.changes().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_yes_is_one_read_however_the_mode_changes_meanwhile() {
    let desk = Desk::new().await;
    desk.world.mode("fetch", "get", Mode::Ask);
    let id = held(&desk.get().await);
    desk.world.mode("fetch", "get", Mode::Allow);
    assert_eq!(ended(&desk.approve(id).await), "done");
    assert_eq!(desk.state(id).await, ApprovalState::Used);
    desk.world.mode("fetch", "get", Mode::Ask);
    assert_eq!(ended(&desk.get().await), "done", "it is the answer");
    assert_ne!(held(&desk.get().await), id);
    assert_eq!(desk.world.service.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_yes_whose_run_did_not_use_it_is_none_any_more() {
    let desk = Desk::new().await;
    desk.as_before();
    let id = held(&desk.put().await);
    let of_a_day = |changes| Scope {
        changes_per_day: changes,
        ..Scope::default()
    };
    desk.world.scope("fetch", of_a_day(Some(0)));
    assert_eq!(ended(&desk.approve(id).await), "refused change_limit");
    assert_eq!(desk.state(id).await, ApprovalState::Withdrawn);
    // Neither an answer nor a yes is left of it: the person is asked.
    desk.world.scope("fetch", of_a_day(None));
    assert_ne!(held(&desk.put().await), id);
    assert!(desk.world.service.changes().is_empty());
}

/// A yes is not taken for what would not run: it would be lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_not_run_is_not_approved_and_still_waits() {
    let desk = Desk::new().await;
    desk.as_before();
    let limited = |calls| Scope {
        calls_per_minute: calls,
        ..Scope::default()
    };
    desk.world.scope("fetch", limited(Some(1)));
    let id = held(&desk.put().await);
    let entries = desk.world.audit.calls().len();
    for (scope, mode, code) in [
        (limited(Some(1)), Mode::Ask, "call_limit"),
        (limited(None), Mode::Disabled, "tool_disabled"),
    ] {
        desk.world.scope("fetch", scope);
        desk.world.mode("fetch", "put", mode);
        let error = desk.decisions.approve(id, &by(), None).await.unwrap_err();
        let DecideError::WouldNotRun(outcome) = error else {
            panic!("{error:?}");
        };
        assert_eq!(outcome.code(), Some(code));
        assert_eq!(desk.state(id).await, ApprovalState::Pending);
    }
    // To look is no call, and counts for none.
    assert_eq!(desk.world.audit.calls().len(), entries);
    desk.world.mode("fetch", "put", Mode::Ask);
    desk.world.scope("fetch", limited(Some(2)));
    assert_eq!(ended(&desk.approve(id).await), "done");
    assert_eq!(desk.world.service.changes().len(), 1);
    // One that is decided does not wait, whatever its run would come to.
    desk.world.mode("fetch", "put", Mode::Disabled);
    let error = desk.decisions.approve(id, &by(), None).await.unwrap_err();
    assert!(matches!(error, DecideError::Store(_)), "{error:?}");
}

/// What an agent waits for is not looked at before the yes, for it runs where the agent is. The agent may stop after that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_not_run_still_waits_where_its_agent_has_stopped_waiting() {
    let desk = Desk::waiting(Duration::from_secs(60)).await;
    desk.as_before();
    let of_person = Which {
        person: Some(name(PERSON)),
        settled: false,
        limit: 1,
    };
    let id = {
        let mut agent = pin!(desk.put());
        loop {
            tokio::select! {
                reply = &mut agent => panic!("it does not wait: {reply:?}"),
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
            }
            let (waiting, _) = desk.store.approvals(&of_person).await.unwrap();
            if let [question] = &waiting[..] {
                break question.id;
            }
        }
    };
    let question = desk.store.question(id, &name(PERSON)).await.unwrap();
    assert!(question.is_awaited, "it has gone without a word");
    desk.world.mode("fetch", "put", Mode::Disabled);
    let error = desk.decisions.approve(id, &by(), None).await.unwrap_err();
    let DecideError::WouldNotRun(outcome) = error else {
        panic!("{error:?}");
    };
    assert_eq!(outcome.code(), Some("tool_disabled"));
    assert_eq!(desk.state(id).await, ApprovalState::Pending);
    let (notes, _) = desk.audit.activity().notes().await.unwrap();
    let said = notes.into_iter().filter_map(|line| match line.note {
        Note::Decided(decided) => Some([decided.from?, decided.to?].join(" -> ")),
        Note::Undone { .. } => Some("undone".to_owned()),
        _ => None,
    });
    let said: Vec<String> = said.collect();
    assert_eq!(said, ["pending -> approved", "approved -> pending"]);
    desk.world.mode("fetch", "put", Mode::Ask);
    assert_eq!(ended(&desk.approve(id).await), "done");
    assert_eq!(desk.world.service.changes().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_handed_out_under_the_scope_that_it_was_got_under() {
    let desk = Desk::new().await;
    let narrowed = |rows| Scope {
        rows_max: Some(rows),
        ..Scope::default()
    };
    // A change is not sent again for that, in no mode.
    desk.as_before();
    let id = held(&desk.put().await);
    assert_eq!(ended(&desk.approve(id).await), "done");
    desk.as_before();
    desk.world.scope("fetch", narrowed(9));
    desk.world.mode("fetch", "put", Mode::Allow);
    assert_eq!(ended(&desk.put().await), "failed not_permitted");
    assert_eq!(desk.world.service.changes().len(), 1);
    // Nor is it handed out by the question's id.
    desk.world.mode("fetch", "put", Mode::Ask);
    let id = held(&desk.put().await);
    assert_eq!(ended(&desk.approve(id).await), "done");
    desk.world.scope("fetch", narrowed(8));
    assert_eq!(ended(&desk.look_up(id).await), "failed not_permitted");
    // What was read may be read again, as far as the agent may by now, and that is asked for.
    desk.world.mode("fetch", "get", Mode::Ask);
    let id = held(&desk.get().await);
    assert_eq!(ended(&desk.approve(id).await), "done");
    desk.world.scope("fetch", narrowed(7));
    assert_ne!(held(&desk.get().await), id);
    // While nothing has changed, it is the answer.
    let id = held(&desk.get().await);
    assert_eq!(ended(&desk.approve(id).await), "done");
    assert_eq!(ended(&desk.look_up(id).await), "done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_handed_out_to_the_account_that_it_was_got_by() {
    let desk = Desk::new().await;
    desk.as_before();
    let id = held(&desk.put().await);
    assert_eq!(ended(&desk.approve(id).await), "done");
    let origin = desk.world.service.origin();
    let other = Connection {
        id: name("other"),
        shared: false,
        origin: Origin::parse(&origin).unwrap(),
        scopes: Vec::new(),
        identity: None,
    };
    let secret = TOKEN.to_owned().into();
    let (connector, person) = (name("fetch"), Some(name(PERSON)));
    let credentials = &desk.world.credentials;
    credentials.connect(connector, person, other, secret);
    assert_eq!(ended(&desk.look_up(id).await), "failed not_found");
    assert_eq!(desk.world.service.changes().len(), 1);
}
