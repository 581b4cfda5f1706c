//! `merge_records`: two or three records of one object become one. Every value that is lost is shown to the person who decides.

use portcullis_sdk::approvals::{Change, FieldChange};
use portcullis_sdk::permissions::Access;
use portcullis_sdk::{Effect, Failure, Output};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Ended, place, request};
use crate::client::Client;
use crate::describe::{Describe, Field};
use crate::host::{Host, Step};
use crate::json::Json;
use crate::keyed::Keyed;
use crate::lookup;
use crate::names;
use crate::writes::asked::{self, Asked, FIELDS, Problems, Purpose};
use crate::writes::record::{self, Found, Select};
use crate::writes::refused;
use crate::writes::said::{self, Done};
use crate::writes::{UNFORESEEN, targets, value};
use crate::xml;

/// Characters of field names in one query: an address has 16,384 bytes.
const NAMES_CHARS_MAX: usize = 8_000;

/// What `merge_records` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct MergeRecords {
    /// `Account`, `Case`, `Contact` or `Lead`.
    object: String,
    /// Id of the record that stays.
    keep: String,
    /// One or two ids of records that go.
    lose: Vec<String>,
    /// Values that the one that stays gets, as for update_record: such as those that only the others have.
    fields: Option<Map<String, Value>>,
}

/// Merges records.
///
/// # Errors
/// The object's records cannot be merged; one is not there; values that do not fit; what the org refuses.
pub fn merge_records(host: &dyn Host, args: &MergeRecords) -> Result<Output, Failure> {
    let client = Client::new(host);
    let kind = lookup::object_name(&client, &args.object)?;
    let ids = ids(args)?;
    let empty = Map::new();
    let fields = args.fields.as_ref().unwrap_or(&empty);
    let given = asked::names(&client, kind, fields, FIELDS)?;
    host.check(&[
        Access::new(Effect::Destructive, kind, &given),
        Access::read(kind, &given),
    ])?;
    let describe = asked::describe(&client, kind, Purpose::Update, &mut std::iter::once(fields))?;
    let kind = describe.name();
    if !describe.is("mergeable") {
        let message = format!("records of `{kind}` cannot be merged, or not by this user");
        let hint =
            "accounts, cases, contacts and leads can: others are updated and deleted one by one";
        return Err(Failure::invalid(message.clone())
            .field("/object", message)
            .hint(hint));
    }
    for (id, pointer) in &ids {
        record::check_id(&client, &describe, id).map_err(|failure| at(failure, pointer))?;
    }
    let mut problems = Problems::default();
    let asked = asked::read(&client, &describe, fields, Purpose::Update, &mut problems);
    for asked in asked.iter().filter(|asked| asked.value.is_null()) {
        let name = asked.field.name();
        problems.add(
            name,
            "cannot be emptied by a merge: empty it by update_record afterwards".to_owned(),
        );
    }
    problems.refuse(&client)?;

    let listed: Vec<&str> = ids.iter().map(|(id, _)| id.as_str()).collect();
    let listed = listed.join(", ");
    host.step(
        &format!("Read {} {kind} before the merge", ids.len()),
        Some(&listed),
    );
    let records = read(&client, &describe, &ids)?;
    let Some((master, losers)) = records.split_first() else {
        return Err(Failure::internal("nothing was read"));
    };
    let label = master.label(&client, &describe);
    let changes = announcements(&client, &describe, master, losers, &asked)?;
    let content = content(kind, master, losers, &asked);
    let request = request(&client, client.version()?, "merge", &content);
    let mut notes = Vec::new();
    let step = Step {
        title: format!("Merge {} {kind}", ids.len()),
        detail: Some(&listed),
    };
    match Ended::of(&client, kind, host.change(&step, &changes, request)) {
        Ended::Done(result) => {
            let moved = result.all("updatedRelatedIds").count();
            if moved > 0 {
                notes.push(format!(
                    "{moved} records that belonged to the others belong to this one now"
                ));
            }
        }
        Ended::Refused(failure) => return Err(failure),
        Ended::Unclear(failure) => notes.push(settle(&client, kind, losers, failure)?),
    }
    let names: Vec<String> = asked
        .iter()
        .map(|asked| asked.field.name().to_owned())
        .collect();
    let mut names_read = names;
    names_read.push("Id".to_owned());
    let stored = record::again(&client, kind, &master.id, &names_read).ok();
    if stored.is_none() {
        notes.push("the merge is done, but the record could not be read back".to_owned());
    }
    let gone: Vec<&str> = losers.iter().map(|loser| loser.id.as_str()).collect();
    notes.push(format!(
        "merged into it, and in the recycle bin now: {}",
        gone.join(", ")
    ));
    let done = Done {
        done: "merged",
        describe: &describe,
        id: &master.id,
        label: &label,
        asked: &asked,
        before: Some(master),
        stored: stored.as_ref(),
        notes,
    };
    Ok(done.answer(&client))
}

