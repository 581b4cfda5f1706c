//! The values that a picklist takes: those of a record type, and of a value of the field that controls it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_sdk::audit::Source;
use portcullis_sdk::http::{Request, path};
use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BOUNDS, Page};
use crate::client::Client;
use crate::describe::{Describe, Field};
use crate::fence;
use crate::host::Host;
use crate::json::Json;
use crate::lookup;
use crate::names;
use crate::nearest::{Candidate, listed, nearest};
use crate::repair::{Asked, described, near_fields, repaired};
use crate::table::Table;
use crate::touched::Touched;

/// Values of an answer: states and countries are 250.
const VALUES_SHOWN: u32 = 250;

/// What `get_picklist_values` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct GetPicklistValues {
    /// API name, such as `Case`.
    object: String,
    /// API name of a picklist.
    field: String,
    /// API name, label or id; default: values of all types.
    record_type: Option<String>,
    /// Of the field that controls it: only what goes with this.
    controlling_value: Option<String>,
    /// From the last answer.
    cursor: Option<String>,
}

/// What `get_picklist_values` answers as data.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PicklistValues {
    object: String,
    field: String,
    record_type: Option<String>,
    /// Whether other values are refused.
    restricted: bool,
    default: Option<String>,
    /// The field whose value decides which values are valid.
    controlling_field: Option<String>,
    values: Vec<PicklistValue>,
    total: usize,
    cursor: Option<String>,
}

impl PicklistValues {
    fn json(&self) -> Json {
        let values = self.values.iter().map(|value| {
            Json::object([
                ("value", value.value.as_str().into()),
                ("label", value.label.as_str().into()),
                (
                    "valid_for",
                    value.valid_for.as_deref().map(Json::texts).into(),
                ),
            ])
        });
        Json::object([
            ("object", self.object.as_str().into()),
            ("field", self.field.as_str().into()),
            ("record_type", self.record_type.as_deref().into()),
            ("restricted", Json::Bool(self.restricted)),
            ("default", self.default.as_deref().into()),
            (
                "controlling_field",
                self.controlling_field.as_deref().into(),
            ),
            ("values", Json::Array(values.collect())),
            ("total", (self.total as u64).into()),
            ("cursor", self.cursor.as_deref().into()),
        ])
    }
}

/// One value.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct PicklistValue {
    value: String,
    label: String,
    /// The controlling field's values that it goes with; null where nothing controls it.
    valid_for: Option<Vec<String>>,
}

/// The values of a field as an object or a record type has them.
struct Choices {
    values: Vec<PicklistValue>,
    default: Option<String>,
}

/// Gives the values that a picklist takes.
///
/// # Errors
/// There is no such object, field, record type or controlling value (with those that there are); the agent may not see it.
pub fn get_picklist_values(host: &dyn Host, args: &GetPicklistValues) -> Result<Output, Failure> {
    let client = Client::new(host);
    let kind = lookup::object_name(&client, &args.object)?;
    let name = names::api_name(&args.field, "/field")
        .map_err(|failure| lookup::with_near_field(&client, kind, &args.field, failure))?;
    client.check(&[Touched {
        kind: kind.to_owned(),
        fields: vec![name.to_owned()],
    }])?;
    host.step(
        "Read the values of a picklist",
        Some(&format!("{kind}.{name}")),
    );
    let describe = described(&client, kind)?;
    let field = picklist(&client, &describe, name)?;
    let controller = field
        .controller()
        .and_then(|name| describe.field(name))
        .filter(|controller| {
            !client
                .visible_fields(describe.name(), &[controller.name().to_owned()])
                .is_empty()
        });
    let record_type = args
        .record_type
        .as_deref()
        .map(|wanted| record_type(&describe, wanted));
    let record_type = record_type.transpose()?;
    let mut choices = match record_type {
        None => of_describe(field, controller),
        Some((id, ..)) => of_record_type(&client, &describe, field, controller, id)?,
    };
    if let Some(wanted) = args.controlling_value.as_deref() {
        keep_valid(&mut choices, field, controller, wanted.trim())?;
    }
    let page = Page::of(
        choices.values.len(),
        Some(VALUES_SHOWN),
        args.cursor.as_deref(),
    )?;
    let mut sources = vec![name];
    sources.extend(controller.map(Field::name));
    host.cite(&[Source::new(describe.name()).fields(sources)]);
    let found = PicklistValues {
        object: describe.name().to_owned(),
        field: field.name().to_owned(),
        record_type: record_type.map(|(_, api_name, _)| api_name.to_owned()),
        restricted: field.is("restrictedPicklist"),
        default: choices.default,
        controlling_field: controller.map(|controller| controller.name().to_owned()),
        values: choices.values[page.range()].to_vec(),
        total: page.total,
        cursor: page.next(),
    };
    let text = text(&client, &describe, &found, &page);
    let cursor = found.cursor.clone();
    Ok(found.json().answer(text).cursor(cursor))
}

