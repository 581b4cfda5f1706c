//! One record, by its id or an external id.

use portcullis_sdk::audit::Source;
use portcullis_sdk::http::{Path, Request, path};
use portcullis_sdk::{Failure, Output, Reason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::{Client, ReadError};
use crate::currency;
use crate::describe::{Describe, Field};
use crate::host::Host;
use crate::json::{Json, Text};
use crate::lookup;
use crate::names;
use crate::nearest::{Candidate, listed, nearest};
use crate::repair::{Asked, described, repaired};
use crate::rows;
use crate::service_error::ServiceError;
use crate::table::{Bounds, Row, Table};
use crate::touched::Touched;

/// One record is shown whole but for what no answer can hold: rich text has up to 131,072 characters.
const BOUNDS: Bounds = Bounds {
    cell_chars_max: 32_000,
    text_bytes_max: 400_000,
};

/// What `get_record` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct GetRecord {
    /// API name, such as `Account`.
    object: String,
    /// 15 or 18 characters.
    id: Option<String>,
    /// Instead of an id: an external id field…
    external_id_field: Option<String>,
    /// …and its value.
    external_id: Option<String>,
    /// Default: all that are set.
    fields: Option<Vec<String>>,
}

/// What `get_record` answers as data.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Record {
    object: String,
    id: Option<String>,
    url: Option<String>,
    /// Values as the service sent them, nulls included.
    fields: serde_json::Map<String, serde_json::Value>,
}

/// Which record is meant.
enum Key<'a> {
    Id(&'a str),
    External(&'a str, &'a str),
}

/// Gives one record.
///
/// # Errors
/// There is no such record, object or field; several have the external id; the agent may not see it.
pub fn get_record(host: &dyn Host, args: &GetRecord) -> Result<Output, Failure> {
    let client = Client::new(host);
    let kind = lookup::object_name(&client, &args.object)?;
    let key = Key::of(args).map_err(|failure| {
        let id = args.id.as_deref().unwrap_or_default();
        lookup::with_named(&client, kind, id, failure)
    })?;
    let fields = fields(&client, kind, args)?;
    let mut checked = fields.clone();
    if let Key::External(field, _) = key {
        checked.push(field.to_owned());
    }
    client.check(&[Touched {
        kind: kind.to_owned(),
        fields: checked,
    }])?;
    host.step(&format!("Read {kind}"), Some(key.said()));
    let version = client.version()?;
    let path: Path = match key {
        Key::Id(id) => path!("/services/data/{}/sobjects/{}/{}", version, kind, id),
        Key::External(field, value) => path!(
            "/services/data/{}/sobjects/{}/{}/{}",
            version,
            kind,
            field,
            value
        ),
    };
    let list = fields.join(",");
    let reply = client.read(|| {
        let request = Request::get(path.clone());
        if fields.is_empty() {
            request
        } else {
            request.query(&[("fields", &list)])
        }
    });
    let reply = reply.map_err(|error| refused(&client, error, kind, &key))?;
    // An address by an external id is one by a relationship, too, and leads to a record of another object then.
    if rows::kind_of(&reply.json).is_some_and(|found| !found.eq_ignore_ascii_case(kind)) {
        // As if there were no such field, lest it be learned which relationships there are.
        let missing = ServiceError {
            status: 404,
            code: Some("NOT_FOUND".to_owned()),
            message: "The requested resource does not exist".to_owned(),
            retry_after_seconds: None,
            choices: Vec::new(),
        };
        return Err(refused(&client, ReadError::Service(missing), kind, &key));
    }
    let mut output = answer(&client, kind, &reply.json, &fields);
    let named: Vec<&str> = fields.iter().map(String::as_str).collect();
    if let Some(note) = currency::note(&client, kind, &named) {
        output.text.push('\n');
        output.text.push_str(&note);
    }
    Ok(output)
}

impl<'a> Key<'a> {
    fn of(args: &'a GetRecord) -> Result<Self, Failure> {
        match (&args.id, &args.external_id_field, &args.external_id) {
            (Some(id), None, None) => Ok(Self::Id(names::record_id(id)?)),
            (None, Some(field), Some(value)) => {
                let field = names::api_name(field, "/external_id_field")?;
                let in_path = |c: char| matches!(c, '/' | '\\') || c.is_control();
                if matches!(value.as_str(), "" | "." | "..") || value.contains(in_path) {
                    return Err(
                        Failure::invalid("this external id cannot stand in an address")
                            .field(
                                "/external_id",
                                "is empty or has a slash, a backslash or a control character",
                            )
                            .hint(format!("use query with WHERE {field} = '…'")),
                    );
                }
                Ok(Self::External(field, value))
            }
            _ => Err(Failure::invalid(
                "say which record: give `id`, or `external_id_field` and `external_id`",
            )
            .field(
                "",
                "needs either `id` or both of `external_id_field` and `external_id`",
            )),
        }
    }

