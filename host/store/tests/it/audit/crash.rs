//! A program that is ended in the middle, and a disk that takes no more.

use portcullis::CallId;
use portcullis::ports::Sensitive;
use portcullis::ports::audit::{
    Answer, AuditLog, Closed, Durability, Event, Intent, Record, RequestEnd,
};
use portcullis_policy::Effect;
use portcullis_store::{Activity, CallEnd, Filter, Note, StoreAudit};

use super::support::{
    Log, MARK, Read, answer, append, at, change_in_flight, closed, drop_unclosed, files, finds_out,
    intent, verify, whole,
};

#[tokio::test]
async fn a_record_that_was_not_finished_is_no_tampering() {
    let log = Log::new().await;
    for number in 0..3 {
        Read::at(number).write(&log.audit).await;
    }
    let store = log.fixture.store.clone();
    // Its end, as whoever writes it has it: zeros follow.
    let report = whole(&store).await;
    let file = log.files().remove(0);
    drop_unclosed(log.audit).await;
    let bytes = std::fs::read(&file).unwrap();
    let end = bytes.len() - bytes.iter().rev().take_while(|byte| **byte == 0).count();
    // The first half of what would have been a record of 300 bytes.
    let mut torn = bytes.clone();
    let record = [
        &300_u32.to_be_bytes()[..],
        &19_u64.to_be_bytes(),
        &[0xab; 150],
    ]
    .concat();
    torn[end + 1..end + 1 + record.len()].copy_from_slice(&record);
    // The last byte of a record may itself be zero.
    for start in [end, end + 1] {
        let mut torn = bytes.clone();
        torn[start..start + record.len()].copy_from_slice(&record);
        std::fs::write(&file, &torn).unwrap();
        let found = verify(&store).await;
        assert!(found.is_whole(), "{:?}", found.findings);
        assert_eq!(found.unfinished.len(), 1);
        assert_eq!(found.records, report.records);
    }
    let audit = StoreAudit::open(store.clone()).await.unwrap();
    assert!(audit.cut_off().is_empty());
    Read::at(9).write(&audit).await;
    audit.close().await.unwrap();
    let report = whole(&store).await;
    assert!(
        matches!(report.notes[..], [(_, Note::Torn { bytes: 1.. })]),
        "{:?}",
        report.notes
    );
    assert_eq!(report.records, 18 + 1 + 6);
}

#[tokio::test]
async fn a_change_whose_outcome_is_not_on_record_reads_so() {
    let log = Log::new().await;
    Read::at(1).write(&log.audit).await;
    let call = change_in_flight(&log.audit).await;
    let reading = Read::at(101);
    for event in reading.events().into_iter().take(3) {
        append(
            &log.audit,
            reading.id,
            reading.at,
            event,
            Durability::Buffered,
        )
        .await
        .unwrap();
    }
    let store = log.fixture.store.clone();
    let ended = async |id| {
        let activity = Activity::open(store.clone()).await.unwrap();
        activity.find(&format!("{id}")).await.unwrap()[0]
            .ended
            .clone()
    };
    assert_eq!(ended(call).await, CallEnd::Running);
    drop_unclosed(log.audit).await;
    // Before any program has looked after it, and after.
    assert_eq!(ended(call).await, CallEnd::Unclear);
    assert_eq!(ended(reading.id).await, CallEnd::CutOff);
    let audit = StoreAudit::open(store.clone()).await.unwrap();
    let cut_off = audit.cut_off();
    assert_eq!(cut_off.len(), 2);
    assert_eq!((cut_off[0].call, &cut_off[0].unclear[..]), (call, &[1][..]));
    // The call that finds out is named, though it is sealed in the log.
    assert_eq!(cut_off[0].finds_out, Some(finds_out()));
    assert_eq!(cut_off[1].finds_out, None);
    assert_eq!((cut_off[1].call, cut_off[1].unclear.len()), (reading.id, 0));
    assert_eq!(ended(call).await, CallEnd::Unclear);
    assert_eq!(ended(reading.id).await, CallEnd::CutOff);
    audit.close().await.unwrap();
    // It is said once.
    let again = StoreAudit::open(store.clone()).await.unwrap();
    assert!(again.cut_off().is_empty());
    assert_eq!(ended(call).await, CallEnd::Unclear);
    whole(&store).await;
    let activity = again.activity();
    let filter = Filter {
        outcome: Some("unclear".to_owned()),
        ..Filter::default()
    };
    let unclear = activity.calls(&filter).await.unwrap().0;
    assert_eq!(unclear.iter().map(|row| row.id).collect::<Vec<_>>(), [call]);
}

