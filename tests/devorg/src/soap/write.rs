//! `create`, `update`, `upsert` and `delete`: each record has a result of its own.

use std::sync::Arc;

use super::Call;
use super::fault::Fault;
use super::node::Node;
use super::sobject::Sent;
use crate::error::ApiError;
use crate::id::Id;
use crate::org::{Org, Session};
use crate::records::{self, Key};
use crate::schema::{Object, Schema};

/// The most records of a call (*SOAP API Developer Guide*, "create()").
const RECORDS_MAX: usize = 200;

/// What became of a record.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) id: Id,
    /// Whether it is new.
    pub(super) created: bool,
}

/// What became of a record, or why nothing did.
pub(super) type Outcome = Result<Done, ApiError>;

impl Call<'_> {
    /// Makes records.
    pub(super) fn create(&self) -> Result<Vec<Node>, Fault> {
        let schema = self.schema();
        let outcomes = self.each(&self.sent(&schema)?, |org, session, sent| {
            let id = records::create(org, session, sent.object, &sent.body(), None)?;
            Ok(Done { id, created: true })
        })?;
        Ok(results(outcomes))
    }

    /// Changes records.
    pub(super) fn update(&self) -> Result<Vec<Node>, Fault> {
        let schema = self.schema();
        let outcomes = self.each(&self.sent(&schema)?, change)?;
        Ok(results(outcomes))
    }

    /// Makes records, or changes those that have the same value in a field.
    pub(super) fn upsert(&self) -> Result<Vec<Node>, Fault> {
        let schema = self.schema();
        let operation = &self.envelope.operation;
        let field = operation.text_of("externalIDFieldName").unwrap_or("Id");
        let outcomes = self.each(&self.sent(&schema)?, |org, session, sent| {
            upsert(org, session, sent, field)
        })?;
        let of_upsert = |outcome: Outcome| {
            let created = outcome.as_ref().is_ok_and(|done| done.created);
            let mut members = vec![Node::text("created", created)];
            members.extend(result(&outcome));
            Node::of("result", members)
        };
        Ok(outcomes.into_iter().map(of_upsert).collect())
    }

    /// Moves records to the recycle bin.
    pub(super) fn delete(&self) -> Result<Vec<Node>, Fault> {
        let schema = self.schema();
        let outcomes = self.each(&self.ids("ids"), |org, session, text| {
            let object = object_of(&schema, text)?;
            let id = existing(org, object, text)?;
            records::remove(org, session, object, id)?;
            Ok(Done { id, created: false })
        })?;
        Ok(results(outcomes))
    }

    /// Gives the schema, apart from the org, which is about to be changed.
    pub(super) fn schema(&self) -> Arc<Schema> {
        self.shared.org().schema.clone()
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

    /// Does the same with each of several things; all or nothing, if the client says so.
    pub(super) fn each<T>(
        &self,
        items: &[T],
        act: impl Fn(&mut Org, &Session, &T) -> Outcome,
    ) -> Result<Vec<Outcome>, Fault> {
        if items.len() > RECORDS_MAX {
            let message = format!(
                "record limit reached. cannot submit more than {RECORDS_MAX} records into this call"
            );
            return Err(Fault::api("EXCEEDED_ID_LIMIT", message));
        }
        let all_or_none = self.envelope.is_on("AllOrNoneHeader", "allOrNone");
        let mut org = self.shared.org_mut();
        let before = all_or_none.then(|| org.clone());
        let outcomes = items
            .iter()
            .map(|item| act(&mut org, &self.caller.session, item));
        let outcomes: Vec<Outcome> = outcomes.collect();
        match before {
            Some(before) if outcomes.iter().any(Result::is_err) => {
                *org = before;
                Ok(outcomes.into_iter().map(rolled_back).collect())
            }
            _ => Ok(outcomes),
        }
    }
}

/// Makes the outcome of a record that is taken back because of another's.
fn rolled_back(outcome: Outcome) -> Outcome {
    outcome.and_then(|_| {
        Err(ApiError::bad_request(
            "ALL_OR_NONE_OPERATION_ROLLED_BACK",
            "Record rolled back because not all records were valid and the request was using \
             AllOrNone header",
        ))
    })
}

