//! What an object is made of, part by part.

use portcullis_sdk::audit::Source;
use portcullis_sdk::permissions::Access;
use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BOUNDS, Page, cell_of, counted};
use crate::client::Client;
use crate::describe::{Child, Describe, Field};
use crate::fence;
use crate::host::Host;
use crate::json::Json;
use crate::keyed::Keyed;
use crate::lookup;
use crate::order;
use crate::repair::described;
use crate::table::Table;

mod narrowed;

use narrowed::Filter;

/// A part of an object's describe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Names, labels, types.
    Fields,
    /// To parents: what may stand before the dot.
    Relationships,
    /// For subqueries.
    Children,
    /// Their names and ids.
    RecordTypes,
    /// Picklist values.
    Picklists,
}

/// What `describe_object` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct DescribeObject {
    /// API name, such as `Account`.
    object: String,
    /// Default: fields.
    #[schemars(with = "Option<Vec<PartName>>")]
    parts: Option<Vec<Part>>,
    /// Part of a name or label.
    text: Option<String>,
    /// A field type, such as `reference` or `picklist`.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Only fields that a new record must have.
    #[serde(default)]
    required_only: bool,
    /// Rows in all (default 100).
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u32>,
    /// From the last answer.
    cursor: Option<String>,
}

// `Part` in a schema: one list of words, where a variant's documentation would make each a schema. A doc comment
// here would be the model's to read.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
#[allow(dead_code, missing_docs, reason = "only its schema is used")]
enum PartName {
    Fields,
    Relationships,
    Children,
    RecordTypes,
    Picklists,
}

/// What `describe_object` answers as data.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Described {
    object: String,
    label: String,
    /// By their names: as an object, for each item of a list counts as a row.
    #[schemars(with = "std::collections::BTreeMap<String, DescribedPart>")]
    parts: Keyed<&'static str, DescribedPart>,
    cursor: Option<String>,
}

/// One part of [`Described`].
#[derive(Debug, Serialize, JsonSchema)]
pub struct DescribedPart {
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    /// Rows that fit.
    total: usize,
}

/// Describes one object.
///
/// # Errors
/// There is no such object (with the nearest names), or the agent may not see it.
pub fn describe_object(host: &dyn Host, args: &DescribeObject) -> Result<Output, Failure> {
    let client = Client::new(host);
    let kind = lookup::object_name(&client, &args.object)?;
    host.check(&[Access::read(kind, [""; 0])])?;
    host.step("Described an object", Some(kind));
    let describe = described(&client, kind)?;
    let object = Visible::new(&client, &describe);
    let default = [Part::Fields];
    let parts = args
        .parts
        .as_deref()
        .filter(|parts| !parts.is_empty())
        .unwrap_or(&default);
    let is_first = |(at, part): &(usize, &Part)| !parts[..*at].contains(part);
    let parts = parts.iter().enumerate().filter(is_first);
    let label = describe.json().str_at("label").unwrap_or_default();
    let mut described: Vec<(&str, Json)> = Vec::new();
    let mut text = vec![object.summary()];
    let found: Vec<_> = parts
        .map(|(_, part)| (*part, object.part(*part, args)))
        .collect();
    // One page over all parts, one behind the other: an agent's rows are counted together, too.
    let total = found.iter().map(|(_, (.., rows))| rows.len()).sum();
    let whole = Page::of(total, args.limit, args.cursor.as_deref())?;
    let mut before = 0;
    for (part, (name, columns, all)) in found {
        let page = whole.of_list(before, all.len());
        before += all.len();
        if page.is_past() && whole.from < whole.to {
            continue;
        }
        let rows = all[page.range()].to_vec();
        let table = Table::plain(
            columns.iter().copied(),
            rows.iter()
                .map(|row| row.iter().map(|cell| cell_of(cell)).collect()),
        );
        let what = name.replace('_', " ");
        // The summary has said how many there are.
        let is_all = page.is_whole() && object.count(part) == Some(all.len());
        text.push(match is_all && !rows.is_empty() {
            true => format!("{what}:"),
            false => page.said(&what),
        });
        if !rows.is_empty() {
            text.push(client.fenced(&table.render(BOUNDS).text));
        } else if all.is_empty() {
            text.extend(object.none_fits(part, args));
        }
        let part = Json::object([
            ("columns", Json::names(&columns)),
            ("rows", Json::rows(&rows)),
            ("total", (all.len() as u64).into()),
        ]);
        described.push((name, part));
    }
    host.cite(&[Source::new(describe.name())]);
    let cursor = whole.next();
    // In the order of their names.
    order::sort_by(&mut described, |(one, _), (other, _)| one.cmp(other));
    let data = Json::object([
        ("object", describe.name().into()),
        ("label", label.into()),
        ("parts", Json::object(described)),
        ("cursor", cursor.clone().into()),
    ]);
    Ok(data.answer(text.join("\n")).cursor(cursor))
}

/// An object as the agent may see it.
struct Visible<'a> {
    client: &'a Client<'a>,
    describe: &'a Describe,
    fields: Vec<Field<'a>>,
    children: Vec<Child<'a>>,
    /// Whether fields are hidden; how many would say too much.
    hides: bool,
}

type Rows = Vec<Vec<String>>;

impl<'a> Visible<'a> {
    fn new(client: &'a Client<'a>, describe: &'a Describe) -> Self {
        let fields = client.fields_of(describe);
        Self {
            hides: fields.len() < describe.fields().count(),
            client,
            describe,
            fields,
            children: client.children_of(describe),
        }
    }

