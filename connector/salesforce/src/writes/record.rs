//! A record as it is: read before a change with what a person knows it by, and again after.

use std::rc::Rc;

use portcullis_sdk::Failure;
use portcullis_sdk::http::{Request, path};

use super::asked::Asked;
use super::moment::Moment;
use crate::client::{Client, ReadError};
use crate::describe::{Describe, Field};
use crate::json::Json;
use crate::lookup;
use crate::names;
use crate::repair::{Asked as Repair, described, repaired};
use crate::service_error::ServiceError;

/// A record, as it was read.
#[derive(Debug)]
pub(super) struct Found {
    /// Its fields.
    pub(super) json: Json,
    /// Its id, with 18 characters.
    pub(super) id: String,
    /// When anything of it was changed last.
    pub(super) modified: Option<Moment>,
}

/// What to read of a record.
#[derive(Debug, Default)]
pub(super) struct Select {
    /// Fields of its own.
    pub(super) fields: Vec<String>,
    /// What a person wants to know besides, such as parents' names: left out where the service refuses it.
    pub(super) extras: Vec<String>,
}

/// Describes the object, or says which ones have a near name.
///
/// # Errors
/// There is no such object, or the org does not answer.
pub(super) fn describe(client: &Client<'_>, kind: &str) -> Result<Rc<Describe>, Failure> {
    described(client, kind)
}

/// Refuses the id of another object's record, before it costs a request.
///
/// # Errors
/// `invalid-argument` at `/id`.
pub(super) fn check_id(client: &Client<'_>, describe: &Describe, id: &str) -> Result<(), Failure> {
    let kind = describe.name();
    let is_other = describe
        .key_prefix()
        .is_some_and(|prefix| !id.starts_with(prefix));
    if !is_other {
        return Ok(());
    }
    let of = match lookup::object_of(client, id) {
        Some(object) => format!("it is of the object `{object}`"),
        None => "an id's first three characters say its object".to_owned(),
    };
    Err(
        Failure::invalid(format!("{id} is no id of the object `{kind}`"))
            .field("/id", format!("is no id of the object `{kind}`; {of}"))
            .hint("query finds a record's id by its name"),
    )
}

impl Select {
    /// Selects what a change of these fields needs: their values, the record's name, and when it was changed last.
    pub(super) fn new<'a>(
        client: &Client<'_>,
        describe: &Describe,
        fields: impl IntoIterator<Item = &'a Asked<'a>>,
    ) -> Self {
        Self::of(client, describe, &mut fields.into_iter())
    }

    /// Is there once, whatever the fields come from.
    fn of<'a>(
        client: &Client<'_>,
        describe: &Describe,
        fields: &mut dyn Iterator<Item = &'a Asked<'a>>,
    ) -> Self {
        let mut select = Self::default();
        select.add("Id");
        if let Some(name) = visible_name(client, describe) {
            select.add(name.name());
        }
        for stamp in ["LastModifiedDate", "SystemModstamp", "CurrencyIsoCode"] {
            if describe.field(stamp).is_some() {
                select.add(stamp);
            }
        }
        for asked in fields {
            select.add(asked.field.name());
            if let Some(relationship) = asked.field.relationship()
                && let Some(name) = target_name(client, asked.field)
            {
                let path = format!("{relationship}.{name}");
                if !select.extras.contains(&path) {
                    select.extras.push(path);
                }
            }
        }
        select
    }

    /// Selects one more field of its own.
    pub(super) fn add(&mut self, name: &str) {
        if !self.fields.iter().any(|known| known == name) {
            self.fields.push(name.to_owned());
        }
    }

    fn soql(&self, kind: &str, condition: &str, with_extras: bool) -> String {
        let extras: &[String] = if with_extras { &self.extras } else { &[] };
        let all: Vec<&str> = self
            .fields
            .iter()
            .chain(extras)
            .map(String::as_str)
            .collect();
        format!("SELECT {} FROM {kind} WHERE {condition}", all.join(", "))
    }

    /// Writes the query that reads a record.
    pub(super) fn query_of(&self, kind: &str, id: &str) -> String {
        self.soql(kind, &format!("Id = '{id}'"), true)
    }

    /// Reads the records that fit a condition.
    ///
    /// # Errors
    /// The org does not answer, or refuses a field.
    pub(super) fn all(
        &self,
        client: &Client<'_>,
        describe: &Describe,
        condition: &str,
    ) -> Result<Vec<Found>, Failure> {
        let kind = describe.name();
        let mut answer = query(client, &self.soql(kind, condition, true));
        if let (Err(ReadError::Service(error)), false) = (&answer, self.extras.is_empty())
            && error.status == 400
        {
            answer = query(client, &self.soql(kind, condition, false));
        }
        let reply =
            answer.map_err(|error| repaired(client, error, about(Some(kind), "/fields")))?;
        Ok(Found::all(&reply))
    }

    /// Reads a record.
    ///
    /// # Errors
    /// It is not there, or not visible; the org does not answer.
    pub(super) fn find(
        &self,
        client: &Client<'_>,
        describe: &Describe,
        id: &str,
    ) -> Result<Found, Failure> {
        let found = self.all(client, describe, &format!("Id = '{id}'"))?;
        match found.into_iter().next() {
            Some(found) => Ok(found),
            None => missing(client, describe, id),
        }
    }
}