#[tokio::test]
async fn a_change_that_was_made_before_its_program_was_ended_is_told_as_made() {
    for (end, made) in [
        (RequestEnd::Status(201), &[1][..]),
        (RequestEnd::Status(400), &[]),
        // What the answer refuses was not made, and a part of it was.
        (RequestEnd::Refused(200), &[]),
        (
            RequestEnd::InPart {
                status: 200,
                refused: vec![0, 2],
                of: 3,
            },
            &[1],
        ),
    ] {
        let log = Log::new().await;
        let call = change_in_flight(&log.audit).await;
        let answered = Event::Answered(Answer {
            end: end.clone(),
            ..answer(Effect::Write)
        });
        append(&log.audit, call, at(101), answered, Durability::Synced)
            .await
            .unwrap();
        // What it looked at after that has no answer, and the call no end.
        let store = log.fixture.store.clone();
        drop_unclosed(log.audit).await;
        let audit = StoreAudit::open(store).await.unwrap();
        let [told] = audit.cut_off() else {
            panic!("{:?}", audit.cut_off());
        };
        assert_eq!((told.call, told.unclear.len()), (call, 0), "{end:?}");
        assert_eq!(told.made, made, "{end:?}");
    }
}

#[tokio::test]
async fn a_log_that_is_closed_before_a_change_is_answered_says_so_at_the_next_start() {
    let log = Log::new().await;
    let call = change_in_flight(&log.audit).await;
    // Whoever called gave it up, and the service still works.
    let given_up = Event::Closed(Closed {
        outcome: "failed".into(),
        code: Some("cancelled".into()),
        ..closed()
    });
    let moment = Read::at(100).at;
    append(&log.audit, call, moment, given_up, Durability::Buffered)
        .await
        .unwrap();
    let reading = Read::at(101);
    for event in reading.events().into_iter().take(3) {
        append(
            &log.audit,
            reading.id,
            reading.at,
            event,
            Durability::Buffered,
        )
        .await
        .unwrap();
    }
    let store = log.fixture.store.clone();
    let ended = async |id: CallId| {
        let activity = Activity::open(store.clone()).await.unwrap();
        activity.find(&id.to_string()).await.unwrap()[0]
            .ended
            .clone()
    };
    assert_eq!(ended(call).await, CallEnd::Unclear, "it is not known yet");
    assert_eq!(ended(reading.id).await, CallEnd::Running);
    log.audit.close().await.unwrap();
    let answered = Event::Answered(answer(Effect::Write));
    append(&log.audit, call, moment, answered, Durability::Synced)
        .await
        .unwrap_err();
    // Before another program has taken the lane, while it has it, and after.
    assert_eq!(ended(call).await, CallEnd::Unclear);
    assert_eq!(ended(reading.id).await, CallEnd::CutOff);
    let audit = StoreAudit::open(store.clone()).await.unwrap();
    let told: Vec<_> = audit.cut_off().iter().map(|one| one.call).collect();
    assert_eq!(told, [call], "of what changed nothing there is no word");
    let [told] = audit.cut_off() else {
        unreachable!();
    };
    assert_eq!(told.unclear, [1]);
    assert_eq!(told.finds_out, Some(finds_out()));
    assert_eq!(ended(call).await, CallEnd::Unclear);
    assert_eq!(ended(reading.id).await, CallEnd::CutOff);
    audit.close().await.unwrap();
    assert_eq!(ended(call).await, CallEnd::Unclear);
    // It is said once.
    let again = StoreAudit::open(store.clone()).await.unwrap();
    assert!(again.cut_off().is_empty());
    assert_eq!(ended(call).await, CallEnd::Unclear);
    whole(&store).await;
}