/// Finds a field that has values to choose from.
fn picklist<'d>(
    client: &Client<'_>,
    describe: &'d Describe,
    name: &str,
) -> Result<Field<'d>, Failure> {
    let kind = describe.name();
    let is_one =
        |field: &Field<'_>| matches!(field.kind(), "picklist" | "multipicklist" | "combobox");
    match describe.field(name) {
        Some(field) if is_one(&field) => Ok(field),
        Some(field) => {
            let fields = client.fields_of(describe);
            let picklists = fields.iter().filter(|field| is_one(field));
            let near = nearest(name, picklists.clone().map(|field| field.candidate()));
            let shown: Vec<Candidate<'_>> = match near.is_empty() {
                true => picklists.take(10).map(|field| field.candidate()).collect(),
                false => near,
            };
            Err(Failure::invalid(format!(
                "`{}` of `{kind}` is no picklist: its type is {}",
                field.name(),
                field.kind()
            ))
            .field("/field", "has no values to choose from")
            .hint(format!("picklists of `{kind}`: {}", listed(&shown))))
        }
        None => Err(Failure::invalid(format!("`{kind}` has no field `{name}`"))
            .field("/field", "is no field of the object")
            .hint(near_fields(client, name, describe))),
    }
}

/// Finds a record type that the user may use: id, API name and label.
fn record_type<'d>(
    describe: &'d Describe,
    wanted: &str,
) -> Result<(&'d str, &'d str, &'d str), Failure> {
    let wanted = wanted.trim();
    let mut types = describe.record_types();
    let found = types.find(|(id, api_name, label)| {
        names::long_id(wanted) == names::long_id(id)
            || [api_name, label]
                .iter()
                .any(|text| text.eq_ignore_ascii_case(wanted))
    });
    found.ok_or_else(|| {
        let known = own_types(describe);
        let shown = fence::inline(wanted, 80);
        Failure::invalid(format!(
            "`{}` has no record type “{shown}” for this user",
            describe.name()
        ))
        .field("/record_type", format!("has no record type “{shown}”"))
        .hint(match known.is_empty() {
            true => "leave it out: the object has none".to_owned(),
            // The one that was meant comes first.
            false => format!("valid: {}", listed(&nearest_first(wanted, known))),
        })
    })
}

fn nearest_first<'a>(wanted: &str, known: Vec<Candidate<'a>>) -> Vec<Candidate<'a>> {
    let mut ordered = nearest(wanted, known.iter().copied());
    for candidate in known {
        if !ordered.iter().any(|first| first.name == candidate.name) {
            ordered.push(candidate);
        }
    }
    ordered
}

/// Lists the record types but for that of records that have none.
fn own_types(describe: &Describe) -> Vec<Candidate<'_>> {
    let types = describe
        .record_types()
        .filter(|(id, ..)| !id.starts_with(MASTER));
    types
        .map(|(_, name, label)| Candidate { name, label })
        .collect()
}

/// Reads the values of all record types out of a describe, each with the controlling values that its bitmap names.
fn of_describe(field: Field<'_>, controller: Option<Field<'_>>) -> Choices {
    let controllers = controller.map(controlling_values);
    let all: Vec<&Json> = field.all_values().collect();
    let active = all
        .iter()
        .filter(|value| !matches!(value.get("active"), Some(Json::Bool(false))));
    let text = |value: &Json, name: &str| value.str_at(name).map(str::to_owned);
    let values = active.clone().map(|value| {
        let name = text(value, "value").unwrap_or_default();
        let valid = |controllers: &Vec<String>| {
            let bits = bitmap(value.str_at("validFor").unwrap_or_default());
            let named = bits
                .iter()
                .filter_map(|place| controllers.get(*place).cloned());
            named.collect()
        };
        PicklistValue {
            label: text(value, "label").unwrap_or_else(|| name.clone()),
            valid_for: controllers.as_ref().map(valid),
            value: name,
        }
    });
    let default = active
        .clone()
        .find(|value| value.is_true_at("defaultValue"));
    Choices {
        values: values.collect(),
        default: default.and_then(|value| text(value, "value")),
    }
}

/// Reads the values of one record type.
fn of_record_type(
    client: &Client<'_>,
    describe: &Describe,
    field: Field<'_>,
    controller: Option<Field<'_>>,
    record_type: &str,
) -> Result<Choices, Failure> {
    let version = client.version()?;
    let reply = client.read(|| {
        Request::get(path!(
            "/services/data/{}/ui-api/object-info/{}/picklist-values/{}/{}",
            version,
            describe.name(),
            record_type,
            field.name()
        ))
    });
    let asked = Asked {
        query: None,
        kind: None,
        pointer: "/record_type",
    };
    let json = reply.map_err(|error| repaired(client, error, asked))?.json;
    let controllers = json.get("controllerValues").map_or(&[][..], Json::members);
    let named = |place: &Json| {
        let mut found = controllers.iter().filter(|(_, at)| at == place);
        found.next().map(|(name, _)| name.to_string())
    };
    let values = json.get("values").map_or(&[][..], Json::items);
    let values = values.iter().map(|value| {
        let places = value.get("validFor").map_or(&[][..], Json::items);
        let name = value.str_at("value").unwrap_or_default();
        PicklistValue {
            value: name.to_owned(),
            label: value.str_at("label").unwrap_or(name).to_owned(),
            valid_for: controller.map(|_| places.iter().filter_map(named).collect()),
        }
    });
    let default = json
        .get("defaultValue")
        .and_then(|value| value.str_at("value"));
    Ok(Choices {
        values: values.collect(),
        default: default.map(str::to_owned),
    })
}

