//! An account and what is going on with it, by one query.

use portcullis_sdk::audit::Source;
use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BOUNDS, Rows};
use crate::client::{CURRENCY_FACT, Client, ReadError};
use crate::fence;
use crate::host::Host;
use crate::json::Json;
use crate::known::{self, Asked, Known, ask, holding, quoted, touch};
use crate::names;
use crate::repair::{Asked as Repair, repaired};
use crate::rows;
use crate::table::Table;

/// Accounts of one name that a refusal lists.
const NAMESAKES_SHOWN: usize = 5;

/// What an overview says of the account itself, besides its currency.
const FIELDS: [&str; 13] = [
    "Id",
    "Name",
    "AccountNumber",
    "Type",
    "Industry",
    "AnnualRevenue",
    "NumberOfEmployees",
    "Phone",
    "Website",
    "BillingCity",
    "BillingCountry",
    "Owner.Name",
    "LastActivityDate",
];

/// What hangs on an account.
struct Section {
    /// What a person calls it.
    title: &'static str,
    relationship: &'static str,
    kind: &'static str,
    /// The field that leads to the account.
    parent: &'static str,
    /// A condition, and the field that it is about.
    only: Option<(&'static str, &'static str)>,
    fields: &'static [&'static str],
    /// The field by which the rows are sorted, and how.
    order: (&'static str, &'static str),
    rows: usize,
}

const SECTIONS: [Section; 5] = [
    Section {
        title: "open opportunities",
        relationship: "Opportunities",
        kind: "Opportunity",
        parent: "AccountId",
        only: Some(("IsClosed", "IsClosed = false")),
        fields: &[
            "Id",
            "Name",
            "StageName",
            "Amount",
            "CloseDate",
            "Owner.Name",
        ],
        order: ("CloseDate", "CloseDate"),
        rows: 10,
    },
    Section {
        title: "open cases",
        relationship: "Cases",
        kind: "Case",
        parent: "AccountId",
        only: Some(("IsClosed", "IsClosed = false")),
        fields: &[
            "Id",
            "CaseNumber",
            "Subject",
            "Status",
            "Priority",
            "CreatedDate",
        ],
        order: ("CreatedDate", "CreatedDate DESC"),
        rows: 10,
    },
    Section {
        title: "contacts",
        relationship: "Contacts",
        kind: "Contact",
        parent: "AccountId",
        only: None,
        fields: &["Id", "Name", "Title", "Email", "Phone"],
        order: ("LastActivityDate", "LastActivityDate DESC NULLS LAST"),
        rows: 10,
    },
    Section {
        title: "tasks",
        relationship: "Tasks",
        kind: "Task",
        parent: "WhatId",
        only: None,
        fields: &["Id", "Subject", "Status", "ActivityDate"],
        order: ("ActivityDate", "ActivityDate DESC NULLS LAST"),
        rows: 5,
    },
    Section {
        title: "events",
        relationship: "Events",
        kind: "Event",
        parent: "WhatId",
        only: None,
        fields: &["Id", "Subject", "StartDateTime", "Location"],
        order: ("StartDateTime", "StartDateTime DESC"),
        rows: 5,
    },
];

/// What `get_account_overview` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct GetAccountOverview {
    /// Its id or exact name.
    account: String,
}

/// What `get_account_overview` answers as data.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Overview {
    id: Option<String>,
    url: Option<String>,
    /// Of the account itself, nulls included.
    fields: serde_json::Map<String, serde_json::Value>,
    parts: Vec<OverviewPart>,
}

/// One part of [`Overview`].
#[derive(Debug, Serialize, JsonSchema)]
struct OverviewPart {
    /// Such as `open opportunities`.
    part: String,
    object: String,
    #[serde(flatten)]
    shown: Rows,
    /// The SOQL that gets the rest, where there is more.
    rest: Option<String>,
}

