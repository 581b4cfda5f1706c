//! An account and what is going on with it, by one query.

use portcullis_sdk::audit::Source;
use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::section::{SECTIONS, Section};
use super::{BOUNDS, Rows};
use crate::client::{CURRENCY_FACT, Client, ReadError};
use crate::fence;
use crate::host::Host;
use crate::json::Json;
use crate::known::{self, Asked, Known, ask, holding, quoted, touch};
use crate::lookup;
use crate::names;
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
    let client = Client::new(host);
    let key = Key::of(&client, &args.account)?;
    let (needed, what) = match key {
        Key::Id(_) => ("Id", "accounts"),
        Key::Name(_) => ("Name", "names of accounts"),
    };
    known::require(&client, what, "Account", &[needed])?;
    host.step("Looked an account over", Some(args.account.trim()));
    let made = ask(&client, |known| key.plan(&client, known));
    let (reply, asked) = made.map_err(|error| known::refused(error, "accounts"))?;
    let found = reply.get("records").map_or(&[][..], Json::items);
    match found {
        [] => Err(missing(&client, &key)?),
        [account] => Ok(answer(&client, account, &asked)),
        several => Err(namesakes(&client, several)),
    }
}

impl<'a> Key<'a> {
    fn of(client: &Client<'_>, text: &'a str) -> Result<Self, Failure> {
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
            Some(_) if id.bytes().any(|byte| byte.is_ascii_digit()) => {
                let of = lookup::known_object(client, id);
                let message = format!("{id} is no id of an account{of}");
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
        found => failure.hint(format!(
            "accounts with near names:\n{}",
            told(client, found)
        )),
    })
}

/// Several accounts have the name: they are told apart by id and city.
fn namesakes(client: &Client<'_>, found: &[Json]) -> Failure {
    let more = match found.len() > NAMESAKES_SHOWN {
        true => "\nand more",
        false => "",
    };
    let shown = &found[..found.len().min(NAMESAKES_SHOWN)];
    Failure::invalid("several accounts have this name")
        .field("/account", "is the name of several accounts: give an id")
        .hint(format!("one of these:\n{}{more}", told(client, shown)))
}

fn told(client: &Client<'_>, accounts: &[Json]) -> String {
    let one = |account: &Json| {
        let text = |name| account.str_at(name).unwrap_or_default();
        let place = match text("BillingCity") {
            "" => text("Name"),
            city => city,
        };
        format!("{} ({})", text("Id"), fence::inline(place, 80))
    };
    let lines: Vec<String> = accounts.iter().map(one).collect();
    client.fenced(&lines.join("\n"))
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
    let mut parts = Parts::default();
    parts
        .shown
        .push(own.render(BOUNDS).text.trim_end().to_owned());
    for (section, fields, soql) in &plan.sections {
        parts.add(section, fields, soql, account, id);
    }
    let mut text = vec![
        url.clone()
            .map_or("Account".to_owned(), |url| format!("Account {url}")),
        client.fenced(&parts.shown.join("\n")),
    ];
    if !parts.empty.is_empty() {
        text.push(format!("none: {}", parts.empty.join(", ")));
    }
    text.append(&mut parts.rests);
    text.extend(about(client, asked, id, &parts));
    cite(client, asked, account, id);
    let own = plan.fields.iter().map(|path| (*path, value(path).clone()));
    let data = Json::object([
        ("id", id.map(str::to_owned).into()),
        ("url", url.into()),
        ("fields", Json::object(own)),
        ("parts", Json::Array(parts.data)),
    ]);
    data.answer(text.join("\n"))
}

/// The parts of an overview, as they are written.
#[derive(Default)]
struct Parts {
    /// Tables, each below what it is of.
    shown: Vec<String>,
    /// Titles of those without rows.
    empty: Vec<&'static str>,
    /// What gets the rest of those that are cut.
    rests: Vec<String>,
    data: Vec<Json>,
    has_moments: bool,
    cells_cut: usize,
}

impl Parts {
    fn add(
        &mut self,
        section: &'static Section,
        fields: &[&str],
        soql: &str,
        account: &Json,
        id: Option<&str>,
    ) {
        let all = account
            .get(section.relationship)
            .and_then(|children| children.get("records"))
            .map_or(&[][..], Json::items);
        let shown = &all[..all.len().min(section.rows)];
        let is_cut = all.len() > shown.len();
        let rest = id.filter(|_| is_cut).map(|id| section.rest(soql, id));
        let table = table(shown, fields, soql);
        if shown.is_empty() {
            self.empty.push(section.title);
        } else {
            let rendered = table.render(BOUNDS);
            self.cells_cut += rendered.cells_cut;
            self.has_moments |= matches!(section.kind, "Case" | "Event");
            let first = if is_cut { "the first " } else { "" };
            let title = format!("{} ({first}{})", section.title, shown.len());
            self.shown
                .push(format!("{title}\n{}", rendered.text.trim_end()));
        }
        self.rests.extend(rest.as_deref().map(|soql| {
            let soql = Json::from(soql);
            format!("more {}: query {{\"soql\": {soql}}}", section.title)
        }));
        let (columns, rows) = table.structured();
        self.data.push(Json::object([
            ("part", section.title.into()),
            ("object", section.kind.into()),
            ("columns", columns),
            ("rows", rows),
            ("rest", rest.into()),
        ]));
    }
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

/// Says what else there is to know.
fn about(client: &Client<'_>, asked: &Asked<Plan>, id: Option<&str>, parts: &Parts) -> Vec<String> {
    let mut notes = Vec::new();
    if let (true, Some(id)) = (asked.plan.all_activity, id) {
        notes.push(format!(
            "tasks and events are the account's own; with those of its contacts and deals: query {{\"soql\": \"SELECT Subject, Status, ActivityDate FROM Task WHERE AccountId = '{id}' ORDER BY ActivityDate DESC NULLS LAST LIMIT 20\"}}"
        ));
    }
    if parts.has_moments {
        notes.push(known::about_moments(client));
    }
    if parts.cells_cut > 0 {
        notes.push(format!(
            "{} long values are cut where marked; get_record gives them whole",
            parts.cells_cut
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
