//! Removing what is old, and following the rest.

use std::path::Path;
use std::time::SystemTime;

use jiff::Timestamp;
use portcullis_store::{Activity, Fault, Filter, Note, Retained, Store, StoreAudit};

use super::support::{Log, Read, at, broken, by_ada, decided, files, whole};
use crate::support::{Fixture, ada};

const DAY: u64 = 24 * 3_600;

/// A log with a segment for each of some days.
async fn days(days: u64) -> Fixture {
    let log = Log::new().await;
    for day in 0..days {
        Read::at(day * (DAY + 60)).write(&log.audit).await;
    }
    log.audit.close().await.unwrap();
    assert_eq!(whole(&log.fixture.store).await.segments, days);
    log.fixture
}

fn moment(at: SystemTime) -> Timestamp {
    Timestamp::try_from(at).unwrap()
}

#[tokio::test]
async fn what_is_old_goes_in_whole_files_and_the_rest_is_followed_from_there() {
    let fixture = days(5).await;
    let store = &fixture.store;
    let removed = std::fs::read(&files(store)[1]).unwrap();
    let audit = StoreAudit::open(store.clone()).await.unwrap();
    let before = moment(at(3 * (DAY + 60)));
    let retained = audit.retain(&ada(), before).await.unwrap();
    assert_eq!((retained.segments, retained.records), (2, 12));
    assert_eq!(
        audit.retain(&ada(), before).await.unwrap(),
        Retained::default()
    );
    audit.close().await.unwrap();
    let report = whole(store).await;
    assert_eq!(report.calls, 3);
    assert!(matches!(
        report.notes[..],
        [(_, Note::Retained { segments: 2, .. })]
    ));
    let activity = Activity::open(store.clone()).await.unwrap();
    let rows = activity.calls(&Filter::default()).await.unwrap().0;
    assert_eq!(rows.len(), 3);
    assert_eq!(activity.lines(&rows[2]).await.unwrap().len(), 6);

    // What was removed is not missed, and what stays is: the first that stays is bound to what was removed.
    let first = files(store).remove(0);
    let kept = std::fs::read(&first).unwrap();
    std::fs::remove_file(&first).unwrap();
    assert_eq!(broken(store).await.fault, Fault::NoSegment);
    std::fs::write(&first, removed).unwrap();
    assert_eq!(broken(store).await.fault, Fault::Header);
    std::fs::write(&first, kept).unwrap();
    whole(store).await;
    fixture
        .tamper("UPDATE audit_bases SET segment = 3, number = 18")
        .await;
    assert_eq!(broken(store).await.fault, Fault::Head);
}

#[tokio::test]
async fn the_last_file_stays_however_old() {
    let fixture = days(2).await;
    let audit = StoreAudit::open(fixture.store.clone()).await.unwrap();
    let retained = audit.retain(&ada(), Timestamp::now()).await.unwrap();
    assert_eq!(retained.segments, 1);
    audit.close().await.unwrap();
    assert_eq!(whole(&fixture.store).await.calls, 1);
}

#[tokio::test]
async fn with_its_last_file_a_key_goes() {
    let fixture = days(2).await;
    fixture.store.rotate_key().await.unwrap();
    let audit = StoreAudit::open(fixture.store.clone()).await.unwrap();
    for day in 3..5 {
        Read::at(day * (DAY + 60)).write(&audit).await;
    }
    let retained = audit
        .retain(&ada(), moment(at(4 * (DAY + 60) + 60)))
        .await
        .unwrap();
    audit.close().await.unwrap();
    let audit = StoreAudit::open(fixture.store.clone()).await.unwrap();
    // The kept head was the old key's until now.
    let more = audit.retain(&ada(), Timestamp::now()).await.unwrap();
    audit.close().await.unwrap();
    assert!(
        retained.segments + more.segments >= 3,
        "{retained:?} {more:?}"
    );
    assert_eq!(retained.keys + more.keys, 1, "{retained:?} {more:?}");
    whole(&fixture.store).await;
}

