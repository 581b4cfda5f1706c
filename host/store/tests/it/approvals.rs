//! Questions to people: who may answer, what an answer covers, and what is left of it.

use std::time::{Duration, Instant, SystemTime};

use portcullis::policy::{
    Account, Card, ChangeCard, Checked, Digest, Effect, Environment, FieldCard, Origin,
};
use portcullis::ports::Caller;
use portcullis::ports::approvals::{Approvals, Claim, HeldRequest};
use portcullis::{ApprovalId, CallId, Outcome, Output, Replay, Reply};
use portcullis_policy::{ConnectionId, PersonId, ToolName};
use portcullis_store::{
    ApprovalState, Kept, Role, Standing, Store, StoreApprovals, StoreError, Unlocked, Which,
};

use crate::support::{Fixture, ada, bob, crm, helper};

/// A value that only a record has.
pub const VALUE: &str = "Zaphod-Beeblebrox";

pub fn request(number: usize) -> HeldRequest {
    of_person(ada(), number)
}

pub fn of_person(person: PersonId, number: usize) -> HeldRequest {
    let text = |text: &str| Some(text.to_owned());
    let connection = ConnectionId::parse("c1").unwrap();
    let tool = ToolName::parse("update_record").unwrap();
    let origin = Origin::parse("https://acme.example.com").unwrap();
    let field = FieldCard {
        name: "Phone".to_owned(),
        label: "Phone".to_owned(),
        before: Some(format!("\"{VALUE} {number}\"")),
        after: text("\"new\""),
        checked: Checked::InRequest,
    };
    let change = ChangeCard {
        action: "update".to_owned(),
        kind: "Account".to_owned(),
        kind_checked: true,
        id: Some(format!("{number}")),
        label: format!("{VALUE} Ltd"),
        url: None,
        fields: vec![field],
        notes: Vec::new(),
        undo: None,
    };
    let card = Card {
        connector: crm(),
        service: "CRM".to_owned(),
        tool: tool.clone(),
        tool_title: "Update".to_owned(),
        effect: Effect::Write,
        agent: helper(),
        person: person.clone(),
        account: Account {
            user: None,
            organization: None,
            organization_id: None,
            environment: Environment::Production,
            origin,
            shared: false,
        },
        reason: text(VALUE),
        arguments: format!("{{\"name\":\"{VALUE}\"}}"),
        changes: vec![change],
        wire: None,
        differs: Vec::new(),
    };
    let digest = |what: &str| Digest::of(format!("{what} {person} {number}").as_bytes());
    HeldRequest {
        digest: digest("request"),
        sent: digest("sent"),
        alike: Digest::of(b"alike"),
        question: digest("question"),
        terms: digest("terms"),
        call: CallId::random(SystemTime::now()).unwrap(),
        caller: Caller {
            agent: helper(),
            person: person.clone(),
        },
        connector: crm(),
        tool,
        connection,
        effect: Effect::Write,
        is_whole: true,
        card,
        replay: Replay::random(SystemTime::now()).unwrap(),
        replaces: None,
    }
}

pub async fn approvals(store: &Store) -> StoreApprovals {
    StoreApprovals::open(store.clone()).await.unwrap()
}

pub async fn asked(approvals: &StoreApprovals, request: &HeldRequest) -> ApprovalId {
    held(approvals, request).await.0
}

/// Asks, and gives the question with what the person sees.
pub async fn held(approvals: &StoreApprovals, request: &HeldRequest) -> (ApprovalId, Card) {
    match approvals.claim(request).await.unwrap() {
        Claim::Held { id, card, .. } => (id, *card),
        other => panic!("{other:?}"),
    }
}

pub fn done(text: &str) -> Reply {
    done_by(CallId::random(SystemTime::now()).unwrap(), text)
}

pub fn done_by(call: CallId, text: &str) -> Reply {
    Reply {
        call: Some(call),
        outcome: Outcome::Done(Output {
            records: Box::default(),
            text: text.to_owned(),
            structured: None,
            attachments: Vec::new(),
            next_cursor: None,
        }),
        sent: Vec::new(),
        allow: None,
        still_waits: None,
    }
}

#[tokio::test]
async fn a_yes_is_good_once_and_for_its_own_request() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let id = asked(&approvals, &request(1)).await;
    assert_eq!(asked(&approvals, &request(1)).await, id, "asked once");
    let approved = fixture.store.approve(id, &ada(), None).await.unwrap();
    assert!(!approved.is_awaited);
    assert_eq!(
        approved.held.card.title(),
        format!("Update Account “{VALUE} Ltd” (1)")
    );
    // Another request uses nothing up.
    let other = asked(&approvals, &request(2)).await;
    assert_ne!(other, id);
    assert_eq!(
        approvals.claim(&request(1)).await.unwrap(),
        Claim::Granted(id)
    );
    // The next is asked for, and the person is told that there was one.
    let (again, card) = held(&approvals, &request(1)).await;
    assert_ne!(again, id);
    assert!(
        card.differs[0].starts_with("exactly this was approved before"),
        "{:?}",
        card.differs
    );
    let question = fixture.store.question(id, &ada()).await.unwrap();
    assert_eq!(question.approval.state, ApprovalState::Used);
    assert!(question.held.is_none() && question.approval.used_by.is_some());
}

