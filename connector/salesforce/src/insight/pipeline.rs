//! Open opportunities by stage and owner, by one aggregate query.

use portcullis_sdk::audit::Source;
use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::close::closes;
use super::sum::{Sum, grouped, number};
use super::{BOUNDS, Rows, rows_of};
use crate::client::{CURRENCY_FACT, Client, ReadError};
use crate::host::Host;
use crate::json::Json;
use crate::known::{Asked, Known, ask, quoted, refused, require, touch};
use crate::lookup;
use crate::names;
use crate::order;
use crate::table::Table;

/// Groups that one answer of the service has; it gives no cursor for more.
const GROUPS_MAX: usize = 2_000;
/// Rows of a table, unless all are wanted.
const ROWS_SHOWN: usize = 30;

const KIND: &str = "Opportunity";

/// What `get_pipeline` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct GetPipeline {
    /// `me`, a user's id or full name. Default: everybody.
    owner: Option<String>,
    /// Close date: a SOQL date literal such as `THIS_FISCAL_QUARTER`, or `2026-10-01..2026-12-31`.
    close: Option<String>,
    /// Also each stage of each owner.
    #[serde(default)]
    detail: bool,
}

/// What `get_pipeline` answers as data.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Pipeline {
    count: u64,
    /// Null where this agent or user may not see amounts, as in the tables.
    amount: Option<serde_json::Number>,
    /// Amounts by their probability.
    weighted: Option<serde_json::Number>,
    /// Of all amounts, in an org with several currencies.
    currency: Option<String>,
    by_stage: Option<Rows>,
    by_owner: Option<Rows>,
    /// Where `detail` was asked for.
    by_stage_and_owner: Option<Rows>,
}

/// What the query gives.
#[derive(Debug, Clone, Copy)]
struct Plan {
    stage: bool,
    owner: Owner,
    amount: bool,
    weighted: bool,
}

/// How owners can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Hidden,
    ById,
    ByName,
}

/// Sums up open opportunities.
///
/// # Errors
/// The owner or the close date is none; the agent may not see opportunities.
pub fn get_pipeline(host: &dyn Host, args: &GetPipeline) -> Result<Output, Failure> {
    let client = Client::new(host);
    let condition = Condition::of(&client, args)?;
    require(
        &client,
        "which opportunities these are",
        KIND,
        &condition.fields,
    )?;
    host.step("Summed up the pipeline", Some(&condition.soql));
    let made = ask(&client, |known| plan(known, &condition));
    let (reply, asked) = made.map_err(|error| refused(error, "opportunities"))?;
    let sources = asked.touched.iter();
    let sources: Vec<Source> = sources
        .map(|touched| Source::new(&touched.kind).fields(&touched.fields))
        .collect();
    host.cite(&sources);
    let records = reply.get("records").map_or(&[][..], Json::items);
    if let (true, Some((field, value))) = (records.is_empty(), &condition.user) {
        require_user(&client, field, value)?;
    }
    Ok(answer(&client, records, &asked, args))
}

/// Refuses an owner who is nobody: that they have nothing is no answer. Asked where nothing was found alone.
fn require_user(client: &Client<'_>, field: &str, value: &str) -> Result<(), Failure> {
    // Where users may not be looked for, that none is found says nothing.
    match lookup::ids_where(client, "User", field, value)? {
        Some(found) if found.is_empty() => {
            let message = "no user is called so, or has this id";
            Err(Failure::invalid(message)
                .field("/owner", message)
                .hint("give `me`, a full name or an id: find_users finds them by part of a name"))
        }
        _ => Ok(()),
    }
}

