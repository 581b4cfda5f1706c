//! Many calls: a twentieth of a million, or as many as `PORTCULLIS_ENTRIES` says (`just soak`).

use std::time::{Duration, Instant};

use portcullis_policy::PersonId;
use portcullis_store::{Activity, Filter};

use super::support::{Log, Read, whole};

/// What an answer may take, with a million calls.
const AIM: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::print_stderr, reason = "the figure is what is asked for")]
async fn a_day_of_a_person_is_found_among_many_calls() {
    let asked_for = std::env::var("PORTCULLIS_ENTRIES");
    // Beside other tests nobody knows what an answer waits for.
    let is_timed = asked_for.is_ok();
    let calls: u64 = asked_for.map_or(50_000, |entries| entries.parse().unwrap());
    // 30 days, 40 people.
    let (people, seconds) = (40, 30 * 24 * 3_600);
    let log = Log::new().await;
    let person = |number: u64| PersonId::parse(format!("person{number}@example.com")).unwrap();
    let begun = Instant::now();
    for number in 0..calls {
        let mut read = Read::at(number * seconds / calls);
        read.person = person(number % people);
        read.write(&log.audit).await;
    }
    let written = begun.elapsed();
    log.audit.close().await.unwrap();
    let indexed = begun.elapsed() - written;

    let activity = Activity::open(log.fixture.store.clone()).await.unwrap();
    let day = |day: i64| jiff::Timestamp::from_second(1_700_000_000 + day * 24 * 3_600).unwrap();
    // As `portcullis activity` asks by itself, and for the whole day.
    let mut slowest = [Duration::ZERO; 2];
    for number in 0..20_i64 {
        for (limit, slowest) in [Some(50), None].into_iter().zip(&mut slowest) {
            let filter = Filter {
                person: Some(person(number.unsigned_abs() % people)),
                since: Some(day(number)),
                until: Some(day(number + 1)),
                limit,
                ..Filter::default()
            };
            let begun = Instant::now();
            let found = activity.calls(&filter).await.unwrap().0.len() as u64;
            *slowest = begun.elapsed().max(*slowest);
            let expected = (calls / 30 / people).min(limit.map_or(u64::MAX, u64::from));
            assert!(found.abs_diff(expected) <= 1, "{found} of {expected}");
        }
    }
    let [slowest, slowest_whole] = slowest;
    let begun = Instant::now();
    let report = whole(&log.fixture.store).await;
    eprintln!(
        "{calls} calls: the slowest of 20 answers took {slowest:?}, with the whole day {slowest_whole:?} (written in {written:?}, the rest of the index in {indexed:?}, \
         verified in {:?}: {} records, {} MB)",
        begun.elapsed(),
        report.records,
        report.bytes >> 20
    );
    assert_eq!(report.calls, calls);
    assert!(!is_timed || slowest < AIM, "{slowest:?}");
}
