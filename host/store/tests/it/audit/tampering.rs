//! Whoever can write to the files: every way to alter the log is found, and said with its place.

use std::path::{Path, PathBuf};

use portcullis_store::{Activity, AuditError, Fault, Store, StoreAudit, StoreError, StoreOptions};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::support::{Log, Read, append, broken, copy, files, verify, whole};
use crate::support::Fixture;
use portcullis::ports::audit::Durability;

/// Where each record begins, and the end of the last.
fn records(file: &Path) -> Vec<usize> {
    let bytes = std::fs::read(file).unwrap();
    let mut at = 120;
    let mut places = vec![at];
    while at < bytes.len() {
        let length = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        at += 44 + length as usize;
        places.push(at);
    }
    assert_eq!(at, bytes.len());
    places
}

async fn opening_is_refused(store: &Store) -> AuditError {
    match StoreAudit::open(store.clone()).await {
        Err(StoreError::Audit(error @ AuditError::Broken(_))) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_bit_of_a_small_log_counts() {
    let log = Log::new().await;
    let read = Read::at(1);
    let mut events = read.events();
    let last = events.pop().unwrap();
    for event in [events.remove(0), events.remove(1), last] {
        append(&log.audit, read.id, read.at, event, Durability::Buffered)
            .await
            .unwrap();
    }
    log.audit.close().await.unwrap();
    let store = &log.fixture.store;
    whole(store).await;
    let file = log.files().remove(0);
    let bytes = std::fs::read(&file).unwrap();
    let activity = Activity::open(store.clone()).await.unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut altered = bytes.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&file, altered).unwrap();
        let report = activity.verify(&[], |_| ()).await.unwrap();
        assert!(!report.is_whole(), "bit {} of byte {}", bit % 8, bit / 8);
        assert_eq!(report.findings[0].file, file);
    }
    std::fs::write(&file, bytes).unwrap();
    whole(store).await;
}

/// What somebody does to a log.
#[derive(Clone, Debug)]
enum Attack {
    Flip(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Duplicate(prop::sample::Index, prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
    Cut(prop::sample::Index),
    CutAtRecord(prop::sample::Index),
    Append(Vec<u8>),
}

fn attack() -> impl Strategy<Value = Attack> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        (index(), 0..8u8).prop_map(|(at, bit)| Attack::Flip(at, bit)),
        index().prop_map(Attack::Remove),
        (index(), index()).prop_map(|(one, to)| Attack::Duplicate(one, to)),
        (index(), index()).prop_map(|(one, other)| Attack::Swap(one, other)),
        index().prop_map(Attack::Cut),
        index().prop_map(Attack::CutAtRecord),
        proptest::collection::vec(1..=255u8, 1..80).prop_map(Attack::Append),
    ]
}

impl Attack {
    /// Gives the altered file; none where nothing is altered.
    fn alter(&self, bytes: &[u8], places: &[usize]) -> Option<Vec<u8>> {
        let count = places.len() - 1;
        let record = |index: &prop::sample::Index| {
            let number = index.index(count);
            places[number]..places[number + 1]
        };
        let altered = match self {
            Self::Flip(at, bit) => {
                let mut altered = bytes.to_vec();
                altered[at.index(bytes.len())] ^= 1 << bit;
                altered
            }
            Self::Remove(one) => {
                let one = record(one);
                [&bytes[..one.start], &bytes[one.end..]].concat()
            }
            Self::Duplicate(one, to) => {
                let to = places[to.index(places.len())];
                [&bytes[..to], &bytes[record(one)], &bytes[to..]].concat()
            }
            Self::Swap(one, other) => {
                let (mut one, mut other) = (record(one), record(other));
                if one.start > other.start {
                    std::mem::swap(&mut one, &mut other);
                }
                if one == other {
                    return None;
                }
                [
                    &bytes[..one.start],
                    &bytes[other.clone()],
                    &bytes[one.end..other.start],
                    &bytes[one],
                    &bytes[other.end..],
                ]
                .concat()
            }
            Self::Cut(at) => bytes[..at.index(bytes.len())].to_vec(),
            Self::CutAtRecord(at) => bytes[..places[at.index(count)]].to_vec(),
            Self::Append(more) => [bytes, more].concat(),
        };
        Some(altered)
    }
}

