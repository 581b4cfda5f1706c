//! `create_records`: up to 200 new records, by a POST that is never sent twice.

use portcullis_sdk::approvals::Change;
use portcullis_sdk::http::Request;
use portcullis_sdk::permissions::Access;
use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Many, body, by_ids, check_count, collection, compare, names_of_all, outcomes, place};
use crate::client::Client;
use crate::describe::Describe;
use crate::host::{Host, Step};
use crate::json::Json;
use crate::lookup;
use crate::writes::asked::{self, Asked, Problems, Purpose};
use crate::writes::record::Select;
use crate::writes::refused::{self, Ended};
use crate::writes::{create, said, targets};

/// What `create_records` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct CreateRecords {
    /// API name, such as `Contact`.
    object: String,
    /// 1 to 200, each with its values by the fields' API names, as for create_record.
    records: Vec<Map<String, Value>>,
}

/// Makes records.
///
/// # Errors
/// Values that are missing or do not fit, each at its place; what the org refuses of every one. After an unclear failure it says
/// that records may be there, and which query shows them.
pub fn create_records(host: &dyn Host, args: &CreateRecords) -> Result<Output, Failure> {
    let client = Client::new(host);
    let kind = lookup::object_name(&client, &args.object)?;
    check_count(args.records.len(), "/records")?;
    let given = names_of_all(&client, kind, &args.records)?;
    host.check(&[Access::write(kind, &given)])?;
    let describe = asked::describe(&client, kind, Purpose::Create, &mut args.records.iter())?;
    create::check_createable(&describe)?;
    let kind = describe.name();
    let mut problems = Problems::default();
    let mut all: Vec<Vec<Asked<'_>>> = Vec::with_capacity(args.records.len());
    for (index, fields) in args.records.iter().enumerate() {
        problems.look_at(&place(index));
        all.push(asked::read(
            &client,
            &describe,
            fields,
            Purpose::Create,
            &mut problems,
        ));
        asked::require(&client, &describe, fields, &mut problems);
    }
    problems.refuse(&client)?;

    let changes = announcements(&client, &describe, &all)?;
    let records = all.iter().map(|asked| (None, asked.as_slice()));
    let request = Request::post(collection(&client)?).body("application/json", body(kind, records));
    let step = Step {
        title: format!("Create {} {kind}", all.len()),
        detail: None,
    };
    let reply = match Ended::of(&client, kind, host.change(&step, &changes, request)) {
        Ended::Done(reply) => reply,
        Ended::Refused(failure) | Ended::Changed(failure) => return Err(failure),
        Ended::Unclear(failure) => return Err(unclear(&client, kind, failure)),
    };
    let Some(records) = outcomes(&client, kind, &reply, all.len(), "created") else {
        let failure = Failure::unavailable("the org's answer is not one for these records");
        return Err(unclear(&client, kind, failure));
    };
    let mut many = Many {
        done: "created",
        describe: &describe,
        fields: given,
        records,
        notes: Vec::new(),
    };
    let ids: Vec<String> = many
        .records
        .iter()
        .filter(|one| one.problem.is_none())
        .filter_map(|one| one.id.clone())
        .collect();
    if !ids.is_empty() {
        read_back(&client, &all, &ids, &mut many);
    }
    many.answer(&client)
}

/// Compares what is stored, as far as the agent may read it.
fn read_back(client: &Client<'_>, all: &[Vec<Asked<'_>>], ids: &[String], many: &mut Many<'_>) {
    let names: Vec<String> = all
        .iter()
        .flatten()
        .map(|asked| asked.field.name().to_owned())
        .collect();
    let kind = many.describe.name();
    let select = Select::new(client, many.describe, all.iter().flatten());
    let condition = by_ids(ids.iter().map(String::as_str));
    // Who may set a field may yet be kept from reading it.
    let stored = match client.visible_fields(kind, &names).len() == names.len() {
        true => select.all(client, many.describe, &condition).ok(),
        false => None,
    };
    let Some(stored) = stored else {
        let note = "the records are made, but could not be read back";
        many.notes.push(note.to_owned());
        return;
    };
    for (one, asked) in many.records.iter_mut().zip(all) {
        let found = stored
            .iter()
            .find(|found| Some(&found.id) == one.id.as_ref());
        if let (None, Some(found)) = (&one.problem, found) {
            compare(one, asked, found);
        }
    }
}

/// Says of each record what will be made.
fn announcements(
    client: &Client<'_>,
    describe: &Describe,
    all: &[Vec<Asked<'_>>],
) -> Result<Vec<Change>, Failure> {
    let kind = describe.name();
    let mut problems = Problems::default();
    let places: Vec<String> = (0..all.len()).map(place).collect();
    let each = all.iter().zip(&places);
    let each = each.flat_map(|(asked, at)| asked.iter().map(move |asked| (at.as_str(), asked)));
    let names = targets::names(
        client,
        describe,
        each,
        &targets::Names::default(),
        &mut problems,
    )?;
    problems.refuse(client)?;
    let changes = all
        .iter()
        .zip(&places)
        .enumerate()
        .map(|(index, (asked, at))| {
            let change = Change::new("create", kind, create::label(describe, asked));
            let mut change = said::fields(change, asked, None, at);
            change.notes = said::in_words(asked, None, &names);
            if index > 0 {
                return change;
            }
            // Once for all, so that what differs from record to record is read.
            change = change.note("One record may fail while others are made.");
            for note in create::notes(kind) {
                change = change.note(note);
            }
            change.undo(create::UNDO)
        });
    Ok(changes.collect())
}

/// The records may be there: names the query that shows them.
fn unclear(client: &Client<'_>, kind: &str, failure: Failure) -> Failure {
    let mut conditions = Vec::new();
    if let Some(identity) = &client.account().identity {
        conditions.push(format!("CreatedById = '{}'", identity.user_id));
    }
    conditions.push("CreatedDate >= YESTERDAY".to_owned());
    let soql = format!(
        "SELECT Id, CreatedDate FROM {kind} WHERE {} ORDER BY CreatedDate DESC LIMIT 200",
        conditions.join(" AND ")
    );
    let hint = format!(
        "some or all records may have been made all the same, and nothing was sent again. Look before you call create_records anew: query {{\"soql\": {}}}",
        Json::from(soql)
    );
    refused::unclear(failure, hint)
}
