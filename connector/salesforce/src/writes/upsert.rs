//! `upsert_record`: a record by an external id: changed where there is one, made where there is none.
//!
//! One that is there is changed by its own id and only as it was read, as update_record does. One that is not is made at the address of
//! its external id, so that two calls at once make one record.

use std::rc::Rc;

use portcullis_sdk::approvals::{Change, FieldChange};
use portcullis_sdk::http::{Request, path};
use portcullis_sdk::permissions::Access;
use portcullis_sdk::{Failure, Output, Reason};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::asked::{self, Asked, FIELDS, Problems, Purpose};
use super::create::{self, New};
use super::record::{Found, Select};
use super::refused::{self, Ended};
use super::targets::Names;
use super::update::{self, body};
use super::value;
use crate::client::Client;
use crate::describe::{Describe, Field};
use crate::host::{Host, Step};
use crate::json::Json;
use crate::lookup;
use crate::names;

/// What `upsert_record` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct UpsertRecord {
    /// API name, such as `Account`.
    object: String,
    /// An external id field…
    key: String,
    /// …and its value.
    value: String,
    /// The other values, as for update_record.
    fields: Map<String, Value>,
}

/// Changes the record with an external id, or makes it.
///
/// # Errors
/// The field is no external id; several records have the value; and as update_record and create_record.
pub fn upsert_record(host: &dyn Host, args: &UpsertRecord) -> Result<Output, Failure> {
    let client = Client::new(host);
    let kind = lookup::object_name(&client, &args.object)?;
    let key = names::api_name(&args.key, "/key")?;
    let mut given = asked::names(&client, kind, &args.fields, FIELDS)?;
    if given.iter().any(|name| name.eq_ignore_ascii_case(key)) {
        return Err(Failure::invalid("the external id is given twice").field(
            format!("/fields/{key}"),
            "stands in `value`: leave it out here",
        ));
    }
    given.push(key.to_owned());
    host.check(&[Access::write(kind, &given), Access::read(kind, &given)])?;

    let mut all = std::iter::once(&args.fields);
    let mut describe = asked::describe(&client, kind, Purpose::Update, &mut all)?;
    if find_key(&client, &describe, key).is_err() {
        describe = client.newest(kind)?;
    }
    let field = find_key(&client, &describe, key)?;
    let given = Json::from(args.value.as_str());
    let key = match value::read(field, &given) {
        Ok(Json::Null) => Err("an external id cannot be empty".to_owned()),
        read => read,
    };
    let value = key.map_err(|problem| {
        Failure::invalid("nothing was changed: the external id does not fit")
            .field("/value", problem)
    })?;
    let key = Asked { field, value };

    let mut problems = Problems::default();
    let asked = asked::read(
        &client,
        &describe,
        &args.fields,
        Purpose::Update,
        &mut problems,
    );
    host.step(
        &format!("Looked for the {} by {}", describe.name(), field.name()),
        None,
    );
    let found =
        Select::new(&client, &describe, &asked).all(&client, &describe, &condition(&key))?;
    match found.as_slice() {
        [] => make(&client, &describe, &key, args),
        [before] => {
            problems.refuse(&client)?;
            update::check_updateable(&describe)?;
            update::change(&client, &describe, before, asked, &Names::default())
        }
        several => Err(ambiguous(&describe, &key, several)),
    }
}

/// Finds the external id field.
fn find_key<'d>(
    client: &Client<'_>,
    describe: &'d Describe,
    name: &str,
) -> Result<Field<'d>, Failure> {
    let is_key = |field: &Field<'_>| {
        field.is("externalId") || (field.is("idLookup") && field.kind() != "id")
    };
    if let Some(field) = describe.field(name).filter(is_key) {
        return Ok(field);
    }
    let fields = client.fields_of(describe).into_iter().filter(is_key);
    let known: Vec<String> = fields.map(|field| format!("`{}`", field.name())).collect();
    let kind = describe.name();
    let hint = match known.is_empty() {
        true => {
            format!("`{kind}` has no external id: use query, then update_record or create_record")
        }
        false => format!("external ids of `{kind}`: {}", known.join(", ")),
    };
    let message = format!("`{name}` is no external id of `{kind}`");
    Err(Failure::invalid(message.clone())
        .field("/key", message)
        .hint(hint))
}

/// The condition that finds the record by its external id.
fn condition(key: &Asked<'_>) -> String {
    let literal = match &key.value {
        Json::String(text) => soql::StringLiteral::new(text).to_string(),
        other => other.text(),
    };
    format!("{} = {literal} LIMIT 5", key.field.name())
}

