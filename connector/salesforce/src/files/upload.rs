//! `upload_file`: a new file, or a new version of one, by a POST that is never sent twice.
//!
//! Its bytes are in the body of the request, so that a person's approval binds them. They are text, or the caller's base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_sdk::approvals::{Change, FieldChange};
use portcullis_sdk::audit::Source;
use portcullis_sdk::http::{Request, path};
use portcullis_sdk::permissions::Access;
use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DOCUMENT, LINK, VERSION, unbase64};
use crate::client::{Client, ReadError};
use crate::fence;
use crate::host::{Host, Step};
use crate::json::Json;
use crate::known::{check_record, query, quoted, touch};
use crate::names;
use crate::order;
use crate::writes::{Ended, UNFORESEEN, unclear};

/// Bytes of a file: base64 makes a third more of them, twice in a question to a person.
const BYTES_MAX: usize = 1 << 20;
/// Characters of a text's beginning that a person reads.
const PREVIEW_CHARS: usize = 600;

/// What `upload_file` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct UploadFile {
    /// With its extension, such as `Plan.md`.
    name: String,
    /// What it holds…
    text: Option<String>,
    /// …or that in base64; 1 MiB at most.
    base64: Option<String>,
    /// Record to put it at.
    record_id: Option<String>,
    /// Or: makes a new version of this file.
    file_id: Option<String>,
}

/// What `upload_file` answers as data.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Uploaded {
    /// Null where it could not be read back.
    id: Option<String>,
    version_id: String,
    url: Option<String>,
    /// In bytes, as stored.
    size: Option<u64>,
    notes: Vec<String>,
}

/// Where a new version goes.
#[derive(Debug, Clone, Copy)]
enum Place<'a> {
    /// To the user's own files.
    Own,
    /// To a record.
    Record(&'a str),
    /// To a file that is there.
    File(&'a str),
}

impl<'a> Place<'a> {
    fn of(args: &'a UploadFile) -> Result<Self, Failure> {
        let given =
            |id: &'a Option<String>| id.as_deref().map(str::trim).filter(|id| !id.is_empty());
        let id_at = |id: &'a str, pointer: &str| {
            names::record_id(id).map_err(|failure| {
                let problem = failure.message.clone();
                Failure {
                    fields: Vec::new(),
                    ..failure
                }
                .field(pointer, problem)
            })
        };
        match (given(&args.record_id), given(&args.file_id)) {
            (None, None) => Ok(Self::Own),
            (Some(id), None) => Ok(Self::Record(id_at(id, "/record_id")?)),
            (None, Some(id)) => {
                let id = id_at(id, "/file_id")?;
                match names::object_of(id) {
                    Some(DOCUMENT) => Ok(Self::File(id)),
                    _ => {
                        let message = format!("{id} is no id of a file: these begin with 069");
                        Err(Failure::invalid(message.clone())
                            .field("/file_id", message)
                            .hint("list_files finds a file's id"))
                    }
                }
            }
            (Some(_), Some(_)) => Err(Failure::invalid("a new version stays where its file is")
                .field("/record_id", "leave out this or `file_id`")),
        }
    }

    /// Gives the field of a version that says it, with what people call it.
    fn field(&self) -> Option<(&'static str, &'static str, &'a str)> {
        match self {
            Self::Own => None,
            Self::Record(id) => Some(("FirstPublishLocationId", "First Publish Location ID", id)),
            Self::File(id) => Some(("ContentDocumentId", "ContentDocument ID", id)),
        }
    }
}

