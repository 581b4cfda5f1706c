//! `create_record`: a new record, by a POST that is never sent twice.

use portcullis_sdk::approvals::Change;
use portcullis_sdk::http::{Request, path};
use portcullis_sdk::permissions::Access;
use portcullis_sdk::{Failure, Output, Reason};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::asked::{self, Asked, Problems, Purpose};
use super::record;
use super::refused::Ended;
use super::said::{self, Done};
use super::update::body;
use super::{BIN_DAYS, UNFORESEEN, targets};
use crate::client::Client;
use crate::describe::Describe;
use crate::host::Host;
use crate::json::Json;
use crate::lookup;
use crate::names;

const RECORD_TYPE: &str = "RecordTypeId";

/// What `create_record` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct CreateRecord {
    /// API name, such as `Account`.
    object: String,
    /// Values by the fields' API names, as for update_record.
    fields: Map<String, Value>,
    /// API name, label or id.
    record_type: Option<String>,
}

/// Makes a record.
///
/// # Errors
/// Values that are missing or do not fit, each with what would; what the org refuses. After an unclear failure it
/// says that the record may be there, and which query shows it.
pub fn create_record(host: &dyn Host, args: &CreateRecord) -> Result<Output, Failure> {
    let client = Client::new(host);
    let kind = lookup::object_name(&client, &args.object)?;
    let mut given = asked::names(&client, kind, &args.fields)?;
    given.extend(args.record_type.as_ref().map(|_| RECORD_TYPE.to_owned()));
    host.check(&[Access::write(kind, &given)])?;

    let describe = record::describe(&client, kind)?;
    let kind = describe.name();
    if !describe.is("createable") {
        let message = format!("this user may not make records of `{kind}`, or nobody may");
        return Err(
            Failure::not_permitted(message).hint("describe_object says what the object allows")
        );
    }
    let mut fields = args.fields.clone();
    if let Some(wanted) = &args.record_type {
        let id = record_type(&describe, &fields, wanted)?;
        fields.insert(RECORD_TYPE.to_owned(), id.into());
    }
    let mut problems = Problems::default();
    let asked = asked::read(&client, &describe, &fields, Purpose::Create, &mut problems);
    asked::require(&describe, &fields, &mut problems);
    problems.refuse(&client)?;
    let mut problems = Problems::default();
    let names = targets::names(&client, &describe, &asked, &mut problems)?;
    problems.refuse(&client)?;

    let label = label(&describe, &asked);
    let mut change = said::fields(Change::new("create", kind, &label), &asked, None);
    change.notes = said::in_words(&asked, None, &names);
    if matches!(kind, "Lead" | "Case") {
        change =
            change.note("The org's assignment rule may give it to another owner, and tell them.");
    }
    let change = change
        .note("Fields that are not given get the org's defaults.")
        .note(UNFORESEEN)
        .undo(format!(
            "Delete it; the recycle bin keeps it for {BIN_DAYS} days."
        ));
    let version = client.version()?;
    let path = path!("/services/data/{}/sobjects/{}", version, kind);
    let request = Request::post(path).body("application/json", body(&asked));
    let reply = match Ended::of(host.change(&[change], request)) {
        Ended::Done(reply) => reply,
        Ended::Refused(failure) | Ended::Changed(failure) => return Err(failure),
        Ended::Unclear(failure) => return Err(unclear(&client, &describe, &asked, failure)),
    };
    let Some(id) = reply.str_at("id").and_then(|id| names::record_id(id).ok()) else {
        let failure = Failure::unavailable("the org answered without the new record's id");
        return Err(unclear(&client, &describe, &asked, failure));
    };
    host.step(&format!("Created {kind}"), Some(id));
    Ok(read_back(&client, &describe, id, &label, &asked))
}

