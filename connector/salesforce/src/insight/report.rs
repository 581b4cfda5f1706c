//! The org's reports: which there are, and what the analytics API says of them when it refuses.
//!
//! What a report shows is decided by who made it: fields of several objects by names of the report's own, formulas, filters. The host
//! cannot be asked about that field by field, so an agent that is limited in what it reads neither runs nor describes one.

use portcullis_sdk::audit::Source;
use portcullis_sdk::http::{Request, path};
use portcullis_sdk::{Failure, Output, Reason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::BOUNDS;
use super::filters::{self, Filter};
use crate::client::{Client, ReadError};
use crate::host::Host;
use crate::json::Json;
use crate::known::{self, Asked, Known, ask, holding, touch};
use crate::names;
use crate::page::Page;
use crate::rows;
use crate::service_error::ServiceError;

pub(super) const KIND: &str = "Report";
const LISTED: usize = 50;
const FIELDS: [&str; 6] = [
    "Id",
    "Name",
    "FolderName",
    "Format",
    "LastRunDate",
    "Description",
];

/// What `list_reports` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct ListReports {
    /// Part of the name or folder.
    text: Option<String>,
    /// Default 50.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u32>,
    /// From the last answer.
    cursor: Option<String>,
}

/// What `list_reports` answers as data.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Reports {
    columns: Vec<String>,
    rows: Vec<Vec<serde_json::Value>>,
    cursor: Option<String>,
}

/// Lists reports, those run last first.
///
/// # Errors
/// The agent may not see reports, or the cursor is none.
pub fn list_reports(host: &dyn Host, args: &ListReports) -> Result<Output, Failure> {
    let page = Page::of(args.limit, LISTED, args.cursor.as_deref())?;
    let client = Client::new(host);
    known::require(&client, "reports", KIND, &["Id", "Name"])?;
    host.step("Listed reports", args.text.as_deref());
    let made = ask(&client, |known| plan(known, args, page));
    let (reply, asked) = made.map_err(|error| known::refused(error, "reports"))?;
    let found = reply.get("records").map_or(&[][..], Json::items);
    let (shown, rest) = page.take(found);
    host.cite(&[Source::new(KIND).fields(asked.plan.iter().copied())]);
    let query = soql::parse_query(&asked.soql).ok();
    let table = rows::table(shown, query.as_ref());
    let mut text = vec![page.said(shown.len(), "reports", &rest)];
    if shown.is_empty() {
        if args.text.is_some() {
            text.push("no report that you may see has this in its name or folder".to_owned());
        }
    } else {
        text.push(client.fenced(&table.render(BOUNDS).text));
        if asked.plan.contains(&"LastRunDate") {
            text.push(known::about_moments(&client));
        }
    }
    if asked.hides {
        text.push("what this agent may not see is left out".to_owned());
    }
    let (columns, rows) = table.structured();
    let cursor = rest.cursor();
    let data = Json::object([
        ("columns", columns),
        ("rows", rows),
        ("cursor", cursor.clone().into()),
    ]);
    Ok(data.answer(text.join("\n")).cursor(cursor))
}

fn plan(
    known: &Known<'_, '_>,
    args: &ListReports,
    page: Page,
) -> Result<Asked<Vec<&'static str>>, ReadError> {
    let fields = known.keep(KIND, &FIELDS)?;
    let mut soql = format!("SELECT {} FROM {KIND}", fields.join(", "));
    if let Some(text) = args
        .text
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
    {
        let pattern = holding(text);
        let named = fields
            .iter()
            .filter(|field| ["Name", "FolderName"].contains(field));
        let any: Vec<String> = named
            .map(|field| format!("{field} LIKE {pattern}"))
            .collect();
        soql.push_str(&format!(" WHERE {}", any.join(" OR ")));
    }
    soql.push_str(match fields.contains(&"LastRunDate") {
        true => " ORDER BY LastRunDate DESC NULLS LAST, Name, Id",
        false => " ORDER BY Name, Id",
    });
    soql.push_str(&page.clause());
    let mut touched = Vec::new();
    touch(&mut touched, KIND, &fields);
    Ok(Asked {
        soql,
        touched,
        plan: fields,
        hides: false,
    })
}

/// Checks a report's id, and that the agent may see what a report shows.
///
/// # Errors
/// It is no id of a report; the agent is limited.
pub(super) fn report_id<'a>(client: &Client<'_>, id: &'a str) -> Result<&'a str, Failure> {
    const FOUND_BY: &str = "list_reports finds a report's id by its name";
    let id = names::record_id(id).map_err(|failure| failure.hint(FOUND_BY))?;
    if !id.starts_with("00O") {
        let message = format!("{id} is no id of a report: these begin with 00O");
        return Err(Failure::invalid(message.clone())
            .field("/id", message)
            .hint(FOUND_BY));
    }
    known::require(client, "reports", KIND, &["Id", "Name"])?;
    known::require_unlimited(client, "a report")?;
    Ok(id)
}

/// What is wanted of a report.
pub(super) enum Wanted<'a> {
    /// What it asks for.
    Description,
    /// Its answer.
    Answer {
        /// With the rows behind the sums.
        details: bool,
        /// By these filters, instead of by those that are saved.
        filters: Option<&'a [Filter]>,
    },
}

