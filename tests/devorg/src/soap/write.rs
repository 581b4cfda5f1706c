//! `create`, `update`, `upsert` and `delete`, and how each of several records gets a result of its own.

use std::sync::Arc;

use super::Call;
use super::fault::Fault;
use super::node::Node;
use super::sobject::Sent;
use crate::error::ApiError;
use crate::id::Id;
use crate::org::{Org, Session};
use crate::records::{self, Upserted, WriteOptions};
use crate::schema::Schema;

/// The most records of a call (*SOAP API Developer Guide*, "create()").
const RECORDS_MAX: usize = 200;

impl Call<'_> {
    /// Makes records.
    pub(super) fn create(&self) -> Result<Vec<Node>, Fault> {
        let (schema, options) = (self.schema(), self.write_options());
        let outcomes = self.each(&self.sent(schema)?, |org, session, sent| {
            if sent.id.is_some() {
                let message = "cannot specify Id in an insert call";
                let field = ["Id".to_owned()];
                return Err(ApiError::of_fields(
                    "INVALID_FIELD_FOR_INSERT_UPDATE",
                    message,
                    field,
                ));
            }
            records::insert(org, session, sent.object, &sent.fields, &options)
        })?;
        Ok(results(outcomes))
    }

    /// Changes records.
    pub(super) fn update(&self) -> Result<Vec<Node>, Fault> {
        let (schema, options) = (self.schema(), self.write_options());
        let outcomes = self.each(&self.sent(schema)?, |org, session, sent| {
            change(org, session, sent, &options)
        })?;
        Ok(results(outcomes))
    }

    /// Makes records, or changes those that have the same value in a field.
    pub(super) fn upsert(&self) -> Result<Vec<Node>, Fault> {
        let (schema, options) = (self.schema(), self.write_options());
        let operation = &self.envelope.operation;
        let field = operation.text_of("externalIDFieldName").unwrap_or("Id");
        let outcomes = self.each(&self.sent(schema)?, |org, session, sent| {
            upsert(org, session, sent, field, &options)
        })?;
        let of_upsert = |outcome: Result<Upserted, ApiError>| {
            let created = matches!(outcome, Ok(Upserted::Created(_)));
            let mut members = vec![Node::text("created", created)];
            members.extend(result(&outcome.map(|upserted| match upserted {
                Upserted::Created(id) | Upserted::Updated(id) => id,
            })));
            Node::of("result", members)
        };
        Ok(outcomes.into_iter().map(of_upsert).collect())
    }

    /// Moves records to the recycle bin.
    pub(super) fn delete(&self) -> Result<Vec<Node>, Fault> {
        let schema = self.schema();
        let outcomes = self.each(&self.ids("ids"), |org, session, text| {
            let (name, id) = named(org, session, text)?;
            let object = schema.object(&name).ok_or_else(ApiError::not_found)?;
            records::remove(org, session, object, id)?;
            Ok(id)
        })?;
        Ok(results(outcomes))
    }

    /// Gives the schema as the caller sees it.
    pub(super) fn schema(&self) -> &Schema {
        self.caller.session.schema()
    }

    /// Gives the texts of the operation's members with a name.
    pub(super) fn ids(&self, name: &str) -> Vec<String> {
        let ids = self.envelope.operation.all(name);
        ids.map(|id| id.text.trim().to_owned()).collect()
    }

    fn sent<'s>(&self, schema: &'s Schema) -> Result<Vec<Sent<'s>>, Fault> {
        let sent = self.envelope.operation.all("sObjects");
        sent.map(|element| Sent::read(element, schema)).collect()
    }

    /// Reads the header `DuplicateRuleHeader`.
    fn write_options(&self) -> WriteOptions<'static> {
        WriteOptions {
            allow_duplicates: self.envelope.is_on("DuplicateRuleHeader", "allowSave"),
            ..WriteOptions::default()
        }
    }

    /// Does the same with each of several things; all or nothing, if the client says so.
    pub(super) fn each<T, D>(
        &self,
        items: &[T],
        act: impl Fn(&mut Org, &Session, &T) -> Result<D, ApiError>,
    ) -> Result<Vec<Result<D, ApiError>>, Fault> {
        if items.len() > RECORDS_MAX {
            let message = format!(
                "record limit reached. cannot submit more than {RECORDS_MAX} records into this call"
            );
            return Err(Fault::api("EXCEEDED_ID_LIMIT", message));
        }
        let all_or_none = self.envelope.is_on("AllOrNoneHeader", "allOrNone");
        let mut org = self.shared.org_mut();
        let beginning = org.begin();
        let outcomes: Vec<_> = items
            .iter()
            .map(|item| act(&mut org, &self.caller.session, item))
            .collect();
        if all_or_none && outcomes.iter().any(Result::is_err) {
            org.roll_back(beginning);
            return Ok(outcomes.into_iter().map(rolled_back).collect());
        }
        org.commit(beginning);
        Ok(outcomes)
    }
}

