//! `add_note`: an enhanced note on a record, by one request: a file of the type `.snote`, published at the record (*Object
//! Reference*, "ContentVersion", "ContentNote").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_sdk::approvals::{Change, FieldChange};
use portcullis_sdk::audit::Source;
use portcullis_sdk::http::{Request, path};
use portcullis_sdk::permissions::Access;
use portcullis_sdk::{Failure, Output, Reason};
use schemars::JsonSchema;
use serde::Deserialize;

use super::UNFORESEEN;
use super::record;
use super::refused::{self, Ended};
use super::said::Written;
use crate::client::Client;
use crate::fence;
use crate::host::{Host, Step};
use crate::json::Json;
use crate::known::check_record;
use crate::lookup;
use crate::names;

const FILE: &str = "ContentVersion";

/// What puts a file at a record.
const LINK: &str = "ContentDocumentLink";

/// A title's characters (`ContentVersion.Title`).
const TITLE_CHARS_MAX: usize = 255;
/// A note's characters (*Salesforce Help*, "Notes": 50 MB; a person reads less).
const TEXT_CHARS_MAX: usize = 100_000;

/// What `add_note` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct AddNote {
    /// Id of the record that the note is on.
    about: String,
    title: String,
    /// Plain text.
    text: String,
}

/// Adds a note to a record.
///
/// # Errors
/// The title or the text do not fit; the agent may not read the record's object; the record is not there; the org refuses it, such
/// as where notes are switched off.
pub fn add_note(host: &dyn Host, args: &AddNote) -> Result<Output, Failure> {
    let about = names::record_id(&args.about).map_err(|mut failure| {
        for field in &mut failure.fields {
            "/about".clone_into(&mut field.pointer);
        }
        failure
    })?;
    let about = names::long_id(about);
    let title = args.title.trim();
    check_length(title, TITLE_CHARS_MAX, "/title")?;
    check_length(args.text.trim(), TEXT_CHARS_MAX, "/text")?;
    let fields = [
        "Title",
        "PathOnClient",
        "VersionData",
        "FirstPublishLocationId",
    ];
    host.check(&[
        Access::write(FILE, fields),
        // The org makes the link.
        Access::write(LINK, ["LinkedEntityId", "ContentDocumentId"]),
    ])?;

    let client = Client::new(host);
    check_record(&client, &about)?;
    let label = name_of(&client, &about)?;
    let path_on_client = format!("{}.snote", title.replace(['/', '\\'], "-"));
    let data = STANDARD.encode(html(&args.text));
    // In the order of the fields' names.
    let sent = [
        ("FirstPublishLocationId", "Note on", about.as_str()),
        ("PathOnClient", "File name", path_on_client.as_str()),
        ("Title", "Title", title),
        (
            "VersionData",
            "Content, as it is sent (HTML in Base64)",
            data.as_str(),
        ),
    ];
    let body = Json::object(sent.iter().map(|(name, _, value)| (*name, (*value).into())));
    let change = announcement(&sent, &args.text, label.as_deref(), title);
    let version = client.version()?;
    let request = Request::post(path!("/services/data/{}/sobjects/{}", version, FILE))
        .body("application/json", body.text());
    let step = Step {
        title: "Add a note".to_owned(),
        detail: Some(&about),
    };
    let reply = match Ended::of(&client, FILE, host.change(&step, &[change], request)) {
        Ended::Done(reply) => reply,
        Ended::Refused(failure) | Ended::Changed(failure) => return Err(worded(failure)),
        Ended::Unclear(failure) => return Err(unclear(&about, failure)),
    };
    let Some(id) = reply.str_at("id").and_then(|id| names::record_id(id).ok()) else {
        let failure = Failure::unavailable("the org answered without the new note's id");
        return Err(unclear(&about, failure));
    };
    Ok(answer(&client, id, title))
}

fn check_length(text: &str, chars_max: usize, pointer: &str) -> Result<(), Failure> {
    let problem = match text.chars().count() {
        0 => "is empty".to_owned(),
        count if count > chars_max => {
            format!("takes at most {chars_max} characters, and {count} are given: shorten it")
        }
        _ => return Ok(()),
    };
    Err(Failure::invalid("nothing was added: the note does not fit").field(pointer, problem))
}

/// Gives what a person calls the record that something is about, where its object is known by the id and the agent may read it.
///
/// # Errors
/// `not-found` at `/about`, or the host stopped a request.
pub(super) fn name_of(client: &Client<'_>, id: &str) -> Result<Option<String>, Failure> {
    let Some(kind) = lookup::object_of(client, id) else {
        return Ok(None);
    };
    let kind = kind.as_str();
    let name = names::name_field_of(kind);
    if client.visible_fields(kind, &[name.to_owned()]).is_empty() {
        return Ok(None);
    }
    match record::again(client, kind, id, &[name.to_owned()]) {
        Ok(found) => Ok(found.json.str_at(name).map(|name| format!("{kind} {name}"))),
        Err(error) => {
            let failure = Failure::from(error);
            match failure.reason {
                Reason::NotFound => {
                    let problem =
                        format!("there is no `{kind}` with the id {id}, or you may not see it");
                    Err(failure.field("/about", problem))
                }
                // The name is an extra.
                Reason::Stopped => Err(failure),
                _ => Ok(None),
            }
        }
    }
}