#[tokio::test]
async fn a_change_of_a_call_that_had_waited_for_days_is_not_missed() {
    const DAY: u64 = 24 * 3_600;
    let log = Log::new().await;
    // Its person decides four days later; each second day a segment is begun.
    let asked = Read::at(0);
    let opened = asked.events().remove(0);
    append(&log.audit, asked.id, asked.at, opened, Durability::Buffered)
        .await
        .unwrap();
    Read::at(2 * DAY).write(&log.audit).await;
    let intended = Event::Intended(intent(Effect::Write));
    append(
        &log.audit,
        asked.id,
        at(4 * DAY),
        intended,
        Durability::Synced,
    )
    .await
    .unwrap();
    assert_eq!(log.files().len(), 3);
    log.audit.close().await.unwrap();
    let store = log.fixture.store.clone();
    let audit = StoreAudit::open(store.clone()).await.unwrap();
    let [told] = audit.cut_off() else {
        panic!("{:?}", audit.cut_off());
    };
    assert_eq!((told.call, &told.unclear[..]), (asked.id, &[1][..]));
    assert_eq!(told.person, asked.person);
    let activity = audit.activity();
    let row = activity.find(&asked.id.to_string()).await.unwrap();
    assert_eq!(row[0].ended, CallEnd::Unclear);
    audit.close().await.unwrap();
    whole(&store).await;
}

