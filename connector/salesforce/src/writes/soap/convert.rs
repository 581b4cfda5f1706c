//! `convert_lead`: a lead becomes an account, a contact and, unless it is not wanted, an opportunity.

use portcullis_sdk::approvals::{Change, FieldChange};
use portcullis_sdk::audit::Source;
use portcullis_sdk::permissions::Access;
use portcullis_sdk::{Effect, Failure, Output, Reason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ended, place, request};
use crate::client::Client;
use crate::describe::{Describe, Field};
use crate::fence;
use crate::host::{Host, Step};
use crate::json::Json;
use crate::names;
use crate::nearest::{Candidate, listed, nearest};
use crate::writes::UNFORESEEN;
use crate::writes::record::{self, Found};
use crate::writes::refused;
use crate::writes::statuses::CONVERTED;
use crate::xml::{self, Element};

mod beforehand;

use beforehand::{OWNED_BY_QUEUE, Used};

const LEAD: &str = "Lead";

/// The status of converted leads in a new org.
const STATUS: &str = "Closed - Converted";

/// What `convert_lead` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct ConvertLead {
    /// The lead's id.
    id: String,
    /// Id of an account to use; default: a new one.
    account: Option<String>,
    /// Id of a contact of that account to use; default: a new one.
    contact: Option<String>,
    /// The new opportunity's name; default: the company's. Empty: none is made.
    opportunity: Option<String>,
    /// Default: `Closed - Converted`.
    status: Option<String>,
    /// User id; default: the lead's owner.
    owner: Option<String>,
}

/// What `convert_lead` answers as data.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Converted {
    lead: String,
    account: Option<String>,
    contact: Option<String>,
    opportunity: Option<String>,
}

/// Converts a lead.
///
/// # Errors
/// It is not there, or converted already; the status is none of converted leads; what the org refuses.
pub fn convert_lead(host: &dyn Host, args: &ConvertLead) -> Result<Output, Failure> {
    let id = names::long_id(names::record_id(&args.id)?);
    let account = reference(args.account.as_deref(), "/account", "Account")?;
    let contact = reference(args.contact.as_deref(), "/contact", "Contact")?;
    let owner = reference(args.owner.as_deref(), "/owner", "User")?;
    let opportunity = args.opportunity.as_deref().map(str::trim);
    let makes_opportunity = opportunity != Some("");
    let mut kinds = vec![LEAD, "Account", "Contact"];
    kinds.extend(makes_opportunity.then_some("Opportunity"));
    let accesses = kinds
        .iter()
        .map(|kind| Access::new(Effect::Destructive, *kind, [""; 0]));
    host.check(&accesses.collect::<Vec<_>>())?;
    if contact.is_some() && account.is_none() {
        let problem = "give the contact's account, too";
        return Err(Failure::invalid("a contact is of an account").field("/account", problem));
    }

    let client = Client::new(host);
    let mut describe = record::describe(&client, LEAD)?;
    let wanted = args.status.as_deref().unwrap_or(STATUS).trim();
    if field_without(&client, &describe, wanted).is_some() {
        describe = client.newest(LEAD)?;
    }
    let status = status(&client, &describe, wanted)?;
    record::check_id(&client, &describe, &id)?;
    host.step("Read Lead before the conversion", Some(&id));
    let used = Used {
        status: args.status.as_ref().map(|_| status.as_str()),
        account: account.as_deref(),
        contact: contact.as_deref(),
        owner: owner.as_deref(),
    };
    let before = beforehand::read(&client, &describe, &id, used)?;
    let label = before.label(&client, &describe);

    let no = || "false".to_owned();
    // In the order of the partner WSDL, by the names.
    let mut elements: Vec<(&str, &str, String)> = Vec::new();
    elements.extend(
        account
            .clone()
            .map(|id| ("accountId", "Account that is used", id)),
    );
    elements.extend(
        contact
            .clone()
            .map(|id| ("contactId", "Contact that is used", id)),
    );
    elements.push(("convertedStatus", "Status", status.clone()));
    elements.push((
        "doNotCreateOpportunity",
        "Without an opportunity",
        (!makes_opportunity).to_string(),
    ));
    elements.push(("leadId", "Lead", before.id.clone()));
    if let Some(name) = opportunity.filter(|name| !name.is_empty()) {
        elements.push(("opportunityName", "Opportunity", name.to_owned()));
    }
    elements.push(("overwriteLeadSource", "Lead source is overwritten", no()));
    elements.extend(owner.map(|id| ("ownerId", "Owner", id)));
    elements.push(("sendNotificationEmail", "Owner is told by e-mail", no()));
    let mut content = String::new();
    for (name, _, value) in &elements {
        xml::write(&mut content, name, value);
    }
    let content = format!("<leadConverts>{content}</leadConverts>");
    let changes = announcements(
        &client,
        &before,
        &label,
        &elements,
        [account.is_none(), contact.is_none(), makes_opportunity],
    );
    let request = request(&client, client.version()?, "convertLead", &content);
    let step = Step {
        title: format!("Convert {LEAD}"),
        detail: Some(&before.id),
    };
    let result = match Ended::of(&client, LEAD, host.change(&step, &changes, request)) {
        Ended::Done(result) => result,
        Ended::Refused(failure) => return Err(worded(failure)),
        Ended::Unclear(failure) => settle(&client, &before.id, failure)?,
    };
    Ok(answer(&client, &before.id, &label, &result))
}