/// Which account is meant.
enum Key<'a> {
    Id(&'a str),
    Name(&'a str),
}

/// What the query asks for.
struct Plan {
    fields: Vec<&'static str>,
    sections: Vec<(&'static Section, Vec<&'static str>, String)>,
    all_activity: bool,
}

/// Gives an account with its open opportunities and cases, contacts and activities.
///
/// # Errors
/// There is no such account, several have the name, or the agent may not see accounts.
pub fn get_account_overview(host: &dyn Host, args: &GetAccountOverview) -> Result<Output, Failure> {
    let key = Key::of(&args.account)?;
    let client = Client::new(host);
    let needed = match key {
        Key::Id(_) => "Id",
        Key::Name(_) => "Name",
    };
    known::require(&client, "accounts, or not by this", "Account", &[needed])?;
    host.step("Looked an account over", Some(args.account.trim()));
    let made = ask(&client, |known| key.plan(&client, known));
    let (reply, asked) = made.map_err(|error| refused(&client, error))?;
    let found = reply.get("records").map_or(&[][..], Json::items);
    match found {
        [] => Err(missing(&client, &key)?),
        [account] => Ok(answer(&client, account, &asked)),
        several => Err(namesakes(several)),
    }
}

fn refused(client: &Client<'_>, error: ReadError) -> Failure {
    let asked = Repair {
        query: None,
        kind: None,
        pointer: "/account",
    };
    repaired(client, error, asked)
}

impl<'a> Key<'a> {
    fn of(text: &'a str) -> Result<Self, Failure> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Failure::invalid("say which account")
                .field("/account", "is empty: give an id or a name"));
        }
        let Ok(id) = names::record_id(text) else {
            return Ok(Self::Name(text));
        };
        match names::object_of(id) {
            Some("Account") => Ok(Self::Id(id)),
            Some(other) if id.bytes().any(|byte| byte.is_ascii_digit()) => {
                let message = format!("{id} is no id of an account, but of the object `{other}`");
                Err(Failure::invalid(message.clone())
                    .field("/account", message)
                    .hint("get_record shows it"))
            }
            _ => Ok(Self::Name(text)),
        }
    }

    fn condition(&self) -> String {
        match self {
            Self::Id(id) => format!("Id = {}", quoted(id)),
            Self::Name(name) => format!("Name = {} ORDER BY Id", quoted(name)),
        }
    }

    fn plan(&self, client: &Client<'_>, known: &Known<'_, '_>) -> Result<Asked<Plan>, ReadError> {
        let mut touched = Vec::new();
        let several_currencies = client.fact(CURRENCY_FACT).is_some();
        let with_currency = |kind: &str, fields: &[&'static str]| {
            let mut fields = fields.to_vec();
            if several_currencies && matches!(kind, "Account" | "Opportunity") {
                fields.push("CurrencyIsoCode");
            }
            fields
        };
        let fields = known.keep("Account", &with_currency("Account", &FIELDS))?;
        if fields.is_empty() {
            let message = "this agent may see no field of an account that an overview shows";
            return Err(Failure::not_permitted(message).into());
        }
        touch(&mut touched, "Account", &fields);
        let mut select: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
        let mut sections = Vec::new();
        for section in &SECTIONS {
            let mut needs = vec![section.parent];
            needs.extend(section.only.map(|(field, _)| field));
            let fields = known.keep(section.kind, &with_currency(section.kind, section.fields))?;
            if fields.is_empty() || !known.has_all(section.kind, &needs)? {
                continue;
            }
            let sorts = known.has(section.kind, section.order.0)?;
            touch(&mut touched, section.kind, &needs);
            touch(&mut touched, section.kind, &fields);
            if sorts {
                touch(&mut touched, section.kind, &[section.order.0]);
            }
            let soql = section.soql(&fields, sorts);
            select.push(format!("({} LIMIT {})", soql, section.rows + 1));
            sections.push((section, fields, soql));
        }
        let soql = format!(
            "SELECT {} FROM Account WHERE {} LIMIT {}",
            select.join(", "),
            self.condition(),
            NAMESAKES_SHOWN + 1
        );
        let shows_tasks = sections.iter().any(|(section, ..)| section.kind == "Task");
        Ok(Asked {
            soql,
            touched,
            plan: Plan {
                fields,
                sections,
                all_activity: shows_tasks && known.has("Task", "AccountId")?,
            },
            hides: false,
        })
    }
}

