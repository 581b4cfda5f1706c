//! What was used stays used, and what was not sent is said not to have been.
//!
//! The attack: a hand on the file that puts rows back as they were before an approval was used.

use std::time::Duration;

use portcullis::ApprovalId;
use portcullis::ports::approvals::{Approvals, Claim};
use portcullis_store::{ApprovalState, Standing, StoreApprovals};
use sqlx::AssertSqlSafe;

use crate::approvals::{VALUE, approvals, asked, done_by, held, request};
use crate::support::{Fixture, ada};

/// Keeps a copy of the rows of a table.
async fn copy(fixture: &Fixture, table: &str) {
    run(
        fixture,
        &format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}"),
    )
    .await;
}

/// Puts the rows back as they were.
async fn put_back(fixture: &Fixture, table: &str) {
    run(fixture, &format!("DELETE FROM {table}")).await;
    run(
        fixture,
        &format!("INSERT INTO {table} SELECT * FROM kept_{table}"),
    )
    .await;
}

async fn run(fixture: &Fixture, sql: &str) {
    let done = sqlx::query(AssertSqlSafe(sql.to_owned()));
    done.execute(&mut fixture.raw().await).await.unwrap();
}

async fn approved(fixture: &Fixture, approvals: &StoreApprovals, number: usize) -> ApprovalId {
    let id = asked(approvals, &request(number)).await;
    fixture.store.approve(id, &ada(), None).await.unwrap();
    id
}

fn standing(records: u32) -> Option<Standing> {
    let lasts = Duration::from_secs(600);
    Some(Standing { records, lasts })
}

#[tokio::test]
async fn a_yes_that_was_used_is_none_when_its_row_is_put_back() {
    let fixture = Fixture::new().await;
    let here = approvals(&fixture.store).await;
    let id = approved(&fixture, &here, 1).await;
    copy(&fixture, "approvals").await;
    assert_eq!(here.claim(&request(1)).await.unwrap(), Claim::Granted(id));
    // In the program that used it, and in one that starts.
    let restarted = approvals(&fixture.open_again(&fixture.master).await.unwrap()).await;
    for program in [&here, &restarted] {
        put_back(&fixture, "approvals").await;
        let forged = program.claim(&request(1)).await.unwrap_err();
        assert!(format!("{forged:?}").contains("used before"), "{forged:?}");
    }
}

#[tokio::test]
async fn a_yes_whose_end_was_put_off_is_none() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let id = approved(&fixture, &approvals, 1).await;
    fixture
        .tamper(&format!(
            "UPDATE approvals SET expires = expires + 1000 WHERE id = '{id}'"
        ))
        .await;
    assert!(approvals.claim(&request(1)).await.is_err());
}

#[tokio::test]
async fn a_list_of_uses_that_is_put_back_lets_nothing_pass_while_a_program_runs() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let id = approved(&fixture, &approvals, 1).await;
    for table in ["approvals", "approval_uses"] {
        copy(&fixture, table).await;
    }
    assert_eq!(
        approvals.claim(&request(1)).await.unwrap(),
        Claim::Granted(id)
    );
    for table in ["approvals", "approval_uses"] {
        put_back(&fixture, table).await;
    }
    let refused = approvals.claim(&request(1)).await.unwrap_err();
    assert!(format!("{refused:?}").contains("TakenBack"), "{refused:?}");
    // Nor does it help to take the list away: a yes is good beside the list that it was given with.
    fixture.tamper("DELETE FROM approval_uses").await;
    assert!(approvals.claim(&request(1)).await.is_err());
    let other = asked(&approvals, &request(2)).await;
    fixture.store.approve(other, &ada(), None).await.unwrap();
    for number in [1, 2] {
        assert!(approvals.claim(&request(number)).await.is_err());
    }
    let restarted = fixture.open_again(&fixture.master).await.unwrap();
    let restarted = crate::approvals::approvals(&restarted).await;
    assert!(restarted.claim(&request(1)).await.is_err());
}

