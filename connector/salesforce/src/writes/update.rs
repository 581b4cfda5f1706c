//! `update_record`: a change of one record that nobody else has changed meanwhile.

use portcullis_sdk::approvals::Change;
use portcullis_sdk::http::{Request, path};
use portcullis_sdk::permissions::Access;
use portcullis_sdk::{Failure, Output, Reason};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::asked::{self, Asked, FIELDS, Problems, Purpose};
use super::record::{self, Found, Select};
use super::refused::{self, Ended};
use super::said::{self, Done};
use super::targets::{self, Names};
use super::{UNFORESEEN, value};
use crate::client::Client;
use crate::describe::Describe;
use crate::fence;
use crate::host::{Host, Step};
use crate::json::Json;
use crate::lookup;
use crate::names;

/// What `update_record` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct UpdateRecord {
    /// API name, such as `Account`.
    object: String,
    /// 15 or 18 characters.
    id: String,
    /// Values by API name; null empties. Days `2026-11-23`, moments with offset `2026-11-23T09:00:00+01:00`, ids, lists.
    fields: Map<String, Value>,
}

/// Changes a record.
///
/// # Errors
/// Values that do not fit, each with what would; a record that is not there or changed meanwhile; what the org refuses.
pub fn update_record(host: &dyn Host, args: &UpdateRecord) -> Result<Output, Failure> {
    let client = Client::new(host);
    let kind = lookup::object_name(&client, &args.object)?;
    let id = lookup::record_id(&client, kind, &args.id)?;
    let id = names::long_id(id);
    update(&client, kind, &id, &args.fields, &Names::default(), None)
}

/// Changes fields of a record. `known` are names that references lead to; `before` is the record, where it was read already.
///
/// # Errors
/// As [`update_record`].
pub(super) fn update(
    client: &Client<'_>,
    kind: &str,
    id: &str,
    fields: &Map<String, Value>,
    known: &Names,
    before: Option<Found>,
) -> Result<Output, Failure> {
    let given = asked::names(client, kind, fields, FIELDS)?;
    if given.is_empty() {
        return Err(Failure::invalid("no field is given")
            .field("/fields", "give at least one field and its new value"));
    }
    client
        .host
        .check(&[Access::write(kind, &given), Access::read(kind, &given)])?;

    let describe = asked::describe(client, kind, Purpose::Update, &mut std::iter::once(fields))?;
    check_updateable(&describe)?;
    record::check_id(client, &describe, id)?;
    let mut problems = Problems::default();
    let asked = asked::read(client, &describe, fields, Purpose::Update, &mut problems);
    problems.refuse(client)?;

    let before = match before {
        Some(before) => before,
        None => {
            step(client, &describe, id);
            Select::new(client, &describe, &asked).find(client, &describe, id)?
        }
    };
    change(client, &describe, &before, asked, known)
}

/// Tells the log that a record is read before it is changed.
pub(super) fn step(client: &Client<'_>, describe: &Describe, id: &str) {
    let title = format!("Read {} before the change", describe.name());
    client.host.step(&title, Some(id));
}

/// Refuses where the user may not change records of the object.
///
/// # Errors
/// `not-permitted`.
pub(super) fn check_updateable(describe: &Describe) -> Result<(), Failure> {
    if describe.is("updateable") {
        return Ok(());
    }
    let message = format!(
        "this user may not change records of `{}`, or nobody may",
        describe.name()
    );
    Err(Failure::not_permitted(message).hint("describe_object says what the object allows"))
}

/// Changes what of a record is not so already, and answers.
///
/// # Errors
/// As [`update_record`].
pub(super) fn change(
    client: &Client<'_>,
    describe: &Describe,
    before: &Found,
    asked: Vec<Asked<'_>>,
    known: &Names,
) -> Result<Output, Failure> {
    let (changed, kept): (Vec<_>, Vec<_>) = asked
        .into_iter()
        .partition(|asked| !value::same(asked.field, before.value(asked.field), &asked.value));
    let label = before.label(client, describe);
    let mut done = Done {
        done: "unchanged",
        describe,
        id: &before.id,
        label: &label,
        asked: &changed,
        before: Some(before),
        stored: None,
        notes: kept_notes(&kept),
    };
    if changed.is_empty() {
        done.notes = vec!["nothing was sent: the record has these values already".to_owned()];
        return Ok(done.answer(client));
    }

    let change = announcement(client, describe, before, &changed, &label, known)?;
    let request = request(client, describe, before, &changed)?;
    let fields: Vec<&str> = changed.iter().map(|asked| asked.field.name()).collect();
    let step = Step {
        title: format!("Change {}: {}", describe.name(), fields.join(", ")),
        detail: Some(&before.id),
    };
    let sent = client.host.change(&step, &[change], request);
    match Ended::of(client, describe.name(), sent) {
        Ended::Done(_) => {}
        Ended::Refused(failure) => return Err(failure),
        Ended::Changed(failure) => {
            return Err(conflict(client, describe, before, &changed, failure));
        }
        Ended::Unclear(failure) => done
            .notes
            .push(settle(client, describe, before, &changed, failure)?),
    }
    let stored = record::again(client, describe.name(), &before.id, &owned(&fields));
    if stored.is_err() {
        done.notes
            .push("the change is done, but the record could not be read back".to_owned());
    }
    done.done = "updated";
    done.stored = stored.as_ref().ok();
    Ok(done.answer(client))
}