#[tokio::test]
async fn a_question_is_its_persons_alone() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let id = asked(&approvals, &of_person(bob(), 1)).await;
    let store = &fixture.store;
    // Ada administers, and it is still Bob's.
    for refused in [
        store.approve(id, &ada(), None).await.map(drop),
        store.deny(id, &ada(), None).await.map(drop),
        store.withdraw(id, &ada()).await.map(drop),
        store.question(id, &ada()).await.map(drop),
    ] {
        assert!(
            matches!(refused, Err(StoreError::NotFound { .. })),
            "{refused:?}"
        );
    }
    let reply = done("x");
    assert!(store.end_run(id, &ada(), &reply).await.is_err());
    store.approve(id, &bob(), None).await.unwrap();
    // The same request of another person is another question.
    let mut stolen = of_person(bob(), 1);
    stolen.caller.person = ada();
    assert!(!matches!(
        approvals.claim(&stolen).await,
        Ok(Claim::Granted(_))
    ));
    store.remove_person(&bob()).await.unwrap();
    assert!(matches!(
        store.question(id, &bob()).await,
        Err(StoreError::NotFound { .. })
    ));
}

#[tokio::test]
async fn a_question_of_another_is_found_by_its_id_whatever_else_there_is() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let approvals = approvals(store).await;
    let id = asked(&approvals, &request(1)).await.to_string();
    let like = async |person: PersonId, beginning: &str| {
        let found = store.approvals_of_others_like(&person, beginning).await;
        let ids = found.map(|found| found.iter().map(|one| one.id.to_string()).collect());
        ids.map_err(|error| error.to_string())
    };
    for beginning in [&id[..], &id[..8], &id.to_uppercase()] {
        assert_eq!(like(bob(), beginning).await, Ok(vec![id.clone()]));
        assert_eq!(like(ada(), beginning).await, Ok(Vec::new()));
    }
    // Damage elsewhere is none of its business.
    fixture.pass(Duration::from_secs(1));
    fixture
        .tamper(
            "INSERT INTO approvals SELECT printf('%032x', 1), 'd', question, person, agent, connector, tool, connection, effect, 'no call', \
             state, created, expires, decided, waits_until, used_by, held, held_key, granted, granted_key, reason, reason_key, answer, \
             answer_key, answer_expires, terms, NULL, unsent FROM approvals",
        )
        .await;
    assert_eq!(like(bob(), &id).await, Ok(vec![id.clone()]));
    like(bob(), "0000").await.unwrap_err();
    // The last of the alphabet, and what is no id.
    for beginning in ["ffff", "%%%%", "____", "g000"] {
        assert_eq!(like(bob(), beginning).await, Ok(Vec::new()), "{beginning}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_who_decide_at_once_one_wins() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let other = fixture.open_again(&fixture.master).await.unwrap();
    for number in 0..20 {
        let id = asked(&approvals, &request(number)).await;
        let (me, no) = (ada(), Some("no"));
        let (one, two) = tokio::join!(
            fixture.store.approve(id, &me, None),
            other.deny(id, &me, no)
        );
        // A no after a yes that was not used takes it back; a yes after a no is none.
        assert!(two.is_ok(), "{two:?}");
        if let Err(lost) = one {
            assert!(matches!(lost, StoreError::Settled { .. }), "{lost}");
        }
        let claim = approvals.claim(&request(number)).await.unwrap();
        assert!(matches!(claim, Claim::Denied { .. }));
        let number = number + 100;
        let id = asked(&approvals, &request(number)).await;
        let (one, two) = tokio::join!(
            fixture.store.approve(id, &me, None),
            other.approve(id, &me, None)
        );
        let lost = match (&one, &two) {
            (Ok(_), Err(lost)) | (Err(lost), Ok(_)) => lost,
            both => panic!("{both:?}"),
        };
        assert!(matches!(lost, StoreError::Settled { .. }), "{lost}");
        let claim = approvals.claim(&request(number)).await.unwrap();
        assert_eq!(claim, Claim::Granted(id));
    }
}

#[tokio::test]
async fn a_yes_is_put_back_with_all_that_came_of_it_until_it_is_used() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let store = &fixture.store;
    let standing = Standing {
        records: 2,
        lasts: Duration::from_secs(600),
    };
    let id = asked(&approvals, &request(1)).await;
    let approved = store.approve(id, &ada(), Some(standing)).await.unwrap();
    store.put_back(&approved).await.unwrap();
    // It is the same question, and neither it nor what is like it passes.
    assert_eq!(asked(&approvals, &request(1)).await, id);
    asked(&approvals, &request(2)).await;
    assert!(store.standing_approvals(&ada()).await.unwrap().is_empty());
    let refused = store.put_back(&approved).await.unwrap_err();
    assert!(matches!(refused, StoreError::Settled { .. }), "{refused}");
    // A yes to it is one as ever, and none to put back once it was used.
    let approved = store.approve(id, &ada(), None).await.unwrap();
    let claim = approvals.claim(&request(1)).await.unwrap();
    assert_eq!(claim, Claim::Granted(id));
    let refused = store.put_back(&approved).await.unwrap_err();
    assert!(matches!(refused, StoreError::Settled { .. }), "{refused}");
}