    fn said(&self) -> &'a str {
        match self {
            Self::Id(id) => id,
            Self::External(field, _) => field,
        }
    }

    fn pointer(&self) -> &'static str {
        match self {
            Self::Id(_) => "/id",
            Self::External(..) => "/external_id",
        }
    }
}

fn fields(client: &Client<'_>, kind: &str, args: &GetRecord) -> Result<Vec<String>, Failure> {
    let mut fields: Vec<String> = Vec::new();
    for (index, name) in args.fields.iter().flatten().enumerate() {
        let pointer = format!("/fields/{index}");
        if name.contains('.') {
            let is_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
            let path = if name.chars().all(is_path) {
                name
            } else {
                "…"
            };
            let id = args.id.as_deref().and_then(|id| names::record_id(id).ok());
            let id = id.unwrap_or("…");
            return Err(Failure::invalid("get_record reads an object's own fields")
                .field(pointer, "is a parent's field")
                .hint(format!(
                    "query reads parents' fields: SELECT {path} FROM {kind} WHERE Id = '{id}'"
                )));
        }
        let name = names::api_name(name, &pointer)
            .map_err(|failure| lookup::with_near_field(client, kind, name, failure))?;
        if !fields.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            fields.push(name.to_owned());
        }
    }
    Ok(fields)
}

/// Tells a missing record, object, field and external id field apart: the service says `NOT_FOUND` to most of them.
fn refused(client: &Client<'_>, error: ReadError, kind: &str, key: &Key<'_>) -> Failure {
    let error = match error {
        ReadError::Service(error) => error,
        ReadError::Failed(failure) => return failure,
    };
    if error.status == 300 {
        let sees_ids = !client.visible_fields(kind, &["Id".to_owned()]).is_empty();
        return several(&error, key, sees_ids);
    }
    if error.is("INVALID_FIELD") {
        return repaired(
            client,
            ReadError::Service(error),
            Asked {
                query: None,
                kind: Some(kind),
                pointer: "/fields",
            },
        );
    }
    if !error.is("NOT_FOUND") {
        return repaired(
            client,
            ReadError::Service(error),
            Asked {
                query: None,
                kind: None,
                pointer: key.pointer(),
            },
        );
    }
    let describe = match described(client, kind) {
        Ok(describe) => describe,
        Err(failure) => return failure,
    };
    missing(client, error, &describe, key)
}

/// The object is there: says whether the record or the external id field is not.
fn missing(
    client: &Client<'_>,
    error: ServiceError,
    describe: &Describe,
    key: &Key<'_>,
) -> Failure {
    let kind = describe.name();
    let words = error.sentence();
    let failure = Failure::from(error);
    let identifies = |field: &Field<'_>| field.is("externalId") || field.is("idLookup");
    match key {
        Key::External(field, _)
            if !describe
                .field(field)
                .is_some_and(|field| identifies(&field)) =>
        {
            let names: Vec<String> = describe
                .fields()
                .filter(identifies)
                .map(|field| field.name().to_owned())
                .collect();
            let visible = client.visible_fields(kind, &names);
            let all: Vec<Candidate<'_>> = visible
                .iter()
                .filter_map(|name| Some(describe.field(name)?.candidate()))
                .collect();
            // The one that was meant comes first.
            let mut candidates = nearest(field, all.iter().copied());
            candidates.extend(all);
            let mut seen: Vec<&str> = Vec::new();
            candidates.retain(|candidate| {
                let is_first = !seen.contains(&candidate.name);
                seen.push(candidate.name);
                is_first
            });
            Failure {
                reason: Reason::InvalidArgument,
                ..failure
            }
            .field(
                "/external_id_field",
                format!("`{field}` is no external id of `{kind}`"),
            )
            .hint(format!(
                "fields of `{kind}` to find a record by: {}",
                listed(&candidates)
            ))
        }
        Key::External(field, _) => Failure {
            message: format!("{words}: no `{kind}` has this `{field}`, or you may not see it"),
            ..failure
        },
        Key::Id(id) => {
            let failure = Failure {
                message: format!(
                    "{words}: there is no `{kind}` with the id {id}, or you may not see it"
                ),
                ..failure
            }
            .hint("an id's first three characters say its object; query finds records by name");
            let is_own = describe
                .key_prefix()
                .is_some_and(|prefix| id.starts_with(prefix));
            match lookup::object_of(client, id).filter(|_| !is_own) {
                Some(object) => failure.field(
                    "/object",
                    format!("{id} is no id of the object `{kind}`; it is of the object `{object}`"),
                ),
                None => failure,
            }
        }
    }
}