/// Writes down that a change is sent a second time, with a renewed token.
async fn sent_again(audit: &StoreAudit, call: CallId) {
    let again = Intent {
        attempt: 2,
        ..intent(Effect::Write)
    };
    let event = Event::Intended(again);
    append(audit, call, at(100), event, Durability::Synced)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_change_that_was_sent_a_second_time_is_one_whose_outcome_may_be_unknown() {
    let log = Log::new().await;
    let call = change_in_flight(&log.audit).await;
    sent_again(&log.audit, call).await;
    log.audit.close().await.unwrap();
    let audit = StoreAudit::open(log.fixture.store.clone()).await.unwrap();
    let [told] = audit.cut_off() else {
        panic!("{:?}", audit.cut_off());
    };
    assert_eq!((told.call, &told.unclear[..]), (call, &[1][..]));
    let found = audit.activity().find(&call.to_string()).await.unwrap();
    assert_eq!(found[0].ended, CallEnd::Unclear);
    assert_eq!((found[0].requests, found[0].changes), (2, 1));
    audit.close().await.unwrap();
    whole(&log.fixture.store).await;
}

#[tokio::test]
async fn a_change_that_was_sent_a_second_time_has_one_answer() {
    let log = Log::new().await;
    let call = change_in_flight(&log.audit).await;
    sent_again(&log.audit, call).await;
    for event in [
        Event::Answered(answer(Effect::Write)),
        Event::Closed(closed()),
    ] {
        append(&log.audit, call, at(101), event, Durability::Synced)
            .await
            .unwrap();
    }
    log.audit.close().await.unwrap();
    let audit = StoreAudit::open(log.fixture.store.clone()).await.unwrap();
    assert!(audit.cut_off().is_empty());
    let found = audit.activity().find(&call.to_string()).await.unwrap();
    assert_eq!(found[0].ended, CallEnd::As("done".to_owned()));
    assert_eq!((found[0].requests, found[0].changes), (2, 1));
    let lines = audit.activity().lines(&found[0]).await.unwrap();
    let attempts = lines.iter().filter_map(|line| match &line.record.event {
        Event::Intended(intent) => Some(intent.attempt),
        _ => None,
    });
    assert_eq!(attempts.collect::<Vec<_>>(), [1, 2]);
}

/// The second time is written down before it is sent, and its call may end in between.
#[tokio::test]
async fn a_second_time_that_was_written_down_and_not_sent_is_none() {
    let log = Log::new().await;
    let call = change_in_flight(&log.audit).await;
    let index = async |audit: &StoreAudit| {
        let found = audit.activity().find(&call.to_string()).await.unwrap();
        (found[0].requests, found[0].changes, found[0].sent_bytes)
    };
    assert_eq!(index(&log.audit).await, (1, 1, 17));
    sent_again(&log.audit, call).await;
    assert_eq!(index(&log.audit).await, (2, 1, 34));
    let unsent = Event::Unsent {
        request: 1,
        attempt: 2,
        body_bytes: 17,
        why: Sensitive::new(format!("the call for {MARK} had ended")),
    };
    let refused = Event::Answered(Answer {
        end: RequestEnd::Status(401),
        ..answer(Effect::Write)
    });
    for event in [unsent, refused, Event::Closed(closed())] {
        append(&log.audit, call, at(101), event, Durability::Synced)
            .await
            .unwrap();
    }
    assert_eq!(index(&log.audit).await, (1, 0, 17));
    log.audit.close().await.unwrap();
    let audit = StoreAudit::open(log.fixture.store.clone()).await.unwrap();
    assert!(audit.cut_off().is_empty());
    assert_eq!(index(&audit).await, (1, 0, 17));
    let records = audit.records(call).await.unwrap();
    let why = records.iter().find_map(|record| match &record.event {
        Event::Unsent { attempt, why, .. } => Some((*attempt, why.expose().contains(MARK))),
        _ => None,
    });
    assert_eq!(why, Some((2, true)));
    audit.close().await.unwrap();
    whole(&log.fixture.store).await;
}

/// A status of 500 and more does not say whether the work was done before it.
#[tokio::test]
async fn a_change_that_the_service_failed_over_is_unclear_unless_its_call_ended_well() {
    let log = Log::new().await;
    let write = async |status: u16, outcome: Option<&'static str>| {
        let call = change_in_flight(&log.audit).await;
        let answered = Event::Answered(Answer {
            end: RequestEnd::Status(status),
            ..answer(Effect::Write)
        });
        let ended = outcome.map(|outcome| {
            Event::Closed(Closed {
                outcome: outcome.into(),
                ..closed()
            })
        });
        for event in [answered].into_iter().chain(ended) {
            append(&log.audit, call, at(101), event, Durability::Synced)
                .await
                .unwrap();
        }
        call
    };
    let as_said = |outcome: &str| CallEnd::As(outcome.to_owned());
    let mut expected = Vec::new();
    for (status, outcome, end) in [
        (500, "failed", CallEnd::Unclear),
        (503, "refused", CallEnd::Unclear),
        (500, "abandoned", CallEnd::Unclear),
        // The connector looked.
        (500, "done", as_said("done")),
        // The service says that it did nothing, or that it did.
        (400, "failed", as_said("failed")),
        (499, "failed", as_said("failed")),
        (204, "failed", as_said("failed")),
    ] {
        expected.push((write(status, Some(outcome)).await, end));
    }
    let cut_off = [write(500, None).await, write(204, None).await];
    let store = log.fixture.store.clone();
    drop_unclosed(log.audit).await;
    let audit = StoreAudit::open(store.clone()).await.unwrap();
    // Of a call that did not come to its end nobody was told anything.
    assert_eq!(audit.cut_off().len(), 2);
    for (call, unclear) in [(cut_off[0], &[1_u32][..]), (cut_off[1], &[][..])] {
        let mut told = audit.cut_off().iter();
        let told = told.find(|one| one.call == call).unwrap();
        assert_eq!(&told.unclear[..], unclear);
        assert_eq!(told.finds_out, Some(finds_out()));
    }
    expected.push((cut_off[0], CallEnd::Unclear));
    expected.push((cut_off[1], CallEnd::CutOff));
    let activity = audit.activity();
    for (call, end) in &expected {
        let row = activity.find(&call.to_string()).await.unwrap().remove(0);
        assert_eq!(row.ended, *end, "{row:?}");
    }
    let filter = Filter {
        outcome: Some("unclear".to_owned()),
        ..Filter::default()
    };
    assert_eq!(activity.calls(&filter).await.unwrap().0.len(), 4);
    audit.close().await.unwrap();
    whole(&store).await;
}

#[tokio::test]
async fn a_change_that_was_answered_after_its_call_is_not_unclear() {
    let log = Log::new().await;
    let call = change_in_flight(&log.audit).await;
    let closed = Read::at(100).events().pop().unwrap();
    append(
        &log.audit,
        call,
        Read::at(100).at,
        closed,
        Durability::Buffered,
    )
    .await
    .unwrap();
    let answered = Event::Answered(answer(Effect::Write));
    append(
        &log.audit,
        call,
        Read::at(100).at,
        answered,
        Durability::Synced,
    )
    .await
    .unwrap();
    let store = log.fixture.store.clone();
    drop_unclosed(log.audit).await;
    let audit = StoreAudit::open(store).await.unwrap();
    assert!(audit.cut_off().is_empty());
    let row = audit
        .activity()
        .find(&call.to_string())
        .await
        .unwrap()
        .remove(0);
    assert_eq!(row.ended, CallEnd::As("done".to_owned()));
    assert_eq!((row.requests, row.changes), (1, 1));
}