#[tokio::test]
async fn a_yes_is_taken_back_until_it_is_used() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let store = &fixture.store;
    let approved = async |number: usize| {
        let id = asked(&approvals, &request(number)).await;
        store.approve(id, &ada(), None).await.unwrap();
        id
    };
    let withdrawn = approved(1).await;
    store.withdraw(withdrawn, &ada()).await.unwrap();
    assert_ne!(asked(&approvals, &request(1)).await, withdrawn);
    let denied = approved(2).await;
    store.deny(denied, &ada(), None).await.unwrap();
    let claim = approvals.claim(&request(2)).await.unwrap();
    assert!(matches!(claim, Claim::Denied { .. }));
    let used = approved(3).await;
    let claim = approvals.claim(&request(3)).await.unwrap();
    assert_eq!(claim, Claim::Granted(used));
    for refused in [
        store.withdraw(used, &ada()).await,
        store.deny(used, &ada(), None).await,
    ] {
        let refused = refused.unwrap_err();
        assert!(matches!(refused, StoreError::Settled { .. }), "{refused}");
    }
}

#[tokio::test]
async fn a_run_that_did_not_use_its_yes_leaves_neither_that_nor_an_answer() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let store = &fixture.store;
    let request = request(1);
    let answer = async || {
        let kept = approvals.answer(&request.caller, request.question).await;
        kept.unwrap()
    };
    let id = asked(&approvals, &request).await;
    store.approve(id, &ada(), None).await.unwrap();
    store.end_run(id, &ada(), &done("x")).await.unwrap();
    let question = store.question(id, &ada()).await.unwrap();
    assert_eq!(question.approval.state, ApprovalState::Withdrawn);
    assert!(question.held.is_none() && answer().await.is_none());
    // Where another call has used it, the run's answer is none to it.
    let id = asked(&approvals, &request).await;
    store.approve(id, &ada(), None).await.unwrap();
    approvals.claim(&request).await.unwrap();
    store.end_run(id, &ada(), &done("x")).await.unwrap();
    assert!(answer().await.is_none());
    let reply = done_by(request.call, "x");
    store.end_run(id, &ada(), &reply).await.unwrap();
    let kept = answer().await.unwrap();
    assert_eq!((kept.approval, kept.terms), (id, Some(request.terms)));
}

#[tokio::test]
async fn what_has_expired_is_forgotten_when_the_store_is_opened() {
    let fixture = Fixture::new().await;
    let first = approvals(&fixture.store).await;
    let id = asked(&first, &request(1)).await;
    fixture.pass(Duration::from_secs(24 * 3_600 + 1));
    let again = fixture.open_again(&fixture.master).await.unwrap();
    let question = again.question(id, &ada()).await.unwrap();
    assert_eq!(question.approval.state, ApprovalState::Expired);
    let mut file = fixture.raw().await;
    let held: i64 = sqlx::query_scalar("SELECT count(*) FROM approvals WHERE held IS NOT NULL")
        .fetch_one(&mut file)
        .await
        .unwrap();
    assert_eq!(held, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_who_send_at_once_one_may() {
    let fixture = Fixture::new().await;
    let one = approvals(&fixture.store).await;
    let other = approvals(&fixture.open_again(&fixture.master).await.unwrap()).await;
    for number in 0..20 {
        let id = asked(&one, &request(number)).await;
        fixture.store.approve(id, &ada(), None).await.unwrap();
        let request = request(number);
        let (a, b) = tokio::join!(one.claim(&request), other.claim(&request));
        let granted = [a.unwrap(), b.unwrap()];
        let granted = granted
            .iter()
            .filter(|claim| matches!(claim, Claim::Granted(_)));
        assert_eq!(granted.count(), 1);
        let left = asked(&one, &request).await;
        fixture.store.withdraw(left, &ada()).await.unwrap();
    }
}

#[tokio::test]
async fn a_no_counts_for_ten_minutes_and_its_reason_is_told() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let id = asked(&approvals, &request(1)).await;
    let why = format!("not {VALUE}");
    fixture.store.deny(id, &ada(), Some(&why)).await.unwrap();
    let reason = Some(why.clone());
    for _ in 0..2 {
        let denied = Claim::Denied {
            reason: reason.clone(),
        };
        assert_eq!(approvals.claim(&request(1)).await.unwrap(), denied);
    }
    fixture.pass(Duration::from_secs(601));
    assert_ne!(asked(&approvals, &request(1)).await, id);
    // What was taken back may be asked again at once.
    let id = asked(&approvals, &request(2)).await;
    fixture.store.withdraw(id, &ada()).await.unwrap();
    assert_ne!(asked(&approvals, &request(2)).await, id);
}

#[tokio::test]
async fn what_nobody_decides_expires_and_so_does_a_yes_that_is_not_used() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let (one, two) = (
        asked(&approvals, &request(1)).await,
        asked(&approvals, &request(2)).await,
    );
    fixture.store.approve(two, &ada(), None).await.unwrap();
    fixture.pass(Duration::from_secs(24 * 3_600 + 1));
    let late = fixture.store.approve(one, &ada(), None).await;
    assert!(
        matches!(
            late,
            Err(StoreError::Settled {
                state: "expired",
                ..
            })
        ),
        "{late:?}"
    );
    assert_ne!(asked(&approvals, &request(2)).await, two);
    let question = fixture.store.question(two, &ada()).await.unwrap();
    assert_eq!(question.approval.state, ApprovalState::Expired);
    assert!(question.held.is_none());
}