/// Several records have one external id: their ids are in the paths that the service lists.
fn several(error: &ServiceError, key: &Key<'_>, sees_ids: bool) -> Failure {
    const IDS_SHOWN: usize = 10;
    let ids: Vec<_> = error
        .choices
        .iter()
        .filter_map(|path| names::record_id(path.rsplit('/').next()?).ok())
        .collect();
    let more = match ids.len().checked_sub(IDS_SHOWN) {
        Some(more) if more > 0 => format!(" and {more} more"),
        _ => String::new(),
    };
    let shown = ids
        .iter()
        .take(IDS_SHOWN)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    let failure = Failure::invalid(format!("{} records have this external id", ids.len()))
        .field(key.pointer(), "is not unique");
    match sees_ids {
        true => failure.hint(format!("get one by its id: {shown}{more}")),
        false => failure,
    }
}

fn answer(client: &Client<'_>, asked_kind: &str, record: &Json, fields: &[String]) -> Output {
    let kind = rows::kind_of(record).unwrap_or(asked_kind);
    let mut members: Vec<&(Text, Json)> = record
        .members()
        .iter()
        .filter(|(name, _)| name != "attributes")
        .collect();
    let mut notes = Vec::new();
    // The service adds the id, whatever was asked for.
    let names: Vec<String> = members.iter().map(|(name, _)| name.to_string()).collect();
    let visible = client.visible_fields(kind, &names);
    members.retain(|(name, _)| visible.iter().any(|seen| *name == **seen));
    if members.len() < names.len() {
        notes.push("fields that this agent may not see are left out".to_owned());
    }
    let id = members
        .iter()
        .find(|(name, _)| name == "Id")
        .and_then(|(_, value)| value.as_str());
    let url = id.map(|id| names::record_url(client.origin(), kind, id));
    let (set, empty): (Vec<_>, Vec<_>) = members
        .iter()
        .copied()
        .partition(|(_, value)| !fields.is_empty() || !value.is_null());
    let table = Table {
        columns: vec!["field".to_owned(), "value".to_owned()],
        rows: set
            .iter()
            .map(|(name, value)| Row {
                cells: vec![name.clone().into(), value.clone()],
                children: Vec::new(),
            })
            .collect(),
        children: Vec::new(),
    };
    let rendered = table.render(BOUNDS);
    if !empty.is_empty() {
        notes.push(format!("{} empty fields left out", empty.len()));
    }
    let too_long = set.len() - rendered.rows_shown;
    if too_long > 0 {
        notes.push(format!(
            "{too_long} fields are too long to show: ask for them with `fields`"
        ));
    }
    if rendered.cells_cut > 0 {
        notes.push(format!(
            "{} values are longer than an answer can show and cut where marked",
            rendered.cells_cut
        ));
    }
    let header = url
        .as_ref()
        .map_or_else(|| kind.to_owned(), |url| format!("{kind} {url}"));
    let text = [header, client.fenced(&rendered.text)]
        .into_iter()
        .chain(notes)
        .collect::<Vec<_>>();
    cite(client, kind, record, &members);
    let data = Json::object([
        ("object", kind.into()),
        ("id", id.map(str::to_owned).into()),
        ("url", url.into()),
        (
            "fields",
            Json::Object(members.into_iter().cloned().collect()),
        ),
    ]);
    data.answer(text.join("\n"))
}

fn cite(client: &Client<'_>, kind: &str, record: &Json, members: &[&(Text, Json)]) {
    let mut source = Source::new(kind).fields(members.iter().map(|(name, _)| &**name));
    if let Some(id) = record.str_at("Id") {
        source = source
            .id(id)
            .url(names::record_url(client.origin(), kind, id));
    }
    if let Some(name) = members
        .iter()
        .find(|(name, _)| name == "Name")
        .and_then(|(_, value)| value.as_str())
    {
        source = source.label(name);
    }
    client.host.cite(&[source]);
}