/// Writes a text as notes are kept: HTML, a paragraph a line.
fn html(text: &str) -> String {
    let mut out = String::new();
    for line in text.trim().lines() {
        out.push_str("<p>");
        for c in line.chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&#39;"),
                c => out.push(c),
            }
        }
        out.push_str("</p>");
    }
    out
}

fn announcement(
    sent: &[(&str, &str, &str)],
    text: &str,
    about: Option<&str>,
    title: &str,
) -> Change {
    let mut change = Change::new("create", FILE, title);
    for (name, label, value) in sent {
        change = change.field(FieldChange::new(*name, *label).after(*value, format!("/{name}")));
    }
    // What a person can read of it; the host cannot compare it with what is sent.
    let mut read = FieldChange::new("Text", "Text");
    read.after = Some(Json::from(text.trim()).text());
    change = change.field(read);
    if let Some(about) = about {
        change = change.note(format!("It is on the {}.", fence::inline(about, 120)));
    }
    change
        .note("Who sees the record sees the note.")
        .note(UNFORESEEN)
        .undo("Delete the note in Salesforce; the recycle bin keeps it for 15 days.")
}

/// Moves what the org says of a field to its argument.
fn worded(mut failure: Failure) -> Failure {
    for field in &mut failure.fields {
        let pointer = match field.pointer.as_str() {
            "/fields/Title" | "/fields/PathOnClient" => "/title",
            "/fields/VersionData" => "/text",
            "/fields/FirstPublishLocationId" => "/about",
            _ => continue,
        };
        pointer.clone_into(&mut field.pointer);
    }
    failure
}

fn answer(client: &Client<'_>, id: &str, title: &str) -> Output {
    let fields = ["ContentDocumentId".to_owned(), "FileType".to_owned()];
    let readable =
        client.may_read(FILE) && client.visible_fields(FILE, &fields).len() == fields.len();
    let found = match readable {
        true => record::again(client, FILE, id, &fields).ok(),
        false => None,
    };
    let document = found
        .as_ref()
        .and_then(|found| found.json.str_at("ContentDocumentId"));
    let mut notes = Vec::new();
    let kind = found
        .as_ref()
        .and_then(|found| found.json.str_at("FileType"));
    if kind.is_some_and(|kind| kind != "SNOTE") {
        notes.push(
            "it is stored as a file, not as a note: notes seem to be switched off in the org"
                .to_owned(),
        );
    }
    if found.is_none() {
        notes.push("the note is made, but could not be read back".to_owned());
    }
    let id = names::long_id(document.unwrap_or(id));
    let kind = if document.is_some() {
        "ContentDocument"
    } else {
        FILE
    };
    let url = names::record_url(client.origin(), kind, &id);
    let source = Source::new(kind).id(&id).label(title).url(&url);
    client.host.cite(&[source]);
    let mut text = format!("created note {url}");
    for note in &notes {
        text.push('\n');
        text.push_str(note);
    }
    Written::data("created", kind, &id, Some(url), Vec::new(), &notes).answer(text)
}

fn unclear(about: &str, failure: Failure) -> Failure {
    let soql = format!(
        "SELECT ContentDocumentId, ContentDocument.Title, ContentDocument.CreatedDate FROM ContentDocumentLink WHERE LinkedEntityId = '{about}'"
    );
    let hint = format!(
        "the note may have been added all the same, and nothing was sent again. Look before you call add_note anew: query {{\"soql\": {}}}",
        Json::from(soql)
    );
    refused::unclear(failure, hint)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::testing::Org;

    #[test]
    fn nothing_is_noted_on_a_record_that_the_agent_may_not_read() {
        let list = r#"{"sobjects":[{"name":"Site__c","keyPrefix":"a00"}]}"#;
        for (forbidden, about, is_refused) in [
            ("Account", "001000000000001AAA", true),
            ("Site__c", "a00000000000001AAA", true),
            // Nobody knows of which object it is.
            ("Account", "a99000000000001AAA", true),
            // The note is made there by a link.
            (LINK, "003000000000001AAA", true),
            ("Case", "001000000000001AAA", false),
        ] {
            let org = Org::new().forbid("*").forbid(forbidden).answer(
                "/services/data/v68.0/sobjects",
                200,
                list,
            );
            let args = AddNote {
                about: about.to_owned(),
                title: "T".to_owned(),
                text: "t".to_owned(),
            };
            let failure = add_note(&org, &args).unwrap_err();
            let is_forbidden = failure.reason == Reason::NotPermitted;
            assert_eq!(is_forbidden, is_refused, "{forbidden} {about}: {failure:?}");
            assert_eq!(org.announced().is_empty(), is_refused, "{forbidden}");
        }
    }

    #[test]
    fn a_text_is_kept_as_paragraphs_and_is_no_markup() {
        assert_eq!(
            html("a <b> & \"c\"\n\nit's\n"),
            "<p>a &lt;b&gt; &amp; &quot;c&quot;</p><p></p><p>it&#39;s</p>"
        );
    }
}
