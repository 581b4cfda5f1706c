//! What is in a file, where that is text.

use portcullis_sdk::audit::Source;
use portcullis_sdk::{Failure, Output, Reason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{self, Content};
use super::{DOCUMENT, VERSION, unbase64};
use crate::client::{Client, ReadError};
use crate::fence;
use crate::host::Host;
use crate::json::Json;
use crate::known::{Asked, Known, ask_by, query, quoted, refused, require, touch};
use crate::lookup;
use crate::names;
use crate::page;
use crate::soap;

/// Bytes of a file that are read: more than any model reads, and little of what a call may hold.
const BYTES_MAX: u64 = 8 << 20;
/// Characters of an answer.
const CHARS_SHOWN: usize = 20_000;

/// Where a file is that the org has itself (*Object Reference*, "ContentVersion").
const WITHIN: &str = "S";

/// What tells which file it is and whether it holds text, and what it holds.
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

/// What tells which version of the file is the newest, and how many there are by then.
const NEWEST: [&str; 2] = [
    "ContentDocument.LatestPublishedVersionId",
    "ContentDocument.LatestPublishedVersion.VersionNumber",
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
    let first = |reply: Json| {
        let rows = reply.get("records").map_or(&[][..], Json::items);
        rows.first().cloned()
    };
    // What is in it comes with what it is, where that may be text.
    let planned = |with_content| move |known: &Known<'_, '_>| plan(known, key, id, with_content);
    let of_text = ask_by(&client, soap::query, planned(true));
    let (reply, _) = of_text.map_err(|error| refused(error, "files"))?;
    let row = match first(reply) {
        Some(row) => row,
        None => {
            let of_any = ask_by(&client, query, planned(false));
            let (reply, _) = of_any.map_err(|error| refused(error, "files"))?;
            first(reply).ok_or_else(|| {
                Failure::not_found(format!(
                    "there is no file with the id {id}, or you may not see it"
                ))
                .hint("list_files finds the files of a record, or by title")
            })?
        }
    };
    let file = File { row: &row };
    file.cite(&client);
    let content = file.content()?;
    file.answer(&client, content, from)
}

/// Plans the query for a file: with what is in it, where that is not plainly no text and not too much, or for what it is alone.
fn plan(
    known: &Known<'_, '_>,
    key: &'static str,
    id: &str,
    with_content: bool,
) -> Result<Asked<()>, ReadError> {
    let mut fields = known.keep(VERSION, &FIELDS)?;
    let has = |field: &str| fields.contains(&field);
    if !has("VersionData") {
        return Err(Failure::not_permitted(
            "the user who is signed in may not see what files hold; an administrator of the org can change that",
        )
        .into());
    }
    let mut condition = format!("{key} = {}", quoted(id));
    if with_content && has("ContentSize") {
        condition.push_str(&format!(" AND ContentSize <= {BYTES_MAX}"));
    }
    if with_content && has("ContentLocation") {
        condition.push_str(&format!(" AND ContentLocation = '{WITHIN}'"));
    }
    if with_content && has("FileExtension") {
        let others: Vec<String> = text::others().map(quoted).collect();
        let others = others.join(", ");
        condition.push_str(&format!(
            " AND (FileExtension = null OR FileExtension NOT IN ({others}))"
        ));
    }
    let mut touched = Vec::new();
    touch(&mut touched, VERSION, &[key]);
    touch(&mut touched, VERSION, &fields);
    if key != "Id" {
        touch(&mut touched, VERSION, &["IsLatest"]);
        condition.push_str(" AND IsLatest = true");
    }
    if !with_content {
        fields.retain(|field| *field != "VersionData");
    }
    // By a file's own id the newest is read.
    if key == "Id" && known.has_all(VERSION, &NEWEST)? {
        touch(&mut touched, VERSION, &NEWEST);
        fields.extend(NEWEST);
    }
    Ok(Asked {
        soql: format!(
            "SELECT {} FROM {VERSION} WHERE {condition}",
            fields.join(", ")
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
    fn text(&self, name: &str) -> &'a str {
        self.row.str_at(name).unwrap_or_default()
    }

    fn size(&self) -> Option<u64> {
        // One API writes it as a number, the other as a text.
        let size = self.row.count_at("ContentSize");
        size.or_else(|| self.text("ContentSize").parse().ok())
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

    /// Reads what the file holds, or says why that cannot be shown.
    fn content(&self) -> Result<Content, Failure> {
        if !matches!(self.text("ContentLocation"), "" | WITHIN) {
            return Ok(Content::Other(
                "it is kept outside of the org, which has only a link to it",
            ));
        }
        let extension = self.text("FileExtension");
        if let Some(why) = text::is_other(extension) {
            return Ok(Content::Other(why));
        }
        if self.size().is_some_and(|size| size > BYTES_MAX) {
            return Ok(Content::Other(
                "it is larger than what this tool reads (8 MiB)",
            ));
        }
        match self.row.get("VersionData") {
            // One that is empty; a link has no bytes either, and where its type is hidden it may be one.
            Some(Json::Null)
                if self.size() == Some(0) && !matches!(self.text("FileType"), "" | "LINK") =>
            {
                Ok(text::read(Vec::new(), extension))
            }
            Some(Json::Null) => Ok(Content::Other("the org keeps nothing of it, as of a link")),
            Some(data) => {
                let bytes = data.as_str().and_then(unbase64);
                let broken =
                    || Failure::unavailable("the org sent what the file holds in no base64");
                Ok(text::read(bytes.ok_or_else(broken)?, extension))
            }
            // It was another file when it was asked for with what is in it.
            None => Err(
                Failure::new(Reason::Conflict, "the file changed while it was read")
                    .hint("read it again"),
            ),
        }
    }

    /// Says which version it is, where there are several.
    fn version(&self) -> String {
        let number = fence::inline(self.text("VersionNumber"), 20);
        let document = self.row.get("ContentDocument");
        let newest = document.and_then(|document| document.str_at("LatestPublishedVersionId"));
        let newest = newest.map(names::long_id);
        let Some(newest) = newest.filter(|newest| *newest != names::long_id(self.text("Id")))
        else {
            return match number.as_str() {
                "" | "1" => String::new(),
                number => format!(", version {number}"),
            };
        };
        let last = document.and_then(|document| document.get("LatestPublishedVersion"));
        let last = last.and_then(|last| last.str_at("VersionNumber"));
        let of = last.map_or(String::new(), |last| {
            format!(" of {}", fence::inline(last, 20))
        });
        format!(", version {number}{of}; the newest: {newest}")
    }

    fn answer(
        &self,
        client: &Client<'_>,
        content: Content,
        from: usize,
    ) -> Result<Output, Failure> {
        let url = self.url(client);
        let size = self
            .size()
            .map(|size| format!(", {size} bytes"))
            .unwrap_or_default();
        let version = self.version();
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
                if from >= all.max(1) {
                    let message = format!(
                        "the cursor is behind the end of the file: its text has {all} characters"
                    );
                    let problem = "take it from the last answer, or leave it out";
                    return Err(Failure::invalid(message).field("/cursor", problem));
                }
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
        Ok(data.answer(said.join("\n")).cursor(cursor))
    }

    fn name(&self) -> String {
        match (self.text("Title"), self.text("FileExtension")) {
            (title, "") => title.to_owned(),
            ("", extension) => format!("a file, .{extension}"),
            (title, extension) => format!("{title}.{extension}"),
        }
    }
}