impl Section {
    /// Writes the subquery, without its bound.
    fn soql(&self, fields: &[&str], sorts: bool) -> String {
        let mut soql = format!("SELECT {} FROM {}", fields.join(", "), self.relationship);
        if let Some((_, condition)) = self.only {
            soql.push_str(&format!(" WHERE {condition}"));
        }
        if sorts {
            soql.push_str(&format!(" ORDER BY {}", self.order.1));
        }
        soql
    }

    /// Writes the query for what an overview leaves out.
    fn rest(&self, soql: &str, account: &str) -> String {
        let own = format!("FROM {}", self.relationship);
        let mut condition = format!("FROM {} WHERE {} = '{account}'", self.kind, self.parent);
        if let Some((_, only)) = self.only {
            condition.push_str(&format!(" AND {only}"));
        }
        let with_condition = match self.only {
            Some((_, only)) => format!("{own} WHERE {only}"),
            None => own,
        };
        let query = soql.replace(&with_condition, &condition);
        format!("{query} LIMIT 200 OFFSET {}", self.rows)
    }
}

/// Nothing was found: names accounts that are named alike.
fn missing(client: &Client<'_>, key: &Key<'_>) -> Result<Failure, Failure> {
    let Key::Name(name) = key else {
        let failure = Failure::not_found("there is no such account, or you may not see it");
        return Ok(failure.hint("give its exact name instead, or find it by query"));
    };
    let failure = Failure::not_found("there is no account of this name, or you may not see it");
    let mut touched = Vec::new();
    touch(&mut touched, "Account", &["Id", "Name"]);
    // The names of others are an extra.
    if client.check(&touched).is_err() {
        return Ok(failure);
    }
    let soql = format!(
        "SELECT Id, Name FROM Account WHERE Name LIKE {} ORDER BY Name LIMIT {NAMESAKES_SHOWN}",
        holding(name)
    );
    let reply = match known::query(client, &soql) {
        Ok(reply) => reply,
        Err(ReadError::Service(_)) => return Ok(failure),
        Err(ReadError::Failed(failure)) => return Err(failure),
    };
    let found = reply.get("records").map_or(&[][..], Json::items);
    Ok(match found {
        [] => failure.hint("find it by query: SELECT Id, Name FROM Account WHERE Name LIKE '%…%'"),
        found => failure.hint(format!("accounts with near names: {}", told(found))),
    })
}

/// Several accounts have the name: they are told apart by id and city.
fn namesakes(found: &[Json]) -> Failure {
    let more = match found.len() > NAMESAKES_SHOWN {
        true => " and more",
        false => "",
    };
    let shown = &found[..found.len().min(NAMESAKES_SHOWN)];
    Failure::invalid("several accounts have this name")
        .field("/account", "is the name of several accounts: give an id")
        .hint(format!("one of these: {}{more}", told(shown)))
}

