//! What is in a file, where that is text.

use portcullis_sdk::audit::Source;
use portcullis_sdk::http::{Request, path};
use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{self, Content};
use super::{DOCUMENT, VERSION};
use crate::client::{Client, ReadError};
use crate::fence;
use crate::host::Host;
use crate::json::Json;
use crate::known::{Asked, Known, ask, quoted, refused, require, touch};
use crate::lookup;
use crate::names;
use crate::page;

/// Bytes of a file that are read: more than any model reads, and little of what a call may hold.
const BYTES_MAX: u64 = 8 << 20;
/// Characters of an answer.
const CHARS_SHOWN: usize = 20_000;

/// What tells which file it is and whether it holds text.
const FIELDS: [&str; 9] = [
    "Id",
    "ContentDocumentId",
    "Title",
    "FileType",
    "FileExtension",
    "ContentSize",
    "VersionNumber",
    "ContentLocation",
    "VersionData",
];

/// What `read_file` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct ReadFile {
    /// Of a file, from list_files; or of one version of it (`068…`).
    id: String,
    /// From the last answer.
    cursor: Option<String>,
}

/// What `read_file` answers as data.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FileRead {
    id: String,
    version_id: String,
    url: String,
    title: Option<String>,
    file_type: Option<String>,
    /// In bytes.
    size: Option<u64>,
    /// Null where the file holds no text that can be shown.
    text: Option<String>,
    /// Characters of the whole text.
    characters: Option<usize>,
    cursor: Option<String>,
}

/// Reads a file.
///
/// # Errors
/// There is no such file; the agent may not see what files hold.
pub fn read_file(host: &dyn Host, args: &ReadFile) -> Result<Output, Failure> {
    const FOUND_BY: &str =
        "list_files finds the files of a record: {\"record_id\": \"…\"}, or by title";
    let id = names::record_id(&args.id).map_err(|failure| failure.hint(FOUND_BY))?;
    let client = Client::new(host);
    let key = match names::object_of(id) {
        Some(DOCUMENT) => "ContentDocumentId",
        Some(VERSION) => "Id",
        _ => {
            let of = lookup::known_object(&client, id);
            let message = format!("{id} is no id of a file{of}");
            return Err(Failure::invalid(message.clone())
                .field("/id", message)
                .hint(FOUND_BY));
        }
    };
    let from = page::offset(args.cursor.as_deref(), usize::MAX)?;
    require(
        &client,
        "what files hold",
        VERSION,
        &[key, "Id", "IsLatest", "VersionData"],
    )?;
    host.step("Read a file", Some(id));
    let made = ask(&client, |known| plan(known, key, id));
    let (reply, _) = made.map_err(|error| refused(error, "files"))?;
    let found = reply.get("records").map_or(&[][..], Json::items).first();
    let file = found.map(File::of).ok_or_else(|| {
        Failure::not_found(format!(
            "there is no file with the id {id}, or you may not see it"
        ))
        .hint("list_files finds the files of a record, or by title")
    })?;
    file.cite(&client);
    let content = file.content(&client)?;
    Ok(file.answer(&client, content, from))
}

fn plan(known: &Known<'_, '_>, key: &'static str, id: &str) -> Result<Asked<()>, ReadError> {
    let fields = known.keep(VERSION, &FIELDS)?;
    // The bytes come by themselves.
    let select: Vec<&str> = fields
        .iter()
        .copied()
        .filter(|field| *field != "VersionData")
        .collect();
    let mut condition = format!("{key} = {}", quoted(id));
    let mut touched = Vec::new();
    touch(&mut touched, VERSION, &[key]);
    touch(&mut touched, VERSION, &fields);
    if key != "Id" {
        touch(&mut touched, VERSION, &["IsLatest"]);
        condition.push_str(" AND IsLatest = true");
    }
    Ok(Asked {
        soql: format!(
            "SELECT {} FROM {VERSION} WHERE {condition}",
            select.join(", ")
        ),
        touched,
        plan: (),
        hides: false,
    })
}

/// A version of a file, as far as its row tells.
struct File<'a> {
    row: &'a Json,
}

impl<'a> File<'a> {
    fn of(row: &'a Json) -> Self {
        Self { row }
    }