fn change(org: &mut Org, session: &Session, sent: &Sent<'_>) -> Outcome {
    let Some(text) = &sent.id else {
        let message = "Id not specified in an update call";
        return Err(ApiError::bad_request("MISSING_ARGUMENT", message));
    };
    let id = existing(org, sent.object, text)?;
    let record = records::by_id(org, sent.object, text, false)?.clone();
    records::change(org, session, sent.object, &record, &sent.body())?;
    Ok(Done { id, created: false })
}

fn upsert(org: &mut Org, session: &Session, sent: &Sent<'_>, field: &str) -> Outcome {
    if field.eq_ignore_ascii_case("Id") {
        if sent.id.is_some() {
            return change(org, session, sent);
        }
        let id = records::create(org, session, sent.object, &sent.body(), None)?;
        return Ok(Done { id, created: true });
    }
    let mut fields = sent.fields.clone();
    let key = fields
        .keys()
        .find(|name| name.eq_ignore_ascii_case(field))
        .cloned();
    let value = key.and_then(|key| fields.remove(&key));
    let Some(value) = value.as_ref().and_then(|value| value.as_str()) else {
        let message = format!("{field} not specified");
        return Err(ApiError::bad_request("MISSING_ARGUMENT", message));
    };
    let sent = Sent {
        object: sent.object,
        id: None,
        fields,
    };
    match records::by_field(org, sent.object, field, value)? {
        Key::One(id) => change(
            org,
            session,
            &Sent {
                id: Some(id.to_string()),
                ..sent
            },
        ),
        Key::None => {
            let given = Some((field, value));
            let id = records::create(org, session, sent.object, &sent.body(), given)?;
            Ok(Done { id, created: true })
        }
        Key::Several(ids) => {
            let ids: Vec<&str> = ids.iter().map(Id::as_str).collect();
            let message = format!(
                "{field}: more than one record found for external id field: [{}]",
                ids.join(", ")
            );
            Err(ApiError::bad_request("DUPLICATE_EXTERNAL_ID", message))
        }
    }
}

/// Finds the object that an id belongs to.
pub(super) fn object_of<'s>(schema: &'s Schema, text: &str) -> Result<&'s Object, ApiError> {
    let object = Id::parse(text).and_then(|id| schema.object_by_prefix(id.prefix()));
    object.ok_or_else(|| ApiError::bad_request("MALFORMED_ID", format!("bad id {text}")))
}

/// Finds a record that is there; what another API answers with 404 is a reference that leads nowhere.
pub(super) fn existing(org: &Org, object: &Object, text: &str) -> Result<Id, ApiError> {
    if Id::parse(text).is_none() {
        return Err(ApiError::bad_request(
            "MALFORMED_ID",
            format!("bad id {text}"),
        ));
    }
    match records::by_id(org, object, text, false) {
        Ok(record) => Ok(record.id),
        Err(error) if error.code == "NOT_FOUND" => {
            let message = "invalid cross reference id";
            Err(ApiError::bad_request(
                "INVALID_CROSS_REFERENCE_KEY",
                message,
            ))
        }
        Err(error) => Err(error),
    }
}

/// Writes the results of a call.
pub(super) fn results(outcomes: Vec<Outcome>) -> Vec<Node> {
    let outcomes = outcomes.iter();
    outcomes
        .map(|outcome| Node::of("result", result(outcome)))
        .collect()
}

fn result(outcome: &Outcome) -> Vec<Node> {
    match outcome {
        Ok(done) => vec![Node::text("id", done.id), Node::text("success", true)],
        Err(error) => vec![
            error_node(error),
            Node::nil("id"),
            Node::text("success", false),
        ],
    }
}

/// Writes why nothing became of a record.
pub(super) fn error_node(error: &ApiError) -> Node {
    let mut members: Vec<Node> = error
        .fields
        .iter()
        .map(|field| Node::text("fields", field))
        .collect();
    members.push(Node::text("message", &error.message));
    members.push(Node::text("statusCode", &error.code));
    Node::of("errors", members)
}