fn reference(given: Option<&str>, pointer: &str, kind: &str) -> Result<Option<String>, Failure> {
    let Some(given) = given else {
        return Ok(None);
    };
    let id = names::record_id(given).ok().map(names::long_id);
    match id.filter(|id| names::object_of(id) == Some(kind)) {
        Some(id) => Ok(Some(id)),
        None => {
            let shown = fence::inline(given, 40);
            let finds = if kind == "User" {
                "find_users"
            } else {
                "query"
            };
            let problem = format!(
                "takes the id of a record of `{kind}`, not “{shown}”; {finds} finds it by its name"
            );
            Err(Failure::invalid("nothing was converted").field(pointer, problem))
        }
    }
}

/// Gives the field of the status if `wanted` is none of its values, as far as the agent may see them.
fn field_without<'d>(
    client: &Client<'_>,
    describe: &'d Describe,
    wanted: &str,
) -> Option<Field<'d>> {
    let seen = client.visible_fields(LEAD, &["Status".to_owned()]);
    let field = describe.field("Status").filter(|_| !seen.is_empty())?;
    let is_value = field.values().any(|(value, _)| value == wanted);
    (!is_value).then_some(field)
}

/// Gives the status that the lead gets, which must be one of its values. Which of them are of converted leads only the org knows.
fn status(client: &Client<'_>, describe: &Describe, wanted: &str) -> Result<String, Failure> {
    let Some(field) = field_without(client, describe, wanted) else {
        return Ok(wanted.to_owned());
    };
    let values = field
        .values()
        .map(|(name, label)| Candidate { name, label });
    let values: Vec<Candidate<'_>> = values.collect();
    let near = nearest(wanted, values.iter().copied());
    let mut problem = format!("`Lead` has no status “{}”", fence::inline(wanted, 80));
    if !near.is_empty() {
        problem.push_str(&format!("; near: {}", listed(&near)));
    }
    match CONVERTED.read(client)? {
        Some(statuses) => problem.push_str(&CONVERTED.listed(&statuses)),
        None => {
            let all = &values[..values.len().min(30)];
            problem.push_str(&format!("; statuses: {}", listed(all)));
        }
    }
    Err(Failure::invalid("nothing was converted: the status is none").field("/status", problem))
}

