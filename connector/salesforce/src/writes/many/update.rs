//! `update_records`: fields of up to 200 records.

use portcullis_sdk::approvals::Change;
use portcullis_sdk::http::Request;
use portcullis_sdk::permissions::Access;
use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Many, One, body, by_ids, check_count, collection, compare, names_of_all, outcomes, place,
};
use crate::client::Client;
use crate::describe::Describe;
use crate::host::{Host, Step};
use crate::keyed::Keyed;
use crate::lookup;
use crate::names;
use crate::order;
use crate::writes::asked::{self, Asked, Problems, Purpose};
use crate::writes::record::{self, Found, Select};
use crate::writes::refused::{self, Ended};
use crate::writes::{UNFORESEEN, said, targets, update, value};

/// What `update_records` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct UpdateRecords {
    /// API name, such as `Account`.
    object: String,
    /// 1 to 200, each with its `Id` and the fields to change.
    records: Vec<Map<String, Value>>,
}

/// A record that is to be changed.
struct Wanted<'d> {
    /// Its place in the call.
    index: usize,
    before: Found,
    asked: Vec<Asked<'d>>,
}

/// Changes records.
///
/// # Errors
/// Values that do not fit and records that are not there, each at its place; what the org refuses of every one.
pub fn update_records(host: &dyn Host, args: &UpdateRecords) -> Result<Output, Failure> {
    let client = Client::new(host);
    let kind = lookup::object_name(&client, &args.object)?;
    check_count(args.records.len(), "/records")?;
    let (ids, fields) = taken_apart(&args.records)?;
    let given = names_of_all(&client, kind, &fields)?;
    host.check(&[Access::write(kind, &given), Access::read(kind, &given)])?;
    let describe = asked::describe(&client, kind, Purpose::Update, &mut fields.iter())?;
    update::check_updateable(&describe)?;
    let mut problems = Problems::default();
    let mut asked = Vec::with_capacity(fields.len());
    for (index, (id, fields)) in ids.iter().zip(&fields).enumerate() {
        problems.look_at(&place(index));
        if record::check_id(&client, &describe, id).is_err() {
            let kind = describe.name();
            problems.add("Id", format!("{id} is no id of the object `{kind}`"));
        }
        asked.push(asked::read(
            &client,
            &describe,
            fields,
            Purpose::Update,
            &mut problems,
        ));
    }
    problems.refuse(&client)?;

    let kind = describe.name();
    host.step(
        &format!("Read {} {kind} before the change", ids.len()),
        None,
    );
    let select = Select::new(&client, &describe, asked.iter().flatten());
    let found = select.all(&client, &describe, &by_ids(ids.iter().map(String::as_str)))?;
    let mut by_id: Keyed<String, Found> = Keyed::default();
    for found in found {
        by_id.insert(found.id.clone(), found);
    }
    let mut problems = Problems::default();
    let mut wanted = Vec::with_capacity(ids.len());
    let mut all: Vec<One> = Vec::with_capacity(ids.len());
    for (index, (id, asked)) in ids.iter().zip(asked).enumerate() {
        problems.look_at(&place(index));
        let Some(before) = by_id.remove(id) else {
            problems.add(
                "Id",
                format!("there is no `{kind}` with the id {id}, or you may not see it"),
            );
            continue;
        };
        let differs =
            |asked: &Asked<'_>| !value::same(asked.field, before.value(asked.field), &asked.value);
        let asked: Vec<_> = asked.into_iter().filter(differs).collect();
        all.push(One {
            id: Some(id.clone()),
            done: "unchanged",
            ..One::default()
        });
        if !asked.is_empty() {
            wanted.push(Wanted {
                index,
                before,
                asked,
            });
        }
    }
    problems.refuse(&client)?;
    let mut many = Many {
        done: "updated",
        describe: &describe,
        fields: given,
        records: all,
        notes: Vec::new(),
    };
    if !wanted.is_empty() {
        send(&client, &describe, &wanted, &mut many)?;
    }
    many.answer(&client)
}

/// The fields of each record.
type AllFields = Vec<Map<String, Value>>;

/// Takes the ids off the records.
fn taken_apart(records: &[Map<String, Value>]) -> Result<(Vec<String>, AllFields), Failure> {
    let mut ids: Vec<String> = Vec::with_capacity(records.len());
    let mut all = Vec::with_capacity(records.len());
    for (index, record) in records.iter().enumerate() {
        let at = format!("{}/Id", place(index));
        let wrong =
            |problem: &str| Failure::invalid("a record is not named by its id").field(&at, problem);
        let mut fields = record.clone();
        let name = fields
            .keys()
            .find(|name| name.trim().eq_ignore_ascii_case("Id"));
        let id = name.cloned().and_then(|name| fields.remove(&name));
        let id = id.as_ref().and_then(Value::as_str).unwrap_or_default();
        let id = names::record_id(id)
            .map_err(|_| wrong("give the record's id, of 15 or 18 letters and digits"))?;
        let id = names::long_id(id);
        if ids.contains(&id) {
            return Err(wrong("is given twice"));
        }
        if fields.is_empty() {
            return Err(wrong("give at least one field beside it"));
        }
        ids.push(id);
        all.push(fields);
    }
    Ok((ids, all))
}