#[test]
fn whatever_is_done_to_a_log_is_found() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let fixture = runtime.block_on(Log::closed(40));
    let file = files(&fixture.store).remove(0);
    let (bytes, places) = (std::fs::read(&file).unwrap(), records(&file));
    assert_eq!(places.len(), 40 * 6 + 1);
    let activity = runtime
        .block_on(Activity::open(fixture.store.clone()))
        .unwrap();
    let mut runner = TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(400)
    });
    runner
        .run(&attack(), |attack| {
            let Some(altered) = attack.alter(&bytes, &places) else {
                return Ok(());
            };
            prop_assume!(altered != bytes);
            std::fs::write(&file, &altered).unwrap();
            let report = runtime.block_on(activity.verify(&[], |_| ())).unwrap();
            if let Attack::Append(_) = attack {
                // Nothing of the log is altered: it is said that more stands there, and told from what was cut off.
                prop_assert_eq!(report.unfinished.len(), 1, "{:?}", attack);
                return Ok(());
            }
            prop_assert!(!report.is_whole(), "{:?}", attack);
            prop_assert_eq!(&report.findings[0].file, &file);
            // The next program to start does not go on as if nothing were.
            let refused = runtime.block_on(StoreAudit::open(fixture.store.clone()));
            prop_assert!(refused.is_err(), "{:?}", attack);
            Ok(())
        })
        .unwrap();
    std::fs::write(&file, bytes).unwrap();
    runtime.block_on(whole(&fixture.store));
}

#[tokio::test]
async fn a_finding_says_which_record_of_which_call_and_where() {
    let fixture = Log::closed(3).await;
    let file = files(&fixture.store).remove(0);
    let (bytes, places) = (std::fs::read(&file).unwrap(), records(&file));
    let calls = Activity::open(fixture.store.clone()).await.unwrap();
    let calls = calls.calls(&Default::default()).await.unwrap().0;
    // The third record of the second call.
    let at = places[8];
    let mut altered = bytes.clone();
    altered[at + 100] ^= 1;
    std::fs::write(&file, altered).unwrap();
    let finding = broken(&fixture.store).await;
    assert_eq!(finding.fault, Fault::Altered);
    assert_eq!((finding.record, finding.offset), (Some(9), at as u64));
    assert_eq!(finding.call, Some(calls[1].id));

    let removed = [&bytes[..at], &bytes[places[9]..]].concat();
    std::fs::write(&file, removed).unwrap();
    let finding = broken(&fixture.store).await;
    assert_eq!(finding.fault, Fault::Missing { first: 9, last: 9 });

    let doubled = [&bytes[..places[9]], &bytes[at..]].concat();
    std::fs::write(&file, doubled).unwrap();
    let finding = broken(&fixture.store).await;
    assert_eq!(finding.fault, Fault::Misplaced { number: 9 });

    std::fs::write(&file, &bytes[..at]).unwrap();
    let finding = broken(&fixture.store).await;
    assert_eq!(finding.fault, Fault::Short { ends: 8, had: 18 });
    let refused = opening_is_refused(&fixture.store).await.to_string();
    assert!(refused.contains("audit restart"), "{refused}");
    std::fs::write(&file, bytes).unwrap();
    whole(&fixture.store).await;
}

#[tokio::test]
async fn a_missing_file_or_folder_is_found_at_start() {
    let fixture = Log::closed(3).await;
    let folder = fixture.store.location().audit_folder();
    let (file, aside) = (
        files(&fixture.store).remove(0),
        fixture.folder.path().join("aside"),
    );
    std::fs::rename(&file, &aside).unwrap();
    assert_eq!(broken(&fixture.store).await.fault, Fault::NoSegment);
    opening_is_refused(&fixture.store).await;
    std::fs::rename(&aside, &file).unwrap();

    std::fs::rename(&folder, &aside).unwrap();
    assert_eq!(broken(&fixture.store).await.fault, Fault::NoFolder);
    let refused = opening_is_refused(&fixture.store).await.to_string();
    assert!(refused.contains("the folder is not there"), "{refused}");
    assert!(!folder.exists(), "no other log is made in its place");
    std::fs::rename(&aside, &folder).unwrap();
    whole(&fixture.store).await;
}

#[tokio::test]
async fn an_older_copy_of_the_log_or_of_its_head_is_found() {
    let fixture = Log::closed(3).await;
    let folder = fixture.store.location().audit_folder();
    let older = fixture.folder.path().join("older");
    copy(&folder, &older);
    let head: (i64, Vec<u8>) = sqlx::query_as("SELECT number, mac FROM audit_heads")
        .fetch_one(&mut fixture.raw().await)
        .await
        .unwrap();
    let audit = StoreAudit::open(fixture.store.clone()).await.unwrap();
    Read::at(50).write(&audit).await;
    audit.close().await.unwrap();
    let newer = fixture.folder.path().join("newer");
    std::fs::rename(&folder, &newer).unwrap();
    std::fs::rename(&older, &folder).unwrap();
    let finding = broken(&fixture.store).await;
    assert_eq!(finding.fault, Fault::Short { ends: 18, had: 24 });
    opening_is_refused(&fixture.store).await;
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::rename(&newer, &folder).unwrap();

    // A head that somebody turned back with the log has not the hash of what it says.
    fixture.tamper("UPDATE audit_heads SET number = 18").await;
    assert_eq!(broken(&fixture.store).await.fault, Fault::Head);
    opening_is_refused(&fixture.store).await;
    fixture.tamper("UPDATE audit_heads SET number = 24").await;
    whole(&fixture.store).await;
    fixture.tamper("DELETE FROM audit_heads").await;
    assert_eq!(broken(&fixture.store).await.fault, Fault::UnknownLane);
    opening_is_refused(&fixture.store).await;
    assert_eq!(head.0, 18);
}

