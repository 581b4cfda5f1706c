//! A search for words in several objects at once (SOSL).
//!
//! The attack: to look for words in a field that is hidden, and to learn from what is found what it holds. `IN ALL FIELDS` looks
//! into every text of an object. So for an agent that is limited, all fields that a search looks into must be ones that
//! it may see.

use portcullis_sdk::http::{Request, path};
use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use soql::{Ident, Query, Returning, Search, SearchGroup};

use super::related::field;
use super::{TARGET_BYTES_MAX, cite, shown, unasked};
use crate::client::{Client, ReadError};
use crate::columns;
use crate::host::Host;
use crate::json::Json;
use crate::lookup;
use crate::repair::{Asked, repaired};
use crate::rows;
use crate::schema;
use crate::table::{Bounds, Table};
use crate::touched::{self, All};

mod into;
mod words;

/// Where a search looks unless the caller names objects, as far as the agent and the account have them.
const OBJECTS_DEFAULT: [&str; 5] = ["Account", "Contact", "Lead", "Opportunity", "Case"];
const OBJECTS_MAX: usize = 20;

/// Rows of each object.
const LIMIT_DEFAULT: u32 = 10;
const LIMIT_MAX: u32 = 200;

const BOUNDS: Bounds = Bounds {
    cell_chars_max: 300,
    text_bytes_max: 60_000,
};

/// What `search` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct SearchArgs {
    /// Words, all of which must occur; `Acm*` is the beginning of one, `"Acme Corp"` a phrase.
    text: String,
    /// Each with what to return, if not a few fields: `Contact(Name, Email WHERE Email != null)`. Default: accounts, contacts, leads, opportunities, cases.
    objects: Option<Vec<String>>,
    /// Fields to look into (default all).
    #[serde(rename = "in")]
    #[schemars(with = "Option<GroupName>")]
    group: Option<Group>,
    /// Rows of each object (default 10).
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
}

/// The fields that a search looks into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Group {
    /// Every text.
    All,
    /// Names.
    Name,
    /// E-mail addresses.
    Email,
    /// Telephone numbers.
    Phone,
}

// `Group` in a schema: one list of words, where documented variants would make each a schema.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
#[allow(dead_code, missing_docs, reason = "only its schema is used")]
enum GroupName {
    All,
    Name,
    Email,
    Phone,
}

/// What `search` answers as data.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Found {
    objects: Vec<FoundOf>,
}

/// The records found of one object.
#[derive(Debug, Serialize, JsonSchema)]
struct FoundOf {
    object: String,
    columns: Vec<String>,
    /// Values as the service sent them.
    rows: Vec<Vec<serde_json::Value>>,
}

/// Searches for words in several objects.
///
/// # Errors
/// The text has no two letters; an object or field is not there; the agent may not see what it returns or looks into.
pub fn search(host: &dyn Host, args: &SearchArgs) -> Result<Output, Failure> {
    let find = words::find(&args.text)?;
    let limit = args.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    let client = Client::new(host);
    let (returning, guessed) = returning(&client, args, limit)?;
    let mut search = Search {
        find,
        group: Some(match args.group.unwrap_or(Group::All) {
            Group::All => SearchGroup::All,
            Group::Name => SearchGroup::Name,
            Group::Email => SearchGroup::Email,
            Group::Phone => SearchGroup::Phone,
        }),
        returning,
        with: Vec::new(),
        limit: None,
        update: Vec::new(),
        span: soql::Span::default(),
    };
    let mut answered = send(&client, &search);
    // The account may lack an object, or a field, that nobody named.
    if has_guessed(&answered, "INVALID_TYPE", &search, &guessed.objects) {
        let objects = schema::objects(&client)?;
        let names: Vec<&str> = objects
            .items()
            .iter()
            .filter_map(|of| of.str_at("name"))
            .collect();
        let is_there = |name: &Ident| names.iter().any(|known| name.is(known));
        let is_guess = |name: &Ident| guessed.objects.iter().any(|kind| name.is(kind));
        search
            .returning
            .retain(|of| is_there(&of.object) || !is_guess(&of.object));
        if search.returning.is_empty() {
            return Err(nothing_to_search());
        }
        answered = send(&client, &search);
    }
    if has_guessed(&answered, "INVALID_FIELD", &search, &guessed.fields) {
        for of in &mut search.returning {
            if guessed.fields.iter().any(|kind| of.object.is(kind)) {
                let describe = client.describe(&of.object.name)?;
                let picked = columns::described(&client, &describe);
                of.fields = picked.iter().map(|name| field(name)).collect();
            }
        }
        answered = send(&client, &search);
    }
    let reply = answered.map_err(|refused| refused.failure(&client))?;
    Ok(answer(&client, &search, &reply, limit))
}

/// The names of objects of which something was not named by the caller.
#[derive(Default)]
struct Guessed {
    /// They themselves.
    objects: Vec<String>,
    /// What is returned of them.
    fields: Vec<String>,
}