/// Puts a file into the org.
///
/// # Errors
/// Name or content do not fit; there is no such record or file; what the org refuses. After an unclear failure it
/// says that the file may be there, and which query shows it.
pub fn upload_file(host: &dyn Host, args: &UploadFile) -> Result<Output, Failure> {
    let name = file_name(&args.name)?;
    let bytes = content(args)?;
    let place = Place::of(args)?;
    let client = Client::new(host);
    let mut fields = vec!["Title", "PathOnClient", "VersionData"];
    fields.extend(place.field().map(|(field, ..)| field));
    let mut accesses = vec![Access::write(VERSION, fields)];
    match place {
        Place::Own => {}
        // The org makes the link.
        Place::Record(_) => {
            accesses.push(Access::write(LINK, ["LinkedEntityId", "ContentDocumentId"]))
        }
        Place::File(_) => accesses.push(Access::write(DOCUMENT, ["Title"])),
    }
    host.check(&accesses)?;
    let shown = match place {
        Place::Own => None,
        Place::Record(id) => {
            check_record(&client, id)?;
            label_of(&client, id, "/record_id")?
        }
        Place::File(id) => label_of(&client, id, "/file_id")?,
    };
    let upload = Upload {
        name,
        title: title_of(name),
        data: STANDARD.encode(&bytes),
        bytes: &bytes,
        place,
        shown,
    };
    let version = client.version()?;
    let request = Request::post(path!("/services/data/{}/sobjects/{}", version, VERSION))
        .body("application/json", upload.body());
    let step = Step {
        title: "Upload a file".to_owned(),
        detail: Some(name),
    };
    let sent = host.change(&step, &[upload.change()], request);
    let reply = match Ended::of(&client, VERSION, sent) {
        Ended::Done(reply) => reply,
        Ended::Refused(failure) | Ended::Changed(failure) => return Err(upload.refused(failure)),
        Ended::Unclear(failure) => return Err(upload.unclear(&client, failure)),
    };
    let Some(id) = reply.str_at("id").and_then(|id| names::record_id(id).ok()) else {
        let failure = Failure::unavailable("the org answered without the new version's id");
        return Err(upload.unclear(&client, failure));
    };
    Ok(upload.read_back(&client, id))
}

/// Checks a file's name: no path, and short enough for its fields.
fn file_name(name: &str) -> Result<&str, Failure> {
    let name = name.trim();
    let refuse = |problem: &str| {
        Err(Failure::invalid(format!("the name {problem}")).field("/name", problem))
    };
    if name.is_empty() || name.chars().count() > 255 {
        return refuse("must have 1 to 255 characters");
    }
    if name.contains(['/', '\\']) || name.chars().any(char::is_control) {
        return refuse("must be that of a file, without a path");
    }
    Ok(name)
}

/// Gives what is before the last dot.
fn title_of(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((title, _)) if !title.is_empty() => title,
        _ => name,
    }
}

fn content(args: &UploadFile) -> Result<Vec<u8>, Failure> {
    let bytes = match (&args.text, &args.base64) {
        (Some(text), None) => text.clone().into_bytes(),
        (None, Some(encoded)) => unbase64(encoded).ok_or_else(|| {
            Failure::invalid("the content is no base64").field(
                "/base64",
                "must be base64 (RFC 4648) with its padding; give plain text as `text`",
            )
        })?,
        (Some(_), Some(_)) => {
            let message = "say what the file holds: give one of `text` and `base64`, not both";
            return Err(Failure::invalid(message).field("/base64", "leave out this or `text`"));
        }
        (None, None) => {
            let message = "say what the file holds: give `text` or `base64`";
            return Err(Failure::invalid(message).field("", "needs one of `text` and `base64`"));
        }
    };
    let pointer = if args.text.is_some() {
        "/text"
    } else {
        "/base64"
    };
    if bytes.is_empty() {
        return Err(Failure::invalid("the file is empty").field(pointer, "holds nothing"));
    }
    if bytes.len() > BYTES_MAX {
        let message = format!(
            "the file has {} bytes, and may have {BYTES_MAX}",
            bytes.len()
        );
        return Err(Failure::invalid(message.clone())
            .field(pointer, message)
            .hint("a person uploads larger files in Salesforce"));
    }
    Ok(bytes)
}