/// Gives the ids, that of the record that stays first, each with its place in the arguments.
fn ids(args: &MergeRecords) -> Result<Vec<(String, String)>, Failure> {
    if !matches!(args.lose.len(), 1 | 2) {
        let problem = "takes one or two ids";
        return Err(Failure::invalid("nothing was merged").field("/lose", problem));
    }
    let lose = args.lose.iter().enumerate();
    let lose = lose.map(|(index, id)| (id, format!("/lose/{index}")));
    let mut ids: Vec<(String, String)> = Vec::new();
    for (id, pointer) in std::iter::once((&args.keep, "/keep".to_owned())).chain(lose) {
        let id = names::record_id(id).map_err(|failure| at(failure, &pointer))?;
        let id = names::long_id(id);
        if ids.iter().any(|(known, _)| *known == id) {
            let failure = Failure::invalid("nothing was merged: a record is named twice");
            return Err(failure.field(pointer, "is named twice"));
        }
        ids.push((id, pointer));
    }
    Ok(ids)
}

fn at(mut failure: Failure, pointer: &str) -> Failure {
    for field in &mut failure.fields {
        pointer.clone_into(&mut field.pointer);
    }
    failure
}

/// Reads all that the agent may see of the records, in the order of the ids.
fn read(
    client: &Client<'_>,
    describe: &Describe,
    ids: &[(String, String)],
) -> Result<Vec<Found>, Failure> {
    let fields: Vec<String> = losable(client, describe)
        .into_iter()
        .map(|field| field.name().to_owned())
        .collect();
    let condition: Vec<String> = ids.iter().map(|(id, _)| format!("'{id}'")).collect();
    let condition = format!("Id IN ({})", condition.join(", "));
    let mut rows: Keyed<String, Vec<Json>> = Keyed::default();
    let mut rest = fields.as_slice();
    loop {
        let mut length = 0;
        let fitting = rest.iter().take_while(|name| {
            length += name.len() + 4;
            length <= NAMES_CHARS_MAX
        });
        let (chunk, left) = rest.split_at(fitting.count());
        let mut select = Select::new(client, describe, []);
        for name in chunk {
            if !select.fields.contains(name) {
                select.fields.push(name.clone());
            }
        }
        for found in select.all(client, describe, &condition)? {
            rows.or_insert(found.id.clone(), Vec::new).push(found.json);
        }
        rest = left;
        if rest.is_empty() {
            break;
        }
    }
    let kind = describe.name();
    let one = |(id, pointer): &(String, String)| {
        let parts = rows.remove(id).ok_or_else(|| {
            let problem = format!("there is no `{kind}` with the id {id}, or you may not see it");
            Failure::not_found(format!("nothing was merged: {problem}")).field(pointer, problem)
        })?;
        let members = parts.iter().flat_map(|part| part.members().iter().cloned());
        Ok(Found::new(Json::Object(members.collect()), id))
    };
    ids.iter().map(one).collect()
}