/// Which opportunities count.
struct Condition {
    soql: String,
    fields: Vec<&'static str>,
    /// The field and value by which a user is the owner that was named; none: nobody was, or who is signed in.
    user: Option<(&'static str, String)>,
}

impl Condition {
    fn of(client: &Client<'_>, args: &GetPipeline) -> Result<Self, Failure> {
        let mut soql = "IsClosed = false".to_owned();
        let mut fields = vec!["IsClosed"];
        let mut user = None;
        if let Some(owner) = args
            .owner
            .as_deref()
            .map(str::trim)
            .filter(|owner| !owner.is_empty())
        {
            let (field, value) = match names::record_id(owner) {
                Ok(id) if id.starts_with("005") => ("OwnerId", id),
                _ if owner.eq_ignore_ascii_case("me") => ("OwnerId", me(client)?),
                _ => ("Owner.Name", named(client, owner)?),
            };
            fields.push(field);
            soql.push_str(&format!(" AND {field} = {}", quoted(value)));
            if !owner.eq_ignore_ascii_case("me") {
                let of_user = if field == "OwnerId" { "Id" } else { "Name" };
                user = Some((of_user, value.to_owned()));
            }
        }
        if let Some(close) = args
            .close
            .as_deref()
            .map(str::trim)
            .filter(|close| !close.is_empty())
        {
            fields.push("CloseDate");
            soql.push_str(&format!(" AND {}", closes(close)?));
        }
        Ok(Self { soql, fields, user })
    }
}

/// Refuses an owner's name where the agent may not see names of users: not even that there are users.
fn named<'t>(client: &Client<'_>, owner: &'t str) -> Result<&'t str, Failure> {
    let name = ["Name".to_owned()];
    match client.may_read("User") && !client.visible_fields("User", &name).is_empty() {
        true => Ok(owner),
        false => Err(
            Failure::not_permitted("this agent may not choose owners by name")
                .field("/owner", "give `me` or an id"),
        ),
    }
}

fn me<'c>(client: &'c Client<'_>) -> Result<&'c str, Failure> {
    let identity = client.account().identity.as_ref();
    identity
        .map(|identity| identity.user_id.as_str())
        .ok_or_else(|| {
            Failure::invalid("nobody knows yet who is signed in")
                .field("/owner", "give the user's id, which get_identity says")
        })
}

fn plan(known: &Known<'_, '_>, condition: &Condition) -> Result<Asked<Plan>, ReadError> {
    let amount = known.has(KIND, "Amount")?;
    let plan = Plan {
        stage: known.has(KIND, "StageName")?,
        owner: match (known.has(KIND, "OwnerId")?, known.has(KIND, "Owner.Name")?) {
            (true, true) => Owner::ByName,
            (true, false) => Owner::ById,
            (false, _) => Owner::Hidden,
        },
        amount,
        // It is made of both.
        weighted: amount && known.has_all(KIND, &["ExpectedRevenue", "Probability"])?,
    };
    let mut groups: Vec<&str> = Vec::new();
    groups.extend(plan.stage.then_some("StageName"));
    groups.extend((plan.owner != Owner::Hidden).then_some("OwnerId"));
    groups.extend((plan.owner == Owner::ByName).then_some("Owner.Name"));
    let mut touched = Vec::new();
    touch(&mut touched, KIND, &condition.fields);
    touch(&mut touched, KIND, &groups);
    touch(&mut touched, KIND, &["Id"]);
    let mut select: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
    select.push("COUNT(Id) deals".to_owned());
    if plan.amount {
        touch(&mut touched, KIND, &["Amount"]);
        select.push("SUM(Amount) total".to_owned());
    }
    if plan.weighted {
        touch(&mut touched, KIND, &["ExpectedRevenue"]);
        select.push("SUM(ExpectedRevenue) weighted".to_owned());
    }
    let mut soql = format!(
        "SELECT {} FROM {KIND} WHERE {}",
        select.join(", "),
        condition.soql
    );
    if !groups.is_empty() {
        soql.push_str(&format!(" GROUP BY {}", groups.join(", ")));
        if plan.stage {
            soql.push_str(" ORDER BY StageName");
        }
        soql.push_str(&format!(" LIMIT {GROUPS_MAX}"));
    }
    Ok(Asked {
        soql,
        touched,
        plan,
        hides: false,
    })
}

fn answer(
    client: &Client<'_>,
    records: &[Json],
    asked: &Asked<Plan>,
    args: &GetPipeline,
) -> Output {
    let plan = &asked.plan;
    let mut total = Sum::default();
    for record in records {
        total.add(record);
    }
    let member = |record: &Json, name: &str| record.get(name).cloned().unwrap_or(Json::Null);
    let stage = |record: &Json| vec![member(record, "StageName")];
    let owner = |record: &Json| match plan.owner {
        Owner::ByName => vec![member(record, "OwnerId"), member(record, "Name")],
        _ => vec![member(record, "OwnerId")],
    };
    let owners: &[&'static str] = match plan.owner {
        Owner::ByName => &["owner_id", "owner"],
        Owner::ById => &["owner_id"],
        Owner::Hidden => &[],
    };
    let by_stage = plan
        .stage
        .then(|| table(&["stage"], grouped(records, stage), plan));
    let has_owners = !owners.is_empty();
    let by_owner = has_owners.then(|| {
        let mut sums = grouped(records, owner);
        order::sort_by(&mut sums, |one, other| {
            (other.amount, other.count).cmp(&(one.amount, one.count))
        });
        table(owners, sums, plan)
    });
    let detail = (args.detail && plan.stage && has_owners).then(|| {
        let keys = |record: &Json| [stage(record), owner(record)].concat();
        let columns = [&["stage"], owners].concat();
        table(&columns, grouped(records, keys), plan)
    });
    let currency = client.fact(CURRENCY_FACT);
    let tables = [
        ("by_stage", by_stage),
        ("by_owner", by_owner),
        ("by_stage_and_owner", detail),
    ];
    let text = said(client, &total, asked, &tables, records.len());
    let or_null = |shown: bool, value: i128| if shown { number(value) } else { Json::Null };
    let mut members = vec![
        ("count", Json::from(total.count)),
        ("amount", or_null(plan.amount, total.amount)),
        ("weighted", or_null(plan.weighted, total.weighted)),
        ("currency", currency.map(str::to_owned).into()),
    ];
    members.extend(
        tables
            .iter()
            .map(|(name, table)| (*name, table.as_ref().map(rows_of).into())),
    );
    Json::object(members).answer(text)
}

fn table(keys: &[&'static str], sums: Vec<Sum>, plan: &Plan) -> Table {
    let mut columns = keys.to_vec();
    columns.push("count");
    columns.extend(plan.amount.then_some("amount"));
    columns.extend(plan.weighted.then_some("weighted"));
    Table::plain(
        columns,
        sums.iter().map(|sum| sum.cells(plan.amount, plan.weighted)),
    )
}

fn said(
    client: &Client<'_>,
    total: &Sum,
    asked: &Asked<Plan>,
    tables: &[(&str, Option<Table>)],
    groups: usize,
) -> String {
    let plan = &asked.plan;
    let of = |name: &str, shown: bool, value: i128| match shown {
        true => format!(", {name} {}", number(value)),
        false => String::new(),
    };
    let currency = match (client.fact(CURRENCY_FACT), plan.amount) {
        (Some(code), true) => format!(" {code}"),
        _ => String::new(),
    };
    let mut text = vec![format!(
        "{} open opportunities{}{}{currency}",
        total.count,
        of("amount", plan.amount, total.amount),
        of("weighted by probability", plan.weighted, total.weighted),
    )];
    if total.count == 0 {
        return text.join("\n");
    }
    let mut inside = Vec::new();
    let mut notes = Vec::new();
    for (name, table) in tables {
        let Some(table) = table else { continue };
        let mut shown = without_ids(table);
        // Stages are few; and who asks for all of everybody's gets all.
        if *name == "by_owner" && shown.rows.len() > ROWS_SHOWN {
            notes.push(format!(
                "{} more owners with less: `owner` asks for one",
                shown.rows.len() - ROWS_SHOWN
            ));
            shown.rows.truncate(ROWS_SHOWN);
        }
        let rendered = shown.render(BOUNDS);
        if rendered.rows_shown < shown.rows.len() {
            notes.push(format!(
                "{} rows are left out here: narrow it by `owner` or `close`",
                shown.rows.len() - rendered.rows_shown
            ));
        }
        inside.push(rendered.text.trim_end().to_owned());
    }
    if !inside.is_empty() {
        text.push(client.fenced(&inside.join("\n")));
    }
    text.append(&mut notes);
    if groups == GROUPS_MAX {
        text.push(format!(
            "the org gives {GROUPS_MAX} groups at most, so this may not be all: narrow it by `owner` or `close`"
        ));
    }
    if asked.hides {
        text.push("what this agent may not see is left out".to_owned());
    }
    text.join("\n")
}

/// Shows owners by their names alone, unless two have the same.
fn without_ids(table: &Table) -> Table {
    let column = |name: &str| table.columns.iter().position(|column| column == name);
    let (Some(id), Some(name)) = (column("owner_id"), column("owner")) else {
        return table.clone();
    };
    let mut names: Vec<(&Json, &Json)> = Vec::new();
    for row in &table.rows {
        let pair = (&row.cells[name], &row.cells[id]);
        if names
            .iter()
            .any(|known| known.0 == pair.0 && known.1 != pair.1)
        {
            return table.clone();
        }
        if !names.contains(&pair) {
            names.push(pair);
        }
    }
    let mut shown = table.clone();
    shown.columns.remove(id);
    for row in &mut shown.rows {
        row.cells.remove(id);
    }
    shown
}
