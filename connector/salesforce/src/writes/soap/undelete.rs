//! `undelete_record`: a record out of the recycle bin, with what was deleted along with it.

use portcullis_sdk::approvals::Change;
use portcullis_sdk::http::{Request, path};
use portcullis_sdk::permissions::Access;
use portcullis_sdk::{Failure, Output, Reason};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Ended, request};
use crate::client::{Client, ReadError};
use crate::describe::Describe;
use crate::host::{Host, Step};
use crate::json::Json;
use crate::lookup;
use crate::names;
use crate::writes::UNFORESEEN;
use crate::writes::record::{self, Found};
use crate::writes::refused;
use crate::writes::said::Done;
use crate::xml;

/// What `undelete_record` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct UndeleteRecord {
    /// API name, such as `Account`.
    object: String,
    /// The deleted record's id.
    id: String,
}

/// Restores a record.
///
/// # Errors
/// It is not in the recycle bin, or the user may not restore it.
pub fn undelete_record(host: &dyn Host, args: &UndeleteRecord) -> Result<Output, Failure> {
    let client = Client::new(host);
    let kind = lookup::object_name(&client, &args.object)?;
    let id = names::long_id(names::record_id(&args.id)?);
    host.check(&[Access::write(kind, [""; 0]), Access::read(kind, [""; 0])])?;
    let describe = record::describe(&client, kind)?;
    record::check_id(&client, &describe, &id)?;
    let kind = describe.name();
    if !describe.is("undeletable") {
        let message = format!("the recycle bin does not keep records of `{kind}`");
        return Err(Failure::invalid(message.clone()).field("/object", message));
    }
    host.step(&format!("Looked for the deleted {kind}"), Some(&id));
    let (before, is_deleted) = find(&client, &describe, &id)?;
    let label = before.label(&client, &describe);
    let done = |done: &'static str, notes: Vec<String>| Done {
        done,
        describe: &describe,
        id: &before.id,
        label: &label,
        asked: &[],
        before: None,
        stored: None,
        notes,
    };
    if !is_deleted {
        let note = "nothing was sent: the record is not deleted".to_owned();
        return Ok(done("unchanged", vec![note]).answer(&client));
    }
    let change = Change::new("undelete", kind, &label)
        .id(&before.id)
        .url(names::record_url(client.origin(), kind, &before.id))
        .note("What was deleted along with it comes back, too.")
        .note(UNFORESEEN)
        .undo("Delete it again.");
    let mut content = String::new();
    xml::write(&mut content, "ids", &before.id);
    let request = request(&client, client.version()?, "undelete", &content);
    let mut notes = Vec::new();
    let step = Step {
        title: format!("Restore {kind}"),
        detail: Some(&before.id),
    };
    match Ended::of(&client, kind, host.change(&step, &[change], request)) {
        Ended::Done(_) => {
            if record::again(&client, kind, &before.id, &["Id".to_owned()]).is_err() {
                notes.push("the record is restored, but could not be read back".to_owned());
            }
        }
        Ended::Refused(failure) => return Err(refused(failure)),
        Ended::Unclear(failure) => notes.push(settle(&client, kind, &before.id, failure)?),
    }
    Ok(done("undeleted", notes).answer(&client))
}

/// Finds a record, deleted or not.
fn find(client: &Client<'_>, describe: &Describe, id: &str) -> Result<(Found, bool), Failure> {
    let kind = describe.name();
    let mut fields = vec!["Id", "IsDeleted"];
    fields.extend(record::visible_name(client, describe).map(|name| name.name()));
    let soql = format!("SELECT {} FROM {kind} WHERE Id = '{id}'", fields.join(", "));
    let version = client.version()?;
    let reply = client
        .read(|| Request::get(path!("/services/data/{}/queryAll", version)).query(&[("q", &soql)]))
        .map_err(Failure::from)?;
    let row = reply
        .json
        .get("records")
        .and_then(|rows| rows.items().first());
    match row {
        Some(row) => Ok((Found::new(row.clone(), id), row.is_true_at("IsDeleted"))),
        None => {
            let message = format!(
                "there is no `{kind}` with the id {id}, deleted or not, or you may not see it"
            );
            Err(Failure::not_found(message.clone())
                .field("/id", message)
                .hint("the recycle bin keeps records for 15 days"))
        }
    }
}

fn refused(failure: Failure) -> Failure {
    match failure.service_code.as_deref() {
        Some("UNDELETE_FAILED") if failure.hint.is_none() => failure.hint(
            "a record that went with another comes back with that one: restore what it belonged to",
        ),
        _ => failure,
    }
}

/// The answer was lost: whether the record is there says what came of it.
fn settle(client: &Client<'_>, kind: &str, id: &str, failure: Failure) -> Result<String, Failure> {
    match record::again(client, kind, id, &["Id".to_owned()]) {
        Ok(_) => Ok("the org's answer was lost; the record is there".to_owned()),
        Err(ReadError::Failed(failure)) if failure.reason == Reason::Stopped => Err(failure),
        Err(_) => {
            let args = Json::object([("object", kind.into()), ("id", id.into())]);
            let hint = format!(
                "it may have been restored all the same, and was not tried again: get_record {args} shows whether it is there"
            );
            Err(refused::unclear(failure, hint))
        }
    }
}
