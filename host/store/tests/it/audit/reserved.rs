//! What is counted for a change before it is sent, by programs that were ended in between.

use portcullis::CallId;
use portcullis::ports::audit::{Answer, Durability, Event, RequestEnd};
use portcullis::ports::permissions::{Counted, Usage};
use portcullis_policy::Effect;
use portcullis_store::{Store, StoreAudit};

use super::support::{
    Log, Read, answer, append, at, change_in_flight, closed, drop_unclosed, intent, whole,
};
use crate::support::{ada, calls, crm};

fn of(call: Option<CallId>, count: u32) -> Usage {
    Usage {
        counted: Counted::Changes,
        count,
        max: 10,
        only_look: false,
        reserved_by: call,
    }
}

async fn count(store: &Store, usage: Usage) -> bool {
    let agent = calls(ada()).agent;
    let counted = store.count_usage(&agent, &crm(), usage).await;
    counted.unwrap().is_ok()
}

/// How many more there may be.
async fn left(store: &Store) -> u32 {
    let mut left = 0;
    for many in 1..=10 {
        let look = Usage {
            only_look: true,
            ..of(None, many)
        };
        left = if count(store, look).await { many } else { left };
    }
    left
}

/// Opens a call, and counts for it.
async fn reserve(log: &Log, second: u64) -> CallId {
    let read = Read::at(second);
    append(
        &log.audit,
        read.id,
        read.at,
        read.events().remove(0),
        Durability::Buffered,
    )
    .await
    .unwrap();
    assert!(count(&log.fixture.store, of(Some(read.id), 1)).await);
    read.id
}

async fn says(log: &Log, call: CallId, event: Event) {
    append(&log.audit, call, Read::at(1).at, event, Durability::Synced)
        .await
        .unwrap();
}

#[tokio::test]
async fn what_a_program_that_was_ended_had_counted_and_never_sent_is_given_back() {
    let log = Log::new().await;
    let store = log.fixture.store.clone();
    // Ended between the count and the intent.
    let never = reserve(&log, 1).await;
    // Ended after the intent: it may have been sent.
    let unclear = change_in_flight(&log.audit).await;
    assert!(count(&store, of(Some(unclear), 1)).await);
    // The service refused it, so it was sent; and one that never left.
    for (second, end) in [
        (2, RequestEnd::Status(400)),
        (3, RequestEnd::NotSent("no route".to_owned())),
    ] {
        let call = reserve(&log, second).await;
        says(&log, call, Event::Intended(intent(Effect::Write))).await;
        let answer = Answer {
            end,
            ..answer(Effect::Write)
        };
        says(&log, call, Event::Answered(answer)).await;
        says(&log, call, Event::Closed(closed())).await;
    }
    // In no log, as after it was begun anew: nobody knows.
    let unknown = CallId::random(Read::at(4).at).unwrap();
    assert!(count(&store, of(Some(unknown), 1)).await);
    // What has come to be is never given back.
    assert!(count(&store, of(None, 1)).await);
    assert_eq!(left(&store).await, 4);

    // While the program is there, its calls are its own.
    let other = StoreAudit::open(store.clone()).await.unwrap();
    other.close().await.unwrap();
    assert_eq!(
        left(&store).await,
        5,
        "only the one that has ended and never left"
    );
    drop_unclosed(log.audit).await;
    let next = StoreAudit::open(store.clone()).await.unwrap();
    assert_eq!(left(&store).await, 6);
    let cut_off: Vec<CallId> = next.cut_off().iter().map(|one| one.call).collect();
    assert!(cut_off.contains(&never) && cut_off.contains(&unclear));
    next.close().await.unwrap();
    // Once is enough.
    StoreAudit::open(store.clone())
        .await
        .unwrap()
        .close()
        .await
        .unwrap();
    assert_eq!(left(&store).await, 6);
    whole(&store).await;
}

/// Writes down a change that never left, of a call that has counted for it.
async fn never_left(log: &Log, second: u64) {
    let call = reserve(log, second).await;
    let answer = Answer {
        end: RequestEnd::NotSent("no route".to_owned()),
        ..answer(Effect::Write)
    };
    for event in [
        Event::Intended(intent(Effect::Write)),
        Event::Answered(answer),
        Event::Closed(closed()),
    ] {
        append(&log.audit, call, at(second), event, Durability::Synced)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_call_that_another_program_just_begins_is_not_taken_for_one_that_sent() {
    let log = Log::new().await;
    let store = log.fixture.store.clone();
    let call = CallId::random(at(1)).unwrap();
    assert!(count(&store, of(Some(call), 1)).await);
    // A program that starts now sees what is counted, and nothing of the call.
    let other = StoreAudit::open(store.clone()).await.unwrap();
    other.close().await.unwrap();
    assert_eq!(left(&store).await, 9);
    let agent = calls(ada()).agent;
    let given = store
        .give_usage_back(&agent, &crm(), of(Some(call), 1))
        .await;
    given.unwrap();
    assert_eq!(left(&store).await, 10);
}

#[tokio::test]
async fn a_call_that_cannot_be_read_stays_counted_and_keeps_no_other_so() {
    const TWO_DAYS: u64 = 2 * 24 * 3_600;
    // In its first record, and in what comes after that: then what stands before the break is read, and says nothing of a request.
    for part in [4, 2] {
        let log = Log::new().await;
        let store = log.fixture.store.clone();
        never_left(&log, 1).await;
        // In a segment of its own.
        never_left(&log, TWO_DAYS).await;
        let files = log.files();
        assert_eq!(files.len(), 2);
        log.audit.close().await.unwrap();
        assert_eq!(left(&store).await, 8);
        let mut bytes = std::fs::read(&files[0]).unwrap();
        let place = bytes.len() / part;
        bytes[place] ^= 1;
        std::fs::write(&files[0], bytes).unwrap();
        let next = StoreAudit::open(store.clone()).await.unwrap();
        assert_eq!(left(&store).await, 9, "{part}");
        next.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_call_gives_back_what_it_counted_itself_and_no_others() {
    let log = Log::new().await;
    let store = &log.fixture.store;
    let (one, other) = (reserve(&log, 1).await, reserve(&log, 2).await);
    assert_eq!(left(store).await, 8);
    let agent = calls(ada()).agent;
    for _ in 0..2 {
        let given = store
            .give_usage_back(&agent, &crm(), of(Some(one), 1))
            .await;
        given.unwrap();
        assert_eq!(left(store).await, 9);
    }
    let given = store
        .give_usage_back(&agent, &crm(), of(Some(other), 1))
        .await;
    given.unwrap();
    assert_eq!(left(store).await, 10);
}
