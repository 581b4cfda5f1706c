//! `create_record`: a new record, by a POST that is never sent twice.

use portcullis_sdk::approvals::Change;
use portcullis_sdk::http::{Request, path};
use portcullis_sdk::permissions::Access;
use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::UNFORESEEN;
use super::asked::{self, Asked, FIELDS, Problems, Purpose};
use super::record;
use super::refused::{self, Ended};
use super::said::{self, Done};
use super::targets::{self, Names};
use super::update::body;
use crate::client::Client;
use crate::describe::Describe;
use crate::host::{Host, Step};
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
    let wanted_type = args.record_type.as_deref();
    create(&client, kind, &args.fields, wanted_type, &Names::default())
}

/// Makes a record of these fields. `known` are names that references lead to.
///
/// # Errors
/// As [`create_record`].
pub(super) fn create(
    client: &Client<'_>,
    kind: &str,
    fields: &Map<String, Value>,
    wanted_type: Option<&str>,
    known: &Names,
) -> Result<Output, Failure> {
    let mut given = asked::names(client, kind, fields, FIELDS)?;
    given.extend(wanted_type.map(|_| RECORD_TYPE.to_owned()));
    client.host.check(&[Access::write(kind, &given)])?;

    let describe = asked::describe(client, kind, Purpose::Create, &mut std::iter::once(fields))?;
    check_createable(&describe)?;
    let kind = describe.name();
    let mut fields = fields.clone();
    if let Some(wanted) = wanted_type {
        let id = record_type(&describe, &fields, wanted)?;
        fields.insert(RECORD_TYPE.to_owned(), id.into());
    }
    let mut problems = Problems::default();
    let asked = asked::read(client, &describe, &fields, Purpose::Create, &mut problems);
    asked::require(client, &describe, &fields, &mut problems);
    problems.refuse(client)?;
    let version = client.version()?;
    let request = Request::post(path!("/services/data/{}/sobjects/{}", version, kind))
        .body("application/json", body(&asked));
    let new = New {
        client,
        describe: &describe,
        asked: &asked,
    };
    let change = new.announcement(known)?;
    let step = Step {
        title: format!("Create {kind}"),
        detail: None,
    };
    let sent = client.host.change(&step, &[change], request);
    let reply = match Ended::of(client, kind, sent) {
        Ended::Done(reply) => reply,
        Ended::Refused(failure) | Ended::Changed(failure) => return Err(failure),
        Ended::Unclear(failure) => return Err(unclear(client, &describe, &asked, failure)),
    };
    let Some(id) = reply.str_at("id").and_then(|id| names::record_id(id).ok()) else {
        let failure = Failure::unavailable("the org answered without the new record's id");
        return Err(unclear(client, &describe, &asked, failure));
    };
    Ok(new.read_back("created", id, Vec::new()))
}

/// Refuses where the user may not make records of the object.
///
/// # Errors
/// `not-permitted`.
pub(super) fn check_createable(describe: &Describe) -> Result<(), Failure> {
    if describe.is("createable") {
        return Ok(());
    }
    let kind = describe.name();
    let message = format!("this user may not make records of `{kind}`, or nobody may");
    Err(Failure::not_permitted(message).hint("describe_object says what the object allows"))
}

/// A record that is to be made.
pub(super) struct New<'a> {
    /// The org.
    pub(super) client: &'a Client<'a>,
    /// The record's object.
    pub(super) describe: &'a Describe,
    /// Its fields.
    pub(super) asked: &'a [Asked<'a>],
}

impl New<'_> {
    /// Says what will be made. `known` are names that references lead to.
    ///
    /// # Errors
    /// A reference leads to no record.
    pub(super) fn announcement(&self, known: &Names) -> Result<Change, Failure> {
        let mut problems = Problems::default();
        let asked = targets::of_one(self.asked);
        let names = targets::names(self.client, self.describe, asked, known, &mut problems)?;
        problems.refuse(self.client)?;
        let kind = self.describe.name();
        let label = label(self.describe, self.asked);
        let change = Change::new("create", kind, &label);
        let mut change = said::fields(change, self.asked, None, "");
        change.notes = said::in_words(self.asked, None, &names);
        for note in notes(kind) {
            change = change.note(note);
        }
        Ok(change.undo(UNDO))
    }

    /// Reads the new record and answers; it is there, whether it can be read or not.
    pub(super) fn read_back(&self, done: &'static str, id: &str, mut notes: Vec<String>) -> Output {
        let names = self.asked.iter().map(|asked| asked.field.name().to_owned());
        let names: Vec<String> = names.collect();
        let kind = self.describe.name();
        // Who may set a field may yet be kept from reading it.
        let stored = match self.client.visible_fields(kind, &names).len() == names.len() {
            true => record::again(self.client, kind, id, &names).ok(),
            false => None,
        };
        if stored.is_none() {
            notes.push(format!("the record is {done}, but could not be read back"));
        }
        let done = Done {
            done,
            describe: self.describe,
            id: &names::long_id(id),
            label: &label(self.describe, self.asked),
            asked: self.asked,
            before: None,
            stored: stored.as_ref(),
            notes,
        };
        done.answer(self.client)
    }
}

/// How to take a new record back; the recycle bin keeps it for [`BIN_DAYS`](super::BIN_DAYS).
pub(super) const UNDO: &str = "Delete it; the recycle bin keeps it for 15 days.";

/// What happens besides when a record is made.
pub(super) fn notes(kind: &str) -> Vec<&'static str> {
    let mut notes = Vec::new();
    if matches!(kind, "Lead" | "Case") {
        notes.push("The org's assignment rule may give it to another owner, and tell them.");
    }
    notes.extend([
        "Fields that are not given get the org's defaults.",
        UNFORESEEN,
    ]);
    notes
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
pub(super) fn label(describe: &Describe, asked: &[Asked<'_>]) -> String {
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
        let value = soql::StringLiteral::new(value);
        conditions.push(format!("{} = {value}", asked.field.name()));
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
    refused::unclear(failure, hint)
}