impl Wanted<'_> {
    fn request(&self, version: &str, id: &str) -> Request {
        match self {
            Self::Description => Request::get(path!(
                "/services/data/{}/analytics/reports/{}/describe",
                version,
                id
            )),
            Self::Answer { details, filters } => {
                let path = path!("/services/data/{}/analytics/reports/{}", version, id);
                // With a body the service runs the report as the body has it, and saves nothing of that.
                let request = match filters {
                    None => Request::get(path),
                    Some(filters) => Request::post(path)
                        .body("application/json", filters::written(filters).text()),
                };
                let details = if *details { "true" } else { "false" };
                request.query(&[("includeDetails", details)])
            }
        }
    }
}

/// Reads an answer of the analytics API about a report.
///
/// # Errors
/// There is no such report, too many were run, a filter is none, or it is of a kind that the API does not run.
pub(super) fn read(client: &Client<'_>, id: &str, wanted: &Wanted<'_>) -> Result<Json, Failure> {
    let version = client.version()?;
    match client.read(|| wanted.request(version, id)) {
        Ok(reply) => Ok(reply.json),
        Err(ReadError::Service(error)) => Err(refused(client, error, id, wanted)),
        Err(ReadError::Failed(failure)) => Err(failure),
    }
}

fn refused(client: &Client<'_>, error: ServiceError, id: &str, wanted: &Wanted<'_>) -> Failure {
    let too_often = error.status == 403 && error.message.contains("every 60 minutes");
    let is_missing = error.status == 404;
    let filters = match wanted {
        Wanted::Answer { filters, .. } => filters.unwrap_or_default(),
        Wanted::Description => &[],
    };
    let mut failure = Failure::from(error);
    if too_often {
        failure.reason = Reason::RateLimited;
        failure.hint = Some("reports can be run again within the hour; query asks for the same by objects and fields".to_owned());
    } else if is_missing {
        failure.reason = Reason::NotFound;
        failure.message = format!(
            "{}: no report {id} that you may see",
            failure.message.trim_end_matches('.')
        );
        failure.hint = Some("list_reports finds a report's id by its name".to_owned());
    } else if failure.reason == Reason::InvalidArgument && !filters.is_empty() {
        return of_filters(client, failure, id, filters);
    } else if failure.reason == Reason::InvalidArgument {
        let message = failure.message.clone();
        failure = failure.field("/id", message);
        failure.hint.get_or_insert(
            "describe_report shows what it asks for; query asks for the same by objects and fields"
                .to_owned(),
        );
    }
    failure
}

/// Says which of the filters is refused, and why: by a description of the report, which is asked for only then.
fn of_filters(client: &Client<'_>, failure: Failure, id: &str, filters: &[Filter]) -> Failure {
    if let Some((pointer, problem)) = filters::no_operator(filters) {
        return failure.field(pointer, problem);
    }
    let message = failure.message.clone();
    let told = match read(client, id, &Wanted::Description) {
        Ok(description) => filters::explained(failure, filters, &description),
        Err(_) => failure,
    };
    match told.fields.is_empty() {
        true => told.field("/filters", message).hint(format!(
            "describe_report shows its columns and their types: {{\"id\": \"{id}\"}}"
        )),
        false => told,
    }
}

/// What a report consists of: views of `reportMetadata` and `reportExtendedMetadata`.
pub(super) struct Metadata<'a> {
    own: &'a Json,
    extended: &'a Json,
}

impl<'a> Metadata<'a> {
    pub(super) fn of(answer: &'a Json) -> Self {
        Self {
            own: answer.get("reportMetadata").unwrap_or(&Json::Null),
            extended: answer.get("reportExtendedMetadata").unwrap_or(&Json::Null),
        }
    }

    pub(super) fn text(&self, name: &str) -> &'a str {
        self.own.str_at(name).unwrap_or_default()
    }

    pub(super) fn get(&self, name: &str) -> &'a Json {
        self.own.get(name).unwrap_or(&Json::Null)
    }

    /// Gives the names of a list: of its members, or their member `name`.
    pub(super) fn names(&self, list: &str) -> Vec<&'a str> {
        let items = self.get(list).items().iter();
        items
            .filter_map(|item| item.as_str().or_else(|| item.str_at("name")))
            .collect()
    }

    /// Gives the type of report by its name, and what a person calls it.
    pub(super) fn report_type(&self) -> (&'a str, &'a str) {
        let kind = self.get("reportType");
        (
            kind.str_at("type").unwrap_or_default(),
            kind.str_at("label").unwrap_or_default(),
        )
    }

    /// Gives label and data type of a part, from one of the lists of `reportExtendedMetadata`.
    pub(super) fn info(&self, list: &str, name: &'a str) -> (&'a str, &'a str) {
        let info = self.extended.get(list).and_then(|infos| infos.get(name));
        let text = |member| info.and_then(|info| info.str_at(member));
        (
            text("label").unwrap_or(name),
            text("dataType").unwrap_or_default(),
        )
    }

    /// Names the report among the sources of the call.
    pub(super) fn cite(&self, client: &Client<'_>, id: &str) {
        let source = Source::new(KIND)
            .id(names::long_id(id))
            .label(self.text("name"))
            .fields(self.names("detailColumns"))
            .url(names::record_url(client.origin(), KIND, id));
        client.host.cite(&[source]);
    }
}