#[tokio::test]
async fn what_came_out_otherwise_is_asked_anew_with_what_differs() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let id = asked(&approvals, &request(1)).await;
    fixture.store.approve(id, &ada(), None).await.unwrap();
    let mut changed = request(1);
    changed.digest = Digest::of(b"changed");
    changed.card.changes[0].fields[0].before = Some("\"theirs\"".to_owned());
    changed.replaces = Some(id);
    let (_, card) = held(&approvals, &changed).await;
    assert_eq!(card.differs, ["Account 1: Phone has changed meanwhile"]);
    // The yes of before is none any more.
    assert_ne!(asked(&approvals, &request(1)).await, id);
    let before = fixture.store.question(id, &ada()).await.unwrap();
    assert_eq!(before.approval.state, ApprovalState::Replaced);
}

#[tokio::test]
async fn a_run_that_came_out_otherwise_passes_by_no_standing_approval() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let id = asked(&approvals, &request(1)).await;
    let standing = Standing {
        records: 5,
        lasts: Duration::from_secs(600),
    };
    let approved = fixture.store.approve(id, &ada(), Some(standing)).await;
    assert!(approved.unwrap().standing.is_some());
    let mut changed = request(1);
    changed.digest = Digest::of(b"changed");
    changed.replaces = Some(id);
    assert_ne!(asked(&approvals, &changed).await, id);
    let before = fixture.store.question(id, &ada()).await.unwrap();
    assert_eq!(before.approval.state, ApprovalState::Replaced);
}

#[tokio::test]
async fn an_answer_is_fetched_once_by_whom_it_is_for_within_the_hour() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let store = &fixture.store;
    let run = async |number: usize| {
        let request = request(number);
        let id = asked(&approvals, &request).await;
        store.approve(id, &ada(), None).await.unwrap();
        assert_eq!(approvals.claim(&request).await.unwrap(), Claim::Granted(id));
        let reply = done_by(request.call, VALUE);
        store.end_run(id, &ada(), &reply).await.unwrap();
        (id, request)
    };
    let (id, request) = run(1).await;
    let other = Caller {
        person: bob(),
        ..request.caller.clone()
    };
    assert!(
        approvals
            .answer(&other, request.question)
            .await
            .unwrap()
            .is_none()
    );
    let kept = approvals
        .answer(&request.caller, request.question)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(kept.approval, id);
    assert!(matches!(&kept.outcome, Outcome::Done(output) if output.text == VALUE));
    assert!(
        approvals
            .answer(&request.caller, request.question)
            .await
            .unwrap()
            .is_none()
    );
    let (_, request) = run(2).await;
    fixture.pass(Duration::from_secs(3_601));
    assert!(
        approvals
            .answer(&request.caller, request.question)
            .await
            .unwrap()
            .is_none()
    );
    // No question and no missing account is an answer.
    assert!(
        Kept::of(&Reply {
            outcome: Outcome::ConnectRequired(portcullis::ConnectRequired {
                link: None,
                advice: String::new()
            }),
            ..done("x")
        })
        .is_none()
    );
}

