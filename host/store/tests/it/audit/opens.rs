//! What is written is read again as it was, and golden bytes of the form stay readable.

use portcullis::ports::audit::{Durability, Event, RequestEnd};
use portcullis_policy::{ConnectorName, ToolName};
use portcullis_store::{Activity, StoreAudit};

use super::support::{Log, MARK, Read, append, by_ada, change, change_in_flight, decided, whole};
use crate::support::crm;

#[tokio::test]
async fn every_line_is_read_as_it_was_written() {
    let log = Log::new().await;
    let read = Read::at(1);
    let mut events = read.events();
    let denied = Event::Denied {
        request: 2,
        code: "route".into(),
        message: portcullis::ports::Sensitive::new(format!("no route for {MARK}")),
    };
    let mut answer = super::support::answer(portcullis_policy::Effect::Write);
    answer.end = RequestEnd::Unclear(format!("the line broke at {MARK}"));
    events.insert(5, denied);
    events.insert(6, Event::Answered(answer.clone()));
    let in_part = RequestEnd::InPart {
        status: 200,
        refused: vec![0, 7],
        of: 9,
    };
    for end in [RequestEnd::Refused(202), in_part] {
        let answer = portcullis::ports::audit::Answer {
            end,
            ..answer.clone()
        };
        events.insert(7, Event::Answered(answer));
    }
    for event in events.clone() {
        append(&log.audit, read.id, read.at, event, Durability::Buffered)
            .await
            .unwrap();
    }
    let records = log.audit.records(read.id).await.unwrap();
    let exposed = |event: &Event| match event {
        Event::Opened(opened) => format!("{event:?} {}", opened.arguments.expose()),
        Event::Step { title, detail } => {
            format!("{} {}", title.expose(), detail.as_ref().unwrap().expose())
        }
        Event::Cited(sources) => {
            format!("{event:?} {}", sources[0].label.as_ref().unwrap().expose())
        }
        Event::Intended(intent) => {
            let parts = intent.parts.iter().map(|part| part.path.expose());
            let paths: Vec<&str> = [intent.path.expose()].into_iter().chain(parts).collect();
            let message = intent.message.as_ref().map(|message| message.expose());
            format!("{event:?} {paths:?} {message:?}")
        }
        Event::Denied { message, .. } => format!("{event:?} {}", message.expose()),
        event => format!("{event:?}"),
    };
    let written: Vec<String> = events.iter().map(exposed).collect();
    let found: Vec<String> = records
        .iter()
        .map(|record| exposed(&record.event))
        .collect();
    assert_eq!(written, found);
    assert!(
        records
            .iter()
            .all(|record| record.at == read.at && record.call == read.id)
    );
}

#[tokio::test]
async fn values_are_kept_where_an_administrator_wants_them_and_it_is_on_record() {
    let log = Log::new().await;
    let (crm, update): (ConnectorName, ToolName) = (crm(), "update_record".parse().unwrap());
    let values = async |call| {
        let records = log.audit.records(call).await.unwrap();
        let Event::Opened(opened) = &records[0].event else {
            panic!("{records:?}");
        };
        let asked = opened.arguments.expose().contains(MARK);
        let announced = records.into_iter().find_map(|record| match record.event {
            Event::Announced(mut changes) => Some(changes.remove(0)),
            _ => None,
        });
        let change = announced.unwrap();
        assert_eq!(change.label, format!("{MARK} Inc"));
        (
            asked,
            change.fields[0].before.clone(),
            change.fields[0].after.clone(),
            (change.notes, change.undo),
        )
    };
    let none = (false, None, None, (Vec::new(), None));
    let call = change_in_flight(&log.audit).await;
    assert_eq!(values(call).await, none);
    assert!(
        log.audit
            .keep_values(&by_ada(), &crm, &update, true)
            .await
            .unwrap()
    );
    assert!(
        !log.audit
            .keep_values(&by_ada(), &crm, &update, true)
            .await
            .unwrap()
    );
    let call = change_in_flight(&log.audit).await;
    let mut written = change();
    let field = written.fields.remove(0);
    let words = (written.notes, written.undo);
    assert_eq!(values(call).await, (true, field.before, field.after, words));
    assert!(
        log.audit
            .keep_values(&by_ada(), &crm, &update, false)
            .await
            .unwrap()
    );
    let call = change_in_flight(&log.audit).await;
    assert_eq!(values(call).await, none);
    log.audit.close().await.unwrap();
    let said = decided(&log.fixture.store).await;
    let said: Vec<&str> = said.iter().map(|(_, words)| words.as_str()).collect();
    assert_eq!(
        said,
        [
            "values `update_record of crm`: none -> kept, by `ada@example.com`, command line of the user ada (uid 1000)",
            "values `update_record of crm`: kept -> none, by `ada@example.com`, command line of the user ada (uid 1000)",
        ]
    );
    // That somebody decided something is no finding.
    assert_eq!(whole(&log.fixture.store).await.notes, []);
}

#[tokio::test]
async fn new_keys_seal_what_comes_and_open_what_was() {
    let log = Log::new().await;
    let store = log.fixture.store.clone();
    Read::at(1).write(&log.audit).await;
    store.rotate_key().await.unwrap();
    log.audit.close().await.unwrap();
    // A day later a segment of its own is begun, with the new key.
    let audit = StoreAudit::open(store.clone()).await.unwrap();
    let later = Read::at(2 * 24 * 3_600);
    later.write(&audit).await;
    audit.close().await.unwrap();
    assert_eq!(whole(&store).await.segments, 2);
    let master = portcullis_store::MasterKey::random().unwrap();
    store.rewrap(&master).await.unwrap();
    store.rotate_key().await.unwrap();
    store.close().await;

    let store = log.fixture.open_again(&master).await.unwrap();
    assert_eq!(whole(&store).await.calls, 2);
    let activity = Activity::open(store).await.unwrap();
    for row in activity.calls(&Default::default()).await.unwrap().0 {
        let lines = activity.lines(&row).await.unwrap();
        assert_eq!(lines.len(), 6);
        let Event::Opened(opened) = &lines[0].record.event else {
            panic!("{lines:?}");
        };
        assert!(opened.arguments.expose().contains(MARK));
    }
}

#[tokio::test]
async fn a_text_without_end_is_cut_and_a_record_without_end_refused() {
    let log = Log::new().await;
    let mut read = Read::at(1);
    read.arguments = "x".repeat(1 << 20);
    read.write(&log.audit).await;
    let records = log.audit.records(read.id).await.unwrap();
    let Event::Opened(opened) = &records[0].event else {
        panic!("{records:?}");
    };
    assert!(opened.arguments.expose().ends_with("bytes cut]"));
    let Event::Cited(source) = read.events().remove(4) else {
        unreachable!();
    };
    let mut many = source[0].clone();
    many.fields = vec!["f".repeat(1_000); 5_000];
    let event = Event::Cited(vec![many]);
    let refused = append(&log.audit, read.id, read.at, event, Durability::Buffered).await;
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("larger than the log takes")
    );
    Read::at(2).write(&log.audit).await;
    log.audit.close().await.unwrap();
    whole(&log.fixture.store).await;
}