/// Finds what a person calls a record, and that it is there. `None`: its object is not known here, or its name is hidden.
fn label_of(client: &Client<'_>, id: &str, pointer: &str) -> Result<Option<String>, Failure> {
    let Some(kind) = names::object_of(id) else {
        return Ok(None);
    };
    let name = names::name_field_of(kind);
    let columns = ["Id".to_owned(), name.to_owned()];
    if !client.may_read(kind) || client.visible_fields(kind, &columns).len() < columns.len() {
        return Ok(None);
    }
    let mut touched = Vec::new();
    touch(&mut touched, kind, &["Id", name]);
    client.check(&touched)?;
    let soql = format!("SELECT Id, {name} FROM {kind} WHERE Id = {}", quoted(id));
    match query(client, &soql) {
        Ok(reply) => match reply.get("records").map_or(&[][..], Json::items).first() {
            Some(record) => Ok(Some(record.str_at(name).unwrap_or(id).to_owned())),
            None => {
                let problem = format!("there is no {kind} with the id {id}, or you may not see it");
                Err(
                    Failure::not_found(format!("nothing was uploaded: {problem}"))
                        .field(pointer, problem),
                )
            }
        },
        // It may have no such field: the name is an extra.
        Err(ReadError::Service(_)) => Ok(None),
        Err(ReadError::Failed(failure)) => Err(failure),
    }
}

/// A file on its way.
struct Upload<'a> {
    name: &'a str,
    title: &'a str,
    data: String,
    bytes: &'a [u8],
    place: Place<'a>,
    /// What a person calls where it goes.
    shown: Option<String>,
}

