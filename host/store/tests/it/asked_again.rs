//! The same is asked for again: in other words, after a no, after it was sent.
//!
//! The attack: an agent spells its call otherwise, or its connector announces it otherwise, while the same bytes leave.

use std::time::Duration;

use portcullis::policy::{Digest, Effect};
use portcullis::ports::approvals::{Approvals, Claim, HeldRequest};
use portcullis_policy::ToolName;
use portcullis_store::{ApprovalState, Standing, Which};

use crate::approvals::{approvals, asked, held, of_person, request};
use crate::support::{Fixture, ada, bob};

/// The same request in other words: other arguments, another label, another version of the connector.
fn in_other_words(number: usize, words: &str) -> HeldRequest {
    let mut same = request(number);
    same.digest = Digest::of(words.as_bytes());
    same.question = Digest::of(format!("question {words}").as_bytes());
    same.alike = Digest::of(b"another version");
    same.card.arguments = format!("{{\"words\":\"{words}\"}}");
    same.card.changes[0].label = words.to_owned();
    same
}

/// Another request of the same tool.
fn another(number: usize) -> HeldRequest {
    request(1_000 + number)
}

#[tokio::test]
async fn a_no_holds_for_the_same_request_in_other_words() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let id = asked(&approvals, &request(1)).await;
    fixture.store.deny(id, &ada(), Some("no")).await.unwrap();
    let mut by_another_tool = in_other_words(1, "upsert");
    by_another_tool.tool = ToolName::parse("upsert_record").unwrap();
    for same in [
        in_other_words(1, "account"),
        in_other_words(1, "phone"),
        by_another_tool,
    ] {
        let claim = approvals.claim(&same).await.unwrap();
        assert!(
            matches!(claim, Claim::Denied { reason: Some(_) }),
            "{claim:?}"
        );
    }
    let which = Which {
        person: Some(ada()),
        settled: false,
        limit: 50,
    };
    assert_eq!(fixture.store.approvals(&which).await.unwrap().1, 0);
    fixture.pass(Duration::from_secs(601));
    asked(&approvals, &in_other_words(1, "account")).await;
}

/// As an update leaves it: a question that waits has no digest of what leaves.
#[tokio::test]
async fn a_question_of_before_the_digest_of_what_leaves_still_waits() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let id = asked(&approvals, &request(1)).await;
    fixture.tamper("UPDATE approvals SET sent = NULL").await;
    assert_eq!(asked(&approvals, &request(1)).await, id);
    assert_ne!(asked(&approvals, &request(2)).await, id);
}

#[tokio::test]
async fn the_same_request_in_other_words_waits_as_one_question() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let id = asked(&approvals, &request(1)).await;
    let first = fixture.store.question(id, &ada()).await.unwrap();
    for words in ["account", "fifteen characters", "phone"] {
        let (again, card) = held(&approvals, &in_other_words(1, words)).await;
        assert_eq!(again, id);
        // What is asked in a chat is what is decided on.
        assert!(card == first.held.as_ref().unwrap().card);
    }
    // The yes is good for exactly what was shown, and what is asked in other words then is said to be the same.
    fixture.store.approve(id, &ada(), None).await.unwrap();
    let (anew, card) = held(&approvals, &in_other_words(1, "account")).await;
    assert_ne!(anew, id);
    assert_eq!(
        card.differs,
        [format!(
            "exactly this is approved already, as {id}, and may be on its way"
        )]
    );
    assert_eq!(
        approvals.claim(&request(1)).await.unwrap(),
        Claim::Granted(id)
    );
    fixture.store.withdraw(anew, &ada()).await.unwrap();
    let (_, card) = held(&approvals, &in_other_words(1, "account")).await;
    let call = fixture.store.question(id, &ada()).await.unwrap();
    let call = call.approval.used_by.unwrap().to_string();
    assert!(
        card.differs[0].starts_with("exactly this was approved before")
            && card.differs[0].contains(&call),
        "{:?}",
        card.differs
    );
}

#[tokio::test]
async fn what_a_standing_approval_let_pass_is_said_to_have_been_sent() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let id = asked(&approvals, &request(1)).await;
    let standing = Standing {
        records: 1,
        lasts: Duration::from_secs(600),
    };
    fixture
        .store
        .approve(id, &ada(), Some(standing))
        .await
        .unwrap();
    let passed = request(2);
    let claim = approvals.claim(&passed).await.unwrap();
    assert!(matches!(claim, Claim::Granted(_)), "{claim:?}");
    let (_, card) = held(&approvals, &request(2)).await;
    assert!(
        card.differs[0].contains(&passed.call.to_string()),
        "{:?}",
        card.differs
    );
}

/// The attack: a connector that puts chance into what it sends, so that nothing is ever the same.
#[tokio::test]
async fn after_a_no_three_more_are_asked_of_the_tool_and_then_none() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let store = &fixture.store;
    let no = asked(&approvals, &another(0)).await;
    // What waited before the no is none of it.
    asked(&approvals, &another(1)).await;
    store.deny(no, &ada(), None).await.unwrap();
    fixture.pass(Duration::from_millis(1));
    let second = asked(&approvals, &another(2)).await;
    // A further no begins no new count.
    store.deny(second, &ada(), None).await.unwrap();
    fixture.pass(Duration::from_millis(1));
    asked(&approvals, &another(3)).await;
    let third = asked(&approvals, &another(4)).await;
    let enough = Claim::AfterNo { asked_max: 3 };
    for number in 5..9 {
        assert_eq!(approvals.claim(&another(number)).await.unwrap(), enough);
    }
    // Other tools, agents and people are not meant, nor what waits already.
    asked(&approvals, &another(3)).await;
    let edits: [fn(&mut HeldRequest); 2] = [
        |it| it.tool = ToolName::parse("create_record").unwrap(),
        |it| it.caller.agent = "other".parse().unwrap(),
    ];
    for (number, edit) in edits.into_iter().enumerate() {
        let mut other = another(10 + number);
        edit(&mut other);
        asked(&approvals, &other).await;
    }
    asked(&approvals, &of_person(bob(), 1)).await;
    // What the person says yes to is not counted, and what its run comes to instead is asked for.
    store.approve(third, &ada(), None).await.unwrap();
    let fourth = asked(&approvals, &another(20)).await;
    assert_eq!(approvals.claim(&another(21)).await.unwrap(), enough);
    let mut changed = another(4);
    changed.digest = Digest::of(b"came out otherwise");
    changed.sent = Digest::of(b"sends another");
    changed.replaces = Some(third);
    asked(&approvals, &changed).await;
    let question = store.question(third, &ada()).await.unwrap();
    assert_eq!(question.approval.state, ApprovalState::Replaced);
    // To take a question back does not make room: it was asked.
    store.withdraw(fourth, &ada()).await.unwrap();
    assert_eq!(approvals.claim(&another(22)).await.unwrap(), enough);
    fixture.pass(Duration::from_secs(601));
    asked(&approvals, &another(23)).await;
}

#[tokio::test]
async fn a_read_that_was_done_before_is_asked_for_without_a_word_of_it() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let mut read = request(1);
    read.effect = Effect::Read;
    let id = asked(&approvals, &read).await;
    fixture.store.approve(id, &ada(), None).await.unwrap();
    assert_eq!(approvals.claim(&read).await.unwrap(), Claim::Granted(id));
    assert!(held(&approvals, &read).await.1.differs.is_empty());
}