/// Lists a controlling field's values in the order that bitmaps count: a check box has two.
fn controlling_values(controller: Field<'_>) -> Vec<String> {
    if controller.kind() == "boolean" {
        return vec!["false".to_owned(), "true".to_owned()];
    }
    let values = controller.all_values();
    values
        .map(|value| value.str_at("value").unwrap_or_default().to_owned())
        .collect()
}

/// Gives the places of the bits that are set in a bitmap of base64 (RFC 4648), the highest of each byte first. None are set in
/// what is no base64.
fn bitmap(base64: &str) -> Vec<usize> {
    const BITS: usize = 8;
    let bytes = STANDARD.decode(base64).unwrap_or_default();
    (0..bytes.len() * BITS)
        .filter(|place| (bytes[place / BITS] << (place % BITS)) & 0x80 != 0)
        .collect()
}

/// Keeps what goes with a value of the controlling field.
fn keep_valid(
    choices: &mut Choices,
    field: Field<'_>,
    controller: Option<Field<'_>>,
    wanted: &str,
) -> Result<(), Failure> {
    let Some(controller) = controller else {
        return Err(Failure::invalid(format!(
            "no field that you may see controls `{}`",
            field.name()
        ))
        .field("/controlling_value", "leave it out"));
    };
    let known = controlling_values(controller);
    let labels = |value: &str| {
        let mut values = controller.values();
        values
            .find(|(name, _)| *name == value)
            .map_or("", |(_, label)| label)
    };
    let found = known.iter().find(|value| {
        value.eq_ignore_ascii_case(wanted) || labels(value).eq_ignore_ascii_case(wanted)
    });
    let Some(found) = found else {
        let candidates = || {
            known.iter().map(|name| Candidate {
                name,
                label: labels(name),
            })
        };
        let near = nearest(wanted, candidates());
        let shown: Vec<Candidate<'_>> = match near.is_empty() {
            true => candidates().take(20).collect(),
            false => near,
        };
        let name = controller.name();
        let wanted = fence::inline(wanted, 80);
        return Err(
            Failure::invalid(format!("`{name}` has no value “{wanted}”"))
                .field("/controlling_value", format!("is no value of `{name}`"))
                .hint(format!("values of `{name}`: {}", listed(&shown))),
        );
    };
    let is_valid = |value: &PicklistValue| {
        value
            .valid_for
            .as_ref()
            .is_some_and(|valid| valid.contains(found))
    };
    choices.values.retain(is_valid);
    for value in &mut choices.values {
        value.valid_for = Some(vec![found.clone()]);
    }
    let has_default = |default: &String| choices.values.iter().any(|value| value.value == *default);
    choices.default = choices.default.take().filter(has_default);
    Ok(())
}

fn text(client: &Client<'_>, describe: &Describe, found: &PicklistValues, page: &Page) -> String {
    let mut head = format!(
        "{}.{}: {}",
        found.object,
        found.field,
        page.said(if page.total == 1 { "value" } else { "values" })
    );
    if let Some(record_type) = &found.record_type {
        head.push_str(&format!(
            " of record type {}",
            fence::inline(record_type, 80)
        ));
    }
    head.push_str(match found.restricted {
        true => "; others are refused",
        false => "; others are taken, too",
    });
    let mut lines = vec![head];
    let has_labels = found.values.iter().any(|value| value.value != value.label);
    let depends = found.controlling_field.as_deref();
    let mut columns = vec!["value".to_owned()];
    columns.extend(has_labels.then(|| "label".to_owned()));
    columns.extend(depends.map(|controller| format!("valid for {controller}")));
    let rows = found.values.iter().map(|value| {
        let mut cells = vec![Json::from(value.value.as_str())];
        cells.extend(has_labels.then(|| value.label.as_str().into()));
        cells.extend(depends.map(|_| match value.valid_for.as_deref() {
            None | Some([]) => Json::Null,
            Some(valid) => valid.join("; ").into(),
        }));
        cells
    });
    let table = Table {
        columns,
        ..Table::plain([], rows)
    };
    if !found.values.is_empty() {
        lines.push(client.fenced(&table.render(BOUNDS).text));
    }
    if let Some(default) = &found.default {
        lines.push(format!("default: {}", fence::inline(default, 255)));
    }
    if found.record_type.is_none() {
        let types = own_types(describe);
        if !types.is_empty() {
            lines.push(format!("a record type may have fewer: {}", listed(&types)));
        }
    }
    lines.join("\n")
}

/// The record type of records that have none.
const MASTER: &str = "012000000000000";

#[cfg(test)]
mod tests;