#[tokio::test]
async fn a_standing_approval_covers_what_is_alike_and_no_more() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let store = &fixture.store;
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    let standing = |records, lasts| Some(Standing { records, lasts });
    let id = asked(&approvals, &request(1)).await;
    for (records, lasts) in [
        (0, minutes(10)),
        (11, minutes(10)),
        (5, minutes(61)),
        (5, minutes(0)),
    ] {
        let refused = store.approve(id, &ada(), standing(records, lasts)).await;
        assert!(
            matches!(refused, Err(StoreError::NoStanding(_))),
            "{refused:?}"
        );
    }
    let approved = store
        .approve(id, &ada(), standing(2, minutes(10)))
        .await
        .unwrap();
    let rule = approved.standing.unwrap();
    assert_eq!(
        (rule.kind.as_str(), rule.fields.as_slice()),
        ("Account", &["Phone".to_owned()][..])
    );
    assert_eq!(
        approvals.claim(&request(1)).await.unwrap(),
        Claim::Granted(id)
    );

    // Not alike: another kind, another field, another tool, account, agent or person, what nobody could check, what destroys, too many.
    let edits: [fn(&mut HeldRequest); 14] = [
        // The digest binds the connector's version, the route, the headers, where fields stand, and the organization (`host/policy/src/digest/coarse.rs`).
        |it| it.alike = Digest::of(b"another version, route or header"),
        |it| it.connector = "other".parse().unwrap(),
        |it| it.card.changes[0].action = "create".to_owned(),
        |it| it.card.changes[0].fields.clear(),
        |it| it.card.changes.clear(),
        |it| it.card.changes[0].kind = "account".to_owned(),
        |it| it.card.changes[0].fields[0].name = "OwnerId".to_owned(),
        |it| it.tool = ToolName::parse("create_record").unwrap(),
        |it| it.connection = ConnectionId::parse("c2").unwrap(),
        |it| it.caller.agent = "other".parse().unwrap(),
        |it| it.caller.person = bob(),
        |it| it.is_whole = false,
        |it| it.effect = Effect::Destructive,
        |it| it.card.changes = vec![it.card.changes[0].clone(); 3],
    ];
    for (number, edit) in edits.into_iter().enumerate() {
        let mut other = request(100 + number);
        edit(&mut other);
        asked(&approvals, &other).await;
    }
    for number in 2..4 {
        assert_eq!(
            approvals.claim(&request(number)).await.unwrap(),
            Claim::Granted(rule.id)
        );
    }
    asked(&approvals, &request(4)).await;

    // It ends by its time, and by its person.
    let again = async |number: usize| {
        let id = asked(&approvals, &request(number)).await;
        let made = store
            .approve(id, &ada(), standing(10, minutes(60)))
            .await
            .unwrap();
        made.standing.unwrap().id
    };
    let rule = again(10).await;
    assert_eq!(store.standing_approvals(&ada()).await.unwrap().len(), 1);
    assert!(!store.end_standing_approval(rule, &bob()).await.unwrap());
    assert!(store.end_standing_approval(rule, &ada()).await.unwrap());
    asked(&approvals, &request(11)).await;
    again(12).await;
    fixture.pass(minutes(61));
    asked(&approvals, &request(13)).await;

    // What destroys is never approved ahead.
    let mut destroys = request(20);
    destroys.effect = Effect::Destructive;
    let id = asked(&approvals, &destroys).await;
    let refused = store.approve(id, &ada(), standing(1, minutes(1))).await;
    assert!(matches!(refused, Err(StoreError::NoStanding(_))));
    assert!(
        matches!(
            approvals.claim(&destroys).await.unwrap(),
            Claim::Held { .. }
        ),
        "nothing is approved"
    );
}

/// The attack: a hand on the file that turns a question into a yes, or moves and widens one.
#[tokio::test]
async fn a_yes_that_was_written_into_the_file_is_none() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let (one, two) = (
        asked(&approvals, &request(1)).await,
        asked(&approvals, &request(2)).await,
    );
    fixture.store.approve(one, &ada(), None).await.unwrap();
    fixture
        .tamper(&format!(
            "UPDATE approvals SET state = 'approved', granted = (SELECT granted FROM approvals WHERE id = '{one}'), \
             granted_key = (SELECT granted_key FROM approvals WHERE id = '{one}') WHERE id = '{two}'"
        ))
        .await;
    let forged = approvals.claim(&request(2)).await.unwrap_err();
    assert!(format!("{:?}", forged).contains("granted"), "{forged:?}");
    // One that is turned to another request.
    let digest = Digest::of(b"another");
    fixture
        .tamper(&format!(
            "UPDATE approvals SET digest = '{digest}' WHERE id = '{one}'"
        ))
        .await;
    let mut turned = request(1);
    turned.digest = digest;
    assert!(approvals.claim(&turned).await.is_err());
    // A rule that is widened.
    let three = asked(&approvals, &request(3)).await;
    let lasts = Duration::from_secs(60);
    let rule = Standing { records: 1, lasts };
    fixture
        .store
        .approve(three, &ada(), Some(rule))
        .await
        .unwrap();
    fixture
        .tamper("UPDATE standing_approvals SET fields = '[\"Phone\",\"OwnerId\"]'")
        .await;
    let mut wide = request(4);
    wide.card.changes[0].fields[0].name = "OwnerId".to_owned();
    assert!(approvals.claim(&wide).await.is_err());
}