fn ambiguous(describe: &Describe, key: &Asked<'_>, found: &[Found]) -> Failure {
    let ids: Vec<&str> = found.iter().map(|found| found.id.as_str()).collect();
    let message = format!(
        "several records of `{}` have this `{}`, so nothing was changed",
        describe.name(),
        key.field.name()
    );
    let mut failure =
        Failure::invalid(message).field("/value", format!("is that of {}", ids.join(", ")));
    failure.reason = Reason::Conflict;
    failure.hint("update_record changes one of them by its id")
}

/// Makes the record at the address of its external id.
fn make(
    client: &Client<'_>,
    describe: &Rc<Describe>,
    key: &Asked<'_>,
    args: &UpsertRecord,
) -> Result<Output, Failure> {
    create::check_createable(describe)?;
    let mut problems = Problems::default();
    let asked = asked::read(
        client,
        describe,
        &args.fields,
        Purpose::Create,
        &mut problems,
    );
    let mut with_key = args.fields.clone();
    with_key.insert(key.field.name().to_owned(), args.value.clone().into());
    asked::require(client, describe, &with_key, &mut problems);
    problems.refuse(client)?;
    let kind = describe.name();
    let text = match &key.value {
        Json::String(text) | Json::Number(text) => text.to_string(),
        other => other.text(),
    };
    let version = client.version()?;
    let path = path!(
        "/services/data/{}/sobjects/{}/{}/{}",
        version,
        kind,
        key.field.name(),
        text
    );
    let request = Request::patch(path).body("application/json", body(&asked));
    let mut all = vec![key.clone()];
    all.extend(asked.iter().cloned());
    let announced = New {
        client,
        describe,
        asked: &asked,
    };
    let change = with_key_of(announced.announcement(&Names::default())?, key);
    let step = Step {
        title: format!("Make {kind} by {}", key.field.name()),
        detail: None,
    };
    let sent = client.host.change(&step, &[change], request);
    let ended = Ended::of(client, kind, sent);
    let new = New {
        client,
        describe,
        asked: &all,
    };
    let (id, is_created, note) = match ended {
        Ended::Done(reply) => {
            let id = reply.str_at("id").and_then(|id| names::record_id(id).ok());
            match id {
                Some(id) => (id.to_owned(), reply.is_true_at("created"), None),
                None => {
                    let failure = Failure::unavailable("the org answered without the record's id");
                    settle(client, describe, key, &asked, failure)?
                }
            }
        }
        Ended::Refused(failure) | Ended::Changed(failure) => return Err(failure),
        Ended::Unclear(failure) => settle(client, describe, key, &asked, failure)?,
    };
    let mut notes: Vec<String> = note.into_iter().collect();
    let done = match is_created {
        true => "created",
        false => {
            notes.push("somebody made the record in the moment before: it was changed, and its values before are not known".to_owned());
            "updated"
        }
    };
    Ok(new.read_back(done, &id, notes))
}

/// Announces the external id, which stands in the path.
fn with_key_of(change: Change, key: &Asked<'_>) -> Change {
    let name = key.field.name();
    let mut field = FieldChange::new(name, key.field.label());
    field.after = Some(key.value.text());
    field.pointer = Some(format!("{{{name}}}"));
    let mut change = change;
    change.fields.insert(0, field);
    change.note(
        "If somebody makes a record with this external id before, that one is changed instead.",
    )
}

/// The answer was lost: whether there is such a record now says what came of it.
fn settle(
    client: &Client<'_>,
    describe: &Describe,
    key: &Asked<'_>,
    asked: &[Asked<'_>],
    failure: Failure,
) -> Result<(String, bool, Option<String>), Failure> {
    let found = Select::new(client, describe, asked).all(client, describe, &condition(key));
    if let Ok([now]) = found.as_deref() {
        let note = "the org's answer was lost; the record is there";
        return Ok((now.id.clone(), true, Some(note.to_owned())));
    }
    let (kind, name) = (describe.name(), key.field.name());
    let value = Json::from(
        key.value
            .as_str()
            .map_or_else(|| key.value.text(), str::to_owned),
    );
    let hint = format!(
        "it may have been made all the same, and was not sent again: get_record {{\"object\": \"{kind}\", \"external_id_field\": \"{name}\", \"external_id\": {value}}} shows it"
    );
    Err(refused::unclear(failure, hint))
}
