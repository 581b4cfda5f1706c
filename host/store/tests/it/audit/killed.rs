//! Programs that are killed while they write: the log is whole after each, and what they were told is on disk is there.
//!
//! A program is this test program once more, told by a variable where the store is.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use portcullis::ports::audit::{Durability, Event};
use portcullis_policy::Effect;
use portcullis_store::{
    Activity, CallEnd, Filter, Location, MasterKey, Store, StoreAudit, StoreOptions,
};
use secrecy::ExposeSecret;

use super::support::{Read, answer, append, closed, intent, verify};
use crate::support::Fixture;

/// What a child works with: the folder and the master key.
const VARIABLE: &str = "PORTCULLIS_AUDIT_CHILD";
/// How often the test kills; unset: a few times.
const KILLS: &str = "PORTCULLIS_KILLS";

/// What another program does; a test that does nothing otherwise.
#[test]
fn child() {
    let Ok(work) = std::env::var(VARIABLE) else {
        return;
    };
    let (folder, master) = work.split_once('\n').unwrap();
    let master = MasterKey::from_base64(&master.to_owned().into(), "a test").unwrap();
    let options = StoreOptions::new(Location::in_folder(PathBuf::from(folder)), master);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::open(options).await.unwrap();
        let audit = StoreAudit::open(store).await.unwrap();
        let writers = (0..4).map(|_| tokio::spawn(write_for_ever(audit.clone())));
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
    });
}

#[allow(clippy::print_stdout, reason = "processes speak so")]
async fn write_for_ever(audit: StoreAudit) {
    loop {
        let read = Read::at(0);
        let events = [
            (read.events().remove(0), Durability::Buffered),
            (Event::Intended(intent(Effect::Write)), Durability::Synced),
            (Event::Answered(answer(Effect::Write)), Durability::Synced),
            (Event::Closed(closed()), Durability::Buffered),
        ];
        for (event, durability) in events {
            let is_sent = matches!(event, Event::Intended(_));
            append(
                &audit,
                read.id,
                std::time::SystemTime::now(),
                event,
                durability,
            )
            .await
            .unwrap();
            if is_sent {
                println!("sent {}", read.id);
            }
        }
        println!("ended {}", read.id);
    }
}

#[tokio::test]
async fn a_program_that_is_killed_leaves_a_log_that_is_whole() {
    let kills: u32 = std::env::var(KILLS).map_or(10, |kills| kills.parse().unwrap());
    let fixture = Fixture::new().await;
    let work = format!(
        "{}\n{}",
        fixture.folder.path().display(),
        fixture.master.to_base64().expose_secret()
    );
    let mut seed = 1_u64;
    let (mut told_sent, mut told_ended) = (HashSet::new(), HashSet::new());
    for kill in 0..kills {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "audit::killed::child", "--nocapture"])
            .env(VARIABLE, &work)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        // After so many lines: where it is then, nobody knows.
        let lines = (seed >> 33) % 60;
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut hear = |line: String| match line.rsplit_once(' ') {
            Some((said, id)) if said.ends_with("sent") => drop(told_sent.insert(id.to_owned())),
            Some((said, id)) if said.ends_with("ended") => drop(told_ended.insert(id.to_owned())),
            _ => {}
        };
        let mut heard = 0;
        while heard < lines + 3 {
            hear(out.next().unwrap().unwrap());
            heard += 1;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        out.map_while(Result::ok).for_each(hear);

        let report = verify(&fixture.store).await;
        assert!(
            report.is_whole(),
            "after kill {kill}: {:?}",
            report.findings
        );
        // Every second time the next one to look after it is the next child.
        if kill % 2 == 0 {
            let audit = StoreAudit::open(fixture.store.clone()).await.unwrap();
            audit.close().await.unwrap();
        }
        let activity = Activity::open(fixture.store.clone()).await.unwrap();
        let rows = activity.calls(&Filter::default()).await.unwrap().0;
        let mut known: HashSet<String> = HashSet::new();
        for row in &rows {
            let id = row.id.to_string();
            if told_ended.contains(&id) {
                assert_eq!(
                    row.ended,
                    CallEnd::As("done".to_owned()),
                    "after kill {kill}"
                );
            } else if told_sent.contains(&id) {
                assert_eq!(row.changes, 1);
                let is_one = matches!(
                    &row.ended,
                    CallEnd::Unclear | CallEnd::CutOff | CallEnd::As(_)
                );
                assert!(is_one, "after kill {kill}: {row:?}");
            }
            known.insert(id);
        }
        for id in told_sent.union(&told_ended) {
            assert!(known.contains(id), "after kill {kill}: {id} is not there");
        }
    }
    assert!(
        told_ended.len() as u32 > kills,
        "{} calls ended",
        told_ended.len()
    );
}