#[tokio::test]
async fn segments_that_a_broken_off_removal_left_are_no_finding_and_go_with_the_next() {
    let fixture = days(4).await;
    let store = &fixture.store;
    let old = files(store)[0].clone();
    let bytes = std::fs::read(&old).unwrap();
    let audit = StoreAudit::open(store.clone()).await.unwrap();
    audit
        .retain(&ada(), moment(at(2 * (DAY + 60))))
        .await
        .unwrap();
    std::fs::write(&old, bytes).unwrap();
    whole(store).await;
    audit
        .retain(&ada(), moment(at(2 * (DAY + 60))))
        .await
        .unwrap();
    assert!(!old.exists());
    audit.close().await.unwrap();
}

#[tokio::test]
async fn programs_that_serve_remove_what_is_older_than_was_set() {
    let fixture = days(5).await;
    let store = &fixture.store;
    let audit = StoreAudit::open(store.clone()).await.unwrap();
    let now = moment(at(5 * (DAY + 60)));
    assert_eq!(
        audit.retain_as_set(now).await.unwrap(),
        None,
        "nobody said so"
    );
    assert!(audit.set_retention(&by_ada(), Some(2)).await.unwrap());
    assert!(!audit.set_retention(&by_ada(), Some(2)).await.unwrap());
    let removed = audit.retain_as_set(now).await.unwrap().unwrap();
    assert_eq!(removed.segments, 3);
    let again = audit.retain_as_set(now).await.unwrap();
    assert_eq!(again, Some(Retained::default()));
    assert!(audit.set_retention(&by_ada(), None).await.unwrap());
    let later = moment(at(50 * DAY));
    assert_eq!(audit.retain_as_set(later).await.unwrap(), None);
    audit.close().await.unwrap();
    let said = decided(store).await;
    let said: Vec<&str> = said.iter().map(|(_, words)| words.as_str()).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].contains("none -> kept for 2 days, by `ada"),
        "{said:?}"
    );
    assert!(said[1].contains("kept for 2 days -> none"), "{said:?}");
    let notes = whole(store).await.notes;
    let [(_, removed)] = &notes[..] else {
        panic!("{notes:?}");
    };
    assert!(removed.to_string().contains("removed 3 files"), "{removed}");
}

/// The attack: who can write to the store's file has the next program that serves remove the log.
#[tokio::test]
async fn a_setting_that_nobody_made_removes_nothing() {
    let fixture = days(3).await;
    let store = &fixture.store;
    let audit = StoreAudit::open(store.clone()).await.unwrap();
    audit.set_retention(&by_ada(), Some(1_000)).await.unwrap();
    let now = moment(at(100 * DAY));
    let there = files(store).len();
    for sql in [
        "UPDATE audit_retention SET days = 1",
        "UPDATE audit_retention SET days = 1000, person = 'bob@example.com'",
        "UPDATE audit_retention SET person = 'ada@example.com', mac = zeroblob(32)",
    ] {
        fixture.tamper(sql).await;
        let refused = audit.retain_as_set(now).await.unwrap_err();
        assert!(refused.to_string().contains("audit_retention"), "{refused}");
    }
    assert_eq!(files(store).len(), there);
    // Whoever sets it anew mends it.
    assert!(audit.set_retention(&by_ada(), Some(1)).await.unwrap());
    let removed = audit.retain_as_set(now).await.unwrap().unwrap();
    assert_eq!(removed.segments, 2);
    audit.close().await.unwrap();
    whole(store).await;
}

#[tokio::test]
async fn a_setting_holds_no_old_key_back() {
    let fixture = days(2).await;
    let audit = StoreAudit::open(fixture.store.clone()).await.unwrap();
    audit.set_retention(&by_ada(), Some(1)).await.unwrap();
    audit.close().await.unwrap();
    fixture.store.rotate_key().await.unwrap();
    let mut keys = 0;
    for day in 20_000..20_003 {
        let audit = StoreAudit::open(fixture.store.clone()).await.unwrap();
        // After everything else, so that each begins a file, under the new key.
        Read::at(day * (DAY + 60)).write(&audit).await;
        let now = moment(at(30_000 * DAY));
        keys += audit.retain_as_set(now).await.unwrap().unwrap().keys;
        audit.close().await.unwrap();
    }
    assert_eq!(keys, 1);
    whole(&fixture.store).await;
}

