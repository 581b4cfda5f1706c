//! Whether writes are refused where, and only where, the session says so.

use std::sync::Arc;

use serde_json::{Map, json};

use super::{BEN, ORG, session, set, user};
use crate::records;
use crate::store::Record;

/// To change a record is not to give it away, unless the default says so.
#[test]
fn who_may_change_a_record_does_not_take_it() {
    for (default, taken) in [("Edit", false), ("ReadEditTransfer", true)] {
        let mut org = ORG.clone();
        let company = org.store.rows("Organization").next().unwrap().id;
        set(&mut org, company, "DefaultAccountAccess", default.into());
        let ben = session(&org, BEN);
        let accounts = Arc::clone(ben.schema());
        let accounts = accounts.object("Account").unwrap();
        let not_his = |account: &&Record| account.reference("OwnerId") != Some(user(BEN));
        let other = org.store.rows("Account").find(not_his).unwrap().clone();
        let mut change = |field: &str, value: &str| {
            let body = Map::from_iter([(field.to_owned(), json!(value))]);
            let options = records::WriteOptions::default();
            records::update(&mut org, &ben, accounts, other.id, &body, &options)
        };
        assert_eq!(change("Site", "x"), Ok(()));
        let own = other.reference("OwnerId").unwrap();
        assert_eq!(change("OwnerId", own.as_str()), Ok(()));
        let took = change("OwnerId", user(BEN).as_str());
        let error = took.map_err(|error| (error.status, error.code));
        let refused = Err((403, "INSUFFICIENT_ACCESS_OR_READONLY".to_owned()));
        assert_eq!(error, if taken { Ok(()) } else { refused });
    }
}

/// For every user, some records of every object: what is not seen is not there, what is seen and
/// may not be written is refused, and the rest is written.
#[test]
fn writes_are_refused_by_what_the_session_says() {
    let mut org = ORG.clone();
    let mut written = [0; 4];
    for place in 1..=14 {
        let session = session(&org, place);
        for whole in &Arc::clone(&org.schema).objects {
            let rows = org.store.rows(&whole.name).filter(|record| !record.deleted);
            let some: Vec<Record> = rows.step_by(17).take(12).cloned().collect();
            let Some(object) = session.schema().object(&whole.name) else {
                assert!(some.iter().all(|record| !session.may_read(&org, record)));
                continue;
            };
            for record in some {
                let about = format!("{place} {} {}", whole.name, record.id);
                let found = records::by_id(&org, &session, object, record.id.as_str(), true);
                let sees = session.may_read(&org, &record);
                assert_eq!(found.is_ok(), sees, "{about}");
                if !sees {
                    assert_eq!(found.unwrap_err().code, "NOT_FOUND", "{about}");
                    written[0] += 1;
                    continue;
                }
                let nobody = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY";
                let rights = "INSUFFICIENT_ACCESS_OR_READONLY";
                let code = |result: Result<(), crate::error::ApiError>| match result {
                    Ok(()) => String::new(),
                    Err(error) => error.code,
                };
                let converted = record.get("IsConverted").as_bool() == Some(true);
                let expected = match (whole.updateable, session.may_edit(&org, &record)) {
                    (false, _) => nobody,
                    (true, false) => rights,
                    (true, true) if converted => "CANNOT_UPDATE_CONVERTED_LEAD",
                    (true, true) => "",
                };
                written[if expected.is_empty() { 1 } else { 2 }] += 1;
                let options = records::WriteOptions::default();
                let (id, none) = (record.id, Map::new());
                let changed = records::update(&mut org, &session, object, id, &none, &options);
                assert_eq!(code(changed), expected, "{about}");
                if !session.may_delete(&org, &record) {
                    let expected = if whole.deletable { rights } else { nobody };
                    let removed = records::remove(&mut org, &session, object, record.id);
                    assert_eq!(code(removed), expected, "{about}");
                    written[3] += 1;
                }
            }
        }
    }
    assert!(written.iter().all(|count| *count > 100), "{written:?}");
}