/// Says whether a refusal may be about what nobody named.
fn has_guessed(
    answered: &Result<Json, Refused>,
    code: &str,
    search: &Search,
    guessed: &[String],
) -> bool {
    let is_code = matches!(answered, Err(Refused::Guessed(error, _)) if error.is(code));
    let mut returning = search.returning.iter();
    is_code && returning.any(|of| guessed.iter().any(|kind| of.object.is(kind)))
}

fn nothing_to_search() -> Failure {
    Failure::invalid("say which objects to search")
        .field("/objects", "name some")
        .hint("list_objects finds those that may be read")
}

/// Reads which objects are searched, and what is returned of each.
fn returning(
    client: &Client<'_>,
    args: &SearchArgs,
    limit: u32,
) -> Result<(Vec<Returning>, Guessed), Failure> {
    let named = args.objects.as_deref().unwrap_or_default();
    let mut guessed = Guessed::default();
    let mut all = Vec::new();
    if named.len() > OBJECTS_MAX {
        return Err(Failure::invalid("a search looks into at most 20 objects")
            .field("/objects", "more than 20"));
    }
    for (index, text) in named.iter().enumerate() {
        // A label of several words is no SOSL.
        let is_label = text.chars().all(|c| c.is_alphanumeric() || c == ' ');
        let of = one(text, &format!("/objects/{index}")).map_err(|failure| match is_label {
            true => lookup::with_near_object(client, text, failure),
            false => failure,
        });
        all.push(of?);
    }
    let kinds: Vec<touched::Touched> = all
        .iter()
        .map(|of| touched::Touched {
            kind: of.object.name.clone(),
            fields: vec!["Id".to_owned()],
        })
        .collect();
    client.check(&kinds)?;
    if named.is_empty() {
        for kind in OBJECTS_DEFAULT.iter().filter(|kind| client.may_read(kind)) {
            guessed.objects.push((*kind).to_owned());
            all.push(one(kind, "/objects")?);
        }
    }
    for of in &mut all {
        let kind = of.object.name.clone();
        if of.fields.is_empty() {
            let picked = columns::guessed(client, &kind);
            of.fields = picked.iter().map(|name| field(name)).collect();
            guessed.fields.push(kind);
        } else if !of.fields.contains(&field("Id")) {
            of.fields.insert(0, field("Id"));
        }
        of.limit = Some(of.limit.unwrap_or(u64::MAX).min(u64::from(limit)));
    }
    // Of an object no field of which is visible, nothing can be shown.
    all.retain(|of| !of.fields.is_empty());
    match all.is_empty() {
        true => Err(nothing_to_search()),
        false => Ok((all, guessed)),
    }
}

/// Parses one object of `RETURNING`.
fn one(text: &str, pointer: &str) -> Result<Returning, Failure> {
    let wrong = |problem: String| {
        let shown = crate::fence::inline(text, 80);
        Failure::invalid(format!(
            "`{shown}` is not what a search returns of an object"
        ))
        .field(pointer, problem)
        .hint("such as `Contact` or `Contact(Name, Email WHERE Email != null ORDER BY Name)`")
    };
    let search = soql::parse_search(&format!("FIND {{xx}} RETURNING {text}"))
        .map_err(|error| wrong(error.message.clone()))?;
    if let Some(clause) = search.writes() {
        return Err(wrong(format!(
            "`{clause}` changes records, and this tool only reads"
        )));
    }
    let is_alone = search.with.is_empty() && search.limit.is_none() && search.group.is_none();
    match <[Returning; 1]>::try_from(search.returning) {
        Ok([returning]) if returning.list_view.is_some() => {
            Err(wrong("get_list_view shows what a list view has".to_owned()))
        }
        Ok([returning]) if is_alone => Ok(returning),
        _ => Err(wrong("is not one object".to_owned())),
    }
}