/// Two programs that serve remove at the same time, and one has looked earlier.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_that_remove_at_once_the_further_one_stays() {
    for _ in 0..5 {
        let fixture = days(6).await;
        let one = StoreAudit::open(fixture.store.clone()).await.unwrap();
        let other = fixture.open_again(&fixture.master).await.unwrap();
        let other = StoreAudit::open(other).await.unwrap();
        let me = ada();
        let (one_did, other_did) = tokio::join!(
            one.retain(&me, moment(at(2 * (DAY + 60)))),
            other.retain(&me, moment(at(4 * (DAY + 60))))
        );
        let removed = one_did.unwrap().segments + other_did.unwrap().segments;
        assert_eq!(removed, 3);
        one.close().await.unwrap();
        other.close().await.unwrap();
        whole(&fixture.store).await;
    }
}

#[tokio::test]
async fn the_index_goes_on_where_all_that_it_had_was_removed() {
    let fixture = days(3).await;
    let store = &fixture.store;
    let audit = StoreAudit::open(store.clone()).await.unwrap();
    // The index has everything, and the next file is begun.
    assert_eq!(
        audit
            .activity()
            .calls(&Filter::default())
            .await
            .unwrap()
            .0
            .len(),
        3
    );
    Read::at(10 * DAY).write(&audit).await;
    let retained = audit.retain(&ada(), moment(at(11 * DAY))).await.unwrap();
    assert_eq!(retained.segments, 3);
    let calls = audit.activity().calls(&Filter::default()).await.unwrap();
    assert_eq!((calls.0.len(), calls.1), (1, None));
    audit.close().await.unwrap();
    assert_eq!(whole(store).await.calls, 1);
}

/// Puts a folder in the place of a file: it cannot be read or removed as one.
fn stuck(file: &Path) {
    std::fs::remove_file(file).unwrap();
    std::fs::create_dir(file).unwrap();
}

/// Says what the log has of decisions, and how many of them came to nothing.
async fn decided_and_undone(store: &Store) -> (usize, usize) {
    let activity = Activity::open(store.clone()).await.unwrap();
    let notes = activity.notes().await.unwrap().0;
    let undone = notes
        .iter()
        .filter(|one| matches!(one.note, Note::Undone { .. }));
    (decided(store).await.len(), undone.count())
}

/// A disk that fails in the middle of it: half of the log is gone, and that is no decision that came to nothing.
#[tokio::test]
async fn a_removal_that_is_broken_off_in_the_middle_was_decided() {
    let fixture = days(4).await;
    let store = &fixture.store;
    let first = StoreAudit::open(store.clone()).await.unwrap();
    let again = fixture.open_again(&fixture.master).await.unwrap();
    let second = StoreAudit::open(again).await.unwrap();
    for day in 4..6 {
        Read::at(day * (DAY + 60)).write(&second).await;
    }
    second.close().await.unwrap();
    first.close().await.unwrap();
    let [.., oldest_of_second, _] = &files(store)[..] else {
        panic!();
    };
    assert_eq!(files(store).len(), 6);
    stuck(oldest_of_second);
    let audit = StoreAudit::open(store.clone()).await.unwrap();
    let now = moment(at(20 * DAY));
    let broken_off = audit.retain_as_decided(&by_ada(), 1, now).await;
    assert!(broken_off.is_err(), "{broken_off:?}");
    // With the one that the decision itself began.
    assert_eq!(files(store).len(), 4, "those of the first are gone");
    audit.close().await.unwrap();
    assert_eq!(decided_and_undone(store).await, (1, 0));
    let notes = whole(store).await.notes;
    assert!(
        matches!(notes[..], [(_, Note::Retained { segments: 3, .. })]),
        "{notes:?}"
    );
}

#[tokio::test]
async fn a_removal_of_nothing_came_to_nothing() {
    let fixture = days(3).await;
    let store = &fixture.store;
    let all = files(store);
    let kept = std::fs::read(&all[1]).unwrap();
    stuck(&all[1]);
    let audit = StoreAudit::open(store.clone()).await.unwrap();
    let now = moment(at(20 * DAY));
    let broken_off = audit.retain_as_decided(&by_ada(), 1, now).await;
    assert!(broken_off.is_err(), "{broken_off:?}");
    assert_eq!(decided_and_undone(store).await, (1, 1));
    std::fs::remove_dir(&all[1]).unwrap();
    std::fs::write(&all[1], kept).unwrap();
    let retained = audit.retain_as_decided(&by_ada(), 1, now).await;
    assert!(retained.unwrap().segments >= 2);
    audit.close().await.unwrap();
    assert_eq!(decided_and_undone(store).await, (2, 1));
    whole(store).await;
}