#[tokio::test]
async fn twenty_wait_for_a_person_and_an_agent_and_no_more() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    for number in 0..20 {
        asked(&approvals, &request(number)).await;
    }
    let full = approvals.claim(&request(20)).await.unwrap();
    assert_eq!(full, Claim::Full { pending_max: 20 });
    asked(&approvals, &of_person(bob(), 20)).await;
    let first = asked(&approvals, &request(0)).await;
    fixture.store.deny(first, &ada(), None).await.unwrap();
    asked(&approvals, &request(20)).await;
}

#[tokio::test]
async fn what_waits_survives_a_restart_and_a_rotation_of_keys() {
    let fixture = Fixture::new().await;
    let first = approvals(&fixture.store).await;
    let denied = asked(&first, &request(2)).await;
    fixture
        .store
        .deny(denied, &ada(), Some("no"))
        .await
        .unwrap();
    let id = asked(&first, &request(1)).await;
    let lasts = Duration::from_secs(600);
    fixture
        .store
        .approve(id, &ada(), Some(Standing { records: 1, lasts }))
        .await
        .unwrap();
    fixture.store.rotate_key().await.unwrap();
    let again = fixture.open_again(&fixture.master).await.unwrap();
    let second = approvals(&again).await;
    assert_eq!(second.claim(&request(1)).await.unwrap(), Claim::Granted(id));
    assert!(matches!(
        second.claim(&request(2)).await.unwrap(),
        Claim::Denied { reason: Some(_) }
    ));
    assert!(
        matches!(second.claim(&request(3)).await.unwrap(), Claim::Granted(_)),
        "the rule holds"
    );
}

#[tokio::test]
async fn no_value_of_a_record_is_in_the_file() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let request_1 = request(1);
    let id = asked(&approvals, &request_1).await;
    let denied = asked(&approvals, &request(2)).await;
    fixture
        .store
        .deny(denied, &ada(), Some(VALUE))
        .await
        .unwrap();
    fixture.store.approve(id, &ada(), None).await.unwrap();
    approvals.claim(&request_1).await.unwrap();
    let reply = done_by(request_1.call, VALUE);
    fixture.store.end_run(id, &ada(), &reply).await.unwrap();
    asked(&approvals, &request(3)).await;
    let mut searched = 0;
    for entry in std::fs::read_dir(fixture.folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        searched += bytes.len();
        let found = bytes
            .windows(VALUE.len())
            .any(|window| window == VALUE.as_bytes());
        assert!(!found);
    }
    assert!(searched > 10_000);
    let logged = format!("{:?}", fixture.store.question(id, &ada()).await.unwrap());
    assert!(!logged.contains(VALUE), "{logged}");
}

#[tokio::test]
async fn a_passphrase_is_looked_at_five_times() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let word = |word: &str| secrecy::SecretString::from(word.to_owned());
    assert_eq!(
        store.unlock(&ada(), &word("")).await.unwrap(),
        Unlocked::Yes
    );
    assert!(
        store
            .set_passphrase(&ada(), Some(&word("short")))
            .await
            .is_err()
    );
    store
        .set_passphrase(&ada(), Some(&word("correct horse")))
        .await
        .unwrap();
    assert!(
        store.has_passphrase(&ada()).await.unwrap() && !store.has_passphrase(&bob()).await.unwrap()
    );
    assert_eq!(
        store.unlock(&ada(), &word("correct horse")).await.unwrap(),
        Unlocked::Yes
    );
    for _ in 0..5 {
        assert_eq!(
            store.unlock(&ada(), &word("wrong horse")).await.unwrap(),
            Unlocked::No
        );
    }
    assert_eq!(
        store.unlock(&ada(), &word("correct horse")).await.unwrap(),
        Unlocked::Locked
    );
    fixture.pass(Duration::from_secs(61));
    assert_eq!(
        store.unlock(&ada(), &word("correct horse")).await.unwrap(),
        Unlocked::Yes
    );
    store.set_passphrase(&ada(), None).await.unwrap();
    assert_eq!(
        store.unlock(&ada(), &word("anything")).await.unwrap(),
        Unlocked::Yes
    );
    let file = std::fs::read(fixture.file()).unwrap();
    assert!(!file.windows(13).any(|window| window == b"correct horse"));
}