/// Makes the outcome of a record that is taken back because of another's.
fn rolled_back<D>(outcome: Result<D, ApiError>) -> Result<D, ApiError> {
    outcome.and_then(|_| Err(ApiError::rolled_back()))
}

/// Finds the record that an id names, and the name of its object.
fn named(org: &Org, session: &Session, text: &str) -> Result<(Arc<str>, Id), ApiError> {
    let (object, record) = records::to_write(org, session, text)?;
    Ok((object.name.clone(), record.id))
}

fn change(
    org: &mut Org,
    session: &Session,
    sent: &Sent<'_>,
    options: &WriteOptions<'_>,
) -> Result<Id, ApiError> {
    let object = sent.object;
    let Some(text) = &sent.id else {
        let message = "Id not specified in an update call";
        return Err(ApiError::bad_request("MISSING_ARGUMENT", message));
    };
    let id = records::to_write_of(org, session, object, text)?.id;
    records::update(org, session, object, id, &sent.fields, options)?;
    Ok(id)
}

fn upsert(
    org: &mut Org,
    session: &Session,
    sent: &Sent<'_>,
    field: &str,
    options: &WriteOptions<'_>,
) -> Result<Upserted, ApiError> {
    let object = sent.object;
    if field.eq_ignore_ascii_case("Id") {
        return Ok(match &sent.id {
            Some(_) => Upserted::Updated(change(org, session, sent, options)?),
            None => {
                let id = records::insert(org, session, object, &sent.fields, options)?;
                Upserted::Created(id)
            }
        });
    }
    let mut fields = sent.fields.clone();
    let mut named = sent.fields.iter();
    let value = named
        .find(|(name, _)| name.eq_ignore_ascii_case(field))
        .and_then(|(_, value)| value.as_str());
    let Some(value) = value else {
        let message = format!("{field} not specified");
        return Err(ApiError::bad_request("MISSING_ARGUMENT", message));
    };
    fields.retain(|name, _| !name.eq_ignore_ascii_case(field));
    records::upsert(org, session, object, (field, value), &fields, options)
}

/// Writes the results of a call.
pub(super) fn results(outcomes: Vec<Result<Id, ApiError>>) -> Vec<Node> {
    let outcomes = outcomes.iter();
    outcomes
        .map(|outcome| Node::of("result", result(outcome)))
        .collect()
}

fn result(outcome: &Result<Id, ApiError>) -> Vec<Node> {
    match outcome {
        Ok(id) => vec![Node::text("id", id), Node::text("success", true)],
        Err(error) => {
            let mut members = errors(error);
            members.extend([Node::nil("id"), Node::text("success", false)]);
            members
        }
    }
}

/// Writes why nothing became of a record.
pub(super) fn errors(error: &ApiError) -> Vec<Node> {
    let one = |error: &ApiError| {
        let fields = error.fields.iter();
        let mut members: Vec<Node> = fields.map(|field| Node::text("fields", field)).collect();
        members.push(Node::text("message", &error.message));
        members.push(Node::text("statusCode", &error.code));
        Node::of("errors", members)
    };
    error.each().map(one).collect()
}
