//! Records that could be the same as one that is there, or as one that is to be made.
//!
//! What says who somebody is, is compared here: e-mail addresses, telephone numbers, web sites and names. One query finds what
//! agrees in any of them; what agrees in more comes first. Or the org's own duplicate rules are asked ([`rules`]).

use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::Deserialize;

use super::related::{field, missing, parsed};
use super::{Ask, clauses, plural, told};
use crate::client::Client;
use crate::columns;
use crate::describe::{Describe, Field};
use crate::host::Host;
use crate::json::Json;
use crate::keyed::Keyed;
use crate::like::literal;
use crate::lookup;
use crate::names;
use crate::order;
use crate::repair::described;
use crate::rows;
use crate::touched::Touched;

mod alike;
mod rules;

use alike::Alike;

const LIMIT_DEFAULT: u32 = 20;
const LIMIT_MAX: u32 = 100;

/// Candidates that are compared: more than these agree in something that says little.
const CANDIDATES_MAX: u64 = 500;

/// What `find_duplicates` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct FindDuplicates {
    /// API name: `Account`, `Contact`, `Lead` or another.
    object: String,
    /// A record to find others of…
    id: Option<String>,
    /// …or values of one to be made: names, e-mail, phone, web site, by API name.
    #[schemars(with = "Option<std::collections::BTreeMap<String, String>>")]
    fields: Option<Keyed<String, String>>,
    /// Asks the org's duplicate rules instead.
    #[serde(default)]
    rules: bool,
    /// Rows (default 20).
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
}

impl FindDuplicates {
    fn limit(&self) -> u32 {
        self.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX)
    }
}

/// Finds records that could be the same.
///
/// # Errors
/// There is no such object, record or field, or nothing of it can be compared; the agent may not see it.
pub fn find_duplicates(host: &dyn Host, args: &FindDuplicates) -> Result<Output, Failure> {
    let client = Client::new(host);
    let kind = lookup::object_name(&client, &args.object)?;
    let given = args.fields.iter().flat_map(Keyed::iter);
    let given: Vec<(&str, &str)> = given
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let id = match (&args.id, given.is_empty()) {
        (Some(id), true) => Some(lookup::record_id(&client, kind, id)?),
        (None, false) => None,
        (Some(_), false) => {
            return Err(Failure::invalid(
                "say what to compare with: give one of `id` and `fields`, not both",
            )
            .field("/fields", "leave out these or `id`"));
        }
        (None, true) => {
            return Err(
                Failure::invalid("say what to compare with: give `id`, or `fields`")
                    .field("", "needs either `id` or `fields` with texts"),
            );
        }
    };
    for (name, _) in &given {
        names::api_name(name, &pointer_to(name))
            .map_err(|failure| lookup::with_near_field(&client, kind, name, failure))?;
    }
    let named = given.iter().map(|(name, _)| (*name).to_owned());
    client.check(&[Touched {
        kind: kind.to_owned(),
        fields: named.chain(["Id".to_owned()]).collect(),
    }])?;
    let describe = described(&client, kind)?;
    let kind = describe.name();
    let values = match id {
        Some(id) => values_of(&client, &describe, id)?,
        None => given_values(&client, &describe, &given)?,
    };
    if args.rules {
        // Rules may compare whatever is given of a new record.
        let of_record = values
            .iter()
            .map(|value| (value.field.name(), value.text.as_str()));
        let all: Vec<(&str, &str)> = match id {
            Some(_) => of_record.collect(),
            None => given,
        };
        return rules::found(&client, args, kind, &all, id);
    }
    let alike = Alike::of(&values);
    if alike.is_empty() {
        return Err(
            Failure::invalid(format!("nothing of this `{kind}` says who or what it is"))
                .field(
                    if id.is_some() { "/id" } else { "/fields" },
                    "has no name, e-mail address, telephone number or web site",
                )
                .hint("query finds records by conditions of your own"),
        );
    }
    let query = candidates(&client, &describe, &values, &alike, id)?;
    let ask = Ask {
        shows_all: false,
        ..Ask::new(&query, if id.is_some() { "/id" } else { "/fields" })
    };
    let answered = ask.send(&client)?;
    Ok(answer(
        &client,
        args,
        &describe,
        &query,
        &alike,
        answered.records(),
    ))
}

