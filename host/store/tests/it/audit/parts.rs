//! The log is taken over into the index in parts, wherever they end.

use portcullis::ports::audit::{Durability, Event, Source};
use portcullis_store::{Activity, Filter};

use super::support::{Log, Read, append, whole};

/// Bytes of what calls name as their sources, at least: of which parts of half a megabyte end in the middle, and one is longer than two of them.
const LENGTHS: [usize; 9] = [
    1, 300_000, 250_000, 524_000, 700, 1_300_000, 10, 524_288, 100_000,
];

#[tokio::test]
async fn nothing_is_lost_or_counted_twice_between_two_parts() {
    let log = Log::new().await;
    let activity = Activity::open(log.fixture.store.clone()).await.unwrap();
    let mut written = 0;
    for round in 0..3 {
        for length in LENGTHS {
            let read = Read::at(written);
            let source = Source {
                kind: "Account".to_owned(),
                id: Some("x".repeat(100)),
                label: None,
                url: None,
                fields: Vec::new(),
            };
            let long = Event::Cited(vec![source; length / 100]);
            for event in read.events() {
                let is_first = matches!(event, Event::Opened(_));
                let write =
                    |event| append(&log.audit, read.id, read.at, event, Durability::Buffered);
                write(event).await.unwrap();
                if is_first {
                    write(long.clone()).await.unwrap();
                }
            }
            written += 1;
        }
        // The index goes on from where it was.
        let (calls, stopped) = activity.calls(&Filter::default()).await.unwrap();
        assert!(stopped.is_none(), "{stopped:?}");
        assert_eq!(calls.len() as u64, written, "round {round}");
        assert!(calls.iter().all(|call| call.requests == 1), "{calls:?}");
    }
    log.audit.close().await.unwrap();
    // More than one segment was filled; and the index says what the log does.
    let report = whole(&log.fixture.store).await;
    assert_eq!(report.calls, written);
    assert!(report.bytes > 8 << 20, "{} bytes", report.bytes);
}