#[tokio::test]
async fn who_takes_both_back_is_found_by_a_head_that_was_written_down() {
    let fixture = Log::closed(3).await;
    let older = tempfile::tempdir().unwrap();
    fixture.store.close().await;
    copy(fixture.folder.path(), older.path());
    let store = fixture.open_again(&fixture.master).await.unwrap();
    let audit = StoreAudit::open(store.clone()).await.unwrap();
    Read::at(50).write(&audit).await;
    audit.close().await.unwrap();
    let heads = whole(&store).await.heads;
    let activity = Activity::open(store.clone()).await.unwrap();
    assert!(activity.verify(&heads, |_| ()).await.unwrap().is_whole());

    let location = portcullis_store::Location::in_folder(older.path());
    let options = StoreOptions::new(location, fixture.master.clone());
    let taken_back = Store::open(options).await.unwrap();
    whole(&taken_back).await;
    let activity = Activity::open(taken_back).await.unwrap();
    let report = activity.verify(&heads, |_| ()).await.unwrap();
    assert_eq!(report.findings[0].fault, Fault::Rewritten { number: 24 });
}

#[tokio::test]
async fn records_of_another_log_are_no_records_of_this_one() {
    let (one, other) = (Log::closed(3).await, Log::closed(3).await);
    let path = |fixture: &Fixture| -> PathBuf { files(&fixture.store).remove(0) };
    std::fs::copy(path(&other), path(&one)).unwrap();
    assert_eq!(broken(&one.store).await.fault, Fault::Header);
    opening_is_refused(&one.store).await;
}

#[tokio::test]
async fn an_index_that_tells_otherwise_is_found_and_made_anew() {
    let fixture = Log::closed(5).await;
    let index = fixture.store.location().audit_folder().join("index.db");
    whole(&fixture.store).await;
    for sql in [
        "DELETE FROM calls WHERE call IN (SELECT call FROM calls ORDER BY at LIMIT 1)",
        "UPDATE calls SET person = 'eve' WHERE call IN (SELECT max(call) FROM calls)",
        "UPDATE calls SET outcome = 'refused'",
        "INSERT INTO calls SELECT '00', lane, first_segment, last_segment, at, person, agent, connector, version, component, tool, \
         effect, mode, rule, connection, outcome, code, elapsed_us, requests, changes, pending, unclear, denied, sources, sent_bytes, \
         received_bytes, answer_of, failed FROM calls LIMIT 1",
    ] {
        use sqlx::ConnectOptions;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&index);
        let mut raw = options.connect().await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(sql.to_owned()))
            .execute(&mut raw)
            .await
            .unwrap();
        drop(raw);
        let report = verify(&fixture.store).await;
        assert_eq!(report.findings[0].fault, Fault::Index, "{sql}");
        assert!(report.index_made_anew);
        assert_eq!(whole(&fixture.store).await.calls, 5);
    }
    // One that is no database is none.
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(index.with_file_name(format!("index.db{suffix}")));
    }
    std::fs::write(&index, [0x5a; 9_000]).unwrap();
    assert_eq!(whole(&fixture.store).await.calls, 5);
}

#[tokio::test]
async fn a_broken_log_is_put_aside_and_a_new_one_says_why() {
    let fixture = Log::closed(3).await;
    let person = crate::support::ada();
    let none = StoreAudit::restart(fixture.store.clone(), &person)
        .await
        .unwrap();
    assert_eq!(none, None, "a whole log stays");
    let file = files(&fixture.store).remove(0);
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 100]).unwrap();
    opening_is_refused(&fixture.store).await;
    let restarted = StoreAudit::restart(fixture.store.clone(), &person)
        .await
        .unwrap()
        .unwrap();
    assert!(restarted.kept.unwrap().join("001-00000001.log").exists());
    let report = whole(&fixture.store).await;
    let note = format!("{:?}", report.notes);
    assert!(
        note.contains("Restarted") && note.contains("ada@example.com"),
        "{note}"
    );
    // The old one does not pass for the new.
    std::fs::write(&file, bytes).unwrap();
    assert!(!verify(&fixture.store).await.is_whole());
}
