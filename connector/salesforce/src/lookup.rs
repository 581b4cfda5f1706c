//! What a caller meant by an id or a name that leads nowhere: the object that an id is of, the record of a name, the object
//! or field of a label.
//!
//! Only a refusal is looked at, and only what the agent may read is looked for and named. Where nothing can be learned, the
//! refusal stays as it was.

use portcullis_sdk::Failure;
use portcullis_sdk::audit::Source;

use crate::client::{Client, ReadError};
use crate::json::Json;
use crate::names;
use crate::repair::{near_fields, near_objects};

/// Records of a name that a refusal lists.
const NAMED_SHOWN: usize = 3;

/// Says which object an id is of, at the end of a sentence, as far as that is known without asking and the agent may read it.
pub fn known_object(client: &Client<'_>, id: &str) -> String {
    match names::object_of(id).filter(|object| client.may_read(object)) {
        Some(object) => format!(", but of the object `{object}`"),
        None => String::new(),
    }
}

/// Names the object that an id is of, where the agent may read it.
pub fn object_of(client: &Client<'_>, id: &str) -> Option<String> {
    if let Some(object) = names::object_of(id) {
        return client.may_read(object).then(|| object.to_owned());
    }
    let prefix = id.get(..3)?;
    let objects = crate::schema::objects(client).ok()?;
    let mut items = objects.items().iter();
    let object = items.find(|object| object.str_at("keyPrefix") == Some(prefix))?;
    object.str_at("name").map(str::to_owned)
}

/// Says which records of an object have a name, at the end of a sentence. Empty: none, or it is hidden.
pub fn named(client: &Client<'_>, kind: &str, name: &str) -> String {
    let ids = ids_named(client, kind, name).unwrap_or_default();
    match ids.is_empty() {
        true => String::new(),
        false => {
            let ids: Vec<_> = ids.iter().map(|id| format!("`{id}`")).collect();
            format!("; records of `{kind}` of that name: {}", ids.join(", "))
        }
    }
}

fn ids_named(client: &Client<'_>, kind: &str, name: &str) -> Option<Vec<String>> {
    let found = ids_where(client, kind, names::name_field_of(kind), name.trim());
    found.ok().flatten()
}

/// Gives the ids of records by the value of a field, a few at most; none where the agent or the user may not look for them.
///
/// # Errors
/// There is no answer.
pub fn ids_where(
    client: &Client<'_>,
    kind: &str,
    field: &str,
    value: &str,
) -> Result<Option<Vec<String>>, ReadError> {
    let mut wanted = vec!["Id".to_owned(), field.to_owned()];
    wanted.dedup();
    if !client.may_read(kind) || client.visible_fields(kind, &wanted).len() < wanted.len() {
        return Ok(None);
    }
    let literal = soql::StringLiteral::new(value);
    let soql =
        format!("SELECT Id FROM {kind} WHERE {field} = {literal} ORDER BY Id LIMIT {NAMED_SHOWN}");
    let reply = match client.query(&soql) {
        Ok(reply) => reply,
        Err(ReadError::Service(_)) => return Ok(None),
        Err(failed) => return Err(failed),
    };
    client.host.cite(&[Source::new(kind).fields(wanted)]);
    let records = reply.json.get("records").map_or(&[][..], Json::items);
    let ids = records.iter().filter_map(|record| record.str_at("Id"));
    Ok(Some(ids.map(str::to_owned).collect()))
}

/// Reads an object's API name.
///
/// # Errors
/// It is none: with the objects whose names or labels are near.
pub fn object_name<'a>(client: &Client<'_>, text: &'a str) -> Result<&'a str, Failure> {
    names::api_name(text, "/object").map_err(|failure| with_near_object(client, text, failure))
}

/// Says in the refusal of what is no object's API name which objects have near names or labels.
pub fn with_near_object(client: &Client<'_>, text: &str, failure: Failure) -> Failure {
    match near_objects(client, text) {
        Ok(near) => Failure {
            hint: Some(near),
            ..failure
        },
        Err(_) => failure,
    }
}

/// Reads the id of a record of an object.
///
/// # Errors
/// It is none: with the ids of the records that have it as their name.
pub fn record_id<'a>(client: &Client<'_>, kind: &str, id: &'a str) -> Result<&'a str, Failure> {
    names::record_id(id).map_err(|failure| with_named(client, kind, id, failure))
}

/// Adds to the refusal of what is no id which records have it as their name.
pub fn with_named(client: &Client<'_>, kind: &str, id: &str, mut failure: Failure) -> Failure {
    if let Some(field) = failure
        .fields
        .iter_mut()
        .find(|field| field.pointer == "/id")
    {
        field.problem.push_str(&named(client, kind, id));
    }
    failure
}

/// Adds to the refusal of what is no field's API name which fields have near names or labels.
pub fn with_near_field(
    client: &Client<'_>,
    kind: &str,
    text: &str,
    mut failure: Failure,
) -> Failure {
    if !client.may_read(kind) {
        return failure;
    }
    if let (Ok(describe), Some(field)) = (client.describe(kind), failure.fields.first_mut()) {
        let near = near_fields(client, text, &describe);
        field.problem.push_str("; ");
        field.problem.push_str(&near);
    }
    failure
}