impl Found {
    /// Takes the records of a query's answer.
    pub(super) fn all(reply: &Json) -> Vec<Self> {
        let found = reply.get("records").map_or(&[][..], Json::items).iter();
        found.map(|record| Self::new(record.clone(), "")).collect()
    }

    pub(super) fn new(json: Json, id: &str) -> Self {
        let stamp = |name| json.str_at(name).and_then(Moment::parse);
        // The later of the two holds whichever of them the service compares.
        let modified = stamp("LastModifiedDate").max(stamp("SystemModstamp"));
        let id = names::long_id(json.str_at("Id").unwrap_or(id));
        Self { json, id, modified }
    }

    /// Gives a field's value; null where there is none.
    pub(super) fn value(&self, field: Field<'_>) -> &Json {
        self.json.get_folded(field.name()).unwrap_or(&Json::Null)
    }

    /// Gives the name of the record that a reference leads to.
    pub(super) fn name_of(&self, field: Field<'_>) -> Option<&str> {
        let parent = self.json.get_folded(field.relationship()?)?;
        let name = parent
            .members()
            .iter()
            .find(|(name, _)| name != "attributes")?;
        name.1.as_str()
    }

    /// Gives what a person calls the record: its name, or its id where that is hidden or empty.
    pub(super) fn label(&self, client: &Client<'_>, describe: &Describe) -> String {
        let name = visible_name(client, describe);
        let name = name.and_then(|name| self.value(name).as_str());
        name.unwrap_or(&self.id).to_owned()
    }
}

/// Gives the field that people know its records by, where the agent may see it.
pub(super) fn visible_name<'d>(client: &Client<'_>, describe: &'d Describe) -> Option<Field<'d>> {
    let name = describe.name_field()?;
    let seen = client.visible_fields(describe.name(), &[name.name().to_owned()]);
    (!seen.is_empty()).then_some(name)
}

/// Gives the field that names what a reference leads to, where the agent may see it of every kind that it may lead to.
fn target_name(client: &Client<'_>, field: Field<'_>) -> Option<&'static str> {
    let targets: Vec<&str> = field.targets().collect();
    let name = match targets.as_slice() {
        [] => return None,
        [target] => names::name_field_of(target),
        // A path through several kinds has the fields of `Name`.
        _ => "Name",
    };
    let is_visible = |target: &&str| {
        client.may_read(target) && !client.visible_fields(target, &[name.to_owned()]).is_empty()
    };
    targets.iter().all(is_visible).then_some(name)
}

/// Reads a record again, after a change.
///
/// # Errors
/// As any read.
pub(super) fn again(
    client: &Client<'_>,
    kind: &str,
    id: &str,
    fields: &[String],
) -> Result<Found, ReadError> {
    let version = client.version()?;
    let path = path!("/services/data/{}/sobjects/{}/{}", version, kind, id);
    let list = fields.join(",");
    let reply = client.read(|| {
        let request = Request::get(path.clone());
        match fields.is_empty() {
            true => request,
            false => request.query(&[("fields", &list)]),
        }
    })?;
    Ok(Found::new(reply.json, id))
}

/// Runs a query of our own.
///
/// # Errors
/// As any read.
pub(super) fn query(client: &Client<'_>, soql: &str) -> Result<Json, ReadError> {
    Ok(client.query(soql)?.json)
}

/// A query found nothing: the record's own address says whether it is deleted, or was never there.
fn missing(client: &Client<'_>, describe: &Describe, id: &str) -> Result<Found, Failure> {
    let kind = describe.name();
    let error = match again(client, kind, id, &["Id".to_owned()]) {
        Err(ReadError::Service(error)) => error,
        Err(ReadError::Failed(failure)) => return Err(failure),
        Ok(_) => ServiceError {
            status: 404,
            code: None,
            message: "the org lists no such record".to_owned(),
            retry_after_seconds: None,
            choices: Vec::new(),
        },
    };
    let words = error.sentence();
    let failure = Failure::from(error);
    let message = format!("{words}: there is no `{kind}` with the id {id}, or you may not see it");
    let failure = Failure { message, ..failure };
    match failure.hint {
        Some(_) => Err(failure),
        None => Err(failure.hint("query finds a record's id by its name")),
    }
}

fn about<'a>(kind: Option<&'a str>, pointer: &'a str) -> Repair<'a> {
    Repair {
        query: None,
        kind,
        pointer,
    }
}