fn told(accounts: &[Json]) -> String {
    let one = |account: &Json| {
        let text = |name| account.str_at(name).unwrap_or_default();
        let place = match text("BillingCity") {
            "" => text("Name"),
            city => city,
        };
        format!("{} ({})", text("Id"), fence::inline(place, 80))
    };
    accounts.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn answer(client: &Client<'_>, account: &Json, asked: &Asked<Plan>) -> Output {
    let plan = &asked.plan;
    let id = account.str_at("Id").filter(|_| plan.fields.contains(&"Id"));
    let url = id.map(|id| names::record_url(client.origin(), "Account", id));
    let value = |path: &str| account.at(path).unwrap_or(&Json::Null);
    let set = plan.fields.iter().filter(|path| **path != "Id");
    let set = set.filter(|path| !value(path).is_null());
    let own = Table::plain(
        ["field", "value"],
        set.map(|path| vec![Json::from(*path), value(path).clone()]),
    );
    let mut text = vec![
        url.clone()
            .map_or("Account".to_owned(), |url| format!("Account {url}")),
    ];
    let mut inside = vec![own.render(BOUNDS).text.trim_end().to_owned()];
    let mut notes = Vec::new();
    let (mut empty, mut parts) = (Vec::new(), Vec::new());
    let (mut has_moments, mut cut) = (false, 0);
    for (section, fields, soql) in &plan.sections {
        let all = account
            .get(section.relationship)
            .and_then(|children| children.get("records"))
            .map_or(&[][..], Json::items);
        let shown = &all[..all.len().min(section.rows)];
        let rest = match (all.len() > shown.len(), id) {
            (true, Some(id)) => Some(section.rest(soql, id)),
            _ => None,
        };
        let table = table(shown, fields, soql);
        if shown.is_empty() {
            empty.push(section.title);
        } else {
            let rendered = table.render(BOUNDS);
            cut += rendered.cells_cut;
            has_moments |= matches!(section.kind, "Case" | "Event");
            let first = if all.len() > shown.len() {
                "the first "
            } else {
                ""
            };
            let more = format!("{} ({first}{})", section.title, shown.len());
            inside.push(format!("{more}\n{}", rendered.text.trim_end()));
        }
        if let Some(soql) = &rest {
            notes.push(format!(
                "more {}: query {{\"soql\": {}}}",
                section.title,
                Json::from(soql.as_str())
            ));
        }
        parts.push(part(section, &table, rest));
    }
    text.push(client.fenced(&inside.join("\n")));
    if !empty.is_empty() {
        text.push(format!("none: {}", empty.join(", ")));
    }
    text.append(&mut notes);
    text.extend(about(client, asked, id, (has_moments, cut)));
    cite(client, asked, account, id);
    let own = plan.fields.iter().map(|path| (*path, value(path).clone()));
    let data = Json::object([
        ("id", id.map(str::to_owned).into()),
        ("url", url.into()),
        ("fields", Json::object(own)),
        ("parts", Json::Array(parts)),
    ]);
    let mut output = Output::text(text.join("\n"));
    // Written by our own hand, since numbers must keep the service's digits.
    output.structured = Some(data.text());
    output
}

/// Makes a table with the columns of a subquery, in its order.
fn table(records: &[Json], fields: &[&str], soql: &str) -> Table {
    match soql::parse_query(soql) {
        Ok(query) if !records.is_empty() => rows::table(records, Some(&query)),
        _ => Table {
            columns: fields.iter().map(|field| (*field).to_owned()).collect(),
            ..Table::default()
        },
    }
}

fn part(section: &Section, table: &Table, rest: Option<String>) -> Json {
    let mut members = vec![
        ("part", Json::from(section.title)),
        ("object", section.kind.into()),
    ];
    let (columns, rows) = table.structured();
    members.extend([("columns", columns), ("rows", rows), ("rest", rest.into())]);
    Json::object(members)
}

/// Says what else there is to know.
fn about(
    client: &Client<'_>,
    asked: &Asked<Plan>,
    id: Option<&str>,
    (has_moments, cut): (bool, usize),
) -> Vec<String> {
    let mut notes = Vec::new();
    if let (true, Some(id)) = (asked.plan.all_activity, id) {
        notes.push(format!(
            "tasks and events are the account's own; with those of its contacts and deals: query {{\"soql\": \"SELECT Subject, Status, ActivityDate FROM Task WHERE AccountId = '{id}' ORDER BY ActivityDate DESC NULLS LAST LIMIT 20\"}}"
        ));
    }
    if has_moments {
        notes.push(known::about_moments(client));
    }
    if cut > 0 {
        notes.push(format!(
            "{cut} long values are cut where marked; get_record gives them whole"
        ));
    }
    if asked.hides {
        notes.push("what this agent may not see is left out".to_owned());
    }
    notes
}

fn cite(client: &Client<'_>, asked: &Asked<Plan>, account: &Json, id: Option<&str>) {
    let mut sources: Vec<Source> = asked
        .touched
        .iter()
        .map(|touched| Source::new(&touched.kind).fields(&touched.fields))
        .collect();
    if let Some(id) = id {
        let url = names::record_url(client.origin(), "Account", id);
        let source = Source::new("Account").id(id).url(url);
        sources.push(match account.str_at("Name") {
            Some(name) => source.label(name),
            None => source,
        });
    }
    client.host.cite(&sources);
}