/// Why a search has no answer.
enum Refused {
    /// The service knows no such object or field, of which some may have been guessed.
    Guessed(crate::service_error::ServiceError, Vec<Query>),
    Failed(Failure),
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Refused {
    fn failure(self, client: &Client<'_>) -> Failure {
        match self {
            Self::Guessed(error, queries) => {
                let asked = Asked {
                    query: queries.first(),
                    kind: None,
                    pointer: "/objects",
                };
                repaired(client, ReadError::Service(error), asked)
            }
            Self::Failed(failure) => failure,
        }
    }
}

/// Asks the host about what a search returns and looks into, and sends it.
fn send(client: &Client<'_>, search: &Search) -> Result<Json, Refused> {
    let queries: Vec<Query> = search.returning.iter().map(query_of).collect();
    let mut all: Vec<All> = Vec::new();
    for query in &queries {
        client.check(touched::named_outright(query).kinds())?;
        let touched = touched::by_query(client, query).map_err(|error| match error {
            ReadError::Service(error) => Refused::Guessed(error, queries.clone()),
            ReadError::Failed(failure) => Refused::Failed(failure),
        })?;
        client.check(touched.kinds())?;
        into::check(client, &query_kind(query), search.group)?;
        all.push(touched);
    }
    let sosl = search.to_string();
    client.host.step("Searched", Some(&sosl));
    let version = client.version()?.to_owned();
    let request =
        || Request::get(path!("/services/data/{}/search", version)).query(&[("q", &sosl)]);
    if request().target()?.len() > TARGET_BYTES_MAX {
        return Err(Failure::invalid("the search is too long for the service")
            .field("/text", "too long")
            .into());
    }
    let reply = client.read(request).map_err(|error| match error {
        ReadError::Service(error) if error.is("INVALID_TYPE") || error.is("INVALID_FIELD") => {
            Refused::Guessed(error, queries.clone())
        }
        ReadError::Service(error) if error.is("INVALID_TYPE_FOR_OPERATION") => {
            Refused::Guessed(error, queries.clone())
        }
        error => Refused::Failed(repaired(
            client,
            error,
            Asked {
                query: None,
                kind: None,
                pointer: "/text",
            },
        )),
    })?;
    let records = reply.json.get("searchRecords").map_or(&[][..], Json::items);
    for (touched, query) in all.iter().zip(&queries) {
        let of_kind: Vec<Json> = of(records, &query_kind(query)).cloned().collect();
        let aliases = touched::select_aliases(query);
        client.check(&unasked(shown(&of_kind, false), touched, &aliases))?;
        cite(client, touched.kinds(), &of_kind);
    }
    Ok(reply.json)
}

impl From<ReadError> for Refused {
    fn from(error: ReadError) -> Self {
        Self::Failed(error.into())
    }
}

/// Makes the query over what is found of an object.
fn query_of(returning: &Returning) -> Query {
    Query {
        select: returning.fields.clone(),
        from: vec![soql::FromItem {
            path: soql::FieldPath {
                parts: vec![Ident::new(&*returning.object.name)],
                span: soql::Span::default(),
            },
            alias: None,
        }],
        scope: None,
        condition: returning.condition.clone(),
        with: None,
        group_by: None,
        having: None,
        order_by: returning.order_by.clone(),
        limit: returning.limit,
        offset: returning.offset,
        all_rows: false,
        for_clauses: Vec::new(),
        update: Vec::new(),
        span: soql::Span::default(),
    }
}

fn query_kind(query: &Query) -> String {
    query
        .from
        .first()
        .map(|from| from.path.to_string())
        .unwrap_or_default()
}

fn of<'r>(records: &'r [Json], kind: &str) -> impl Iterator<Item = &'r Json> {
    let kind = kind.to_owned();
    let is_of = move |record: &&Json| {
        rows::kind_of(record).is_some_and(|found| found.eq_ignore_ascii_case(&kind))
    };
    records.iter().filter(is_of)
}

/// Writes a table for each object of which something was found.
fn answer(client: &Client<'_>, search: &Search, reply: &Json, limit: u32) -> Output {
    let records = reply.get("searchRecords").map_or(&[][..], Json::items);
    let (mut inside, mut data, mut notes, mut without) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut total, mut zone) = (0, None);
    for returning in &search.returning {
        let kind = &returning.object.name;
        let found: Vec<Json> = of(records, kind).cloned().collect();
        if found.is_empty() {
            without.push(kind.as_str());
            continue;
        }
        total += found.len();
        let table: Table = rows::table(&found, Some(&query_of(returning)));
        let rendered = table.render(BOUNDS);
        let left = table.rows.len() - rendered.rows_shown;
        if left > 0 {
            notes.push(format!(
                "{left} rows of {kind} are too long to show: return fewer fields"
            ));
        }
        if rendered.cells_cut > 0 {
            notes.push(format!(
                "{} long values of {kind} are cut where marked; get_record gives them whole",
                rendered.cells_cut
            ));
        }
        if returning.limit == u64::try_from(found.len()).ok() {
            notes.push(format!(
                "{kind}: there may be more than {}; raise `limit` (now {limit}) or say more words",
                found.len()
            ));
        }
        if zone.is_none() {
            zone = crate::zone::note(client, &table);
        }
        inside.push(format!(
            "{kind}: {}\n{}",
            super::plural(found.len()),
            rendered.text
        ));
        let (columns, rows) = table.structured();
        data.push(Json::object([
            ("object", kind.as_str().into()),
            ("columns", columns),
            ("rows", rows),
        ]));
    }
    let mut text = vec![format!("found: {total}")];
    if !inside.is_empty() {
        text.push(client.fenced(&inside.join("\n")));
    }
    if !without.is_empty() {
        text.push(format!("nothing in: {}", without.join(", ")));
    }
    if total == 0 {
        text.push("a word is found by its beginning with `*`: `Acm*`; what was changed a moment ago may not be found yet".to_owned());
    }
    text.append(&mut notes);
    text.extend(zone);
    Json::object([("objects", Json::Array(data))]).answer(text.join("\n"))
}