fn kept_notes(kept: &[Asked<'_>]) -> Vec<String> {
    let names: Vec<_> = kept
        .iter()
        .map(|asked| format!("`{}`", asked.field.name()))
        .collect();
    match names.is_empty() {
        true => Vec::new(),
        false => vec![format!("already so, and not sent: {}", names.join(", "))],
    }
}

/// Says what will change.
fn announcement(
    client: &Client<'_>,
    describe: &Describe,
    before: &Found,
    changed: &[Asked<'_>],
    label: &str,
    known: &Names,
) -> Result<Change, Failure> {
    let mut problems = Problems::default();
    let names = targets::names(
        client,
        describe,
        targets::of_one(changed),
        known,
        &mut problems,
    )?;
    problems.refuse(client)?;
    let kind = describe.name();
    let change = Change::new("update", kind, label)
        .id(&before.id)
        .url(names::record_url(client.origin(), kind, &before.id));
    let mut change = said::fields(change, changed, Some(before), "");
    change.notes = said::in_words(changed, Some(before), &names);
    if changed.iter().any(|asked| asked.field.name() == "OwnerId") {
        change =
            change.note("With the owner, who may see the record and what hangs on it may change.");
    }
    if before.modified.is_none() {
        change = change.note(
            "The object does not say when it was changed: a change made meanwhile is not noticed.",
        );
    }
    Ok(change
        .note(UNFORESEEN)
        .undo("Set the fields back to the values before, by another update. What triggers and flows did stays."))
}

/// Makes the request. Its body has the fields in the order of their API names.
fn request(
    client: &Client<'_>,
    describe: &Describe,
    before: &Found,
    changed: &[Asked<'_>],
) -> Result<Request, Failure> {
    let version = client.version()?;
    let path = path!(
        "/services/data/{}/sobjects/{}/{}",
        version,
        describe.name(),
        before.id
    );
    let request = Request::patch(path).body("application/json", body(changed));
    Ok(match before.modified {
        Some(modified) => request.header("If-Unmodified-Since", modified.http_date()),
        None => request,
    })
}

/// Writes the values as JSON.
pub(super) fn body(asked: &[Asked<'_>]) -> String {
    Json::object(
        asked
            .iter()
            .map(|asked| (asked.field.name(), asked.value.clone())),
    )
    .text()
}

/// Names what somebody else has changed since the record was read.
fn conflict(
    client: &Client<'_>,
    describe: &Describe,
    before: &Found,
    changed: &[Asked<'_>],
    failure: Failure,
) -> Failure {
    let mut failure = Failure {
        reason: Reason::Conflict,
        message:
            "the record was changed by somebody else after it was read, so nothing was written"
                .to_owned(),
        ..failure
    };
    let mut hint =
        "look at it with get_record, and call again if the change is still wanted".to_owned();
    failure.hint = Some(hint.clone());
    let mut fields: Vec<&str> = changed.iter().map(|asked| asked.field.name()).collect();
    let stamp = client.visible_fields(describe.name(), &["LastModifiedDate".to_owned()]);
    fields.extend(
        describe
            .field("LastModifiedDate")
            .filter(|_| !stamp.is_empty())
            .map(|field| field.name()),
    );
    let Ok(now) = record::again(client, describe.name(), &before.id, &owned(&fields)) else {
        return failure;
    };
    let mut differs = Vec::new();
    for asked in changed {
        let (old, new) = (before.value(asked.field), now.value(asked.field));
        if !value::same(asked.field, old, new) {
            let name = asked.field.name();
            differs.push(format!(
                "{name} is {} now, and was {}",
                shown(new),
                shown(old)
            ));
            failure = failure.field(format!("/fields/{name}"), "has another value now");
        }
    }
    if differs.is_empty() {
        failure
            .message
            .push_str("; the fields asked for are as they were, others are not");
    } else {
        hint.push('\n');
        hint.push_str(&client.fenced(&differs.join("\n")));
        failure.hint = Some(hint);
    }
    if let Some(at) = now.json.str_at("LastModifiedDate") {
        failure
            .message
            .push_str(&format!(" (at {})", fence::inline(at, 40)));
    }
    failure
}

fn shown(value: &Json) -> String {
    match value {
        Json::Null => "empty".to_owned(),
        Json::String(text) => format!("“{}”", fence::inline(text, 80)),
        other => fence::inline(&other.text(), 80),
    }
}

/// The answer was lost: the record itself says whether the change was done.
fn settle(
    client: &Client<'_>,
    describe: &Describe,
    before: &Found,
    changed: &[Asked<'_>],
    failure: Failure,
) -> Result<String, Failure> {
    let mut fields: Vec<&str> = changed.iter().map(|asked| asked.field.name()).collect();
    fields.extend(
        ["LastModifiedDate", "SystemModstamp"]
            .iter()
            .filter(|name| describe.field(name).is_some()),
    );
    let now = record::again(client, describe.name(), &before.id, &owned(&fields));
    let is_done = now.is_ok_and(|now| {
        now.modified > before.modified
            && changed
                .iter()
                .all(|asked| value::same(asked.field, now.value(asked.field), &asked.value))
    });
    if is_done {
        return Ok(
            "the org's answer was lost; the record shows that the change is done".to_owned(),
        );
    }
    let (kind, id) = (describe.name(), &before.id);
    let names: Vec<_> = changed
        .iter()
        .map(|asked| format!("\"{}\"", asked.field.name()))
        .collect();
    let hint = format!(
        "it may have been done all the same, and was not tried again: get_record {{\"object\": \"{kind}\", \"id\": \"{id}\", \"fields\": [{}]}} shows it",
        names.join(", ")
    );
    Err(refused::unclear(failure, hint))
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