    fn text(&self, name: &str) -> &'a str {
        self.row.str_at(name).unwrap_or_default()
    }

    fn size(&self) -> Option<u64> {
        self.row.count_at("ContentSize")
    }

    /// Gives the file's id, or the version's where that is hidden.
    fn id(&self) -> &'a str {
        self.row
            .str_at("ContentDocumentId")
            .unwrap_or(self.text("Id"))
    }

    fn url(&self, client: &Client<'_>) -> String {
        let kind = if self.row.get("ContentDocumentId").is_some() {
            DOCUMENT
        } else {
            VERSION
        };
        names::record_url(client.origin(), kind, self.id())
    }

    fn cite(&self, client: &Client<'_>) {
        let source = Source::new(VERSION)
            .id(self.text("Id"))
            .fields(["VersionData"])
            .url(self.url(client));
        let source = match self.row.str_at("Title") {
            Some(title) => source.label(title),
            None => source,
        };
        client.host.cite(&[source]);
    }

    /// Fetches what the file holds, if that may be text.
    fn content(&self, client: &Client<'_>) -> Result<Content, Failure> {
        let location = self.text("ContentLocation");
        if !matches!(location, "" | "S") {
            return Ok(Content::Other(
                "it is kept outside of the org, which has only a link to it",
            ));
        }
        if let Some(why) = text::is_other(self.text("FileExtension")) {
            return Ok(Content::Other(why));
        }
        if self.size().is_some_and(|size| size > BYTES_MAX) {
            return Ok(Content::Other(
                "it is larger than what this tool reads (8 MiB)",
            ));
        }
        let version = client.version()?;
        let id = self.text("Id");
        let bytes = client.read_bytes(|| {
            Request::get(path!(
                "/services/data/{}/sobjects/ContentVersion/{}/VersionData",
                version,
                id
            ))
            .response_bytes_max(usize::try_from(BYTES_MAX).unwrap_or(usize::MAX))
        });
        let bytes = bytes.map_err(|error| refused(error, "files"))?;
        Ok(text::read(&bytes, self.text("FileExtension")))
    }

    fn answer(&self, client: &Client<'_>, content: Content, from: usize) -> Output {
        let url = self.url(client);
        let size = self
            .size()
            .map(|size| format!(", {size} bytes"))
            .unwrap_or_default();
        let version = match self.text("VersionNumber") {
            "" | "1" => String::new(),
            number => format!(", version {}", fence::inline(number, 20)),
        };
        let mut said = vec![format!("File {url}{size}{version}")];
        let name = fence::inline(&self.name(), 300);
        let (mut shown, mut characters, mut cursor) = (None, None, None);
        match content {
            Content::Other(why) => {
                said.push(client.fenced(&format!(
                    "{name}: {}",
                    fence::inline(self.text("FileType"), 40)
                )));
                said.push(format!(
                    "its text cannot be shown: {why}; a person can open it at its address"
                ));
            }
            Content::Text { text, note } => {
                let all = text.chars().count();
                let part: String = text.chars().skip(from).take(CHARS_SHOWN).collect();
                let to = from.min(all) + part.chars().count();
                said.push(client.fenced(&format!("{name}\n\n{}", text::shown(&part))));
                if to < all {
                    cursor = Some(to.to_string());
                    said.push(format!(
                        "characters {}-{to} of {all}; more: \"cursor\": \"{to}\"",
                        from + 1
                    ));
                } else if from > 0 {
                    said.push(format!("characters {}-{to} of {all}, the last", from + 1));
                }
                said.extend(note.map(str::to_owned));
                (shown, characters) = (Some(part), Some(all));
            }
        }
        let optional = |name: &str| self.row.str_at(name).map(str::to_owned);
        let data = Json::object([
            ("id", self.id().into()),
            ("version_id", self.text("Id").into()),
            ("url", url.into()),
            ("title", optional("Title").into()),
            ("file_type", optional("FileType").into()),
            ("size", self.size().into()),
            ("text", shown.into()),
            ("characters", characters.map(|all| all as u64).into()),
            ("cursor", cursor.clone().into()),
        ]);
        let mut output = Output::text(said.join("\n")).cursor(cursor);
        output.structured = Some(data.text());
        output
    }

    fn name(&self) -> String {
        match (self.text("Title"), self.text("FileExtension")) {
            (title, "") => title.to_owned(),
            ("", extension) => format!("a file, .{extension}"),
            (title, extension) => format!("{title}.{extension}"),
        }
    }
}
