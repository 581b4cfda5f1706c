//! Several programs at once.

use portcullis::ports::audit::Durability;
use portcullis_store::{Filter, StoreAudit};

use super::support::{Log, Read, append, drop_unclosed, files, whole};
use crate::support::{Fixture, bob};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_writes_a_lane_of_its_own_and_all_are_read_together() {
    let fixture = Fixture::new().await;
    let mut logs = Vec::new();
    for _ in 0..3 {
        let store = fixture.open_again(&fixture.master).await.unwrap();
        logs.push(StoreAudit::open(store).await.unwrap());
    }
    let tasks = logs.iter().cloned().map(|audit| {
        tokio::spawn(async move {
            for number in 0..100 {
                Read::at(number).write(&audit).await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    // While all of them have it open.
    let report = whole(&fixture.store).await;
    assert_eq!(
        (report.heads.len(), report.calls, report.records),
        (3, 300, 1_800)
    );
    let activity = logs[0].activity();
    assert_eq!(
        activity.calls(&Filter::default()).await.unwrap().0.len(),
        300
    );
    for log in &logs {
        log.close().await.unwrap();
    }
    // The next ones take over what is there.
    let audit = StoreAudit::open(fixture.store.clone()).await.unwrap();
    Read::at(200).write(&audit).await;
    audit.close().await.unwrap();
    let report = whole(&fixture.store).await;
    assert_eq!((report.heads.len(), files(&fixture.store).len()), (3, 3));
    let numbers: Vec<u64> = report.heads.iter().map(|head| head.number).collect();
    assert_eq!(numbers, [606, 600, 600]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_that_wait_for_the_disk_are_all_on_it() {
    let log = Log::new().await;
    let tasks = (0..64).map(|number| {
        let audit = log.audit.clone();
        tokio::spawn(async move {
            let read = Read::at(number);
            for event in read.events() {
                append(&audit, read.id, read.at, event, Durability::Synced)
                    .await
                    .unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let store = log.fixture.store.clone();
    drop_unclosed(log.audit).await;
    assert_eq!(whole(&store).await.records, 64 * 6);
}

#[tokio::test]
async fn calls_are_found_by_what_is_asked() {
    let log = Log::new().await;
    for number in 0..50 {
        let mut read = Read::at(number);
        if number % 5 == 0 {
            read.person = bob();
        }
        read.write(&log.audit).await;
    }
    let activity = log.audit.activity();
    let count = async |filter: Filter| activity.calls(&filter).await.unwrap().0.len();
    let all = Filter::default();
    let moment = |seconds: i64| jiff::Timestamp::from_second(1_700_000_000 + seconds).unwrap();
    assert_eq!(count(all.clone()).await, 50);
    assert_eq!(
        count(Filter {
            person: Some(bob()),
            ..all.clone()
        })
        .await,
        10
    );
    assert_eq!(
        count(Filter {
            limit: Some(7),
            ..all.clone()
        })
        .await,
        7
    );
    assert_eq!(
        count(Filter {
            since: Some(moment(40)),
            ..all.clone()
        })
        .await,
        10
    );
    assert_eq!(
        count(Filter {
            until: Some(moment(40)),
            ..all.clone()
        })
        .await,
        40
    );
    assert_eq!(
        count(Filter {
            outcome: Some("done".to_owned()),
            ..all.clone()
        })
        .await,
        50
    );
    assert_eq!(
        count(Filter {
            outcome: Some("refused".to_owned()),
            ..all.clone()
        })
        .await,
        0
    );
    assert_eq!(
        count(Filter {
            tool: Some("query".parse().unwrap()),
            ..all.clone()
        })
        .await,
        50
    );
    assert_eq!(
        count(Filter {
            tool: Some("other".parse().unwrap()),
            ..all.clone()
        })
        .await,
        0
    );
    assert_eq!(
        count(Filter {
            agent: Some("other".parse().unwrap()),
            ..all.clone()
        })
        .await,
        0
    );

    // Page by page, in both directions.
    for oldest_first in [false, true] {
        let mut asked = Filter {
            limit: Some(8),
            oldest_first,
            ..all.clone()
        };
        let mut seen = Vec::new();
        loop {
            let page = activity.calls(&asked).await.unwrap().0;
            let Some(last) = page.last() else { break };
            asked.after = Some((last.at, last.id));
            seen.extend(page.iter().map(|row| row.id));
        }
        assert_eq!(seen.len(), 50);
        assert!(seen.is_sorted_by(|a, b| if oldest_first { a < b } else { a > b }));
    }
    let newest = activity.calls(&all).await.unwrap().0.remove(0);
    let id = newest.id.to_string();
    assert_eq!(activity.find(&id[..20]).await.unwrap(), [newest]);
    assert_eq!(
        activity.find(&id[..2]).await.unwrap().len(),
        2,
        "which of them is not clear"
    );
    assert!(activity.find("ffff").await.unwrap().is_empty());
}
