//! `send_email`: a message from the signed-in user, by the standard action `emailSimple` (*Actions Developer Guide*).

use portcullis_sdk::approvals::{Change, FieldChange};
use portcullis_sdk::audit::Source;
use portcullis_sdk::http::{Request, Response, path};
use portcullis_sdk::permissions::Access;
use portcullis_sdk::{Effect, Failure, Output, Reason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::note::name_of;
use super::refused::{self, Ended};
use super::value::is_email;
use crate::client::Client;
use crate::fence;
use crate::host::{Host, Step};
use crate::json::Json;
use crate::known::check_record;
use crate::names;

/// What a message counts as, for scopes and cards.
const MESSAGE: &str = "EmailMessage";

/// What a message is logged as at a record (*Actions Developer Guide*, "Send Email").
const LOG: &str = "Task";

/// What the log says of the message; it is about the record by one of the last two.
const LOGGED: [&str; 4] = ["Subject", "Description", "WhatId", "WhoId"];

/// Addresses of one message (*Actions Developer Guide*, "Send Email").
const RECIPIENTS_MAX: usize = 150;

/// What `send_email` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct SendEmail {
    /// E-mail addresses.
    to: Vec<String>,
    cc: Option<Vec<String>>,
    subject: String,
    /// Plain text.
    body: String,
    /// Id of a record: the message is logged there.
    about: Option<String>,
}

/// What `send_email` answers as data.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Mailed {
    /// `sent`.
    done: String,
    recipients: usize,
    /// Where it is logged.
    about: Option<String>,
}

/// Sends a message.
///
/// # Errors
/// An address is none; the agent may not read the object of the record, or not log at one; the org refuses it, such as for its
/// daily limit. After an unclear failure it says that the message may be sent.
pub fn send_email(host: &dyn Host, args: &SendEmail) -> Result<Output, Failure> {
    let none = Vec::new();
    let copies = args.cc.as_ref().unwrap_or(&none);
    let to = addresses(&args.to, "/to")?;
    let cc = addresses(copies, "/cc")?;
    let recipients = args.to.len() + copies.len();
    if args.to.is_empty() || recipients > RECIPIENTS_MAX {
        let problem = format!("takes 1 to {RECIPIENTS_MAX} addresses, those of `cc` counted");
        return Err(Failure::invalid("nothing was sent").field("/to", problem));
    }
    for (text, pointer) in [(&args.subject, "/subject"), (&args.body, "/body")] {
        if text.trim().is_empty() {
            return Err(Failure::invalid("nothing was sent").field(pointer, "is empty"));
        }
    }
    let about = match &args.about {
        None => None,
        Some(id) => Some(names::long_id(names::record_id(id).map_err(
            |mut failure| {
                for field in &mut failure.fields {
                    "/about".clone_into(&mut field.pointer);
                }
                failure
            },
        )?)),
    };
    let mut accesses = vec![Access::new(Effect::Destructive, MESSAGE, [""; 0])];
    accesses.extend(about.iter().map(|_| Access::write(LOG, LOGGED)));
    host.check(&accesses)?;

    let client = Client::new(host);
    let logged_at = match &about {
        Some(id) => {
            check_record(&client, id)?;
            name_of(&client, id)?
        }
        None => None,
    };
    let mut inputs: Vec<(&str, &str, Json)> = Vec::new();
    if !cc.is_empty() {
        inputs.push(("ccRecipientAddressList", "Copy to", cc.into()));
    }
    inputs.push(("emailAddresses", "To", to.as_str().into()));
    inputs.push(("emailBody", "Body", args.body.as_str().into()));
    inputs.push(("emailSubject", "Subject", args.subject.trim().into()));
    if let Some(id) = &about {
        inputs.push(("logEmailOnSend", "Log at the record", Json::Bool(true)));
        inputs.push(("relatedRecordId", "Record", id.as_str().into()));
    }
    let input = Json::object(inputs.iter().map(|(name, _, value)| (*name, value.clone())));
    let body = Json::object([("inputs", Json::Array(vec![input]))]);
    let mut change = Change::new("send", MESSAGE, args.subject.trim());
    for (name, label, value) in &inputs {
        let mut field = FieldChange::new(*name, *label);
        field.after = Some(value.text());
        field.pointer = Some(format!("/inputs/0/{name}"));
        change = change.field(field);
    }
    let from = client.account().identity.as_ref();
    let from = from.map_or("the signed-in user", |identity| identity.user_name.as_str());
    let change = change.note(format!("It comes from {}.", fence::inline(from, 80)));
    let change = match logged_at {
        Some(record) => change.note(format!(
            "It is logged at the {}.",
            fence::inline(&record, 120)
        )),
        None => change,
    };
    let change = change.undo("Not possible: a message that is sent is sent.");
    let version = client.version()?;
    let path = path!("/services/data/{}/actions/standard/emailSimple", version);
    let request = Request::post(path).body("application/json", body.text());
    let step = Step {
        title: format!("Send a message to {recipients}"),
        detail: about.as_deref(),
    };
    let sent = host.change(&step, &[change], request);
    if let Some(failure) = refusal(&client, &sent) {
        return Err(failure);
    }
    match Ended::of(&client, MESSAGE, sent) {
        Ended::Done(_) => {}
        Ended::Refused(failure) | Ended::Changed(failure) => return Err(failure),
        Ended::Unclear(failure) => return Err(unclear(about.as_deref(), failure)),
    }
    let mut source = Source::new(MESSAGE).label(args.subject.trim());
    source.id.clone_from(&about);
    host.cite(&[source]);
    let logged = match &about {
        Some(id) => format!(", logged at {id}"),
        None => String::new(),
    };
    let data = Json::object([
        ("done", "sent".into()),
        ("recipients", (recipients as u64).into()),
        ("about", about.into()),
    ]);
    Ok(data.answer(format!("sent to {recipients} of {recipients}{logged}")))
}