#[tokio::test]
async fn the_records_left_of_a_standing_approval_cannot_be_put_back() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let store = &fixture.store;
    let id = asked(&approvals, &request(1)).await;
    store.approve(id, &ada(), standing(2)).await.unwrap();
    copy(&fixture, "standing_approvals").await;
    let left = async || {
        let rules = store.standing_approvals(&ada()).await.unwrap();
        rules.iter().map(|rule| rule.records_left).sum::<u32>()
    };
    assert_eq!(left().await, 2);
    for number in [2, 3] {
        let claim = approvals.claim(&request(number)).await.unwrap();
        assert!(matches!(claim, Claim::Granted(_)), "{claim:?}");
    }
    assert_eq!(left().await, 0);
    put_back(&fixture, "standing_approvals").await;
    assert_eq!(left().await, 0);
    asked(&approvals, &request(4)).await;
    // Nor are there more of them by another number, or for longer.
    for widened in ["records = 10", "expires = expires + 60000"] {
        put_back(&fixture, "standing_approvals").await;
        fixture
            .tamper(&format!("UPDATE standing_approvals SET {widened}"))
            .await;
        let claim = approvals.claim(&request(5)).await;
        assert!(!matches!(claim, Ok(Claim::Granted(_))), "{claim:?}");
    }
}

#[tokio::test]
async fn a_standing_approval_ends_with_the_version_that_its_person_saw() {
    const ADD: &str = "INSERT INTO connector_versions (id, connector, digest, version, installed, installed_by, bytes) \
                       VALUES ('v', 'crm', 'd', '2.0.0', 0, 'ada', x'00')";
    const ACTIVATE: &str = "UPDATE connector_versions SET position = 1, granted = x'00', granted_key = (SELECT max(id) FROM keys), \
                            activated = 0, activated_by = 'ada' WHERE id = 'v'";
    const REMOVE: &str = "DELETE FROM connector_versions WHERE id = 'v'";
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let store = &fixture.store;
    let make = async |number: usize| {
        let id = asked(&approvals, &request(number)).await;
        store.approve(id, &ada(), standing(5)).await.unwrap();
    };
    let count = async || store.standing_approvals(&ada()).await.unwrap().len();
    make(1).await;
    // One that waits to be accepted is not in use.
    run(&fixture, ADD).await;
    assert_eq!(count().await, 1);
    run(&fixture, ACTIVATE).await;
    assert_eq!(count().await, 0);
    make(2).await;
    // Back to what was before it.
    run(&fixture, REMOVE).await;
    assert_eq!(count().await, 0);
}

#[tokio::test]
async fn a_yes_that_sent_nothing_says_so_and_stays_used() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let store = &fixture.store;
    let sends = request(1);
    let id = approved(&fixture, &approvals, 1).await;
    assert_eq!(approvals.claim(&sends).await.unwrap(), Claim::Granted(id));
    // Another call's word is none.
    let is_unsent = async || {
        let question = store.question(id, &ada()).await.unwrap().approval;
        assert_eq!(question.state, ApprovalState::Used);
        question.is_unsent
    };
    approvals.unsent(id, request(1).call).await.unwrap();
    assert!(!is_unsent().await);
    approvals.unsent(id, sends.call).await.unwrap();
    assert!(is_unsent().await);
    let (again, card) = held(&approvals, &sends).await;
    assert!(again != id && card.differs.is_empty());
    // The records of a standing approval that were not sent are left.
    let id = asked(&approvals, &request(2)).await;
    let rule = store.approve(id, &ada(), standing(1)).await.unwrap();
    let rule = rule.standing.unwrap().id;
    let passes = request(3);
    let granted = Claim::Granted(rule);
    assert_eq!(approvals.claim(&passes).await.unwrap(), granted);
    approvals.unsent(rule, passes.call).await.unwrap();
    assert_eq!(approvals.claim(&request(4)).await.unwrap(), granted);
    asked(&approvals, &request(5)).await;
}

#[tokio::test]
async fn what_is_over_is_forgotten_though_nobody_asks_anything() {
    let fixture = Fixture::new().await;
    let approvals = approvals(&fixture.store).await;
    let store = &fixture.store;
    asked(&approvals, &request(1)).await;
    let denied = asked(&approvals, &request(2)).await;
    store.deny(denied, &ada(), Some(VALUE)).await.unwrap();
    let used = approved(&fixture, &approvals, 3).await;
    let run = request(3);
    approvals.claim(&run).await.unwrap();
    let reply = done_by(run.call, VALUE);
    store.end_run(used, &ada(), &reply).await.unwrap();
    fixture.pass(Duration::from_secs(24 * 3_600 + 1));
    let _sweeping = approvals.sweeping(Duration::from_millis(5));
    let mut file = fixture.raw().await;
    let forgotten = async {
        loop {
            let left: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM approvals WHERE held IS NOT NULL OR reason IS NOT NULL OR answer IS NOT NULL",
            )
            .fetch_one(&mut file)
            .await
            .unwrap();
            if left == 0 {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), forgotten)
        .await
        .unwrap();
}