fn send(
    client: &Client<'_>,
    describe: &Describe,
    wanted: &[Wanted<'_>],
    many: &mut Many<'_>,
) -> Result<(), Failure> {
    let kind = describe.name();
    let changes = announcements(client, describe, wanted)?;
    let records = wanted
        .iter()
        .map(|wanted| (Some(wanted.before.id.as_str()), wanted.asked.as_slice()));
    let request = Request::patch(collection(client)?).body("application/json", body(kind, records));
    let step = Step {
        title: format!("Change {} {kind}", wanted.len()),
        detail: None,
    };
    let sent = client.host.change(&step, &changes, request);
    let ended = Ended::of(client, kind, sent);
    let (results, unclear) = match ended {
        Ended::Done(reply) => match outcomes(client, kind, &reply, wanted.len(), "updated") {
            Some(results) => (Some(results), None),
            None => (
                None,
                Some(Failure::unavailable(
                    "the org's answer is not one for these records",
                )),
            ),
        },
        Ended::Refused(failure) | Ended::Changed(failure) => return Err(failure),
        Ended::Unclear(failure) => (None, Some(failure)),
    };
    let ids = wanted.iter().map(|wanted| wanted.before.id.as_str());
    let select = Select::new(
        client,
        describe,
        wanted.iter().flat_map(|wanted| &wanted.asked),
    );
    let stored = select.all(client, describe, &by_ids(ids));
    if let (Some(failure), Ok(stored)) = (&unclear, &stored)
        && !is_done(wanted, stored)
    {
        return Err(not_known(kind, wanted, failure.clone()));
    }
    match (unclear, &stored) {
        (Some(failure), Err(_)) => return Err(not_known(kind, wanted, failure)),
        (Some(_), Ok(_)) => many
            .notes
            .push("the org's answer was lost; the records show that the change is done".to_owned()),
        (None, Ok(_)) => {}
        (None, Err(_)) => many
            .notes
            .push("the change is done, but the records could not be read back".to_owned()),
    }
    let results = results
        .into_iter()
        .flatten()
        .map(Some)
        .chain(std::iter::repeat_with(|| None));
    for (wanted, result) in wanted.iter().zip(results) {
        let Some(one) = many.records.get_mut(wanted.index) else {
            continue;
        };
        one.done = "updated";
        if let Some(result) = result {
            one.done = result.done;
            one.problem = result.problem;
        }
        let stored = stored
            .iter()
            .flatten()
            .find(|found| found.id == wanted.before.id);
        if let (None, Some(stored)) = (&one.problem, stored) {
            compare(one, &wanted.asked, stored);
        }
    }
    Ok(())
}

/// Says of each record what will change.
fn announcements(
    client: &Client<'_>,
    describe: &Describe,
    wanted: &[Wanted<'_>],
) -> Result<Vec<Change>, Failure> {
    let kind = describe.name();
    let mut problems = Problems::default();
    let places: Vec<String> = wanted.iter().map(|wanted| place(wanted.index)).collect();
    let all = wanted.iter().zip(&places);
    let all =
        all.flat_map(|(wanted, at)| wanted.asked.iter().map(move |asked| (at.as_str(), asked)));
    let names = targets::names(
        client,
        describe,
        all,
        &targets::Names::default(),
        &mut problems,
    )?;
    problems.refuse(client)?;
    let changes = wanted.iter().enumerate().map(|(sent, wanted)| {
        let (before, id) = (&wanted.before, &wanted.before.id);
        let change = Change::new("update", kind, before.label(client, describe))
            .id(id)
            .url(names::record_url(client.origin(), kind, id));
        let mut change = said::fields(change, &wanted.asked, Some(before), &place(sent));
        change.notes = said::in_words(&wanted.asked, Some(before), &names);
        if sent > 0 {
            return change;
        }
        // Once for all, so that what differs from record to record is read.
        change
            .note("One record may fail while others are changed. A change made meanwhile is not noticed.")
            .note(UNFORESEEN)
            .undo("Set the fields back to the values before, by another update. What triggers and flows did stays.")
    });
    Ok(changes.collect())
}

/// Says whether every record shows that it was changed.
fn is_done(wanted: &[Wanted<'_>], stored: &[Found]) -> bool {
    wanted.iter().all(|wanted| {
        let now = stored.iter().find(|found| found.id == wanted.before.id);
        now.is_some_and(|now| {
            now.modified > wanted.before.modified
                && wanted
                    .asked
                    .iter()
                    .all(|asked| value::same(asked.field, now.value(asked.field), &asked.value))
        })
    })
}

fn not_known(kind: &str, wanted: &[Wanted<'_>], failure: Failure) -> Failure {
    let mut fields: Vec<&str> = wanted
        .iter()
        .flat_map(|wanted| wanted.asked.iter().map(|asked| asked.field.name()))
        .collect();
    order::sort_once(&mut fields);
    let ids = wanted.iter().map(|wanted| wanted.before.id.as_str());
    let soql = format!(
        "SELECT Id, {} FROM {kind} WHERE {}",
        fields.join(", "),
        by_ids(ids)
    );
    let hint = format!(
        "some or all may have been changed all the same, and nothing was sent again: query {{\"soql\": {}}} shows them",
        crate::json::Json::from(soql)
    );
    refused::unclear(failure, hint)
}
