//! The evaluator of SOSL over the org's records.
//!
//! A search is parsed; the records of each object whose fields have what is searched for are found,
//! and what is said in `RETURNING` is a query over those. Follows the *SOQL and SOSL Reference*.

mod fields;
mod refusal;
mod term;
mod words;

use serde_json::{Value as Json, json};
use soql::{Ident, Query, Returning, Search, SearchGroup, SearchWith, SelectItem};

use crate::error::ApiError;
use crate::org::{Org, Session};
use crate::query::{Selection, Source};
use crate::schema::Object;
use crate::store::Record;
use term::Term;

pub(crate) use term::escaped;

/// The most rows of a search, and as many as it has unless it says otherwise.
pub(crate) const ROWS_MAX: usize = 2_000;
/// Longer texts between the braces find nothing.
const FIND_CHARS_MAX: usize = 10_000;

/// The answer to a search.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The rows, object by object in the order of `RETURNING`.
    pub(crate) records: Vec<Json>,
    /// `WITH METADATA = 'LABELS'`: what the fields are called.
    pub(crate) metadata: Option<Json>,
}

/// Answers a search; `base` is where urls begin.
///
/// # Errors
///
/// `MALFORMED_SEARCH` when the text is no search, and what a query is refused with when `RETURNING`
/// does not fit the schema.
pub(crate) fn run(
    org: &Org,
    session: &Session,
    sosl: &str,
    base: &str,
) -> Result<Answer, ApiError> {
    let source = Source(sosl);
    let search = soql::parse_search(sosl).map_err(|error| refusal::unparsed(source, &error))?;
    let labels = labels(source, &search)?;
    let find = term::parse(&search.find)
        .map_err(|mistake| refusal::mistaken(source, &search.find, &mistake))?;
    if search.returning.len() > 1 && search.returning.iter().any(|of| of.offset.is_some()) {
        let reason = "OFFSET can only be used when one object is searched";
        return Err(refusal::malformed(source, search.span, reason));
    }
    let returning = if search.returning.is_empty() {
        let objects = session.schema().objects.iter();
        let searchable = objects.filter(|object| object.searchable);
        searchable.map(only_ids).collect()
    } else {
        search.returning.clone()
    };
    let too_long = search.find.chars().count() > FIND_CHARS_MAX;
    let mut of_objects = Vec::with_capacity(returning.len());
    let mut metadata = Vec::new();
    for returning in &returning {
        let selection = select(org, session, source, returning, base)?;
        let found = if too_long {
            Vec::new()
        } else {
            found(org, session, selection.object(), &find, search.group)
        };
        of_objects.push(selection.of(found));
        metadata.push(selection.labels());
    }
    Ok(Answer {
        records: shared_out(of_objects, limit(search.limit)),
        metadata: labels.then(|| json!({"entityMetadata": metadata})),
    })
}

/// Says whether labels are asked for; what else `WITH` asks for has no meaning in an org without
/// articles, communities and price books.
fn labels(source: Source<'_>, search: &Search) -> Result<bool, ApiError> {
    let mut labels = false;
    for with in &search.with {
        let refused = match with {
            SearchWith::Metadata(kind) if kind.text().eq_ignore_ascii_case("labels") => {
                labels = true;
                continue;
            }
            SearchWith::SpellCorrection(_) => continue,
            SearchWith::Metadata(_) => "WITH METADATA other than 'LABELS'",
            SearchWith::DataCategory(_) => "WITH DATA CATEGORY",
            SearchWith::Division(_) => "WITH DIVISION",
            SearchWith::Highlight => "WITH HIGHLIGHT",
            SearchWith::Network(_) => "WITH NETWORK",
            SearchWith::PricebookId(_) => "WITH PricebookId",
            SearchWith::Snippet(_) => "WITH SNIPPET",
        };
        let reason = format!("{refused} is not supported for the objects of this organization");
        return Err(refusal::malformed(source, search.span, reason));
    }
    if !search.update.is_empty() {
        let reason = "UPDATE TRACKING and UPDATE VIEWSTAT are not supported for this object";
        return Err(refusal::malformed(source, search.span, reason));
    }
    Ok(labels)
}

fn only_ids(object: &Object) -> Returning {
    Returning {
        object: Ident::new(&*object.name),
        fields: Vec::new(),
        list_view: None,
        condition: None,
        order_by: Vec::new(),
        limit: None,
        offset: None,
    }
}

/// Makes what `RETURNING` says of an object a query, and binds it.
fn select<'a>(
    org: &'a Org,
    session: &'a Session,
    source: Source<'_>,
    returning: &Returning,
    base: &str,
) -> Result<Selection<'a>, ApiError> {
    if let Some(view) = &returning.list_view {
        let reason = format!("USING ListView is not supported: {}", view.name);
        return Err(refusal::malformed(source, view.span, reason));
    }
    let name = &returning.object;
    let path = soql::FieldPath {
        parts: vec![name.clone()],
        span: name.span,
    };
    let id = SelectItem::Field {
        path: soql::FieldPath::new("Id"),
        alias: None,
    };
    let query = Query {
        select: if returning.fields.is_empty() {
            vec![id]
        } else {
            returning.fields.clone()
        },
        from: vec![soql::FromItem { path, alias: None }],
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
        span: name.span,
    };
    let selection = Selection::bind(org, session, source, &query, base)?;
    let object = selection.object();
    if !object.searchable {
        let message = format!("entity type {} does not support search", object.name);
        return Err(ApiError::bad_request("INVALID_TYPE_FOR_OPERATION", message));
    }
    Ok(selection)
}

/// Finds the records of an object that the user sees and that have what is searched for: those first
/// that have it in their names, and each part in id order. No other fields are searched than those of
/// `object`, which is the user's.
fn found<'a>(
    org: &'a Org,
    session: &Session,
    object: &Object,
    find: &Term,
    group: Option<SearchGroup>,
) -> Vec<&'a Record> {
    let fields = fields::searched(object, group.unwrap_or(SearchGroup::All));
    let names = fields::searched(object, SearchGroup::Name);
    let records = org.store.rows(&object.name);
    let found = records
        .filter(|record| !record.deleted && session.may_read(org, record))
        .filter(|record| find.matches(&fields::words_of(record, &fields)));
    let (mut first, second): (Vec<_>, Vec<_>) =
        found.partition(|record| find.matches(&fields::words_of(record, &names)));
    first.extend(second);
    first
}

fn limit(asked: Option<u64>) -> usize {
    let asked = asked.and_then(|rows| usize::try_from(rows).ok());
    asked.map_or(ROWS_MAX, |rows| rows.min(ROWS_MAX))
}

/// Takes `limit` rows, as many of each object as of the others as far as they go.
fn shared_out(of_objects: Vec<Vec<Json>>, limit: usize) -> Vec<Json> {
    let mut taken = vec![0; of_objects.len()];
    let mut left = limit;
    loop {
        let open: Vec<usize> = (0..taken.len())
            .filter(|at| taken[*at] < of_objects[*at].len())
            .collect();
        if open.is_empty() || left == 0 {
            break;
        }
        let share = (left / open.len()).max(1);
        for at in open {
            let more = share.min(of_objects[at].len() - taken[at]).min(left);
            taken[at] += more;
            left -= more;
        }
    }
    let rows = of_objects.into_iter().zip(taken);
    rows.flat_map(|(rows, taken)| rows.into_iter().take(taken))
        .collect()
}

#[cfg(test)]
mod tests;