    /// Gives the fields by which the agent may follow a relationship, with its name.
    fn relationships(&self) -> impl Iterator<Item = (&'a str, Field<'a>)> {
        let fields = self.fields.iter();
        fields.filter_map(|field| Some((self.client.relationship_of(*field)?, *field)))
    }

    /// Says in a line what there is.
    fn summary(&self) -> String {
        let json = self.describe.json();
        let can: Vec<_> = [
            ("createable", "create"),
            ("updateable", "update"),
            ("deletable", "delete"),
            ("queryable", "query"),
        ]
        .into_iter()
        .filter_map(|(flag, verb)| json.is_true_at(flag).then_some(verb))
        .collect();
        let label = fence::inline(json.str_at("label").unwrap_or_default(), 80);
        let prefix = json
            .str_at("keyPrefix")
            .map(|prefix| format!(", ids begin {prefix}"))
            .unwrap_or_default();
        let hidden = match self.hides {
            true => " that this agent may see",
            false => "",
        };
        format!(
            "{} ({label}){prefix}; you can {}; {}{hidden}, {}, {}, {}",
            self.describe.name(),
            if can.is_empty() {
                "only see it".to_owned()
            } else {
                can.join(", ")
            },
            counted(self.fields.len(), "fields"),
            counted(self.relationships().count(), "relationships"),
            counted(self.children.len(), "children"),
            counted(self.record_types().len(), "record types"),
        )
    }

    /// Gives how many a part has, where the summary says it.
    fn count(&self, part: Part) -> Option<usize> {
        match part {
            Part::Fields => Some(self.fields.len()),
            Part::Relationships => Some(self.relationships().count()),
            Part::Children => Some(self.children.len()),
            Part::RecordTypes => Some(self.record_types().len()),
            Part::Picklists => None,
        }
    }

    /// Gives the name, the columns and the rows of a part, narrowed as asked.
    fn part(&self, part: Part, args: &DescribeObject) -> (&'static str, Vec<&'static str>, Rows) {
        let filter = Filter::new(args);
        match part {
            Part::Fields => (
                "fields",
                vec!["name", "label", "type", "notes"],
                self.field_rows(&filter),
            ),
            Part::Relationships => (
                "relationships",
                vec!["name", "field", "to"],
                self.parents(&filter),
            ),
            Part::Children => (
                "children",
                vec!["name", "object", "field", "notes"],
                self.children(&filter),
            ),
            Part::RecordTypes => (
                "record_types",
                vec!["name", "developer_name", "id", "notes"],
                self.record_types(),
            ),
            Part::Picklists => (
                "picklists",
                vec!["field", "values"],
                self.picklists(&filter),
            ),
        }
    }

    fn field_rows(&self, filter: &Filter<'_>) -> Rows {
        let fields = self.fields.iter().filter(|field| filter.field(**field));
        fields
            .map(|field| {
                vec![
                    field.name().to_owned(),
                    field.label().to_owned(),
                    field.type_with_bounds(&self.client.targets_of(*field)),
                    field.notes(),
                ]
            })
            .collect()
    }

    fn parents(&self, filter: &Filter<'_>) -> Rows {
        self.relationships()
            .filter(|(name, field)| filter.text(&[name, field.name(), field.label()]))
            .map(|(name, field)| {
                let targets = self.client.targets_of(field).join(",");
                vec![name.to_owned(), field.name().to_owned(), targets]
            })
            .collect()
    }

    fn children(&self, filter: &Filter<'_>) -> Rows {
        self.children
            .iter()
            .filter(|child| filter.text(&[child.relationship, child.kind]))
            .map(|child| {
                let notes = if child.cascades {
                    "deleted with its parent"
                } else {
                    ""
                };
                [child.relationship, child.kind, child.field, notes]
                    .map(str::to_owned)
                    .to_vec()
            })
            .collect()
    }

    fn picklists(&self, filter: &Filter<'_>) -> Rows {
        let fields = self.fields.iter().filter(|field| filter.field(**field));
        fields
            .filter(|field| field.values().next().is_some())
            .map(|field| vec![field.name().to_owned(), values(*field, &filter.wanted)])
            .collect()
    }

    /// Lists the record types that the user can choose, without the master, which stands for "none".
    fn record_types(&self) -> Rows {
        let all = self
            .describe
            .json()
            .get("recordTypeInfos")
            .map_or(&[][..], Json::items);
        all.iter()
            .filter(|kind| !kind.is_true_at("master"))
            .map(|kind| {
                let text = |name| kind.str_at(name).unwrap_or_default().to_owned();
                let notes = match (
                    kind.is_true_at("defaultRecordTypeMapping"),
                    kind.is_true_at("active") && kind.is_true_at("available"),
                ) {
                    (_, false) => "not available",
                    (true, true) => "default",
                    (false, true) => "",
                };
                vec![
                    text("name"),
                    text("developerName"),
                    text("recordTypeId"),
                    notes.to_owned(),
                ]
            })
            .collect()
    }
}

/// Lists a picklist's active values, `value=label` where these differ; all of them for the one field asked for.
fn values(field: Field<'_>, wanted: &str) -> String {
    const SHOWN: usize = 30;
    let all: Vec<_> = field.values().collect();
    let shown = if field.name().eq_ignore_ascii_case(wanted) {
        all.len()
    } else {
        SHOWN
    };
    let said = all.iter().take(shown).map(|(value, label)| {
        if value == label {
            (*value).to_owned()
        } else {
            format!("{value}={label}")
        }
    });
    let mut said = said.collect::<Vec<_>>().join("; ");
    if all.len() > shown {
        said.push_str(&format!(
            "; {} more with \"text\": \"{}\"",
            all.len() - shown,
            field.name()
        ));
    }
    said
}