/// Reads the new record and answers; it is there, whether it can be read or not.
fn read_back(
    client: &Client<'_>,
    describe: &Describe,
    id: &str,
    label: &str,
    asked: &[Asked<'_>],
) -> Output {
    let names: Vec<String> = asked
        .iter()
        .map(|asked| asked.field.name().to_owned())
        .collect();
    let visible = client.host.visible_fields(describe.name(), &names);
    let mut notes = Vec::new();
    // Who may set a field may yet be kept from reading it.
    let stored = match visible.len() == names.len() {
        true => record::again(client, describe.name(), id, &names).ok(),
        false => None,
    };
    if stored.is_none() {
        notes.push("the record is made, but could not be read back".to_owned());
    }
    let done = Done {
        done: "created",
        describe,
        id: &names::long_id(id),
        label,
        asked,
        before: None,
        stored: stored.as_ref(),
        notes,
    };
    done.answer(client)
}

/// Finds a record type by its API name, label or id.
fn record_type(
    describe: &Describe,
    fields: &Map<String, Value>,
    wanted: &str,
) -> Result<String, Failure> {
    if fields
        .keys()
        .any(|name| name.trim().eq_ignore_ascii_case(RECORD_TYPE))
    {
        return Err(Failure::invalid("the record type is given twice").field(
            "/record_type",
            "leave out this or `RecordTypeId` among the fields",
        ));
    }
    let wanted = wanted.trim();
    let long = names::long_id(wanted);
    let is_it = |(id, api_name, label): &(&str, &str, &str)| {
        names::long_id(id) == long
            || [api_name, label]
                .iter()
                .any(|known| known.eq_ignore_ascii_case(wanted))
    };
    let mut types = describe.record_types();
    match types.find(is_it) {
        Some((id, ..)) => Ok(id.to_owned()),
        None => {
            let problem = format!(
                "`{}` {}",
                describe.name(),
                targets::not_a_type(describe, wanted)
            );
            Err(
                Failure::invalid("nothing was made: there is no such record type")
                    .field("/record_type", problem),
            )
        }
    }
}

/// Gives what a person will call the record.
fn label(describe: &Describe, asked: &[Asked<'_>]) -> String {
    let text = |name: &str| {
        asked
            .iter()
            .find(|asked| asked.field.name() == name)?
            .value
            .as_str()
    };
    let name = describe.name_field().and_then(|field| text(field.name()));
    let parts: Vec<&str> = ["FirstName", "LastName"]
        .iter()
        .filter_map(|name| text(name))
        .collect();
    match (name, parts.is_empty()) {
        (Some(name), _) => name.to_owned(),
        (None, false) => parts.join(" "),
        (None, true) => format!("new {}", describe.label()),
    }
}

/// The record may be there: names the query that shows it.
fn unclear(
    client: &Client<'_>,
    describe: &Describe,
    asked: &[Asked<'_>],
    failure: Failure,
) -> Failure {
    let mut conditions = Vec::new();
    if let Some(identity) = &client.account().identity {
        conditions.push(format!("CreatedById = '{}'", identity.user_id));
    }
    let names = ["LastName", "Subject", "Title"];
    let name = describe
        .name_field()
        .map(|field| field.name())
        .into_iter()
        .chain(names);
    let known = name
        .filter_map(|name| asked.iter().find(|asked| asked.field.name() == name))
        .find(|asked| asked.field.is("filterable") && matches!(asked.value, Json::String(_)));
    if let Some(asked) = known {
        let value = asked.value.as_str().unwrap_or_default();
        let value = value.replace('\\', "\\\\").replace('\'', "\\'");
        conditions.push(format!("{} = '{value}'", asked.field.name()));
    }
    conditions.push("CreatedDate >= YESTERDAY".to_owned());
    let soql = format!(
        "SELECT Id, CreatedDate FROM {} WHERE {} ORDER BY CreatedDate DESC LIMIT 5",
        describe.name(),
        conditions.join(" AND ")
    );
    let hint = format!(
        "the record may have been made all the same, and nothing was sent again. Look before you call create_record anew: query {{\"soql\": {}}}",
        Json::from(soql)
    );
    Failure {
        reason: Reason::Unavailable,
        hint: None,
        ..failure
    }
    .hint(hint)
}