/// Points to one of the fields (RFC 6901).
fn pointer_to(name: &str) -> String {
    format!("/fields/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Says whether a field tells who or what a record is.
fn identifies(field: &Field<'_>) -> bool {
    let is_text = matches!(field.kind(), "string" | "email" | "phone" | "url");
    let is_name =
        field.is("nameField") || field.compound() == Some("Name") || field.name() == "Company";
    // What the org fills in itself, such as the address of a picture, says nothing.
    let is_given = field.is("createable") || field.is("updateable");
    let reaches = matches!(field.kind(), "email" | "phone" | "url")
        && is_given
        && !field.name().contains("Fax");
    is_text && field.is("filterable") && !field.is("autoNumber") && (is_name || reaches)
}

/// A value to compare, and its field.
struct Value<'d> {
    field: Field<'d>,
    text: String,
}

/// Reads what a record is known by.
fn values_of<'d>(
    client: &Client<'_>,
    describe: &'d Describe,
    id: &str,
) -> Result<Vec<Value<'d>>, Failure> {
    let kind = describe.name();
    let fields: Vec<Field<'d>> = client
        .fields_of(describe)
        .into_iter()
        .filter(identifies)
        .collect();
    let mut query = parsed(&format!("SELECT Id FROM {kind} WHERE Id = '{id}'"))?;
    query
        .select
        .extend(fields.iter().map(|known| field(known.name())));
    let ask = Ask {
        shows_all: false,
        ..Ask::new(&query, "/id")
    };
    let answered = ask.send(client)?;
    let record = answered
        .records()
        .first()
        .ok_or_else(|| missing(client, kind, id))?;
    let values = fields.into_iter().filter_map(|field| {
        let text = record.str_at(field.name())?.to_owned();
        Some(Value { field, text })
    });
    Ok(values.collect())
}

fn given_values<'d>(
    client: &Client<'_>,
    describe: &'d Describe,
    given: &[(&str, &str)],
) -> Result<Vec<Value<'d>>, Failure> {
    let mut values = Vec::new();
    for (name, text) in given {
        let field = describe.field(name).ok_or_else(|| {
            let kind = describe.name();
            Failure::invalid(format!("`{kind}` has no field `{name}`"))
                .field(pointer_to(name), "is no field of the object")
                .hint(crate::repair::near_fields(client, name, describe))
        })?;
        // Other fields of a new record come along, and say nothing of who it is.
        if identifies(&field) && !text.trim().is_empty() {
            values.push(Value {
                field,
                text: text.trim().to_owned(),
            });
        }
    }
    Ok(values)
}

/// Writes the query for all that agrees in anything.
fn candidates(
    client: &Client<'_>,
    describe: &Describe,
    values: &[Value<'_>],
    alike: &Alike<'_>,
    id: Option<&str>,
) -> Result<soql::Query, Failure> {
    let mut soql = format!(
        "SELECT Id FROM {} WHERE ({})",
        describe.name(),
        alike.conditions().join(" OR ")
    );
    if let Some(id) = id {
        soql.push_str(&format!(" AND Id != {}", literal(id)));
    }
    let converted = ["IsConverted".to_owned()];
    if describe.field(&converted[0]).is_some()
        && !client
            .visible_fields(describe.name(), &converted)
            .is_empty()
    {
        soql.push_str(" AND IsConverted = FALSE");
    }
    soql.push_str(&format!(" LIMIT {CANDIDATES_MAX}"));
    let mut query = parsed(&soql)?;
    let mut selected = columns::described(client, describe);
    for value in values {
        let name = value.field.name();
        if !selected.iter().any(|known| known == name) {
            selected.push(name.to_owned());
        }
    }
    query.select = clauses::fields(&selected, "/object")?;
    Ok(query)
}

fn answer(
    client: &Client<'_>,
    args: &FindDuplicates,
    describe: &Describe,
    query: &soql::Query,
    alike: &Alike<'_>,
    records: &[Json],
) -> Output {
    let mut found: Vec<(Vec<&str>, &Json)> = records
        .iter()
        .map(|record| (alike.agrees(record), record))
        .filter(|(agrees, _)| !agrees.is_empty())
        .collect();
    order::sort_by(&mut found, |(one, _), (other, _)| {
        other.len().cmp(&one.len())
    });
    let total = found.len();
    found.truncate(usize::try_from(args.limit()).unwrap_or(total));
    let shown: Vec<Json> = found.iter().map(|(_, record)| (*record).clone()).collect();
    super::cite(client, &[], &shown);
    let mut table = rows::table(&shown, Some(query));
    table.columns.push("agrees in".to_owned());
    for (row, (agrees, _)) in table.rows.iter_mut().zip(&found) {
        row.cells.push(agrees.join(", ").into());
    }
    let mut notes = vec![format!("compared: {}", alike.names().join(", "))];
    if total > found.len() {
        notes.push(format!(
            "{} that agree in less left out: raise `limit` (at most 100)",
            total - found.len()
        ));
    }
    if records.len() as u64 >= CANDIDATES_MAX {
        notes.push(format!(
            "more than {CANDIDATES_MAX} agree in something: give values that say more"
        ));
    }
    let head = format!(
        "possible duplicates among `{}`: {}",
        describe.name(),
        plural(found.len())
    );
    told(client, head, &table, total as u64, None, notes)
}