#[tokio::test]
async fn a_folder_that_is_lost_while_the_program_runs_refuses() {
    let log = Log::new().await;
    Read::at(1).write(&log.audit).await;
    let folder = log.fixture.store.location().audit_folder();
    let aside = log.fixture.folder.path().join("aside");
    let opened = || Record {
        call: Read::at(2).id,
        at: Read::at(2).at,
        event: Read::at(2).events().remove(0),
    };
    let intended = || Record {
        event: Event::Intended(intent(Effect::Write)),
        ..opened()
    };
    std::fs::rename(&folder, &aside).unwrap();
    for record in [opened(), intended()] {
        let refused = log
            .audit
            .append(record, Durability::Buffered)
            .await
            .unwrap_err();
        assert!(
            refused.to_string().contains("moved, removed or cut"),
            "{refused}"
        );
    }
    std::fs::rename(&aside, &folder).unwrap();
    log.audit
        .append(opened(), Durability::Buffered)
        .await
        .unwrap();
    // Cut behind its back.
    let file = files(&log.fixture.store).remove(0);
    std::fs::File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_len(200)
        .unwrap();
    assert!(
        log.audit
            .append(intended(), Durability::Synced)
            .await
            .is_err()
    );
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(
        log.audit
            .append(opened(), Durability::Buffered)
            .await
            .is_err()
    );
}

/// Says how many of a call's records the file has, without asking the log for it.
fn written(file: &std::path::Path) -> usize {
    let bytes = std::fs::read(file).unwrap();
    let count = |needle: &[u8]| {
        bytes
            .windows(needle.len())
            .filter(|it| *it == needle)
            .count()
    };
    let plain: [&[u8]; 5] = [
        b"{\"opened\"",
        b"\"step\"",
        b"{\"intended\"",
        b"{\"answered\"",
        b"{\"closed\"",
    ];
    plain.into_iter().map(count).sum()
}

#[tokio::test]
async fn what_nothing_hangs_on_goes_with_the_next_that_may_not_wait() {
    let log = Log::new().await;
    let read = Read::at(1);
    let mut events = read.events().into_iter();
    let mut add = async |durability| {
        let event = events.next().unwrap();
        append(&log.audit, read.id, read.at, event, durability)
            .await
            .unwrap();
    };
    add(Durability::Buffered).await;
    let file = log.files().remove(0);
    assert_eq!(written(&file), 1, "the call");
    add(Durability::WithTheNext).await;
    assert_eq!(written(&file), 1, "its step waits");
    add(Durability::Buffered).await;
    assert_eq!(written(&file), 3, "and is there before what is sent");
    add(Durability::WithTheNext).await;
    assert_eq!(written(&file), 3, "the answer waits");
    // Whoever reads the call by this program sees all of it.
    assert_eq!(log.audit.records(read.id).await.unwrap().len(), 4);
    assert_eq!(written(&file), 4);
    // So does whoever verifies, once the log is closed, and who comes after a program that was ended.
    log.audit.close().await.unwrap();
    // And that the call was cut off.
    assert_eq!(whole(&log.fixture.store).await.records, 4 + 1);
}

#[tokio::test]
async fn what_waits_is_lost_with_the_program_and_is_no_tampering() {
    let log = Log::new().await;
    Read::at(1).write(&log.audit).await;
    let read = Read::at(101);
    for (event, durability) in read.events().into_iter().zip([
        Durability::Buffered,
        Durability::WithTheNext,
        Durability::Buffered,
        Durability::WithTheNext,
    ]) {
        append(&log.audit, read.id, read.at, event, durability)
            .await
            .unwrap();
    }
    let store = log.fixture.store.clone();
    drop_unclosed(log.audit).await;
    let audit = StoreAudit::open(store.clone()).await.unwrap();
    assert_eq!(audit.cut_off().len(), 1);
    let row = audit
        .activity()
        .find(&read.id.to_string())
        .await
        .unwrap()
        .remove(0);
    assert_eq!(row.ended, CallEnd::CutOff);
    audit.close().await.unwrap();
    // All but the answer, and that it was cut off.
    assert_eq!(whole(&store).await.records, 6 + 3 + 1);
}