/// The fields that people fill, of which a value can be lost: those that the agent sees.
fn losable<'d>(client: &Client<'_>, describe: &'d Describe) -> Vec<Field<'d>> {
    let is_filled = |field: &Field<'_>| {
        (field.is("createable") || field.is("updateable"))
            && !matches!(
                field.kind(),
                "address" | "location" | "complexvalue" | "base64"
            )
    };
    let fields = client.fields_of(describe).into_iter();
    fields.filter(is_filled).collect()
}

/// Says what stays, and what is lost of each record that goes.
fn announcements(
    client: &Client<'_>,
    describe: &Describe,
    master: &Found,
    losers: &[Found],
    asked: &[Asked<'_>],
) -> Result<Vec<Change>, Failure> {
    let kind = describe.name();
    let mut problems = Problems::default();
    let names = targets::names(
        client,
        describe,
        targets::of_one(asked),
        &targets::Names::default(),
        &mut problems,
    )?;
    problems.refuse(client)?;
    let url = |id: &str| names::record_url(client.origin(), kind, id);
    let stays = Change::new("merge", kind, master.label(client, describe))
        .id(&master.id)
        .url(url(&master.id));
    let mut object = FieldChange::new("type", "Object");
    object.after = Some(Json::from(kind).text());
    object.pointer = Some(place("merge", "request/masterRecord/type"));
    let mut stays = said::fields(
        stays.field(object),
        asked,
        Some(master),
        &place("merge", "request/masterRecord"),
    );
    stays.notes = said::in_words(asked, Some(master), &names);
    let stays = stays
        .note("It stays, with its own values where none is given here. What belongs to the others belongs to it then.")
        .note(UNFORESEEN)
        .undo("undelete_record restores the others, or a person from the Recycle Bin, within 15 days; what belonged to them stays here.");
    let fields = losable(client, describe);
    let goes = losers.iter().map(|loser| {
        let mut change = Change::new("delete", kind, loser.label(client, describe))
            .id(&loser.id)
            .url(url(&loser.id));
        for field in &fields {
            let value = loser.value(*field);
            let kept = asked
                .iter()
                .find(|asked| asked.field.name() == field.name());
            let kept = kept.map_or_else(|| master.value(*field), |asked| &asked.value);
            if value.is_null() || value::same(*field, value, kept) {
                continue;
            }
            let mut lost = FieldChange::new(field.name(), field.label());
            lost.before = Some(value::plain(*field, value).text());
            change = change.field(lost);
        }
        change.note("Merged into the first; the values shown here are lost.")
    });
    Ok(std::iter::once(stays).chain(goes).collect())
}

/// Writes the operation's content.
fn content(kind: &str, master: &Found, losers: &[Found], asked: &[Asked<'_>]) -> String {
    let mut record = String::new();
    xml::write(&mut record, "type", kind);
    xml::write(&mut record, "Id", &master.id);
    for asked in asked {
        let text = match &asked.value {
            Json::String(text) | Json::Number(text) => text.to_string(),
            other => other.text(),
        };
        xml::write(&mut record, asked.field.name(), &text);
    }
    let mut content = format!("<request><masterRecord>{record}</masterRecord>");
    for loser in losers {
        xml::write(&mut content, "recordToMergeIds", &loser.id);
    }
    content.push_str("</request>");
    content
}

/// The answer was lost: whether the others are still there says what came of it.
fn settle(
    client: &Client<'_>,
    kind: &str,
    losers: &[Found],
    failure: Failure,
) -> Result<String, Failure> {
    let ids: Vec<String> = losers
        .iter()
        .map(|loser| format!("'{}'", loser.id))
        .collect();
    let soql = format!("SELECT Id FROM {kind} WHERE Id IN ({})", ids.join(", "));
    let left = record::query(client, &soql);
    let is_done = left.is_ok_and(|reply| {
        reply
            .get("records")
            .is_some_and(|records| records.items().is_empty())
    });
    if is_done {
        return Ok("the org's answer was lost; the others are gone".to_owned());
    }
    let hint = format!(
        "they may have been merged all the same, and it was not tried again: query {{\"soql\": {}}} shows whether the others are there",
        Json::from(soql)
    );
    Err(refused::unclear(failure, hint))
}