#[tokio::test]
async fn what_an_agent_asked_ends_with_its_connector() {
    for how in ["taken", "removed", "begun anew"] {
        let fixture = Fixture::new().await;
        let store = &fixture.store;
        let approvals = approvals(store).await;
        // An answer that waits for the agent, and a run that comes to one later.
        let mut runs = Vec::new();
        for number in [6, 7] {
            let request = request(number);
            let id = asked(&approvals, &request).await;
            store.approve(id, &ada(), None).await.unwrap();
            assert_eq!(approvals.claim(&request).await.unwrap(), Claim::Granted(id));
            runs.push((id, request));
        }
        let ends = async |of: usize| {
            let reply = done_by(runs[of].1.call, VALUE);
            let kept = store.end_run(runs[of].0, &ada(), &reply).await;
            kept.unwrap()
        };
        assert!(ends(0).await, "{how}");
        let denied = asked(&approvals, &request(4)).await;
        store.deny(denied, &ada(), None).await.unwrap();
        let pending = asked(&approvals, &request(1)).await;
        let approved = asked(&approvals, &request(2)).await;
        let lasts = Duration::from_secs(600);
        let standing = Standing { records: 2, lasts };
        let made = store.approve(approved, &ada(), Some(standing)).await;
        assert!(made.unwrap().standing.is_some());
        let of_bob = asked(&approvals, &of_person(bob(), 3)).await;
        match how {
            "removed" => assert!(store.remove_agent(&helper()).await.unwrap()),
            "taken" => assert!(store.take_connector(&helper(), &crm()).await.unwrap()),
            _ => store.begin_decisions_anew().await.unwrap(),
        }
        assert!(!ends(1).await, "{how}");
        let mut states = Vec::new();
        for (id, person) in [
            (pending, ada()),
            (approved, ada()),
            (of_bob, bob()),
            (denied, ada()),
        ] {
            let question = store.question(id, &person).await.unwrap();
            assert!(question.held.is_none());
            states.push(question.approval.state);
        }
        let (withdrawn, denied) = (ApprovalState::Withdrawn, ApprovalState::Denied);
        assert_eq!(states, [withdrawn, withdrawn, withdrawn, denied], "{how}");
        assert_eq!(store.standing_approvals(&ada()).await.unwrap(), []);
        // Given again, it is asked for again: neither the yes nor the rule is good.
        if how != "removed" {
            let own = portcullis_store::Account::Personal;
            store.give_connector(&helper(), &crm(), &own).await.unwrap();
        }
        for number in [2, 5] {
            held(&approvals, &request(number)).await;
        }
        for (id, request) in &runs {
            let caller = &request.caller;
            let answer = approvals.answer(caller, request.question).await;
            assert!(answer.unwrap().is_none(), "{how}");
            let answer = approvals.answer_of(caller, *id).await;
            assert!(answer.unwrap().is_none(), "{how}");
            // That it was sent is still said to the person who is asked for it again.
            let before = store.question(*id, &ada()).await.unwrap().approval;
            assert_eq!(before.state, ApprovalState::Used, "{how}");
        }
    }
}

/// A page that is clicked twice, and a terminal beside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn right_passphrases_at_once_keep_none_of_each_other_out() {
    let fixture = Fixture::new().await;
    let right = secrecy::SecretString::from("correct horse".to_owned());
    let set = fixture.store.set_passphrase(&ada(), Some(&right)).await;
    set.unwrap();
    let other = fixture.open_again(&fixture.master).await.unwrap();
    let tries: Vec<_> = (0..12)
        .map(|number| {
            let store = if number % 2 == 0 {
                &fixture.store
            } else {
                &other
            }
            .clone();
            let right = right.clone();
            tokio::spawn(async move { store.unlock(&ada(), &right).await.unwrap() })
        })
        .collect();
    for one in tries {
        assert_eq!(one.await.unwrap(), Unlocked::Yes);
    }
}