impl Upload<'_> {
    fn fields(&self) -> Vec<(&'static str, &'static str, &str)> {
        let mut fields = vec![
            ("PathOnClient", "Path On Client", self.name),
            ("Title", "Title", self.title),
            ("VersionData", "Version Data, in base64", self.data.as_str()),
        ];
        fields.extend(self.place.field());
        // In the order of their API names: the same arguments make the same request.
        order::sort_by(&mut fields, |(one, ..), (other, ..)| one.cmp(other));
        fields
    }

    fn body(&self) -> String {
        let fields = self.fields().into_iter();
        Json::object(fields.map(|(name, _, value)| (name, value.into()))).text()
    }

    fn change(&self) -> Change {
        let mut change = Change::new("create", VERSION, self.name);
        for (name, label, value) in self.fields() {
            let mut field = FieldChange::new(name, label);
            field.after = Some(Json::from(value).text());
            field.pointer = Some(format!("/{name}"));
            change = change.field(field);
        }
        change = change.note(self.holds());
        let undo = match (&self.place, &self.shown) {
            (Place::File(_), shown) => {
                let shown = shown.as_deref().unwrap_or("a file");
                change = change.note(format!(
                    "It becomes the version of “{shown}” that everybody sees."
                ));
                "Upload the version before it anew: a single version cannot be deleted."
            }
            (Place::Record(id), shown) => {
                let shown = shown.as_deref().unwrap_or(id);
                change = change.note(format!("Who sees “{shown}” sees the file."));
                "Delete the file."
            }
            (Place::Own, _) => {
                change = change.note("The user alone sees it, until it is shared.");
                "Delete the file."
            }
        };
        change.note(UNFORESEEN).undo(undo)
    }

    /// Says what the file holds, in words: base64 tells a person nothing.
    fn holds(&self) -> String {
        let size = self.bytes.len();
        match std::str::from_utf8(self.bytes) {
            Ok(text) if !text.contains('\0') => {
                let mut chars = text.chars();
                let begins: String = chars.by_ref().take(PREVIEW_CHARS).collect();
                let more = match chars.count() {
                    0 => String::new(),
                    more => format!(" … and {more} more characters"),
                };
                format!("It holds {size} bytes of text: {begins}{more}")
            }
            _ => format!("It holds {size} bytes that are no text."),
        }
    }

    fn refused(&self, mut failure: Failure) -> Failure {
        // The caller knows arguments, not fields.
        for field in &mut failure.fields {
            let pointer = match field.pointer.as_str() {
                "/fields/FirstPublishLocationId" => "/record_id",
                "/fields/ContentDocumentId" => "/file_id",
                "/fields/PathOnClient" | "/fields/Title" => "/name",
                _ => continue,
            };
            pointer.clone_into(&mut field.pointer);
        }
        failure
    }

    /// The file may be there: names the query that shows it.
    fn unclear(&self, client: &Client<'_>, failure: Failure) -> Failure {
        let mut conditions = Vec::new();
        if let Some(identity) = &client.account().identity {
            conditions.push(format!("CreatedById = {}", quoted(&identity.user_id)));
        }
        conditions.push(format!("Title = {}", quoted(self.title)));
        conditions.push("CreatedDate >= YESTERDAY".to_owned());
        let soql = format!(
            "SELECT Id, ContentDocumentId, ContentSize, CreatedDate FROM {VERSION} WHERE {} ORDER BY CreatedDate DESC LIMIT 5",
            conditions.join(" AND ")
        );
        let hint = format!(
            "the file may be there all the same, and nothing was sent again. Look before you call upload_file anew: query {{\"soql\": {}}}",
            Json::from(soql)
        );
        unclear(failure, hint)
    }

    /// Reads the new version and answers; it is there, whether it can be read or not.
    fn read_back(&self, client: &Client<'_>, id: &str) -> Output {
        let id = names::long_id(id);
        let stored = self.stored(client, &id);
        let get = |name| stored.as_ref().and_then(|row| row.str_at(name));
        let document = get("ContentDocumentId").map(str::to_owned);
        let size = stored.as_ref().and_then(|row| row.count_at("ContentSize"));
        let mut notes = Vec::new();
        if stored.is_none() {
            notes.push("the file is there, but could not be read back".to_owned());
        }
        if size.is_some_and(|size| size != self.bytes.len() as u64) {
            notes.push(format!(
                "the org stored another size than the {} bytes that were sent",
                self.bytes.len()
            ));
        }
        for (field, asked) in [("Title", self.title), ("PathOnClient", self.name)] {
            if let Some(kept) = get(field).filter(|kept| *kept != asked) {
                notes.push(format!(
                    "`{field}` is not as asked: a trigger or a flow wrote “{}”",
                    fence::inline(kept, 120)
                ));
            }
        }
        let url = document
            .as_deref()
            .map(|document| names::record_url(client.origin(), DOCUMENT, document));
        let mut source = Source::new(VERSION)
            .id(&id)
            .label(self.name)
            .fields(self.fields().iter().map(|(name, ..)| *name));
        source.url.clone_from(&url);
        client.host.cite(&[source]);
        let done = match self.place {
            Place::File(_) => "uploaded a new version of",
            _ => "uploaded",
        };
        let mut text = match &url {
            Some(url) => format!("{done} {url}"),
            None => format!("{done} version {id}"),
        };
        if let Some(size) = size {
            text.push_str(&format!(", {size} bytes"));
        }
        if let Place::Record(record) = self.place {
            text.push_str(&format!(", at {record}"));
        }
        for note in &notes {
            text.push('\n');
            text.push_str(note);
        }
        let data = Json::object([
            ("id", document.into()),
            ("version_id", id.into()),
            ("url", url.into()),
            ("size", size.into()),
            (
                "notes",
                Json::Array(notes.iter().map(|note| note.as_str().into()).collect()),
            ),
        ]);
        data.answer(text)
    }

    fn stored(&self, client: &Client<'_>, id: &str) -> Option<Json> {
        let fields = [
            "Id",
            "ContentDocumentId",
            "Title",
            "PathOnClient",
            "ContentSize",
        ];
        let mut touched = Vec::new();
        touch(&mut touched, VERSION, &fields);
        client.check(&touched).ok()?;
        let soql = format!(
            "SELECT {} FROM {VERSION} WHERE Id = {}",
            fields.join(", "),
            quoted(id)
        );
        let reply = query(client, &soql).ok()?;
        reply.get("records")?.items().first().cloned()
    }
}