/// Puts addresses into one list, with commas between.
fn addresses(given: &[String], pointer: &str) -> Result<String, Failure> {
    for (index, address) in given.iter().enumerate() {
        if !is_email(address.trim()) {
            let shown = fence::inline(address, 80);
            let problem = format!(
                "“{shown}” is not one address; query finds the e-mail of a contact or lead"
            );
            let failure = Failure::invalid("nothing was sent: an address is none");
            return Err(failure.field(format!("{pointer}/{index}"), problem));
        }
    }
    let trimmed: Vec<&str> = given.iter().map(|address| address.trim()).collect();
    Ok(trimmed.join(","))
}

/// Reads the action's own refusal: `[{"isSuccess": false, "errors": [{"statusCode", "message"}]}]`.
fn refusal(client: &Client<'_>, sent: &Result<Response, Failure>) -> Option<Failure> {
    let response = sent.as_ref().ok()?;
    if response.status() >= 500 {
        return None;
    }
    let json = Json::parse(std::str::from_utf8(response.body()).ok()?).ok()?;
    let result = json.items().first()?;
    let errors = result.get("errors")?.items();
    if result.is_true_at("isSuccess") || errors.is_empty() {
        return None;
    }
    let code = errors[0]
        .str_at("statusCode")
        .unwrap_or("UNKNOWN_EXCEPTION");
    let (words, _) = refused::words(client, MESSAGE, &errors[0]);
    let failure = Failure::invalid(words).code(code);
    let mut failure = refused::of_errors(client, MESSAGE, code, &[], failure);
    if code == "SINGLE_EMAIL_LIMIT_EXCEEDED" {
        failure.reason = Reason::RateLimited;
        failure.hint = Some(
            "the org's messages of the day are used up; they come back at midnight GMT".to_owned(),
        );
    }
    if code == "INVALID_CROSS_REFERENCE_KEY" {
        failure = failure.field("/about", "leads to no record that you may see");
    }
    Some(failure)
}

fn unclear(about: Option<&str>, failure: Failure) -> Failure {
    let look = match about {
        Some(id) => format!(
            "query {{\"soql\": \"SELECT Subject, CreatedDate FROM Task WHERE WhatId = '{id}' OR WhoId = '{id}' ORDER BY CreatedDate DESC LIMIT 5\"}} shows whether it is logged"
        ),
        None => "ask the recipient before you send it again".to_owned(),
    };
    refused::unclear(
        failure,
        format!("the message may have been sent all the same, and was not sent again: {look}"),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::testing::Org;

    #[test]
    fn a_record_that_is_not_there_is_found_out_before_a_person_is_asked() {
        const SALE: &str = "/services/data/v68.0/sobjects/Opportunity/006000000000001AAA";
        const SITES: &str = r#"{"sobjects":[{"name":"Site__c","keyPrefix":"a00"}]}"#;
        let gone = r#"[{"errorCode":"NOT_FOUND","message":"m"}]"#;
        for (about, org, is_there) in [
            (
                "006000000000001AAA",
                Org::new().answer(SALE, 404, gone),
                false,
            ),
            (
                "a00000000000001AAA",
                Org::new()
                    .answer("/services/data/v68.0/sobjects", 200, SITES)
                    .answer("/services/data/v68.0/sobjects/Site__c", 404, gone),
                false,
            ),
            (
                "006000000000001AAA",
                Org::new().answer(SALE, 200, r#"{"Name":"Pilot"}"#),
                true,
            ),
        ] {
            let args = SendEmail {
                to: vec!["li@mail.example".to_owned()],
                subject: "S".to_owned(),
                body: "B".to_owned(),
                about: Some(about.to_owned()),
                ..SendEmail::default()
            };
            let failure = send_email(&org, &args).unwrap_err();
            let is_refused = failure.reason == Reason::NotFound;
            assert_eq!(is_refused, !is_there, "{about}: {failure:?}");
            let [change] = &org.announced()[..] else {
                assert!(
                    !is_there && failure.fields[0].pointer == "/about",
                    "{about}"
                );
                continue;
            };
            assert_eq!(change.notes[1], "It is logged at the Opportunity Pilot.");
        }
    }

    #[test]
    fn nothing_is_logged_at_a_record_that_the_agent_may_not_read() {
        for (forbidden, about, is_refused) in [
            ("Account", Some("001000000000001AAA"), true),
            // Nobody knows of which object it is.
            ("Account", Some("a99000000000001AAA"), true),
            // It would be logged as one.
            ("Task", Some("003000000000001AAA"), true),
            ("Case", Some("003000000000001AAA"), false),
            ("Task", None, false),
        ] {
            let org = Org::new().forbid("*").forbid(forbidden).answer(
                "/services/data/v68.0/sobjects",
                200,
                r#"{"sobjects":[]}"#,
            );
            let args = SendEmail {
                to: vec!["li@mail.example".to_owned()],
                subject: "S".to_owned(),
                body: "B".to_owned(),
                about: about.map(str::to_owned),
                ..SendEmail::default()
            };
            let failure = send_email(&org, &args).unwrap_err();
            let is_forbidden = failure.reason == Reason::NotPermitted;
            assert_eq!(
                is_forbidden, is_refused,
                "{forbidden} {about:?}: {failure:?}"
            );
            assert_eq!(org.announced().is_empty(), is_refused, "{forbidden}");
        }
    }
}