fn announcements(
    client: &Client<'_>,
    before: &Found,
    label: &str,
    elements: &[(&str, &str, String)],
    [account, contact, opportunity]: [bool; 3],
) -> Vec<Change> {
    let mut change = Change::new("convert", LEAD, label)
        .id(&before.id)
        .url(names::record_url(client.origin(), LEAD, &before.id));
    for (name, label, value) in elements.iter().filter(|(name, ..)| *name != "leadId") {
        let mut field = FieldChange::new(*name, *label);
        if *name == "convertedStatus" {
            field.before = before.json.get("Status").map(Json::text);
        }
        let value = match value.as_str() {
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            text => text.into(),
        };
        field.after = Some(value.text());
        field.pointer = Some(place("convertLead", &format!("leadConverts/{name}")));
        change = change.field(field);
    }
    let company = before.json.str_at("Company").unwrap_or(label);
    let named = elements
        .iter()
        .find(|(name, ..)| *name == "opportunityName");
    let sale = named.map_or(company, |(.., name)| name.as_str());
    let change = change
        .note("Its tasks and events move to what it becomes. Fields of the org's own go where its lead mapping says.")
        .note(UNFORESEEN)
        .undo("Not possible: a converted lead stays converted.");
    let new = [
        (account, "Account", company),
        (contact, "Contact", label),
        (opportunity, "Opportunity", sale),
    ];
    let new = new.into_iter().filter(|(is_made, ..)| *is_made);
    let new = new.map(|(_, kind, name)| Change::new("create", kind, name));
    std::iter::once(change).chain(new).collect()
}

/// Moves what the org says to its argument.
fn worded(mut failure: Failure) -> Failure {
    let code = failure.service_code.clone().unwrap_or_default();
    let (pointer, problem) = match code.as_str() {
        "INVALID_STATUS" => (
            "/status",
            "is no status of converted leads in this org: an administrator sees these under Lead Statuses",
        ),
        "INVALID_OWNER" => ("/owner", OWNED_BY_QUEUE),
        "INVALID_CROSS_REFERENCE_KEY" => {
            return failure.hint(
                "the account, the contact or the owner is not there, or hidden from the user; or the contact is of another account",
            );
        }
        "CANNOT_UPDATE_CONVERTED_LEAD" => ("/id", "is converted already"),
        _ => return failure,
    };
    failure.reason = Reason::InvalidArgument;
    failure.field(pointer, problem)
}

/// The answer was lost: the lead says what it became.
fn settle(client: &Client<'_>, id: &str, failure: Failure) -> Result<Element, Failure> {
    let fields = [
        ("IsConverted", ""),
        ("ConvertedAccountId", "accountId"),
        ("ConvertedContactId", "contactId"),
        ("ConvertedOpportunityId", "opportunityId"),
    ];
    let names: Vec<String> = fields
        .iter()
        .map(|(field, _)| (*field).to_owned())
        .collect();
    if client.visible_fields(LEAD, &names).len() == names.len()
        && let Ok(found) = record::again(client, LEAD, id, &names)
        && found.json.is_true_at("IsConverted")
    {
        let child = |(field, name): (&str, &str)| Element {
            name: name.to_owned(),
            text: found.json.str_at(field).unwrap_or_default().to_owned(),
            children: Vec::new(),
        };
        return Ok(Element {
            children: fields.into_iter().skip(1).map(child).collect(),
            ..Element::default()
        });
    }
    let hint = format!(
        "it may have been converted all the same, and was not tried again: query {{\"soql\": \"SELECT IsConverted, ConvertedAccountId FROM Lead WHERE Id = '{id}'\"}} shows it"
    );
    Err(refused::unclear(failure, hint))
}

fn answer(client: &Client<'_>, id: &str, label: &str, result: &Element) -> Output {
    let url = |kind: &str, id: &str| names::record_url(client.origin(), kind, id);
    let mut sources = vec![Source::new(LEAD).id(id).label(label).url(url(LEAD, id))];
    let mut text = format!("converted Lead {}", url(LEAD, id));
    let mut take = |kind: &str, name: &str| {
        let id = names::long_id(result.text_of(name)?);
        sources.push(Source::new(kind).id(&id).url(url(kind, &id)));
        text.push_str(&format!("\n{kind} {}", url(kind, &id)));
        Some(id)
    };
    let data = Json::object([
        ("lead", id.into()),
        ("account", take("Account", "accountId").into()),
        ("contact", take("Contact", "contactId").into()),
        ("opportunity", take("Opportunity", "opportunityId").into()),
    ]);
    client.host.cite(&sources);
    data.answer(text)
}