/// The attack: who hangs up before the answer has the work done for nothing, as often as they like, and none of it is counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_try_that_nobody_waits_for_is_counted() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let right = secrecy::SecretString::from("correct horse".to_owned());
    store.set_passphrase(&ada(), Some(&right)).await.unwrap();
    let wrong = secrecy::SecretString::from("wrong horse".to_owned());
    let me = ada();
    for _ in 0..5 {
        tokio::select! {
            biased;
            came_to = store.unlock(&me, &wrong) => panic!("{came_to:?}"),
            () = std::future::ready(()) => {}
        }
    }
    let mut raw = fixture.raw().await;
    let counted = async {
        const LOCKED: &str = "SELECT locked_until IS NOT NULL FROM passphrases";
        loop {
            let is_locked = sqlx::query_scalar::<_, bool>(LOCKED);
            if is_locked.fetch_one(&mut raw).await.unwrap() {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let counted = tokio::time::timeout(Duration::from_secs(60), counted);
    counted.await.unwrap();
    let came_to = store.unlock(&ada(), &right).await.unwrap();
    assert_eq!(came_to, Unlocked::Locked);
}

/// Who guesses once a minute keeps the person out for one minute of five at most.
#[tokio::test]
async fn a_pause_that_is_over_leaves_five_tries_again() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let word = |word: &str| secrecy::SecretString::from(word.to_owned());
    let right = word("correct horse");
    store.set_passphrase(&ada(), Some(&right)).await.unwrap();
    for round in 0..3 {
        for number in 0..5 {
            let guess = word(&format!("wrong horse {number}"));
            let came_to = store.unlock(&ada(), &guess).await.unwrap();
            assert_eq!(came_to, Unlocked::No, "{round} {number}");
        }
        let came_to = store.unlock(&ada(), &right).await.unwrap();
        assert_eq!(came_to, Unlocked::Locked, "{round}");
        fixture.pass(Duration::from_secs(61));
    }
    let guess = word("wrong horse");
    assert_eq!(store.unlock(&ada(), &guess).await.unwrap(), Unlocked::No);
    assert_eq!(store.unlock(&ada(), &right).await.unwrap(), Unlocked::Yes);
}

/// The attack: whoever has the keyboard, or a page, tries as many as can be at once, by several programs.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_passphrases_at_once_are_no_more_tries_than_five() {
    let fixture = Fixture::new().await;
    let word = |word: &str| secrecy::SecretString::from(word.to_owned());
    let right = word("correct horse");
    fixture
        .store
        .set_passphrase(&ada(), Some(&right))
        .await
        .unwrap();
    let other = fixture.open_again(&fixture.master).await.unwrap();
    let tries = async |count: usize, with_right: bool| {
        let tries = (0..count).map(|number| {
            let store = if number % 2 == 0 {
                fixture.store.clone()
            } else {
                other.clone()
            };
            // The right one comes last of what a guesser has.
            let guess = match with_right && number + 1 == count {
                true => right.clone(),
                false => word(&format!("wrong horse {number}")),
            };
            tokio::spawn(async move { store.unlock(&ada(), &guess).await.unwrap() })
        });
        let tries: Vec<_> = tries.collect();
        let mut came_to = Vec::new();
        for one in tries {
            came_to.push(one.await.unwrap());
        }
        let of = |what| came_to.iter().filter(|one| **one == what).count();
        (of(Unlocked::Yes), of(Unlocked::No), of(Unlocked::Locked))
    };
    assert_eq!(tries(50, false).await, (0, 5, 45));
    assert_eq!(tries(50, false).await, (0, 0, 50));
    fixture.pass(Duration::from_secs(61));
    // Among five it is looked at, whichever comes first, and opens.
    assert_eq!(tries(5, true).await, (1, 4, 0));
    let right_now = fixture.store.unlock(&ada(), &right).await.unwrap();
    assert_eq!(right_now, Unlocked::Yes);
    // Where it is looked at in time, the others begin anew: four before it and five after it; else five are wrong as before.
    match tries(50, true).await {
        (0, wrong, locked) => assert_eq!((wrong, locked), (5, 45)),
        (yes, wrong, locked) => {
            assert_eq!((yes, locked), (1, 49 - wrong));
            assert!((5..=9).contains(&wrong), "{wrong}");
        }
    }
    fixture.pass(Duration::from_secs(61));
    let right_now = fixture.store.unlock(&ada(), &right).await.unwrap();
    assert_eq!(right_now, Unlocked::Yes);
}

/// The figure is printed: on a busy machine no bound of time would hold.
#[tokio::test]
#[allow(clippy::print_stdout, reason = "the figure is what it is for")]
async fn ten_thousand_questions_are_listed_at_once() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    asked(&approvals, &request(0)).await;
    fixture.tamper(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) \
         INSERT INTO approvals SELECT printf('%032x', i), 'd' || i, question, person, 'agent-' || (i / 20), connector, tool, \
         connection, effect, call, state, created + i, expires, decided, waits_until, used_by, held, held_key, granted, granted_key, \
         reason, reason_key, answer, answer_key, answer_expires, terms, NULL, unsent FROM n, approvals",
    ).await;
    // The newest, which are listed, open.
    fixture.pass(Duration::from_secs(3_600));
    for number in 1..=50 {
        let mut request = request(number);
        request.caller.agent = format!("helper-{}", number / 20).parse().unwrap();
        asked(&approvals, &request).await;
    }
    let which = Which {
        person: Some(ada()),
        settled: false,
        limit: 50,
    };
    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        let begun = Instant::now();
        let listed = fixture.store.listed_approvals(&which, &ada()).await;
        fastest = fastest.min(begun.elapsed());
        let (listed, count) = listed.unwrap();
        assert_eq!((listed.len(), count), (50, 10_051));
        let title = Some(format!("Update Account “{VALUE} Ltd” (50)"));
        assert_eq!(listed[0].title, title);
    }
    println!("10,000 pending questions are listed in {fastest:?}");
    fixture
        .store
        .add_person(&"eve".parse().unwrap(), "Eve", Role::Member)
        .await
        .unwrap();
    let none = Which {
        person: Some("eve".parse().unwrap()),
        ..which
    };
    assert_eq!(fixture.store.approvals(&none).await.unwrap().1, 0);
    // Who administers sees that there are questions of others, and not what they are about.
    let everybody = Which {
        person: None,
        ..none
    };
    let listed = fixture.store.listed_approvals(&everybody, &bob()).await;
    assert!(listed.unwrap().0.iter().all(|one| one.title.is_none()));
}
