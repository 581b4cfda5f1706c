//! Which files there are: at a record, or by their titles.

use portcullis_sdk::audit::Source;
use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DOCUMENT, LINK};
use crate::client::{Client, ReadError};
use crate::host::Host;
use crate::json::Json;
use crate::known::{self, Asked, Known, ask, check_record, holding, quoted, touch};
use crate::names;
use crate::page::Page;
use crate::table::{Bounds, Table};

const LISTED: usize = 50;

const BOUNDS: Bounds = Bounds {
    cell_chars_max: 300,
    text_bytes_max: 50_000,
};

/// What is told of a file, by its fields.
const FIELDS: [&str; 6] = [
    "Title",
    "FileType",
    "FileExtension",
    "ContentSize",
    "LastModifiedDate",
    "Owner.Name",
];

/// What `list_files` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct ListFiles {
    /// Of the record with this id.
    record_id: Option<String>,
    /// Part of the title.
    text: Option<String>,
    /// Default 50.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u32>,
    /// From the last answer.
    cursor: Option<String>,
}

/// What `list_files` answers as data.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Files {
    /// `ContentSize` is in bytes.
    columns: Vec<String>,
    rows: Vec<Vec<serde_json::Value>>,
    cursor: Option<String>,
}

/// Lists files, those changed last first.
///
/// # Errors
/// The id is none; the agent may not see files, or the record that they are at.
pub fn list_files(host: &dyn Host, args: &ListFiles) -> Result<Output, Failure> {
    let page = Page::of(args.limit, LISTED, args.cursor.as_deref())?;
    let record = args
        .record_id
        .as_deref()
        .map(str::trim)
        .filter(|id| !id.is_empty());
    let record = record
        .map(names::record_id)
        .transpose()
        .map_err(|failure| {
            let problem = failure.message.clone();
            Failure {
                fields: Vec::new(),
                ..failure
            }
            .field("/record_id", problem)
        })?;
    let client = Client::new(host);
    let from = From { record };
    known::require(&client, "files", from.kind(), &from.needs())?;
    if let Some(record) = record {
        check_record(&client, record)?;
    }
    host.step("Listed files", record.or(args.text.as_deref()));
    let made = ask(&client, |known| from.plan(known, args, page));
    let (reply, asked) = made.map_err(|error| known::refused(error, "files"))?;
    let found = reply.get("records").map_or(&[][..], Json::items);
    let (shown, rest) = page.take(found);
    cite(&client, &asked, shown, &from);
    let table = table(shown, &asked.plan, &from);
    let mut text = vec![page.said(shown.len(), "files", &rest)];
    if !shown.is_empty() {
        text.push(client.fenced(&table.render(BOUNDS).text));
        text.push(format!(
            "ContentSize is in bytes; {}",
            known::about_moments(&client)
        ));
    } else if record.is_some() && args.text.is_none() {
        text.push(
            "there is no file at this record, or no record with this id that you may see"
                .to_owned(),
        );
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

/// Where files are looked for.
struct From<'a> {
    record: Option<&'a str>,
}

impl From<'_> {
    fn kind(&self) -> &'static str {
        if self.record.is_some() {
            LINK
        } else {
            DOCUMENT
        }
    }

    /// What leads from the object queried to the file.
    fn prefix(&self) -> &'static str {
        if self.record.is_some() {
            "ContentDocument."
        } else {
            ""
        }
    }

    fn id(&self) -> &'static str {
        if self.record.is_some() {
            "ContentDocumentId"
        } else {
            "Id"
        }
    }

    fn needs(&self) -> Vec<&'static str> {
        match self.record {
            Some(_) => vec!["LinkedEntityId", "ContentDocumentId"],
            None => vec!["Id"],
        }
    }

    fn plan(
        &self,
        known: &Known<'_, '_>,
        args: &ListFiles,
        page: Page,
    ) -> Result<Asked<Vec<String>>, ReadError> {
        let mut fields = Vec::new();
        for field in FIELDS {
            let path = format!("{}{field}", self.prefix());
            if known.has(self.kind(), &path)? {
                fields.push(path);
            }
        }
        fields.insert(0, self.id().to_owned());
        let mut conditions = Vec::new();
        conditions.extend(
            self.record
                .map(|id| format!("LinkedEntityId = {}", quoted(id))),
        );
        let title = format!("{}Title", self.prefix());
        if let Some(text) = args
            .text
            .as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty())
        {
            if !fields.contains(&title) {
                let message = "this agent may not choose files by their titles";
                return Err(Failure::not_permitted(message)
                    .field("/text", "leave it out")
                    .into());
            }
            conditions.push(format!("{title} LIKE {}", holding(text)));
        }
        let mut soql = format!("SELECT {} FROM {}", fields.join(", "), self.kind());
        if !conditions.is_empty() {
            soql.push_str(&format!(" WHERE {}", conditions.join(" AND ")));
        }
        let changed = format!("{}LastModifiedDate", self.prefix());
        soql.push_str(&match fields.contains(&changed) {
            true => format!(" ORDER BY {changed} DESC, {}", self.id()),
            false => format!(" ORDER BY {}", self.id()),
        });
        soql.push_str(&page.clause());
        let mut touched = Vec::new();
        touch(&mut touched, self.kind(), &self.needs());
        let paths: Vec<&str> = fields.iter().map(String::as_str).collect();
        touch(&mut touched, self.kind(), &paths);
        Ok(Asked {
            soql,
            touched,
            plan: fields,
            hides: false,
        })
    }
}

fn value<'j>(record: &'j Json, path: &str) -> &'j Json {
    record.at(path).unwrap_or(&Json::Null)
}

fn table(records: &[Json], fields: &[String], from: &From<'_>) -> Table {
    let name = |path: &String| match path.as_str() {
        path if path == from.id() => "Id".to_owned(),
        path => path.strip_prefix(from.prefix()).unwrap_or(path).to_owned(),
    };
    let mut table = Table::plain(
        [],
        records.iter().map(|record| {
            fields
                .iter()
                .map(|path| value(record, path).clone())
                .collect()
        }),
    );
    table.columns = fields.iter().map(name).collect();
    table
}

fn cite(client: &Client<'_>, asked: &Asked<Vec<String>>, shown: &[Json], from: &From<'_>) {
    const FILES_CITED: usize = 25;
    let mut sources: Vec<Source> = asked
        .touched
        .iter()
        .map(|touched| Source::new(&touched.kind).fields(&touched.fields))
        .collect();
    for record in shown.iter().take(FILES_CITED) {
        let Some(id) = record.str_at(from.id()) else {
            continue;
        };
        let source =
            Source::new(DOCUMENT)
                .id(id)
                .url(names::record_url(client.origin(), DOCUMENT, id));
        let title = value(record, &format!("{}Title", from.prefix())).as_str();
        sources.push(match title {
            Some(title) => source.label(title),
            None => source,
        });
    }
    client.host.cite(&sources);
}
