//! `delete_records`: up to 200 records to the recycle bin, with what goes with them.

use portcullis_sdk::approvals::Change;
use portcullis_sdk::http::Request;
use portcullis_sdk::permissions::Access;
use portcullis_sdk::{Effect, Failure, Output};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Many, One, by_ids, check_count, collection, outcomes};
use crate::client::Client;
use crate::describe::Describe;
use crate::host::{Host, Step};
use crate::json::Json;
use crate::lookup;
use crate::names;
use crate::writes::UNFORESEEN;
use crate::writes::delete::{self, Cascade};
use crate::writes::record::{self, Found, Select};
use crate::writes::refused::{self, Ended};

/// Children are counted up to here for each record: beyond it, it is many.
const COUNT_MAX: u64 = 5;

/// What `delete_records` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct DeleteRecords {
    /// API name, such as `Lead`.
    object: String,
    /// 1 to 200 record ids.
    ids: Vec<String>,
}

/// Deletes records.
///
/// # Errors
/// Some are not there, or may not be deleted; others need every one of them.
pub fn delete_records(host: &dyn Host, args: &DeleteRecords) -> Result<Output, Failure> {
    let client = Client::new(host);
    let kind = lookup::object_name(&client, &args.object)?;
    check_count(args.ids.len(), "/ids")?;
    let ids = ids(&args.ids)?;
    host.check(&[Access::new(Effect::Destructive, kind, Vec::<String>::new())])?;
    let describe = record::describe(&client, kind)?;
    let kind = describe.name();
    delete::check_deletable(&describe)?;
    for (index, id) in ids.iter().enumerate() {
        record::check_id(&client, &describe, id).map_err(|failure| at(failure, index))?;
    }
    let children = delete::cascading(&describe);
    delete::check_children(&client, kind, &children)?;
    let mut select = Select::new(&client, &describe, []);
    select.extras = delete::counting(&children, COUNT_MAX);
    host.step(
        &format!("Read {} {kind} and counted what hangs on them", ids.len()),
        None,
    );
    let found = select.all(&client, &describe, &by_ids(ids.iter().map(String::as_str)))?;
    let mut before: Vec<&Found> = Vec::with_capacity(ids.len());
    for (index, id) in ids.iter().enumerate() {
        let found = found.iter().find(|found| found.id == *id);
        before.push(found.ok_or_else(|| {
            let problem = format!("there is no `{kind}` with the id {id}, or you may not see it");
            let failure = Failure::not_found(format!("nothing was deleted: {problem}"));
            failure.field(format!("/ids/{index}"), problem)
        })?);
    }
    let cascade = Cascade::of(&children, &before, COUNT_MAX);
    cascade.check(&client)?;

    let changes = announcements(&client, &describe, &before, &cascade.notes);
    let listed = ids.join(",");
    let request = Request::delete(collection(&client)?).query(&[("ids", &listed)]);
    let mut many = Many {
        done: "deleted",
        describe: &describe,
        fields: Vec::new(),
        records: Vec::new(),
        notes: cascade.notes,
    };
    let step = Step {
        title: format!("Delete {} {kind}", ids.len()),
        detail: Some(&listed),
    };
    let sent = host.change(&step, &changes, request);
    let (results, failure) = match Ended::of(&client, kind, sent) {
        Ended::Done(reply) => {
            let failure = Failure::unavailable("the org's answer is not one for these records");
            (
                outcomes(&client, kind, &reply, ids.len(), "deleted"),
                failure,
            )
        }
        Ended::Refused(failure) | Ended::Changed(failure) => return Err(failure),
        Ended::Unclear(failure) => (None, failure),
    };
    many.records = match results {
        Some(results) => results,
        None => {
            many.notes
                .push("the org's answer was lost; the records are gone".to_owned());
            settle(&client, &describe, &ids, failure)?
        }
    };
    many.notes.push(delete::undo(&describe));
    many.answer(&client)
}

fn ids(given: &[String]) -> Result<Vec<String>, Failure> {
    let mut ids: Vec<String> = Vec::with_capacity(given.len());
    for (index, id) in given.iter().enumerate() {
        let id = names::record_id(id).map_err(|failure| at(failure, index))?;
        let id = names::long_id(id);
        if ids.contains(&id) {
            let failure = Failure::invalid("an id is given twice");
            return Err(failure.field(format!("/ids/{index}"), "is given twice"));
        }
        ids.push(id);
    }
    Ok(ids)
}

/// Moves a problem with an id to its place.
fn at(mut failure: Failure, index: usize) -> Failure {
    for field in &mut failure.fields {
        field.pointer = format!("/ids/{index}");
    }
    failure
}

fn announcements(
    client: &Client<'_>,
    describe: &Describe,
    before: &[&Found],
    cascade: &[String],
) -> Vec<Change> {
    let kind = describe.name();
    let changes = before.iter().enumerate().map(|(index, before)| {
        let change = Change::new("delete", kind, before.label(client, describe))
            .id(&before.id)
            .url(names::record_url(client.origin(), kind, &before.id));
        if index > 0 {
            return change;
        }
        // Once for all.
        let mut change = change;
        for note in cascade {
            change = change.note(note);
        }
        change
            .note("One record may fail while others are deleted.")
            .note(UNFORESEEN)
            .undo(delete::undo(describe))
    });
    changes.collect()
}

/// The answer was lost: which records are still there says what came of it.
fn settle(
    client: &Client<'_>,
    describe: &Describe,
    ids: &[String],
    failure: Failure,
) -> Result<Vec<One>, Failure> {
    let condition = by_ids(ids.iter().map(String::as_str));
    let left = Select::new(client, describe, []).all(client, describe, &condition);
    if left.is_ok_and(|left| left.is_empty()) {
        let gone = ids.iter().map(|id| One {
            id: Some(id.clone()),
            done: "deleted",
            ..One::default()
        });
        return Ok(gone.collect());
    }
    let soql = format!("SELECT Id FROM {} WHERE {condition}", describe.name());
    let hint = format!(
        "some or all may have been deleted all the same, and nothing was sent again: query {{\"soql\": {}}} shows those that are there",
        Json::from(soql)
    );
    Err(refused::unclear(failure, hint))
}
